/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "basic/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "basic/util.h"

#define FIRST_ROOM 16384
#define LINKS_MAX 40 /* symbolic links in one path, as in the kernel (MAXSYMLINKS) */

/* ---- whose files are read ---- */

_printf_(3, 4) static int distrust(char *why, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, size, fmt, ap);
	va_end(ap);
	return -EPERM;
}

static bool is_ours(const struct stat *st)
{
	return st->st_uid == 0 || st->st_uid == geteuid();
}

static bool is_writable_by_others(const struct stat *st)
{
	if (S_ISLNK(st->st_mode))
		return false;
	return (st->st_mode & S_IWOTH) || ((st->st_mode & S_IWGRP) && st->st_gid != 0 && st->st_gid != getegid());
}

/* above: the object is a directory on the way to the file; name: its name. */
static int check_owner(const char *name, bool above, const struct stat *st, char *why, size_t size)
{
	char what[NAME_MAX + 32] = "";

	if (above)
		snprintf(what, sizeof(what), "\"%s\" in its path ", name);
	if (!is_ours(st) && geteuid() == 0)
		return distrust(why, size, "%sbelongs to uid %u, expected root", what, (unsigned)st->st_uid);
	if (!is_ours(st))
		return distrust(why, size, "%sbelongs to uid %u, expected root or uid %u", what, (unsigned)st->st_uid,
			(unsigned)geteuid());
	/* in a sticky directory others cannot replace what is ours */
	if (is_writable_by_others(st) && !(above && (st->st_mode & S_ISVTX)))
		return distrust(why, size, "%scan be written by other users", what);
	return 0;
}

/* Moves the first name of a path to `name`. 1; 0: there is none; negative errno. */
static int take_name(char *path, char name[NAME_MAX + 1])
{
	size_t start = strspn(path, "/"), len = strcspn(path + start, "/"), end = start + len;

	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, path + start, len);
	name[len] = '\0';
	end += strspn(path + end, "/");
	memmove(path, path + end, strlen(path + end) + 1);
	return len > 0;
}

/* Puts the target of a link in front of the rest of the path. 0 or negative errno. */
static int follow(int link, char rest[PATH_MAX])
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(link, "", target, sizeof(target));
	size_t len = strlen(rest);

	if (n < 0)
		return -errno;
	if ((size_t)n + 1 + len >= PATH_MAX)
		return -ENAMETOOLONG;
	memmove(rest + n + 1, rest, len + 1);
	memcpy(rest, target, (size_t)n);
	rest[n] = '/';
	return 0;
}

/* Opens with O_PATH what a path leads to, if each directory, link and file on the way is ours: then nobody else can have put it
 * there. A descriptor; -EPERM and why; another negative errno. */
static int open_ours(const char *path, char *why, size_t why_size)
{
	char rest[PATH_MAX], name[NAME_MAX + 1];
	_cleanup_close_ int fd = open(path[0] == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	unsigned links = 0;
	struct stat st;
	int r;

	if (fd < 0)
		return -errno;
	if (strlen(path) >= sizeof(rest))
		return -ENAMETOOLONG;
	strcpy(rest, path);
	while ((r = take_name(rest, name)) > 0) {
		int next = openat(fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		bool is_link;

		r = next < 0 || fstat(next, &st) < 0 ? -errno : check_owner(name, rest[0], &st, why, why_size);
		is_link = r >= 0 && S_ISLNK(st.st_mode);
		if (is_link)
			r = ++links > LINKS_MAX ? -ELOOP : follow(next, rest);
		if (r >= 0 && is_link && rest[0] != '/') { /* the rest starts at the directory of the link */
			close(next);
			continue;
		}
		if (r >= 0 && is_link) {
			close(next);
			next = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
			r = next < 0 ? -errno : 0;
		}
		close(fd);
		fd = next;
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	return TAKE_FD(fd);
}

/* Opens with O_PATH what the link at path, which is ours, leads to; by its text, as another link may be in its place by now. Those of
 * /proc/self/fd, where nobody can put another one, have no text. */
static int open_target(int link_fd, const char *link_path, const char *directory)
{
	_cleanup_free_ char *path = NULL;
	char target[PATH_MAX];
	ssize_t len = readlinkat(link_fd, "", target, sizeof(target) - 1);
	struct statfs fs;
	int fd;

	if (len < 0 || fstatfs(link_fd, &fs) < 0)
		return -errno;
	target[len] = '\0';
	if (target[0] != '/' && asprintf(&path, "%s/%s", directory, target) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	fd = open(fs.f_type == PROC_SUPER_MAGIC ? link_path : path ? path : target, O_PATH | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Opens with O_PATH what the user named. Only its own last part can have been put there by somebody else. */
static int open_named(const char *path, char *why, size_t why_size)
{
	_cleanup_free_ char *named = file_directory(path);
	_cleanup_close_ int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	const char *slash = strrchr(path, '/'), *directory = named ? named : slash ? "/" : ".";
	struct stat st, above;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!named && slash && slash != path)
		return -ENOMEM;
	if (S_ISLNK(st.st_mode)) {
		if (!is_ours(&st))
			return distrust(why, why_size, "is a symbolic link of uid %u", (unsigned)st.st_uid);
		return open_target(fd, path, directory);
	}
	/* a hard link to a file of another user */
	if (S_ISREG(st.st_mode) && stat(directory, &above) == 0 && !is_ours(&above) && st.st_uid != above.st_uid)
		return distrust(why, why_size, "belongs to uid %u, but its directory to uid %u", (unsigned)st.st_uid,
			(unsigned)above.st_uid);
	return TAKE_FD(fd);
}

/* What an O_PATH descriptor refers to, for reading. */
static int reopen(int path_fd, int flags)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", path_fd);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | flags);
	return fd < 0 ? -errno : fd;
}

int file_check_regular(const struct stat *st)
{
	return S_ISREG(st->st_mode) ? 0 : S_ISDIR(st->st_mode) ? -EISDIR : S_ISLNK(st->st_mode) ? -ELOOP : -EOPNOTSUPP;
}

int file_open(const char *path, enum file_trust trust, char *why, size_t why_size)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r;

	why[0] = '\0';
	fd = trust == FILE_SYSTEM ? open_ours(path, why, why_size) : open_named(path, why, why_size);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	r = file_check_regular(&st);
	return r < 0 ? r : reopen(fd, 0);
}

int file_open_directory(const char *path, enum file_trust trust, char *why, size_t why_size)
{
	_cleanup_close_ int fd = -1;

	why[0] = '\0';
	fd = trust == FILE_SYSTEM ? open_ours(path, why, why_size) : open_named(path, why, why_size);
	return fd < 0 ? fd : reopen(fd, O_DIRECTORY);
}

bool file_is_foreign_link(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISLNK(st.st_mode) && !is_ours(&st);
}

bool file_is_null(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

/* ---- reading and writing ---- */

int file_read(int fd, size_t max, char **ret, size_t *ret_len)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0, room = 0;

	for (;;) {
		ssize_t n;

		if (room - len < 2) {
			char *more;

			room = room ? 2 * room : FIRST_ROOM;
			more = realloc(text, room);
			if (!more)
				return -ENOMEM;
			text = more;
		}
		n = read(fd, text + len, room - len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
		if (len > max)
			return -EFBIG;
	}
	text[len] = '\0';
	*ret = TAKE_PTR(text);
	*ret_len = len;
	return 0;
}

int file_write(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

char *file_directory(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash != path ? strndup(path, (size_t)(slash - path)) : NULL;
}

int file_make_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *directory = file_directory(path);
	mode_t mask;
	int r;

	if (!slash || slash == path)
		return 0;
	if (!directory)
		return -ENOMEM;
	/* not by chmod() afterwards: whoever may write the directory above could have put a link in its place */
	mask = umask(0022);
	r = mkdir(directory, 0755) < 0 && errno != EEXIST ? -errno : 0;
	umask(mask);
	return r;
}

int file_read_path(const char *path, size_t max, char **ret, size_t *ret_len)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return errno == ENXIO ? -EOPNOTSUPP : -errno; /* a socket */
	r = file_check_regular(&st);
	return r < 0 ? r : file_read(fd, max, ret, ret_len);
}

int file_replace(const char *path, const char *text, size_t len)
{
	_cleanup_free_ char *temporary = NULL;
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r = lstat(path, &st) < 0 ? 0 : file_check_regular(&st);

	if (r < 0)
		return r;
	if (asprintf(&temporary, "%s.new", path) < 0) {
		temporary = NULL;
		return -ENOMEM;
	}
	if (unlink(temporary) < 0 && errno != ENOENT)
		return -errno;
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	r = file_write(fd, text, len);
	if (r >= 0 && fchmod(fd, 0644) < 0)
		r = -errno;
	if (r >= 0 && rename(temporary, path) < 0)
		r = -errno;
	if (r < 0)
		(void)unlink(temporary);
	return r;
}

static int create_lock(const char *path)
{
	_cleanup_free_ char *directory = geteuid() == 0 ? file_directory(path) : NULL;
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct stat st;

	if (fd >= 0 && directory && stat(directory, &st) == 0 && st.st_uid != 0)
		(void)!fchown(fd, st.st_uid, st.st_gid);
	return fd;
}

int file_lock(const char *path, uint64_t wait_usec)
{
	const struct timespec nap = { .tv_nsec = 10 * 1000 * 1000 };
	uint64_t deadline_usec = util_now_usec() + wait_usec;
	_cleanup_close_ int fd = create_lock(path);

	if (fd < 0 && errno == EEXIST)
		fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (util_now_usec() >= deadline_usec)
			return -EWOULDBLOCK;
		nanosleep(&nap, NULL);
	}
	return TAKE_FD(fd);
}
