/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fallback and stale connections as the document of docs/schema/services.json, which is also what GetServices returns, and back. */
#ifndef OFFLOADD_JSON_SERVICES_H
#define OFFLOADD_JSON_SERVICES_H

#include "report/json_evidence.h"

/* The list of probes. */
void json_add_probes(struct json_writer *w, const struct evidence *e);
/* The members probes, fallback, restart, left_out, sockets_dropped, lost. */
void json_add_services(struct json_writer *w, const struct evidence *e);

/* What json_add_services() wrote: 0 or the reader's error, and the caller clears ret. Names of probes and verdicts are those of the
 * document, which must outlive ret; samples are not read. */
int json_read_services(struct json_reader *r, const struct json_value *from, struct evidence *ret);

#endif
