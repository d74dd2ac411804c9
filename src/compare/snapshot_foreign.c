/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "compare/snapshot_foreign.h"

#include <errno.h>
#include <string.h>

#include "basic/json.h"
#include "basic/util.h"
#include "compare/snapshot_clean.h"

#define TRIES_MAX 64 /* of braces that begin no document */

static enum snapshot_mark read_mark(const char *text)
{
	if (strstr(text, "[fixed]"))
		return SNAPSHOT_FIXED;
	if (strstr(text, "[requested on]"))
		return SNAPSHOT_REQUESTED_ON;
	return strstr(text, "[requested off]") || strstr(text, "[not requested]") ? SNAPSHOT_REQUESTED_OFF :
										    SNAPSHOT_NO_MARK;
}

/* "on" and "off [fixed]" of Ansible and Talos; true and false of nmstate. */
static bool read_text(const struct json_value *value, bool *ret_on, enum snapshot_mark *ret_mark)
{
	const char *text = json_as_text(value);
	size_t len = strcspn(text, " ");

	if (json_kind(value) == JSON_BOOL) {
		*ret_on = json_as_bool(value);
		*ret_mark = SNAPSHOT_NO_MARK;
		return true;
	}
	*ret_on = len == 2;
	*ret_mark = read_mark(text);
	return (len == 2 && strncmp(text, "on", 2) == 0) || (len == 3 && strncmp(text, "off", 3) == 0);
}

/* { "active": true, "fixed": false, "requested": true } of ethtool. */
static bool read_state(const struct json_value *state, bool *ret_on, enum snapshot_mark *ret_mark)
{
	const struct json_value *active = json_get(state, "active"), *requested = json_get(state, "requested");

	*ret_on = json_as_bool(active);
	*ret_mark = SNAPSHOT_NO_MARK;
	if (json_get_bool(state, "fixed"))
		*ret_mark = SNAPSHOT_FIXED;
	else if (json_kind(requested) == JSON_BOOL && json_as_bool(requested) != *ret_on)
		*ret_mark = *ret_on ? SNAPSHOT_REQUESTED_OFF : SNAPSHOT_REQUESTED_ON;
	return json_kind(active) == JSON_BOOL;
}

/* Adds the members that are features. named: also those that are unknown, as the object has nothing else. The number, or an error. */
static int read_features(struct snapshot_builder *b, const struct json_value *o, const char *link, size_t len, bool named)
{
	int n = 0;

	json_foreach(member, o)
	{
		_cleanup_free_ char *key = snapshot_clean(json_key(member), strlen(json_key(member)));
		const char *name = key ? snapshot_builder_find(b, key, strlen(key)) : NULL;
		char word[FEATURE_NAME_LEN];
		enum snapshot_mark mark;
		bool on;
		int r;

		if (!key)
			return -ENOMEM;
		if (json_kind(member) == JSON_OBJECT ? !read_state(member, &on, &mark) :
						       !read_text(member, &on, &mark))
			continue;
		util_copy_name(word, sizeof(word), key, strlen(key));
		if (!*word || (!named && (!name || !strchr(name, '-'))))
			continue;
		r = n ? 0 : snapshot_builder_link(b, link, len);
		if (r >= 0)
			r = snapshot_builder_add(b, name ? name : word, on, mark);
		if (r < 0)
			return r;
		n++;
	}
	return n;
}

/* How an object names its interface; else the name of the object around it. */
static const char *link_name(const struct json_value *o, const char *outer)
{
	static const char *const keys[] = { "ifname", "device", "interface", "id", "name" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (*json_get_text(o, keys[i]))
			return json_get_text(o, keys[i]);
	if (*json_get_text(json_get_object(o, "metadata"), "id"))
		return json_get_text(json_get_object(o, "metadata"), "id");
	return outer;
}

/* Adds the features of all objects in a value. key: its name in the object around it. The number of interfaces, or
 * an error. */
static int read_value(struct snapshot_builder *b, const struct json_value *value, const char *outer, const char *key)
{
	char own[LINK_NAME_LEN];
	const char *name;
	int found = 0, n = 0;
	size_t len;

	if (json_kind(value) != JSON_OBJECT && json_kind(value) != JSON_LIST)
		return 0;
	/* documents of offloadctl have their own reader */
	if (*json_get_text(value, "document"))
		return 0;
	len = snapshot_builder_find_link(key, strlen(key), &name);
	if (len) {
		util_copy_name(own, sizeof(own), name, len);
		outer = own;
	}
	name = link_name(value, outer);
	if (json_kind(value) == JSON_OBJECT)
		n = read_features(b, value, name, strlen(name), len || strcmp(key, "features") == 0 || *json_get_text(value, "ifname"));
	if (n != 0)
		return n < 0 ? n : 1;
	json_foreach(member, value)
	{
		n = read_value(b, member, name, json_kind(value) == JSON_OBJECT ? json_key(member) : "");
		if (n < 0)
			return n;
		found += n;
	}
	return found;
}

/* Bytes of the list or object at s, up to its last bracket; 0: it has none. */
static size_t document_length(const char *s, size_t n)
{
	unsigned depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < n; i++) {
		if (quoted && s[i] == '\\')
			i++;
		else if (s[i] == '"')
			quoted = !quoted;
		else if (!quoted && (s[i] == '{' || s[i] == '['))
			depth++;
		else if (!quoted && (s[i] == '}' || s[i] == ']') && --depth == 0)
			return i + 1;
	}
	return 0;
}

/* May a document begin at s? After '[' there is an object or nothing: "[fixed]" and "[sudo]" begin none. */
static bool begins(const char *s, size_t n)
{
	size_t i = 1;

	if (*s != '{' && *s != '[')
		return false;
	while (i < n && s[i] && strchr(" \t\r\n", s[i]))
		i++;
	return i < n && (*s == '{' ? s[i] == '"' || s[i] == '}' : s[i] == '{' || s[i] == ']');
}

/* Removes a document. Its number of lines. */
static unsigned blank(char *s, size_t n)
{
	unsigned lines = 1;

	for (size_t i = 0; i < n; i++)
		if (s[i] != '\n' && s[i] != '\r')
			s[i] = ' ';
		else
			lines += s[i] == '\n';
	return lines;
}

int snapshot_read_foreign(struct snapshot_builder *b, char *text, size_t len)
{
	unsigned tries = 0;
	int found = 0;

	for (size_t at = 0; at < len && tries < TRIES_MAX;) {
		size_t n = begins(text + at, len - at) ? document_length(text + at, len - at) : 0;
		_cleanup_json_ struct json_value *root = NULL;
		int r;

		tries += begins(text + at, len - at);
		r = n ? json_parse(text + at, n, JSON_OF_FILE, &root, b->why, b->why_size) : -EBADMSG;
		if (r == -ENOMEM)
			return r;
		if (r < 0) {
			at++;
			continue;
		}
		r = read_value(b, root, "", "");
		if (r < 0)
			return r;
		if (r > 0) {
			b->s->lines_used += blank(text + at, n);
			tries--; /* one document for each interface or host */
		}
		found += r;
		at += n;
	}
	return found;
}
