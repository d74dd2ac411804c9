/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Netlink messages for tests of decoders, built with libmnl. */
#ifndef OFFLOADD_TESTS_UNIT_NL_H
#define OFFLOADD_TESTS_UNIT_NL_H

#include <libmnl/libmnl.h>

#include "unit.h"

struct unit_message {
	union {
		struct nlmsghdr nlh;
		char buf[8192];
	};
};

static inline struct nlmsghdr *unit_message_init(struct unit_message *m)
{
	memset(m, 0, sizeof(*m));
	return mnl_nlmsg_put_header(m->buf);
}

/* A copy of len bytes in an allocation of that size, so that ASan and valgrind detect reads after its end.
 * The caller's to free. */
static inline void *unit_exact(const void *data, size_t len)
{
	void *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	memcpy(copy, data, len);
	return copy;
}

#endif
