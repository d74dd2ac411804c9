/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The network namespaces of this host, and sockets in them. Another process visits them, a child or offloadd-netns: it alone calls
 * setns(2), with no capabilities but those that this needs, and passes sockets back. It keeps no namespace open between two requests,
 * so a namespace that ends is gone.
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
#include "model/feature.h"
#include "model/unit.h"
#include "rules/rule.h"

#define NAMESPACES_MAX 4096 /* more are not listed */
#define NAMESPACES_PATH_MAX 1024

struct namespace {
	/* What identifies it: inodes are used again at once. */
	uint64_t inode;
	uint64_t cookie; /* SO_NETNS_COOKIE, never used again; 0: before Linux 5.14 */
	uint64_t birth;	 /* without a cookie: when its file appeared, or its process started */
	int nsid;	 /* its number in the namespace of this process, for news only; -1: none */
	bool own;	 /* that of this process */
	bool gone;	 /* in news: it has ended */
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

struct namespaces; /* the connection to the other process */

/* Starts the child. *ret: the caller's to namespaces_close(). 0, negative errno. */
int namespaces_open(struct namespaces **ret);
/* Connects to offloadd-netns instead, which listens at this path. 0; -ENOENT, -ECONNREFUSED: it is not running; other negative errno. */
int namespaces_connect(const char *path, struct namespaces **ret);
#define NAMESPACES_SOCKET_PATH "/run/offloadd-netns/socket"
/* Ends the child; NULL is ignored. */
void namespaces_close(struct namespaces *n);
CLEANUP_POINTER(struct namespaces, namespaces_close)

/* Finds all namespaces, by one pass over the directories and one over /proc. *ret: the caller's to free(), *ret_n of them, that of this
 * process first; *ret_missing: what was not found. A namespace that ends meanwhile may be missing. 0; -EPERM: CAP_SYS_ADMIN or
 * CAP_SYS_PTRACE is missing; other negative errno. */
int namespaces_list(struct namespaces *n, struct namespace **ret, size_t *ret_n, struct namespaces_missing *ret_missing);

/* The same, but only those that are new, have another name or first process than in the last news, or have ended. Gives each a number in
 * the namespace of this process (RTM_NEWNSID). */
int namespaces_read_news(struct namespaces *n, struct namespace **ret, size_t *ret_n, struct namespaces_missing *ret_missing);

/* The same, but looks only at the file with this name in /run/netns or, with docker, in /run/docker/netns: quicker by far. */
int namespaces_look(struct namespaces *n, bool docker, const char *name, struct namespace **ret, size_t *ret_n);

/* Opens sockets in a namespace that was found last, and that is not that of this process. They keep it alive. *ret: the
 * caller's to netns_close_sockets(). 0; -ESTALE: it has ended, or its name or inode belongs to another one now; other negative errno. */
int namespaces_visit(struct namespaces *n, const struct namespace *at, struct netns_sockets *ret);

/* Opens sockets that receive the events of all namespaces with a number in that of this process (NETLINK_LISTEN_ALL_NSID): ret->route of
 * links and of these numbers, ret->generic of features (group: ethtool_monitor_group(); -1 if it is 0). ret->plain is -1. 0, negative errno. */
int namespaces_listen(struct namespaces *n, uint32_t group, struct netns_sockets *ret);

/* The other process: gives up all capabilities but those that this needs, and replies to requests on a SOCK_SEQPACKET socket until its
 * other end is closed. */
void namespaces_serve(int fd);

struct namespace_event {
	int nsid; /* where it happened, or whose number it is; -1: in the namespace of this process */
	enum { NAMESPACE_CHANGED, NAMESPACE_FEATURES, NAMESPACE_NUMBERED, NAMESPACE_ENDED } what;
	int ifindex; /* of a link whose features changed */
	struct link_features features;
};
typedef void (*namespace_event_fn)(const struct namespace_event *event, void *userdata);
/* Read at most max pending events of such a socket, without blocking. 1: there may be more; 0: none; -ENOBUFS: some were lost; other
 * negative errno. */
int namespaces_read_links(int fd, unsigned max, namespace_event_fn fn, void *userdata);
int namespaces_read_features(int fd, unsigned max, namespace_event_fn fn, void *userdata);

/* Whether there are other network namespaces, without the privilege to look into them: those that have a file, or a number in ours. */
struct namespaces_watch {
	int inotify, numbers; /* for poll(2): call namespaces_watch_read() */
	int directories[2];   /* private: watches of the inotify of those with the files */
};
/* 0, negative errno. namespaces_watch_close() it. */
int namespaces_watch_open(struct namespaces_watch *ret);
void namespaces_watch_close(struct namespaces_watch *w);
/* Discards what is pending, so that descriptors become readable with the next change. fn is called for each file that appeared in
 * /run/netns or, with docker, in /run/docker/netns; it may not be a namespace yet. fn may be NULL. True: something may have appeared. */
bool namespaces_watch_read(struct namespaces_watch *w, void (*fn)(bool docker, const char *name, void *userdata), void *userdata);
/* Are there any now? */
bool namespaces_watch_any(const struct namespaces_watch *w);

#endif
