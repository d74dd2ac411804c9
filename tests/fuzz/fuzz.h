/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Included by the fuzz targets: copies of the input that end where the input ends, so that ASan sees what is read past it. */
#ifndef OFFLOADD_TESTS_FUZZ_H
#define OFFLOADD_TESTS_FUZZ_H

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "basic/util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The caller frees it. Its NUL is not part of the input. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	assert(text);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

/* Is it printable ASCII with its NUL within size bytes? */
static inline void fuzz_check_name(const char *name, size_t size)
{
	size_t len = strnlen(name, size);

	assert(len < size);
	for (size_t i = 0; i < len; i++)
		assert(name[i] >= 0x20 && name[i] < 0x7f);
}

/* Is it text without control characters? */
static inline void fuzz_check_text(const char *text)
{
	char copy[4096];

	assert(text && strlen(text) < sizeof(copy));
	assert(strcmp(text, util_copy_text(copy, sizeof(copy), text, strlen(text))) == 0);
}

#endif
