/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A sample view for tests of report/: the network of the incident, and a plan with every verdict. */
#ifndef OFFLOADD_TESTS_VIEW_SAMPLE_H
#define OFFLOADD_TESTS_VIEW_SAMPLE_H

#include "unit.h"

#include "report/view.h"

struct sample {
	struct feature_table features;
	struct link_table links;
	struct rule rules[2];
	struct rule_feature rule_features[4];
	struct rule_error error;
	struct rule_set set;
	struct plan_item items[12];
	struct plan_link plan_links[4];
	struct plan_index index[4];
	struct plan_step steps[2]; /* features, limits */
	struct plan plan;
	struct apply_result results[4];
	struct apply_report report;
	struct cause_step lines[3];
	struct explanation explanation;
	struct view view;
};

static inline struct link *sample_link(
	struct sample *s, int ifindex, const char *name, const char *kind)
{
	struct link from = { .ifindex = ifindex, .lower_netnsid = -1, .has_features = true }, *link;

	strcpy(from.name, name);
	strcpy(from.kind, kind);
	assert_true(link_table_update(&s->links, &from, &link) >= 0);
	return link;
}

static inline struct link_limits sample_limits(uint32_t gso_max_size)
{
	return (struct link_limits){ .value = { [LINK_LIMIT_GSO_MAX_SIZE] = gso_max_size,
			[LINK_LIMIT_GSO_MAX_SEGS] = 65535, [LINK_LIMIT_TSO_MAX_SIZE] = 65536 },
		.has = LINK_LIMIT(LINK_LIMIT_GSO_MAX_SIZE) | LINK_LIMIT(LINK_LIMIT_GSO_MAX_SEGS) |
			LINK_LIMIT(LINK_LIMIT_TSO_MAX_SIZE) };
}

static inline struct plan_item *sample_item(struct sample *s, struct plan_item *item,
	const char *word, enum rule_value declared, bool want)
{
	*item = (struct plan_item){
		.bit = (unsigned)feature_bit(&s->features, word),
		.declared = declared,
		.want = want,
		.active = !want,
		.wanted = !want,
		.predicted = want,
		.verdict = VERDICT_DRIFTED,
		.cause = want ? CAUSE_OFF : CAUSE_ON,
		.text = "",
		.rule = &s->rules[0],
		.feature = &s->rule_features[0],
	};
	item->cause_bit = item->bit;
	return item;
}

static inline void sample_compliant(struct plan_item *item)
{
	item->active = item->wanted = item->predicted = item->want;
	item->verdict = VERDICT_COMPLIANT;
	item->cause = CAUSE_NONE;
	item->cause_bit = FEATURE_MAX;
}

static inline void sample_links(struct sample *s)
{
	struct link *l;

	l = sample_link(s, 2, "eth2", "physical");
	l->master_ifindex = 4;
	strcpy(l->slave_kind, "bond");
	strcpy(l->driver, "e1000e");
	l->features.hw = l->features.wanted = l->features.active =
		unit_set(&s->features, "sg tx tso gso");
	l->limits = sample_limits(8000);
	memcpy(l->address, "\x02\0\0\0\0\x0a", 6);
	l->address_len = 6;
	l = sample_link(s, 3, "eth3", "physical");
	l->master_ifindex = 4;
	l->has_features = false;
	l->features_error = -ENODEV;
	l = sample_link(s, 4, "bond0", "bond");
	l->features.active = l->features.wanted = l->features.hw =
		unit_set(&s->features, "sg tx tso");
	l = sample_link(s, 5, "vlan10", "vlan");
	l->lower_ifindex = 4;
	l->vlan_id = 10;
	l->features.hw = l->features.wanted = unit_set(&s->features, "sg tx tso rx-lro");
	l->features.nochange = unit_set(&s->features, "highdma");
	l->limits = sample_limits(65536);
	l = sample_link(s, 6, "vlan100", "vlan");
	l->lower_ifindex = 4;
	l->vlan_id = 100;
	sample_link(s, 7, "evil\x1b[2J", "other")->lower_netnsid = 3;
	link_table_stack(&s->links);
}

static inline void sample_rules(struct sample *s)
{
	s->rule_features[0] = (struct rule_feature){
		.word = (char *)"tx-scatter-gather", .value = RULE_LOWER, .line = 12
	};
	s->rule_features[1] = (struct rule_feature){ .word = (char *)"tx-udp-fragmentation",
		.word_kind = FEATURE_WORD_FOREIGN,
		.value = RULE_ON,
		.line = 14 };
	s->rule_features[2] = (struct rule_feature){ .word = (char *)"gso-max-size", .value = RULE_LOWER, .line = 17 };
	s->rules[0] = (struct rule){
		.file = (char *)"10-vlan.rule",
		.path = (char *)"/usr/lib/offloadd/rules.d/10-vlan.rule",
		.description = (char *)"VLANs keep the transmit offloads of the interface below",
		.reason = (char *)"sendfile through a VLAN without scatter-gather copies every page"
	};
	s->rules[1] = (struct rule){ .file = (char *)"50-lro.rule",
		.path = (char *)"/etc/\xff/50-lro.rule",
		.until = 1,
		.mode = RULE_MODE_AUDIT };
	s->error = (struct rule_error){ .path = (char *)"/etc/bad.rule",
		.line = 3,
		.message = (char *)"unknown key \"Nmae\x1b\"" };
	s->set = (struct rule_set){
		.rules = s->rules, .n_rules = 2, .errors = &s->error, .n_errors = 1
	};
}

/* A limit that should follow eth2, and one that this kernel does not have. */
static inline void sample_limit_items(struct sample *s, struct plan_item *items)
{
	struct plan_item *item;

	item = sample_item(s, &items[0], "rx-gro", RULE_LOWER, false);
	item->bit = item->cause_bit = FEATURE_MAX;
	item->active = item->wanted = false;
	item->is_limit = true;
	item->number = (struct plan_number){ .limit = LINK_LIMIT_GSO_MAX_SIZE, .now = 65536, .want = 8000, .predicted = 8000,
		.cause = 65536 };
	item->cause = CAUSE_LIMIT_DIFFERS;
	item->feature = &s->rule_features[2];
	items[1] = *item;
	item = &items[1];
	item->number = (struct plan_number){ .limit = LINK_LIMIT_GRO_IPV4_MAX_SIZE, .want = 9000 };
	item->declared = RULE_NUMBER;
	item->verdict = VERDICT_UNSUPPORTED;
	item->cause = CAUSE_UNSUPPORTED_KERNEL;
	s->rule_features[3] = (struct rule_feature){ .word = (char *)"gro-ipv4-max-size", .value = RULE_NUMBER, .number = 9000,
		.line = 18 };
	item->feature = &s->rule_features[3];
}

/* vlan10: sg and tx off, TSO blocked, LRO contended, a feature of other kernels, limits. */
static inline void sample_vlan10(struct sample *s, struct plan_link *pl, struct plan_item *items)
{
	struct plan_item *item;

	sample_item(s, &items[0], "tx-scatter-gather", RULE_LOWER, true);
	item = sample_item(s, &items[1], "tx-tcp-segmentation", RULE_LOWER, true);
	item->verdict = VERDICT_BLOCKED;
	item->cause = CAUSE_LOWER_OFF;
	item->cause_ifindex = 4;
	item->predicted = false;
	item->wanted = true;
	strcpy(item->cause_name, "bond0");
	items[2] = *item;
	items[2].bit = items[2].cause_bit =
		(unsigned)feature_bit(&s->features, "tx-tcp6-segmentation");
	sample_item(s, &items[3], "tx-checksum-ip-generic", RULE_LOWER, true);
	item = sample_item(s, &items[4], "rx-lro", RULE_OFF, false);
	item->verdict = VERDICT_CONTENDED;
	item->cause = CAUSE_NONE;
	item->rule = &s->rules[1];
	item->overdue = true;
	item->text = "tuned (pid 812) keeps changing it back";
	sample_compliant(sample_item(s, &items[5], "rx-gro", RULE_ON, true));
	item = sample_item(s, &items[6], "tx-scatter-gather", RULE_ON, true);
	item->bit = item->cause_bit = FEATURE_MAX;
	item->verdict = VERDICT_UNSUPPORTED;
	item->cause = CAUSE_UNSUPPORTED_KERNEL;
	item->feature = &s->rule_features[1];
	item->active = item->wanted = item->predicted = false;
	sample_limit_items(s, &items[7]);
	*pl = (struct plan_link){
		.ifindex = 5, .name = "vlan10", .kind = "vlan", .items = items, .n_items = 9,
		.limits = sample_limits(65536), .limits_predicted = sample_limits(8000)
	};
	pl->predicted.active = unit_set(&s->features, "sg tx-checksum-ip-generic gso");
	pl->side_effects = unit_set(&s->features, "gso tx-scatter-gather-fraglist");
	pl->uncertain = unit_set(&s->features, "tx-checksum-ip-generic");
}

static inline void sample_plan(struct sample *s)
{
	struct plan_link *pl = s->plan_links;

	pl[0] = (struct plan_link){
		.ifindex = 2, .name = "eth2", .kind = "physical", .items = s->items, .n_items = 2
	};
	sample_compliant(sample_item(s, &s->items[0], "tx-scatter-gather", RULE_ON, true));
	sample_item(s, &s->items[1], "rx-lro", RULE_OFF, false);
	s->items[1].audit = true;
	s->items[1].cause = CAUSE_AUDIT;
	s->items[1].rule = &s->rules[1];
	s->items[1].predicted = true;
	pl[1] = (struct plan_link){ .ifindex = 4, .name = "bond0", .kind = "bond" };
	pl[1].before.active = unit_set(&s->features, "rx-lro");
	pl[1].side_effects = pl[1].before.active;
	sample_vlan10(s, &pl[2], &s->items[2]);
	s->steps[0] = (struct plan_step){ .ifindex = 5,
		.name = "vlan10",
		.mask = unit_set(&s->features, "tx-scatter-gather tx-checksum-ip-generic rx-lro"),
		.value = unit_set(&s->features, "tx-scatter-gather tx-checksum-ip-generic") };
	s->steps[1] = (struct plan_step){ .ifindex = 5, .name = "vlan10",
		.limits = { .value = { 8000 }, .has = LINK_LIMIT(LINK_LIMIT_GSO_MAX_SIZE) } };
	for (size_t i = 0; i < 3; i++)
		s->index[i] = (struct plan_index){ pl[i].ifindex, i };
	s->plan = (struct plan){ .links = pl,
		.n_links = 3,
		.index = s->index,
		.n_index = 3,
		.steps = s->steps,
		.n_steps = 2,
		.overdue = 1 };
	for (size_t i = 0; i < 3; i++)
		for (size_t j = 0; j < pl[i].n_items; j++)
			s->plan.counts[pl[i].items[j].verdict]++;
}

static inline void sample_results(struct sample *s)
{
	s->results[0] = (struct apply_result){ .ifindex = 5,
		.name = "vlan10",
		.asked = s->steps[0].mask,
		.value = s->steps[0].value };
	s->results[0].after.active = s->plan_links[2].predicted.active;
	s->results[0].changed = s->results[0].after.active;
	s->results[1] = (struct apply_result){
		.ifindex = 4, .name = "bond0", .asked = 1, .value = 1, .missed = 1, .error = -EINVAL
	};
	strcpy(s->results[1].text, "bond does not allow it\x07");
	s->results[2] = (struct apply_result){
		.ifindex = 2, .name = "eth2", .asked = 1, .value = 1, .missed = 1
	};
	s->results[3] = (struct apply_result){ .ifindex = 5, .name = "vlan10", .limits = s->steps[1].limits,
		.limits_before = sample_limits(65536), .limits_after = sample_limits(8000) };
	s->report = (struct apply_report){ .results = s->results, .n_results = 4 };
}

static inline void sample_step(struct cause_step *step, unsigned depth, const struct link *link, enum cause code)
{
	*step = (struct cause_step){ .code = code, .depth = depth, .ifindex = link->ifindex, .bit = 16, .want = true,
		.other_bit = FEATURE_MAX };
	memcpy(step->link, link->name, sizeof(step->link));
}

static inline void sample_explanation(struct sample *s)
{
	struct link *eth2 = link_table_find(&s->links, 2);

	sample_step(&s->lines[0], 0, link_table_find(&s->links, 5), CAUSE_DECLARED);
	sample_step(&s->lines[1], 1, link_table_find(&s->links, 4), CAUSE_SLAVE_OFF);
	s->lines[1].other_ifindex = 2;
	s->lines[1].other_bit = 16;
	strcpy(s->lines[1].other_link, "eth2");
	sample_step(&s->lines[2], 2, eth2, CAUSE_UNSUPPORTED_DRIVER);
	strcpy(s->lines[2].driver, eth2->driver);
	s->explanation = (struct explanation){ .steps = s->lines, .n_steps = 3, .item = &s->items[3],
		.rule = s->items[3].rule, .feature = s->items[3].feature,
		.advice = { .code = ADVICE_OTHER_DEVICE, .bit = 16, .link = "eth2" } };
}

static inline void sample_make(struct sample *s)
{
	memset(s, 0, sizeof(*s));
	unit_features(&s->features);
	sample_links(s);
	sample_rules(s);
	sample_plan(s);
	sample_results(s);
	sample_explanation(s);
	s->view = (struct view){ .features = &s->features,
		.links = &s->links,
		.rules = &s->set,
		.plan = &s->plan,
		.exit_code = 6 };
}

static inline void sample_clear(struct sample *s)
{
	link_table_clear(&s->links);
}

#endif
