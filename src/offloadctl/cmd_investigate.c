/* SPDX-License-Identifier: GPL-2.0-or-later */
/* investigate: the host is watched for a while, and what that shows is told in words first. */
#include "offloadctl/cmd_service.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/utsname.h>

#include "offloadctl/cmd_investigate.h"
#include "report/json_investigation.h"
#include "kernel/ksyms.h"
#include "report/render_investigation.h"
#include "kernel/softirq.h"

#define FOR_DEFAULT_USEC (10 * USEC_PER_SEC)
#define FOR_MAX_USEC (3600 * USEC_PER_SEC)

_Static_assert(INVESTIGATION_FRAMES == PROBE_STACK_DEPTH, "depth of investigation.h and probe.h");
_Static_assert(INVESTIGATION_FRAME_LEN == KSYMS_NAME_LEN, "names of investigation.h and ksyms.h");

struct inquiry {
	const struct cmd_options *options;
	struct cmd_session session;
	int only; /* the index of --link; 0: all */
	struct cgroup_paths *paths;
	struct probe *probe;
	struct probe_latency *latency;
	struct probe_rates *rates;
	struct softirqs *before, *after;
	struct socket_features socket_features;
	struct investigation result;
	struct probe_stack *stacks;
	size_t n_stacks;
	uint64_t told[PROBE_RATES]; /* how many of each rate have a service and a link */
	struct probe_lost lost_before;
	struct probe_latency_lost calls_before;
};

static void inquiry_close(struct inquiry *q)
{
	probe_rates_close(q->rates);
	probe_latency_close(q->latency);
	probe_close(q->probe);
	cgroup_paths_close(q->paths);
	free(q->before);
	free(q->after);
	free(q->stacks);
	investigation_clear(&q->result);
	cmd_close(&q->session);
}

/* Is it of the unit and the link that were asked for? netns 0: where the record does not say. */
static bool is_asked_for(struct inquiry *q, uint64_t cgroup, pid_t pid, uint32_t netns, int ifindex, char *name,
	size_t size)
{
	struct unit unit;

	if (q->only && (ifindex != q->only || netns != probe_own_netns()))
		return false;
	cmd_service_name(q->paths, cgroup, pid, &unit, name, size);
	return cmd_service_matches(q->options->unit, &unit, name);
}

static const struct link *own_link(struct inquiry *q, uint32_t netns, int ifindex)
{
	return ifindex && netns == probe_own_netns() ? link_table_find(q->session.view.links, ifindex) : NULL;
}

static void name_link(struct inquiry *q, uint32_t netns, int ifindex, char *buf, size_t size)
{
	const struct link *link = own_link(q, netns, ifindex);

	if (link)
		snprintf(buf, size, "%s", link->name);
	else if (ifindex)
		snprintf(buf, size, "#%d", ifindex % 100000000);
	else
		buf[0] = '\0';
}

static void take_hits(const struct probe_hits *hits, void *userdata)
{
	char service[UNIT_SERVICE_LEN], name[LINK_NAME_LEN];
	struct inquiry *q = userdata;
	struct investigation *i = &q->result;
	struct investigation_fallback *row;
	const struct link *link = own_link(q, hits->netns, hits->ifindex);
	bool local = hits->origin == PROBE_LOCAL;

	if (!hits->hits || !is_asked_for(q, hits->cgroup, hits->tgid, hits->netns, hits->ifindex, service,
				   sizeof(service)))
		return;
	if (!local && q->options->unit)
		return;
	name_link(q, hits->netns, hits->ifindex, name, sizeof(name));
	row = investigation_fallback_row(i, local ? service : "", hits->origin == PROBE_FORWARDED, name);
	if (!row)
		return;
	row->lacked |= hits->missing;
	investigation_name_missing(row, q->session.view.features, link ? &link->features : NULL);
	switch (hits->kind) {
	case PROBE_SEGMENTATION:
		row->segmented += hits->hits;
		i->rates[INVESTIGATION_SEGMENTED].n += hits->hits;
		break;
	case PROBE_CHECKSUM:
		row->summed += hits->hits;
		i->rates[INVESTIGATION_SUMMED].n += hits->hits;
		break;
	case PROBE_SENDPAGE:
	case PROBE_SPLICE:
		row->copied += hits->hits;
		i->rates[INVESTIGATION_COPIED].n += hits->hits;
		break;
	case PROBE_KINDS:
		break;
	}
}

static int take_socket(const struct socket_info *info, void *userdata)
{
	char service[UNIT_SERVICE_LEN], name[LINK_NAME_LEN];
	struct inquiry *q = userdata;
	struct investigation_stale *row;
	feature_set missing = socket_stale(info, &q->socket_features);

	if (!missing || !is_asked_for(q, info->cgroup, 0, info->netns, info->ifindex, service, sizeof(service)))
		return 0;
	name_link(q, info->netns, info->ifindex, name, sizeof(name));
	row = investigation_stale_row(&q->result, service, name);
	if (row) {
		row->sockets++;
		feature_format(q->session.view.features, missing, row->missing, sizeof(row->missing));
	}
	return 0;
}

static void take_histogram(const struct probe_latency_histogram *histogram, void *userdata)
{
	struct evidence_latency_row row = { .fallback = histogram->fallback, .calls = histogram->count,
		.total_usec = histogram->total_usec, .disk_usec = histogram->disk_usec,
		.peer_usec = histogram->peer_usec };
	struct inquiry *q = userdata;

	if (!histogram->count ||
		!is_asked_for(q, histogram->cgroup, 0, histogram->netns, histogram->ifindex, row.service,
			sizeof(row.service)))
		return;
	memcpy(row.slots, histogram->slots, sizeof(row.slots));
	evidence_latency_add(&q->result.latency, &row);
}

static void take_running(const struct probe_latency_histogram *call, void *userdata)
{
	struct evidence_latency_row row = { .fallback = call->fallback, .running = 1,
		.longest_usec = call->total_usec, .total_usec = call->total_usec, .disk_usec = call->disk_usec, .peer_usec = call->peer_usec };
	struct inquiry *q = userdata;

	if (is_asked_for(q, call->cgroup, 0, call->netns, call->ifindex, row.service, sizeof(row.service)))
		evidence_latency_add(&q->result.latency, &row);
}

static const enum investigation_rate rate_of[PROBE_RATES] = {
	[PROBE_RATE_SENDMSG] = INVESTIGATION_SENDMSG,
	[PROBE_RATE_PUSH_ONE] = INVESTIGATION_PUSH_ONE,
	[PROBE_RATE_WRITE_TIMER] = INVESTIGATION_WRITE_TIMER,
};

static void take_rate(const struct probe_rate *rate, void *userdata)
{
	char service[UNIT_SERVICE_LEN];
	struct inquiry *q = userdata;

	q->told[rate->kind] += rate->count;
	if (is_asked_for(q, rate->cgroup, 0, rate->netns, rate->ifindex, service, sizeof(service)))
		q->result.rates[rate_of[rate->kind]].n += rate->count;
}

static void take_stack(const struct probe_stack *stack, void *userdata)
{
	char service[UNIT_SERVICE_LEN];
	struct inquiry *q = userdata;
	struct probe_stack *more;

	if (q->n_stacks == INVESTIGATION_ROWS_MAX ||
		!is_asked_for(q, stack->cgroup, 0, stack->netns, stack->ifindex, service, sizeof(service)))
		return;
	more = reallocarray(q->stacks, q->n_stacks + 1, sizeof(*more));
	if (!more)
		return;
	q->stacks = more;
	q->stacks[q->n_stacks++] = *stack;
}

static int name_stacks(struct inquiry *q)
{
	_cleanup_free_ struct ksyms_address *addresses =
		calloc(q->n_stacks * PROBE_STACK_DEPTH + 1, sizeof(*addresses));
	size_t n = 0;
	int r;

	if (!addresses)
		return -ENOMEM;
	for (size_t k = 0; k < q->n_stacks; k++)
		for (unsigned f = 0; f < q->stacks[k].n; f++)
			addresses[n++].address = q->stacks[k].addresses[f];
	r = ksyms_resolve(addresses, n);
	if (r < 0) {
		investigation_add_absent(&q->result, "names of kernel functions",
			r == -EACCES ? "hidden by kernel.kptr_restrict" : strerror(-r));
		return 0;
	}
	for (size_t k = 0; k < q->n_stacks; k++) {
		struct investigation_stack *stack = investigation_add_stack(&q->result);

		if (!stack)
			return 0;
		stack->count = q->stacks[k].count;
		for (unsigned f = 0; f < q->stacks[k].n; f++) {
			const char *name = ksyms_name(addresses, n, q->stacks[k].addresses[f]);

			snprintf(stack->frames[stack->n++], INVESTIGATION_FRAME_LEN, "%s", name ? name : "?");
		}
	}
	return 0;
}

static void note_absent(struct inquiry *q, const struct probe_status *status)
{
	if (status->method == PROBE_ABSENT && !status->other_kernels)
		investigation_add_absent(&q->result, status->name, status->why);
}

/* What can be seen at all. */
static void note_probes(struct inquiry *q)
{
	struct investigation *i = &q->result;
	const struct probe_status *status;
	size_t n;

	status = probe_status(q->probe, &n);
	for (size_t k = 0; k < n; k++) {
		bool runs = status[k].method != PROBE_ABSENT;

		if (!strcmp(status[k].name, "segmentation"))
			i->rates[INVESTIGATION_SEGMENTED].known |= runs;
		else if (!strcmp(status[k].name, "checksum"))
			i->rates[INVESTIGATION_SUMMED].known |= runs;
		else if (!strcmp(status[k].name, "sendpage") || !strcmp(status[k].name, "splice"))
			i->rates[INVESTIGATION_COPIED].known |= runs;
		if (strncmp(status[k].name, "feature ", 8) && strcmp(status[k].name, "sendpage by process"))
			note_absent(q, &status[k]);
	}
	status = probe_rates_status(q->rates);
	for (unsigned k = 0; k < PROBE_RATES; k++) {
		i->rates[rate_of[k]].known = status[k].method != PROBE_ABSENT;
		note_absent(q, &status[k]);
	}
}

/* Negative errno. */
static int open_probes(struct inquiry *q)
{
	const struct feature_table *features = q->session.view.features;
	const struct probe_options how = { .features = features, .no_changes = true };
	struct probe_status status;
	int r;

	cgroup_paths_open(&q->paths);
	q->before = malloc(sizeof(*q->before));
	q->after = malloc(sizeof(*q->after));
	if (!q->before || !q->after)
		return -ENOMEM;
	socket_features_init(features, &q->socket_features);
	r = probe_open(&how, &q->probe);
	if (r < 0)
		return r;
	r = probe_rates_open(features, &q->rates);
	if (r < 0)
		return r;
	r = probe_latency_open(features, true, &q->latency, &status);
	if (r == -EOPNOTSUPP)
		note_absent(q, &status);
	else if (r < 0)
		return r;
	note_probes(q);
	return 0;
}

/* CPUs that were there at both ends. */
static void compare_cpus(struct inquiry *q)
{
	for (size_t k = 0; k < q->after->n; k++) {
		const struct softirq_cpu *now = &q->after->cpus[k], *then = softirq_find(q->before, now->cpu);
		struct investigation_cpu *cpu;
		struct softirq_share share;

		if (!then || !softirq_compare(then, now, &share))
			continue;
		cpu = investigation_add_cpu(&q->result);
		if (!cpu)
			return;
		cpu->cpu = now->cpu;
		cpu->busy_permille = share.busy_permille;
		cpu->softirq_permille = share.softirq_permille;
		cpu->most_runs = share.most_runs;
		if (share.most < SOFTIRQ_KINDS)
			memcpy(cpu->most, q->after->names[share.most], sizeof(cpu->most));
	}
}

static uint64_t more_than(uint64_t n, uint64_t other)
{
	return n > other ? n - other : 0;
}

/* Of all that is asked about, what did not fit counts too, though it has no service and no link. */
static void take_lost_hits(struct inquiry *q)
{
	static const enum investigation_rate rates[PROBE_KINDS] = {
		[PROBE_SENDPAGE] = INVESTIGATION_COPIED,
		[PROBE_SPLICE] = INVESTIGATION_COPIED,
		[PROBE_SEGMENTATION] = INVESTIGATION_SEGMENTED,
		[PROBE_CHECKSUM] = INVESTIGATION_SUMMED,
	};
	struct investigation *i = &q->result;
	struct probe_lost lost;

	probe_read_lost(q->probe, &lost);
	lost.hits[PROBE_SENDPAGE] += lost.process_hits;
	for (unsigned k = 0; k < PROBE_KINDS; k++) {
		uint64_t n = more_than(lost.hits[k], q->lost_before.hits[k]);

		i->lost[rates[k]] += n;
		if (!q->options->unit && !q->only)
			i->rates[rates[k]].n += n;
	}
}

static void take_rates(struct inquiry *q)
{
	struct investigation *i = &q->result;
	uint64_t totals[PROBE_RATES];

	/* totals first: what comes in between is in the others only, and no loss */
	for (unsigned k = 0; k < PROBE_RATES; k++)
		totals[k] = probe_rates_total(q->rates, k);
	probe_rates_read(q->rates, take_rate, q);
	for (unsigned k = 0; k < PROBE_RATES; k++) {
		i->lost[rate_of[k]] = more_than(totals[k], q->told[k]);
		if (!q->options->unit && !q->only)
			i->rates[rate_of[k]].n = totals[k];
	}
	if (q->options->unit || q->only)
		i->rates[INVESTIGATION_WRITE_TIMER].known = false; /* belongs to no service and no link */
}

static void take_latency(struct inquiry *q)
{
	struct evidence_latency *latency = &q->result.latency;
	struct probe_latency_lost lost;

	q->result.has_latency = true;
	latency->has_waits = probe_latency_has_waits(q->latency);
	latency->elapsed_usec = q->result.elapsed_usec;
	probe_latency_read(q->latency, false, take_histogram, q);
	probe_latency_read_running(q->latency, take_running, q);
	probe_latency_read_lost(q->latency, &lost);
	latency->lost = more_than(lost.calls, q->calls_before.calls);
	latency->begun = lost.begun;
}

/* What was counted while the probes were loaded one by one is not of the time that is told. */
static void count_anew(struct inquiry *q)
{
	probe_forget_hits(q->probe, UINT64_MAX);
	probe_read_lost(q->probe, &q->lost_before);
	q->lost_before.hits[PROBE_SENDPAGE] += q->lost_before.process_hits;
	probe_rates_reset(q->rates);
	if (q->latency) {
		probe_latency_read(q->latency, true, NULL, NULL);
		probe_latency_read_lost(q->latency, &q->calls_before);
	}
}

/* What came together. Negative errno. */
static int collect(struct inquiry *q)
{
	struct investigation *i = &q->result;
	int r;

	if (softirq_read(q->after) == 0)
		compare_cpus(q);
	r = observe_refresh(q->session.observe);
	if (r < 0)
		return r;
	i->link_gone = q->only && !link_table_find(q->session.view.links, q->only);
	if (q->latency)
		take_latency(q);
	probe_read_hits(q->probe, take_hits, q);
	take_lost_hits(q);
	r = probe_read_sockets(q->probe, false, take_socket, q, NULL);
	if (r < 0 && r != -EOPNOTSUPP)
		return r;
	i->has_sockets = r >= 0;
	take_rates(q);
	probe_rates_read_stacks(q->rates, take_stack, q);
	r = name_stacks(q);
	investigation_sort(i);
	return r;
}

static int tell(struct inquiry *q)
{
	_cleanup_free_ struct investigation_finding *findings = NULL;
	size_t n;
	int r = investigation_judge(&q->result, &findings, &n);

	if (r < 0)
		return cmd_error("cannot judge: %s", strerror(-r));
	return cmd_written(q->options->json ? json_write_investigation(stdout, &q->result, findings, n)
					    : render_investigation(&q->session.render, &q->result, findings, n),
		CMD_OK);
}

static int investigate(struct inquiry *q)
{
	uint64_t limit = q->options->has_time ? q->options->time_usec : FOR_DEFAULT_USEC, begin;
	_cleanup_close_ int stop = cmd_catch_stop();
	struct utsname host;
	int r;

	if (uname(&host) == 0)
		snprintf(q->result.kernel, sizeof(q->result.kernel), "%s", host.release);
	if (q->options->unit)
		snprintf(q->result.unit, sizeof(q->result.unit), "%s", q->options->unit);
	r = stop < 0 ? stop : open_probes(q);
	if (r < 0)
		return cmd_error("cannot watch this host: %s", strerror(-r));
	count_anew(q);
	if (softirq_read(q->before) < 0)
		q->before->n = 0;
	begin = util_now_usec();
	fprintf(stderr, "watching for %" PRIu64 " s; Ctrl-C ends it sooner\n",
		(limit + USEC_PER_SEC - 1) / USEC_PER_SEC);
	cmd_wait_stop(stop, begin + limit);
	q->result.elapsed_usec = util_now_usec() - begin;
	r = collect(q);
	if (r < 0)
		return cmd_error("cannot put together what was seen: %s", strerror(-r));
	return tell(q);
}

/* By its index, as the link itself may go while it is watched. */
static int choose_link(struct inquiry *q)
{
	const struct link *link = cmd_find_link(&q->session, q->options->link);

	if (!link)
		return CMD_ERROR;
	q->only = link->ifindex;
	memcpy(q->result.only_link, link->name, sizeof(q->result.only_link));
	return CMD_OK;
}

int cmd_investigate(const struct cmd_options *options, _unused_ int argc, _unused_ char **argv)
{
	_cleanup_(inquiry_close) struct inquiry q = { .options = options };
	int r;

	if (options->has_time && (options->time_usec < USEC_PER_MSEC || options->time_usec > FOR_MAX_USEC))
		return cmd_error("--for is between 1ms and 1h");
	r = cmd_open(options, &q.session);
	if (r == CMD_OK)
		r = cmd_refresh(&q.session);
	if (r == CMD_OK && options->link)
		r = choose_link(&q);
	return r == CMD_OK ? investigate(&q) : r;
}

int cmd_diff_investigations(const struct cmd_options *options, const char *a_text, size_t a_len,
	const char *b_text, size_t b_len, const char *const names[2])
{
	const char *texts[] = { a_text, b_text };
	size_t lengths[] = { a_len, b_len };
	struct investigation both[2] = { 0 };
	struct render render;
	char why[256];
	int r = CMD_OK;

	for (unsigned k = 0; k < 2 && r == CMD_OK; k++) {
		r = json_read_investigation(texts[k], lengths[k], &both[k], why, sizeof(why));
		if (r == -ENOENT)
			r = CMD_NOT_INVESTIGATION;
		else if (r < 0)
			r = cmd_error("%s: %s", names[k], why[0] ? why : strerror(-r));
		if (k == 1 && r == CMD_NOT_INVESTIGATION)
			r = cmd_error("%s was written by investigate, %s was not", names[0], names[1]);
	}
	if (r == CMD_OK) {
		render_init(&render, stdout, options->no_colour);
		r = cmd_written(options->json ? json_write_investigations(stdout, &both[0], &both[1], names[0],
							 names[1])
					      : render_investigations(&render, &both[0], &both[1], names[0],
							 names[1]),
			CMD_OK);
	}
	investigation_clear(&both[0]);
	investigation_clear(&both[1]);
	return r;
}
