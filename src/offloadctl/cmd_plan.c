/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan, apply, revert: show and repair differences, restore original values. */
#include "offloadctl/cmd.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <unistd.h>

#include "report/json.h"
#include "basic/util.h"

/* Later rounds repair what cannot be predicted: what the device below offers to VLANs, and changes by other programs. */
#define ROUNDS_MAX 4

/* Everything that apply did, over its rounds. */
struct work {
	struct apply_report done;
	int error; /* why it ended early: -EPERM by the kernel; -EIO: the result could not be read */
	bool shown; /* the plan was shown and confirmed */
};

static void work_clear(struct work *work)
{
	apply_report_clear(&work->done);
}

static int no_permission(const char *command)
{
	return cmd_error("%s requires CAP_NET_ADMIN; run it as root", command);
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
		return cmd_error("no valid rule");
	for (; *dir; dir++)
		util_append(dirs, sizeof(dirs), "%s%s", dirs[0] ? ", " : "", *dir);
	return cmd_error("no rules in %s", dirs);
}

/* Opens the session and makes the plan. insist: also for features that are paused or contended in offloadd. CMD_OK or CMD_ERROR. */
static int start(const struct cmd_options *options, int n_names, char **names, bool insist,
	struct cmd_session *ret)
{
	int r = cmd_open_all(options, ret);

	if (r != CMD_OK)
		return r;
	if (nothing_declared(ret))
		return no_rules(ret);
	ret->has_states = insist;
	return cmd_make_plan(ret, names, n_names);
}

int cmd_plan(const struct cmd_options *options, int argc, char **argv)
{
	_cleanup_(cmd_close) struct cmd_session s = { 0 };
	int r;

	if (options->snapshot)
		return cmd_rehearse(options, argc, argv);
	if (options->sample || options->kernel)
		return cmd_error("--%s requires --snapshot", options->sample ? "sample" : "kernel");
	r = start(options, argc, argv, false, &s);
	if (r == CMD_OK)
		r = cmd_warn(&s);
	if (r != CMD_OK)
		return r;
	s.view.exit_code = cmd_exit_code(&s, plan_exit_code(&s.plan));
	if (options->json)
		return cmd_written(json_write_plan(stdout, &s.view), s.view.exit_code);
	render_plan(&s.render, &s.view);
	return s.view.exit_code;
}

/* Appends the results of a round. */
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

/* Applies, reads and plans in rounds until no steps are left. The session has the last plan afterwards. */
static int carry_out(struct cmd_session *s, struct ledger *ledger, struct work *work, char **names,
	int n_names, struct plan *ret_first)
{
	for (int round = 0; round < ROUNDS_MAX && s->plan.n_steps && !work->error; round++) {
		_cleanup_(apply_report_clear) struct apply_report report = { 0 };
		int r = apply_plan(s->observe, &s->plan, ledger, &report);

		apply_wait_late(s->observe, &s->plan, &report);
		if (r >= 0)
			r = apply_learn(&s->plan, &report, util_now_usec(), &s->states);
		if (r >= 0)
			r = add_results(work, &report);
		if (r < 0)
			return cmd_error("Failed to apply the plan: %s", strerror(-r));
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
		if (work->done.results[i].changed ||
			!link_limits_equal(&work->done.results[i].limits_before, &work->done.results[i].limits_after))
			return true;
	return false;
}

/* Steps that are left are an error. Rules in audit mode have none. */
static int apply_exit_code(const struct cmd_session *s, const struct work *work)
{
	int code = plan_exit_code(&s->plan) & CMD_UNMET;

	if (work->error || s->plan.n_steps)
		return CMD_ERROR;
	if (s->options->detailed_exit_codes && changed_something(work))
		code |= CMD_PENDING;
	return cmd_exit_code(s, code);
}

/* *ret_lost: the file was unusable. */
static int open_ledger(const struct cmd_session *s, struct ledger **ret, bool *ret_lost)
{
	char why[256] = "";
	int r = ledger_open_in(s->options->elsewhere ? &s->options->identity : NULL, s->options->ledger, s->view.features, ret, why,
		sizeof(why));

	if (r == -EACCES && !util_has_capability(CAP_NET_ADMIN))
		return no_permission("revert");
	if (r < 0)
		return cmd_error("Failed to open %s: %s",
			s->options->ledger ? s->options->ledger : LEDGER_DEFAULT_PATH,
			why[0] ? why : strerror(-r));
	if (r > 0)
		cmd_error("Failed to read the ledger %s: %s; moved it to %s.bad", (*ret)->path, why, (*ret)->path);
	*ret_lost = r > 0;
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
	if (!work->shown)
		render_found(&s->render, &before);
	render_results(&s->render, s->view.features, &work->done);
	render_side_effects(&s->render, &before, &work->done);
	render_state(&s->render, &s->view);
	fflush(stdout);
	if (work->error == -EPERM)
		no_permission("apply");
	else if (!work->error && s->plan.n_steps)
		cmd_error("not compliant after %d rounds: another program changes these interfaces, too",
			ROUNDS_MAX);
	return s->view.exit_code;
}

/* Would both plans send the same requests? */
static bool same_steps(const struct plan *a, const struct plan *b)
{
	if (a->n_steps != b->n_steps)
		return false;
	for (size_t i = 0; i < a->n_steps; i++)
		if (a->steps[i].ifindex != b->steps[i].ifindex || a->steps[i].mask != b->steps[i].mask ||
			a->steps[i].value != b->steps[i].value || a->steps[i].limits.has != b->steps[i].limits.has ||
			!link_limits_equal(&a->steps[i].limits, &b->steps[i].limits))
			return false;
	return true;
}

static bool is_confirmed(const struct plan *plan)
{
	printf("\nCarry out %s? [y/N] ", plan->n_steps == 1 ? "this step" : "these steps");
	fflush(stdout);
	return cmd_is_agreed();
}

/* On a terminal, shows the plan and asks. Asks again if the plan changed meanwhile. 1: carry out the plan of the session; 0: do not; negative
 * after an error, which was printed. */
static int confirm(struct cmd_session *s, char **names, int n_names, bool *ret_shown)
{
	const struct cmd_options *options = s->options;

	if (options->yes || options->json || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return 1;
	*ret_shown = true;
	while (s->plan.n_steps) {
		_cleanup_(plan_clear) struct plan shown = { 0 };

		render_plan(&s->render, &s->view);
		if (!is_confirmed(&s->plan))
			return 0;
		shown = s->plan;
		s->plan = (struct plan){ 0 };
		if (cmd_refresh(s) != CMD_OK || cmd_make_plan(s, names, n_names) != CMD_OK)
			return -EIO;
		if (same_steps(&shown, &s->plan))
			return 1;
		puts("The interfaces changed meanwhile. The new plan:\n");
	}
	render_plan(&s->render, &s->view);
	return 0;
}

int cmd_apply(const struct cmd_options *options, int argc, char **argv)
{
	_cleanup_(ledger_close_pointer) struct ledger *ledger = NULL;
	_cleanup_(plan_clear) struct plan first = { 0 };
	_cleanup_(work_clear) struct work work = { 0 };
	_cleanup_(cmd_close) struct cmd_session s;
	bool lost;
	int r = start(options, argc, argv, argc > 0, &s);

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
	if (!util_has_capability(CAP_NET_ADMIN))
		return no_permission("apply");
	r = confirm(&s, argv, argc, &work.shown);
	if (r <= 0) {
		if (r == 0)
			puts("Nothing was changed.");
		return r < 0 ? CMD_ERROR : cmd_exit_code(&s, plan_exit_code(&s.plan));
	}
	r = open_ledger(&s, &ledger, &lost);
	if (r != CMD_OK)
		return r;
	ledger->save_first = true;
	r = carry_out(&s, ledger, &work, argv, argc, &first);
	if (r != CMD_OK)
		return r;
	r = ledger_save(ledger, s.view.features);
	if (r < 0)
		return cmd_error("Failed to write %s: %s", ledger->path, strerror(-r));
	return report_apply(&s, &work, &first);
}

static int revert_exit_code(const struct apply_report *report)
{
	int code = CMD_OK;

	for (size_t i = 0; i < report->n_results; i++)
		if (report->results[i].error || apply_result_missed(&report->results[i]))
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
		printf("nothing to restore%s%s\n", link ? " on " : "", link ? link : "");
	render_results(&s->render, s->view.features, report);
	if (report->n_results)
		render_revert_summary(&s->render, report);
	return code;
}

/* What revert would set, as a report. */
static int plan_revert(const struct cmd_session *s, const struct ledger *ledger, const char *only,
	struct apply_report *ret)
{
	_cleanup_free_ struct link **links = NULL;
	size_t n;
	int r = link_table_sorted(s->view.links, &links, &n);

	if (r < 0)
		return r;
	ret->results = calloc(2 * n + 1, sizeof(*ret->results));
	if (!ret->results)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct ledger_link *entry = ledger_find(ledger, links[i]);

		if (!entry || (only && strcmp(only, links[i]->name) != 0))
			continue;
		for (int limits = 0; limits < 2; limits++) {
			struct apply_result *result = &ret->results[ret->n_results];

			if (limits ? !entry->limits.has : !entry->mask)
				continue;
			*result = (struct apply_result){
				.ifindex = links[i]->ifindex,
				.asked = limits ? 0 : entry->mask,
				.value = limits ? 0 : entry->value & entry->mask,
				.before = links[i]->features,
				.after = links[i]->features,
				.limits_before = links[i]->limits,
				.limits_after = links[i]->limits,
			};
			if (limits)
				result->limits = entry->limits;
			memcpy(result->name, links[i]->name, sizeof(result->name));
			ret->n_results++;
		}
	}
	return 0;
}

static int revert_dry(struct cmd_session *s, const char *only)
{
	_cleanup_(ledger_close_pointer) struct ledger *ledger = NULL;
	_cleanup_(apply_report_clear) struct apply_report report = { 0 };
	char why[256];
	int r = ledger_read(s->options->ledger, s->view.features, &ledger, why, sizeof(why));

	if (r >= 0)
		r = plan_revert(s, ledger, only, &report);
	if (r < 0)
		return cmd_error("Failed to read original values: %s", why[0] ? why : strerror(-r));
	if (s->options->json)
		return cmd_written(json_write_revert(stdout, s->view.features, &report, CMD_OK), CMD_OK);
	if (report.n_results == 0)
		printf("nothing to restore%s%s\n", only ? " on " : "", only ? only : "");
	else
		render_revert_plan(&s->render, s->view.features, &report);
	return CMD_OK;
}

static int revert_by_file(struct cmd_session *s, const char *const *only)
{
	_cleanup_(ledger_close_pointer) struct ledger *ledger = NULL;
	_cleanup_(apply_report_clear) struct apply_report report = { 0 };
	bool lost = false;
	int r, code = open_ledger(s, &ledger, &lost);

	if (code != CMD_OK)
		return code;
	if (ledger->links && ledger_is_foreign(s->options->ledger))
		return cmd_error("offloadd is not running, and its ledger %s does not belong to root; start offloadd, or to trust the "
			"file, run: offloadctl revert --ledger %s", ledger->path, ledger->path);
	if (ledger->links && !util_has_capability(CAP_NET_ADMIN))
		return no_permission("revert");
	r = apply_revert(s->observe, ledger, only[0] ? only : NULL, &report);
	if (r < 0)
		cmd_error(report.n_results ? "Failed to write %s: %s; the features were restored"
					   : "Failed to restore the features in %s: %s",
			ledger->path, strerror(-r));
	code = r < 0 || lost ? CMD_ERROR : revert_exit_code(&report);
	return report_revert(s, only[0], &report, code);
}

int cmd_revert(const struct cmd_options *options, int argc, char **argv)
{
	_cleanup_(apply_report_clear) struct apply_report report = { 0 };
	_cleanup_(cmd_close) struct cmd_session s = { 0 };
	const char *only[2] = { argc ? argv[0] : NULL, NULL };
	int r;

	if (options->ledger && options->control)
		return cmd_error("--ledger and --control cannot be used together: --ledger reverts without offloadd");
	r = cmd_open(options, &s);
	if (r == CMD_OK)
		r = cmd_refresh(&s);
	if (r != CMD_OK)
		return CMD_ERROR;
	if (argc) {
		const struct link *link = cmd_find_link(&s, argv[0]);

		if (!link)
			return CMD_ERROR;
		only[0] = link->name; /* it may be an alternative one */
	}
	if (options->dry_run)
		return revert_dry(&s, only[0]);
	if (options->ledger && cmd_is_enforced(options))
		return cmd_error("offloadd is enforcing and would change it again at once; omit --ledger");
	if (options->ledger)
		return revert_by_file(&s, only);
	r = cmd_revert_by_daemon(options, only[0], s.view.features, &report);
	if (r == CMD_NO_DAEMON)
		return revert_by_file(&s, only);
	return r == CMD_OK ? report_revert(&s, only[0], &report, revert_exit_code(&report)) : r;
}
