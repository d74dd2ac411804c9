/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/feature.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "basic/json.h"
#include "basic/util.h"

/* The releases whose names are known; tests/scenarios/uml/60-show.sh compares them with those kernels. */
#define RELEASES 4
static const unsigned releases[RELEASES] = { 5 << 8 | 10, 6 << 8 | 1, 6 << 8 | 12, 7 << 8 | 2 };

/* All feature names in Debian's kernels from 4.9 to 7.2, and which of `releases` have them. A rule may use a name that the running
 * kernel does not have, but not one that no kernel has. */
static const struct {
	const char *name;
	bool in[RELEASES];
} known[] = {
	/*                              5.10 6.1 6.12 7.2 */
	{ "esp-hw-offload", { 1, 1, 1, 1 } },
	{ "esp-tx-csum-hw-offload", { 1, 1, 1, 1 } },
	{ "fcoe-mtu", { 1, 1, 0, 0 } },
	{ "highdma", { 1, 1, 1, 1 } },
	{ "hsr-dup-offload", { 0, 1, 1, 1 } },
	{ "hsr-fwd-offload", { 0, 1, 1, 1 } },
	{ "hsr-tag-ins-offload", { 0, 1, 1, 1 } },
	{ "hsr-tag-rm-offload", { 0, 1, 1, 1 } },
	{ "hw-tc-offload", { 1, 1, 1, 1 } },
	{ "l2-fwd-offload", { 1, 1, 1, 1 } },
	{ "loopback", { 1, 1, 1, 1 } },
	{ "macsec-hw-offload", { 1, 1, 1, 1 } },
	{ "netns-local", { 1, 1, 0, 0 } },
	{ "rx-all", { 1, 1, 1, 1 } },
	{ "rx-checksum", { 1, 1, 1, 1 } },
	{ "rx-fcs", { 1, 1, 1, 1 } },
	{ "rx-gro", { 1, 1, 1, 1 } },
	{ "rx-gro-hw", { 1, 1, 1, 1 } },
	{ "rx-gro-list", { 1, 1, 1, 1 } },
	{ "rx-hashing", { 1, 1, 1, 1 } },
	{ "rx-lro", { 1, 1, 1, 1 } },
	{ "rx-ntuple-filter", { 1, 1, 1, 1 } },
	{ "rx-udp-gro-forwarding", { 0, 1, 1, 1 } },
	{ "rx-udp_tunnel-port-offload", { 1, 1, 1, 1 } },
	{ "rx-vlan-filter", { 1, 1, 1, 1 } },
	{ "rx-vlan-hw-parse", { 1, 1, 1, 1 } },
	{ "rx-vlan-stag-filter", { 1, 1, 1, 1 } },
	{ "rx-vlan-stag-hw-parse", { 1, 1, 1, 1 } },
	{ "tls-hw-record", { 1, 1, 1, 0 } },
	{ "tls-hw-rx-offload", { 1, 1, 1, 1 } },
	{ "tls-hw-tx-offload", { 1, 1, 1, 1 } },
	{ "tx-checksum-fcoe-crc", { 1, 1, 1, 1 } },
	{ "tx-checksum-ip-generic", { 1, 1, 1, 1 } },
	{ "tx-checksum-ipv4", { 1, 1, 1, 1 } },
	{ "tx-checksum-ipv6", { 1, 1, 1, 1 } },
	{ "tx-checksum-sctp", { 1, 1, 1, 1 } },
	{ "tx-esp-segmentation", { 1, 1, 1, 1 } },
	{ "tx-fcoe-segmentation", { 1, 1, 1, 1 } },
	{ "tx-generic-segmentation", { 1, 1, 1, 1 } },
	{ "tx-gre-csum-segmentation", { 1, 1, 1, 1 } },
	{ "tx-gre-segmentation", { 1, 1, 1, 1 } },
	{ "tx-gso-list", { 1, 1, 1, 1 } },
	{ "tx-gso-partial", { 1, 1, 1, 1 } },
	{ "tx-gso-robust", { 1, 1, 1, 1 } },
	{ "tx-ipxip4-segmentation", { 1, 1, 1, 1 } },
	{ "tx-ipxip6-segmentation", { 1, 1, 1, 1 } },
	{ "tx-lockless", { 1, 1, 0, 0 } },
	{ "tx-nocache-copy", { 1, 1, 1, 1 } },
	{ "tx-scatter-gather", { 1, 1, 1, 1 } },
	{ "tx-scatter-gather-fraglist", { 1, 1, 1, 1 } },
	{ "tx-sctp-segmentation", { 1, 1, 1, 1 } },
	{ "tx-tcp-accecn-segmentation", { 0, 0, 0, 1 } },
	{ "tx-tcp-ecn-segmentation", { 1, 1, 1, 1 } },
	{ "tx-tcp-mangleid-segmentation", { 1, 1, 1, 1 } },
	{ "tx-tcp-segmentation", { 1, 1, 1, 1 } },
	{ "tx-tcp6-segmentation", { 1, 1, 1, 1 } },
	{ "tx-tunnel-remcsum-segmentation", { 1, 1, 1, 1 } },
	{ "tx-udp-fragmentation", { 0, 0, 0, 0 } },
	{ "tx-udp-segmentation", { 1, 1, 1, 1 } },
	{ "tx-udp_tnl-csum-segmentation", { 1, 1, 1, 1 } },
	{ "tx-udp_tnl-segmentation", { 1, 1, 1, 1 } },
	{ "tx-vlan-hw-insert", { 1, 1, 1, 1 } },
	{ "tx-vlan-stag-hw-insert", { 1, 1, 1, 1 } },
	{ "vlan-challenged", { 1, 1, 1, 1 } },
};

static const struct feature_alias aliases[] = {
	{ "rx", "rx-checksumming", "rx-checksum" },
	{ "tx", "tx-checksumming", "tx-checksum-*" },
	{ "sg", "scatter-gather", "tx-scatter-gather*" },
	{ "tso", "tcp-segmentation-offload", "tx-tcp*-segmentation" },
	{ "ufo", "udp-fragmentation-offload", "tx-udp-fragmentation" },
	{ "gso", "generic-segmentation-offload", "tx-generic-segmentation" },
	{ "gro", "generic-receive-offload", "rx-gro" },
	{ "lro", "large-receive-offload", "rx-lro" },
	{ "rxvlan", "rx-vlan-offload", "rx-vlan-hw-parse" },
	{ "txvlan", "tx-vlan-offload", "tx-vlan-hw-insert" },
	{ "ntuple", "ntuple-filters", "rx-ntuple-filter" },
	{ "rxhash", "receive-hashing", "rx-hashing" },
};

enum feature_presence feature_in_release(const char *name, unsigned release)
{
	size_t i = 0, at = 0;

	while (i < ARRAY_SIZE(known) && strcmp(known[i].name, name) != 0)
		i++;
	while (at < RELEASES && releases[at] < release)
		at++;
	if (i == ARRAY_SIZE(known) || at == RELEASES)
		return FEATURE_PRESENCE_UNKNOWN;
	if (releases[at] != release && (at == 0 || known[i].in[at - 1] != known[i].in[at]))
		return FEATURE_PRESENCE_UNKNOWN;
	return known[i].in[at] ? FEATURE_PRESENT : FEATURE_ABSENT;
}

const char *feature_known(size_t i)
{
	return i < ARRAY_SIZE(known) ? known[i].name : NULL;
}

_Static_assert(ARRAY_SIZE(known) <= 64, "feature_known_set()");

feature_set feature_known_set(const char *word)
{
	const struct feature_alias *a;
	feature_set set = 0;

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		bool is = strcmp(word, known[i].name) == 0;

		for (size_t j = 0; (a = feature_alias(j)); j++)
			is |= (strcmp(word, a->word) == 0 || strcmp(word, a->long_word) == 0) && fnmatch(a->pattern, known[i].name, 0) == 0;
		set |= (feature_set)is << i;
	}
	return set;
}

const struct feature_alias *feature_alias(size_t i)
{
	return i < ARRAY_SIZE(aliases) ? &aliases[i] : NULL;
}

int feature_table_add(struct feature_table *table, unsigned bit, const char *name, size_t len)
{
	if (bit >= FEATURE_MAX || len == 0 || name[0] == '\0')
		return -EINVAL;
	util_copy_name(table->name[bit], sizeof(table->name[bit]), name, len);
	if (bit >= table->count)
		table->count = bit + 1;
	return 0;
}

int feature_bit(const struct feature_table *table, const char *name)
{
	for (unsigned bit = 0; bit < table->count; bit++)
		if (name[0] && strcmp(table->name[bit], name) == 0)
			return (int)bit;
	return -ENOENT;
}

feature_set feature_named(const struct feature_table *table, const char *name)
{
	int bit = feature_bit(table, name);

	return bit < 0 ? 0 : FEATURE(bit);
}

static feature_set match_names(const struct feature_table *table, const char *pattern)
{
	feature_set set = 0;

	for (unsigned bit = 0; bit < table->count; bit++)
		if (table->name[bit][0] && fnmatch(pattern, table->name[bit], 0) == 0)
			set |= FEATURE(bit);
	return set;
}

enum feature_word feature_parse(
	const struct feature_table *table, const char *word, feature_set *ret_set)
{
	*ret_set = feature_named(table, word);
	if (*ret_set)
		return FEATURE_WORD_NAME;
	for (size_t i = 0; i < ARRAY_SIZE(aliases); i++)
		if (strcmp(word, aliases[i].word) == 0 || strcmp(word, aliases[i].long_word) == 0) {
			*ret_set = match_names(table, aliases[i].pattern);
			return FEATURE_WORD_ALIAS;
		}
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(word, known[i].name) == 0)
			return FEATURE_WORD_FOREIGN;
	return FEATURE_WORD_UNKNOWN;
}

const char *feature_nearest(const char *word)
{
	const char *names[ARRAY_SIZE(known) + 2 * ARRAY_SIZE(aliases)];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(aliases); i++) {
		names[n++] = aliases[i].word;
		names[n++] = aliases[i].long_word;
	}
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		names[n++] = known[i].name;
	return util_nearest(word, names, n);
}

const char *feature_name(const struct feature_table *table, unsigned bit)
{
	static char ring[4][16];
	static unsigned turn;

	if (bit < table->count && table->name[bit][0])
		return table->name[bit];
	turn = (turn + 1) % ARRAY_SIZE(ring);
	snprintf(ring[turn], sizeof(ring[turn]), "bit-%u", bit);
	return ring[turn];
}

const char *feature_format(
	const struct feature_table *table, feature_set set, char *buf, size_t size)
{
	const char *comma = "";
	unsigned bit;

	if (size == 0)
		return buf;
	buf[0] = '\0';
	if (set == 0)
		util_append(buf, size, "none");
	feature_foreach(bit, set) {
		const char *name = feature_name(table, bit);

		if (strlen(buf) + strlen(name) + sizeof(", ...") > size) {
			util_append(buf, size, "...");
			break;
		}
		util_append(buf, size, "%s%s", comma, name);
		comma = ", ";
	}
	return buf;
}

void feature_add_names(
	struct json_writer *w, const char *key, const struct feature_table *table, feature_set set)
{
	unsigned bit;

	json_open_list(w, key);
	feature_foreach (bit, set)
		json_add_text(w, NULL, feature_name(table, bit));
	json_close_list(w);
}

feature_set feature_get_names(const struct json_value *list, const struct feature_table *table)
{
	feature_set set = 0;

	json_foreach(name, list)
		set |= feature_named(table, json_as_text(name));
	return set;
}

const char *feature_canonical(const char *word)
{
	const struct feature_alias *a;

	for (size_t i = 0; (a = feature_alias(i)); i++)
		if (strcmp(word, a->word) == 0 || strcmp(word, a->long_word) == 0)
			return strpbrk(a->pattern, "*?[") ? a->word : a->pattern;
	return word;
}
