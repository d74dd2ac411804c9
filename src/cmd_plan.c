/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan, apply, revert: what differs, and putting it right. */
#include "cmd.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "json.h"
#include "util.h"

/* After the first round only what could not be foreseen is left: what the device below offers to
 * VLANs, somebody else's change in the middle. */
#define ROUNDS_MAX 4

/* Everything that apply did, over its rounds; what it learned is asked by the next plan. */
struct work {
	struct apply_report done;
	int error; /* what ended it early: -EPERM when the kernel said so, -EIO when what was done
		      cannot be looked at */
};

static void work_clear(struct work *work)
{
	apply_report_clear(&work->done);
}

static bool may_change_links(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data) < 0)
		return true; /* then the kernel will tell */
	return data[CAP_TO_INDEX(CAP_NET_ADMIN)].effective & CAP_TO_MASK(CAP_NET_ADMIN);
}

static int no_permission(const char *command)
{
	return cmd_error("%s needs the capability CAP_NET_ADMIN; run it as root", command);
}

static bool nothing_declared(const struct cmd_session *s)
{
	return s->rules.n_rules == 0;
}

static int no_rules(const struct cmd_session *s)
{
	char dirs[1024] = "";
	const char *const *dir = s->rule_dirs;

	if (s->rules.n_errors)
		return cmd_error("no rule can be used");
	for (; *dir; dir++)
		util_append(dirs, sizeof(dirs), "%s%s", dirs[0] ? ", " : "", *dir);
	return cmd_error("there is no rule in %s", dirs);
}

/* Opens everything and makes the plan. CMD_OK or CMD_ERROR. */
static int start(
	const struct cmd_options *options, int n_names, char **names, struct cmd_session *ret)
{
	int r = cmd_open_all(options, ret);

	if (r != CMD_OK)
		return r;
	if (nothing_declared(ret))
		return no_rules(ret);
	return cmd_make_plan(ret, names, n_names);
}

int cmd_plan(const struct cmd_options *options, int argc, char **argv)
{
	_cleanup_(cmd_close) struct cmd_session s;
	int r = start(options, argc, argv, &s);

	if (r != CMD_OK)
		return r;
	s.view.exit_code = cmd_exit_code(&s, plan_exit_code(&s.plan));
	if (options->json)
		return cmd_written(json_write_plan(stdout, &s.view), s.view.exit_code);
	render_plan(&s.render, &s.view);
	return s.view.exit_code;
}

/* The last result that asked this of a feature of a link. */
static const struct apply_result *last_asked(
	const struct work *work, int ifindex, unsigned bit, bool value)
{
	for (size_t i = work->done.n_results; i-- > 0;) {
		const struct apply_result *result = &work->done.results[i];

		if (result->ifindex == ifindex && (result->asked & FEATURE(bit)) &&
			!(result->value & FEATURE(bit)) == !value)
			return result;
	}
	return NULL;
}

static bool is_refused(
	int ifindex, unsigned bit, bool value, char *text, size_t size, void *userdata)
{
	const struct apply_result *result = last_asked(userdata, ifindex, bit, value);

	if (!result || !result->error || result->error == -ENODEV)
		return false;
	if (text)
		snprintf(text, size, "%s",
			result->text[0] ? result->text : strerror(-result->error));
	return true;
}

static bool is_futile(int ifindex, unsigned bit, bool value, void *userdata)
{
	const struct apply_result *result = last_asked(userdata, ifindex, bit, value);

	return result && !result->error && (result->missed & FEATURE(bit));
}

/* Adds the results of a round to those before it. Takes the round's array. */
static int add_results(struct work *work, struct apply_report *round)
{
	struct apply_result *results;
	size_t n = work->done.n_results;

	for (size_t i = 0; i < round->n_results; i++)
		if (round->results[i].error == -EPERM)
			work->error = -EPERM;
	if (round->n_results == 0)
		return 0;
	results = reallocarray(work->done.results, n + round->n_results, sizeof(*results));
	if (!results)
		return -ENOMEM;
	memcpy(results + n, round->results, round->n_results * sizeof(*results));
	work->done.results = results;
	work->done.n_results = n + round->n_results;
	return 0;
}

/* Rounds of apply, read, plan, until nothing is left to do. On return the session holds the last
 * plan. */
static int carry_out(struct cmd_session *s, struct ledger *ledger, struct work *work, char **names,
	int n_names, struct plan *ret_first)
{
	s->context.is_refused = is_refused;
	s->context.is_futile = is_futile;
	s->context.userdata = work;
	for (int round = 0; round < ROUNDS_MAX && s->plan.n_steps && !work->error; round++) {
		_cleanup_(apply_report_clear) struct apply_report report = { 0 };
		int r = apply_plan(s->observe, &s->plan, ledger, &report);

		if (r >= 0)
			r = add_results(work, &report);
		if (r < 0)
			return cmd_error("cannot carry out the plan: %s", strerror(-r));
		if (round == 0) {
			*ret_first = s->plan;
			s->plan = (struct plan){ 0 };
		}
		r = cmd_refresh(s);
		if (r == CMD_OK)
			r = cmd_make_plan(s, names, n_names);
		if (r != CMD_OK)
			work->error = -EIO;
	}
	return CMD_OK;
}

static bool changed_something(const struct work *work)
{
	for (size_t i = 0; i < work->done.n_results; i++)
		if (work->done.results[i].changed)
			return true;
	return false;
}

/* A plan with steps left is one that could not be finished. What is only audited is no concern of
 * apply's. */
static int apply_exit_code(const struct cmd_session *s, const struct work *work)
{
	int code = plan_exit_code(&s->plan) & CMD_UNMET;

	if (work->error || s->plan.n_steps)
		return CMD_ERROR;
	if (s->options->detailed_exit_codes && changed_something(work))
		code |= CMD_PENDING;
	return cmd_exit_code(s, code);
}

static int open_ledger(const struct cmd_session *s, struct ledger **ret)
{
	char why[256] = "";
	int r = ledger_open(s->options->ledger, s->view.features, ret, why, sizeof(why));

	if (r < 0)
		return cmd_error("cannot open %s: %s",
			s->options->ledger ? s->options->ledger : LEDGER_DEFAULT_PATH,
			strerror(-r));
	if (r > 0)
		cmd_error("%s", why);
	return CMD_OK;
}

static int report_apply(struct cmd_session *s, const struct work *work, const struct plan *first)
{
	struct view before = s->view;

	before.plan = first;
	s->view.exit_code = apply_exit_code(s, work);
	if (s->options->json)
		return cmd_written(json_write_apply(stdout, &before, &work->done, &s->view),
			s->view.exit_code);
	render_differences(&s->render, &before);
	render_results(&s->render, s->view.features, &work->done);
	render_followers(&s->render, &before, &work->done);
	render_state(&s->render, &s->view);
	fflush(stdout);
	if (work->error == -EPERM)
		no_permission("apply");
	else if (!work->error && s->plan.n_steps)
		cmd_error("not as declared after %d rounds: somebody else changes these links too",
			ROUNDS_MAX);
	return s->view.exit_code;
}

int cmd_apply(const struct cmd_options *options, int argc, char **argv)
{
	_cleanup_(ledger_close_pointer) struct ledger *ledger = NULL;
	_cleanup_(plan_clear) struct plan first = { 0 };
	_cleanup_(work_clear) struct work work = { 0 };
	_cleanup_(cmd_close) struct cmd_session s;
	int r = start(options, argc, argv, &s);

	if (r != CMD_OK)
		return r;
	if (s.plan.n_steps == 0) {
		s.view.exit_code = apply_exit_code(&s, &work);
		if (options->json)
			return cmd_written(json_write_apply(stdout, &s.view, &work.done, &s.view),
				s.view.exit_code);
		render_state(&s.render, &s.view);
		return s.view.exit_code;
	}
	if (!may_change_links())
		return no_permission("apply");
	r = open_ledger(&s, &ledger);
	if (r != CMD_OK)
		return r;
	ledger->save_first = true;
	r = carry_out(&s, ledger, &work, argv, argc, &first);
	if (r != CMD_OK)
		return r;
	r = ledger_save(ledger, s.view.features);
	if (r < 0)
		return cmd_error("cannot write %s: %s", ledger->path, strerror(-r));
	return report_apply(&s, &work, &first);
}

static int revert_exit_code(const struct apply_report *report)
{
	int code = CMD_OK;

	for (size_t i = 0; i < report->n_results; i++)
		if (report->results[i].error || report->results[i].missed)
			code = CMD_UNMET;
	for (size_t i = 0; i < report->n_results; i++)
		if (report->results[i].error == -EPERM)
			code = no_permission("revert");
	return code;
}

static int report_revert(struct cmd_session *s, const char *link, const struct apply_report *report, int code)
{
	if (s->options->json)
		return cmd_written(json_write_revert(stdout, s->view.features, report, code), code);
	if (report->n_results == 0 && code == CMD_OK)
		printf("nothing to put back%s%s\n", link ? " on " : "", link ? link : "");
	render_results(&s->render, s->view.features, report);
	return code;
}

int cmd_revert(const struct cmd_options *options, int argc, char **argv)
{
	_cleanup_(ledger_close_pointer) struct ledger *ledger = NULL;
	_cleanup_(apply_report_clear) struct apply_report report = { 0 };
	_cleanup_(cmd_close) struct cmd_session s;
	const char *only[2] = { argc ? argv[0] : NULL, NULL };
	int r, code;

	r = cmd_open(options, &s);
	if (r == CMD_OK)
		r = cmd_refresh(&s);
	if (r != CMD_OK || (argc && !cmd_find_link(&s, argv[0])))
		return CMD_ERROR;
	if (!options->ledger) {
		r = cmd_revert_by_daemon(options, only[0], s.view.features, &report);
		if (r != CMD_NO_DAEMON)
			return r == CMD_OK ? report_revert(&s, only[0], &report, revert_exit_code(&report)) : r;
	}
	r = open_ledger(&s, &ledger);
	if (r != CMD_OK)
		return r;
	if (ledger->links && !may_change_links())
		return no_permission("revert");
	r = apply_revert(s.observe, ledger, argc ? only : NULL, &report);
	if (r < 0)
		cmd_error(report.n_results ? "put back, but cannot write %s: %s"
					   : "cannot put back what %s holds: %s",
			ledger->path, strerror(-r));
	code = r < 0 ? CMD_ERROR : revert_exit_code(&report);
	return report_revert(&s, only[0], &report, code);
}
