/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What offloadd reports, as data: one type for events, explanations, diagnoses and status. Only report/ makes
 * sentences (report/catalog.h), JSON, metric labels and journal fields of it; no code hashes, compares,
 * searches or passes on a sentence. Pure. */
#ifndef OFFLOADD_FINDING_H
#define OFFLOADD_FINDING_H

#include <sys/types.h>

#include "bpf/kinds.h"
#include "model/cause.h"
#include "model/event.h"
#include "model/link.h"
#include "model/remedy.h"
#include "model/unit.h"

#define FINDING_SERVICE_LEN UNIT_SERVICE_LEN
#define FINDING_RULES_LEN 128
#define FINDING_WORDS_LEN 256
#define FINDING_OBJECT_LEN 256
#define FINDING_NETNS_LEN 128
#define FINDING_CAUSES_MAX 6

/* Each code has a sentence in report/catalog.c and a row in finding.c: a stable name and, for an event, its
 * kind and priority. In brackets: the members of struct finding that it uses besides the link. on and off:
 * features by their declared value. */
enum finding_code {
	FINDING_NONE,
	/* results of a reconcile (on, off, rules) */
	FINDING_REPAIRED,          /* offloadd set it (other_link, n_others: links repaired by it; changed_by) */
	FINDING_REPAIRED_MEANWHILE, /* it matched the rules again before offloadd set it */
	FINDING_REPAIRED_MORE,     /* further interfaces in the same way, in one event (count, duration_usec) */
	FINDING_DRIFTED,           /* audit mode: would be set (changed_by) */
	FINDING_UNMET,             /* blocked, unsupported or without effect (causes) */
	FINDING_NOT_IN_KERNEL,     /* declared on, and this kernel does not have it (foreign) */
	FINDING_REFUSED,           /* refused by the kernel (words) */
	FINDING_UNREADABLE,        /* its features could not be read (error) */
	FINDING_CONTENDED,         /* another program keeps reverting it (changed_by) */
	FINDING_RESETS,            /* contended, and each repair made the link lose its carrier */
	FINDING_RESOLVED,          /* no longer contended (on: the features, regardless of their declared value) */
	FINDING_RECOVERED,         /* matches the rules again, not changed by offloadd */
	FINDING_READABLE,          /* its features can be read again, and match the rules */
	FINDING_PAUSED,            /* (user; duration_usec, 0: until resumed) */
	FINDING_RESUMED,           /* (user) */
	FINDING_PAUSE_EXPIRED,
	/* rules and settings */
	FINDING_RULE_ERROR,        /* (object: file, line, words) */
	FINDING_RULE_ERRORS_MORE,  /* further errors that are only counted (total) */
	FINDING_RULES_REJECTED,    /* (total: rules of the previous set, which is kept) */
	FINDING_RULES_LOADED,      /* (total) */
	FINDING_NO_RULES,
	FINDING_SETTINGS_ERROR,    /* (object: file, line, words) */
	FINDING_SETTINGS_REJECTED, /* (enforce: the previous mode, which is kept) */
	FINDING_AUDIT_BY_ERROR,    /* (enforce: Mode=enforce was set) */
	FINDING_AUDIT_BY_CAPABILITY,
	FINDING_AUDIT_BY_OTHER,    /* another offloadd is running (object: its control socket) */
	FINDING_MODE,              /* (enforce: the new mode) */
	FINDING_RESTART_NEEDED,    /* a changed key of offloadd.conf takes effect after a restart (object) */
	/* the daemon itself */
	FINDING_STARTED,           /* (object: version, words: ethtool backend, enforce, count: rules, total: links) */
	FINDING_STOPPED,           /* (count: overruns, total: reconciles, changes: SETs) */
	FINDING_OVERRUN,           /* (count: since the start) */
	FINDING_RELOAD_FAILED,     /* (object: "settings" or "rules", error) */
	FINDING_RECONCILE_FAILED,  /* (error) */
	FINDING_NAME_UNSETTLED,    /* udev has not initialised the link in this time (duration_usec) */
	FINDING_LOOP_DISTURBED,    /* it is tried again (object: what failed, error) */
	FINDING_LOOP_FAILED,       /* offloadd exits (object: what failed, error) */
	FINDING_WORKER_FAILED,     /* the process for other network namespaces has ended, and is started again (duration_usec: in) */
	FINDING_NETNS_UNAVAILABLE, /* other network namespaces cannot be entered (error) */
	FINDING_HOST_NAME_FAILED,  /* (object: the new name, error) */
	FINDING_LEDGER_SET_ASIDE,  /* (object: file, words) */
	FINDING_LEDGER_UNREADABLE, /* (object: file, error) */
	FINDING_LEDGER_UNWRITABLE, /* (object: file, error) */
	FINDING_METRICS_UNWRITABLE, /* (object: file, error) */
	FINDING_WRITABLE,          /* a file could not be written, and was written now (object: file) */
	FINDING_CONTROL_FAILED,    /* (object: socket, error) */
	FINDING_CONTROL_REFUSES,   /* clients wait, because accept(2) fails (object: socket, error) */
	FINDING_CONTROL_OPEN,      /* the control socket was opened later (object: socket) */
	FINDING_CAPABILITIES_KEPT, /* (error) */
	FINDING_HOOK_FAILED,       /* (object: socket, error) */
	FINDING_EVENTS_SUPPRESSED, /* (count; the limit is `total` events per duration_usec) */
	FINDING_EVENTS_LOST,       /* the journal did not accept them (count) */
	FINDING_PROBES_FAILED,     /* (error) */
	FINDING_PROBES_MISSING,    /* (count, of total) */
	FINDING_SENDFILE_UNTIMED,  /* (words or error) */
	FINDING_SETTING_BLIND,     /* this kernel does not show what a setting acts on (object: key, words: why) */
	FINDING_SETTING_LIMITED,   /* it shows only a part (object, words) */
	/* evidence (service, on: features of connections) */
	FINDING_FALLBACK_SERVICE,  /* its packets are segmented or checksummed (kind, remedy, off: missing features) */
	FINDING_FALLBACK_SOCKET,   /* its sockets copy (the same) */
	FINDING_UDP_REFUSED,       /* the kernel refuses its UDP segmentation (kind) */
	FINDING_FALLBACK_FORWARDED, /* (the same) */
	FINDING_FALLBACK_KERNEL,   /* sent by the kernel itself (the same) */
	FINDING_FALLBACK_MORE,     /* further services are not reported separately (total: the limit) */
	FINDING_FALLBACK_LOST,     /* more services than can be counted separately (count: hits) */
	FINDING_STALE,             /* (count: connections, 0: unknown) */
	FINDING_RECONNECTED,
	FINDING_GAVE_UP,           /* gave up UDP segmentation (count: processes) */
	FINDING_SEGMENTS_AGAIN,
	/* what a repair changed for a service (on, off, rules, n_others: further links that were repaired; cost) */
	FINDING_EFFECT_HELPED,	/* it has less CPU time per byte */
	FINDING_EFFECT_NONE,	/* the same */
	FINDING_EFFECT_UNKNOWN, /* there was a cost before; why there is none after is in cost.unknown */
	FINDING_EFFECT_WORSE,	/* more */
	FINDING_EFFECT_UNDONE,	/* the repair was undone because of that, and its link is paused; without cost */
	FINDING_RESTARTED,
	FINDING_RESTART_FAILED,    /* (words) */
	FINDING_SERVICES_UNWRITABLE, /* (object: file, error) */
	/* diagnoses */
	FINDING_DIAGNOSIS_DEVICE,    /* a link lacks features that its senders need */
	FINDING_DIAGNOSIS_LIMIT,     /* a size or segments limit of a link is lower than the packets of its senders */
	FINDING_DIAGNOSIS_OTHER,     /* software fallback that no feature and no limit of the link ends (reason) */
	FINDING_DIAGNOSIS_RECONNECT, /* a service has stale connections */
	FINDING_DIAGNOSIS_GAVE_UP,   /* a service gave up UDP segmentation */
	FINDING_DIAGNOSIS_DISK,      /* sendfile waits for data */
	FINDING_DIAGNOSIS_RECEIVER,  /* sendfile waits for the receiver */
	FINDING_DIAGNOSIS_WELL,      /* none of these */
	FINDING_DIAGNOSIS_BLIND,     /* none found, but not everything could be observed */
	/* parts of sentences */
	FINDING_CHANGED_BY,
	FINDING_CHANGED_BY_UNKNOWN,
	FINDING_CODES, /* the number of codes */
};

/* The process that changed a feature. asked: the probe is available; pid 0: it has not seen the change. */
struct finding_process {
	bool asked;
	pid_t pid, parent_pid;
	char comm[16], parent_comm[16];
	char unit[FINDING_SERVICE_LEN]; /* unit_format() */
	char link[LINK_NAME_LEN];       /* where the change started, "" for the link of the finding */
	uint64_t time_usec;             /* CLOCK_REALTIME */
};

/* Why it is not known what a repair changed for a service. Each has a sentence in report/catalog.c. */
enum finding_unknown {
	UNKNOWN_NOT,
	UNKNOWN_LITTLE_TRAFFIC,	  /* after it, on the links that were repaired */
	UNKNOWN_UNCERTAIN,	  /* the difference is smaller than the uncertainty */
	UNKNOWN_UNSTEADY,	  /* the two measurements after it disagree */
	UNKNOWN_SOFTIRQ,	  /* time in soft interrupts changed the other way */
	UNKNOWN_SERVICE_GONE,	  /* its cgroup, or all of its connections */
	UNKNOWN_LINK_GONE,
	UNKNOWN_FEATURES_CHANGED,
	UNKNOWN_RULES_CHANGED,
	UNKNOWN_NOT_READ,	  /* counters could not be read */
};
#define FINDING_UNKNOWNS 10

/* What a service's traffic costs before and after a repair: CPU time for a gigabyte, in microseconds. softirq: of the whole host. */
struct finding_cost {
	uint64_t cpu_before_usec, cpu_after_usec;
	uint64_t softirq_before_usec, softirq_after_usec;
	uint64_t before_bytes, after_bytes;
	uint64_t before_usec, after_usec; /* how long it was observed; before 0: no cost */
	enum finding_unknown unknown;	  /* then everything after is 0 */
};

/* Members that a code does not use are "" and 0. link and other_link are sanitized. */
struct finding {
	enum finding_code code;
	int ifindex; /* 0: not about a link */
	char netns[FINDING_NETNS_LEN]; /* the network namespace that it is about; "": that of offloadd */
	char link[LINK_NAME_LEN], other_link[LINK_NAME_LEN];
	unsigned n_others; /* further links besides other_link */
	feature_set on, off;
	feature_set foreign; /* features that this kernel does not have: feature_known_set() */
	struct link_limits limits; /* has: the limits that it is about, instead of features; their declared values, 0: not known */
	struct cause_step causes[FINDING_CAUSES_MAX]; /* the first step of each cause chain, without duplicates */
	size_t n_causes;
	char rules[FINDING_RULES_LEN]; /* "10-vlan.rule, 20-bond.rule" */
	unsigned n_rules;
	char service[FINDING_SERVICE_LEN];
	enum fallback_kind kind;     /* of FINDING_FALLBACK_* */
	enum fallback_reason reason; /* of these, and of diagnoses of fallback */
	enum remedy remedy;	     /* the same, and of stale connections */
	uint32_t limit, largest;     /* of reasons that are a limit: see struct evidence_fallback */
	struct finding_process changed_by;
	char object[FINDING_OBJECT_LEN]; /* the file, socket, unit or function it is about */
	unsigned line;                   /* of the file, 0: the whole file */
	char words[FINDING_WORDS_LEN];   /* a message of the kernel, systemd or a parser */
	int error;                       /* negative errno */
	bool enforce;
	uid_t user;
	uint64_t count, total, changes;
	uint64_t duration_usec;
	struct finding_cost cost; /* of FINDING_EFFECT_* */
};

typedef void (*finding_fn)(const struct finding *finding, void *userdata);

/* The name in OFFLOADD_CODE= and in documents, "drifted". Static. */
const char *finding_name(enum finding_code code);
/* The kind of event; EVENT_NONE if it is not an event. */
enum event_kind finding_event(enum finding_code code);
/* The priority in the journal, LOG_* of syslog(3). */
int finding_priority(enum finding_code code);
/* "little-traffic", as in documents. Static; NULL for UNKNOWN_NOT. */
const char *finding_unknown_name(enum finding_unknown unknown);

/* Starts a finding about a link (NULL: none). */
void finding_init(struct finding *ret, enum finding_code code, const struct link *link);
/* Copy a text, truncated to fit. */
void finding_set_object(struct finding *f, const char *object);
void finding_set_words(struct finding *f, const char *words);
void finding_set_netns(struct finding *f, const char *netns);
/* Adds the first step of a cause chain unless there is one with the same code, value, other link and other
 * feature. If the other feature is the feature itself, on the link below, it counts as none. False:
 * FINDING_CAUSES_MAX is reached. */
bool finding_add_cause(struct finding *f, const struct cause_step *step);

/* Writes the list "features" of their names, without limits. */
void finding_add_features(struct json_writer *w, const struct finding *f, const struct feature_table *table);
/* The names of the features or limits that it is about, separated by ", "; "" if there are none. Returns buf. */
const char *finding_format_features(const struct finding *f, const struct feature_table *table, char *buf, size_t size);

/* All features of this kernel that the finding is about. */
static inline feature_set finding_features(const struct finding *f)
{
	return f->on | f->off;
}

#endif
