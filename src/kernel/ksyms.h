/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of kernel functions by address, from /proc/kallsyms. */
#ifndef OFFLOADD_KSYMS_H
#define OFFLOADD_KSYMS_H

#include <stddef.h>
#include <stdint.h>

#define KSYMS_NAME_LEN 64

struct ksyms_address {
	uint64_t address;
	uint64_t start;		   /* address of the function, 0: not known */
	char name[KSYMS_NAME_LEN]; /* "" if not known */
};

/* Sorts n addresses, and sets start and name of each. 0; -EACCES: addresses are hidden
 * (kernel.kptr_restrict); other negative errno. */
int ksyms_resolve(struct ksyms_address *addresses, size_t n);
/* Parses one line of the file. 1: it is a function; 0: it is not. Also called by tests. */
int ksyms_parse_line(const char *line, uint64_t *ret_start, char name[KSYMS_NAME_LEN]);
/* The name of an address in the sorted array, owned by the array; NULL if not known. */
const char *ksyms_name(const struct ksyms_address *addresses, size_t n, uint64_t address);

#endif
