/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Payloads of FEATURES_GET replies and notifications, with and without a table of names. What was decoded must keep the promises
 * of ethtool.h. */
#include <stdlib.h>
#include <string.h>

#include "kernel/ethtool.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decode(const void *payload, size_t size, const struct feature_table *table)
{
	struct link_features features = { 0 };
	int ifindex = 0, r;

	r = ethtool_features_decode(payload, size, table, &ifindex, &features);
	if (r > 0 || (r == 0 && (ifindex <= 0 || (features.hw & features.nochange))))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct feature_table table;
	void *payload = malloc(size); /* of its own, so that ASan sees its end */

	if (!payload && size)
		return 0;
	if (table.count == 0) {
		feature_table_add(&table, 0, "tx-scatter-gather", 17);
		feature_table_add(&table, 16, "tx-tcp-segmentation", 19);
	}
	if (size)
		memcpy(payload, data, size);
	decode(payload, size, NULL);
	decode(payload, size, &table);
	free(payload);
	return 0;
}
