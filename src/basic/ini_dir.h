/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which files a list of directories holds: as with systemd's drop-ins, a file in an earlier directory
 * replaces one of the same name in a later directory. */
#ifndef OFFLOADD_INI_DIR_H
#define OFFLOADD_INI_DIR_H

#include <stdbool.h>
#include <stddef.h>

#define INI_DIR_MAX_FILES 1024 /* of all directories together */

struct ini_dir {
	const char *const *dirs; /* highest priority first, NULL at the end */
	const char *suffix;	 /* of the names, ".rule"; hidden files are skipped */
	const char *what;	 /* a file is one of these, for complaints: "rule" */
	bool optional;		 /* a missing directory is no error */
	int (*report)(void *userdata, const char *path, unsigned line, const char *message);
	void *userdata;
};

/* The paths of all files, ordered by file name; the array and its strings are the caller's (ini_dir_free).
 * 0, -ENOMEM, or what report() gave. */
int ini_dir_find(const struct ini_dir *d, char ***ret_paths, size_t *ret_n);
void ini_dir_free(char **paths, size_t n);

/* An empty file, or a link to /dev/null: it stands there so that no other of its name applies. */
bool ini_dir_is_mask(const char *path);

#endif
