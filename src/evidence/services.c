/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "evidence/services.h"

#include <stdlib.h>

#include "basic/json.h"
#include "basic/util.h"

void services_clear(struct services *services)
{
	free(services->fallback);
	free(services->stale);
	*services = (struct services){ 0 };
}

void services_add_probes(const struct services *services, struct json_writer *w)
{
	static const struct json_field fields[] = {
		JSON_FIELD(struct services_probe, name, "probe", JSON_BORROWED),
		JSON_FIELD(struct services_probe, function, "function", JSON_BORROWED),
		JSON_FIELD(struct services_probe, method, "method", JSON_BORROWED, .zero_is_null = true),
		JSON_FIELD(struct services_probe, why, "why", JSON_BORROWED, .zero_is_null = true),
		{ 0 },
	};

	json_add_rows(w, "probes", fields, services->probes, services->n_probes, sizeof(*services->probes));
}

static void add_fallback(struct json_writer *w, const struct services_fallback *row, uint64_t now_usec)
{
	static const struct json_field fields[] = {
		JSON_FIELD(struct services_fallback, kind, "kind", JSON_BORROWED),
		JSON_FIELD(struct services_fallback, origin, "origin", JSON_BORROWED),
		JSON_FIELD(struct services_fallback, service, "service", JSON_TEXT, .zero_is_null = true),
		JSON_FIELD(struct services_fallback, link, "link", JSON_TEXT, .zero_is_null = true),
		JSON_FIELD(struct services_fallback, ifindex, "ifindex", JSON_INT, .zero_is_null = true),
		JSON_FIELD(struct services_fallback, verdict, "verdict", JSON_BORROWED),
		JSON_FIELD(struct services_fallback, hits, "hits", JSON_INT),
		{ 0 },
	};

	json_open_object(w, NULL);
	json_add_fields(w, fields, row);
	if (row->last_usec && now_usec >= row->last_usec)
		json_add_int(w, "idle_usec", (int64_t)(now_usec - row->last_usec));
	else
		json_add_null(w, "idle_usec");
	json_add_bool(w, "now", row->now);
	json_add_bool(w, "reconnect", row->by_socket);
	json_close_object(w);
}

static void add_samples(struct json_writer *w, const struct services_stale *row)
{
	char text[SOCKET_ADDRESS_LEN];

	json_open_list(w, "samples");
	for (unsigned i = 0; i < row->n_samples; i++) {
		const struct socket_info *s = &row->samples[i];

		json_open_object(w, NULL);
		json_add_text(w, "local",
			socket_format_address(s->family, s->local, s->local_port, text, sizeof(text)));
		json_add_text(w, "remote",
			socket_format_address(s->family, s->remote, s->remote_port, text, sizeof(text)));
		json_close_object(w);
	}
	json_close_list(w);
}

static void add_stale(
	struct json_writer *w, const struct services_stale *row, const struct feature_table *features)
{
	static const struct json_field fields[] = {
		JSON_FIELD(struct services_stale, link, "link", JSON_TEXT, .zero_is_null = true),
		JSON_FIELD(struct services_stale, ifindex, "ifindex", JSON_INT, .zero_is_null = true),
		JSON_FIELD(struct services_stale, sockets, "sockets", JSON_INT),
		JSON_FIELD(struct services_stale, since_usec, "since_usec", JSON_INT),
		JSON_FIELD(struct services_stale, hits, "hits", JSON_INT),
		{ 0 },
	};

	json_open_object(w, NULL);
	json_add_some(w, "service", row->service);
	json_add_some(w, "unit", row->unit.name);
	json_add_text(w, "kind", unit_kind_name(row->unit.kind));
	json_add_fields(w, fields, row);
	feature_add_names(w, "missing", features, row->missing);
	add_samples(w, row);
	json_close_object(w);
}

void services_add_json(const struct services *services, const struct feature_table *features,
	uint64_t now_usec, struct json_writer *w)
{
	services_add_probes(services, w);
	if (json_open_list_if(w, "fallback", services->counted)) {
		for (size_t i = 0; i < services->n_fallback; i++)
			add_fallback(w, &services->fallback[i], now_usec);
		json_close_list(w);
	}
	if (json_open_list_if(w, "restart", services->looked)) {
		for (size_t i = 0; i < services->n_stale; i++)
			add_stale(w, &services->stale[i], features);
		json_close_list(w);
	}
	json_add_int(w, "left_out", (int64_t)services->left_out);
	json_open_object(w, "lost");
	for (size_t i = 0; i < SERVICES_KINDS && services->kinds[i]; i++)
		json_add_int(w, services->kinds[i], (int64_t)services->lost[i]);
	json_close_object(w);
	json_add_int(w, "sockets_dropped", (int64_t)services->sockets_dropped);
}
