/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/render_rehearsal.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "basic/json.h"
#include "basic/util.h"
#include "report/catalog.h"
#include "report/render_text.h"

#define TEXT_LEN 1024
#define UNUSABLE_NAMED 10 /* before "and N more" */

static const char *host_name(const struct rehearsal_host *host)
{
	return host->name[0] && strcmp(host->name, "(none)") != 0 ? host->name : host->path;
}

/* "unsupported", "turns on", "also turns off". */
static const char *effect_word(const struct rehearsal_effect *e)
{
	static const struct rehearsal_words none;
	bool on = memcmp(&e->key.on, &none, sizeof(none)) != 0, off = memcmp(&e->key.off, &none, sizeof(none)) != 0;

	switch (e->key.what) {
	case REHEARSAL_UNREAD:
		return "not in the snapshot";
	case REHEARSAL_UNMET:
		return verdict_name(e->key.verdict);
	case REHEARSAL_SIDE_EFFECT:
		return on && off ? "also changes" : on ? "also turns on" : "also turns off";
	default:
		return e->key.audit ? "reports" : on && off ? "changes" : on ? "turns on" : "turns off";
	}
}

/* "tso, sg", "tso on, lro off" if both are in it. */
static const char *effect_features(const struct rehearsal *r, const struct rehearsal_effect *e, char *buf, size_t size)
{
	char on[TEXT_LEN], off[TEXT_LEN];

	rehearsal_format(r, &e->key.on, on, sizeof(on));
	rehearsal_format(r, &e->key.off, off, sizeof(off));
	buf[0] = '\0';
	if (*on && *off)
		util_append(buf, size, "%s on, %s off", on, off);
	else
		util_append(buf, size, "%s%s%s", on, off,
			e->key.what == REHEARSAL_SIDE_EFFECT || e->key.what == REHEARSAL_CHANGE ? "" : *on ? " on" : " off");
	return buf;
}

/* The cause in words, of the example. */
static const char *effect_why(const struct rehearsal_effect *e, char *buf, size_t size)
{
	struct plan_link link = { 0 };

	buf[0] = '\0';
	if (e->key.what != REHEARSAL_UNMET)
		return buf;
	memcpy(link.name, e->link, sizeof(link.name));
	memcpy(link.kind, e->key.kind, sizeof(link.kind));
	return catalog_item(e->table, &link, &e->item, FEATURE_MAX, buf, size);
}

enum column { COLUMN_HOSTS, COLUMN_LINKS, COLUMN_EFFECT, COLUMN_FEATURES, COLUMN_KIND, COLUMN_RULE, COLUMN_EXAMPLE, COLUMN_WHY };
#define COLUMNS 8

static const char *cell_text(const struct rehearsal *r, const struct rehearsal_effect *e, enum column column, char *buf, size_t size)
{
	switch (column) {
	case COLUMN_HOSTS:
		snprintf(buf, size, "%zu", e->hosts);
		break;
	case COLUMN_LINKS:
		snprintf(buf, size, "%zu", e->links);
		break;
	case COLUMN_EFFECT:
		snprintf(buf, size, "%s%s", effect_word(e), e->key.uncertain ? " (uncertain)" : "");
		break;
	case COLUMN_FEATURES:
		return effect_features(r, e, buf, size);
	case COLUMN_KIND:
		snprintf(buf, size, "%s%s%s", e->key.kind, e->key.driver[0] ? " " : "", e->key.driver);
		break;
	case COLUMN_RULE:
		snprintf(buf, size, "%s", e->key.rule);
		break;
	case COLUMN_EXAMPLE:
		snprintf(buf, size, "%s %s", host_name(&r->hosts[e->host]), e->link);
		break;
	case COLUMN_WHY:
		return effect_why(e, buf, size);
	}
	return buf;
}

static void free_cells(char ***cells)
{
	for (size_t i = 0; *cells && (*cells)[i]; i++)
		free((*cells)[i]);
	free(*cells);
}

static int put_effects(const struct render *r, const struct rehearsal *rehearsal)
{
	static const char *const columns[COLUMNS] = { "HOSTS", "LINKS", "EFFECT", "FEATURES", "INTERFACES", "RULE", "EXAMPLE", "WHY" };
	static const char *const spare[] = { "LINKS", "EXAMPLE", NULL };
	size_t n = HASH_COUNT(rehearsal->effects), i = 0;
	_cleanup_(free_cells) char **cells = calloc(n * COLUMNS + 1, sizeof(*cells));
	char text[TEXT_LEN];

	if (!cells)
		return -ENOMEM;
	if (n == 0)
		return 0;
	for (const struct rehearsal_effect *e = rehearsal->effects; e; e = e->hh.next)
		for (enum column column = 0; column < COLUMNS; column++) {
			cells[i] = strdup(cell_text(rehearsal, e, column, text, sizeof(text)));
			if (!cells[i++])
				return -ENOMEM;
		}
	fputc('\n', r->out);
	return render_table(r, columns, COLUMNS, spare, (const char *const *)cells, n);
}

static void put_number(const struct render *r, size_t n, const char *one, const char *many)
{
	if (n)
		fprintf(r->out, "  %zu %s\n", n, n == 1 ? one : many);
}

static void put_summary(const struct render *r, const struct rehearsal *rehearsal)
{
	struct rehearsal_summary s;
	bool ok;

	rehearsal_summarize(rehearsal, &s);
	ok = s.match == rehearsal->n_hosts && rehearsal->n_hosts && s.exit_code == 0 && !s.uncertain;
	if (ok) {
		fprintf(r->out, "OK: all %zu hosts match the rules\n", s.match);
		return;
	}
	fprintf(r->out, "%zu of %zu hosts match the rules%s%s\n", s.match, rehearsal->n_hosts, rehearsal->kernel ? " on Linux " : "",
		rehearsal->kernel ? rehearsal->kernel : "");
	put_number(r, s.change, "host would change", "hosts would change");
	put_number(r, s.unmet, "host cannot comply with every rule", "hosts cannot comply with every rule");
	put_number(r, s.no_rules, "host has no interface that a rule applies to", "hosts have no interface that a rule applies to");
	put_number(r, s.unread, "host has interfaces without features in its snapshot", "hosts have interfaces without features in their snapshots");
	put_number(r, s.incomplete, "snapshot does not contain what a rule asks for: default routes, forwarding, or ids and versions of devices",
		"snapshots do not contain what a rule asks for: default routes, forwarding, or ids and versions of devices");
	put_number(r, s.uncertain, "host with an uncertain prediction", "hosts with an uncertain prediction");
	put_number(r, s.unusable, "snapshot cannot be used:", "snapshots cannot be used:");
}

static void put_unusable(const struct render *r, const struct rehearsal *rehearsal)
{
	size_t n = 0;

	for (size_t i = 0; i < rehearsal->n_hosts; i++) {
		const struct rehearsal_host *host = &rehearsal->hosts[i];

		if (host->error && n++ < UNUSABLE_NAMED)
			fprintf(r->out, "    %s: %s\n", host->path, host->error);
	}
	if (n > UNUSABLE_NAMED)
		fprintf(r->out, "    and %zu more\n", n - UNUSABLE_NAMED);
}

int render_rehearsal(const struct render *r, const struct rehearsal *rehearsal, const struct rehearsal_choice *choice)
{
	int e;

	put_summary(r, rehearsal);
	put_unusable(r, rehearsal);
	e = put_effects(r, rehearsal);
	if (e < 0 || !choice->n)
		return e;
	fprintf(r->out, "\n%zu host%s to try the rules on first, with %zu of the %zu different types of interfaces:\n", choice->n,
		util_plural(choice->n), choice->covered, choice->shapes);
	for (size_t i = 0; i < choice->n; i++)
		fprintf(r->out, "  %s\n", host_name(&rehearsal->hosts[choice->hosts[i]]));
	return 0;
}

/* ---- document ---- */

static void add_words(struct json_writer *w, const char *key, const struct rehearsal *r, const struct rehearsal_words *words)
{
	json_open_line(w, key);
	for (size_t i = 0; i < r->n_words; i++)
		if (words->bits[i / 64] >> i % 64 & 1)
			json_add_text(w, NULL, r->words[i]);
	json_close_list(w);
}

static void add_effect(struct json_writer *w, const struct rehearsal *r, const struct rehearsal_effect *e)
{
	char why[TEXT_LEN];

	json_open_object(w, NULL);
	json_add_text(w, "effect", rehearsal_what_name(e->key.what));
	json_add_some(w, "verdict", e->key.what == REHEARSAL_UNMET ? verdict_name(e->key.verdict) : NULL);
	json_add_some(w, "cause", e->key.what == REHEARSAL_UNMET ? cause_name(e->key.cause) : NULL);
	json_add_text(w, "kind", e->key.kind);
	json_add_some(w, "driver", e->key.driver[0] ? e->key.driver : NULL);
	json_add_some(w, "rule", e->key.rule[0] ? e->key.rule : NULL);
	add_words(w, "on", r, &e->key.on);
	add_words(w, "off", r, &e->key.off);
	json_add_bool(w, "uncertain", e->key.uncertain);
	json_add_bool(w, "audit", e->key.audit);
	json_add_int(w, "hosts", (int64_t)e->hosts);
	json_add_int(w, "links", (int64_t)e->links);
	json_open_object(w, "example");
	json_add_text(w, "host", host_name(&r->hosts[e->host]));
	json_add_text(w, "link", e->link);
	json_close_object(w);
	json_add_some(w, "why", effect_why(e, why, sizeof(why))[0] ? why : NULL);
	json_close_object(w);
}

static const struct json_field summary_fields[] = {
	JSON_FIELD(struct rehearsal_summary, match, "match", JSON_INT),
	JSON_FIELD(struct rehearsal_summary, change, "change", JSON_INT),
	JSON_FIELD(struct rehearsal_summary, unmet, "unmet", JSON_INT),
	JSON_FIELD(struct rehearsal_summary, no_rules, "no_rules", JSON_INT),
	JSON_FIELD(struct rehearsal_summary, unread, "unread", JSON_INT),
	JSON_FIELD(struct rehearsal_summary, incomplete, "incomplete", JSON_INT),
	JSON_FIELD(struct rehearsal_summary, uncertain, "uncertain", JSON_INT),
	JSON_FIELD(struct rehearsal_summary, unusable, "unusable", JSON_INT),
	{ 0 },
};

static const struct json_field host_fields[] = {
	JSON_FIELD(struct rehearsal_host, name, "host", JSON_NAME, .zero_is_null = true),
	JSON_FIELD(struct rehearsal_host, path, "snapshot", JSON_COPY),
	JSON_FIELD(struct rehearsal_host, error, "error", JSON_COPY, .zero_is_null = true),
	JSON_FIELD(struct rehearsal_host, kernel, "kernel", JSON_NAME, .zero_is_null = true),
	JSON_FIELD(struct rehearsal_host, taken, "taken", JSON_INT, .zero_is_null = true),
	JSON_FIELD(struct rehearsal_host, exit_code, "exit_code", JSON_INT),
	JSON_FIELD(struct rehearsal_host, links, "links", JSON_INT),
	JSON_FIELD(struct rehearsal_host, changes, "changes", JSON_INT),
	JSON_FIELD(struct rehearsal_host, side_effects, "side_effects", JSON_INT),
	JSON_FIELD(struct rehearsal_host, uncertain, "uncertain", JSON_INT),
	JSON_FIELD(struct rehearsal_host, unread, "unread", JSON_INT),
	JSON_FIELD(struct rehearsal_host, incomplete, "incomplete", JSON_BOOL),
	{ 0 },
};

static void add_host(struct json_writer *w, const struct rehearsal_host *host)
{
	json_open_object(w, NULL);
	json_add_fields(w, host_fields, host);
	json_open_object(w, "verdicts");
	for (int v = 0; v < VERDICT_COUNT; v++)
		json_add_int(w, verdict_name(v), (int64_t)host->counts[v]);
	json_close_object(w);
	json_close_object(w);
}

int json_write_rehearsal(FILE *out, const struct rehearsal *r, const struct rehearsal_choice *choice)
{
	_cleanup_json_writer_ struct json_writer w = { 0 };
	struct rehearsal_summary summary;

	rehearsal_summarize(r, &summary);
	json_begin(&w, "rehearsal");
	json_add_int(&w, "exit_code", summary.exit_code);
	json_add_some(&w, "kernel", r->kernel);
	json_open_object(&w, "summary");
	json_add_int(&w, "hosts", (int64_t)r->n_hosts);
	json_add_fields(&w, summary_fields, &summary);
	json_close_object(&w);
	json_open_list(&w, "effects");
	for (const struct rehearsal_effect *e = r->effects; e; e = e->hh.next)
		add_effect(&w, r, e);
	json_close_list(&w);
	if (json_open_if(&w, "sample", choice->n)) {
		json_add_int(&w, "shapes", (int64_t)choice->shapes);
		json_add_int(&w, "covered", (int64_t)choice->covered);
		json_open_list(&w, "hosts");
		for (size_t i = 0; i < choice->n; i++)
			json_add_text(&w, NULL, host_name(&r->hosts[choice->hosts[i]]));
		json_close_list(&w);
		json_close_object(&w);
	}
	json_open_list(&w, "hosts");
	for (size_t i = 0; i < r->n_hosts; i++)
		add_host(&w, &r->hosts[i]);
	json_close_list(&w);
	return json_finish(&w, out);
}
