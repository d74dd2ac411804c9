/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Feeds the reader of the daemon's file of services that must reconnect any bytes, and holds what it restores to its contract: clean
 * names of services, for links of this namespace, and no more of them than there may be. */
#include "fuzz.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "evidence/tracker_private.h"
#include "kernel/netns.h"

static struct tracker *tracker;
static const struct link_table links;

static void begin(void)
{
	static const struct feature_table none; /* without names no probe is loaded */
	const struct tracker_options options = { .features = &none, .links = &links };

	assert(tracker_new(&options, 1, &tracker) == 0);
	tracker->collect.netns = 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (!tracker)
		begin();
	if (size == 0)
		return 0;
	/* the first line has the number of this namespace */
	assert(asprintf(&text, "offloadd services 3 %" PRIu64 "\n%.*s", netns_cookie(), (int)size, (const char *)data) > 0);
	tracker_restore(tracker, text);
	free(text);
	assert(HASH_COUNT(tracker->stale.all) <= STALE_MAX);
	for (const struct stale *stale = tracker->stale.all; stale; stale = stale->hh.next) {
		assert(stale->key.netns == 1 && stale->key.ifindex >= 0);
		fuzz_check_name(stale->key.service, sizeof(stale->key.service));
		assert(strcmp(stale->key.service, stale->found.service) == 0);
		assert(!stale->is_new && stale->found_usec);
	}
	stale_clear(&tracker->stale);
	return 0;
}
