/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "methods.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "json_value.h"
#include "netns.h"

static const char service_description[] =
	"interface org.varlink.service\n"
	"method GetInfo() -> (vendor: string, product: string, version: string, url: string, interfaces: []string)\n"
	"method GetInterfaceDescription(interface: string) -> (description: string)\n"
	"error InterfaceNotFound(interface: string)\n"
	"error MethodNotFound(method: string)\n"
	"error MethodNotImplemented(method: string)\n"
	"error InvalidParameter(parameter: string)\n"
	"error PermissionDenied()\n"
	"error ExpectedMore()\n";

static const char description[] =
	"# What offloadd(8) knows and does. Anyone may read; Reload, Pause, Resume and Revert are for root.\n"
	"interface org.offloadd\n"
	"\n"
	"type FileError(path: string, line: int, message: string)\n"
	"# verdict: compliant drifted blocked fixed refused contended paused, or absent\n"
	"type Standing(link: string, ifindex: int, verdict: string)\n"
	"type Contended(link: string, ifindex: int, features: []string)\n"
	"# seconds: that are left, null until resumed\n"
	"type Paused(link: string, ifindex: int, seconds: ?int)\n"
	"# number counts up from 1 and begins anew with the daemon; time_usec is CLOCK_REALTIME\n"
	"type Event(number: int, time_usec: int, event: string, message_id: string, priority: int,\n"
	"  message: string, link: ?string, ifindex: ?int, features: []string, rule: ?string,\n"
	"  reason: ?string, service: ?string, author: ?Author)\n"
	"# who caused a drift, null where that is not known; link: where it began, null for the event's own\n"
	"type Author(process: string, pid: int, parent: ?string, parent_pid: ?int, unit: ?string,\n"
	"  link: ?string, time_usec: int)\n"
	"# method: null for one that cannot be had, and why says why\n"
	"type Probe(probe: string, function: string, method: ?string, why: ?string)\n"
	"# kind: sendpage splice segmentation checksum; origin: local forwarded kernel. now: in the last ten seconds.\n"
	"# reconnect: connections may have to be made anew even when the link is as declared again\n"
	"type Fallback(kind: string, origin: string, service: ?string, link: ?string, ifindex: ?int,\n"
	"  verdict: ?string, hits: int, idle_usec: ?int, now: bool, reconnect: bool)\n"
	"type Ends(local: string, remote: string)\n"
	"# sockets that go on without what their link has again; hits since since_usec (CLOCK_REALTIME)\n"
	"type Restart(service: string, unit: ?string, kind: string, link: ?string, ifindex: ?int,\n"
	"  sockets: int, since_usec: int, hits: int, missing: []string, samples: []Ends)\n"
	"\n"
	"# The lists of links end after 64; verdicts and pending count them all.\n"
	"method GetStatus() -> (version: string, pid: int, netns: int, mode: string, ethtool: string,\n"
	"  links: int, rules: int, rule_errors: []FileError, settings_errors: []FileError,\n"
	"  verdicts: [string]int, pending: int, not_as_declared: []Standing, contended: []Contended,\n"
	"  paused: []Paused, reconciles: int, changes: int, overruns: int, probes: []Probe)\n"
	"# links as in `offloadctl plan --json`, in the order of ifindex, those above after. With more, all of them come;\n"
	"# without, a first part, and next is what to give as after for the following one.\n"
	"method GetPlan(links: ?[]string, after: ?int) -> (links: []object, next: ?int)\n"
	"# Who pays for software fallback, and who must reconnect; a list is null where no probe tells. left_out: rows\n"
	"# for which there was no room; lost: hits, by kind, that are in no row\n"
	"method GetServices() -> (probes: []Probe, fallback: ?[]Fallback, restart: ?[]Restart,\n"
	"  left_out: int, lost: [string]int, sockets_dropped: int)\n"
	"# In the exposition format of Prometheus, as in the textfile.\n"
	"method GetMetrics() -> (text: string)\n"
	"# Errors keep the settings, or the rules, that were in force; taken: neither was kept.\n"
	"method Reload() -> (taken: bool, settings_taken: bool, rules_taken: bool, rules: int,\n"
	"  rule_errors: []FileError, settings_errors: []FileError)\n"
	"method Pause(link: string, seconds: ?int) -> ()\n"
	"method Resume(link: string) -> (was_paused: bool)\n"
	"# Puts original values back, and pauses these links, as they would be changed again otherwise.\n"
	"method Revert(link: ?string) -> (results: []object, paused: []string)\n"
	"# Records above after. With more and follow, those to come as well. lost: records that were not kept for so long.\n"
	"method GetEvents(after: ?int, follow: ?bool) -> (events: []Event, lost: int)\n"
	"# Answers when no link is to be changed any more, of these or of all, or when seconds have passed.\n"
	"method WaitOnline(links: ?[]string, seconds: ?int) -> (online: bool, timed_out: bool,\n"
	"  missing: []Standing)\n"
	"\n"
	"error NoSuchLink(link: string, nearest: ?string)\n"
	"error NotPossible(message: string)\n";

struct kept_event {
	uint64_t number, time_usec;
	struct event event;
};

struct methods {
	struct methods_host host;
	uint64_t last_number;
	struct kept_event events[METHODS_EVENTS]; /* number n at n % METHODS_EVENTS */
};

/* An answer that goes on. */
struct open_call {
	void (*resume)(struct methods *m, struct control_client *client, struct open_call *open);
	uint64_t cursor; /* number of the last record, or index of the last link, that was sent */
	bool more, follow;
	uint64_t deadline_usec;
	size_t n_links; /* 0: all */
	char links[METHODS_LIST_MAX][LINK_NAME_LEN];
};

/* ---- JSON ---- */

/* "" gives null. */
static void add_text(struct json_object *to, const char *key, const char *text)
{
	char clean[1100];

	json_value_add_text(to, key, view_clean(text, clean, sizeof(clean)));
}

static void add_name(struct json_object *to, const char *key, const char *name)
{
	char clean[LINK_NAME_LEN];

	util_copy_name(clean, sizeof(clean), name, LINK_NAME_LEN);
	add_text(to, key, clean);
}

static struct json_object *new_names(const struct feature_table *table, feature_set set)
{
	struct json_object *names = json_object_new_array();
	unsigned bit;

	feature_foreach(bit, set)
		json_object_array_add(names, json_object_new_string(feature_name(table, bit)));
	return names;
}

static struct json_object *new_link(const char *name, int ifindex)
{
	struct json_object *o = json_object_new_object();

	add_name(o, "link", name);
	json_value_add_int(o, "ifindex", (uint64_t)ifindex);
	return o;
}

static struct json_object *new_errors(const struct rule_set *set)
{
	struct json_object *errors = json_object_new_array();

	for (size_t i = 0; i < set->n_errors && i < METHODS_LIST_MAX; i++) {
		struct json_object *o = json_object_new_object();

		add_text(o, "path", set->errors[i].path);
		json_value_add_int(o, "line", set->errors[i].line);
		add_text(o, "message", set->errors[i].message);
		json_object_array_add(errors, o);
	}
	return errors;
}

static void reply(struct control_client *client, struct json_object *parameters)
{
	control_reply(client, parameters, false);
}

static void fail(struct control_client *client, const char *error, const char *key, const char *text)
{
	struct json_object *o = json_object_new_object();

	if (key)
		add_text(o, key, text);
	control_error(client, error, o);
}

static void invalid(struct control_client *client, const char *parameter)
{
	fail(client, "org.varlink.service.InvalidParameter", "parameter", parameter);
}

static void not_possible(struct control_client *client, int error)
{
	fail(client, METHODS_INTERFACE ".NotPossible", "message", strerror(-error));
}

/* ---- links ---- */

static void no_such_link(struct methods *m, struct control_client *client, const char *name)
{
	const struct link_table *links = &m->host.observe->links;
	_cleanup_free_ const char **names = calloc(link_table_count(links) + 1, sizeof(*names));
	struct json_object *o = json_object_new_object();
	const char *nearest = NULL;
	size_t n = 0;

	if (names) {
		link_table_foreach(links, link)
			names[n++] = link->name;
		nearest = util_nearest(name, names, n);
	}
	add_text(o, "link", name);
	add_name(o, "nearest", nearest ? nearest : "");
	control_error(client, METHODS_INTERFACE ".NoSuchLink", o);
}

/* The link of a parameter; NULL when the client heard what is wrong, or when it is not given and need not be (*ret_absent). */
static const struct link *get_link(struct methods *m, struct control_client *client,
	const struct varlink_call *call, bool *ret_absent)
{
	const char *name;
	const struct link *link;
	int r = varlink_get_string(call, "link", &name);

	if (ret_absent)
		*ret_absent = r == 0;
	if (r == 0 && ret_absent)
		return NULL;
	if (r <= 0) {
		invalid(client, "link");
		return NULL;
	}
	link = link_table_find_name(&m->host.observe->links, name);
	if (!link)
		no_such_link(m, client, name);
	return link;
}

/* Takes the parameter "links"; false when the client heard what is wrong. */
static bool take_links(struct control_client *client, const struct varlink_call *call, struct open_call *open)
{
	size_t n;

	if (varlink_get_list(call, "links", &n) < 0 || n > METHODS_LIST_MAX) {
		invalid(client, "links");
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		const char *name = varlink_get_item(call, "links", i);

		if (strlen(name) >= LINK_NAME_LEN || !name[0]) {
			invalid(client, "links");
			return false;
		}
		strcpy(open->links[i], name);
	}
	open->n_links = n;
	return true;
}

static bool is_asked(const struct open_call *open, const struct link *link)
{
	for (size_t i = 0; i < open->n_links; i++)
		if (strcmp(open->links[i], link->name) == 0)
			return true;
	return open->n_links == 0;
}

/* Begins an answer in pieces: the first one now. */
static void begin(struct methods *m, struct control_client *client, struct open_call *open)
{
	control_wait(client, open, open->deadline_usec);
	open->resume(m, client, open);
}

static struct open_call *new_open_call(struct control_client *client, const struct varlink_call *call)
{
	struct open_call *open = calloc(1, sizeof(*open));

	if (!open)
		not_possible(client, -ENOMEM);
	else
		open->more = call->more;
	return open;
}

/* ---- reading ---- */

static void get_info(
	_unused_ struct methods *m, struct control_client *client, _unused_ const struct varlink_call *call)
{
	struct json_object *o = json_object_new_object(), *interfaces = json_object_new_array();

	add_text(o, "vendor", "offloadd");
	add_text(o, "product", "offloadd");
	add_text(o, "version", OFFLOADD_VERSION);
	json_value_add(o, "url", json_object_new_string(""));
	json_object_array_add(interfaces, json_object_new_string("org.varlink.service"));
	json_object_array_add(interfaces, json_object_new_string(METHODS_INTERFACE));
	json_value_add(o, "interfaces", interfaces);
	reply(client, o);
}

static void get_description(
	_unused_ struct methods *m, struct control_client *client, const struct varlink_call *call)
{
	struct json_object *o;
	const char *interface;

	if (varlink_get_string(call, "interface", &interface) <= 0) {
		invalid(client, "interface");
		return;
	}
	if (strcmp(interface, METHODS_INTERFACE) != 0 && strcmp(interface, "org.varlink.service") != 0) {
		fail(client, "org.varlink.service.InterfaceNotFound", "interface", interface);
		return;
	}
	o = json_object_new_object();
	json_value_add(o, "description",
		json_object_new_string(
			strcmp(interface, METHODS_INTERFACE) == 0 ? description : service_description));
	reply(client, o);
}

static struct json_object *new_standing(const char *name, int ifindex, const char *verdict)
{
	struct json_object *o = new_link(name, ifindex);

	add_text(o, "verdict", verdict);
	return o;
}

/* Those that are not compliant, of the links that a call asks for. */
static struct json_object *new_standings(
	struct methods *m, const struct reconcile_stands *stands, const struct open_call *open)
{
	struct json_object *list = json_object_new_array();

	for (const struct reconcile_stand *stand = stands->list; stand; stand = stand->hh.next) {
		const struct link *link = link_table_find(&m->host.observe->links, stand->ifindex);

		if (stand->verdict == VERDICT_COMPLIANT || !link || (open && !is_asked(open, link)))
			continue;
		if (json_object_array_length(list) == METHODS_LIST_MAX)
			break;
		json_object_array_add(
			list, new_standing(link->name, stand->ifindex, verdict_name(stand->verdict)));
	}
	return list;
}

static struct json_object *new_contended(struct methods *m, const struct reconcile_stands *stands)
{
	struct json_object *list = json_object_new_array();

	for (const struct reconcile_stand *stand = stands->list; stand; stand = stand->hh.next) {
		const struct link *link = link_table_find(&m->host.observe->links, stand->ifindex);
		feature_set bits = reconcile_contended(m->host.reconcile, stand->ifindex);
		struct json_object *o;

		if (!bits || !link)
			continue;
		if (json_object_array_length(list) == METHODS_LIST_MAX)
			break;
		o = new_link(link->name, link->ifindex);
		json_value_add(o, "features", new_names(&m->host.observe->features, bits));
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *new_paused(struct methods *m)
{
	struct json_object *list = json_object_new_array();
	uint64_t now_usec = util_now_usec();

	for (const struct ledger_link *p = m->host.ledger->pauses; p; p = p->hh.next) {
		const struct link *link = link_table_find(&m->host.observe->links, p->ifindex);
		struct json_object *o;

		if (!link || !ledger_is_paused(m->host.ledger, link))
			continue;
		if (json_object_array_length(list) == METHODS_LIST_MAX)
			break;
		o = new_link(link->name, link->ifindex);
		json_value_add(o, "seconds",
			p->until_usec ? json_object_new_int64(p->until_usec > now_usec
						? (int64_t)((p->until_usec - now_usec) / USEC_PER_SEC)
						: 0)
				      : NULL);
		json_object_array_add(list, o);
	}
	return list;
}

static void add_counts(struct methods *m, struct json_object *to)
{
	struct reconcile_counts counts;

	reconcile_count(m->host.reconcile, &counts);
	json_value_add_int(to, "reconciles", counts.runs);
	json_value_add_int(to, "changes", counts.sets);
	json_value_add_int(to, "overruns", m->host.observe->counts.overruns);
}

static void get_status(
	struct methods *m, struct control_client *client, _unused_ const struct varlink_call *call)
{
	struct services services = { 0 };
	struct json_object *o, *verdicts;
	struct reconcile_stands stands;
	int r = reconcile_stand(m->host.reconcile, util_realtime_sec(), &stands);

	if (r < 0) {
		not_possible(client, r);
		return;
	}
	o = json_object_new_object();
	add_text(o, "version", OFFLOADD_VERSION);
	json_value_add_int(o, "pid", (uint64_t)getpid());
	json_value_add_int(o, "netns", netns_inode());
	add_text(o, "mode", *m->host.enforce ? "enforce" : "audit");
	add_text(o, "ethtool", ethtool_backend_name(m->host.observe->ethtool));
	json_value_add_int(o, "links", link_table_count(&m->host.observe->links));
	json_value_add_int(o, "rules", reconcile_rules(m->host.reconcile)->n_rules);
	json_value_add(o, "rule_errors", new_errors(m->host.rule_errors));
	json_value_add(o, "settings_errors", new_errors(m->host.conf_errors));
	verdicts = json_object_new_object();
	for (int v = 0; v < VERDICT_COUNT; v++)
		json_value_add_int(verdicts, verdict_name((enum verdict)v), stands.counts[v]);
	json_value_add(o, "verdicts", verdicts);
	json_value_add_int(o, "pending", stands.pending);
	json_value_add(o, "not_as_declared", new_standings(m, &stands, NULL));
	json_value_add(o, "contended", new_contended(m, &stands));
	json_value_add(o, "paused", new_paused(m));
	add_counts(m, o);
	if (*m->host.witness)
		witness_list_probes(*m->host.witness, &services);
	json_value_add(o, "probes", services_new_probes(&services));
	reply(client, o);
}

static void get_metrics(
	struct methods *m, struct control_client *client, _unused_ const struct varlink_call *call)
{
	_cleanup_free_ char *text = NULL;
	struct json_object *o;
	size_t len;
	int r = m->host.metrics(&text, &len, m->host.userdata);

	if (r < 0) {
		not_possible(client, r);
		return;
	}
	o = json_object_new_object();
	json_value_add(o, "text", json_object_new_string_len(text, (int)len));
	reply(client, o);
}

/* How the links that services pay on stand to the rules. */
static int judge_links(struct methods *m, struct services *services)
{
	struct reconcile_stands stands;
	int r = reconcile_stand(m->host.reconcile, util_realtime_sec(), &stands);

	for (size_t i = 0; r >= 0 && i < services->n_fallback; i++) {
		const struct reconcile_stand *stand;

		HASH_FIND_INT(stands.list, &services->fallback[i].ifindex, stand);
		services->fallback[i].verdict = stand ? verdict_name(stand->verdict) : NULL;
	}
	return r;
}

static void get_services(
	struct methods *m, struct control_client *client, _unused_ const struct varlink_call *call)
{
	_cleanup_(services_clear) struct services services = { 0 };
	struct json_object *o;
	uint64_t now_usec = util_now_usec();
	int r = *m->host.witness ? witness_list(*m->host.witness, now_usec, &services) : 0;

	if (r >= 0)
		r = judge_links(m, &services);
	m->host.changed(m->host.userdata);
	if (r < 0) {
		not_possible(client, r);
		return;
	}
	o = json_object_new_object();
	services_add_json(&services, &m->host.observe->features, now_usec, o);
	reply(client, o);
}

/* The next links after the cursor, by ifindex; returns how many, at most METHODS_PAGE, and whether there are more. */
static size_t next_links(struct methods *m, const struct open_call *open,
	const struct reconcile_stands *stands, int indexes[METHODS_PAGE], bool *ret_more)
{
	size_t n = 0;

	*ret_more = false;
	for (const struct reconcile_stand *stand = stands->list; stand; stand = stand->hh.next) {
		const struct link *link = link_table_find(&m->host.observe->links, stand->ifindex);
		size_t at = n;

		if (!link || (uint64_t)stand->ifindex <= open->cursor || !is_asked(open, link))
			continue;
		while (at > 0 && indexes[at - 1] > stand->ifindex)
			at--;
		*ret_more = *ret_more || n == METHODS_PAGE;
		if (at == METHODS_PAGE)
			continue;
		n -= n == METHODS_PAGE;
		memmove(indexes + at + 1, indexes + at, (n - at) * sizeof(*indexes));
		indexes[at] = stand->ifindex;
		n++;
	}
	return n;
}

static int make_page(
	struct methods *m, struct open_call *open, struct json_object **ret, bool *ret_more)
{
	_cleanup_(plan_clear) struct plan plan = { 0 };
	const struct view view = {
		.features = &m->host.observe->features,
		.links = &m->host.observe->links,
		.rules = reconcile_rules(m->host.reconcile),
		.plan = &plan,
	};
	struct reconcile_stands stands;
	int indexes[METHODS_PAGE];
	size_t n;
	int r = reconcile_stand(m->host.reconcile, util_realtime_sec(), &stands);

	if (r < 0)
		return r;
	n = next_links(m, open, &stands, indexes, ret_more);
	r = reconcile_plan(m->host.reconcile, indexes, n, util_realtime_sec(), &plan);
	if (r < 0)
		return r;
	if (n)
		open->cursor = (uint64_t)indexes[n - 1];
	*ret = json_plan_links(&view);
	return *ret ? 0 : -ENOMEM;
}

static void resume_plan(struct methods *m, struct control_client *client, struct open_call *open)
{
	struct json_object *o, *links;
	bool more;
	int r = make_page(m, open, &links, &more);

	if (r < 0) {
		not_possible(client, r);
		return;
	}
	o = json_object_new_object();
	json_value_add(o, "links", links);
	json_value_add(o, "next", more ? json_object_new_int64((int64_t)open->cursor) : NULL);
	control_reply(client, o, more && open->more);
}

static void get_plan(struct methods *m, struct control_client *client, const struct varlink_call *call)
{
	_cleanup_free_ struct open_call *open = new_open_call(client, call);
	int64_t after = 0;

	if (!open || !take_links(client, call, open))
		return;
	if (varlink_get_int(call, "after", 0, INT32_MAX, &after) < 0) {
		invalid(client, "after");
		return;
	}
	for (size_t i = 0; i < open->n_links; i++)
		if (!link_table_find_name(&m->host.observe->links, open->links[i])) {
			no_such_link(m, client, open->links[i]);
			return;
		}
	open->cursor = (uint64_t)after;
	open->resume = resume_plan;
	begin(m, client, open);
	open = NULL;
}

static struct json_object *new_author(const struct event_author *author)
{
	struct json_object *o;

	if (!author->pid)
		return NULL;
	o = json_object_new_object();
	add_text(o, "process", author->comm);
	json_value_add_int(o, "pid", (uint64_t)author->pid);
	add_text(o, "parent", author->parent_pid ? author->parent_comm : "");
	json_value_add(o, "parent_pid", author->parent_pid ? json_object_new_int(author->parent_pid) : NULL);
	add_text(o, "unit", author->unit);
	add_text(o, "link", author->link);
	json_value_add_int(o, "time_usec", author->time_usec);
	return o;
}

static struct json_object *new_event(const struct feature_table *table, const struct kept_event *kept)
{
	const struct event *event = &kept->event;
	struct json_object *o = json_object_new_object();

	json_value_add_int(o, "number", kept->number);
	json_value_add_int(o, "time_usec", kept->time_usec);
	add_text(o, "event", event_kind_name(event->kind));
	add_text(o, "message_id", event_message_id(event->kind));
	json_value_add_int(o, "priority", (uint64_t)event->priority);
	add_text(o, "message", event->message);
	add_text(o, "link", event->link);
	json_value_add(o, "ifindex", event->ifindex ? json_object_new_int(event->ifindex) : NULL);
	json_value_add(o, "features", new_names(table, event->features));
	add_text(o, "rule", event->rule_file);
	add_text(o, "reason", event->why);
	add_text(o, "service", event->service);
	json_value_add(o, "author", new_author(&event->author));
	return o;
}

static void resume_events(struct methods *m, struct control_client *client, struct open_call *open)
{
	struct json_object *o, *events;
	uint64_t first = open->cursor + 1, lost = 0, n = 0;

	if (open->follow && first > m->last_number)
		return;
	if (m->last_number >= METHODS_EVENTS && first <= m->last_number - METHODS_EVENTS) {
		lost = open->cursor ? m->last_number - METHODS_EVENTS - open->cursor : 0;
		first = m->last_number - METHODS_EVENTS + 1;
	}
	events = json_object_new_array();
	for (; first <= m->last_number && (!open->more || n < METHODS_PAGE); first++, n++)
		json_object_array_add(events,
			new_event(&m->host.observe->features, &m->events[first % METHODS_EVENTS]));
	open->cursor = first - 1;
	o = json_object_new_object();
	json_value_add(o, "events", events);
	json_value_add_int(o, "lost", lost);
	control_reply(client, o, open->more && (open->follow || open->cursor < m->last_number));
}

static void get_events(struct methods *m, struct control_client *client, const struct varlink_call *call)
{
	_cleanup_free_ struct open_call *open = new_open_call(client, call);
	int64_t after = 0;

	if (!open)
		return;
	if (varlink_get_int(call, "after", 0, INT64_MAX, &after) < 0) {
		invalid(client, "after");
		return;
	}
	if (varlink_get_bool(call, "follow", &open->follow) < 0) {
		invalid(client, "follow");
		return;
	}
	if (open->follow && !open->more) {
		fail(client, "org.varlink.service.ExpectedMore", NULL, NULL);
		return;
	}
	/* a number of an earlier daemon */
	open->cursor = (uint64_t)after > m->last_number ? 0 : (uint64_t)after;
	open->resume = resume_events;
	begin(m, client, open);
	open = NULL;
}

/* Links that were named and are not there: how many, added to the list. */
static size_t add_absent(struct methods *m, const struct open_call *open, struct json_object *list)
{
	size_t n = 0;

	for (size_t i = 0; i < open->n_links; i++) {
		if (link_table_find_name(&m->host.observe->links, open->links[i]))
			continue;
		n++;
		json_object_array_add(list, new_standing(open->links[i], 0, "absent"));
	}
	return n;
}

static size_t count_pending(
	struct methods *m, const struct reconcile_stands *stands, const struct open_call *open)
{
	size_t n = 0;

	if (open->n_links == 0)
		return stands->pending;
	for (size_t i = 0; i < open->n_links; i++) {
		const struct link *link =
			link_table_find_name(&m->host.observe->links, open->links[i]);
		const struct reconcile_stand *stand = NULL;

		if (link)
			HASH_FIND_INT(stands->list, &link->ifindex, stand);
		n += stand && stand->pending;
	}
	return n;
}

static void resume_online(struct methods *m, struct control_client *client, struct open_call *open)
{
	bool late = open->deadline_usec && util_now_usec() >= open->deadline_usec;
	struct json_object *o, *missing;
	struct reconcile_stands stands;
	size_t waiting;
	int r;

	if (!reconcile_is_settled(m->host.reconcile) && !late)
		return;
	r = reconcile_stand(m->host.reconcile, util_realtime_sec(), &stands);
	if (r < 0) {
		not_possible(client, r);
		return;
	}
	missing = new_standings(m, &stands, open);
	waiting = count_pending(m, &stands, open) + add_absent(m, open, missing);
	if (waiting && !late) {
		json_object_put(missing);
		return;
	}
	o = json_object_new_object();
	json_value_add_bool(o, "online", json_object_array_length(missing) == 0);
	json_value_add_bool(o, "timed_out", waiting > 0);
	json_value_add(o, "missing", missing);
	reply(client, o);
}

static void wait_online(struct methods *m, struct control_client *client, const struct varlink_call *call)
{
	_cleanup_free_ struct open_call *open = new_open_call(client, call);
	int64_t seconds = 0;
	int r;

	if (!open || !take_links(client, call, open))
		return;
	r = varlink_get_int(call, "seconds", 0, 86400 * 366, &seconds);
	if (r < 0) {
		invalid(client, "seconds");
		return;
	}
	if (r > 0)
		open->deadline_usec = util_now_usec() + (uint64_t)seconds * USEC_PER_SEC;
	open->resume = resume_online;
	begin(m, client, open);
	open = NULL;
}

/* ---- changing ---- */

/* Who asks, for the record. */
static const char *name_client(const struct control_client *client, char buf[32])
{
	snprintf(buf, 32, "uid %u", (unsigned)control_uid(client));
	return buf;
}

static void reload(struct methods *m, struct control_client *client, _unused_ const struct varlink_call *call)
{
	struct json_object *o;
	int r = m->host.reload(m->host.userdata);

	if (r < 0) {
		not_possible(client, r);
		return;
	}
	o = json_object_new_object();
	json_value_add_bool(o, "taken", r == (METHODS_TOOK_SETTINGS | METHODS_TOOK_RULES));
	json_value_add_bool(o, "settings_taken", r & METHODS_TOOK_SETTINGS);
	json_value_add_bool(o, "rules_taken", r & METHODS_TOOK_RULES);
	json_value_add_int(o, "rules", reconcile_rules(m->host.reconcile)->n_rules);
	json_value_add(o, "rule_errors", new_errors(m->host.rule_errors));
	json_value_add(o, "settings_errors", new_errors(m->host.conf_errors));
	reply(client, o);
}

static void pause_link(struct methods *m, struct control_client *client, const struct varlink_call *call)
{
	const struct link *link;
	int64_t seconds = 0;
	char by[32];
	int r = varlink_get_int(call, "seconds", 1, 86400 * 366, &seconds);

	if (r < 0) {
		invalid(client, "seconds");
		return;
	}
	link = get_link(m, client, call, NULL);
	if (!link)
		return;
	r = reconcile_pause(m->host.reconcile, link->ifindex,
		r > 0 ? util_now_usec() + (uint64_t)seconds * USEC_PER_SEC : 0, name_client(client, by));
	m->host.changed(m->host.userdata);
	if (r < 0)
		not_possible(client, r);
	else
		reply(client, NULL);
}

static void resume_link(struct methods *m, struct control_client *client, const struct varlink_call *call)
{
	const struct link *link = get_link(m, client, call, NULL);
	struct json_object *o;
	char by[32], text[64];
	int r;

	if (!link)
		return;
	snprintf(text, sizeof(text), "resumed by %s", name_client(client, by));
	r = reconcile_resume(m->host.reconcile, link->ifindex, text);
	m->host.changed(m->host.userdata);
	if (r < 0) {
		not_possible(client, r);
		return;
	}
	o = json_object_new_object();
	json_value_add_bool(o, "was_paused", r > 0);
	reply(client, o);
}

/* Pauses the links that revert is about to put back: otherwise they would be repaired at once. */
static int pause_reverted(
	struct methods *m, struct control_client *client, const struct link *only, struct json_object *names)
{
	char by[32], clean[LINK_NAME_LEN];

	name_client(client, by);
	link_table_foreach(&m->host.observe->links, link) {
		int r;

		if ((only && link != only) || !ledger_find(m->host.ledger, link))
			continue;
		util_copy_name(clean, sizeof(clean), link->name, sizeof(link->name));
		json_object_array_add(names, json_object_new_string(clean));
		if (ledger_is_paused(m->host.ledger, link))
			continue;
		r = reconcile_pause(m->host.reconcile, link->ifindex, 0, by);
		if (r < 0)
			return r;
	}
	return 0;
}

static void revert(struct methods *m, struct control_client *client, const struct varlink_call *call)
{
	_cleanup_(apply_report_clear) struct apply_report report = { 0 };
	struct json_object *o, *names, *results;
	const char *only[2] = { NULL };
	const struct link *link;
	bool absent;
	int r;

	link = get_link(m, client, call, &absent);
	if (!link && !absent)
		return;
	names = json_object_new_array();
	r = ledger_sync(m->host.ledger, &m->host.observe->features); /* what offloadctl apply changed */
	if (r >= 0)
		r = pause_reverted(m, client, link, names);
	if (link)
		only[0] = link->name;
	if (r >= 0)
		r = apply_revert(m->host.observe, m->host.ledger, link ? only : NULL, &report);
	m->host.changed(m->host.userdata);
	results = r < 0 && !report.results ? NULL : json_results(&m->host.observe->features, &report);
	if (!results) {
		json_object_put(names);
		not_possible(client, r < 0 ? r : -ENOMEM);
		return;
	}
	o = json_object_new_object();
	json_value_add(o, "results", results);
	json_value_add(o, "paused", names);
	reply(client, o);
}

/* ---- the table ---- */

#define NONE (const char *const[]){ NULL }
#define NAMES(...) (const char *const[]){ __VA_ARGS__, NULL }

static const struct method {
	const char *name;
	void (*call)(struct methods *m, struct control_client *client, const struct varlink_call *call);
	bool changes; /* something, so not for everybody */
	const char *const *parameters;
} table[] = {
	{ METHODS_INTERFACE ".GetStatus", get_status, false, NONE },
	{ METHODS_INTERFACE ".GetPlan", get_plan, false, NAMES("links", "after") },
	{ METHODS_INTERFACE ".GetServices", get_services, false, NONE },
	{ METHODS_INTERFACE ".GetMetrics", get_metrics, false, NONE },
	{ METHODS_INTERFACE ".Reload", reload, true, NONE },
	{ METHODS_INTERFACE ".Pause", pause_link, true, NAMES("link", "seconds") },
	{ METHODS_INTERFACE ".Resume", resume_link, true, NAMES("link") },
	{ METHODS_INTERFACE ".Revert", revert, true, NAMES("link") },
	{ METHODS_INTERFACE ".GetEvents", get_events, false, NAMES("after", "follow") },
	{ METHODS_INTERFACE ".WaitOnline", wait_online, false, NAMES("links", "seconds") },
	{ "org.varlink.service.GetInfo", get_info, false, NONE },
	{ "org.varlink.service.GetInterfaceDescription", get_description, false, NAMES("interface") },
};

const char *methods_name(size_t i)
{
	return i < ARRAY_SIZE(table) ? table[i].name : NULL;
}

const char *methods_description(void)
{
	return description;
}

static void not_found(struct control_client *client, const char *method)
{
	char interface[VARLINK_NAME_MAX];
	const char *dot = strrchr(method, '.');
	size_t len = dot ? (size_t)(dot - method) : 0;

	snprintf(interface, sizeof(interface), "%.*s", (int)len, method);
	if (strcmp(interface, METHODS_INTERFACE) == 0 || strcmp(interface, "org.varlink.service") == 0)
		fail(client, "org.varlink.service.MethodNotFound", "method", method);
	else
		fail(client, "org.varlink.service.InterfaceNotFound", "interface", interface);
}

static void on_call(struct control_client *client, const struct varlink_call *call, void *userdata)
{
	const struct method *method = NULL;
	const char *unknown;

	for (size_t i = 0; i < ARRAY_SIZE(table) && !method; i++)
		if (strcmp(call->method, table[i].name) == 0)
			method = &table[i];
	if (!method) {
		not_found(client, call->method);
		return;
	}
	if (method->changes && !control_may_change(client)) {
		fail(client, "org.varlink.service.PermissionDenied", NULL, NULL);
		return;
	}
	unknown = varlink_unknown_parameter(call, method->parameters);
	if (unknown)
		invalid(client, unknown);
	else
		method->call(userdata, client, call);
}

static void on_resume(struct control_client *client, void *userdata)
{
	struct open_call *open = control_state(client);

	open->resume(userdata, client, open);
}

int methods_new(const struct methods_host *host, struct methods **ret)
{
	struct methods *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->host = *host;
	*ret = m;
	return 0;
}

void methods_free(struct methods *m)
{
	free(m);
}

struct control_handler methods_handler(struct methods *m)
{
	return (struct control_handler){ .call = on_call, .resume = on_resume, .userdata = m };
}

void methods_take_event(struct methods *m, const struct event *event)
{
	struct kept_event *kept;

	if (!m)
		return;
	kept = &m->events[++m->last_number % METHODS_EVENTS];
	kept->number = m->last_number;
	kept->time_usec = util_realtime_usec();
	kept->event = *event;
}
