/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is this host OK? The first line of `offloadctl status`, what to do next, and the exit status. "OK" is a claim: it needs every
 * interface with rules read and compliant, a running offloadd, and services that were observed. Pure. */
#ifndef OFFLOADD_HEALTH_H
#define OFFLOADD_HEALTH_H

#include "evidence/evidence.h"
#include "model/verdict.h"
#include "report/render.h"

enum health_state {
	HEALTH_OK,
	HEALTH_NOT_OK,	   /* something can be done, or is not possible */
	HEALTH_UNKNOWN,	   /* nothing wrong was found, but not everything was observed */
	HEALTH_UNDECLARED, /* the same, and no rule applies to any link */
};
#define HEALTH_STATES 4

struct health {
	bool running; /* offloadd runs in this network namespace, and replied */
	bool hung;    /* it runs, but did not reply */
	bool enforce;
	size_t links, rules, errors;	  /* errors: in rule files and settings */
	size_t declared;		  /* links that a rule applies to */
	size_t with[VERDICT_COUNT];	  /* those with a feature of this verdict; compliant: with no other */
	size_t features[VERDICT_COUNT];	  /* their features and limits */
	size_t unread;			  /* links with rules whose features could not be read; they count as refused, too */
	char unmet[LINK_NAME_LEN], paused[LINK_NAME_LEN]; /* one link with a feature that is not possible, and one that is paused; "" */

	/* Other network namespaces that rules apply to: those that do not match, those that are not known to, and one of either. */
	size_t elsewhere_drifted, elsewhere_unmet, elsewhere_unknown;
	char netns[64];

	bool observes;			  /* probes are not turned off */
	bool sees_restart, sees_fallback; /* every service that needs a restart or uses software fallback is known */
	size_t probes, probes_absent;
	size_t restart;			  /* services that need a restart */
	size_t fallback;		  /* senders whose current software fallback can be ended */
	uint64_t elsewhere;		  /* hits of software fallback in other network namespaces, where services are not observed */
	size_t fallback_kept;		  /* the same, but a rule or a setting asks for it, or the device cannot do better */
};

/* Adds what the probes of offloadd show. */
void health_add_evidence(struct health *h, const struct evidence *e);

enum health_state health_state(const struct health *h);
/* "ok", as in JSON. Static. */
const char *health_state_name(enum health_state state);

/* 3: offloadd is not running. Otherwise 1: errors, no rules, or a link could not be read. Otherwise the sum of 2: something can be
 * done (drifted, paused, software fallback, a restart), and 4: a feature is not possible, or services are not observed. */
int health_exit_code(const struct health *h);

/* One line. Returns buf. */
const char *health_format(const struct health *h, char *buf, size_t size);

/* The line, and the commands to run next with what they do. */
void health_render(const struct render *r, const struct health *h);

/* For a host without a rule that applies: the main offloads of its links. */
void health_render_links(const struct render *r, const struct feature_table *table, struct link_table *links);

#endif
