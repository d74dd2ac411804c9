/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "compare/snapshot_builder.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "basic/util.h"

/* Feature names of kernels before 4.9, which model/feature.c does not have. */
static const char *const old_names[] = {
	"busy-poll",
	"tx-checksum-unneeded", /* 2.6.39 to 3.2 */
	"tx-ipip-segmentation",
	"tx-mpls-segmentation",
	"tx-sit-segmentation",
};

/* Is it an alias whose members have their own lines? */
static bool is_group(const struct feature_alias *alias)
{
	return strchr(alias->pattern, '*');
}

void snapshot_builder_begin(struct snapshot_builder *b)
{
	*b->s = (struct snapshot){ .form = SNAPSHOT_ETHTOOL };
	b->link = SIZE_MAX;
}

int snapshot_builder_fail(struct snapshot_builder *b, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (b->line)
		snprintf(b->why, b->why_size, "line %u: %s", b->line, text);
	else
		snprintf(b->why, b->why_size, "%s", text);
	return -EBADMSG;
}

static int add_link(struct snapshot_builder *b, const char *name)
{
	struct snapshot *s = b->s;
	struct snapshot_link *link;

	if (s->n_links == SNAPSHOT_LINKS_MAX)
		return snapshot_builder_fail(b, "more than %d interfaces", SNAPSHOT_LINKS_MAX);
	if (!GROW(b->replaceable, s->n_links))
		return -ENOMEM;
	link = snapshot_add_link(s);
	if (!link)
		return -ENOMEM;
	memcpy(link->name, name, sizeof(link->name));
	link->has_features = true;
	b->link = s->n_links - 1;
	b->replaceable[b->link] = 0;
	return 0;
}

int snapshot_builder_link(struct snapshot_builder *b, const char *name, size_t len)
{
	char clean[LINK_NAME_LEN] = SNAPSHOT_UNNAMED;

	if (len)
		util_copy_name(clean, sizeof(clean), name, len);
	for (size_t i = 0; i < b->s->n_links; i++)
		if (strcmp(b->s->links[i].name, clean) == 0) {
			b->link = i;
			return 0;
		}
	return add_link(b, clean);
}

static bool is_link_name(const char *name, size_t len)
{
	static const char *const beginnings[] = { "bond", "br", "cali", "docker", "dummy", "en", "eth", "geneve", "gre", "ib", "ipvlan",
		"lan", "macvlan", "macvtap", "ovs", "tap", "team", "tun", "veth", "virbr", "vlan", "vmbr", "vnet", "vxlan", "wan", "wl" };

	if (len == 2 && strncmp(name, "lo", 2) == 0)
		return true;
	if (!len || len >= LINK_NAME_LEN || strcspn(name, "0123456789") >= len)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++)
		if (len > strlen(beginnings[i]) && strncmp(name, beginnings[i], strlen(beginnings[i])) == 0)
			return true;
	return false;
}

size_t snapshot_builder_find_link(const char *key, size_t len, const char **ret_name)
{
	static const char *const around[] = { "ansible_", "facts." };
	const char *at = key, *end = key + len;

	for (size_t i = 0; i < ARRAY_SIZE(around); i++)
		if ((size_t)(end - at) > strlen(around[i]) && strncmp(at, around[i], strlen(around[i])) == 0)
			at += strlen(around[i]);
	if (at > key && end - at > 9 && strncmp(end - 9, ".features", 9) == 0)
		end -= 9;
	*ret_name = at;
	return at > key || is_link_name(at, (size_t)(end - at)) ? (size_t)(end - at) : 0;
}

static char plain(char c)
{
	return c == ' ' || c == '_' ? '-' : (char)tolower((unsigned char)c);
}

static bool spells(const char *word, size_t len, const char *name)
{
	for (size_t i = 0; i < len; i++)
		if (!name[i] || plain(word[i]) != plain(name[i]))
			return false;
	return !name[len];
}

const char *snapshot_builder_find(const struct snapshot_builder *b, const char *word, size_t len)
{
	const struct feature_alias *alias;
	const char *name;

	for (size_t i = 0; len && (alias = feature_alias(i)); i++)
		if (spells(word, len, alias->long_word))
			return alias->long_word;
	for (size_t i = 0; len && (name = feature_known(i)); i++)
		if (spells(word, len, name))
			return name;
	for (size_t i = 0; len && i < ARRAY_SIZE(old_names); i++)
		if (spells(word, len, old_names[i]))
			return old_names[i];
	for (size_t i = 0; len && i < b->known->count; i++)
		if (spells(word, len, b->known->name[i]))
			return b->known->name[i];
	return NULL;
}

static int name_bit(struct snapshot_builder *b, const char *name, unsigned *ret)
{
	struct feature_table *table = &b->s->features;
	int bit = feature_bit(table, name);

	if (bit < 0) {
		if (table->count == FEATURE_MAX)
			return snapshot_builder_fail(
				b, "more than %d different features; use one file for each kernel", FEATURE_MAX);
		bit = (int)table->count;
		(void)feature_table_add(table, table->count, name, strlen(name));
	}
	*ret = (unsigned)bit;
	return 0;
}

static int contradiction(struct snapshot_builder *b, const char *name)
{
	return snapshot_builder_fail(b, "%s has %s" SNAPSHOT_TWICE "; to compare two texts, use two files",
		b->s->links[b->link].name, name);
}

static void set_feature(struct link_features *f, feature_set set, bool on, enum snapshot_mark mark)
{
	bool asked = mark == SNAPSHOT_REQUESTED_ON || (on && mark != SNAPSHOT_REQUESTED_OFF);

	f->hw = mark == SNAPSHOT_FIXED ? f->hw & ~set : f->hw | set;
	f->active = on ? f->active | set : f->active & ~set;
	f->wanted = asked ? f->wanted | set : f->wanted & ~set;
}

static int add_group(struct snapshot_builder *b, const char *name, unsigned group, bool on)
{
	struct snapshot_link *link = &b->s->links[b->link];

	if ((link->groups & group) && !(link->groups_on & group) != !on && !b->replace)
		return contradiction(b, name);
	link->groups |= group;
	link->groups_on = on ? link->groups_on | group : link->groups_on & ~group;
	return 0;
}

static int add_feature(struct snapshot_builder *b, const char *name, bool on, enum snapshot_mark mark)
{
	struct snapshot_link *link = &b->s->links[b->link];
	struct link_features f;
	unsigned bit = 0;
	int r = name_bit(b, name, &bit);

	if (r < 0)
		return r;
	f = link->features;
	set_feature(&f, FEATURE(bit), on, mark);
	if ((link->listed & ~b->replaceable[b->link] & FEATURE(bit)) && !b->replace &&
		memcmp(&f, &link->features, sizeof(f)) != 0)
		return contradiction(b, name);
	link->features = f;
	link->listed |= FEATURE(bit);
	if (b->replace)
		b->replaceable[b->link] |= FEATURE(bit);
	else
		b->replaceable[b->link] &= ~FEATURE(bit);
	return 0;
}

int snapshot_builder_add(struct snapshot_builder *b, const char *name, bool on, enum snapshot_mark mark)
{
	const struct feature_alias *alias;
	int r = b->link == SIZE_MAX ? snapshot_builder_link(b, NULL, 0) : 0;

	if (r < 0)
		return r;
	for (size_t i = 0; (alias = feature_alias(i)); i++) {
		if (strcmp(name, alias->long_word) != 0)
			continue;
		if (is_group(alias))
			return add_group(b, name, 1u << i, on);
		name = alias->pattern; /* the name of one feature */
		break;
	}
	/* ethtool also prints this one for kernels without it */
	if (strcmp(name, "tx-udp-fragmentation") == 0 && !on && mark == SNAPSHOT_NO_MARK)
		return 0;
	return add_feature(b, name, on, mark);
}

/* A group without lines for its members, as in the output of old versions or after a `grep`, becomes a feature with
 * the name of the alias. */
static int end_groups(struct snapshot_builder *b)
{
	const struct feature_alias *alias;
	int r = 0;

	for (size_t i = 0; r >= 0 && (alias = feature_alias(i)); i++) {
		const struct snapshot_link *link = &b->s->links[b->link];
		feature_set members;

		(void)feature_parse(&b->s->features, alias->word, &members);
		if ((link->groups & 1u << i) && !(members & link->listed))
			r = add_feature(b, alias->long_word, link->groups_on & 1u << i, SNAPSHOT_NO_MARK);
	}
	return r;
}

int snapshot_builder_end(struct snapshot_builder *b, int r)
{
	struct feature_table *table = &b->s->features;

	b->line = 0;
	for (b->link = 0; r >= 0 && b->link < b->s->n_links; b->link++)
		r = end_groups(b);
	for (unsigned bit = 0; bit < table->count; bit++)
		if (!snapshot_builder_find(b, table->name[bit], strlen(table->name[bit])))
			b->s->unknown |= FEATURE(bit);
	free(b->replaceable);
	b->replaceable = NULL;
	if (r < 0)
		snapshot_clear(b->s);
	return r < 0 ? r : 0;
}
