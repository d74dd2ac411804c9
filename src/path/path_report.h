/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `offloadctl check-path` found, as text and as a document. */
#ifndef OFFLOADD_PATH_REPORT_H
#define OFFLOADD_PATH_REPORT_H

#include <stdio.h>

#include "path/path.h"

struct path_report {
	const char *link;	  /* that was asked for */
	const char *over;	  /* in words: "to 192.0.2.1:5629", "a stand-in of vlan10: ..." */
	const char *peer;	  /* NULL for a stand-in */
	const struct path_run *run;
	const struct path_result *finding;
	int exit_code;
};

/* The finding in a sentence, then the numbers. */
void path_report_text(FILE *out, const struct path_report *report);
/* One document and a newline. 0, -ENOMEM, -EIO. */
int path_report_json(FILE *out, const struct path_report *report);

#endif
