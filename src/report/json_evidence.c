/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/json_evidence.h"

#include "report/json_private.h"

static void add_address(struct document *d, json_object *to, const char *key, uint16_t family,
	const uint8_t *address, uint16_t port)
{
	char text[SOCKET_ADDRESS_LEN];

	add_text(d, to, key, socket_format_address(family, address, port, text, sizeof(text)));
}

static json_object *new_process(struct document *d, const struct evidence_socket *row)
{
	json_object *o;

	if (!row->pid)
		return NULL;
	o = new_object(d);
	add_number(d, o, "pid", row->pid);
	add_text(d, o, "name", row->comm);
	if (row->has_age)
		add_number(d, o, "age_sec", (int64_t)row->age_sec);
	else
		add(d, o, "age_sec", NULL);
	return o;
}

static json_object *new_socket(
	struct document *d, const struct evidence *e, const struct evidence_socket *row)
{
	const struct socket_info *info = &row->info;
	json_object *o = new_object(d);

	add_text(d, o, "link", row->link[0] ? row->link : NULL);
	add_text(d, o, "service", row->service);
	add_address(d, o, "local", info->family, info->local, info->local_port);
	add_address(d, o, "remote", info->family, info->remote, info->remote_port);
	add_text(d, o, "state", socket_state_name(info->state));
	add(d, o, "process", new_process(d, row));
	add_bool(d, o, "stale", row->missing != 0);
	add_names(d, o, "missing", &e->features, row->missing);
	return o;
}

int json_write_sockets(FILE *out, const struct evidence *e)
{
	_cleanup_document_ struct document d = { 0 };
	json_object *rows;

	begin(&d, "sockets");
	add_bool(&d, d.root, "all", e->all_sockets);
	add_number(&d, d.root, "visited", (int64_t)e->visited);
	add_number(&d, d.root, "stale", (int64_t)evidence_count_stale_sockets(e));
	rows = new_array(&d);
	for (size_t i = 0; i < e->n_sockets; i++)
		push(&d, rows, new_socket(&d, e, &e->sockets[i]));
	add(&d, d.root, "sockets", rows);
	return write_out(&d, out);
}

static json_object *new_slots(struct document *d, const uint64_t slots[LATENCY_SLOTS])
{
	json_object *array = new_array(d);

	for (unsigned i = 0; i < LATENCY_SLOTS; i++) {
		json_object *o;

		if (!slots[i])
			continue;
		o = new_object(d);
		add_number(d, o, "from_usec", i ? INT64_C(1) << i : 0);
		add_number(d, o, "calls", (int64_t)slots[i]);
		push(d, array, o);
	}
	return array;
}

json_object *json_new_histograms(struct document *d, const struct evidence_latency *latency)
{
	json_object *rows = new_array(d);

	for (size_t i = 0; i < latency->n; i++) {
		const struct evidence_latency_row *row = &latency->rows[i];
		json_object *o = new_object(d);

		add_text(d, o, "service", row->service);
		add_bool(d, o, "fallback", row->fallback);
		add_number(d, o, "calls", (int64_t)row->calls);
		add_number(d, o, "total_usec", (int64_t)row->total_usec);
		if (latency->has_waits) {
			add_number(d, o, "disk_usec", (int64_t)row->disk_usec);
			add_number(d, o, "receiver_usec", (int64_t)row->peer_usec);
		} else {
			add(d, o, "disk_usec", NULL);
			add(d, o, "receiver_usec", NULL);
		}
		add_number(d, o, "running", (int64_t)row->running);
		add_number(d, o, "longest_usec", (int64_t)row->longest_usec);
		add_number(d, o, "median_usec", (int64_t)evidence_quantile(row->slots, 500));
		add_number(d, o, "p99_usec", (int64_t)evidence_quantile(row->slots, 990));
		add(d, o, "slots", new_slots(d, row->slots));
		push(d, rows, o);
	}
	return rows;
}

int json_write_latency(FILE *out, const struct evidence_latency *latency)
{
	_cleanup_document_ struct document d = { 0 };

	begin(&d, "latency");
	add_number(&d, d.root, "elapsed_usec", (int64_t)latency->elapsed_usec);
	add_number(&d, d.root, "lost", (int64_t)latency->lost);
	add(&d, d.root, "histograms", json_new_histograms(&d, latency));
	return write_line(&d, out);
}
