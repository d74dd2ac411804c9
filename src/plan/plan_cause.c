/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "plan/plan_private.h"

#define DEPTH_MAX 16 /* as STACK_MAX in plan_resolve.c */

const struct link_features *cause_state(const struct cause_view *v, const struct link *link)
{
	const struct link_features *f = v->state ? v->state(v->userdata, link) : NULL;

	return f ? f : &link->features;
}

static void set(struct cause_step *step, enum cause code, const struct link *other, unsigned other_bit)
{
	step->code = code;
	step->other_bit = other_bit;
	if (other) {
		step->other_ifindex = other->ifindex;
		memcpy(step->other_link, other->name, sizeof(step->other_link));
	}
}

/* The first of `from` that the device can change, or the feature itself. */
static unsigned pick(feature_set hw, feature_set from, unsigned bit)
{
	feature_set can = hw & from;

	return can && !(can & FEATURE(bit)) ? (unsigned)__builtin_ctzll(can) : bit;
}

feature_set cause_sources(const struct cause_view *v, const struct link *link, unsigned bit)
{
	return FEATURE(bit) == v->sets.generic_checksum && (planner_is_master(link) || link_is_kind(link, "vlan")) ?
		v->sets.checksums : FEATURE(bit);
}

unsigned cause_pick_source(const struct cause_view *v, const struct link *link, unsigned bit, const struct link *below)
{
	return pick(cause_state(v, below)->hw, cause_sources(v, link, bit), bit);
}

bool cause_one_port_is_enough(const struct cause_view *v, const struct link *link, unsigned bit)
{
	return planner_is_master(link) && ((v->sets.one_for_all | v->sets.checksums) & FEATURE(bit));
}

/* A feature of the same link that is missing or excludes this one. */
static bool find_in_link(const struct cause_view *v, const struct link *link, struct cause_step *step)
{
	const struct link_features *f = cause_state(v, link);
	feature_set all, any, not ;

	predict_needs(v->rules, link, step->bit, &all, &any, &not );
	if (all & ~f->active)
		set(step, CAUSE_NEEDS, NULL, (unsigned)__builtin_ctzll(all & ~f->active));
	else if (any && !(any & f->active))
		set(step, CAUSE_NEEDS, NULL, (unsigned)__builtin_ctzll(any & f->hw ? any & f->hw : any));
	else if (not & f->active)
		set(step, CAUSE_CONFLICTS, NULL, (unsigned)__builtin_ctzll(not & f->active));
	else
		return false;
	return true;
}

static bool find_in_ports(const struct cause_view *v, const struct link *link, struct cause_step *step)
{
	struct link *first = link_first_port(v->links, link);
	feature_set sources = cause_sources(v, link, step->bit);

	if (!cause_one_port_is_enough(v, link, step->bit))
		return false;
	if (!first) {
		if (link_is_kind(link, "bridge"))
			return false;
		set(step, CAUSE_NO_SLAVES, NULL, FEATURE_MAX);
		return true;
	}
	for (struct link *port = first; port; port = link_next_port(v->links, port)) {
		if (cause_state(v, port)->active & sources)
			return false;
		if (!(cause_state(v, first)->hw & sources) && (cause_state(v, port)->hw & sources))
			first = port;
	}
	set(step, CAUSE_SLAVE_OFF, first, step->bit);
	return true;
}

static bool find_in_lower(const struct cause_view *v, const struct link *link, struct cause_step *step)
{
	struct link *lower = link_lower(v->links, link);
	feature_set sources = cause_sources(v, link, step->bit);
	const struct link_features *f;

	if (!lower || !planner_is_limited_by_lower(link))
		return false;
	f = cause_state(v, lower);
	if (f->active & sources)
		set(step, CAUSE_LOWER_NOT_FOR_VLAN, lower, step->bit);
	else
		set(step, f->hw & sources ? CAUSE_LOWER_OFF : CAUSE_LOWER_UNSUPPORTED, lower, pick(f->hw, sources, step->bit));
	return true;
}

/* netdev_sync_upper_features() checks the wanted bit of the link above, netdev_sync_lower_features() its active bit. */
static bool forces_off(const struct cause_view *v, const struct link *upper, unsigned bit)
{
	const struct link_features *f = cause_state(v, upper);

	return upper->has_features && !(f->wanted & f->active & FEATURE(bit));
}

static bool find_in_upper(const struct cause_view *v, const struct link *link, struct cause_step *step)
{
	struct link *upper = link_master(v->links, link);

	if (!(v->sets.upper_disables & FEATURE(step->bit)))
		return false;
	if (!upper || !forces_off(v, upper, step->bit))
		for (upper = link_first_upper(v->links, link); upper && !forces_off(v, upper, step->bit);)
			upper = link_next_upper(v->links, upper);
	if (upper)
		set(step, CAUSE_UPPER_OFF, upper, step->bit);
	return upper;
}

static bool find_peer_xdp(const struct cause_view *v, const struct link *link, struct cause_step *step)
{
	if (!(predict_facts(v->rules, link).peer_xdp & FEATURE(step->bit)))
		return false;
	set(step, CAUSE_PEER_XDP, link->lower_ifindex ? link_table_find(v->links, link->lower_ifindex) : NULL, FEATURE_MAX);
	return true;
}

/* A feature that the link copies from the one below. A macsec that is not offloaded takes over what is on when it is created, and
 * cannot change it (macsec_dev_init(), up to Linux 6.17). */
static bool find_copied(const struct cause_view *v, const struct link *link, struct cause_step *step)
{
	struct link *lower = link_lower(v->links, link);

	if (!(predict_facts(v->rules, link).copied & FEATURE(step->bit)))
		return false;
	if (!lower && link->lower_netnsid >= 0)
		set(step, CAUSE_LOWER_ELSEWHERE, NULL, step->bit);
	else if (lower && !(cause_state(v, lower)->active & FEATURE(step->bit)))
		set(step, cause_state(v, lower)->hw & FEATURE(step->bit) ? CAUSE_LOWER_OFF : CAUSE_LOWER_UNSUPPORTED, lower, step->bit);
	else if (lower && !(link->features.hw & FEATURE(step->bit)))
		set(step, CAUSE_CREATED_WITHOUT, lower, step->bit);
	else
		return false;
	return true;
}

/* It is kept off by the owner of the tap, or the host, and not by the kernel. */
static bool find_owner(const struct cause_view *v, const struct link *link, struct cause_step *step)
{
	if (!(predict_facts(v->rules, link).owner & FEATURE(step->bit)))
		return false;
	set(step, link_is_kind(link, "tun") ? CAUSE_OWNER : CAUSE_HOST, NULL, step->bit);
	return true;
}

static bool find_coupled(const struct cause_view *v, const struct link *link, struct cause_step *step)
{
	feature_set coupled = predict_facts(v->rules, link).coupled;

	if (!(coupled & FEATURE(step->bit)))
		return false;
	set(step, CAUSE_COUPLED, NULL, (unsigned)__builtin_ctzll(coupled & ~FEATURE(step->bit)));
	return true;
}

static bool is_bridge(const char *kind)
{
	return strcmp(kind, "bridge") == 0 || strcmp(kind, "openvswitch") == 0 || strcmp(kind, "hsr") == 0;
}

/* Callers of dev_disable_lro(), which also turns it off on all links below. */
static bool find_dropped(const struct cause_view *v, const struct link *link, unsigned depth, struct cause_step *step)
{
	struct link *master = link_master(v->links, link);
	enum cause code = link->forwards ? CAUSE_FORWARDS : link->xdp ? CAUSE_XDP :
		is_bridge(master ? master->kind : link->slave_kind) ? CAUSE_BRIDGED : CAUSE_NONE;
	bool found = code != CAUSE_NONE;

	if (found)
		set(step, code, link->ifindex == step->ifindex ? NULL : link, step->bit);
	else if (depth < DEPTH_MAX && master)
		found = find_dropped(v, master, depth + 1, step);
	for (struct link *up = link_first_upper(v->links, link); up && !found && depth < DEPTH_MAX;
		up = link_next_upper(v->links, up))
		found = find_dropped(v, up, depth + 1, step);
	return found;
}

bool cause_find_dropped(const struct cause_view *v, const struct link *link, unsigned bit, struct cause_step *ret)
{
	if (!(v->sets.upper_disables & FEATURE(bit)))
		return false;
	cause_begin(link, bit, true, ret);
	return find_dropped(v, link, 0, ret);
}

bool cause_find_port_off(const struct cause_view *v, const struct link *link, unsigned bit, struct cause_step *ret)
{
	feature_set sources = cause_sources(v, link, bit);

	cause_begin(link, bit, true, ret);
	for (struct link *port = link_first_port(v->links, link); port; port = link_next_port(v->links, port))
		if (!(cause_state(v, port)->active & sources)) {
			set(ret, CAUSE_PORT_OFF, port, pick(cause_state(v, port)->hw, sources, bit));
			return true;
		}
	return false;
}

feature_set cause_claimed(const struct cause_view *v, const struct link *link)
{
	struct link *port = link_first_port(v->links, link);
	feature_set claimed = planner_is_master(link) && port ? v->sets.work & cause_state(v, link)->active : 0;

	for (; port; port = link_next_port(v->links, port)) {
		feature_set active = cause_state(v, port)->active;

		claimed &= port->has_features ? ~(active | (active & v->sets.checksums ? v->sets.generic_checksum : 0)) : 0;
	}
	return claimed;
}

void cause_begin(const struct link *link, unsigned bit, bool want, struct cause_step *ret)
{
	*ret = (struct cause_step){ .ifindex = link->ifindex, .bit = bit, .want = want, .other_bit = FEATURE_MAX };
	memcpy(ret->link, link->name, sizeof(ret->link));
}

void cause_find(const struct cause_view *v, const struct link *link, unsigned bit, bool want, struct cause_step *ret)
{
	const struct link_features *f = cause_state(v, link);
	struct link *lower = link_lower(v->links, link);

	cause_begin(link, bit, want, ret);
	if (!(f->hw & ~f->nochange & FEATURE(bit))) {
		if (want && (find_peer_xdp(v, link, ret) || find_copied(v, link, ret)))
			return;
		set(ret, CAUSE_UNSUPPORTED_DRIVER, NULL, bit);
		memcpy(ret->driver, link->driver, sizeof(ret->driver));
	} else if (!want && lower && (cause_state(v, lower)->active & FEATURE(bit))) {
		set(ret, CAUSE_LOWER_ON, lower, bit);
	} else if (!(want && (cause_find_dropped(v, link, bit, ret) || find_in_upper(v, link, ret) || find_in_link(v, link, ret) ||
				find_in_lower(v, link, ret) || find_copied(v, link, ret) || find_in_ports(v, link, ret) ||
				find_owner(v, link, ret))) &&
		!find_coupled(v, link, ret)) {
		set(ret, want != !!(link->features.wanted & FEATURE(bit)) ? CAUSE_NO_EFFECT : link->kind[0] ? CAUSE_UNKNOWN : CAUSE_NOT_SHOWN,
			NULL, bit);
	}
}

static const struct link_features *predicted_state(const void *userdata, const struct link *link)
{
	return planner_state(userdata, link);
}

struct cause_view planner_view(const struct planner *p)
{
	return (struct cause_view){ .links = p->table, .rules = p->predict, .sets = p->sets, .state = predicted_state, .userdata = p };
}

bool planner_is_dropped(const struct planner *p, const struct link *link, unsigned bit)
{
	const struct cause_view view = planner_view(p);
	struct cause_step step;

	return cause_find_dropped(&view, link, bit, &step);
}

feature_set planner_claimed(const struct planner *p, const struct link *link)
{
	const struct cause_view view = planner_view(p);

	return cause_claimed(&view, link);
}
