/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Feeds the reader of results of tests any bytes and holds it to its contract: results or a reason. Compared with themselves, nothing is
 * worse. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "compare/results.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct results results;
	char why[256];
	int r;

	(void)results_is_text((const char *)data, size);
	r = results_parse((const char *)data, size, &results, why, sizeof(why));
	assert(r == 0 || (r == -EBADMSG && *why) || r == -ENOMEM);
	for (size_t i = 0; i < results.n; i++) {
		const struct result *it = &results.tests[i];

		assert(results_find(&results, it->name) == it);
		assert(!results_is_worse(it, it) && !results_is_less(it, it));
	}
	results_clear(&results);
	return 0;
}
