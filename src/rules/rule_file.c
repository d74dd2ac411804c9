/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/rule_file.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <string.h>
#include <time.h>

#include "model/unit.h"
#include "rules/foreign.h"
#include "rules/version.h"

#define PATTERN_MAX 200 /* bytes of one word of a list */

const char *const rule_default_dirs[] = {
	OFFLOADD_SYSCONFDIR "/offloadd/rules.d",
	"/run/offloadd-config/rules.d",
	OFFLOADD_PREFIX "/lib/offloadd/rules.d",
	NULL,
};

/* Properties of the device that can never be changed (NETIF_F_NEVER_CHANGE; from 6.12 no longer among the
 * features). */
static const char *const unchangeable[] = {"tx-lockless", "netns-local", "vlan-challenged"};

/* `tso` turns it off, but not on: it lets a device repeat IPv4 IDs, and the kernel leaves it off (register_netdevice()). */
static const char named_only[] = "tx-tcp-mangleid-segmentation";

static const char *const value_words[] = { [RULE_OFF] = "off", [RULE_ON] = "on", [RULE_LOWER] = "lower", [RULE_LOWER_ALL] = "lower-all" };

static const char *const mode_words[] = { [RULE_MODE_ENFORCE] = "enforce", [RULE_MODE_AUDIT] = "audit" };
static const struct ini_words modes = { mode_words, ARRAY_SIZE(mode_words) };

static const char *const role_words[] = { "default-route", "bridge-port", "bond-port", "vlan-lower", "ovs-port", "failover-vf" };
_Static_assert(RULE_ROLE_FAILOVER_VF == 1 << (ARRAY_SIZE(role_words) - 1), "a role is the bit of its word");

/* A key of [Match], whose value is a list of words. */
struct match_list {
	enum rule_key key;
	int (*check)(struct ini_reader *reader, const struct ini_entry *entry, const char *word, void *list);
	/* of check_pattern() only */
	const char *what;
	size_t longest; /* bytes of a word without wildcards that can match, 0: no limit */
	bool (*is_sane)(const char *pattern); /* NULL: any */
	const char *expected; /* if it is not */
	bool any_text; /* commas and quotes, too */
};
/* The target of ini_file_parse(). */
struct rule_reading {
	struct rule rule;
	const struct feature_table *table;
	size_t n_given; /* the first features of the rule, from the files before this one, which this one may replace */
};

static int add_message(struct rule_error **errors, size_t *n, const char *path, unsigned line, const char *message)
{
	struct rule_error e = { .line = line };
	char clean[1024];

	e.path = strdup(util_copy_text(clean, sizeof(clean), path, strlen(path)));
	e.message = strdup(util_copy_text(clean, sizeof(clean), message, strlen(message)));
	if (!e.path || !e.message || !GROW(*errors, *n)) {
		free(e.path);
		free(e.message);
		return -ENOMEM;
	}
	(*errors)[(*n)++] = e;
	return 0;
}

int rule_set_add_error(struct rule_set *set, const char *path, unsigned line, const char *message)
{
	return add_message(&set->errors, &set->n_errors, path, line, message);
}

int rule_set_add_warning(struct rule_set *set, const char *path, unsigned line, const char *fmt, ...)
{
	char message[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	return add_message(&set->warnings, &set->n_warnings, path, line, message);
}

static int report(void *userdata, const char *path, unsigned line, const char *message)
{
	return rule_set_add_error(userdata, path, line, message);
}

/* Parses "2027-06-30"; false if it is not a valid date. */
static bool read_date(const char *s, struct tm *ret)
{
	static const char shape[] = "0000-00-00";
	struct tm tm = { 0 }, back;
	time_t t;

	for (size_t i = 0; i < sizeof(shape); i++)
		if (shape[i] == '0' ? !isdigit((unsigned char)s[i]) : s[i] != shape[i])
			return false;
	tm.tm_year =
		(s[0] - '0') * 1000 + (s[1] - '0') * 100 + (s[2] - '0') * 10 + (s[3] - '0') - 1900;
	tm.tm_mon = (s[5] - '0') * 10 + (s[6] - '0') - 1;
	tm.tm_mday = (s[8] - '0') * 10 + (s[9] - '0');
	back = tm;
	t = timegm(&back);
	*ret = tm;
	return t > 0 && back.tm_year == tm.tm_year && back.tm_mon == tm.tm_mon &&
	       back.tm_mday == tm.tm_mday;
}

static int parse_until(struct ini_reader *reader, const struct ini_entry *entry, void *field,
	const void *context _unused_)
{
	struct tm tm;

	if (read_date(entry->value, &tm)) {
		tm.tm_mday++;
		*(int64_t *)field = timegm(&tm);
	} else {
		ini_complain_value(reader, entry, entry->value, "expected a date, for example 2027-06-30");
	}
	return 0;
}

/* Is it a MAC address, or a pattern of the characters of one? */
static bool address_is_sane(const char *word)
{
	size_t len = strlen(word);

	if (strspn(word, "0123456789abcdefABCDEF:*?[]!^-") != len)
		return false;
	if (strpbrk(word, "*?["))
		return true;
	for (size_t i = 0; i < len; i++)
		if ((i % 3 == 2) != (word[i] == ':') || word[i] == '-')
			return false;
	return len >= 5 && len % 3 == 2;
}

/* "8086:10d3", "8086:*", "8086:10d3:17aa:*" */
static bool device_is_sane(const char *word)
{
	unsigned colons = 0, digits = 0;
	bool wild = strpbrk(word, "*?[");

	if (strspn(word, "0123456789abcdefABCDEF:*?[]!^-") != strlen(word))
		return false;
	for (const char *p = word;; p++) {
		if (*p && *p != ':') {
			digits++;
			continue;
		}
		if (!wild && digits != 4)
			return false;
		digits = 0;
		if (!*p)
			break;
		colons++;
	}
	return colons == 1 || colons == 3;
}

static bool version_is_sane(const char *word)
{
	return version_word_is_valid(word);
}

/* Of systemd: a service, a scope or, of cgroups above those, a slice. */
static bool unit_is_sane(const char *word)
{
	return strpbrk(word, "*?[") || util_has_suffix(word, ".service") || util_has_suffix(word, ".scope") || util_has_suffix(word, ".slice");
}

/* Does a list of patterns match a kind that a known kernel has? */
static int check_kind(struct ini_reader *reader, const struct ini_entry *entry, const char *pattern)
{
	const char *kind, *nearest, *kinds[LINK_KINDS_MAX];
	size_t n = 0;

	for (; n < ARRAY_SIZE(kinds) && (kind = link_known_kind(n)); n++) {
		kinds[n] = kind;
		if (fnmatch(pattern, kind, 0) == 0)
			return 0;
	}
	nearest = foreign_kind(pattern);
	if (!nearest)
		nearest = util_nearest(pattern, kinds, n);
	return rule_set_add_warning(reader->userdata, reader->path, entry->line, "%s= value \"%s\" matches nothing: no kernel has %s%s%s%s",
		entry->key, pattern, strpbrk(pattern, "*?[") ? "such a kind" : "this kind", nearest ? ", did you mean \"" : "",
		nearest ? nearest : "", nearest ? "\"?" : "");
}

static int check_pattern(
	struct ini_reader *reader, const struct ini_entry *entry, const char *word, void *userdata)
{
	const struct match_list *list = userdata;
	const char *pattern = word[0] == '!' && word[1] != '=' ? word + 1 : word;

	if (pattern[0] == '\0')
		ini_complain_value(reader, entry, word, "expected a pattern directly after !");
	else if (strchr(pattern, ',') && !list->any_text)
		ini_complain_value(reader, entry, word, "expected words separated by spaces, not commas");
	else if (strpbrk(pattern, "\"'") && !list->any_text)
		ini_complain_value(reader, entry, word, "expected a pattern without quotes");
	else if (strlen(pattern) > PATTERN_MAX)
		ini_complain_value(reader, entry, word, "longer than %d bytes", PATTERN_MAX);
	else if (strchr(pattern, '[') && !strchr(strchr(pattern, '['), ']'))
		ini_complain_value(reader, entry, word, "missing ]");
	else if (list->is_sane && !list->is_sane(pattern))
		ini_complain_value(reader, entry, word, "expected %s", list->expected);
	else if (list->longest && !strpbrk(pattern, "*?[\\") && strlen(pattern) > list->longest)
		ini_complain_value(reader, entry, word, "matches nothing, a%s %s has at most %zu characters",
			strchr("aeiou", list->what[0]) ? "n" : "", list->what, list->longest);
	else if (list->key == RULE_KIND || list->key == RULE_LOWER_KIND || list->key == RULE_MASTER_KIND)
		return check_kind(reader, entry, pattern);
	return 0;
}

static int check_role(struct ini_reader *reader, const struct ini_entry *entry, const char *word, void *userdata _unused_)
{
	(void)ini_find_word(reader, entry, word, role_words, ARRAY_SIZE(role_words));
	return 0;
}

static unsigned read_roles(const char *value)
{
	unsigned roles = 0;

	for (size_t len; value += strspn(value, " \t"), len = strcspn(value, " \t"); value += len)
		for (size_t i = 0; i < ARRAY_SIZE(role_words); i++)
			if (strlen(role_words[i]) == len && strncmp(value, role_words[i], len) == 0)
				roles |= 1u << i;
	return roles;
}

static int check_version_word(
	struct ini_reader *reader, const struct ini_entry *entry, const char *word, void *userdata _unused_)
{
	if (rule_kernel_matches(word, "0") < 0)
		ini_complain_value(reader, entry, word,
			"expected numbers after < <= = != >= or > without a space, for example >=5.10 <7%s",
			strpbrk(word, "-*?[") ? "; for the release of a distribution, use KernelRelease=" : "");
	return 0;
}

static int check_virtualization_word(
	struct ini_reader *reader, const struct ini_entry *entry, const char *word, void *userdata _unused_)
{
	const char *words[64];
	size_t n = 0;

	while (n < ARRAY_SIZE(words) && (words[n] = rule_virtualization_word(n)))
		n++;
	(void)ini_find_word(reader, entry, word[0] == '!' ? word + 1 : word, words, n);
	return 0;
}

#define VERSIONS \
	.check = check_pattern, .is_sane = version_is_sane, .any_text = true, \
	.expected = "a pattern, or < <= = != >= or > and a version without a space, for example >=4.18.0-193"

static const struct match_list match_lists[RULE_KEYS] = {
	[RULE_KIND] = { RULE_KIND, check_pattern, "kind", LINK_KIND_LEN - 1, NULL, NULL, false },
	[RULE_NAME] = { RULE_NAME, check_pattern, "interface name", LINK_ALT_NAME_MAX, NULL, NULL, false },
	[RULE_DRIVER] = { RULE_DRIVER, check_pattern, "driver", LINK_DRIVER_LEN - 1, NULL, NULL, false },
	[RULE_MAC_ADDRESS] = { RULE_MAC_ADDRESS, check_pattern, "MAC address", 0, address_is_sane,
		"a MAC address or a pattern, for example 52:54:00:12:34:56 or 52:54:00:*", false },
	[RULE_LOWER_KIND] = { RULE_LOWER_KIND, check_pattern, "kind", LINK_KIND_LEN - 1, NULL, NULL, false },
	[RULE_LOWER_DRIVER] = { RULE_LOWER_DRIVER, check_pattern, "driver", LINK_DRIVER_LEN - 1, NULL, NULL, false },
	[RULE_MASTER_KIND] = { RULE_MASTER_KIND, check_pattern, "kind", LINK_KIND_LEN - 1, NULL, NULL, false },
	[RULE_MASTER_DRIVER] = { RULE_MASTER_DRIVER, check_pattern, "driver", LINK_DRIVER_LEN - 1, NULL, NULL, false },
	[RULE_ROLE] = { .key = RULE_ROLE, .check = check_role },
	[RULE_PATH] = { .key = RULE_PATH, .check = check_pattern, .any_text = true },
	[RULE_DEVICE] = { RULE_DEVICE, check_pattern, "device", 0, device_is_sane,
		"PCI vendor:device, as lspci -nn prints them, and optionally those of the subsystem, for example 8086:10d3 or "
		"8086:10d3:17aa:*", false },
	[RULE_FIRMWARE] = { .key = RULE_FIRMWARE, VERSIONS },
	[RULE_DRIVER_VERSION] = { .key = RULE_DRIVER_VERSION, VERSIONS },
	[RULE_NAMESPACE] = { RULE_NAMESPACE, check_pattern, "network namespace", NAME_MAX, NULL, NULL, false },
	[RULE_CONTAINER] = { .key = RULE_CONTAINER, .check = check_pattern },
	[RULE_UNIT] = { RULE_UNIT, check_pattern, "unit", UNIT_NAME_LEN - 1, unit_is_sane,
		"the name of a unit with its suffix, for example web.service", false },
	[RULE_IMAGE] = { .key = RULE_IMAGE, .check = check_pattern },
	[RULE_KERNEL_VERSION] = { .key = RULE_KERNEL_VERSION, .check = check_version_word },
	[RULE_KERNEL_RELEASE] = { .key = RULE_KERNEL_RELEASE, VERSIONS },
	[RULE_HOST] = { RULE_HOST, check_pattern, "host name", 64, NULL, NULL, false },
	[RULE_VIRTUALIZATION] = { .key = RULE_VIRTUALIZATION, .check = check_virtualization_word },
};

static int parse_match(struct ini_reader *reader, const struct ini_entry *entry, void *field, const void *context)
{
	struct rule_match *match = &((struct rule_reading *)field)->rule.match;
	const struct match_list *list = context;
	int r = ini_each_word(reader, entry, list->check, (void *)list);

	if (r < 0)
		return r;
	match->keys |= RULE_KEY(list->key);
	match->line[list->key] = entry->line;
	if (list->key == RULE_ROLE)
		match->roles = read_roles(entry->value);
	return ini_parse_text(reader, entry, &match->value[list->key], NULL);
}

static void complain_feature(
	struct ini_reader *reader, const struct ini_entry *entry, const struct feature_table *table)
{
	char lower[INI_MAX_NAME + 1] = "", why[256];
	const char *nearest;
	feature_set bits;

	if (foreign_explain(entry->section, entry->key, why, sizeof(why))) {
		ini_complain(reader, entry->line, "%s", why);
		return;
	}
	for (size_t i = 0; entry->key[i] && i < sizeof(lower) - 1; i++)
		lower[i] = (char)tolower((unsigned char)entry->key[i]);
	nearest = feature_parse(table, lower, &bits) == FEATURE_WORD_UNKNOWN
			  ? feature_nearest(lower)
			  : lower;
	if (nearest)
		ini_complain(reader, entry->line, "unknown feature %s, did you mean %s?", entry->key, nearest);
	else
		ini_complain(reader, entry->line, "unknown feature %s; list them with: ethtool -k LINK", entry->key);
}

static bool check_feature(struct ini_reader *reader, const struct ini_entry *entry,
	const struct rule_reading *reading, const struct rule_feature *f)
{
	const struct rule *rule = &reading->rule;
	const char *canonical = feature_canonical(f->word);

	if (f->word_kind == FEATURE_WORD_UNKNOWN) {
		complain_feature(reader, entry, reading->table);
		return false;
	}
	for (size_t i = 0; i < ARRAY_SIZE(unchangeable); i++)
		if (strcmp(canonical, unchangeable[i]) == 0) {
			ini_complain(reader, entry->line, "%s cannot be changed by a user; remove it", entry->key);
			return false;
		}
	for (size_t i = reading->n_given; i < rule->n_features; i++)
		if (strcmp(canonical, feature_canonical(rule->features[i].word)) == 0) {
			ini_complain(reader, entry->line, "%s is the same feature as %s in line %u; remove one of them",
				entry->key, rule->features[i].word, rule->features[i].line);
			return false;
		}
	return true;
}

/* -1: it is none, and the error was reported. */
static int find_value(struct ini_reader *reader, const struct ini_entry *entry)
{
	const char *meant = foreign_value(entry->value);

	if (!meant)
		return ini_find_word(reader, entry, entry->value, value_words, ARRAY_SIZE(value_words));
	ini_complain_value(reader, entry, entry->value, "did you mean \"%s\"?", meant);
	return -1;
}

/* Removes what the files before declare for the same feature. */
static void replace_given(struct rule_reading *reading, const char *word)
{
	struct rule *rule = &reading->rule;

	for (size_t i = 0; i < reading->n_given; i++) {
		if (strcmp(feature_canonical(rule->features[i].word), feature_canonical(word)) != 0)
			continue;
		free(rule->features[i].word);
		reading->n_given--;
		memmove(&rule->features[i], &rule->features[i + 1], (--rule->n_features - i) * sizeof(*rule->features));
		return;
	}
}

static int parse_feature(struct ini_reader *reader, const struct ini_entry *entry, void *field,
	const void *context _unused_)
{
	struct rule_reading *reading = field;
	struct rule *rule = &reading->rule;
	struct rule_feature f = { .line = entry->line };
	int i;

	f.word_kind = feature_parse(reading->table, entry->key, &f.bits);
	i = f.word_kind == FEATURE_WORD_UNKNOWN ? -1 : find_value(reader, entry);
	f.value = i < 0 ? RULE_UNSET : (enum rule_value)i;
	if (f.word_kind == FEATURE_WORD_ALIAS && f.value != RULE_OFF)
		f.bits &= ~feature_named(reading->table, named_only);
	f.word = strdup(entry->key);
	if (!f.word)
		return -ENOMEM;
	if (check_feature(reader, entry, reading, &f)) {
		replace_given(reading, f.word);
		if (GROW(rule->features, rule->n_features)) {
			rule->features[rule->n_features++] = f;
			return 0;
		}
		reader->error = -ENOMEM;
	}
	free(f.word);
	return reader->error;
}

/* Is it the name of a feature of any kernel? For errors about a word in the wrong section. */
static bool is_feature_word(const char *word)
{
	static const struct feature_table none;
	feature_set bits;

	return feature_parse(&none, word, &bits) != FEATURE_WORD_UNKNOWN;
}

static bool is_limit_word(const char *word)
{
	return link_limit_find(word) >= 0;
}

static void complain_limit(struct ini_reader *reader, const struct ini_entry *entry)
{
	const char *limits[LINK_LIMIT_SETTABLE], *nearest;
	char why[256];

	for (unsigned i = 0; i < LINK_LIMIT_SETTABLE; i++)
		limits[i] = link_limit_name(i);
	nearest = util_nearest(entry->key, limits, LINK_LIMIT_SETTABLE);
	if (is_limit_word(entry->key))
		ini_complain(reader, entry->line, "%s is set by the driver and cannot be changed by a user; remove it", entry->key);
	else if (foreign_explain(entry->section, entry->key, why, sizeof(why)))
		ini_complain(reader, entry->line, "%s", why);
	else if (nearest)
		ini_complain(reader, entry->line, "unknown limit %s, did you mean %s?", entry->key, nearest);
	else
		ini_complain(reader, entry->line, "unknown limit %s; a limit is, for example, gso-max-size", entry->key);
}

/* "lower" or a number. False: the error was reported. */
static bool read_limit(
	struct ini_reader *reader, const struct ini_entry *entry, enum link_limit limit, struct rule_feature *ret)
{
	bool segs = limit == LINK_LIMIT_GSO_MAX_SEGS;
	unsigned long least = segs ? 1 : RULE_LIMIT_SIZE_MIN, most = segs ? RULE_LIMIT_SEGS_MAX : RULE_LIMIT_SIZE_MAX;
	size_t digits = strspn(entry->value, "0123456789");
	unsigned long number = digits && digits < 10 ? strtoul(entry->value, NULL, 10) : 0;

	if (strcmp(entry->value, value_words[RULE_LOWER]) == 0) {
		ret->value = RULE_LOWER;
		return true;
	}
	if (entry->value[digits] || number < least || number > most) {
		ini_complain_value(reader, entry, entry->value, "expected lower or a number from %lu to %lu", least, most);
		return false;
	}
	ret->value = RULE_NUMBER;
	ret->number = (uint32_t)number;
	return true;
}

static int parse_limit(struct ini_reader *reader, const struct ini_entry *entry, void *field,
	const void *context _unused_)
{
	struct rule *rule = &((struct rule_reading *)field)->rule;
	int limit = link_limit_find(entry->key);
	struct rule_feature f = { .line = entry->line };

	if (limit < 0 || limit >= LINK_LIMIT_SETTABLE) {
		complain_limit(reader, entry);
		return 0;
	}
	if (!read_limit(reader, entry, (enum link_limit)limit, &f))
		return 0;
	f.word = strdup(entry->key);
	if (!f.word)
		return -ENOMEM;
	free(rule->limits[limit].word);
	rule->limits[limit] = f;
	rule->has_limits |= LINK_LIMIT(limit);
	return 0;
}

#define FIELD(name) offsetof(struct rule_reading, rule.name)

static const struct ini_key rule_keys[] = {
	{"Description", ini_parse_text, FIELD(description), NULL},
	{"Reason", ini_parse_text, FIELD(reason), NULL},
	{"Mode", ini_parse_word, FIELD(mode), &modes},
	{"Until", parse_until, FIELD(until), NULL},
};

#define MATCH(name, key) { name, parse_match, 0, &match_lists[key] }

static const struct ini_key match_keys[] = {
	MATCH("Kind", RULE_KIND),
	MATCH("Name", RULE_NAME),
	MATCH("Driver", RULE_DRIVER),
	MATCH("MACAddress", RULE_MAC_ADDRESS),
	MATCH("LowerKind", RULE_LOWER_KIND),
	MATCH("LowerDriver", RULE_LOWER_DRIVER),
	MATCH("MasterKind", RULE_MASTER_KIND),
	MATCH("MasterDriver", RULE_MASTER_DRIVER),
	MATCH("Role", RULE_ROLE),
	MATCH("Path", RULE_PATH),
	MATCH("Device", RULE_DEVICE),
	MATCH("Firmware", RULE_FIRMWARE),
	MATCH("DriverVersion", RULE_DRIVER_VERSION),
	MATCH("Namespace", RULE_NAMESPACE),
	MATCH("Container", RULE_CONTAINER),
	MATCH("Unit", RULE_UNIT),
	MATCH("Image", RULE_IMAGE),
	MATCH("KernelVersion", RULE_KERNEL_VERSION),
	MATCH("KernelRelease", RULE_KERNEL_RELEASE),
	MATCH("Host", RULE_HOST),
	MATCH("Virtualization", RULE_VIRTUALIZATION),
};

static const struct ini_section sections[] = {
	{.name = "Rule", .keys = rule_keys, .n_keys = ARRAY_SIZE(rule_keys)},
	{.name = "Match",
		.keys = match_keys,
		.n_keys = ARRAY_SIZE(match_keys),
		.missing = "no [Match] section; select links, for example Kind=vlan, or Name=* for all",
		.empty = "[Match] is empty; select links, for example Kind=vlan, or Name=* for all"},
	{.name = "Features",
		.parse_any = parse_feature,
		.knows = is_feature_word,
		.missing = "no [Features] section; declare features, for example sg=on, tso=off, tx=lower",
		.instead = "Limits",
		.empty = "[Features] is empty; declare features, for example sg=on, tso=off, tx=lower"},
	{.name = "Limits",
		.parse_any = parse_limit,
		.knows = is_limit_word,
		.empty = "[Limits] is empty; declare limits, for example gso-max-size=lower"},
};

const char *rule_file_key(size_t i)
{
	if (i < ARRAY_SIZE(rule_keys))
		return rule_keys[i].name;
	i -= ARRAY_SIZE(rule_keys);
	if (i < ARRAY_SIZE(match_keys))
		return match_keys[i].name;
	i -= ARRAY_SIZE(match_keys);
	return i < LINK_LIMIT_SETTABLE ? link_limit_name(i) : NULL;
}

static int add_rule(struct rule_set *set, struct rule *rule, const char *path)
{
	char clean[1024];

	rule->path = strdup(util_copy_text(clean, sizeof(clean), path, strlen(path)));
	rule->file = strdup(util_file_name(clean));
	if (!rule->file || !rule->path || !GROW(set->rules, set->n_rules))
		return -ENOMEM;
	set->rules[set->n_rules++] = *rule;
	*rule = (struct rule){ 0 };
	return 0;
}

/* By line, errors about the whole file last. Stable: errors in one line stay in order. */
static void sort_errors(struct rule_error *errors, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct rule_error e = errors[i];
		size_t at = i;

		for (; at > 0 && errors[at - 1].line - 1u > e.line - 1u; at--)
			errors[at] = errors[at - 1];
		errors[at] = e;
	}
}

static const char only_comments[] =
	"no sections, expected [Match] and [Features]; to mask a rule, leave its file empty or link it to /dev/null";

static bool is_all_comments(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '#' || text[i] == ';')
			while (i + 1 < len && text[i + 1] != '\n')
				i++;
		else if (!isspace((unsigned char)text[i]))
			return false;
	}
	return true;
}

int rule_set_load_text(struct rule_set *set, const char *path, const char *text, size_t len,
	const struct feature_table *table)
{
	struct ini_reader reader = {.path = path, .report = report, .userdata = set, .explain = foreign_explain};
	struct rule_reading reading = {.table = table};
	size_t first = set->n_errors;
	int r;

	if (is_all_comments(text, len))
		return rule_set_add_error(set, path, 0, only_comments) < 0 ? -ENOMEM : 1;
	r = ini_file_parse(&reader, text, len, sections, ARRAY_SIZE(sections), &reading);

	if (set->n_errors > first)
		sort_errors(set->errors + first, set->n_errors - first);
	if (r == 0)
		r = add_rule(set, &reading.rule, path);
	rule_clear(&reading.rule);
	return r;
}

int rule_set_load_file(struct rule_set *set, const char *path, const struct feature_table *table)
{
	struct ini_reader reader = {.path = path, .trust = set->trust, .report = report, .userdata = set};
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r;

	if (ini_dir_is_mask(path))
		return 0;
	r = ini_file_read(&reader, &text, &len);
	return r == 0 ? rule_set_load_text(set, path, text, len, table) : r;
}

/* Reads a drop-in into the last rule of the set. 0; 1: it has errors, which were added to the set; -ENOMEM. */
static int add_drop_in(struct rule_set *set, const char *path, const struct feature_table *table)
{
	struct ini_reader reader = {.path = path, .trust = set->trust, .report = report, .userdata = set, .explain = foreign_explain};
	struct rule *rule = &set->rules[set->n_rules - 1];
	struct rule_reading reading = {.rule = *rule, .table = table, .n_given = rule->n_features};
	struct ini_section loose[ARRAY_SIZE(sections)];
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r;

	if (ini_dir_is_mask(path))
		return 0;
	memcpy(loose, sections, sizeof(loose));
	for (size_t i = 0; i < ARRAY_SIZE(loose); i++)
		loose[i].missing = loose[i].empty = NULL;
	r = ini_file_read(&reader, &text, &len);
	if (r == 0)
		r = ini_file_parse(&reader, text, len, loose, ARRAY_SIZE(loose), &reading);
	*rule = reading.rule;
	return r;
}

static void free_texts(char **texts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(texts[i]);
	free(texts);
}

/* "DIR/FILE.d" for each directory, NULL-terminated. NULL: no memory. */
static char **drop_in_dirs(const char *const *dirs, const char *file, size_t *ret_n)
{
	char **ret;
	size_t n = 0;

	while (dirs[n])
		n++;
	ret = calloc(n + 1, sizeof(*ret));
	for (size_t i = 0; ret && i < n; i++)
		if (asprintf(&ret[i], "%s/%s.d", dirs[i], file) < 0) {
			free_texts(ret, i);
			return NULL;
		}
	*ret_n = n;
	return ret;
}

/* Adds the drop-ins of the last rule of the set. With an error in one, the rule is removed. 0 or negative errno. */
static int add_drop_ins(struct rule_set *set, const char *const *dirs, const char *main_path, const struct feature_table *table)
{
	struct rule *rule = &set->rules[set->n_rules - 1];
	size_t n_dirs = 0, n = 0, errors = set->n_errors;
	char **own_dirs = drop_in_dirs(dirs, util_file_name(main_path), &n_dirs), **paths = NULL;
	const struct ini_dir dir = { .dirs = (const char *const *)own_dirs, .trust = set->trust, .suffix = ".conf", .what = "drop-in", .optional = true,
		.report = report, .userdata = set };
	int r = own_dirs ? ini_dir_find(&dir, &paths, &n) : -ENOMEM;

	for (size_t i = 0; i < n && r >= 0; i++)
		r = add_drop_in(set, paths[i], table);
	if (r >= 0 && set->n_errors > errors) {
		rule_clear(rule);
		set->n_rules--;
		r = rule_set_add_error(set, main_path, 0, "ignored, because a drop-in has an error");
	}
	ini_dir_free(paths, n);
	if (own_dirs)
		free_texts(own_dirs, n_dirs);
	return r;
}

static int load(const char *const *dirs, enum file_trust trust, const struct feature_table *table, struct rule_set *ret)
{
	const struct ini_dir dir = {
		.dirs = dirs,
		.trust = trust,
		.suffix = ".rule",
		.what = "rule",
		.optional = dirs == rule_default_dirs,
		.report = report,
		.userdata = ret,
	};
	char **paths = NULL;
	size_t n = 0;
	int r;

	*ret = (struct rule_set){ .trust = trust };
	r = ini_dir_find(&dir, &paths, &n);
	for (size_t i = 0; i < n && r >= 0; i++) {
		size_t before = ret->n_rules;

		r = rule_set_load_file(ret, paths[i], table);
		if (r >= 0 && ret->n_rules > before)
			r = add_drop_ins(ret, dirs, paths[i], table);
	}
	ini_dir_free(paths, n);
	if (r < 0)
		rule_set_clear(ret);
	return r < 0 ? r : 0;
}

int rule_set_load(const char *const *dirs, const struct feature_table *table, struct rule_set *ret)
{
	return load(dirs, FILE_NAMED, table, ret);
}

int rule_set_load_system(const char *const *dirs, const struct feature_table *table, struct rule_set *ret)
{
	return load(dirs, FILE_SYSTEM, table, ret);
}
