/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/cause.h"

#include "basic/util.h"

static const char *const names[CAUSE_COUNT] = {
	[CAUSE_UNSUPPORTED_DRIVER] = "unsupported-driver",
	[CAUSE_UNSUPPORTED_KERNEL] = "unsupported-kernel",
	[CAUSE_LOWER_OFF] = "lower-off",
	[CAUSE_LOWER_UNSUPPORTED] = "lower-unsupported",
	[CAUSE_LOWER_NOT_FOR_VLAN] = "lower-not-for-vlan",
	[CAUSE_SLAVE_OFF] = "ports-off",
	[CAUSE_NO_SLAVES] = "no-ports",
	[CAUSE_OFF] = "switched-off",
	[CAUSE_ON] = "switched-on",
	[CAUSE_NEEDS] = "needs",
	[CAUSE_CONFLICTS] = "conflicts",
	[CAUSE_UPPER_OFF] = "upper-off",
	[CAUSE_LOWER_ON] = "lower-on",
	[CAUSE_STALE] = "out-of-date",
	[CAUSE_AUDIT] = "audit",
	[CAUSE_UNKNOWN] = "unknown",
	[CAUSE_NOT_SHOWN] = "not-shown",
	[CAUSE_NO_EFFECT] = "no-effect",
	[CAUSE_PEER_XDP] = "peer-xdp",
	[CAUSE_LOWER_ELSEWHERE] = "lower-elsewhere",
	[CAUSE_CREATED_WITHOUT] = "created-without",
	[CAUSE_OWNER] = "owner",
	[CAUSE_HOST] = "host",
	[CAUSE_COUPLED] = "coupled",
	[CAUSE_PORT_OFF] = "port-off",
	[CAUSE_FORWARDS] = "forwards",
	[CAUSE_BRIDGED] = "bridged",
	[CAUSE_XDP] = "xdp",
	[CAUSE_IS_ON] = "is-on",
	[CAUSE_SOME_PORTS] = "some-ports-on",
	[CAUSE_EVERY_PORT] = "every-port-on",
	[CAUSE_CLAIMED] = "claimed",
	[CAUSE_DECLARED] = "declared",
	[CAUSE_UNDECLARED] = "undeclared",
	[CAUSE_IGNORED] = "ignored",
	[CAUSE_REFUSED] = "refused",
	[CAUSE_CONTENDED] = "contended",
	[CAUSE_RESETS] = "resets",
	[CAUSE_UNCERTAIN] = "uncertain",
	[CAUSE_UNREADABLE] = "unreadable",
	[CAUSE_LIMIT_DIFFERS] = "limit-differs",
	[CAUSE_LIMIT_DEVICE] = "limit-of-driver",
	[CAUSE_LIMIT_ELSEWHERE] = "limit-elsewhere",
	[CAUSE_LIMIT_UNUSABLE] = "limit-unusable",
	[CAUSE_LIMIT_NARROWER] = "limit-narrower",
	[CAUSE_LIMIT_DECLARED] = "limit-declared",
	[CAUSE_LIMIT_UNDECLARED] = "limit-undeclared",
};

const char *cause_name(enum cause cause)
{
	return (size_t)cause < ARRAY_SIZE(names) ? names[cause] : NULL;
}
