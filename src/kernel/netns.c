/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/netns.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "basic/util.h"

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

static bool look(uint64_t inode, char *name, size_t size)
{
	struct stat init;

	snprintf(name, size, "%llu", (unsigned long long)inode);
	if (stat("/proc/1/ns/net", &init) != 0)
		return find_name(inode, name, size);
	if (init.st_ino == inode)
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

int netns_path(const char *path, char **ret)
{
	const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
	size_t stem = dot ? (size_t)(dot - path) : strlen(path);
	char name[NETNS_NAME_LEN];

	if (!netns_is_own(name, sizeof(name)))
		*ret = strdup(path);
	else if (asprintf(ret, "%.*s-%llu%s", (int)stem, path, (unsigned long long)netns_inode(),
			 path + stem) < 0)
		*ret = NULL;
	return *ret ? 0 : -ENOMEM;
}

int netns_enter_new(bool with_user)
{
	if (unshare(CLONE_NEWNET) == 0)
		return 0;
	if (errno != EPERM || !with_user)
		return -errno;
	return unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 ? 0 : -EPERM;
}
