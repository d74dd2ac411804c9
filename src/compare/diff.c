/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "compare/diff.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "compare/diff_match.h"
#include "plan/predict.h"
#include "basic/util.h"

#define AMBIGUOUS (SNAPSHOT_NONE - 1) /* value of a partner */

/* Properties and test modes of a device: their change is not the loss of an offload. */
static const char *const no_offloads[] = { "loopback", "netns-local", "rx-all", "rx-fcs",
	"tx-lockless", "vlan-challenged" };

/* A change on one pair, before groups are made. */
struct found {
	struct diff_group group;
	size_t pair;
};

/* State of the comparison. */
struct work {
	struct diff *d;
	struct snapshot_stack stack[2];
	size_t *partner[2];
	size_t *pair_of;              /* by link of A */
	feature_set map[FEATURE_MAX]; /* the bit of B for each bit of A; empty: B does not have it */
	feature_set common, no_offloads;
	feature_set all[FEATURE_MAX], any[FEATURE_MAX]; /* predict_needs() */
	feature_set *lost, *gained;                     /* by pair */
	struct found *found;
	size_t n_found;
};

const char *diff_change_name(enum diff_change change)
{
	static const char *const names[DIFF_CHANGES] = { [DIFF_LOST] = "lost", [DIFF_UNLISTED] = "unlisted",
		[DIFF_GAINED] = "gained", [DIFF_OTHER] = "changed", [DIFF_REQUESTED] = "requested",
		[DIFF_FIXED] = "fixed" };

	return names[change];
}

const char *diff_state_name(unsigned state)
{
	static const char *const names[] = { "off", "on", "off [fixed]", "on [fixed]",
		"off [requested on]", "on [requested off]", "not listed" };

	return state < ARRAY_SIZE(names) ? names[state] : "";
}

/* As in ethtool -k, a feature that cannot be changed has no mark for a request. */
static unsigned state_of(const struct snapshot_link *link, feature_set bit)
{
	unsigned on = link->features.active & bit ? DIFF_ON : 0;

	if (!(snapshot_changeable(link) & bit))
		return on | DIFF_FIXED_THERE;
	return on | (!(link->features.wanted & bit) == !on ? 0 : DIFF_ASKED_ELSE);
}

/* A link of B with the feature bits of A. */
static struct snapshot_link translate(const struct work *w, const struct snapshot_link *b)
{
	const feature_set listed = snapshot_listed(w->d->b, b);
	struct snapshot_link to = *b;
	unsigned bit;

	to.features = (struct link_features){ 0 };
	to.listed = 0;
	feature_foreach (bit, w->common) {
		feature_set there = w->map[bit], here = FEATURE(bit);

		to.listed |= listed & there ? here : 0;
		to.features.hw |= b->features.hw & there ? here : 0;
		to.features.wanted |= b->features.wanted & there ? here : 0;
		to.features.active |= b->features.active & there ? here : 0;
		to.features.nochange |= b->features.nochange & there ? here : 0;
	}
	return to;
}

static void compare_tables(struct work *w)
{
	const struct feature_table *a = &w->d->a->features, *b = &w->d->b->features;

	for (unsigned bit = 0; bit < a->count; bit++) {
		if (!a->name[bit][0])
			continue;
		w->map[bit] = feature_named(b, a->name[bit]);
		if (w->map[bit])
			w->common |= FEATURE(bit);
		else
			w->d->unknown_in_b |= FEATURE(bit);
	}
	for (unsigned bit = 0; bit < b->count; bit++)
		if (b->name[bit][0] && feature_bit(a, b->name[bit]) < 0)
			w->d->unknown_in_a |= FEATURE(bit);
	for (size_t i = 0; i < ARRAY_SIZE(no_offloads); i++)
		w->no_offloads |= feature_named(a, no_offloads[i]);
	w->d->other_kernel =
		*w->d->a->kernel && *w->d->b->kernel && strcmp(w->d->a->kernel, w->d->b->kernel);
}

/* The dependencies of the kernel of B, where features were lost, else of A; if neither is known, of the
 * newest kernel, which has them all. */
static int learn_needs(struct work *w)
{
	const struct diff *d = w->d;
	struct rule_host host = { 0 };
	_cleanup_(predict_free_pointer) struct predict *p = NULL;
	const struct link_table none = { 0 };
	feature_set not ;
	int r;

	snprintf(host.kernel_release, sizeof(host.kernel_release), "%s",
		*d->b->kernel ? d->b->kernel : *d->a->kernel ? d->a->kernel : "99.0");
	r = predict_new(&d->a->features, &none, &host, &p);
	if (r < 0)
		return r;
	for (unsigned bit = 0; bit < d->a->features.count; bit++)
		predict_needs(p, NULL, bit, &w->all[bit], &w->any[bit], &not );
	return 0;
}

/* The features among `changed` that depend on `bit`, directly or indirectly. A feature that needs one of
 * several others depends on them if all are off. off: the features that are off on the side where `changed`
 * are off. */
static feature_set dependents(
	const struct work *w, unsigned bit, feature_set changed, feature_set off)
{
	feature_set found = 0, next = FEATURE(bit);
	unsigned i;

	while (next) {
		feature_set causes = next;

		next = 0;
		feature_foreach (i, changed & ~found & ~FEATURE(bit))
			if ((w->all[i] & causes) || ((w->any[i] & causes) && !(w->any[i] & ~off)))
				next |= FEATURE(i);
		found |= next;
	}
	return found;
}

static int compare_likeness(const struct diff_group *x, const struct diff_group *y)
{
	return COMPARE(x->change, y->change) ?: COMPARE(x->a_state, y->a_state) ?:
		COMPARE(x->b_state, y->b_state) ?: x->follows - y->follows;
}

static int compare_found(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	return compare_likeness(&x->group, &y->group) ?: COMPARE(x->group.features, y->group.features) ?:
		COMPARE(x->group.costs, y->group.costs) ?: COMPARE(x->pair, y->pair);
}

static bool same_group(const struct diff_group *x, const struct diff_group *y)
{
	return compare_likeness(x, y) == 0 && x->features == y->features && x->costs == y->costs;
}

/* Joins equal changes on different links. */
static int make_groups(struct work *w)
{
	struct diff *d = w->d;

	d->groups = calloc(w->n_found + 1, sizeof(*d->groups));
	if (!d->groups)
		return -ENOMEM;
	if (w->n_found)
		qsort(w->found, w->n_found, sizeof(*w->found), compare_found);
	for (size_t i = 0; i < w->n_found; i++) {
		struct diff_group *g = d->n_groups ? &d->groups[d->n_groups - 1] : NULL;

		if (!g || !same_group(g, &w->found[i].group)) {
			g = &d->groups[d->n_groups++];
			*g = w->found[i].group;
		}
		if (!GROW(g->pairs, g->n_pairs))
			return -ENOMEM;
		g->pairs[g->n_pairs++] = w->found[i].pair;
	}
	return 0;
}

/* Atoms: features of one link with the same change, and the features that depend on them. */
struct atoms {
	struct diff_group group[FEATURE_MAX];
	size_t n;
};

static void add_atom(struct atoms *atoms, const struct diff_group *atom)
{
	for (size_t i = 0; i < atoms->n; i++) {
		struct diff_group *o = &atoms->group[i];

		if (!(o->costs & atom->costs) || o->a_state != atom->a_state ||
			o->b_state != atom->b_state || o->follows != atom->follows)
			continue;
		o->features |= atom->features;
		o->costs |= atom->costs;
		return;
	}
	atoms->group[atoms->n++] = *atom;
}

/* Splits `changed` into atoms. */
static void split(const struct work *w, enum diff_change change, const struct snapshot_link *a,
	const struct snapshot_link *b, feature_set changed, feature_set below, struct atoms *ret)
{
	const struct snapshot_link *off = change == DIFF_GAINED ? a : b;
	bool depends = change == DIFF_LOST || change == DIFF_GAINED;
	feature_set fallen = 0;
	unsigned bit;

	ret->n = 0;
	for (feature_set rest = depends ? changed : 0; rest; rest &= rest - 1)
		fallen |= dependents(
			w, (unsigned)__builtin_ctzll(rest), changed, ~off->features.active);
	feature_foreach (bit, changed & ~fallen) {
		struct diff_group atom = { .change = change,
			.features = FEATURE(bit),
			.a_state = state_of(a, FEATURE(bit)),
			.b_state = change == DIFF_UNLISTED ? DIFF_NOT_LISTED : state_of(b, FEATURE(bit)),
			.follows = depends && (below & FEATURE(bit)) };

		if (depends)
			atom.costs = dependents(w, bit, changed, ~off->features.active);
		add_atom(ret, &atom);
	}
}

static int add_atoms(struct work *w, size_t pair, enum diff_change change,
	const struct snapshot_link *a, const struct snapshot_link *b, feature_set changed,
	feature_set below)
{
	struct atoms atoms;

	split(w, change, a, b, changed, below, &atoms);
	for (size_t i = 0; i < atoms.n; i++) {
		if (!GROW(w->found, w->n_found))
			return -ENOMEM;
		w->found[w->n_found++] = (struct found){ .group = atoms.group[i], .pair = pair };
	}
	return 0;
}

/* The features with the same change on the link below or on the first port, where the cause is. */
static feature_set changed_below(const struct work *w, const feature_set *sets, size_t a)
{
	size_t lower = w->stack[0].lower[a], port = w->stack[0].port[a];
	feature_set found = 0;

	if (lower != SNAPSHOT_NONE && w->pair_of[lower] != SNAPSHOT_NONE)
		found |= sets[w->pair_of[lower]];
	if (w->stack[0].n_ports[a] && w->pair_of[port] != SNAPSHOT_NONE)
		found |= sets[w->pair_of[port]];
	return found;
}

static bool readable(const struct diff *d, size_t pair)
{
	return d->a->links[d->pairs[pair].a].has_features &&
	       d->b->links[d->pairs[pair].b].has_features;
}

/* The features of a pair that both sides know. b: translated. */
static feature_set compared(const struct work *w, const struct snapshot_link *a, const struct snapshot_link *b)
{
	return w->common & snapshot_listed(w->d->a, a) & b->listed;
}

static void find_changes(struct work *w)
{
	struct diff *d = w->d;

	for (size_t i = 0; i < d->n_pairs; i++) {
		const struct snapshot_link *a = &d->a->links[d->pairs[i].a];
		const struct snapshot_link b = translate(w, &d->b->links[d->pairs[i].b]);

		if (!readable(d, i))
			continue;
		w->lost[i] = a->features.active & ~b.features.active & compared(w, a, &b);
		w->gained[i] = b.features.active & ~a->features.active & compared(w, a, &b);
	}
}

static int compare_pair(struct work *w, size_t i)
{
	struct diff *d = w->d;
	size_t at = d->pairs[i].a;
	const struct snapshot_link *a = &d->a->links[at];
	const struct snapshot_link b = translate(w, &d->b->links[d->pairs[i].b]);
	feature_set same = compared(w, a, &b) & ~w->lost[i] & ~w->gained[i], can_a = snapshot_changeable(a),
		    can_b = snapshot_changeable(&b), fixed = same & (can_a ^ can_b), asked;
	feature_set sets[DIFF_CHANGES] = {
		[DIFF_LOST] = w->lost[i] & ~w->no_offloads,
		[DIFF_GAINED] = w->gained[i] & ~w->no_offloads,
		[DIFF_OTHER] = (w->lost[i] | w->gained[i]) & w->no_offloads,
		[DIFF_FIXED] = fixed,
	};

	if (d->b->form == SNAPSHOT_ETHTOOL)
		sets[DIFF_UNLISTED] = a->features.active & can_a & ~b.listed & ~w->no_offloads;
	asked = (a->features.wanted ^ b.features.wanted) & can_a & can_b;
	sets[DIFF_REQUESTED] = same & asked;
	d->lost += (size_t)__builtin_popcountll(sets[DIFF_LOST]);
	d->unlisted += (size_t)__builtin_popcountll(sets[DIFF_UNLISTED]);
	for (int change = 0; change < DIFF_CHANGES; change++) {
		const feature_set *all = change == DIFF_GAINED ? w->gained : w->lost;
		int r = add_atoms(w, i, (enum diff_change)change, a, &b, sets[change],
			changed_below(w, all, at));

		if (r < 0)
			return r;
	}
	return 0;
}

static int compare_pairs(const struct diff_group *x, const struct diff_group *y)
{
	return COMPARE(x->n_pairs, y->n_pairs) ?: memcmp(x->pairs, y->pairs, x->n_pairs * sizeof(*x->pairs));
}

/* Groups that can be joined are equal. */
static int compare_joinable(const void *a, const void *b)
{
	const struct diff_group *x = a, *y = b;

	return compare_likeness(x, y) ?: (x->costs > 0) - (y->costs > 0) ?: compare_pairs(x, y);
}

/* Joins features with the same change on the same links, if no others depend on them. */
static void join_groups(struct diff *d)
{
	size_t n = 0;

	if (d->n_groups)
		qsort(d->groups, d->n_groups, sizeof(*d->groups), compare_joinable);
	for (size_t i = 0; i < d->n_groups; i++) {
		struct diff_group *g = &d->groups[i], *o = n ? &d->groups[n - 1] : NULL;

		if (o && !g->costs && compare_joinable(o, g) == 0) {
			o->features |= g->features;
			free(g->pairs);
		} else {
			d->groups[n++] = *g;
		}
	}
	d->n_groups = n;
}

static int compare_groups(const void *a, const void *b)
{
	const struct diff_group *x = a, *y = b;

	return COMPARE(x->change, y->change) ?: x->follows - y->follows ?: COMPARE(x->pairs[0], y->pairs[0]) ?:
		COMPARE(x->features, y->features);
}

static int compare_features(struct work *w)
{
	struct diff *d = w->d;
	int r = 0;

	w->lost = calloc(d->n_pairs + 1, sizeof(*w->lost));
	w->gained = calloc(d->n_pairs + 1, sizeof(*w->gained));
	if (!w->lost || !w->gained)
		return -ENOMEM;
	find_changes(w);
	for (size_t i = 0; r >= 0 && i < d->n_pairs; i++)
		r = readable(d, i) ? compare_pair(w, i) : 0;
	if (r < 0)
		return r;
	r = make_groups(w);
	if (r < 0)
		return r;
	join_groups(d);
	if (d->n_groups)
		qsort(d->groups, d->n_groups, sizeof(*d->groups), compare_groups);
	return 0;
}

static int add_field(struct diff *d, size_t pair, const char *what, const char *a, const char *b)
{
	struct diff_field *field;

	if (strcmp(a, b) == 0)
		return 0;
	if (!GROW(d->fields, d->n_fields))
		return -ENOMEM;
	field = &d->fields[d->n_fields++];
	*field = (struct diff_field){ .pair = pair, .what = what };
	snprintf(field->a, sizeof(field->a), "%s", *a ? a : "none");
	snprintf(field->b, sizeof(field->b), "%s", *b ? b : "none");
	return 0;
}

/* The features lost with a link that is missing or cannot be read. */
static size_t count_lost(const struct snapshot_link *a)
{
	return (size_t)__builtin_popcountll(a->features.active & snapshot_changeable(a));
}

/* Adds the link below or the master, unless both sides have the same one under different names. */
static int add_place(struct work *w, size_t pair, const char *what, const size_t *a_places,
	const char *a, const size_t *b_places, const char *b)
{
	size_t at = a_places[w->d->pairs[pair].a], to = b_places[w->d->pairs[pair].b];

	if (at != SNAPSHOT_NONE && to != SNAPSHOT_NONE && w->partner[0][at] == to)
		return 0;
	return add_field(w->d, pair, what, a, b);
}

static const char *readability(const struct snapshot_link *link)
{
	return link->has_features ? "readable" : *link->error ? link->error : "unreadable";
}

/* A limit that only one kernel reports is not a difference. */
static int add_limit(struct diff *d, size_t pair, enum link_limit limit, const struct link_limits *a, const struct link_limits *b)
{
	char text_a[16], text_b[16];

	if (!(a->has & b->has & LINK_LIMIT(limit)) || a->value[limit] == b->value[limit])
		return 0;
	snprintf(text_a, sizeof(text_a), "%" PRIu32, a->value[limit]);
	snprintf(text_b, sizeof(text_b), "%" PRIu32, b->value[limit]);
	return add_field(d, pair, link_limit_name(limit), text_a, text_b);
}

static int compare_fields(struct work *w, size_t i)
{
	const struct snapshot_link *a = &w->d->a->links[w->d->pairs[i].a],
				   *b = &w->d->b->links[w->d->pairs[i].b];
	char vlan_a[16] = "", vlan_b[16] = "";
	int r;

	if (a->has_features != b->has_features) {
		r = add_field(w->d, i, "features", readability(a), readability(b));
		if (r < 0)
			return r;
		w->d->lost += count_lost(a);
	}
	if (w->d->a->form == SNAPSHOT_ETHTOOL || w->d->b->form == SNAPSHOT_ETHTOOL)
		return 0;
	if (a->vlan_id)
		snprintf(vlan_a, sizeof(vlan_a), "%u", a->vlan_id);
	if (b->vlan_id)
		snprintf(vlan_b, sizeof(vlan_b), "%u", b->vlan_id);
	r = add_field(w->d, i, "kind", a->kind, b->kind);
	if (r >= 0)
		r = add_field(w->d, i, "driver", a->driver, b->driver);
	if (r >= 0)
		r = add_field(w->d, i, "vlan id", vlan_a, vlan_b);
	if (r >= 0)
		r = add_place(w, i, "stacked on", w->stack[0].lower, a->lower, w->stack[1].lower,
			b->lower);
	if (r >= 0)
		r = add_place(w, i, "port of", w->stack[0].master, a->master, w->stack[1].master,
			b->master);
	for (unsigned limit = 0; r >= 0 && limit < LINK_LIMIT_COUNT; limit++)
		r = add_limit(w->d, i, limit, &a->limits, &b->limits);
	return r;
}

static bool same_words(const struct snapshot_rule *a, const struct snapshot_rule *b)
{
	size_t found = 0;

	for (size_t i = 0; i < a->n_words; i++)
		for (size_t j = 0; j < b->n_words; j++)
			found += a->words[i].value == b->words[j].value && a->words[i].number == b->words[j].number &&
				 strcmp(a->words[i].word, b->words[j].word) == 0;
	return a->n_words == b->n_words && found == a->n_words;
}

static size_t find_rule(const struct snapshot *s, const char *file)
{
	for (size_t i = 0; i < s->n_rules; i++)
		if (strcmp(s->rules[i].file, file) == 0)
			return i;
	return SNAPSHOT_NONE;
}

static int compare_rules(struct diff *d)
{
	if (d->a->form == SNAPSHOT_ETHTOOL || d->b->form == SNAPSHOT_ETHTOOL)
		return 0;
	d->rules = calloc(d->a->n_rules + d->b->n_rules + 1, sizeof(*d->rules));
	if (!d->rules)
		return -ENOMEM;
	for (size_t i = 0; i < d->a->n_rules; i++) {
		const struct snapshot_rule *a = &d->a->rules[i];
		size_t j = find_rule(d->b, a->file);

		if (j == SNAPSHOT_NONE || a->mode != d->b->rules[j].mode ||
			!same_words(a, &d->b->rules[j]))
			d->rules[d->n_rules++] = (struct diff_rule){ .a = i, .b = j };
	}
	for (size_t j = 0; j < d->b->n_rules; j++)
		if (find_rule(d->a, d->b->rules[j].file) == SNAPSHOT_NONE)
			d->rules[d->n_rules++] = (struct diff_rule){ .a = SNAPSHOT_NONE, .b = j };
	return 0;
}

static void mark_ambiguous(struct work *w)
{
	for (size_t i = 0; i < w->d->n_ambiguous; i++) {
		const struct diff_ambiguous *o = &w->d->ambiguous[i];

		for (size_t j = 0; j < o->n_a; j++)
			w->partner[0][o->a[j]] = AMBIGUOUS;
		for (size_t j = 0; j < o->n_b; j++)
			w->partner[1][o->b[j]] = AMBIGUOUS;
	}
}

/* The output of ethtool has the links that a user selected: others are not missing, unless both snapshots are
 * such outputs. */
static bool may_miss(const struct snapshot *s, const struct snapshot *other)
{
	return s->form != SNAPSHOT_ETHTOOL || other->form == SNAPSHOT_ETHTOOL;
}

static int list_pairs(struct work *w)
{
	struct diff *d = w->d;

	d->pairs = calloc(d->a->n_links + 1, sizeof(*d->pairs));
	d->only_a = calloc(d->a->n_links + 1, sizeof(*d->only_a));
	d->only_b = calloc(d->b->n_links + 1, sizeof(*d->only_b));
	if (!d->pairs || !d->only_a || !d->only_b)
		return -ENOMEM;
	mark_ambiguous(w);
	for (size_t i = 0; i < d->a->n_links; i++) {
		const struct snapshot_link *link = &d->a->links[i];

		w->pair_of[i] = SNAPSHOT_NONE;
		if (w->partner[0][i] < AMBIGUOUS) {
			w->pair_of[i] = d->n_pairs;
			d->pairs[d->n_pairs++] = (struct diff_pair){ i, w->partner[0][i] };
		} else if (w->partner[0][i] == SNAPSHOT_NONE && may_miss(d->b, d->a)) {
			d->only_a[d->n_only_a++] = i;
			d->lost += count_lost(link);
		}
	}
	for (size_t i = 0; i < d->b->n_links; i++)
		if (w->partner[1][i] == SNAPSHOT_NONE && may_miss(d->a, d->b))
			d->only_b[d->n_only_b++] = i;
	return 0;
}

/* Two outputs of ethtool with one link each are compared regardless of the names. */
static bool one_each(const struct diff *d)
{
	return d->a->form == SNAPSHOT_ETHTOOL && d->b->form == SNAPSHOT_ETHTOOL &&
	       d->a->n_links == 1 && d->b->n_links == 1;
}

static int compare(struct work *w)
{
	struct diff *d = w->d;
	int r;

	if (one_each(d)) {
		w->partner[0][0] = w->partner[1][0] = 0;
		r = 0;
	} else {
		r = d->by_role ? diff_match_roles(d, w->stack, w->partner)
			       : diff_match_names(d, w->stack, w->partner);
	}
	if (r >= 0)
		r = list_pairs(w);
	compare_tables(w);
	if (r >= 0)
		r = learn_needs(w);
	if (r >= 0)
		r = compare_features(w);
	for (size_t i = 0; r >= 0 && i < d->n_pairs; i++)
		r = compare_fields(w, i);
	return r < 0 ? r : compare_rules(d);
}

static void clear_work(struct work *w)
{
	snapshot_stack_clear(&w->stack[0]);
	snapshot_stack_clear(&w->stack[1]);
	free(w->partner[0]);
	free(w->partner[1]);
	free(w->pair_of);
	free(w->lost);
	free(w->gained);
	free(w->found);
}

int diff_make(const struct snapshot *a, const struct snapshot *b,
	const struct diff_options *options, struct diff *ret)
{
	_cleanup_(clear_work) struct work w = { .d = ret };
	int r;

	*ret = (struct diff){ .a = a, .b = b, .by_role = options->by_role };
	if (options->by_role && (a->form == SNAPSHOT_ETHTOOL || b->form == SNAPSHOT_ETHTOOL))
		return -EOPNOTSUPP;
	w.partner[0] = diff_new_partners(a->n_links);
	w.partner[1] = diff_new_partners(b->n_links);
	w.pair_of = calloc(a->n_links + 1, sizeof(size_t));
	if (!w.partner[0] || !w.partner[1] || !w.pair_of || snapshot_stack_make(a, &w.stack[0]) < 0 ||
		snapshot_stack_make(b, &w.stack[1]) < 0)
		return -ENOMEM;
	r = compare(&w);
	if (r < 0)
		diff_clear(ret);
	return r;
}

void diff_clear(struct diff *d)
{
	for (size_t i = 0; i < d->n_groups; i++)
		free(d->groups[i].pairs);
	for (size_t i = 0; i < d->n_ambiguous; i++) {
		free(d->ambiguous[i].a);
		free(d->ambiguous[i].b);
	}
	free(d->pairs);
	free(d->groups);
	free(d->only_a);
	free(d->only_b);
	free(d->fields);
	free(d->ambiguous);
	free(d->rules);
	*d = (struct diff){ 0 };
}

bool diff_any(const struct diff *d)
{
	return d->n_groups || d->n_only_a || d->n_only_b || d->n_fields || d->n_ambiguous ||
	       d->n_rules;
}
