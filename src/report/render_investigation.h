/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an investigation found, for people. */
#ifndef OFFLOADD_RENDER_INVESTIGATION_H
#define OFFLOADD_RENDER_INVESTIGATION_H

#include "evidence/diagnose.h"
#include "report/render.h"

/* The diagnoses in words, then the evidence. 0 or -ENOMEM. */
int render_investigation(const struct render *r, const struct investigation *i,
	const struct diagnosis *diagnoses, size_t n);

/* Two side by side; a, b: their names. */
int render_investigations(const struct render *r, const struct investigation *a,
	const struct investigation *b, const char *a_name, const char *b_name);

#endif
