/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Software fallback and stale connections as JSON (docs/schema/services.json), written and read. GetServices replies with the same
 * members. */
#ifndef OFFLOADD_JSON_SERVICES_H
#define OFFLOADD_JSON_SERVICES_H

#include "report/json_evidence.h"

/* Adds "probes". */
void json_add_probes(struct json_writer *w, const struct evidence *e);
/* Adds "probes", "fallback", "restart", "omitted", "sockets_dropped", "lost", "lost_idle_usec". */
void json_add_services(struct json_writer *w, const struct evidence *e);

/* Reads the members of json_add_services(), except samples. ret borrows names of probes and verdicts from the document, which must
 * outlive it; the caller clears it with evidence_clear(), even after an error. 0, -EBADMSG (the reader has the reason), -ENOMEM. */
int json_read_services(struct json_reader *r, const struct json_value *from, struct evidence *ret);

#endif
