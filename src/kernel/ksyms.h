/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of the kernel's functions by address, from /proc/kallsyms. */
#ifndef OFFLOADD_KSYMS_H
#define OFFLOADD_KSYMS_H

#include <stddef.h>
#include <stdint.h>

#define KSYMS_NAME_LEN 64

struct ksyms_address {
	uint64_t address;
	uint64_t start;		   /* of the function; 0: not known */
	char name[KSYMS_NAME_LEN]; /* "" when not known */
};

/* Sorts by address and names each. -EACCES where addresses are hidden (kernel.kptr_restrict), -errno of
 * reading. */
int ksyms_resolve(struct ksyms_address *addresses, size_t n);
/* One line of the file: 1 for a function. The tests' way in. */
int ksyms_parse_line(const char *line, uint64_t *ret_start, char name[KSYMS_NAME_LEN]);
/* The name of an address of the sorted array, NULL when not known. */
const char *ksyms_name(const struct ksyms_address *addresses, size_t n, uint64_t address);

#endif
