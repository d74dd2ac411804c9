/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/udev.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "basic/file.h"
#include "basic/util.h"

#define GROUP_UDEV 2 /* MONITOR_GROUP_UDEV in systemd */
#define FILE_MAX (64 * 1024)
#define READS_MAX 4096

bool udev_is_running(void)
{
	return access("/run/udev/control", F_OK) == 0;
}

bool udev_is_busy(void)
{
	return access("/run/udev/queue", F_OK) == 0;
}

/* The record of a link in udev's database; NULL: none. The caller frees it. */
static char *read_record(int ifindex)
{
	_cleanup_close_ int fd = -1;
	char path[64], *text;
	size_t len;

	snprintf(path, sizeof(path), "/run/udev/data/n%d", ifindex);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && file_read(fd, FILE_MAX, &text, &len) >= 0 ? text : NULL;
}

bool udev_has_named(int ifindex)
{
	_cleanup_free_ char *text = read_record(ifindex);

	return text && !strstr(text, "E:ID_RENAMING=1\n");
}

void udev_read_property(int ifindex, const char *key, char *buf, size_t size)
{
	_cleanup_free_ char *text = read_record(ifindex);
	size_t len = strlen(key);

	buf[0] = '\0';
	for (const char *line = text; line && *line; line += strcspn(line, "\n"), line += *line == '\n')
		if (strncmp(line, "E:", 2) == 0 && strncmp(line + 2, key, len) == 0 && line[2 + len] == '=')
			util_copy_name(buf, size, line + 3 + len, strcspn(line + 3 + len, "\n"));
}

int udev_subscribe(void)
{
	const struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = GROUP_UDEV };
	_cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
	int taken;

	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	taken = fd;
	fd = -1;
	return taken;
}

/* The properties are texts, each with a NUL, after a header. */
static int find_ifindex(const char *message, size_t len)
{
	static const char key[] = "\0IFINDEX=";
	const char *found = memmem(message, len, key, sizeof(key) - 1);

	return found ? atoi(found + sizeof(key) - 1) : 0;
}

void udev_read(int fd, void (*fn)(int ifindex, void *userdata), void *userdata)
{
	char message[8192 + 1];

	for (unsigned i = 0; i < READS_MAX; i++) {
		ssize_t n = recv(fd, message, sizeof(message) - 1, MSG_TRUNC);
		int ifindex;

		if (n < 0 && errno != ENOBUFS)
			return;
		if (n < 0 || n >= (ssize_t)sizeof(message)) {
			fn(0, userdata);
			continue;
		}
		message[n] = '\0';
		ifindex = find_ifindex(message, (size_t)n);
		if (ifindex > 0)
			fn(ifindex, userdata);
	}
}
