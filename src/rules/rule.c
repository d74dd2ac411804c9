/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/rule.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "basic/util.h"
#include "rules/version.h"

#define PATTERN_MAX 256
#define VERSION_PARTS 8

/* The valid words of Virtualization=: classes, and the names that systemd-detect-virt(1) prints. */
static const char *const virtualizations[] = {
	"yes", "no", "vm", "container",
	"qemu", "kvm", "amazon", "zvm", "vmware", "microsoft", "oracle", "powervm", "xen", "bochs", "uml", "parallels",
	"bhyve", "qnx", "acrn", "apple", "sre", "google", "vm-other",
	"systemd-nspawn", "lxc-libvirt", "lxc", "openvz", "docker", "podman", "rkt", "wsl", "proot", "pouch",
	"container-other",
};
#define FIRST_MACHINE 4
#define FIRST_CONTAINER 23

static const char *const value_names[] = {
	[RULE_UNSET] = "unset",
	[RULE_OFF] = "off",
	[RULE_ON] = "on",
	[RULE_LOWER] = "lower",
	[RULE_NUMBER] = "number",
	[RULE_LOWER_ALL] = "lower-all",
};

const char *rule_value_name(enum rule_value value)
{
	return (size_t)value < ARRAY_SIZE(value_names) ? value_names[value] : "unknown";
}

void rule_clear(struct rule *rule)
{
	char *texts[] = { rule->file, rule->path, rule->description, rule->reason };

	for (size_t i = 0; i < rule->n_features; i++)
		free(rule->features[i].word);
	free(rule->features);
	for (size_t i = 0; i < LINK_LIMIT_SETTABLE; i++)
		free(rule->limits[i].word);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		free(texts[i]);
	for (size_t i = 0; i < RULE_KEYS; i++)
		free(rule->match.value[i]);
	*rule = (struct rule){ 0 };
}

static void clear_errors(struct rule_error *errors, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(errors[i].path);
		free(errors[i].message);
	}
	free(errors);
}

void rule_set_clear(struct rule_set *set)
{
	for (size_t i = 0; i < set->n_rules; i++)
		rule_clear(&set->rules[i]);
	free(set->rules);
	clear_errors(set->errors, set->n_errors);
	clear_errors(set->warnings, set->n_warnings);
	*set = (struct rule_set){ 0 };
}

/* Copies the next word of a list without its "!", and moves *list after it. NULL: no more words.
 * *ret_excludes: it has a "!". rule_file.c rejects words that do not fit. */
static const char *next_word(const char **list, char word[PATTERN_MAX], bool *ret_excludes)
{
	const char *from = *list + strspn(*list, " \t");
	size_t len = strcspn(from, " \t");

	if (len == 0)
		return NULL;
	*list = from + len;
	*ret_excludes = *from == '!';
	if (*ret_excludes) {
		from++;
		len--;
	}
	if (len >= PATTERN_MAX)
		len = PATTERN_MAX - 1;
	memcpy(word, from, len);
	word[len] = '\0';
	return word;
}

static bool equals_glob(const char *pattern, const void *text, int flags)
{
	/* Most patterns are plain words, and this runs for every rule and link. */
	if (!flags && !strpbrk(pattern, "*?[\\"))
		return strcmp(pattern, text) == 0;
	return fnmatch(pattern, text, flags) == 0;
}

/* See rule_glob_list(). */
static bool match_list(const char *list, const void *text, int flags,
	bool (*equals)(const char *pattern, const void *text, int flags))
{
	bool others = false, hit = false, excludes;
	char word[PATTERN_MAX];

	while (next_word(&list, word, &excludes)) {
		if (excludes && equals(word, text, flags))
			return false;
		if (excludes)
			continue;
		others = true;
		hit = hit || equals(word, text, flags);
	}
	return hit || !others;
}

bool rule_glob_list(const char *patterns, const char *text)
{
	return !patterns || match_list(patterns, text, 0, equals_glob);
}

/* The same for a key of a rule, which does not match a missing attribute. */
static bool match_key(const char *patterns, const char *text, int flags)
{
	return !patterns || (text && text[0] && match_list(patterns, text, flags, equals_glob));
}

/* Parses "6.1.0-18-amd64" up to the first character after the version. Returns the number of parts; the
 * missing ones are 0. */
static size_t read_version(const char *s, unsigned long parts[VERSION_PARTS], const char **ret_end)
{
	size_t n = 0;

	memset(parts, 0, VERSION_PARTS * sizeof(*parts));
	while (*s >= '0' && *s <= '9' && n < VERSION_PARTS) {
		while (*s >= '0' && *s <= '9') {
			if (parts[n] < 100000000)
				parts[n] = parts[n] * 10 + (unsigned long)(*s - '0');
			s++;
		}
		n++;
		if (s[0] != '.' || s[1] < '0' || s[1] > '9')
			break;
		s++;
	}
	*ret_end = s;
	return n;
}

static int check_version(const char *condition, const unsigned long release[VERSION_PARTS])
{
	unsigned long parts[VERSION_PARTS];
	const char *number, *end;
	int order = 0;
	size_t n;

	version_sign(condition, &number);
	n = read_version(number, parts, &end);
	if (n == 0 || *end)
		return -EINVAL;
	for (size_t i = 0; i < n && order == 0; i++)
		order = COMPARE(release[i], parts[i]);
	return version_holds(condition, order);
}

int rule_kernel_matches(const char *conditions, const char *release)
{
	unsigned long parts[VERSION_PARTS];
	bool all = true;
	const char *end;
	char word[64];

	read_version(release, parts, &end);
	for (size_t len; conditions += strspn(conditions, " \t"), len = strcspn(conditions, " \t"); conditions += len) {
		int r;

		if (len >= sizeof(word))
			return -EINVAL;
		memcpy(word, conditions, len);
		word[len] = '\0';
		r = check_version(word, parts);
		if (r < 0)
			return r;
		all = all && r;
	}
	return all;
}

const char *rule_virtualization_word(size_t i)
{
	return i < ARRAY_SIZE(virtualizations) ? virtualizations[i] : NULL;
}

/* An unknown word comes from container= of init's environment, which container managers choose freely. */
static bool is_container(const char *here)
{
	return util_find_word(here, virtualizations + FIRST_MACHINE, FIRST_CONTAINER - FIRST_MACHINE) < 0;
}

static bool equals_virtualization(const char *word, const void *virtualization, int flags _unused_)
{
	const char *here = virtualization;
	bool none = strcmp(here, "none") == 0;

	if (strcmp(word, "yes") == 0)
		return !none;
	if (strcmp(word, "no") == 0)
		return none;
	if (strcmp(word, "container") == 0)
		return !none && is_container(here);
	if (strcmp(word, "vm") == 0)
		return !none && !is_container(here);
	return strcmp(word, here) == 0;
}

/* "bond", "bridge", ...; "" for a link without a master. If the master is in another namespace, its kind
 * follows from IFLA_INFO_SLAVE_KIND. */
static const char *master_kind(const struct link_table *table, const struct link *link)
{
	const struct link *master = link_master(table, link);

	return master ? master->kind : link->slave_kind;
}

static bool has_vlan(const struct link_table *table, const struct link *link)
{
	for (struct link *upper = link_first_upper(table, link); upper;
		upper = link_next_upper(table, upper))
		if (link_is_kind(upper, "vlan"))
			return true;
	return false;
}

/* "hv_netvsc"; "" for a link without a master, or whose master's driver is not known. */
static const char *master_driver(const struct link_table *table, const struct link *link)
{
	const struct link *master = link_master(table, link);

	return master ? master->driver : link->slave_kind;
}

/* The virtual function below a netvsc (netvsc_vf_join()), or the primary interface of a net_failover, whose standby is the virtio_net
 * that created it (virtnet_probe()). */
static bool is_failover_vf(const struct link_table *table, const struct link *link)
{
	const char *driver = master_driver(table, link);

	return strcmp(driver, "hv_netvsc") == 0 || (strcmp(driver, "net_failover") == 0 && strcmp(link->driver, "virtio_net") != 0);
}

static bool match_roles(unsigned roles, const struct link_table *table, const struct link *link)
{
	static const struct {
		unsigned role;
		const char *master_kind;
	} ports[] = {
		{ RULE_ROLE_BRIDGE_PORT, "bridge" },
		{ RULE_ROLE_BOND_PORT, "bond" },
		{ RULE_ROLE_OVS_PORT, "openvswitch" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ports); i++)
		if ((roles & ports[i].role) && strcmp(master_kind(table, link), ports[i].master_kind) == 0)
			return true;
	return ((roles & RULE_ROLE_DEFAULT_ROUTE) && link->default_route) ||
	       ((roles & RULE_ROLE_VLAN_LOWER) && has_vlan(table, link)) ||
	       ((roles & RULE_ROLE_FAILOVER_VF) && is_failover_vf(table, link));
}

/* Is it the name of the link, or an alternative one? */
static bool equals_name(const char *pattern, const void *named, int flags)
{
	const struct link *link = named;

	if (equals_glob(pattern, link->name, flags))
		return true;
	link_foreach_alt_name(link, alt_name)
		if (equals_glob(pattern, alt_name, flags))
			return true;
	return false;
}

static bool is_every_name(const char *names)
{
	return strcmp(names, "*") == 0;
}

static bool match_name(const char *names, const struct link *link)
{
	return is_every_name(names) || (link->naming != LINK_NAME_PENDING && match_list(names, link, 0, equals_name));
}

/* A pattern with three colons is also compared with the subsystem: "8086:10d3:17aa:*". */
static bool equals_device(const char *pattern, const void *device, int flags)
{
	char text[LINK_DEVICE_LEN];
	unsigned colons = 0;

	for (const char *p = pattern; *p; p++)
		colons += *p == ':';
	snprintf(text, sizeof(text), "%s", (const char *)device);
	if (colons < 3)
		text[strcspn(text, ":") + 1 + strcspn(text + strcspn(text, ":") + 1, ":")] = '\0';
	return fnmatch(pattern, text, flags) == 0;
}

static bool match_hardware(enum rule_key key, const char *value, const struct link *link)
{
	const struct link_hardware *h = link->hardware;

	if (!h)
		return false;
	switch (key) {
	case RULE_PATH:
		return link->naming != LINK_NAME_PENDING && match_key(value, h->path, 0);
	case RULE_DEVICE:
		return h->device[0] && match_list(value, h->device, FNM_CASEFOLD, equals_device);
	case RULE_FIRMWARE:
		return version_list_matches(value, h->firmware);
	default:
		return version_list_matches(value, h->driver_version);
	}
}

/* "host" and "any" are no names. netns: a struct rule_netns; NULL: the own one. */
static bool equals_namespace(const char *pattern, const void *at, int flags)
{
	const struct rule_netns *netns = at;

	if (strcmp(pattern, "any") == 0)
		return true;
	if (strcmp(pattern, "host") == 0)
		return !netns;
	return netns && netns->name[0] && equals_glob(pattern, netns->name, flags);
}

/* Name and id of a container. */
static bool equals_container(const char *pattern, const void *at, int flags)
{
	const struct rule_netns *netns = at;

	return equals_glob(pattern, netns->container, flags) || equals_glob(pattern, netns->container_id, flags);
}

static bool excludes_only(const char *list)
{
	char word[PATTERN_MAX];
	bool excludes;

	while (next_word(&list, word, &excludes))
		if (!excludes)
			return false;
	return true;
}

static bool match_netns(enum rule_key key, const char *value, const struct rule_netns *netns)
{
	switch (key) {
	case RULE_NAMESPACE:
		return ((netns && netns->name[0]) || !excludes_only(value)) && match_list(value, netns, 0, equals_namespace);
	case RULE_CONTAINER:
		return netns && (netns->container[0] || netns->container_id[0]) && match_list(value, netns, 0, equals_container);
	case RULE_UNIT:
		return netns && match_key(value, netns->unit, 0);
	default:
		return netns && match_key(value, netns->image, 0);
	}
}

/* The keys that keep a rule out of the namespace. */
static unsigned find_netns_missing(const struct rule *rule, const struct rule_netns *netns)
{
	unsigned missing = 0;

	if (!(rule->match.keys & RULE_NETNS_KEYS))
		return netns ? RULE_KEY(RULE_NAMESPACE) : 0;
	for (unsigned key = RULE_NAMESPACE; key < RULE_KERNEL_VERSION; key++)
		if (rule->match.value[key] && !match_netns(key, rule->match.value[key], netns))
			missing |= RULE_KEY(key);
	return missing;
}

bool rule_is_for_netns(const struct rule *rule, const struct rule_netns *netns)
{
	return find_netns_missing(rule, netns) == 0;
}

static bool match_host(enum rule_key key, const char *value, const struct rule_host *host)
{
	switch (key) {
	case RULE_KERNEL_VERSION:
		return rule_kernel_matches(value, host->kernel_release) == 1;
	case RULE_KERNEL_RELEASE:
		return version_list_matches(value, host->kernel_release);
	case RULE_HOST:
		return match_key(value, host->host_name, FNM_CASEFOLD);
	default:
		return host->virtualization[0] && match_list(value, host->virtualization, 0, equals_virtualization);
	}
}

bool rule_key_matches(const struct rule *rule, enum rule_key key, const struct link_table *table, const struct link *link,
	const struct rule_host *host)
{
	const char *value = rule->match.value[key];
	char address[3 * LINK_ADDRESS_LEN];
	const struct link *lower;

	if (!value)
		return true;
	switch (key) {
	case RULE_KIND:
		return match_key(value, link->kind, 0);
	case RULE_NAME:
		return match_name(value, link);
	case RULE_DRIVER:
		return match_key(value, link->driver, 0);
	case RULE_MAC_ADDRESS:
		return match_key(value, link_format_address(link, address, sizeof(address)), FNM_CASEFOLD);
	case RULE_LOWER_KIND:
	case RULE_LOWER_DRIVER:
		lower = link_lower(table, link);
		return lower && match_key(value, key == RULE_LOWER_KIND ? lower->kind : lower->driver, 0);
	case RULE_MASTER_KIND:
		return match_key(value, master_kind(table, link), 0);
	case RULE_MASTER_DRIVER:
		return match_key(value, master_driver(table, link), 0);
	case RULE_ROLE:
		return match_roles(rule->match.roles, table, link);
	case RULE_PATH:
	case RULE_DEVICE:
	case RULE_FIRMWARE:
	case RULE_DRIVER_VERSION:
		return match_hardware(key, value, link);
	case RULE_NAMESPACE:
	case RULE_CONTAINER:
	case RULE_UNIT:
	case RULE_IMAGE:
		return match_netns(key, value, host->netns);
	case RULE_KERNEL_VERSION:
	case RULE_KERNEL_RELEASE:
	case RULE_HOST:
	case RULE_VIRTUALIZATION:
		return match_host(key, value, host);
	}
	return false;
}

bool rule_matches(const struct rule *rule, const struct link_table *table, const struct link *link,
	const struct rule_host *host)
{
	unsigned key;

	if (host->netns && !(rule->match.keys & RULE_NETNS_KEYS))
		return false;
	feature_foreach (key, rule->match.keys)
		if (!rule_key_matches(rule, key, table, link, host))
			return false;
	return true;
}

static bool is_same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool is_same_word(const struct rule_feature *a, const struct rule_feature *b)
{
	return is_same_text(a->word, b->word) && a->value == b->value && a->number == b->number;
}

static bool is_same_rule(const struct rule *a, const struct rule *b)
{
	bool same = is_same_text(a->file, b->file) && a->mode == b->mode && a->n_features == b->n_features && a->has_limits == b->has_limits;

	for (size_t i = 0; i < RULE_KEYS && same; i++)
		same = is_same_text(a->match.value[i], b->match.value[i]);
	for (size_t i = 0; i < a->n_features && same; i++)
		same = is_same_word(&a->features[i], &b->features[i]);
	for (size_t i = 0; i < LINK_LIMIT_SETTABLE && same; i++)
		same = is_same_word(&a->limits[i], &b->limits[i]);
	return same;
}

bool rule_set_is_equal(const struct rule_set *a, const struct rule_set *b)
{
	bool same = a->n_rules == b->n_rules;

	for (size_t i = 0; i < a->n_rules && same; i++)
		same = is_same_rule(&a->rules[i], &b->rules[i]);
	return same;
}

bool rule_is_for_host(const struct rule *rule, const struct rule_host *host)
{
	for (unsigned key = RULE_KERNEL_VERSION; key < RULE_KEYS; key++)
		if (rule->match.value[key] && !match_host(key, rule->match.value[key], host))
			return false;
	return rule_is_for_netns(rule, host->netns);
}

const char *rule_key_name(enum rule_key key)
{
	static const char *const names[RULE_KEYS] = {
		"Kind", "Name", "Driver", "MACAddress", "LowerKind", "LowerDriver", "MasterKind", "MasterDriver", "Role", "Path",
		"Device", "Firmware", "DriverVersion", "Namespace", "Container", "Unit", "Image", "KernelVersion", "KernelRelease", "Host", "Virtualization",
	};

	return names[key];
}

unsigned rule_find_missing(const struct rule *rule, const struct link_table *table, const struct rule_host *host)
{
	unsigned satisfied = 0, key, netns = find_netns_missing(rule, host->netns);

	if (netns)
		return netns;
	link_table_foreach(table, link) {
		unsigned here = 0;

		feature_foreach (key, rule->match.keys)
			here |= rule_key_matches(rule, key, table, link, host) ? RULE_KEY(key) : 0;
		if (here == rule->match.keys)
			return 0;
		satisfied |= here;
	}
	return rule->match.keys & ~satisfied ? rule->match.keys & ~satisfied : rule->match.keys;
}

size_t rule_count_links(
	const struct rule *rule, const struct link_table *table, const struct rule_host *host)
{
	size_t n = 0;

	link_table_foreach(table, link)
		n += rule_matches(rule, table, link, host);
	return n;
}

static size_t declare_foreign(const struct rule *rule, const struct rule_feature *f,
	struct declaration *foreign, size_t n, size_t count)
{
	const struct declaration d = {.value = f->value, .rule = rule, .feature = f};
	const char *name = feature_canonical(f->word);

	for (size_t i = 0; i < count && i < n; i++)
		if (strcmp(feature_canonical(foreign[i].feature->word), name) == 0) {
			foreign[i] = d;
			return count;
		}
	if (count < n)
		foreign[count] = d;
	return count + 1;
}

static void declare_words(
	const struct rule *rule, enum feature_word kind, struct declaration *declarations)
{
	for (size_t i = 0; i < rule->n_features; i++) {
		const struct rule_feature *f = &rule->features[i];
		unsigned bit;

		if (f->word_kind != kind)
			continue;
		feature_foreach (bit, f->bits)
			declarations[bit] =
				(struct declaration){.value = f->value, .rule = rule, .feature = f};
	}
}

size_t rule_set_declare(const struct rule_set *set, const struct link_table *table,
	const struct link *link, const struct rule_host *host, struct declaration *declarations,
	struct declaration *foreign, size_t n)
{
	size_t count = 0;

	memset(declarations, 0, FEATURE_MAX * sizeof(*declarations));
	if (!foreign)
		n = 0;
	for (size_t i = 0; i < set->n_rules; i++) {
		const struct rule *rule = &set->rules[i];

		if (!rule_matches(rule, table, link, host))
			continue;
		declare_words(rule, FEATURE_WORD_ALIAS, declarations);
		declare_words(rule, FEATURE_WORD_NAME, declarations);
		for (size_t j = 0; j < rule->n_features; j++)
			if (!rule->features[j].bits)
				count = declare_foreign(
					rule, &rule->features[j], foreign, n, count);
	}
	return count;
}

bool rule_set_needs_namespaces(const struct rule_set *set)
{
	for (size_t i = 0; i < set->n_rules; i++)
		if (set->rules[i].match.keys & RULE_NETNS_KEYS)
			return true;
	return false;
}

bool rule_set_needs_names(const struct rule_set *set)
{
	for (size_t i = 0; i < set->n_rules; i++) {
		const struct rule_match *m = &set->rules[i].match;

		if (m->value[RULE_PATH] || (m->value[RULE_NAME] && !is_every_name(m->value[RULE_NAME])))
			return true;
	}
	return false;
}

bool rule_set_needs_hardware(const struct rule_set *set)
{
	const unsigned keys = RULE_KEY(RULE_PATH) | RULE_KEY(RULE_DEVICE) | RULE_KEY(RULE_FIRMWARE) | RULE_KEY(RULE_DRIVER_VERSION);

	for (size_t i = 0; i < set->n_rules; i++)
		if (set->rules[i].match.keys & keys)
			return true;
	return false;
}

void rule_set_declare_limits(const struct rule_set *set, const struct link_table *table, const struct link *link,
	const struct rule_host *host, struct declaration declarations[LINK_LIMIT_SETTABLE])
{
	memset(declarations, 0, LINK_LIMIT_SETTABLE * sizeof(*declarations));
	for (size_t i = 0; i < set->n_rules; i++) {
		const struct rule *rule = &set->rules[i];

		if (!rule->has_limits || !rule_matches(rule, table, link, host))
			continue;
		for (unsigned limit = 0; limit < LINK_LIMIT_SETTABLE; limit++)
			if (rule->has_limits & LINK_LIMIT(limit))
				declarations[limit] = (struct declaration){ .value = rule->limits[limit].value,
					.rule = rule, .feature = &rule->limits[limit] };
	}
}

bool rule_set_needs_routes(const struct rule_set *set)
{
	for (size_t i = 0; i < set->n_rules; i++)
		if (set->rules[i].match.roles & RULE_ROLE_DEFAULT_ROUTE)
			return true;
	return false;
}

bool rule_set_needs_forwarding(const struct rule_set *set, const struct feature_table *table)
{
	feature_set lro = feature_named(table, "rx-lro");

	for (size_t i = 0; i < set->n_rules; i++)
		for (size_t j = 0; j < set->rules[i].n_features; j++)
			if ((set->rules[i].features[j].bits & lro) && set->rules[i].features[j].value != RULE_OFF)
				return true;
	return false;
}
