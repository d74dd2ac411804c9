/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "compare/rehearsal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "basic/util.h"
#include "compare/snapshot_model.h"
#include "kernel/trial.h"
#include "rules/rule_file.h"

void rehearsal_begin(struct rehearsal *r, const char *const *dirs, const char *kernel, int64_t now)
{
	*r = (struct rehearsal){ .dirs = dirs, .kernel = kernel, .now = now };
}

void rehearsal_clear(struct rehearsal *r)
{
	struct rehearsal_effect *effect, *next;

	HASH_ITER (hh, r->effects, effect, next) {
		HASH_DEL(r->effects, effect);
		free(effect);
	}
	for (size_t i = 0; i < r->n_hosts; i++) {
		free(r->hosts[i].path);
		free(r->hosts[i].error);
		free(r->hosts[i].shapes);
	}
	free(r->hosts);
	while (r->rules) {
		struct rehearsal_rules *rules = r->rules;

		r->rules = rules->next;
		rule_set_clear(&rules->set);
		free(rules);
	}
	*r = (struct rehearsal){ 0 };
}

static struct rehearsal_rules *find_rules(struct rehearsal *r, const struct feature_table *table)
{
	struct rehearsal_rules *rules = r->rules;

	while (rules && memcmp(&rules->table, table, sizeof(*table)) != 0)
		rules = rules->next;
	if (rules)
		return rules;
	rules = calloc(1, sizeof(*rules));
	if (!rules)
		return NULL;
	rules->table = *table;
	if (rule_set_load(r->dirs, table, &rules->set) < 0) {
		free(rules);
		return NULL;
	}
	rules->next = r->rules;
	r->rules = rules;
	return rules;
}

const struct rule_set *rehearsal_load_rules(struct rehearsal *r, const struct feature_table *table)
{
	const struct rehearsal_rules *rules = find_rules(r, table);

	return rules ? &rules->set : NULL;
}

/* ---- words ---- */

static int add_word(struct rehearsal *r, struct rehearsal_words *set, const char *word)
{
	size_t i = 0;

	while (i < r->n_words && strcmp(r->words[i], word) != 0)
		i++;
	if (i == REHEARSAL_WORDS_MAX)
		return -E2BIG;
	if (i == r->n_words) {
		util_copy_name(r->words[i], sizeof(r->words[i]), word, strlen(word));
		r->n_words++;
	}
	set->bits[i / 64] |= UINT64_C(1) << i % 64;
	return 0;
}

static int add_features(struct rehearsal *r, struct rehearsal_words *set, const struct feature_table *table, feature_set features)
{
	unsigned bit;
	int e = 0;

	feature_foreach (bit, features)
		if (e == 0)
			e = add_word(r, set, feature_name(table, bit));
	return e;
}

const char *rehearsal_format(const struct rehearsal *r, const struct rehearsal_words *words, char *buf, size_t size)
{
	buf[0] = '\0';
	for (size_t i = 0; i < r->n_words; i++)
		if (words->bits[i / 64] >> i % 64 & 1)
			util_append(buf, size, "%s%s", buf[0] ? ", " : "", r->words[i]);
	return buf;
}

/* ---- effects ---- */

static int add_effect(struct rehearsal *r, const struct rehearsal_key *key, const struct plan_link *pl,
	const struct plan_item *item, const struct feature_table *table)
{
	struct rehearsal_effect *effect;

	HASH_FIND(hh, r->effects, key, sizeof(*key), effect);
	if (!effect) {
		effect = calloc(1, sizeof(*effect));
		if (!effect)
			return -ENOMEM;
		memcpy(&effect->key, key, sizeof(*key)); /* with its padding */
		effect->host = r->n_hosts - 1; /* this host is the last one */
		effect->last_host = SIZE_MAX;
		effect->table = table;
		memcpy(effect->link, pl->name, sizeof(effect->link));
		if (item)
			effect->item = *item;
		effect->item.text = "";
		if (hash_add(r->effects, key, effect) < 0) {
			free(effect);
			return -ENOMEM;
		}
	}
	effect->links++;
	effect->hosts += effect->last_host != r->n_hosts;
	effect->last_host = r->n_hosts;
	return 0;
}

/* Is it as declared, and stays so? */
static bool is_met(const struct plan_item *item)
{
	return item->verdict == VERDICT_COMPLIANT;
}

static void begin_key(struct rehearsal_key *key, enum rehearsal_what what, const struct plan_link *pl, const struct link *link)
{
	memset(key, 0, sizeof(*key)); /* a hash reads the padding, too */
	key->what = what;
	util_copy_name(key->kind, sizeof(key->kind), pl->kind, sizeof(pl->kind));
	if (link && strcmp(link->driver, pl->kind) != 0)
		util_copy_name(key->driver, sizeof(key->driver), link->driver, sizeof(link->driver));
}

static void key_of_item(struct rehearsal_key *key, const struct plan_link *pl, const struct link *link, const struct plan_item *item)
{
	begin_key(key, item->unread ? REHEARSAL_UNREAD : item->verdict == VERDICT_DRIFTED ? REHEARSAL_CHANGE : REHEARSAL_UNMET, pl, link);
	key->verdict = item->verdict;
	key->uncertain = item->uncertain;
	key->audit = item->audit;
	/* what differs is no reason */
	key->cause = key->what == REHEARSAL_CHANGE ? CAUSE_NONE : item->cause;
	if (item->rule)
		util_copy_name(key->rule, sizeof(key->rule), item->rule->file, strlen(item->rule->file));
}

static int add_item_word(struct rehearsal *r, struct rehearsal_key *key, const struct plan_item *item)
{
	return add_word(r, item->want || item->is_limit ? &key->on : &key->off, item->feature->word);
}

static bool same_but_words(const struct rehearsal_key *a, const struct rehearsal_key *b)
{
	return memcmp(a, b, offsetof(struct rehearsal_key, on)) == 0;
}

/* Items of a link with the same key are one effect: "sg, tso on". done: one flag for each item. */
static int add_items(struct rehearsal *r, const struct plan_link *pl, const struct link *link, const struct feature_table *table,
	bool *done)
{
	struct rehearsal_key key, other;
	int e = 0;

	for (size_t i = 0; i < pl->n_items && e == 0; i++) {
		if (done[i] || is_met(&pl->items[i]))
			continue;
		key_of_item(&key, pl, link, &pl->items[i]);
		for (size_t j = i; j < pl->n_items && e == 0; j++) {
			if (done[j] || is_met(&pl->items[j]))
				continue;
			key_of_item(&other, pl, link, &pl->items[j]);
			if (!same_but_words(&key, &other) && j != i)
				continue;
			done[j] = true;
			e = add_item_word(r, &key, &pl->items[j]);
		}
		if (e == 0)
			e = add_effect(r, &key, pl, &pl->items[i], table);
	}
	return e;
}

static int add_side_effects(struct rehearsal *r, const struct plan_link *pl, const struct link *link, const struct feature_table *table)
{
	const feature_set sets[] = { pl->side_effects & ~pl->uncertain, pl->side_effects & pl->uncertain };
	struct rehearsal_key key;
	int e = 0;

	for (size_t i = 0; i < ARRAY_SIZE(sets) && e == 0; i++) {
		if (!sets[i])
			continue;
		begin_key(&key, REHEARSAL_SIDE_EFFECT, pl, link);
		key.uncertain = i == 1;
		e = add_features(r, &key.on, table, sets[i] & pl->predicted.active);
		if (e == 0)
			e = add_features(r, &key.off, table, sets[i] & ~pl->predicted.active);
		if (e == 0)
			e = add_effect(r, &key, pl, NULL, table);
	}
	return e;
}

/* ---- shapes ---- */

#define FNV_BASIS UINT64_C(14695981039346656037)

static uint64_t mix(uint64_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
	return (hash ^ 0xff) * UINT64_C(1099511628211);
}

static uint64_t mix_number(uint64_t hash, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%llx", (unsigned long long)number);
	return mix(hash, text);
}

/* shapes: by ifindex, those of lower links are known. The sum of the ports' shapes does not depend on their order, and each counts
 * once only. */
static uint64_t shape_of(const struct link_table *table, const struct link *link, const uint64_t *shapes, uint64_t seed)
{
	const struct link *lower = link_lower(table, link);
	uint64_t hash = mix(mix(seed, link->kind), link->driver), ports = 0, before = 0;

	if (lower)
		hash = mix_number(hash, shapes[lower->ifindex]);
	for (const struct link *port = link_first_port(table, link); port; port = link_next_port(table, port)) {
		uint64_t shape = shapes[port->ifindex];

		ports += shape == before ? 0 : shape;
		before = shape;
	}
	return ports ? mix_number(hash, ports) : hash;
}

static int compare_shapes(const void *a, const void *b)
{
	return COMPARE(*(const uint64_t *)a, *(const uint64_t *)b);
}

static size_t sort_shapes(uint64_t *shapes, size_t n)
{
	size_t kept = 0;

	if (n)
		qsort(shapes, n, sizeof(*shapes), compare_shapes);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || shapes[i] != shapes[kept - 1])
			shapes[kept++] = shapes[i];
	return kept;
}

/* "6.1" of "6.1.0-50-amd64": hosts of one series count as alike. */
static uint64_t seed_of(const char *release)
{
	char series[sizeof(((struct snapshot *)0)->kernel)];
	size_t dots = 0, n = 0;

	for (; release[n] && n < sizeof(series) - 1 && (dots += release[n] == '.') < 2; n++)
		series[n] = release[n];
	series[n] = '\0';
	return mix(FNV_BASIS, series);
}

static int find_shapes(struct rehearsal_host *host, struct link_table *table)
{
	_cleanup_free_ struct link **links = NULL;
	_cleanup_free_ uint64_t *by_index = NULL;
	size_t n = 0;
	int e = link_table_sorted(table, &links, &n);

	if (e < 0)
		return e;
	by_index = calloc(n + 1, sizeof(*by_index));
	host->shapes = calloc(n + 1, sizeof(*host->shapes));
	if (!by_index || !host->shapes)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		by_index[links[i]->ifindex] = shape_of(table, links[i], by_index, seed_of(host->kernel));
		host->shapes[i] = by_index[links[i]->ifindex];
	}
	host->n_shapes = sort_shapes(host->shapes, n);
	return 0;
}

/* ---- hosts ---- */

static int add_plan(struct rehearsal *r, struct rehearsal_host *host, const struct plan *plan, const struct link_table *table,
	const struct feature_table *features)
{
	memcpy(host->counts, plan->counts, sizeof(host->counts));
	host->unread = plan->unread;
	host->exit_code = plan_exit_code(plan);
	for (size_t i = 0; i < plan->n_links; i++) {
		const struct plan_link *pl = &plan->links[i];
		const struct link *link = link_table_find(table, pl->ifindex);
		_cleanup_free_ bool *done = calloc(pl->n_items + 1, sizeof(*done));
		bool changes = false;
		int e = done ? add_items(r, pl, link, features, done) : -ENOMEM;

		if (e == 0)
			e = add_side_effects(r, pl, link, features);
		if (e < 0)
			return e;
		for (size_t j = 0; j < pl->n_items; j++) {
			host->uncertain += pl->items[j].uncertain;
			changes = changes || pl->items[j].verdict == VERDICT_DRIFTED;
		}
		host->links += pl->n_items > 0;
		host->changes += changes;
		host->side_effects += pl->side_effects != 0;
	}
	return 0;
}

static struct rehearsal_host *add_host(struct rehearsal *r, const char *path)
{
	struct rehearsal_host *host;

	if (!GROW(r->hosts, r->n_hosts))
		return NULL;
	host = &r->hosts[r->n_hosts];
	*host = (struct rehearsal_host){ .path = strdup(path) };
	return host->path ? host : NULL;
}

int rehearsal_add_unusable(struct rehearsal *r, const char *path, const char *why)
{
	struct rehearsal_host *host = add_host(r, path);

	if (!host)
		return -ENOMEM;
	host->error = strdup(why);
	r->n_hosts++;
	return host->error ? 0 : -ENOMEM;
}

/* ---- another kernel ---- */

static bool parse_release(const char *text, unsigned *ret)
{
	unsigned major, minor;

	if (sscanf(text, "%3u.%3u", &major, &minor) != 2)
		return false;
	*ret = major << 8 | minor;
	return true;
}

static bool is_other_kernel(const struct rehearsal *r, const char *kernel)
{
	unsigned a, b;

	return r->kernel && (!parse_release(r->kernel, &a) || !parse_release(kernel, &b) || a != b);
}

/* Removes the features that the other kernel does not have. */
static void adapt_table(const struct rehearsal *r, struct feature_table *table)
{
	unsigned release = 0;

	parse_release(r->kernel, &release);
	for (unsigned bit = 0; bit < table->count; bit++)
		if (feature_in_release(table->name[bit], release) == FEATURE_ABSENT)
			memset(table->name[bit], 0, sizeof(table->name[bit]));
}

static void adapt_links(const struct feature_table *table, struct link_table *links)
{
	feature_set named = 0;

	for (unsigned bit = 0; bit < table->count; bit++)
		named |= table->name[bit][0] ? FEATURE(bit) : 0;
	link_table_foreach (links, link) {
		link->features.hw &= named;
		link->features.wanted &= named;
		link->features.active &= named;
		link->features.nochange &= named;
	}
}

/* on_device: by ifindex, for those below it. */
static bool rests_on_device(const struct link_table *links, const struct link *link, const bool *on_device)
{
	const struct link *lower = link_lower(links, link);

	if (link_is_kind(link, "physical") || (lower && on_device[lower->ifindex]))
		return true;
	for (const struct link *port = link_first_port(links, link); port; port = link_next_port(links, port))
		if (on_device[port->ifindex])
			return true;
	return false;
}

/* By ifindex, which counts from 1 in a snapshot. NULL: no memory. */
static bool *find_devices(struct link_table *links)
{
	_cleanup_free_ struct link **sorted = NULL;
	size_t n = 0;
	bool *on_device;

	if (link_table_sorted(links, &sorted, &n) < 0)
		return NULL;
	on_device = calloc(n + 1, sizeof(*on_device));
	for (size_t i = 0; on_device && i < n; i++)
		on_device[sorted[i]->ifindex] = rests_on_device(links, sorted[i], on_device);
	return on_device;
}

/* Of a feature that was not on the kernel of the snapshot, nothing is known either. */
int rehearsal_mark(const struct rehearsal *r, const struct snapshot *s, struct link_table *links, struct plan *plan)
{
	_cleanup_free_ bool *on_device = NULL;
	feature_set unknown = 0;
	unsigned release = 0;

	if (!is_other_kernel(r, s->kernel))
		return 0;
	on_device = find_devices(links);
	if (!on_device)
		return -ENOMEM;
	parse_release(r->kernel, &release);
	for (unsigned bit = 0; bit < s->features.count; bit++)
		if (feature_in_release(s->features.name[bit], release) == FEATURE_PRESENCE_UNKNOWN)
			unknown |= FEATURE(bit);
	for (size_t i = 0; i < plan->n_links; i++) {
		bool device = on_device[plan->links[i].ifindex];

		for (size_t j = 0; j < plan->links[i].n_items; j++) {
			struct plan_item *item = &plan->links[i].items[j];
			bool foreign = !item->is_limit && item->bit >= FEATURE_MAX;

			if (device || (item->bit < FEATURE_MAX && unknown & FEATURE(item->bit)) ||
				(foreign && feature_in_release(item->feature->word, release) != FEATURE_ABSENT))
				item->uncertain = true;
		}
		plan->links[i].uncertain |= device ? plan->links[i].side_effects : unknown;
	}
	return 0;
}

bool rehearsal_is_release(const char *text)
{
	unsigned release;

	return parse_release(text, &release);
}

static void host_of(const struct rehearsal *r, const struct snapshot *s, struct rule_host *ret)
{
	*ret = (struct rule_host){ 0 };
	snprintf(ret->kernel_release, sizeof(ret->kernel_release), "%s", r->kernel ? r->kernel : s->kernel);
	snprintf(ret->host_name, sizeof(ret->host_name), "%s", s->host);
	snprintf(ret->virtualization, sizeof(ret->virtualization), "%s", s->virtualization);
	ret->backports = trial_has_backports(ret->kernel_release);
}

int rehearsal_prepare(const struct rehearsal *r, const struct snapshot *s, struct feature_table *ret_features,
	struct link_table *ret_links, struct rule_host *ret_host)
{
	int e;

	*ret_links = (struct link_table){ 0 };
	*ret_features = s->features;
	if (is_other_kernel(r, s->kernel))
		adapt_table(r, ret_features);
	host_of(r, s, ret_host);
	e = snapshot_restore(s, ret_links);
	adapt_links(ret_features, ret_links);
	return e;
}

int rehearsal_add(struct rehearsal *r, const char *path, const struct snapshot *s)
{
	_cleanup_(link_table_clear) struct link_table table = { 0 };
	_cleanup_(plan_clear) struct plan plan = { 0 };
	struct feature_table features;
	struct rule_host rule_host;
	struct rehearsal_rules *rules;
	struct rehearsal_host *host;
	int e = rehearsal_prepare(r, s, &features, &table, &rule_host);

	rules = find_rules(r, &features);
	host = add_host(r, path);
	if (host)
		r->n_hosts++;
	if (e < 0 || !rules || !host)
		return e < 0 ? e : -ENOMEM;
	memcpy(host->name, s->host, sizeof(host->name));
	memcpy(host->kernel, s->kernel, sizeof(host->kernel));
	host->taken = s->taken;
	host->incomplete = (rule_set_needs_hardware(&rules->set) && !s->hardware) || (rule_set_needs_routes(&rules->set) && !s->routes) ||
		(rule_set_needs_forwarding(&rules->set, &features) && !s->forwarding);
	e = find_shapes(host, &table);
	if (e == 0) {
		const struct plan_context context = {
			.table = &rules->table, .rules = &rules->set, .host = &rule_host, .now = r->now,
		};

		e = plan_make(&context, &table, NULL, 0, &plan);
	}
	if (e == 0) {
		e = rehearsal_mark(r, s, &table, &plan);
		if (e == 0)
			e = add_plan(r, host, &plan, &table, &rules->table);
	}
	return e;
}

/* ---- all hosts ---- */

static int compare_effects(const struct rehearsal_effect *a, const struct rehearsal_effect *b)
{
	int order = COMPARE(a->key.what, b->key.what);

	if (order == 0)
		order = COMPARE(b->hosts, a->hosts);
	if (order == 0)
		order = COMPARE(b->links, a->links);
	return order ? order : COMPARE(a->host, b->host);
}

void rehearsal_sort(struct rehearsal *r)
{
	HASH_SORT(r->effects, compare_effects);
}

void rehearsal_summarize(const struct rehearsal *r, struct rehearsal_summary *ret)
{
	size_t errors = 0;

	*ret = (struct rehearsal_summary){ 0 };
	for (const struct rehearsal_rules *rules = r->rules; rules; rules = rules->next)
		errors += rules->set.n_errors;
	for (size_t i = 0; i < r->n_hosts; i++) {
		const struct rehearsal_host *host = &r->hosts[i];

		ret->unusable += host->error != NULL;
		if (host->error)
			continue;
		ret->no_rules += host->links == 0;
		ret->unread += host->unread > 0;
		ret->uncertain += host->uncertain > 0;
		ret->incomplete += host->incomplete;
		ret->match += host->links > 0 && host->exit_code == 0 && !host->incomplete && !host->uncertain;
		ret->change += host->changes > 0;
		ret->unmet += verdict_exit_code(host->counts, 0, 0) >= 4;
	}
	ret->exit_code = ret->unusable || ret->unread || ret->incomplete || errors ? 1 : (ret->change ? 2 : 0) | (ret->unmet ? 4 : 0);
}

static bool has_shape(const uint64_t *shapes, size_t n, uint64_t shape, size_t *ret_at)
{
	const uint64_t *found = n ? bsearch(&shape, shapes, n, sizeof(*shapes), compare_shapes) : NULL;

	if (found)
		*ret_at = (size_t)(found - shapes);
	return found;
}

/* The shapes of a host that are not covered yet. take: cover them. */
static size_t new_shapes(const struct rehearsal_host *host, const uint64_t *all, size_t n, bool *covered, bool take)
{
	size_t count = 0, at;

	for (size_t i = 0; i < host->n_shapes; i++) {
		if (!has_shape(all, n, host->shapes[i], &at) || covered[at])
			continue;
		count++;
		covered[at] = take;
	}
	return count;
}

static uint64_t *all_shapes(const struct rehearsal *r, size_t *ret_n)
{
	uint64_t *all;
	size_t n = 0;

	for (size_t i = 0; i < r->n_hosts; i++)
		n += r->hosts[i].n_shapes;
	all = calloc(n + 1, sizeof(*all));
	n = 0;
	for (size_t i = 0; all && i < r->n_hosts; i++) {
		if (r->hosts[i].n_shapes)
			memcpy(all + n, r->hosts[i].shapes, r->hosts[i].n_shapes * sizeof(*all));
		n += r->hosts[i].n_shapes;
		if (n > 65536)
			n = sort_shapes(all, n);
	}
	*ret_n = all ? sort_shapes(all, n) : 0;
	return all;
}

size_t rehearsal_sample(const struct rehearsal *r, size_t n, size_t *ret, size_t *ret_covered, size_t *ret_shapes)
{
	_cleanup_free_ uint64_t *all = all_shapes(r, ret_shapes);
	_cleanup_free_ bool *covered = calloc(*ret_shapes + 1, sizeof(*covered));
	size_t chosen = 0;

	*ret_covered = 0;
	if (!all || !covered)
		return 0;
	while (chosen < r->n_hosts && (n == 0 || chosen < n)) {
		size_t best = 0, most = 0;

		for (size_t i = 0; i < r->n_hosts; i++) {
			size_t count = new_shapes(&r->hosts[i], all, *ret_shapes, covered, false);

			if (count > most) {
				most = count;
				best = i;
			}
		}
		if (most == 0)
			break;
		*ret_covered += new_shapes(&r->hosts[best], all, *ret_shapes, covered, true);
		ret[chosen++] = best;
	}
	return chosen;
}

const char *rehearsal_what_name(enum rehearsal_what what)
{
	static const char *const names[REHEARSAL_WHATS] = { "unread", "unmet", "side-effect", "change" };

	return names[what];
}
