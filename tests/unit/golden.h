/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compares text with a file in tests/golden; GOLDEN_UPDATE=1 rewrites the file. */
#ifndef OFFLOADD_TESTS_GOLDEN_H
#define OFFLOADD_TESTS_GOLDEN_H

#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "basic/util.h"

static inline void golden_compare(const char *path, const char *text, size_t text_len)
{
	_cleanup_free_ char *golden = NULL;
	_cleanup_fclose_ FILE *f = NULL;
	struct stat st;

	if (getenv("GOLDEN_UPDATE")) {
		f = fopen(path, "w");
		assert_non_null(f);
		assert_int_equal(fwrite(text, 1, text_len, f), text_len);
		return;
	}
	f = fopen(path, "r");
	if (!f)
		fail_msg("%s: %s", path, strerror(errno));
	assert_int_equal(fstat(fileno(f), &st), 0);
	golden = calloc(1, (size_t)st.st_size + 1);
	assert_int_equal(fread(golden, 1, (size_t)st.st_size, f), st.st_size);
	assert_string_equal(text, golden);
}

#endif
