/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "evidence/probe_private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/capability.h>

#include "basic/util.h"

static const char *const tracefs_dirs[] = { "kernel/debug/tracing", "kernel/tracing" }; /* in libbpf's order */

/* The capabilities that tracing needs and we do not have; NULL for none. */
static const char *missing_privilege(void)
{
	bool bpf = util_has_capability(CAP_BPF), perfmon = util_has_capability(CAP_PERFMON);

	if (util_has_capability(CAP_SYS_ADMIN) || (bpf && perfmon))
		return NULL;
	if (prctl(PR_CAPBSET_READ, CAP_BPF, 0, 0, 0) < 0) /* before 5.8 */
		return "CAP_SYS_ADMIN";
	return bpf ? "CAP_PERFMON" : perfmon ? "CAP_BPF" : "CAP_BPF and CAP_PERFMON";
}

static bool locked_down(void)
{
	_cleanup_fclose_ FILE *f = fopen("/sys/kernel/security/lockdown", "re");
	char text[80];

	return f && fgets(text, sizeof(text), f) && strstr(text, "[confidentiality]");
}

/* 0 or an errno. Not access(), which disregards the ambient capabilities of users other than root. */
static int examine(const char *sys, const char *dir, const char *file)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s/%s", sys, dir, file);
	return stat(path, &st) < 0 ? errno : 0;
}

static int find_btf(const char *sys)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/kernel/btf/vmlinux", sys);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? errno : 0;
}

int probe_find_kprobes(const char *sys, bool only_pmu)
{
	int r = examine(sys, "bus/event_source/devices/kprobe", "type"), found = ENODEV;

	if (r == 0 || only_pmu)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(tracefs_dirs); i++) {
		r = examine(sys, tracefs_dirs[i], "kprobe_events");
		if (r == 0)
			return 0;
		if (r != ENOENT)
			found = r;
		else if (examine(sys, tracefs_dirs[i], "trace") == 0) /* tracefs is mounted there */
			return ENOENT;
	}
	return found;
}

void probe_read_surroundings(const char *sys, struct probe_surroundings *ret)
{
	struct rlimit limit;

	*ret = (struct probe_surroundings){ .missing_privilege = missing_privilege(), .locked_down = locked_down(),
		.btf = find_btf(sys), .kprobes = probe_find_kprobes(sys, !util_kernel_is_before(4, 17)), .memlock = UINT64_MAX };
	if (util_kernel_is_before(5, 11) && getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
		ret->memlock = limit.rlim_cur;
}

bool probe_explain(const struct probe_surroundings *s, const struct probe_failure *failure, char why[PROBE_WHY_LEN])
{
	const char *error = strerror(-failure->error);

	if (s->missing_privilege)
		snprintf(why, PROBE_WHY_LEN, "no privilege: %s missing", s->missing_privilege);
	else if (s->locked_down)
		snprintf(why, PROBE_WHY_LEN, "the kernel is locked down (confidentiality)");
	else if (failure->btf && s->btf == ENOENT)
		snprintf(why, PROBE_WHY_LEN, "the kernel has no BTF (/sys/kernel/btf/vmlinux)");
	else if (failure->btf && s->btf)
		snprintf(why, PROBE_WHY_LEN, "failed to read /sys/kernel/btf/vmlinux: %s", strerror(s->btf));
	else if (failure->error == -EPERM && s->memlock != UINT64_MAX)
		snprintf(why, PROBE_WHY_LEN, "%s; RLIMIT_MEMLOCK is %llu bytes, and this kernel counts BPF maps against it", error,
			(unsigned long long)s->memlock);
	else if (failure->kprobe && s->kprobes == ENOENT)
		snprintf(why, PROBE_WHY_LEN, "the kernel has no kprobes%s: %s", failure->btf ? ", and fentry fails" : "", error);
	else if (failure->kprobe && s->kprobes == ENODEV)
		snprintf(why, PROBE_WHY_LEN, "tracefs is not mounted, or the kernel has none: %s", error);
	else if (failure->kprobe && s->kprobes)
		snprintf(why, PROBE_WHY_LEN, "failed to access kprobe_events of tracefs: %s", strerror(s->kprobes));
	else
		snprintf(why, PROBE_WHY_LEN, "%s%s%.120s", error, failure->complaint[0] ? ": " : "", failure->complaint);
	if (s->locked_down || (failure->btf && s->btf == ENOENT))
		return false;
	return s->missing_privilege || !failure->kprobe || s->kprobes != ENOENT;
}

/* Our own process id before we created any event: of an earlier process, too. */
static bool process_is_gone(pid_t pid)
{
	return pid == getpid() || (kill(pid, 0) < 0 && errno == ESRCH);
}

/* One line of kprobe_events: "p:kprobes/libbpf_PID_FUNCTION_0x0_0 FUNCTION+0", as libbpf names it. */
static bool event_is_stale(const char *line, char event[static 128], const char *const *functions, size_t n)
{
	char function[128];
	int pid;

	if (sscanf(line, "%*[^:]:%127[^ ] %127[^+ \n]", event, function) != 2 ||
		sscanf(event, "kprobes/libbpf_%d_", &pid) != 1 || pid <= 0 || !process_is_gone(pid))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(function, functions[i]))
			return true;
	return false;
}

int probe_remove_stale_events(const char *sys, const char *const *functions, size_t n)
{
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *line = NULL;
	char path[PATH_MAX], event[128], command[160];
	size_t size = 0;
	int removed = 0;

	if (examine(sys, "bus/event_source/devices/kprobe", "type") == 0)
		return 0;
	for (size_t i = 0; !f && i < ARRAY_SIZE(tracefs_dirs); i++) {
		snprintf(path, sizeof(path), "%s/%s/kprobe_events", sys, tracefs_dirs[i]);
		f = fopen(path, "re");
	}
	fd = f ? open(path, O_WRONLY | O_APPEND | O_CLOEXEC) : -1;
	if (fd < 0)
		return -errno;
	while (getline(&line, &size, f) > 0) {
		if (!event_is_stale(line, event, functions, n))
			continue;
		snprintf(command, sizeof(command), "-:%s\n", event);
		removed += write(fd, command, strlen(command)) == (ssize_t)strlen(command);
	}
	return removed;
}
