/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "compare/snapshot.h"

#include <errno.h>
#include <string.h>

#include "basic/util.h"

static void clear_rule(struct snapshot_rule *rule)
{
	free(rule->file);
	free(rule->path);
	free(rule->description);
	free(rule->reason);
	for (size_t i = 0; i < rule->n_words; i++)
		free(rule->words[i].word);
	free(rule->words);
}

void snapshot_clear(struct snapshot *s)
{
	for (size_t i = 0; i < s->n_rules; i++)
		clear_rule(&s->rules[i]);
	for (size_t i = 0; i < s->n_links; i++)
		free(s->links[i].alt_names);
	free(s->rules);
	free(s->links);
	*s = (struct snapshot){ 0 };
}

feature_set snapshot_named(const struct snapshot *s)
{
	feature_set set = 0;

	for (unsigned bit = 0; bit < s->features.count; bit++)
		set |= s->features.name[bit][0] ? FEATURE(bit) : 0;
	return set;
}

feature_set snapshot_listed(const struct snapshot *s, const struct snapshot_link *link)
{
	return s->form == SNAPSHOT_ETHTOOL ? link->listed : snapshot_named(s);
}

feature_set snapshot_changeable(const struct snapshot_link *link)
{
	return link->features.hw & ~link->features.nochange;
}

struct snapshot_link *snapshot_add_link(struct snapshot *s)
{
	if (s->n_links == SNAPSHOT_LINKS_MAX || !GROW(s->links, s->n_links))
		return NULL;
	s->links[s->n_links] = (struct snapshot_link){ .macsec_offload = -1 };
	return &s->links[s->n_links++];
}

static void copy_name(char *dst, size_t size, const char *src)
{
	util_copy_name(dst, size, src, size - 1);
}

/* named: other bits, which have no name, are dropped. */
static int take_link(struct snapshot *s, const struct link_table *table, const struct link *from,
	feature_set named)
{
	const struct link *lower = link_lower(table, from), *master = link_master(table, from);
	struct snapshot_link *to = snapshot_add_link(s);

	if (!to)
		return s->n_links == SNAPSHOT_LINKS_MAX ? -E2BIG : -ENOMEM;
	copy_name(to->name, sizeof(to->name), from->name);
	copy_name(to->kind, sizeof(to->kind), from->kind);
	copy_name(to->driver, sizeof(to->driver), from->driver);
	copy_name(to->lower, sizeof(to->lower), lower ? lower->name : "");
	copy_name(to->master, sizeof(to->master), master ? master->name : "");
	to->lower_elsewhere = from->lower_netnsid >= 0 && !link_has_peer(from);
	to->vlan_id = from->vlan_id;
	link_format_address(from, to->address, sizeof(to->address));
	if (link_copy_alt_names(from->alt_names, &to->alt_names) < 0)
		return -ENOMEM;
	if (from->hardware)
		to->hardware = *from->hardware;
	to->default_route = from->default_route;
	to->forwards = from->forwards;
	to->xdp = from->xdp;
	to->macsec_offload = from->macsec_offload;
	to->limits = from->limits;
	to->has_features = from->has_features;
	if (from->has_features)
		to->features = (struct link_features){ .hw = from->features.hw & named,
			.wanted = from->features.wanted & named,
			.active = from->features.active & named,
			.nochange = from->features.nochange & named };
	else if (from->features_error)
		snprintf(to->error, sizeof(to->error), "%s", strerror(-from->features_error));
	return 0;
}

static int copy_text(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return from && !*to ? -ENOMEM : 0;
}

static int take_rule(struct snapshot_rule *to, const struct rule *from)
{
	to->mode = from->mode;
	if (copy_text(&to->file, from->file) < 0 || copy_text(&to->path, from->path) < 0 ||
		copy_text(&to->description, from->description) < 0 ||
		copy_text(&to->reason, from->reason) < 0)
		return -ENOMEM;
	to->words = calloc(from->n_features + LINK_LIMIT_SETTABLE + 1, sizeof(*to->words));
	if (!to->words)
		return -ENOMEM;
	for (size_t i = 0; i < from->n_features; i++) {
		to->words[i].value = from->features[i].value;
		to->n_words++;
		if (copy_text(&to->words[i].word, from->features[i].word) < 0)
			return -ENOMEM;
	}
	for (size_t i = 0; i < LINK_LIMIT_SETTABLE; i++) {
		struct snapshot_word *word = &to->words[to->n_words];

		if (!from->limits[i].word)
			continue;
		word->value = from->limits[i].value;
		word->number = from->limits[i].number;
		to->n_words++;
		if (copy_text(&word->word, from->limits[i].word) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int take_rules(struct snapshot *s, const struct rule_set *set)
{
	s->rules = calloc(set->n_rules + 1, sizeof(*s->rules));
	if (!s->rules)
		return -ENOMEM;
	for (size_t i = 0; i < set->n_rules; i++) {
		s->n_rules++;
		if (take_rule(&s->rules[i], &set->rules[i]) < 0)
			return -ENOMEM;
	}
	return 0;
}

int snapshot_take(const struct feature_table *features, struct link_table *links,
	const struct rule_set *rules, const struct rule_host *host, int64_t now, bool whole,
	struct snapshot *ret)
{
	_cleanup_free_ struct link **sorted = NULL;
	size_t n = 0;
	int r;

	*ret = (struct snapshot){ .form = SNAPSHOT_HOST, .taken = now, .features = *features };
	ret->routes = whole || rule_set_needs_routes(rules);
	ret->forwarding = whole || rule_set_needs_forwarding(rules, features);
	ret->hardware = whole || rule_set_needs_hardware(rules);
	copy_name(ret->host, sizeof(ret->host), host->host_name);
	copy_name(ret->kernel, sizeof(ret->kernel), host->kernel_release);
	copy_name(ret->virtualization, sizeof(ret->virtualization), host->virtualization);
	r = link_table_sorted(links, &sorted, &n);
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = take_link(ret, links, sorted[i], snapshot_named(ret));
	if (r >= 0)
		r = take_rules(ret, rules);
	if (r < 0)
		snapshot_clear(ret);
	return r < 0 ? r : 0;
}

static void keep_name(const struct snapshot *s, bool *keep, size_t *todo, size_t *n_todo,
	const char *name, const char *master)
{
	for (size_t i = 0; i < s->n_links; i++) {
		const struct snapshot_link *l = &s->links[i];

		if (keep[i] || (strcmp(l->name, name) != 0 &&
				       (!*master || strcmp(l->master, master) != 0)))
			continue;
		keep[i] = true;
		todo[(*n_todo)++] = i;
	}
}

int snapshot_keep(struct snapshot *s, char *const *names, size_t n, const char **ret_missing)
{
	_cleanup_free_ bool *keep = calloc(s->n_links + 1, sizeof(*keep));
	_cleanup_free_ size_t *todo = calloc(s->n_links + 1, sizeof(*todo));
	size_t n_todo = 0, kept = 0;

	*ret_missing = NULL;
	if (!keep || !todo)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		bool found = false;

		keep_name(s, keep, todo, &n_todo, names[i], "");
		for (size_t j = 0; j < s->n_links && !found; j++)
			found = keep[j] && strcmp(s->links[j].name, names[i]) == 0;
		if (!found) {
			*ret_missing = names[i];
			return 0;
		}
	}
	for (size_t i = 0; i < n_todo; i++) {
		const struct snapshot_link *l = &s->links[todo[i]];

		keep_name(s, keep, todo, &n_todo, l->lower, l->name);
	}
	for (size_t i = 0; i < s->n_links; i++)
		if (keep[i])
			s->links[kept++] = s->links[i];
		else
			free(s->links[i].alt_names);
	s->n_links = kept;
	return 0;
}
