/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/softirq.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basic/file.h"
#include "basic/util.h"

#define TEXT_MAX (1024 * 1024)

static const char *next_line(const char *line)
{
	line += strcspn(line, "\n");
	return *line ? line + 1 : line;
}

/* cpuN user nice system idle iowait irq softirq steal guest guest_nice; user and nice include the guest
 * times. */
static void parse_stat(const char *text, struct softirqs *s)
{
	for (const char *line = text; *line && s->n < SOFTIRQ_CPUS_MAX; line = next_line(line)) {
		unsigned long long f[8] = { 0 };
		struct softirq_cpu *cpu = &s->cpus[s->n];
		unsigned number;

		/* the line of all CPUs, "cpu ", has a space there, which %u would skip */
		if (strncmp(line, "cpu", 3) || line[3] < '0' || line[3] > '9' ||
			sscanf(line, "cpu%u %llu %llu %llu %llu %llu %llu %llu %llu", &number, &f[0], &f[1], &f[2],
				&f[3], &f[4], &f[5], &f[6], &f[7]) < 8)
			continue;
		*cpu = (struct softirq_cpu){ .cpu = number, .idle_ticks = f[3] + f[4], .softirq_ticks = f[6] };
		for (unsigned i = 0; i < ARRAY_SIZE(f); i++)
			cpu->ticks += f[i];
		s->n++;
	}
}

/* A header with the present CPUs, then a line for each kind. */
static void parse_runs(const char *text, struct softirqs *s)
{
	unsigned columns[SOFTIRQ_CPUS_MAX], n = 0, kind = 0;
	const char *line = text;

	for (const char *at = line; *at && *at != '\n' && n < SOFTIRQ_CPUS_MAX;) {
		int used = 0;

		if (sscanf(at, " CPU%u%n", &columns[n], &used) < 1 || used == 0)
			break;
		n++;
		at += used;
	}
	for (line = next_line(line); *line && kind < SOFTIRQ_KINDS; line = next_line(line)) {
		size_t blank = strspn(line, " "), len = strcspn(line + blank, ":\n");
		const char *at = line + blank + len;

		if (*at != ':')
			continue;
		util_copy_name(s->names[kind], SOFTIRQ_NAME_LEN, line + blank, len);
		at++;
		for (unsigned i = 0; i < n; i++) {
			char *end;
			uint64_t runs = strtoull(at, &end, 10);
			struct softirq_cpu *cpu = (struct softirq_cpu *)softirq_find(s, columns[i]);

			if (end == at || memchr(at, '\n', (size_t)(end - at)))
				break;
			if (cpu)
				cpu->runs[kind] = runs;
			at = end;
		}
		kind++;
	}
}

const struct softirq_cpu *softirq_find(const struct softirqs *s, unsigned cpu)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->cpus[i].cpu == cpu)
			return &s->cpus[i];
	return NULL;
}

static unsigned permille(uint64_t part, uint64_t whole)
{
	return (unsigned)((part > whole ? whole : part) * 1000 / whole);
}

static uint64_t grown(uint64_t then, uint64_t now)
{
	return now > then ? now - then : 0;
}

/* get_idle_time() and get_iowait_time() may decrease; kstat's counts of soft interrupts have 32 bits. */
bool softirq_compare(
	const struct softirq_cpu *then, const struct softirq_cpu *now, struct softirq_share *ret)
{
	uint64_t ticks = grown(then->ticks, now->ticks);

	*ret = (struct softirq_share){ .most = SOFTIRQ_KINDS };
	if (!ticks)
		return false;
	ret->busy_permille = 1000 - permille(grown(then->idle_ticks, now->idle_ticks), ticks);
	ret->softirq_permille = permille(grown(then->softirq_ticks, now->softirq_ticks), ticks);
	for (unsigned kind = 0; kind < SOFTIRQ_KINDS; kind++) {
		uint32_t runs = (uint32_t)now->runs[kind] - (uint32_t)then->runs[kind];

		if (runs <= ret->most_runs)
			continue;
		ret->most = kind;
		ret->most_runs = runs;
	}
	return true;
}

int softirq_parse(const char *stat, const char *softirqs, struct softirqs *ret)
{
	memset(ret, 0, sizeof(*ret));
	parse_stat(stat, ret);
	parse_runs(softirqs, ret);
	return ret->n ? 0 : -EBADMSG;
}

static int read_text(const char *path, char **ret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len;

	return fd < 0 ? -errno : file_read(fd, TEXT_MAX, ret, &len);
}

int softirq_read(struct softirqs *ret)
{
	_cleanup_free_ char *stat = NULL, *runs = NULL;
	int r = read_text("/proc/stat", &stat);

	if (r == 0)
		r = read_text("/proc/softirqs", &runs);
	return r < 0 ? r : softirq_parse(stat, runs, ret);
}
