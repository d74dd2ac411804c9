/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/explain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plan/predict.h"
#include "basic/util.h"

#define DEPTH_MAX 12
#define LINES_MAX 64

struct walk {
	const struct plan_context *context;
	struct link_table *table;
	const struct plan *plan;
	struct predict *predict;
	struct explanation *out;
	bool unmet; /* asked about a feature that a rule wants on, and that is not as declared */
	int error;
};

static const char *name_of(const struct walk *w, unsigned bit)
{
	return feature_name(w->context->table, bit);
}

static void line(struct walk *w, unsigned depth, const struct link *link, unsigned bit,
	const char *fmt, ...) _printf_(5, 6);

static void line(
	struct walk *w, unsigned depth, const struct link *link, unsigned bit, const char *fmt, ...)
{
	struct explanation_line *l;
	va_list ap;

	if (w->error || w->out->n_lines >= LINES_MAX)
		return;
	if (!w->out->lines) {
		w->out->lines = calloc(LINES_MAX, sizeof(*w->out->lines));
		if (!w->out->lines) {
			w->error = -ENOMEM;
			return;
		}
	}
	l = &w->out->lines[w->out->n_lines++];
	l->depth = depth;
	l->ifindex = link->ifindex;
	memcpy(l->name, link->name, sizeof(l->name));
	l->bit = bit;
	va_start(ap, fmt);
	vsnprintf(l->text, sizeof(l->text), fmt, ap);
	va_end(ap);
}

static void advise(struct walk *w, const char *fmt, ...) _printf_(2, 3);

/* The first advice stands: it is the one nearest to the leaf that was found first. */
static void advise(struct walk *w, const char *fmt, ...)
{
	va_list ap;

	if (w->out->advice[0])
		return;
	va_start(ap, fmt);
	vsnprintf(w->out->advice, sizeof(w->out->advice), fmt, ap);
	va_end(ap);
}

static const struct plan_item *item_of(const struct walk *w, const struct link *link, unsigned bit)
{
	const struct plan_link *pl = plan_find(w->plan, link->ifindex);

	for (size_t i = 0; pl && i < pl->n_items; i++)
		if (pl->items[i].bit == bit)
			return &pl->items[i];
	return NULL;
}

/* What makes the declared value real on this link; its rule says how far offloadctl apply will do. */
static void advise_change(struct walk *w, const struct link *link, const struct plan_item *item, bool on)
{
	const char *name = name_of(w, item->bit);

	if (item->verdict == VERDICT_PAUSED)
		advise(w, "offloadctl resume %s, or `ethtool -K %s %s %s`", link->name, link->name, name,
			util_on_off(on));
	else if (item->rule->mode == RULE_MODE_AUDIT)
		advise(w, "nothing by itself: %s is Mode=audit; remove that line, or `ethtool -K %s %s %s`",
			item->rule->file, link->name, name, util_on_off(on));
	else if (item->verdict == VERDICT_DRIFTED)
		advise(w, "offloadctl apply %s, or `ethtool -K %s %s %s`", link->name, link->name, name,
			util_on_off(on));
}

/* A feature that is not requested on `link`, where the search ends: a rule for it, a rule against it, or none. */
static void advise_request(struct walk *w, const struct link *link, unsigned bit)
{
	const struct plan_item *item = item_of(w, link, bit);

	if (item && item->want && item->verdict != VERDICT_COMPLIANT)
		advise_change(w, link, item, true);
	else if (item && w->unmet && item->declared == RULE_OFF)
		advise(w, "%s declares %s off on %s: change one of the two rules", item->rule->file,
			name_of(w, bit), link->name);
	else if (w->unmet)
		advise(w, "`ethtool -K %s %s on`, or a rule that declares it for %s", link->name,
			name_of(w, bit), link->name);
}

static void why_off(struct walk *w, const struct link *link, unsigned bit, unsigned depth);

static bool is_master(const struct link *link)
{
	return link_is_kind(link, "bond") || link_is_kind(link, "bridge") ||
		link_is_kind(link, "team");
}

/* Does a master have this feature as soon as one port has it? NETIF_F_ONE_FOR_ALL, and checksums. */
static bool one_port_is_enough(const struct walk *w, const struct link *link, unsigned bit)
{
	struct predict_sets sets = predict_sets(w->predict);

	return is_master(link) && ((sets.one_for_all | sets.checksums) & FEATURE(bit));
}

/* What below gives this feature to a VLAN or a master: the generic checksum stands on any checksum. */
static feature_set sources_of(const struct walk *w, const struct link *link, unsigned bit)
{
	struct predict_sets sets = predict_sets(w->predict);

	return FEATURE(bit) == sets.generic_checksum && (is_master(link) || link_is_kind(link, "vlan")) ?
		sets.checksums : FEATURE(bit);
}

/* The one to look for on a device that has none of them on. */
static unsigned pick_source(const struct link *below, unsigned bit, feature_set sources)
{
	feature_set can = below->features.hw & sources;

	return can && !(can & FEATURE(bit)) ? (unsigned)__builtin_ctzll(can) : bit;
}

/* A feature that a master takes from its ports: how each of them stands. */
static void ports(struct walk *w, const struct link *master, unsigned bit, unsigned depth)
{
	struct link *port = link_first_port(w->table, master);
	feature_set sources = sources_of(w, master, bit), on;
	char names[128];

	for (; port; port = link_next_port(w->table, port)) {
		if (!port->has_features)
			continue;
		on = port->features.active & sources;
		if (on) {
			feature_format(w->context->table, on, names, sizeof(names));
			line(w, depth, port, bit, "has %s on", names);
		} else {
			why_off(w, port, pick_source(port, bit, sources), depth);
		}
	}
}

static bool dependency_off(struct walk *w, const struct link *link, unsigned bit, unsigned depth)
{
	const struct link_features *f = &link->features;
	feature_set all, any, not ;
	unsigned need;

	predict_needs(w->predict, bit, &all, &any, &not );
	if (all & ~f->active) {
		need = (unsigned)__builtin_ctzll(all & ~f->active);
	} else if (any && !(any & f->active)) {
		need = (unsigned)__builtin_ctzll(any & f->hw ? any & f->hw : any);
	} else if (not & f->active) {
		need = (unsigned)__builtin_ctzll(not & f->active);
		line(w, depth, link, bit, "%s cannot be on while %s is on", name_of(w, bit),
			name_of(w, need));
		if (w->unmet)
			advise(w, "switch %s off on %s, or change the rule", name_of(w, need), link->name);
		return true;
	} else {
		return false;
	}
	line(w, depth, link, bit, "%s is off because it needs %s, which is off", name_of(w, bit),
		name_of(w, need));
	why_off(w, link, need, depth + 1);
	return true;
}

/* netdev_sync_upper_features(): what an upper has not asked for is not given to what it stands on; and
 * netdev_sync_lower_features(): what an upper does not have is taken away there. */
static bool keeps_off(const struct link *upper, unsigned bit)
{
	return upper->has_features &&
		!(upper->features.wanted & upper->features.active & FEATURE(bit));
}

static bool upper_forbids(struct walk *w, const struct link *link, unsigned bit, unsigned depth)
{
	struct link *upper = link_master(w->table, link);

	if (FEATURE(bit) != feature_named(w->context->table, "rx-lro"))
		return false;
	if (!upper || !keeps_off(upper, bit))
		for (upper = link_first_upper(w->table, link); upper && !keeps_off(upper, bit);
			upper = link_next_upper(w->table, upper))
			;
	if (!upper)
		return false;
	line(w, depth, link, bit, "%s is off because %s above has it off", name_of(w, bit),
		upper->name);
	if (upper->features.wanted & FEATURE(bit)) {
		why_off(w, upper, bit, depth + 1);
		return true;
	}
	if (!w->unmet)
		return true;
	if (upper->features.hw & FEATURE(bit))
		advise(w, "switch %s on on %s first", name_of(w, bit), upper->name);
	else
		advise(w, "%s cannot be had below %s, which is a %s: take it out of the rule",
			name_of(w, bit), upper->name, upper->kind);
	return true;
}

static bool held_below(struct walk *w, const struct link *link, unsigned bit, unsigned depth)
{
	struct link *lower = link_lower(w->table, link);
	feature_set sources = sources_of(w, link, bit);

	if (!lower || !lower->has_features ||
		!(link_is_kind(link, "vlan") || link_is_kind(link, "macvlan") ||
			link_is_kind(link, "macvtap") || link_is_kind(link, "ipvlan")))
		return false;
	if (lower->features.active & sources) {
		line(w, depth, link, bit,
			"%s is off though %s below has it on: %s does not offer it to links on top of it",
			name_of(w, bit), lower->name, lower->name);
		if (w->unmet)
			advise(w, "the driver of %s decides this; a rule that says `lower` accepts it",
				lower->name);
		return true;
	}
	line(w, depth, link, bit,
		link->features.wanted & FEATURE(bit) ? "%s is asked for, and off because %s below has it off" :
						       "%s would stay off if it were, because %s below has it off",
		name_of(w, bit), lower->name);
	why_off(w, lower, pick_source(lower, bit, sources), depth + 1);
	return true;
}

/* One link down to the leaf that decides. */
static void why_off(struct walk *w, const struct link *link, unsigned bit, unsigned depth)
{
	const struct link_features *f = &link->features;
	const struct plan_item *item;
	feature_set b = FEATURE(bit);

	if (depth >= DEPTH_MAX)
		return;
	if (f->active & b) {
		line(w, depth, link, bit, "has %s on", name_of(w, bit));
	} else if (!(f->hw & b)) {
		line(w, depth, link, bit, "cannot have %s: fixed off by %s%s%s", name_of(w, bit),
			link->driver[0] ? "its driver " : "the ", link->driver[0] ? link->driver : link->kind,
			link->driver[0] ? "" : " driver");
		if (w->unmet)
			advise(w, "nothing below %s can change this; take the feature out of the rule, or use "
				  "another device",
				link->name);
	} else if (upper_forbids(w, link, bit, depth)) {
		return;
	} else if (!(f->wanted & b)) {
		line(w, depth, link, bit, "%s is not requested here: off by default, or switched off",
			name_of(w, bit));
		advise_request(w, link, bit);
		item = item_of(w, link, bit);
		if (item && item->want && item->verdict == VERDICT_BLOCKED && !dependency_off(w, link, bit, depth))
			held_below(w, link, bit, depth);
	} else if (!dependency_off(w, link, bit, depth) && !held_below(w, link, bit, depth)) {
		if (one_port_is_enough(w, link, bit)) {
			if (!link->first_port) {
				line(w, depth, link, bit,
					"%s is asked for, and off because %s has no ports yet",
					name_of(w, bit), link->name);
				return;
			}
			line(w, depth, link, bit, "%s is asked for, and off because no port has it on",
				name_of(w, bit));
			ports(w, link, bit, depth + 1);
			return;
		}
		line(w, depth, link, bit,
			"%s is asked for, the kernel accepted it, and it is off; the driver does not say why",
			name_of(w, bit));
	}
}

/* "on" at the top proves nothing: a master shows on when any port has it. */
static void why_on(struct walk *w, const struct link *link, unsigned bit, unsigned depth)
{
	feature_set sources = sources_of(w, link, bit);
	struct link *lower = link_lower(w->table, link);
	bool some_off = false, goes_on;

	if (depth >= DEPTH_MAX)
		return;
	if (one_port_is_enough(w, link, bit)) {
		for (struct link *port = link_first_port(w->table, link); port;
			port = link_next_port(w->table, port))
			some_off |= port->has_features && !(port->features.active & sources);
		line(w, depth, link, bit,
			some_off ? "%s shows on because at least one port has it; what leaves by a "
				   "port that has it off is done in software" :
				   "%s is on, and on at every port",
			name_of(w, bit));
		if (some_off)
			ports(w, link, bit, depth + 1);
		return;
	}
	goes_on = lower && lower->has_features && !link_is_kind(link, "vxlan");
	if (depth > 1 || goes_on) /* else the heading has said it */
		line(w, depth, link, bit, "%s is on", name_of(w, bit));
	if (goes_on) {
		if (lower->features.active & FEATURE(bit))
			why_on(w, lower, bit, depth + 1);
		else if (lower->features.active & sources)
			why_on(w, lower, (unsigned)__builtin_ctzll(lower->features.active & sources), depth + 1);
		else
			why_off(w, lower, pick_source(lower, bit, sources), depth + 1);
	}
}

/* No item: no rule names it, or one says `lower` of what the link cannot change in any case. */
static void undeclared(struct walk *w, const struct link *link, unsigned bit)
{
	const char *state = util_on_off(link->features.active & FEATURE(bit));
	struct declaration declarations[FEATURE_MAX];
	const struct declaration *d = &declarations[bit];

	rule_set_declare(
		w->context->rules, w->table, link, w->context->host, declarations, NULL, 0);
	if (d->value == RULE_UNSET)
		line(w, 0, link, bit, "%s is %s; no rule names it", name_of(w, bit), state);
	else
		line(w, 0, link, bit, "%s is %s; %s declares %s=%s, but %s cannot change it: left as it is",
			name_of(w, bit), state, d->rule->file, d->feature->word, rule_value_name(d->value),
			link->name);
}

static void declaration(struct walk *w, const struct link *link, unsigned bit)
{
	const struct plan_item *item = item_of(w, link, bit);
	const char *state = util_on_off(link->features.active & FEATURE(bit));

	if (!item) {
		undeclared(w, link, bit);
		return;
	}
	line(w, 0, link, bit, "%s is %s; %s declares %s=%s%s: %s%s", name_of(w, bit), state,
		item->rule->file, item->feature->word, rule_value_name(item->declared),
		item->not_given ? ", and what is below cannot give it" : "",
		verdict_name(item->verdict), item->overdue ? ", its rule is due for review" : "");
	if (item->text[0])
		line(w, 0, link, bit, "%s", item->text);
	if (item->uncertain)
		line(w, 0, link, bit,
			"whether it will come on is not known before it is tried: what the device below "
			"offers to VLANs cannot be read");
}

int explain_feature(const struct plan_context *context, struct link_table *table,
	const struct plan *plan, int ifindex, unsigned bit, struct explanation *ret)
{
	_cleanup_(predict_free_pointer) struct predict *predict = NULL;
	struct walk w = { .context = context, .table = table, .plan = plan, .out = ret };
	struct link *link = link_table_find(table, ifindex);
	const struct plan_item *item;
	int r;

	*ret = (struct explanation){ 0 };
	if (!link || bit >= FEATURE_MAX)
		return -ENODEV;
	link_table_stack(table);
	r = predict_new(context->table, table, context->host->kernel_release, &predict);
	if (r < 0)
		return r;
	w.predict = predict;
	if (!link->has_features) {
		line(&w, 0, link, bit, "its features could not be read: %s",
			strerror(-link->features_error));
		return w.error;
	}
	declaration(&w, link, bit);
	item = item_of(&w, link, bit);
	w.unmet = item && item->want && item->verdict != VERDICT_COMPLIANT;
	if (item && !item->want && item->verdict == VERDICT_UNSUPPORTED)
		advise(&w, "%s cannot change this; take the feature out of the rule", link->name);
	else if (item && !item->want && item->verdict != VERDICT_COMPLIANT)
		advise_change(&w, link, item, false);
	if (link->features.active & FEATURE(bit))
		why_on(&w, link, bit, 1);
	else
		why_off(&w, link, bit, 1);
	return w.error;
}

void explanation_clear(struct explanation *e)
{
	free(e->lines);
	*e = (struct explanation){ 0 };
}

static const char *feature_or_word(const struct feature_table *table, const struct plan_item *item)
{
	return item->bit < FEATURE_MAX ? feature_name(table, item->bit) : item->feature->word;
}

const char *explain_item(
	const struct feature_table *table, const struct plan_item *item, char *buf, size_t size)
{
	const char *other =
		item->cause_bit < FEATURE_MAX ? feature_name(table, item->cause_bit) : "it";

	buf[0] = '\0';
	switch (item->cause) {
	case CAUSE_NONE:
		util_append(buf, size, "%s", item->text);
		break;
	case CAUSE_UNSUPPORTED_DRIVER:
		util_append(buf, size, "the driver has it fixed %s", util_on_off(!item->want));
		break;
	case CAUSE_UNSUPPORTED_KERNEL:
		util_append(buf, size, "this kernel does not know %s", feature_or_word(table, item));
		break;
	case CAUSE_LOWER_OFF:
		util_append(buf, size, "held by %s below, which has %s off", item->cause_name, other);
		break;
	case CAUSE_LOWER_UNSUPPORTED:
		util_append(buf, size, "%s below does not have %s and cannot", item->cause_name, other);
		break;
	case CAUSE_LOWER_NOT_FOR_VLAN:
		util_append(buf, size, "%s below has it, and does not offer it to links on top",
			item->cause_name);
		break;
	case CAUSE_SLAVE_OFF:
		util_append(buf, size, "no port has it on (%s has it off)", item->cause_name);
		break;
	case CAUSE_NO_SLAVES:
		util_append(buf, size, "it has no ports yet");
		break;
	case CAUSE_OFF:
		util_append(buf, size, "it is not requested");
		break;
	case CAUSE_ON:
		util_append(buf, size, "it is requested");
		break;
	case CAUSE_NEEDS:
		util_append(buf, size, "needs %s, which is off", other);
		break;
	case CAUSE_CONFLICTS:
		util_append(buf, size, "cannot be on while %s is on", other);
		break;
	case CAUSE_UPPER_OFF:
		util_append(buf, size, "%s above has %s off", item->cause_name, other);
		break;
	case CAUSE_LOWER_ON:
		util_append(buf, size, "follows %s below, which has it on", item->cause_name);
		break;
	case CAUSE_AUDIT:
		util_append(buf, size, "only audited, not changed");
		break;
	case CAUSE_UNKNOWN:
		util_append(buf, size, EXPLAIN_NO_EFFECT);
		break;
	}
	return buf;
}
