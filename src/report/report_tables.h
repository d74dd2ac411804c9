/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of the HTML report with data of the daemon: events, software fallback, stale connections, sendfile latency. */
#ifndef OFFLOADD_REPORT_TABLES_H
#define OFFLOADD_REPORT_TABLES_H

#include "report/report_html.h"

/* Each writes one part, or the reason if there is no document. Errors: ferror(out). */
void report_write_timeline(FILE *out, const struct report_source *events);
void report_write_fallback(FILE *out, const struct report_source *services);
void report_write_restart(FILE *out, const struct report_source *services);
void report_write_latency(FILE *out, const struct report_source *latency);

/* The number of services that must reconnect, 0 without a document. */
size_t report_count_restarts(const struct report_source *services);

/* "2026-11-21 23:10:02" in UTC; sec: since the Unix epoch. "-" if it is out of range. Returns buf. */
#define REPORT_TIME_LEN 32
const char *report_time(int64_t sec, char buf[REPORT_TIME_LEN]);

#endif
