/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What evidence.h holds, as documents (docs/schema/sockets.json, latency.json). */
#ifndef OFFLOADD_JSON_EVIDENCE_H
#define OFFLOADD_JSON_EVIDENCE_H

#include <stdio.h>

#include "evidence/evidence.h"

struct document;
struct json_object;

/* The list that the documents of latency and investigate have; part of d, which counts what was lost for
 * want of memory. */
struct json_object *json_new_histograms(struct document *d, const struct evidence_latency *latency);

/* One document and a newline each. 0, -ENOMEM, -EIO. */
int json_write_sockets(FILE *out, const struct evidence *e);
/* On one line. */
int json_write_latency(FILE *out, const struct evidence_latency *latency);

#endif
