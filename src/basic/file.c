/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "basic/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/util.h"

#define FIRST_ROOM 16384

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

	if (!slash || slash == path)
		return 0;
	if (!directory)
		return -ENOMEM;
	if (mkdir(directory, 0755) < 0)
		return errno == EEXIST ? 0 : -errno;
	return chmod(directory, 0755) < 0 ? -errno : 0;
}

int file_replace(const char *path, const char *text, size_t len)
{
	_cleanup_free_ char *temporary = NULL;
	_cleanup_close_ int fd = -1;
	int r;

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
