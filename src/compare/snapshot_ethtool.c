/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parses the output of `ethtool -k`, pasted from a host without offloadctl. */
#include <errno.h>
#include <string.h>

#include "compare/snapshot.h"
#include "basic/util.h"

#define HEADER "Features for "

/* Feature names of kernels before 4.9, which model/feature.c does not have. */
static const char *const old_names[] = {
	"busy-poll",
	"tx-ipip-segmentation",
	"tx-sit-segmentation",
	"tx-mpls-segmentation",
};

/* Aliases whose members have their own lines. */
static const char *const groups[] = { "tx", "sg", "tso" };
#define GROUPS ARRAY_SIZE(groups)
#define NO_GROUP GROUPS

struct reader {
	struct snapshot *s;
	const struct feature_table *known;
	size_t link; /* the index of the current link, SIZE_MAX before the first */
	unsigned line;
	bool group_seen[GROUPS], group_on[GROUPS];
	char *why;
	size_t why_size;
};

_printf_(2, 3) static int bad(const struct reader *r, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	snprintf(r->why, r->why_size, "line %u: %s", r->line, text);
	return -EBADMSG;
}

static struct snapshot_link *current(const struct reader *r)
{
	return r->link == SIZE_MAX ? NULL : &r->s->links[r->link];
}

static int begin_link(struct reader *r, const char *name)
{
	struct snapshot_link *link;
	size_t len = strlen(name);

	if (len < 2 || name[len - 1] != ':' || len > LINK_NAME_LEN)
		return bad(r, "invalid interface name: %s", name);
	for (size_t i = 0; i < r->s->n_links; i++)
		if (strlen(r->s->links[i].name) == len - 1 &&
			strncmp(r->s->links[i].name, name, len - 1) == 0)
			return bad(r, "duplicate interface %s; to compare two texts, use two files",
				r->s->links[i].name);
	if (r->s->n_links == SNAPSHOT_LINKS_MAX)
		return bad(r, "more than %d interfaces", SNAPSHOT_LINKS_MAX);
	link = snapshot_add_link(r->s);
	if (!link)
		return -ENOMEM;
	util_copy_name(link->name, sizeof(link->name), name, len - 1);
	link->has_features = true;
	r->link = r->s->n_links - 1;
	memset(r->group_seen, 0, sizeof(r->group_seen));
	return 0;
}

/* Finds the feature of a line, or the group (else NO_GROUP). An alias of one feature is that feature. */
static int find_name(const struct reader *r, const char *word, const char **ret_name, size_t *ret_group)
{
	const struct feature_alias *alias;
	feature_set set;

	*ret_name = word;
	*ret_group = NO_GROUP;
	for (size_t i = 0; (alias = feature_alias(i)); i++) {
		if (strcmp(word, alias->long_word) != 0)
			continue;
		*ret_name = alias->pattern;
		for (size_t j = 0; j < GROUPS; j++)
			if (strcmp(alias->word, groups[j]) == 0)
				*ret_group = j;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(old_names); i++)
		if (strcmp(word, old_names[i]) == 0)
			return 0;
	switch (feature_parse(r->known, word, &set)) {
	case FEATURE_WORD_NAME:
	case FEATURE_WORD_FOREIGN:
		return 0;
	case FEATURE_WORD_ALIAS:
	case FEATURE_WORD_UNKNOWN:
		break;
	}
	word = feature_nearest(*ret_name);
	if (word)
		return bad(r, "unknown feature %s, did you mean %s?", *ret_name, word);
	return bad(r,
		"unknown feature %s; if it belongs to a newer kernel, use offloadctl snapshot on that host",
		*ret_name);
}

static int name_bit(struct reader *r, const char *name, unsigned *ret)
{
	struct feature_table *table = &r->s->features;
	int bit = feature_bit(table, name);

	if (bit < 0) {
		if (table->count == FEATURE_MAX)
			return bad(r,
				"more than %d different features; use one file for each kernel",
				FEATURE_MAX);
		bit = (int)table->count;
		if (feature_table_add(table, table->count, name, strlen(name)) < 0)
			return bad(r, "invalid feature name: %s", name);
	}
	*ret = (unsigned)bit;
	return 0;
}

static int set_state(struct reader *r, unsigned bit, bool on, const char *mark)
{
	struct link_features *f = &current(r)->features;
	feature_set set = FEATURE(bit);
	bool asked = on;

	if (strcmp(mark, "[requested on]") == 0)
		asked = true;
	else if (strcmp(mark, "[requested off]") == 0 || strcmp(mark, "[not requested]") == 0)
		asked = false;
	else if (*mark && strcmp(mark, "[fixed]") != 0)
		return bad(r,
			"unexpected %s: expected [fixed], [requested on] or [requested off]", mark);
	if (strcmp(mark, "[fixed]") != 0)
		f->hw |= set;
	if (on)
		f->active |= set;
	if (asked)
		f->wanted |= set;
	current(r)->listed |= set;
	return 0;
}

static int read_feature(struct reader *r, const char *word, char *value)
{
	size_t len = strcspn(value, " \t");
	bool on = len == 2 && strncmp(value, "on", 2) == 0;
	const char *name, *mark = value + len + strspn(value + len, " \t");
	size_t group = NO_GROUP;
	unsigned bit = 0;
	int ret;

	if (!on && !(len == 3 && strncmp(value, "off", 3) == 0))
		return bad(r, "invalid value of %s: expected on or off", word);
	if (!current(r))
		return bad(r, "missing line \"" HEADER "LINK:\" before it");
	ret = find_name(r, word, &name, &group);
	if (ret < 0)
		return ret;
	if (group != NO_GROUP) {
		r->group_seen[group] = true;
		r->group_on[group] = on;
		return 0;
	}
	/* ethtool also prints this one for kernels without it */
	if (strcmp(name, "tx-udp-fragmentation") == 0 && !on && !*mark)
		return 0;
	ret = name_bit(r, name, &bit);
	if (ret < 0)
		return ret;
	if (current(r)->listed & FEATURE(bit))
		return bad(r, "duplicate feature %s", word);
	return set_state(r, bit, on, mark);
}

/* If a group has no lines for its members, as in the output of very old versions or after a `grep`, it
 * becomes a feature with the name of the alias. */
static int end_link(struct reader *r)
{
	for (size_t i = 0; current(r) && i < GROUPS; i++) {
		const struct feature_alias *alias;
		feature_set members;
		unsigned bit = 0;
		int ret;

		if (!r->group_seen[i])
			continue;
		(void)feature_parse(&r->s->features, groups[i], &members);
		if (members & current(r)->listed)
			continue;
		for (size_t j = 0; (alias = feature_alias(j)) && strcmp(alias->word, groups[i]) != 0;)
			j++;
		ret = alias ? name_bit(r, alias->long_word, &bit) : -EBADMSG;
		if (ret >= 0)
			ret = set_state(r, bit, r->group_on[i], "");
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int read_line(struct reader *r, char *line)
{
	char *colon;
	size_t len;

	line += strspn(line, " \t");
	len = strlen(line);
	while (len && strchr(" \t\r", line[len - 1]))
		line[--len] = '\0';
	/* errors of old versions */
	if (!*line || strncmp(line, "Cannot get device ", 18) == 0)
		return 0;
	if (strncmp(line, HEADER, strlen(HEADER)) == 0) {
		int ret = end_link(r);

		return ret < 0 ? ret : begin_link(r, line + strlen(HEADER));
	}
	colon = strstr(line, ": ");
	if (!colon)
		return bad(r,
			"expected \"" HEADER "LINK:\" or \"FEATURE: on|off\", found: %.40s%s",
			line, len > 40 ? "..." : "");
	*colon = '\0';
	return read_feature(r, line, colon + 2 + strspn(colon + 2, " \t"));
}

int snapshot_parse_ethtool(const char *text, size_t len, const struct feature_table *known,
	struct snapshot *ret, char *why, size_t why_size)
{
	struct reader reader = {
		.s = ret, .known = known, .link = SIZE_MAX, .why = why, .why_size = why_size};
	int r = 0;

	*ret = (struct snapshot){.form = SNAPSHOT_ETHTOOL};
	for (size_t at = 0; r >= 0 && at < len;) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t n = end ? (size_t)(end - text) - at : len - at;
		char line[256];

		reader.line++;
		if (n >= sizeof(line))
			r = bad(&reader, "line too long");
		else {
			memcpy(line, text + at, n);
			line[n] = '\0';
			r = strlen(line) == n ? read_line(&reader, line)
					      : bad(&reader, "NUL byte: not a text file");
		}
		at += n + 1;
	}
	if (r >= 0)
		r = end_link(&reader);
	if (r >= 0 && ret->n_links == 0) {
		snprintf(why, why_size,
			"no interfaces; expected a snapshot or the output of ethtool -k");
		r = -EBADMSG;
	}
	if (r < 0)
		snapshot_clear(ret);
	return r < 0 ? r : 0;
}
