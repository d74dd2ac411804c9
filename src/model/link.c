/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basic/util.h"

/* The length of a chain at which uthash adds buckets. Short chains, because each link in one is a cache
 * miss. */
#undef HASH_BKT_CAPACITY_THRESH
#define HASH_BKT_CAPACITY_THRESH 2U

/* Kinds whose IFLA_LINK is a peer, not a link below. */
static const char *const peer_kinds[] = { "veth", "netkit", "vxcan" };

/* rtnl_link_ops.kind in Linux 4.4 to 7.2, and the three of struct link. */
static const char *const known_kinds[] = {
	"amt", "bareudp", "batadv", "bond", "bridge", "caif", "can", "dsa", "dummy", "erspan", "geneve", "gre", "gretap", "gtp", "hsr",
	"ifb", "ip6erspan", "ip6gre", "ip6gretap", "ip6tnl", "ipip", "ipoib", "ipvlan", "ipvtap", "loopback", "lowpan", "macsec",
	"macvlan", "macvtap", "netdevsim", "netkit", "nlmon", "openvswitch", "other", "ovpn", "pfcp", "physical", "ppp", "rmnet", "sit",
	"team", "tun", "vcan", "veth", "virt_wifi", "vlan", "vrf", "vsockmon", "vti", "vti6", "vxcan", "vxlan", "wireguard", "wwan",
	"xfrm",
};
_Static_assert(ARRAY_SIZE(known_kinds) <= LINK_KINDS_MAX, "arrays of callers");

static const char *const limit_names[LINK_LIMIT_COUNT] = {
	[LINK_LIMIT_GSO_MAX_SIZE] = "gso-max-size",
	[LINK_LIMIT_GSO_MAX_SEGS] = "gso-max-segs",
	[LINK_LIMIT_GRO_MAX_SIZE] = "gro-max-size",
	[LINK_LIMIT_GSO_IPV4_MAX_SIZE] = "gso-ipv4-max-size",
	[LINK_LIMIT_GRO_IPV4_MAX_SIZE] = "gro-ipv4-max-size",
	[LINK_LIMIT_TSO_MAX_SIZE] = "tso-max-size",
	[LINK_LIMIT_TSO_MAX_SEGS] = "tso-max-segs",
};

#define DEPTH_UNKNOWN UINT32_MAX
#define DEPTH_WALKING (UINT32_MAX - 1)

static void free_link(struct link *link)
{
	free(link->alt_names);
	free(link->hardware);
	free(link);
}

/* ---- names ---- */

struct link_name {
	const char *name;
	bool alternative;
	struct link *link;
};

static void forget_names(struct link_table *table)
{
	free(table->names);
	table->names = NULL;
}

static int compare_names(const void *p, const void *q)
{
	const struct link_name *a = p, *b = q;

	return strcmp(a->name, b->name) ?: COMPARE(a->alternative, b->alternative);
}

/* Without memory the table has no names. */
static void sort_names(struct link_table *table)
{
	size_t n = 0;

	link_table_foreach(table, link) {
		n++;
		link_foreach_alt_name(link, alt_name)
			n++;
	}
	table->names = calloc(n + 1, sizeof(*table->names));
	table->n_names = 0;
	if (!table->names)
		return;
	link_table_foreach(table, link) {
		table->names[table->n_names++] = (struct link_name){ link->name, false, link };
		link_foreach_alt_name(link, alt_name)
			table->names[table->n_names++] = (struct link_name){ alt_name, true, link };
	}
	qsort(table->names, n, sizeof(*table->names), compare_names);
}

struct link *link_table_find_name(struct link_table *table, const char *name)
{
	if (!table->names && table->links)
		sort_names(table);
	for (int alternative = 0; table->names && alternative < 2; alternative++) {
		const struct link_name wanted = { name, alternative, NULL };
		const struct link_name *found =
			bsearch(&wanted, table->names, table->n_names, sizeof(*table->names), compare_names);

		if (found)
			return found->link;
	}
	return NULL;
}

/* ---- */

void link_table_clear(struct link_table *table)
{
	HASH_FREE(table->links, free_link);
	forget_names(table);
	table->stacked = false;
	table->dangling = 0;
}

struct link *link_table_find(const struct link_table *table, int ifindex)
{
	struct link *link;

	HASH_FIND_INT(table->links, &ifindex, link);
	return link;
}

size_t link_table_count(const struct link_table *table)
{
	return HASH_COUNT(table->links);
}

/* With the NUL at the end. */
static size_t alt_names_size(const char *names)
{
	size_t size = 0;

	for (; names && names[size]; size += strlen(names + size) + 1)
		;
	return size ? size + 1 : 0;
}

int link_copy_alt_names(const char *names, char **ret)
{
	size_t size = alt_names_size(names);

	*ret = size ? malloc(size) : NULL;
	if (size && !*ret)
		return -ENOMEM;
	if (size)
		memcpy(*ret, names, size);
	return 0;
}

static bool same_alt_names(const struct link *a, const struct link *b)
{
	size_t size = alt_names_size(a->alt_names);

	return size == alt_names_size(b->alt_names) && (size == 0 || memcmp(a->alt_names, b->alt_names, size) == 0);
}

/* Copies the attributes, which come first in struct link. 0 or -ENOMEM. */
static int take_attributes(struct link *link, const struct link *from)
{
	char *alt_names;

	if (link_copy_alt_names(from->alt_names, &alt_names) < 0)
		return -ENOMEM;
	free(link->alt_names);
	memcpy(link, from, offsetof(struct link, default_route));
	link->alt_names = alt_names;
	return 0;
}

static bool same_attributes(const struct link *a, const struct link *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->kind, b->kind) == 0 &&
		strcmp(a->slave_kind, b->slave_kind) == 0 && strcmp(a->driver, b->driver) == 0 &&
		a->address_len == b->address_len &&
		memcmp(a->address, b->address, a->address_len) == 0 && a->flags == b->flags &&
		a->carrier_losses == b->carrier_losses && same_alt_names(a, b) &&
		a->vlan_id == b->vlan_id && a->lower_ifindex == b->lower_ifindex &&
		a->lower_netnsid == b->lower_netnsid && a->far_ifindex == b->far_ifindex && a->master_ifindex == b->master_ifindex &&
		memcmp(a->hsr_ports, b->hsr_ports, sizeof(a->hsr_ports)) == 0 && a->xdp == b->xdp &&
		a->macsec_offload == b->macsec_offload &&
		link_limits_equal(&a->limits, &b->limits);
}

/* Is its place in the stack the same? */
static bool same_place(const struct link *a, const struct link *b)
{
	return strcmp(a->kind, b->kind) == 0 && a->lower_ifindex == b->lower_ifindex &&
		a->master_ifindex == b->master_ifindex &&
		memcmp(a->hsr_ports, b->hsr_ports, sizeof(a->hsr_ports)) == 0;
}

const char *link_known_kind(size_t i)
{
	return i < ARRAY_SIZE(known_kinds) ? known_kinds[i] : NULL;
}

bool link_has_peer(const struct link *link)
{
	for (size_t i = 0; i < ARRAY_SIZE(peer_kinds); i++)
		if (link_is_kind(link, peer_kinds[i]))
			return true;
	return false;
}

struct link *link_lower(const struct link_table *table, const struct link *link)
{
	if (link->lower_ifindex == 0 || link->lower_ifindex == link->ifindex || link_has_peer(link))
		return NULL;
	return link_table_find(table, link->lower_ifindex);
}

struct link *link_master(const struct link_table *table, const struct link *link)
{
	int ifindex = link->master_ifindex ? link->master_ifindex : link->hsr_ifindex;

	return ifindex ? link_table_find(table, ifindex) : NULL;
}

static bool has_hsr_ports(const struct link *link)
{
	return link->hsr_ports[0] || link->hsr_ports[1] || link->hsr_ports[2];
}

/* Appends a link to the list of its lower link's uppers; the caller adds links in ascending order. */
static void join_uppers(const struct link_table *table, struct link *lower, struct link *link)
{
	struct link *last = link_table_find(table, lower->last_upper);

	link->prev_upper = lower->last_upper;
	link->next_upper = 0;
	if (last)
		last->next_upper = link->ifindex;
	else
		lower->first_upper = link->ifindex;
	lower->last_upper = link->ifindex;
}

static void leave_uppers(const struct link_table *table, struct link *lower, const struct link *link)
{
	struct link *prev = link_table_find(table, link->prev_upper);
	struct link *next = link_table_find(table, link->next_upper);

	if (prev)
		prev->next_upper = link->next_upper;
	else
		lower->first_upper = link->next_upper;
	if (next)
		next->prev_upper = link->prev_upper;
	else
		lower->last_upper = link->prev_upper;
}

static bool is_dangling(const struct link_table *table, const struct link *link)
{
	for (size_t i = 0; i < LINK_HSR_PORTS; i++)
		if (link->hsr_ports[i] && !link_table_find(table, link->hsr_ports[i]))
			return true;
	return (link->lower_ifindex && !link_has_peer(link) && !link_lower(table, link)) ||
		(link->master_ifindex && !link_master(table, link));
}

/* Adds a new link at the top of the stack, if no other link can be stacked on it yet: then thousands of new
 * links do not need as many calls of link_table_stack(). False: that call is needed. */
static bool add_at_top(struct link_table *table, struct link *link)
{
	struct link *lower = link_lower(table, link);

	if (!table->stacked || table->dangling || link->master_ifindex || has_hsr_ports(link) ||
		is_dangling(table, link) || (lower && lower->last_upper > link->ifindex))
		return false;
	link->first_upper = link->last_upper = link->next_upper = link->prev_upper = 0;
	link->first_port = link->next_port = link->hsr_ifindex = 0;
	link->depth = lower ? lower->depth + 1 : 0;
	if (lower)
		join_uppers(table, lower, link);
	return true;
}

/* The same for the removal of a link without links above. */
static bool remove_at_top(struct link_table *table, const struct link *link)
{
	struct link *lower = link_lower(table, link);

	if (!table->stacked || link->first_upper || link->first_port || link->master_ifindex || link->hsr_ifindex)
		return false;
	if (lower)
		leave_uppers(table, lower, link);
	return true;
}

int link_table_update(struct link_table *table, const struct link *from, struct link **ret_link)
{
	struct link *link = link_table_find(table, from->ifindex);
	int changed = 0;

	if (!link) {
		link = malloc(sizeof(*link));
		if (!link)
			return -ENOMEM;
		*link = *from;
		link->walked = 0;
		link->alt_names = NULL;
		link->hardware = NULL;
		if (take_attributes(link, from) < 0) {
			free(link);
			return -ENOMEM;
		}
		link->features_stale = !link->has_features;
		if (hash_add(table->links, ifindex, link) < 0) {
			free_link(link);
			return -ENOMEM;
		}
		forget_names(table);
		table->stacked = add_at_top(table, link);
		changed = 1;
	} else if (!same_attributes(link, from)) {
		bool same = same_place(link, from);

		if (take_attributes(link, from) < 0)
			return -ENOMEM;
		forget_names(table);
		table->stacked &= same;
		changed = 1;
	}
	if (ret_link)
		*ret_link = link;
	return changed;
}

int link_table_remove(struct link_table *table, int ifindex)
{
	struct link *link = link_table_find(table, ifindex);

	if (!link)
		return 0;
	forget_names(table);
	table->stacked = remove_at_top(table, link);
	HASH_DEL(table->links, link);
	free_link(link);
	return 1;
}

struct link *link_first_upper(const struct link_table *table, const struct link *link)
{
	return link->first_upper ? link_table_find(table, link->first_upper) : NULL;
}

struct link *link_next_upper(const struct link_table *table, const struct link *upper)
{
	return upper->next_upper ? link_table_find(table, upper->next_upper) : NULL;
}

struct link *link_first_port(const struct link_table *table, const struct link *master)
{
	return master->first_port ? link_table_find(table, master->first_port) : NULL;
}

struct link *link_next_port(const struct link_table *table, const struct link *port)
{
	return port->next_port ? link_table_find(table, port->next_port) : NULL;
}

static unsigned walk_depth(const struct link_table *table, struct link *link)
{
	unsigned depth = 0;
	struct link *lower;

	if (link->depth == DEPTH_WALKING)
		return 0;
	if (link->depth != DEPTH_UNKNOWN)
		return link->depth;
	link->depth = DEPTH_WALKING;
	lower = link_lower(table, link);
	if (lower)
		depth = 1 + walk_depth(table, lower);
	for (struct link *port = link_first_port(table, link); port; port = link_next_port(table, port)) {
		unsigned d = 1 + walk_depth(table, port);

		if (d > depth)
			depth = d;
	}
	link->depth = depth;
	return depth;
}

static int compare_ifindex(const void *a, const void *b)
{
	const struct link *x = *(struct link *const *)a, *y = *(struct link *const *)b;

	return COMPARE(x->ifindex, y->ifindex);
}

static int compare_depth(const void *a, const void *b)
{
	const struct link *x = *(struct link *const *)a, *y = *(struct link *const *)b;

	return COMPARE(x->depth, y->depth) ?: COMPARE(x->ifindex, y->ifindex);
}

/* They are usually sorted: a dump is in ascending order of indexes, and few links are stacked. */
static void sort_links(struct link **links, size_t n, int (*compare)(const void *, const void *))
{
	for (size_t i = 1; i < n; i++)
		if (compare(&links[i - 1], &links[i]) > 0) {
			qsort(links, n, sizeof(*links), compare);
			return;
		}
}

/* 0, or -ENOMEM with *ret_links NULL. */
static int collect(const struct link_table *table, struct link ***ret_links, size_t *ret_n)
{
	size_t n = 0;

	*ret_links = malloc((link_table_count(table) + 1) * sizeof(**ret_links));
	*ret_n = 0;
	if (!*ret_links)
		return -ENOMEM;
	link_table_foreach(table, link)
		(*ret_links)[n++] = link;
	*ret_n = n;
	return 0;
}

static void name_hsr_ports(const struct link_table *table, const struct link *hsr)
{
	for (size_t i = 0; i < LINK_HSR_PORTS; i++) {
		struct link *port = hsr->hsr_ports[i] ? link_table_find(table, hsr->hsr_ports[i]) : NULL;

		if (port && port != hsr)
			port->hsr_ifindex = hsr->ifindex;
	}
}

void link_table_stack(struct link_table *table)
{
	_cleanup_free_ struct link **links = NULL;
	size_t n;

	if (table->stacked)
		return;
	if (collect(table, &links, &n) < 0)
		return;
	sort_links(links, n, compare_ifindex);
	for (size_t i = 0; i < n; i++) {
		links[i]->first_upper = links[i]->last_upper = 0;
		links[i]->next_upper = links[i]->prev_upper = 0;
		links[i]->first_port = links[i]->next_port = links[i]->hsr_ifindex = 0;
		links[i]->depth = DEPTH_UNKNOWN;
	}
	for (size_t i = 0; i < n; i++)
		name_hsr_ports(table, links[i]);
	table->dangling = 0;
	for (size_t i = 0; i < n; i++) {
		struct link *lower = link_lower(table, links[i]);

		if (lower)
			join_uppers(table, lower, links[i]);
		table->dangling += is_dangling(table, links[i]);
	}
	for (size_t i = n; i-- > 0;) {
		struct link *master = link_master(table, links[i]);

		if (!master || master == links[i])
			continue;
		links[i]->next_port = master->first_port;
		master->first_port = links[i]->ifindex;
	}
	for (size_t i = 0; i < n; i++)
		walk_depth(table, links[i]);
	table->stacked = true;
}

int link_table_sorted(struct link_table *table, struct link ***ret_links, size_t *ret_n)
{
	int r;

	link_table_stack(table);
	r = collect(table, ret_links, ret_n);
	if (r < 0)
		return r;
	sort_links(*ret_links, *ret_n, compare_depth);
	return 0;
}

struct walk {
	struct link_table *table;
	struct link **links;
	size_t n;
};

/* link may be NULL. 0 or -ENOMEM. */
static int walk_to(struct walk *w, struct link *link)
{
	if (!link || link->walked == w->table->walks)
		return 0;
	if (!GROW(w->links, w->n))
		return -ENOMEM;
	link->walked = w->table->walks;
	w->links[w->n++] = link;
	return 0;
}

static int walk_from(struct walk *w, const struct link *link)
{
	int r = walk_to(w, link_lower(w->table, link));

	if (r >= 0)
		r = walk_to(w, link_master(w->table, link));
	for (struct link *up = link_first_upper(w->table, link); up && r >= 0;
		up = link_next_upper(w->table, up))
		r = walk_to(w, up);
	for (struct link *port = link_first_port(w->table, link); port && r >= 0;
		port = link_next_port(w->table, port))
		r = walk_to(w, port);
	return r;
}

int link_table_related(struct link_table *table, const int *only, size_t n_only,
	struct link ***ret_links, size_t *ret_n)
{
	struct walk w = { .table = table };
	int r = 0;

	link_table_stack(table);
	if (++table->walks == 0) { /* a new link has 0 */
		link_table_foreach(table, link)
			link->walked = 0;
		table->walks = 1;
	}
	for (size_t i = 0; i < n_only && r >= 0; i++)
		r = walk_to(&w, link_table_find(table, only[i]));
	for (size_t i = 0; i < w.n && r >= 0; i++)
		r = walk_from(&w, w.links[i]);
	if (r < 0) {
		free(w.links);
		return r;
	}
	*ret_links = w.links;
	*ret_n = w.n;
	return 0;
}

const char *link_limit_name(enum link_limit limit)
{
	return (size_t)limit < LINK_LIMIT_COUNT ? limit_names[limit] : NULL;
}

int link_limit_find(const char *name)
{
	return util_find_word(name, limit_names, LINK_LIMIT_COUNT);
}

bool link_limits_equal(const struct link_limits *a, const struct link_limits *b)
{
	return a->has == b->has && memcmp(a->value, b->value, sizeof(a->value)) == 0;
}

const char *link_format_address(const struct link *link, char *buf, size_t size)
{
	buf[0] = '\0';
	for (unsigned i = 0; i < link->address_len; i++)
		util_append(buf, size, "%s%02x", i ? ":" : "", link->address[i]);
	return buf;
}
