/* SPDX-License-Identifier: GPL-2.0-or-later */
/* list, tree, show, explain: the state of interfaces, and its causes. */
#include "offloadctl/cmd_snapshot.h"

#include <errno.h>
#include <string.h>

#include "compare/snapshot_model.h"
#include "offloadctl/cmd_namespaces.h"
#include "plan/predict.h"
#include "report/json.h"
#include "basic/util.h"

/* far: with the other ends of veths in other network namespaces. */
static int show_all(const struct cmd_options *options, bool far, int (*write_json)(FILE *out, const struct view *view),
	int (*render)(const struct render *r, const struct view *view))
{
	_cleanup_(cmd_far_clear) struct cmd_far ends = { 0 };
	_cleanup_(cmd_close) struct cmd_session s;
	int r = cmd_open_plan(options, &s);

	if (r != CMD_OK)
		return r;
	if (far && cmd_find_far(&s, &ends) < 0)
		return cmd_error("%s", strerror(ENOMEM));
	r = options->json ? write_json(stdout, &s.view) : render(&s.render, &s.view);
	if (r >= 0 && !options->json)
		render_undeclared(&s.render, &s.view);
	return cmd_written(r, cmd_exit_code(&s, CMD_OK));
}

int cmd_list(const struct cmd_options *options, int argc _unused_, char **argv _unused_)
{
	return show_all(options, false, json_write_list, render_list);
}

int cmd_tree(const struct cmd_options *options, int argc _unused_, char **argv _unused_)
{
	return show_all(options, true, json_write_tree, render_tree);
}

int cmd_show(const struct cmd_options *options, int argc _unused_, char **argv)
{
	_cleanup_(cmd_close) struct cmd_session s;
	struct link *link;
	int r = cmd_open_plan(options, &s);

	if (r != CMD_OK)
		return r;
	link = cmd_find_link(&s, argv[0]);
	if (!link)
		return CMD_ERROR;
	r = options->json ? json_write_show(stdout, &s.view, link)
			  : render_show(&s.render, &s.view, link, options->all);
	if (!options->json && r >= 0 && options->facts) {
		putchar('\n');
		render_rules_elsewhere(&s.render, &s.view);
	}
	return cmd_written(r, cmd_exit_code(&s, CMD_OK));
}

/* The explanations that `explain` prints. */
struct explain_list {
	struct explanation explanations[2 * FEATURE_MAX];
	feature_set dependents[2 * FEATURE_MAX]; /* features that lack this one; shown with it instead of separately */
	bool group;				 /* show dependents that way */
	size_t n;
};

static void clear_list(struct explain_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		explanation_clear(&list->explanations[i]);
}

/* 0 or negative errno. */
static int add_bit(struct explain_list *list, struct cmd_session *s, const struct link *link, unsigned bit)
{
	int r = 0;

	if (list->n < ARRAY_SIZE(list->explanations))
		r = explain_feature(&s->context, s->view.links, &s->plan, link->ifindex, bit, &list->explanations[list->n]);
	list->n += r == 0 && list->n < ARRAY_SIZE(list->explanations);
	return r < 0 ? r : 0;
}

/* A feature that only other kernels have. 0 or -ENOMEM. */
static int add_word(struct explain_list *list, const struct link *link, const char *word, const struct plan_item *item)
{
	if (list->n == ARRAY_SIZE(list->explanations))
		return 0;
	if (explain_word(link, word, item, &list->explanations[list->n]) < 0)
		return -ENOMEM;
	list->n++;
	return 0;
}

/* 0 or -ENOMEM. */
static int add_limit(struct explain_list *list, struct cmd_session *s, const struct link *link, enum link_limit limit)
{
	if (list->n == ARRAY_SIZE(list->explanations))
		return 0;
	if (explain_limit(s->view.links, &s->plan, link, limit, &list->explanations[list->n]) < 0)
		return -ENOMEM;
	list->n++;
	return 0;
}

static const struct plan_item *find_word(const struct plan_link *pl, const char *word)
{
	for (size_t i = 0; pl && i < pl->n_items; i++)
		if (pl->items[i].bit >= FEATURE_MAX && !pl->items[i].is_limit &&
			strcmp(pl->items[i].feature->word, word) == 0)
			return &pl->items[i];
	return NULL;
}

/* The feature of the same link that this one needs and that is not compliant itself; NULL if there is another cause. */
static const struct plan_item *find_need(const struct plan_link *pl, const struct plan_item *item)
{
	const struct plan_item *need;

	if (item->cause != CAUSE_NEEDS || item->cause_bit >= FEATURE_MAX)
		return NULL;
	need = view_item(pl, item->cause_bit);
	return need && need->verdict != VERDICT_COMPLIANT ? need : NULL;
}

static feature_set find_dependents(const struct plan_link *pl, const struct plan_item *need)
{
	feature_set set = 0;

	for (size_t i = 0; i < pl->n_items; i++)
		if (find_need(pl, &pl->items[i]) == need)
			set |= FEATURE(pl->items[i].bit);
	return set;
}

/* Every feature and limit of a link that is not compliant, and limits that are larger than below. 0 or negative errno. */
static int add_all(struct explain_list *list, struct cmd_session *s, const struct link *link)
{
	const struct plan_link *pl = plan_find(&s->plan, link->ifindex);
	int r = 0;

	for (size_t i = 0; pl && i < pl->n_items && r >= 0; i++) {
		const struct plan_item *item = &pl->items[i];

		if (item->is_limit || item->verdict == VERDICT_COMPLIANT || (list->group && find_need(pl, item)))
			continue;
		list->dependents[list->n] = list->group ? find_dependents(pl, item) : 0;
		r = item->bit < FEATURE_MAX ? add_bit(list, s, link, item->bit) : add_word(list, link, item->feature->word, item);
	}
	for (unsigned i = 0; i < LINK_LIMIT_COUNT && r >= 0; i++) {
		const struct plan_item *item = view_limit_item(pl, i);
		struct plan_narrow narrow;

		if ((item && item->verdict != VERDICT_COMPLIANT) || plan_find_narrow(s->view.links, link, i, &narrow))
			r = add_limit(list, s, link, i);
	}
	return r;
}

/* The members of an alias that the device can change or has on, or that a rule declares; all members if there are none. */
static feature_set alias_members(const struct cmd_session *s, const struct link *link, feature_set set)
{
	const struct plan_link *pl = plan_find(&s->plan, link->ifindex);
	feature_set here = set & (link->features.hw | link->features.active);

	for (size_t i = 0; pl && i < pl->n_items; i++)
		if (pl->items[i].bit < FEATURE_MAX)
			here |= set & FEATURE(pl->items[i].bit);
	return here ? here : set;
}

/* The feature or alias that was named on the command line. Exit code. */
static int add_named(struct explain_list *list, struct cmd_session *s, const struct link *link, const char *word)
{
	int r = 0, limit = link_limit_find(word);
	const char *nearest;
	feature_set set;
	unsigned bit;

	if (limit >= 0)
		return add_limit(list, s, link, limit) < 0 ? cmd_error("Failed to explain %s: out of memory", word) : CMD_OK;
	switch (feature_parse(s->view.features, word, &set)) {
	case FEATURE_WORD_UNKNOWN:
		nearest = feature_nearest(word);
		return cmd_error(nearest ? "unknown feature \"%s\", did you mean \"%s\"?" : "unknown feature \"%s\"", word, nearest);
	case FEATURE_WORD_FOREIGN:
		r = add_word(list, link, word, find_word(plan_find(&s->plan, link->ifindex), word));
		break;
	case FEATURE_WORD_ALIAS:
		set = alias_members(s, link, set);
		/* fall through */
	case FEATURE_WORD_NAME:
		if (!set)
			r = add_word(list, link, word, NULL);
		feature_foreach (bit, set)
			if (r >= 0)
				r = add_bit(list, s, link, bit);
		break;
	}
	return r < 0 ? cmd_error("Failed to explain %s: %s", word, strerror(-r)) : CMD_OK;
}

/* One block for all features that have the same explanation. */
static void render_list_of(const struct cmd_session *s, const struct link *link, const struct explain_list *list)
{
	bool done[ARRAY_SIZE(list->explanations)] = { false };

	for (size_t i = 0; i < list->n; i++) {
		const struct explanation *first = &list->explanations[i];
		unsigned bit = first->steps[0].bit;
		feature_set bits = bit < FEATURE_MAX ? FEATURE(bit) : 0, dependents = list->dependents[i];

		if (done[i])
			continue;
		for (size_t j = i + 1; j < list->n && bits; j++) {
			const struct explanation *other = &list->explanations[j];

			if (other->steps[0].bit >= FEATURE_MAX || !view_same_explanation(first, other))
				continue;
			bits |= FEATURE(other->steps[0].bit);
			dependents |= list->dependents[j];
			done[j] = true;
		}
		if (i > 0)
			fputc('\n', s->render.out);
		render_explanation(&s->render, &s->view, link, bits, dependents, first);
	}
}

/* ---- of another host ---- */

static const char *file_of(const char *path)
{
	return strcmp(path, "-") == 0 ? "standard input" : path;
}

/* Are the parts states of one host? */
static bool same_host(const struct snapshot_part *a, const struct snapshot_part *b)
{
	const char *state_a = strstr(a->name, SNAPSHOT_STATE), *state_b = strstr(b->name, SNAPSHOT_STATE);

	return state_a && state_b && state_a - a->name == state_b - b->name &&
	       memcmp(a->name, b->name, (size_t)(state_a - a->name)) == 0;
}

/* The part and the link that LINK means: "eth0", "web1:eth0"; of several states of a host, the last one. A text with one interface
 * needs none. Prints the reason if there is none. */
static struct snapshot_part *find_part(struct snapshot_parts *parts, const char *path, const char *name,
	const struct snapshot_link **ret)
{
	struct snapshot_part *found = NULL;
	char names[1024] = "";
	size_t n = 0;

	for (size_t i = 0; i < parts->n; i++) {
		struct snapshot_part *part = &parts->parts[i];
		size_t host = strlen(part->name);

		for (size_t j = 0; j < part->snapshot.n_links; j++) {
			const struct snapshot_link *link = &part->snapshot.links[j];

			util_append(names, sizeof(names), "%s%s%s%s", names[0] ? ", " : "", part->name, host ? ":" : "", link->name);
			if (name && strcmp(link->name, name) != 0 &&
				(strncmp(part->name, name, host) != 0 || name[host] != ':' || strcmp(name + host + 1, link->name) != 0))
				continue;
			n += !found || !same_host(found, part) || strcmp((*ret)->name, link->name) != 0;
			found = part;
			*ret = link;
		}
	}
	if (n == 1)
		return found;
	*ret = NULL;
	cmd_error("%s has %s; name one of its interfaces: %s", path,
		n == 0 ? "no such interface" : "several such interfaces", names);
	return NULL;
}

/* Features of which one is enough for others (netdev_fix_features()). A text may list some of them and not the one that is on. */
static void add_alternatives(struct feature_table *table)
{
	static const char *const names[] = { "tx-checksum-ip-generic", "tx-checksum-ipv4", "tx-checksum-ipv6", "tx-tcp-segmentation",
		"tx-tcp6-segmentation" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (feature_bit(table, names[i]) < 0 && table->count < FEATURE_MAX)
			(void)feature_table_add(table, table->count, names[i], strlen(names[i]));
}

/* A plan without rules: which of ours are in force there is not known. */
static int open_snapshot(const struct cmd_options *options, struct snapshot *snapshot, struct link_table *links,
	struct cmd_session *s)
{
	int r;

	r = cmd_open_offline(options, s);
	if (r != CMD_OK)
		return r;
	s->view.features = s->context.table = &snapshot->features;
	s->view.links = links;
	s->view.host = NULL;
	s->context.now = snapshot->taken;
	snprintf(s->host.kernel_release, sizeof(s->host.kernel_release), "%s", snapshot->kernel);
	if (snapshot->form == SNAPSHOT_ETHTOOL)
		add_alternatives(&snapshot->features);
	r = snapshot_restore(snapshot, links);
	/* what a text does not list is not known, and no cause */
	for (size_t i = 0; r >= 0 && i < snapshot->n_links && snapshot->form == SNAPSHOT_ETHTOOL; i++) {
		struct link_features *f = &link_table_find(links, (int)i + 1)->features;
		feature_set unlisted = snapshot_named(snapshot) & ~snapshot->links[i].listed;

		f->hw |= unlisted;
		f->wanted |= unlisted;
		f->active |= unlisted;
	}
	if (r >= 0)
		r = plan_make(&s->context, links, NULL, 0, &s->plan);
	return r < 0 ? cmd_error("Failed to read the snapshot: %s", strerror(-r)) : CMD_OK;
}

/* The features that are off and that software does the work of, or that are requested. 0 or negative errno. */
static int add_off(struct explain_list *list, struct cmd_session *s, const struct link *link)
{
	_cleanup_(predict_free_pointer) struct predict *predict = NULL;
	feature_set off = link->features.wanted & ~link->features.active;
	unsigned bit;
	int r = predict_new_of(s->view.features, s->view.links, NULL, 0, &s->host, &predict);

	if (r >= 0)
		off |= predict_sets(predict).work & link->features.hw & ~link->features.active;
	feature_foreach (bit, off)
		if (r >= 0)
			r = add_bit(list, s, link, bit);
	return r < 0 ? r : 0;
}

/* The features that a word of the command line means in a text: kernel names, aliases, and groups without members. */
static int add_from_text(struct explain_list *list, struct cmd_session *s, const struct snapshot *snapshot,
	const struct snapshot_link *from, const struct link *link, const char *word)
{
	feature_set set, listed;
	unsigned bit;
	int r = 0;

	(void)feature_parse(s->view.features, word, &set);
	for (size_t i = 0; feature_alias(i); i++)
		if (strcmp(word, feature_alias(i)->word) == 0 || strcmp(word, feature_alias(i)->long_word) == 0)
			set |= feature_named(s->view.features, feature_alias(i)->long_word);
	listed = set & snapshot_listed(snapshot, from);
	if (!listed)
		return cmd_error("%s does not list \"%s\" of %s", file_of(s->options->snapshot), word, from->name);
	if (listed & (link->features.hw | link->features.active))
		listed &= link->features.hw | link->features.active;
	feature_foreach (bit, listed)
		if (r >= 0)
			r = add_bit(list, s, link, bit);
	return r < 0 ? cmd_error("Failed to explain %s: %s", word, strerror(-r)) : CMD_OK;
}

/* No rule was looked for; and whatever is off may be wanted. */
static void finish(struct explanation *e)
{
	const struct cause_step *last;

	if (e->n_steps > 1)
		memmove(e->steps, e->steps + 1, --e->n_steps * sizeof(*e->steps));
	else if (e->active)
		e->steps[0].code = CAUSE_IS_ON;
	last = &e->steps[e->n_steps - 1];
	if (last->code != CAUSE_OFF)
		return;
	e->advice.code = ADVICE_REQUEST;
	e->advice.bit = last->bit;
	e->advice.want = true;
	memcpy(e->advice.link, last->link, sizeof(e->advice.link));
}

static int explain_snapshot(const struct cmd_options *options, int argc, char **argv)
{
	_cleanup_(clear_list) struct explain_list list = { 0 };
	_cleanup_(snapshot_parts_clear) struct snapshot_parts parts = { 0 };
	_cleanup_(link_table_clear) struct link_table links = { 0 };
	_cleanup_(cmd_close) struct cmd_session s = { 0 };
	const struct snapshot_link *from = NULL;
	struct snapshot_part *part;
	const struct link *link;
	int r = cmd_load_snapshots(options->snapshot, &(struct feature_table){ 0 }, &parts);

	if (r != CMD_OK)
		return r;
	part = find_part(&parts, file_of(options->snapshot), argc ? argv[0] : NULL, &from);
	if (!part)
		return CMD_ERROR;
	r = open_snapshot(options, &part->snapshot, &links, &s);
	if (r != CMD_OK)
		return r;
	link = link_table_find(&links, (int)(from - part->snapshot.links) + 1);
	if (argc > 1)
		r = add_from_text(&list, &s, &part->snapshot, from, link, argv[1]);
	else if (add_off(&list, &s, link) < 0)
		r = cmd_error("Failed to explain %s: %s", from->name, strerror(ENOMEM));
	if (r != CMD_OK)
		return r;
	for (size_t i = 0; i < list.n; i++)
		finish(&list.explanations[i]);
	if (options->json)
		return cmd_written(json_write_explain(stdout, &s.view, link, list.explanations, list.n), CMD_OK);
	if (list.n == 0)
		printf("%s: every offload that is listed is on, or not supported by the device\n", from->name);
	render_list_of(&s, link, &list);
	if (part->snapshot.form == SNAPSHOT_ETHTOOL)
		render_wrapped(&s.render, 0, "\nThis text shows neither the kind of the interface nor what is below it. For the whole chain of "
					     "causes, run offloadctl explain on that host, or explain a file of offloadctl snapshot.");
	return CMD_OK;
}

int cmd_explain(const struct cmd_options *options, int argc, char **argv)
{
	_cleanup_(clear_list) struct explain_list list = { .group = !options->json };
	_cleanup_(cmd_close) struct cmd_session s = { 0 };
	struct link *link;
	int r;

	if (options->snapshot)
		return explain_snapshot(options, argc, argv);
	if (argc == 0)
		return cmd_error("explain needs an interface, or --snapshot with a text that has one; usage: offloadctl explain LINK [FEATURE]");
	r = cmd_open_plan(options, &s);
	if (r != CMD_OK)
		return r;
	link = cmd_find_link(&s, argv[0]);
	if (!link)
		return CMD_ERROR;
	if (argc > 1) {
		r = add_named(&list, &s, link, argv[1]);
		if (r != CMD_OK)
			return r;
	} else {
		r = add_all(&list, &s, link);
		if (r < 0)
			return cmd_error("Failed to explain %s: %s", argv[0], strerror(-r));
	}
	if (options->json)
		return cmd_written(json_write_explain(stdout, &s.view, link, list.explanations, list.n),
			cmd_exit_code(&s, CMD_OK));
	if (list.n == 0)
		render_no_explanation(&s.render, &s.view, link);
	render_list_of(&s, link, &list);
	if (options->facts) {
		putchar('\n');
		render_rules_elsewhere(&s.render, &s.view);
	}
	return cmd_exit_code(&s, CMD_OK);
}
