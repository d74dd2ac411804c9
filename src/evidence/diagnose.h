/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What follows from an investigation, as codes and numbers: report/catalog.h has the sentences. Pure. */
#ifndef OFFLOADD_DIAGNOSE_H
#define OFFLOADD_DIAGNOSE_H

#include "evidence/investigation.h"
#include "model/finding.h"

/* What was not seen, or not to its end: bits of struct diagnosis.unseen. */
enum diagnosis_unseen {
	DIAGNOSIS_NO_SEGMENTATION,
	DIAGNOSIS_NO_CHECKSUM,
	DIAGNOSIS_NO_COPY,
	DIAGNOSIS_NO_SOCKETS,
	DIAGNOSIS_NO_LATENCY,
	DIAGNOSIS_LOST_PACKETS, /* senders of what did not fit */
	DIAGNOSIS_LOST_CALLS,
	DIAGNOSIS_UNSEEN,
};

struct diagnosis {
	/* code: FINDING_DIAGNOSIS_*; service and link: "" where it is about none; off: the features that are missing there, empty where
	 * that is not known; count: stale connections of RECONNECT, packets in all of WELL */
	struct finding finding;
	uint64_t cost_usec; /* of sendfile's time, that it explains */

	/* DEVICE */
	enum fallback_origin origin;
	uint64_t per_sec[FALLBACK_KINDS];
	bool copies, only_copies; /* sockets copy, and nothing else happens */
	bool has_again;	   /* the link has by now what it lacked */
	bool unsupported;  /* none of it can be changed there */

	/* DISK, RECEIVER, WELL: sendfile */
	unsigned percent; /* of its time that was spent asleep for that */
	uint64_t calls, median_usec, running, longest_usec;
	bool begun; /* WELL: some returned that had begun before */

	/* BLIND */
	unsigned unseen; /* 1 << enum diagnosis_unseen */
	bool link_gone;	 /* the link that was asked about */
	bool beside;	 /* there are others */
};

/* As in the document: "device", "reconnect", ... */
const char *diagnosis_name(enum finding_code code);

/* The most costly first; always at least one. The array is the caller's to free. 0 or -ENOMEM. */
int diagnose(const struct investigation *i, struct diagnosis **ret, size_t *ret_n);

#endif
