/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Investigations, for people. */
#ifndef OFFLOADD_RENDER_INVESTIGATION_H
#define OFFLOADD_RENDER_INVESTIGATION_H

#include "evidence/diagnose.h"
#include "report/render.h"

/* Prints the diagnoses (n of them, by diagnose()), then the evidence. 0 or -ENOMEM. */
int render_investigation(const struct render *r, const struct investigation *i,
	const struct diagnosis *diagnoses, size_t n);

/* Compares two. a_name, b_name: of their sources. 0 or -ENOMEM. */
int render_investigations(const struct render *r, const struct investigation *a,
	const struct investigation *b, const char *a_name, const char *b_name);

#endif
