/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/feature.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "basic/json.h"
#include "basic/util.h"

/* All feature names in Debian's kernels from 4.9 to 7.2. A rule may use a name that the running kernel does
 * not have, but not one that no kernel has. */
static const char *const known_names[] = {
	"esp-hw-offload",
	"esp-tx-csum-hw-offload",
	"fcoe-mtu",
	"highdma",
	"hsr-dup-offload",
	"hsr-fwd-offload",
	"hsr-tag-ins-offload",
	"hsr-tag-rm-offload",
	"hw-tc-offload",
	"l2-fwd-offload",
	"loopback",
	"macsec-hw-offload",
	"netns-local",
	"rx-all",
	"rx-checksum",
	"rx-fcs",
	"rx-gro",
	"rx-gro-hw",
	"rx-gro-list",
	"rx-hashing",
	"rx-lro",
	"rx-ntuple-filter",
	"rx-udp-gro-forwarding",
	"rx-udp_tunnel-port-offload",
	"rx-vlan-filter",
	"rx-vlan-hw-parse",
	"rx-vlan-stag-filter",
	"rx-vlan-stag-hw-parse",
	"tls-hw-record",
	"tls-hw-rx-offload",
	"tls-hw-tx-offload",
	"tx-checksum-fcoe-crc",
	"tx-checksum-ip-generic",
	"tx-checksum-ipv4",
	"tx-checksum-ipv6",
	"tx-checksum-sctp",
	"tx-esp-segmentation",
	"tx-fcoe-segmentation",
	"tx-generic-segmentation",
	"tx-gre-csum-segmentation",
	"tx-gre-segmentation",
	"tx-gso-list",
	"tx-gso-partial",
	"tx-gso-robust",
	"tx-ipxip4-segmentation",
	"tx-ipxip6-segmentation",
	"tx-lockless",
	"tx-nocache-copy",
	"tx-scatter-gather",
	"tx-scatter-gather-fraglist",
	"tx-sctp-segmentation",
	"tx-tcp-accecn-segmentation",
	"tx-tcp-ecn-segmentation",
	"tx-tcp-mangleid-segmentation",
	"tx-tcp-segmentation",
	"tx-tcp6-segmentation",
	"tx-tunnel-remcsum-segmentation",
	"tx-udp-fragmentation",
	"tx-udp-segmentation",
	"tx-udp_tnl-csum-segmentation",
	"tx-udp_tnl-segmentation",
	"tx-vlan-hw-insert",
	"tx-vlan-stag-hw-insert",
	"vlan-challenged",
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

const char *feature_known(size_t i)
{
	return i < ARRAY_SIZE(known_names) ? known_names[i] : NULL;
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
	for (size_t i = 0; i < ARRAY_SIZE(known_names); i++)
		if (strcmp(word, known_names[i]) == 0)
			return FEATURE_WORD_FOREIGN;
	return FEATURE_WORD_UNKNOWN;
}

const char *feature_nearest(const char *word)
{
	const char *names[ARRAY_SIZE(known_names) + 2 * ARRAY_SIZE(aliases)];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(aliases); i++) {
		names[n++] = aliases[i].word;
		names[n++] = aliases[i].long_word;
	}
	for (size_t i = 0; i < ARRAY_SIZE(known_names); i++)
		names[n++] = known_names[i];
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
