/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a feature of a link has its value: a chain of steps from the link down (or up) to the link that
 * decides. plan/ makes the chains, report/catalog.h turns them into text. Pure. */
#ifndef OFFLOADD_CAUSE_H
#define OFFLOADD_CAUSE_H

#include "model/link.h"

enum cause {
	CAUSE_NONE,
	CAUSE_UNSUPPORTED_DRIVER, /* not among the features that the device can change (driver) */
	CAUSE_UNSUPPORTED_KERNEL, /* this kernel does not know the feature */
	CAUSE_LOWER_OFF,          /* off on the link below (other_link, other_bit) */
	CAUSE_LOWER_UNSUPPORTED,  /* the link below does not support it (other_link, other_bit) */
	CAUSE_LOWER_NOT_FOR_VLAN, /* the link below does not offer it to VLANs (other_link) */
	CAUSE_SLAVE_OFF,          /* off on all ports (other_link: the first port, other_bit) */
	CAUSE_NO_SLAVES,          /* a bond or team without ports */
	CAUSE_OFF,                /* not requested: wanted is off; a step repairs it */
	CAUSE_ON,                 /* requested: wanted is on; a step repairs it */
	CAUSE_NEEDS,              /* requires another feature of this link, which is off (other_bit) */
	CAUSE_CONFLICTS,          /* excluded by another feature of this link, which is on (other_bit) */
	CAUSE_UPPER_OFF,          /* a link above forces it off (other_link) */
	CAUSE_LOWER_ON,           /* on, because it follows the link below (other_link) */
	CAUSE_STALE,              /* requested as declared, but not computed by the kernel since something changed; a step has it computed */
	CAUSE_AUDIT,              /* not changed because of audit mode */
	CAUSE_UNKNOWN,            /* requested and accepted, but not active, for a reason that is not known */
	CAUSE_NOT_SHOWN,          /* the same, and the link is from a text that shows neither its kind nor what is below it */
	CAUSE_NO_EFFECT,          /* not requested, and a request is predicted to have no effect */
	CAUSE_PEER_XDP,           /* the peer of this veth has an XDP program: veth_xdp_set() (other_link, if it is here) */
	CAUSE_LOWER_ELSEWHERE,    /* copied from the link below, which is in another network namespace */
	CAUSE_CREATED_WITHOUT,    /* copied from the link below when it was created; it is on there now (other_link) */
	CAUSE_OWNER,              /* the program that opened the tap decides: TUNSETOFFLOAD */
	CAUSE_HOST,               /* the host of this virtual machine decides */
	CAUSE_COUPLED,            /* the driver has one switch for it and another feature (other_bit, driver) */
	CAUSE_PORT_OFF,           /* declared as `lower-all`, and off on this port (other_link, other_bit) */
	CAUSE_FORWARDS,           /* dev_disable_lro(): it, or a link above (other_link), forwards packets */
	CAUSE_BRIDGED,            /* the same: it is a port of a bridge, of Open vSwitch or of HSR */
	CAUSE_XDP,                /* the same: it has an XDP program */
	/* only in explanations */
	CAUSE_IS_ON,       /* on (features: the sources that turn it on, 0 for itself) */
	CAUSE_SOME_PORTS,  /* on, because some ports have it */
	CAUSE_EVERY_PORT,  /* on, here and on every port */
	CAUSE_CLAIMED,     /* on, although no port has it: netdev_add_tso_features(), or the driver of the master */
	CAUSE_DECLARED,    /* the declaration of a rule, and the verdict */
	CAUSE_UNDECLARED,  /* no rule applies */
	CAUSE_IGNORED,     /* declared as `lower`, and the link cannot change it */
	CAUSE_REFUSED,     /* refused by the kernel */
	CAUSE_CONTENDED,   /* another program keeps reverting it */
	CAUSE_RESETS,      /* contended, and each repair made the link lose its carrier */
	CAUSE_UNCERTAIN,   /* the prediction depends on something that cannot be read */
	CAUSE_UNREADABLE,  /* the link's features could not be read */
	/* of size limits (number, other_link) */
	CAUSE_LIMIT_DIFFERS,   /* it has another value: number; a step repairs it */
	CAUSE_LIMIT_DEVICE,    /* the driver allows at most number */
	CAUSE_LIMIT_ELSEWHERE, /* declared as `lower`, and the link below is in another network namespace */
	CAUSE_LIMIT_UNUSABLE,  /* declared as `lower`, and TCP could not send with the limit of the link below, number */
	CAUSE_LIMIT_NARROWER,  /* in explanations: a link below has a smaller limit, number, and segments what is larger */
	CAUSE_LIMIT_DECLARED,  /* in explanations: its value, number, the declaration of a rule, and the verdict */
	CAUSE_LIMIT_UNDECLARED, /* in explanations: its value, and no rule applies */
};
#define CAUSE_COUNT 48

/* One step of a chain. Names of links are raw: sanitize them for output. */
struct cause_step {
	enum cause code;
	unsigned depth; /* 0: the link itself, 1: the link below, ... */
	int ifindex;
	char link[LINK_NAME_LEN];
	unsigned bit; /* the feature of this link, FEATURE_MAX: none */
	bool want;    /* the declared value */
	int other_ifindex; /* 0: no other link */
	char other_link[LINK_NAME_LEN];
	unsigned other_bit;   /* FEATURE_MAX: no other feature */
	feature_set features; /* CAUSE_IS_ON */
	uint32_t number;      /* CAUSE_LIMIT_*: bytes or packets */
	char driver[LINK_DRIVER_LEN]; /* of the link that decides; "" if not known */
};

/* The name in documents, "lower-off"; NULL for CAUSE_NONE. Static. */
const char *cause_name(enum cause cause);

#endif
