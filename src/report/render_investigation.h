/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an investigation found, for people. */
#ifndef OFFLOADD_RENDER_INVESTIGATION_H
#define OFFLOADD_RENDER_INVESTIGATION_H

#include "evidence/investigation.h"
#include "report/render.h"

/* The findings in words, then the evidence. 0 or -ENOMEM. */
int render_investigation(const struct render *r, const struct investigation *i,
	const struct investigation_finding *findings, size_t n);

/* Two side by side; a, b: their names. */
int render_investigations(const struct render *r, const struct investigation *a,
	const struct investigation *b, const char *a_name, const char *b_name);

#endif
