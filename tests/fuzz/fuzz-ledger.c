/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Feeds the reader of the ledger any bytes and holds it to its contract: entries of this namespace, or a reason; and what was read is the
 * same when it is written and read again. */
#include "fuzz.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../unit/unit.h"
#include "engine/ledger.h"
#include "kernel/netns.h"

static struct feature_table features;
static char path[64];

static void remove_file(void)
{
	*strrchr(path, '/') = '\0';
	(void)rmdir(path);
}

static void begin(void)
{
	char directory[] = "/dev/shm/fuzz-ledger-XXXXXX";

	unit_features(&features);
	assert(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/ledger.json", directory);
	atexit(remove_file);
}

/* An input cannot know the inode of our namespace: it has "netns":1 in its place. */
static int read_text(const uint8_t *data, size_t size, struct ledger **ret, char *why, size_t why_size)
{
	static const char ours[] = "\"netns\":1,";
	const uint8_t *at = size ? memmem(data, size, ours, sizeof(ours) - 1) : NULL;
	FILE *f = fopen(path, "w");
	int r;

	assert(f);
	if (at) {
		fwrite(data, 1, (size_t)(at - data), f);
		fprintf(f, "\"netns\":%llu,", (unsigned long long)netns_inode());
		at += sizeof(ours) - 1;
		fwrite(at, 1, (size_t)(data + size - at), f);
	} else {
		fwrite(data, 1, size, f);
	}
	assert(fclose(f) == 0);
	r = ledger_read(path, &features, ret, why, why_size);
	unlink(path);
	return r;
}

static void compare(const struct ledger_link *a, const struct ledger_link *b)
{
	for (; a && b; a = a->hh.next, b = b->hh.next) {
		assert(a->ifindex == b->ifindex && a->mask == b->mask && a->value == b->value);
		assert(strcmp(a->name, b->name) == 0 && strcmp(a->kind, b->kind) == 0);
		assert(a->address_len == b->address_len && memcmp(a->address, b->address, a->address_len) == 0);
		assert(a->until_usec == b->until_usec && a->limits.has == b->limits.has);
		for (unsigned i = 0; i < LINK_LIMIT_SETTABLE; i++)
			assert(!(a->limits.has & LINK_LIMIT(i)) || a->limits.value[i] == b->limits.value[i]);
	}
	assert(!a && !b);
}

static void check_links(const struct ledger_link *links)
{
	for (; links; links = links->hh.next) {
		assert(links->ifindex > 0);
		assert(memchr(links->name, '\0', sizeof(links->name)) && memchr(links->kind, '\0', sizeof(links->kind)));
		assert(links->address_len <= LINK_ADDRESS_LEN);
		assert(!(links->value & ~links->mask));
	}
}

static void write_again(struct ledger *ledger)
{
	struct ledger *again;
	char why[512];

	ledger->dirty = true;
	assert(ledger_save(ledger, &features) == 1);
	assert(ledger_read(path, &features, &again, why, sizeof(why)) == 0);
	compare(ledger->links, again->links);
	compare(ledger->pauses, again->pauses);
	ledger_close(again);
	unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ledger *ledger = NULL;
	char why[512] = "";
	int r;

	if (!path[0])
		begin();
	r = read_text(data, size, &ledger, why, sizeof(why));
	assert(r == 0 || ((r == -EBADMSG || r == -EXDEV) && *why && !ledger));
	if (r < 0) {
		fuzz_check_text(why);
		return 0;
	}
	check_links(ledger->links);
	check_links(ledger->pauses);
	if (ledger->links || ledger->pauses)
		write_again(ledger);
	ledger_close(ledger);
	return 0;
}
