/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "path/path.h"

#include <string.h>

#include "basic/util.h"

#define TRANSFER_LEAST (UINT64_C(256) << 10)
#define TRANSFER_MOST (UINT64_C(256) << 20)
#define TIME_SHARE 0.5 /* of the limit, because small segments are slower than the first transfer */

const char *path_way_name(enum path_way way)
{
	static const char *const names[PATH_WAYS] = {
		[PATH_SENDFILE] = "sendfile",
		[PATH_SPLICE] = "splice",
		[PATH_SEND] = "send",
		[PATH_SMALL] = "sendfile-small",
	};

	return names[way];
}

const char *path_verdict_name(enum path_verdict verdict)
{
	static const char *const names[PATH_VERDICT_COUNT] = {
		[PATH_UNKNOWN] = "unknown",
		[PATH_HEALTHY] = "healthy",
		[PATH_SOFTWARE] = "software",
		[PATH_SLOW] = "slow-sendfile",
	};

	return names[verdict];
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return COMPARE(x, y);
}

static double median(double *values, size_t n)
{
	if (n == 0)
		return 0;
	qsort(values, n, sizeof(*values), compare);
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

static double rate(const struct path_sample *s)
{
	return s->wall_usec ? (double)s->bytes / (double)s->wall_usec : 0;
}

static double cost(const struct path_sample *s)
{
	return s->bytes ? (double)s->cpu_usec / (double)s->bytes : 0;
}

void path_summarize(const struct path_run *run, enum path_way way, struct path_summary *ret)
{
	double rates[PATH_ROUNDS], costs[PATH_ROUNDS];
	uint64_t softirq = 0;

	*ret = (struct path_summary){ 0 };
	for (size_t i = 0; i < run->rounds; i++) {
		const struct path_sample *s = &run->samples[i][way];

		rates[i] = rate(s);
		costs[i] = cost(s);
		ret->bytes += s->bytes;
		softirq += s->softirq_usec;
	}
	ret->mbyte_per_s = median(rates, run->rounds);
	ret->cpu_s_per_gbyte = median(costs, run->rounds) * 1e3;
	ret->softirq_s_per_gbyte = ret->bytes ? (double)softirq * 1e3 / (double)ret->bytes : 0;
}

static double duration(const struct path_sample *s)
{
	return s->bytes ? (double)s->wall_usec / (double)s->bytes : 0;
}

/* Of the rounds' ratios of two ways, the median, or in *ret_low the lowest but one; 0 if the divisor of any round is 0. */
static double against(const struct path_run *run, enum path_way way, enum path_way other,
	double (*value)(const struct path_sample *), double *ret_low)
{
	double ratios[PATH_ROUNDS], middle;

	*ret_low = 0;
	for (size_t i = 0; i < run->rounds; i++) {
		double base = value(&run->samples[i][other]);

		if (base <= 0)
			return 0;
		ratios[i] = value(&run->samples[i][way]) / base;
	}
	middle = median(ratios, run->rounds); /* sorts them */
	*ret_low = ratios[1];
	return middle;
}

static struct path_ratios ratios_of(const struct path_run *run, enum path_way way, enum path_way other, struct path_ratios *ret_low)
{
	return (struct path_ratios){ .time = against(run, way, other, duration, &ret_low->time),
		.cpu = against(run, way, other, cost, &ret_low->cpu) };
}

static bool is_slow(struct path_ratios r)
{
	return r.time >= PATH_SLOW_RATIO && r.cpu >= PATH_SLOW_RATIO;
}

static double higher(struct path_ratios r)
{
	return r.time > r.cpu ? r.time : r.cpu;
}

/* With cost = bytes * a + segments * b, two points give the part of b in the cost of ordinary segments. */
static double share_of(double ratio, double segments)
{
	double share = (ratio - 1) / (segments - 1);

	return share < 0 ? 0 : share > 1 ? 1 : share;
}

/* If the CPU is the bottleneck, time shows the cost of segments; if the wire is, CPU time does. */
static void measure_segments(const struct path_run *run, struct path_result *f)
{
	double busy[PATH_ROUNDS];

	if (run->small_mss == 0 || run->mss < 2 * run->small_mss || f->small.time <= 0)
		return;
	for (size_t i = 0; i < run->rounds; i++) {
		const struct path_sample *s = &run->samples[i][PATH_SMALL];

		busy[i] = (double)s->cpu_usec / (double)s->wall_usec;
	}
	f->busy = median(busy, run->rounds);
	f->segments = (double)run->mss / run->small_mss;
	f->share = share_of(higher(f->small), f->segments);
}

static bool is_software(const struct path_result *f, double share, bool local_pair)
{
	return share >= (local_pair ? PATH_SHARE_MOST : PATH_SHARE_MOST_FAR) ||
	       (share >= PATH_SHARE_SOME &&
		       f->sendfile.time >= (local_pair ? PATH_SAVES_LITTLE : PATH_SAVES_LITTLE_FAR));
}

/* small_low: what all rounds but one reach, so that one disturbed round does not make a healthy path a bad one. */
static enum path_verdict verdict_of(const struct path_run *run, const struct path_result *f, struct path_ratios small_low)
{
	if (f->slow_sendfile)
		return PATH_SLOW;
	if (f->segments <= 0)
		return PATH_UNKNOWN;
	if (f->sendfile.time <= (run->local_pair ? PATH_SAVES : PATH_SAVES_MUCH))
		return PATH_HEALTHY;
	if (is_software(f, share_of(small_low.cpu, f->segments), run->local_pair))
		return PATH_SOFTWARE;
	if (is_software(f, share_of(higher(small_low), f->segments), run->local_pair))
		return run->local_pair || f->busy >= PATH_BUSY ? PATH_SOFTWARE : PATH_UNKNOWN;
	if (f->share <= PATH_SHARE_LITTLE || (f->share < PATH_SHARE_MOST && f->sendfile.time <= PATH_SAVES))
		return PATH_HEALTHY;
	return PATH_UNKNOWN;
}

void path_evaluate(const struct path_run *run, struct path_result *ret)
{
	struct path_ratios sendfile_low, splice_low, small_low;

	*ret = (struct path_result){ .verdict = PATH_UNKNOWN };
	if (run->rounds < PATH_ROUNDS_LEAST || run->rounds > PATH_ROUNDS)
		return;
	ret->sendfile = ratios_of(run, PATH_SENDFILE, PATH_SEND, &sendfile_low);
	ret->splice = ratios_of(run, PATH_SPLICE, PATH_SEND, &splice_low);
	ret->small = ratios_of(run, PATH_SMALL, PATH_SENDFILE, &small_low);
	if (ret->sendfile.time <= 0 || ret->sendfile.cpu <= 0)
		return;
	ret->slow_sendfile = is_slow(sendfile_low);
	ret->slow_splice = is_slow(splice_low);
	measure_segments(run, ret);
	ret->verdict = verdict_of(run, ret, small_low);
}

uint64_t path_transfer_bytes(uint64_t bytes_max, uint64_t usec_max, double bytes_per_s)
{
	const double transfers = PATH_ROUNDS * PATH_WAYS;
	double by_bytes = (double)bytes_max / transfers;
	double by_time = bytes_per_s * (double)usec_max / 1e6 * TIME_SHARE / transfers;
	double bytes = by_bytes < by_time ? by_bytes : by_time;

	if (!(bytes >= (double)TRANSFER_LEAST))
		return 0;
	return bytes > (double)TRANSFER_MOST ? TRANSFER_MOST : (uint64_t)bytes;
}
