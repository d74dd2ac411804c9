/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A kernel for test-probe-kernel.c, in the place of bpf(2): libbpf opens the objects, but what loading and attaching come to is scripted,
 * and maps are kept here. So are the reasons of probe_why.c, which test-probe.c tests. The test is linked with --wrap (Makefile:
 * SCRIPTED). */
#ifndef OFFLOADD_TESTS_UNIT_BPF_H
#define OFFLOADD_TESTS_UNIT_BPF_H

#include "unit.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "basic/util.h"
#include "evidence/probe_private.h"

#include "fallback.skel.h"

#define BPF_CPUS 2
#define BPF_MAPS 24
#define BPF_ENTRIES 2048
#define BPF_FD 1000 /* of the first map */
#define BPF_LINK_FD 2000
#define BPF_WORDS 8

struct bpf_map_here {
	char name[32];
	size_t key_size, n;
	struct {
		unsigned char key[64];
		void *value;
		size_t size;
	} entry[BPF_ENTRIES];
};

static struct {
	int cpus;
	const char *functions[16]; /* of the kernel, NULL: none */
	const char *kallsyms;	   /* instead of these; "": it is empty */
	const char *types[4];	   /* functions that BTF has */
	const char *unprivileged;  /* unprivileged_bpf_disabled */
	struct probe_surroundings surroundings;
	const char *refused[BPF_WORDS]; /* programs that cannot be loaded */
	const char *unattached[BPF_WORDS]; /* programs that cannot be attached */
	int attach_error;
	const char *unattached_again; /* likewise, the second time */
	unsigned loads, cleanups, attached, attempts;
	char order[512]; /* "+program" for each that was attached, "-program" for each detached */
	enum bpf_map_type counts_type;
	int info_error, update_error;

	libbpf_print_fn_t print;
	ring_buffer_sample_fn event;
	void *event_userdata;
	const void *events;
	size_t event_size, n_events;
	const void *iterator; /* what it gives */
	size_t iterator_size;
	int iterator_error;

	struct fallback_bpf__bss *bss;
	int udp_error, segment_error; /* of socket() and setsockopt() */
	int segment;
	uint64_t place, place_of_segments;
} kernel;

static struct bpf_map_here maps[BPF_MAPS];
static struct {
	const char *name;
	bool used;
} links[32];

/* ---- maps ---- */

static struct bpf_map_here *map_named(const char *name)
{
	size_t i = 0;

	while (maps[i].name[0] && strcmp(maps[i].name, name) != 0)
		assert_true(++i < BPF_MAPS);
	snprintf(maps[i].name, sizeof(maps[i].name), "%s", name);
	return &maps[i];
}

static struct bpf_map_here *map_of(int fd)
{
	assert_true(fd >= BPF_FD && fd < BPF_FD + BPF_MAPS);
	return &maps[fd - BPF_FD];
}

static void map_put(const char *name, const void *key, size_t key_size, const void *value, size_t size)
{
	struct bpf_map_here *map = map_named(name);

	assert_true(map->n < BPF_ENTRIES && key_size <= sizeof(map->entry[0].key));
	map->key_size = key_size;
	memcpy(map->entry[map->n].key, key, key_size);
	map->entry[map->n].value = malloc(size);
	map->entry[map->n].size = size;
	memcpy(map->entry[map->n++].value, value, size);
}
#define MAP_PUT(name, key, value) map_put(name, &(key), sizeof(key), &(value), sizeof(value))

static int map_find(const struct bpf_map_here *map, const void *key)
{
	for (size_t i = 0; i < map->n; i++)
		if (memcmp(map->entry[i].key, key, map->key_size) == 0)
			return (int)i;
	errno = ENOENT;
	return -ENOENT;
}

static void map_remove(struct bpf_map_here *map, size_t i)
{
	free(map->entry[i].value);
	map->n--;
	memmove(&map->entry[i], &map->entry[i + 1], (map->n - i) * sizeof(map->entry[0]));
}

int bpf_map_create(enum bpf_map_type type _unused_, const char *name, __u32 key_size, __u32 value_size _unused_, __u32 most _unused_,
	const struct bpf_map_create_opts *options _unused_)
{
	map_named(name)->key_size = key_size;
	return BPF_FD + (int)(map_named(name) - maps);
}

int bpf_map__reuse_fd(struct bpf_map *map _unused_, int fd)
{
	assert_string_equal(map_of(fd)->name, "names");
	return 0;
}

int bpf_map__fd(const struct bpf_map *map)
{
	return BPF_FD + (int)(map_named(bpf_map__name(map)) - maps);
}

int bpf_map_lookup_elem(int fd, const void *key, void *value)
{
	const struct bpf_map_here *map = map_of(fd);
	int i = map_find(map, key);

	if (i >= 0)
		memcpy(value, map->entry[i].value, map->entry[i].size);
	return i < 0 ? i : 0;
}

int bpf_map_get_next_key(int fd, const void *key, void *next)
{
	const struct bpf_map_here *map = map_of(fd);
	int i = key ? map_find(map, key) : -1;

	if ((size_t)(i < 0 ? 0 : i + 1) >= map->n) {
		errno = ENOENT;
		return -ENOENT;
	}
	memcpy(next, map->entry[i < 0 ? 0 : i + 1].key, map->key_size);
	return 0;
}

int bpf_map_delete_elem(int fd, const void *key)
{
	struct bpf_map_here *map = map_of(fd);
	int i = map_find(map, key);

	if (i >= 0)
		map_remove(map, (size_t)i);
	return i < 0 ? i : 0;
}

int bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags)
{
	struct bpf_map_here *map = map_of(fd);
	int i = map_find(map, key);

	if (kernel.update_error || (i >= 0 && flags == BPF_NOEXIST)) {
		errno = kernel.update_error ? kernel.update_error : EEXIST;
		return -errno;
	}
	if (i >= 0)
		memcpy(map->entry[i].value, value, map->entry[i].size);
	else if (!strcmp(map->name, "settled"))
		map_put(map->name, key, sizeof(__u64), value, 1);
	else if (!strcmp(map->name, "udp_senders"))
		map_put(map->name, key, sizeof(struct udp_sender_key), value, sizeof(struct udp_sender));
	return 0;
}

int bpf_obj_get_info_by_fd(int fd _unused_, void *info, __u32 *size)
{
	if (kernel.info_error)
		return -kernel.info_error;
	if (*size == sizeof(struct bpf_prog_info)) {
		((struct bpf_prog_info *)info)->run_cnt = 3;
		((struct bpf_prog_info *)info)->run_time_ns = 700;
	}
	return 0;
}

int libbpf_num_possible_cpus(void)
{
	return kernel.cpus;
}

/* ---- programs ---- */

static bool is_listed(const char *const *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n && list[i]; i++)
		if (!strcmp(list[i], name))
			return true;
	return false;
}

libbpf_print_fn_t libbpf_set_print(libbpf_print_fn_t fn)
{
	kernel.print = fn;
	return NULL;
}

static void complain(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	kernel.print(LIBBPF_WARN, format, args);
	va_end(args);
}

int bpf_object__load_skeleton(struct bpf_object_skeleton *s)
{
	struct bpf_program *program;
	struct bpf_map *counts = bpf_object__find_map_by_name(*s->obj, "counts");

	kernel.loads++;
	if (counts)
		kernel.counts_type = bpf_map__type(counts);
	for (int i = 0; i < s->map_cnt; i++)
		if (!strcmp(s->maps[i].name, "fallback.bss"))
			kernel.bss = *s->maps[i].mmaped;
	bpf_object__for_each_program(program, *s->obj)
		if (bpf_program__autoload(program) && is_listed(kernel.refused, BPF_WORDS, bpf_program__name(program))) {
			complain("libbpf: prog '%s': too complex\n", bpf_program__name(program));
			complain("libbpf: a consequence\n");
			return -EINVAL;
		}
	return 0;
}

static void note_order(char sign, const char *name)
{
	size_t len = strlen(kernel.order);

	snprintf(kernel.order + len, sizeof(kernel.order) - len, "%c%s ", sign, name);
}

struct bpf_link *bpf_program__attach(const struct bpf_program *program)
{
	const char *name = bpf_program__name(program);
	size_t i = 0;

	kernel.attempts++;
	assert_true(bpf_program__autoload(program));
	if (is_listed(kernel.unattached, BPF_WORDS, name) ||
		(kernel.unattached_again && !strcmp(kernel.unattached_again, name) && strstr(kernel.order, name))) {
		errno = kernel.attach_error;
		return NULL;
	}
	while (links[i].used)
		assert_true(++i < ARRAY_SIZE(links));
	links[i].name = name;
	links[i].used = true;
	kernel.attached++;
	note_order('+', name);
	return (struct bpf_link *)&links[i];
}

int bpf_link__destroy(struct bpf_link *link)
{
	size_t i = 0;

	if (!link)
		return 0;
	while ((void *)&links[i] != (void *)link)
		assert_true(++i < ARRAY_SIZE(links));
	assert_true(links[i].used);
	links[i].used = false;
	kernel.attached--;
	note_order('-', links[i].name);
	return 0;
}

int bpf_link__fd(const struct bpf_link *link _unused_)
{
	return BPF_LINK_FD;
}

static int open_text(const void *text, size_t size)
{
	int fd = memfd_create("unit-bpf", MFD_CLOEXEC);

	assert_true(fd >= 0 && write(fd, text, size) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

int bpf_iter_create(int fd)
{
	assert_int_equal(fd, BPF_LINK_FD);
	if (!kernel.iterator_error)
		return open_text(kernel.iterator, kernel.iterator_size);
	errno = kernel.iterator_error;
	return -errno;
}

struct ring_buffer *ring_buffer__new(int fd, ring_buffer_sample_fn fn, void *userdata, const struct ring_buffer_opts *options _unused_)
{
	assert_string_equal(map_of(fd)->name, "events");
	kernel.event = fn;
	kernel.event_userdata = userdata;
	return (struct ring_buffer *)&kernel;
}

void ring_buffer__free(struct ring_buffer *ring _unused_)
{
}

int ring_buffer__epoll_fd(const struct ring_buffer *ring _unused_)
{
	return 77;
}

int ring_buffer__consume(struct ring_buffer *ring _unused_)
{
	for (; kernel.n_events; kernel.n_events--) {
		int r = kernel.event(kernel.event_userdata, (void *)kernel.events, kernel.event_size);

		if (r < 0) {
			kernel.n_events--;
			return r;
		}
	}
	return 0;
}

/* ---- names of functions, and reasons ---- */

struct btf *btf__load_vmlinux_btf(void)
{
	struct btf *types = kernel.types[0] ? btf__new_empty() : NULL;
	int prototype = types ? btf__add_func_proto(types, 0) : 0;

	for (size_t i = 0; types && i < ARRAY_SIZE(kernel.types) && kernel.types[i]; i++)
		assert_true(btf__add_func(types, kernel.types[i], BTF_FUNC_GLOBAL, prototype) > 0);
	return types;
}

void probe_read_surroundings(const char *sys, struct probe_surroundings *ret)
{
	assert_string_equal(sys, "/sys");
	*ret = kernel.surroundings;
}

bool probe_explain(const struct probe_surroundings *s _unused_, const struct probe_failure *failure, char why[PROBE_WHY_LEN])
{
	snprintf(why, PROBE_WHY_LEN, "%s: %.120s", strerror(-failure->error), failure->complaint);
	return failure->kprobe;
}

int probe_remove_stale_events(const char *sys _unused_, const char *const *functions, size_t n)
{
	assert_int_equal(n, 2);
	assert_string_equal(functions[0], "sock_no_sendpage_locked");
	kernel.cleanups++;
	return 0;
}

static FILE *open_scripted(const char *path)
{
	char text[2048] = "";

	if (!strcmp(path, "/proc/sys/kernel/unprivileged_bpf_disabled")) {
		snprintf(text, sizeof(text), "%s\n", kernel.unprivileged);
	} else if (strcmp(path, "/proc/kallsyms") != 0) {
		return NULL;
	} else {
		for (size_t i = 0; !kernel.kallsyms && i < ARRAY_SIZE(kernel.functions) && kernel.functions[i]; i++)
			util_append(text, sizeof(text), "0000000000000000 %c %s%s\n0000000000000000 d %s_data\n", i % 2 ? 't' : 'T',
				kernel.functions[i], i % 3 ? "" : "\t[module]", kernel.functions[i]);
		util_append(text, sizeof(text), "%s", kernel.kallsyms ? kernel.kallsyms : "");
	}
	return fdopen(open_text(text, strlen(text)), "r");
}

FILE *__real_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode)
{
	FILE *f = open_scripted(path);

	return f ? f : __real_fopen(path, mode);
}

FILE *__real_fopen64(const char *path, const char *mode);
FILE *__wrap_fopen64(const char *path, const char *mode);
FILE *__wrap_fopen64(const char *path, const char *mode)
{
	FILE *f = open_scripted(path);

	return f ? f : __real_fopen64(path, mode);
}

/* ---- sends that are refused ---- */

int __wrap_socket(int domain, int type, int protocol);
int __wrap_socket(int domain, int type, int protocol)
{
	assert_true((domain == AF_INET || domain == AF_INET6) && type == (SOCK_DGRAM | SOCK_CLOEXEC) && protocol == IPPROTO_UDPLITE);
	if (!kernel.udp_error)
		return open("/dev/null", O_RDWR | O_CLOEXEC);
	errno = kernel.udp_error;
	return -1;
}

int __wrap_bind(int fd, const struct sockaddr *address, socklen_t len);
int __wrap_bind(int fd _unused_, const struct sockaddr *address _unused_, socklen_t len _unused_)
{
	return 0;
}

int __wrap_getsockname(int fd, struct sockaddr *address, socklen_t *len);
int __wrap_getsockname(int fd _unused_, struct sockaddr *address, socklen_t *len _unused_)
{
	((struct sockaddr_in *)(void *)address)->sin_port = htons(7777); /* where the other family has it, too */
	return 0;
}

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t len);
int __wrap_connect(int fd _unused_, const struct sockaddr *address _unused_, socklen_t len _unused_)
{
	return 0;
}

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len);
int __wrap_setsockopt(int fd _unused_, int level, int name _unused_, const void *value, socklen_t len)
{
	assert_true(level == IPPROTO_UDP && len == sizeof(int));
	memcpy(&kernel.segment, value, sizeof(int));
	if (!kernel.segment_error)
		return 0;
	errno = kernel.segment_error;
	return -1;
}

ssize_t __wrap_send(int fd, const void *data, size_t size, int flags);
ssize_t __wrap_send(int fd _unused_, const void *data _unused_, size_t size _unused_, int flags _unused_)
{
	bool segments = kernel.segment == 1;

	assert_int_equal(kernel.bss->udp_trial_port, 7777);
	kernel.bss->udp_trial_place = segments ? kernel.place_of_segments : kernel.place;
	errno = segments ? EINVAL : EIO;
	return -1;
}

/* ---- the beginning of a test ---- */

static int kernel_begin(void **state)
{
	static const char *const functions[] = { "sock_no_sendpage", "sock_no_sendpage_locked", "__traceiter_kfree_skb", "ip_send_skb",
		"ip6_send_skb", "__skb_gso_segment", "skb_checksum_help", "__netdev_update_features", "netdev_features_change" };

	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	memcpy(kernel.functions, functions, sizeof(functions));
	kernel.cpus = BPF_CPUS;
	kernel.unprivileged = "2";
	kernel.surroundings.memlock = UINT64_MAX;
	kernel.place = 0x100;
	kernel.place_of_segments = 0x200;
	return 0;
}

static int kernel_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < BPF_MAPS; i++)
		while (maps[i].n)
			map_remove(&maps[i], maps[i].n - 1);
	assert_int_equal(kernel.attached, 0);
	return 0;
}

#endif
