/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What diff uses of investigate. */
#ifndef OFFLOADD_CMD_INVESTIGATE_H
#define OFFLOADD_CMD_INVESTIGATE_H

#include "offloadctl/cmd.h"

#define CMD_NOT_INVESTIGATION -1

/* Compares two documents of investigate --json and prints the result. names: of their files. Returns the exit code;
 * CMD_NOT_INVESTIGATION: the first is another document, nothing was printed. */
int cmd_diff_investigations(const struct cmd_options *options, const char *a_text, size_t a_len,
	const char *b_text, size_t b_len, const char *const names[2]);

#endif
