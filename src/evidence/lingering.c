/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "evidence/lingering.h"

#include <net/if.h>
#include <string.h>

#include "basic/util.h"

/* tcp_sendpage(): it copies without NETIF_F_SG, before Linux 4.17 also without a checksum. */
static bool is_lacking(const struct link *link, const struct feature_table *features)
{
	feature_set csum = feature_named(features, "tx-checksum-ip-generic") | feature_named(features, "tx-checksum-ipv4") |
		feature_named(features, "tx-checksum-ipv6");

	return !link->has_features || !(link->features.active & feature_named(features, "tx-scatter-gather")) || !(link->features.active & csum);
}

void lingering_note_links(struct lingering *l, const struct link_table *links, const struct feature_table *features, uint64_t now_usec)
{
	link_table_foreach(links, link) {
		if (!(link->flags & IFF_UP) || link->flags & IFF_LOOPBACK || !is_lacking(link, features))
			continue;
		l->whole_usec = 0;
		util_copy_name(l->lacking, sizeof(l->lacking), link->name, sizeof(link->name));
		return;
	}
	l->lacking[0] = '\0';
	if (!l->whole_usec)
		l->whole_usec = now_usec;
}

bool lingering_is_stale(const struct lingering *l, uint64_t last_usec, uint64_t now_usec)
{
	return l->whole_usec && last_usec > l->whole_usec + LINGERING_SETTLE_USEC && last_usec + LINGERING_QUIET_USEC > now_usec;
}
