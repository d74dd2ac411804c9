/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who sends: the services behind the cgroups, sockets and processes that the probes count.
 *
 * The cgroup of a TCP socket is that of the process that created it, or created its listener (cgroup_sk_clone() in the kernel). If a
 * listener or connection is passed to another service (socket activation, a proxy, a login), the sender is the process that holds the
 * socket. A sender is resolved when it is first seen, and kept: later its process may have ended, and its number be in use again. */
#ifndef OFFLOADD_SENDER_H
#define OFFLOADD_SENDER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "basic/hash.h"
#include "evidence/probe.h"
#include "kernel/cgroup.h"
#include "model/socket.h"
#include "model/unit.h"

#define SENDERS_MAX 12288 /* more than PROBE_KEYS_DEFAULT; beyond this number, the sender that was noted least recently is forgotten */
#define SENDERS_BATCH (SENDERS_MAX / 2)
#define SENDER_OWNERS_MAX 4096 /* as the map "settled" of bpf/fallback.bpf.c; beyond it, the one that was used least recently is forgotten */
#define SENDER_UNKNOWN "unknown service" /* it could not be determined */

struct sender {
	struct sender_key {
		uint64_t is_process;
		uint64_t cgroup;     /* of a socket, as in struct probe_hits; of a process 0 */
		uint64_t id;	     /* inode of the socket, 0: all of the cgroup; or process id */
		uint64_t first_usec; /* of a process: its first hit; 0: unknown */
	} key;
	struct unit unit;		/* UNIT_NONE: outside any service, or unknown */
	/* unit_format(); SENDER_UNKNOWN; "cgroup N" if the cgroup is gone; the name of the process if that is gone */
	char service[UNIT_SERVICE_LEN];
	bool held;	     /* by a process that was found. Otherwise the cgroup suggests the service of a socket */
	pid_t pid;	     /* of that process; 0: none */
	uint64_t start_usec; /* of that process, CLOCK_BOOTTIME; 0: unknown */
	uint32_t netns;	     /* of that process; 0: unknown */
	uint64_t hits;	     /* of a process, when last found alive; set by the caller */
	bool pending;	     /* not resolved yet */
	bool sought;	     /* of a socket: since the beginning of the pass in progress */
	uint64_t hit_usec;   /* of a pending process: CLOCK_MONOTONIC of a hit, 0: unknown */
	bool over;	     /* set by the caller, for senders_sweep() */
	struct sender_holder {
		pid_t pid;
		uint64_t cgroup; /* 0: unknown */
	} first, last; /* of a pending socket, in the order of process ids */
	UT_hash_handle hh;
};

/* What senders are read from. Scripted in tests. */
struct sender_source {
	/* As the functions of kernel/cgroup.h. */
	int (*cgroup_path)(void *userdata, uint64_t id, char *path, size_t size); /* as probe_cgroup_path(); -ENOENT: unknown */
	bool (*has_cgroup)(void *userdata, const char *path);
	int (*process_path)(void *userdata, pid_t pid, char *path, size_t size);
	int (*read_process)(void *userdata, pid_t pid, struct cgroup_process *ret);
	int (*find_owners)(void *userdata, struct cgroup_scan *scan, struct cgroup_socket *sockets, size_t n, uint64_t until_usec);
	/* As probe_read_holders(). NULL: use find_owners. */
	int (*read_holders)(void *userdata, struct probe_pass *pass, probe_holder_fn fn, void *fn_userdata);
	/* CLOCK_BOOTTIME - CLOCK_MONOTONIC: the time that the host was suspended. */
	uint64_t (*asleep_usec)(void *userdata);
	void *userdata;
};

/* The services that hold the sockets of a cgroup. */
struct sender_owner {
	uint64_t cgroup;
	struct unit unit;
	char service[UNIT_SERVICE_LEN];
	bool single; /* one service holds all sockets that were seen, and is named here */
	UT_hash_handle hh;
};

/* Starts zeroed. */
struct senders {
	struct sender_source source;
	/* Of the default source: */
	struct probe *probe;	      /* shows who holds a socket, even without privileges; NULL: only /proc does. Set by the owner */
	struct sender *all;
	struct sender_owner *owners;
	size_t n_pending, n_sockets; /* all, and the sockets among them */
	struct probe_pass pass; /* of senders_find() */
	struct cgroup_scan scan; /* the same, where the kernel shows no holders */
	struct cgroup_socket *scanned;
	size_t n_scanned;
	bool finding;		/* it is in progress */
	bool resolving;		/* it is over, and what it found is being looked up */
	uint64_t slice_usec;	/* for how long senders_find() looks up at once; 0: to the end. Set by the owner */
	bool foreign_pids; /* probe_has_foreign_pids(): those of probes must not be looked up */
	bool sees; /* a holder was found once: they are visible to us */
};

/* source: NULL for the kernel; copied. */
void senders_open(struct senders *s, const struct sender_source *source);
/* With the same source, which is borrowed from `of`, and no senders yet: who holds a socket may have changed since `of` found it. */
void senders_open_again(struct senders *s, const struct senders *of);
void senders_close(struct senders *s);

/* Returns the sender of a socket, or of hits, added if missing; NULL: no memory. It stays pending until senders_find(). Owned by
 * s, valid until the next sender is added. */
struct sender *senders_note_socket(struct senders *s, uint64_t cgroup, uint64_t inode);
struct sender *senders_note(struct senders *s, const struct probe_hits *hits);
/* Resolves all pending senders, those of sockets by one pass over the processes. 0; -EAGAIN: the slice of probe_options.slice_usec or of
 * s->slice_usec is over, call it again. */
int senders_find(struct senders *s);
/* The same for the first SENDERS_BATCH of these sockets; returns how many it handled. For lists of any length:
 *	for (i = 0, known = 0; i < n; i++) { if (i == known) known += senders_find_sockets(s, all + i, n - i); ... } */
size_t senders_find_sockets(struct senders *s, const struct socket_info *sockets, size_t n);
/* Copies the name of the sender of hits; "" if it is the kernel itself. Returns false if it is only provisional, because it is a
 * pending socket; a pending process is resolved now. */
bool senders_name(struct senders *s, const struct probe_hits *hits, struct unit *ret, char buf[UNIT_SERVICE_LEN]);

/* Has the process ended? Always false while it is pending, for sockets and cgroups, and if process ids are foreign. *ret_start_usec (may be NULL): when the process that has its number now
 * was started, CLOCK_MONOTONIC; 0: there is none. */
bool senders_has_ended(const struct senders *s, const struct sender *sender, uint64_t *ret_start_usec);

/* Forgets the senders that have ended. */
void senders_sweep(struct senders *s);

/* Decides for each of some cgroups whether one service holds all of its connections: those that were noted and found before, and all that
 * processes hold now. single: one does, and sockets of this cgroup that are closed before they can be found are attributed to it. Also if
 * no holders are visible to us at all, so that only the cgroup shows the service. Starts zeroed, with the cgroups. 0; -EAGAIN as senders_find(). */
#define SENDERS_JUDGED_MAX 64
struct sender_judge {
	struct probe_pass pass;
	size_t n;
	struct sender_judged {
		uint64_t cgroup;
		uint64_t holder; /* the cgroup of the first holder */
		uint64_t forgotten; /* another cgroup, whose service was forgotten for this one, and has to be counted by socket again; 0: none */
		struct unit unit;
		bool found, single;
	} of[SENDERS_JUDGED_MAX];
};
int senders_judge(struct senders *s, struct sender_judge *judge);

/* Names the service of a cgroup (0 or 1: unknown), or of a process (0: none) if the cgroup is unknown; `otherwise` if both are. *ret:
 * the unit. Returns buf. */
const char *senders_name_cgroup(struct senders *s, uint64_t cgroup, pid_t pid, const char *otherwise, struct unit *ret,
	char buf[UNIT_SERVICE_LEN]);

#endif
