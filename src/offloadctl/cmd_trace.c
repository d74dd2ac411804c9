/* SPDX-License-Identifier: GPL-2.0-or-later */
/* path: follows packets from the socket to the wire. */
#include "offloadctl/cmd_answer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/capability.h>
#include <string.h>

#include "control/methods.h"
#include "kernel/cgroup.h"
#include "kernel/tcp_sockets.h"
#include "offloadctl/cmd_service.h"
#include "path/trace_report.h"
#include "report/json_services.h"

#define CHAINS_MAX 16

/* Connections of the unit with the same route and address family. */
struct group {
	int ifindex;
	bool ipv6;
	unsigned sockets, copying, stale;
	uint32_t max_size; /* of the packets that they send */
	struct socket_info remotes[TRACE_REMOTES_MAX];
	size_t n_remotes;
};

struct qdisc {
	int ifindex;
	char kind[LINK_KIND_LEN];
};

struct tracing {
	const struct cmd_options *options;
	struct cmd_session session;
	struct trace_source source;
	struct qdisc *qdiscs; /* by link, those that may segment first */
	size_t n_qdiscs;
	int error;
	struct trace_report report;
	struct json_value *answer; /* of offloadd; the evidence borrows from it */
	struct evidence evidence;
	/* the sockets of the unit */
	struct probe *probe;
	struct socket_info *sockets;
	size_t n_sockets;
	struct group *groups;
	size_t n_groups;
	char names[TRACE_SERVICES_MAX][UNIT_SERVICE_LEN];
	size_t n_names;
	char why[PROBE_WHY_LEN];
};

static void tracing_close(struct tracing *t)
{
	for (size_t i = 0; i < t->report.n_items; i++)
		trace_clear(&t->report.items[i].trace);
	for (size_t i = 0; i < t->report.n_chains; i++)
		explanation_clear(&t->report.chains[i].explanation);
	free(t->qdiscs);
	free(t->report.items);
	free(t->report.chains);
	free(t->sockets);
	free(t->groups);
	probe_close(t->probe);
	evidence_clear(&t->evidence);
	json_free(t->answer);
	cmd_close(&t->session);
}

/* ---- what the trace asks the kernel ---- */

static int compare_qdiscs(const void *p, const void *q)
{
	const struct qdisc *a = p, *b = q;

	return COMPARE(a->ifindex, b->ifindex) ?: COMPARE(trace_qdisc_segments(b->kind), trace_qdisc_segments(a->kind));
}

static void take_qdisc(int ifindex, const char *kind, void *userdata)
{
	struct tracing *t = userdata;
	struct qdisc *qdisc;

	if (!GROW(t->qdiscs, t->n_qdiscs)) {
		t->error = -ENOMEM;
		return;
	}
	qdisc = &t->qdiscs[t->n_qdiscs++];
	qdisc->ifindex = ifindex;
	util_copy_name(qdisc->kind, sizeof(qdisc->kind), kind, strlen(kind));
}

/* CMD_OK or CMD_ERROR. */
static int read_qdiscs(struct tracing *t)
{
	int r = rtnl_dump_qdiscs(t->session.observe->rtnl, take_qdisc, t);

	if (r >= 0)
		r = t->error;
	if (r < 0 && r != -EOPNOTSUPP)
		return cmd_error("Failed to read queueing disciplines: %s", strerror(-r));
	if (t->n_qdiscs)
		qsort(t->qdiscs, t->n_qdiscs, sizeof(*t->qdiscs), compare_qdiscs);
	return CMD_OK;
}

static int read_details(void *userdata, const struct link *link, struct link_details *ret, char qdisc[LINK_KIND_LEN])
{
	struct tracing *t = userdata;

	for (size_t i = 0; i < t->n_qdiscs && t->qdiscs[i].ifindex <= link->ifindex && !qdisc[0]; i++)
		if (t->qdiscs[i].ifindex == link->ifindex)
			memcpy(qdisc, t->qdiscs[i].kind, LINK_KIND_LEN);
	return rtnl_read_details(t->session.observe->rtnl, link->ifindex, ret);
}

static bool is_link_local(uint16_t family, const uint8_t *address)
{
	return family == AF_INET6 && address[0] == 0xfe && (address[1] & 0xc0) == 0x80;
}

static int find_route(void *userdata, uint16_t family, const uint8_t *address, int ret_links[TRACE_ROUTES_MAX])
{
	if (is_link_local(family, address))
		return -EHOSTUNREACH; /* every interface has such a route */
	return rtnl_find_route(((struct tracing *)userdata)->session.observe->rtnl, family, address, ret_links, TRACE_ROUTES_MAX);
}

/* CMD_OK or CMD_ERROR. */
static int add_trace(struct tracing *t, int ifindex, unsigned offloads, struct trace_item **ret)
{
	struct trace_report *report = &t->report;
	struct trace_item *item;
	int r;

	if (!GROW(report->items, report->n_items))
		return cmd_error("%s", strerror(ENOMEM));
	item = &report->items[report->n_items];
	*item = (struct trace_item){ 0 };
	r = trace_follow(&t->source, ifindex, offloads, &item->trace);
	if (r < 0)
		return cmd_error("Failed to follow packets from interface %d: %s", ifindex, strerror(-r));
	report->n_items++;
	if (ret)
		*ret = item;
	return CMD_OK;
}

/* ---- an address ---- */

static bool parse_address(const char *text, struct socket_info *ret)
{
	*ret = (struct socket_info){ .family = AF_INET };
	if (inet_pton(AF_INET, text, ret->remote) == 1)
		return true;
	ret->family = AF_INET6;
	return inet_pton(AF_INET6, text, ret->remote) == 1;
}

/* An IPv4 address in a socket of IPv6 (::ffff:192.0.2.1) is one of IPv4. */
static void unmap(struct socket_info *socket)
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

	if (socket->family != AF_INET6 || memcmp(socket->remote, mapped, sizeof(mapped)))
		return;
	socket->family = AF_INET;
	memmove(socket->remote, socket->remote + 12, 4);
}

static int follow_address(struct tracing *t, struct socket_info *to)
{
	int links[TRACE_ROUTES_MAX], n, r = CMD_OK;

	unmap(to);
	if (is_link_local(to->family, to->remote))
		return cmd_error("%s is a link-local address, which every interface may reach; name the interface instead", t->report.name);
	n = find_route(t, to->family, to->remote, links);
	if (n < 0)
		return cmd_error("no route to %s: %s", t->report.name, strerror(-n));
	for (int i = 0; i < n && r == CMD_OK; i++) {
		struct trace_item *item;

		r = add_trace(t, links[i], to->family == AF_INET ? TRACE_TCP4 : TRACE_TCP6, &item);
		if (r != CMD_OK)
			break;
		item->remotes[0] = *to;
		item->n_remotes = 1;
	}
	return r;
}

/* ---- a unit ---- */

static int take_socket(const struct socket_info *info, void *userdata)
{
	struct tracing *t = userdata;

	if (info->state != 1 || !info->inode) /* TCP_ESTABLISHED, and not orphaned */
		return 0;
	if (!GROW(t->sockets, t->n_sockets))
		return -ENOMEM;
	t->sockets[t->n_sockets++] = *info;
	return 0;
}

/* By the probe, or from /proc. Negative errno. */
static int read_sockets(struct tracing *t)
{
	const struct probe_options how = { .features = t->session.view.features, .no_fallback = true, .no_changes = true };
	const struct probe_status *status;
	size_t n;
	int r = probe_open(&how, &t->probe);

	if (r < 0)
		return r;
	t->report.sockets = "iterator";
	r = probe_read_sockets(t->probe, NULL, true, take_socket, t, NULL);
	if (r != -EOPNOTSUPP)
		return r;
	status = probe_status(t->probe, &n);
	for (size_t i = 0; i < n; i++)
		if (strcmp(status[i].name, "sockets") == 0)
			snprintf(t->why, sizeof(t->why), "%s", status[i].why);
	if (!util_has_capability(CAP_SYS_PTRACE))
		util_append(t->why, sizeof(t->why), "; connections of other users' processes have no unit (CAP_SYS_PTRACE is missing)");
	t->report.sockets = "procfs";
	t->report.sockets_why = t->why;
	t->n_sockets = 0;
	return tcp_sockets_read(take_socket, t);
}

/* Is this the service that was asked for, by its name, without ".service", or by the name of its socket unit? */
static bool is_name(const char *name, const char *asked)
{
	size_t len = strlen(asked);

	if (strcmp(name, asked) == 0)
		return true;
	if (util_has_suffix(asked, ".socket"))
		len -= strlen(".socket");
	return strncmp(name, asked, len) == 0 && strcmp(name + len, ".service") == 0;
}

/* Remembers a service whose hits count. */
static void add_service(struct tracing *t, const char *service)
{
	for (size_t i = 0; i < t->n_names; i++)
		if (strcmp(t->names[i], service) == 0)
			return;
	if (t->n_names == TRACE_SERVICES_MAX)
		return;
	util_copy_text(t->names[t->n_names], UNIT_SERVICE_LEN, service, UNIT_SERVICE_LEN);
	t->report.services[t->n_names] = t->names[t->n_names];
	t->n_names++;
}

/* Does the socket belong to the unit? Hits are counted for the service that holds it, or for that of its cgroup, if it was passed on. */
static bool take_unit(struct tracing *t, struct senders *senders, const struct socket_info *socket)
{
	const struct probe_hits hits = { .kind = FALLBACK_CHECKSUM, .origin = FALLBACK_SOCKET, .cgroup = socket->cgroup,
		.inode = socket->inode };
	char services[2][UNIT_SERVICE_LEN] = { "" };
	struct unit units[2];
	bool found = false;

	senders_name(senders, &hits, &units[0], services[0]);
	senders_name_cgroup(senders, socket->cgroup, 0, "", &units[1], services[1]);
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		found |= is_name(util_file_name(units[i].name), t->report.name) || is_name(services[i], t->report.name);
	for (size_t i = 0; i < ARRAY_SIZE(units) && found; i++)
		if (services[i][0])
			add_service(t, services[i]);
	return found;
}

static int add_to_group(struct tracing *t, const struct collect *collect, const struct socket_info *socket)
{
	bool ipv6 = socket->family == AF_INET6;
	struct group *group = NULL;

	for (size_t i = 0; i < t->n_groups && !group; i++)
		if (t->groups[i].ifindex == socket->ifindex && t->groups[i].ipv6 == ipv6)
			group = &t->groups[i];
	if (!group) {
		if (!GROW(t->groups, t->n_groups))
			return -ENOMEM;
		group = &t->groups[t->n_groups++];
		*group = (struct group){ .ifindex = socket->ifindex, .ipv6 = ipv6 };
	}
	group->sockets++;
	if (!t->report.sockets_why) {
		group->copying += !(socket->route_caps & collect->features.sg);
		group->stale += socket_stale(socket, &collect->features) != 0;
	}
	if (socket->gso_max_size > group->max_size)
		group->max_size = socket->gso_max_size;
	if (group->n_remotes < TRACE_REMOTES_MAX)
		group->remotes[group->n_remotes] = *socket;
	group->n_remotes++;
	return 0;
}

/* A socket without a route of its own takes that of its address. Negative errno. */
static int take_route(struct tracing *t, const struct collect *collect, struct socket_info *socket)
{
	int links[TRACE_ROUTES_MAX], n = 1, r = 0;

	unmap(socket);
	links[0] = socket->ifindex;
	if (!link_table_find(t->session.view.links, socket->ifindex))
		n = find_route(t, socket->family, socket->remote, links);
	if (n <= 0)
		t->report.unrouted++;
	for (int i = 0; i < n && r >= 0; i++) {
		socket->ifindex = links[i];
		r = add_to_group(t, collect, socket);
	}
	return r;
}

static int group_sockets(struct tracing *t)
{
	struct cmd_scope scope;
	size_t known = 0;
	int r = 0;

	cmd_scope_open(&scope, &t->session, NULL);
	for (size_t i = 0; i < t->n_sockets && r >= 0; i++) {
		if (i == known)
			known += senders_find_sockets(&scope.collect.senders, &t->sockets[i], t->n_sockets - i);
		if (take_unit(t, &scope.collect.senders, &t->sockets[i]))
			r = take_route(t, &scope.collect, &t->sockets[i]);
	}
	cmd_scope_close(&scope);
	return r;
}

struct names {
	char (*units)[UNIT_NAME_LEN];
	size_t n;
	const char *asked;
	bool found;
};

static void take_unit_name(const char *name, void *userdata)
{
	struct names *names = userdata;

	names->found |= is_name(name, names->asked);
	if (!util_has_suffix(name, ".service") && !util_has_suffix(name, ".socket") && !util_has_suffix(name, ".scope"))
		return;
	if (GROW(names->units, names->n))
		util_copy_name(names->units[names->n++], UNIT_NAME_LEN, name, strlen(name));
}

static bool looks_like_unit(const char *name)
{
	return util_has_suffix(name, ".service") || util_has_suffix(name, ".socket") || util_has_suffix(name, ".scope") ||
		util_has_suffix(name, ".slice");
}

/* CMD_OK: the unit runs. CMD_ERROR: neither an interface, nor a unit, nor an address, and that was printed. */
static int check_name(const struct tracing *t)
{
	const struct link_table *links = t->session.view.links;
	struct names units = { .asked = t->report.name };
	_cleanup_free_ const char **names = NULL;
	char why[512];
	size_t n = 0;

	(void)cgroup_list(take_unit_name, &units);
	if (!units.found) {
		names = calloc(units.n + link_table_count(links) + 1, sizeof(*names));
		if (names && !looks_like_unit(t->report.name))
			link_table_foreach (links, link)
				names[n++] = link->name;
		for (size_t i = 0; names && i < units.n; i++)
			names[n++] = units.units[i];
		options_unknown(looks_like_unit(t->report.name) ? "unit" : "interface, unit or address", t->report.name, names, n, why,
			sizeof(why));
		cmd_error("%s", why);
	}
	free(units.units);
	return units.found ? CMD_OK : CMD_ERROR;
}

static int follow_unit(struct tracing *t)
{
	int r = read_sockets(t);

	if (r >= 0)
		r = group_sockets(t);
	if (r < 0)
		return cmd_error("Failed to read sockets: %s", strerror(-r));
	if (!t->n_names && check_name(t) != CMD_OK)
		return CMD_ERROR;
	r = CMD_OK;
	for (size_t i = 0; i < t->n_groups && r == CMD_OK; i++) {
		const struct group *group = &t->groups[i];
		struct trace_item *item;

		t->source.socket_size = group->max_size;
		r = add_trace(t, group->ifindex, group->ipv6 ? TRACE_TCP6 : TRACE_TCP4, &item);
		if (r != CMD_OK)
			break;
		trace_add_sockets(&item->trace, group->sockets, group->copying, group->stale);
		memcpy(item->remotes, group->remotes, sizeof(item->remotes));
		item->n_remotes = group->n_remotes;
	}
	return r;
}

/* ---- what is added to the traces ---- */

/* The counters of the running offloadd; without one there are none. CMD_OK or CMD_ERROR. */
static int add_counters(struct tracing *t)
{
	const struct trace_report *report = &t->report;
	char why[JSON_WHY_LEN] = "";
	struct json_reader reader = { .why = why, .why_size = sizeof(why) };
	int r = cmd_call(t->options, "path", METHODS_INTERFACE ".GetServices", NULL, CLIENT_ANSWER_USEC, &t->answer);

	if (r != CMD_OK)
		return r == CMD_NO_DAEMON ? CMD_OK : r;
	if (json_read_services(&reader, t->answer, &t->evidence) < 0)
		return cmd_error("Failed to read the reply of offloadd: %s", why[0] ? why : strerror(-reader.error));
	t->report.evidence = &t->evidence;
	for (size_t i = 0; i < report->n_items; i++)
		trace_add_evidence(&report->items[i].trace, &t->evidence, report->asked == TRACE_ASKED_UNIT ? report->services : NULL);
	return CMD_OK;
}

static bool has_chain(const struct trace_report *report, const struct link *link, unsigned bit)
{
	for (size_t i = 0; i < report->n_chains; i++)
		if (report->chains[i].link == link && report->chains[i].explanation.steps[0].bit == bit)
			return true;
	return false;
}

/* Is the feature off because another one of `missing` is? Then the other one is explained. */
static bool needs_another(const struct explanation *e, const struct link *link, feature_set missing)
{
	for (size_t i = 0; i < e->n_steps; i++)
		if (e->steps[i].ifindex == link->ifindex && e->steps[i].code == CAUSE_NEEDS && e->steps[i].other_bit < FEATURE_MAX &&
			(missing & FEATURE(e->steps[i].other_bit)))
			return true;
	return false;
}

/* Explains the features that are missing at a hop. Negative errno. */
static int explain_hop(struct tracing *t, const struct trace *trace, const struct trace_hop *hop)
{
	const struct trace_loss *loss = &hop->losses[TRACE_FEATURE];
	struct trace_report *report = &t->report;
	unsigned bit;
	int r;

	if (!(loss->certain & trace->offloads))
		return 0;
	feature_foreach (bit, loss->features) {
		struct explanation e;

		if (report->n_chains >= CHAINS_MAX || has_chain(report, hop->link, bit))
			continue;
		r = explain_feature(&t->session.context, t->session.view.links, &t->session.plan, hop->link->ifindex, bit, &e);
		if (r < 0)
			return r;
		if (needs_another(&e, hop->link, loss->features)) {
			explanation_clear(&e);
			continue;
		}
		if (!GROW(report->chains, report->n_chains)) {
			explanation_clear(&e);
			return -ENOMEM;
		}
		report->chains[report->n_chains++] = (struct trace_chain){ hop->link, e };
	}
	return 0;
}

static int explain_losses(struct tracing *t)
{
	int r = 0;

	for (size_t i = 0; i < t->report.n_items; i++)
		for (size_t k = 0; k < t->report.items[i].trace.n_hops && r >= 0; k++)
			r = explain_hop(t, &t->report.items[i].trace, &t->report.items[i].trace.hops[k]);
	return r < 0 ? cmd_error("Failed to explain: %s", strerror(-r)) : CMD_OK;
}

static int follow(struct tracing *t)
{
	const struct link *link = link_table_find_name(t->session.view.links, t->report.name);
	struct socket_info to;

	if (link) {
		t->report.asked = TRACE_ASKED_INTERFACE;
		return add_trace(t, link->ifindex, TRACE_TCP4 | TRACE_TCP6, NULL);
	}
	if (parse_address(t->report.name, &to)) {
		t->report.asked = TRACE_ASKED_ADDRESS;
		return follow_address(t, &to);
	}
	t->report.asked = TRACE_ASKED_UNIT;
	return follow_unit(t);
}

int cmd_trace(const struct cmd_options *options, int argc _unused_, char **argv)
{
	_cleanup_(tracing_close) struct tracing t = { .options = options, .report.name = argv[0] };
	int code, r = cmd_open_plan(options, &t.session);

	if (r != CMD_OK)
		return r;
	t.source = (struct trace_source){ .links = t.session.view.links, .features = t.session.view.features,
		.host = &t.session.host, .details = read_details, .route = find_route, .userdata = &t };
	r = read_qdiscs(&t);
	if (r == CMD_OK)
		r = follow(&t);
	if (r == CMD_OK)
		r = add_counters(&t);
	if (r == CMD_OK)
		r = explain_losses(&t);
	if (r != CMD_OK)
		return r;
	switch (trace_report_verdict(&t.report, NULL)) {
	case TRACE_OK:
		code = CMD_OK;
		break;
	case TRACE_LIKELY:
		code = trace_report_is_counted(&t.report) ? CMD_OK : CMD_UNMET;
		break;
	case TRACE_SOFTWARE:
		code = CMD_PENDING;
		break;
	default:
		code = CMD_UNMET;
		break;
	}
	return cmd_written(options->json ? trace_report_json(stdout, &t.session.view, &t.report, code)
					 : trace_report_text(&t.session.render, &t.session.view, &t.report),
		code);
}
