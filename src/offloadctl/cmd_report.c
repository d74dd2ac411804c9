/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report: an HTML page about this host, or about the host of a snapshot. */
#include "offloadctl/cmd.h"

#include <errno.h>
#include <string.h>

#include "control/client.h"
#include "basic/json.h"
#include "control/methods.h"
#include "kernel/trial.h"
#include "report/report_html.h"
#include "compare/snapshot_json.h"
#include "compare/snapshot_model.h"
#include "basic/text_stream.h"
#include "basic/util.h"

/* ---- documents of the command line ---- */

static int read_document(const char *path, const char *name, struct json_value **ret)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ struct json_value *root = NULL;
	char why[JSON_WHY_LEN];
	size_t len;
	int r = cmd_file_read(path, &text, &len);

	if (r < 0)
		return cmd_error("Failed to read %s: %s", path, strerror(-r));
	r = json_parse(text, len, JSON_OF_FILE, &root, why, sizeof(why));
	if (r == -EBADMSG)
		return cmd_error("Failed to read %s: not a complete JSON document", path);
	if (r < 0)
		return cmd_error("Failed to read %s: %s", path, strerror(-r));
	if (strcmp(json_get_text(root, "document"), name) != 0)
		return cmd_error("Failed to read %s: expected the output of offloadctl %s --json", path, name);
	*ret = root;
	root = NULL;
	return CMD_OK;
}

/* ---- the daemon ---- */

/* The reply. If it comes in several parts, a list of their rows. key: of the rows; NULL: there is one reply. */
static int receive_all(struct client *client, const char *method, const char *key, struct json_value **ret)
{
	_cleanup_json_writer_ struct json_writer w = { .form = JSON_COMPACT };
	char error[VARLINK_NAME_MAX] = "", why[JSON_WHY_LEN];
	int r = client_call(client, method, NULL, key != NULL);

	json_open_object(&w, NULL);
	if (key)
		json_open_list(&w, key);
	for (r = r < 0 ? r : 1; r > 0;) {
		_cleanup_json_ struct json_value *answer = NULL;

		r = client_receive(client, CLIENT_ANSWER_USEC, &answer, error);
		if (r >= 0 && error[0])
			r = -EPROTO;
		if (r >= 0)
			json_add_members(&w, key ? json_get_list(answer, key) : answer);
	}
	if (key)
		json_close_list(&w);
	json_close_object(&w);
	r = r < 0 ? r : w.error;
	return r < 0 ? r : json_parse(w.text, w.len, JSON_OF_DAEMON, ret, why, sizeof(why));
}

/* Without an answer the reason is in *ret_absent, and the report is written without it. CMD_OK; CMD_ERROR without memory. */
static int ask_daemon(const struct cmd_options *options, const char *method, const char *key, struct json_value **ret,
	const char **ret_absent)
{
	_cleanup_(client_close_pointer) struct client *client = NULL;
	int r = client_open(options->control, &client);

	*ret_absent = r == 0 ? "offloadd is not running on this host." : "offloadd did not reply.";
	if (r > 0)
		r = receive_all(client, method, key, ret);
	return r == -ENOMEM ? cmd_error("Failed to query offloadd: %s", strerror(ENOMEM)) : CMD_OK;
}

/* ---- the page ---- */

struct sources {
	struct json_value *events, *services, *latency;
};

static void put_sources(struct sources *s)
{
	json_free(s->events);
	json_free(s->services);
	json_free(s->latency);
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
		r = ask_daemon(options, METHODS_INTERFACE ".GetEvents", "events", &ret->events, &page->events.absent);
	if (r == CMD_OK && options->services)
		r = read_document(options->services, "services", &ret->services);
	else if (r == CMD_OK && live)
		r = ask_daemon(options, METHODS_INTERFACE ".GetServices", NULL, &ret->services, &page->services.absent);
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
	struct text_stream s;
	size_t len = 0;
	int r = text_stream_open(&s), error;

	if (r >= 0) {
		r = report_html_write(s.f, page);
		error = text_stream_close(&s, &text, &len);
		r = error < 0 ? error : r;
	}
	if (r < 0)
		return cmd_error("Failed to format the page: %s", strerror(-r));
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

/* With the rules of this host, because a snapshot does not have everything that rules match. */
static int plan_snapshot(const struct snapshot *snapshot, struct link_table *links, struct cmd_session *s)
{
	int r;

	s->context = (struct plan_context){
		.table = &snapshot->features, .rules = &s->rules, .host = &s->host, .now = snapshot->taken };
	s->view = (struct view){
		.features = &snapshot->features, .links = links, .rules = &s->rules, .plan = &s->plan };
	snprintf(s->host.host_name, sizeof(s->host.host_name), "%s", snapshot->host);
	snprintf(s->host.kernel_release, sizeof(s->host.kernel_release), "%s", snapshot->kernel);
	s->host.backports = trial_has_backports(s->host.kernel_release);
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
