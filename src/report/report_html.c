/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/report_html.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "report/catalog.h"
#include "report/drawing.h"
#include "report/html.h"
#include "report/report_skeleton.h"
#include "report/report_tables.h"
#include "basic/util.h"

#define NAMES_LEN (FEATURE_MAX * (FEATURE_NAME_LEN + 2))

static void put_tag(FILE *out, const char *verdict)
{
	fprintf(out, "<span class=\"tag %s\">%s</span>", verdict ? verdict : "no-rule", verdict ? verdict : "no rule");
}

/* ---- host, summary ---- */

static void put_title(FILE *out, const struct report_html *r)
{
	html_text(out, r->host->host_name[0] ? r->host->host_name : "this host");
}

static void put_host(FILE *out, const struct report_html *r)
{
	char when[REPORT_TIME_LEN];

	fputs("<h1>Network offload on ", out);
	put_title(out, r);
	fputs("</h1>\n<p>", out);
	html_printf(out, "Linux %s", r->host->kernel_release[0] ? r->host->kernel_release : "of an unknown version");
	if (r->host->virtualization[0] && strcmp(r->host->virtualization, "none") != 0)
		html_printf(out, ", virtualization %s", r->host->virtualization);
	fprintf(out, ", as of %s UTC</p>", report_time(r->taken, when));
}

struct tally {
	size_t links, off, named, bad, overdue;
	char names[512];
};

static bool is_compliant(const struct plan_link *link)
{
	return plan_link_verdict(link) == VERDICT_COMPLIANT;
}

static struct tally tally_plan(const struct plan *plan)
{
	struct tally t = { .overdue = plan->overdue };

	for (size_t i = 0; i < plan->n_links; i++) {
		const struct plan_link *link = &plan->links[i];
		enum verdict verdict = plan_link_verdict(link);

		if (link->n_items == 0)
			continue;
		t.links++;
		if (is_compliant(link))
			continue;
		t.off++;
		t.bad += verdict == VERDICT_BLOCKED || verdict == VERDICT_UNSUPPORTED || verdict == VERDICT_REFUSED;
		if (t.named < 8)
			util_append(t.names, sizeof(t.names), "%s%s", t.named++ ? ", " : "", link->name);
	}
	if (t.off > t.named)
		util_append(t.names, sizeof(t.names), " and %zu more", t.off - t.named);
	return t;
}

static void put_finding(FILE *out, const struct report_html *r)
{
	struct tally t = tally_plan(r->view->plan);
	size_t restarts = report_count_restarts(&r->services);

	fprintf(out, "<div class=\"finding %s\" id=\"finding\"><p>", t.bad		     ? "bad"
		: t.off || restarts ? "warn"
		: t.links	     ? "good"
				     : "none");
	if (t.links == 0)
		fputs("No rule applies to these interfaces", out);
	else if (t.off == 0)
		fprintf(out, "All %zu interface%s with rules match them", t.links, util_plural(t.links));
	else
		html_printf(out, "%zu of %zu interface%s %s not match the rules: %s", t.off, t.links, util_plural(t.links),
			t.off == 1 ? "does" : "do", t.names);
	fputs("</p>", out);
	if (r->view->plan->n_steps)
		fprintf(out, "<p>Run <code>offloadctl apply</code> to apply the plan (%zu step%s).</p>", r->view->plan->n_steps,
			util_plural(r->view->plan->n_steps));
	if (restarts)
		fprintf(out, "<p>%zu service%s must reconnect.</p>", restarts, util_plural(restarts));
	if (t.overdue)
		fprintf(out, "<p>%zu feature%s declared by a rule that is due for review.</p>", t.overdue,
			t.overdue == 1 ? " is" : "s are");
	fputs("</div>\n", out);
}

/* ---- the picture ---- */

static void put_unstacked_links(FILE *out, const struct report_html *r, const struct drawing *d)
{
	bool any = false;

	link_table_foreach (r->view->links, link) {
		if (drawing_has(d, link) || link_lower(r->view->links, link) || link_master(r->view->links, link) ||
			link->first_upper || link->first_port)
			continue;
		if (!any)
			fputs("<ul class=\"chips\" aria-label=\"Interfaces outside the stack\">", out);
		any = true;
		fputs("<li data-link=\"", out);
		html_text(out, link->name);
		fputs("\"><strong>", out);
		html_text(out, link->name);
		fputs("</strong> <span class=\"soft\">", out);
		html_text(out, link->kind);
		fputs("</span> ", out);
		put_tag(out, view_verdict(r->view->plan, link->ifindex));
		fputs("</li>\n", out);
	}
	if (any)
		fputs("</ul>\n", out);
}

static int put_stack(FILE *out, const struct report_html *r)
{
	_cleanup_free_ struct drawing *d = malloc(sizeof(*d));
	int result = d ? drawing_make(r->view, d) : -ENOMEM;

	if (result < 0)
		return result;
	if (d->n_nodes) {
		fputs("<p class=\"soft\">Each interface is above those that it uses.</p>\n<div class=\"scroll picture\">\n", out);
		drawing_write(out, d);
		fputs("</div>\n", out);
	} else {
		fputs("<p class=\"absent\">No interface uses another.</p>\n", out);
	}
	if (d->omitted)
		fprintf(out, "<p class=\"soft\">%zu more interfaces are not drawn.</p>\n", d->omitted);
	put_unstacked_links(out, r, d);
	return 0;
}

/* ---- features ---- */

static void put_state(FILE *out, const struct plan_item *item)
{
	char words[32];

	if (item->is_limit) {
		html_printf(out, "%s; declared ", view_item_state(item, words, sizeof(words)));
		html_text(out, view_item_declared(item, words, sizeof(words)));
		return;
	}
	html_printf(out, "%s%s; declared %s", item->unread ? "unknown" : item->active ? "on" : "off",
		item->active != item->wanted ? item->wanted ? " (requested on)" : " (not requested)" : "",
		rule_value_name(item->declared));
	if (rule_value_follows(item->declared) && !item->unread)
		html_printf(out, " (%s)", item->want ? "on" : "off");
}

/* Each feature name is a span that is not broken if it fits on a line. */
static void put_features_of(FILE *out, const struct report_html *r, const struct view_group *group)
{
	char names[NAMES_LEN], *rest = names, *name;

	view_group_names(r->view->features, group, names, sizeof(names));
	for (const char *comma = ""; (name = strsep(&rest, ",")); comma = ", ") {
		fprintf(out, "%s<span class=\"word\">", comma);
		html_text(out, name + strspn(name, " "));
		fputs("</span>", out);
	}
}

static void put_group(FILE *out, const struct report_html *r, const struct plan_link *pl, const struct view_group *group)
{
	const struct plan_item *item = group->item;
	char why[CATALOG_TEXT_MAX];

	fputs("<tr><td data-label=\"Verdict\"><span>", out);
	put_tag(out, verdict_name(item->verdict));
	fputs("</span></td><td data-label=\"Features\"><span class=\"mono\">", out);
	put_features_of(out, r, group);
	fputs("</span></td><td data-label=\"Now\"><span>", out);
	put_state(out, item);
	fputs("</span></td><td data-label=\"Why\"><span>", out);
	html_text(out, catalog_item(r->view->features, pl, item, item->bit, why, sizeof(why)));
	fputs("</span></td><td data-label=\"Rule\" class=\"nowrap\"><span class=\"mono\">", out);
	if (item->rule)
		html_printf(out, "%s:%u", item->rule->file, item->feature ? item->feature->line : 0);
	fputs("</span></td></tr>\n", out);
}

static void put_link(FILE *out, const struct report_html *r, const struct plan_link *pl)
{
	const struct link *link = link_table_find(r->view->links, pl->ifindex);
	struct view_group group;
	char words[512];
	size_t at = 0, fine = 0;

	fputs("<h3 data-link=\"", out);
	html_text(out, pl->name);
	fputs("\">", out);
	html_text(out, pl->name);
	fputs(" <span class=\"soft\">", out);
	html_text(out, link ? view_link_words(r->view->links, link, words, sizeof(words)) : pl->kind);
	fputs("</span></h3>\n<table><thead><tr><th>Verdict</th><th>Features</th><th>Now</th><th>Why</th><th>Rule</th></tr>"
	      "</thead><tbody>\n", out);
	while (view_next_group(pl, &at, &group) && group.item->verdict != VERDICT_COMPLIANT)
		put_group(out, r, pl, &group);
	fputs("</tbody></table>\n", out);
	for (size_t i = 0; i < pl->n_items; i++)
		fine += pl->items[i].verdict == VERDICT_COMPLIANT;
	if (fine)
		fprintf(out, "<p class=\"soft\">%zu more feature%s compliant.</p>\n", fine, fine == 1 ? " is" : "s are");
}

static void put_compliant_links(FILE *out, const struct report_html *r)
{
	const struct plan *plan = r->view->plan;
	bool any = false;

	for (size_t i = 0; i < plan->n_links; i++) {
		const struct plan_link *link = &plan->links[i];

		if (link->n_items == 0 || !is_compliant(link))
			continue;
		fputs(any ? "" : "<h3>Compliant</h3>\n<ul class=\"chips\">", out);
		any = true;
		fputs("<li><strong>", out);
		html_text(out, link->name);
		fprintf(out, "</strong> <span class=\"soft\">%zu feature%s</span></li>\n", link->n_items, util_plural(link->n_items));
	}
	if (any)
		fputs("</ul>\n", out);
}

static void put_features(FILE *out, const struct report_html *r)
{
	const struct plan *plan = r->view->plan;
	bool any = false;

	for (size_t i = 0; i < plan->n_links; i++) {
		if (plan->links[i].n_items == 0 || is_compliant(&plan->links[i]))
			continue;
		any = true;
		put_link(out, r, &plan->links[i]);
	}
	if (!any)
		fputs("<p class=\"absent\">All declared features match the rules.</p>\n", out);
	put_compliant_links(out, r);
}

/* ---- limits ---- */

static void put_limits_of(FILE *out, const struct report_html *r, const struct link *link)
{
	struct plan_narrow narrow;

	fputs("<tr><td data-label=\"Interface\"><strong>", out);
	html_text(out, link->name);
	fputs("</strong></td>", out);
	for (unsigned i = 0; i < LINK_LIMIT_COUNT; i++) {
		fprintf(out, "<td data-label=\"%s\"><span>", link_limit_name(i));
		if (link->limits.has & LINK_LIMIT(i))
			fprintf(out, "%" PRIu32, link->limits.value[i]);
		else
			fputs("-", out);
		if (plan_find_narrow(r->view->links, link, i, &narrow)) {
			fputs(" <span class=\"tag drifted\">", out);
			html_text(out, narrow.below->name);
			fprintf(out, " %" PRIu32 "</span>", narrow.below_number);
		}
		fputs("</span></td>", out);
	}
	fputs("</tr>\n", out);
}

static void put_limits(FILE *out, const struct report_html *r)
{
	bool any = false, narrow = false;
	struct plan_narrow n;

	link_table_foreach (r->view->links, link) {
		if (!link->limits.has)
			continue;
		if (!any) {
			fputs("<table><thead><tr><th>Interface</th>", out);
			for (unsigned i = 0; i < LINK_LIMIT_COUNT; i++)
				fprintf(out, "<th>%s</th>", link_limit_name(i));
			fputs("</tr></thead><tbody>\n", out);
		}
		any = true;
		put_limits_of(out, r, link);
		for (unsigned i = 0; i < LINK_LIMIT_COUNT; i++)
			narrow = narrow || plan_find_narrow(r->view->links, link, i, &n);
	}
	fputs(any ? "</tbody></table>\n" : "<p class=\"absent\">No size limits are known.</p>\n", out);
	if (narrow)
		fputs("<p class=\"soft\">A marked interface below has a smaller limit, and may segment larger packets in software.</p>\n", out);
}

/* ---- rules, footer ---- */

static void put_rule(FILE *out, const struct rule *rule)
{
	char until[REPORT_TIME_LEN];

	fputs("<tr><td data-label=\"Rule\" class=\"nowrap\"><span class=\"mono\">", out);
	html_text(out, rule->file);
	fputs("</span></td><td data-label=\"Description\"><span>", out);
	html_text(out, rule->description ? rule->description : "-");
	if (rule->mode == RULE_MODE_AUDIT)
		fputs(" <span class=\"tag\">audit</span>", out);
	fputs("</span></td><td data-label=\"Reason\"><span>", out);
	html_text(out, rule->reason ? rule->reason : "-");
	if (rule->until) {
		/* rule->until is the first second after the day in the rule */
		report_time(rule->until - 1, until);
		html_printf(out, " (until %.10s)", until);
	}
	fputs("</span></td></tr>\n", out);
}

static void put_rules(FILE *out, const struct report_html *r)
{
	const struct rule_set *rules = r->view->rules;

	if (rules->n_rules == 0)
		fputs("<p class=\"absent\">No rules are loaded.</p>\n", out);
	else
		fputs("<table><thead><tr><th>Rule</th><th>Description</th><th>Reason</th></tr></thead><tbody>\n", out);
	for (size_t i = 0; i < rules->n_rules; i++)
		put_rule(out, &rules->rules[i]);
	if (rules->n_rules)
		fputs("</tbody></table>\n", out);
	if (rules->n_errors)
		fputs("<h3>Ignored, because of errors</h3>\n<ul>\n", out);
	for (size_t i = 0; i < rules->n_errors; i++) {
		const struct rule_error *e = &rules->errors[i];

		fputs("<li class=\"mono\">", out);
		html_printf(out, "%s:%u: %s", e->path, e->line, e->message);
		fputs("</li>\n", out);
	}
	if (rules->n_errors)
		fputs("</ul>\n", out);
}

static int put_part(FILE *out, const char *name, void *userdata)
{
	const struct report_html *r = userdata;
	int result = 0;

	if (strcmp(name, "version") == 0)
		fputs(OFFLOADD_VERSION, out);
	else if (strcmp(name, "title") == 0)
		put_title(out, r);
	else if (strcmp(name, "host") == 0)
		put_host(out, r);
	else if (strcmp(name, "finding") == 0)
		put_finding(out, r);
	else if (strcmp(name, "stack") == 0)
		result = put_stack(out, r);
	else if (strcmp(name, "features") == 0)
		put_features(out, r);
	else if (strcmp(name, "limits") == 0)
		put_limits(out, r);
	else if (strcmp(name, "timeline") == 0)
		report_write_timeline(out, &r->events);
	else if (strcmp(name, "fallback") == 0)
		report_write_fallback(out, &r->services);
	else if (strcmp(name, "restart") == 0)
		report_write_restart(out, &r->services);
	else if (strcmp(name, "latency") == 0)
		report_write_latency(out, &r->latency);
	else if (strcmp(name, "rules") == 0)
		put_rules(out, r);
	else if (strcmp(name, "footer") == 0)
		fputs("Written by offloadctl " OFFLOADD_VERSION ".", out);
	else
		result = -EINVAL;
	return result;
}

int report_html_fill(FILE *out, const char *skeleton,
	int (*fill)(FILE *out, const char *name, void *userdata), void *userdata)
{
	const char *mark, *end;

	while ((mark = strstr(skeleton, "@@")) && (end = strstr(mark + 2, "@@"))) {
		char name[32];
		int r;

		if ((size_t)(end - mark - 2) >= sizeof(name))
			return -EINVAL;
		snprintf(name, sizeof(name), "%.*s", (int)(end - mark - 2), mark + 2);
		fwrite(skeleton, 1, (size_t)(mark - skeleton), out);
		r = fill(out, name, userdata);
		if (r < 0)
			return r;
		skeleton = end + 2;
	}
	fputs(skeleton, out);
	return ferror(out) ? -EIO : 0;
}

int report_html_write(FILE *out, const struct report_html *report)
{
	return report_html_fill(out, report_skeleton, put_part, (void *)report);
}
