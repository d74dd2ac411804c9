/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds the files of several directories, with the precedence of systemd's drop-ins: a file in a directory of
 * higher priority replaces the files of that name in the others. */
#ifndef OFFLOADD_INI_DIR_H
#define OFFLOADD_INI_DIR_H

#include <stdbool.h>
#include <stddef.h>

#include "basic/file.h"

#define INI_DIR_MAX_FILES 1024 /* in all directories together */

struct ini_dir {
	const char *const *dirs; /* highest priority first, NULL-terminated */
	enum file_trust trust;	 /* of these directories; an untrusted one is reported and skipped */
	const char *suffix;	 /* of the file names, ".rule"; hidden files are skipped */
	const char *what;	 /* names such a file in errors: "rule" */
	bool optional;		 /* a missing directory is not an error */
	/* Reports an error in a directory; line is 0. Returns 0 or -ENOMEM. */
	int (*report)(void *userdata, const char *path, unsigned line, const char *message);
	void *userdata;
};

/* Finds the paths of all files, sorted by file name. *ret_paths is the caller's to free with ini_dir_free().
 * Directories that cannot be read, and files above the limit, are reported and skipped. 0, -ENOMEM, or the
 * negative value that report() returned. */
int ini_dir_find(const struct ini_dir *d, char ***ret_paths, size_t *ret_n);
/* Frees n paths and their array. */
void ini_dir_free(char **paths, size_t n);

/* Is it an empty file or a link to /dev/null? Such a file masks the files of its name in the other
 * directories. */
bool ini_dir_is_mask(const char *path);

#endif
