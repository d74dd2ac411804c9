/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/netns.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/util.h"

#define FIRST_INODE 0xeffffff9 /* of the first namespace from Linux 6.18 on: NET_NS_INIT_INO */

uint64_t netns_inode(void)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) == 0 ? st.st_ino : 0;
}

/* Finds its name in ip-netns(8). */
static bool find_name(uint64_t inode, char *name, size_t size)
{
	_cleanup_closedir_ DIR *dir = opendir("/run/netns");
	struct dirent *entry;
	bool found = false;
	struct stat st;

	while (dir && !found && (entry = readdir(dir))) {
		found = fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 && S_ISREG(st.st_mode) &&
			st.st_ino == inode;
		if (found)
			snprintf(name, size, "%s", entry->d_name);
	}
	return found;
}

bool netns_is_certain(void)
{
	struct stat init;

	return stat("/proc/1/ns/net", &init) == 0;
}

/* Is it the first namespace of the kernel? Only that one has this file: net_core_table in net/core/sysctl_net_core.c. */
static bool is_first(uint64_t inode)
{
	return inode == FIRST_INODE || access("/proc/sys/net/core/netdev_max_backlog", F_OK) == 0;
}

static bool look(uint64_t inode, char *name, size_t size)
{
	struct stat init;

	snprintf(name, size, "%llu", (unsigned long long)inode);
	if (stat("/proc/1/ns/net", &init) == 0 ? init.st_ino == inode : is_first(inode))
		return false;
	(void)find_name(inode, name, size);
	return true;
}

bool netns_is_own(char *name, size_t size)
{
	static uint64_t known; /* the inode does not change while the namespace exists */
	static char known_name[NETNS_NAME_LEN];
	static bool own;
	uint64_t inode = netns_inode();

	if (inode == 0 || inode != known)
		own = look(inode, known_name, sizeof(known_name));
	known = inode;
	snprintf(name, size, "%s", known_name);
	return own;
}

/* NULL without memory. */
static char *add_inode(const char *path, uint64_t inode)
{
	const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
	size_t stem = dot ? (size_t)(dot - path) : strlen(path);
	char *added;

	return asprintf(&added, "%.*s-%llu%s", (int)stem, path, (unsigned long long)inode, path + stem) < 0 ? NULL : added;
}

int netns_path_of(const char *path, uint64_t inode, char **ret)
{
	struct stat init;
	bool first = stat("/proc/1/ns/net", &init) == 0 && init.st_ino == inode;

	*ret = first ? strdup(path) : add_inode(path, inode);
	return *ret ? 0 : -ENOMEM;
}

int netns_path(const char *path, char **ret)
{
	char name[NETNS_NAME_LEN];

	*ret = add_inode(path, netns_inode());
	if (*ret && !netns_is_own(name, sizeof(name)) && access(*ret, F_OK) < 0) {
		free(*ret);
		*ret = strdup(path);
	}
	return *ret ? 0 : -ENOMEM;
}

uint64_t netns_cookie(void)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char name[NETNS_NAME_LEN];
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	if (fd >= 0 && getsockopt(fd, SOL_SOCKET, NETNS_SO_COOKIE, &cookie, &len) == 0)
		return cookie;
	return netns_is_own(name, sizeof(name)) ? 0 : netns_inode();
}

void netns_close_sockets(struct netns_sockets *sockets)
{
	util_close_pointer(&sockets->route);
	util_close_pointer(&sockets->generic);
	util_close_pointer(&sockets->plain);
	*sockets = (struct netns_sockets){ .route = -1, .generic = -1, .plain = -1 };
}

int netns_enter_new(bool with_user)
{
	if (unshare(CLONE_NEWNET) == 0)
		return 0;
	if (errno != EPERM || !with_user)
		return -errno;
	return unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 ? 0 : -EPERM;
}
