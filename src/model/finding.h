/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What offloadd reports, as data: one type for events, explanations, diagnoses and status. The sentence is made at the
 * edge, by report/catalog.h, and so are JSON, metric labels and journal fields; nothing hashes, compares, searches or passes
 * on a sentence. Pure. */
#ifndef OFFLOADD_FINDING_H
#define OFFLOADD_FINDING_H

#include <sys/types.h>

#include "model/cause.h"
#include "model/event.h"
#include "model/link.h"
#include "model/unit.h"

#define FINDING_SERVICE_LEN UNIT_SERVICE_LEN
#define FINDING_RULES_LEN 128
#define FINDING_WORDS_LEN 256
#define FINDING_OBJECT_LEN 256
#define FINDING_CAUSES_MAX 6

/* Each has one sentence in report/catalog.c and one row in finding.c: a stable name and, if it is an event, kind and priority.
 * In brackets: the members that it uses besides the link. on and off are the features that are declared so. */
enum finding_code {
	FINDING_NONE,
	/* what a reconcile did and found (on, off, rules) */
	FINDING_REPAIRED,          /* offloadd set it (other_link, n_others: what came right by that; changed_by) */
	FINDING_REPAIRED_MEANWHILE, /* it came right before offloadd set it */
	FINDING_DRIFTED,           /* audit: would be set (changed_by) */
	FINDING_UNMET,             /* blocked, unsupported or without effect (causes) */
	FINDING_REFUSED,           /* the kernel said no (words) */
	FINDING_UNREADABLE,        /* its features could not be read (error) */
	FINDING_CONTENDED,         /* another program keeps reverting it (words; changed_by) */
	FINDING_RESOLVED,          /* no longer contended (on: the features, whatever is declared) */
	FINDING_RECOVERED,         /* matches again, offloadd did not change it */
	FINDING_READABLE,          /* its features can be read again, and match */
	FINDING_PAUSED,            /* (user; duration_usec, 0: until resumed) */
	FINDING_RESUMED,           /* (user) */
	FINDING_PAUSE_EXPIRED,
	/* rules and settings */
	FINDING_RULE_ERROR,        /* (object: file, line, words) */
	FINDING_RULE_ERRORS_MORE,  /* not reported one by one (total) */
	FINDING_RULES_REJECTED,    /* (total: rules that are kept) */
	FINDING_RULES_LOADED,      /* (total) */
	FINDING_NO_RULES,
	FINDING_SETTINGS_ERROR,    /* (object: file, line, words) */
	FINDING_SETTINGS_REJECTED, /* (enforce: the mode that is kept) */
	FINDING_AUDIT_BY_ERROR,    /* (enforce: Mode=enforce was set) */
	FINDING_AUDIT_BY_CAPABILITY,
	FINDING_MODE,              /* (enforce: the new mode) */
	FINDING_RESTART_NEEDED,    /* for a changed key of offloadd.conf (object) */
	/* the daemon itself */
	FINDING_STARTED,           /* (object: version, words: ethtool's backend, enforce, count: rules, total: links) */
	FINDING_STOPPED,           /* (count: overruns, total: reconciles, changes: SETs) */
	FINDING_OVERRUN,           /* (count: since the start) */
	FINDING_RELOAD_FAILED,     /* (object: "settings" or "rules", error) */
	FINDING_RECONCILE_FAILED,  /* (error) */
	FINDING_LOOP_FAILED,       /* it exits (object: what it was about, error) */
	FINDING_HOST_NAME_FAILED,  /* (object: the new name, error) */
	FINDING_LEDGER_SET_ASIDE,  /* (object: file, words) */
	FINDING_LEDGER_UNREADABLE, /* (object: file, error) */
	FINDING_LEDGER_UNWRITABLE, /* (object: file, error) */
	FINDING_METRICS_UNWRITABLE, /* (object: file, error) */
	FINDING_CONTROL_FAILED,    /* (object: socket, error) */
	FINDING_HOOK_FAILED,       /* (object: socket, error) */
	FINDING_EVENTS_SUPPRESSED, /* (count; total in duration_usec is the limit) */
	FINDING_PROBES_FAILED,     /* (error) */
	FINDING_PROBES_MISSING,    /* (count, of total) */
	FINDING_SENDFILE_UNTIMED,  /* (words or error) */
	/* evidence (service, on: features of connections) */
	FINDING_FALLBACK_SERVICE,  /* ends when the link is repaired (object: kind of fallback) */
	FINDING_FALLBACK_SOCKET,   /* connections may have to be re-established (object) */
	FINDING_FALLBACK_FORWARDED, /* (object) */
	FINDING_FALLBACK_KERNEL,   /* sent by the kernel itself (object) */
	FINDING_FALLBACK_MORE,     /* further services are not reported one by one (total: the limit) */
	FINDING_FALLBACK_LOST,     /* more services than can be counted apart (count: hits) */
	FINDING_STALE,             /* (count: connections) */
	FINDING_RECONNECTED,
	FINDING_RESTARTED,
	FINDING_RESTART_FAILED,    /* (words) */
	FINDING_SERVICES_UNWRITABLE, /* (object: file, error) */
	/* diagnoses */
	FINDING_DIAGNOSIS_DEVICE,    /* a link lacks what its senders need: repair it */
	FINDING_DIAGNOSIS_RECONNECT, /* a service holds stale connections */
	FINDING_DIAGNOSIS_DISK,      /* sendfile waits for data */
	FINDING_DIAGNOSIS_RECEIVER,  /* sendfile waits for the receiver */
	FINDING_DIAGNOSIS_WELL,      /* nothing of all that */
	FINDING_DIAGNOSIS_BLIND,     /* some of what would have shown it could not be observed */
	/* parts of sentences */
	FINDING_CHANGED_BY,
	FINDING_CHANGED_BY_UNKNOWN,
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

/* Every string is bounded, and "" where it does not apply; numbers are 0 then. link and other_link are printable. */
struct finding {
	enum finding_code code;
	int ifindex; /* 0: about no link */
	char link[LINK_NAME_LEN], other_link[LINK_NAME_LEN];
	unsigned n_others; /* further links besides other_link */
	feature_set on, off;
	struct cause_step causes[FINDING_CAUSES_MAX]; /* the first step of each chain, all different */
	size_t n_causes;
	char rules[FINDING_RULES_LEN]; /* "10-vlan.rule, 20-bond.rule" */
	unsigned n_rules;
	char service[FINDING_SERVICE_LEN];
	struct finding_process changed_by;
	char object[FINDING_OBJECT_LEN]; /* a file, socket, unit or function that it is about */
	unsigned line;                   /* of the file, 0: of none */
	char words[FINDING_WORDS_LEN];   /* another program's words: the kernel's refusal, systemd's, a parser's */
	int error;                       /* negative errno */
	bool enforce;
	uid_t user;
	uint64_t count, total, changes;
	uint64_t duration_usec;
};

typedef void (*finding_fn)(const struct finding *finding, void *userdata);

/* "drifted": as in OFFLOADD_CODE= and in documents. */
const char *finding_name(enum finding_code code);
/* EVENT_NONE when it is no event. */
enum event_kind finding_event(enum finding_code code);
/* LOG_* of syslog(3). */
int finding_priority(enum finding_code code);

/* link: NULL for none; its name is made printable. */
void finding_init(struct finding *ret, enum finding_code code, const struct link *link);
void finding_set_object(struct finding *f, const char *object);
void finding_set_words(struct finding *f, const char *words);
/* Adds a step unless one with the same code, value, other link and other feature is there; the same feature one device further
 * down counts as none. False when there is no room. */
bool finding_add_cause(struct finding *f, const struct cause_step *step);

static inline feature_set finding_features(const struct finding *f)
{
	return f->on | f->off;
}

#endif
