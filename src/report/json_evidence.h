/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What evidence.h holds, as documents (docs/schema/sockets.json, latency.json). */
#ifndef OFFLOADD_JSON_EVIDENCE_H
#define OFFLOADD_JSON_EVIDENCE_H

#include <stdio.h>

#include "evidence/evidence.h"

struct json_reader;
struct json_value;
struct json_writer;

/* "local", "remote" */
void json_add_addresses(struct json_writer *w, const struct socket_info *s);

/* The list that the documents of latency and investigate have; and back: 0 or the reader's error. */
void json_add_histograms(struct json_writer *w, const struct evidence_latency *latency);
int json_read_histograms(struct json_reader *r, const struct json_value *list, struct evidence_latency *ret);

/* One document and a newline each. 0, -ENOMEM, -EIO. */
int json_write_sockets(FILE *out, const struct evidence *e);
/* On one line. */
int json_write_latency(FILE *out, const struct evidence_latency *latency);

#endif
