/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of YAML that netplan's documentation uses: nested maps by indentation, lists, {flow: maps} and [flow, lists], quotes,
 * comments. What it does not read it lists. */
#include "rules/import_private.h"

#include <errno.h>
#include <string.h>

#define DEPTH_MAX 16
#define VALUE_MAX 512

/* One entry below "ethernets:" and the like. */
struct definition {
	char type[64], id[64];
	char name[VALUE_MAX], set_name[VALUE_MAX];
	bool matched; /* it has match: */
	bool unusable;
	unsigned line; /* of the first feature */
	struct import_rule rule;
};

struct netplan {
	const struct import_source *source;
	unsigned line;
	struct {
		size_t indent;
		char key[64];
	} stack[DEPTH_MAX];
	size_t depth;
	struct definition def;
};

static void finish_definition(struct netplan *n)
{
	struct definition *d = &n->def;

	if (d->rule.features.n && d->unusable) {
		import_skip(n->source, d->line, "%s: nothing was converted: a rule would match more interfaces", d->id);
	} else if (d->rule.features.n) {
		if (*d->set_name || *d->name || !d->matched)
			import_match(n->source, &d->rule, "Name", *d->set_name ? d->set_name : *d->name ? d->name : d->id);
		else if (d->rule.match.n == 0)
			import_match(n->source, &d->rule, "Kind", "physical");
		import_finish(n->source, &d->rule, d->line, d->id);
	}
	import_rule_clear(&d->rule);
	*d = (struct definition){ 0 };
}

/* Takes quotes and the brackets of a flow list off; its words are separated by blanks afterwards. */
static const char *plain(const char *value, char *ret, size_t size)
{
	size_t n = 0;
	char quote = '\0';
	bool list = *value == '[';

	for (; *value && n < size - 1; value++) {
		if (quote ? *value == quote : *value == '"' || *value == '\'')
			quote = quote ? '\0' : *value;
		else if (!(list && !quote && strchr("[]", *value)))
			ret[n++] = list && !quote && *value == ',' ? ' ' : *value;
	}
	ret[n] = '\0';
	return import_strip(ret);
}

static void set_match(struct netplan *n, const char *key, const char *value)
{
	struct definition *d = &n->def;
	char address[64];

	d->matched = true;
	if (strcmp(key, "name") == 0)
		snprintf(d->name, sizeof(d->name), "%s", value);
	else if (strcmp(key, "macaddress") == 0)
		import_match(n->source, &d->rule, "MACAddress", import_address(value, address, sizeof(address)));
	else if (strcmp(key, "driver") == 0)
		import_match(n->source, &d->rule, "Driver", value);
	else {
		import_skip(n->source, n->line, "match: %s: no rule can match this", key);
		d->unusable = true;
	}
}

static void set_value(struct netplan *n, const char *key, const char *value)
{
	static const char *const physical[] = { "ethernets", "modems", "wifis" };
	struct definition *d = &n->def;
	const char *feature = import_link_feature(key);

	if (strcmp(key, "set-name") == 0)
		snprintf(d->set_name, sizeof(d->set_name), "%s", value);
	else if (strcmp(key, "wakeonlan") == 0 || strcmp(key, "mtu") == 0)
		import_skip_key(n->source, n->line, key);
	if (!feature)
		return;
	d->line = d->line ? d->line : n->line;
	if (util_find_word(d->type, physical, ARRAY_SIZE(physical)) < 0)
		import_skip(n->source, n->line, "%s: netplan does not set it on %s", key, d->type);
	else
		import_feature(n->source, &d->rule, n->line, feature, value);
}

static void take_flow(struct netplan *n, const char *value);

/* A value at the place that the stack shows: network, type, id, key[, key]. */
static void take_value(struct netplan *n, const char *raw)
{
	char value[VALUE_MAX];

	if (*raw == '{') {
		take_flow(n, raw);
		return;
	}
	if (n->depth < 4 || strcmp(n->stack[0].key, "network") != 0)
		return;
	if (strchr("&*!|>", *raw)) {
		import_skip(n->source, n->line, "%s: this form of YAML is not read here", n->stack[n->depth - 1].key);
		if (strcmp(n->stack[3].key, "match") == 0)
			n->def.unusable = true;
		return;
	}
	plain(raw, value, sizeof(value));
	if (n->depth == 4)
		set_value(n, n->stack[3].key, value);
	else if (n->depth == 5 && strcmp(n->stack[3].key, "match") == 0)
		set_match(n, n->stack[4].key, value);
}

static void push(struct netplan *n, size_t indent, const char *key)
{
	if (n->depth == DEPTH_MAX)
		return;
	n->stack[n->depth].indent = indent;
	plain(key, n->stack[n->depth].key, sizeof(n->stack[0].key));
	n->depth++;
	if (n->depth == 3) {
		finish_definition(n);
		snprintf(n->def.type, sizeof(n->def.type), "%s", n->stack[1].key);
		snprintf(n->def.id, sizeof(n->def.id), "%s", n->stack[2].key);
	}
	if (n->depth == 4 && strcmp(n->stack[3].key, "match") == 0)
		n->def.matched = true;
}

/* The colon that ends a key: outside quotes, before a blank or the end. NULL: there is none. */
static char *find_colon(char *s)
{
	char quote = '\0';

	for (; *s; s++) {
		if (quote ? *s == quote : *s == '"' || *s == '\'')
			quote = quote ? '\0' : *s;
		else if (!quote && *s == ':' && strchr(" \t", s[1]))
			return s;
	}
	return NULL;
}

/* "{a: 1, b: {c: 2}}" */
static void take_flow(struct netplan *n, const char *value)
{
	_cleanup_free_ char *copy = strdup(value + 1);
	size_t depth = n->depth;
	int nested = 0;
	char *item = copy, *colon;

	if (!copy) {
		n->source->im->error = -ENOMEM;
		return;
	}
	for (char *c = copy; item; c++) {
		bool end = !*c || (*c == '}' && nested == 0);

		nested += (*c == '{' || *c == '[') - ((*c == '}' || *c == ']') && !end);
		if (!end && (*c != ',' || nested))
			continue;
		*c = '\0';
		item = import_strip(item);
		colon = find_colon(item);
		if (colon) {
			*colon = '\0';
			push(n, SIZE_MAX, item);
			take_value(n, import_strip(colon + 1));
			n->depth = depth;
		} else if (*item) {
			import_skip(n->source, n->line, "%s: not understood", item);
		}
		item = end ? NULL : c + 1;
	}
}

static void strip_comment(char *s)
{
	char quote = '\0';

	for (char *c = s; *c; c++) {
		if (quote ? *c == quote : *c == '"' || *c == '\'')
			quote = quote ? '\0' : *c;
		else if (!quote && *c == '#' && (c == s || strchr(" \t", c[-1]))) {
			*c = '\0';
			return;
		}
	}
}

static void read_line(struct netplan *n, char *text)
{
	size_t indent = strspn(text, " ");
	char *s, *colon;

	strip_comment(text);
	s = import_strip(text + indent);
	if (!*s || strncmp(s, "---", 3) == 0 || *s == '%')
		return;
	if (text[indent] == '\t') {
		import_skip(n->source, n->line, "indented with a tab, which is not YAML");
		return;
	}
	if (strncmp(s, "- ", 2) == 0) { /* of a list below the last key, which may be indented like it */
		while (n->depth && n->stack[n->depth - 1].indent > indent)
			n->depth--;
		if (!strchr(s, ':') || !find_colon(s))
			take_value(n, import_strip(s + 2));
		return;
	}
	while (n->depth && n->stack[n->depth - 1].indent >= indent)
		n->depth--;
	colon = find_colon(s);
	if (!colon) {
		import_skip(n->source, n->line, "\"%s\": not understood", s);
		return;
	}
	*colon = '\0';
	push(n, indent, s);
	colon = import_strip(colon + 1);
	if (*colon)
		take_value(n, colon);
}

void import_netplan(const struct import_source *s, const char *text)
{
	struct netplan n = { .source = s };

	for (size_t len; *text; text += len + (text[len] == '\n')) {
		_cleanup_free_ char *line = NULL;

		len = strcspn(text, "\n");
		line = strndup(text, len);
		n.line++;
		if (line)
			read_line(&n, line);
		else
			s->im->error = -ENOMEM;
	}
	finish_definition(&n);
}
