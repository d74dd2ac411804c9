/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes of sockets, addresses and links, of this machine's kernel. */
#include "kernel/cgroup.h"
#include "kernel/traffic.h"

#include <errno.h>
#include <linux/magic.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "basic/util.h"
#include "unit.h"

#define BYTES 300000

static struct {
	uint16_t family;
	uint64_t bytes, cookie;
	unsigned n, addresses;
} seen;

static uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len), 0);
	return cookie;
}

static void note_socket(const struct traffic_socket *socket, _unused_ void *userdata)
{
	if (socket->cookie != seen.cookie)
		return;
	seen.n++;
	seen.bytes = socket->bytes;
	seen.family = socket->local.family;
	assert_memory_equal(socket->local.bytes, "\x7f\0\0\1", 4);
	assert_memory_equal(socket->remote.bytes, "\x7f\0\0\1", 4);
}

static void note_address(int ifindex, const struct traffic_address *address, _unused_ void *userdata)
{
	seen.addresses += ifindex == 1 && address->family == AF_INET && memcmp(address->bytes, "\x7f\0\0\1", 4) == 0;
}

static int read_all(uint64_t until_usec)
{
	struct traffic_scan scan = { 0 };
	int r;

	while ((r = traffic_read_sockets(&scan, until_usec, note_socket, NULL)) == -EAGAIN)
		;
	return r;
}

static void a_connection_with_its_bytes(_unused_ void **state)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_addr = { .s6_addr = { [10] = 0xff, 0xff, 127, 0, 0, 1 } } };
	_cleanup_close_ int listener = socket(AF_INET6, SOCK_STREAM, 0), client = socket(AF_INET6, SOCK_STREAM, 0), server = -1;
	static char buf[BYTES];
	struct traffic_scan scan = { 0 };
	socklen_t len = sizeof(address);
	uint64_t bytes;
	int r;

	if (listener < 0 || read_all(0) < 0)
		skip();
	memset(&seen, 0, sizeof(seen));
	if (bind(listener, (struct sockaddr *)&address, len) < 0)
		skip(); /* without a loopback interface */
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
	if (connect(client, (struct sockaddr *)&address, len) < 0)
		skip();
	server = accept(listener, NULL, NULL);
	assert_true(server >= 0);
	assert_int_equal(write(client, buf, sizeof(buf)), sizeof(buf));
	assert_int_equal(recv(server, buf, sizeof(buf), MSG_WAITALL), sizeof(buf));
	seen.cookie = cookie_of(server);
	assert_int_equal(read_all(0), 0); /* a datagram at a time */
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.family, AF_INET); /* a mapped address */
	assert_int_equal(seen.bytes, BYTES);
	while ((r = traffic_read_addresses(&scan, 0, note_address, NULL)) == -EAGAIN)
		;
	assert_int_equal(r, 0);
	assert_int_equal(seen.addresses, 1);
	assert_int_equal(traffic_read_link(&scan, 1, &bytes), 0);
	assert_true(bytes >= BYTES);
	assert_int_equal(traffic_read_link(&scan, 0x7ffffff0, &bytes), -ENODEV);
	assert_int_equal(traffic_read_link(&scan, 1, &bytes), 0);
	traffic_end_scan(&scan);
}

static void the_time_in_soft_interrupts(_unused_ void **state)
{
	uint64_t usec, later;

	assert_int_equal(traffic_read_softirq(&usec), 0);
	assert_int_equal(traffic_read_softirq(&later), 0);
	assert_true(later >= usec && usec % 1000 == 0);
}

static struct {
	unsigned n, calls;
	uint64_t id;
	char path[UNIT_PATH_MAX];
} walked;

static bool note_cgroup(uint64_t id, const char *path, _unused_ void *userdata)
{
	walked.n++;
	if (id == walked.id)
		snprintf(walked.path, sizeof(walked.path), "%s", path);
	return true;
}

static void walk(uint64_t until_usec)
{
	struct cgroup_walk w = { 0 };
	int r;

	walked.n = walked.calls = 0;
	walked.path[0] = '\0';
	do {
		r = cgroup_walk(&w, until_usec, note_cgroup, NULL);
		walked.calls++;
	} while (r == -EAGAIN);
	if (r == -ENOENT)
		skip();
	assert_int_equal(r, 0);
	assert_int_equal(w.depth, 0);
}

/* In slices it finds the same cgroups, each with its path. */
static void cgroups_by_their_ids(_unused_ void **state)
{
	const char *root = "/sys/fs/cgroup";
	char parent[64], child[128];
	struct statfs fs;
	uint64_t usec;
	unsigned n;
	struct stat st;

	walk(UINT64_MAX);
	n = walked.n;
	assert_int_equal(walked.calls, 1);
	walk(0);
	assert_int_equal(walked.n, n);
	if (n >= 16)
		assert_true(walked.calls > 1);
	if (statfs(root, &fs) == 0 && (unsigned long)fs.f_type != CGROUP2_SUPER_MAGIC)
		root = "/sys/fs/cgroup/unified";
	snprintf(parent, sizeof(parent), "%s/offloadd-test-%d", root, (int)getpid());
	snprintf(child, sizeof(child), "%s/child", parent);
	if (mkdir(parent, 0755) < 0)
		skip();
	assert_int_equal(mkdir(child, 0755), 0);
	assert_int_equal(stat(child, &st), 0);
	walked.id = st.st_ino;
	walk(0);
	assert_int_equal(rmdir(child), 0);
	assert_string_equal(walked.path, child + strlen(root));
	assert_int_equal(cgroup_read_cpu(parent + strlen(root), &usec), 0);
	assert_int_equal(usec, 0);
	assert_int_equal(rmdir(parent), 0);
	assert_int_equal(cgroup_read_cpu(walked.path, &usec), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_with_its_bytes),
		cmocka_unit_test(the_time_in_soft_interrupts),
		cmocka_unit_test(cgroups_by_their_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
