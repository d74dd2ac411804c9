/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/import_private.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <string.h>
#include <strings.h>

#include "model/feature.h"
#include "model/link.h"
#include "rules/foreign.h"

/* What the keys of systemd.link set, as its ethtool-util.c has it, and netplan, which writes such files. */
static const struct {
	const char *link, *netplan, *feature;
} link_features[] = {
	{ "ReceiveChecksumOffload", "receive-checksum-offload", "rx-checksum" },
	{ "TransmitChecksumOffload", "transmit-checksum-offload", "tx" },
	{ "TCPSegmentationOffload", "tcp-segmentation-offload", "tx-tcp-segmentation" },
	{ "TCP6SegmentationOffload", "tcp6-segmentation-offload", "tx-tcp6-segmentation" },
	{ "GenericSegmentationOffload", "generic-segmentation-offload", "tx-generic-segmentation" },
	{ "GenericReceiveOffload", "generic-receive-offload", "rx-gro" },
	{ "LargeReceiveOffload", "large-receive-offload", "rx-lro" },
	{ "PartialGenericSegmentationOffload", "", "tx-gso-partial" },
	{ "GenericReceiveOffloadHardware", "", "rx-gro-hw" },
	{ "GenericReceiveOffloadList", "", "rx-gro-list" },
	{ "GenericReceiveOffloadUDPForwarding", "", "rx-udp-gro-forwarding" },
	{ "TCPECNSegmentationOffload", "", "tx-tcp-ecn-segmentation" },
	{ "TCPMangleIdSegmentationOffload", "", "tx-tcp-mangleid-segmentation" },
	{ "ScatterGather", "", "tx-scatter-gather" },
	{ "ScatterGatherFragmentList", "", "tx-scatter-gather-fraglist" },
	{ "ReceiveVLANCTAGHardwareAcceleration", "", "rx-vlan-hw-parse" },
	{ "TransmitVLANCTAGHardwareAcceleration", "", "tx-vlan-hw-insert" },
	{ "ReceiveVLANCTAGFilter", "", "rx-vlan-filter" },
	{ "TransmitVLANSTAGHardwareAcceleration", "", "tx-vlan-stag-hw-insert" },
	{ "NTupleFilter", "", "rx-ntuple-filter" },
};

const char *import_link_feature(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(link_features); i++)
		if (strcmp(key, link_features[i].link) == 0 || strcmp(key, link_features[i].netplan) == 0)
			return link_features[i].feature;
	return NULL;
}

int import_boolean(const char *value)
{
	static const char *const words[] = { "1", "yes", "y", "true", "t", "on", "0", "no", "n", "false", "f", "off" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcasecmp(value, words[i]) == 0)
			return i < ARRAY_SIZE(words) / 2;
	return -1;
}

const char *import_address(const char *address, char *buf, size_t size)
{
	char digits[64];
	size_t n = 0;

	for (; *address && n < sizeof(digits) - 1; address++)
		if (isxdigit((unsigned char)*address))
			digits[n++] = (char)tolower((unsigned char)*address);
	buf[0] = '\0';
	for (size_t i = 0; i + 1 < n; i += 2)
		util_append(buf, size, "%s%c%c", i ? ":" : "", digits[i], digits[i + 1]);
	return buf;
}

char *import_strip(char *s)
{
	size_t len;

	s += strspn(s, " \t\r");
	len = strlen(s);
	while (len && strchr(" \t\r", s[len - 1]))
		len--;
	s[len] = '\0';
	return s;
}

bool import_next_line(const char **text, unsigned *line, char **ret)
{
	size_t len, n = 0;
	char *s;

	free(*ret);
	*ret = NULL;
	if (!**text)
		return false;
	s = malloc(strlen(*text) + 1);
	if (!s)
		return false;
	for (bool more = true; more && **text;) {
		len = strcspn(*text, "\n");
		memcpy(s + n, *text, len);
		n += len;
		*text += len + ((*text)[len] == '\n');
		++*line;
		while (n && s[n - 1] == '\r')
			n--;
		more = n && s[n - 1] == '\\';
		if (more)
			s[n - 1] = ' ';
	}
	s[n] = '\0';
	*ret = s;
	memmove(s, s + strspn(s, " \t"), strlen(s + strspn(s, " \t")) + 1);
	import_strip(s);
	return true;
}

static void add_note(const struct import_source *s, unsigned line, bool converted, const char *fmt, va_list ap)
{
	struct import_note note = { .line = line, .converted = converted };

	note.path = strdup(s->path);
	if (vasprintf(&note.text, fmt, ap) < 0)
		note.text = NULL;
	if (!note.path || !note.text || !GROW(s->im->notes, s->im->n_notes)) {
		free(note.path);
		free(note.text);
		s->im->error = -ENOMEM;
		return;
	}
	s->im->notes[s->im->n_notes++] = note;
}

void import_skip(const struct import_source *s, unsigned line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_note(s, line, false, fmt, ap);
	va_end(ap);
}

void import_doubt(const struct import_source *s, unsigned line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_note(s, line, true, fmt, ap);
	va_end(ap);
}

void import_skip_key(const struct import_source *s, unsigned line, const char *key)
{
	const char *topic = foreign_topic(key);

	import_skip(s, line, "%s: %s, not %s", key, topic ? topic : "another setting", "an offload feature");
}

static void clear_pairs(struct import_pairs *pairs)
{
	for (size_t i = 0; i < pairs->n; i++) {
		free(pairs->pairs[i].key);
		free(pairs->pairs[i].value);
	}
	free(pairs->pairs);
	*pairs = (struct import_pairs){ 0 };
}

static void remove_pair(struct import_pairs *pairs, size_t i)
{
	free(pairs->pairs[i].key);
	free(pairs->pairs[i].value);
	memmove(&pairs->pairs[i], &pairs->pairs[i + 1], (--pairs->n - i) * sizeof(*pairs->pairs));
}

static struct import_pair *find_pair(struct import_pairs *pairs, const char *key)
{
	for (size_t i = 0; i < pairs->n; i++)
		if (strcmp(pairs->pairs[i].key, key) == 0)
			return &pairs->pairs[i];
	return NULL;
}

void import_set(const struct import_source *s, struct import_pairs *pairs, const char *key, const char *value)
{
	struct import_pair *old = find_pair(pairs, key), new = { strdup(key), strdup(value) };

	if (old)
		remove_pair(pairs, (size_t)(old - pairs->pairs));
	if (!new.key || !new.value || !GROW(pairs->pairs, pairs->n)) {
		free(new.key);
		free(new.value);
		s->im->error = -ENOMEM;
		return;
	}
	pairs->pairs[pairs->n++] = new;
}

void import_match(const struct import_source *s, struct import_rule *rule, const char *key, const char *words)
{
	const struct import_pair *old = find_pair(&rule->match, key);
	_cleanup_free_ char *value = NULL;

	if (asprintf(&value, "%s%s%s", old ? old->value : "", old && *old->value ? " " : "", words) < 0) {
		value = NULL;
		s->im->error = -ENOMEM;
		return;
	}
	import_set(s, &rule->match, key, value);
}

/* The wildcards of an alias; NULL for the name of a feature. */
static const char *alias_pattern(const char *word)
{
	const struct feature_alias *a;

	for (size_t i = 0; (a = feature_alias(i)); i++)
		if (strcmp(word, a->word) == 0)
			return a->pattern;
	return NULL;
}

void import_feature(const struct import_source *s, struct import_rule *rule, unsigned line, const char *word, const char *value)
{
	static const struct feature_table none;
	const char *pattern;
	int on = import_boolean(value);
	feature_set bits;

	if (feature_parse(&none, word, &bits) == FEATURE_WORD_UNKNOWN) {
		import_skip(s, line, "%s: no kernel has this feature", word);
		return;
	}
	if (on < 0) {
		import_skip(s, line, "%s: \"%s\" is neither on nor off", word, value);
		return;
	}
	word = feature_canonical(word);
	pattern = alias_pattern(word);
	for (size_t i = rule->features.n; pattern && i-- > 0;)
		if (fnmatch(pattern, rule->features.pairs[i].key, 0) == 0)
			remove_pair(&rule->features, i);
	import_set(s, &rule->features, word, util_on_off(on));
}

void import_rule_clear(struct import_rule *rule)
{
	free(rule->path);
	free(rule->name);
	clear_pairs(&rule->match);
	clear_pairs(&rule->features);
	clear_pairs(&rule->limits);
	*rule = (struct import_rule){ 0 };
}

/* Do two lists of names without patterns, of the same key, have no name in common? */
static bool are_disjoint(struct import_rule *a, struct import_rule *b, const char *key)
{
	const struct import_pair *x = find_pair(&a->match, key), *y = find_pair(&b->match, key);
	char word[256];

	if (!x || !y || strpbrk(x->value, "*?[!") || strpbrk(y->value, "*?[!"))
		return false;
	for (const char *w = x->value; w += strspn(w, " "), *w; w += strcspn(w, " ")) {
		const char *at = y->value;
		size_t len = strcspn(w, " ");

		snprintf(word, sizeof(word), "%.*s", (int)len, w);
		while ((at = strstr(at, word)))
			if ((at == y->value || at[-1] == ' ') && strchr(" ", at[len]))
				return false;
			else
				at += len;
	}
	return true;
}

/* Of several .link files only the first one that matches applies; of rules, the last one wins. */
static size_t place_of(const struct import_source *s, struct import_rule *rule)
{
	size_t place = s->im->n_rules;

	for (size_t i = s->im->n_rules; i-- > 0 && s->form == IMPORT_LINK;) {
		struct import_rule *other = &s->im->rules[i];

		if (other->form != IMPORT_LINK)
			continue;
		place = i;
		if (!are_disjoint(rule, other, "Name") && !are_disjoint(rule, other, "MACAddress") && !are_disjoint(rule, other, "Path"))
			import_doubt(s, 0, "udev does not apply this file to an interface that %s matches; rules apply both, and what is "
				"only in this one applies there too", other->path);
	}
	return place;
}

/* False: there is no room for one more rule. */
static bool has_room(struct import *im)
{
	if (!im->error && im->n_rules == IMPORT_RULES_MAX)
		im->error = -E2BIG;
	return !im->error;
}

void import_finish(const struct import_source *s, struct import_rule *rule, unsigned line, const char *name)
{
	size_t place;

	if ((rule->features.n == 0 && rule->limits.n == 0) || !has_room(s->im)) {
		import_rule_clear(rule);
		return;
	}
	rule->form = s->form;
	rule->line = line;
	rule->path = strdup(s->path);
	rule->name = strdup(name);
	place = place_of(s, rule);
	if (!rule->path || !rule->name || !GROW(s->im->rules, s->im->n_rules)) {
		s->im->error = -ENOMEM;
		import_rule_clear(rule);
		return;
	}
	memmove(&s->im->rules[place + 1], &s->im->rules[place], (s->im->n_rules++ - place) * sizeof(*rule));
	s->im->rules[place] = *rule;
	*rule = (struct import_rule){ 0 };
}

struct import_rule *import_rule_named(const struct import_source *s, unsigned line, const char *name)
{
	struct import_rule rule = { .form = s->form, .line = line };

	for (size_t i = s->im->error ? 0 : s->im->n_rules; i-- > 0;) {
		struct import_rule *other = &s->im->rules[i];
		const struct import_pair *pair = find_pair(&other->match, "Name");

		if (other->form == s->form && strcmp(other->path, s->path) == 0 && other->match.n == 1 && pair &&
			strcmp(pair->value, name) == 0)
			return other;
		/* what follows a pattern must stay behind it */
		if (!pair || strpbrk(pair->value, "*?[! ") || strpbrk(name, "*?[! "))
			break;
	}
	if (!has_room(s->im))
		return NULL;
	rule.path = strdup(s->path);
	rule.name = strdup(name);
	import_match(s, &rule, "Name", name);
	if (!rule.path || !rule.name || !GROW(s->im->rules, s->im->n_rules)) {
		import_rule_clear(&rule);
		s->im->error = -ENOMEM;
		return NULL;
	}
	s->im->rules[s->im->n_rules++] = rule;
	return &s->im->rules[s->im->n_rules - 1];
}

int import_reject(struct import *im, size_t rule, const char *why)
{
	struct import_rule *r = &im->rules[rule];
	const struct import_source s = { im, r->form, r->path };

	import_skip(&s, r->line, "the rule would have an error: %s", why);
	import_rule_clear(r);
	memmove(r, r + 1, (--im->n_rules - rule) * sizeof(*r));
	return im->error;
}

static void write_section(FILE *f, const char *name, const struct import_pairs *pairs)
{
	if (pairs->n)
		fprintf(f, "\n[%s]\n", name);
	for (size_t i = 0; i < pairs->n; i++)
		fprintf(f, "%s=%s\n", pairs->pairs[i].key, pairs->pairs[i].value);
}

char *import_format(const struct import_rule *rule)
{
	char clean[512], *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	bool failed;

	if (!f)
		return NULL;
	util_clean(rule->path, clean, sizeof(clean));
	fprintf(f, "# Made by offloadctl import from %s, line %u.\n", clean, rule->line);
	fprintf(f, "# Remove the setting there; otherwise both files set it and must agree.\n\n[Rule]\nDescription=Offload features from %s\n",
		clean);
	write_section(f, "Match", &rule->match);
	write_section(f, "Features", &rule->features);
	write_section(f, "Limits", &rule->limits);
	failed = ferror(f);
	if (fclose(f) != 0 || failed) {
		free(text);
		return NULL;
	}
	return text;
}

const char *import_file_name(const struct import_rule *rule, size_t number, char *buf, size_t size)
{
	char name[64] = "";
	size_t n = 0;

	for (const char *c = rule->name; *c && n < 40; c++)
		if (isalnum((unsigned char)*c) || (strchr("._-", *c) && n))
			name[n++] = *c;
	while (n && strchr("._-", name[n - 1]))
		n--;
	name[n] = '\0';
	snprintf(buf, size, "60-import-%02zu%s%s.rule", number, n ? "-" : "", name);
	return buf;
}

void import_clear(struct import *im)
{
	for (size_t i = 0; i < im->n_rules; i++)
		import_rule_clear(&im->rules[i]);
	for (size_t i = 0; i < im->n_notes; i++) {
		free(im->notes[i].path);
		free(im->notes[i].text);
	}
	free(im->rules);
	free(im->notes);
	*im = (struct import){ 0 };
}
