/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/capability.h>
#include <linux/types.h>

#include "bpf/event.h"
#include "util.h"

#include "changes.skel.h"
#include "fallback-nobtf.skel.h"
#include "fallback.skel.h"
#include "latency.skel.h"
#include "sockets.skel.h"

#define KEYS_MIN 64
#define KEYS_MAX 65536
#define EVENTS_AT_ONCE 1024
#define SOCKETS_READ (64 * 1024)
#define NSEC_PER_USEC 1000

_Static_assert((int)PROBE_KINDS == FALLBACK_KINDS, "kinds of probe.h and bpf/event.h");
_Static_assert(PROBE_LATENCY_SLOTS == LATENCY_SLOTS, "slots of probe.h and bpf/event.h");
_Static_assert(PROBE_COMM_LEN == EVENT_COMM_LEN, "comm of probe.h and bpf/event.h");

/* One thing to see, by one kernel function. Methods are tried in the order of enum probe_method; each has a program at the function's
 * start and may have one at its end. */
struct hook {
	const char *name, *function;
	bool other_kernels; /* its absence is another function's presence */
	const char *fentry[2], *kprobe[2], *iter;
};

#define HOOK(n, f, p, other)                                                                       \
	{                                                                                          \
		.name = n, .function = f, .other_kernels = other, .fentry = { p "_fentry" },       \
		.kprobe = { p "_kprobe" }                                                          \
	}
#define HOOK_PAIR(n, f, p)                                                                         \
	{                                                                                          \
		.name = n, .function = f, .fentry = { p "_fentry", p "_fexit" },                   \
		.kprobe = { p "_kprobe", p "_kretprobe" }                                          \
	}

enum { HOOK_SENDPAGE, HOOK_SENDPAGE_LOCKED };

static const struct hook fallback_hooks[] = {
	[HOOK_SENDPAGE] = HOOK("sendpage", "sock_no_sendpage", "sendpage", true),
	[HOOK_SENDPAGE_LOCKED] =
		HOOK("sendpage", "sock_no_sendpage_locked", "sendpage_locked", true),
	HOOK("splice", "splice_to_socket", "splice", true),
	HOOK("segmentation", "__skb_gso_segment", "segmentation", false),
	HOOK("checksum", "skb_checksum_help", "checksum", false),
};

static const struct hook process_hooks[] = {
	{ .name = "sendpage by process", .function = "sock_no_sendpage_locked",
		.other_kernels = true, .kprobe = { "process_locked_kprobe" } },
	{ .name = "sendpage by process", .function = "sock_no_sendpage", .other_kernels = true,
		.kprobe = { "process_kprobe" } },
};

static const struct hook socket_hooks[] = {
	{ .name = "sockets", .function = "iter/tcp", .iter = "sockets" },
};

static const struct hook change_hooks[] = {
	HOOK_PAIR("feature changes", "__netdev_update_features", "update"),
	HOOK_PAIR("feature cascades", "netdev_features_change", "spread"),
	HOOK("feature cascades", "netdev_work_sched", "defer", true),
};

static const struct hook latency_hooks[] = {
	HOOK_PAIR("latency", "do_sendfile", "sendfile"),
};

#define HOOKS_MAX 5

/* One BPF object with its hooks. open makes the skeleton, unloaded, and tells its object. */
struct part {
	const struct hook *hooks;
	size_t n_hooks;
	bool btf;
	int (*open)(const struct probe_options *options, void **ret_skeleton,
		struct bpf_object_skeleton **ret_base);
	void (*destroy)(void *skeleton);

	void *skeleton;
	struct bpf_object_skeleton *base;
	struct bpf_link *links[HOOKS_MAX][2];
	bool found[HOOKS_MAX]; /* the function is in this kernel */
	struct probe_status *status;
};

struct probe {
	struct part fallback, process, sockets, changes;
	struct probe_status status[4 * HOOKS_MAX];
	size_t n_status;
	struct ring_buffer *ring;
	int cpus;
	uint64_t malformed;

	probe_hits_fn events_fn; /* during probe_read_events */
	void *events_userdata;
	int events_read;
};

struct probe_latency {
	struct part part;
	struct probe_status status;
	int cpus;
};

/* libbpf tells the reason of a failure only to its logger: its first complaint is kept, what follows are the consequences. */
static char complaint[PROBE_WHY_LEN];

static int keep_complaint(enum libbpf_print_level level, const char *format, va_list args)
{
	char text[PROBE_WHY_LEN];

	if (level != LIBBPF_WARN || complaint[0])
		return 0;
	vsnprintf(text, sizeof(text), format, args);
	text[strcspn(text, "\n")] = '\0';
	util_copy_name(complaint, sizeof(complaint), text, strlen(text));
	return 0;
}

static void note_function(struct part *const *parts, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < parts[i]->n_hooks; j++)
			if (!strcmp(name, parts[i]->hooks[j].function))
				parts[i]->found[j] = true;
}

/* Which functions does /proc/kallsyms have? Names are readable without privilege. Where it cannot be read, all are taken to be there:
 * trying will tell. */
static void find_functions(struct part *const *parts, size_t n)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/kallsyms", "re");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < parts[i]->n_hooks; j++)
			parts[i]->found[j] = !f || parts[i]->hooks[j].iter;
	while (f && getline(&line, &size, f) > 0) {
		char *type = strchr(line, ' '), *name;

		if (!type || (type[1] != 't' && type[1] != 'T') || type[2] != ' ')
			continue;
		name = type + 3;
		name[strcspn(name, "\t\n")] = '\0';
		note_function(parts, n, name);
	}
}

/* What tracing needs and we have not, in words; NULL when nothing is missing. */
static const char *missing_privilege(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {};
	bool bpf, perfmon;
	uint64_t caps = 0;

	if (syscall(SYS_capget, &header, data) == 0)
		caps = data[0].effective | (uint64_t)data[1].effective << 32;
	if (caps & UINT64_C(1) << CAP_SYS_ADMIN)
		return NULL;
	bpf = caps & UINT64_C(1) << CAP_BPF;
	perfmon = caps & UINT64_C(1) << CAP_PERFMON;
	if (bpf && perfmon)
		return NULL;
	return bpf ? "CAP_PERFMON" : perfmon ? "CAP_BPF" : "CAP_BPF and CAP_PERFMON";
}

static bool may_trace(void)
{
	return !missing_privilege();
}

static bool has_btf(void)
{
	return access("/sys/kernel/btf/vmlinux", R_OK) == 0;
}

static bool locked_down(void)
{
	_cleanup_fclose_ FILE *f = fopen("/sys/kernel/security/lockdown", "re");
	char text[80];

	return f && fgets(text, sizeof(text), f) && strstr(text, "[confidentiality]");
}

static bool has_kprobes(void)
{
	return access("/sys/bus/event_source/devices/kprobe/type", F_OK) == 0 ||
	       access("/sys/kernel/tracing/kprobe_events", F_OK) == 0 ||
	       access("/sys/kernel/debug/tracing/kprobe_events", F_OK) == 0;
}

/* What holds for every probe of a kind, whatever was complained about. */
static void explain_failure(const struct part *part, int error, struct probe_status *status)
{
	char *why = status->why;

	if (!may_trace())
		snprintf(why, PROBE_WHY_LEN, "no privilege: %s missing (before Linux 5.8 CAP_SYS_ADMIN is needed)",
			missing_privilege());
	else if (locked_down())
		snprintf(why, PROBE_WHY_LEN, "the kernel is locked down (confidentiality)");
	else if (part->btf && !has_btf())
		snprintf(why, PROBE_WHY_LEN, "the kernel has no BTF (/sys/kernel/btf/vmlinux)");
	else if (part->hooks[0].kprobe[0] && !has_kprobes())
		snprintf(why, PROBE_WHY_LEN, "the kernel has no kprobes, and fentry is refused");
	else
		snprintf(why, PROBE_WHY_LEN, "%s%s%.120s", strerror(-error),
			complaint[0] ? ": " : "", complaint);
}

static const char *const *hook_programs(const struct hook *hook, enum probe_method method)
{
	static const char *const none[2];

	switch (method) {
	case PROBE_FENTRY:
		return hook->fentry;
	case PROBE_KPROBE:
		return hook->kprobe;
	case PROBE_ITERATOR:
	case PROBE_ABSENT:
		break;
	}
	return none;
}

/* The method to try after this one has failed; ABSENT when none is left. */
static enum probe_method next_method(const struct hook *hook, enum probe_method method)
{
	if (method == PROBE_ABSENT && hook->fentry[0])
		return PROBE_FENTRY;
	if (method <= PROBE_FENTRY && hook->kprobe[0])
		return PROBE_KPROBE;
	if (method < PROBE_ITERATOR && hook->iter)
		return PROBE_ITERATOR;
	return PROBE_ABSENT;
}

static struct bpf_program *find_program(const struct part *part, const char *name)
{
	return name ? bpf_object__find_program_by_name(*part->base->obj, name) : NULL;
}

static struct bpf_map *find_map(const struct part *part, const char *name)
{
	return part->skeleton ? bpf_object__find_map_by_name(*part->base->obj, name) : NULL;
}

static int map_fd(const struct part *part, const char *name)
{
	struct bpf_map *map = find_map(part, name);

	return map ? bpf_map__fd(map) : -ENOENT;
}

static void part_close(struct part *part)
{
	/* the start of a pair goes last: its end must not outlive nothing to pair with */
	for (size_t i = part->n_hooks; i-- > 0;)
		for (size_t j = 2; j-- > 0;) {
			bpf_link__destroy(part->links[i][j]);
			part->links[i][j] = NULL;
		}
	if (part->skeleton)
		part->destroy(part->skeleton);
	part->skeleton = NULL;
	part->base = NULL;
}

/* Opens the object with the programs of the chosen methods (of hook `only`, or of all with -1) and loads it. */
static int part_load(struct part *part, const struct probe_options *options, int only)
{
	struct bpf_program *program;
	int r;

	complaint[0] = '\0';
	r = part->open(options, &part->skeleton, &part->base);
	if (r < 0)
		return r;
	bpf_object__for_each_program(program, *part->base->obj)
		bpf_program__set_autoload(program, false);
	for (size_t i = 0; i < part->n_hooks; i++) {
		const struct hook *hook = &part->hooks[i];
		const char *const *names = hook_programs(hook, part->status[i].method);

		if (part->status[i].method == PROBE_ABSENT || (only >= 0 && (size_t)only != i))
			continue;
		for (size_t j = 0; j < 2; j++)
			if ((program = find_program(part, names[j])))
				bpf_program__set_autoload(program, true);
		if (part->status[i].method == PROBE_ITERATOR)
			bpf_program__set_autoload(find_program(part, hook->iter), true);
	}
	r = bpf_object__load_skeleton(part->base);
	if (r < 0)
		part_close(part);
	return r;
}

/* One hook's programs cannot be had by its method: on to the next. */
static void give_up_method(struct part *part, size_t i, int error)
{
	struct probe_status *status = &part->status[i];

	explain_failure(part, error, status);
	status->method = next_method(&part->hooks[i], status->method);
	if (status->method != PROBE_ABSENT)
		status->why[0] = '\0';
}

/* The object did not load: finds out which hooks are to blame by loading each alone. */
static void find_culprits(struct part *part, const struct probe_options *options, int error)
{
	size_t active = 0, last = 0;
	bool found = false;

	for (size_t i = 0; i < part->n_hooks; i++)
		if (part->status[i].method != PROBE_ABSENT) {
			active++;
			last = i;
		}
	if (active == 1) {
		give_up_method(part, last, error);
		return;
	}
	for (size_t i = 0; i < part->n_hooks; i++) {
		int r;

		if (part->status[i].method == PROBE_ABSENT)
			continue;
		r = part_load(part, options, (int)i);
		part_close(part);
		if (r < 0) {
			give_up_method(part, i, r);
			found = true;
		}
	}
	for (size_t i = 0; !found && i < part->n_hooks; i++)
		if (part->status[i].method != PROBE_ABSENT)
			give_up_method(part, i, error);
}

static int attach_program(struct part *part, const char *name, struct bpf_link **ret)
{
	struct bpf_program *program = find_program(part, name);

	if (!program)
		return 0;
	*ret = bpf_program__attach(program);
	return *ret ? 0 : -errno;
}

/* The end of a pair first: it finds nothing begun, while the other way round a start would be left over. Index of the hook that
 * failed, -1 when all are attached. */
static int attach_all(struct part *part, int *ret_error)
{
	for (size_t i = 0; i < part->n_hooks; i++) {
		const struct hook *hook = &part->hooks[i];
		const char *const *names = hook_programs(hook, part->status[i].method);
		int r = 0;

		if (part->status[i].method == PROBE_ITERATOR)
			r = attach_program(part, hook->iter, &part->links[i][0]);
		for (size_t j = 2; r == 0 && j-- > 0;)
			r = attach_program(part, names[j], &part->links[i][j]);
		if (r < 0) {
			*ret_error = r;
			return (int)i;
		}
	}
	return -1;
}

static bool part_active(const struct part *part)
{
	for (size_t i = 0; i < part->n_hooks; i++)
		if (part->status[i].method != PROBE_ABSENT)
			return true;
	return false;
}

/* Loads and attaches what works; every round without success rules out at least one method of one hook. */
static void part_start(struct part *part, const struct probe_options *options)
{
	int error = 0, r;

	for (size_t i = 0; i < part->n_hooks; i++) {
		struct probe_status *status = &part->status[i];

		status->why[0] = '\0';
		if (!part->found[i]) {
			status->other_kernels = part->hooks[i].other_kernels;
			snprintf(status->why, PROBE_WHY_LEN, "this kernel has no %s",
				part->hooks[i].function);
		} else if (!may_trace() || (part->btf && !has_btf())) {
			explain_failure(part, -EPERM, status);
		} else {
			status->method = next_method(&part->hooks[i], PROBE_ABSENT);
		}
	}
	while (part_active(part)) {
		r = part_load(part, options, -1);
		if (r < 0) {
			find_culprits(part, options, r);
			continue;
		}
		r = attach_all(part, &error);
		if (r < 0)
			return;
		part_close(part);
		give_up_method(part, (size_t)r, error);
	}
}

static void part_init(struct part *part, struct probe_status *status, const char *why)
{
	part->status = status;
	for (size_t i = 0; i < part->n_hooks; i++) {
		status[i] = (struct probe_status){ .name = part->hooks[i].name,
			.function = part->hooks[i].function };
		if (why)
			snprintf(status[i].why, sizeof(status[i].why), "%s", why);
	}
}

/* The bits of a packet's gso_type in the feature table, in the kernel's order (net_gso_ok()). */
static feature_set gso_features(const struct feature_table *table)
{
	feature_set set = 0;

	for (unsigned bit = 0; bit < table->count; bit++)
		if ((!fnmatch("tx-*-segmentation", table->name[bit], 0) &&
			    strcmp(table->name[bit], "tx-generic-segmentation")) ||
			(!strncmp(table->name[bit], "tx-gso-", 7) &&
				strcmp(table->name[bit], "tx-gso-robust")))
			set |= FEATURE(bit);
	return set;
}

#define SET_FEATURES(rodata, table)                                                                \
	do {                                                                                       \
		(rodata)->feature_sg = feature_named(table, "tx-scatter-gather");                  \
		(rodata)->feature_csum_generic = feature_named(table, "tx-checksum-ip-generic");   \
		(rodata)->feature_csum_ipv4 = feature_named(table, "tx-checksum-ipv4");            \
		(rodata)->feature_csum_ipv6 = feature_named(table, "tx-checksum-ipv6");            \
	} while (0)

static unsigned clamp_keys(unsigned keys)
{
	if (keys == 0)
		return PROBE_KEYS_DEFAULT;
	return keys < KEYS_MIN ? KEYS_MIN : keys > KEYS_MAX ? KEYS_MAX : keys;
}

static int open_fallback(const struct probe_options *options, void **ret_skeleton,
	struct bpf_object_skeleton **ret_base)
{
	struct fallback_bpf *skeleton = fallback_bpf__open();
	int shift = feature_bit(options->features, "tx-tcp-segmentation");
	unsigned keys = clamp_keys(options->max_keys);

	if (!skeleton)
		return -errno;
	SET_FEATURES(skeleton->rodata, options->features);
	skeleton->rodata->feature_gso = gso_features(options->features);
	skeleton->rodata->feature_gso_shift = shift < 0 ? 0 : (unsigned)shift;
	skeleton->rodata->quiet_ns =
		(options->quiet_usec ? options->quiet_usec : PROBE_QUIET_USEC) * NSEC_PER_USEC;
	bpf_map__set_max_entries(skeleton->maps.counts, keys);
	bpf_map__set_max_entries(skeleton->maps.seen, keys);
	*ret_skeleton = skeleton;
	*ret_base = skeleton->skeleton;
	return 0;
}

static void destroy_fallback(void *skeleton)
{
	fallback_bpf__destroy(skeleton);
}

static int open_process(const struct probe_options *options _unused_, void **ret_skeleton,
	struct bpf_object_skeleton **ret_base)
{
	struct fallback_nobtf_bpf *skeleton = fallback_nobtf_bpf__open();

	if (!skeleton)
		return -errno;
	*ret_skeleton = skeleton;
	*ret_base = skeleton->skeleton;
	return 0;
}

static void destroy_process(void *skeleton)
{
	fallback_nobtf_bpf__destroy(skeleton);
}

static int open_sockets(const struct probe_options *options, void **ret_skeleton,
	struct bpf_object_skeleton **ret_base)
{
	struct sockets_bpf *skeleton = sockets_bpf__open();

	if (!skeleton)
		return -errno;
	SET_FEATURES(skeleton->rodata, options->features);
	*ret_skeleton = skeleton;
	*ret_base = skeleton->skeleton;
	return 0;
}

static void destroy_sockets(void *skeleton)
{
	sockets_bpf__destroy(skeleton);
}

static int open_changes(const struct probe_options *options _unused_, void **ret_skeleton,
	struct bpf_object_skeleton **ret_base)
{
	struct changes_bpf *skeleton = changes_bpf__open();

	if (!skeleton)
		return -errno;
	skeleton->rodata->own_tgid = (uint32_t)getpid();
	*ret_skeleton = skeleton;
	*ret_base = skeleton->skeleton;
	return 0;
}

static void destroy_changes(void *skeleton)
{
	changes_bpf__destroy(skeleton);
}

static int open_latency(const struct probe_options *options, void **ret_skeleton,
	struct bpf_object_skeleton **ret_base)
{
	struct latency_bpf *skeleton = latency_bpf__open();

	if (!skeleton)
		return -errno;
	SET_FEATURES(skeleton->rodata, options->features);
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

#define PART(h, b, suffix)                                                                         \
	(struct part)                                                                              \
	{                                                                                          \
		.hooks = h, .n_hooks = ARRAY_SIZE(h), .btf = b, .open = open_##suffix,             \
		.destroy = destroy_##suffix                                                        \
	}

static int add_record(void *userdata, void *data, size_t size)
{
	struct probe *probe = userdata;
	struct probe_hits hits;

	if (probe_parse_event(data, size, &hits) < 0)
		probe->malformed++;
	else if (probe->events_fn)
		probe->events_fn(&hits, probe->events_userdata);
	return ++probe->events_read >= EVENTS_AT_ONCE ? -EAGAIN : 0;
}

static bool any_running(const struct probe_status *status, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (status[i].method != PROBE_ABSENT && !strcmp(status[i].name, name))
			return true;
	return false;
}

/* sendpage's fallback by process alone, where nothing better runs. */
static void start_process(struct probe *probe, const struct probe_options *options)
{
	struct probe_status *status = probe->process.status;

	if (any_running(probe->fallback.status, probe->fallback.n_hooks, "sendpage")) {
		status->other_kernels = true;
		snprintf(status->why, PROBE_WHY_LEN, "the probe by service runs");
	} else {
		part_start(&probe->process, options);
	}
}

/* sock_no_sendpage_locked() where TCP has it, else sock_no_sendpage(): both would count other protocols too. */
static void choose_process_function(struct probe *probe)
{
	if (probe->fallback.found[HOOK_SENDPAGE_LOCKED])
		return;
	probe->process.hooks++;
	probe->process.found[0] = probe->fallback.found[HOOK_SENDPAGE];
}

static void probe_start(struct probe *probe, const struct probe_options *options)
{
	if (!options->no_fallback) {
		part_start(&probe->fallback, options);
		start_process(probe, options);
	}
	if (!options->no_sockets)
		part_start(&probe->sockets, options);
	if (!options->no_changes)
		part_start(&probe->changes, options);
	if (probe->fallback.skeleton)
		probe->ring = ring_buffer__new(
			map_fd(&probe->fallback, "events"), add_record, probe, NULL);
}

int probe_open(const struct probe_options *options, struct probe **ret)
{
	struct probe *probe = calloc(1, sizeof(*probe));
	struct part *parts[] = { &probe->fallback, &probe->process, &probe->sockets,
		&probe->changes };
	bool names;

	if (!probe)
		return -ENOMEM;
	libbpf_set_print(keep_complaint);
	names = feature_named(options->features, "tx-scatter-gather") &&
		feature_named(options->features, "tx-tcp-segmentation");
	probe->cpus = libbpf_num_possible_cpus();
	probe->fallback = PART(fallback_hooks, true, fallback);
	probe->process = PART(process_hooks, false, process);
	probe->process.n_hooks = 1;
	probe->sockets = PART(socket_hooks, true, sockets);
	probe->changes = PART(change_hooks, true, changes);
	find_functions(parts, ARRAY_SIZE(parts));
	choose_process_function(probe);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		part_init(parts[i], probe->status + probe->n_status,
			names ? "not asked for" : "the kernel's feature names are not known");
		probe->n_status += parts[i]->n_hooks;
	}
	if (names && probe->cpus > 0)
		probe_start(probe, options);
	*ret = probe;
	return 0;
}

void probe_close(struct probe *probe)
{
	if (!probe)
		return;
	ring_buffer__free(probe->ring);
	part_close(&probe->changes);
	part_close(&probe->sockets);
	part_close(&probe->process);
	part_close(&probe->fallback);
	free(probe);
}

void probe_close_pointer(struct probe **probe)
{
	probe_close(*probe);
}

const struct probe_status *probe_status(const struct probe *probe, size_t *ret_n)
{
	*ret_n = probe->n_status;
	return probe->status;
}

const char *probe_method_name(enum probe_method method)
{
	switch (method) {
	case PROBE_ABSENT:
		return "absent";
	case PROBE_FENTRY:
		return "fentry";
	case PROBE_KPROBE:
		return "kprobe";
	case PROBE_ITERATOR:
		return "iterator";
	}
	return "absent";
}

const char *probe_kind_name(enum probe_kind kind)
{
	switch (kind) {
	case PROBE_SENDPAGE:
		return "sendpage";
	case PROBE_SPLICE:
		return "splice";
	case PROBE_SEGMENTATION:
		return "segmentation";
	case PROBE_CHECKSUM:
		return "checksum";
	case PROBE_KINDS:
		break;
	}
	return "unknown";
}

const char *probe_format_status(const struct probe_status *status, char *buf, size_t size)
{
	if (status->method == PROBE_ABSENT)
		snprintf(buf, size, "%s (%s): absent, %s", status->name, status->function,
			status->why);
	else
		snprintf(buf, size, "%s (%s): %s", status->name, status->function,
			probe_method_name(status->method));
	return buf;
}

static void part_update_runs(struct part *part)
{
	for (size_t i = 0; part->skeleton && i < part->n_hooks; i++) {
		struct probe_status *status = &part->status[i];
		const char *const *names = hook_programs(&part->hooks[i], status->method);

		status->runs = status->run_nsec = 0;
		for (size_t j = 0; j < 2; j++) {
			struct bpf_program *program = find_program(part, names[j]);
			struct bpf_prog_info info = {};
			__u32 size = sizeof(info);

			if (!program || bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size) < 0)
				continue;
			status->runs += info.run_cnt;
			status->run_nsec += info.run_time_ns;
		}
	}
}

void probe_update_runs(struct probe *probe)
{
	part_update_runs(&probe->fallback);
	part_update_runs(&probe->process);
	part_update_runs(&probe->changes);
}

uint32_t probe_own_netns(void)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) < 0 ? 0 : (uint32_t)st.st_ino;
}

static bool header_is(const void *data, size_t size, unsigned type, size_t wanted)
{
	struct event_header header;

	if (size < sizeof(header))
		return false;
	memcpy(&header, data, sizeof(header));
	return header.version == EVENT_VERSION && header.type == type && header.size == wanted &&
	       size == wanted;
}

static int parse_key(const struct fallback_key *key, struct probe_hits *ret)
{
	if (key->kind >= FALLBACK_KINDS || key->origin > FALLBACK_KERNEL ||
		key->ifindex > INT32_MAX || key->tgid > INT32_MAX)
		return -EBADMSG;
	*ret = (struct probe_hits){ .kind = (enum probe_kind)key->kind,
		.origin = (enum probe_origin)key->origin, .cgroup = key->cgroup,
		.netns = key->netns, .ifindex = (int)key->ifindex, .tgid = (pid_t)key->tgid };
	return 0;
}

int probe_parse_event(const void *data, size_t size, struct probe_hits *ret)
{
	struct fallback_event event;
	int r;

	if (!header_is(data, size, EVENT_TYPE_FALLBACK, sizeof(event)))
		return -EBADMSG;
	memcpy(&event, data, sizeof(event));
	r = parse_key(&event.key, ret);
	if (r < 0 || event.pid > INT32_MAX)
		return -EBADMSG;
	ret->tgid = (pid_t)event.pid;
	ret->last_usec = event.time_ns / NSEC_PER_USEC;
	util_copy_name(ret->comm, sizeof(ret->comm), event.comm, sizeof(event.comm));
	return 0;
}

int probe_parse_socket(const void *data, size_t size, struct socket_info *ret)
{
	struct socket_record record;

	if (!header_is(data, size, EVENT_TYPE_SOCKET, sizeof(record)))
		return -EBADMSG;
	memcpy(&record, data, sizeof(record));
	if (record.ifindex > INT32_MAX)
		return -EBADMSG;
	*ret = (struct socket_info){ .cgroup = record.cgroup, .inode = record.inode,
		.route_caps = record.route_caps, .device_features = record.device_features,
		.netns = record.netns, .ifindex = (int)record.ifindex, .family = record.family,
		.local_port = record.local_port, .remote_port = record.remote_port,
		.state = record.state };
	memcpy(ret->local, record.local, sizeof(ret->local));
	memcpy(ret->remote, record.remote, sizeof(ret->remote));
	return 0;
}

int probe_parse_change(const void *data, size_t size, struct probe_change *ret)
{
	struct change_record record;

	if (!header_is(data, size, EVENT_TYPE_CHANGE, sizeof(record)))
		return -EBADMSG;
	memcpy(&record, data, sizeof(record));
	if (record.root_ifindex > INT32_MAX || record.pid > INT32_MAX || record.ppid > INT32_MAX)
		return -EBADMSG;
	*ret = (struct probe_change){ .time_usec = record.time_ns / NSEC_PER_USEC,
		.before = record.before, .after = record.after, .cgroup = record.cgroup,
		.root_netns = record.root_netns, .root_ifindex = (int)record.root_ifindex,
		.pid = (pid_t)record.pid, .parent_pid = (pid_t)record.ppid };
	util_copy_name(ret->comm, sizeof(ret->comm), record.comm, sizeof(record.comm));
	util_copy_name(ret->parent_comm, sizeof(ret->parent_comm), record.parent_comm,
		sizeof(record.parent_comm));
	return 0;
}

int probe_events_fd(const struct probe *probe)
{
	return probe->ring ? ring_buffer__epoll_fd(probe->ring) : -ENOENT;
}

int probe_read_events(struct probe *probe, probe_hits_fn fn, void *userdata)
{
	int r;

	if (!probe->ring)
		return 0;
	probe->events_fn = fn;
	probe->events_userdata = userdata;
	probe->events_read = 0;
	r = ring_buffer__consume(probe->ring);
	return r < 0 && r != -EAGAIN ? r : probe->events_read;
}

/* Walks a hash map's keys, bounded by its size: one that grows while it is walked may start over. */
static int map_foreach_key(const struct part *part, const char *name,
	int (*fn)(int fd, const void *key, void *userdata), void *userdata)
{
	struct bpf_map *map = find_map(part, name);
	_Alignas(8) char key[64], next[64];
	const void *at = NULL;
	int n = 0, fd;

	if (!map || bpf_map__key_size(map) > sizeof(key))
		return 0;
	fd = bpf_map__fd(map);
	for (__u32 i = 0; i < bpf_map__max_entries(map); i++) {
		int more = bpf_map_get_next_key(fd, at, next);

		/* the next one is asked for before fn may delete this one */
		if (at)
			n += fn(fd, key, userdata);
		if (more < 0)
			return n;
		memcpy(key, next, sizeof(key));
		at = key;
	}
	return n + (at ? fn(fd, key, userdata) : 0);
}

struct hits_reader {
	struct probe *probe;
	probe_hits_fn fn;
	void *userdata;
	uint64_t before_usec;
	struct fallback_count *counts; /* one a CPU */
};

static int sum_hits(struct hits_reader *reader, int fd, const struct fallback_key *key,
	struct probe_hits *ret)
{
	uint64_t touched = 0;

	if (bpf_map_lookup_elem(fd, key, reader->counts) < 0 || parse_key(key, ret) < 0)
		return -ENOENT;
	for (int i = 0; i < reader->probe->cpus; i++) {
		ret->hits += reader->counts[i].hits;
		if (reader->counts[i].touched_ns > touched)
			touched = reader->counts[i].touched_ns;
	}
	ret->last_usec = touched / NSEC_PER_USEC;
	return 0;
}

static int read_key(int fd, const void *key, void *userdata)
{
	struct hits_reader *reader = userdata;
	struct probe_hits hits;

	if (sum_hits(reader, fd, key, &hits) < 0)
		return 0;
	reader->fn(&hits, reader->userdata);
	return 1;
}

static int read_process(int fd, const void *data, void *userdata)
{
	struct hits_reader *reader = userdata;
	struct probe_hits hits = { .kind = PROBE_SENDPAGE, .origin = PROBE_LOCAL };
	const struct process_key *key = data;

	if (bpf_map_lookup_elem(fd, key, &hits.hits) < 0)
		return 0;
	hits.tgid = (pid_t)key->tgid;
	util_copy_name(hits.comm, sizeof(hits.comm), key->comm, sizeof(key->comm));
	reader->fn(&hits, reader->userdata);
	return 1;
}

int probe_read_hits(struct probe *probe, probe_hits_fn fn, void *userdata)
{
	_cleanup_free_ struct fallback_count *counts =
		calloc((size_t)probe->cpus, sizeof(*counts));
	struct hits_reader reader = { probe, fn, userdata, 0, counts };

	if (!counts)
		return -ENOMEM;
	return map_foreach_key(&probe->fallback, "counts", read_key, &reader) +
	       map_foreach_key(&probe->process, "processes", read_process, &reader);
}

static int forget_key(int fd, const void *key, void *userdata)
{
	struct hits_reader *reader = userdata;
	struct probe_hits hits;

	if (sum_hits(reader, fd, key, &hits) < 0 || hits.last_usec >= reader->before_usec)
		return 0;
	bpf_map_delete_elem(map_fd(&reader->probe->fallback, "seen"), key);
	return bpf_map_delete_elem(fd, key) == 0;
}

static int forget_process(int fd, const void *data, void *userdata _unused_)
{
	const struct process_key *key = data;
	char name[32];

	snprintf(name, sizeof(name), "/proc/%u", key->tgid);
	return access(name, F_OK) < 0 && errno == ENOENT && bpf_map_delete_elem(fd, key) == 0;
}

int probe_forget_hits(struct probe *probe, uint64_t before_usec)
{
	_cleanup_free_ struct fallback_count *counts =
		calloc((size_t)probe->cpus, sizeof(*counts));
	struct hits_reader reader = { probe, NULL, NULL, before_usec, counts };

	if (!counts)
		return -ENOMEM;
	return map_foreach_key(&probe->fallback, "counts", forget_key, &reader) +
	       map_foreach_key(&probe->process, "processes", forget_process, &reader);
}

static uint64_t read_percpu(const struct part *part, const char *name, __u32 index, int cpus)
{
	_cleanup_free_ __u64 *values = calloc((size_t)cpus, sizeof(*values));
	uint64_t sum = 0;
	int fd = map_fd(part, name);

	if (!values || fd < 0 || bpf_map_lookup_elem(fd, &index, values) < 0)
		return 0;
	for (int i = 0; i < cpus; i++)
		sum += values[i];
	return sum;
}

void probe_read_lost(struct probe *probe, struct probe_lost *ret)
{
	__u64 process_hits = 0;
	__u32 first = 0;
	int fd = map_fd(&probe->process, "processes_lost");

	*ret = (struct probe_lost){ .malformed = probe->malformed };
	for (__u32 kind = 0; kind < PROBE_KINDS; kind++)
		ret->hits[kind] = read_percpu(
			&probe->fallback, "lost", FALLBACK_LOST_HITS + kind, probe->cpus);
	ret->events = read_percpu(&probe->fallback, "lost", FALLBACK_LOST_EVENTS, probe->cpus);
	if (fd >= 0 && bpf_map_lookup_elem(fd, &first, &process_hits) == 0)
		ret->process_hits = process_hits;
}

/* Hands out the whole records of a buffer and keeps the rest at its start. 1: fn wants no more. */
static int read_records(struct probe *probe, char *buf, size_t *len, probe_socket_fn fn,
	void *userdata, int *n)
{
	const size_t size = sizeof(struct socket_record);
	size_t at = 0;

	for (; *len - at >= size; at += size) {
		struct socket_info socket;

		if (probe_parse_socket(buf + at, size, &socket) < 0) {
			probe->malformed++;
			continue;
		}
		++*n;
		if (fn(&socket, userdata))
			return 1;
	}
	memmove(buf, buf + at, *len - at);
	*len -= at;
	return 0;
}

int probe_read_sockets(struct probe *probe, bool all, probe_socket_fn fn, void *userdata,
	uint64_t *ret_visited)
{
	struct sockets_bpf *skeleton = probe->sockets.skeleton;
	_cleanup_free_ char *buf = malloc(SOCKETS_READ);
	_cleanup_close_ int fd = -1;
	size_t len = 0;
	int n = 0;

	if (!skeleton)
		return -EOPNOTSUPP;
	if (!buf)
		return -ENOMEM;
	skeleton->bss->all = all;
	skeleton->bss->visited = 0;
	fd = bpf_iter_create(bpf_link__fd(probe->sockets.links[0][0]));
	if (fd < 0)
		return -errno;
	for (;;) {
		ssize_t r = read(fd, buf + len, SOCKETS_READ - len);

		if (r < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (r < 0)
			return -errno;
		len += (size_t)r;
		if (r == 0 || read_records(probe, buf, &len, fn, userdata, &n))
			break;
	}
	if (ret_visited)
		*ret_visited = skeleton->bss->visited;
	return n;
}

int probe_find_change(struct probe *probe, uint32_t netns, int ifindex, struct probe_change *ret)
{
	struct change_key key = { .netns = netns, .ifindex = (__u32)ifindex };
	int fd = map_fd(&probe->changes, "changes"), r;
	struct change_record record;

	if (fd < 0)
		return -EOPNOTSUPP;
	if (bpf_map_lookup_elem(fd, &key, &record) < 0)
		return -ENOENT;
	r = probe_parse_change(&record, sizeof(record), ret);
	if (r < 0)
		probe->malformed++;
	return r < 0 ? -ENOENT : 0;
}

int probe_latency_open(const struct feature_table *features, struct probe_latency **ret,
	struct probe_status *ret_status)
{
	struct probe_latency *latency = calloc(1, sizeof(*latency));
	struct probe_options options = { .features = features };
	struct part *parts[] = { latency ? &latency->part : NULL };

	if (!latency)
		return -ENOMEM;
	libbpf_set_print(keep_complaint);
	latency->cpus = libbpf_num_possible_cpus();
	latency->part = PART(latency_hooks, true, latency);
	part_init(&latency->part, &latency->status, NULL);
	find_functions(parts, 1);
	if (latency->cpus > 0)
		part_start(&latency->part, &options);
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
	part_close(&latency->part);
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
		*ret_lost = read_percpu(&latency->part, "latency_lost", 0, latency->cpus);
	return map_foreach_key(&latency->part, "histograms", read_histogram, &reader);
}
