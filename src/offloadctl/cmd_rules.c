/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules: the state of every rule file, and what the rules declare for one interface. */
#include "offloadctl/cmd.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "basic/json.h"
#include "offloadctl/cmd_write.h"
#include "report/json.h"
#include "rules/rule_list.h"

#define WORDS_LEN 2048

/* What a rule declares for one link. */
struct share {
	bool matches;
	char given[WORDS_LEN];	/* "sg=lower, tx=lower": values in force for at least one feature */
	char overruled[WORDS_LEN]; /* "tso=lower by 50-insist.rule" */
};

static const char *comma(const char *buf)
{
	return buf[0] ? ", " : "";
}

/* The declaration that overrules f for one of its features: of a later rule, or by name instead of by alias. NULL: f is in force for all
 * its features; *ret_part: for some. */
static const struct declaration *overruled(const struct declaration *declarations,
	const struct rule_feature *f, bool *ret_part)
{
	const struct declaration *by = NULL;
	unsigned bit;

	*ret_part = false;
	feature_foreach(bit, f->bits) {
		if (declarations[bit].feature == f)
			*ret_part = true;
		else if (!by)
			by = &declarations[bit];
	}
	*ret_part = *ret_part && by;
	return by;
}

/* "lower" or the number of a limit. */
static const char *limit_value(const struct rule_feature *f, char buf[16])
{
	snprintf(buf, 16, "%" PRIu32, f->number);
	return f->value == RULE_NUMBER ? buf : rule_value_name(f->value);
}

static void share_limits(const struct cmd_session *s, const struct link *link, const struct rule *rule, struct share *ret)
{
	struct declaration declarations[LINK_LIMIT_SETTABLE];
	char value[16];

	rule_set_declare_limits(&s->rules, s->view.links, link, &s->host, declarations);
	for (unsigned i = 0; i < LINK_LIMIT_SETTABLE; i++) {
		const struct rule_feature *f = &rule->limits[i];

		if (!f->word)
			continue;
		if (declarations[i].rule == rule)
			util_append(ret->given, sizeof(ret->given), "%s%s=%s", comma(ret->given), f->word, limit_value(f, value));
		else
			util_append(ret->overruled, sizeof(ret->overruled), "%s%s=%s by %s", comma(ret->overruled), f->word,
				limit_value(f, value), declarations[i].rule->file);
	}
}

static void share_of(const struct cmd_session *s, const struct link *link, const struct rule *rule,
	struct share *ret)
{
	struct declaration declarations[FEATURE_MAX];

	*ret = (struct share){ 0 };
	ret->matches = rule_matches(rule, s->view.links, link, &s->host);
	if (!ret->matches)
		return;
	rule_set_declare(&s->rules, s->view.links, link, &s->host, declarations, NULL, 0);
	for (size_t i = 0; i < rule->n_features; i++) {
		const struct rule_feature *f = &rule->features[i];
		const char *value = rule_value_name(f->value);
		bool part;
		const struct declaration *by = overruled(declarations, f, &part);

		if (by)
			util_append(ret->overruled, sizeof(ret->overruled), "%s%s=%s%s by %s",
				comma(ret->overruled), f->word, value, part ? " in part" : "",
				by->rule->file);
		if (!by || part)
			util_append(ret->given, sizeof(ret->given), "%s%s=%s%s", comma(ret->given), f->word,
				value, part ? " in part" : "");
	}
	share_limits(s, link, rule, ret);
}

/* The Until= day; NULL without one. */
static const char *until_day(const struct rule *rule, char buf[16])
{
	time_t last = (time_t)rule->until - 1;
	struct tm tm;

	if (!rule->until || !gmtime_r(&last, &tm) || strftime(buf, 16, "%Y-%m-%d", &tm) == 0)
		return NULL;
	return buf;
}

/* ---- as text ---- */

static const char *remark(const struct cmd_session *s, const struct rule_list *list,
	const struct rule_place *place, char *buf, size_t size)
{
	unsigned missing = place->rule ? rule_find_missing(place->rule, s->view.links, &s->host) : 0;
	size_t at = (size_t)(place - list->places);
	char why[768];

	buf[0] = '\0';
	if (place->state == RULE_PLACE_REPLACED)
		util_append(buf, size, "%s", list->places[place->by].path);
	for (size_t i = 0; i < s->rules.n_errors && place->state == RULE_PLACE_BAD; i++) {
		const struct rule_error *error = &s->rules.errors[i];

		if (strcmp(error->path, place->path) != 0)
			continue;
		util_append(buf, size, "%s", buf[0] ? "; " : "");
		if (error->line)
			util_append(buf, size, "line %u: ", error->line);
		util_append(buf, size, "%s", error->message);
	}
	for (size_t i = at + 1; i < list->n_places && place->state != RULE_PLACE_REPLACED; i++)
		if (list->places[i].state == RULE_PLACE_REPLACED && list->places[i].by == at)
			util_append(buf, size, "%s%s%s", buf[0] ? "; " : "",
				place->state == RULE_PLACE_MASK ? "masks " : "replaces ",
				list->places[i].path);
	if (place->state == RULE_PLACE_NOT_READ)
		util_append(buf, size, "%s", view_format_not_read(place, why, sizeof(why)));
	if (place->rule_file && place->state == RULE_PLACE_IN_FORCE)
		util_append(buf, size, "%schanges %s", buf[0] ? "; " : "", place->rule_file);
	if (missing)
		util_append(buf, size, "%s%s", buf[0] ? "; " : "", view_format_missing(place->rule, missing, why, sizeof(why)));
	if (place->rule && place->rule->until && s->context.now >= place->rule->until)
		util_append(buf, size, "%sdue for review", buf[0] ? "; " : "");
	return buf;
}

static int print_files(const struct cmd_session *s, const struct rule_list *list)
{
	static const char *const columns[] = { "FILE", "STATE", "MODE", "UNTIL", "LINKS", "REMARK" };
	static const char *const spare[] = { "UNTIL", "MODE", "LINKS", NULL };
	_cleanup_free_ const char **cells =
		calloc((list->n_places + 1) * ARRAY_SIZE(columns), sizeof(*cells));
	_cleanup_free_ struct texts {
		char day[16], links[16], remark[1024];
	} *texts = calloc(list->n_places + 1, sizeof(*texts));

	if (!cells || !texts)
		return -ENOMEM;
	for (size_t i = 0; i < list->n_places; i++) {
		const struct rule_place *place = &list->places[i];
		const struct rule *rule = place->rule;
		const char **cell = &cells[i * ARRAY_SIZE(columns)];

		cell[0] = place->path;
		cell[1] = rule_place_state_name(place->state);
		cell[5] = remark(s, list, place, texts[i].remark, sizeof(texts[i].remark));
		if (!rule)
			continue;
		cell[2] = rule->mode == RULE_MODE_AUDIT ? "audit" : "enforce";
		cell[3] = until_day(rule, texts[i].day);
		snprintf(texts[i].links, sizeof(texts[i].links), "%zu",
			rule_count_links(rule, s->view.links, &s->host));
		cell[4] = texts[i].links;
	}
	return render_table(&s->render, columns, ARRAY_SIZE(columns), spare, cells, list->n_places);
}

static int print_shares(const struct cmd_session *s, const struct link *link)
{
	static const char *const columns[] = { "RULE", "MATCHES", "MODE", "OVERRULED", "IN FORCE" };
	static const char *const spare[] = { "MODE", "MATCHES", NULL };
	_cleanup_free_ const char **cells =
		calloc((s->rules.n_rules + 1) * ARRAY_SIZE(columns), sizeof(*cells));
	_cleanup_free_ struct share *shares = calloc(s->rules.n_rules + 1, sizeof(*shares));

	if (!cells || !shares)
		return -ENOMEM;
	for (size_t i = 0; i < s->rules.n_rules; i++) {
		const struct rule *rule = &s->rules.rules[i];
		const char **cell = &cells[i * ARRAY_SIZE(columns)];

		share_of(s, link, rule, &shares[i]);
		cell[0] = rule->file;
		cell[1] = shares[i].matches ? "yes" : "no";
		cell[2] = rule->mode == RULE_MODE_AUDIT ? "audit" : "enforce";
		cell[3] = shares[i].overruled;
		cell[4] = shares[i].given;
	}
	return render_table(&s->render, columns, ARRAY_SIZE(columns), spare, cells, s->rules.n_rules);
}

/* ---- as a document ---- */

static void add_words(struct json_writer *w, const struct cmd_session *s, const struct link *link,
	const struct rule *rule)
{
	struct declaration declarations[FEATURE_MAX];

	rule_set_declare(&s->rules, s->view.links, link, &s->host, declarations, NULL, 0);
	json_open_list(w, "features");
	for (size_t i = 0; i < rule->n_features; i++) {
		const struct rule_feature *f = &rule->features[i];
		bool part;
		const struct declaration *by = overruled(declarations, f, &part);

		json_open_object(w, NULL);
		json_add_text(w, "feature", f->word);
		json_add_text(w, "declared", rule_value_name(f->value));
		json_add_text(w, "overruled_by", by ? by->rule->file : NULL);
		json_add_bool(w, "in_part", part);
		json_close_object(w);
	}
	json_close_list(w);
}

static void add_limits(struct json_writer *w, const struct cmd_session *s, const struct link *link, const struct rule *rule)
{
	struct declaration declarations[LINK_LIMIT_SETTABLE];

	rule_set_declare_limits(&s->rules, s->view.links, link, &s->host, declarations);
	json_open_list(w, "limits");
	for (unsigned i = 0; i < LINK_LIMIT_SETTABLE; i++) {
		const struct rule_feature *f = &rule->limits[i];

		if (!f->word)
			continue;
		json_open_object(w, NULL);
		json_add_text(w, "limit", f->word);
		json_add_text(w, "declared", rule_value_name(f->value));
		json_add_positive(w, "number", f->number);
		json_add_text(w, "overruled_by", declarations[i].rule == rule ? NULL : declarations[i].rule->file);
		json_close_object(w);
	}
	json_close_list(w);
}

static void add_matched(struct json_writer *w, const struct cmd_session *s, const struct rule *rule)
{
	json_open_list(w, "links");
	link_table_foreach(s->view.links, link)
		if (rule_matches(rule, s->view.links, link, &s->host))
			json_add_link_name(w, NULL, link->name);
	json_close_list(w);
}

static void add_file(struct json_writer *w, const struct cmd_session *s, const struct rule_list *list,
	const struct rule_place *place, const struct link *link)
{
	const struct rule *rule = place->rule;
	char day[16];

	json_open_object(w, NULL);
	json_add_text(w, "file", place->file);
	json_add_text(w, "path", place->path);
	json_add_text(w, "drop_in_of", place->rule_file);
	json_add_text(w, "state", rule_place_state_name(place->state));
	json_add_text(w, "replaced_by",
		place->state == RULE_PLACE_REPLACED ? list->places[place->by].path : NULL);
	if (rule) {
		json_add_rule_members(w, rule);
		json_add_text(w, "until", until_day(rule, day));
		add_matched(w, s, rule);
		json_add_missing(w, rule, rule_find_missing(rule, s->view.links, &s->host));
		if (link && rule_matches(rule, s->view.links, link, &s->host)) {
			add_words(w, s, link, rule);
			add_limits(w, s, link, rule);
		}
	}
	json_close_object(w);
}

static int write_document(const struct cmd_session *s, const struct rule_list *list,
	const struct link *link, int code)
{
	_cleanup_json_writer_ struct json_writer w = { 0 };

	json_begin(&w, "rules");
	json_add_int(&w, "exit_code", code);
	json_add_link_name(&w, "link", link ? link->name : NULL);
	json_open_list(&w, "directories");
	for (const char *const *dir = s->rule_dirs; *dir; dir++)
		json_add_text(&w, NULL, *dir);
	json_close_list(&w);
	json_open_list(&w, "files");
	for (size_t i = 0; i < list->n_places; i++)
		add_file(&w, s, list, &list->places[i], link);
	json_close_list(&w);
	return json_finish(&w, stdout);
}

int cmd_rules(const struct cmd_options *options, int argc, char **argv)
{
	_cleanup_(rule_list_clear) struct rule_list list = { 0 };
	_cleanup_(cmd_close) struct cmd_session s = { 0 };
	const struct link *link = NULL;
	int r, code;

	if (cmd_is_rules_verb(argc, argv) && options->netns)
		return cmd_error("rules %s writes files and takes no --netns", argv[0]);
	if (cmd_is_rules_verb(argc, argv))
		return cmd_rules_verb(options, argc, argv);
	if (argc > 1)
		return cmd_error("rules takes one interface, or new, cat, edit, enable or disable; see offloadctl rules --help");
	r = cmd_open_all(options, &s);
	if (r == CMD_OK)
		r = cmd_warn(&s);
	if (r != CMD_OK)
		return r;
	if (argc) {
		link = cmd_find_link(&s, argv[0]);
		if (!link)
			return CMD_ERROR;
	}
	r = rule_list_make(s.rule_dirs, &s.rules, &list);
	if (r < 0)
		return cmd_error("Failed to list rules: %s", strerror(-r));
	code = cmd_exit_code(&s, CMD_OK);
	if (options->json)
		r = write_document(&s, &list, link, code);
	else
		r = link ? print_shares(&s, link) : print_files(&s, &list);
	return cmd_written(r, code);
}
