/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "compare/diff_match.h"

#include <errno.h>
#include <string.h>

#include "basic/util.h"

#define ROLE_DEPTH_MAX 8
#define ROUNDS_MAX 16
#define PAIRS_MAX (1u << 23) /* pairs to try within one role; above this links are matched by name only */

static void append_role(const struct snapshot *s, const struct snapshot_stack *stack, size_t i,
	unsigned depth, char *buf, size_t size)
{
	const struct snapshot_link *l = &s->links[i];

	util_append(buf, size, "%s", l->kind[0] ? l->kind : "interface");
	if (stack->lower[i] != SNAPSHOT_NONE && depth < ROLE_DEPTH_MAX) {
		util_append(buf, size, " on ");
		append_role(s, stack, stack->lower[i], depth + 1, buf, size);
	} else if (l->lower_elsewhere) {
		util_append(buf, size, " on an interface in another namespace");
	}
	if (stack->n_ports[i])
		util_append(
			buf, size, " of %zu %s", stack->n_ports[i], s->links[stack->port[i]].kind);
}

static void role_of(
	const struct snapshot *s, const struct snapshot_stack *stack, size_t i, char *buf, size_t size)
{
	buf[0] = '\0';
	append_role(s, stack, i, 0, buf, size);
	if (stack->master[i] != SNAPSHOT_NONE) {
		util_append(buf, size, ", port of ");
		append_role(s, stack, stack->master[i], 1, buf, size);
	}
}

static void pair(size_t *partner[2], size_t a, size_t b)
{
	partner[0][a] = b;
	partner[1][b] = a;
}

int diff_match_names(struct diff *d, const struct snapshot_stack stack[2], size_t *partner[2])
{
	size_t i = 0, j = 0;

	while (i < d->a->n_links && j < d->b->n_links) {
		size_t a = stack[0].by_name[i], b = stack[1].by_name[j];
		int c = strcmp(d->a->links[a].name, d->b->links[b].name);

		if (c == 0)
			pair(partner, a, b);
		i += c <= 0;
		j += c >= 0;
	}
	return 0;
}

/* A link of either side, for the list by role. */
struct entry {
	char role[DIFF_ROLE_LEN];
	unsigned side;
	size_t link;
};

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return strcmp(x->role, y->role) ?: COMPARE(x->side, y->side) ?: COMPARE(x->link, y->link);
}

/* The links of one role, A's before B's. */
struct role {
	const struct entry *a, *b;
	size_t n_a, n_b;
};

struct matcher {
	struct diff *d;
	const struct snapshot_stack *stack;
	size_t **partner;
	size_t *hint[2]; /* the partner that follows from matched links above or ports */
	bool by_name;    /* also use names, after the stack alone gave no more matches */
};

/* Do two neighbours in the stack match? 1: yes, 0: not known, -1: no. */
static int agree(const struct matcher *m, size_t a, size_t b)
{
	if ((a == SNAPSHOT_NONE) != (b == SNAPSHOT_NONE))
		return -1;
	if (a == SNAPSHOT_NONE || (m->partner[0][a] == SNAPSHOT_NONE && m->partner[1][b] == SNAPSHOT_NONE))
		return 0;
	return m->partner[0][a] == b ? 1 : -1;
}

/* The likelihood that a and b are the same link; -1: they are not. */
static int score(const struct matcher *m, const struct role *role, size_t a, size_t b)
{
	const struct snapshot_link *x = &m->d->a->links[a], *y = &m->d->b->links[b];
	int lower = agree(m, m->stack[0].lower[a], m->stack[1].lower[b]),
	    master = agree(m, m->stack[0].master[a], m->stack[1].master[b]);

	if (lower < 0 || master < 0)
		return -1;
	if (x->vlan_id != y->vlan_id && (role->n_a > 1 || role->n_b > 1))
		return -1;
	return (m->hint[0][a] == b && m->hint[1][b] == a ? 8 : 0) + (lower || master ? 4 : 0) +
	       (x->vlan_id && x->vlan_id == y->vlan_id ? 2 : 0) +
	       (m->by_name && strcmp(x->name, y->name) == 0 ? 1 : 0);
}

/* The link of the other side with the highest score; SNAPSHOT_NONE if several have it. */
static size_t best_of(const struct matcher *m, const struct role *role, unsigned side, size_t link)
{
	const struct entry *others = side ? role->a : role->b;
	size_t n = side ? role->n_a : role->n_b, best = SNAPSHOT_NONE;
	int most = -1;

	for (size_t i = 0; i < n; i++) {
		size_t other = others[i].link;
		int s;

		if (m->partner[!side][other] != SNAPSHOT_NONE)
			continue;
		s = side ? score(m, role, other, link) : score(m, role, link, other);
		if (s == most)
			best = SNAPSHOT_NONE;
		if (s > most) {
			most = s;
			best = other;
		}
	}
	return best;
}

static void hint(struct matcher *m, size_t a, size_t b)
{
	if (a == SNAPSHOT_NONE || b == SNAPSHOT_NONE)
		return;
	m->hint[0][a] = b;
	m->hint[1][b] = a;
}

static void match(struct matcher *m, size_t a, size_t b)
{
	pair(m->partner, a, b);
	hint(m, m->stack[0].lower[a], m->stack[1].lower[b]);
	hint(m, m->stack[0].master[a], m->stack[1].master[b]);
}

/* For roles with more than PAIRS_MAX pairs. */
static bool match_names_within(struct matcher *m, const struct role *role)
{
	bool any = false;

	for (size_t i = 0; i < role->n_a; i++) {
		size_t a = role->a[i].link,
		       b = snapshot_find_name(m->d->b, &m->stack[1], m->d->a->links[a].name);

		if (b == SNAPSHOT_NONE || m->partner[0][a] != SNAPSHOT_NONE ||
			m->partner[1][b] != SNAPSHOT_NONE || score(m, role, a, b) < 0)
			continue;
		match(m, a, b);
		any = true;
	}
	return any;
}

static bool match_role(struct matcher *m, const struct role *role)
{
	bool any = false;

	if (role->n_a && role->n_b > PAIRS_MAX / role->n_a)
		return m->by_name && match_names_within(m, role);
	for (size_t i = 0; i < role->n_a; i++) {
		size_t a = role->a[i].link, b;

		if (m->partner[0][a] != SNAPSHOT_NONE)
			continue;
		b = best_of(m, role, 0, a);
		if (b == SNAPSHOT_NONE || best_of(m, role, 1, b) != a)
			continue;
		match(m, a, b);
		any = true;
	}
	return any;
}

static bool same_state(const struct snapshot_link *a, const struct snapshot_link *b)
{
	return a->has_features == b->has_features && a->features.hw == b->features.hw &&
	       a->features.wanted == b->features.wanted &&
	       a->features.active == b->features.active &&
	       a->features.nochange == b->features.nochange && strcmp(a->driver, b->driver) == 0;
}

/* Collects the unmatched links of a role on one side with the same VLAN id and place in the stack as link
 * `like` of A. */
static size_t collect(const struct matcher *m, const struct role *role, unsigned side, size_t like,
	bool *ret_alike, size_t *ret)
{
	const struct snapshot *s = side ? m->d->b : m->d->a;
	const struct entry *entries = side ? role->b : role->a;
	size_t n_entries = side ? role->n_b : role->n_a, n = 0;

	*ret_alike = true;
	for (size_t i = 0; i < n_entries; i++) {
		size_t link = entries[i].link;

		if (m->partner[side][link] != SNAPSHOT_NONE ||
			s->links[link].vlan_id != m->d->a->links[like].vlan_id)
			continue;
		if (side ? agree(m, m->stack[0].lower[like], m->stack[1].lower[link]) < 0 ||
					agree(m, m->stack[0].master[like],
						m->stack[1].master[link]) < 0
			 : m->stack[0].lower[like] != m->stack[0].lower[link] ||
					m->stack[0].master[like] != m->stack[0].master[link])
			continue;
		if (n && !same_state(&s->links[ret[0]], &s->links[link]))
			*ret_alike = false;
		ret[n++] = link;
	}
	return n;
}

static int add_ambiguous(
	struct diff *d, const struct role *role, size_t *a, size_t n_a, size_t *b, size_t n_b)
{
	struct diff_ambiguous *one;

	if (!GROW(d->ambiguous, d->n_ambiguous))
		return -ENOMEM;
	one = &d->ambiguous[d->n_ambiguous++];
	*one = (struct diff_ambiguous){ .a = a, .b = b, .n_a = n_a, .n_b = n_b };
	memcpy(one->role, role->a[0].role, sizeof(one->role));
	return 0;
}

/* Handles the links of a role that are still unmatched: if they are all alike, any match is correct;
 * otherwise they are ambiguous. done: links that were handled already. */
static int settle(struct matcher *m, const struct role *role, bool *done[2])
{
	for (size_t i = 0; i < role->n_a; i++) {
		size_t like = role->a[i].link, n_a, n_b;
		_cleanup_free_ size_t *a = NULL, *b = NULL;
		bool alike_a, alike_b;

		if (m->partner[0][like] != SNAPSHOT_NONE || done[0][like])
			continue;
		a = calloc(role->n_a + 1, sizeof(*a));
		b = calloc(role->n_b + 1, sizeof(*b));
		if (!a || !b)
			return -ENOMEM;
		n_a = collect(m, role, 0, like, &alike_a, a);
		n_b = collect(m, role, 1, like, &alike_b, b);
		for (size_t j = 0; j < n_a; j++)
			done[0][a[j]] = true;
		if (n_b && n_a == n_b && alike_a && alike_b) {
			for (size_t j = 0; j < n_a; j++)
				match(m, a[j], b[j]);
			continue;
		}
		for (size_t j = 0; j < n_b; j++)
			if (done[1][b[j]])
				n_b = 0;
		if (n_b == 0)
			continue;
		for (size_t j = 0; j < n_b; j++)
			done[1][b[j]] = true;
		if (add_ambiguous(m->d, role, a, n_a, b, n_b) < 0)
			return -ENOMEM;
		a = b = NULL;
	}
	return 0;
}

static void list_entries(
	const struct snapshot *s, const struct snapshot_stack *stack, unsigned side, struct entry *ret)
{
	for (size_t i = 0; i < s->n_links; i++) {
		ret[i].side = side;
		ret[i].link = i;
		role_of(s, stack, i, ret[i].role, sizeof(ret[i].role));
	}
}

static size_t split_roles(const struct entry *entries, size_t n, struct role *ret)
{
	size_t n_roles = 0;

	for (size_t i = 0; i < n; i++) {
		struct role *role;

		if (i == 0 || strcmp(entries[i].role, entries[i - 1].role) != 0)
			ret[n_roles++] = (struct role){ .a = &entries[i], .b = &entries[i] };
		role = &ret[n_roles - 1];
		if (entries[i].side) {
			if (role->n_b++ == 0)
				role->b = &entries[i];
		} else {
			role->n_a++;
		}
	}
	return n_roles;
}

static void match_rounds(struct matcher *m, const struct role *roles, size_t n_roles)
{
	bool any = true;

	for (unsigned round = 0; any && round < ROUNDS_MAX; round++) {
		any = false;
		for (size_t i = 0; i < n_roles; i++)
			any |= match_role(m, &roles[i]);
	}
}

static int match_all(struct matcher *m, const struct role *roles, size_t n_roles)
{
	size_t n_a = m->d->a->n_links, n_b = m->d->b->n_links;
	_cleanup_free_ bool *done_a = calloc(n_a + 1, sizeof(bool)),
			    *done_b = calloc(n_b + 1, sizeof(bool));
	bool *done[2] = { done_a, done_b };

	if (!done_a || !done_b)
		return -ENOMEM;
	match_rounds(m, roles, n_roles);
	m->by_name = true;
	match_rounds(m, roles, n_roles);
	for (size_t i = 0; i < n_roles; i++) {
		int r = settle(m, &roles[i], done);

		if (r < 0)
			return r;
	}
	return 0;
}

size_t *diff_new_partners(size_t n)
{
	size_t *p = calloc(n + 1, sizeof(*p));

	for (size_t i = 0; p && i < n; i++)
		p[i] = SNAPSHOT_NONE;
	return p;
}

int diff_match_roles(struct diff *d, const struct snapshot_stack stack[2], size_t *partner[2])
{
	size_t n = d->a->n_links + d->b->n_links;
	_cleanup_free_ struct entry *entries = calloc(n + 1, sizeof(*entries));
	_cleanup_free_ struct role *roles = calloc(n + 1, sizeof(*roles));
	_cleanup_free_ size_t *hint_a = diff_new_partners(d->a->n_links),
			      *hint_b = diff_new_partners(d->b->n_links);
	struct matcher m = {
		.d = d, .stack = stack, .partner = partner, .hint = { hint_a, hint_b }
	};

	if (!entries || !roles || !hint_a || !hint_b)
		return -ENOMEM;
	list_entries(d->a, &stack[0], 0, entries);
	list_entries(d->b, &stack[1], 1, entries + d->a->n_links);
	qsort(entries, n, sizeof(*entries), compare_entries);
	return match_all(&m, roles, split_roles(entries, n, roles));
}
