/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The network namespaces of this host, and sockets in them. A child process visits them: it alone calls setns(2), with no capabilities
 * but those that this needs, and passes sockets back. It keeps no namespace open between two requests, so a namespace that ends is gone.
 * Found are namespaces with a file in /run/netns or /run/docker/netns, and those that processes in /proc are in. Not found are those
 * that only a thread, a descriptor or a file elsewhere keeps alive. */
#ifndef OFFLOADD_NAMESPACES_H
#define OFFLOADD_NAMESPACES_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "basic/util.h"
#include "kernel/container.h"
#include "kernel/netns.h"
#include "model/unit.h"
#include "rules/rule.h"

#define NAMESPACES_MAX 4096 /* more are not listed */
#define NAMESPACES_PATH_MAX 1024

struct namespace {
	/* What identifies it: inodes are used again at once. */
	uint64_t inode;
	uint64_t cookie; /* SO_NETNS_COOKIE, never used again; 0: before Linux 5.14 */
	uint64_t birth;	 /* without a cookie: when its file appeared, or its process started */
	bool own;	 /* that of this process */
	bool docker;	 /* the file is in /run/docker/netns, and its name says nothing */
	char name[NAME_MAX + 1]; /* of its file, not sanitized; "": none */
	uint32_t n_processes;
	pid_t pid; /* of the process in it that started first; 0: none */
	uint64_t start_usec;
	char comm[16];			  /* of that process, printable */
	char cgroup[NAMESPACES_PATH_MAX]; /* of that process; "": unknown */
	struct container_record container; /* of that cgroup */
};

/* The name that is shown: in ip-netns(8), unless a runtime made it up; of the container; of the service; else its first process. size:
 * NAMESPACES_LABEL_LEN. Printable. Returns buf. */
#define NAMESPACES_LABEL_LEN (NAME_MAX + UNIT_SERVICE_LEN)
const char *namespaces_label(const struct namespace *at, char *buf, size_t size);

/* The unit of its first process; UNIT_NONE if that is not known. */
void namespaces_unit(const struct namespace *at, struct unit *ret);

/* What rules can match about it, with its texts in one allocation. *ret: the caller's to free(); NULL for that of this process. 0 or
 * -ENOMEM. */
int namespaces_facts(const struct namespace *at, struct rule_netns **ret);

/* What a list may lack. */
struct namespaces_missing {
	bool more; /* there are more than NAMESPACES_MAX */
	unsigned processes; /* the kernel does not show where these are, although we have the capabilities */
};

struct namespaces; /* the child */

/* Starts the child. *ret: the caller's to namespaces_close(). 0, negative errno. */
int namespaces_open(struct namespaces **ret);
/* Ends the child; NULL is ignored. */
void namespaces_close(struct namespaces *n);
CLEANUP_POINTER(struct namespaces, namespaces_close)

/* Finds all namespaces, by one pass over the directories and one over /proc. *ret: the caller's to free(), *ret_n of them, that of this
 * process first; *ret_missing: what was not found. A namespace that ends meanwhile may be missing. 0; -EPERM: CAP_SYS_ADMIN or
 * CAP_SYS_PTRACE is missing; other negative errno. */
int namespaces_list(struct namespaces *n, struct namespace **ret, size_t *ret_n, struct namespaces_missing *ret_missing);

/* Opens sockets in a namespace that namespaces_list() found last, and that is not that of this process. They keep it alive. *ret: the
 * caller's to netns_close_sockets(). 0; -ESTALE: it has ended, or its name or inode belongs to another one now; other negative errno. */
int namespaces_visit(struct namespaces *n, const struct namespace *at, struct netns_sockets *ret);

#endif
