/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stale sockets and sendfile latency, for people. */
#ifndef OFFLOADD_RENDER_EVIDENCE_H
#define OFFLOADD_RENDER_EVIDENCE_H

#include "evidence/evidence.h"
#include "report/render.h"

/* A table of sockets, and a line with the number of stale ones. 0 or -ENOMEM. */
int render_sockets(const struct render *r, const struct evidence *e);

/* Two histograms for each service, with and without fallback. when: time of day for the heading, or NULL. */
void render_latency(const struct render *r, const struct evidence_latency *latency, const char *when);
/* One histogram without a heading; slots: calls by latency, slot n from 2^n us. */
void render_histogram(const struct render *r, const uint64_t slots[LATENCY_SLOTS]);

#endif
