/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "render.h"

#include <errno.h>
#include <langinfo.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "render_table.h"
#include "util.h"

#define NAMES_LEN (FEATURE_MAX * (FEATURE_NAME_LEN + 2))
#define WORST_NAMED 3 /* features named in a table before "+N" */

static const char *const verdict_colours[VERDICT_COUNT] = {
	[VERDICT_COMPLIANT] = "32",
	[VERDICT_DRIFTED] = "33",
	[VERDICT_BLOCKED] = "31",
	[VERDICT_FIXED] = "31",
	[VERDICT_REFUSED] = "31",
	[VERDICT_CONTENDED] = "35",
	[VERDICT_PAUSED] = "36",
};

void render_init(struct render *r, FILE *out, bool no_colour)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
	const char *columns = getenv("COLUMNS");
	struct winsize size = { 0 };
	bool tty = isatty(fileno(out));

	*r = (struct render){ .out = out, .ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0 };
	r->colour = tty && !no_colour && !(no && *no) && !(term && strcmp(term, "dumb") == 0);
	if (columns && *columns)
		size.ws_col = strspn(columns, "0123456789") == strlen(columns) && strlen(columns) < 5 ? atoi(columns) : 0;
	else if (tty)
		ioctl(fileno(out), TIOCGWINSZ, &size);
	r->width = size.ws_col < RENDER_WIDTH_MIN ? 0 : size.ws_col;
}

static void colour_on(const struct render *r, const char *code)
{
	if (r->colour && code)
		fprintf(r->out, "\033[%sm", code);
}

static void colour_off(const struct render *r, const char *code)
{
	if (r->colour && code)
		fputs("\033[0m", r->out);
}

static void put_verdict(const struct render *r, enum verdict verdict, int pad)
{
	const char *name = verdict_name(verdict);

	colour_on(r, verdict_colours[verdict]);
	fputs(name, r->out);
	colour_off(r, verdict_colours[verdict]);
	fprintf(r->out, "%*s", pad > (int)strlen(name) ? pad - (int)strlen(name) : 0, "");
}

static void put_heading(const struct render *r, const char *heading)
{
	colour_on(r, "1");
	fputs(heading, r->out);
	colour_off(r, "1");
	fputc('\n', r->out);
}

/* Text that starts at column `indent`, where the line is by now, broken between words to go on
 * there. */
static void put_wrapped(const struct render *r, unsigned indent, const char *text)
{
	unsigned column = indent;

	while (*text) {
		unsigned word = (unsigned)strcspn(text, " ");

		if (r->width && column > indent && column + 1 + word > r->width) {
			fprintf(r->out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			fputc(' ', r->out);
			column++;
		}
		fwrite(text, 1, word, r->out);
		column += word;
		text += word + strspn(text + word, " ");
	}
	fputc('\n', r->out);
}

void render_wrapped(const struct render *r, unsigned indent, const char *text)
{
	put_wrapped(r, indent, text);
}

static const char *clean_name(const char *name)
{
	static char ring[4][LINK_NAME_LEN];
	static unsigned turn;

	turn = (turn + 1) % ARRAY_SIZE(ring);
	util_copy_name(ring[turn], sizeof(ring[turn]), name, LINK_NAME_LEN);
	return ring[turn];
}

/* What an item's rule wants: "on", "off", "on as below", "as below, which cannot give it". */
static const char *declared_words(const struct plan_item *item)
{
	if (item->declared != RULE_LOWER || item->unread)
		return rule_value_name(item->declared);
	if (item->not_given)
		return "lower (not given there)";
	return item->want ? "lower (on)" : "lower (off)";
}

static const char *state_words(const struct plan_item *item)
{
	if (item->bit >= FEATURE_MAX)
		return "not known to this kernel";
	if (item->unread)
		return "not known";
	if (item->active != item->wanted)
		return item->wanted ? "off (requested on)" : "on (requested off)";
	return util_on_off(item->active);
}

static void append_clean(char *buf, size_t size, const char *before, const char *text)
{
	char clean[512];

	if (text && *text)
		util_append(buf, size, "%s%s", before, view_clean(text, clean, sizeof(clean)));
}

static void put_group(
	const struct render *r, const struct feature_table *table, const struct view_group *group)
{
	const struct plan_item *item = group->item;
	struct plan_item it = *item;
	char text[NAMES_LEN], why[256];

	if (it.cause_bit == it.bit)
		it.cause_bit = FEATURE_MAX; /* "it": the feature itself, or each of several */

	fputs("  ", r->out);
	put_verdict(r, item->verdict, 11);
	put_wrapped(r, 13, view_group_names(table, group, text, sizeof(text)));
	snprintf(text, sizeof(text), "%s; declared %s", state_words(item), declared_words(item));
	if (item->rule)
		append_clean(text, sizeof(text), " by ", item->rule->file);
	if (item->audit)
		util_append(text, sizeof(text), " (audit only)");
	if (item->cause != CAUSE_FIXED_KERNEL)
		append_clean(text, sizeof(text), ": ", explain_item(table, &it, why, sizeof(why)));
	fprintf(r->out, "%*s", 13, "");
	put_wrapped(r, 13, text);
}

static void put_link_heading(
	const struct render *r, const struct link_table *links, const struct plan_link *pl)
{
	const struct link *link = link_table_find(links, pl->ifindex);
	char words[256];

	colour_on(r, "1");
	fputs(clean_name(pl->name), r->out);
	colour_off(r, "1");
	fprintf(r->out, " (%s): ",
		link ? view_link_words(links, link, words, sizeof(words))
		     : view_clean(pl->kind, words, sizeof(words)));
}

/* The items of a link that are not as declared. Nothing at all for one that is. */
static void put_link(const struct render *r, const struct view *view, const struct plan_link *pl)
{
	_cleanup_free_ struct view_group *groups = NULL;
	size_t n, compliant = 0;

	if (plan_link_verdict(pl) == VERDICT_COMPLIANT || view_group_items(pl, &groups, &n) < 0)
		return;
	put_link_heading(r, view->links, pl);
	put_verdict(r, plan_link_verdict(pl), 0);
	fputc('\n', r->out);
	for (size_t i = 0; i < n; i++)
		if (groups[i].item->verdict != VERDICT_COMPLIANT)
			put_group(r, view->features, &groups[i]);
	for (size_t i = 0; i < pl->n_items; i++)
		compliant += pl->items[i].verdict == VERDICT_COMPLIANT;
	if (compliant)
		fprintf(r->out, "  %-11s%zu more feature%s\n", verdict_name(VERDICT_COMPLIANT),
			compliant, util_plural(compliant));
	fputc('\n', r->out);
}

/* "tx-scatter-gather on; rx-lro off" */
static void append_values(const struct feature_table *table, feature_set mask, feature_set value,
	char *buf, size_t size)
{
	char names[NAMES_LEN];

	if (mask & value)
		util_append(buf, size, "%s on",
			feature_format(table, mask & value, names, sizeof(names)));
	if (mask & ~value)
		util_append(buf, size, "%s%s off", mask & value ? "; " : "",
			feature_format(table, mask & ~value, names, sizeof(names)));
}

static void put_step(const struct render *r, const struct feature_table *table, size_t number,
	const char *name, feature_set mask, feature_set value)
{
	char text[2 * NAMES_LEN] = "";
	int column = fprintf(r->out, "%3zu. %s: ", number, clean_name(name));

	append_values(table, mask, value, text, sizeof(text));
	put_wrapped(r, (unsigned)column, text);
}

static void put_steps(const struct render *r, const struct view *view)
{
	const struct plan *plan = view->plan;

	if (plan->n_steps == 0)
		return;
	put_heading(r, "Steps, in this order:");
	for (size_t i = 0; i < plan->n_steps; i++)
		put_step(r, view->features, i + 1, plan->steps[i].name, plan->steps[i].mask,
			plan->steps[i].value);
	fputc('\n', r->out);
}

static void put_change(const struct render *r, const struct view *view, const struct plan_link *pl,
	feature_set bits, bool on, const char *how)
{
	char text[NAMES_LEN + 128], names[NAMES_LEN];
	int column;

	if (!bits)
		return;
	column = fprintf(r->out, "  %s: ", clean_name(pl->name));
	snprintf(text, sizeof(text), "%s %s %s%s",
		feature_format(view->features, bits, names, sizeof(names)),
		bits & (bits - 1) ? "come" : "comes", on ? "on" : "off", how);
	if (!on)
		snprintf(text, sizeof(text), "%s %s off%s",
			feature_format(view->features, bits, names, sizeof(names)),
			bits & (bits - 1) ? "go" : "goes", how);
	put_wrapped(r, (unsigned)column, text);
}

/* The active features that will change; what nobody asked for and what is not certain told apart.
 */
static void put_changes(const struct render *r, const struct view *view)
{
	static const char with[] = " with that, though no rule names it here",
			  perhaps[] = ", as far as can be known before trying";

	bool any = false;

	if (view->plan->n_steps == 0)
		return;
	put_heading(r, "What comes of it:");
	for (size_t i = 0; i < view->plan->n_links; i++) {
		const struct plan_link *pl = &view->plan->links[i];
		feature_set changed = pl->before.active ^ pl->predicted.active;

		any |= changed != 0;
		for (int on = 1; on >= 0; on--) {
			feature_set bits =
				changed & (on ? pl->predicted.active : pl->before.active);
			feature_set declared = bits & ~pl->side_effects;
			feature_set side = bits & pl->side_effects;

			put_change(r, view, pl, declared & ~pl->uncertain, on, "");
			put_change(r, view, pl, declared & pl->uncertain, on, perhaps);
			put_change(r, view, pl, side & ~pl->uncertain, on, with);
			put_change(r, view, pl, side & pl->uncertain, on,
				" with that, as far as can be known before trying; no rule names it here");
		}
	}
	if (!any)
		put_wrapped(r, (unsigned)fprintf(r->out, "  "), "nothing yet: it is asked for, and held as said above");
	fputc('\n', r->out);
}

static bool rule_is_overdue(const struct plan *plan, const struct rule *rule, size_t *ret_features)
{
	*ret_features = 0;
	for (size_t i = 0; i < plan->n_links; i++)
		for (size_t j = 0; j < plan->links[i].n_items; j++)
			*ret_features += plan->links[i].items[j].overdue &&
					 plan->links[i].items[j].rule == rule;
	return *ret_features > 0;
}

static void put_overdue(const struct render *r, const struct view *view)
{
	size_t n;

	if (view->plan->overdue == 0 || !view->rules)
		return;
	put_heading(r, "Due for review, past their Until= and still applied:");
	for (size_t i = 0; i < view->rules->n_rules; i++) {
		const struct rule *rule = &view->rules->rules[i];
		char text[512] = "";

		if (!rule_is_overdue(view->plan, rule, &n))
			continue;
		append_clean(text, sizeof(text), "", rule->file);
		util_append(text, sizeof(text), " (%zu feature%s)", n, util_plural(n));
		append_clean(text, sizeof(text), ": ", rule->description);
		fputs("  ", r->out);
		put_wrapped(r, 2, text);
	}
	fputc('\n', r->out);
}

static void put_missing(const struct render *r, const struct view *view)
{
	size_t n = 0;

	for (size_t i = 0; view->rules && i < view->rules->n_rules; i++) {
		char text[512] = "";

		if (!view_rule_misses(view, &view->rules->rules[i]))
			continue;
		append_clean(text, sizeof(text), "", view->rules->rules[i].file);
		util_append(text, sizeof(text), " matches no link here");
		put_wrapped(r, 0, text);
		n++;
	}
	if (n)
		fputc('\n', r->out);
}

struct tally {
	size_t links, features; /* that rules name */
	size_t links_off;       /* not as declared */
	size_t audit;           /* pending, and nothing will be done */
	size_t changes, unmet, unread, paused;
};

static struct tally tally_plan(const struct plan *plan)
{
	struct tally t = { 0 };

	for (size_t i = 0; i < plan->n_links; i++) {
		const struct plan_link *pl = &plan->links[i];

		t.links += pl->n_items > 0;
		t.features += pl->n_items;
		t.links_off += plan_link_verdict(pl) != VERDICT_COMPLIANT;
		for (size_t j = 0; j < pl->n_items; j++) {
			t.audit += pl->items[j].audit && pl->items[j].verdict == VERDICT_DRIFTED;
			t.unread += pl->items[j].unread;
		}
	}
	t.changes = plan->counts[VERDICT_DRIFTED] - t.audit;
	t.paused = plan->counts[VERDICT_PAUSED];
	t.unmet = plan->counts[VERDICT_BLOCKED] + plan->counts[VERDICT_FIXED] +
		  plan->counts[VERDICT_REFUSED] + plan->counts[VERDICT_CONTENDED] - t.unread;
	return t;
}

static void append_pending(const struct tally *t, size_t steps, char *buf, size_t size)
{
	util_append(buf, size, "%zu of %zu link%s %s not as declared", t->links_off, t->links, util_plural(t->links),
		t->links_off == 1 ? "is" : "are");
	if (t->changes)
		util_append(buf, size, "; %zu feature%s to change in %zu step%s", t->changes, util_plural(t->changes),
			steps, util_plural(steps));
	if (t->audit)
		util_append(buf, size, "; %zu only audited", t->audit);
	if (t->unmet)
		util_append(buf, size, "; %zu cannot be had", t->unmet);
	if (t->unread)
		util_append(buf, size, "; %zu could not be looked at", t->unread);
	if (t->paused)
		util_append(buf, size, "; %zu paused", t->paused);
}

static void put_summary(const struct render *r, const struct view *view)
{
	struct tally t = tally_plan(view->plan);
	char text[320] = "";

	if (t.features == 0) {
		util_append(text, sizeof(text), "no rule names any feature of these links");
	} else if (t.links_off == 0) {
		util_append(text, sizeof(text), "%zu link%s, %zu feature%s as declared", t.links, util_plural(t.links),
			t.features, util_plural(t.features));
	} else {
		append_pending(&t, view->plan->n_steps, text, sizeof(text));
		util_append(text, sizeof(text), "; %zu as declared", view->plan->counts[VERDICT_COMPLIANT]);
	}
	if (view->rules && view->rules->n_errors)
		util_append(text, sizeof(text), "; rule files with errors were left out: %zu error%s",
			view->rules->n_errors, util_plural(view->rules->n_errors));
	put_wrapped(r, 0, text);
}

void render_found(const struct render *r, const struct view *view)
{
	put_heading(r, "Found:");
	render_differences(r, view);
}

void render_reverted(const struct render *r, const struct apply_report *report)
{
	size_t good = 0;

	for (size_t i = 0; i < report->n_results; i++)
		good += !report->results[i].error && !report->results[i].missed;
	fprintf(r->out, "%zu of %zu link%s as before offloadd\n", good, report->n_results,
		util_plural(report->n_results));
}

void render_differences(const struct render *r, const struct view *view)
{
	for (size_t i = 0; i < view->plan->n_links; i++)
		put_link(r, view, &view->plan->links[i]);
}

void render_plan(const struct render *r, const struct view *view)
{
	render_differences(r, view);
	put_steps(r, view);
	put_changes(r, view);
	put_overdue(r, view);
	put_missing(r, view);
	put_summary(r, view);
}

void render_state(const struct render *r, const struct view *view)
{
	render_differences(r, view);
	put_overdue(r, view);
	put_missing(r, view);
	put_summary(r, view);
}

static const char *error_words(int error)
{
	if (error == -EUCLEAN)
		return "not verified";
	return error == -ENODEV ? "not done" : "refused";
}

static void put_result(const struct render *r, const struct feature_table *table, size_t number,
	const struct apply_result *result)
{
	feature_set side = result->changed & ~result->asked;
	char names[NAMES_LEN], text[NAMES_LEN + 256] = "";

	put_step(r, table, number, result->name, result->asked, result->value);
	if (result->error) {
		snprintf(text, sizeof(text), "%s: ", error_words(result->error));
		append_clean(text, sizeof(text), "",
			result->text[0] ? result->text : strerror(-result->error));
	} else if (result->missed) {
		snprintf(text, sizeof(text), "accepted, but %s did not change",
			feature_format(table, result->missed, names, sizeof(names)));
	} else {
		snprintf(text, sizeof(text), "done, read back");
	}
	fputs("     ", r->out);
	put_wrapped(r, 5, text);
	if (side) {
		snprintf(text, sizeof(text), "with it: ");
		append_values(table, side, result->after.active, text, sizeof(text));
		fputs("     ", r->out);
		put_wrapped(r, 5, text);
	}
}

void render_results(const struct render *r, const struct feature_table *table,
	const struct apply_report *report)
{
	if (report->n_results == 0)
		return;
	put_heading(r, "Done:");
	for (size_t i = 0; i < report->n_results; i++)
		put_result(r, table, i + 1, &report->results[i]);
	fputc('\n', r->out);
}

void render_foreseen(const struct render *r, const struct feature_table *table,
	const struct apply_report *report)
{
	put_heading(r, "Would be put back:");
	for (size_t i = 0; i < report->n_results; i++)
		put_step(r, table, i + 1, report->results[i].name, report->results[i].asked,
			report->results[i].value);
}

void render_followers(
	const struct render *r, const struct view *before, const struct apply_report *report)
{
	bool any = false;

	for (size_t i = 0; i < before->plan->n_links; i++) {
		const struct plan_link *pl = &before->plan->links[i];
		const struct link *link = link_table_find(before->links, pl->ifindex);
		feature_set changed;
		char text[2 * NAMES_LEN] = "";

		if (!link || !link->has_features || apply_find(report, pl->ifindex, ~UINT64_C(0)))
			continue;
		changed = pl->before.active ^ link->features.active;
		if (!changed)
			continue;
		if (!any)
			put_heading(r, "Changed with that:");
		any = true;
		append_values(before->features, changed, link->features.active, text, sizeof(text));
		put_wrapped(r, (unsigned)fprintf(r->out, "  %s: ", clean_name(pl->name)), text);
	}
	if (any)
		fputc('\n', r->out);
}

static void set_verdict(
	const struct render *r, struct libscols_line *line, size_t n, const struct plan_link *pl)
{
	static const char *const names[VERDICT_COUNT] = {
		[VERDICT_COMPLIANT] = "green",
		[VERDICT_DRIFTED] = "brown",
		[VERDICT_BLOCKED] = "red",
		[VERDICT_FIXED] = "red",
		[VERDICT_REFUSED] = "red",
		[VERDICT_CONTENDED] = "magenta",
		[VERDICT_PAUSED] = "cyan",
	};
	enum verdict verdict;

	if (!pl || pl->n_items == 0) {
		set_cell(line, n, NULL);
		return;
	}
	verdict = plan_link_verdict(pl);
	set_cell(line, n, verdict_name(verdict));
	if (r->colour)
		scols_cell_set_color(scols_line_get_cell(line, n), names[verdict]);
}

/* The features that have the link's worst verdict; on a terminal the first few, and how many more. */
static const char *worst_features(const struct render *r, const struct feature_table *table,
	const struct plan_link *pl, const struct link *link, char *buf, size_t size)
{
	unsigned n = 0, most = r->width ? WORST_NAMED : FEATURE_MAX;

	buf[0] = '\0';
	if (!link->has_features && link->features_error) {
		util_append(buf, size, "features cannot be read: %s", strerror(-link->features_error));
		return buf;
	}
	if (!pl || plan_link_verdict(pl) == VERDICT_COMPLIANT)
		return buf;
	for (size_t i = 0; i < pl->n_items; i++) {
		const struct plan_item *item = &pl->items[i];

		if (item->verdict != plan_link_verdict(pl) || ++n > most)
			continue;
		util_append(buf, size, "%s%s", n > 1 ? ", " : "",
			item->bit < FEATURE_MAX ? feature_name(table, item->bit)
						: item->feature->word);
	}
	if (n > most)
		util_append(buf, size, " +%u", n - most);
	return buf;
}

int render_list(const struct render *r, const struct view *view)
{
	static const char *const columns[] = { "LINK", "KIND", "DRIVER", "ON", "PORT OF", "VERDICT",
		"FEATURES" };
	static const char *const spare[] = { "DRIVER", "PORT OF", "ON", "KIND", NULL };
	_cleanup_(unref_table) struct libscols_table *t = new_table(r);
	_cleanup_free_ struct link **links = NULL;
	char text[NAMES_LEN];
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
		set_cell(line, 0, clean_name(links[i]->name));
		set_cell(line, 1, links[i]->kind);
		set_cell(line, 2, links[i]->driver);
		set_cell(line, 3, lower ? clean_name(lower->name) : NULL);
		set_cell(line, 4, master ? clean_name(master->name) : NULL);
		set_verdict(r, line, 5, pl);
		set_cell(line, 6, worst_features(r, view->features, pl, links[i], text, sizeof(text)));
	}
	return put_fitted_table(r, t, spare);
}

int render_tree(const struct render *r, const struct view *view)
{
	static const char *const columns[] = { "LINK", "KIND", "VERDICT", "FEATURES" };
	static const char *const spare[] = { "KIND", NULL };
	_cleanup_(unref_table) struct libscols_table *t = new_table(r);
	_cleanup_free_ struct view_node *nodes = NULL;
	_cleanup_free_ struct libscols_line **parents = NULL;
	char text[512];
	size_t n;

	if (!t || view_tree(view->links, &nodes, &n) < 0)
		return -ENOMEM;
	parents = calloc(n + 1, sizeof(*parents)); /* the last line of each depth */
	if (!parents || add_text_columns(r, t, columns, ARRAY_SIZE(columns), SCOLS_FL_TREE) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct view_node *node = &nodes[i];
		const struct plan_link *pl = plan_find(view->plan, node->link->ifindex);
		struct libscols_line *line =
			scols_table_new_line(t, node->depth ? parents[node->depth - 1] : NULL);

		if (!line)
			return -ENOMEM;
		parents[node->depth] = line;
		set_cell(line, 0, clean_name(node->link->name));
		set_cell(line, 1, node->link->kind);
		set_verdict(r, line, 2, pl);
		worst_features(r, view->features, pl, node->link, text, sizeof(text));
		set_cell(line, 3, node->repeated ? "(see above)" : text);
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

static void put_names(const struct render *r, const char *label, const char *names)
{
	if (!*names)
		return;
	fprintf(r->out, "  %-11s", label);
	put_wrapped(r, 13, names);
}

static void put_link_facts(const struct render *r, const struct view *view, const struct link *link)
{
	char text[1024], address[3 * LINK_ADDRESS_LEN];
	const char *comma = "";

	colour_on(r, "1");
	fputs(clean_name(link->name), r->out);
	colour_off(r, "1");
	fprintf(r->out, ": %s", view_link_words(view->links, link, text, sizeof(text)));
	if (link->vlan_id)
		fprintf(r->out, ", id %u", link->vlan_id);
	if (view_verdict(view->plan, link->ifindex)) {
		fputs(": ", r->out);
		put_verdict(r, plan_link_verdict(plan_find(view->plan, link->ifindex)), 0);
	}
	fputc('\n', r->out);
	put_names(r, "driver", view_clean(link->driver, text, sizeof(text)));
	put_names(r, "address", link_format_address(link, address, sizeof(address)));
	text[0] = '\0';
	for (struct link *u = link_first_upper(view->links, link); u;
		u = link_next_upper(view->links, u)) {
		util_append(text, sizeof(text), "%s%s", comma, clean_name(u->name));
		comma = ", ";
	}
	put_names(r, "carries", text);
	if (!link->has_features)
		fprintf(r->out, "  features cannot be read: %s\n",
			link->features_error ? strerror(-link->features_error) : "not offered");
	fputc('\n', r->out);
}

static int add_feature_line(const struct render *r, const struct view *view,
	struct libscols_table *t, const struct link *link, unsigned bit,
	const struct plan_item *item)
{
	const struct link_features *f = &link->features;
	struct libscols_line *line = scols_table_new_line(t, NULL);
	char why[256];

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
	set_cell(line, 4, declared_words(item));
	set_cell(line, 5, verdict_name(item->verdict));
	set_cell(line, 6, item->rule ? item->rule->file : NULL);
	if (item->verdict != VERDICT_COMPLIANT)
		scols_line_set_data(line, 7, explain_item(view->features, item, why, sizeof(why)));
	if (r->colour && item->verdict != VERDICT_COMPLIANT)
		scols_line_set_color(line, item->verdict == VERDICT_DRIFTED ? "brown" : "red");
	return 0;
}

int render_show(const struct render *r, const struct view *view, const struct link *link)
{
	static const char *const columns[] = { "FEATURE", "ACTIVE", "REQUESTED", "FIXED",
		"DECLARED", "VERDICT", "RULE", "WHY" };
	static const char *const spare[] = { "RULE", "WHY", "REQUESTED", "FIXED", "DECLARED", NULL };
	_cleanup_(unref_table) struct libscols_table *t = new_table(r);
	const struct plan_link *pl = plan_find(view->plan, link->ifindex);

	if (!t)
		return -ENOMEM;
	put_link_facts(r, view, link);
	if (!link->has_features)
		return 0;
	if (add_text_columns(r, t, columns, ARRAY_SIZE(columns), 0) < 0)
		return -ENOMEM;
	for (unsigned bit = 0; bit < view->features->count; bit++)
		if (view->features->name[bit][0] &&
			add_feature_line(r, view, t, link, bit, view_item(pl, bit)) < 0)
			return -ENOMEM;
	for (size_t i = 0; pl && i < pl->n_items; i++)
		if (pl->items[i].bit >= FEATURE_MAX &&
			add_feature_line(r, view, t, link, FEATURE_MAX, &pl->items[i]) < 0)
			return -ENOMEM;
	return put_fitted_table(r, t, spare);
}

static void put_rule(const struct render *r, const struct plan_item *item)
{
	char text[1024] = "";

	if (!item || !item->rule)
		return;
	append_clean(text, sizeof(text), "", item->rule->path);
	if (item->feature)
		util_append(text, sizeof(text), ":%u", item->feature->line);
	append_clean(text, sizeof(text), ": ", item->rule->description);
	put_names(r, "rule", text);
	text[0] = '\0';
	append_clean(text, sizeof(text), "", item->rule->reason);
	put_names(r, "reason", text);
}

void render_explanation(const struct render *r, const struct view *view, const struct link *link,
	feature_set bits, feature_set falls_with, const char *word, const struct plan_item *item,
	const struct explanation *explanation)
{
	char text[NAMES_LEN];
	int column;

	colour_on(r, "1");
	column = fprintf(r->out, "%s ", clean_name(link->name));
	colour_off(r, "1");
	if (item) {
		put_verdict(r, item->verdict, 0);
		column += (int)strlen(verdict_name(item->verdict));
		column += fprintf(r->out, ": ");
	}
	put_wrapped(r, (unsigned)column,
		bits ? feature_format(view->features, bits, text, sizeof(text))
		     : view_clean(word, text, sizeof(text)));
	for (size_t i = 0; i < explanation->n_lines; i++) {
		const struct explanation_line *line = &explanation->lines[i];

		column = fprintf(
			r->out, "  %*s%s: ", (int)(2 * line->depth), "", clean_name(line->name));
		put_wrapped(r, (unsigned)column, view_clean(line->text, text, sizeof(text)));
	}
	if (falls_with)
		put_names(r, "with it", feature_format(view->features, falls_with, text, sizeof(text)));
	put_rule(r, item);
	put_names(r, "to do", view_clean(explanation->advice, text, sizeof(text)));
}

void render_nothing(const struct render *r, const struct view *view, const struct link *link)
{
	const struct plan_link *pl = plan_find(view->plan, link->ifindex);

	if (!link->has_features)
		fprintf(r->out, "%s: its features cannot be read: %s\n", clean_name(link->name),
			link->features_error ? strerror(-link->features_error) : "none offered");
	else if (!pl || pl->n_items == 0)
		fprintf(r->out, "%s: no rule names a feature that it can change\n", clean_name(link->name));
	else
		fprintf(r->out, "%s: %zu feature%s as declared\n", clean_name(link->name),
			pl->n_items, util_plural(pl->n_items));
}
