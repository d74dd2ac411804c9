/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Size limits in the JSON documents. */
#ifndef OFFLOADD_JSON_LIMITS_H
#define OFFLOADD_JSON_LIMITS_H

#include "basic/json.h"
#include "report/view.h"

/* An object with the name and value of each limit in limits->has. */
void json_add_limits(struct json_writer *w, const char *key, const struct link_limits *limits);
/* A list of the names of limits, LINK_LIMIT(). */
void json_add_limit_names(struct json_writer *w, const char *key, unsigned limits);

/* Of a link of a plan: "limits", its items, and "limit_changes", the expected result. */
void json_add_plan_limits(struct json_writer *w, const struct feature_table *table, const struct plan_link *pl);
/* "limits" of a link: each that the kernel reports, with its declaration, and the link below with a smaller one. */
void json_add_limit_states(struct json_writer *w, const struct view *view, const struct link *link);
/* "smaller_limits_below": all links with a smaller limit below. */
void json_add_narrow_links(struct json_writer *w, const struct link_table *links);

#endif
