/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How software fallback ends. Decided only by evidence_find_remedy(), and shown by services, the journal, investigate and the report with
 * the same name and sentence. */
#ifndef OFFLOADD_REMEDY_H
#define OFFLOADD_REMEDY_H

enum remedy {
	REMEDY_UNKNOWN,	    /* the outgoing link is unknown */
	REMEDY_REASON,	    /* the reason is not a feature: enum fallback_reason shows what ends it */
	REMEDY_OVER,	    /* the link has regained what was missing: it has ended */
	REMEDY_REPAIR,	    /* when the link is repaired: it drifted from its rules */
	REMEDY_RESUME,	    /* the same, but enforcement is paused */
	REMEDY_CONTEND,	    /* the same, but another program keeps reverting it */
	REMEDY_NOT_POSSIBLE, /* a rule declares it on, and the link cannot have it: blocked, unsupported or refused */
	REMEDY_RULE,	    /* a rule declares it off */
	REMEDY_DECLARE,	    /* no rule declares it */
	REMEDY_UNSUPPORTED, /* no rule declares it, and the link cannot change it */
	REMEDY_RECONNECT,   /* the link lacks nothing: the connections must be re-established */
	REMEDY_COUNT,
};

/* "repair". Static. */
const char *remedy_name(enum remedy remedy);
/* The inverse; REMEDY_UNKNOWN for other words. */
enum remedy remedy_parse(const char *name);

#endif
