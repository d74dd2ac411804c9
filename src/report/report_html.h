/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A report on a host as one self-contained HTML page, for screens (light and dark) and for print. */
#ifndef OFFLOADD_REPORT_HTML_H
#define OFFLOADD_REPORT_HTML_H

#include <stdio.h>

#include "report/view.h"

struct json_value;

/* A document of offloadctl --json, or the reply of the daemon, which has the same members. Borrowed. */
struct report_source {
	struct json_value *document; /* NULL: not available */
	const char *absent;	     /* then the reason, a sentence */
};

struct report_html {
	const struct view *view;
	const struct rule_host *host;
	int64_t taken; /* CLOCK_REALTIME seconds */
	struct report_source events, services, latency;
};

/* Writes the page. 0, -ENOMEM, -EIO. */
int report_html_write(FILE *out, const struct report_html *report);

/* Writes a skeleton, and calls fill() for each @@name@@ in it. fill: 0 or negative errno, which ends it. -EINVAL: a name is too
 * long; -EIO. For tests. */
int report_html_fill(FILE *out, const char *skeleton,
	int (*fill)(FILE *out, const char *name, void *userdata), void *userdata);

#endif
