/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a feature of a link is as it is, as data: a chain from the link down (or up) to what decides. Made once, in plan/. */
#ifndef OFFLOADD_CAUSE_H
#define OFFLOADD_CAUSE_H

#include "model/link.h"

enum cause {
	CAUSE_NONE,
	CAUSE_UNSUPPORTED_DRIVER, /* not in the device's toggleable features */
	CAUSE_UNSUPPORTED_KERNEL, /* this kernel does not know the feature */
	CAUSE_LOWER_OFF,          /* the device below has it off (link, bit) */
	CAUSE_LOWER_UNSUPPORTED,  /* the device below does not support it (link, bit) */
	CAUSE_LOWER_NOT_FOR_VLAN, /* the device below does not offer it to VLANs (link) */
	CAUSE_SLAVE_OFF,          /* no port has it on (link: the first of them, bit) */
	CAUSE_NO_SLAVES,          /* a bond or team without ports has nothing to give */
	CAUSE_OFF,                /* not requested: wanted is off (what a step puts right) */
	CAUSE_ON,                 /* requested: wanted is on (what a step puts right) */
	CAUSE_NEEDS,              /* depends on another feature of the same link that is off (bit) */
	CAUSE_CONFLICTS,          /* excluded by another feature of the same link that is on (bit) */
	CAUSE_UPPER_OFF,          /* an upper device forces it off (link) */
	CAUSE_LOWER_ON,           /* the device below has it on and this one follows it (link) */
	CAUSE_AUDIT,              /* would be changed, but the rule or the daemon only audits */
	CAUSE_UNKNOWN,            /* requested, accepted, and not there; the driver does not say why */
};
#define CAUSE_COUNT 16

/* "lower-off": as in documents; NULL for CAUSE_NONE. */
const char *cause_name(enum cause cause);

#endif
