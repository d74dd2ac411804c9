/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What offloadd has to say, as data: one type for events, explanations, diagnoses, status and reports. The sentence is made at the
 * edge, by report/catalog.h, and so are JSON, metric labels and journal fields; nothing hashes, compares, searches or passes on a
 * sentence. Pure. */
#ifndef OFFLOADD_FINDING_H
#define OFFLOADD_FINDING_H

#include <sys/types.h>

#include "model/cause.h"
#include "model/link.h"
#include "model/unit.h"

#define FINDING_SERVICE_LEN UNIT_SERVICE_LEN
#define FINDING_RULES_LEN 128
#define FINDING_WORDS_LEN 256
#define FINDING_OBJECT_LEN 256

/* What is said; each has one sentence in the catalogue, one stable name, and, if it is an event, one kind and priority
 * (finding.c). */
enum finding_code {
	FINDING_NONE,
	/* diagnoses */
	FINDING_DIAGNOSIS_DEVICE,    /* a link lacks what its senders need: repair it */
	FINDING_DIAGNOSIS_RECONNECT, /* a service holds stale connections */
	FINDING_DIAGNOSIS_DISK,      /* sendfile waits for data */
	FINDING_DIAGNOSIS_RECEIVER,  /* sendfile waits for the receiver */
	FINDING_DIAGNOSIS_WELL,      /* nothing of all that */
	FINDING_DIAGNOSIS_BLIND,     /* some of what would have shown it could not be observed */
	FINDING_CODES, /* how many */
};

/* Who changed a feature. asked: the probe runs; pid 0: it does not know. */
struct finding_process {
	bool asked;
	pid_t pid, parent_pid;
	char comm[16], parent_comm[16];
	char unit[FINDING_SERVICE_LEN]; /* unit_format() */
	char link[LINK_NAME_LEN];       /* where the change began, "" for the finding's own link */
	uint64_t time_usec;             /* CLOCK_REALTIME */
};

/* Every string is clean: printable, bounded, "" where it does not apply; numbers are 0 then. What each code uses is documented
 * where the code is listed. */
struct finding {
	enum finding_code code;
	int ifindex; /* 0: about no link */
	char link[LINK_NAME_LEN], other_link[LINK_NAME_LEN];
	feature_set on, off;           /* features declared, lost or set: on, off */
	enum cause cause;              /* the first step of the chain */
	unsigned cause_bit;            /* FEATURE_MAX: none */
	char rules[FINDING_RULES_LEN]; /* "10-vlan.rule, 20-bond.rule" */
	char service[FINDING_SERVICE_LEN];
	struct finding_process changed_by;
	char object[FINDING_OBJECT_LEN]; /* a file, socket, unit or function that it is about */
	char words[FINDING_WORDS_LEN];   /* another program's words: the kernel's refusal, systemd's, a parser's */
	int error;                       /* negative errno */
	uint64_t count, total;           /* what is counted, and of how many */
	uint64_t duration_usec;
	uint64_t since_usec; /* CLOCK_REALTIME */
};

/* "diagnosis-device": as in documents. */
const char *finding_name(enum finding_code code);

#endif
