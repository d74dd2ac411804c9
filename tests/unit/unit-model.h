/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hosts with links and rules, for tests of plan/ and what uses plans: the network of the incident, and what
 * else a test adds. */
#ifndef OFFLOADD_TESTS_UNIT_MODEL_H
#define OFFLOADD_TESTS_UNIT_MODEL_H

#include "plan/plan.h"
#include "rules/rule_file.h"
#include "unit.h"

#define UNIT_TRANSMIT                                                                              \
	"tx-scatter-gather tx-scatter-gather-fraglist tx-checksum-ip-generic tx-tcp-segmentation "  \
	"tx-tcp-ecn-segmentation tx-tcp-mangleid-segmentation tx-tcp6-segmentation "                \
	"tx-generic-segmentation"

struct unit_host {
	struct feature_table features;
	struct link_table links;
	struct rule_set rules;
	struct rule_host host;
	struct link_states states;
	struct plan_context context;
	struct plan plan;
};

static inline struct unit_host *unit_host_new(void)
{
	struct unit_host *h = calloc(1, sizeof(*h));

	assert_non_null(h);
	unit_features(&h->features);
	strcpy(h->host.kernel_release, "6.1.0-50-amd64");
	strcpy(h->host.host_name, "web1");
	strcpy(h->host.virtualization, "none");
	h->context = (struct plan_context){
		.table = &h->features, .rules = &h->rules, .host = &h->host, .now = 1000000000, .states = &h->states
	};
	return h;
}

static inline void unit_host_free(struct unit_host *h)
{
	plan_clear(&h->plan);
	rule_set_clear(&h->rules);
	link_table_clear(&h->links);
	link_states_clear(&h->states);
	free(h);
}

static inline struct link_state *unit_state(struct unit_host *h, int ifindex)
{
	struct link_state *state = link_states_get(&h->states, ifindex);

	assert_non_null(state);
	return state;
}

/* Adds a link whose features in `words` can be changed, and are wanted and active. */
static inline struct link *unit_link(struct unit_host *h, int ifindex, const char *name,
	const char *kind, int lower, int master, const char *words)
{
	struct link link = { .ifindex = ifindex, .lower_ifindex = lower, .lower_netnsid = -1,
		.master_ifindex = master, .has_features = true }, *ret;
	feature_set set = unit_set(&h->features, words);

	strcpy(link.name, name);
	strcpy(link.kind, kind);
	link.features = (struct link_features){ .hw = set, .wanted = set, .active = set };
	if (strcmp(kind, "vlan") == 0)
		link.features.active |= unit_set(&h->features, "tx-lockless");
	assert_int_equal(link_table_update(&h->links, &link, &ret), 1);
	return ret;
}

/* eth2 + eth3 -> bond0 -> vlan10, vlan100 */
static inline void unit_incident(struct unit_host *h)
{
	unit_link(h, 2, "eth2", "physical", 0, 4, UNIT_TRANSMIT);
	unit_link(h, 3, "eth3", "physical", 0, 4, UNIT_TRANSMIT);
	unit_link(h, 4, "bond0", "bond", 0, 0, UNIT_TRANSMIT);
	unit_link(h, 10, "vlan10", "vlan", 4, 0, UNIT_TRANSMIT);
	unit_link(h, 11, "vlan100", "vlan", 4, 0, UNIT_TRANSMIT);
}

/* The same on cards whose drivers know checksums by protocol, as those of bnxt, ice, tg3 and many more. */
static inline void unit_incident_by_protocol(struct unit_host *h)
{
	const char *words = "tx-scatter-gather tx-checksum-ipv4 tx-checksum-ipv6 tx-tcp-segmentation "
			    "tx-tcp-ecn-segmentation tx-tcp6-segmentation tx-generic-segmentation";

	unit_incident(h);
	for (int ifindex = 2; ifindex <= 3; ifindex++) {
		feature_set set = unit_set(&h->features, words);

		link_table_find(&h->links, ifindex)->features =
			(struct link_features){ .hw = set, .wanted = set, .active = set };
	}
}

/* The effect of `ethtool -K name words off` on this link only. */
static inline void unit_off(struct unit_host *h, const char *name, const char *words)
{
	struct link *link = link_table_find_name(&h->links, name);
	feature_set set = unit_set(&h->features, words);

	assert_non_null(link);
	link->features.wanted &= ~set;
	link->features.active &= ~set;
}

/* The same for features that are wanted but not active. */
static inline void unit_inactive(struct unit_host *h, const char *name, const char *words)
{
	struct link *link = link_table_find_name(&h->links, name);

	assert_non_null(link);
	link->features.active &= ~unit_set(&h->features, words);
}

static inline void unit_rule(struct unit_host *h, const char *file, const char *text)
{
	assert_int_equal(
		rule_set_load_text(&h->rules, file, text, strlen(text), &h->features), 0);
}

static inline void unit_plan(struct unit_host *h)
{
	plan_clear(&h->plan);
	assert_int_equal(plan_make(&h->context, &h->links, NULL, 0, &h->plan), 0);
}

/* The item of a feature of a link; NULL: no rule declares it. */
static inline const struct plan_item *unit_item(
	struct unit_host *h, const char *name, const char *feature)
{
	const struct link *link = link_table_find_name(&h->links, name);
	const struct plan_link *pl;

	assert_non_null(link);
	pl = plan_find(&h->plan, link->ifindex);
	for (size_t i = 0; pl && i < pl->n_items; i++)
		if (pl->items[i].bit < FEATURE_MAX ?
				!strcmp(feature_name(&h->features, pl->items[i].bit), feature) :
				!strcmp(pl->items[i].feature->word, feature))
			return &pl->items[i];
	return NULL;
}

#define assert_verdict(h, name, feature, expected)                                                 \
	do {                                                                                       \
		const struct plan_item *_item = unit_item(h, name, feature);                       \
		assert_non_null(_item);                                                            \
		assert_string_equal(verdict_name(_item->verdict), verdict_name(expected));         \
	} while (0)

/* "eth3 +tx-scatter-gather -rx-lro; vlan10 ..." */
static inline const char *unit_steps(struct unit_host *h, char *buf, size_t size)
{
	unsigned bit;

	buf[0] = '\0';
	for (size_t i = 0; i < h->plan.n_steps; i++) {
		const struct plan_step *s = &h->plan.steps[i];

		snprintf(buf + strlen(buf), size - strlen(buf), "%s%s", i ? "; " : "", s->name);
		feature_foreach(bit, s->mask)
			snprintf(buf + strlen(buf), size - strlen(buf), " %c%s",
				s->value & FEATURE(bit) ? '+' : '-',
				feature_name(&h->features, bit));
	}
	return buf;
}

#endif
