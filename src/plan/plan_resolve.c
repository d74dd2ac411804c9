/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "plan/plan_private.h"
#include "basic/util.h"

#define STACK_MAX 16 /* the kernel allows a depth of 8 (MAX_NEST_DEV); a table read during changes may have more */

/* Cache of could_have(). */
struct could {
	int ifindex;
	feature_set set;
	UT_hash_handle hh;
};

/* The features that rules declare off for this link: it cannot provide them to links above. *ret_all: those that it has only if
 * every port has them. */
static feature_set declared_off(const struct planner *p, const struct link *link, feature_set *ret_all)
{
	struct declaration declarations[FEATURE_MAX];
	feature_set off = 0;

	*ret_all = 0;
	rule_set_declare(p->context->rules, p->table, link, p->context->host, declarations, NULL, 0);
	for (unsigned bit = 0; bit < FEATURE_MAX; bit++) {
		off |= declarations[bit].value == RULE_OFF ? FEATURE(bit) : 0;
		*ret_all |= declarations[bit].value == RULE_LOWER_ALL ? FEATURE(bit) : 0;
	}
	return off;
}

static feature_set could_have(struct planner *p, const struct link *link, unsigned depth);

/* What the link itself can turn on: not what the owner, driver or host of a device keeps off. Only a request shows that; but turning
 * LRO off above clears the request below (netdev_sync_lower_features()), so for LRO that does not count. */
static feature_set own_features(const struct planner *p, const struct link *link)
{
	bool device = !planner_is_master(link) && !link_lower(p->table, link);

	return link->features.hw & ~(device ? predict_withheld(p->predict, link->ifindex) & ~p->sets.upper_disables : 0);
}

/* The generic checksum includes the others: netdev_intersect_features(). */
static feature_set spread_checksums(const struct planner *p, feature_set set)
{
	return set & p->sets.generic_checksum ? set | p->sets.checksums : set;
}

/* The features that the links below could provide to `link`. Any checksum below provides the generic checksum of a VLAN or
 * master. A link with nothing below has what its own hardware supports; for one on a link in another network namespace nothing
 * is known. */
static feature_set below_could_provide(struct planner *p, const struct link *link, unsigned depth)
{
	struct link *lower = link_lower(p->table, link);
	feature_set could = 0, known, offered;

	if (lower) {
		could = could_have(p, lower, depth + 1);
		if (link_is_kind(link, "vlan")) {
			offered = predict_vlan_features(p->predict, lower->ifindex, &known);
			could = spread_checksums(p, could) &
				(spread_checksums(p, offered) | ~known | p->sets.software);
			could |= could & p->sets.checksums ? p->sets.generic_checksum : 0;
		}
	} else if (planner_is_master(link)) {
		for (struct link *port = link_first_port(p->table, link); port;
			port = link_next_port(p->table, port))
			could |= could_have(p, port, depth + 1);
		could |= could & p->sets.checksums ? p->sets.generic_checksum : 0;
	} else if (link->lower_netnsid < 0 || link_has_peer(link)) {
		could = own_features(p, link);
	}
	return could;
}

/* The same for a master, if every port has to provide it. */
static feature_set ports_could_all_provide(struct planner *p, const struct link *link, unsigned depth)
{
	feature_set could = ~UINT64_C(0);

	for (struct link *port = link_first_port(p->table, link); port; port = link_next_port(p->table, port)) {
		feature_set one = could_have(p, port, depth + 1);

		could &= one | (one & p->sets.checksums ? p->sets.generic_checksum : 0);
	}
	return could;
}

/* The features that the link has or could have: they can be turned on, here and below, and no rule declares them off. Cached,
 * because every VLAN on a bond needs it. */
static feature_set could_have(struct planner *p, const struct link *link, unsigned depth)
{
	struct could *memo;
	feature_set set, off, all;

	HASH_FIND_INT(p->could, &link->ifindex, memo);
	if (memo)
		return memo->set;
	if (depth >= STACK_MAX || !link->has_features)
		return 0;
	off = declared_off(p, link, &all);
	set = (planner_state(p, link)->active | own_features(p, link)) & ~off;
	if (planner_is_master(link))
		set &= (below_could_provide(p, link, depth) | ~(p->sets.one_for_all | p->sets.checksums)) &
			(ports_could_all_provide(p, link, depth) | ~all);
	else if (planner_is_limited_by_lower(link) && link_lower(p->table, link))
		set &= below_could_provide(p, link, depth);
	memo = malloc(sizeof(*memo));
	if (memo) {
		*memo = (struct could){ .ifindex = link->ifindex, .set = set };
		if (hash_add(p->could, ifindex, memo) < 0)
			free(memo);
	}
	return set;
}

void planner_forget(struct planner *p)
{
	p->provided_to = 0;
	HASH_FREE(p->could, free);
}

/* For `lower`: are the feature and everything that it needs in `set`? TSO is not possible if the link below provides it without
 * scatter-gather. */
static bool provided(const struct planner *p, const struct link *link, feature_set set, unsigned bit, unsigned depth)
{
	feature_set all, any, not ;
	unsigned need;
	bool one = false;

	if (!(set & FEATURE(bit)) || depth > 4)
		return false;
	predict_needs(p->predict, link, bit, &all, &any, &not );
	feature_foreach(need, all)
		if (!provided(p, link, set, need, depth + 1))
			return false;
	feature_foreach(need, any)
		one |= provided(p, link, set, need, depth + 1);
	return one || !any;
}

/* The features that links below provide, and those that are fixed on. Cached for one link. */
static feature_set provided_to(struct planner *p, const struct link *link)
{
	feature_set changeable = link->features.hw & ~link->features.nochange;

	if (p->provided_to != link->ifindex) {
		p->provided = below_could_provide(p, link, 0) |
			(planner_state(p, link)->active & ~changeable);
		p->provided_to = link->ifindex;
	}
	return p->provided;
}

/* False: a master without ports, a port that could not be read, a link below in another network namespace. */
static bool all_can_be_known(const struct planner *p, const struct link *link)
{
	struct link *port = link_first_port(p->table, link);

	if (!planner_is_master(link))
		return link->lower_netnsid < 0 || link_has_peer(link);
	if (!port)
		return false;
	for (; port; port = link_next_port(p->table, port))
		if (!port->has_features)
			return false;
	return true;
}

void planner_resolve_want(struct planner *p, const struct link *link, struct plan_item *item)
{
	bool active = planner_state(p, link)->active & FEATURE(item->bit);

	switch (item->declared) {
	case RULE_ON:
		item->want = true;
		break;
	case RULE_OFF:
		item->want = false;
		break;
	case RULE_LOWER:
		item->not_provided = !provided(p, link, provided_to(p, link), item->bit, 0) || planner_is_dropped(p, link, item->bit);
		item->want = item->not_provided ? active : true;
		break;
	case RULE_LOWER_ALL:
		item->not_provided = !all_can_be_known(p, link);
		item->want = item->not_provided ? active :
			provided(p, link, planner_is_master(link) ? ports_could_all_provide(p, link, 0) : provided_to(p, link), item->bit, 0) &&
			!planner_is_dropped(p, link, item->bit);
		break;
	case RULE_UNSET:
	case RULE_NUMBER:
		item->want = active;
		break;
	}
}
