/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "evidence/probe_private.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "basic/util.h"

#define WALK_CHECK 64 /* keys between two looks at the clock */

/* The first warning that libbpf logged: the reason of a failure, which it does not return. Later warnings are only consequences. */
static char complaint[PROBE_WHY_LEN];

feature_set probe_part_gso_features(const struct feature_table *table)
{
	feature_set set = 0;

	for (unsigned bit = 0; bit < table->count; bit++)
		if ((!fnmatch("tx-*-segmentation", table->name[bit], 0) &&
			    strcmp(table->name[bit], "tx-generic-segmentation")) ||
			(!strncmp(table->name[bit], "tx-gso-", 7) && strcmp(table->name[bit], "tx-gso-robust")))
			set |= FEATURE(bit);
	return set;
}

unsigned probe_part_gso_shift(const struct feature_table *table)
{
	int bit = feature_bit(table, "tx-tcp-segmentation");

	return bit < 0 ? 0 : (unsigned)bit;
}

void probe_part_share_map(struct bpf_map *map)
{
	if (libbpf_num_possible_cpus() > PROBE_PERCPU_MAX)
		bpf_map__set_type(map, BPF_MAP_TYPE_HASH);
}

int probe_part_keep_complaint(enum libbpf_print_level level, const char *format, va_list args)
{
	char text[PROBE_WHY_LEN];

	if (level != LIBBPF_WARN || complaint[0])
		return 0;
	vsnprintf(text, sizeof(text), format, args);
	text[strcspn(text, "\n")] = '\0';
	util_copy_name(complaint, sizeof(complaint), text, strlen(text));
	return 0;
}

static void explain_other_kernel(const struct probe_part *part, size_t i)
{
	part->status[i].other_kernels = part->hooks[i].other_kernels;
	snprintf(part->status[i].why, PROBE_WHY_LEN, "this kernel has no %s", part->hooks[i].function);
}

static void note_function(struct probe_part *const *parts, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < parts[i]->n_hooks; j++) {
			const char *function = parts[i]->hooks[j].function;

			if (name[0] == function[0] && !strcmp(name, function))
				parts[i]->found[j] = true;
		}
}

/* ProtectKernelTunables= of systemd hides /proc/kallsyms, but BTF has the names of functions, too. */
static bool find_functions_in_btf(struct probe_part *const *parts, size_t n)
{
	struct btf *types = btf__load_vmlinux_btf();

	if (!types)
		return false;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < parts[i]->n_hooks; j++)
			if (!parts[i]->hooks[j].iter)
				parts[i]->found[j] = btf__find_by_name_kind(types,
					parts[i]->hooks[j].function, BTF_KIND_FUNC) >= 0;
	btf__free(types);
	return true;
}

/* False if they cannot be read. systemd makes inaccessible files empty for those who may read every file. */
static bool find_functions_in_kallsyms(struct probe_part *const *parts, size_t n)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/kallsyms", "re");
	_cleanup_free_ char *line = NULL;
	bool any = false;
	size_t size = 0;

	while (f && getline(&line, &size, f) > 0) {
		char *type = strchr(line, ' '), *name;

		any = true;
		if (!type || (type[1] != 't' && type[1] != 'T') || type[2] != ' ')
			continue;
		name = type + 3;
		name[strcspn(name, "\t\n")] = '\0';
		note_function(parts, n, name);
	}
	return any && feof(f);
}

void probe_part_assume_functions(struct probe_part *part)
{
	part->names_unknown = true;
	for (size_t i = 0; i < part->n_hooks; i++)
		part->found[i] = true;
}

void probe_part_find_functions(struct probe_part *const *parts, size_t n)
{
	bool known = find_functions_in_kallsyms(parts, n) || find_functions_in_btf(parts, n);

	for (size_t i = 0; i < n; i++)
		if (!known)
			probe_part_assume_functions(parts[i]);
		else
			for (size_t j = 0; j < parts[i]->n_hooks; j++)
				parts[i]->found[j] |= !!parts[i]->hooks[j].iter;
}

/* Sets the reason of a failure. */
static void explain_failure(const struct probe_part *part, size_t i, int error)
{
	struct probe_status *status = &part->status[i];
	struct probe_surroundings surroundings;

	probe_read_surroundings("/sys", &surroundings);
	if (error == -ENOENT && part->names_unknown && status->method == PROBE_KPROBE && !surroundings.kprobes) {
		explain_other_kernel(part, i);
		return;
	}
	status->fixable = probe_explain(&surroundings, &(struct probe_failure){ .btf = part->btf, .kprobe = part->hooks[0].kprobe[0], .error = error,
		.complaint = complaint }, status->why);
}

static const char *const *hook_programs(const struct probe_hook *hook, enum probe_method method)
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

/* The method to try after this one; PROBE_ABSENT if none is left. */
static enum probe_method next_method(const struct probe_hook *hook, enum probe_method method)
{
	if (method == PROBE_ABSENT && hook->fentry[0])
		return PROBE_FENTRY;
	if (method <= PROBE_FENTRY && hook->kprobe[0])
		return PROBE_KPROBE;
	if (method < PROBE_ITERATOR && hook->iter)
		return PROBE_ITERATOR;
	return PROBE_ABSENT;
}

static struct bpf_program *find_program(const struct probe_part *part, const char *name)
{
	return name ? bpf_object__find_program_by_name(*part->base->obj, name) : NULL;
}

static struct bpf_map *find_map(const struct probe_part *part, const char *name)
{
	return part->skeleton ? bpf_object__find_map_by_name(*part->base->obj, name) : NULL;
}

int probe_part_map_fd(const struct probe_part *part, const char *name)
{
	struct bpf_map *map = find_map(part, name);

	return map ? bpf_map__fd(map) : -ENOENT;
}

/* The entry of a pair is detached last, so that no return is missed. */
static void detach_hook(struct probe_part *part, size_t i)
{
	for (size_t j = 2; j-- > 0;) {
		bpf_link__destroy(part->links[i][j]);
		part->links[i][j] = NULL;
	}
}

void probe_part_close(struct probe_part *part)
{
	for (size_t i = part->n_hooks; i-- > 0;)
		detach_hook(part, i);
	if (part->skeleton)
		part->destroy(part->skeleton);
	part->skeleton = NULL;
	part->base = NULL;
}

/* Opens the object and loads the programs of the chosen methods, for hook `only`, or for all with -1. */
static int part_load(struct probe_part *part, const struct probe_options *options, int only)
{
	struct bpf_program *program;
	int r;

	complaint[0] = '\0';
	r = part->open(options, &part->skeleton, &part->base);
	if (r < 0)
		return r;
	if (find_map(part, "names") && probe_names_fd() >= 0)
		(void)bpf_map__reuse_fd(find_map(part, "names"), probe_names_fd());
	bpf_object__for_each_program(program, *part->base->obj)
		bpf_program__set_autoload(program, false);
	for (size_t i = 0; i < part->n_hooks; i++) {
		const struct probe_hook *hook = &part->hooks[i];
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
		probe_part_close(part);
	return r;
}

/* The method of a hook failed: chooses the next one. */
static void give_up_method(struct probe_part *part, size_t i, int error)
{
	struct probe_status *status = &part->status[i];

	explain_failure(part, i, error);
	status->method = next_method(&part->hooks[i], status->method);
	if (status->method != PROBE_ABSENT) {
		status->why[0] = '\0';
		status->other_kernels = false;
	}
}

/* The object did not load: loads each hook alone to find out which ones fail. */
static void exclude_failing(struct probe_part *part, const struct probe_options *options, int error)
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
		probe_part_close(part);
		if (r < 0) {
			give_up_method(part, i, r);
			found = true;
		}
	}
	for (size_t i = 0; !found && i < part->n_hooks; i++)
		if (part->status[i].method != PROBE_ABSENT)
			give_up_method(part, i, error);
}

static int attach_program(struct probe_part *part, const char *name, struct bpf_link **ret)
{
	struct bpf_program *program = find_program(part, name);

	if (!program)
		return 0;
	*ret = bpf_program__attach(program);
	return *ret ? 0 : -errno;
}

/* Attaches the return of a pair before its entry, so that no entry is left without a return. */
static int attach_hook(struct probe_part *part, size_t i)
{
	const struct probe_hook *hook = &part->hooks[i];
	const char *const *names = hook_programs(hook, part->status[i].method);
	int r = 0;

	if (part->status[i].method == PROBE_ITERATOR)
		r = attach_program(part, hook->iter, &part->links[i][0]);
	for (size_t j = 2; r == 0 && j-- > 0;)
		r = attach_program(part, names[j], &part->links[i][j]);
	return r;
}

int probe_part_attach(struct probe_part *part, size_t i, bool attach)
{
	int r;

	if (!part->skeleton || part->status[i].method == PROBE_ABSENT)
		return -EOPNOTSUPP;
	if (attach == !!part->links[i][0])
		return 0;
	r = attach ? attach_hook(part, i) : 0;
	if (!attach || r < 0)
		detach_hook(part, i);
	if (r < 0) {
		explain_failure(part, i, r);
		part->status[i].method = PROBE_ABSENT;
	}
	return r;
}

/* Returns the index of the hook that failed, -1 if all are attached. What is attached on demand is attached twice, and detached: only
 * the second time shows whether the kernel can attach it again (fentry: from Linux 5.13 on). */
static int attach_all(struct probe_part *part, int *ret_error)
{
	for (size_t i = 0; i < part->n_hooks; i++) {
		*ret_error = attach_hook(part, i);
		if (*ret_error >= 0 && part->hooks[i].on_demand) {
			detach_hook(part, i);
			*ret_error = attach_hook(part, i);
			detach_hook(part, i);
		}
		if (*ret_error < 0)
			return (int)i;
	}
	return -1;
}

static bool part_active(const struct probe_part *part)
{
	for (size_t i = 0; i < part->n_hooks; i++)
		if (part->status[i].method != PROBE_ABSENT)
			return true;
	return false;
}

void probe_part_start(struct probe_part *part, const struct probe_options *options)
{
	struct probe_surroundings surroundings;
	int error = 0, r;

	probe_read_surroundings("/sys", &surroundings);
	complaint[0] = '\0';
	for (size_t i = 0; i < part->n_hooks; i++) {
		struct probe_status *status = &part->status[i];

		status->why[0] = '\0';
		if (!part->found[i]) {
			explain_other_kernel(part, i);
		} else if (surroundings.missing_privilege || (part->btf && surroundings.btf)) {
			explain_failure(part, i, -EPERM);
		} else {
			status->method = next_method(&part->hooks[i], PROBE_ABSENT);
		}
	}
	while (part_active(part)) {
		r = part_load(part, options, -1);
		if (r < 0) {
			exclude_failing(part, options, r);
			continue;
		}
		r = attach_all(part, &error);
		if (r < 0)
			return;
		probe_part_close(part);
		give_up_method(part, (size_t)r, error);
	}
}

void probe_part_init(struct probe_part *part, struct probe_status *status, const char *why)
{
	part->status = status;
	for (size_t i = 0; i < part->n_hooks; i++) {
		status[i] = (struct probe_status){ .name = part->hooks[i].name,
			.function = part->hooks[i].function };
		if (why)
			snprintf(status[i].why, sizeof(status[i].why), "%s", why);
	}
}

void probe_part_update_runs(struct probe_part *part)
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

/* The first key of a hash map. Before Linux 4.12 ("bpf: map_get_next_key to return first key on NULL") the kernel reads the key in any
 * case, and returns the first one for a key that the map does not have. */
int probe_first_key(int fd, void *ret, size_t size, int (*next_key)(int fd, const void *key, void *next))
{
	int r = next_key(fd, NULL, ret);

	if (r != -EFAULT)
		return r;
	memset(ret, 0xff, size);
	return next_key(fd, ret, ret);
}

int probe_part_walk_keys(const struct probe_part *part, const char *name, struct probe_cursor *at, uint64_t until_usec,
	int (*fn)(int fd, const void *key, void *userdata), void *userdata)
{
	struct bpf_map *map = find_map(part, name);
	_Alignas(8) char key[sizeof(at->key)];
	int n = 0, fd, more;

	if (!map || bpf_map__key_size(map) > sizeof(key))
		return 0;
	fd = bpf_map__fd(map);
	if (!at->left && probe_first_key(fd, at->key, sizeof(at->key), bpf_map_get_next_key) == 0)
		at->left = bpf_map__max_entries(map);
	while (at->left) {
		memcpy(key, at->key, sizeof(key));
		/* the next key is read before fn may delete this one */
		more = bpf_map_get_next_key(fd, key, at->key);
		n += fn(fd, key, userdata);
		at->left = more < 0 ? 0 : at->left - 1;
		if (until_usec && at->left && at->left % WALK_CHECK == 0 && util_now_usec() >= until_usec)
			return -EAGAIN;
	}
	return n;
}

int probe_part_foreach_key(const struct probe_part *part, const char *name,
	int (*fn)(int fd, const void *key, void *userdata), void *userdata)
{
	return probe_part_walk_keys(part, name, &(struct probe_cursor){ 0 }, 0, fn, userdata);
}

static uint64_t read_percpu(const struct probe_part *part, const char *name, __u32 index, int cpus, uint64_t *ret_most)
{
	_cleanup_free_ __u64 *values = calloc((size_t)cpus, sizeof(*values));
	uint64_t sum = 0;
	int fd = probe_part_map_fd(part, name);

	*ret_most = 0;
	if (!values || fd < 0 || bpf_map_lookup_elem(fd, &index, values) < 0)
		return 0;
	for (int i = 0; i < cpus; i++) {
		sum += values[i];
		if (values[i] > *ret_most)
			*ret_most = values[i];
	}
	return sum;
}

uint64_t probe_part_read_percpu(const struct probe_part *part, const char *name, __u32 index, int cpus)
{
	uint64_t most;

	return read_percpu(part, name, index, cpus, &most);
}

uint64_t probe_part_read_latest(const struct probe_part *part, const char *name, __u32 index, int cpus)
{
	uint64_t latest;

	(void)read_percpu(part, name, index, cpus, &latest);
	return latest;
}
