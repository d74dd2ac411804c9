/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report: everything about a host as one page, of this host or of documents. */
#include "offloadctl/cmd.h"

#include <errno.h>
#include <string.h>

#include "control/client.h"
#include "basic/json_value.h"
#include "control/methods.h"
#include "report/report_html.h"
#include "compare/snapshot_json.h"
#include "compare/snapshot_model.h"
#include "basic/util.h"

#define DEPTH_MAX 32

/* ---- documents that were given ---- */

static int read_document(const char *path, const char *name, struct json_object **ret)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ struct json_object *root = NULL;
	struct json_object *kind = NULL;
	size_t len;
	int r = cmd_file_read(path, &text, &len);

	if (r < 0)
		return cmd_error("Failed to read %s: %s", path, strerror(-r));
	r = json_value_parse(text, len, DEPTH_MAX, &root);
	if (r == -EBADMSG)
		return cmd_error("Failed to read %s: not a complete JSON document", path);
	if (r < 0)
		return cmd_error("%s", strerror(-r));
	json_object_object_get_ex(root, "document", &kind);
	if (!kind || strcmp(json_object_get_string(kind), name) != 0)
		return cmd_error("Failed to read %s: expected the output of offloadctl %s --json", path, name);
	*ret = root;
	root = NULL;
	return CMD_OK;
}

/* ---- the daemon ---- */

/* Adds the rows of one piece of an answer to those before. */
static void take_rows(struct json_object **all, struct json_object *answer, const char *key)
{
	struct json_object *rows, *more;

	if (!*all) {
		*all = json_object_get(answer);
		return;
	}
	if (!json_object_object_get_ex(*all, key, &rows) || !json_object_object_get_ex(answer, key, &more))
		return;
	for (size_t i = 0; i < json_object_array_length(more); i++)
		json_object_array_add(rows, json_object_get(json_object_array_get_idx(more, i)));
}

/* NULL with the reason in *ret_absent; a report is made all the same. */
static struct json_object *ask_daemon(
	const struct cmd_options *options, const char *method, const char *key, const char **ret_absent)
{
	_cleanup_(client_close_pointer) struct client *client = NULL;
	struct json_object *all = NULL;
	char error[VARLINK_NAME_MAX] = "";
	int r = client_open(options->control, &client);

	*ret_absent = "offloadd is not running on this host.";
	if (r <= 0)
		return NULL;
	*ret_absent = "offloadd did not answer.";
	r = client_call(client, method, json_object_new_object(), key != NULL);
	for (r = r < 0 ? r : 1; r > 0;) {
		_cleanup_json_ struct json_object *answer = NULL;

		r = client_receive(client, CLIENT_ANSWER_USEC, &answer, error);
		if (r >= 0 && !error[0])
			take_rows(&all, answer, key);
		else if (r >= 0)
			r = -EPROTO;
	}
	if (r >= 0)
		return all;
	json_object_put(all);
	return NULL;
}

/* ---- the page ---- */

struct sources {
	struct json_object *events, *services, *latency;
};

static void put_sources(struct sources *s)
{
	json_object_put(s->events);
	json_object_put(s->services);
	json_object_put(s->latency);
}

static int read_sources(const struct cmd_options *options, struct sources *ret, struct report_html *page)
{
	bool live = !options->snapshot;
	int r = CMD_OK;

	page->events.absent = page->services.absent = "Not included in the data of this report.";
	page->latency.absent = "Not measured. Pass the output of offloadctl latency --json to report --latency.";
	if (options->events)
		r = read_document(options->events, "events", &ret->events);
	else if (live)
		ret->events = ask_daemon(options, METHODS_INTERFACE ".GetEvents", "events", &page->events.absent);
	if (r == CMD_OK && options->services)
		r = read_document(options->services, "services", &ret->services);
	else if (live)
		ret->services = ask_daemon(options, METHODS_INTERFACE ".GetServices", NULL, &page->services.absent);
	if (r == CMD_OK && options->latency)
		r = read_document(options->latency, "latency", &ret->latency);
	page->events.document = ret->events;
	page->services.document = ret->services;
	page->latency.document = ret->latency;
	return r;
}

static int write_page(const struct cmd_options *options, const struct report_html *page)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	int r;

	if (!f)
		return cmd_error("%s", strerror(errno));
	r = report_html_write(f, page);
	if (fclose(f) || r < 0)
		return cmd_error("Failed to make the page: %s", strerror(r < 0 ? -r : errno));
	r = cmd_file_write(strcmp(options->html, "-") == 0 ? NULL : options->html, text, len, CMD_FILE_UMASK);
	return r < 0 ? cmd_error("Failed to write %s: %s", options->html, strerror(-r)) : CMD_OK;
}

static int report_host(const struct cmd_options *options, struct report_html *page)
{
	_cleanup_(cmd_close) struct cmd_session s = { 0 };
	int r = cmd_open_plan(options, &s);

	if (r != CMD_OK)
		return r;
	page->view = &s.view;
	page->host = &s.host;
	page->taken = s.context.now;
	r = write_page(options, page);
	return r == CMD_OK ? cmd_exit_code(&s, CMD_OK) : r;
}

static int read_snapshot(const char *path, struct snapshot *ret)
{
	_cleanup_free_ char *text = NULL;
	char why[256] = "";
	size_t len;
	int r = cmd_file_read(path, &text, &len);

	if (r < 0)
		return cmd_error("Failed to read %s: %s", path, strerror(-r));
	r = snapshot_parse_json(text, len, ret, why, sizeof(why));
	return r < 0 ? cmd_error("Failed to read snapshot %s: %s", path, why[0] ? why : strerror(-r)) : CMD_OK;
}

/* The rules are those of here, as a snapshot does not hold what they match. */
static int plan_snapshot(const struct snapshot *snapshot, struct link_table *links, struct cmd_session *s)
{
	int r;

	s->context = (struct plan_context){
		.table = &snapshot->features, .rules = &s->rules, .host = &s->host, .now = snapshot->taken };
	s->view = (struct view){
		.features = &snapshot->features, .links = links, .rules = &s->rules, .plan = &s->plan };
	snprintf(s->host.host_name, sizeof(s->host.host_name), "%s", snapshot->host);
	snprintf(s->host.kernel_release, sizeof(s->host.kernel_release), "%s", snapshot->kernel);
	snprintf(s->host.virtualization, sizeof(s->host.virtualization), "%s", snapshot->virtualization);
	r = cmd_load_rules(s);
	if (r != CMD_OK)
		return r;
	r = snapshot_restore(snapshot, links);
	if (r == 0)
		r = plan_make(&s->context, links, NULL, 0, &s->plan);
	return r < 0 ? cmd_error("Failed to make a plan: %s", strerror(-r)) : CMD_OK;
}

static int report_snapshot(const struct cmd_options *options, struct report_html *page)
{
	_cleanup_(snapshot_clear) struct snapshot snapshot = { 0 };
	_cleanup_(link_table_clear) struct link_table links = { 0 };
	_cleanup_(cmd_close) struct cmd_session s = { .options = options };
	int r = read_snapshot(options->snapshot, &snapshot);

	if (r == CMD_OK)
		r = plan_snapshot(&snapshot, &links, &s);
	if (r != CMD_OK)
		return r;
	page->view = &s.view;
	page->host = &s.host;
	page->taken = snapshot.taken;
	r = write_page(options, page);
	return r == CMD_OK ? cmd_exit_code(&s, CMD_OK) : r;
}

int cmd_report(const struct cmd_options *options, _unused_ int argc, _unused_ char **argv)
{
	_cleanup_(put_sources) struct sources sources = { 0 };
	struct report_html page = { 0 };
	int r;

	if (!options->html)
		return cmd_error("report needs --html FILE, or --html - for standard output");
	r = read_sources(options, &sources, &page);
	if (r != CMD_OK)
		return r;
	return options->snapshot ? report_snapshot(options, &page) : report_host(options, &page);
}
