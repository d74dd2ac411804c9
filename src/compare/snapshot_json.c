/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "compare/snapshot_json.h"

#include <errno.h>
#include <string.h>

#include "basic/json.h"
#include "basic/util.h"

#define TEXT_MAX 4095

static const struct json_field host_fields[] = {
	JSON_FIELD(struct snapshot, host, "name", JSON_NAME, .zero_is_null = true),
	JSON_FIELD(struct snapshot, kernel, "kernel", JSON_NAME, .zero_is_null = true),
	JSON_FIELD(struct snapshot, virtualization, "virtualization", JSON_NAME, .zero_is_null = true),
	{ 0 },
};

static const struct json_field snapshot_fields[] = {
	JSON_FIELD(struct snapshot, taken, "taken", JSON_INT),
	JSON_FIELD(struct snapshot, routes, "routes", JSON_BOOL),
	JSON_FIELD(struct snapshot, forwarding, "forwarding", JSON_BOOL),
	JSON_FIELD(struct snapshot, hardware, "hardware", JSON_BOOL),
	{ 0 },
};

static const struct json_field link_fields[] = {
	JSON_FIELD(struct snapshot_link, name, "link", JSON_NAME, .required = true),
	JSON_FIELD(struct snapshot_link, kind, "kind", JSON_NAME, .zero_is_null = true),
	JSON_FIELD(struct snapshot_link, driver, "driver", JSON_NAME, .zero_is_null = true),
	JSON_FIELD(struct snapshot_link, vlan_id, "vlan_id", JSON_INT, .zero_is_null = true, .most = 4095),
	JSON_FIELD(struct snapshot_link, lower, "lower", JSON_NAME, .zero_is_null = true),
	JSON_FIELD(struct snapshot_link, lower_elsewhere, "lower_elsewhere", JSON_BOOL),
	JSON_FIELD(struct snapshot_link, master, "master", JSON_NAME, .zero_is_null = true),
	JSON_FIELD(struct snapshot_link, address, "address", JSON_NAME, .zero_is_null = true),
	JSON_FIELD(struct snapshot_link, hardware.path, "path", JSON_NAME, .zero_is_null = true),
	JSON_FIELD(struct snapshot_link, hardware.device, "device", JSON_NAME, .zero_is_null = true),
	JSON_FIELD(struct snapshot_link, hardware.firmware, "firmware", JSON_NAME, .zero_is_null = true),
	JSON_FIELD(struct snapshot_link, hardware.driver_version, "driver_version", JSON_NAME, .zero_is_null = true),
	JSON_FIELD(struct snapshot_link, default_route, "default_route", JSON_BOOL),
	JSON_FIELD(struct snapshot_link, forwards, "forwards", JSON_BOOL),
	JSON_FIELD(struct snapshot_link, xdp, "xdp", JSON_BOOL),
	JSON_FIELD(struct snapshot_link, macsec_offload, "macsec_offload", JSON_INT, .least = -1, .most = 255),
	JSON_FIELD(struct snapshot_link, error, "error", JSON_NAME, .zero_is_null = true),
	{ 0 },
};

static const struct json_field rule_fields[] = {
	JSON_FIELD(struct snapshot_rule, file, "file", JSON_COPY, .required = true, .most = TEXT_MAX),
	JSON_FIELD(struct snapshot_rule, path, "path", JSON_COPY, .most = TEXT_MAX),
	JSON_FIELD(struct snapshot_rule, description, "description", JSON_COPY, .most = TEXT_MAX),
	JSON_FIELD(struct snapshot_rule, reason, "reason", JSON_COPY, .most = TEXT_MAX),
	{ 0 },
};

/* ---- writing ---- */

/* Names on one line, because a document of thousands of links is large enough. */
static void add_line(
	struct json_writer *w, const char *key, const struct feature_table *table, feature_set set)
{
	unsigned bit;

	json_open_line(w, key);
	feature_foreach (bit, set)
		json_add_text(w, NULL, feature_name(table, bit));
	json_close_list(w);
}

static void add_link(
	struct json_writer *w, const struct snapshot *s, const struct snapshot_link *link)
{
	json_open_object(w, NULL);
	json_add_fields(w, link_fields, link);
	json_open_line(w, "alternative_names");
	link_foreach_alt_name(link, name)
		json_add_text(w, NULL, name);
	json_close_list(w);
	if (json_open_if(w, "features", link->has_features)) {
		add_line(w, "active", &s->features, link->features.active);
		add_line(w, "requested", &s->features, link->features.wanted);
		add_line(w, "changeable", &s->features, link->features.hw);
		add_line(w, "never_changed", &s->features, link->features.nochange);
		json_close_object(w);
	}
	if (json_open_if(w, "limits", link->limits.has)) {
		for (unsigned i = 0; i < LINK_LIMIT_COUNT; i++)
			if (link->limits.has & LINK_LIMIT(i))
				json_add_int(w, link_limit_name(i), link->limits.value[i]);
		json_close_object(w);
	}
	json_close_object(w);
}

static void add_word(struct json_writer *w, const struct snapshot_word *word)
{
	if (word->value == RULE_NUMBER)
		json_add_int(w, word->word, word->number);
	else
		json_add_text(w, word->word, rule_value_name(word->value));
}

static void add_rules(struct json_writer *w, const struct snapshot *s)
{
	json_open_list(w, "rules");
	for (size_t i = 0; i < s->n_rules; i++) {
		const struct snapshot_rule *rule = &s->rules[i];

		json_open_object(w, NULL);
		json_add_fields(w, rule_fields, rule);
		json_add_text(w, "mode", rule->mode == RULE_MODE_AUDIT ? "audit" : "enforce");
		json_open_object(w, "declares");
		for (size_t j = 0; j < rule->n_words; j++)
			add_word(w, &rule->words[j]);
		json_close_object(w);
		json_close_object(w);
	}
	json_close_list(w);
}

int snapshot_format_json(const struct snapshot *s, char **ret, size_t *ret_len)
{
	_cleanup_json_writer_ struct json_writer w = { 0 };

	json_begin(&w, "snapshot");
	json_add_fields(&w, snapshot_fields, s);
	json_open_object(&w, "host");
	json_add_fields(&w, host_fields, s);
	json_close_object(&w);
	add_line(&w, "features", &s->features, snapshot_named(s));
	json_open_list(&w, "links");
	for (size_t i = 0; i < s->n_links; i++)
		add_link(&w, s, &s->links[i]);
	json_close_list(&w);
	add_rules(&w, s);
	return json_take(&w, ret, ret_len);
}

/* ---- reading ---- */

/* Members that need more than a copy. */
struct parts {
	const struct json_value *host, *features, *links, *rules, *sets, *limits, *words, *names;
	char document[32], mode[16];
	int64_t version;
};

static int read_table(struct json_reader *r, const struct json_value *names, struct feature_table *table)
{
	unsigned i = 0;

	json_foreach(name, names)
	{
		const char *text = json_as_text(name);
		char clean[FEATURE_NAME_LEN];

		util_copy_name(clean, sizeof(clean), text, strlen(text));
		if (!text[0] || strcmp(clean, text) != 0 || feature_bit(table, text) >= 0 ||
			feature_table_add(table, i, text, strlen(text)) < 0) {
			snprintf(r->at, sizeof(r->at), "features[%u]", i);
			return json_complain(r, NULL, "is not a valid feature name, or is a duplicate");
		}
		i++;
	}
	return 0;
}

static int read_set(struct json_reader *r, const struct json_value *from, const char *key,
	const struct feature_table *table, feature_set *ret)
{
	const struct json_value *names = NULL;
	const struct json_field field[] = {
		{ .key = key, .kind = JSON_LIST, .most = FEATURE_MAX }, { 0 },
	};

	json_read(r, from, field, &names);
	json_foreach(name, names)
	{
		feature_set bit = feature_named(table, json_as_text(name));

		if (!bit)
			return json_complain(r, key,
				"contains a feature that is not in the features of the document");
		*ret |= bit;
	}
	return r->error;
}

/* A number from 0 to UINT32_MAX; -1: it is none. */
static int64_t read_number(const struct json_value *value)
{
	int64_t number = json_kind(value) == JSON_INT ? json_as_int(value) : -1;

	return number <= UINT32_MAX ? number : -1;
}

/* Skips limits of newer kernels. */
static void read_limits(struct json_reader *r, const struct json_value *limits, struct link_limits *ret)
{
	json_foreach(value, limits)
	{
		int limit = link_limit_find(json_key(value));
		int64_t number = read_number(value);

		if (number < 0) {
			json_complain(r, "limits", "has a value that is not a limit");
		} else if (limit >= 0) {
			ret->value[limit] = (uint32_t)number;
			ret->has |= LINK_LIMIT(limit);
		}
	}
}

static int read_alt_names(struct json_reader *r, const struct json_value *names, char **ret)
{
	size_t len = 0;

	json_foreach(name, names)
	{
		size_t n = strlen(json_as_text(name));

		if (n == 0 || n > LINK_ALT_NAME_MAX)
			return json_complain(r, "alternative_names", "has a value that is not a name");
		len += n + 1;
	}
	if (!len)
		return 0;
	*ret = calloc(1, len + 1);
	if (!*ret)
		return -ENOMEM;
	len = 0;
	json_foreach(name, names)
		len += (size_t)sprintf(*ret + len, "%s", json_as_text(name)) + 1;
	return 0;
}

static int read_link(struct json_reader *r, const struct json_value *o, const struct feature_table *table,
	struct snapshot_link *link)
{
	static const struct json_field fields[] = {
		JSON_FIELD(struct parts, names, "alternative_names", JSON_LIST, .most = SNAPSHOT_ALT_NAMES_MAX),
		JSON_FIELD(struct parts, sets, "features", JSON_OBJECT),
		JSON_FIELD(struct parts, limits, "limits", JSON_OBJECT),
		{ 0 },
	};
	struct parts parts = { 0 };

	json_read(r, o, link_fields, link);
	json_read(r, o, fields, &parts);
	if (!link->name[0])
		json_complain(r, "link", "is missing");
	link->has_features = parts.sets;
	if (parts.sets && !json_get(parts.sets, "active"))
		json_complain(r, "active", "is missing");
	read_set(r, parts.sets, "changeable", table, &link->features.hw);
	read_set(r, parts.sets, "requested", table, &link->features.wanted);
	read_set(r, parts.sets, "active", table, &link->features.active);
	read_set(r, parts.sets, "never_changed", table, &link->features.nochange);
	read_limits(r, parts.limits, &link->limits);
	return read_alt_names(r, parts.names, &link->alt_names);
}

static int read_words(struct json_reader *r, const struct json_value *words, struct snapshot_rule *rule)
{
	static const enum rule_value values[] = { RULE_OFF, RULE_ON, RULE_LOWER, RULE_LOWER_ALL };

	if (json_count(words) > SNAPSHOT_WORDS_MAX)
		return json_complain(r, "declares", "has too many members");
	rule->words = calloc(json_count(words) + 1, sizeof(*rule->words));
	if (!rule->words)
		return -ENOMEM;
	json_foreach(value, words)
	{
		struct snapshot_word *word = &rule->words[rule->n_words];

		for (size_t i = 0; i < ARRAY_SIZE(values); i++)
			if (strcmp(json_as_text(value), rule_value_name(values[i])) == 0)
				word->value = values[i];
		if (link_limit_find(json_key(value)) >= 0 && read_number(value) >= 0) {
			word->value = RULE_NUMBER;
			word->number = (uint32_t)read_number(value);
		}
		if (word->value == RULE_UNSET || strlen(json_key(value)) > TEXT_MAX)
			return json_complain(r, "declares", "has a value that is not on, off, lower, lower-all or the number of a limit");
		word->word = strdup(json_key(value));
		if (!word->word)
			return -ENOMEM;
		rule->n_words++;
	}
	return 0;
}

static int read_rule(struct json_reader *r, const struct json_value *o, struct snapshot_rule *rule)
{
	static const struct json_field fields[] = {
		JSON_FIELD(struct parts, mode, "mode", JSON_NAME),
		JSON_FIELD(struct parts, words, "declares", JSON_OBJECT),
		{ 0 },
	};
	struct parts parts = { 0 };

	json_read(r, o, rule_fields, rule);
	if (json_read(r, o, fields, &parts) < 0)
		return r->error;
	rule->mode = strcmp(parts.mode, "audit") == 0 ? RULE_MODE_AUDIT : RULE_MODE_ENFORCE;
	return read_words(r, parts.words, rule);
}

static int read_lists(struct json_reader *r, const struct parts *parts, struct snapshot *s)
{
	for (struct json_each e = json_each(r, parts->links, "links"); json_step(&e);) {
		struct snapshot_link *link = snapshot_add_link(s);

		if (!link || read_link(r, e.item, &s->features, link) == -ENOMEM)
			return -ENOMEM;
	}
	s->rules = calloc(json_count(parts->rules) + 1, sizeof(*s->rules));
	if (!s->rules)
		return -ENOMEM;
	for (struct json_each e = json_each(r, parts->rules, "rules"); json_step(&e);)
		if (read_rule(r, e.item, &s->rules[s->n_rules++]) == -ENOMEM)
			return -ENOMEM;
	return r->error;
}

/* Is it a snapshot of a known version? 0, -EBADMSG. */
static int read_version(struct json_reader *r, const struct json_value *root)
{
	static const struct json_field fields[] = {
		JSON_FIELD(struct parts, document, "document", JSON_NAME),
		JSON_FIELD(struct parts, version, "version", JSON_INT),
		{ 0 },
	};
	struct parts parts = { 0 };

	if (json_read(r, root, fields, &parts) < 0)
		return r->error;
	if (json_kind(root) != JSON_OBJECT)
		snprintf(r->why, r->why_size, "JSON, but not a snapshot; for ethtool, use its output without --json");
	else if (strcmp(parts.document, "snapshot") != 0)
		snprintf(r->why, r->why_size, "%s%s, not a snapshot; create one with: offloadctl snapshot",
			parts.document[0] ? "output of offloadctl " : "another JSON document", parts.document);
	else if (parts.version < 1)
		return json_complain(r, "version", "is missing");
	else if (parts.version > JSON_VERSION)
		snprintf(r->why, r->why_size,
			"written by a newer offloadctl (document version %lld, supported: up to %d); "
			"compare with that version, or update offloadctl here",
			(long long)parts.version, JSON_VERSION);
	else
		return 0;
	return -EBADMSG;
}

static int read_snapshot(struct json_reader *r, const struct json_value *root, struct snapshot *s)
{
	static const struct json_field fields[] = {
		JSON_FIELD(struct parts, host, "host", JSON_OBJECT),
		JSON_FIELD(struct parts, features, "features", JSON_LIST, .required = true, .most = FEATURE_MAX),
		JSON_FIELD(struct parts, links, "links", JSON_LIST, .required = true, .most = SNAPSHOT_LINKS_MAX),
		JSON_FIELD(struct parts, rules, "rules", JSON_LIST, .most = SNAPSHOT_RULES_MAX),
		{ 0 },
	};
	struct parts parts = { 0 };
	int e = read_version(r, root);

	if (e < 0)
		return e;
	json_read(r, root, snapshot_fields, s);
	json_read(r, root, fields, &parts);
	if (json_read(r, parts.host, host_fields, s) < 0 || read_table(r, parts.features, &s->features) < 0)
		return r->error;
	return read_lists(r, &parts, s);
}

int snapshot_parse_json(
	const char *text, size_t len, struct snapshot *ret, char *why, size_t why_size)
{
	struct json_reader reader = { .why = why, .why_size = why_size };
	_cleanup_json_ struct json_value *root = NULL;
	int r;

	*ret = (struct snapshot){ .form = SNAPSHOT_DOCUMENT };
	r = json_parse(text, len, JSON_OF_FILE, &root, why, why_size);
	if (r >= 0)
		r = read_snapshot(&reader, root, ret);
	if (r < 0)
		snapshot_clear(ret);
	return r;
}
