/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "evidence/services.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/json_value.h"
#include "basic/util.h"

void services_clear(struct services *services)
{
	free(services->fallback);
	free(services->stale);
	*services = (struct services){ 0 };
}

struct json_object *services_new_probes(const struct services *services)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < services->n_probes; i++) {
		const struct services_probe *probe = &services->probes[i];
		struct json_object *o = json_object_new_object();

		json_value_add_text(o, "probe", probe->name);
		json_value_add_text(o, "function", probe->function);
		json_value_add_text(o, "method", probe->method);
		json_value_add_text(o, "why", probe->why);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *new_fallback(const struct services_fallback *row, uint64_t now_usec)
{
	struct json_object *o = json_object_new_object();

	json_value_add_text(o, "kind", row->kind);
	json_value_add_text(o, "origin", row->origin);
	json_value_add_text(o, "service", row->service);
	json_value_add_text(o, "link", row->link);
	json_value_add(o, "ifindex", row->ifindex ? json_object_new_int(row->ifindex) : NULL);
	json_value_add_text(o, "verdict", row->verdict);
	json_value_add_int(o, "hits", row->hits);
	json_value_add(o, "idle_usec", row->last_usec && now_usec >= row->last_usec
			? json_object_new_int64((int64_t)(now_usec - row->last_usec))
			: NULL);
	json_value_add(o, "now", json_object_new_boolean(row->now));
	json_value_add(o, "reconnect", json_object_new_boolean(row->by_socket));
	return o;
}

static struct json_object *new_samples(const struct services_stale *row)
{
	struct json_object *list = json_object_new_array();

	for (unsigned i = 0; i < row->n_samples; i++) {
		const struct socket_info *s = &row->samples[i];
		struct json_object *o = json_object_new_object();
		char text[SOCKET_ADDRESS_LEN];

		json_value_add_text(o, "local",
			socket_format_address(s->family, s->local, s->local_port, text, sizeof(text)));
		json_value_add_text(o, "remote",
			socket_format_address(s->family, s->remote, s->remote_port, text, sizeof(text)));
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *new_stale(
	const struct services_stale *row, const struct feature_table *features)
{
	struct json_object *o = json_object_new_object(), *missing = json_object_new_array();
	unsigned bit;

	json_value_add_text(o, "service", row->service);
	json_value_add_text(o, "unit", row->unit.name);
	json_value_add_text(o, "kind", unit_kind_name(row->unit.kind));
	json_value_add_text(o, "link", row->link);
	json_value_add(o, "ifindex", row->ifindex ? json_object_new_int(row->ifindex) : NULL);
	json_value_add_int(o, "sockets", row->sockets);
	json_value_add_int(o, "since_usec", row->since_usec);
	json_value_add_int(o, "hits", row->hits);
	feature_foreach(bit, row->missing)
		json_object_array_add(missing, json_object_new_string(feature_name(features, bit)));
	json_value_add(o, "missing", missing);
	json_value_add(o, "samples", new_samples(row));
	return o;
}

int services_add_json(const struct services *services, const struct feature_table *features,
	uint64_t now_usec, struct json_object *to)
{
	struct json_object *fallback = services->counted ? json_object_new_array() : NULL;
	struct json_object *restart = services->looked ? json_object_new_array() : NULL;
	struct json_object *lost = json_object_new_object();

	for (size_t i = 0; fallback && i < services->n_fallback; i++)
		json_object_array_add(fallback, new_fallback(&services->fallback[i], now_usec));
	for (size_t i = 0; restart && i < services->n_stale; i++)
		json_object_array_add(restart, new_stale(&services->stale[i], features));
	for (size_t i = 0; i < SERVICES_KINDS && services->kinds[i]; i++)
		json_value_add_int(lost, services->kinds[i], services->lost[i]);
	json_value_add(to, "probes", services_new_probes(services));
	json_value_add(to, "fallback", fallback);
	json_value_add(to, "restart", restart);
	json_value_add_int(to, "left_out", services->left_out);
	json_value_add(to, "lost", lost);
	json_value_add_int(to, "sockets_dropped", services->sockets_dropped);
	return lost ? 0 : -ENOMEM;
}
