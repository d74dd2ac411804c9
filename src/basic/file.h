/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole files: which owners are trusted, bounded reading, writing, atomic replacement. Only regular files are read and
 * replaced: a pipe would block, and opening a device may do anything. Functions return 0, or a negative errno
 * of the system call that failed. */
#ifndef OFFLOADD_FILE_H
#define OFFLOADD_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/* Who may have made a file, so that root, and a daemon with capabilities, do not act for another user. */
enum file_trust {
	/* A path that the user gave. Not followed: a link that belongs to neither root nor us. Not read: a file
	 * of one user in the directory of another, which can be a hard link. */
	FILE_NAMED,
	/* A path that the program, or a setting, chose. The file, and each directory and link on the way to it,
	 * must belong to root or to us, and nobody else may be able to write them. */
	FILE_SYSTEM,
};

#define FILE_WHY_LEN 400
/* Opens a regular file for reading, without blocking. A descriptor; -EPERM if it is not trusted, with the
 * reason in why ("belongs to uid 1000, expected root"), which is "" for other errors; what
 * file_check_regular() returns; another negative errno. Needs /proc. */
int file_open(const char *path, enum file_trust trust, char *why, size_t why_size);
/* The same for a directory. */
int file_open_directory(const char *path, enum file_trust trust, char *why, size_t why_size);
/* 0; -EISDIR: a directory; -ELOOP: a symbolic link; -EOPNOTSUPP: a pipe, a socket or a device. */
int file_check_regular(const struct stat *st);
/* Is it /dev/null, or a link to it? It is not opened. */
bool file_is_null(const char *path);
/* Is it a link that belongs to neither root nor us? */
bool file_is_foreign_link(const char *path);

/* Reads fd to its end. *ret gets the NUL-terminated text, the caller's to free; *ret_len its length in bytes
 * without the NUL. Also -EFBIG if there are more than max bytes, and -ENOMEM. */
int file_read(int fd, size_t max, char **ret, size_t *ret_len);

/* The same from a path, which is not a link. Also what file_check_regular() returns. */
int file_read_path(const char *path, size_t max, char **ret, size_t *ret_len);

/* Writes all len bytes to fd, however many calls of write(2) it takes. */
int file_write(int fd, const char *text, size_t len);

/* The directory part of a path, the caller's to free. NULL for a file in the root directory, for a path
 * without a slash, and if memory runs out. */
char *file_directory(const char *path);

/* Creates the directory that path is in, but not the directories above it, with mode 0755 regardless of the
 * umask. An existing directory is not an error. */
int file_make_directory(const char *path);

/* Replaces the regular file at path, if there is one, atomically (rename(2)): readers see either the old file
 * or the new one. Also what file_check_regular() returns. The mode is 0644. The text is first written to "PATH.new", which is removed on error; only one process at a time may
 * replace a path. Not synced to disk. */
int file_replace(const char *path, const char *text, size_t len);

/* Takes an exclusive flock(2) of a file, waiting at most wait_usec. A missing file is created with mode 0600; if root
 * creates it, for the owner of its directory. Returns a descriptor, which holds the lock until it and its copies
 * are closed; -EWOULDBLOCK if another process has the lock. */
int file_lock(const char *path, uint64_t wait_usec);

#endif
