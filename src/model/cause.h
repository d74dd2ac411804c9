/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a feature of a link is as it is, as data: steps from the link down (or up) to what decides. Made in plan/explain.h,
 * turned into text by report/catalog.h. Pure. */
#ifndef OFFLOADD_CAUSE_H
#define OFFLOADD_CAUSE_H

#include "model/link.h"

enum cause {
	CAUSE_NONE,
	CAUSE_UNSUPPORTED_DRIVER, /* not in the device's toggleable features (driver) */
	CAUSE_UNSUPPORTED_KERNEL, /* this kernel does not know the feature */
	CAUSE_LOWER_OFF,          /* the device below has it off (other_link, other_bit) */
	CAUSE_LOWER_UNSUPPORTED,  /* the device below does not support it (other_link, other_bit) */
	CAUSE_LOWER_NOT_FOR_VLAN, /* the device below does not offer it to VLANs (other_link) */
	CAUSE_SLAVE_OFF,          /* no port has it on (other_link: the first of them, other_bit) */
	CAUSE_NO_SLAVES,          /* a bond or team without ports has nothing to give */
	CAUSE_OFF,                /* not requested: wanted is off (what a step puts right) */
	CAUSE_ON,                 /* requested: wanted is on (what a step puts right) */
	CAUSE_NEEDS,              /* depends on another feature of the same link that is off (other_bit) */
	CAUSE_CONFLICTS,          /* excluded by another feature of the same link that is on (other_bit) */
	CAUSE_UPPER_OFF,          /* an upper device forces it off (other_link) */
	CAUSE_LOWER_ON,           /* the device below has it on and this one follows it (other_link) */
	CAUSE_AUDIT,              /* would be changed, but the rule or the daemon only audits */
	CAUSE_UNKNOWN,            /* requested, accepted, and not there; the driver does not say why */
	/* only in the chain of an explanation */
	CAUSE_IS_ON,       /* it is on here (features: by which of its sources, 0 for itself) */
	CAUSE_SOME_PORTS,  /* on, as at least one port has it; not every port does */
	CAUSE_EVERY_PORT,  /* on, here and at every port */
	CAUSE_DECLARED,    /* what a rule declares, and the verdict */
	CAUSE_UNDECLARED,  /* no rule applies */
	CAUSE_IGNORED,     /* a rule declares `lower`, and the link cannot change it */
	CAUSE_REFUSED,     /* the kernel's words, or another program's */
	CAUSE_UNCERTAIN,   /* the prediction rests on what cannot be read */
	CAUSE_UNREADABLE,  /* the link's features could not be read */
};
#define CAUSE_COUNT 25

/* One step of a chain. Names are the kernel's bytes. */
struct cause_step {
	enum cause code;
	unsigned depth; /* 0: the link itself, 1: what it rests on, ... */
	int ifindex;
	char link[LINK_NAME_LEN];
	unsigned bit; /* of this link; FEATURE_MAX: none */
	bool want;    /* the value that is declared */
	int other_ifindex; /* 0: no other link is part of it */
	char other_link[LINK_NAME_LEN];
	unsigned other_bit;   /* the other feature, FEATURE_MAX: none */
	feature_set features; /* CAUSE_IS_ON */
	char driver[LINK_DRIVER_LEN]; /* that decides; "" when not known */
};

/* "lower-off": as in documents; NULL for CAUSE_NONE. */
const char *cause_name(enum cause cause);

#endif
