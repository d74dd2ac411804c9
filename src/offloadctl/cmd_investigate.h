/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between diff and investigate. */
#ifndef OFFLOADD_CMD_INVESTIGATE_H
#define OFFLOADD_CMD_INVESTIGATE_H

#include "offloadctl/cmd.h"

#define CMD_NOT_INVESTIGATION -1

/* Two documents of investigate side by side. CMD_NOT_INVESTIGATION, and nothing said, when the first is
 * none; an exit code otherwise. */
int cmd_diff_investigations(const struct cmd_options *options, const char *a_text, size_t a_len,
	const char *b_text, size_t b_len, const char *const names[2]);

#endif
