/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netns.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "util.h"

uint64_t netns_inode(void)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) == 0 ? st.st_ino : 0;
}

/* Is it one of those that `ip netns` names? */
static bool has_name(uint64_t inode)
{
	DIR *dir = opendir("/run/netns");
	struct dirent *entry;
	bool found = false;
	struct stat st;

	while (dir && !found && (entry = readdir(dir)))
		found = fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 && S_ISREG(st.st_mode) &&
			st.st_ino == inode;
	if (dir)
		closedir(dir);
	return found;
}

int netns_path(const char *path, char **ret)
{
	const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
	size_t stem = dot ? (size_t)(dot - path) : strlen(path);
	_cleanup_free_ char *own = NULL;
	uint64_t inode = netns_inode();
	struct stat init;
	bool is_own;

	if (asprintf(&own, "%.*s-%llu%s", (int)stem, path, (unsigned long long)inode, path + stem) < 0)
		return -ENOMEM;
	if (stat("/proc/1/ns/net", &init) == 0)
		is_own = init.st_ino != inode;
	else
		is_own = has_name(inode);
	if (is_own) {
		*ret = own;
		own = NULL;
		return 0;
	}
	*ret = strdup(path);
	return *ret ? 0 : -ENOMEM;
}
