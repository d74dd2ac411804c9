/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Traces of packets: which hop does what in software, and what is not known. Roles, routes and tunnels are scripted. */
#include "golden.h"
#include "path/trace_report.h"
#include "unit-model.h"

#include <arpa/inet.h>

#define TUNNEL " tx-udp_tnl-segmentation tx-udp_tnl-csum-segmentation tx-gre-segmentation"

static struct trace trace;

/* What the kernel would answer. */
static struct script {
	struct link_details details[64]; /* by ifindex */
	const char *qdisc[64];
	int routes[TRACE_ROUTES_MAX], n_routes;
} script;

static int setup(void **state)
{
	*state = unit_host_new();
	script = (struct script){ 0 };
	return 0;
}

static int teardown(void **state)
{
	trace_clear(&trace);
	unit_host_free(*state);
	return 0;
}

static int details(void *userdata, const struct link *link, struct link_details *ret, char qdisc[LINK_KIND_LEN])
{
	(void)userdata;
	*ret = script.details[link->ifindex];
	strcpy(qdisc, script.qdisc[link->ifindex] ? script.qdisc[link->ifindex] : "noqueue");
	return 0;
}

static int route(void *userdata, uint16_t family, const uint8_t *address, int ret_links[TRACE_ROUTES_MAX])
{
	(void)userdata;
	(void)family;
	(void)address;
	memcpy(ret_links, script.routes, sizeof(script.routes));
	return script.n_routes;
}

static void follow(struct unit_host *h, const char *name, unsigned offloads)
{
	const struct link *link = link_table_find_name(&h->links, name);
	const struct trace_source source = { .links = &h->links, .features = &h->features, .host = &h->host,
		.details = details, .route = route };

	assert_non_null(link);
	trace_clear(&trace);
	link_table_stack(&h->links);
	assert_int_equal(trace_follow(&source, link->ifindex, offloads, &trace), 0);
	for (size_t i = 0; i < trace.n_hops; i++) {
		int parent = trace.hops[i].parent;

		assert_true(parent < (int)i);
		assert_int_equal(trace.hops[i].left & ~(parent < 0 ? ~0u : trace.hops[parent].left), 0);
		assert_int_equal(trace.hops[i].left & trace_hop_certain(&trace.hops[i]) &
				~(trace.hops[i].losses[TRACE_SIZE].certain | trace.hops[i].losses[TRACE_SEGMENTS].certain), 0);
	}
}

static const struct trace_hop *hop(const char *name)
{
	for (size_t i = 0; i < trace.n_hops; i++)
		if (strcmp(trace.hops[i].link->name, name) == 0)
			return &trace.hops[i];
	fail_msg("no hop %s", name);
	return NULL;
}

static const char *hops(void)
{
	static char text[256];

	text[0] = '\0';
	for (size_t i = 0; i < trace.n_hops; i++)
		util_append(text, sizeof(text), "%s%.*s%s", i ? " " : "", (int)trace.hops[i].depth, ">>>>>>>>", trace.hops[i].link->name);
	return text;
}

#define assert_verdict_at(expected, where)                                                                                     \
	do {                                                                                                                   \
		assert_string_equal(trace_verdict_name(trace.verdict), trace_verdict_name(expected));                               \
		assert_int_not_equal(trace.at, -1);                                                                              \
		assert_string_equal(trace.hops[trace.at].link->name, where);                                                        \
	} while (0)
#define assert_ok()                                                                                                            \
	do {                                                                                                                   \
		assert_string_equal(trace_verdict_name(trace.verdict), "ok");                                                     \
		assert_int_equal(trace.at, -1);                                                                                  \
	} while (0)

/* The incident's network on veth, whose vlan_features and hw_enc_features are known. */
static void incident(struct unit_host *h)
{
	unit_incident(h);
	for (int ifindex = 2; ifindex <= 3; ifindex++)
		strcpy(link_table_find(&h->links, ifindex)->kind, "veth");
}

static void set_limit(struct unit_host *h, const char *name, enum link_limit limit, uint32_t value)
{
	struct link *link = link_table_find_name(&h->links, name);

	link->limits.value[limit] = value;
	link->limits.has |= LINK_LIMIT(limit);
}

static void a_healthy_stack(void **state)
{
	struct unit_host *h = *state;

	incident(h);
	follow(h, "vlan10", TRACE_TCP4 | TRACE_TCP6);
	assert_ok();
	assert_string_equal(hops(), "vlan10 >bond0 >>eth2 >>eth3");
	assert_int_equal(hop("vlan10")->next, TRACE_LOWER);
	assert_int_equal(hop("bond0")->next, TRACE_PORTS);
	assert_int_equal(hop("bond0")->tags, 1);
	assert_int_equal(hop("eth3")->next, TRACE_PEER);
	/* few devices segment UDP, and that decides nothing */
	assert_false(hop("vlan10")->left & TRACE_OFFLOAD(TRACE_UDP));
}

static void the_incident(void **state)
{
	struct unit_host *h = *state;

	incident(h);
	unit_off(h, "vlan10", "sg tx tso");
	follow(h, "vlan10", TRACE_TCP4 | TRACE_TCP6);
	assert_verdict_at(TRACE_SOFTWARE, "vlan10");
	assert_int_equal(hop("vlan10")->losses[TRACE_FEATURE].certain & (TRACE_TCP4 | TRACE_TCP6), TRACE_TCP4 | TRACE_TCP6);
	assert_true(hop("vlan10")->losses[TRACE_FEATURE].features & unit_set(&h->features, "tx-scatter-gather"));
	/* of several checksums that would do, the one that the link can change */
	assert_true(hop("vlan10")->losses[TRACE_FEATURE].features & unit_set(&h->features, "tx-checksum-ip-generic"));
	assert_false(hop("vlan10")->losses[TRACE_FEATURE].features & unit_set(&h->features, "tx-checksum-ipv4"));
	/* what is segmented already is not lost again */
	assert_int_equal(trace_hop_certain(hop("eth2")), 0);
	follow(h, "vlan100", TRACE_TCP4 | TRACE_TCP6);
	assert_ok();
}

static void one_family_only(void **state)
{
	struct unit_host *h = *state;

	incident(h);
	unit_off(h, "eth3", "tx-tcp6-segmentation");
	follow(h, "vlan10", TRACE_TCP4);
	assert_ok();
	follow(h, "vlan10", TRACE_TCP6);
	assert_verdict_at(TRACE_SOFTWARE, "eth3");
	assert_int_equal(hop("eth3")->losses[TRACE_FEATURE].certain, TRACE_OFFLOAD(TRACE_SEGMENT6));
}

/* The bond has what one port has; the other one works in software. */
static void the_port_that_lacks_it(void **state)
{
	struct unit_host *h = *state;

	incident(h);
	unit_off(h, "eth2", "sg tso");
	unit_off(h, "eth3", "sg tso");
	link_table_find_name(&h->links, "eth2")->features = link_table_find_name(&h->links, "bond0")->features;
	follow(h, "vlan10", TRACE_TCP4);
	assert_verdict_at(TRACE_SOFTWARE, "eth3");
	assert_int_equal(trace_hop_certain(hop("bond0")) & TRACE_TCP4, 0);
	/* a backup port is named if no other one is as bad */
	script.details[2].role = LINK_ROLE_ACTIVE;
	script.details[3].role = LINK_ROLE_BACKUP;
	follow(h, "vlan10", TRACE_TCP4);
	assert_verdict_at(TRACE_SOFTWARE, "eth3");
	assert_int_equal(hop("eth3")->role, LINK_ROLE_BACKUP);
	script.details[2].role = LINK_ROLE_BACKUP;
	script.details[3].role = LINK_ROLE_ACTIVE;
	unit_off(h, "eth2", "sg tso");
	follow(h, "vlan10", TRACE_TCP4);
	assert_verdict_at(TRACE_SOFTWARE, "eth3");
}

/* Only the link of the route limits what a socket sends. */
static void a_limit_below(void **state)
{
	struct unit_host *h = *state;
	static const char *const names[] = { "vlan10", "bond0", "eth2", "eth3" };

	incident(h);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		set_limit(h, names[i], LINK_LIMIT_GSO_MAX_SIZE, 65536);
		set_limit(h, names[i], LINK_LIMIT_GSO_MAX_SEGS, 65535);
	}
	follow(h, "vlan10", TRACE_TCP4 | TRACE_TCP6);
	assert_ok();
	assert_int_equal(hop("eth2")->max_size[0], 65536);
	set_limit(h, "eth2", LINK_LIMIT_GSO_MAX_SIZE, 8000);
	follow(h, "vlan10", TRACE_TCP4 | TRACE_TCP6);
	assert_verdict_at(TRACE_SOFTWARE, "eth2");
	assert_int_equal(hop("eth2")->losses[TRACE_SIZE].limit, 8000);
	assert_true(hop("eth2")->losses[TRACE_SIZE].certain & TRACE_OFFLOAD(TRACE_SEGMENT6));
	assert_true(hop("eth2")->left & TRACE_OFFLOAD(TRACE_SEGMENT4)); /* shorter packets */
	assert_int_equal(hop("eth2")->max_size[1], 8000);
	assert_int_equal(hop("eth3")->max_size[1], 65536);
	/* the socket sees it there */
	set_limit(h, "vlan10", LINK_LIMIT_GSO_MAX_SIZE, 8000);
	follow(h, "vlan10", TRACE_TCP4 | TRACE_TCP6);
	assert_ok();
	set_limit(h, "bond0", LINK_LIMIT_GSO_MAX_SEGS, 10);
	follow(h, "vlan10", TRACE_TCP4);
	assert_verdict_at(TRACE_SOFTWARE, "bond0");
	assert_int_equal(hop("bond0")->losses[TRACE_SEGMENTS].limit, 10);
	assert_int_equal(hop("eth2")->max_segs, 10);
}

/* What a socket may send was decided when it was routed. */
static void sockets_from_before_a_limit(void **state)
{
	struct unit_host *h = *state;
	struct trace_source source = { .links = &h->links, .features = &h->features, .host = &h->host,
		.details = details, .route = route, .socket_size = 65215 };

	incident(h);
	set_limit(h, "vlan10", LINK_LIMIT_GSO_MAX_SIZE, 8000);
	set_limit(h, "eth2", LINK_LIMIT_GSO_MAX_SIZE, 8000);
	link_table_stack(&h->links);
	assert_int_equal(trace_follow(&source, 10, TRACE_TCP4, &trace), 0);
	assert_verdict_at(TRACE_SOFTWARE, "vlan10");
	assert_int_equal(hop("vlan10")->losses[TRACE_SIZE].limit, 8000);
	assert_int_equal(hop("eth2")->losses[TRACE_SIZE].certain, 0);
	trace_clear(&trace);
	source.socket_size = 7679;
	assert_int_equal(trace_follow(&source, 10, TRACE_TCP4, &trace), 0);
	assert_ok();
	assert_int_equal(hop("eth2")->max_size[0], 7679);
}

static void a_limit_of_one_family(void **state)
{
	struct unit_host *h = *state;

	incident(h);
	set_limit(h, "bond0", LINK_LIMIT_GSO_MAX_SIZE, 200000);
	set_limit(h, "bond0", LINK_LIMIT_GSO_IPV4_MAX_SIZE, 65536);
	set_limit(h, "eth2", LINK_LIMIT_GSO_MAX_SIZE, 65536);
	set_limit(h, "eth2", LINK_LIMIT_GSO_IPV4_MAX_SIZE, 65536);
	follow(h, "bond0", TRACE_TCP4);
	assert_ok();
	follow(h, "bond0", TRACE_TCP6);
	assert_verdict_at(TRACE_SOFTWARE, "eth2");
}

static void vlan_features(void **state)
{
	struct unit_host *h = *state;

	unit_incident(h); /* cards of an unknown driver: what they offer to VLANs cannot be read */
	follow(h, "vlan10", TRACE_TCP4);
	assert_verdict_at(TRACE_LIKELY, "bond0");
	assert_int_equal(hop("eth2")->losses[TRACE_VLAN].possible & TRACE_OFFLOAD(TRACE_SEGMENT4), TRACE_OFFLOAD(TRACE_SEGMENT4));
	assert_int_equal(hop("eth2")->next, TRACE_WIRE);
	follow(h, "bond0", TRACE_TCP4);
	assert_ok();
	/* a driver that is known */
	strcpy(link_table_find(&h->links, 2)->driver, "e1000e");
	strcpy(link_table_find(&h->links, 3)->driver, "e1000e");
	follow(h, "vlan10", TRACE_TCP4);
	assert_ok();
	/* a device that offers nothing to VLANs */
	unit_link(h, 20, "du0", "dummy", 0, 0, UNIT_TRANSMIT);
	unit_link(h, 21, "du0.5", "vlan", 20, 0, UNIT_TRANSMIT);
	unit_inactive(h, "du0.5", "sg tx");
	follow(h, "du0", TRACE_TCP4);
	assert_ok();
	follow(h, "du0.5", TRACE_TCP4);
	assert_verdict_at(TRACE_SOFTWARE, "du0.5");
}

static void two_tags(void **state)
{
	struct unit_host *h = *state;

	incident(h);
	unit_link(h, 12, "inner", "vlan", 10, 0, UNIT_TRANSMIT);
	follow(h, "inner", TRACE_TCP4);
	assert_ok(); /* bond and veth pass them: passthru_features_check() */
	assert_int_equal(hop("eth2")->tags, 2);
	for (int ifindex = 2; ifindex <= 3; ifindex++) {
		strcpy(link_table_find(&h->links, ifindex)->kind, "physical");
		strcpy(link_table_find(&h->links, ifindex)->driver, "e1000e");
	}
	follow(h, "inner", TRACE_TCP4);
	assert_verdict_at(TRACE_UNKNOWN, "eth2");
	assert_true(hop("eth2")->losses[TRACE_TAGS].possible & TRACE_OFFLOAD(TRACE_SEGMENT4));
}

static void a_vxlan_on_a_bond(void **state)
{
	struct unit_host *h = *state;

	for (int ifindex = 2; ifindex <= 3; ifindex++)
		unit_link(h, ifindex, ifindex == 2 ? "eth2" : "eth3", "veth", 0, 4, UNIT_TRANSMIT TUNNEL);
	unit_link(h, 4, "bond0", "bond", 0, 0, UNIT_TRANSMIT TUNNEL);
	unit_link(h, 30, "vx0", "vxlan", 0, 0, UNIT_TRANSMIT);
	script.details[30] = (struct link_details){ .family = AF_INET, .remote = { 192, 0, 2, 9 }, .checksum = true };
	script.routes[0] = 4;
	script.n_routes = 1;
	follow(h, "vx0", TRACE_TCP4 | TRACE_TCP6);
	assert_ok();
	assert_string_equal(hops(), "vx0 >bond0 >>eth2 >>eth3");
	assert_int_equal(hop("vx0")->next, TRACE_ROUTED);
	assert_false(hop("vx0")->tunnelled);
	assert_true(hop("eth3")->tunnelled);
	/* the bond claims it, the port does not have it */
	unit_off(h, "eth3", "tx-udp_tnl-csum-segmentation");
	follow(h, "vx0", TRACE_TCP4);
	assert_verdict_at(TRACE_SOFTWARE, "eth3");
	assert_true(hop("eth3")->losses[TRACE_FEATURE].features == unit_set(&h->features, "tx-udp_tnl-csum-segmentation"));
	assert_true(hop("eth3")->left & TRACE_OFFLOAD(TRACE_CHECKSUM4));
	/* the same without an outer checksum */
	script.details[30].checksum = false;
	follow(h, "vx0", TRACE_TCP4);
	assert_ok();
	/* what goes out unencapsulated does not need it */
	script.details[30].checksum = true;
	follow(h, "bond0", TRACE_TCP4);
	assert_ok();
	/* a card's hw_enc_features cannot be read */
	script.details[30].checksum = false;
	strcpy(link_table_find(&h->links, 2)->kind, "physical");
	follow(h, "vx0", TRACE_TCP4);
	assert_verdict_at(TRACE_LIKELY, "bond0");
	assert_true(hop("eth2")->losses[TRACE_TUNNEL].possible & TRACE_OFFLOAD(TRACE_SEGMENT4));
	assert_int_equal(trace_hop_possible(hop("eth3")), 0);
}

static void a_tunnel_without_a_way(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 30, "vx0", "vxlan", 0, 0, UNIT_TRANSMIT);
	follow(h, "vx0", TRACE_TCP4);
	assert_verdict_at(TRACE_UNKNOWN, "vx0");
	assert_int_equal(hop("vx0")->why, TRACE_WHY_REMOTE);
	script.details[30].family = AF_INET6;
	script.n_routes = -ENETUNREACH;
	follow(h, "vx0", TRACE_TCP4);
	assert_int_equal(hop("vx0")->why, TRACE_WHY_ROUTE);
	assert_int_equal(hop("vx0")->error, -ENETUNREACH);
	/* through itself */
	script.routes[0] = 30;
	script.n_routes = 1;
	follow(h, "vx0", TRACE_TCP4);
	assert_verdict_at(TRACE_UNKNOWN, "vx0");
	assert_int_equal(hop("vx0")->why, TRACE_WHY_LOOP);
	/* two next hops, one of which is gone */
	unit_link(h, 2, "eth2", "veth", 0, 0, UNIT_TRANSMIT TUNNEL);
	script.routes[0] = 2;
	script.routes[1] = 99;
	script.n_routes = 2;
	follow(h, "vx0", TRACE_TCP4);
	assert_verdict_at(TRACE_UNKNOWN, "vx0");
	assert_string_equal(hops(), "vx0 >eth2");
}

static void other_kinds(void **state)
{
	static const struct {
		const char *kind;
		enum trace_next next;
	} ends[] = { { "veth", TRACE_PEER }, { "physical", TRACE_WIRE }, { "loopback", TRACE_LOCAL }, { "tun", TRACE_PROGRAM },
		{ "dummy", TRACE_DISCARDED }, { "bond", TRACE_DISCARDED }, { "bridge", TRACE_DISCARDED } };
	struct unit_host *h = *state;

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		unit_link(h, 40 + (int)i, ends[i].kind, ends[i].kind, 0, 0, UNIT_TRANSMIT);
		follow(h, ends[i].kind, TRACE_TCP4 | TRACE_TCP6);
		assert_ok();
		assert_int_equal(trace.hops[0].next, ends[i].next);
	}
	unit_link(h, 50, "other0", "other", 0, 0, UNIT_TRANSMIT);
	follow(h, "other0", TRACE_TCP4);
	assert_verdict_at(TRACE_UNKNOWN, "other0");
	assert_int_equal(hop("other0")->why, TRACE_WHY_KIND);
	unit_link(h, 51, "wg0", "wireguard", 0, 0, UNIT_TRANSMIT);
	follow(h, "wg0", TRACE_TCP4);
	assert_verdict_at(TRACE_SOFTWARE, "wg0");
	assert_true(hop("wg0")->losses[TRACE_KIND].certain & TRACE_OFFLOAD(TRACE_SEGMENT4));
	unit_link(h, 52, "br0", "bridge", 0, 0, UNIT_TRANSMIT);
	unit_link(h, 53, "p1", "veth", 0, 52, UNIT_TRANSMIT);
	unit_link(h, 54, "p2", "veth", 0, 52, UNIT_TRANSMIT);
	unit_off(h, "p2", "tso");
	follow(h, "br0", TRACE_TCP4);
	assert_verdict_at(TRACE_SOFTWARE, "p2");
	assert_string_equal(hops(), "br0 >p1 >p2");
}

static void what_cannot_be_read(void **state)
{
	struct unit_host *h = *state;

	incident(h);
	link_table_find_name(&h->links, "bond0")->has_features = false;
	follow(h, "vlan10", TRACE_TCP4);
	assert_verdict_at(TRACE_UNKNOWN, "bond0");
	unit_off(h, "eth2", "tso");
	follow(h, "vlan10", TRACE_TCP4);
	assert_verdict_at(TRACE_SOFTWARE, "eth2");
}

static void a_lower_that_is_not_there(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 10, "vlan10", "vlan", 99, 0, UNIT_TRANSMIT);
	follow(h, "vlan10", TRACE_TCP4);
	assert_verdict_at(TRACE_UNKNOWN, "vlan10");
	assert_int_equal(hop("vlan10")->why, TRACE_WHY_GONE);
	link_table_find(&h->links, 10)->lower_ifindex = 0;
	link_table_find(&h->links, 10)->lower_netnsid = 3;
	follow(h, "vlan10", TRACE_TCP4);
	assert_verdict_at(TRACE_UNKNOWN, "vlan10");
	assert_int_equal(hop("vlan10")->why, TRACE_WHY_NAMESPACE);
}

/* Which the kernel does not allow, but a table that was read during changes may have. */
static void a_loop(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 10, "a", "macvlan", 11, 0, UNIT_TRANSMIT);
	unit_link(h, 11, "b", "macvlan", 10, 0, UNIT_TRANSMIT);
	follow(h, "a", TRACE_TCP4);
	assert_verdict_at(TRACE_UNKNOWN, "b");
	assert_int_equal(hop("b")->why, TRACE_WHY_LOOP);
	for (int i = 12; i < 60; i++) {
		char name[LINK_NAME_LEN];

		snprintf(name, sizeof(name), "mac%d", i);
		unit_link(h, i, name, "macvlan", i + 1, 0, UNIT_TRANSMIT);
	}
	follow(h, "mac12", TRACE_TCP4);
	assert_int_equal(trace.verdict, TRACE_UNKNOWN);
	assert_int_equal(trace.hops[trace.n_hops - 1].why, TRACE_WHY_LONG);
}

static void a_queueing_discipline(void **state)
{
	struct unit_host *h = *state;

	incident(h);
	script.qdisc[3] = "fq_codel";
	follow(h, "vlan10", TRACE_TCP4);
	assert_ok();
	script.qdisc[4] = "cake";
	follow(h, "vlan10", TRACE_TCP4);
	assert_verdict_at(TRACE_UNKNOWN, "bond0");
	assert_true(hop("bond0")->losses[TRACE_QDISC].possible & TRACE_OFFLOAD(TRACE_SEGMENT4));
}

/* Nothing that can be read is wrong, and a counter grows. */
static void counters_decide(void **state)
{
	static const char *const web[] = { "web.service", NULL }, *const ssh[] = { "ssh.service", NULL };
	struct unit_host *h = *state;
	struct evidence e = { .has_fallback = true };
	struct evidence_fallback *row = evidence_fallback_row(&e, FALLBACK_SOCKET, FALLBACK_REASON_SIZE, "web.service", "eth3");

	incident(h);
	row->ifindex = 3;
	row->hits[FALLBACK_SEGMENTATION] = (struct evidence_hits){ .n = 7 };
	follow(h, "vlan10", TRACE_TCP4);
	trace_add_evidence(&trace, &e, NULL);
	assert_ok(); /* earlier */
	assert_int_equal(hop("eth3")->hits, 7);
	row->hits[FALLBACK_SEGMENTATION].now = true;
	trace_add_evidence(&trace, &e, web);
	assert_verdict_at(TRACE_SOFTWARE, "eth3");
	assert_int_equal(hop("eth3")->hits, 7);
	trace_add_evidence(&trace, &e, ssh);
	assert_ok();
	evidence_clear(&e);
}

/* What a card offers to VLANs is not readable: likely everything. Only hits that may be about that speak against it. */
static void counters_doubt(void **state)
{
	struct unit_host *h = *state;
	struct evidence e = { .has_fallback = true };
	static const char *const ssh[] = { "ssh.service", NULL };

	for (int reason = 0; reason < FALLBACK_REASONS; reason++) {
		bool about = reason == FALLBACK_REASON_VLAN || reason == FALLBACK_REASON_ENCAPSULATION ||
			reason == FALLBACK_REASON_DRIVER || reason == FALLBACK_REASON_UNKNOWN;
		struct evidence_fallback *row;

		if (reason == 0)
			unit_incident(h);
		row = evidence_fallback_row(&e, FALLBACK_SOCKET, (enum fallback_reason)reason, "web.service", "eth2");
		row->ifindex = 2;
		row->hits[FALLBACK_SEGMENTATION].n = 1;
		follow(h, "vlan10", TRACE_TCP4);
		assert_verdict_at(TRACE_LIKELY, "bond0");
		trace_add_evidence(&trace, &e, NULL);
		if (about)
			assert_verdict_at(TRACE_UNKNOWN, "eth2");
		else
			assert_verdict_at(TRACE_LIKELY, "bond0");
		/* those of other services, too: it is the same card */
		trace_add_evidence(&trace, &e, ssh);
		assert_int_equal(hop("eth2")->hits, 0);
		if (about)
			assert_verdict_at(TRACE_UNKNOWN, "eth2");
		else
			assert_verdict_at(TRACE_LIKELY, "bond0");
		evidence_clear(&e);
		e = (struct evidence){ .has_fallback = true };
	}
	/* what is off is lost, whatever else is not known */
	unit_off(h, "eth2", "tso");
	follow(h, "vlan10", TRACE_TCP4);
	assert_verdict_at(TRACE_SOFTWARE, "eth2");
	evidence_clear(&e);
}

static void sockets_that_copy(void **state)
{
	struct unit_host *h = *state;

	incident(h);
	follow(h, "vlan10", TRACE_TCP4);
	trace_add_sockets(&trace, 3, 0, 0);
	assert_ok();
	trace_add_sockets(&trace, 3, 2, 1);
	assert_int_equal(trace.verdict, TRACE_SOFTWARE);
	assert_int_equal(trace.at, -1);
}

static void no_such_link(void **state)
{
	struct unit_host *h = *state;
	const struct trace_source source = { .links = &h->links, .features = &h->features, .host = &h->host, .details = details,
		.route = route };

	assert_int_equal(trace_follow(&source, 77, TRACE_TCP4, &trace), -ENODEV);
}

/* ---- text ---- */

struct sample {
	struct unit_host *h;
	struct trace_item item;
	struct trace_report report;
	FILE *out;
};

static void print(struct sample *s, const char *name, unsigned offloads)
{
	const struct view view = { .features = &s->h->features, .links = &s->h->links, .rules = &s->h->rules, .plan = &s->h->plan };
	const struct render render = { .out = s->out };

	follow(s->h, name, offloads);
	s->item.trace = trace;
	trace = (struct trace){ 0 };
	if (s->report.asked == TRACE_ASKED_UNIT)
		trace_add_sockets(&s->item.trace, 3, 2, 1);
	if (s->report.evidence)
		trace_add_evidence(&s->item.trace, s->report.evidence, NULL);
	s->report.name = s->report.asked == TRACE_ASKED_UNIT ? "web.service" : name;
	s->report.items = &s->item;
	s->report.n_items = 1;
	assert_int_equal(trace_report_text(&render, &view, &s->report), 0);
	fputs("----\n", s->out);
	trace_clear(&s->item.trace);
}

static void what_is_printed(void **state)
{
	struct unit_host *h = *state;
	struct sample s = { .h = h };
	struct evidence e = { .has_fallback = true };
	struct evidence_fallback *row = evidence_fallback_row(&e, FALLBACK_SOCKET, FALLBACK_REASON_SIZE, "web.service", "eth3");
	const struct trace_report nothing = { .asked = TRACE_ASKED_UNIT, .name = "web.service", .sockets = "iterator" };
	_cleanup_free_ char *text = NULL;
	size_t len;
	const struct view view = { .features = &h->features };
	struct render render = { 0 };

	evidence_add_probe(&e, &(struct evidence_probe){ "segmentation", "__skb_gso_segment", "fentry", NULL, false });
	evidence_add_probe(&e, &(struct evidence_probe){ "checksum", "skb_checksum_help", "fentry", NULL, false });
	s.out = open_memstream(&text, &len);
	incident(h);
	print(&s, "vlan10", TRACE_TCP4 | TRACE_TCP6);
	set_limit(h, "vlan10", LINK_LIMIT_GSO_MAX_SIZE, 65536);
	set_limit(h, "bond0", LINK_LIMIT_GSO_MAX_SIZE, 65536);
	set_limit(h, "eth2", LINK_LIMIT_GSO_MAX_SIZE, 8000);
	set_limit(h, "eth3", LINK_LIMIT_GSO_MAX_SIZE, 65536);
	script.details[2].role = LINK_ROLE_ACTIVE;
	script.details[3].role = LINK_ROLE_BACKUP;
	print(&s, "vlan10", TRACE_TCP4 | TRACE_TCP6);
	set_limit(h, "eth2", LINK_LIMIT_GSO_MAX_SIZE, 65536);
	unit_off(h, "eth3", "tx-tcp6-segmentation");
	print(&s, "vlan10", TRACE_TCP4 | TRACE_TCP6);
	row->ifindex = 3;
	row->hits[FALLBACK_SEGMENTATION] = (struct evidence_hits){ .n = 7, .now = true };
	s.report.evidence = &e;
	print(&s, "vlan10", TRACE_TCP4);
	row->hits[FALLBACK_SEGMENTATION].now = false;
	s.report.asked = TRACE_ASKED_UNIT;
	s.item.n_remotes = 5;
	for (unsigned i = 0; i < TRACE_REMOTES_MAX; i++)
		s.item.remotes[i] = (struct socket_info){ .family = AF_INET, .remote = { 192, 0, 2, (uint8_t)i }, .remote_port = 80 };
	print(&s, "vlan10", TRACE_TCP4);
	s.report.asked = TRACE_ASKED_INTERFACE;
	s.report.evidence = NULL;
	unit_link(h, 30, "vx0", "vxlan", 0, 0, UNIT_TRANSMIT);
	script.details[30] = (struct link_details){ .family = AF_INET6, .remote = { 0x20, 1, 0xd, 0xb8, [15] = 9 }, .checksum = true };
	script.routes[0] = 4;
	script.n_routes = 1;
	print(&s, "vx0", TRACE_TCP4);
	script.n_routes = -ENETUNREACH;
	print(&s, "vx0", TRACE_TCP4);
	/* cards of a driver that is not known */
	for (int ifindex = 2; ifindex <= 3; ifindex++)
		strcpy(link_table_find(&h->links, ifindex)->kind, "physical");
	print(&s, "vlan10", TRACE_TCP4);
	assert_false(trace_report_is_counted(&s.report));
	s.report.evidence = &e;
	print(&s, "vlan10", TRACE_TCP4);
	assert_true(trace_report_is_counted(&s.report));
	e.omitted = 1;
	assert_false(trace_report_is_counted(&s.report));
	render.out = s.out;
	assert_int_equal(trace_report_text(&render, &view, &nothing), 0);
	fclose(s.out);
	evidence_clear(&e);
	golden_compare("tests/golden/path.txt", text, len);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_healthy_stack),
		TEST(the_incident),
		TEST(one_family_only),
		TEST(the_port_that_lacks_it),
		TEST(a_limit_below),
		TEST(sockets_from_before_a_limit),
		TEST(a_limit_of_one_family),
		TEST(vlan_features),
		TEST(two_tags),
		TEST(a_vxlan_on_a_bond),
		TEST(a_tunnel_without_a_way),
		TEST(other_kinds),
		TEST(what_cannot_be_read),
		TEST(a_lower_that_is_not_there),
		TEST(a_loop),
		TEST(a_queueing_discipline),
		TEST(counters_decide),
		TEST(counters_doubt),
		TEST(sockets_that_copy),
		TEST(no_such_link),
		TEST(what_is_printed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
