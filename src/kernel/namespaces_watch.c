/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/namespaces.h"
#include "kernel/netlink.h"

/* Where a namespace with a file appears, and before that the directory itself. */
static const char *const directories[] = { "/run/netns", "/run/docker/netns" };
static const char *const parents[] = { "/run", "/run/docker" };

static int watch(const struct namespaces_watch *w, const char *directory)
{
	return inotify_add_watch(w->inotify, directory, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
}

/* The mount that makes a file a namespace has no event; ip-netns(8) creates the file just before it. */
static void watch_directories(struct namespaces_watch *w)
{
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		(void)watch(w, parents[i]);
		w->directories[i] = watch(w, directories[i]);
	}
}

static int open_numbers(void)
{
	const struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE), group = RTNLGRP_NSID;

	if (fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
		setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) == 0)
		return fd;
	util_close_pointer(&fd);
	return -1;
}

int namespaces_watch_open(struct namespaces_watch *ret)
{
	ret->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	ret->numbers = ret->inotify < 0 ? -1 : open_numbers();
	if (ret->numbers < 0) {
		int error = -errno;

		namespaces_watch_close(ret);
		return error;
	}
	watch_directories(ret);
	return 0;
}

void namespaces_watch_close(struct namespaces_watch *w)
{
	util_close_pointer(&w->inotify);
	util_close_pointer(&w->numbers);
	w->inotify = w->numbers = -1;
}

bool namespaces_watch_read(struct namespaces_watch *w, void (*fn)(bool docker, const char *name, void *userdata), void *userdata)
{
	char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	bool any = false;
	ssize_t len;

	while ((len = read(w->inotify, buffer, sizeof(buffer))) > 0) {
		for (const char *p = buffer; p < buffer + len;) {
			const struct inotify_event *event = (const void *)p;

			for (int i = 0; i < 2; i++)
				if (fn && event->len && event->wd == w->directories[i])
					fn(i == 1, event->name, userdata);
			p += sizeof(*event) + event->len;
		}
		any = true;
	}
	if (any)
		watch_directories(w);
	while (recv(w->numbers, buffer, sizeof(buffer), 0) >= 0 || errno == ENOBUFS || errno == EINTR)
		any = true;
	return any;
}

/* As in namespaces_child.c: a file that is a namespace is on the file system of ours. */
static bool has_file(const char *directory, dev_t device)
{
	_cleanup_closedir_ DIR *dir = opendir(directory);
	struct dirent *file;
	struct stat st;

	while (dir && (file = readdir(dir)))
		if (fstatat(dirfd(dir), file->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) && st.st_dev == device)
			return true;
	return false;
}

static bool has_number(void)
{
	const struct {
		struct nlmsghdr nlh;
		struct rtgenmsg gen;
	} request = { .nlh = { .nlmsg_type = RTM_GETNSID, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP, .nlmsg_len = sizeof(request) } };
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	_cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	union {
		struct nlmsghdr nlh;
		char room[8192];
	} reply;

	return fd >= 0 && netlink_set_timeout(fd) >= 0 &&
		sendto(fd, &request, sizeof(request), 0, (const struct sockaddr *)&kernel, sizeof(kernel)) >= 0 &&
		netlink_receive(fd, &reply, sizeof(reply)) >= (int)sizeof(reply.nlh) && reply.nlh.nlmsg_type == RTM_NEWNSID;
}

bool namespaces_watch_any(_unused_ const struct namespaces_watch *w)
{
	struct stat own;

	if (stat("/proc/self/ns/net", &own) < 0)
		return false;
	return has_file(directories[0], own.st_dev) || has_file(directories[1], own.st_dev) || has_number();
}
