/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "path/trace.h"

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
	const struct trace_source *source;
	struct predict *predict;
	struct predict_sets sets;
	struct trace *trace;
	feature_set tunnels; /* features that packets need since they were encapsulated */
	struct need needs[TRACE_OFFLOADS];
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

bool trace_qdisc_segments(const char *kind)
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

	w->needs[TRACE_SCATTER].all = feature_named(t, "tx-scatter-gather");
	w->needs[TRACE_CHECKSUM4].any = generic | ipv4;
	w->needs[TRACE_CHECKSUM6].any = generic | ipv6;
	/* harmonize_features(): without the checksum there is no segmentation */
	w->needs[TRACE_SEGMENT4] = (struct need){ .all = feature_named(t, "tx-tcp-segmentation"), .any = generic | ipv4 };
	w->needs[TRACE_SEGMENT6] = (struct need){ .all = feature_named(t, "tx-tcp6-segmentation"), .any = generic | ipv6 };
	w->needs[TRACE_UDP] = (struct need){ .all = udp, .any = generic | ipv4 | ipv6, .never = !udp };
	w->lone_tags = feature_named(t, "tx-scatter-gather") | feature_named(t, "highdma") |
		feature_named(t, "tx-scatter-gather-fraglist") | generic | feature_named(t, "tx-vlan-hw-insert") |
		feature_named(t, "tx-vlan-stag-hw-insert");
}

static bool is_segmentation(enum trace_offload offload)
{
	return offload == TRACE_SEGMENT4 || offload == TRACE_SEGMENT6 || offload == TRACE_UDP;
}

/* The features that an offload misses in this set; 0 if it works. */
static feature_set find_missing(const struct walk *w, enum trace_offload offload, feature_set on)
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

static void lose(struct trace_hop *hop, enum trace_reason reason, unsigned offloads, feature_set features, bool certain)
{
	struct trace_loss *loss = &hop->losses[reason];

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

static void check_features(const struct walk *w, struct trace_hop *hop, feature_set on)
{
	for (unsigned o = 0; o < TRACE_OFFLOADS; o++) {
		feature_set missing = find_missing(w, o, on);

		if (missing || w->needs[o].never)
			lose(hop, TRACE_FEATURE, TRACE_OFFLOAD(o) & hop->left, name_checksums(w, hop->link, missing), true);
	}
}

static void check_vlan(const struct walk *w, struct trace_hop *hop, feature_set *on)
{
	const char *kind = kind_or_driver(hop->link);
	feature_set known, offered;

	if (hop->tags == 0)
		return;
	offered = predict_vlan_features(w->predict, hop->link->ifindex, &known);
	for (unsigned o = 0; o < TRACE_OFFLOADS; o++) {
		feature_set at_best = find_missing(w, o, intersect(w, *on, offered)),
			    at_worst = find_missing(w, o, intersect(w, *on, offered & known));

		if (at_worst)
			lose(hop, TRACE_VLAN, TRACE_OFFLOAD(o) & hop->left, at_best ? at_best : at_worst, at_best);
	}
	*on = intersect(w, *on, offered);
	if (hop->tags < 2 || is_one_of(kind, passes_tags, ARRAY_SIZE(passes_tags)))
		return;
	for (unsigned o = 0; o < TRACE_OFFLOADS; o++) {
		feature_set missing = find_missing(w, o, *on & w->lone_tags);

		if (missing)
			lose(hop, TRACE_TAGS, TRACE_OFFLOAD(o) & hop->left, missing,
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

static void check_tunnel(const struct walk *w, struct trace_hop *hop)
{
	/* register_netdevice() gives every device NETIF_F_SG for encapsulated packets */
	if (hop->tunnelled && !encapsulates_all(w->source->links, hop->link, 0))
		lose(hop, TRACE_TUNNEL, hop->left & ~TRACE_OFFLOAD(TRACE_SCATTER), 0, false);
}

static uint32_t limit_of(const struct link *link, enum link_limit limit)
{
	return link->limits.has & LINK_LIMIT(limit) ? link->limits.value[limit] : 0;
}

static void lower_limit(struct trace_hop *hop, uint32_t *in_force, uint32_t limit, enum trace_reason reason, unsigned offloads)
{
	if (!limit)
		return;
	if (*in_force && limit < *in_force && (hop->left & offloads)) {
		struct trace_loss *loss = &hop->losses[reason];

		loss->certain |= hop->left & offloads;
		loss->limit = loss->limit && loss->limit < limit ? loss->limit : limit;
	}
	if (!*in_force || limit < *in_force)
		*in_force = limit;
}

/* gso_features_check(). Packets within the limit are not affected, so nothing is removed from hop->left. */
static void check_limits(struct trace_hop *hop)
{
	uint32_t any = limit_of(hop->link, LINK_LIMIT_GSO_MAX_SIZE), ipv4 = limit_of(hop->link, LINK_LIMIT_GSO_IPV4_MAX_SIZE);

	/* from Linux 6.3 to 6.13 IPv4 has the own limit at the socket, and the common one at the other hops */
	ipv4 = ipv4 && (ipv4 < any || hop->parent < 0) ? ipv4 : any;
	lower_limit(hop, &hop->max_size[0], ipv4, TRACE_SIZE, TRACE_OFFLOAD(TRACE_SEGMENT4) | TRACE_OFFLOAD(TRACE_UDP));
	lower_limit(hop, &hop->max_size[1], any, TRACE_SIZE, TRACE_OFFLOAD(TRACE_SEGMENT6) | TRACE_OFFLOAD(TRACE_UDP));
	lower_limit(hop, &hop->max_segs, limit_of(hop->link, LINK_LIMIT_GSO_MAX_SEGS), TRACE_SEGMENTS,
		TRACE_OFFLOAD(TRACE_SEGMENT4) | TRACE_OFFLOAD(TRACE_SEGMENT6) | TRACE_OFFLOAD(TRACE_UDP));
}

static void look_at(const struct walk *w, struct trace_hop *hop)
{
	const unsigned segment = TRACE_OFFLOAD(TRACE_SEGMENT4) | TRACE_OFFLOAD(TRACE_SEGMENT6) | TRACE_OFFLOAD(TRACE_UDP);
	feature_set on = hop->link->features.active;

	check_limits(hop);
	if (!hop->link->has_features) {
		lose(hop, TRACE_UNREAD, hop->left, 0, false);
		return;
	}
	check_features(w, hop, on);
	check_vlan(w, hop, &on);
	check_tunnel(w, hop);
	if (link_is_kind(hop->link, "wireguard"))
		lose(hop, TRACE_KIND, hop->left & ~TRACE_OFFLOAD(TRACE_SCATTER), 0, true);
	if (trace_qdisc_segments(hop->qdisc))
		lose(hop, TRACE_QDISC, hop->left & segment, 0, false);
}

/* ---- the path ---- */

/* NULL: no memory, or too many hops. parent: an index, -1 for none. */
static struct trace_hop *add_hop(struct walk *w, const struct link *link, int parent)
{
	struct trace *trace = w->trace;
	struct trace_hop *hop;

	if (trace->n_hops >= HOPS_MAX || !GROW(trace->hops, trace->n_hops))
		return NULL;
	hop = &trace->hops[trace->n_hops++];
	*hop = (struct trace_hop){ .link = link, .parent = parent, .next = TRACE_LOST, .left = (1u << TRACE_OFFLOADS) - 1 };
	if (parent < 0) {
		hop->max_size[0] = hop->max_size[1] = w->source->socket_size;
	} else {
		const struct trace_hop *before = &trace->hops[parent];

		hop->depth = before->depth + 1;
		hop->left = before->left;
		hop->tags = before->tags;
		hop->tunnelled = before->tunnelled;
		memcpy(hop->max_size, before->max_size, sizeof(hop->max_size));
		hop->max_segs = before->max_segs;
	}
	return hop;
}

static bool was_passed(const struct trace *trace, int at, const struct link *link)
{
	for (; at >= 0; at = trace->hops[at].parent)
		if (trace->hops[at].link == link)
			return true;
	return false;
}

static void end(struct trace_hop *hop, enum trace_next next, enum trace_why why)
{
	hop->next = next;
	hop->why = why;
	if (next == TRACE_LOST)
		lose(hop, TRACE_UNREAD, hop->left, 0, false);
}

static int follow(struct walk *w, const struct link *link, int parent);

/* Goes on to one more link. 0 or -ENOMEM. */
static int go_on(struct walk *w, int at, enum trace_next next, const struct link *link)
{
	struct trace_hop *hop = &w->trace->hops[at];

	if (was_passed(w->trace, at, link)) {
		end(hop, TRACE_LOST, TRACE_WHY_LOOP);
		return 0;
	}
	if (hop->depth + 1 >= DEPTH_MAX || w->trace->n_hops >= HOPS_MAX) {
		end(hop, TRACE_LOST, TRACE_WHY_LONG);
		return 0;
	}
	hop->next = next;
	return follow(w, link, at);
}

static int go_to_ports(struct walk *w, int at, struct link *port)
{
	int r = 0;

	for (; port && r >= 0; port = link_next_port(w->source->links, port))
		r = go_on(w, at, TRACE_PORTS, port);
	return r;
}

/* The links that carry the packets of a tunnel. Returns their number; 0 or negative errno: none. */
static int find_underlay(const struct walk *w, const struct link *link, const struct link_details *details,
	int ret_links[TRACE_ROUTES_MAX])
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
	const struct trace_hop was = w->trace->hops[at];
	feature_set tunnels_before = w->tunnels;
	int links[TRACE_ROUTES_MAX], n = find_underlay(w, was.link, details, links), r = 0;

	if (n == -ENOMEM)
		return n;
	if (n <= 0) {
		w->trace->hops[at].error = n;
		end(&w->trace->hops[at], TRACE_LOST, n < 0 ? TRACE_WHY_ROUTE : TRACE_WHY_REMOTE);
		return 0;
	}
	/* the hops below get the encapsulated packet, whose inner VLAN tags do not matter */
	w->tunnels |= feature_named(w->source->features, details->checksum ? tunnel->with_checksum : tunnel->plain);
	w->trace->hops[at].tunnelled = true;
	w->trace->hops[at].tags = 0;
	for (int i = 0; i < n && r >= 0; i++) {
		const struct link *to = link_table_find(w->source->links, links[i]);

		if (to)
			r = go_on(w, at, TRACE_ROUTED, to);
		else
			end(&w->trace->hops[at], TRACE_LOST, TRACE_WHY_GONE);
	}
	w->tunnels = tunnels_before;
	w->trace->hops[at].tunnelled = was.tunnelled;
	w->trace->hops[at].tags = was.tags;
	return r;
}

static int go_below(struct walk *w, int at)
{
	struct trace_hop *hop = &w->trace->hops[at];
	const struct link *link = hop->link, *lower = link_lower(w->source->links, link);
	bool vlan = link_is_kind(link, "vlan");
	int r;

	if (link->lower_netnsid >= 0) {
		end(hop, TRACE_LOST, TRACE_WHY_NAMESPACE);
		return 0;
	}
	if (!lower) {
		end(hop, TRACE_LOST, link->lower_ifindex || vlan ? TRACE_WHY_GONE : TRACE_WHY_KIND);
		return 0;
	}
	hop->tags += vlan;
	r = go_on(w, at, TRACE_LOWER, lower);
	w->trace->hops[at].tags -= vlan;
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
	struct trace_hop *hop = &w->trace->hops[at];
	const struct link *link = hop->link;
	struct link *port = link_first_port(w->source->links, link);
	const struct tunnel *tunnel = find_tunnel(link);

	if (is_one_of(link->kind, opaque, ARRAY_SIZE(opaque)))
		end(hop, TRACE_LOST, TRACE_WHY_KIND);
	else if (link_has_peer(link))
		end(hop, TRACE_PEER, TRACE_WHY_NONE);
	else if (port)
		return go_to_ports(w, at, port);
	else if (is_master_kind(link) || link_is_kind(link, "dummy"))
		end(hop, TRACE_DISCARDED, TRACE_WHY_NONE);
	else if (tunnel && link->lower_netnsid < 0)
		return go_through_tunnel(w, at, tunnel, details);
	else if (has_lower(link) || link_is_kind(link, "vlan"))
		return go_below(w, at);
	else if (link_is_kind(link, "physical"))
		end(hop, TRACE_WIRE, TRACE_WHY_NONE);
	else if (link_is_kind(link, "loopback"))
		end(hop, TRACE_LOCAL, TRACE_WHY_NONE);
	else if (link_is_kind(link, "tun"))
		end(hop, TRACE_PROGRAM, TRACE_WHY_NONE);
	else
		end(hop, TRACE_LOST, TRACE_WHY_KIND);
	return 0;
}

static int follow(struct walk *w, const struct link *link, int parent)
{
	const struct trace_source *s = w->source;
	struct trace_hop *hop = add_hop(w, link, parent);
	struct link_details details = { 0 };
	int at = (int)w->trace->n_hops - 1, r;

	if (!hop)
		return -ENOMEM;
	r = s->details(s->userdata, link, &details, hop->qdisc);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		lose(hop, TRACE_UNREAD, hop->left, 0, false);
	if (parent >= 0 && w->trace->hops[parent].next == TRACE_PORTS)
		hop->role = details.role;
	hop->family = details.family;
	memcpy(hop->remote, details.remote, sizeof(hop->remote));
	look_at(w, hop);
	return leave(w, at, &details);
}

unsigned trace_hop_certain(const struct trace_hop *hop)
{
	unsigned all = 0;

	for (unsigned r = 0; r < TRACE_REASONS; r++)
		all |= hop->losses[r].certain;
	return all;
}

unsigned trace_hop_possible(const struct trace_hop *hop)
{
	unsigned all = 0;

	for (unsigned r = 0; r < TRACE_REASONS; r++)
		all |= hop->losses[r].possible;
	return all;
}

static enum trace_verdict judge_hop(const struct trace *trace, const struct trace_hop *hop)
{
	enum trace_verdict verdict = TRACE_OK;

	if (hop->now || (trace_hop_certain(hop) & trace->offloads))
		return TRACE_SOFTWARE;
	for (unsigned r = 0; r < TRACE_REASONS; r++) {
		if (!(hop->losses[r].possible & trace->offloads))
			continue;
		if ((r != TRACE_VLAN && r != TRACE_TUNNEL) || hop->doubted)
			return TRACE_UNKNOWN;
		verdict = TRACE_LIKELY;
	}
	return verdict;
}

/* The worst hop, and of those that are alike the first; a backup port is named only if no other hop is as bad. */
static void judge(struct trace *trace)
{
	trace->verdict = trace->copying ? TRACE_SOFTWARE : TRACE_OK;
	trace->at = -1;
	for (unsigned backup = 0; backup < 2; backup++)
		for (size_t i = 0; i < trace->n_hops; i++) {
			enum trace_verdict verdict = judge_hop(trace, &trace->hops[i]);

			if ((trace->hops[i].role == LINK_ROLE_BACKUP) == backup && verdict > trace->verdict) {
				trace->verdict = verdict;
				trace->at = (int)i;
			}
		}
}

int trace_follow(const struct trace_source *source, int ifindex, unsigned offloads, struct trace *ret)
{
	const struct link *link = link_table_find(source->links, ifindex);
	struct walk w = { .source = source, .trace = ret };
	int r;

	*ret = (struct trace){ .offloads = offloads & (TRACE_TCP4 | TRACE_TCP6) };
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
		trace_clear(ret);
		return r;
	}
	judge(ret);
	return 0;
}

void trace_clear(struct trace *trace)
{
	free(trace->hops);
	*trace = (struct trace){ 0 };
}

bool trace_has_row(const struct trace_hop *hop, const struct evidence_fallback *row, const char *const *services)
{
	if (row->ifindex != hop->link->ifindex)
		return false;
	for (; services && *services; services++)
		if (strcmp(row->service, *services) == 0)
			return true;
	return !services;
}

static bool may_be_about_offer(enum fallback_reason reason)
{
	return reason == FALLBACK_REASON_VLAN || reason == FALLBACK_REASON_ENCAPSULATION || reason == FALLBACK_REASON_DRIVER ||
		reason == FALLBACK_REASON_UNKNOWN;
}

void trace_add_evidence(struct trace *trace, const struct evidence *evidence, const char *const *services)
{
	for (size_t i = 0; i < trace->n_hops; i++) {
		struct trace_hop *hop = &trace->hops[i];

		hop->hits = 0;
		hop->now = hop->doubted = false;
		for (size_t k = 0; k < evidence->n_fallback; k++) {
			const struct evidence_fallback *row = &evidence->fallback[k];

			/* what a device offers is the same for all senders */
			hop->doubted |= trace_has_row(hop, row, NULL) && evidence_sum_hits(row) && may_be_about_offer(row->reason);
			for (unsigned kind = 0; kind < FALLBACK_KINDS && trace_has_row(hop, row, services); kind++) {
				hop->hits += row->hits[kind].n;
				hop->now |= row->hits[kind].n && row->hits[kind].now;
			}
		}
	}
	judge(trace);
}

void trace_add_sockets(struct trace *trace, unsigned sockets, unsigned copying, unsigned stale)
{
	trace->sockets = sockets;
	trace->copying = copying;
	trace->stale = stale;
	judge(trace);
}

/* ---- names ---- */

static const char *const offload_names[TRACE_OFFLOADS] = {
	[TRACE_SCATTER] = "scatter-gather",
	[TRACE_CHECKSUM4] = "checksum-ipv4",
	[TRACE_CHECKSUM6] = "checksum-ipv6",
	[TRACE_SEGMENT4] = "segmentation-ipv4",
	[TRACE_SEGMENT6] = "segmentation-ipv6",
	[TRACE_UDP] = "segmentation-udp",
};

static const char *const reason_names[TRACE_REASONS] = {
	[TRACE_FEATURE] = "feature",
	[TRACE_VLAN] = "vlan",
	[TRACE_TAGS] = "vlan-tags",
	[TRACE_TUNNEL] = "tunnel",
	[TRACE_SIZE] = "size",
	[TRACE_SEGMENTS] = "segments",
	[TRACE_KIND] = "kind",
	[TRACE_QDISC] = "qdisc",
	[TRACE_UNREAD] = "unread",
};

static const char *const next_names[TRACE_NEXTS] = {
	[TRACE_LOWER] = "lower",
	[TRACE_PORTS] = "ports",
	[TRACE_ROUTED] = "route",
	[TRACE_WIRE] = "wire",
	[TRACE_PEER] = "peer",
	[TRACE_LOCAL] = "local",
	[TRACE_PROGRAM] = "program",
	[TRACE_DISCARDED] = "discarded",
	[TRACE_LOST] = "unknown",
};

static const char *const role_names[LINK_ROLES] = { [LINK_ROLE_ACTIVE] = "active", [LINK_ROLE_BACKUP] = "backup" };

static const char *const why_names[TRACE_WHYS] = {
	[TRACE_WHY_NAMESPACE] = "namespace",
	[TRACE_WHY_GONE] = "gone",
	[TRACE_WHY_LOOP] = "loop",
	[TRACE_WHY_REMOTE] = "remote",
	[TRACE_WHY_ROUTE] = "route",
	[TRACE_WHY_KIND] = "kind",
	[TRACE_WHY_LONG] = "long",
};

static const char *const verdict_names[] = { [TRACE_OK] = "ok", [TRACE_LIKELY] = "likely", [TRACE_UNKNOWN] = "unknown", [TRACE_SOFTWARE] = "software" };

const char *trace_offload_name(enum trace_offload offload)
{
	return offload_names[offload];
}

const char *trace_reason_name(enum trace_reason reason)
{
	return reason_names[reason];
}

const char *trace_next_name(enum trace_next next)
{
	return next_names[next];
}

const char *trace_role_name(enum link_role role)
{
	return role_names[role];
}

const char *trace_why_name(enum trace_why why)
{
	return why_names[why];
}

const char *trace_verdict_name(enum trace_verdict verdict)
{
	return verdict_names[verdict];
}
