/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/json_netns.h"

#include <string.h>

static void add_counts(struct json_writer *w, const char *key, const uint32_t counts[VERDICT_COUNT])
{
	json_open_object(w, key);
	for (int v = 0; v < VERDICT_COUNT; v++)
		json_add_int(w, verdict_name((enum verdict)v), counts[v]);
	json_close_object(w);
}

static void add_one(struct json_writer *w, const struct netns_status *s)
{
	json_open_object(w, NULL);
	json_add_text(w, "netns", s->label);
	json_add_int(w, "inode", (int64_t)s->inode);
	json_add_some(w, "container", s->container);
	json_add_some(w, "unit", s->unit);
	json_add_text(w, "look", netns_look_name(s->look));
	json_add_some(w, "error", s->error ? strerror(-s->error) : "");
	json_add_text(w, "mode", s->enforce ? "enforce" : "audit");
	json_add_bool(w, "compliant", netns_status_is_compliant(s));
	json_add_int(w, "links", s->links);
	json_add_int(w, "declared", s->declared);
	add_counts(w, "verdicts", s->with);
	add_counts(w, "features", s->features);
	json_add_int(w, "pending", s->pending);
	json_add_int(w, "unread", s->unread);
	json_add_int(w, "changes", (int64_t)s->sets);
	json_close_object(w);
}

void json_add_netns(struct json_writer *w, const struct netns_statuses *all, bool needed, size_t max)
{
	size_t unknown = 0, shown = 0;

	for (const struct netns_known *k = all->list; k; k = k->hh.next)
		unknown += k->status.look != NETNS_SEEN;
	json_open_object(w, "namespaces");
	json_add_text(w, "mode", all->mode ? all->mode : "host");
	json_add_bool(w, "needed", needed);
	json_add_bool(w, "running", all->running);
	json_add_bool(w, "complete", !all->more && !all->error);
	json_add_some(w, "error", all->error ? strerror(-all->error) : "");
	json_add_int(w, "total", HASH_COUNT(all->list));
	json_add_int(w, "noncompliant", (int64_t)netns_statuses_count_bad(all));
	json_add_int(w, "unknown", (int64_t)unknown);
	json_open_list(w, "list");
	for (int pass = 0; pass < 2; pass++)
		for (const struct netns_known *k = all->list; k && shown < max; k = k->hh.next)
			if (netns_status_is_compliant(&k->status) == pass) {
				add_one(w, &k->status);
				shown++;
			}
	json_close_list(w);
	json_close_object(w);
}
