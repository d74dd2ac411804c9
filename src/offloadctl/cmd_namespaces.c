/* SPDX-License-Identifier: GPL-2.0-or-later */
/* namespaces: the network namespaces of this host, who lives there, and what their interfaces lack; --netns of other commands. */
#include "offloadctl/cmd_namespaces.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "basic/json.h"
#include "basic/options.h"
#include "control/server.h"
#include "kernel/namespaces.h"
#include "model/unit.h"
#include "plan/predict.h"
#include "report/json.h"
#include "report/render.h"

#define TEXT_MAX 1024

/* ---- names ---- */

static const char *name_of(const struct namespace *n)
{
	return n->docker ? "" : n->name;
}

#define CONTAINER_ID_MIN 8 /* digits of an id that stand for it */

/* Is this a name, or the inode, of the namespace? A user can give any name to a unit or container, so these
 * are called by what namespaces_label() shows only, which has the user in it. */
static bool is_called(const struct namespace *n, const char *word)
{
	char label[NAMESPACES_LABEL_LEN], inode[32];
	size_t len = strlen(word);
	struct unit unit;

	namespaces_unit(n, &unit);
	snprintf(inode, sizeof(inode), "%llu", (unsigned long long)n->inode);
	if (strcmp(word, inode) == 0 || strcmp(word, n->name) == 0 || strcmp(word, namespaces_label(n, label, sizeof(label))) == 0)
		return true;
	if (unit.kind == UNIT_SERVICE)
		return strcmp(word, unit.name) == 0;
	if (unit.kind != UNIT_CONTAINER || unit.uid)
		return false;
	return strcmp(word, n->container.name) == 0 || strcmp(word, unit.container) == 0 || (len >= CONTAINER_ID_MIN && strncmp(word, unit.container, len) == 0);
}

/* ---- finding ---- */

static int failed(int error)
{
	if (error == -EPERM)
		return cmd_error("Failed to enter network namespaces: permission denied; run offloadctl as root");
	return cmd_error("Failed to find network namespaces: %s", strerror(-error));
}

static int unknown(const char *word, const struct namespace *all, size_t n)
{
	_cleanup_free_ char (*labels)[NAMESPACES_LABEL_LEN] = calloc(n + 1, sizeof(*labels));
	_cleanup_free_ const char **names = calloc(n + 1, sizeof(*names));
	char why[256];

	if (!labels || !names)
		return cmd_error("%s", strerror(ENOMEM));
	for (size_t i = 0; i < n; i++)
		names[i] = namespaces_label(&all[i], labels[i], sizeof(labels[i]));
	options_unknown("network namespace", word, names, n, why, sizeof(why));
	return cmd_error("%s", why);
}

/* Errors are printed. */
static const struct namespace *find(const char *word, const struct namespace *all, size_t n)
{
	const struct namespace *found = NULL;

	for (size_t i = 0; i < n; i++) {
		if (!is_called(&all[i], word))
			continue;
		if (found) {
			cmd_error("Several network namespaces are called %s; use the number in offloadctl namespaces, for example %llu", word,
				(unsigned long long)found->inode);
			return NULL;
		}
		found = &all[i];
	}
	if (!found)
		(void)unknown(word, all, n);
	return found;
}

/* Names in /run/netns may contain anything but a slash. */
static bool is_plain(const char *name)
{
	return name[0] != '-' && !name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-@:")];
}

static void format_enter(const struct namespace *n, char *buf, size_t size)
{
	if (name_of(n)[0] && is_plain(n->name))
		snprintf(buf, size, "sudo ip netns exec %s", n->name);
	else if (n->pid)
		snprintf(buf, size, "sudo nsenter --target %d --net", (int)n->pid);
	else if (is_plain(n->name))
		snprintf(buf, size, "sudo nsenter --net=/run/docker/netns/%s", n->name);
}

int cmd_enter_namespace(struct cmd_options *options)
{
	_cleanup_(namespaces_close_pointer) struct namespaces *visitor = NULL;
	_cleanup_free_ struct namespace *all = NULL;
	const struct namespace *found;
	size_t n;
	struct namespaces_missing missing;
	int r = namespaces_open(&visitor);

	if (r >= 0)
		r = namespaces_list(visitor, &all, &n, &missing);
	if (r < 0)
		return failed(r);
	found = find(options->netns, all, n);
	if (!found)
		return CMD_ERROR;
	if (found->own)
		return CMD_OK;
	if (namespaces_facts(found, &options->facts) < 0)
		return cmd_error("%s", strerror(ENOMEM));
	r = namespaces_visit(visitor, found, &options->sockets);
	if (r == -ESTALE)
		return cmd_error("The network namespace %s has ended", options->netns);
	if (r < 0)
		return failed(r);
	options->elsewhere = true;
	options->identity = (struct netns_identity){ found->inode, found->cookie ? found->cookie : found->inode };
	format_enter(found, options->enter, sizeof(options->enter));
	if (!options->control && netns_path_of(SERVER_DEFAULT_PATH, found->inode, &options->control_path) < 0)
		return cmd_error("%s", strerror(ENOMEM));
	options->control = options->control ? options->control : options->control_path;
	return CMD_OK;
}

void cmd_leave_namespace(struct cmd_options *options)
{
	if (options->elsewhere)
		netns_close_sockets(&options->sockets);
	free(options->control_path);
	free(options->facts);
}

void cmd_render_namespace(const struct cmd_options *options)
{
	char text[512];

	snprintf(text, sizeof(text), "\nThese interfaces are in another network namespace. Run commands for them there%s%s%s",
		options->enter[0] ? ": " : ".", options->enter, options->enter[0] ? " COMMAND" : "");
	render_wrapped(&options->render, 0, text);
}

/* ---- what is in them ---- */

struct places {
	const struct cmd_options *options;
	struct namespaces *visitor;
	struct namespace *all;
	size_t n, failed;
	struct namespaces_missing missing;
	struct rule_host host;
	const struct rule_set *rules; /* NULL: only features are read */
	struct observe *own; /* the links here; NULL until they were read, and if they could not be */
};

static void places_clear(struct places *p)
{
	observe_close(p->own);
	free(p->all);
	namespaces_close(p->visitor);
}

/* Reads the links, in one look: nothing of the namespace stays open. 0; -ESTALE: it has ended; other negative errno. */
static int look(struct places *p, const struct namespace *at, struct observe **ret)
{
	struct netns_sockets sockets = { .route = -1, .generic = -1, .plain = -1 };
	const struct observe_options how = { .backend = p->options->backend, .sockets = at->own ? NULL : &sockets };
	const char *what;
	int r = at->own ? 0 : namespaces_visit(p->visitor, at, &sockets);

	if (r >= 0)
		r = observe_open(&how, ret, &what);
	if (r >= 0 && p->rules) {
		(*ret)->want_routes = rule_set_needs_routes(p->rules);
		(*ret)->want_forwarding = rule_set_needs_forwarding(p->rules, &(*ret)->features);
		(*ret)->want_hardware = rule_set_needs_hardware(p->rules);
	}
	if (r >= 0)
		r = observe_refresh(*ret);
	netns_close_sockets(&sockets);
	return r < 0 ? r : 0;
}

struct place {
	struct observe *o;
	int own_nsid; /* of our namespace there; negative: none */
	feature_set work; /* the features that the CPU does the work of for any link that lacks them */
};

static void place_close(struct place *place)
{
	observe_close(place->o);
}

/* The link here that a link there is the other end of, or is stacked on. NULL: none. */
static const struct link *find_far(const struct places *p, const struct place *place, const struct link *link)
{
	return p->own && place->own_nsid >= 0 && link->far_ifindex && link->lower_netnsid == place->own_nsid
		? link_table_find(&p->own->links, link->far_ifindex) : NULL;
}

static int find_work(const struct places *p, const struct observe *o, feature_set *ret)
{
	_cleanup_(predict_free_pointer) struct predict *predict = NULL;
	int r = predict_new_of(&o->features, &o->links, NULL, 0, &p->host, &predict);

	/* the kernel leaves that one off on healthy devices */
	*ret = r < 0 ? 0 : predict_sets(predict).work & ~feature_named(&o->features, "tx-tcp-mangleid-segmentation");
	return r;
}

/* As look(). Our namespace comes first; its links are kept for the others. */
static int open_place(struct places *p, const struct namespace *at, struct place *ret)
{
	int r = look(p, at, &ret->o);

	if (r >= 0)
		r = find_work(p, ret->o, &ret->work);
	if (r >= 0 && !at->own)
		ret->own_nsid = rtnl_find_nsid(ret->o->rtnl, getpid());
	return r;
}

static void done(struct places *p, const struct namespace *at, struct place *place)
{
	if (at->own)
		p->own = TAKE_PTR(place->o);
}

/* Those that could be on. */
static feature_set find_lost(const struct link *link, feature_set work)
{
	return link->has_features && !link_is_kind(link, "loopback") ? work & link->features.hw & ~link->features.active : 0;
}

struct row {
	char label[NAMESPACES_LABEL_LEN], inode[32], process[64], container[UNIT_SERVICE_LEN], image[CONTAINER_IMAGE_LEN];
	char unit[UNIT_SERVICE_LEN], links[256], lost[TEXT_MAX];
};

static void fill_row(const struct namespace *at, struct row *row)
{
	char service[UNIT_SERVICE_LEN];
	struct unit unit;

	namespaces_unit(at, &unit);
	namespaces_label(at, row->label, sizeof(row->label));
	snprintf(row->inode, sizeof(row->inode), "%llu", (unsigned long long)at->inode);
	if (at->pid)
		snprintf(row->process, sizeof(row->process), "%s (%d)", at->comm, (int)at->pid);
	snprintf(row->image, sizeof(row->image), "%s", at->container.image);
	unit_format(&unit, service, sizeof(service));
	if (unit.kind == UNIT_CONTAINER)
		snprintf(row->container, sizeof(row->container), "%s", service);
	if (unit.kind == UNIT_CONTAINER && (!unit_has_container_id(&unit) || util_has_suffix(unit.name, ".service")))
		util_clean(unit.name, row->unit, sizeof(row->unit)); /* another one has the id in its name */
	else if (unit.kind != UNIT_NONE && unit.kind != UNIT_CONTAINER)
		util_clean(service, row->unit, sizeof(row->unit));
}

#define LINKS_SHOWN 3

static int fill_links(const struct places *p, const struct place *place, struct row *row)
{
	_cleanup_free_ struct link **sorted = NULL;
	char text[TEXT_MAX];
	size_t n, shown = 0;

	if (link_table_sorted(&place->o->links, &sorted, &n) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		feature_set lost = find_lost(sorted[i], place->work);
		const struct link *far = find_far(p, place, sorted[i]);

		if (link_is_kind(sorted[i], "loopback"))
			continue;
		if (shown++ < LINKS_SHOWN)
			util_append(row->links, sizeof(row->links), "%s%s%s%s", row->links[0] ? ", " : "", sorted[i]->name, far ? "@" : "",
				far ? far->name : "");
		if (sorted[i]->features_error && sorted[i]->features_error != -EOPNOTSUPP)
			util_append(row->lost, sizeof(row->lost), "%s%s: not readable", row->lost[0] ? "; " : "", sorted[i]->name);
		else if (lost)
			util_append(row->lost, sizeof(row->lost), "%s%s: %s", row->lost[0] ? "; " : "", sorted[i]->name,
				feature_format(&place->o->features, lost, text, sizeof(text)));
	}
	if (shown > LINKS_SHOWN)
		util_append(row->links, sizeof(row->links), " and %zu more", shown - LINKS_SHOWN);
	return 0;
}

/* 0 or -ENOMEM. */
static int take_row(struct places *p, const struct namespace *at, struct row *row)
{
	_cleanup_(place_close) struct place place = { .own_nsid = -1 };
	int r = open_place(p, at, &place);

	fill_row(at, row);
	if (r >= 0)
		r = fill_links(p, &place, row);
	else if (r != -ENOMEM)
		snprintf(row->lost, sizeof(row->lost), "%s", r == -ESTALE ? "has ended" : strerror(-r));
	p->failed += r < 0 && r != -ESTALE;
	done(p, at, &place);
	return r == -ENOMEM ? r : 0;
}

static const char *some(const char *text)
{
	return text[0] ? text : NULL;
}

static int print_table(struct places *p)
{
	static const char *const columns[] = { "NETNS", "INODE", "PROCESS", "CONTAINER", "IMAGE", "UNIT", "LINKS", "OFF" };
	static const char *const spare[] = { "INODE", "PROCESS", "UNIT", "IMAGE", "CONTAINER", NULL };
	_cleanup_free_ const char **cells = calloc(p->n * ARRAY_SIZE(columns) + 1, sizeof(*cells));
	_cleanup_free_ struct row *rows = calloc(p->n + 1, sizeof(*rows));

	if (!cells || !rows)
		return -ENOMEM;
	for (size_t i = 0; i < p->n; i++) {
		const char **cell = &cells[i * ARRAY_SIZE(columns)];
		int r = take_row(p, &p->all[i], &rows[i]);

		if (r < 0)
			return r;
		cell[0] = rows[i].label;
		cell[1] = rows[i].inode;
		cell[2] = some(rows[i].process);
		cell[3] = some(rows[i].container);
		cell[4] = some(rows[i].image);
		cell[5] = some(rows[i].unit);
		cell[6] = some(rows[i].links);
		cell[7] = some(rows[i].lost);
	}
	return render_table(&p->options->render, columns, ARRAY_SIZE(columns), spare, cells, p->n);
}

/* ---- as a document ---- */

static int add_links(struct json_writer *w, const struct places *p, const struct place *place)
{
	_cleanup_free_ struct link **sorted = NULL;
	size_t n;

	if (link_table_sorted(&place->o->links, &sorted, &n) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct link *far = find_far(p, place, sorted[i]);

		json_open_object(w, NULL);
		json_add_link(w, sorted[i]->name, sorted[i]->ifindex);
		json_add_text(w, "kind", sorted[i]->kind);
		if (json_open_if(w, "far", far)) {
			json_add_link(w, far->name, far->ifindex);
			json_close_object(w);
		}
		if (sorted[i]->has_features)
			feature_add_names(w, "off", &place->o->features, find_lost(sorted[i], place->work));
		else
			json_add_null(w, "off");
		json_close_object(w);
	}
	return 0;
}

static void add_identity(struct json_writer *w, const struct namespace *at)
{
	char label[NAMESPACES_LABEL_LEN];
	struct unit unit;

	namespaces_unit(at, &unit);
	json_add_text(w, "netns", namespaces_label(at, label, sizeof(label)));
	json_add_int(w, "inode", (int64_t)at->inode);
	json_add_positive(w, "cookie", (int64_t)at->cookie);
	json_add_bool(w, "own", at->own);
	json_add_some(w, "name", name_of(at));
	json_add_int(w, "processes", at->n_processes);
	json_add_positive(w, "pid", at->pid);
	json_add_some(w, "process", at->comm);
	json_add_some(w, "unit", unit.name);
	json_add_some(w, "runtime", unit.runtime);
	json_add_some(w, "container", unit.container);
	json_add_some(w, "container_name", at->container.name);
	json_add_some(w, "image", at->container.image);
}

/* 0 or -ENOMEM. */
static int add_namespace(struct places *p, const struct namespace *at, struct json_writer *w)
{
	_cleanup_(place_close) struct place place = { .own_nsid = -1 };
	int r = open_place(p, at, &place);

	json_open_object(w, NULL);
	add_identity(w, at);
	json_add_text(w, "error", r >= 0 ? NULL : r == -ESTALE ? "has ended" : strerror(-r));
	if (json_open_list_if(w, "links", r >= 0)) {
		r = add_links(w, p, &place);
		json_close_list(w);
	}
	json_close_object(w);
	p->failed += r < 0 && r != -ESTALE;
	done(p, at, &place);
	return r == -ENOMEM ? r : 0;
}

static int print_document(struct places *p)
{
	_cleanup_json_writer_ struct json_writer w = { 0 };
	int r = 0;

	json_begin(&w, "namespaces");
	json_add_bool(&w, "complete", !p->missing.more && !p->missing.processes);
	json_open_list(&w, "namespaces");
	for (size_t i = 0; i < p->n && r >= 0; i++)
		r = add_namespace(p, &p->all[i], &w);
	json_close_list(&w);
	return r < 0 ? r : json_finish(&w, stdout);
}

int cmd_namespaces(const struct cmd_options *options, int argc _unused_, char **argv _unused_)
{
	_cleanup_(places_clear) struct places p = { .options = options };
	int r = namespaces_open(&p.visitor);

	if (r >= 0)
		r = namespaces_list(p.visitor, &p.all, &p.n, &p.missing);
	if (r < 0)
		return failed(r);
	rule_host_read(&p.host);
	r = options->json ? print_document(&p) : print_table(&p);
	if (p.missing.processes)
		cmd_error("The network namespaces of %u process%s are not known", p.missing.processes, p.missing.processes == 1 ? "" : "es");
	if (p.missing.more)
		cmd_error("There are more than %d network namespaces; the others are not listed", NAMESPACES_MAX);
	return cmd_written(r, p.failed ? CMD_ERROR : CMD_OK);
}

/* ---- the other ends of our links ---- */

void cmd_far_clear(struct cmd_far *far)
{
	for (size_t i = 0; i < far->n; i++)
		free(far->ends[i].netns);
	free(far->ends);
	for (size_t i = 0; i < far->n_plans; i++)
		plan_clear(&far->plans[i]);
	free(far->plans);
}

static bool ends_elsewhere(const struct link *link)
{
	return link_has_peer(link) && link->far_ifindex && link->lower_netnsid >= 0;
}

static const struct link *find_near(const struct cmd_session *s, const struct link *link, int own_nsid)
{
	const struct link *near = ends_elsewhere(link) && link->lower_netnsid == own_nsid ? link_table_find(s->view.links, link->far_ifindex) : NULL;

	return near && ends_elsewhere(near) && near->far_ifindex == link->ifindex ? near : NULL;
}

static int add_end(struct cmd_far *far, const struct namespace *at, const struct link *near, const struct link *link,
	const struct plan_link *plan)
{
	struct view_far end = { .near_ifindex = near->ifindex, .inode = at->inode, .link = *link, .plan = plan };
	char label[NAMESPACES_LABEL_LEN];

	end.link.hardware = NULL;
	end.link.alt_names = NULL;
	end.netns = strdup(namespaces_label(at, label, sizeof(label)));
	if (!end.netns || !GROW(far->ends, far->n)) {
		free(end.netns);
		return -ENOMEM;
	}
	far->ends[far->n++] = end;
	return 0;
}

static int plan_place(const struct cmd_session *s, const struct namespace *at, struct observe *o, struct plan *ret)
{
	_cleanup_free_ struct rule_netns *facts = NULL;
	struct rule_host host = s->host;
	const struct plan_context context = { .table = s->view.features, .rules = &s->rules, .host = &host, .now = s->context.now };
	int r = namespaces_facts(at, &facts);

	host.netns = facts;
	link_table_stack(&o->links);
	return r < 0 ? r : plan_make(&context, &o->links, NULL, 0, ret);
}

/* 0; -ENOMEM. A namespace that cannot be read has no ends. */
static int find_ends(struct cmd_session *s, struct places *p, const struct namespace *at, struct cmd_far *far)
{
	_cleanup_(observe_close_pointer) struct observe *o = NULL;
	const struct plan *plan = NULL;
	int r = look(p, at, &o), own_nsid;

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	own_nsid = rtnl_find_nsid(o->rtnl, getpid());
	link_table_foreach (&o->links, link) {
		const struct link *near = find_near(s, link, own_nsid);

		if (!near || r < 0)
			continue;
		if (!plan) {
			if (!GROW(far->plans, far->n_plans))
				return -ENOMEM;
			far->plans[far->n_plans] = (struct plan){ 0 };
			r = plan_place(s, at, o, &far->plans[far->n_plans]);
			plan = &far->plans[far->n_plans++];
		}
		if (r >= 0)
			r = add_end(far, at, near, link, plan_find(plan, link->ifindex));
	}
	return r < 0 ? r : 0;
}

static int compare_ends(const void *a, const void *b)
{
	const struct view_far *x = a, *y = b;

	return COMPARE(x->near_ifindex, y->near_ifindex);
}

int cmd_find_far(struct cmd_session *session, struct cmd_far *ret)
{
	_cleanup_(places_clear) struct places p = { .options = session->options, .rules = &session->rules };
	size_t n = 0;
	int r;

	*ret = (struct cmd_far){ 0 };
	link_table_foreach (session->view.links, link)
		n += ends_elsewhere(link);
	if (n == 0 || session->options->elsewhere)
		return 0;
	r = namespaces_open(&p.visitor);
	if (r >= 0)
		r = namespaces_list(p.visitor, &p.all, &p.n, &p.missing);
	for (size_t i = 0; i < p.n && r >= 0; i++)
		if (!p.all[i].own)
			r = find_ends(session, &p, &p.all[i], ret);
	if (r == -ENOMEM)
		return r;
	if (r < 0 || ret->n < n)
		cmd_error("%zu interface%s in other network namespaces that %s", n - ret->n, n - ret->n == 1 ? " ends" : "s end",
			r == -EPERM ? "only root can look into; run offloadctl as root" : "were not found");
	if (ret->n)
		qsort(ret->ends, ret->n, sizeof(*ret->ends), compare_ends);
	session->view.far = ret->ends;
	session->view.n_far = ret->n;
	return 0;
}
