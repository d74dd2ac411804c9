/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does this kernel compute offloads correctly? Sends known data through every lane of site.h, with the features of the sender in
 * several states, checks each packet at each link that it passes, and compares what arrives. */
#ifndef OFFLOADD_VERIFY_H
#define OFFLOADD_VERIFY_H

#include "verify/frame.h"
#include "verify/site.h"

/* Who does the work that an offload leaves to others. */
enum verify_mode {
	VERIFY_LEFT,	  /* nothing does: the packets pass the veth as large as they are */
	VERIFY_ABOVE,	  /* the kernel segments above a tunnel, before packets are encapsulated */
	VERIFY_SEGMENTED, /* the kernel segments at the veth; checksums are still left open */
	VERIFY_SOFTWARE,  /* the kernel segments and computes checksums */
	VERIFY_MERGED,	  /* the same, and the receiver merges them (GRO); a router forwards them so, which splits them again */
	VERIFY_LISTED,	  /* the same with rx-gro-list: what is merged stays a list of the packets */
	VERIFY_TO_PEER,	  /* the features of both hosts are as they are (peer.h) */
	VERIFY_FROM_PEER,
};
#define VERIFY_MODES 6 /* without those to a peer */

static inline bool verify_mode_merges(enum verify_mode mode)
{
	return mode == VERIFY_MERGED || mode == VERIFY_LISTED;
}

enum verify_packet { VERIFY_TCP4, VERIFY_TCP6, VERIFY_UDP4, VERIFY_UDP6 };
#define VERIFY_PACKETS 4

enum verify_outcome {
	VERIFY_UNTESTED, /* error says why */
	VERIFY_RIGHT,
	VERIFY_WRONG,
	VERIFY_REFUSED, /* UDP_SEGMENT is refused in this state (udp_send_skb() up to Linux 6.10): only datagrams were sent */
	VERIFY_NOT_APPLICABLE, /* verify_mode_merges(), but the kernel merged nothing: right otherwise */
};

struct verify_case {
	enum site_kind kind;
	enum verify_mode mode;
	enum verify_packet packet;
	enum verify_outcome outcome;
	int error;		/* negative errno */
	unsigned packets;	/* of the sender that were checked, at all links */
	unsigned merged;	/* packets that the receiving end of a veth had merged */
	unsigned unseen;	/* packets that could not be captured; their data was compared all the same */
	feature_set on;		/* features that were active at the sender's veth */
	feature_set culprits;	/* without any one of them this case is right; those on which the fewest others depend */
	bool repeated;		/* a wrong case was wrong again each time when it was repeated */
	bool unsearched;	/* not all features were tried: there was no time */
	bool avoided;		/* right with the rule of the result */
	enum frame_wrong wrong; /* the first thing */
	const char *link;	/* where it was seen first, NULL for what arrived; static */
	enum site_place place;
	bool backward;		/* in what the receiver sends */
};

#define VERIFY_CASES_MAX (SITE_KINDS * VERIFY_MODES * VERIFY_PACKETS)

struct verify_result {
	struct verify_case cases[VERIFY_CASES_MAX];
	size_t n_cases;
	unsigned right, wrong, untested, refused, not_applicable;
	unsigned packets, unseen;
	feature_set rule;	  /* a smallest set with a culprit of each wrong case that has some; 0: none of them is avoided by it */
	unsigned rule_kinds;	  /* kinds of links to turn it off at: a set of 1u << enum site_kind */
	const char (*why)[SITE_WHY_LEN]; /* by kind: why the lane could not be built; borrowed from the stage; NULL: to a peer */
};

/* Fills the counts from the cases. */
void verify_count(struct verify_result *result);

const char *verify_mode_text(enum verify_mode mode);
const char *verify_mode_name(enum verify_mode mode);
const char *verify_packet_text(enum verify_packet packet);
const char *verify_packet_name(enum verify_packet packet);

/* What it runs over. */
struct verify_stage {
	struct site site;
	struct site_lane lanes[SITE_KINDS];
	unsigned kinds; /* those that are tested: a set of 1u << enum site_kind */
	int errors[SITE_KINDS]; /* negative errno: the lane could not be built */
	char why[SITE_KINDS][SITE_WHY_LEN]; /* "" if it was */
};

#define VERIFY_ALL_KINDS ((1u << SITE_KINDS) - 1)

/* Moves this process into new network namespaces for ever, and builds the lanes of the kinds there. load: also of those whose module
 * must be loaded for that (ip_gre, ipip and bonding create links on the host, too). ret: released by verify_close(), also after an
 * error. 0; negative errno, why: the message. */
int verify_open(struct verify_stage *ret, unsigned kinds, bool load, char why[SITE_WHY_LEN]);
void verify_close(struct verify_stage *stage);

#define VERIFY_USEC (9 * USEC_PER_SEC)

struct verify_watch {
	const volatile int *stop; /* not 0 ends it with -EINTR */
	uint64_t usec;		  /* the limit; a third of it is for the search for features. What is not reached is VERIFY_UNTESTED, -ETIME */
	void (*progress)(size_t done, size_t all); /* NULL: none */
};

/* Runs all cases, then searches for the features of wrong ones. 0; negative errno, why: the message. */
int verify_run(struct verify_stage *stage, const struct verify_watch *watch, struct verify_result *ret, char why[SITE_WHY_LEN]);

#endif
