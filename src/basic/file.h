/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files as a whole: bounded reading, writing, replacing in one step. */
#ifndef OFFLOADD_FILE_H
#define OFFLOADD_FILE_H

#include <stddef.h>

/* Reads fd to its end. *ret: the caller's to free, terminated, its length without that in *ret_len. -EFBIG
 * when there are more than max bytes, -ENOMEM, what read(2) says. */
int file_read(int fd, size_t max, char **ret, size_t *ret_len);

/* Writes all of it. 0, negative errno. */
int file_write(int fd, const char *text, size_t len);

/* The directory of a path, the caller's to free; NULL for the root, for a path without a directory, and without
 * memory. */
char *file_directory(const char *path);

/* Makes the directory that a path is in, mode 0755 whatever the umask, but not those above it. 0 also when it
 * exists; negative errno. */
int file_make_directory(const char *path);

/* Replaces path in one step, so that a reader finds the old file or the new one whole; readable to all.
 * Through "PATH.new", of which nothing stays, and which has one writer. Not synced to disk. 0, negative
 * errno. */
int file_replace(const char *path, const char *text, size_t len);

#endif
