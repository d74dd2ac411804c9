/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/link_state.h"

#include "basic/util.h"

static size_t *count_of(struct link_states *states, enum link_mark mark)
{
	return mark == LINK_MARK_DIRTY ? &states->n_dirty : &states->n_deferred;
}

void link_state_unmark(struct link_states *states, struct link_state *state)
{
	if (state->mark == LINK_MARK_NONE)
		return;
	LIST_REMOVE(state, marked);
	--*count_of(states, state->mark);
	state->mark = LINK_MARK_NONE;
	state->changed = false;
}

void link_states_mark(struct link_states *states, int ifindex, enum link_mark mark, bool changed)
{
	struct link_state *state = link_states_get(states, ifindex);

	if (!state) {
		states->lost = true;
		return;
	}
	state->changed |= changed;
	if (mark <= state->mark)
		return;
	if (state->mark == LINK_MARK_NONE)
		LIST_INSERT_HEAD(&states->marked, state, marked);
	else
		--*count_of(states, state->mark);
	++*count_of(states, mark);
	state->mark = mark;
}

struct link_refusals *link_state_refusals(struct link_state *state)
{
	if (!state->refusals)
		state->refusals = calloc(1, sizeof(*state->refusals));
	return state->refusals;
}

struct link_contention *link_state_contention(struct link_state *state)
{
	if (!state->contention)
		state->contention = calloc(1, sizeof(*state->contention));
	return state->contention;
}

struct link_limit_state *link_state_limits(struct link_state *state)
{
	if (!state->limits)
		state->limits = calloc(1, sizeof(*state->limits));
	return state->limits;
}

void link_state_forget_refusals(struct link_state *state)
{
	if (state->limits) {
		free(state->limits->refusals.words);
		state->limits->refusals = (struct link_refusals){ 0 };
	}
	if (state->refusals)
		free(state->refusals->words);
	free(state->refusals);
	state->refusals = NULL;
}

struct link_reported *link_states_reported(struct link_states *states, struct link_state *state)
{
	if (!state->reported) {
		state->reported = calloc(1, sizeof(*state->reported));
		states->n_reported += state->reported != NULL;
	}
	return state->reported;
}

void link_states_forget_reported(struct link_states *states, struct link_state *state)
{
	if (!state->reported)
		return;
	states->n_reported--;
	for (unsigned i = 0; i < LINK_PROBLEMS; i++)
		free(state->reported->problems[i].words);
	free(state->reported);
	state->reported = NULL;
}

static void drop(struct link_states *states, struct link_state *state)
{
	link_states_forget_reported(states, state);
	link_state_unmark(states, state);
	states->n_contended -= link_state_unresolved(state) || link_state_limits_unresolved(state);
	link_state_forget_refusals(state);
	HASH_DEL(states->list, state);
	if (state->contention)
		free(state->contention->repairs);
	free(state->contention);
	if (state->limits)
		free(state->limits->contention.repairs);
	free(state->limits);
	free(state);
}

void link_states_remove(struct link_states *states, int ifindex)
{
	struct link_state *state = link_states_find(states, ifindex);

	if (state)
		drop(states, state);
}

void link_states_clear(struct link_states *states)
{
	struct link_state *state, *next;

	HASH_ITER(hh, states->list, state, next)
	{
		drop(states, state);
	}
	states->lost = false;
}

struct link_state *link_states_find(const struct link_states *states, int ifindex)
{
	struct link_state *state = NULL;

	if (states)
		HASH_FIND_INT(states->list, &ifindex, state);
	return state;
}

struct link_state *link_states_get(struct link_states *states, int ifindex)
{
	struct link_state *state = link_states_find(states, ifindex);

	if (state)
		return state;
	state = calloc(1, sizeof(*state));
	if (!state)
		return NULL;
	state->ifindex = ifindex;
	if (hash_add(states->list, ifindex, state) < 0) {
		free(state);
		return NULL;
	}
	return state;
}

static int compare_ifindex(const void *a, const void *b)
{
	const struct link_state *const *x = a, *const *y = b;

	return COMPARE((*x)->ifindex, (*y)->ifindex);
}

int link_states_sorted(const struct link_states *states, const struct link_state ***ret, size_t *ret_n)
{
	size_t n = 0;

	*ret = calloc(HASH_COUNT(states->list) + 1, sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	link_states_foreach(states, state)
		(*ret)[n++] = state;
	qsort(*ret, n, sizeof(**ret), compare_ifindex);
	*ret_n = n;
	return 0;
}

enum verdict link_result_verdict(const struct link_result *result)
{
	enum verdict worst = result->foreign ? VERDICT_UNSUPPORTED : VERDICT_COMPLIANT;

	for (int v = 0; v < VERDICT_COUNT; v++)
		if (result->features[v] || result->limits[v])
			worst = verdict_worse(worst, (enum verdict)v);
	return worst;
}

bool link_result_is_drift(const struct link_result *result)
{
	static const enum verdict verdicts[] = { VERDICT_DRIFTED, VERDICT_REFUSED, VERDICT_CONTENDED, VERDICT_PAUSED };

	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++)
		if (result->features[verdicts[i]] || result->limits[verdicts[i]])
			return true;
	return false;
}

void link_result_count(const struct link_result *result, size_t counts[VERDICT_COUNT])
{
	for (int v = 0; v < VERDICT_COUNT; v++)
		counts[v] += (size_t)__builtin_popcountll(result->features[v]) + (size_t)__builtin_popcount(result->limits[v]);
	counts[VERDICT_UNSUPPORTED] += result->foreign;
}

void link_states_summarize(const struct link_states *states, struct link_summary *ret)
{
	*ret = (struct link_summary){ 0 };
	link_states_foreach(states, state) {
		size_t counts[VERDICT_COUNT] = { 0 };

		if (!state->result.declared)
			continue;
		link_result_count(&state->result, counts);
		ret->declared++;
		ret->pending += state->result.pending;
		ret->unread += state->result.unread;
		verdict_count_link(counts, ret->links);
		for (int v = 0; v < VERDICT_COUNT; v++)
			ret->features[v] += counts[v];
	}
}
