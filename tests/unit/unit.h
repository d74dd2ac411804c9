/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Included by every unit test: cmocka, and a table of feature names. */
#ifndef OFFLOADD_TESTS_UNIT_H
#define OFFLOADD_TESTS_UNIT_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "basic/json.h"
#include "model/feature.h"
#include "model/link.h"

/* For ratios of costs. */
static inline uint64_t unit_cpu_nsec(void)
{
	struct timespec t;

	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* The feature names of Linux 6.1 by bit; "" for unused bits. */
static const char *const unit_feature_names[] = {
	"tx-scatter-gather", "tx-checksum-ipv4", "", "tx-checksum-ip-generic", "tx-checksum-ipv6",
	"highdma", "tx-scatter-gather-fraglist", "tx-vlan-hw-insert", "rx-vlan-hw-parse",
	"rx-vlan-filter", "vlan-challenged", "tx-generic-segmentation", "tx-lockless",
	"netns-local", "rx-gro", "rx-lro", "tx-tcp-segmentation", "tx-gso-robust",
	"tx-tcp-ecn-segmentation", "tx-tcp-mangleid-segmentation", "tx-tcp6-segmentation",
	"tx-fcoe-segmentation", "tx-gre-segmentation", "tx-gre-csum-segmentation",
	"tx-ipxip4-segmentation", "tx-ipxip6-segmentation", "tx-udp_tnl-segmentation",
	"tx-udp_tnl-csum-segmentation", "tx-gso-partial", "tx-tunnel-remcsum-segmentation",
	"tx-sctp-segmentation", "tx-esp-segmentation", "", "tx-udp-segmentation", "tx-gso-list",
	"tx-checksum-fcoe-crc", "tx-checksum-sctp", "fcoe-mtu", "rx-ntuple-filter", "rx-hashing",
	"rx-checksum", "tx-nocache-copy", "loopback", "rx-fcs", "rx-all", "tx-vlan-stag-hw-insert",
	"rx-vlan-stag-hw-parse", "rx-vlan-stag-filter", "l2-fwd-offload", "hw-tc-offload",
	"esp-hw-offload", "esp-tx-csum-hw-offload", "rx-udp_tunnel-port-offload",
	"tls-hw-tx-offload", "tls-hw-rx-offload", "rx-gro-hw", "tls-hw-record", "rx-gro-list",
	"macsec-hw-offload", "rx-udp-gro-forwarding", "hsr-tag-ins-offload", "hsr-tag-rm-offload",
	"hsr-fwd-offload", "hsr-dup-offload",
};

static inline void unit_features(struct feature_table *table)
{
	memset(table, 0, sizeof(*table));
	for (unsigned i = 0; i < sizeof(unit_feature_names) / sizeof(unit_feature_names[0]); i++)
		feature_table_add(table, i, unit_feature_names[i], strlen(unit_feature_names[i]));
}

/* The set of the words "a b c" (names or aliases); an unknown word fails the test. */
static inline feature_set unit_set(const struct feature_table *table, const char *words)
{
	feature_set all = 0, one;
	char *copy = strdup(words), *save = NULL;

	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		assert_int_not_equal(feature_parse(table, w, &one), FEATURE_WORD_UNKNOWN);
		all |= one;
	}
	free(copy);
	return all;
}

/* Parses a text, which must be JSON. The caller's to json_free(). */
static inline struct json_value *unit_json(const char *text)
{
	struct json_value *root = NULL;
	char why[JSON_WHY_LEN] = "";

	if (json_parse(text, strlen(text), JSON_OF_FILE, &root, why, sizeof(why)) < 0)
		fail_msg("%s: %s", why, text);
	return root;
}

#endif
