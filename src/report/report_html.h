/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Everything about a host as one page for a ticket: self-contained, light, dark, and on paper. */
#ifndef OFFLOADD_REPORT_HTML_H
#define OFFLOADD_REPORT_HTML_H

#include <stdio.h>

#include "report/view.h"

struct json_value;

/* A document of offloadctl (or the daemon's answer, which is the same without its head); NULL with the
 * reason in words. Borrowed. */
struct report_source {
	struct json_value *document;
	const char *absent;
};

struct report_html {
	const struct view *view;
	const struct rule_host *host;
	int64_t taken; /* CLOCK_REALTIME seconds */
	struct report_source events, services, latency;
};

/* 0, -ENOMEM, -EIO. */
int report_html_write(FILE *out, const struct report_html *report);

/* The page with its parts asked for by name: fill is called once for each @@name@@ of the skeleton. For
 * tests. */
int report_html_fill(FILE *out, const char *skeleton,
	int (*fill)(FILE *out, const char *name, void *userdata), void *userdata);

#endif
