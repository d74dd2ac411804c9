/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/view.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "basic/util.h"

static bool same_group(const struct plan_item *a, const struct plan_item *b)
{
	return a->bit < FEATURE_MAX && b->bit < FEATURE_MAX && a->rule == b->rule &&
	       a->declared == b->declared && a->want == b->want && a->active == b->active &&
	       a->wanted == b->wanted && a->predicted == b->predicted &&
	       a->uncertain == b->uncertain && a->overdue == b->overdue && a->audit == b->audit &&
	       a->verdict == b->verdict && a->held == b->held && a->cause == b->cause &&
	       a->cause_ifindex == b->cause_ifindex &&
	       /* the same feature of the device below is the same cause */
	       (a->cause_bit == b->cause_bit ||
		       (a->cause_bit == a->bit && b->cause_bit == b->bit)) &&
	       strcmp(a->text, b->text) == 0;
}

static bool is_first(const struct plan_link *link, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (same_group(&link->items[j], &link->items[i]))
			return false;
	return true;
}

bool view_next_group(const struct plan_link *link, size_t *at, struct view_group *ret)
{
	for (; *at < 2 * link->n_items; ++*at) {
		bool compliant = *at >= link->n_items;
		size_t i = *at % link->n_items;
		const struct plan_item *item = &link->items[i];

		if ((item->verdict == VERDICT_COMPLIANT) != compliant || !is_first(link, i))
			continue;
		*ret = (struct view_group){ .item = item, .bits = item->bit < FEATURE_MAX ? FEATURE(item->bit) : 0 };
		for (size_t j = i + 1; j < link->n_items; j++)
			if (same_group(item, &link->items[j]))
				ret->bits |= FEATURE(link->items[j].bit);
		++*at;
		return true;
	}
	return false;
}

const char *view_group_names(
	const struct feature_table *table, const struct view_group *group, char *buf, size_t size)
{
	if (group->bits == 0 && group->item->feature)
		return util_clean(group->item->feature->word, buf, size);
	return feature_format(table, group->bits, buf, size);
}

const char *view_link_words(
	const struct link_table *table, const struct link *link, char *buf, size_t size)
{
	struct link *lower = link_lower(table, link), *master = link_master(table, link);
	const char *comma = "";
	char name[LINK_NAME_LEN];
	unsigned ports = 0;

	util_clean(link->kind, buf, size);
	if (lower)
		util_append(buf, size, " on %s", util_clean(lower->name, name, sizeof(name)));
	else if (link->lower_netnsid >= 0 && !link_has_peer(link))
		util_append(buf, size, " on an interface in another network namespace");
	for (struct link *port = link_first_port(table, link); port;
		port = link_next_port(table, port)) {
		if (++ports > 8) {
			util_append(buf, size, ", ...");
			break;
		}
		util_append(buf, size, "%s%s", ports == 1 ? " of " : comma,
			util_clean(port->name, name, sizeof(name)));
		comma = ", ";
	}
	if (master)
		util_append(
			buf, size, ", port of %s", util_clean(master->name, name, sizeof(name)));
	return buf;
}

const struct plan_item *view_item(const struct plan_link *link, unsigned bit)
{
	for (size_t i = 0; link && i < link->n_items; i++)
		if (link->items[i].bit == bit)
			return &link->items[i];
	return NULL;
}

const struct plan_item *view_limit_item(const struct plan_link *link, enum link_limit limit)
{
	for (size_t i = 0; link && i < link->n_items; i++)
		if (link->items[i].is_limit && link->items[i].number.limit == limit)
			return &link->items[i];
	return NULL;
}

const char *view_item_state(const struct plan_item *item, char *buf, size_t size)
{
	if (item->cause == CAUSE_UNSUPPORTED_KERNEL || (!item->is_limit && item->bit >= FEATURE_MAX))
		snprintf(buf, size, "unknown to this kernel");
	else if (item->is_limit)
		snprintf(buf, size, "%" PRIu32, item->number.now);
	else if (item->unread)
		snprintf(buf, size, "unknown");
	else if (item->active != item->wanted)
		snprintf(buf, size, "%s", item->wanted ? "off (requested on)" : "on (requested off)");
	else
		snprintf(buf, size, "%s", util_on_off(item->active));
	return buf;
}

const char *view_item_declared(const struct plan_item *item, char *buf, size_t size)
{
	if (item->declared == RULE_NUMBER)
		snprintf(buf, size, "%" PRIu32, item->number.want);
	else if (item->declared != RULE_LOWER || item->unread)
		snprintf(buf, size, "%s", rule_value_name(item->declared));
	else if (item->not_provided || item->cause == CAUSE_LIMIT_ELSEWHERE || item->cause == CAUSE_UNSUPPORTED_KERNEL)
		snprintf(buf, size, "lower (not provided)");
	else if (item->is_limit)
		snprintf(buf, size, "lower (%" PRIu32 ")", item->number.want);
	else
		snprintf(buf, size, "lower (%s)", util_on_off(item->want));
	return buf;
}

static void append_offload(const struct feature_table *table, const struct link *link, const char *alias, const char *name, char *buf,
	size_t size)
{
	const struct link_features *f = &link->features;
	feature_set set;

	if (feature_parse(table, alias, &set) == FEATURE_WORD_ALIAS)
		util_append(buf, size, "%s%s %s", buf[0] ? ", " : "", name,
			set & f->active ? "on" : set & f->hw & ~f->nochange ? "off" : "not available");
}

const char *view_offloads(const struct feature_table *table, const struct link *link, char *buf, size_t size)
{
	buf[0] = '\0';
	append_offload(table, link, "sg", "scatter-gather", buf, size);
	append_offload(table, link, "tx", "TX checksum", buf, size);
	append_offload(table, link, "tso", "TSO", buf, size);
	append_offload(table, link, "gso", "GSO", buf, size);
	append_offload(table, link, "gro", "GRO", buf, size);
	return buf;
}

const char *view_verdict(const struct plan *plan, int ifindex)
{
	const struct plan_link *link = plan_find(plan, ifindex);

	if (!link || link->n_items == 0)
		return NULL;
	return verdict_name(plan_link_verdict(link));
}

/* Does a list of patterns have one that is not negated? */
static bool names_some(const char *patterns)
{
	for (bool start = true; patterns && *patterns; patterns++) {
		if (start && *patterns != ' ' && *patterns != '!')
			return true;
		start = *patterns == ' ';
	}
	return false;
}

bool view_rule_misses(const struct view *view, const struct rule *rule)
{
	static const enum rule_key keys[] = { RULE_NAME, RULE_DRIVER, RULE_MAC_ADDRESS, RULE_LOWER_DRIVER, RULE_MASTER_DRIVER,
		RULE_PATH, RULE_DEVICE, RULE_FIRMWARE, RULE_DRIVER_VERSION };
	bool names = false;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		names = names || names_some(rule->match.value[keys[i]]);
	return names && view->host && rule_is_for_host(rule, view->host) &&
	       rule_find_missing(rule, view->links, view->host) != 0;
}

const char *view_format_missing(const struct rule *rule, unsigned missing, char *buf, size_t size)
{
	unsigned host = missing & ~(RULE_KEY(RULE_KERNEL_VERSION) - 1), netns = missing & RULE_NETNS_KEYS, key;
	bool several = !netns && missing == rule->match.keys && (missing & (missing - 1));
	const char *what = several ? NULL : netns ? "this network namespace does not match " : host ? "this host does not match " : NULL;
	char value[256];

	buf[0] = '\0';
	if (netns & ~rule->match.keys) {
		snprintf(buf, size, "it is for the network namespace of offloadd only, without Namespace=, Container=, Unit= or Image=");
		return buf;
	}
	if (what)
		missing = netns ? netns : host;
	feature_foreach (key, missing) {
		const char *before = !buf[0] ? what ? what : "no interface has " : several ? " and " : " or ";

		util_append(buf, size, "%s%s=%s", before, rule_key_name(key),
			util_clean(rule->match.value[key], value, sizeof(value)));
	}
	return buf;
}

static const char *netns_fact(enum rule_key key, const struct rule_netns *netns)
{
	switch (key) {
	case RULE_CONTAINER:
		return netns->container[0] ? netns->container : netns->container_id;
	case RULE_UNIT:
		return netns->unit;
	case RULE_IMAGE:
		return netns->image;
	default:
		return netns->name;
	}
}

const char *view_format_netns_missing(const struct rule *rule, unsigned missing, const struct rule_netns *netns, char *buf, size_t size)
{
	static const char *const absent[] = { "it has no name", "it belongs to no container of the system", "it belongs to no unit",
		"its image is not known" };
	char value[256], fact[256];
	unsigned key;

	buf[0] = '\0';
	feature_foreach (key, missing & rule->match.keys & RULE_NETNS_KEYS) {
		const char *here = netns_fact(key, netns);

		util_append(buf, size, "%s%s=%s (%s%s)", buf[0] ? ", " : "", rule_key_name(key),
			util_clean(rule->match.value[key], value, sizeof(value)), here[0] ? "it is " : absent[key - RULE_NAMESPACE],
			util_clean(here, fact, sizeof(fact)));
	}
	return buf;
}

const char *view_format_not_read(const struct rule_place *place, char *buf, size_t size)
{
	const char *suffix = place->rule_file ? ".conf" : ".rule";

	if (util_has_suffix(place->file, suffix))
		snprintf(buf, size, "no rule %s is in force", place->rule_file);
	else
		snprintf(buf, size, "the name does not end in %s", suffix);
	return buf;
}

/* The same feature, or in each the feature that its explanation is about. */
static bool same_bit(unsigned a, unsigned bit_a, unsigned b, unsigned bit_b)
{
	return a == b ? (a == bit_a) == (b == bit_b) : a == bit_a && b == bit_b;
}

static bool same_step(const struct cause_step *a, unsigned bit_a, const struct cause_step *b, unsigned bit_b)
{
	return a->code == b->code && a->depth == b->depth && a->ifindex == b->ifindex && a->want == b->want &&
		a->other_ifindex == b->other_ifindex && same_bit(a->bit, bit_a, b->bit, bit_b) &&
		same_bit(a->other_bit, bit_a, b->other_bit, bit_b) && a->features == b->features;
}

static bool same_declaration(const struct explanation *a, const struct explanation *b)
{
	const struct plan_item *x = a->item, *y = b->item;

	return a->active == b->active && a->rule == b->rule && a->feature == b->feature && !x == !y &&
		(!x || (x->declared == y->declared && x->verdict == y->verdict && x->not_provided == y->not_provided &&
			       x->overdue == y->overdue && strcmp(x->text, y->text) == 0));
}

bool view_same_explanation(const struct explanation *a, const struct explanation *b)
{
	unsigned bit_a = a->steps[0].bit, bit_b = b->steps[0].bit;

	if (a->n_steps != b->n_steps || !same_declaration(a, b) || a->advice.code != b->advice.code ||
		a->advice.want != b->advice.want || a->advice.rule != b->advice.rule ||
		strcmp(a->advice.link, b->advice.link) != 0 || !same_bit(a->advice.bit, bit_a, b->advice.bit, bit_b))
		return false;
	for (size_t i = 0; i < a->n_steps; i++)
		if (!same_step(&a->steps[i], bit_a, &b->steps[i], bit_b))
			return false;
	return true;
}

static int compare_far(const void *a, const void *b)
{
	const struct view_far *x = a, *y = b;

	return COMPARE(x->near_ifindex, y->near_ifindex);
}

const struct view_far *view_find_far(const struct view *view, const struct link *link)
{
	const struct view_far key = { .near_ifindex = link->ifindex };

	return view->n_far ? bsearch(&key, view->far, view->n_far, sizeof(key), compare_far) : NULL;
}

struct seen {
	int ifindex;
	UT_hash_handle hh;
};

struct tree_walk {
	struct link_table *table;
	struct view_node *nodes;
	size_t n;
	struct seen *seen, *next_seen; /* hash table, and its next free entry */
};

/* Marks a link as listed. 1: it was already; 0; -ENOMEM. */
static int see(struct tree_walk *walk, const struct link *link)
{
	struct seen *seen;

	HASH_FIND_INT(walk->seen, &link->ifindex, seen);
	if (seen)
		return 1;
	seen = walk->next_seen++;
	seen->ifindex = link->ifindex;
	return hash_add(walk->seen, ifindex, seen);
}

static bool has_below(const struct link_table *table, const struct link *link)
{
	return link_lower(table, link) || link_first_port(table, link);
}

static int walk_tree(struct tree_walk *walk, struct link *link, unsigned depth)
{
	int r = see(walk, link);
	bool repeated = r > 0 && has_below(walk->table, link);
	struct link *lower;

	if (r < 0)
		return r;
	if (!GROW(walk->nodes, walk->n))
		return -ENOMEM;
	walk->nodes[walk->n++] = (struct view_node){ .link = link, .depth = depth, .repeated = repeated };
	if (repeated)
		return 0;
	lower = link_lower(walk->table, link);
	if (lower) {
		r = walk_tree(walk, lower, depth + 1);
		if (r < 0)
			return r;
	}
	for (struct link *port = link_first_port(walk->table, link); port;
		port = link_next_port(walk->table, port)) {
		r = walk_tree(walk, port, depth + 1);
		if (r < 0)
			return r;
	}
	return 0;
}

int view_tree(struct link_table *table, struct view_node **ret, size_t *ret_n)
{
	_cleanup_free_ struct link **links = NULL;
	_cleanup_free_ struct seen *entries = NULL;
	struct tree_walk walk = { .table = table };
	struct seen *seen;
	size_t n;
	int r;

	r = link_table_sorted(table, &links, &n);
	if (r < 0)
		return r;
	entries = calloc(n + 1, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	walk.next_seen = entries;
	for (size_t i = 0; r >= 0 && i < n; i++)
		if (!link_first_upper(table, links[i]) && !link_master(table, links[i]))
			r = walk_tree(&walk, links[i], 0);
	/* Links in a loop, which only an outdated table has, have no topmost link. */
	for (size_t i = 0; r >= 0 && i < n; i++) {
		HASH_FIND_INT(walk.seen, &links[i]->ifindex, seen);
		if (!seen)
			r = walk_tree(&walk, links[i], 0);
	}
	HASH_CLEAR(hh, walk.seen);
	if (r < 0) {
		free(walk.nodes);
		return r;
	}
	*ret = walk.nodes;
	*ret_n = walk.n;
	return 0;
}
