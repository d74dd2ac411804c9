/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "compare/snapshot_json.h"

#include <errno.h>
#include <string.h>

#include "basic/json_value.h"
#include "basic/util.h"

#define TEXT_MAX 4096
#define DEPTH_MAX 16
#define CONTAINERS_MAX (SNAPSHOT_LINKS_MAX * 16) /* lists and objects */
#define MEMBERS_MAX (SNAPSHOT_LINKS_MAX * 128)   /* of all of them together */

/* at: "links[3]", where the reader is in the document; "" for its top. */
struct reader {
	struct snapshot *s;
	char at[64];
	char *why;
	size_t why_size;
};

_printf_(2, 3) static int bad(const struct reader *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->why, r->why_size, fmt, ap);
	va_end(ap);
	return -EBADMSG;
}

static int bad_field(const struct reader *r, const char *key, const char *what)
{
	return bad(r, "%s%s%s %s", r->at, *r->at ? "." : "", key, what);
}

/* A member; NULL where it is missing or null. -EBADMSG when it has another type. */
static int get(const struct reader *r, struct json_object *object, const char *key,
	enum json_type type, const char *what, struct json_object **ret)
{
	if (!json_object_object_get_ex(object, key, ret))
		*ret = NULL;
	if (*ret && !json_object_is_type(*ret, type))
		return bad_field(r, key, what);
	return 0;
}

static int get_array(const struct reader *r, struct json_object *object, const char *key,
	size_t max, struct json_object **ret)
{
	if (get(r, object, key, json_type_array, "is not a list", ret) < 0)
		return -EBADMSG;
	if (*ret && json_object_array_length(*ret) > max)
		return bad_field(r, key, "has too many members");
	return 0;
}

/* Name-like text into a field; what it may not hold is replaced, what is too long is an error. */
static int get_name(
	const struct reader *r, struct json_object *object, const char *key, char *dst, size_t size)
{
	struct json_object *value;
	size_t len;

	if (get(r, object, key, json_type_string, "is not a text", &value) < 0)
		return -EBADMSG;
	len = value ? (size_t)json_object_get_string_len(value) : 0;
	if (len >= size)
		return bad_field(r, key, "is too long");
	if (value)
		util_copy_name(dst, size, json_object_get_string(value), len);
	return 0;
}

/* Free text, the caller's; NULL where there is none. */
static int get_text(const struct reader *r, struct json_object *object, const char *key, char **ret)
{
	struct json_object *value;

	*ret = NULL;
	if (get(r, object, key, json_type_string, "is not a text", &value) < 0)
		return -EBADMSG;
	if (!value)
		return 0;
	if (json_object_get_string_len(value) >= TEXT_MAX)
		return bad_field(r, key, "is too long");
	*ret = strdup(json_object_get_string(value));
	return *ret ? 0 : -ENOMEM;
}

static int get_number(const struct reader *r, struct json_object *object, const char *key,
	int64_t max, int64_t *ret)
{
	struct json_object *value;

	*ret = 0;
	if (get(r, object, key, json_type_int, "is not a whole number", &value) < 0)
		return -EBADMSG;
	if (value)
		*ret = json_object_get_int64(value);
	return *ret < 0 || *ret > max ? bad_field(r, key, "is out of range") : 0;
}

static int get_bool(const struct reader *r, struct json_object *object, const char *key, bool *ret)
{
	struct json_object *value;

	if (get(r, object, key, json_type_boolean, "is neither true nor false", &value) < 0)
		return -EBADMSG;
	*ret = value && json_object_get_boolean(value);
	return 0;
}

static int read_table(struct reader *r, struct json_object *root)
{
	struct json_object *names, *name;
	size_t n;

	if (get_array(r, root, "features", FEATURE_MAX, &names) < 0)
		return -EBADMSG;
	if (!names)
		return bad_field(r, "features", "is missing");
	n = json_object_array_length(names);
	for (size_t i = 0; i < n; i++) {
		const char *text;
		char clean[FEATURE_NAME_LEN];
		size_t len;

		name = json_object_array_get_idx(names, i);
		text = json_object_is_type(name, json_type_string) ? json_object_get_string(name)
								   : "";
		len = strlen(text);
		util_copy_name(clean, sizeof(clean), text, len);
		if (len == 0 || strcmp(clean, text) != 0 || feature_bit(&r->s->features, text) >= 0)
			return bad(
				r, "features[%zu] is no name of a feature, or is there twice", i);
		if (feature_table_add(&r->s->features, (unsigned)i, text, len) < 0)
			return bad(r, "features[%zu] is no name of a feature", i);
	}
	return 0;
}

static int get_set(
	const struct reader *r, struct json_object *object, const char *key, feature_set *ret)
{
	struct json_object *names, *name;
	size_t n;

	*ret = 0;
	if (get_array(r, object, key, FEATURE_MAX, &names) < 0)
		return -EBADMSG;
	n = names ? json_object_array_length(names) : 0;
	for (size_t i = 0; i < n; i++) {
		feature_set bit = 0;

		name = json_object_array_get_idx(names, i);
		if (json_object_is_type(name, json_type_string))
			bit = feature_named(&r->s->features, json_object_get_string(name));
		if (!bit)
			return bad_field(r, key,
				"names a feature that is not in the list at the "
				"top of the document");
		*ret |= bit;
	}
	return 0;
}

static int read_link(struct reader *r, struct json_object *o, struct snapshot_link *link)
{
	struct json_object *sets;
	int64_t vlan_id;

	if (get_name(r, o, "link", link->name, sizeof(link->name)) < 0 ||
		get_name(r, o, "kind", link->kind, sizeof(link->kind)) < 0 ||
		get_name(r, o, "driver", link->driver, sizeof(link->driver)) < 0 ||
		get_name(r, o, "lower", link->lower, sizeof(link->lower)) < 0 ||
		get_name(r, o, "master", link->master, sizeof(link->master)) < 0 ||
		get_name(r, o, "error", link->error, sizeof(link->error)) < 0 ||
		get_bool(r, o, "lower_elsewhere", &link->lower_elsewhere) < 0 ||
		get_number(r, o, "vlan_id", 4095, &vlan_id) < 0 ||
		get(r, o, "features", json_type_object, "is not an object", &sets) < 0)
		return -EBADMSG;
	if (!link->name[0])
		return bad_field(r, "link", "is missing");
	link->vlan_id = (unsigned)vlan_id;
	link->has_features = sets;
	if (!sets)
		return 0;
	if (!json_object_object_get_ex(sets, "active", NULL))
		return bad_field(r, "active", "is missing");
	if (get_set(r, sets, "changeable", &link->features.hw) < 0 ||
		get_set(r, sets, "requested", &link->features.wanted) < 0 ||
		get_set(r, sets, "active", &link->features.active) < 0 ||
		get_set(r, sets, "never_changed", &link->features.nochange) < 0)
		return -EBADMSG;
	return 0;
}

static int read_links(struct reader *r, struct json_object *root)
{
	struct json_object *links;
	size_t n;

	if (get_array(r, root, "links", SNAPSHOT_LINKS_MAX, &links) < 0)
		return -EBADMSG;
	if (!links)
		return bad_field(r, "links", "is missing");
	n = json_object_array_length(links);
	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_object_array_get_idx(links, i);
		struct snapshot_link *link = snapshot_add_link(r->s);

		if (!link)
			return -ENOMEM;
		snprintf(r->at, sizeof(r->at), "links[%zu]", i);
		if (!json_object_is_type(o, json_type_object))
			return bad(r, "%s is not an object", r->at);
		if (read_link(r, o, link) < 0)
			return -EBADMSG;
	}
	r->at[0] = '\0';
	return 0;
}

static int read_words(struct reader *r, struct json_object *o, struct snapshot_rule *rule)
{
	static const enum rule_value values[] = { RULE_OFF, RULE_ON, RULE_LOWER };
	struct json_object *words;

	if (get(r, o, "declares", json_type_object, "is not an object", &words) < 0)
		return -EBADMSG;
	if (!words)
		return 0;
	if (json_object_object_length(words) > SNAPSHOT_WORDS_MAX)
		return bad_field(r, "declares", "has too many members");
	rule->words = calloc((size_t)json_object_object_length(words) + 1, sizeof(*rule->words));
	if (!rule->words)
		return -ENOMEM;
	json_object_object_foreach(words, key, value)
	{
		struct snapshot_word *word = &rule->words[rule->n_words];

		for (size_t i = 0; i < ARRAY_SIZE(values); i++)
			if (json_object_is_type(value, json_type_string) &&
				strcmp(json_object_get_string(value), rule_value_name(values[i])) ==
					0)
				word->value = values[i];
		if (word->value == RULE_UNSET || strlen(key) >= TEXT_MAX)
			return bad_field(r, "declares", "has a value that is not on, off or lower");
		word->word = strdup(key);
		if (!word->word)
			return -ENOMEM;
		rule->n_words++;
	}
	return 0;
}

static int read_rule(struct reader *r, struct json_object *o, struct snapshot_rule *rule)
{
	char mode[16] = "";
	int e;

	e = get_text(r, o, "file", &rule->file);
	if (e >= 0)
		e = get_text(r, o, "path", &rule->path);
	if (e >= 0)
		e = get_text(r, o, "description", &rule->description);
	if (e >= 0)
		e = get_text(r, o, "reason", &rule->reason);
	if (e >= 0)
		e = get_name(r, o, "mode", mode, sizeof(mode));
	if (e < 0)
		return e;
	if (!rule->file)
		return bad_field(r, "file", "is missing");
	rule->mode = strcmp(mode, "audit") == 0 ? RULE_MODE_AUDIT : RULE_MODE_ENFORCE;
	return read_words(r, o, rule);
}

static int read_rules(struct reader *r, struct json_object *root)
{
	struct json_object *rules;
	size_t n;
	int e;

	if (get_array(r, root, "rules", SNAPSHOT_RULES_MAX, &rules) < 0)
		return -EBADMSG;
	n = rules ? json_object_array_length(rules) : 0;
	r->s->rules = calloc(n + 1, sizeof(*r->s->rules));
	if (!r->s->rules)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_object_array_get_idx(rules, i);

		snprintf(r->at, sizeof(r->at), "rules[%zu]", i);
		if (!json_object_is_type(o, json_type_object))
			return bad(r, "%s is not an object", r->at);
		r->s->n_rules++;
		e = read_rule(r, o, &r->s->rules[i]);
		if (e < 0)
			return e;
	}
	r->at[0] = '\0';
	return 0;
}

static int read_host(struct reader *r, struct json_object *root)
{
	struct json_object *host;

	if (get(r, root, "host", json_type_object, "is not an object", &host) < 0 ||
		get_number(r, root, "taken", INT64_MAX, &r->s->taken) < 0)
		return -EBADMSG;
	if (!host)
		return 0;
	if (get_name(r, host, "name", r->s->host, sizeof(r->s->host)) < 0 ||
		get_name(r, host, "kernel", r->s->kernel, sizeof(r->s->kernel)) < 0 ||
		get_name(r, host, "virtualization", r->s->virtualization,
			sizeof(r->s->virtualization)) < 0)
		return -EBADMSG;
	return 0;
}

/* Is it a snapshot, and one that this program understands? */
static int check_version(const struct reader *r, struct json_object *root)
{
	char document[32] = "";
	int64_t version;

	if (!json_object_is_type(root, json_type_object))
		return bad(r, "it is JSON, but no snapshot; of ethtool, the text without --json is "
			      "read");
	if (get_name(r, root, "document", document, sizeof(document)) < 0 ||
		get_number(r, root, "version", INT64_MAX, &version) < 0)
		return -EBADMSG;
	if (strcmp(document, "snapshot") != 0)
		return bad(r, "it is %s%s, not a snapshot; offloadctl snapshot writes one",
			*document ? "the document of offloadctl " : "another JSON document",
			document);
	if (version < 1)
		return bad_field(r, "version", "is missing");
	if (version > JSON_VERSION)
		return bad(r,
			"it was written by a newer offloadctl (version %lld of the document, up to "
			"%d is read here): compare on a host with that one, or install it here",
			(long long)version, JSON_VERSION);
	return 0;
}

static unsigned line_of(const char *text, size_t at)
{
	unsigned line = 1;

	for (size_t i = 0; i < at; i++)
		line += text[i] == '\n';
	return line;
}

static int parse(const struct reader *r, const char *text, size_t len, struct json_object **ret)
{
	_cleanup_tokener_ struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
	enum json_tokener_error error;
	size_t end;

	if (!tokener)
		return -ENOMEM;
	if (len > SNAPSHOT_BYTES_MAX)
		return bad(r, "it is larger than %d MiB", SNAPSHOT_BYTES_MAX >> 20);
	if (!json_value_is_bounded(text, len, CONTAINERS_MAX, MEMBERS_MAX))
		return bad(r, "it has more in it than a snapshot can have");
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS);
	*ret = json_tokener_parse_ex(tokener, text, (int)len);
	error = json_tokener_get_error(tokener);
	end = json_tokener_get_parse_end(tokener);
	if (error == json_tokener_continue)
		return bad(r, "it ends in the middle, at line %u: copy it whole, or take it again",
			line_of(text, len));
	if (error != json_tokener_success)
		return bad(r, "line %u: %s", line_of(text, end), json_tokener_error_desc(error));
	while (end < len && strchr(" \t\r\n", text[end]) && text[end])
		end++;
	if (end < len)
		return bad(r, "line %u: something follows the document", line_of(text, end));
	return 0;
}

int snapshot_parse_json(
	const char *text, size_t len, struct snapshot *ret, char *why, size_t why_size)
{
	struct reader reader = { .s = ret, .why = why, .why_size = why_size };
	_cleanup_json_ struct json_object *root = NULL;
	int r;

	*ret = (struct snapshot){ .form = SNAPSHOT_DOCUMENT };
	r = parse(&reader, text, len, &root);
	if (r >= 0)
		r = check_version(&reader, root);
	if (r >= 0)
		r = read_host(&reader, root);
	if (r >= 0)
		r = read_table(&reader, root);
	if (r >= 0)
		r = read_links(&reader, root);
	if (r >= 0)
		r = read_rules(&reader, root);
	if (r < 0)
		snapshot_clear(ret);
	return r;
}
