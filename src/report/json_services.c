/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/json_services.h"

#include <errno.h>
#include <string.h>

#include "basic/json_value.h"
#include "report/view.h"

struct json_object *json_new_probes(const struct evidence *e)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < e->n_probes; i++) {
		const struct evidence_probe *probe = &e->probes[i];
		struct json_object *o = json_object_new_object();

		json_value_add_text(o, "probe", probe->name);
		json_value_add_text(o, "function", probe->function);
		json_value_add_text(o, "method", probe->method);
		json_value_add_text(o, "why", probe->why);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *new_fallback(const struct evidence_fallback *row, enum fallback_kind kind)
{
	const struct evidence_hits *hits = &row->hits[kind];
	struct json_object *o = json_object_new_object();

	json_value_add_text(o, "kind", evidence_kind_name(kind));
	json_value_add_text(o, "origin", evidence_origin_name(row->origin));
	json_value_add_text(o, "service", row->service);
	json_value_add_text(o, "link", row->link);
	json_value_add(o, "ifindex", row->ifindex ? json_object_new_int(row->ifindex) : NULL);
	json_value_add_text(o, "verdict", row->verdict);
	json_value_add_int(o, "hits", hits->n);
	json_value_add(o, "idle_usec",
		hits->idle_usec != EVIDENCE_IDLE_UNKNOWN ? json_object_new_int64((int64_t)hits->idle_usec) : NULL);
	json_value_add_bool(o, "now", hits->now);
	json_value_add_bool(o, "reconnect", evidence_is_by_socket(kind));
	return o;
}

static struct json_object *new_samples(const struct evidence_stale *row)
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

static struct json_object *new_stale(const struct evidence_stale *row, const struct feature_table *features)
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

int json_add_services(const struct evidence *e, struct json_object *to)
{
	struct json_object *fallback = e->has_fallback ? json_object_new_array() : NULL;
	struct json_object *restart = e->has_sockets ? json_object_new_array() : NULL;
	struct json_object *lost = json_object_new_object();

	for (size_t i = 0; fallback && i < e->n_fallback; i++)
		for (unsigned kind = 0; kind < FALLBACK_KINDS; kind++)
			if (e->fallback[i].hits[kind].n)
				json_object_array_add(fallback, new_fallback(&e->fallback[i], kind));
	for (size_t i = 0; restart && i < e->n_stale; i++)
		json_object_array_add(restart, new_stale(&e->stale[i], &e->features));
	for (unsigned kind = 0; kind < FALLBACK_KINDS; kind++)
		json_value_add_int(lost, evidence_kind_name(kind), e->lost[kind]);
	json_value_add(to, "probes", json_new_probes(e));
	json_value_add(to, "fallback", fallback);
	json_value_add(to, "restart", restart);
	json_value_add_int(to, "left_out", e->left_out);
	json_value_add(to, "lost", lost);
	json_value_add_int(to, "sockets_dropped", e->sockets_dropped);
	return lost ? 0 : -ENOMEM;
}

/* ---- back ---- */

static uint64_t read_number(struct json_object *from, const char *key)
{
	int64_t n = 0;

	(void)json_value_int(from, key, &n);
	return n > 0 ? (uint64_t)n : 0;
}

static bool read_bool(struct json_object *from, const char *key)
{
	return json_object_get_boolean(json_value_member(from, key, json_type_boolean));
}

static const char *read_text(struct json_object *from, const char *key)
{
	const char *text = json_value_text(from, key);

	return text ? text : "";
}

/* Printable, cut to size. Returns buf. */
static const char *read_clean(struct json_object *from, const char *key, char *buf, size_t size)
{
	return view_clean(read_text(from, key), buf, size);
}

static void read_fallback(struct json_object *o, struct evidence *ret)
{
	enum fallback_kind kind = evidence_kind_parse(read_text(o, "kind"));
	enum fallback_origin origin = evidence_origin_parse(read_text(o, "origin"));
	char service[UNIT_SERVICE_LEN], link[LINK_NAME_LEN];
	struct evidence_fallback *row;

	if (kind == FALLBACK_KINDS || origin == FALLBACK_ORIGINS)
		return;
	row = evidence_fallback_row(ret, origin, read_clean(o, "service", service, sizeof(service)),
		read_clean(o, "link", link, sizeof(link)));
	if (!row)
		return;
	row->ifindex = (int)read_number(o, "ifindex");
	row->verdict = json_value_text(o, "verdict");
	row->hits[kind].n = read_number(o, "hits");
	row->hits[kind].now = read_bool(o, "now");
	if (json_value_member(o, "idle_usec", json_type_int))
		row->hits[kind].idle_usec = read_number(o, "idle_usec");
}

static void read_stale(struct json_object *o, struct evidence *ret)
{
	struct json_object *missing = json_value_member(o, "missing", json_type_array);
	struct evidence_stale row = { .ifindex = (int)read_number(o, "ifindex"),
		.sockets = (unsigned)read_number(o, "sockets"), .since_usec = read_number(o, "since_usec"),
		.hits = read_number(o, "hits"), .unit.kind = unit_kind_parse(read_text(o, "kind")) };

	read_clean(o, "service", row.service, sizeof(row.service));
	read_clean(o, "unit", row.unit.name, sizeof(row.unit.name));
	read_clean(o, "link", row.link, sizeof(row.link));
	for (size_t i = 0; i < json_value_count(missing); i++)
		row.missing |= evidence_add_feature(ret, json_object_get_string(json_object_array_get_idx(missing, i)));
	evidence_add_stale(ret, &row);
}

void json_read_services(struct json_object *from, struct evidence *ret)
{
	struct json_object *fallback = json_value_member(from, "fallback", json_type_array);
	struct json_object *restart = json_value_member(from, "restart", json_type_array);
	struct json_object *probes = json_value_member(from, "probes", json_type_array);
	struct json_object *lost = json_value_member(from, "lost", json_type_object);

	*ret = (struct evidence){ .has_fallback = fallback, .has_sockets = restart };
	for (size_t i = 0; i < json_value_count(fallback); i++)
		read_fallback(json_object_array_get_idx(fallback, i), ret);
	for (size_t i = 0; i < json_value_count(restart); i++)
		read_stale(json_object_array_get_idx(restart, i), ret);
	for (size_t i = 0; i < json_value_count(probes); i++) {
		struct json_object *o = json_object_array_get_idx(probes, i);
		const char *method = read_text(o, "method");

		evidence_add_probe(ret, &(struct evidence_probe){ read_text(o, "probe"), read_text(o, "function"),
						method[0] ? method : NULL, read_text(o, "why") });
	}
	for (unsigned kind = 0; kind < FALLBACK_KINDS; kind++)
		ret->lost[kind] = read_number(lost, evidence_kind_name(kind));
	ret->left_out += read_number(from, "left_out");
	ret->sockets_dropped = read_number(from, "sockets_dropped");
}
