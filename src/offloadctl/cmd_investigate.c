/* SPDX-License-Identifier: GPL-2.0-or-later */
/* investigate: observes the host for a while, then prints diagnoses and the evidence. */
#include "offloadctl/cmd_answer.h"
#include "offloadctl/cmd_service.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/utsname.h>

#include "control/methods.h"
#include "offloadctl/cmd_investigate.h"
#include "evidence/lingering.h"
#include "report/json_investigation.h"
#include "report/json_services.h"
#include "kernel/ksyms.h"
#include "report/render_investigation.h"
#include "kernel/softirq.h"

#define FOR_DEFAULT_USEC (10 * USEC_PER_SEC)
#define FOR_MAX_USEC (3600 * USEC_PER_SEC)
#define SENDERS_COST_FACTOR 20

_Static_assert(INVESTIGATION_FRAME_LEN == KSYMS_NAME_LEN, "names of investigation.h and ksyms.h");

struct watch {
	const struct cmd_options *options;
	struct cmd_session session;
	struct cmd_scope scope;
	struct probe *probe;
	struct probe_latency *latency;
	struct probe_status latency_status;
	struct probe_rates *rates;
	struct softirqs *before, *after;
	struct investigation result;
	struct probe_stack *stacks;
	size_t n_stacks;
	uint64_t found[RATE_KINDS]; /* events of each rate that have a service and a link */
	struct probe_lost lost_before;
	struct probe_latency_lost calls_before;
	struct lingering lingering;
	bool refuses_udp; /* this kernel does, for a missing checksum */
	uint64_t senders_usec; /* not before: resolving senders */
};

static void watch_close(struct watch *w)
{
	probe_rates_close(w->rates);
	probe_latency_close(w->latency);
	probe_close(w->probe);
	cmd_scope_close(&w->scope);
	free(w->before);
	free(w->after);
	free(w->stacks);
	investigation_clear(&w->result);
	cmd_close(&w->session);
}

static bool is_whole_host(const struct watch *w)
{
	return !w->options->unit && !w->scope.ifindex;
}

/* While it runs, because sockets and processes may be gone at the end. */
static void note_sender(const struct probe_hits *hits, void *userdata)
{
	struct watch *w = userdata;

	if (hits->origin == FALLBACK_SOCKET)
		(void)senders_note(&w->scope.collect.senders, hits);
}

/* Resolving them takes time: not more than a part of it. */
static void note_senders(void *userdata)
{
	uint64_t begin_usec = util_now_usec();
	struct watch *w = userdata;

	(void)probe_read_events(w->probe, note_sender, w);
	if (begin_usec < w->senders_usec)
		return;
	(void)senders_find(&w->scope.collect.senders);
	w->senders_usec = begin_usec + (util_now_usec() - begin_usec) * SENDERS_COST_FACTOR;
}

static void take_hits(struct watch *w, const struct probe_hits *hits)
{
	char service[UNIT_SERVICE_LEN], name[LINK_NAME_LEN];
	struct investigation *i = &w->result;
	const struct link *link = collect_find_link(&w->scope.collect, hits->netns, hits->ifindex);
	struct evidence_fallback *row;
	struct unit unit;

	senders_name(&w->scope.collect.senders, hits, &unit, service);
	if (!hits->hits || (hits->origin != FALLBACK_SOCKET && w->options->unit) || collect_is_elsewhere(&w->scope.collect, hits) ||
		!cmd_scope_has_service(&w->scope, hits->netns, hits->ifindex, &unit, service))
		return;
	row = collect_hits(&i->evidence, hits, service, cmd_scope_link(&w->scope, hits->netns, hits->ifindex, name),
		util_now_usec());
	if (!row)
		return;
	row->ifindex = link ? link->ifindex : 0;
	i->rates[investigation_rate_of(hits->kind)].n += hits->hits;
}

/* Without an inventory: see lingering.h. */
static void take_lingering(struct watch *w, const struct probe_hits *hits)
{
	struct sender *sender = senders_note(&w->scope.collect.senders, hits);
	struct evidence_stale row = { .missing = feature_named(&w->result.evidence.features, "tx-scatter-gather") };

	if (!sender || !sender->held || collect_is_elsewhere(&w->scope.collect, hits) ||
		!lingering_is_stale(&w->lingering, hits->last_usec, util_now_usec()) ||
		!cmd_scope_has_service(&w->scope, hits->netns, hits->ifindex, &sender->unit, sender->service))
		return;
	row.unit = sender->unit;
	snprintf(row.service, sizeof(row.service), "%s", sender->service);
	evidence_add_stale(&w->result.evidence, &row);
}

/* Negative errno. */
static int take_fallback(struct watch *w)
{
	_cleanup_free_ struct probe_hits *hits = NULL;
	struct evidence *e = &w->result.evidence;
	size_t n = 0;
	int r;

	note_senders(w);
	r = collect_read_hits(&w->scope.collect, w->probe, true, &hits, &n);
	(void)senders_find(&w->scope.collect.senders);
	lingering_note_links(&w->lingering, w->session.view.links, w->session.view.features, util_now_usec());
	e->has_lingering = !e->has_sockets && w->result.rates[INVESTIGATION_COPIED].known && w->lingering.whole_usec;
	for (size_t i = 0; r >= 0 && i < n; i++) {
		take_hits(w, &hits[i]);
		if (e->has_lingering)
			take_lingering(w, &hits[i]);
	}
	return r;
}

/* Negative errno. */
static int take_stale(struct watch *w)
{
	struct evidence *e = &w->result.evidence;
	struct stale_set set = { 0 };
	int r = collect_stale(&w->scope.collect, w->probe, &set);

	for (struct stale *stale = set.all; r >= 0 && stale; stale = stale->hh.next) {
		const struct stale_key *key = &stale->key;

		if (!cmd_scope_has_service(&w->scope, key->netns, key->ifindex, &stale->found.unit, stale->found.service))
			continue;
		cmd_scope_link(&w->scope, key->netns, key->ifindex, stale->found.link);
		evidence_add_stale(e, &stale->found);
	}
	e->sockets_dropped += set.dropped;
	stale_clear(&set);
	e->has_sockets = r >= 0;
	return r == -EOPNOTSUPP ? 0 : r;
}

static void note_absent(struct watch *w, const char *what, const char *why)
{
	evidence_add_probe(&w->result.evidence, &(struct evidence_probe){ what, "", NULL, why, false });
}

/* Only offloadd knows who gave up UDP segmentation: that shows after the repair. */
static void take_senders(struct watch *w)
{
	_cleanup_(evidence_clear) struct evidence known = { 0 };
	_cleanup_json_ struct json_value *answer = NULL;
	struct evidence *e = &w->result.evidence;
	char why[JSON_WHY_LEN] = "";
	struct json_reader reader = { .why = why, .why_size = sizeof(why) };
	int code = cmd_call(w->options, "services", METHODS_INTERFACE ".GetServices", NULL, CLIENT_ANSWER_USEC, &answer);
	bool read = code == CMD_OK && json_read_services(&reader, answer, &known) == 0;

	w->result.senders_unseen =
		w->refuses_udp && (!read || !known.has_fallback || evidence_unobserved(&known) & 1U << FALLBACK_UDP);
	if (w->result.senders_unseen)
		note_absent(w, "senders that gave up UDP segmentation", code == CMD_NO_DAEMON ? "offloadd is not running"
			: "offloadd does not show refused UDP sends");
	if (!read)
		return;
	e->udp_undecided = known.udp_undecided;
	if (e->udp_undecided)
		note_absent(w, "UDP segmentation", "processes have sent too little since it was refused");
	for (size_t i = 0; i < known.n_stale; i++) {
		const struct evidence_stale *of = &known.stale[i];
		struct evidence_stale *row;

		if (!of->senders || !cmd_scope_has_service(&w->scope, w->scope.collect.netns, of->ifindex, &of->unit, of->service))
			continue;
		row = evidence_stale_row(e, of->service, of->link);
		if (!row)
			return;
		row->unit = of->unit;
		row->ifindex = of->ifindex;
		row->senders = of->senders;
		row->missing |= evidence_add_feature(e, "tx-udp-segmentation");
	}
}

/* The advice, as offloadd gives it. Negative errno. */
static int set_remedies(struct watch *w)
{
	struct evidence *e = &w->result.evidence;
	int r = cmd_make_plan(&w->session, NULL, 0) == CMD_OK ? plan_keep(&w->session.plan, &w->session.states) : -EIO;

	if (r < 0)
		return r;
	for (size_t i = 0; i < e->n_fallback; i++) {
		struct evidence_fallback *row = &e->fallback[i];
		const struct link *link = link_table_find(w->session.view.links, row->ifindex);
		const struct link_state *state = link_states_find(&w->session.states, row->ifindex);

		evidence_set_missing(row, &e->features, link ? &link->features : NULL);
		evidence_set_remedy(e, row, state && state->result.declared ? &state->result : NULL);
	}
	return 0;
}

static void take_rate(const struct probe_rate *rate, void *userdata)
{
	char service[UNIT_SERVICE_LEN];
	struct watch *w = userdata;

	w->found[rate->kind] += rate->count;
	if (cmd_scope_has(&w->scope, rate->cgroup, rate->netns, rate->ifindex, service))
		w->result.rates[rate->kind].n += rate->count;
}

static void take_stack(const struct probe_stack *stack, void *userdata)
{
	char service[UNIT_SERVICE_LEN];
	struct watch *w = userdata;

	if (w->n_stacks < INVESTIGATION_LIST_MAX &&
		cmd_scope_has(&w->scope, stack->cgroup, stack->netns, stack->ifindex, service) && GROW(w->stacks, w->n_stacks))
		w->stacks[w->n_stacks++] = *stack;
}

static int name_stacks(struct watch *w)
{
	_cleanup_free_ struct ksyms_address *addresses =
		calloc(w->n_stacks * STACK_DEPTH + 1, sizeof(*addresses));
	size_t n = 0;
	int r;

	if (!addresses)
		return -ENOMEM;
	for (size_t k = 0; k < w->n_stacks; k++)
		for (unsigned f = 0; f < w->stacks[k].n; f++)
			addresses[n++].address = w->stacks[k].addresses[f];
	r = ksyms_resolve(addresses, n);
	if (r < 0) {
		note_absent(w, "names of kernel functions", r == -EACCES ? "hidden by kernel.kptr_restrict" : strerror(-r));
		return 0;
	}
	for (size_t k = 0; k < w->n_stacks; k++) {
		struct investigation_stack *stack = investigation_add_stack(&w->result);

		if (!stack)
			return 0;
		stack->count = w->stacks[k].count;
		for (unsigned f = 0; f < w->stacks[k].n; f++) {
			const char *name = ksyms_name(addresses, n, w->stacks[k].addresses[f]);

			snprintf(stack->frames[stack->n++], INVESTIGATION_FRAME_LEN, "%s", name ? name : "?");
		}
	}
	return 0;
}

/* "udp: Allow GSO transmit from devices with no checksum offload", 6.11. Later kernels refuse only UDP-Lite and IPsec in that place. An
 * unknown version counts as earlier. */
static bool is_before_6_11(const char *kernel)
{
	unsigned major, minor;

	return sscanf(kernel, "%u.%u", &major, &minor) != 2 || major < 6 || (major == 6 && minor < 11);
}

/* Notes which probes are available. */
static void note_probes(struct watch *w)
{
	struct investigation *i = &w->result;
	const struct probe_status *status;
	size_t n;

	status = probe_status(w->probe, &n);
	for (size_t k = 0; k < n; k++) {
		enum fallback_kind kind = strcmp(status[k].name, EVIDENCE_BY_PROCESS) ? evidence_kind_parse(status[k].name)
										      : FALLBACK_SENDPAGE;

		if (kind < FALLBACK_KINDS)
			i->rates[investigation_rate_of(kind)].known |= status[k].method != PROBE_ABSENT ||
				(kind == FALLBACK_UDP && status[k].other_kernels); /* this kernel refuses none */
		w->refuses_udp |= kind == FALLBACK_UDP && status[k].method != PROBE_ABSENT && is_before_6_11(i->kernel);
		if (strncmp(status[k].name, "feature ", 8))
			collect_probe(&i->evidence, &status[k]);
	}
	status = probe_rates_status(w->rates);
	for (unsigned k = 0; k < RATE_KINDS; k++) {
		i->rates[k].known = status[k].method != PROBE_ABSENT;
		collect_probe(&i->evidence, &status[k]);
	}
}

/* Negative errno. */
static int open_probes(struct watch *w)
{
	const struct feature_table *features = w->session.view.features;
	const struct probe_options how = { .features = features, .no_changes = true, .by_socket = true };
	int r;

	w->result.evidence.features = *features;
	w->before = malloc(sizeof(*w->before));
	w->after = malloc(sizeof(*w->after));
	if (!w->before || !w->after)
		return -ENOMEM;
	r = probe_open(&how, &w->probe);
	if (r < 0)
		return r;
	w->scope.collect.senders.probe = w->probe;
	r = probe_rates_open(features, &w->rates);
	if (r < 0)
		return r;
	r = probe_latency_open(features, true, &w->latency, &w->latency_status);
	if (r < 0 && r != -EOPNOTSUPP)
		return r;
	collect_probe(&w->result.evidence, &w->latency_status);
	note_probes(w);
	return 0;
}

/* CPUs that were online at both times. */
static void compare_cpus(struct watch *w)
{
	for (size_t k = 0; k < w->after->n; k++) {
		const struct softirq_cpu *now = &w->after->cpus[k], *then = softirq_find(w->before, now->cpu);
		struct investigation_cpu *cpu;
		struct softirq_share share;

		if (!then || !softirq_compare(then, now, &share))
			continue;
		cpu = investigation_add_cpu(&w->result);
		if (!cpu)
			return;
		cpu->cpu = now->cpu;
		cpu->busy_permille = share.busy_permille;
		cpu->softirq_permille = share.softirq_permille;
		cpu->most_runs = share.most_runs;
		if (share.most < SOFTIRQ_KINDS)
			memcpy(cpu->most, w->after->names[share.most], sizeof(cpu->most));
	}
}

static uint64_t more_than(uint64_t n, uint64_t other)
{
	return n > other ? n - other : 0;
}

/* Lost hits have no service and no link, so only the rates of the whole host include them. */
static void take_lost_hits(struct watch *w)
{
	struct probe_lost lost;

	probe_read_lost(w->probe, &lost);
	for (unsigned k = 0; k < FALLBACK_KINDS; k++) {
		struct investigation_count *rate = &w->result.rates[investigation_rate_of(k)];
		uint64_t n = more_than(lost.hits[k], w->lost_before.hits[k]);

		w->result.evidence.lost[k] = n;
		rate->lost += n;
		if (is_whole_host(w))
			rate->n += n;
	}
}

static void take_rates(struct watch *w)
{
	struct investigation_count *rates = w->result.rates;
	uint64_t totals[RATE_KINDS];

	/* totals first, so that an event in between does not count as lost */
	for (unsigned k = 0; k < RATE_KINDS; k++)
		totals[k] = probe_rates_total(w->rates, k);
	probe_rates_read(w->rates, take_rate, w);
	for (unsigned k = 0; k < RATE_KINDS; k++) {
		rates[k].lost = more_than(totals[k], w->found[k]);
		if (is_whole_host(w))
			rates[k].n = totals[k];
	}
	if (!is_whole_host(w))
		rates[RATE_WRITE_TIMER].known = false; /* has no service and no link */
}

/* Negative errno. */
static int take_latency(struct watch *w)
{
	struct evidence_latency *latency = &w->result.evidence.latency;
	struct probe_latency_lost lost;
	int r;

	w->result.evidence.has_latency = true;
	latency->elapsed_usec = w->result.elapsed_usec;
	r = cmd_scope_read_latency(&w->scope, w->latency, false, latency);
	probe_latency_read_lost(w->latency, &lost);
	latency->lost = more_than(lost.calls, w->calls_before.calls);
	latency->begun = lost.begun;
	return r;
}

static bool forget_all(_unused_ const struct probe_hits *hits, _unused_ void *userdata)
{
	return true;
}

/* Discards what was counted while the probes were being loaded. */
static void forget_counts(struct watch *w)
{
	probe_forget_hits(w->probe, forget_all, NULL);
	probe_read_lost(w->probe, &w->lost_before);
	probe_rates_reset(w->rates);
	if (w->latency) {
		probe_latency_read(w->latency, true, NULL, NULL);
		probe_latency_read_lost(w->latency, &w->calls_before);
	}
}

/* Reads all results. Negative errno. */
static int collect(struct watch *w)
{
	struct investigation *i = &w->result;
	int r;

	if (softirq_read(w->after) == 0)
		compare_cpus(w);
	r = observe_refresh(w->session.observe);
	if (r < 0)
		return r;
	link_table_stack(&w->session.observe->links);
	i->link_gone = w->scope.ifindex && !link_table_find(w->session.view.links, w->scope.ifindex);
	r = w->latency ? take_latency(w) : 0;
	if (r < 0)
		return r;
	r = take_stale(w);
	if (r >= 0)
		r = take_fallback(w);
	take_senders(w);
	take_lost_hits(w);
	if (r >= 0)
		r = set_remedies(w);
	if (r < 0)
		return r;
	take_rates(w);
	probe_rates_read_stacks(w->rates, take_stack, w);
	r = name_stacks(w);
	investigation_sort(i);
	return r;
}

static int print(struct watch *w)
{
	_cleanup_free_ struct diagnosis *diagnoses = NULL;
	size_t n;
	int r = diagnose(&w->result, &diagnoses, &n);

	if (r < 0)
		return cmd_error("Failed to diagnose: %s", strerror(-r));
	return cmd_written(w->options->json ? json_write_investigation(stdout, &w->result, diagnoses, n)
					    : render_investigation(&w->session.render, &w->result, diagnoses, n),
		CMD_OK);
}

static int investigate(struct watch *w)
{
	uint64_t limit = w->options->has_time ? w->options->time_usec : FOR_DEFAULT_USEC, begin;
	_cleanup_close_ int stop = cmd_catch_stop();
	struct utsname host;
	int r;

	if (uname(&host) == 0)
		snprintf(w->result.kernel, sizeof(w->result.kernel), "%s", host.release);
	if (w->options->unit)
		snprintf(w->result.unit, sizeof(w->result.unit), "%s", w->options->unit);
	r = stop < 0 ? stop : open_probes(w);
	if (r < 0)
		return cmd_error("Failed to start probes: %s", strerror(-r));
	forget_counts(w);
	if (softirq_read(w->before) < 0)
		w->before->n = 0;
	begin = util_now_usec();
	fprintf(stderr, "watching for %" PRIu64 " s; press Ctrl-C to end earlier\n",
		(limit + USEC_PER_SEC - 1) / USEC_PER_SEC);
	lingering_note_links(&w->lingering, w->session.view.links, w->session.view.features, begin);
	cmd_wait_stop(stop, begin + limit, probe_events_fd(w->probe), note_senders, w);
	w->result.elapsed_usec = util_now_usec() - begin;
	r = collect(w);
	if (r < 0)
		return cmd_error("Failed to collect results: %s", strerror(-r));
	return print(w);
}

/* By index, because the link may be removed during the observation. */
static int choose_link(struct watch *w)
{
	const struct link *link = cmd_find_link(&w->session, w->options->link);

	if (!link)
		return CMD_ERROR;
	w->scope.ifindex = link->ifindex;
	memcpy(w->result.only_link, link->name, sizeof(w->result.only_link));
	return CMD_OK;
}

int cmd_investigate(const struct cmd_options *options, _unused_ int argc, _unused_ char **argv)
{
	_cleanup_(watch_close) struct watch w = { .options = options };
	int r;

	if (options->has_time && (options->time_usec < USEC_PER_MSEC || options->time_usec > FOR_MAX_USEC))
		return cmd_error("invalid duration for --for: expected 1ms to 1h");
	r = cmd_open_all(options, &w.session);
	if (r == CMD_OK)
		cmd_scope_open(&w.scope, &w.session, options->unit);
	if (r == CMD_OK && options->link)
		r = choose_link(&w);
	return r == CMD_OK ? investigate(&w) : r;
}

int cmd_diff_investigations(const struct cmd_options *options, const char *a_text, size_t a_len,
	const char *b_text, size_t b_len, const char *const names[2])
{
	const char *texts[] = { a_text, b_text };
	size_t lengths[] = { a_len, b_len };
	struct investigation both[2] = { 0 };
	char why[256];
	int r = CMD_OK;

	for (unsigned k = 0; k < 2 && r == CMD_OK; k++) {
		r = json_read_investigation(texts[k], lengths[k], &both[k], why, sizeof(why));
		if (r == -ENOENT)
			r = CMD_NOT_INVESTIGATION;
		else if (r < 0)
			r = cmd_error("Failed to read %s: %s", names[k], why[0] ? why : strerror(-r));
		if (k == 1 && r == CMD_NOT_INVESTIGATION)
			r = cmd_error("Failed to compare: %s is from investigate, %s is not", names[0], names[1]);
	}
	if (r == CMD_OK)
		r = cmd_written(options->json ? json_write_investigations(stdout, &both[0], &both[1], names[0],
							 names[1])
					      : render_investigations(&options->render, &both[0], &both[1], names[0],
							 names[1]),
			CMD_OK);
	investigation_clear(&both[0]);
	investigation_clear(&both[1]);
	return r;
}
