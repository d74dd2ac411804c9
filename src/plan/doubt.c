/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/doubt.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "basic/util.h"
#include "plan/predict.h"

struct doubt {
	struct rule_set *set;
	const struct rule *rule;
	const struct predict *predict;
	const struct feature_table *table;
	const struct rule_feature *word[FEATURE_MAX]; /* what declares each feature */
	feature_set on, off;
	int error;
};

#define WARN(d, line, ...)                                                                                               \
	((d)->error = (d)->error < 0 ? (d)->error : rule_set_add_warning((d)->set, (d)->rule->path, line, __VA_ARGS__))

/* ---- what it matches ---- */

static void warn_never(struct doubt *d, enum rule_key key, const char *why)
{
	WARN(d, d->rule->match.line[key], "%s=%s matches nothing: %s", rule_key_name(key), d->rule->match.value[key], why);
}

/* Virtual links have their kind as driver, and nothing on a bus. */
static bool is_possible(const struct rule_match *m, const char *kind)
{
	/* loopback has no link below, either; nor do masters, whose ports are not below by IFLA_LINK */
	static const char *const without_lower[] = { "physical", "loopback", "bond", "team", "bridge", "veth", "dummy", "ifb", "tun",
		"vrf", "wireguard", "netkit", "vxcan" };
	const unsigned hardware = RULE_KEY(RULE_PATH) | RULE_KEY(RULE_DEVICE) | RULE_KEY(RULE_FIRMWARE) | RULE_KEY(RULE_DRIVER_VERSION);
	const unsigned lower = RULE_KEY(RULE_LOWER_KIND) | RULE_KEY(RULE_LOWER_DRIVER);
	bool on_bus = strcmp(kind, "physical") == 0 || strcmp(kind, "other") == 0;

	if (!on_bus && ((m->keys & hardware) || !rule_glob_list(m->value[RULE_DRIVER], kind)))
		return false;
	return !(m->keys & lower) || util_find_word(kind, without_lower, ARRAY_SIZE(without_lower)) < 0;
}

static void doubt_kind(struct doubt *d)
{
	const struct rule_match *m = &d->rule->match;
	bool any = false;
	const char *kind;

	if (!m->value[RULE_KIND])
		return;
	for (size_t i = 0; (kind = link_known_kind(i)); i++) {
		if (!rule_glob_list(m->value[RULE_KIND], kind))
			continue;
		if (is_possible(m, kind))
			return;
		any = true;
	}
	if (!any) /* of an unknown kind: reported when it was read */
		return;
	if (m->keys & (RULE_KEY(RULE_LOWER_KIND) | RULE_KEY(RULE_LOWER_DRIVER)))
		warn_never(d, RULE_KIND, "interfaces of this kind are not created on another one; LowerKind= and LowerDriver= exclude them");
	else if (m->value[RULE_DRIVER])
		warn_never(d, RULE_DRIVER, "interfaces of the kind in Kind= have that kind as driver");
	else
		warn_never(d, RULE_KIND, "only interfaces on a bus have a path, device, firmware or driver version");
}

static void doubt_master(struct doubt *d)
{
	static const struct {
		unsigned role;
		const char *kind;
	} ports[] = { { RULE_ROLE_BRIDGE_PORT, "bridge" }, { RULE_ROLE_BOND_PORT, "bond" }, { RULE_ROLE_OVS_PORT, "openvswitch" } };
	const struct rule_match *m = &d->rule->match;
	unsigned others = m->roles;

	if (!m->roles || !m->value[RULE_MASTER_KIND])
		return;
	for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
		if ((m->roles & ports[i].role) && rule_glob_list(m->value[RULE_MASTER_KIND], ports[i].kind))
			return;
		others &= ~ports[i].role;
	}
	if (!others)
		warn_never(d, RULE_MASTER_KIND, "no port with the role in Role= has such a master");
}

/* Does every word that includes something exclude it, too? Only for lists of plain words. */
static void doubt_exclusions(struct doubt *d, enum rule_key key)
{
	const char *list = d->rule->match.value[key];
	char word[256];
	bool any = false;

	if (!list || key == RULE_ROLE || key == RULE_KERNEL_VERSION || key == RULE_DEVICE)
		return;
	for (size_t len; list += strspn(list, " \t"), len = strcspn(list, " \t"); list += len) {
		if (*list == '!')
			continue;
		snprintf(word, sizeof(word), "%.*s", (int)len, list);
		if (strpbrk(word, "*?[\\<>=") || rule_glob_list(d->rule->match.value[key], word))
			return;
		any = true;
	}
	if (any)
		warn_never(d, key, "every word is excluded by one with !");
}

/* Is there a version that all conditions allow? It would be next to one of their numbers. */
static bool is_satisfiable(const char *conditions)
{
	const char *list = conditions;
	char word[64], version[128];

	for (size_t len; list += strspn(list, " \t"), len = strcspn(list, " \t"); list += len) {
		char *number = word, *last;

		snprintf(word, sizeof(word), "%.*s", (int)len, list);
		number += strspn(number, "<>=!");
		last = strrchr(number, '.') ? strrchr(number, '.') + 1 : number;
		snprintf(version, sizeof(version), "%s.99999999", number);
		if (rule_kernel_matches(conditions, number) == 1 || rule_kernel_matches(conditions, version) == 1)
			return true;
		if (strtoul(last, NULL, 10) > 0) {
			snprintf(version, sizeof(version), "%.*s%lu.99999999", (int)(last - number), number, strtoul(last, NULL, 10) - 1);
			if (rule_kernel_matches(conditions, version) == 1)
				return true;
		}
	}
	return rule_kernel_matches(conditions, "99999999") == 1 || rule_kernel_matches(conditions, "0") == 1;
}

static void doubt_match(struct doubt *d)
{
	const char *versions = d->rule->match.value[RULE_KERNEL_VERSION];

	doubt_kind(d);
	doubt_master(d);
	for (enum rule_key key = 0; key < RULE_KEYS; key++)
		doubt_exclusions(d, key);
	if (versions && !is_satisfiable(versions))
		warn_never(d, RULE_KERNEL_VERSION, "no version meets all conditions");
}

/* ---- what it declares ---- */

static const char *on_off(bool on)
{
	return on ? "on" : "off";
}

static void collect(struct doubt *d)
{
	for (int names = 0; names < 2; names++)
		for (size_t i = 0; i < d->rule->n_features; i++) {
			const struct rule_feature *f = &d->rule->features[i];
			unsigned bit;

			if ((f->word_kind == FEATURE_WORD_NAME) != names)
				continue;
			feature_foreach (bit, f->bits)
				d->word[bit] = f;
		}
	for (unsigned bit = 0; bit < FEATURE_MAX; bit++) {
		d->on |= d->word[bit] && d->word[bit]->value == RULE_ON ? FEATURE(bit) : 0;
		d->off |= d->word[bit] && d->word[bit]->value == RULE_OFF ? FEATURE(bit) : 0;
	}
}

/* The word that keeps a feature from being on; NULL. link: of a driver, or NULL for every link. */
static const struct rule_feature *find_opponent(const struct doubt *d, const struct link *link, unsigned bit)
{
	feature_set all, any, none;
	unsigned other;

	predict_needs(d->predict, link, bit, &all, &any, &none);
	if (any && (any & ~d->off) == 0)
		all |= any;
	feature_foreach (other, (all & d->off) | (none & d->on))
		if (d->word[other] != d->word[bit])
			return d->word[other];
	return NULL;
}

/* Does an earlier bit of the same word have the same opponent? Then it was reported. */
static bool is_repeated(const struct doubt *d, const struct link *link, unsigned bit, const struct rule_feature *opponent)
{
	unsigned other;

	feature_foreach (other, d->on & (FEATURE(bit) - 1))
		if (d->word[other] == d->word[bit] && find_opponent(d, link, other) == opponent)
			return true;
	return false;
}

static void doubt_needs(struct doubt *d)
{
	unsigned bit;

	feature_foreach (bit, d->on) {
		const struct rule_feature *f = d->word[bit], *opponent = find_opponent(d, NULL, bit);

		if (opponent && !is_repeated(d, NULL, bit, opponent))
			WARN(d, f->line, "%s=on and %s=%s in line %u are not possible together: the kernel keeps %s off with that", f->word,
				opponent->word, on_off(opponent->value == RULE_ON), opponent->line, f->word);
	}
}

/* May the rule match an interface with this driver? */
static bool is_for_driver(const struct rule *rule, const char *driver)
{
	return rule_glob_list(rule->match.value[RULE_KIND], "physical") && rule_glob_list(rule->match.value[RULE_DRIVER], driver);
}

/* What the driver adds: features with one switch, and what one needs. False: nothing. */
static bool find_driver_conflict(const struct doubt *d, const char *driver, const struct rule_feature **ret_a,
	const struct rule_feature **ret_b)
{
	struct link link = { .kind = "physical", .features.hw = ~UINT64_C(0) };
	struct predict_facts facts;
	unsigned bit;

	snprintf(link.driver, sizeof(link.driver), "%s", driver);
	facts = predict_facts(d->predict, &link);
	if ((facts.coupled & d->on) && (facts.coupled & d->off)) {
		*ret_a = d->word[__builtin_ctzll(facts.coupled & d->on)];
		*ret_b = d->word[__builtin_ctzll(facts.coupled & d->off)];
		return true;
	}
	feature_foreach (bit, d->on) {
		*ret_a = d->word[bit];
		*ret_b = find_opponent(d, &link, bit);
		if (*ret_b && !find_opponent(d, NULL, bit))
			return true;
	}
	return false;
}

/* One warning for each pair of words, with all drivers. */
static void doubt_drivers(struct doubt *d)
{
	const char *driver, *other;

	for (size_t i = 0; (driver = predict_driver(i)); i++) {
		const struct rule_feature *a, *b, *c, *e;
		char drivers[256] = "";
		bool repeated = false;

		if (!is_for_driver(d->rule, driver) || !find_driver_conflict(d, driver, &a, &b))
			continue;
		for (size_t j = 0; (other = predict_driver(j)); j++) {
			if (!is_for_driver(d->rule, other) || !find_driver_conflict(d, other, &c, &e) || c != a || e != b)
				continue;
			repeated = repeated || j < i;
			util_append(drivers, sizeof(drivers), "%s%s", drivers[0] ? ", " : "", other);
		}
		if (!repeated)
			WARN(d, a->line, "%s=on and %s=off in line %u are not possible together with drivers that have one switch for them, or need one for the other: %s",
				a->word, b->word, b->line, drivers);
	}
}

static void doubt_mangleid(struct doubt *d)
{
	int bit = feature_bit(d->table, "tx-tcp-mangleid-segmentation");

	if (bit >= 0 && (d->on & FEATURE(bit)))
		WARN(d, d->word[bit]->line,
			"tx-tcp-mangleid-segmentation=on: the kernel leaves this feature off on healthy devices, as it repeats IPv4 IDs; tso=on does not need it");
}

int doubt_rules(struct rule_set *set, const struct feature_table *table, const struct rule_host *host)
{
	_cleanup_(predict_free_pointer) struct predict *predict = NULL;
	struct link_table none = { .stacked = true };
	int r = predict_new(table, &none, host, &predict);

	for (size_t i = 0; i < set->n_rules && r >= 0; i++) {
		struct doubt d = { .set = set, .rule = &set->rules[i], .predict = predict, .table = table };

		collect(&d);
		doubt_match(&d);
		doubt_needs(&d);
		doubt_drivers(&d);
		doubt_mangleid(&d);
		r = d.error;
	}
	return r < 0 ? r : 0;
}

/* The first key that is about other network namespaces; RULE_KEYS: none. */
static unsigned find_netns_key(const struct rule *rule)
{
	unsigned key;

	feature_foreach (key, rule->match.keys & RULE_NETNS_KEYS)
		if (key != RULE_NAMESPACE || strcmp(rule->match.value[key], "host") != 0)
			return key;
	return RULE_KEYS;
}

int doubt_namespaces(struct rule_set *set, const struct doubt_namespaces *facts)
{
	for (size_t i = 0; i < set->n_rules; i++) {
		struct doubt d = { .set = set, .rule = &set->rules[i] };
		const struct rule_match *m = &d.rule->match;
		unsigned key = find_netns_key(d.rule);

		if (key == RULE_KEYS)
			continue;
		if (facts->ignored)
			WARN(&d, m->line[key], "%s=%s has no effect in other network namespaces: offloadd.conf has Namespaces=host",
				rule_key_name(key), m->value[key]);
		else if (facts->observed && d.rule->mode == RULE_MODE_ENFORCE)
			WARN(&d, m->line[key], "%s=%s changes nothing in other network namespaces: for that, set Namespaces=enforce in offloadd.conf",
				rule_key_name(key), m->value[key]);
		if (facts->no_images && m->value[RULE_IMAGE])
			WARN(&d, m->line[RULE_IMAGE], "Image=%s matches nothing here: no container runtime of this host has files with images that "
				"offloadd reads", m->value[RULE_IMAGE]);
		if (d.error < 0)
			return d.error;
	}
	return 0;
}
