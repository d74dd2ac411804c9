/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/render_diff.h"

#include <string.h>

#include "basic/util.h"
#include "report/render_text.h"

#define LINKS_NAMED 8 /* before "and N more" */
#define TEXT_LEN 4096

static const struct {
	const char *word, *colour;
} changes[DIFF_CHANGES] = {
	[DIFF_LOST] = { "lost", "31" },
	[DIFF_UNLISTED] = { "not listed in B", "31" },
	[DIFF_GAINED] = { "gained", "32" },
	[DIFF_OTHER] = { "changed", "33" },
	[DIFF_REQUESTED] = { "requested in one only", "33" },
	[DIFF_FIXED] = { "can be changed in one only", "36" },
};

static const char *pair_name(const struct diff *d, size_t pair, char *buf, size_t size)
{
	const char *a = d->a->links[d->pairs[pair].a].name, *b = d->b->links[d->pairs[pair].b].name;

	if (strcmp(a, b) == 0)
		snprintf(buf, size, "%s", a);
	else
		snprintf(buf, size, "%s ~ %s", a, b);
	return buf;
}

static void append_more(char *buf, size_t size, size_t n)
{
	if (n > LINKS_NAMED)
		util_append(buf, size, " and %zu more", n - LINKS_NAMED);
}

static void put_group(const struct render *r, const struct diff *d, const struct diff_group *g)
{
	char text[TEXT_LEN], one[2 * LINK_NAME_LEN + 4];

	render_put_coloured(r, changes[g->change].colour, changes[g->change].word);
	fprintf(r->out, ": %s\n", feature_format(&d->a->features, g->features, text, sizeof(text)));
	text[0] = '\0';
	for (size_t i = 0; i < g->n_pairs && i < LINKS_NAMED; i++)
		util_append(text, sizeof(text), "%s%s", i ? ", " : "",
			pair_name(d, g->pairs[i], one, sizeof(one)));
	append_more(text, sizeof(text), g->n_pairs);
	fprintf(r->out, "  %s: %s -> %s%s\n", text, diff_state_name(g->a_state),
		diff_state_name(g->b_state), g->follows ? ", like the interface below" : "");
	if (g->costs)
		fprintf(r->out, "  %s %s\n", g->change == DIFF_GAINED ? "also gained:" : "also lost:",
			feature_format(&d->a->features, g->costs, text, sizeof(text)));
}

static void put_links(const struct render *r, const struct snapshot *s, const size_t *links,
	size_t n, const char *side, const char *colour)
{
	char text[TEXT_LEN] = "";

	if (n == 0)
		return;
	for (size_t i = 0; i < n && i < LINKS_NAMED; i++) {
		const struct snapshot_link *link = &s->links[links[i]];

		util_append(text, sizeof(text), "%s%s%s%s%s", i ? ", " : "", link->name,
			*link->kind ? " (" : "", link->kind, *link->kind ? ")" : "");
	}
	append_more(text, sizeof(text), n);
	render_put_coloured(r, colour, "only in ");
	render_put_coloured(r, colour, side);
	fprintf(r->out, ": %s\n", text);
}

static void put_ambiguous(
	const struct render *r, const struct diff *d, const struct diff_ambiguous *o)
{
	char text[TEXT_LEN] = "";

	for (size_t i = 0; i < o->n_a && i < LINKS_NAMED; i++)
		util_append(text, sizeof(text), "%s%s", i ? ", " : "", d->a->links[o->a[i]].name);
	append_more(text, sizeof(text), o->n_a);
	util_append(text, sizeof(text), " in A and ");
	for (size_t i = 0; i < o->n_b && i < LINKS_NAMED; i++)
		util_append(text, sizeof(text), "%s%s", i ? ", " : "", d->b->links[o->b[i]].name);
	append_more(text, sizeof(text), o->n_b);
	render_put_coloured(r, "33", "not compared");
	fprintf(r->out, ": %s in B: each is %s, so they cannot be matched\n", text, o->role);
}

static void put_rule(const struct render *r, const struct diff *d, const struct diff_rule *rule)
{
	const char *file =
		rule->a == SNAPSHOT_NONE ? d->b->rules[rule->b].file : d->a->rules[rule->a].file;
	char text[512];

	render_put_coloured(r, "33", "rule");
	fprintf(r->out, ": %s %s\n", util_clean(file, text, sizeof(text)),
		rule->b == SNAPSHOT_NONE   ? "is only in A"
		: rule->a == SNAPSHOT_NONE ? "is only in B"
				       : "declares other values");
}

static void put_unknown(const struct render *r, const struct feature_table *table, feature_set set,
	const char *side, const struct snapshot *s)
{
	char text[TEXT_LEN];

	if (!set)
		return;
	feature_format(table, set, text, sizeof(text));
	if (s->form == SNAPSHOT_ETHTOOL)
		fprintf(r->out, "%s does not list %s: not compared\n", side, text);
	else
		fprintf(r->out, "the kernel of %s does not have %s: not compared\n", side, text);
}

static void put_side(
	const struct render *r, const char *side, const char *name, const struct snapshot *s)
{
	fprintf(r->out, "%s: %s", side, name);
	if (*s->host && s->form != SNAPSHOT_HOST)
		fprintf(r->out, ", %s", s->host);
	if (*s->kernel)
		fprintf(r->out, ", Linux %s", s->kernel);
	fprintf(r->out, ", %zu interface%s", s->n_links, util_plural(s->n_links));
	if (s->lines_used)
		fprintf(r->out, ", %u line%s used, %u skipped", s->lines_used, util_plural(s->lines_used), s->lines_skipped);
	fputc('\n', r->out);
}

/* Features that no known kernel has, of both sides. */
static void put_unrecognized(const struct render *r, const struct diff *d)
{
	const struct snapshot *sides[] = { d->a, d->b };
	struct feature_table unknown = { 0 };
	char text[TEXT_LEN];
	unsigned bit;

	for (size_t i = 0; i < ARRAY_SIZE(sides); i++)
		feature_foreach (bit, sides[i]->unknown) {
			const char *name = sides[i]->features.name[bit];

			if (feature_bit(&unknown, name) < 0)
				(void)feature_table_add(&unknown, unknown.count, name, strlen(name));
		}
	if (!unknown.count)
		return;
	text[0] = '\0';
	for (bit = 0; bit < unknown.count; bit++) {
		const char *near = feature_nearest(unknown.name[bit]);

		util_append(text, sizeof(text), "%s%s", bit ? ", " : "", unknown.name[bit]);
		if (near)
			util_append(text, sizeof(text), " (did you mean %s?)", near);
	}
	fprintf(r->out, "unknown feature%s: %s\n", util_plural(unknown.count), text);
}

static void put_renamed(const struct render *r, const struct diff *d)
{
	char text[TEXT_LEN] = "", one[2 * LINK_NAME_LEN + 4];
	size_t n = 0;

	for (size_t i = 0; i < d->n_pairs; i++) {
		if (strcmp(d->a->links[d->pairs[i].a].name, d->b->links[d->pairs[i].b].name) == 0)
			continue;
		if (n++ < LINKS_NAMED)
			util_append(text, sizeof(text), "%s%s", n > 1 ? ", " : "",
				pair_name(d, i, one, sizeof(one)));
	}
	append_more(text, sizeof(text), n);
	if (n)
		fprintf(r->out, "matched under different names: %s\n", text);
}

void render_diff(const struct render *r, const struct diff *d, const char *a, const char *b)
{
	char name[2 * LINK_NAME_LEN + 4];
	size_t i = 0;

	for (; i < d->n_groups && d->groups[i].change <= DIFF_UNLISTED; i++)
		put_group(r, d, &d->groups[i]);
	put_links(r, d->a, d->only_a, d->n_only_a, "A", changes[DIFF_LOST].colour);
	for (; i < d->n_groups; i++)
		put_group(r, d, &d->groups[i]);
	put_links(r, d->b, d->only_b, d->n_only_b, "B", changes[DIFF_GAINED].colour);
	for (i = 0; i < d->n_ambiguous; i++)
		put_ambiguous(r, d, &d->ambiguous[i]);
	for (i = 0; i < d->n_fields; i++) {
		render_put_coloured(r, "33", d->fields[i].what);
		fprintf(r->out, ": %s: %s -> %s\n",
			pair_name(d, d->fields[i].pair, name, sizeof(name)), d->fields[i].a,
			d->fields[i].b);
	}
	for (i = 0; i < d->n_rules; i++)
		put_rule(r, d, &d->rules[i]);
	if (diff_any(d))
		fputc('\n', r->out);
	else
		fprintf(r->out, "%zu interface%s, no differences\n", d->n_pairs, util_plural(d->n_pairs));
	put_side(r, "A", a, d->a);
	put_side(r, "B", b, d->b);
	put_renamed(r, d);
	put_unrecognized(r, d);
	put_unknown(r, &d->a->features, d->unknown_in_b, "B", d->b);
	put_unknown(r, &d->b->features, d->unknown_in_a, "A", d->a);
}
