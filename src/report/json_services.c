/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/json_services.h"

#include "basic/json.h"
#include "report/catalog.h"

/* ---- members that are fields of a struct ---- */

static const struct json_field probe_fields[] = {
	JSON_FIELD(struct evidence_probe, name, "probe", JSON_BORROWED),
	JSON_FIELD(struct evidence_probe, function, "function", JSON_BORROWED),
	JSON_FIELD(struct evidence_probe, method, "method", JSON_BORROWED),
	JSON_FIELD(struct evidence_probe, why, "why", JSON_BORROWED),
	JSON_FIELD(struct evidence_probe, fixable, "fixable", JSON_BOOL),
	{ 0 },
};

static const struct json_field fallback_fields[] = {
	JSON_FIELD(struct evidence_fallback, service, "service", JSON_TEXT, .zero_is_null = true),
	JSON_FIELD(struct evidence_fallback, link, "link", JSON_TEXT, .zero_is_null = true),
	JSON_FIELD(struct evidence_fallback, ifindex, "ifindex", JSON_INT, .zero_is_null = true),
	JSON_FIELD(struct evidence_fallback, verdict, "verdict", JSON_BORROWED),
	JSON_FIELD(struct evidence_fallback, any_protocol, "any_protocol", JSON_BOOL),
	JSON_FIELD(struct evidence_fallback, limit, "limit", JSON_INT, .zero_is_null = true),
	JSON_FIELD(struct evidence_fallback, largest, "largest", JSON_INT, .zero_is_null = true),
	{ 0 },
};

static const struct json_field hits_fields[] = {
	JSON_FIELD(struct evidence_hits, n, "hits", JSON_INT),
	{ 0 },
};
/* Null if the kernel does not show the time of the last hit. */
static const struct json_field time_fields[] = {
	JSON_FIELD(struct evidence_hits, now, "now", JSON_BOOL),
	JSON_FIELD(struct evidence_hits, idle_usec, "idle_usec", JSON_INT),
	{ 0 },
};

static const struct json_field stale_fields[] = {
	JSON_FIELD(struct evidence_stale, service, "service", JSON_TEXT),
	JSON_FIELD(struct evidence_stale, unit.name, "unit", JSON_TEXT, .zero_is_null = true),
	JSON_FIELD(struct evidence_stale, link, "link", JSON_TEXT, .zero_is_null = true),
	JSON_FIELD(struct evidence_stale, ifindex, "ifindex", JSON_INT, .zero_is_null = true),
	JSON_FIELD(struct evidence_stale, senders, "udp_senders", JSON_INT),
	JSON_FIELD(struct evidence_stale, since_usec, "since_usec", JSON_INT),
	JSON_FIELD(struct evidence_stale, hits, "hits", JSON_INT),
	{ 0 },
};

/* Null if their number is unknown. */
static const struct json_field sockets_fields[] = {
	JSON_FIELD(struct evidence_stale, sockets, "sockets", JSON_INT), { 0 },
};

/* Null if no hit was lost. */
static const struct json_field lost_fields[] = {
	JSON_FIELD(struct evidence, lost_idle_usec, "lost_idle_usec", JSON_INT), { 0 },
};

static const struct json_field rest_fields[] = {
	JSON_FIELD(struct evidence, omitted, "omitted", JSON_INT),
	JSON_FIELD(struct evidence, sockets_dropped, "sockets_dropped", JSON_INT),
	JSON_FIELD(struct evidence, udp_undecided, "udp_undecided", JSON_INT),
	JSON_FIELD(struct evidence, has_sockets, "connections_seen", JSON_BOOL),
	JSON_FIELD(struct evidence, lacking, "lacking", JSON_TEXT, .zero_is_null = true),
	{ 0 },
};

/* ---- writing ---- */

void json_add_probes(struct json_writer *w, const struct evidence *e)
{
	json_add_rows(w, "probes", probe_fields, e->probes, e->n_probes, sizeof(*e->probes));
}

static void add_fallback(struct json_writer *w, const struct evidence_fallback *row, enum fallback_kind kind,
	const struct feature_table *features)
{
	const struct evidence_hits *hits = &row->hits[kind];
	char advice[CATALOG_TEXT_MAX];

	json_open_object(w, NULL);
	json_add_text(w, "kind", evidence_kind_name(kind));
	json_add_text(w, "origin", evidence_origin_name(row->origin));
	json_add_text(w, "reason", evidence_reason_name(row->reason));
	json_add_fields(w, fallback_fields, row);
	json_add_fields(w, hits_fields, hits);
	if (hits->idle_usec != EVIDENCE_IDLE_UNKNOWN) {
		json_add_fields(w, time_fields, hits);
	} else {
		json_add_null(w, "now");
		json_add_null(w, "idle_usec");
	}
	feature_add_names(w, "missing", features, row->missing);
	json_add_text(w, "remedy", remedy_name(row->remedy));
	json_add_text(w, "advice", catalog_remedy(row, features, advice, sizeof(advice)));
	json_close_object(w);
}

static void add_stale(struct json_writer *w, const struct evidence_stale *row, const struct feature_table *features)
{
	json_open_object(w, NULL);
	json_add_fields(w, stale_fields, row);
	if (row->sockets || row->senders)
		json_add_fields(w, sockets_fields, row);
	else
		json_add_null(w, "sockets");
	json_add_text(w, "kind", unit_kind_name(row->unit.kind));
	feature_add_names(w, "missing", features, row->missing);
	json_open_list(w, "samples");
	for (unsigned i = 0; i < row->n_samples; i++) {
		json_open_object(w, NULL);
		json_add_addresses(w, &row->samples[i]);
		json_close_object(w);
	}
	json_close_list(w);
	json_close_object(w);
}

static void add_by_kind(struct json_writer *w, const char *name, const uint64_t hits[FALLBACK_KINDS])
{
	json_open_object(w, name);
	for (unsigned kind = 0; kind < FALLBACK_KINDS; kind++)
		json_add_int(w, evidence_kind_name(kind), (int64_t)hits[kind]);
	json_close_object(w);
}

void json_add_services(struct json_writer *w, const struct evidence *e)
{
	json_add_probes(w, e);
	if (json_open_list_if(w, "fallback", e->has_fallback)) {
		for (size_t i = 0; i < e->n_fallback; i++)
			for (unsigned kind = 0; kind < FALLBACK_KINDS; kind++)
				if (e->fallback[i].hits[kind].n)
					add_fallback(w, &e->fallback[i], kind, &e->features);
		json_close_list(w);
	}
	if (json_open_list_if(w, "restart", e->has_sockets || e->has_lingering || e->n_stale)) {
		for (size_t i = 0; i < e->n_stale; i++)
			add_stale(w, &e->stale[i], &e->features);
		json_close_list(w);
	}
	json_add_fields(w, rest_fields, e);
	add_by_kind(w, "lost", e->lost);
	if (evidence_lost_within(e, EVIDENCE_IDLE_UNKNOWN))
		json_add_fields(w, lost_fields, e);
	else
		json_add_null(w, "lost_idle_usec");
	add_by_kind(w, "elsewhere", e->elsewhere);
}

/* ---- reading ---- */

/* The other members. */
struct parts {
	const struct json_value *probes, *fallback, *restart, *lost, *elsewhere;
	const char *kind, *origin, *reason, *remedy; /* of a row of fallback, and kind of one of restart */
	const struct json_value *missing;	     /* of both */
};

/* Skips kinds and origins that only a newer offloadd knows. */
static void read_fallback(struct json_reader *r, const struct json_value *item, struct evidence *ret)
{
	static const struct json_field fields[] = {
		JSON_FIELD(struct parts, kind, "kind", JSON_BORROWED, .required = true),
		JSON_FIELD(struct parts, origin, "origin", JSON_BORROWED, .required = true),
		JSON_FIELD(struct parts, reason, "reason", JSON_BORROWED),
		JSON_FIELD(struct parts, remedy, "remedy", JSON_BORROWED),
		JSON_FIELD(struct parts, missing, "missing", JSON_LIST, .most = FEATURE_MAX),
		{ 0 },
	};
	struct evidence_fallback read = { 0 }, *row;
	enum fallback_origin origin;
	enum fallback_kind kind;
	struct parts parts = { 0 };

	if (json_read(r, item, fields, &parts) < 0 || json_read(r, item, fallback_fields, &read) < 0)
		return;
	kind = evidence_kind_parse(parts.kind);
	origin = evidence_origin_parse(parts.origin);
	if (kind == FALLBACK_KINDS || origin == FALLBACK_ORIGINS)
		return;
	row = evidence_fallback_row(ret, origin, evidence_reason_parse(parts.reason), read.service, read.link);
	if (!row)
		return;
	row->limit = read.limit;
	row->largest = read.largest;
	row->any_protocol = read.any_protocol;
	row->ifindex = read.ifindex;
	row->verdict = read.verdict;
	json_read(r, item, hits_fields, &row->hits[kind]);
	json_read(r, item, time_fields, &row->hits[kind]);
	row->remedy = remedy_parse(parts.remedy ? parts.remedy : "");
	json_foreach(name, parts.missing)
		row->missing |= evidence_add_feature(ret, json_as_text(name));
}

static void read_stale(struct json_reader *r, const struct json_value *item, struct evidence *ret)
{
	static const struct json_field fields[] = {
		JSON_FIELD(struct parts, kind, "kind", JSON_BORROWED),
		JSON_FIELD(struct parts, missing, "missing", JSON_LIST, .most = FEATURE_MAX),
		{ 0 },
	};
	struct evidence_stale row = { 0 };
	struct parts parts = { .kind = "" };

	json_read(r, item, stale_fields, &row);
	json_read(r, item, sockets_fields, &row);
	if (json_read(r, item, fields, &parts) < 0)
		return;
	row.unit.kind = unit_kind_parse(parts.kind);
	json_foreach(name, parts.missing)
		row.missing |= evidence_add_feature(ret, json_as_text(name));
	evidence_add_stale(ret, &row);
}

int json_read_services(struct json_reader *r, const struct json_value *from, struct evidence *ret)
{
	static const struct json_field fields[] = {
		JSON_FIELD(struct parts, probes, "probes", JSON_LIST, .most = EVIDENCE_PROBES_MAX),
		JSON_FIELD(struct parts, fallback, "fallback", JSON_LIST, .most = EVIDENCE_ROWS_MAX * FALLBACK_KINDS),
		JSON_FIELD(struct parts, restart, "restart", JSON_LIST, .most = EVIDENCE_ROWS_MAX),
		JSON_FIELD(struct parts, lost, "lost", JSON_OBJECT),
		JSON_FIELD(struct parts, elsewhere, "elsewhere", JSON_OBJECT),
		{ 0 },
	};
	struct parts parts = { 0 };

	*ret = (struct evidence){ 0 };
	json_read(r, from, fields, &parts);
	json_read(r, from, rest_fields, ret);
	json_read(r, from, lost_fields, ret);
	ret->has_fallback = parts.fallback;
	ret->has_lingering = parts.restart && !ret->has_sockets;
	/* features have the order in which they are read: that of the kernel, which these have */
	for (struct json_each e = json_each(r, parts.restart, "restart"); json_step(&e);)
		read_stale(r, e.item, ret);
	for (struct json_each e = json_each(r, parts.fallback, "fallback"); json_step(&e);)
		read_fallback(r, e.item, ret);
	for (struct json_each e = json_each(r, parts.probes, "probes"); json_step(&e);) {
		struct evidence_probe probe = { "", "", NULL, "", false };

		json_read(r, e.item, probe_fields, &probe);
		evidence_add_probe(ret, &probe);
	}
	for (unsigned kind = 0; kind < FALLBACK_KINDS; kind++) {
		ret->lost[kind] = (uint64_t)json_get_count(parts.lost, evidence_kind_name(kind), INT64_MAX);
		ret->elsewhere[kind] = (uint64_t)json_get_count(parts.elsewhere, evidence_kind_name(kind), INT64_MAX);
	}
	return r->error;
}
