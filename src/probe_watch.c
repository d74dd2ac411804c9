/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is only watched while somebody looks. */
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include "bpf/event.h"
#include "probe_private.h"
#include "util.h"

#include "latency.skel.h"

_Static_assert(PROBE_LATENCY_SLOTS == LATENCY_SLOTS, "slots of probe.h and bpf/event.h");

static const struct probe_hook latency_hooks[] = {
	PROBE_HOOK_PAIR("latency", "do_sendfile", "sendfile"),
};

struct probe_latency {
	struct probe_part part;
	struct probe_status status;
	int cpus;
};

static int open_latency(const struct probe_options *options, void **ret_skeleton,
	struct bpf_object_skeleton **ret_base)
{
	struct latency_bpf *skeleton = latency_bpf__open();

	if (!skeleton)
		return -errno;
	PROBE_SET_FEATURES(skeleton->rodata, options->features);
	skeleton->rodata->feature_tso = feature_named(options->features, "tx-tcp-segmentation");
	skeleton->rodata->feature_tso6 = feature_named(options->features, "tx-tcp6-segmentation");
	*ret_skeleton = skeleton;
	*ret_base = skeleton->skeleton;
	return 0;
}

static void destroy_latency(void *skeleton)
{
	latency_bpf__destroy(skeleton);
}

int probe_latency_open(const struct feature_table *features, struct probe_latency **ret,
	struct probe_status *ret_status)
{
	struct probe_latency *latency = calloc(1, sizeof(*latency));
	struct probe_options options = { .features = features };
	struct probe_part *parts[] = { latency ? &latency->part : NULL };

	if (!latency)
		return -ENOMEM;
	libbpf_set_print(probe_part_keep_complaint);
	latency->cpus = libbpf_num_possible_cpus();
	latency->part = PROBE_PART(latency_hooks, true, latency);
	probe_part_init(&latency->part, &latency->status, NULL);
	probe_part_find_functions(parts, 1);
	if (latency->cpus > 0)
		probe_part_start(&latency->part, &options);
	if (ret_status)
		*ret_status = latency->status;
	if (!latency->part.skeleton) {
		free(latency);
		return -EOPNOTSUPP;
	}
	*ret = latency;
	return 0;
}

void probe_latency_close(struct probe_latency *latency)
{
	if (!latency)
		return;
	probe_part_close(&latency->part);
	free(latency);
}

struct latency_reader {
	struct probe_latency *latency;
	bool reset;
	void (*fn)(const struct probe_latency_histogram *histogram, void *userdata);
	void *userdata;
	struct latency_histogram *values; /* one a CPU */
};

static int read_histogram(int fd, const void *data, void *userdata)
{
	const struct latency_key *key = data;
	struct latency_reader *reader = userdata;
	struct probe_latency_histogram sum = { .cgroup = key->cgroup, .fallback = key->fallback };

	if (bpf_map_lookup_elem(fd, key, reader->values) < 0)
		return 0;
	for (int i = 0; i < reader->latency->cpus; i++) {
		sum.count += reader->values[i].count;
		sum.total_usec += reader->values[i].total_usec;
		for (size_t j = 0; j < LATENCY_SLOTS; j++)
			sum.slots[j] += reader->values[i].slots[j];
	}
	if (reader->reset)
		bpf_map_delete_elem(fd, key);
	reader->fn(&sum, reader->userdata);
	return 1;
}

int probe_latency_read(struct probe_latency *latency, bool reset,
	void (*fn)(const struct probe_latency_histogram *histogram, void *userdata),
	void *userdata, uint64_t *ret_lost)
{
	_cleanup_free_ struct latency_histogram *values =
		calloc((size_t)latency->cpus, sizeof(*values));
	struct latency_reader reader = { latency, reset, fn, userdata, values };

	if (!values)
		return -ENOMEM;
	if (ret_lost)
		*ret_lost = probe_part_read_percpu(&latency->part, "latency_lost", 0, latency->cpus);
	return probe_part_foreach_key(&latency->part, "histograms", read_histogram, &reader);
}
