/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The page of a report: escaping, the picture, its parts. */
#include "basic/json.h"

#include "report/drawing.h"
#include "report/html.h"
#include "report/report_html.h"
#include "report/report_skeleton.h"
#include "compare/snapshot_model.h"
#include "unit-model.h"

static char *text_of(void (*write)(FILE *out, const void *data), const void *data)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	write(f, data);
	assert_int_equal(fclose(f), 0);
	return text;
}

static void write_text(FILE *out, const void *data)
{
	html_text(out, data);
}

static void text_is_escaped(void **state)
{
	static const char *const pairs[][2] = {
		{ "", "" },
		{ "eth0", "eth0" },
		{ "<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;" },
		{ "\" onload='x' &amp;", "&quot; onload=&#39;x&#39; &amp;amp;" },
		{ "a\033[31mb\nc", "a?[31mb?c" },
		{ "\xff\xc3", "??" },
		{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		char *text = text_of(write_text, pairs[i][0]);

		assert_string_equal(text, pairs[i][1]);
		free(text);
	}
	free(text_of(write_text, NULL));
}

/* ---- the picture ---- */

static const struct drawing_node *node(const struct drawing *d, const char *name)
{
	for (size_t i = 0; i < d->n_nodes; i++)
		if (strcmp(d->nodes[i].link->name, name) == 0)
			return &d->nodes[i];
	fail_msg("%s is not drawn", name);
	return NULL;
}

static struct drawing *draw(struct unit_host *h)
{
	struct view view = { .features = &h->features, .links = &h->links, .rules = &h->rules, .plan = &h->plan };
	struct drawing *d = malloc(sizeof(*d));

	assert_non_null(d);
	unit_plan(h);
	assert_int_equal(drawing_make(&view, d), 0);
	return d;
}

static void nothing_overlaps(const struct drawing *d)
{
	for (size_t i = 0; i < d->n_nodes; i++) {
		const struct drawing_node *a = &d->nodes[i];

		assert_true(a->x >= 0 && a->x + DRAWING_NODE_WIDTH <= d->width);
		assert_true(a->y >= 0 && a->y + DRAWING_NODE_HEIGHT <= d->height);
		for (size_t j = 0; j < i; j++)
			assert_true(a->y != d->nodes[j].y || abs(a->x - d->nodes[j].x) >= DRAWING_NODE_WIDTH + DRAWING_GAP_X);
	}
	for (size_t i = 0; i < d->n_edges; i++)
		assert_true(d->nodes[d->edges[i].lower].y > d->nodes[d->edges[i].upper].y);
}

static void the_incident_is_drawn(void **state)
{
	struct unit_host *h = unit_host_new();
	struct drawing *d;

	(void)state;
	unit_incident(h);
	unit_link(h, 20, "lo", "loopback", 0, 0, "");
	d = draw(h);
	assert_int_equal(d->n_nodes, 5);
	assert_int_equal(d->n_edges, 4);
	nothing_overlaps(d);
	assert_int_equal(node(d, "eth2")->y, node(d, "eth3")->y);
	assert_int_equal(node(d, "vlan10")->y, node(d, "vlan100")->y);
	assert_true(node(d, "vlan10")->y < node(d, "bond0")->y && node(d, "bond0")->y < node(d, "eth2")->y);
	assert_int_equal(node(d, "bond0")->x * 2, node(d, "eth2")->x + node(d, "eth3")->x);
	assert_int_equal(node(d, "bond0")->x * 2, node(d, "vlan10")->x + node(d, "vlan100")->x);
	free(d);
	unit_host_free(h);
}

static void many_links_are_cut_and_those_that_differ_come_first(void **state)
{
	struct unit_host *h = unit_host_new();
	struct drawing *d;
	char name[LINK_NAME_LEN];

	(void)state;
	unit_rule(h, "10-vlan.rule", "[Match]\nKind=vlan\n[Features]\nsg=on\n");
	unit_link(h, 1, "eth0", "physical", 0, 0, UNIT_TRANSMIT);
	for (int i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), "vlan%d", i);
		unit_link(h, 10 + i, name, "vlan", 1, 0, UNIT_TRANSMIT);
	}
	unit_off(h, "vlan399", "tx-scatter-gather");
	d = draw(h);
	assert_int_equal(d->n_nodes, DRAWING_NODES_MAX);
	assert_int_equal(d->omitted, 401 - DRAWING_NODES_MAX);
	assert_string_equal(node(d, "vlan399")->verdict, "drifted");
	nothing_overlaps(d);
	free(d);
	unit_host_free(h);
}

static void a_loop_is_drawn_too(void **state)
{
	struct unit_host *h = unit_host_new();
	struct drawing *d;

	(void)state;
	unit_link(h, 1, "a", "macvlan", 2, 0, "");
	unit_link(h, 2, "b", "macvlan", 1, 0, "");
	d = draw(h);
	assert_int_equal(d->n_nodes, 2);
	free(d);
	unit_host_free(h);
}

/* ---- the page ---- */

static int count_part(_unused_ FILE *out, _unused_ const char *name, void *userdata)
{
	++*(int *)userdata;
	return 0;
}

static void the_skeleton_is_whole(void **state)
{
	int parts = 0;
	FILE *f = fopen("/dev/null", "w");

	(void)state;
	assert_int_equal(report_html_fill(f, report_skeleton, count_part, &parts), 0);
	assert_int_equal(parts, 13);
	fclose(f);
	assert_null(strstr(report_skeleton, "http:"));
	assert_null(strstr(report_skeleton, "https:"));
	assert_null(strstr(report_skeleton, "<script"));
	assert_string_equal(report_skeleton + strlen(report_skeleton) - 8, "</html>\n");
}

static void write_page(FILE *out, const void *data)
{
	assert_int_equal(report_html_write(out, data), 0);
}

#define EVIL "<img src=x onerror=alert(1)>\\\"'&"

/* Whatever a document holds, of whatever type, no markup of it reaches the page. */
static void hostile_documents_are_text(void **state)
{
	static const char *const documents[] = {
		"{\"events\":[{\"time_usec\":99,\"event\":\"" EVIL "\",\"message\":\"" EVIL "\",\"reason\":\"" EVIL
		"\",\"changed_by\":{\"process\":\"" EVIL "\",\"pid\":3,\"parent\":\"" EVIL "\",\"unit\":\"" EVIL "\",\"link\":\"" EVIL
		"\"}}],"
		"\"fallback\":[{\"service\":\"" EVIL "\",\"kind\":\"" EVIL "\",\"link\":\"" EVIL "\",\"hits\":1}],"
		"\"restart\":[{\"service\":\"" EVIL "\",\"link\":\"" EVIL "\",\"missing\":[\"" EVIL "\"],"
		"\"samples\":[{\"local\":\"" EVIL "\",\"remote\":\"" EVIL "\"}]}],"
		"\"histograms\":[{\"service\":\"" EVIL "\",\"slots\":[{\"from_usec\":1,\"calls\":2}]}]}",
		"{\"events\":7,\"fallback\":{},\"restart\":\"x\",\"histograms\":null}",
		"{\"events\":[7,null,[]],\"fallback\":[null],\"restart\":[[]],\"histograms\":[{\"slots\":[null,7]},3]}",
		"{\"events\":[{\"time_usec\":9223372036854775807,\"event\":4}],\"fallback\":[{\"hits\":\"x\"}],"
		"\"restart\":[{\"since_usec\":-9223372036854775808,\"missing\":[null]}],"
		"\"histograms\":[{\"slots\":[{\"from_usec\":9223372036854775807,\"calls\":-5}]}]}",
	};
	struct unit_host *h = unit_host_new();
	struct view view = { .features = &h->features, .links = &h->links, .rules = &h->rules, .plan = &h->plan };

	(void)state;
	strcpy(h->host.host_name, "<b>host");
	strcpy(h->host.kernel_release, "6.1<i>");
	unit_incident(h);
	strcpy(link_table_find_name(&h->links, "vlan10")->name, "<u>'\"&</u>");
	unit_rule(h, "10-<s>.rule",
		"[Rule]\nDescription=<img src=x>\nReason=<img src=y>\n[Match]\nKind=vlan\n[Features]\nsg=off\n");
	unit_plan(h);
	for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
		struct json_value *document = unit_json(documents[i]);
		const struct report_source source = { .document = document };
		const struct report_html page = {
			.view = &view, .host = &h->host, .taken = 1000000000, .events = source, .services = source, .latency = source
		};
		char *text = text_of(write_page, &page);

		assert_null(strstr(text, "<img"));
		assert_null(strstr(text, "<b>"));
		assert_null(strstr(text, "<i>"));
		assert_null(strstr(text, "<u>"));
		assert_null(strstr(text, "<s>"));
		assert_null(strstr(text, "@@"));
		assert_non_null(strstr(text, "&lt;u&gt;&#39;&quot;&amp;&lt;/u&gt;"));
		assert_non_null(strstr(text, "Network offload on &lt;b&gt;host"));
		free(text);
		json_free(document);
	}
	unit_host_free(h);
}

static void what_is_absent_is_said(void **state)
{
	struct unit_host *h = unit_host_new();
	struct view view = { .features = &h->features, .links = &h->links, .rules = &h->rules, .plan = &h->plan };
	const struct report_html page = { .view = &view, .host = &h->host,
		.events = { .absent = "nobody <recorded>" }, .services = { .absent = "no probe" }, .latency = { .absent = "not measured" } };
	char *text;

	(void)state;
	unit_plan(h);
	text = text_of(write_page, &page);
	assert_non_null(strstr(text, "nobody &lt;recorded&gt;"));
	assert_non_null(strstr(text, "no probe"));
	assert_non_null(strstr(text, "not measured"));
	assert_non_null(strstr(text, "No rule applies to these interfaces"));
	free(text);
	unit_host_free(h);
}

/* ---- a snapshot as links ---- */

static void a_snapshot_comes_back_as_it_was(void **state)
{
	struct unit_host *h = unit_host_new();
	struct snapshot s = { 0 };
	struct link_table links = { 0 };

	(void)state;
	unit_incident(h);
	unit_off(h, "vlan10", "tx-scatter-gather");
	assert_int_equal(snapshot_take(&h->features, &h->links, &h->rules, &h->host, 1, false, &s), 0);
	assert_int_equal(snapshot_restore(&s, &links), 0);
	assert_int_equal(link_table_count(&links), link_table_count(&h->links));
	link_table_foreach (&h->links, link) {
		const struct link *is = link_table_find_name(&links, link->name);
		const struct link *a = link_lower(&h->links, link), *b = is ? link_lower(&links, is) : NULL;

		assert_non_null(is);
		assert_string_equal(is->kind, link->kind);
		assert_int_equal(is->depth, link->depth);
		assert_memory_equal(&is->features, &link->features, sizeof(link->features));
		assert_string_equal(a ? a->name : "", b ? b->name : "");
		a = link_master(&h->links, link);
		b = link_master(&links, is);
		assert_string_equal(a ? a->name : "", b ? b->name : "");
	}
	link_table_clear(&links);
	snapshot_clear(&s);
	unit_host_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_escaped),
		cmocka_unit_test(the_incident_is_drawn),
		cmocka_unit_test(many_links_are_cut_and_those_that_differ_come_first),
		cmocka_unit_test(a_loop_is_drawn_too),
		cmocka_unit_test(the_skeleton_is_whole),
		cmocka_unit_test(hostile_documents_are_text),
		cmocka_unit_test(what_is_absent_is_said),
		cmocka_unit_test(a_snapshot_comes_back_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
