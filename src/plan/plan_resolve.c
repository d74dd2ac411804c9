/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "plan/plan_private.h"
#include "basic/util.h"

#define STACK_MAX 16 /* the kernel nests at most 8 deep (MAX_NEST_DEV); a stale picture may claim more */

/* What a link could have. */
struct could {
	int ifindex;
	feature_set set;
	UT_hash_handle hh;
};

/* What rules say that this link must not have: nobody above can expect it. */
static feature_set declared_off(const struct planner *p, const struct link *link)
{
	struct declaration declarations[FEATURE_MAX];
	feature_set off = 0;

	rule_set_declare(p->context->rules, p->table, link, p->context->host, declarations, NULL, 0);
	for (unsigned bit = 0; bit < FEATURE_MAX; bit++)
		if (declarations[bit].value == RULE_OFF)
			off |= FEATURE(bit);
	return off;
}

static feature_set could_have(struct planner *p, const struct link *link, unsigned depth);

/* A device with the generic checksum can do each of them (netdev_intersect_features()). */
static feature_set spread_checksums(const struct planner *p, feature_set set)
{
	return set & p->sets.generic_checksum ? set | p->sets.checksums : set;
}

/* What all that `link` stands on could give it; the generic checksum of a VLAN or a master stands on any checksum below. A link that
 * stands on nothing has what its own hardware can; of one that stands on a link of another namespace nothing is known. */
static feature_set below_could_give(struct planner *p, const struct link *link, unsigned depth)
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
		could = link->features.hw;
	}
	return could;
}

/* What the link could have, by itself or from what it stands on: it has it, or it can be switched on there and no rule keeps it off.
 * Remembered per link, since every VLAN of a bond asks for it again. */
static feature_set could_have(struct planner *p, const struct link *link, unsigned depth)
{
	struct could *memo;
	feature_set set;

	HASH_FIND_INT(p->could, &link->ifindex, memo);
	if (memo)
		return memo->set;
	if (depth >= STACK_MAX || !link->has_features)
		return 0;
	set = (planner_state(p, link)->active | link->features.hw) & ~declared_off(p, link);
	if (planner_is_master(link))
		set &= below_could_give(p, link, depth) | ~p->one_for_all;
	else if (planner_stands_on_lower(link) && link_lower(p->table, link))
		set &= below_could_give(p, link, depth);
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
	struct could *memo, *next;

	p->given_to = 0;
	HASH_ITER(hh, p->could, memo, next)
	{
		HASH_DEL(p->could, memo);
		free(memo);
	}
}

/* `lower`: is the feature in `set`, and all that it needs on this link too? What asks for scatter-gather has no use where nobody gives
 * scatter-gather. */
static bool given(const struct planner *p, feature_set set, unsigned bit, unsigned depth)
{
	feature_set all, any, not ;
	unsigned need;
	bool one = false;

	if (!(set & FEATURE(bit)) || depth > 4)
		return false;
	predict_needs(p->predict, bit, &all, &any, &not );
	feature_foreach(need, all)
		if (!given(p, set, need, depth + 1))
			return false;
	feature_foreach(need, any)
		one |= given(p, set, need, depth + 1);
	return one || !any;
}

/* What the link is given from below, and what is fixed on; kept until another link is asked about. */
static feature_set given_to(struct planner *p, const struct link *link)
{
	feature_set changeable = link->features.hw & ~link->features.nochange;

	if (p->given_to != link->ifindex) {
		p->given = below_could_give(p, link, 0) |
			(planner_state(p, link)->active & ~changeable);
		p->given_to = link->ifindex;
	}
	return p->given;
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
		item->not_given = !given(p, given_to(p, link), item->bit, 0);
		item->want = item->not_given ? active : true;
		break;
	case RULE_UNSET:
		item->want = active;
		break;
	}
}
