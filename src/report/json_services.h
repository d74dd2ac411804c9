/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fallback and stale connections as the document of docs/schema/services.json, which is also what GetServices returns, and back. */
#ifndef OFFLOADD_JSON_SERVICES_H
#define OFFLOADD_JSON_SERVICES_H

#include "evidence/evidence.h"

struct json_object;

/* The list of probes; the caller's to put. */
struct json_object *json_new_probes(const struct evidence *e);
/* Adds the members probes, fallback, restart, left_out, lost, sockets_dropped. 0 or -ENOMEM. */
int json_add_services(const struct evidence *e, struct json_object *to);

/* What json_add_services() added; what is missing or of another type is as if it were not known. Names of probes are those of the
 * document, which must outlive ret; samples are not read. */
void json_read_services(struct json_object *from, struct evidence *ret);

#endif
