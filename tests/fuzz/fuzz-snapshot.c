/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Feeds the reader of snapshots any bytes and holds it to its contract: a snapshot or a reason.
 * What was read is written and read again, and compared with itself and with its second half. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compare/diff.h"
#include "report/json.h"
#include "report/render_diff.h"
#include "compare/snapshot_json.h"
#include "basic/util.h"

static void compare(const struct snapshot *a, const struct snapshot *b, bool same)
{
	static FILE *null;

	if (!null)
		null = fopen("/dev/null", "w");
	for (int by_role = 0; by_role < 2; by_role++) {
		const struct diff_options options = { .by_role = by_role };
		const struct render render = { .out = null };
		struct diff d;

		assert(diff_make(a, b, &options, &d) == 0);
		for (size_t i = 0; i < d.n_pairs; i++)
			assert(d.pairs[i].a < a->n_links && d.pairs[i].b < b->n_links);
		assert(!same || (d.lost == 0 && d.n_groups == 0));
		assert(d.n_pairs + d.n_only_a <= a->n_links);
		render_diff(&render, &d, "a", "b");
		assert(json_write_diff(null, &d, "a", "b", 2) == 0);
		diff_clear(&d);
	}
}

static void write_again(const struct snapshot *s)
{
	struct snapshot again;
	char *text, why[512];
	size_t len;

	assert(snapshot_format_json(s, &text, &len) == 0);
	assert(snapshot_parse_json(text, len, &again, why, sizeof(why)) == 0);
	assert(again.n_links == s->n_links && again.n_rules == s->n_rules);
	compare(s, &again, true);
	snapshot_clear(&again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct snapshot s, half;
	char why[512] = "";
	int r = snapshot_parse_json((const char *)data, size, &s, why, sizeof(why));

	assert(r == 0 || (r == -EBADMSG && *why));
	if (r < 0) {
		assert(!s.links && !s.rules);
		return 0;
	}
	assert(s.n_links <= SNAPSHOT_LINKS_MAX);
	write_again(&s);
	half = s;
	half.links += s.n_links / 2;
	half.n_links -= s.n_links / 2;
	compare(&s, &half, false);
	snapshot_clear(&s);
	return 0;
}
