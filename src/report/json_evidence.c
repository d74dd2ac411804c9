/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/json_evidence.h"

#include <errno.h>

#include "basic/json.h"
#include "report/json.h"

void json_add_addresses(struct json_writer *w, const struct socket_info *s)
{
	char text[SOCKET_ADDRESS_LEN];

	json_add_text(w, "local", socket_format_address(s->family, s->local, s->local_port, text, sizeof(text)));
	json_add_text(w, "remote", socket_format_address(s->family, s->remote, s->remote_port, text, sizeof(text)));
}

static void add_process(struct json_writer *w, const struct evidence_socket *row)
{
	if (!json_open_if(w, "process", row->pid))
		return;
	json_add_int(w, "pid", row->pid);
	json_add_text(w, "name", row->comm);
	if (row->has_age)
		json_add_int(w, "age_sec", (int64_t)row->age_sec);
	else
		json_add_null(w, "age_sec");
	json_close_object(w);
}

static void add_socket(struct json_writer *w, const struct evidence *e, const struct evidence_socket *row)
{
	json_open_object(w, NULL);
	json_add_some(w, "link", row->link);
	json_add_text(w, "service", row->service);
	json_add_addresses(w, &row->info);
	json_add_text(w, "state", socket_state_name(row->info.state));
	add_process(w, row);
	json_add_bool(w, "stale", row->missing != 0);
	feature_add_names(w, "missing", &e->features, row->missing);
	json_close_object(w);
}

int json_write_sockets(FILE *out, const struct evidence *e)
{
	_cleanup_json_writer_ struct json_writer w = { 0 };

	json_begin(&w, "sockets");
	json_add_bool(&w, "all", e->all_sockets);
	json_add_int(&w, "visited", (int64_t)e->visited);
	json_add_int(&w, "stale", (int64_t)evidence_count_stale_sockets(e));
	json_open_list(&w, "sockets");
	for (size_t i = 0; i < e->n_sockets; i++)
		add_socket(&w, e, &e->sockets[i]);
	json_close_list(&w);
	return json_finish(&w, out);
}

static const struct json_field count_fields[] = {
	JSON_FIELD(struct evidence_latency_row, service, "service", JSON_TEXT),
	JSON_FIELD(struct evidence_latency_row, fallback, "fallback", JSON_BOOL),
	JSON_FIELD(struct evidence_latency_row, calls, "calls", JSON_INT),
	JSON_FIELD(struct evidence_latency_row, total_usec, "total_usec", JSON_INT),
	{ 0 },
};
static const struct json_field wait_fields[] = {
	JSON_FIELD(struct evidence_latency_row, disk_usec, "disk_usec", JSON_INT),
	JSON_FIELD(struct evidence_latency_row, peer_usec, "receiver_usec", JSON_INT),
	{ 0 },
};
static const struct json_field running_fields[] = {
	JSON_FIELD(struct evidence_latency_row, running, "running", JSON_INT),
	JSON_FIELD(struct evidence_latency_row, longest_usec, "longest_usec", JSON_INT),
	{ 0 },
};

static void add_slots(struct json_writer *w, const uint64_t slots[LATENCY_SLOTS])
{
	json_open_list(w, "slots");
	for (unsigned i = 0; i < LATENCY_SLOTS; i++) {
		if (!slots[i])
			continue;
		json_open_object(w, NULL);
		json_add_int(w, "from_usec", i ? INT64_C(1) << i : 0);
		json_add_int(w, "calls", (int64_t)slots[i]);
		json_close_object(w);
	}
	json_close_list(w);
}

void json_add_histograms(struct json_writer *w, const struct evidence_latency *latency)
{
	json_open_list(w, "histograms");
	for (size_t i = 0; i < latency->n; i++) {
		const struct evidence_latency_row *row = &latency->rows[i];

		json_open_object(w, NULL);
		json_add_fields(w, count_fields, row);
		if (latency->has_waits) {
			json_add_fields(w, wait_fields, row);
		} else {
			json_add_null(w, "disk_usec");
			json_add_null(w, "receiver_usec");
		}
		json_add_fields(w, running_fields, row);
		json_add_int(w, "median_usec", (int64_t)evidence_quantile(row->slots, 500));
		json_add_int(w, "p99_usec", (int64_t)evidence_quantile(row->slots, 990));
		add_slots(w, row->slots);
		json_close_object(w);
	}
	json_close_list(w);
}

static void read_slots(struct json_reader *r, const struct json_value *slots, struct evidence_latency_row *row)
{
	struct slot {
		uint64_t from_usec, calls;
	};
	static const struct json_field fields[] = {
		JSON_FIELD(struct slot, from_usec, "from_usec", JSON_INT),
		JSON_FIELD(struct slot, calls, "calls", JSON_INT),
		{ 0 },
	};

	for (struct json_each e = json_each(r, slots, "slots"); json_step(&e);) {
		struct slot slot = { 0 };

		json_read(r, e.item, fields, &slot);
		if (slot.from_usec & (slot.from_usec - 1) || slot.from_usec >> LATENCY_SLOTS)
			json_complain(r, "from_usec", "is not a power of two, where a slot begins");
		else
			row->slots[slot.from_usec ? (unsigned)__builtin_ctzll(slot.from_usec) : 0] += slot.calls;
	}
}

int json_read_histograms(struct json_reader *r, const struct json_value *list, struct evidence_latency *ret)
{
	struct rest {
		const struct json_value *slots;
	};
	static const struct json_field fields[] = {
		JSON_FIELD(struct rest, slots, "slots", JSON_LIST, .most = LATENCY_SLOTS), { 0 },
	};

	for (struct json_each e = json_each(r, list, "histograms"); json_step(&e);) {
		struct evidence_latency_row row = {};
		struct rest rest = {};

		json_read(r, e.item, count_fields, &row);
		json_read(r, e.item, wait_fields, &row);
		json_read(r, e.item, running_fields, &row);
		json_read(r, e.item, fields, &rest);
		ret->has_waits |= json_kind(json_get(e.item, "disk_usec")) == JSON_INT;
		read_slots(r, rest.slots, &row);
		if (!r->error && evidence_latency_add(ret, &row) < 0)
			r->error = -ENOMEM;
	}
	return r->error;
}

int json_write_latency(FILE *out, const struct evidence_latency *latency)
{
	_cleanup_json_writer_ struct json_writer w = { .form = JSON_LINE };

	json_begin(&w, "latency");
	json_add_int(&w, "elapsed_usec", (int64_t)latency->elapsed_usec);
	json_add_int(&w, "lost", (int64_t)latency->lost);
	json_add_histograms(&w, latency);
	return json_finish(&w, out);
}
