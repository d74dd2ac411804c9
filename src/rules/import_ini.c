/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/import_private.h"

#include <errno.h>
#include <string.h>

#include "rules/foreign.h"

struct ini_line {
	unsigned number;
	char section[64], *key, *value;
};

struct link_file {
	struct import_rule rule;
	char *original, *name; /* OriginalName=, Name= */
	bool renames;	       /* NamePolicy= may give it another name */
	bool unusable, matches;
	unsigned line; /* of the first feature */
};

/* Takes the next key off the text. */
static bool next_key(const char **text, char **buf, struct ini_line *ret)
{
	while (import_next_line(text, &ret->number, buf)) {
		char *line = *buf, *equals = strchr(line, '=');

		if (*line == '[') {
			snprintf(ret->section, sizeof(ret->section), "%.*s", (int)strcspn(line + 1, "]"), line + 1);
		} else if (*line && !strchr("#;", *line) && equals) {
			*equals = '\0';
			ret->key = import_strip(line);
			ret->value = import_strip(equals + 1);
			return true;
		}
	}
	return false;
}

/* Calls take() for each word of a list. */
static bool each_word(const char *list, const char *separators, bool (*take)(const char *word, char *ret, size_t size), char *ret,
	size_t size)
{
	char word[256], converted[512];

	ret[0] = '\0';
	for (size_t len; list += strspn(list, separators), len = strcspn(list, separators); list += len) {
		snprintf(word, sizeof(word), "%.*s", (int)len, list);
		if (!take(word, converted, sizeof(converted)))
			return false;
		if (*converted)
			util_append(ret, size, "%s%s", *ret ? " " : "", converted);
	}
	return true;
}

static bool take_word(const char *word, char *ret, size_t size)
{
	snprintf(ret, size, "%s", word);
	return true;
}

static bool take_address(const char *word, char *ret, size_t size)
{
	return *import_address(word, ret, size);
}

bool import_type(const char *word, char *ret, size_t size)
{
	static const char *const kinds[] = { "vlan", "bond", "bridge", "vxlan", "macvlan", "macvtap", "ipvlan", "wireguard", "geneve", "hsr",
		"vrf", "loopback", "none" };
	const char *type = word + (*word == '!');

	if (strcmp(word, "ether") == 0)
		snprintf(ret, size, "%s", "!loopback !vlan !bond !bridge !vxlan !macvlan !macvtap !ipvlan !geneve !hsr !vrf !wireguard !other");
	else if (util_find_word(type, kinds, ARRAY_SIZE(kinds) - 1) >= 0)
		snprintf(ret, size, "%s", word);
	else
		return false;
	return true;
}

static const struct {
	const char *link, *here;
	bool (*take)(const char *word, char *ret, size_t size);
} link_matches[] = {
	{ "MACAddress", "MACAddress", take_address },
	{ "PermanentMACAddress", "MACAddress", take_address },
	{ "Path", "Path", take_word },
	{ "Driver", "Driver", take_word },
	{ "Kind", "Kind", take_word },
	{ "Type", "Kind", import_type },
	{ "Host", "Host", take_word },
	{ "Virtualization", "Virtualization", take_word },
	{ "KernelVersion", "KernelRelease", take_word },
};

static void replace(const struct import_source *s, char **to, const char *value)
{
	free(*to);
	*to = strdup(value);
	if (!*to)
		s->im->error = -ENOMEM;
}

/* "!a b" excludes every word of it. */
static void spread_exclusion(const char *value, char *ret, size_t size)
{
	bool all = *value == '!';
	char word[256];

	ret[0] = '\0';
	value += all;
	for (size_t len; value += strspn(value, " \t"), len = strcspn(value, " \t"); value += len) {
		snprintf(word, sizeof(word), "%.*s", (int)len, value);
		util_append(ret, size, "%s%s%s", *ret ? " " : "", all ? "!" : "", word);
	}
}

static void read_link_match(const struct import_source *s, struct link_file *file, const struct ini_line *line)
{
	char words[2048], value[2048];

	file->matches = file->matches || *line->value;
	spread_exclusion(line->value, value, sizeof(value));
	if (strcmp(line->key, "OriginalName") == 0) {
		replace(s, &file->original, value);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(link_matches); i++) {
		if (strcmp(line->key, link_matches[i].link) != 0)
			continue;
		if (!*value) {
			import_skip(s, line->number, "%s=: an empty value, which resets the list", line->key);
			file->unusable = true;
		} else if (!each_word(value, " \t", link_matches[i].take, words, sizeof(words))) {
			import_skip(s, line->number, "[Match] %s=%s: no rule can match this", line->key, value);
			file->unusable = true;
		} else {
			import_match(s, &file->rule, link_matches[i].here, words);
			if (strcmp(line->key, "PermanentMACAddress") == 0)
				import_doubt(s, line->number, "rules match the current address, which a bond or a user may change");
			if (strstr(value, "ether") && strcmp(line->key, "Type") == 0)
				import_doubt(s, line->number, "Type=ether does not match Wi-Fi, but this rule does");
		}
		return;
	}
	import_skip(s, line->number, "[Match] %s=: no rule can match this", line->key);
	file->unusable = true;
}

static void read_link_limit(const struct import_source *s, struct link_file *file, const struct ini_line *line, const char *limit)
{
	char number[32];
	uint64_t size;

	for (char *c = line->value; *c; c++) /* "64K" */
		*c = (char)(*c == 'K' ? 'k' : *c);
	if (util_parse_size(line->value, &size) < 0 || size > 524280) {
		import_skip(s, line->number, "%s=%s: not a limit from 1024 to 524280", line->key, line->value);
		return;
	}
	snprintf(number, sizeof(number), "%llu", (unsigned long long)size);
	import_set(s, &file->rule.limits, limit, number);
}

static void read_link_setting(const struct import_source *s, struct link_file *file, const struct ini_line *line)
{
	const char *feature = import_link_feature(line->key);

	if (strcmp(line->key, "Name") == 0) {
		replace(s, &file->name, line->value);
		return;
	}
	if (strcmp(line->key, "NamePolicy") == 0) {
		file->renames = *line->value && strncmp(line->value, "keep", 4) != 0 && strcmp(line->value, "kernel") != 0;
		return;
	}
	if (strcmp(line->key, "Description") == 0)
		return;
	file->line = file->line ? file->line : line->number;
	if (strcmp(line->key, "GenericSegmentOffloadMaxBytes") == 0)
		read_link_limit(s, file, line, "gso-max-size");
	else if (strcmp(line->key, "GenericSegmentOffloadMaxSegments") == 0)
		read_link_limit(s, file, line, "gso-max-segs");
	else if (!feature)
		import_skip_key(s, line->number, line->key);
	else if (*line->value)
		import_feature(s, &file->rule, line->number, feature, line->value);
}

/* The name that the interface has in the end. */
static void match_name(const struct import_source *s, struct link_file *file)
{
	bool all = file->original && strcmp(file->original, "*") == 0;

	if (file->original && file->name && *file->name && !file->renames && !all) {
		import_match(s, &file->rule, "Name", file->name);
		return;
	}
	if (!file->original || (all && file->rule.match.n))
		return;
	import_match(s, &file->rule, "Name", file->original);
	if (file->renames && !all)
		import_doubt(s, file->line, "OriginalName=%s is the name before NamePolicy= changes it; rules match the final name: edit Name=",
			file->original);
}

void import_link(const struct import_source *s, const char *text)
{
	_cleanup_free_ char *buf = NULL;
	struct link_file file = { 0 };
	struct ini_line line = { 0 };

	while (next_key(&text, &buf, &line)) {
		if (strcmp(line.section, "Match") == 0)
			read_link_match(s, &file, &line);
		else if (strcmp(line.section, "Link") == 0)
			read_link_setting(s, &file, &line);
		else
			import_skip(s, line.number, "[%s] %s=: another setting, not an offload feature", line.section, line.key);
	}
	match_name(s, &file);
	if (!file.matches)
		import_skip(s, 0, "no [Match] section: udev ignores this file");
	else if (file.unusable)
		import_skip(s, 0, "nothing was converted: a rule would match more interfaces than this file");
	else
		import_finish(s, &file.rule, file.line, util_file_name(s->path));
	import_rule_clear(&file.rule);
	free(file.original);
	free(file.name);
}

/* ---- NetworkManager ---- */

struct keyfile {
	struct import_rule rule;
	char type[32];
	char *name;
	bool unusable;
	unsigned line;
};

static void read_connection(const struct import_source *s, struct keyfile *file, const struct ini_line *line)
{
	if (strcmp(line->key, "type") == 0)
		snprintf(file->type, sizeof(file->type), "%s", line->value);
	else if (strcmp(line->key, "interface-name") == 0)
		replace(s, &file->name, line->value);
	else if (strcmp(line->key, "autoconnect") == 0 && import_boolean(line->value) == 0)
		import_doubt(s, line->number, "autoconnect=false: NetworkManager sets this only while the profile is active; the rule always applies");
}

/* "|" and "&" before a word: any or all of them must match. */
static bool take_nm_word(const char *word, char *ret, size_t size)
{
	const char *plain = word + strspn(word, "|&\\");

	snprintf(ret, size, "%s", plain);
	return *word != '&' || *plain == '!';
}

static void read_nm_match(const struct import_source *s, struct keyfile *file, const struct ini_line *line)
{
	static const char *const keys[] = { "interface-name", "driver", "path" }, *const here[] = { "Name", "Driver", "Path" };
	int i = util_find_word(line->key, keys, ARRAY_SIZE(keys));
	char words[2048];

	if (i >= 0 && each_word(line->value, ";,", take_nm_word, words, sizeof(words)) && !strchr(words, '\\')) {
		import_match(s, &file->rule, here[i], words);
		return;
	}
	import_skip(s, line->number, "[match] %s=%s: no rule can match this", line->key, line->value);
	file->unusable = true;
}

static void read_ethtool(const struct import_source *s, struct keyfile *file, const struct ini_line *line)
{
	file->line = file->line ? file->line : line->number;
	if (strncmp(line->key, "feature-", 8) == 0)
		import_feature(s, &file->rule, line->number, line->key + 8, line->value);
	else
		import_skip_key(s, line->number, line->key);
}

static void match_profile(const struct import_source *s, struct keyfile *file)
{
	bool ethernet = strcmp(file->type, "ethernet") == 0 || strcmp(file->type, "802-3-ethernet") == 0;

	if (file->name && *file->name)
		import_match(s, &file->rule, "Name", file->name);
	else if (ethernet)
		import_match(s, &file->rule, "Kind", "physical veth");
	else if (file->rule.match.n == 0)
		file->unusable = true;
	if (!file->unusable && (!file->name || !*file->name) && file->rule.match.n == 1)
		import_doubt(s, file->line, "the profile names no interface; the rule matches all that NetworkManager may use it for");
}

void import_keyfile(const struct import_source *s, const char *text)
{
	_cleanup_free_ char *buf = NULL;
	struct keyfile file = { 0 };
	struct ini_line line = { 0 };
	char address[64];

	while (next_key(&text, &buf, &line)) {
		bool ethernet = strcmp(line.section, "ethernet") == 0 || strcmp(line.section, "802-3-ethernet") == 0;

		if (strcmp(line.section, "connection") == 0)
			read_connection(s, &file, &line);
		else if (strcmp(line.section, "match") == 0)
			read_nm_match(s, &file, &line);
		else if (strcmp(line.section, "ethtool") == 0)
			read_ethtool(s, &file, &line);
		else if (ethernet && strcmp(line.key, "mac-address") == 0)
			import_match(s, &file.rule, "MACAddress", import_address(line.value, address, sizeof(address)));
	}
	match_profile(s, &file);
	if (file.unusable && file.rule.features.n)
		import_skip(s, file.line, "nothing was converted: no rule can match the interfaces of this profile");
	else
		import_finish(s, &file.rule, file.line, file.name && *file.name ? file.name : util_file_name(s->path));
	import_rule_clear(&file.rule);
	free(file.name);
}
