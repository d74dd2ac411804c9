/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The links of one network namespace as the kernel reports them, and how they are stacked. kernel/observe.c
 * fills the table. Pure. */
#ifndef OFFLOADD_LINK_H
#define OFFLOADD_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "basic/hash.h"
#include "model/feature.h"

#define LINK_NAME_LEN 16  /* IFNAMSIZ */
#define LINK_KIND_LEN 24
#define LINK_DRIVER_LEN 32
#define LINK_ADDRESS_LEN 32 /* MAX_ADDR_LEN */
#define LINK_ALT_NAME_MAX 127 /* ALTIFNAMSIZ, without its terminator */
#define LINK_DEVICE_LEN 24
#define LINK_KINDS_MAX 64 /* at least those that link_known_kind() returns */
#define LINK_HSR_PORTS 3

/* The sizes that a link limits GSO and GRO to, as rtnetlink reports them (IFLA_*). Sizes are bytes, segs are
 * packets. The IPv4 variants apply to IPv4 packets. The other GSO and GRO sizes apply to IPv6 packets, and before Linux
 * 6.3 to both; gso_max_segs always applies to both. */
enum link_limit {
	LINK_LIMIT_GSO_MAX_SIZE,      /* a packet of this size or larger is segmented in software (gso_features_check()) */
	LINK_LIMIT_GSO_MAX_SEGS,      /* so is a packet with more segments than this */
	LINK_LIMIT_GRO_MAX_SIZE,      /* from Linux 5.17 on */
	LINK_LIMIT_GSO_IPV4_MAX_SIZE, /* from 6.3 on */
	LINK_LIMIT_GRO_IPV4_MAX_SIZE, /* from 6.3 on */
	/* what the driver supports, which cannot be changed: the upper bounds of gso_max_size and gso_max_segs; from 5.19 on */
	LINK_LIMIT_TSO_MAX_SIZE,
	LINK_LIMIT_TSO_MAX_SEGS,
};
#define LINK_LIMIT_COUNT 7
#define LINK_LIMIT_SETTABLE 5 /* those before it can be changed */
#define LINK_LIMIT(limit) (1u << (limit))

struct link_limits {
	uint32_t value[LINK_LIMIT_COUNT];
	unsigned has; /* LINK_LIMIT() of those that this kernel reports; the value of others is 0 */
};

/* Properties of a device on a bus that few rules match, so they are read only if a rule does. Sanitized; "" if not known. */
struct link_hardware {
	char path[128]; /* ID_PATH of udev: "pci-0000:02:00.0" */
	char device[LINK_DEVICE_LEN]; /* PCI "vendor:device:subvendor:subdevice": "8086:10d3:8086:a01f" */
	char driver_version[32], firmware[32]; /* as ethtool -i prints them */
};

struct link {
	/* attributes */
	int ifindex;
	char name[LINK_NAME_LEN]; /* raw: sanitize it (util_copy_name()) for output */
	char *alt_names; /* alternative names, each with a NUL, and a NUL at the end; owned by the table; NULL: none */
	/* IFLA_INFO_KIND ("vlan", "bond", "veth", ...). Without one: "physical" for a device on a bus,
	 * "loopback" for lo, else "other". */
	char kind[LINK_KIND_LEN];
	char slave_kind[LINK_KIND_LEN];	 /* IFLA_INFO_SLAVE_KIND: "bond", "bridge"; "" without a master */
	char driver[LINK_DRIVER_LEN];	 /* ETHTOOL_GDRVINFO of a device on a bus, else the kind */
	uint8_t address[LINK_ADDRESS_LEN];
	unsigned address_len;
	unsigned flags;	   /* IFF_* */
	unsigned carrier_losses; /* IFLA_CARRIER_DOWN_COUNT, 0 before Linux 4.16 */
	unsigned vlan_id;  /* IFLA_VLAN_ID, 0 for other kinds */
	int lower_ifindex; /* IFLA_LINK in this namespace, 0: none */
	int lower_netnsid; /* IFLA_LINK_NETNSID if IFLA_LINK is in another namespace (lower_ifindex is 0 then), else -1 */
	int far_ifindex;   /* IFLA_LINK in that namespace, else 0 */
	int master_ifindex; /* IFLA_MASTER, 0: none */
	int hsr_ports[LINK_HSR_PORTS]; /* of a "hsr": IFLA_HSR_SLAVE1, IFLA_HSR_SLAVE2, IFLA_HSR_INTERLINK; 0: none */
	bool xdp; /* IFLA_XDP_ATTACHED: an XDP program is attached, in whatever mode */
	/* IFLA_MACSEC_OFFLOAD of a "macsec": 0: none, else by PHY or MAC; -1: the kernel does not report it, or another kind */
	int macsec_offload;
	struct link_limits limits;

	bool default_route; /* a default route uses this link */
	bool forwards; /* it forwards IPv4 or IPv6: NETCONFA_FORWARDING. Read only if a rule needs it */
	/* Is the name final? udev may still rename a link that it has not initialised. Until then no rule that depends on the name
	 * applies. Checked only if a rule does. */
	enum { LINK_NAME_UNCHECKED, LINK_NAME_PENDING, LINK_NAME_FINAL } naming;
	uint64_t named_by_usec; /* pending: when it counts as final in any case; CLOCK_MONOTONIC */
	struct link_hardware *hardware; /* owned by the table; read only if a rule needs it; NULL: none */

	bool has_features;   /* `features` was read at least once */
	bool features_stale; /* they may have changed since */
	int features_error;  /* negative errno of the last read, 0 if it succeeded */
	struct link_features features;

	/* The stack, computed by link_table_stack(), as lists of indexes in ascending order that end with 0:
	 * the first and last link stacked on this one, the next and previous one on the same lower link; the
	 * first port of this master, the next port of the same master. hsr_ifindex: the HSR interface that names
	 * this link as a port, for which the kernel sends no IFLA_MASTER; 0: none. */
	int first_upper, last_upper, next_upper, prev_upper;
	int first_port, next_port;
	int hsr_ifindex;
	unsigned depth; /* 0: no link below it; else 1 + the greatest depth below */
	unsigned walked; /* link_table.walks of the last link_table_related() that found it */

	/* Used by observe.c: the last dump that contained it, and whether observe.changed must be called for
	 * it. */
	unsigned seen;
	bool noticed;
	bool forwards_now; /* used by rtnl_dump_forwarding() */

	UT_hash_handle hh;
};

/* What rtnl_read_details() reads about one link when it is needed. */
enum link_role { LINK_ROLE_NONE, LINK_ROLE_ACTIVE, LINK_ROLE_BACKUP }; /* of a port of a bond: IFLA_BOND_SLAVE_STATE */
#define LINK_ROLES 3

struct link_details {
	enum link_role role;
	/* of a tunnel */
	uint16_t family;    /* of its remote end, AF_INET or AF_INET6; 0: none is configured */
	uint8_t remote[16]; /* network byte order; IPv4 in the first four bytes */
	bool checksum;	    /* its packets have an outer checksum, which hardware has to compute */
};

struct link_table {
	struct link *links; /* uthash by ifindex */
	struct link_name *names; /* sorted, made by link_table_find_name(); NULL: not since the last change */
	size_t n_names;
	bool stacked;	    /* lists and depths are up to date, even after changes at the top of the stack */
	size_t dangling;    /* links whose lower link or master is not in the table (yet), at the last stacking */
	unsigned walks; /* calls of link_table_related() */
};

#define link_table_foreach(table, link)                                                            \
	for (struct link *link = (table)->links; link; link = link->hh.next)

#define link_foreach_alt_name(link, alt_name)                                                      \
	for (const char *alt_name = (link)->alt_names ? (link)->alt_names : ""; *alt_name; alt_name += strlen(alt_name) + 1)

/* Frees all links and empties the table. */
void link_table_clear(struct link_table *table);

/* A link by index, or by name or alternative name, owned by the table; NULL if there is none. */
struct link *link_table_find(const struct link_table *table, int ifindex);
struct link *link_table_find_name(struct link_table *table, const char *name);
size_t link_table_count(const struct link_table *table);

/* Adds a copy of a link, or updates the attributes of the link with that index and keeps its features.
 * *ret_link (ret_link may be NULL) gets the link in the table. 1: it is new, or an attribute changed that a
 * rule can match; 0: no change; -ENOMEM. */
int link_table_update(struct link_table *table, const struct link *from, struct link **ret_link);

/* Copies alternative names, which may be NULL. *ret: the caller's to free. 0 or -ENOMEM. */
int link_copy_alt_names(const char *names, char **ret);

/* Removes and frees a link. 1, or 0 if it is not in the table. */
int link_table_remove(struct link_table *table, int ifindex);

/* Computes lists and depths from lower_ifindex and master_ifindex, if they are not up to date. A loop, which
 * the kernel does not allow but outdated data may have, is cut where it is entered. Without memory the table
 * stays as it is. */
void link_table_stack(struct link_table *table);

/* The link that this one is stacked on (VLAN, macvlan, vxlan, ...); NULL if there is none, or if it is in
 * another namespace. The peer of a veth is not below it. All results are owned by the table. */
struct link *link_lower(const struct link_table *table, const struct link *link);
/* The bond, bridge, team, HSR, ... that this link is a port of; NULL. For HSR the table must be stacked. */
struct link *link_master(const struct link_table *table, const struct link *link);
/* The links stacked on a link, and the ports of a master, in ascending order of their indexes; NULL at the
 * end. The table must be stacked. */
struct link *link_first_upper(const struct link_table *table, const struct link *link);
struct link *link_next_upper(const struct link_table *table, const struct link *upper);
struct link *link_first_port(const struct link_table *table, const struct link *master);
struct link *link_next_port(const struct link_table *table, const struct link *port);

/* All links, lowest first: by depth, then by index. The array of *ret_n elements is the caller's to free, the
 * links are the table's. Stacks the table if needed. 0 or -ENOMEM. */
int link_table_sorted(struct link_table *table, struct link ***ret_links, size_t *ret_n);

/* The links with the n_only indexes, and all links connected with them directly or indirectly: below, above,
 * ports and masters. Each once, in no order; unknown indexes are ignored. Otherwise like
 * link_table_sorted(). */
int link_table_related(struct link_table *table, const int *only, size_t n_only,
	struct link ***ret_links, size_t *ret_n);

/* Inlined with a comparison of the first letter, because it is called often. */
static inline bool link_is_kind(const struct link *link, const char *kind)
{
	return link->kind[0] == kind[0] && strcmp(link->kind, kind) == 0;
}
/* Kind i of those that known kernels have, sorted; NULL after the last. Static. */
const char *link_known_kind(size_t i);
/* Is its IFLA_LINK a peer (veth, ...), and not a link below? */
bool link_has_peer(const struct link *link);

/* The name in rules and documents, "gso-max-size"; and the limit with that name, -1 if there is none. */
const char *link_limit_name(enum link_limit limit);
int link_limit_find(const char *name);
bool link_limits_equal(const struct link_limits *a, const struct link_limits *b);

/* Formats the address, "aa:bb:...", "" without one, into buf of at least 3 * LINK_ADDRESS_LEN bytes. Returns
 * buf. */
const char *link_format_address(const struct link *link, char *buf, size_t size);

#endif
