/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets and sendfile latency of evidence.h as JSON documents (docs/schema/sockets.json, latency.json). */
#ifndef OFFLOADD_JSON_EVIDENCE_H
#define OFFLOADD_JSON_EVIDENCE_H

#include <stdio.h>

#include "evidence/evidence.h"

struct json_reader;
struct json_value;
struct json_writer;

/* Adds "local" and "remote", address and port. */
void json_add_addresses(struct json_writer *w, const struct socket_info *s);

/* Adds "histograms", a list that latency and investigate share. */
void json_add_histograms(struct json_writer *w, const struct evidence_latency *latency);
/* Reads that list into ret, which the caller clears with evidence_latency_clear(), even after an error. 0, -EBADMSG (the reader
 * has the reason), -ENOMEM. */
int json_read_histograms(struct json_reader *r, const struct json_value *list, struct evidence_latency *ret);

/* Each writes one document and a newline. 0, -ENOMEM, -EIO. */
int json_write_sockets(FILE *out, const struct evidence *e);
/* All on one line, because latency writes one document per interval. */
int json_write_latency(FILE *out, const struct evidence_latency *latency);

#endif
