/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/json.h"

#include "basic/json.h"

void json_add_item_rule(struct json_writer *w, const struct plan_item *item)
{
	if (!json_open_if(w, "rule", item && item->rule))
		return;
	json_add_text(w, "file", item->rule->file);
	json_add_int(w, "line", item->feature ? item->feature->line : 0);
	json_add_text(w, "mode", item->audit ? "audit" : "enforce");
	json_close_object(w);
}

void json_add_link_name(struct json_writer *w, const char *key, const char *name)
{
	json_add_name(w, key, name, LINK_NAME_LEN);
}

void json_add_link(struct json_writer *w, const char *name, int ifindex)
{
	json_add_int(w, "ifindex", ifindex);
	json_add_link_name(w, "link", name);
}
