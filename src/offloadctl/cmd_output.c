/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "offloadctl/cmd.h"

#include <string.h>

#include "basic/util.h"

int cmd_error(const char *fmt, ...)
{
	char text[1024], clean[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(stderr, "offloadctl: %s\n", util_clean(text, clean, sizeof(clean)));
	return CMD_ERROR;
}

int cmd_written(int r, int code)
{
	return r < 0 ? cmd_error("Failed to write output: %s", strerror(-r)) : code;
}
