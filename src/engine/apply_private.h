/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by apply.c (features, and the whole of a plan), apply_limits.c (size limits) and apply_result.c (the result of a step). */
#ifndef OFFLOADD_APPLY_PRIVATE_H
#define OFFLOADD_APPLY_PRIVATE_H

#include "engine/apply.h"

/* Starts the result of a step. */
void apply_result_begin(struct apply_result *result, int ifindex, const char *name);
/* The step failed: none of its changes was made. */
void apply_result_fail(struct apply_result *result, int error);
/* May a later try succeed without any change? */
bool apply_is_temporary(int error);

/* Sets the limits in set->has, and reads them back. Errors are in *result. */
void apply_limits(struct observe *o, struct link *link, const struct link_limits *set, struct apply_result *result);
/* Stores what a step about limits missed; its result is an error or has limits_missed. 0 or -ENOMEM. */
int apply_limits_learn(const struct apply_result *result, uint64_t now_usec, struct link_state *state);

#endif
