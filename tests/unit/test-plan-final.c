/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Once a plan is carried out, the same rules ask for nothing more: random stacks, random states and
 * random rules, with predict.c in the place of the kernel. */
#include <stdio.h>

#include "plan/explain.h"
#include "plan/predict.h"
#include "unit-model.h"
#include "basic/util.h"

#define LINKS_MAX 12
#define NEVER "tx-lockless vlan-challenged netns-local" /* to be changed */

struct simulation {
	struct unit_host *host;
	struct predict *kernel;
	uint64_t random;
	int n_links;
	unsigned steps, checked, not_as_planned, explained;
};

static uint64_t random_next(struct simulation *s) /* splitmix64 */
{
	uint64_t z = (s->random += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static unsigned random_below(struct simulation *s, unsigned n)
{
	return (unsigned)(random_next(s) % n);
}

/* Of 16 bits about n. */
static feature_set random_bits(struct simulation *s, unsigned n)
{
	feature_set set = 0;

	for (unsigned bit = 0; bit < FEATURE_MAX; bit++)
		if (random_below(s, 16) < n)
			set |= FEATURE(bit);
	return set;
}

static void add_link(struct simulation *s)
{
	static const char *const cards[] = { "e1000e", "vmxnet3", "igb", "other" };
	static const char *const grounds[] = { "physical", "physical", "veth", "dummy", "tun" };
	static const char *const uppers[] = { "vlan", "vlan", "macvlan", "ipvlan", "vxlan" };
	static const char *const masters[] = { "bond", "bond", "team", "bridge" };
	feature_set never = unit_set(&s->host->features, NEVER);
	int ifindex = ++s->n_links, lower = 1 + (int)random_below(s, LINKS_MAX);
	char name[LINK_NAME_LEN];
	struct link *link;
	const char *kind;
	unsigned sort = random_below(s, 10);

	snprintf(name, sizeof(name), "l%d", ifindex);
	if (lower >= ifindex || sort < 4)
		kind = grounds[random_below(s, ARRAY_SIZE(grounds))];
	else if (sort < 7)
		kind = uppers[random_below(s, ARRAY_SIZE(uppers))];
	else
		kind = masters[random_below(s, ARRAY_SIZE(masters))];
	link = unit_link(s->host, ifindex, name, kind,
		lower < ifindex && sort >= 4 && sort < 7 ? lower : 0, 0, "highdma");
	if (strcmp(kind, "physical") == 0)
		strcpy(link->driver, cards[random_below(s, ARRAY_SIZE(cards))]);
	link->features = (struct link_features){
		.hw = random_bits(s, 4 + random_below(s, 12)) & ~never,
		.nochange = never,
	};
	/* those drivers that tie the two have both */
	if (link->features.hw & feature_named(&s->host->features, "rx-vlan-hw-parse"))
		link->features.hw |= feature_named(&s->host->features, "tx-vlan-hw-insert");
	/* and a VLAN has one checksum, NETIF_F_HW_CSUM */
	if (strcmp(kind, "vlan") == 0)
		link->features.hw &=
			~unit_set(&s->host->features, "tx-checksum-ipv4 tx-checksum-ipv6");
	for (int port = 1; lower < ifindex && sort >= 7 && port < ifindex; port++) {
		struct link *other = link_table_find(&s->host->links, port);

		if (!other->master_ifindex && random_below(s, 4) == 0)
			other->master_ifindex = ifindex;
	}
}

static void adopt(struct simulation *s)
{
	link_table_foreach (&s->host->links, link)
		link->features = *predict_features(s->kernel, link->ifindex);
}

/* Links that were switched at random, lowest first, so that each is as its neighbours make it. */
static void build(struct simulation *s)
{
	feature_set never = unit_set(&s->host->features, NEVER);
	unsigned n = 2 + random_below(s, LINKS_MAX - 2);

	s->n_links = 0;
	while ((unsigned)s->n_links < n)
		add_link(s);
	s->host->links.stacked = false;
	link_table_stack(&s->host->links);
	assert_int_equal(predict_new(&s->host->features, &s->host->links,
				 &s->host->host, &s->kernel),
		0);
	for (unsigned i = 0; i < 2 * n; i++)
		assert_int_equal(predict_set(s->kernel, 1 + (int)(i % n),
					 random_bits(s, 12) & ~never, random_bits(s, 12)),
			0);
	adopt(s);
}

static void make_rules(struct simulation *s)
{
	static const char *const kinds[] = { "vlan", "bond", "bridge macvlan", "physical veth dummy",
		"* !loopback", "team vxlan tun" };
	static const char *const values[] = { "on", "on", "off", "lower", "lower-all" };
	char text[1024], file[16];

	rule_set_clear(&s->host->rules);
	for (unsigned rule = 0; rule < 2; rule++) {
		text[0] = '\0';
		util_append(text, sizeof(text), "[Match]\nKind=%s\n[Features]\n",
			kinds[random_below(s, ARRAY_SIZE(kinds))]);
		for (unsigned i = 0; i < 12; i++)
			if (random_below(s, 4) == 0)
				util_append(text, sizeof(text), "%s=%s\n", feature_alias(i)->word,
					values[random_below(s, ARRAY_SIZE(values))]);
		util_append(text, sizeof(text), "tx-nocache-copy=%s\n",
			values[random_below(s, ARRAY_SIZE(values))]);
		snprintf(file, sizeof(file), "%u.rule", 10 + rule);
		unit_rule(s->host, file, text);
	}
}

static bool is_uncertain(const struct plan *plan)
{
	for (size_t i = 0; i < plan->n_links; i++)
		if (plan->links[i].uncertain)
			return true;
	return false;
}

/* false where the kernel made something else of it than was planned, hidden state being what it is. */
static bool carry_out(struct simulation *s, const struct plan *plan)
{
	bool same = true;

	for (size_t i = 0; i < plan->n_steps; i++)
		assert_int_equal(plan->steps[i].recompute ? predict_recompute(s->kernel, plan->steps[i].ifindex) :
			predict_set(s->kernel, plan->steps[i].ifindex, plan->steps[i].mask, plan->steps[i].value), 0);
	for (size_t i = 0; i < plan->n_links; i++) {
		const struct link_features *real =
			predict_features(s->kernel, plan->links[i].ifindex);

		same = same && real->active == plan->links[i].predicted.active &&
		       real->wanted == plan->links[i].predicted.wanted;
	}
	return same;
}

static void tell(const struct simulation *s, const char *first)
{
	char text[4096], names[2048];

	link_table_foreach (&s->host->links, link)
		printf("%s %s %s on %d port of %d hw %s\n", link->name, link->kind, link->driver,
			link->lower_ifindex, link->master_ifindex,
			feature_format(&s->host->features, link->features.hw, names, sizeof(names)));
	for (size_t i = 0; i < s->host->rules.n_rules; i++)
		for (size_t j = 0; j < s->host->rules.rules[i].n_features; j++)
			printf("%s %s=%s\n", s->host->rules.rules[i].match.value[RULE_KIND],
				s->host->rules.rules[i].features[j].word,
				rule_value_name(s->host->rules.rules[i].features[j].value));
	printf("first:  %s\nsecond: %s\n", first, unit_steps(s->host, text, sizeof(text)));
}

/* Named one by one, links are planned for as all of them are. */
static void plan_by_name(struct simulation *s, const char *expected)
{
	int only[LINKS_MAX];
	struct plan plan;
	char text[4096];

	for (int i = 0; i < s->n_links; i++)
		only[i] = s->n_links - i;
	assert_int_equal(plan_make(&s->host->context, &s->host->links, only, (size_t)s->n_links, &plan), 0);
	plan_clear(&s->host->plan);
	s->host->plan = plan;
	assert_string_equal(unit_steps(s->host, text, sizeof(text)), expected);
}

/* The plan's cause is the first step of the chain that explain makes. */
static void explain_all(struct simulation *s)
{
	const struct plan *plan = &s->host->plan;

	for (size_t i = 0; i < plan->n_links; i++)
		for (size_t j = 0; j < plan->links[i].n_items; j++) {
			const struct plan_item *item = &plan->links[i].items[j];
			struct explanation e;
			size_t at = 0;

			if (item->bit >= FEATURE_MAX || item->verdict == VERDICT_COMPLIANT || !item->want)
				continue;
			assert_int_equal(explain_feature(&s->host->context, &s->host->links, plan, plan->links[i].ifindex,
						 item->bit, &e),
				0);
			/* the heading; and that it is turned off here is no cause where something else holds it */
			while (at < e.n_steps && (e.steps[at].depth == 0 || (e.steps[at].code == CAUSE_OFF && item->cause != CAUSE_OFF)))
				at++;
			if (at < e.n_steps && !item->active) {
				s->explained++;
				assert_int_equal(e.steps[at].code, item->cause);
				assert_int_equal(e.steps[at].other_ifindex, item->cause_ifindex);
			}
			explanation_clear(&e);
		}
}

static void run_case(struct simulation *s, const char *release)
{
	char first[4096];

	s->host = unit_host_new();
	snprintf(s->host->host.kernel_release, sizeof(s->host->host.kernel_release), "%s", release);
	build(s);
	make_rules(s);
	unit_plan(s->host);
	unit_steps(s->host, first, sizeof(first));
	s->steps += (unsigned)s->host->plan.n_steps;
	explain_all(s);
	plan_by_name(s, first);
	if (!is_uncertain(&s->host->plan)) {
		if (carry_out(s, &s->host->plan)) {
			s->checked++;
			adopt(s);
			unit_plan(s->host);
			if (s->host->plan.n_steps)
				tell(s, first);
			assert_int_equal(s->host->plan.n_steps, 0);
		} else {
			s->not_as_planned++;
		}
	}
	predict_free(s->kernel);
	unit_host_free(s->host);
}

static void a_second_plan_has_no_steps(void **state)
{
	static const char *const releases[] = { "5.10.0", "6.1.0", "6.12.0", "7.2.0" };
	struct simulation s = { .random = 20261121 };

	(void)state;
	for (unsigned i = 0; i < 4000; i++)
		run_case(&s, releases[i % ARRAY_SIZE(releases)]);
	assert_true(s.steps > 4000 && s.checked > 1000 && s.explained > 4000);
	assert_true(s.not_as_planned < 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_second_plan_has_no_steps),
	};

	return cmocka_run_group_tests_name("plan-final", tests, NULL, NULL);
}
