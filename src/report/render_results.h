/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is worse in the second of two files with results of tests (results.h), as text and as a JSON document. */
#ifndef OFFLOADD_RENDER_RESULTS_H
#define OFFLOADD_RENDER_RESULTS_H

#include <stdio.h>

#include "compare/results.h"

/* names: of the two files. Errors: ferror(out). */
void render_test_results(FILE *out, const struct results *a, const struct results *b, const char *const names[2]);
/* Writes one document and a newline. 0, -ENOMEM, -EIO. */
int json_write_results(FILE *out, const struct results *a, const struct results *b, const char *const names[2], int exit_code);

#endif
