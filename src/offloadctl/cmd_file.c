/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading and writing files of the command line. */
#include "offloadctl/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/file.h"
#include "compare/snapshot.h"
#include "basic/util.h"

int cmd_file_read(const char *path, char **ret, size_t *ret_len)
{
	_cleanup_close_ int fd = -1;

	if (strcmp(path, "-") == 0)
		return file_read(STDIN_FILENO, SNAPSHOT_BYTES_MAX, ret, ret_len);
	if (file_is_foreign_link(path))
		return -ELOOP;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	return fd < 0 ? -errno : file_read(fd, SNAPSHOT_BYTES_MAX, ret, ret_len);
}

static int write_text(FILE *f, const char *text, size_t len)
{
	errno = 0;
	if (fwrite(text, 1, len, f) != len || fflush(f))
		return errno ? -errno : -EIO;
	return 0;
}

/* Through a temporary file with an unpredictable name, because the directory may be writable by others. */
static int replace_file(const char *path, const char *text, size_t len, mode_t mode)
{
	_cleanup_free_ char *temporary = NULL;
	_cleanup_close_ int fd = -1;
	int r;

	if (asprintf(&temporary, "%s.XXXXXX", path) < 0) {
		temporary = NULL;
		return -ENOMEM;
	}
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = file_write(fd, text, len);
	if (r >= 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0 || rename(temporary, path) < 0))
		r = -errno;
	if (r < 0)
		unlink(temporary);
	return r;
}

/* Writes to a pipe, /dev/stdout or the like. */
static int write_into(const char *path, const char *text, size_t len)
{
	_cleanup_close_ int fd = -1;

	if (file_is_foreign_link(path))
		return -ELOOP;
	fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	return fd < 0 ? -errno : file_write(fd, text, len);
}

int cmd_file_write(const char *path, const char *text, size_t len, mode_t mode)
{
	struct stat st;
	mode_t mask;

	if (mode == CMD_FILE_UMASK) {
		mask = umask(0);
		umask(mask);
		mode = 0666 & ~mask;
	}
	if (!path)
		return write_text(stdout, text, len);
	return stat(path, &st) == 0 && !S_ISREG(st.st_mode) ? write_into(path, text, len)
							    : replace_file(path, text, len, mode);
}
