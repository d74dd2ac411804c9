/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "offloadctl/cmd.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "basic/json.h"
#include "basic/util.h"
#include "kernel/container.h"
#include "plan/doubt.h"

static int open_failed(const struct cmd_options *options, const char *what, int error)
{
	if (error == -EOPNOTSUPP && options->backend == ETHTOOL_NETLINK)
		return cmd_error("ethtool netlink is not available, it requires Linux 5.7; use --ethtool ioctl");
	return cmd_error("Failed to open %s: %s", what ? what : "the kernel's interfaces", strerror(-error));
}

int cmd_open_offline(const struct cmd_options *options, struct cmd_session *ret)
{
	*ret = (struct cmd_session){ .options = options };
	ret->render = options->render;
	ret->context = (struct plan_context){
		.rules = &ret->rules,
		.host = &ret->host,
		.now = util_realtime_sec(),
		.states = &ret->states,
	};
	ret->view = (struct view){ .rules = &ret->rules, .host = &ret->host, .plan = &ret->plan };
	return CMD_OK;
}

int cmd_open(const struct cmd_options *options, struct cmd_session *ret)
{
	const struct observe_options how = {
		.backend = options->backend, .sockets = options->elsewhere ? &options->sockets : NULL };
	const char *what = NULL;
	int r = cmd_open_offline(options, ret);

	if (r == CMD_OK)
		r = observe_open(&how, &ret->observe, &what);
	if (r < 0)
		return open_failed(options, what, r);
	rule_host_read(&ret->host);
	ret->host.netns = options->facts;
	ret->view.features = ret->context.table = &ret->observe->features;
	ret->view.links = &ret->observe->links;
	return CMD_OK;
}

static int print_error(
	void *userdata _unused_, const char *path, unsigned line, const char *message)
{
	char clean_path[1024], clean_message[1024];

	util_clean(path, clean_path, sizeof(clean_path));
	util_clean(message, clean_message, sizeof(clean_message));
	if (line)
		fprintf(stderr, "%s:%u: %s\n", clean_path, line, clean_message);
	else
		fprintf(stderr, "%s: %s\n", clean_path, clean_message);
	return 0;
}

static int choose_dirs(const struct cmd_options *options, struct cmd_session *ret)
{
	int r;

	if (options->dirs[0])
		return cmd_choose_dirs(ret, options->dirs, true);
	r = conf_load(options->config, print_error, NULL, &ret->conf);
	if (r < 0)
		return cmd_error("Failed to read settings: %s", strerror(-r));
	return cmd_choose_dirs(ret, conf_rule_dirs(&ret->conf), options->config);
}

int cmd_load_rules(struct cmd_session *session)
{
	int r = choose_dirs(session->options, session);

	if (r != CMD_OK)
		return r;
	r = (session->options->dirs[0] ? rule_set_load : rule_set_load_system)(session->rule_dirs, session->view.features,
		&session->rules);
	if (r < 0)
		return cmd_error("Failed to load rules: %s", strerror(-r));
	for (size_t i = 0; i < session->rules.n_errors; i++)
		(void)print_error(NULL, session->rules.errors[i].path, session->rules.errors[i].line,
			session->rules.errors[i].message);
	return CMD_OK;
}

int cmd_doubt_namespaces(struct rule_set *rules, const struct conf *conf)
{
	const struct doubt_namespaces facts = {
		.ignored = conf->namespaces == CONF_NAMESPACES_HOST,
		.observed = conf->enforce && conf->namespaces == CONF_NAMESPACES_OBSERVE,
		.no_images = !container_has_images(),
	};

	return doubt_namespaces(rules, &facts);
}

int cmd_warn(struct cmd_session *session)
{
	int r = doubt_rules(&session->rules, session->view.features, &session->host);

	if (r >= 0 && !session->options->dirs[0])
		r = cmd_doubt_namespaces(&session->rules, &session->conf);
	if (r < 0)
		return cmd_error("Failed to check rules: %s", strerror(-r));
	for (size_t i = 0; i < session->rules.n_warnings; i++) {
		const struct rule_error *w = &session->rules.warnings[i];
		char text[1024];

		snprintf(text, sizeof(text), "warning: %s", w->message);
		(void)print_error(NULL, w->path, w->line, text);
	}
	return CMD_OK;
}

static int open_all(const struct cmd_options *options, bool whole, struct cmd_session *ret)
{
	int r;

	r = cmd_open(options, ret);
	if (r == CMD_OK)
		r = cmd_load_rules(ret);
	if (r != CMD_OK)
		return r;
	ret->observe->want_routes = whole || rule_set_needs_routes(&ret->rules);
	ret->observe->want_forwarding = whole || rule_set_needs_forwarding(&ret->rules, &ret->observe->features);
	ret->observe->want_hardware = whole || rule_set_needs_hardware(&ret->rules);
	ret->observe->want_names = whole || rule_set_needs_names(&ret->rules);
	r = cmd_refresh(ret);
	if (r == CMD_OK && ret->observe->n_unnamed)
		fprintf(stderr, "offloadctl: udev has not initialised %zu interface%s yet; no rule with Name= applies to %s\n",
			ret->observe->n_unnamed, util_plural(ret->observe->n_unnamed),
			ret->observe->n_unnamed == 1 ? "it" : "them");
	return r;
}

int cmd_open_all(const struct cmd_options *options, struct cmd_session *ret)
{
	return open_all(options, false, ret);
}

int cmd_open_whole(const struct cmd_options *options, struct cmd_session *ret)
{
	return open_all(options, true, ret);
}

int cmd_open_plan(const struct cmd_options *options, struct cmd_session *ret)
{
	int r = cmd_open_all(options, ret);

	return r == CMD_OK ? cmd_make_plan(ret, NULL, 0) : r;
}

void cmd_close(struct cmd_session *session)
{
	plan_clear(&session->plan);
	rule_set_clear(&session->rules);
	conf_clear(&session->conf);
	free(session->daemon_dirs);
	json_free(session->daemon);
	link_states_clear(&session->states);
	observe_close(session->observe);
}

int cmd_refresh(struct cmd_session *session)
{
	int r = observe_refresh(session->observe);

	if (r < 0)
		return cmd_error("Failed to read interfaces: %s", strerror(-r));
	link_table_stack(&session->observe->links);
	return CMD_OK;
}

struct link *cmd_find_link(const struct cmd_session *session, const char *name)
{
	struct link_table *links = &session->observe->links;
	struct link *found = link_table_find_name(links, name);
	_cleanup_free_ const char **names = NULL;
	char why[256];
	size_t n = 0;

	if (found)
		return found;
	names = calloc(link_table_count(links) + 1, sizeof(*names));
	if (names) {
		link_table_foreach (links, link)
			names[n++] = link->name;
	}
	options_unknown("interface", name, names, n, why, sizeof(why));
	cmd_error("%s", why);
	return NULL;
}

int cmd_open_link(const struct cmd_options *options, const char *name, struct cmd_session *ret, struct link **ret_link)
{
	int r = cmd_open(options, ret);

	if (r == CMD_OK)
		r = cmd_refresh(ret);
	*ret_link = r == CMD_OK ? cmd_find_link(ret, name) : NULL;
	return *ret_link ? CMD_OK : CMD_ERROR;
}

static volatile int stop_signal;

static void on_signal(int number)
{
	stop_signal = number;
}

const volatile int *cmd_catch_signals(void)
{
	const struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	return &stop_signal;
}

int cmd_ended(int error, const char *why, const char *verb)
{
	if (stop_signal)
		return cmd_error("interrupted; nothing was left behind");
	return why[0] ? cmd_error("%s", why) : cmd_error("Failed to %s: %s", verb, strerror(-error));
}

bool cmd_is_agreed(void)
{
	char answer[16] = "";

	return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

int cmd_make_plan(struct cmd_session *session, char **names, int n_names)
{
	_cleanup_free_ int *only = NULL;
	int r = 0;

	if (n_names > 0) {
		only = calloc((size_t)n_names, sizeof(*only));
		if (!only)
			return cmd_error("%s", strerror(ENOMEM));
	}
	for (int i = 0; i < n_names; i++) {
		const struct link *link = cmd_find_link(session, names[i]);

		if (!link)
			return CMD_ERROR;
		only[i] = link->ifindex;
	}
	if (!session->has_states)
		r = cmd_read_states(session);
	session->has_states = true;
	plan_clear(&session->plan);
	if (r >= 0)
		r = plan_make(
			&session->context, &session->observe->links, only, (size_t)n_names, &session->plan);
	return r < 0 ? cmd_error("Failed to make a plan: %s", strerror(-r)) : CMD_OK;
}

int cmd_exit_code(const struct cmd_session *session, int code)
{
	return session->rules.n_errors || session->plan.unread ? CMD_ERROR : code;
}
