/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/rule_file.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <string.h>
#include <time.h>

#define PATTERN_MAX 200 /* bytes of one word of a list */

const char *const rule_default_dirs[] = {
	"/etc/offloadd/rules.d",
	"/run/offloadd/rules.d",
	OFFLOADD_PREFIX "/lib/offloadd/rules.d",
	NULL,
};

/* What describes the device or the stack: no user can ever change it (NETIF_F_NEVER_CHANGE; not
 * listed at all from 6.12 on). */
static const char *const unchangeable[] = {"tx-lockless", "netns-local", "vlan-challenged"};

static const char *const value_words[] = {"on", "off", "lower"};
static const enum rule_value values[] = {RULE_ON, RULE_OFF, RULE_LOWER};

static const char *const mode_words[] = {"enforce", "audit"};
static const enum rule_mode modes[] = {RULE_MODE_ENFORCE, RULE_MODE_AUDIT};

static const char *const role_words[] = {"default-route", "bridge-port", "bond-port", "vlan-lower"};
static const enum rule_role roles[] = {
	RULE_ROLE_DEFAULT_ROUTE, RULE_ROLE_BRIDGE_PORT, RULE_ROLE_BOND_PORT, RULE_ROLE_VLAN_LOWER};

/* What a list of patterns is over; the address of one is the context of its key. */
struct pattern_type {
	const char *what;
	size_t longest; /* that a word without wildcards can be and still match, 0: not known */
	bool address;
};
static const struct pattern_type kind_patterns = {"kind", LINK_KIND_LEN - 1, false};
static const struct pattern_type name_patterns = {"interface name", LINK_NAME_LEN - 1, false};
static const struct pattern_type driver_patterns = {"driver", LINK_DRIVER_LEN - 1, false};
static const struct pattern_type address_patterns = {"MAC address", 0, true};
static const struct pattern_type host_patterns = {"host name", 64, false};

/* The target of ini_file_parse(). */
struct rule_reading {
	struct rule rule;
	const struct feature_table *table;
};

int rule_set_add_error(struct rule_set *set, const char *path, unsigned line, const char *message)
{
	struct rule_error *errors, *e;
	char clean[1024];

	errors = realloc(set->errors, (set->n_errors + 1) * sizeof(*errors));
	if (!errors)
		return -ENOMEM;
	set->errors = errors;
	e = &errors[set->n_errors];
	e->line = line;
	e->path = strdup(ini_copy_text(clean, sizeof(clean), path, strlen(path)));
	e->message = strdup(ini_copy_text(clean, sizeof(clean), message, strlen(message)));
	if (!e->path || !e->message) {
		free(e->path);
		free(e->message);
		return -ENOMEM;
	}
	set->n_errors++;
	return 0;
}

static int report(void *userdata, const char *path, unsigned line, const char *message)
{
	return rule_set_add_error(userdata, path, line, message);
}

/* "a, b or c" */
static const char *format_words(const char *const *words, size_t n, char *buf, size_t size)
{
	buf[0] = '\0';
	for (size_t i = 0; i < n; i++)
		util_append(buf, size, "%s%s", i == 0 ? "" : i + 1 == n ? " or " : ", ", words[i]);
	return buf;
}

/* Number of a word, -1 when it is none and the reader heard which there are. */
static int parse_word(struct ini_reader *reader, const struct ini_entry *entry, const char *word,
	const char *const *words, size_t n)
{
	char list[512], shown[64];
	const char *nearest;

	for (size_t i = 0; i < n; i++)
		if (strcmp(word, words[i]) == 0)
			return (int)i;
	nearest = ini_nearest(word, words, n);
	ini_copy_text(shown, sizeof(shown), word, strlen(word));
	if (nearest && n > 4)
		ini_complain(reader, entry->line, "%s=: unknown word \"%s\": did you mean %s?",
			entry->key, shown, nearest);
	else
		ini_complain(reader, entry->line, "%s=: unknown word \"%s\": write %s%s",
			entry->key, shown, format_words(words, n, list, sizeof(list)),
			strpbrk(entry->value, "#;")
				? " (a comment at the end of a line begins with \" ;\")"
				: "");
	return -1;
}

static int store(const char *value, char **field)
{
	*field = strdup(value);
	return *field ? 0 : -ENOMEM;
}

static int parse_text(struct ini_reader *reader _unused_, const struct ini_entry *entry,
	void *field, const void *context _unused_)
{
	return store(entry->value, field);
}

static int parse_mode(struct ini_reader *reader, const struct ini_entry *entry, void *field,
	const void *context _unused_)
{
	int i = parse_word(reader, entry, entry->value, mode_words, ARRAY_SIZE(mode_words));

	if (i >= 0)
		*(enum rule_mode *)field = modes[i];
	return 0;
}

/* "2027-06-30" and nothing else, a day that exists. */
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
	char shown[64];
	struct tm tm;

	if (read_date(entry->value, &tm)) {
		tm.tm_mday++;
		*(int64_t *)field = timegm(&tm);
	} else {
		ini_complain(reader, entry->line,
			"%s=: \"%s\" is not a day of the calendar: write it as 2027-06-30",
			entry->key,
			ini_copy_text(shown, sizeof(shown), entry->value, strlen(entry->value)));
	}
	return 0;
}

/* A MAC address, or a pattern made of what one is made of. */
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

static void check_pattern(struct ini_reader *reader, const struct ini_entry *entry,
	const char *word, const struct pattern_type *type)
{
	const char *pattern = word[0] == '!' ? word + 1 : word;
	char shown[64];

	ini_copy_text(shown, sizeof(shown), word, strlen(word));
	if (pattern[0] == '\0')
		ini_complain(reader, entry->line,
			"%s=: \"!\" excludes nothing: write it close to what it excludes",
			entry->key);
	else if (strchr(pattern, ','))
		ini_complain(reader, entry->line,
			"%s=: \"%s\": words are separated by blanks, not commas", entry->key,
			shown);
	else if (strpbrk(pattern, "\"'"))
		ini_complain(
			reader, entry->line, "%s=: write %s without quotes", entry->key, shown);
	else if (strlen(pattern) > PATTERN_MAX)
		ini_complain(reader, entry->line, "%s=: \"%s\" is longer than %d bytes", entry->key,
			shown, PATTERN_MAX);
	else if (strchr(pattern, '[') && !strchr(strchr(pattern, '['), ']'))
		ini_complain(reader, entry->line, "%s=: \"%s\": the ] of the pattern is missing",
			entry->key, shown);
	else if (type->address && !address_is_sane(pattern))
		ini_complain(reader, entry->line,
			"%s=: \"%s\" is no MAC address: write it as 52:54:00:12:34:56 or as a "
			"pattern like 52:54:00:*",
			entry->key, shown);
	else if (type->longest && !strpbrk(pattern, "*?[\\") && strlen(pattern) > type->longest)
		ini_complain(reader, entry->line,
			"%s=: \"%s\" matches nothing: a%s %s has at most %zu characters",
			entry->key, shown, strchr("aeiou", type->what[0]) ? "n" : "", type->what,
			type->longest);
}

/* Calls check() for every word of a value. */
static int each_word(struct ini_reader *reader, const struct ini_entry *entry,
	void (*check)(struct ini_reader *reader, const struct ini_entry *entry, const char *word,
		void *userdata),
	void *userdata)
{
	_cleanup_free_ char *copy = strdup(entry->value);
	char *save = NULL;

	if (!copy)
		return -ENOMEM;
	for (char *word = strtok_r(copy, " \t", &save); word; word = strtok_r(NULL, " \t", &save))
		check(reader, entry, word, userdata);
	return 0;
}

static void check_pattern_word(
	struct ini_reader *reader, const struct ini_entry *entry, const char *word, void *userdata)
{
	check_pattern(reader, entry, word, userdata);
}

static int parse_patterns(
	struct ini_reader *reader, const struct ini_entry *entry, void *field, const void *context)
{
	int r = each_word(reader, entry, check_pattern_word, (void *)context);

	return r < 0 ? r : store(entry->value, field);
}

static void add_role(
	struct ini_reader *reader, const struct ini_entry *entry, const char *word, void *userdata)
{
	int i = parse_word(reader, entry, word, role_words, ARRAY_SIZE(role_words));

	if (i >= 0)
		*(unsigned *)userdata |= roles[i];
}

static int parse_roles(struct ini_reader *reader, const struct ini_entry *entry, void *field,
	const void *context _unused_)
{
	return each_word(reader, entry, add_role, field);
}

static void check_version_word(struct ini_reader *reader, const struct ini_entry *entry,
	const char *word, void *userdata _unused_)
{
	char shown[64];

	if (rule_kernel_matches(word, "0") < 0)
		ini_complain(reader, entry->line,
			"%s=: \"%s\" is no condition: write numbers after < <= = != >= or > "
			"without a blank, as in >=5.10 <7",
			entry->key, ini_copy_text(shown, sizeof(shown), word, strlen(word)));
}

static int parse_kernel_version(struct ini_reader *reader, const struct ini_entry *entry,
	void *field, const void *context _unused_)
{
	int r = each_word(reader, entry, check_version_word, NULL);

	return r < 0 ? r : store(entry->value, field);
}

static void check_virtualization_word(struct ini_reader *reader, const struct ini_entry *entry,
	const char *word, void *userdata _unused_)
{
	const char *words[64];
	size_t n = 0;

	if (word[0] == '!')
		word++;
	if (rule_virtualization_known(word))
		return;
	while (n < ARRAY_SIZE(words) && (words[n] = rule_virtualization_word(n)))
		n++;
	parse_word(reader, entry, word, words, n);
}

static int parse_virtualization(struct ini_reader *reader, const struct ini_entry *entry,
	void *field, const void *context _unused_)
{
	int r = each_word(reader, entry, check_virtualization_word, NULL);

	return r < 0 ? r : store(entry->value, field);
}

/* One word for all that stand for the same features: the kernel's name where there is just one,
 * else ethtool's short word. */
static const char *canonical_word(const char *word)
{
	const struct feature_alias *a;

	for (size_t i = 0; (a = feature_alias(i)); i++)
		if (strcmp(word, a->word) == 0 || strcmp(word, a->long_word) == 0)
			return strpbrk(a->pattern, "*?[") ? a->word : a->pattern;
	return word;
}

static void complain_feature(
	struct ini_reader *reader, const struct ini_entry *entry, const struct feature_table *table)
{
	char lower[INI_MAX_NAME + 1] = "";
	const char *nearest;
	feature_set bits;

	for (size_t i = 0; entry->key[i] && i < sizeof(lower) - 1; i++)
		lower[i] = (char)tolower((unsigned char)entry->key[i]);
	nearest = feature_parse(table, lower, &bits) == FEATURE_WORD_UNKNOWN
			  ? feature_nearest(lower)
			  : lower;
	if (nearest)
		ini_complain(reader, entry->line, "unknown feature %s: did you mean %s?",
			entry->key, nearest);
	else
		ini_complain(reader, entry->line,
			"unknown feature %s: no kernel has it (ethtool -k LINK prints the names "
			"that there are)",
			entry->key);
}

static bool check_feature(struct ini_reader *reader, const struct ini_entry *entry,
	const struct rule_reading *reading, const struct rule_feature *f)
{
	const struct rule *rule = &reading->rule;
	const char *canonical = canonical_word(f->word);

	if (f->word_kind == FEATURE_WORD_UNKNOWN) {
		complain_feature(reader, entry, reading->table);
		return false;
	}
	for (size_t i = 0; i < ARRAY_SIZE(unchangeable); i++)
		if (strcmp(canonical, unchangeable[i]) == 0) {
			ini_complain(reader, entry->line,
				"%s can never be changed: it tells what the device is, leave it "
				"out",
				entry->key);
			return false;
		}
	for (size_t i = 0; i < rule->n_features; i++)
		if (strcmp(canonical, canonical_word(rule->features[i].word)) == 0) {
			ini_complain(reader, entry->line,
				"%s is the same as %s of line %u: leave one of them out",
				entry->key, rule->features[i].word, rule->features[i].line);
			return false;
		}
	return true;
}

static int parse_feature(struct ini_reader *reader, const struct ini_entry *entry, void *field,
	const void *context _unused_)
{
	struct rule_reading *reading = field;
	struct rule *rule = &reading->rule;
	struct rule_feature *features, f = {.line = entry->line};
	int i = parse_word(reader, entry, entry->value, value_words, ARRAY_SIZE(value_words));

	f.value = i < 0 ? RULE_UNSET : values[i];
	f.word_kind = feature_parse(reading->table, entry->key, &f.bits);
	if (store(entry->key, &f.word) < 0)
		return -ENOMEM;
	if (!check_feature(reader, entry, reading, &f)) {
		free(f.word);
		return 0;
	}
	features = realloc(rule->features, (rule->n_features + 1) * sizeof(*features));
	if (!features) {
		free(f.word);
		return -ENOMEM;
	}
	rule->features = features;
	features[rule->n_features++] = f;
	return 0;
}

/* Known to some kernel; the reader's own table is not needed to tell that a word stands in the
 * wrong section. */
static bool is_feature_word(const char *word)
{
	static const struct feature_table none;
	feature_set bits;

	return feature_parse(&none, word, &bits) != FEATURE_WORD_UNKNOWN;
}

#define FIELD(name) offsetof(struct rule_reading, rule.name)

static const struct ini_key rule_keys[] = {
	{"Description", parse_text, FIELD(description), NULL},
	{"Reason", parse_text, FIELD(reason), NULL},
	{"Mode", parse_mode, FIELD(mode), NULL},
	{"Until", parse_until, FIELD(until), NULL},
};

static const struct ini_key match_keys[] = {
	{"Kind", parse_patterns, FIELD(match.kind), &kind_patterns},
	{"Name", parse_patterns, FIELD(match.name), &name_patterns},
	{"Driver", parse_patterns, FIELD(match.driver), &driver_patterns},
	{"MACAddress", parse_patterns, FIELD(match.mac_address), &address_patterns},
	{"LowerKind", parse_patterns, FIELD(match.lower_kind), &kind_patterns},
	{"LowerDriver", parse_patterns, FIELD(match.lower_driver), &driver_patterns},
	{"MasterKind", parse_patterns, FIELD(match.master_kind), &kind_patterns},
	{"Role", parse_roles, FIELD(match.roles), NULL},
	{"KernelVersion", parse_kernel_version, FIELD(match.kernel_version), NULL},
	{"Host", parse_patterns, FIELD(match.host), &host_patterns},
	{"Virtualization", parse_virtualization, FIELD(match.virtualization), NULL},
};

static const struct ini_section sections[] = {
	{.name = "Rule", .keys = rule_keys, .n_keys = ARRAY_SIZE(rule_keys)},
	{.name = "Match",
		.keys = match_keys,
		.n_keys = ARRAY_SIZE(match_keys),
		.missing = "has no [Match]: say which links the rule is for (Kind=vlan; Name=* for "
			   "every link)",
		.empty = "[Match] is empty: say which links the rule is for (Kind=vlan; Name=* for "
			 "every link)"},
	{.name = "Features",
		.parse_any = parse_feature,
		.knows = is_feature_word,
		.missing =
			"has no [Features]: say what the rule declares (sg=on, tso=off, tx=lower)",
		.empty = "[Features] is empty: say what the rule declares (sg=on, tso=off, "
			 "tx=lower)"},
};

const char *rule_file_key(size_t i)
{
	if (i < ARRAY_SIZE(rule_keys))
		return rule_keys[i].name;
	i -= ARRAY_SIZE(rule_keys);
	return i < ARRAY_SIZE(match_keys) ? match_keys[i].name : NULL;
}

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int add_rule(struct rule_set *set, struct rule *rule, const char *path)
{
	struct rule *rules;
	char clean[1024];

	rule->file = strdup(file_name(ini_copy_text(clean, sizeof(clean), path, strlen(path))));
	rule->path = strdup(clean);
	rules = realloc(set->rules, (set->n_rules + 1) * sizeof(*rules));
	if (rules)
		set->rules = rules;
	if (!rule->file || !rule->path || !rules)
		return -ENOMEM;
	rules[set->n_rules++] = *rule;
	*rule = (struct rule){ 0 };
	return 0;
}

/* By line, what concerns the whole file last. Stable: several complaints of one line keep their
 * order. */
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

static const char says_nothing[] =
	"has nothing but comments: a rule needs [Match] and [Features] "
	"(to switch a rule off, leave its file empty or link it to /dev/null)";

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
	struct ini_reader reader = {.path = path, .report = report, .userdata = set};
	struct rule_reading reading = {.table = table};
	size_t first = set->n_errors;
	int r;

	if (is_all_comments(text, len))
		return rule_set_add_error(set, path, 0, says_nothing) < 0 ? -ENOMEM : 1;
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
	struct ini_reader reader = {.path = path, .report = report, .userdata = set};
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r;

	if (ini_dir_is_mask(path))
		return 0;
	r = ini_file_read(&reader, &text, &len);
	return r == 0 ? rule_set_load_text(set, path, text, len, table) : r;
}

int rule_set_load(const char *const *dirs, const struct feature_table *table, struct rule_set *ret)
{
	const struct ini_dir dir = {
		.dirs = dirs,
		.suffix = ".rule",
		.what = "rule",
		.optional = dirs == rule_default_dirs,
		.report = report,
		.userdata = ret,
	};
	char **paths = NULL;
	size_t n = 0;
	int r;

	*ret = (struct rule_set){ 0 };
	r = ini_dir_find(&dir, &paths, &n);
	for (size_t i = 0; i < n && r >= 0; i++)
		r = rule_set_load_file(ret, paths[i], table);
	ini_dir_free(paths, n);
	if (r < 0)
		rule_set_clear(ret);
	return r < 0 ? r : 0;
}
