/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The conclusions from an investigation, as codes and numbers; the sentences are in report/catalog.h. Pure. */
#ifndef OFFLOADD_DIAGNOSE_H
#define OFFLOADD_DIAGNOSE_H

#include "evidence/investigation.h"
#include "model/finding.h"

/* What could not be observed, or not completely: bit numbers of diagnosis.unseen. */
enum diagnosis_unseen {
	DIAGNOSIS_NO_SEGMENTATION,
	DIAGNOSIS_NO_CHECKSUM,
	DIAGNOSIS_NO_COPY,
	DIAGNOSIS_NO_UDP,
	DIAGNOSIS_NO_SOCKETS,
	DIAGNOSIS_NO_SENDERS,	/* who gave up UDP segmentation before the investigation */
	DIAGNOSIS_UNDECIDED_SENDERS, /* struct evidence: udp_undecided */
	DIAGNOSIS_IDLE_SOCKETS, /* stale connections were inferred from copies */
	DIAGNOSIS_NO_LATENCY,
	DIAGNOSIS_LOST_PACKETS, /* the maps in the kernel were full: services of some packets are unknown */
	DIAGNOSIS_LOST_CALLS,   /* the same for sendfile calls */
	DIAGNOSIS_UNSEEN,
};

struct diagnosis {
	/* code: FINDING_DIAGNOSIS_*. service, link: "" for none. off: the features that are missing, 0 if they are unknown. count:
	 * RECONNECT: stale connections. */
	struct finding finding;
	uint64_t cost_usec; /* the part of the time in sendfile that it explains; diagnoses are sorted by it */

	/* DEVICE, LIMIT, OTHER: software fallback; finding.reason has its reason */
	enum fallback_origin origin;
	uint64_t per_sec[FALLBACK_KINDS];
	bool refused; /* UDP segmentation */
	bool copies, only_copies; /* sockets copy; and there is no other fallback */
	bool has_again;	   /* the link has regained the missing features */

	/* DISK, RECEIVER, WELL: sendfile */
	unsigned percent; /* of the time in sendfile that was spent asleep for this reason */
	uint64_t calls, median_usec, running, longest_usec;
	bool begun; /* WELL: calls returned that had started before the investigation */

	/* BLIND */
	unsigned unseen; /* a set of 1 << enum diagnosis_unseen */
	bool link_gone;	 /* the link of --link was removed */
	bool beside;	 /* there are other diagnoses */
};

/* Is it about software fallback? */
static inline bool diagnosis_is_fallback(const struct diagnosis *d)
{
	return d->finding.code == FINDING_DIAGNOSIS_DEVICE || d->finding.code == FINDING_DIAGNOSIS_LIMIT ||
	       d->finding.code == FINDING_DIAGNOSIS_OTHER;
}

/* "device", "reconnect", ..., as in the JSON document. Static. */
const char *diagnosis_name(enum finding_code code);

/* Makes the diagnoses of an investigation, the most costly first; at least one. Free *ret. Returns 0 or -ENOMEM. */
int diagnose(const struct investigation *i, struct diagnosis **ret, size_t *ret_n);

#endif
