/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network namespaces other than that of offloadd, in documents. */
#ifndef OFFLOADD_JSON_NETNS_H
#define OFFLOADD_JSON_NETNS_H

#include "basic/json.h"
#include "model/netns_status.h"

/* Adds the object "namespaces", with at most max of them, those that are not compliant first. needed: a rule applies in others than ours. */
void json_add_netns(struct json_writer *w, const struct netns_statuses *all, bool needed, size_t max);

#endif
