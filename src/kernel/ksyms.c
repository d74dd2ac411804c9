/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/ksyms.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basic/util.h"

static int compare(const void *p, const void *q)
{
	const struct ksyms_address *a = p, *b = q;

	return COMPARE(a->address, b->address);
}

int ksyms_parse_line(const char *line, uint64_t *ret_start, char name[KSYMS_NAME_LEN])
{
	char *end;

	*ret_start = strtoull(line, &end, 16);
	if (end == line || end[0] != ' ' || !end[1] || !strchr("tTwW", end[1]) || end[2] != ' ')
		return 0;
	util_copy_name(name, KSYMS_NAME_LEN, end + 3, strcspn(end + 3, "\t\n "));
	return name[0] != '\0';
}

/* The index of the first address not below start; n if there is none. */
static size_t first_from(const struct ksyms_address *addresses, size_t n, uint64_t start)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (addresses[middle].address < start)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int ksyms_resolve(struct ksyms_address *addresses, size_t n)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/kallsyms", "re");
	_cleanup_free_ char *line = NULL;
	char name[KSYMS_NAME_LEN];
	uint64_t start, any = 0;
	size_t size = 0;

	if (!f)
		return -errno;
	qsort(addresses, n, sizeof(*addresses), compare);
	for (size_t i = 0; i < n; i++) {
		addresses[i].start = 0;
		addresses[i].name[0] = '\0';
	}
	while (getline(&line, &size, f) > 0) {
		size_t at;

		if (!ksyms_parse_line(line, &start, name))
			continue;
		any |= start;
		at = first_from(addresses, n, start);
		if (at == n || start <= addresses[at].start)
			continue;
		addresses[at].start = start;
		memcpy(addresses[at].name, name, sizeof(name));
	}
	if (!feof(f)) /* no memory for a line */
		return -ENOMEM;
	/* the nearest function below an address may also be the nearest below the following ones */
	for (size_t i = 1; i < n; i++)
		if (addresses[i].start < addresses[i - 1].start) {
			addresses[i].start = addresses[i - 1].start;
			memcpy(addresses[i].name, addresses[i - 1].name, sizeof(addresses[i].name));
		}
	return n == 0 || any ? 0 : -EACCES;
}

const char *ksyms_name(const struct ksyms_address *addresses, size_t n, uint64_t address)
{
	size_t at = first_from(addresses, n, address);

	return at < n && addresses[at].address == address && addresses[at].name[0] ? addresses[at].name : NULL;
}
