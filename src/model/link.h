/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The links of one network namespace, and how they are stacked. State only: observe fills it, decide reads
 * it. */
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

struct link {
	int ifindex;
	char name[LINK_NAME_LEN]; /* the kernel's bytes; clean them (util_copy_name) before they are shown */
	/* rtnetlink's IFLA_INFO_KIND ("vlan", "bond", "veth", ...); "physical" for a link without one that sits on a bus
	 * device, "loopback" for lo, "other" for what tells nothing (a tap made by ioctl says "tun"). */
	char kind[LINK_KIND_LEN];
	char slave_kind[LINK_KIND_LEN];	 /* IFLA_INFO_SLAVE_KIND: "bond", "bridge", "" when enslaved to nothing */
	char driver[LINK_DRIVER_LEN];	 /* ETHTOOL_GDRVINFO of a device on a bus, otherwise the kind */
	uint8_t address[LINK_ADDRESS_LEN];
	unsigned address_len;
	unsigned flags;	   /* IFF_* */
	unsigned vlan_id;  /* IFLA_VLAN_ID, 0 when not a vlan */
	int lower_ifindex; /* IFLA_LINK in this namespace, 0 when none */
	int lower_netnsid; /* the namespace that IFLA_LINK counts in, -1 for this one (then lower_ifindex is 0) */
	int master_ifindex;
	bool default_route; /* a default route leaves by this link */

	bool has_features;   /* features were read at least once */
	bool features_stale; /* an event said that they may have changed since */
	int features_error;  /* negative errno of the last read that failed, 0 */
	struct link_features features;

	/* The stack, kept by link_table_stack(): lists by index in ascending order, 0 ends. First and last of those stacked on
	 * this one, next and previous of those stacked on the same lower; first port of a master, next port of the same one. */
	int first_upper, last_upper, next_upper, prev_upper;
	int first_port, next_port;
	unsigned depth; /* 0 for a link that stands on nothing; else 1 + the deepest below */
	unsigned walked; /* number of the last link_table_related() that came by */

	/* Kept by observe: the dump that last saw it, and whether observe.changed is yet to be called for it. */
	unsigned seen;
	bool noticed;

	UT_hash_handle hh;
};

struct link_table {
	struct link *links; /* uthash by ifindex */
	bool stacked;	    /* lists and depths are right; additions and removals at the top of the stack keep them so */
	size_t dangling;    /* links that stand on one that is not in the table (yet), as of the last stacking */
	unsigned walks;
};

#define link_table_foreach(table, link)                                                            \
	for (struct link *link = (table)->links; link; link = link->hh.next)

/* Frees all links; the table is empty after it. */
void link_table_clear(struct link_table *table);

/* NULL when there is none. */
struct link *link_table_find(const struct link_table *table, int ifindex);
struct link *link_table_find_name(const struct link_table *table, const char *name);
size_t link_table_count(const struct link_table *table);

/* Takes over what a message said of a link: adds it, or updates the attributes of the one with that ifindex
 * and keeps its features. `from` is copied. Returns 1 when the link is new, 1 or 0 as something a rule can
 * see changed or nothing did, -ENOMEM. *ret_link gets the table's own (may be NULL). */
int link_table_update(struct link_table *table, const struct link *from, struct link **ret_link);

/* Forgets a link. Returns 1, or 0 when it was not there. */
int link_table_remove(struct link_table *table, int ifindex);

/* Computes lists and depths from lower_ifindex and master_ifindex. A loop (the kernel makes none; a stale
 * picture may) is cut at its second visit. Cheap when nothing changed. */
void link_table_stack(struct link_table *table);

/* The link that this one is stacked on (vlan, macvlan, vxlan, ...), NULL when none or in another namespace.
 * The peer of a veth is not below it. */
struct link *link_lower(const struct link_table *table, const struct link *link);
/* The bond, bridge or team that this one is a port of; NULL. */
struct link *link_master(const struct link_table *table, const struct link *link);
struct link *link_first_upper(const struct link_table *table, const struct link *link);
struct link *link_next_upper(const struct link_table *table, const struct link *upper);
struct link *link_first_port(const struct link_table *table, const struct link *master);
struct link *link_next_port(const struct link_table *table, const struct link *port);

/* All links, lowest first, by depth and then by ifindex. The array is the caller's to free; *ret_n its length.
 * 0 or -ENOMEM. Stacks the table when needed. */
int link_table_sorted(struct link_table *table, struct link ***ret_links, size_t *ret_n);

/* Those of the n_only indexes that are there, and whatever they are connected with: below, above, ports and
 * masters, up to any distance; each once, in no order. The array is the caller's to free. 0 or -ENOMEM.
 * Stacks the table when needed. */
int link_table_related(struct link_table *table, const int *only, size_t n_only,
	struct link ***ret_links, size_t *ret_n);

/* Asked so often that the first letter is compared here. */
static inline bool link_is_kind(const struct link *link, const char *kind)
{
	return link->kind[0] == kind[0] && strcmp(link->kind, kind) == 0;
}
/* Is its IFLA_LINK the other end of a cable (veth, ...), not something below? */
bool link_has_peer(const struct link *link);

/* "aa:bb:..." into buf (at least 3 * LINK_ADDRESS_LEN bytes); "" without one. */
const char *link_format_address(const struct link *link, char *buf, size_t size);

#endif
