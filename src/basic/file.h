/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole files: bounded reading, writing, atomic replacement. Functions return 0, or a negative errno of the
 * system call that failed. */
#ifndef OFFLOADD_FILE_H
#define OFFLOADD_FILE_H

#include <stddef.h>
#include <stdint.h>

/* Reads fd to its end. *ret gets the NUL-terminated text, the caller's to free; *ret_len its length in bytes
 * without the NUL. Also -EFBIG if there are more than max bytes, and -ENOMEM. */
int file_read(int fd, size_t max, char **ret, size_t *ret_len);

/* Writes all len bytes to fd, however many calls of write(2) it takes. */
int file_write(int fd, const char *text, size_t len);

/* The directory part of a path, the caller's to free. NULL for a file in the root directory, for a path
 * without a slash, and if memory runs out. */
char *file_directory(const char *path);

/* Creates the directory that path is in, but not the directories above it, with mode 0755 regardless of the
 * umask. An existing directory is not an error. */
int file_make_directory(const char *path);

/* Replaces the file at path atomically (rename(2)): readers see either the old file or the new one. The mode
 * is 0644. The text is first written to "PATH.new", which is removed on error; only one process at a time may
 * replace a path. Not synced to disk. */
int file_replace(const char *path, const char *text, size_t len);

/* Takes an exclusive flock(2) of a file, waiting at most wait_usec. A missing file is created with mode 0600; if root
 * creates it, for the owner of its directory. Returns a descriptor, which holds the lock until it and its copies
 * are closed; -EWOULDBLOCK if another process has the lock. */
int file_lock(const char *path, uint64_t wait_usec);

#endif
