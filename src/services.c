/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "services.h"

#include <errno.h>
#include <stdlib.h>

#include <json-c/json.h>

#include "util.h"

void services_clear(struct services *services)
{
	free(services->fallback);
	free(services->frozen);
	*services = (struct services){ 0 };
}

static void add(struct json_object *to, const char *key, struct json_object *value)
{
	json_object_object_add(to, key, value);
}

static void add_int(struct json_object *to, const char *key, uint64_t value)
{
	add(to, key, json_object_new_int64((int64_t)value));
}

/* "" and NULL give null; what comes here is printable. */
static void add_text(struct json_object *to, const char *key, const char *text)
{
	add(to, key, text && text[0] ? json_object_new_string(text) : NULL);
}

struct json_object *services_new_probes(const struct services *services)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < services->n_probes; i++) {
		const struct services_probe *probe = &services->probes[i];
		struct json_object *o = json_object_new_object();

		add_text(o, "probe", probe->name);
		add_text(o, "function", probe->function);
		add_text(o, "method", probe->method);
		add_text(o, "why", probe->why);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *new_fallback(const struct services_fallback *row, uint64_t now_usec)
{
	struct json_object *o = json_object_new_object();

	add_text(o, "kind", row->kind);
	add_text(o, "origin", row->origin);
	add_text(o, "service", row->service);
	add_text(o, "link", row->link);
	add(o, "ifindex", row->ifindex ? json_object_new_int(row->ifindex) : NULL);
	add_text(o, "verdict", row->verdict);
	add_int(o, "hits", row->hits);
	add(o, "idle_usec", row->last_usec && now_usec >= row->last_usec
			? json_object_new_int64((int64_t)(now_usec - row->last_usec))
			: NULL);
	add(o, "now", json_object_new_boolean(row->now));
	add(o, "reconnect", json_object_new_boolean(row->by_socket));
	return o;
}

static struct json_object *new_samples(const struct services_frozen *row)
{
	struct json_object *list = json_object_new_array();

	for (unsigned i = 0; i < row->n_samples; i++) {
		const struct socket_info *s = &row->samples[i];
		struct json_object *o = json_object_new_object();
		char text[SOCKET_ADDRESS_LEN];

		add_text(o, "local",
			socket_format_address(s->family, s->local, s->local_port, text, sizeof(text)));
		add_text(o, "remote",
			socket_format_address(s->family, s->remote, s->remote_port, text, sizeof(text)));
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *new_frozen(
	const struct services_frozen *row, const struct feature_table *features)
{
	struct json_object *o = json_object_new_object(), *missing = json_object_new_array();
	unsigned bit;

	add_text(o, "service", row->service);
	add_text(o, "unit", row->unit.name);
	add_text(o, "kind", unit_kind_name(row->unit.kind));
	add_text(o, "link", row->link);
	add(o, "ifindex", row->ifindex ? json_object_new_int(row->ifindex) : NULL);
	add_int(o, "sockets", row->sockets);
	add_int(o, "since_usec", row->since_usec);
	add_int(o, "hits", row->hits);
	feature_foreach(bit, row->missing)
		json_object_array_add(missing, json_object_new_string(feature_name(features, bit)));
	add(o, "missing", missing);
	add(o, "samples", new_samples(row));
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
	for (size_t i = 0; restart && i < services->n_frozen; i++)
		json_object_array_add(restart, new_frozen(&services->frozen[i], features));
	for (size_t i = 0; i < SERVICES_KINDS && services->kinds[i]; i++)
		add_int(lost, services->kinds[i], services->lost[i]);
	add(to, "probes", services_new_probes(services));
	add(to, "fallback", fallback);
	add(to, "restart", restart);
	add_int(to, "left_out", services->left_out);
	add(to, "lost", lost);
	add_int(to, "sockets_dropped", services->sockets_dropped);
	return lost ? 0 : -ENOMEM;
}
