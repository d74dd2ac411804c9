/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "report/catalog.h"
#include "report/render_table.h"
#include "report/render_text.h"
#include "basic/util.h"

#define NAMED_MAX 3 /* features named in a table before "+N" */

/* The verdict that can be acted on first, of a link that rules apply to. */
static enum verdict first_verdict(const size_t counts[VERDICT_COUNT])
{
	for (size_t i = 0; i < VERDICT_COUNT; i++)
		if (counts[verdict_order[i]])
			return verdict_order[i];
	return VERDICT_COMPLIANT;
}

/* How many features of the link have which verdict. */
static void set_verdict(
	const struct render *r, struct libscols_line *line, size_t n, const struct plan_link *pl)
{
	static const char *const names[VERDICT_COUNT] = {
		[VERDICT_COMPLIANT] = "green",
		[VERDICT_DRIFTED] = "brown",
		[VERDICT_BLOCKED] = "red",
		[VERDICT_UNSUPPORTED] = "red",
		[VERDICT_REFUSED] = "red",
		[VERDICT_CONTENDED] = "magenta",
		[VERDICT_PAUSED] = "cyan",
	};
	size_t counts[VERDICT_COUNT] = { 0 };
	char text[128];

	if (!pl || pl->n_items == 0) {
		set_cell(line, n, NULL);
		return;
	}
	plan_link_count(pl, counts);
	set_cell(line, n, verdict_format_counts(counts, text, sizeof(text)));
	if (r->colour)
		scols_cell_set_color(scols_line_get_cell(line, n), names[first_verdict(counts)]);
}

/* The features that have this verdict; on a terminal the first few, and how many more. */
static void append_features(const struct render *r, const struct feature_table *table, const struct plan_link *pl,
	enum verdict verdict, char *buf, size_t size)
{
	unsigned n = 0, most = r->width ? NAMED_MAX : FEATURE_MAX;

	for (size_t i = 0; i < pl->n_items; i++) {
		const struct plan_item *item = &pl->items[i];

		if (item->verdict != verdict || ++n > most)
			continue;
		util_append(buf, size, "%s%s", n > 1 ? ", " : "",
			item->bit < FEATURE_MAX ? feature_name(table, item->bit)
						: item->feature->word);
	}
	if (n > most)
		util_append(buf, size, " +%u", n - most);
}

/* The features that are not compliant, by verdict. */
static const char *bad_features(const struct render *r, const struct feature_table *table,
	const struct plan_link *pl, const struct link *link, char *buf, size_t size)
{
	size_t counts[VERDICT_COUNT] = { 0 };
	unsigned verdicts = 0;

	buf[0] = '\0';
	if (!link->has_features && link->features_error) {
		util_append(buf, size, "features could not be read: %s", strerror(-link->features_error));
		return buf;
	}
	if (pl)
		plan_link_count(pl, counts);
	for (int v = 0; v < VERDICT_COUNT; v++)
		verdicts += v != VERDICT_COMPLIANT && counts[v];
	for (size_t i = 0; i < VERDICT_COUNT; i++) {
		enum verdict v = verdict_order[i];

		if (!counts[v] || v == VERDICT_COMPLIANT)
			continue;
		if (verdicts > 1)
			util_append(buf, size, "%s%s: ", buf[0] ? "; " : "", verdict_name(v));
		append_features(r, table, pl, v, buf, size);
	}
	return buf;
}

int render_list(const struct render *r, const struct view *view)
{
	static const char *const columns[] = { "LINK", "KIND", "DRIVER", "ON", "PORT OF", "VERDICT",
		"FEATURES" };
	static const char *const spare[] = { "DRIVER", "PORT OF", "ON", "KIND", NULL };
	_cleanup_(unref_table) struct libscols_table *t = new_table(r);
	_cleanup_free_ struct link **links = NULL;
	char text[RENDER_NAMES_LEN];
	size_t n;

	if (!t || link_table_sorted(view->links, &links, &n) < 0)
		return -ENOMEM;
	if (add_text_columns(r, t, columns, ARRAY_SIZE(columns), 0) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct plan_link *pl = plan_find(view->plan, links[i]->ifindex);
		struct link *lower = link_lower(view->links, links[i]);
		struct link *master = link_master(view->links, links[i]);
		struct libscols_line *line = scols_table_new_line(t, NULL);

		if (!line)
			return -ENOMEM;
		set_cell(line, 0, render_clean_name(links[i]->name));
		set_cell(line, 1, links[i]->kind);
		set_cell(line, 2, links[i]->driver);
		set_cell(line, 3, lower ? render_clean_name(lower->name) : NULL);
		set_cell(line, 4, master ? render_clean_name(master->name) : NULL);
		set_verdict(r, line, 5, pl);
		set_cell(line, 6, bad_features(r, view->features, pl, links[i], text, sizeof(text)));
	}
	return put_fitted_table(r, t, spare);
}

/* "eth0 in web1" */
static int add_far(const struct render *r, const struct view *view, struct libscols_table *t, struct libscols_line *parent,
	const struct view_far *far)
{
	struct libscols_line *line = scols_table_new_line(t, parent);
	char text[RENDER_NAMES_LEN];

	if (!line)
		return -ENOMEM;
	snprintf(text, sizeof(text), "%s in %s", render_clean_name(far->link.name), far->netns);
	set_cell(line, 0, text);
	set_cell(line, 1, far->link.kind);
	set_verdict(r, line, 2, far->plan);
	set_cell(line, 3, bad_features(r, view->features, far->plan, &far->link, text, sizeof(text)));
	return 0;
}

int render_tree(const struct render *r, const struct view *view)
{
	static const char *const columns[] = { "LINK", "KIND", "VERDICT", "FEATURES" };
	static const char *const spare[] = { "KIND", NULL };
	_cleanup_(unref_table) struct libscols_table *t = new_table(r);
	_cleanup_free_ struct view_node *nodes = NULL;
	_cleanup_free_ struct libscols_line **parents = NULL;
	char text[RENDER_NAMES_LEN];
	size_t n;

	if (!t || view_tree(view->links, &nodes, &n) < 0)
		return -ENOMEM;
	parents = calloc(n + 1, sizeof(*parents)); /* the last line of each depth */
	if (!parents || add_text_columns(r, t, columns, ARRAY_SIZE(columns), SCOLS_FL_TREE) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct view_node *node = &nodes[i];
		const struct plan_link *pl = plan_find(view->plan, node->link->ifindex);
		const struct view_far *far = node->repeated ? NULL : view_find_far(view, node->link);
		struct libscols_line *line =
			scols_table_new_line(t, node->depth ? parents[node->depth - 1] : NULL);

		if (!line)
			return -ENOMEM;
		parents[node->depth] = line;
		set_cell(line, 0, render_clean_name(node->link->name));
		set_cell(line, 1, node->link->kind);
		set_verdict(r, line, 2, pl);
		bad_features(r, view->features, pl, node->link, text, sizeof(text));
		set_cell(line, 3, node->repeated ? "(see above)" : text);
		if (far && add_far(r, view, t, line, far) < 0)
			return -ENOMEM;
	}
	return put_fitted_table(r, t, spare);
}

int render_table(const struct render *r, const char *const *columns, size_t n_columns,
	const char *const *spare, const char *const *cells, size_t n_lines)
{
	_cleanup_(unref_table) struct libscols_table *t = new_table(r);

	if (!t)
		return -ENOMEM;
	if (add_text_columns(r, t, columns, n_columns, 0) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < n_lines; i++) {
		struct libscols_line *line = scols_table_new_line(t, NULL);

		if (!line)
			return -ENOMEM;
		for (size_t j = 0; j < n_columns; j++)
			set_cell(line, j, cells[i * n_columns + j]);
	}
	return put_fitted_table(r, t, spare);
}

static void put_link_facts(const struct render *r, const struct view *view, const struct link *link)
{
	char text[1024], address[3 * LINK_ADDRESS_LEN];
	const struct plan_link *pl = plan_find(view->plan, link->ifindex);
	const char *comma = "";

	render_put_name(r, link->name);
	fprintf(r->out, ": %s", view_link_words(view->links, link, text, sizeof(text)));
	if (link->vlan_id)
		fprintf(r->out, ", id %u", link->vlan_id);
	if (pl && pl->n_items) {
		fputs(": ", r->out);
		render_put_counts(r, pl);
	}
	fputc('\n', r->out);
	render_put_field(r, "driver", util_clean(link->driver, text, sizeof(text)));
	render_put_field(r, "address", link_format_address(link, address, sizeof(address)));
	text[0] = '\0';
	for (struct link *u = link_first_upper(view->links, link); u;
		u = link_next_upper(view->links, u)) {
		util_append(text, sizeof(text), "%s%s", comma, render_clean_name(u->name));
		comma = ", ";
	}
	render_put_field(r, "used by", text);
	if (pl && pl->claimed)
		render_put_field(r, "no port has", feature_format(view->features, pl->claimed, text, sizeof(text)));
	if (!link->has_features)
		fprintf(r->out, "  features could not be read: %s\n",
			link->features_error ? strerror(-link->features_error) : "not reported by the kernel");
	fputc('\n', r->out);
}

static int add_feature_line(const struct render *r, const struct view *view,
	struct libscols_table *t, const struct link *link, unsigned bit,
	const struct plan_item *item)
{
	const struct link_features *f = &link->features;
	struct libscols_line *line = scols_table_new_line(t, NULL);
	char why[CATALOG_TEXT_MAX], words[32];

	if (!line)
		return -ENOMEM;
	set_cell(line, 0,
		bit < FEATURE_MAX ? feature_name(view->features, bit) : item->feature->word);
	if (bit < FEATURE_MAX) {
		set_cell(line, 1, util_on_off(f->active & FEATURE(bit)));
		set_cell(line, 2, util_on_off(f->wanted & FEATURE(bit)));
		set_cell(line, 3, (f->hw & ~f->nochange & FEATURE(bit)) ? NULL : "fixed");
	}
	if (!item)
		return 0;
	set_cell(line, 4, view_item_declared(item, words, sizeof(words)));
	set_cell(line, 5, verdict_name(item->verdict));
	set_cell(line, 6, item->rule ? item->rule->file : NULL);
	if (item->verdict != VERDICT_COMPLIANT)
		set_cell(line, 7, catalog_item(view->features, plan_find(view->plan, link->ifindex), item, item->bit, why, sizeof(why)));
	if (r->colour && item->verdict != VERDICT_COMPLIANT)
		scols_line_set_color(line, item->verdict == VERDICT_DRIFTED ? "brown" : "red");
	return 0;
}

/* The cells of one limit. */
static int add_limit_line(const struct render *r, const struct view *view, struct libscols_table *t, const struct link *link,
	enum link_limit limit)
{
	const struct plan_link *pl = plan_find(view->plan, link->ifindex);
	const struct plan_item *item = view_limit_item(pl, limit);
	struct libscols_line *line = scols_table_new_line(t, NULL);
	char text[CATALOG_TEXT_MAX];
	struct plan_narrow narrow;

	if (!line)
		return -ENOMEM;
	set_cell(line, 0, link_limit_name(limit));
	snprintf(text, sizeof(text), "%" PRIu32, link->limits.value[limit]);
	set_cell(line, 1, link->limits.has & LINK_LIMIT(limit) ? text : NULL);
	set_cell(line, 2, limit >= LINK_LIMIT_SETTABLE ? "fixed" : NULL);
	if (plan_find_narrow(view->links, link, limit, &narrow)) {
		snprintf(text, sizeof(text), "%s has %" PRIu32, render_clean_name(narrow.below->name), narrow.below_number);
		set_cell(line, 3, text);
	}
	if (!item)
		return 0;
	set_cell(line, 4, view_item_declared(item, text, sizeof(text)));
	set_cell(line, 5, verdict_name(item->verdict));
	set_cell(line, 6, item->rule ? item->rule->file : NULL);
	if (item->verdict != VERDICT_COMPLIANT)
		set_cell(line, 7, catalog_item(view->features, pl, item, FEATURE_MAX, text, sizeof(text)));
	if (r->colour && item->verdict != VERDICT_COMPLIANT)
		scols_line_set_color(line, item->verdict == VERDICT_DRIFTED ? "brown" : "red");
	return 0;
}

static int put_limits(const struct render *r, const struct view *view, const struct link *link)
{
	static const char *const columns[] = { "LIMIT", "VALUE", "FIXED", "SMALLER BELOW", "DECLARED", "VERDICT", "RULE", "WHY" };
	static const char *const spare[] = { "FIXED", "DECLARED", NULL };
	_cleanup_(unref_table) struct libscols_table *t = new_table(r);
	bool any = false;

	if (!t || add_text_columns(r, t, columns, ARRAY_SIZE(columns), 0) < 0)
		return -ENOMEM;
	for (unsigned i = 0; i < LINK_LIMIT_COUNT; i++) {
		if (!(link->limits.has & LINK_LIMIT(i)) && !view_limit_item(plan_find(view->plan, link->ifindex), i))
			continue;
		if (add_limit_line(r, view, t, link, i) < 0)
			return -ENOMEM;
		any = true;
	}
	if (!any)
		return 0;
	fputc('\n', r->out);
	return put_noted_table(r, t, spare, 2);
}

/* The declared features, those that can be acted on first. */
static int add_declared(const struct render *r, const struct view *view, struct libscols_table *t, const struct link *link)
{
	const struct plan_link *pl = plan_find(view->plan, link->ifindex);

	for (size_t v = 0; v < VERDICT_COUNT; v++)
		for (size_t i = 0; pl && i < pl->n_items; i++)
			if (pl->items[i].verdict == verdict_order[v] && !pl->items[i].is_limit &&
				add_feature_line(r, view, t, link, pl->items[i].bit, &pl->items[i]) < 0)
				return -ENOMEM;
	return 0;
}

/* all: with the features that no rule declares. */
static int put_features(const struct render *r, const struct view *view, const struct link *link, bool all)
{
	static const char *const columns[] = { "FEATURE", "ACTIVE", "REQUESTED", "FIXED",
		"DECLARED", "VERDICT", "RULE", "WHY" };
	static const char *const spare[] = { "REQUESTED", "FIXED", "DECLARED", NULL };
	_cleanup_(unref_table) struct libscols_table *t = new_table(r);
	const struct plan_link *pl = plan_find(view->plan, link->ifindex);
	char text[256];
	size_t rest = 0;
	int e = 0;

	if (!t)
		return -ENOMEM;
	if (add_text_columns(r, t, columns, ARRAY_SIZE(columns), 0) < 0)
		return -ENOMEM;
	if (add_declared(r, view, t, link) < 0)
		return -ENOMEM;
	for (unsigned bit = 0; bit < view->features->count; bit++) {
		if (!view->features->name[bit][0] || view_item(pl, bit))
			continue;
		rest++;
		if (all && add_feature_line(r, view, t, link, bit, NULL) < 0)
			return -ENOMEM;
	}
	if (scols_table_get_nlines(t) > 0)
		e = put_noted_table(r, t, spare, 2);
	else
		render_wrapped(r, 0, view_offloads(view->features, link, text, sizeof(text)));
	if (e == 0 && !all && rest && !r->no_legend)
		fprintf(r->out, "\n%zu more feature%s, which no rule declares. Run: offloadctl show %s --all\n", rest, util_plural(rest),
			render_clean_name(link->name));
	return e;
}

int render_show(const struct render *r, const struct view *view, const struct link *link, bool all)
{
	int error = 0;

	put_link_facts(r, view, link);
	if (link->has_features)
		error = put_features(r, view, link, all);
	return error < 0 ? error : put_limits(r, view, link);
}

static void put_rule(const struct render *r, const struct plan_item *item)
{
	char text[1024] = "";

	if (!item || !item->rule)
		return;
	render_append_clean(text, sizeof(text), "", item->rule->path);
	if (item->feature)
		util_append(text, sizeof(text), ":%u", item->feature->line);
	render_append_clean(text, sizeof(text), ": ", item->rule->description);
	render_put_field(r, "rule", text);
	text[0] = '\0';
	render_append_clean(text, sizeof(text), "", item->rule->reason);
	render_put_field(r, "reason", text);
}

/* What to do if the cause itself suggests nothing. */
static void append_next_step(const struct link *link, const struct explanation *e, char *buf, size_t size)
{
	const struct plan_item *item = e->item;
	const char *name = render_clean_name(link->name);

	if (e->error)
		util_append(buf, size, "ethtool -k %s shows whether the kernel still refuses to read it", name);
	else if (!item && e->rule)
		util_append(buf, size, "nothing to do: this interface cannot change it");
	else if (!item && e->word && !e->is_limit)
		util_append(buf, size, "nothing to do: no setting of this kernel provides it");
	else if (!item)
		util_append(buf, size, "no rule declares it. To keep it as it is, declare it in a rule: offloadd.rule(5)");
	else if (item->verdict == VERDICT_COMPLIANT)
		util_append(buf, size, "nothing to do: it matches the rule");
	else if (item->verdict == VERDICT_CONTENDED)
		util_append(buf, size, "find the program that reverts it: offloadctl events shows who changed it. Or remove it from the rule");
	else if (item->verdict == VERDICT_REFUSED)
		util_append(buf, size, "journalctl -k shows messages of the driver. If it never accepts this, remove the feature from the rule");
	else if (item->verdict == VERDICT_UNSUPPORTED)
		util_append(buf, size, "remove it from the rule, or use another kernel or device");
	else
		util_append(buf, size, "offloadctl plan %s shows whether a step repairs it", name);
}

void render_explanation(const struct render *r, const struct view *view, const struct link *link, feature_set bits,
	feature_set dependents, const struct explanation *explanation)
{
	/* each line names the feature only if the block is about one */
	unsigned known = bits & (bits - 1) ? (unsigned)__builtin_ctzll(bits) : FEATURE_MAX;
	const struct plan_item *item = explanation->item;
	char text[RENDER_NAMES_LEN], clean[RENDER_NAMES_LEN];
	int column;

	column = render_put_name(r, link->name) + fprintf(r->out, " ");
	if (item) {
		render_put_verdict(r, item->verdict, 0);
		column += (int)strlen(verdict_name(item->verdict));
		column += fprintf(r->out, ": ");
	}
	render_wrapped(r, (unsigned)column,
		bits ? feature_format(view->features, bits, text, sizeof(text))
		     : util_clean(explanation->word, text, sizeof(text)));
	for (size_t i = 0; i < explanation->n_steps; i++) {
		const struct cause_step *step = &explanation->steps[i];

		column = fprintf(r->out, "  %*s%s: ", (int)(2 * step->depth), "", render_clean_name(step->link));
		catalog_step(view->features, explanation, step, known, text, sizeof(text));
		render_wrapped(r, (unsigned)column, util_clean(text, clean, sizeof(clean)));
	}
	if (dependents)
		render_put_field(r, "also affects", feature_format(view->features, dependents, text, sizeof(text)));
	put_rule(r, item);
	catalog_advice(view->features, explanation, text, sizeof(text));
	if (!text[0])
		append_next_step(link, explanation, text, sizeof(text));
	render_put_field(r, "advice", util_clean(text, clean, sizeof(clean)));
}

void render_no_explanation(const struct render *r, const struct view *view, const struct link *link)
{
	const struct plan_link *pl = plan_find(view->plan, link->ifindex);
	const char *name = render_clean_name(link->name), *netns = view->host && view->host->netns ? " --netns NETNS" : "";
	char text[256] = "";

	if (!link->has_features) {
		fprintf(r->out, "%s: features could not be read: %s\n", name,
			link->features_error ? strerror(-link->features_error) : "not reported by the kernel");
		util_append(text, sizeof(text), "ethtool -k %s shows whether the kernel still refuses to read them", name);
	} else if (!pl || pl->n_items == 0) {
		fprintf(r->out, "%s: no rule applies to a feature that it can change\n", name);
		util_append(text, sizeof(text), "offloadctl rules%s %s shows why each rule does not apply; offloadctl explain%s %s FEATURE explains a "
			"feature without a rule", netns, name, netns, name);
	} else {
		fprintf(r->out, "%s matches the rules (%zu feature%s)\n", name, pl->n_items, util_plural(pl->n_items));
		util_append(text, sizeof(text), "nothing to do; offloadctl explain %s FEATURE explains a feature", name);
	}
	render_put_field(r, "advice", text);
}
