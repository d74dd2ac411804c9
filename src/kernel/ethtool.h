/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads and sets offload features, with one of two backends: ethtool netlink (ethtool_nl.c, the only user of
 * libmnl) or the SIOCETHTOOL ioctl (ethtool_ioctl.c). Feature sets use the bits of
 * ethtool_features_strings(). */
#ifndef OFFLOADD_ETHTOOL_H
#define OFFLOADD_ETHTOOL_H

#include "basic/util.h"
#include "kernel/netns.h"
#include "model/feature.h"

#define ETHTOOL_TEXT_LEN 160

enum ethtool_backend {
	ETHTOOL_AUTO,	 /* netlink from Linux 5.10, where its SET is safe; ioctl before */
	ETHTOOL_NETLINK,
	ETHTOOL_IOCTL,
};
#define ETHTOOL_BACKENDS 3
extern const char *const ethtool_backend_words[ETHTOOL_BACKENDS]; /* "auto", "netlink", "ioctl" */

/* The reply of the kernel to one SET. Only reading the features again shows its effect. */
struct ethtool_result {
	int error;			/* negative errno: the kernel refused it; else 0 */
	char text[ETHTOOL_TEXT_LEN];	/* the message of the kernel (extended ack), "" for none */
	feature_set missed;		/* requested, but not active afterwards */
	feature_set side_effects;	/* changed, but not requested; always 0 with ioctl */
};

struct ethtool;

/* Called for each link in a dump or notification. error: 0, or the negative errno of this link (features is
 * NULL then). It must not use the handle that calls it. */
typedef void (*ethtool_features_fn)(
	int ifindex, const struct link_features *features, int error, void *userdata);

/* What `ethtool -i` prints. Sanitized; "" if the driver does not report it. */
struct ethtool_info {
	char driver[32], version[32], firmware[32];
	char bus[32]; /* the address on the bus: "0000:02:00.0" */
};

/* A backend, or a stand-in in tests. See the functions of the same name below. features_dump,
 * features_recompute, info, monitor_fd and monitor_read may be NULL: not supported. */
struct ethtool_ops {
	const char *name; /* "netlink", "ioctl" */
	int (*features_strings)(struct ethtool *e, struct feature_table *ret);
	int (*features_get)(struct ethtool *e, int ifindex, const char *name, struct link_features *ret);
	int (*features_dump)(struct ethtool *e, ethtool_features_fn fn, void *userdata);
	int (*features_set)(struct ethtool *e, int ifindex, const char *name, feature_set mask,
		feature_set value, struct ethtool_result *ret);
	int (*features_recompute)(struct ethtool *e, int ifindex, const char *name);
	int (*info)(struct ethtool *e, int ifindex, struct ethtool_info *ret);
	int (*monitor_fd)(struct ethtool *e);
	int (*monitor_read)(struct ethtool *e, ethtool_features_fn fn, void *userdata);
	void (*close)(struct ethtool *e);
};

/* The first member of the handle of each backend. */
struct ethtool {
	const struct ethtool_ops *ops;
	struct ethtool *monitor; /* owned; another handle with the notifications, or NULL */
};

/* Opens a backend in the network namespace of the calling thread. monitor: also join the multicast group
 * "monitor", for ethtool_monitor_read(); with ioctl, only if the kernel has ethtool netlink. rcvbuf_bytes:
 * size of its receive buffer (SO_RCVBUFFORCE), 0: 16 MiB. *ret: the caller's to ethtool_close(). 0;
 * -EOPNOTSUPP: the kernel does not have this backend; other negative errno. */
int ethtool_open(
	enum ethtool_backend backend, bool monitor, size_t rcvbuf_bytes, struct ethtool **ret);
/* The same in the network namespace of these sockets, of which it makes copies, and without notifications. */
int ethtool_open_in(enum ethtool_backend backend, const struct netns_sockets *sockets, struct ethtool **ret);
/* Frees the handle; NULL is ignored. */
void ethtool_close(struct ethtool *e);
CLEANUP_POINTER(struct ethtool, ethtool_close)

/* The backend in use: "netlink", "ioctl". Static. */
const char *ethtool_backend_name(const struct ethtool *e);

/* Reads the feature names of the running kernel (ETH_SS_FEATURES). 0, negative errno. */
int ethtool_features_strings(struct ethtool *e, struct feature_table *ret);

/* Reads the features of the link that has both this index and this name (netlink:
 * ethnl_parse_header_dev_get() checks both; ioctl: SIOCGIFNAME before and after). 0; -ENODEV: there is no
 * such link; -EOPNOTSUPP: it has no features; other negative errno. */
int ethtool_features_get(struct ethtool *e, int ifindex, const char *name, struct link_features *ret);

/* Calls fn for every link of the namespace, possibly more than once: a dump that the kernel marks as
 * inconsistent (NLM_F_DUMP_INTR) is repeated, up to 8 times in all. 0; -EOPNOTSUPP: the backend has no dump;
 * other negative errno. */
int ethtool_features_dump(struct ethtool *e, ethtool_features_fn fn, void *userdata);

/* Requests the features in mask, on or off as in value. Returns 0 even if the kernel refuses (ret->error, for
 * example -EPERM); negative errno if the result is not known. The link is identified as in
 * ethtool_features_get(). */
int ethtool_features_set(struct ethtool *e, int ifindex, const char *name, feature_set mask,
	feature_set value, struct ethtool_result *ret);

/* Makes the kernel request again from the driver what is wanted but not active. A SET does not report it if
 * the driver fails (__netdev_update_features() in ethnl_set_features() and ethtool_set_features()), and a
 * repeated SET by netlink has no effect. 0, negative errno; only reading the features shows the effect. */
int ethtool_features_recompute(struct ethtool *e, int ifindex, const char *name);

/* A file descriptor for poll(2), owned by the handle; -EOPNOTSUPP: no notifications. */
int ethtool_monitor_fd(struct ethtool *e);

/* Reads the pending notifications without blocking, and calls fn for each. 0; -ENOBUFS: some were lost, dump
 * again; other negative errno. */
int ethtool_monitor_read(struct ethtool *e, ethtool_features_fn fn, void *userdata);

/* Decodes one notification, a netlink message that is complete. 0; -ENOENT: it is about something else; -EBADMSG. */
struct nlmsghdr;
int ethtool_monitor_decode(const struct nlmsghdr *nlh, int *ret_ifindex, struct link_features *ret);

/* The multicast group of notifications, which is the same in all network namespaces; 0: none, or the netlink backend was not opened yet. */
uint32_t ethtool_monitor_group(void);

/* Decodes the payload (after genlmsghdr, len bytes) of ETHTOOL_MSG_FEATURES_GET_REPLY or _NTF, with compact
 * or verbose bitsets. table: for verbose bitsets without bit numbers; may be NULL. 0, -EBADMSG. Also called
 * by the fuzzer. */
int ethtool_features_decode(const void *payload, size_t len, const struct feature_table *table,
	int *ret_ifindex, struct link_features *ret);

/* Reads what `ethtool -i` prints by ioctl (ETHTOOL_GDRVINFO), because netlink has no such message. 0; -EOPNOTSUPP: the driver does not report its
 * name; other negative errno. On error ret is empty. */
int ethtool_info(struct ethtool *e, int ifindex, struct ethtool_info *ret);

#endif
