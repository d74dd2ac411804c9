/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which services with stale connections are restarted, and when: only units that offloadd.conf names, one at a time with a
 * pause, each once until it has none left, and some never. Pure; time passed in. */
#ifndef OFFLOADD_RESTART_H
#define OFFLOADD_RESTART_H

#include <stdbool.h>

#include "model/unit.h"

#define RESTART_TRIED_MAX 256

enum restart_verdict {
	RESTART_YES,
	RESTART_NOT_NAMED,  /* no pattern names it */
	RESTART_NOT_A_UNIT, /* no service of the system's manager: of a user, a container, a login, a scope */
	RESTART_PROTECTED,  /* never, whatever is named: who would lose more than connections */
};

struct restart_policy {
	const char *units;   /* globs, separated by blanks; "" for none */
	uint64_t pause_usec; /* from the start of one restart to the next */
};

/* Whether it may ever be restarted; protected outranks named. */
enum restart_verdict restart_judge(const struct restart_policy *policy, const struct unit *unit);

/* What was restarted, so that no service is twice for the same connections. */
struct restart_queue {
	uint64_t next_usec; /* not before; 0: at once */
	char tried[RESTART_TRIED_MAX][UNIT_NAME_LEN];
	unsigned n_tried;
	bool busy; /* one is on its way */
};

/* May this unit be restarted now? Notes it as tried then: 1; 0 when it is not its turn (*ret_usec: when to
 * ask again, 0 for never). */
int restart_take(struct restart_queue *queue, const struct restart_policy *policy, const struct unit *unit,
	uint64_t now_usec, uint64_t *ret_usec);
void restart_done(struct restart_queue *queue);
/* It has no stale connections any more: for new ones it may be restarted again. */
void restart_forget(struct restart_queue *queue, const char *unit);

#endif
