/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stale sockets and how long sendfile took, for people. */
#ifndef OFFLOADD_RENDER_EVIDENCE_H
#define OFFLOADD_RENDER_EVIDENCE_H

#include "evidence/evidence.h"
#include "report/render.h"

/* A table of sockets, and a sentence with how many are stale. 0 or -ENOMEM. */
int render_sockets(const struct render *r, const struct evidence *e);

/* A histogram for each service and kind. when: the time of day, or NULL. */
void render_latency(const struct render *r, const struct evidence_latency *latency, const char *when);
/* One histogram, without a heading. */
void render_histogram(const struct render *r, const uint64_t slots[LATENCY_SLOTS]);

#endif
