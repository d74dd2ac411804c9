/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "basic/hash.h"

#include <sys/auxv.h>

/* An odd number that only this process knows, from what execve(2) passes to it. */
static uint64_t secret(void)
{
	static uint64_t factor;
	const void *random;

	if (!factor) {
		random = (const void *)getauxval(AT_RANDOM);
		if (random)
			memcpy(&factor, random, sizeof(factor));
		factor |= 1;
	}
	return factor;
}

uint64_t hash_more(uint64_t hash, const void *key, size_t len)
{
	const uint8_t *byte = key;
	uint64_t factor = secret();

	while (len--)
		hash = (hash + *byte++ + 1) * factor;
	return hash;
}
