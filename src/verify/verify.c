/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/verify.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#include "basic/util.h"
#include "verify/exchange.h"

const char *verify_mode_text(enum verify_mode mode)
{
	static const char *const texts[] = { "not segmented (passed on large)", "segmented before the tunnel", "segmented by the kernel",
		"segmented, with checksums, by the kernel", "merged by GRO", "merged by GRO as a list", "to the peer", "from the peer" };

	return texts[mode];
}

const char *verify_mode_name(enum verify_mode mode)
{
	static const char *const names[] = { "left", "above", "segmented", "software", "merged", "merged-list", "to-peer", "from-peer" };

	return names[mode];
}

const char *verify_packet_text(enum verify_packet packet)
{
	static const char *const texts[VERIFY_PACKETS] = { "TCP over IPv4", "TCP over IPv6", "UDP over IPv4", "UDP over IPv6" };

	return texts[packet];
}

const char *verify_packet_name(enum verify_packet packet)
{
	static const char *const names[VERIFY_PACKETS] = { "tcp4", "tcp6", "udp4", "udp6" };

	return names[packet];
}

/* ---- modes ---- */

static feature_set named_like(const struct feature_table *table, const char *prefix, const char *suffix)
{
	feature_set set = 0;

	for (unsigned bit = 0; bit < table->count; bit++)
		if (strncmp(table->name[bit], prefix, strlen(prefix)) == 0 && util_has_suffix(table->name[bit], suffix))
			set |= FEATURE(bit);
	return set;
}

static feature_set segmentation(const struct feature_table *table)
{
	return (named_like(table, "tx-", "-segmentation") | named_like(table, "tx-gso-", "")) &
		~feature_named(table, "tx-generic-segmentation");
}

/* What verify_mode changes. */
static feature_set sent(const struct feature_table *table)
{
	return segmentation(table) | named_like(table, "tx-checksum-", "") | named_like(table, "tx-scatter-gather", "");
}

static feature_set merged(const struct feature_table *table)
{
	return feature_named(table, "rx-gro") | feature_named(table, "rx-udp-gro-forwarding") | feature_named(table, "rx-gro-list");
}

/* Which of them are on. */
static feature_set merging(const struct feature_table *table, enum verify_mode mode)
{
	feature_set without = feature_named(table, mode == VERIFY_LISTED ? "rx-udp-gro-forwarding" : "rx-gro-list");

	return verify_mode_merges(mode) ? merged(table) & ~without : 0;
}

/* Sets features of one link, of those that it can change. *ret_active: what it has then; *lost gets those that it had before. 0;
 * -EOPNOTSUPP: the kernel did not set them. */
static int set_features(struct site *site, const struct site_link *link, feature_set mask, feature_set on, feature_set *ret_active,
	feature_set *lost)
{
	struct link_features now = { 0 };
	struct ethtool *ethtool = site->ethtool[link->place];
	struct ethtool_result result = { 0 };
	feature_set before;
	int r = ethtool_features_get(ethtool, link->ifindex, link->name, &now);

	before = now.active;
	mask &= now.hw & ~now.nochange;
	if (r == 0 && (now.wanted ^ on) & mask) {
		r = ethtool_features_set(ethtool, link->ifindex, link->name, mask, on, &result);
		if (r == 0)
			r = ethtool_features_get(ethtool, link->ifindex, link->name, &now);
	}
	if (r == 0 && (result.error || (now.active ^ on) & mask))
		r = -EOPNOTSUPP;
	if (ret_active)
		*ret_active = now.active;
	if (lost)
		*lost |= before & ~now.active;
	return r;
}

static bool is_tunnel(enum site_kind kind)
{
	return kind == SITE_VXLAN || kind == SITE_GENEVE || kind == SITE_GRE || kind == SITE_IPIP;
}

static bool has_mode(const struct feature_table *table, enum site_kind kind, enum verify_mode mode)
{
	if (mode == VERIFY_LISTED)
		return (kind == SITE_VETH || kind == SITE_FORWARD) && feature_named(table, "rx-gro-list");
	return mode != VERIFY_ABOVE || is_tunnel(kind);
}

static bool is_six(enum verify_packet packet)
{
	return packet == VERIFY_TCP6 || packet == VERIFY_UDP6;
}

static bool is_udp(enum verify_packet packet)
{
	return packet == VERIFY_UDP4 || packet == VERIFY_UDP6;
}

/* What is off at a veth that sends. Merged UDP keeps checksums, without which UDP_SEGMENT is refused up to Linux 6.10. */
static feature_set off_in(const struct feature_table *table, enum verify_mode mode, enum verify_packet packet)
{
	if (mode == VERIFY_LEFT || mode == VERIFY_ABOVE)
		return 0;
	return mode == VERIFY_SEGMENTED || (verify_mode_merges(mode) && is_udp(packet)) ? segmentation(table) : sent(table);
}

static void note_active(struct run *run, feature_set active)
{
	run->now->on = active;
	run->checksums = active & named_like(&run->site->features, "tx-checksum-", "");
}

/* At every link that sends: the sender's, and the router's second one.
 *
 * A tunnel must not merge. gro_cells_receive() in the kernel passes large packets through a queue of its own, but single ones not, if
 * they are cloned. A capture clones each packet; only of large ones iptunnel_pull_offloads() makes a copy again. So a packet would
 * overtake a large one before it, because somebody looks. A veth has merged before anyway. */
static int set_mode(struct run *run)
{
	const struct feature_table *table = &run->site->features;
	enum verify_mode mode = run->now->mode;
	feature_set off = off_in(table, mode, run->now->packet), active = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < run->lane->n_links; i++) {
		const struct site_link *link = &run->lane->links[i];
		bool first = link->place == SITE_SENDER;

		if (exchange_is_sending(link))
			r = set_features(run->site, link, sent(table), sent(table) & ~off, first ? &active : NULL, NULL);
		else if (strcmp(link->what, "veth") == 0)
			r = set_features(run->site, link, merged(table), merging(table, mode), NULL, NULL);
		else if (first && is_tunnel(run->lane->kind))
			r = set_features(run->site, link, segmentation(table), mode == VERIFY_ABOVE ? 0 : segmentation(table), NULL, NULL);
		if (r == 0 && is_tunnel(run->lane->kind) && strcmp(link->what, "veth") != 0)
			r = set_features(run->site, link, feature_named(table, "rx-gro"), 0, NULL, NULL);
	}
	note_active(run, active);
	return r;
}

/* ---- which features ---- */

/* Turns one feature off where the mode has set it. *ret_lost: how many features a link loses by that. */
static int turn_off(struct run *run, unsigned bit, int *ret_lost)
{
	bool receives = merged(&run->site->features) & FEATURE(bit);
	feature_set active = run->now->on, lost = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < run->lane->n_links; i++) {
		const struct site_link *link = &run->lane->links[i];
		bool first = link->place == SITE_SENDER;

		if (strcmp(link->what, "veth") == 0 && receives != exchange_is_sending(link))
			r = set_features(run->site, link, FEATURE(bit), 0, first ? &active : NULL, &lost);
	}
	note_active(run, active);
	*ret_lost = __builtin_popcountll(lost);
	return r;
}

/* The same case again, as the links are now. *ret: its result. */
static int repeat(struct run *run, const struct verify_case *wrong, struct verify_case *ret)
{
	*ret = (struct verify_case){ .kind = wrong->kind, .mode = wrong->mode, .packet = wrong->packet, .on = run->now->on };
	run->now = ret;
	return exchange_run(run);
}

/* Tries a wrong case without a feature, then with it again. *fewest: features that went with the culprits that were found so far. */
static int try_without(struct run *run, struct verify_case *wrong, unsigned bit, int *fewest)
{
	struct verify_case again = *wrong, with = *wrong;
	int lost = 0, r;
	bool right = false;

	run->now = &again;
	r = turn_off(run, bit, &lost);
	if (r == 0 && lost > 0 && lost <= *fewest) {
		r = repeat(run, wrong, &again);
		/* what was not tested as before acquits nothing */
		right = again.outcome == VERIFY_RIGHT || again.outcome == VERIFY_NOT_APPLICABLE;
	}
	if (r == -EINTR)
		return r;
	run->now = &with;
	r = set_mode(run);
	if (r == 0 && right) {
		r = repeat(run, wrong, &with);
		wrong->repeated &= with.outcome == VERIFY_WRONG;
		wrong->unsearched |= with.outcome == VERIFY_UNTESTED;
	}
	if (r == 0 && right) {
		wrong->culprits = FEATURE(bit) | (lost < *fewest ? 0 : wrong->culprits);
		*fewest = lost;
	}
	return r;
}

/* Runs a wrong case again without one feature after the other. Others may depend on it: those that take the fewest with them are kept. */
static int find_culprits(struct run *run)
{
	const struct feature_table *table = &run->site->features;
	struct verify_case *wrong = run->now, again = *wrong;
	int fewest = FEATURE_MAX, r;
	unsigned bit;

	r = set_mode(run);
	if (r == 0)
		r = repeat(run, wrong, &again);
	wrong->repeated = again.outcome == VERIFY_WRONG;
	wrong->unsearched = again.outcome == VERIFY_UNTESTED;
	feature_foreach(bit, (wrong->on & sent(table)) | merging(table, wrong->mode)) {
		if (r < 0 || !wrong->repeated)
			break;
		wrong->unsearched = util_now_usec() > run->deadline_usec;
		if (wrong->unsearched)
			break;
		r = try_without(run, wrong, bit, &fewest);
	}
	if (!wrong->repeated)
		wrong->culprits = 0;
	wrong->unsearched |= r < 0;
	run->now = wrong;
	return r == -EINTR ? r : 0;
}

/* The feature that is a culprit of most cases that have none in the set. -1: there is no such case. */
static int most_frequent(const struct verify_result *result, feature_set set)
{
	unsigned count, most = 0;
	int best = -1;

	for (unsigned bit = 0; bit < FEATURE_MAX; bit++) {
		count = 0;
		for (size_t i = 0; i < result->n_cases; i++)
			count += !(result->cases[i].culprits & set) && result->cases[i].culprits & FEATURE(bit);
		if (count > most) {
			most = count;
			best = (int)bit;
		}
	}
	return best;
}

/* As a rule for links of this kind does: a VLAN's, not those of the veth below. */
static bool is_top(enum site_kind kind, const struct site_link *link)
{
	return kind == SITE_VETH || kind == SITE_FORWARD || strcmp(link->what, "veth") != 0;
}

/* Runs a wrong case with the rule. */
static int try_rule(struct run *run, struct verify_case *wrong, feature_set rule)
{
	struct verify_case again = *wrong;
	int r;

	run->now = &again;
	r = set_mode(run);
	for (size_t i = 0; r == 0 && i < run->lane->n_links; i++) {
		const struct site_link *link = &run->lane->links[i];

		if (is_top(wrong->kind, link))
			r = set_features(run->site, link, rule, 0, link->place == SITE_SENDER ? &again.on : NULL, NULL);
	}
	if (r == 0) {
		note_active(run, again.on);
		r = repeat(run, wrong, &again);
		wrong->avoided = again.outcome == VERIFY_RIGHT || again.outcome == VERIFY_NOT_APPLICABLE;
	}
	return r == -EINTR ? r : 0;
}

static int find_rule(struct run *run, const struct site_lane *lanes, struct verify_result *result)
{
	feature_set set = 0;
	int bit, r = 0;

	while ((bit = most_frequent(result, set)) >= 0)
		set |= FEATURE((unsigned)bit);
	for (size_t i = 0; r == 0 && i < result->n_cases; i++) {
		struct verify_case *c = &result->cases[i];

		if (!c->culprits)
			continue;
		run->lane = &lanes[c->kind];
		r = try_rule(run, c, set);
		if (c->avoided) {
			result->rule = set;
			result->rule_kinds |= 1u << c->kind;
		}
	}
	return r;
}

/* ---- all of it ---- */

static void add_case(struct verify_result *result, enum site_kind kind, enum verify_mode mode, enum verify_packet packet)
{
	result->cases[result->n_cases++] = (struct verify_case){ .kind = kind, .mode = mode, .packet = packet };
}

static void list_cases(const struct verify_stage *stage, struct verify_result *result)
{
	for (unsigned kind = 0; kind < SITE_KINDS; kind++)
		for (unsigned mode = 0; mode < VERIFY_MODES; mode++)
			for (unsigned packet = 0; packet < VERIFY_PACKETS; packet++)
				if (stage->kinds & 1u << kind && has_mode(&stage->site.features, (enum site_kind)kind, (enum verify_mode)mode) &&
					(kind != SITE_IPIP || !is_six((enum verify_packet)packet))) /* it carries IPv4 */
					add_case(result, (enum site_kind)kind, (enum verify_mode)mode, (enum verify_packet)packet);
}

static int run_cases(struct run *run, const struct verify_stage *stage, const struct verify_watch *watch, struct verify_result *result)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < result->n_cases; i++) {
		struct verify_case *c = run->now = &result->cases[i];

		run->lane = &stage->lanes[c->kind];
		c->error = stage->errors[c->kind];
		if (c->error == 0 && util_now_usec() > run->deadline_usec)
			c->error = -ETIME;
		if (c->error == 0)
			c->error = is_six(c->packet) && run->site->ipv6_error ? run->site->ipv6_error : set_mode(run);
		if (c->error == 0)
			r = exchange_run(run);
		if (watch->progress)
			watch->progress(i + 1, result->n_cases);
	}
	return r;
}

static int search(struct run *run, const struct verify_stage *stage, struct verify_result *result)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < result->n_cases; i++) {
		run->now = &result->cases[i];
		run->lane = &stage->lanes[run->now->kind];
		if (run->now->outcome == VERIFY_WRONG)
			r = find_culprits(run);
	}
	return r;
}

void verify_count(struct verify_result *result)
{
	for (size_t i = 0; i < result->n_cases; i++) {
		const struct verify_case *c = &result->cases[i];

		result->packets += c->packets;
		result->unseen += c->unseen;
		result->right += c->outcome == VERIFY_RIGHT || c->outcome == VERIFY_REFUSED;
		result->wrong += c->outcome == VERIFY_WRONG;
		result->untested += c->outcome == VERIFY_UNTESTED;
		result->refused += c->outcome == VERIFY_REFUSED;
		result->not_applicable += c->outcome == VERIFY_NOT_APPLICABLE;
	}
}

/* Packets that are sent by several CPUs may overtake each other in a veth. */
static void stay_on_one_cpu(void)
{
	int cpu = sched_getcpu();
	cpu_set_t set;

	CPU_ZERO(&set);
	if (cpu >= 0 && cpu < CPU_SETSIZE) {
		CPU_SET(cpu, &set);
		(void)sched_setaffinity(0, sizeof(set), &set);
	}
}

int verify_open(struct verify_stage *ret, unsigned kinds, bool load, char why[SITE_WHY_LEN])
{
	int r = site_open(&ret->site, why);

	ret->kinds = kinds;
	for (unsigned kind = 0; r == 0 && kind < SITE_KINDS; kind++) {
		if (kinds & 1u << kind)
			ret->errors[kind] = site_build(&ret->site, (enum site_kind)kind, load, &ret->lanes[kind], ret->why[kind]);
	}
	return r;
}

void verify_close(struct verify_stage *stage)
{
	site_close(&stage->site);
}

int verify_run(struct verify_stage *stage, const struct verify_watch *watch, struct verify_result *ret, char why[SITE_WHY_LEN])
{
	_cleanup_(exchange_clear) struct run run = {
		.site = &stage->site, .stop = watch->stop, .captures = { { .fd = -1 }, { .fd = -1 }, { .fd = -1 } } };
	uint64_t begin_usec = util_now_usec();
	int r;

	*ret = (struct verify_result){ .why = stage->why };
	stay_on_one_cpu();
	r = exchange_init(&run, why);
	list_cases(stage, ret);
	run.deadline_usec = begin_usec + watch->usec / 3 * 2;
	if (r == 0)
		r = run_cases(&run, stage, watch, ret);
	run.deadline_usec = begin_usec + watch->usec;
	if (r == 0)
		r = search(&run, stage, ret);
	if (r == 0)
		r = find_rule(&run, stage->lanes, ret);
	verify_count(ret);
	return r;
}
