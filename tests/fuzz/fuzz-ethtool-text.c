/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Feeds the reader of pasted `ethtool -k` any bytes and holds it to its contract: links with
 * features, or a reason that names a line that there is. A text that has a feature line is never without features. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare/diff.h"
#include "compare/snapshot_parts.h"
#include "basic/util.h"

static unsigned count_lines(const uint8_t *data, size_t size)
{
	unsigned n = 1;

	for (size_t i = 0; i < size; i++)
		n += data[i] == '\n' || data[i] == '\r';
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct feature_table known = { 0 };
	const struct diff_options options = { 0 };
	char why[512] = "";
	static const char feature[] = "\n\nrx-gro: on\n";
	struct snapshot_parts parts;
	struct snapshot s;
	unsigned line;
	struct diff d;
	char *longer;
	int r;

	longer = malloc(size + sizeof(feature));
	memcpy(longer, data, size);
	memcpy(longer + size, feature, sizeof(feature));
	r = snapshot_parse_ethtool(longer, size + sizeof(feature) - 1, &known, &s, why, sizeof(why));
	assert(r == 0 || r == -EBADMSG);
	snapshot_clear(&s);
	r = snapshot_parse_parts(longer, size + sizeof(feature) - 1, &known, &parts, why, sizeof(why));
	assert(r == 0 ? parts.n >= 1 && parts.n <= SNAPSHOT_PARTS_MAX : r == -EBADMSG && parts.n == 0 && *why);
	for (size_t i = 0; i < parts.n; i++)
		assert(parts.parts[i].snapshot.n_links >= 1);
	snapshot_parts_clear(&parts);
	free(longer);
	r = snapshot_parse_ethtool((const char *)data, size, &known, &s, why, sizeof(why));
	assert(r == 0 || ((r == -EBADMSG || r == -ENODATA) && *why));
	if (r < 0) {
		assert(!s.links);
		if (sscanf(why, "line %u:", &line) == 1)
			assert(line >= 1 && line <= count_lines(data, size));
		return 0;
	}
	assert(s.n_links >= 1);
	for (size_t i = 0; i < s.n_links; i++) {
		const struct link_features *f = &s.links[i].features;

		assert(*s.links[i].name);
		assert(!((f->hw | f->wanted | f->active) & ~snapshot_named(&s)));
	}
	assert(diff_make(&s, &s, &options, &d) == 0);
	assert(!diff_any(&d) && d.n_pairs == s.n_links);
	diff_clear(&d);
	snapshot_clear(&s);
	return 0;
}
