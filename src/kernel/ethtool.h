/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading and setting offload features, over ethtool netlink or over the SIOCETHTOOL ioctl: one interface,
 * two backends (ethtool_nl.c owns libmnl, ethtool_ioctl.c the ioctl). Everything above sees only this. */
#ifndef OFFLOADD_ETHTOOL_H
#define OFFLOADD_ETHTOOL_H

#include "basic/util.h"
#include "model/feature.h"

#define ETHTOOL_TEXT_LEN 160

enum ethtool_backend {
	ETHTOOL_AUTO,	 /* netlink where its SET is safe (5.10 and later), ioctl below */
	ETHTOOL_NETLINK,
	ETHTOOL_IOCTL,
};
#define ETHTOOL_BACKENDS 3
extern const char *const ethtool_backend_words[ETHTOOL_BACKENDS]; /* "auto", "netlink", "ioctl" */

/* By its word. 0, -EINVAL. */
int ethtool_backend_parse(const char *word, enum ethtool_backend *ret);

/* What came of one SET. Only a read-back tells the truth; this is what the kernel said. */
struct ethtool_result {
	int error;			/* negative errno when the kernel refused, 0 */
	char text[ETHTOOL_TEXT_LEN];	/* the kernel's own words (extended ack), "" when it had none */
	feature_set missed;		/* asked for and not active afterwards, as the reply said */
	feature_set side_effects;	/* changed though not asked for, as the reply said; 0 by ioctl */
};

struct ethtool;

/* Calls for each link of a dump, or of a notification. error is 0, or the negative errno of reading this one
 * link (then features is NULL). It must not call back into the same handle. */
typedef void (*ethtool_features_fn)(
	int ifindex, const struct link_features *features, int error, void *userdata);

struct ethtool_ops { /* what a backend gives; the seam for tests */
	const char *name; /* "netlink", "ioctl" */
	int (*features_strings)(struct ethtool *e, struct feature_table *ret);
	int (*features_get)(struct ethtool *e, int ifindex, const char *name, struct link_features *ret);
	/* NULL where a backend has no dump: the caller gets link by link */
	int (*features_dump)(struct ethtool *e, ethtool_features_fn fn, void *userdata);
	int (*features_set)(struct ethtool *e, int ifindex, const char *name, feature_set mask,
		feature_set value, struct ethtool_result *ret);
	int (*features_recompute)(struct ethtool *e, int ifindex, const char *name);
	int (*driver)(struct ethtool *e, int ifindex, char *buf, size_t size);
	int (*monitor_fd)(struct ethtool *e); /* negative errno where there is none */
	int (*monitor_read)(struct ethtool *e, ethtool_features_fn fn, void *userdata);
	void (*close)(struct ethtool *e);
};

struct ethtool { /* first member of each backend's own handle */
	const struct ethtool_ops *ops;
	struct ethtool *monitor; /* owned; whose notifications are used instead of its own, NULL for none */
};

/* Opens a backend in the network namespace of the calling thread. monitor: also join the kernel's "monitor"
 * multicast group, whose notifications ethtool_monitor_read gives. rcvbuf_bytes: receive buffer for the
 * monitor, 0 for the default of 16 MB. -EOPNOTSUPP: the backend asked for does not exist here (the message
 * for the user is the caller's). */
int ethtool_open(
	enum ethtool_backend backend, bool monitor, size_t rcvbuf_bytes, struct ethtool **ret);
void ethtool_close(struct ethtool *e);
CLEANUP_POINTER(struct ethtool, ethtool_close)

/* "netlink", "ioctl": what is in use. */
const char *ethtool_backend_name(const struct ethtool *e);

/* The running kernel's feature names. */
int ethtool_features_strings(struct ethtool *e, struct feature_table *ret);

/* Features of one link. Name and index must both be right: -ENODEV when the index now has another name or
 * the name another index (the kernel's own check by netlink; SIOCGIFINDEX before and after by ioctl).
 * -EOPNOTSUPP: the device has none. */
int ethtool_features_get(struct ethtool *e, int ifindex, const char *name, struct link_features *ret);

/* Features of every link; -EOPNOTSUPP where the backend has no dump. -EINTR never: a dump that was disturbed
 * (NLM_F_DUMP_INTR) is restarted up to 8 times, then taken as it is. */
int ethtool_features_dump(struct ethtool *e, ethtool_features_fn fn, void *userdata);

/* Sets mask's features to value's. A refusal by the kernel is not an error of this call: it returns 0 with
 * ret->error set. Negative errno only where nothing can be said (no memory, socket gone). -EPERM comes in
 * ret->error. */
int ethtool_features_set(struct ethtool *e, int ifindex, const char *name, feature_set mask,
	feature_set value, struct ethtool_result *ret);

/* Has the kernel ask the driver again for what is wanted and not active. It ignores a driver that failed
 * when it was set (__netdev_update_features() in ethnl_set_features() and ethtool_set_features()), and to
 * set the same again by netlink does nothing. 0, negative errno; whether it helped, only reading tells. */
int ethtool_features_recompute(struct ethtool *e, int ifindex, const char *name);

/* For poll; -EOPNOTSUPP where the backend has no notifications. */
int ethtool_monitor_fd(struct ethtool *e);

/* Reads what is there, without blocking: 0, -ENOBUFS after an overrun (dump again). */
int ethtool_monitor_read(struct ethtool *e, ethtool_features_fn fn, void *userdata);

/* Decodes the payload (after genlmsghdr) of a FEATURES_GET reply, FEATURES_NTF: 0, -EBADMSG for anything
 * malformed. Compact and verbose bitsets (verbose needs the table). The fuzzer's way in. */
int ethtool_features_decode(const void *payload, size_t len, const struct feature_table *table,
	int *ret_ifindex, struct link_features *ret);

/* The driver's name by ETHTOOL_GDRVINFO (both backends: netlink has no such message); -EOPNOTSUPP when it
 * does not tell. */
int ethtool_driver(struct ethtool *e, int ifindex, char *buf, size_t size);

#endif
