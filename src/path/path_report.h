/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The result of `offloadctl check-path`, as text and as a JSON document. All pointers are borrowed. */
#ifndef OFFLOADD_PATH_REPORT_H
#define OFFLOADD_PATH_REPORT_H

#include <stdio.h>

#include "path/path.h"

struct path_report {
	const char *link;	  /* from the command line */
	const char *over;	  /* a phrase: "To 192.0.2.1:5629", "Over a stand-in: ..." */
	const char *peer;	  /* address; NULL for a stand-in */
	const struct path_run *run;
	const struct path_result *finding;
	int exit_code;
};

/* Prints the verdict as a sentence, then the numbers. Errors: ferror(out). */
void path_report_text(FILE *out, const struct path_report *report);
/* Writes one document and a newline. 0, -ENOMEM, -EIO. */
int path_report_json(FILE *out, const struct path_report *report);

#endif
