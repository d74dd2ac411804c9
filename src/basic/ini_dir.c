/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "basic/ini_dir.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/util.h"

struct found_list {
	char **paths;
	size_t n;
	bool full;
};

void ini_dir_free(char **paths, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(paths[i]);
	free(paths);
}

bool ini_dir_is_mask(const char *path)
{
	struct stat st;

	return file_is_null(path) || (stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(util_file_name(*(char *const *)a), util_file_name(*(char *const *)b));
}

static bool is_found(const struct found_list *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(util_file_name(list->paths[i]), name) == 0)
			return true;
	return false;
}

_printf_(3, 4) static int complain(
	const struct ini_dir *d, const char *path, const char *fmt, ...)
{
	char message[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	return d->report(d->userdata, path, 0, message);
}

static int add_found(const struct ini_dir *d, struct found_list *list, const char *dir, const char *name)
{
	if (list->full || name[0] == '.' || !util_has_suffix(name, d->suffix) || is_found(list, name))
		return 0;
	if (list->n == INI_DIR_MAX_FILES) {
		list->full = true;
		return complain(d, dir, "more than %d %s files, the others are ignored",
			INI_DIR_MAX_FILES, d->what);
	}
	if (asprintf(&list->paths[list->n], "%s/%s", dir, name) < 0)
		return -ENOMEM;
	list->n++;
	return 0;
}

/* why: "" unless the directory is not trusted. */
static int complain_dir(const struct ini_dir *d, const char *dir, int error, const char *why)
{
	if (why[0])
		return complain(d, dir, "%s; its files are ignored", why);
	if (error == ENOMEM)
		return -ENOMEM;
	if (error == ENOENT && d->optional)
		return 0;
	if (error == ENOTDIR)
		return complain(d, dir, "is not a directory, expected a directory of %s files", d->what);
	return complain(d, dir, "failed to read %s directory: %s", d->what, strerror(error));
}

static int compare_entries(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Adds the names in a directory to an array, which grows also if that fails. 0 or negative errno. Takes the descriptor. */
static int read_names(int fd, char ***names, size_t *n)
{
	_cleanup_closedir_ DIR *entries = fdopendir(fd);
	const struct dirent *entry;

	if (!entries) {
		int error = errno;

		close(fd);
		return -error;
	}
	for (errno = 0; (entry = readdir(entries)); errno = 0) {
		char *name = GROW(*names, *n) ? strdup(entry->d_name) : NULL;

		if (!name)
			return -ENOMEM;
		(*names)[(*n)++] = name;
	}
	return -errno;
}

/* Sorted by name, so that the files ignored above the limit are always the same. */
static int find_files(const struct ini_dir *d, struct found_list *list, const char *dir)
{
	char why[FILE_WHY_LEN];
	int fd = file_open_directory(dir, d->trust, why, sizeof(why));
	char **names = NULL;
	size_t n = 0;
	int error, r;

	if (fd < 0)
		return complain_dir(d, dir, -fd, why);
	error = read_names(fd, &names, &n);
	r = error < 0 ? complain_dir(d, dir, -error, "") : 0;
	if (n)
		qsort(names, n, sizeof(*names), compare_entries);
	for (size_t i = 0; i < n && error == 0 && r >= 0; i++)
		r = add_found(d, list, dir, names[i]);
	ini_dir_free(names, n);
	return r;
}

int ini_dir_find(const struct ini_dir *d, char ***ret_paths, size_t *ret_n)
{
	struct found_list list = { .paths = calloc(INI_DIR_MAX_FILES, sizeof(*list.paths)) };
	int r = 0;

	if (!list.paths)
		return -ENOMEM;
	for (size_t i = 0; d->dirs[i] && r >= 0; i++)
		r = find_files(d, &list, d->dirs[i]);
	if (r < 0) {
		ini_dir_free(list.paths, list.n);
		return r;
	}
	qsort(list.paths, list.n, sizeof(*list.paths), compare_names);
	*ret_paths = list.paths;
	*ret_n = list.n;
	return 0;
}
