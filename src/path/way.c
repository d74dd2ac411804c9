/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "path/way.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "basic/util.h"
#include "plan/predict.h"

#define HOPS_MAX 512
#define DEPTH_MAX 32

/* Tunnels, and the feature that segments what they encapsulate: SKB_GSO_UDP_TUNNEL and others of skb_shared_info.gso_type. */
static const struct tunnel {
	const char *kind, *plain, *with_checksum;
} tunnels[] = {
	{ "vxlan", "tx-udp_tnl-segmentation", "tx-udp_tnl-csum-segmentation" },
	{ "geneve", "tx-udp_tnl-segmentation", "tx-udp_tnl-csum-segmentation" },
	{ "bareudp", "tx-udp_tnl-segmentation", "tx-udp_tnl-csum-segmentation" },
	{ "gre", "tx-gre-segmentation", "tx-gre-csum-segmentation" },
	{ "gretap", "tx-gre-segmentation", "tx-gre-csum-segmentation" },
	{ "erspan", "tx-gre-segmentation", "tx-gre-csum-segmentation" },
	{ "ip6gre", "tx-gre-segmentation", "tx-gre-csum-segmentation" },
	{ "ip6gretap", "tx-gre-segmentation", "tx-gre-csum-segmentation" },
	{ "ip6erspan", "tx-gre-segmentation", "tx-gre-csum-segmentation" },
	{ "ipip", "tx-ipxip4-segmentation", "tx-ipxip4-segmentation" },
	{ "sit", "tx-ipxip4-segmentation", "tx-ipxip4-segmentation" },
	{ "ip6tnl", "tx-ipxip6-segmentation", "tx-ipxip6-segmentation" },
};

/* Kinds that encrypt what they get, or route it, in a way that is not followed. wg_xmit() segments everything. */
static const char *const opaque[] = { "wireguard", "xfrm", "vti", "vti6", "vrf", "openvswitch" };
/* ndo_features_check() is passthru_features_check(): several VLAN tags do no harm. */
static const char *const passes_tags[] = { "bond", "team", "bridge", "veth", "netkit", "macvlan", "net_failover", "virtio_net" };
/* ... is missing, so vlan_features_check() decides. */
static const char *const checks_tags[] = { "vlan", "dummy", "ifb", "ipvlan", "vxlan" };
/* hw_enc_features are all features: veth_setup(), dummy_setup(), macvlan and ipvlan of their own. */
static const char *const encapsulates[] = { "veth", "dummy", "macvlan", "macvtap", "ipvlan" };
/* These call skb_gso_segment(), depending on their settings. */
static const char *const segments[] = { "cake", "netem", "taprio", "tbf" };

struct need {
	feature_set all, any;
	bool never; /* this kernel does not have the feature */
};

struct walk {
	const struct way_source *source;
	struct predict *predict;
	struct predict_sets sets;
	struct way *way;
	feature_set tunnels; /* features that packets need since they were encapsulated */
	struct need needs[WAY_OFFLOADS];
	feature_set lone_tags; /* what vlan_features_check() keeps */
};

static bool is_one_of(const char *kind, const char *const *kinds, size_t n)
{
	return util_find_word(kind, kinds, n) >= 0;
}

static const char *kind_or_driver(const struct link *link)
{
	return link_is_kind(link, "physical") ? link->driver : link->kind;
}

bool way_qdisc_segments(const char *kind)
{
	return is_one_of(kind, segments, ARRAY_SIZE(segments));
}

static const struct tunnel *find_tunnel(const struct link *link)
{
	for (size_t i = 0; i < ARRAY_SIZE(tunnels); i++)
		if (link_is_kind(link, tunnels[i].kind))
			return &tunnels[i];
	return NULL;
}

/* ---- what an offload needs ---- */

static void set_needs(struct walk *w)
{
	const struct feature_table *t = w->source->features;
	feature_set generic = feature_named(t, "tx-checksum-ip-generic"), ipv4 = feature_named(t, "tx-checksum-ipv4"),
		    ipv6 = feature_named(t, "tx-checksum-ipv6"), udp = feature_named(t, "tx-udp-segmentation");

	w->needs[WAY_SCATTER].all = feature_named(t, "tx-scatter-gather");
	w->needs[WAY_CHECKSUM4].any = generic | ipv4;
	w->needs[WAY_CHECKSUM6].any = generic | ipv6;
	/* harmonize_features(): without the checksum there is no segmentation */
	w->needs[WAY_SEGMENT4] = (struct need){ .all = feature_named(t, "tx-tcp-segmentation"), .any = generic | ipv4 };
	w->needs[WAY_SEGMENT6] = (struct need){ .all = feature_named(t, "tx-tcp6-segmentation"), .any = generic | ipv6 };
	w->needs[WAY_UDP] = (struct need){ .all = udp, .any = generic | ipv4 | ipv6, .never = !udp };
	w->lone_tags = feature_named(t, "tx-scatter-gather") | feature_named(t, "highdma") |
		feature_named(t, "tx-scatter-gather-fraglist") | generic | feature_named(t, "tx-vlan-hw-insert") |
		feature_named(t, "tx-vlan-stag-hw-insert");
}

static bool is_segmentation(enum way_offload offload)
{
	return offload == WAY_SEGMENT4 || offload == WAY_SEGMENT6 || offload == WAY_UDP;
}

/* The features that an offload misses in this set; 0 if it works. */
static feature_set find_missing(const struct walk *w, enum way_offload offload, feature_set on)
{
	const struct need *need = &w->needs[offload];
	feature_set all = need->all | (is_segmentation(offload) ? w->tunnels : 0), missing = all & ~on;

	if (need->any && !(need->any & on))
		missing |= need->any;
	return missing;
}

/* netdev_intersect_features() */
static feature_set intersect(const struct walk *w, feature_set a, feature_set b)
{
	if ((a ^ b) & w->sets.generic_checksum) {
		if (a & w->sets.generic_checksum)
			a |= w->sets.checksums;
		else
			b |= w->sets.checksums;
	}
	return a & b;
}

/* ---- one hop ---- */

static void lose(struct way_hop *hop, enum way_reason reason, unsigned offloads, feature_set features, bool certain)
{
	struct way_loss *loss = &hop->losses[reason];

	if (!offloads)
		return;
	loss->features |= features;
	if (certain) {
		loss->certain |= offloads;
		hop->left &= ~offloads;
	} else {
		loss->possible |= offloads;
	}
}

/* One checksum of several is enough: only those that the link can change are named, or the generic one. */
static feature_set name_checksums(const struct walk *w, const struct link *link, feature_set missing)
{
	feature_set checksums = missing & w->sets.checksums, can = checksums & link->features.hw;

	return (missing & ~checksums) | (can ? can : checksums & w->sets.generic_checksum);
}

static void check_features(const struct walk *w, struct way_hop *hop, feature_set on)
{
	for (unsigned o = 0; o < WAY_OFFLOADS; o++) {
		feature_set missing = find_missing(w, o, on);

		if (missing || w->needs[o].never)
			lose(hop, WAY_FEATURE, WAY_OFFLOAD(o) & hop->left, name_checksums(w, hop->link, missing), true);
	}
}

static void check_vlan(const struct walk *w, struct way_hop *hop, feature_set *on)
{
	const char *kind = kind_or_driver(hop->link);
	feature_set known, offered;

	if (hop->tags == 0)
		return;
	offered = predict_vlan_features(w->predict, hop->link->ifindex, &known);
	for (unsigned o = 0; o < WAY_OFFLOADS; o++) {
		feature_set at_best = find_missing(w, o, intersect(w, *on, offered)),
			    at_worst = find_missing(w, o, intersect(w, *on, offered & known));

		if (at_worst)
			lose(hop, WAY_VLAN, WAY_OFFLOAD(o) & hop->left, at_best ? at_best : at_worst, at_best);
	}
	*on = intersect(w, *on, offered);
	if (hop->tags < 2 || is_one_of(kind, passes_tags, ARRAY_SIZE(passes_tags)))
		return;
	for (unsigned o = 0; o < WAY_OFFLOADS; o++) {
		feature_set missing = find_missing(w, o, *on & w->lone_tags);

		if (missing)
			lose(hop, WAY_TAGS, WAY_OFFLOAD(o) & hop->left, missing,
				is_one_of(kind, checks_tags, ARRAY_SIZE(checks_tags)));
	}
}

/* Are hw_enc_features of a link known to have all of its features? A VLAN's and a master's are those of the links below. */
static bool encapsulates_all(const struct link_table *links, const struct link *link, unsigned depth)
{
	struct link *lower = link_lower(links, link), *port = link_first_port(links, link);

	if (is_one_of(link->kind, encapsulates, ARRAY_SIZE(encapsulates)))
		return true;
	if (depth >= DEPTH_MAX)
		return false;
	if (link_is_kind(link, "vlan"))
		return lower && encapsulates_all(links, lower, depth + 1);
	if (!port || !(link_is_kind(link, "bond") || link_is_kind(link, "team")))
		return false;
	for (; port; port = link_next_port(links, port))
		if (!encapsulates_all(links, port, depth + 1))
			return false;
	return true;
}

static void check_tunnel(const struct walk *w, struct way_hop *hop)
{
	/* register_netdevice() gives every device NETIF_F_SG for encapsulated packets */
	if (hop->tunnelled && !encapsulates_all(w->source->links, hop->link, 0))
		lose(hop, WAY_TUNNEL, hop->left & ~WAY_OFFLOAD(WAY_SCATTER), 0, false);
}

static uint32_t limit_of(const struct link *link, enum link_limit limit)
{
	return link->limits.has & LINK_LIMIT(limit) ? link->limits.value[limit] : 0;
}

static void lower_limit(struct way_hop *hop, uint32_t *in_force, uint32_t limit, enum way_reason reason, unsigned offloads)
{
	if (!limit)
		return;
	if (*in_force && limit < *in_force && (hop->left & offloads)) {
		struct way_loss *loss = &hop->losses[reason];

		loss->certain |= hop->left & offloads;
		loss->limit = loss->limit && loss->limit < limit ? loss->limit : limit;
	}
	if (!*in_force || limit < *in_force)
		*in_force = limit;
}

/* gso_features_check(). Packets within the limit are not affected, so nothing is removed from hop->left. */
static void check_limits(struct way_hop *hop)
{
	uint32_t any = limit_of(hop->link, LINK_LIMIT_GSO_MAX_SIZE), ipv4 = limit_of(hop->link, LINK_LIMIT_GSO_IPV4_MAX_SIZE);

	/* from Linux 6.3 to 6.13 IPv4 has the own limit at the socket, and the common one at the other hops */
	ipv4 = ipv4 && (ipv4 < any || hop->parent < 0) ? ipv4 : any;
	lower_limit(hop, &hop->max_size[0], ipv4, WAY_SIZE, WAY_OFFLOAD(WAY_SEGMENT4) | WAY_OFFLOAD(WAY_UDP));
	lower_limit(hop, &hop->max_size[1], any, WAY_SIZE, WAY_OFFLOAD(WAY_SEGMENT6) | WAY_OFFLOAD(WAY_UDP));
	lower_limit(hop, &hop->max_segs, limit_of(hop->link, LINK_LIMIT_GSO_MAX_SEGS), WAY_SEGMENTS,
		WAY_OFFLOAD(WAY_SEGMENT4) | WAY_OFFLOAD(WAY_SEGMENT6) | WAY_OFFLOAD(WAY_UDP));
}

static void look_at(const struct walk *w, struct way_hop *hop)
{
	const unsigned segment = WAY_OFFLOAD(WAY_SEGMENT4) | WAY_OFFLOAD(WAY_SEGMENT6) | WAY_OFFLOAD(WAY_UDP);
	feature_set on = hop->link->features.active;

	check_limits(hop);
	if (!hop->link->has_features) {
		lose(hop, WAY_UNREAD, hop->left, 0, false);
		return;
	}
	check_features(w, hop, on);
	check_vlan(w, hop, &on);
	check_tunnel(w, hop);
	if (link_is_kind(hop->link, "wireguard"))
		lose(hop, WAY_KIND, hop->left & ~WAY_OFFLOAD(WAY_SCATTER), 0, true);
	if (way_qdisc_segments(hop->qdisc))
		lose(hop, WAY_QDISC, hop->left & segment, 0, false);
}

/* ---- the way ---- */

/* NULL: no memory, or too many hops. parent: an index, -1 for none. */
static struct way_hop *add_hop(struct walk *w, const struct link *link, int parent)
{
	struct way *way = w->way;
	struct way_hop *hop;

	if (way->n_hops >= HOPS_MAX || !GROW(way->hops, way->n_hops))
		return NULL;
	hop = &way->hops[way->n_hops++];
	*hop = (struct way_hop){ .link = link, .parent = parent, .next = WAY_LOST, .left = (1u << WAY_OFFLOADS) - 1 };
	if (parent < 0) {
		hop->max_size[0] = hop->max_size[1] = w->source->socket_size;
	} else {
		const struct way_hop *before = &way->hops[parent];

		hop->depth = before->depth + 1;
		hop->left = before->left;
		hop->tags = before->tags;
		hop->tunnelled = before->tunnelled;
		memcpy(hop->max_size, before->max_size, sizeof(hop->max_size));
		hop->max_segs = before->max_segs;
	}
	return hop;
}

static bool was_passed(const struct way *way, int at, const struct link *link)
{
	for (; at >= 0; at = way->hops[at].parent)
		if (way->hops[at].link == link)
			return true;
	return false;
}

static void end(struct way_hop *hop, enum way_next next, enum way_why why)
{
	hop->next = next;
	hop->why = why;
	if (next == WAY_LOST)
		lose(hop, WAY_UNREAD, hop->left, 0, false);
}

static int follow(struct walk *w, const struct link *link, int parent);

/* Goes on to one more link. 0 or -ENOMEM. */
static int go_on(struct walk *w, int at, enum way_next next, const struct link *link)
{
	struct way_hop *hop = &w->way->hops[at];

	if (was_passed(w->way, at, link)) {
		end(hop, WAY_LOST, WAY_WHY_LOOP);
		return 0;
	}
	if (hop->depth + 1 >= DEPTH_MAX || w->way->n_hops >= HOPS_MAX) {
		end(hop, WAY_LOST, WAY_WHY_LONG);
		return 0;
	}
	hop->next = next;
	return follow(w, link, at);
}

static int go_to_ports(struct walk *w, int at, struct link *port)
{
	int r = 0;

	for (; port && r >= 0; port = link_next_port(w->source->links, port))
		r = go_on(w, at, WAY_PORTS, port);
	return r;
}

/* The links that carry the packets of a tunnel. Returns their number; 0 or negative errno: none. */
static int find_underlay(const struct walk *w, const struct link *link, const struct link_details *details,
	int ret_links[WAY_ROUTES_MAX])
{
	const struct link *lower = link_lower(w->source->links, link);

	if (lower) {
		ret_links[0] = lower->ifindex;
		return 1;
	}
	return details->family ? w->source->route(w->source->userdata, details->family, details->remote, ret_links) : 0;
}

static int go_through_tunnel(struct walk *w, int at, const struct tunnel *tunnel, const struct link_details *details)
{
	const struct way_hop was = w->way->hops[at];
	feature_set tunnels_before = w->tunnels;
	int links[WAY_ROUTES_MAX], n = find_underlay(w, was.link, details, links), r = 0;

	if (n == -ENOMEM)
		return n;
	if (n <= 0) {
		w->way->hops[at].error = n;
		end(&w->way->hops[at], WAY_LOST, n < 0 ? WAY_WHY_ROUTE : WAY_WHY_REMOTE);
		return 0;
	}
	/* the hops below get the encapsulated packet, whose inner VLAN tags do not matter */
	w->tunnels |= feature_named(w->source->features, details->checksum ? tunnel->with_checksum : tunnel->plain);
	w->way->hops[at].tunnelled = true;
	w->way->hops[at].tags = 0;
	for (int i = 0; i < n && r >= 0; i++) {
		const struct link *to = link_table_find(w->source->links, links[i]);

		if (to)
			r = go_on(w, at, WAY_ROUTED, to);
		else
			end(&w->way->hops[at], WAY_LOST, WAY_WHY_GONE);
	}
	w->tunnels = tunnels_before;
	w->way->hops[at].tunnelled = was.tunnelled;
	w->way->hops[at].tags = was.tags;
	return r;
}

static int go_below(struct walk *w, int at)
{
	struct way_hop *hop = &w->way->hops[at];
	const struct link *link = hop->link, *lower = link_lower(w->source->links, link);
	bool vlan = link_is_kind(link, "vlan");
	int r;

	if (link->lower_netnsid >= 0) {
		end(hop, WAY_LOST, WAY_WHY_NAMESPACE);
		return 0;
	}
	if (!lower) {
		end(hop, WAY_LOST, link->lower_ifindex || vlan ? WAY_WHY_GONE : WAY_WHY_KIND);
		return 0;
	}
	hop->tags += vlan;
	r = go_on(w, at, WAY_LOWER, lower);
	w->way->hops[at].tags -= vlan;
	return r;
}

static bool has_lower(const struct link *link)
{
	return link->lower_netnsid >= 0 || (link->lower_ifindex && link->lower_ifindex != link->ifindex);
}

static bool is_master_kind(const struct link *link)
{
	return link_is_kind(link, "bond") || link_is_kind(link, "team") || link_is_kind(link, "bridge");
}

/* Finds the end, or follows what comes next. 0 or -ENOMEM. */
static int leave(struct walk *w, int at, const struct link_details *details)
{
	struct way_hop *hop = &w->way->hops[at];
	const struct link *link = hop->link;
	struct link *port = link_first_port(w->source->links, link);
	const struct tunnel *tunnel = find_tunnel(link);

	if (is_one_of(link->kind, opaque, ARRAY_SIZE(opaque)))
		end(hop, WAY_LOST, WAY_WHY_KIND);
	else if (link_has_peer(link))
		end(hop, WAY_PEER, WAY_WHY_NONE);
	else if (port)
		return go_to_ports(w, at, port);
	else if (is_master_kind(link) || link_is_kind(link, "dummy"))
		end(hop, WAY_DISCARDED, WAY_WHY_NONE);
	else if (tunnel && link->lower_netnsid < 0)
		return go_through_tunnel(w, at, tunnel, details);
	else if (has_lower(link) || link_is_kind(link, "vlan"))
		return go_below(w, at);
	else if (link_is_kind(link, "physical"))
		end(hop, WAY_WIRE, WAY_WHY_NONE);
	else if (link_is_kind(link, "loopback"))
		end(hop, WAY_LOCAL, WAY_WHY_NONE);
	else if (link_is_kind(link, "tun"))
		end(hop, WAY_PROGRAM, WAY_WHY_NONE);
	else
		end(hop, WAY_LOST, WAY_WHY_KIND);
	return 0;
}

static int follow(struct walk *w, const struct link *link, int parent)
{
	const struct way_source *s = w->source;
	struct way_hop *hop = add_hop(w, link, parent);
	struct link_details details = { 0 };
	int at = (int)w->way->n_hops - 1, r;

	if (!hop)
		return -ENOMEM;
	r = s->details(s->userdata, link, &details, hop->qdisc);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		lose(hop, WAY_UNREAD, hop->left, 0, false);
	if (parent >= 0 && w->way->hops[parent].next == WAY_PORTS)
		hop->role = details.role;
	hop->family = details.family;
	memcpy(hop->remote, details.remote, sizeof(hop->remote));
	look_at(w, hop);
	return leave(w, at, &details);
}

unsigned way_hop_certain(const struct way_hop *hop)
{
	unsigned all = 0;

	for (unsigned r = 0; r < WAY_REASONS; r++)
		all |= hop->losses[r].certain;
	return all;
}

unsigned way_hop_possible(const struct way_hop *hop)
{
	unsigned all = 0;

	for (unsigned r = 0; r < WAY_REASONS; r++)
		all |= hop->losses[r].possible;
	return all;
}

static enum way_verdict judge_hop(const struct way *way, const struct way_hop *hop)
{
	if (hop->now || (way_hop_certain(hop) & way->offloads))
		return WAY_SOFTWARE;
	return way_hop_possible(hop) & way->offloads ? WAY_UNKNOWN : WAY_OK;
}

/* The worst hop, and of those that are alike the first; a backup port is named only if no other hop is as bad. */
static void judge(struct way *way)
{
	way->verdict = way->copying ? WAY_SOFTWARE : WAY_OK;
	way->at = -1;
	for (unsigned backup = 0; backup < 2; backup++)
		for (size_t i = 0; i < way->n_hops; i++) {
			enum way_verdict verdict = judge_hop(way, &way->hops[i]);

			if ((way->hops[i].role == LINK_ROLE_BACKUP) == backup && verdict > way->verdict) {
				way->verdict = verdict;
				way->at = (int)i;
			}
		}
}

int way_follow(const struct way_source *source, int ifindex, unsigned offloads, struct way *ret)
{
	const struct link *link = link_table_find(source->links, ifindex);
	struct walk w = { .source = source, .way = ret };
	int r;

	*ret = (struct way){ .offloads = offloads & (WAY_TCP4 | WAY_TCP6) };
	if (!link)
		return -ENODEV;
	r = predict_new(source->features, source->links, source->host, &w.predict);
	if (r < 0)
		return r;
	w.sets = predict_sets(w.predict);
	set_needs(&w);
	r = follow(&w, link, -1);
	predict_free(w.predict);
	if (r < 0) {
		way_clear(ret);
		return r;
	}
	judge(ret);
	return 0;
}

void way_clear(struct way *way)
{
	free(way->hops);
	*way = (struct way){ 0 };
}

bool way_has_row(const struct way_hop *hop, const struct evidence_fallback *row, const char *const *services)
{
	if (row->ifindex != hop->link->ifindex)
		return false;
	for (; services && *services; services++)
		if (strcmp(row->service, *services) == 0)
			return true;
	return !services;
}

void way_add_evidence(struct way *way, const struct evidence *evidence, const char *const *services)
{
	for (size_t i = 0; i < way->n_hops; i++) {
		struct way_hop *hop = &way->hops[i];

		hop->hits = 0;
		hop->now = false;
		for (size_t k = 0; k < evidence->n_fallback; k++) {
			const struct evidence_fallback *row = &evidence->fallback[k];

			for (unsigned kind = 0; kind < FALLBACK_KINDS && way_has_row(hop, row, services); kind++) {
				hop->hits += row->hits[kind].n;
				hop->now |= row->hits[kind].n && row->hits[kind].now;
			}
		}
	}
	judge(way);
}

void way_add_sockets(struct way *way, unsigned sockets, unsigned copying, unsigned stale)
{
	way->sockets = sockets;
	way->copying = copying;
	way->stale = stale;
	judge(way);
}

/* ---- names ---- */

static const char *const offload_names[WAY_OFFLOADS] = {
	[WAY_SCATTER] = "scatter-gather",
	[WAY_CHECKSUM4] = "checksum-ipv4",
	[WAY_CHECKSUM6] = "checksum-ipv6",
	[WAY_SEGMENT4] = "segmentation-ipv4",
	[WAY_SEGMENT6] = "segmentation-ipv6",
	[WAY_UDP] = "segmentation-udp",
};

static const char *const reason_names[WAY_REASONS] = {
	[WAY_FEATURE] = "feature",
	[WAY_VLAN] = "vlan",
	[WAY_TAGS] = "vlan-tags",
	[WAY_TUNNEL] = "tunnel",
	[WAY_SIZE] = "size",
	[WAY_SEGMENTS] = "segments",
	[WAY_KIND] = "kind",
	[WAY_QDISC] = "qdisc",
	[WAY_UNREAD] = "unread",
};

static const char *const next_names[WAY_NEXTS] = {
	[WAY_LOWER] = "lower",
	[WAY_PORTS] = "ports",
	[WAY_ROUTED] = "route",
	[WAY_WIRE] = "wire",
	[WAY_PEER] = "peer",
	[WAY_LOCAL] = "local",
	[WAY_PROGRAM] = "program",
	[WAY_DISCARDED] = "discarded",
	[WAY_LOST] = "unknown",
};

static const char *const role_names[LINK_ROLES] = { [LINK_ROLE_ACTIVE] = "active", [LINK_ROLE_BACKUP] = "backup" };

static const char *const why_names[WAY_WHYS] = {
	[WAY_WHY_NAMESPACE] = "namespace",
	[WAY_WHY_GONE] = "gone",
	[WAY_WHY_LOOP] = "loop",
	[WAY_WHY_REMOTE] = "remote",
	[WAY_WHY_ROUTE] = "route",
	[WAY_WHY_KIND] = "kind",
	[WAY_WHY_LONG] = "long",
};

static const char *const verdict_names[] = { [WAY_OK] = "ok", [WAY_UNKNOWN] = "unknown", [WAY_SOFTWARE] = "software" };

const char *way_offload_name(enum way_offload offload)
{
	return offload_names[offload];
}

const char *way_reason_name(enum way_reason reason)
{
	return reason_names[reason];
}

const char *way_next_name(enum way_next next)
{
	return next_names[next];
}

const char *way_role_name(enum link_role role)
{
	return role_names[role];
}

const char *way_why_name(enum way_why why)
{
	return why_names[why];
}

const char *way_verdict_name(enum way_verdict verdict)
{
	return verdict_names[verdict];
}
