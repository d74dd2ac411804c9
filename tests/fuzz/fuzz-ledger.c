/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Feeds the reader of the ledger any bytes and holds it to its contract: entries of this namespace, or a reason; and what was read is the
 * same when it is written and read again. */
#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "../unit/unit.h"
#include "basic/file.h"
#include "engine/ledger.h"

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

static void compare(const struct ledger_link *a, const struct ledger_link *b, bool pauses)
{
	for (; a && b; a = a->hh.next, b = b->hh.next) {
		assert(a->ifindex == b->ifindex && a->mask == b->mask && a->value == b->value);
		assert(strcmp(a->name, b->name) == 0 && strcmp(a->kind, b->kind) == 0);
		assert(a->address_len == b->address_len && memcmp(a->address, b->address, a->address_len) == 0);
		assert(a->limits.has == b->limits.has && (!pauses || a->until_usec == b->until_usec));
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

static int parse(const char *text, size_t len, struct ledger **ret, char *why, size_t why_size)
{
	int r = ledger_new(ret);

	assert(r == 0);
	(*ret)->netns = 1; /* an input cannot know the inode of ours */
	return ledger_parse(*ret, text, len, &features, why, why_size);
}

static void write_again(struct ledger *ledger)
{
	struct ledger *again;
	char why[512], *text;
	size_t len;
	int fd;

	assert((ledger->path = strdup(path)));
	ledger->dirty = true;
	assert(ledger_save(ledger, &features) == 1);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert(fd >= 0 && file_read(fd, LEDGER_MAX_BYTES, &text, &len) == 0);
	close(fd);
	unlink(path);
	assert(parse(text, len, &again, why, sizeof(why)) == 0);
	compare(ledger->links, again->links, false);
	compare(ledger->pauses, again->pauses, true);
	ledger_close(again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ledger *ledger = NULL;
	char why[512] = "";
	int r;

	if (!path[0])
		begin();
	r = parse((const char *)data, size, &ledger, why, sizeof(why));
	assert(r == 0 || ((r == -EBADMSG || r == -EXDEV) && *why));
	if (r < 0)
		fuzz_check_text(why);
	check_links(ledger->links);
	check_links(ledger->pauses);
	if (r == 0 && (ledger->links || ledger->pauses))
		write_again(ledger);
	ledger_close(ledger);
	return 0;
}
