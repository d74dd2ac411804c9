/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "basic/util.h"
#include "engine/apply_private.h"

static void explain_error(struct apply_result *result)
{
	if (result->text[0])
		return;
	if (result->error == -EPERM)
		snprintf(result->text, sizeof(result->text), "needs CAP_NET_ADMIN");
	else if (result->error == -ENODEV)
		snprintf(result->text, sizeof(result->text),
			"the interface is gone, was renamed or replaced");
	else
		snprintf(result->text, sizeof(result->text), "%s", strerror(-result->error));
}

void apply_result_begin(struct apply_result *result, int ifindex, const char *name)
{
	*result = (struct apply_result){ .ifindex = ifindex };
	util_copy_name(result->name, sizeof(result->name), name, strnlen(name, LINK_NAME_LEN));
}

void apply_result_fail(struct apply_result *result, int error)
{
	result->error = error;
	result->missed = result->asked;
	result->limits_missed = result->limits.has;
	explain_error(result);
}

bool apply_is_temporary(int error)
{
	switch (error) {
	case -EBUSY:
	case -EAGAIN:
	case -EINTR:
	case -ENOMEM:
	case -ENOBUFS:
	case -EUCLEAN:
		return true;
	default:
		return false;
	}
}

void apply_retry_later(struct link_refusals *refusals, uint64_t now_usec)
{
	if (refusals->tries < APPLY_RETRY_MAX)
		refusals->retry_usec = now_usec + (APPLY_RETRY_USEC << refusals->tries++);
}
