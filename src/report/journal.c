/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/journal.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "basic/util.h"
#include "report/catalog.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define FIELDS_MAX 21
#define FIELD_LEN 1280

/* JOURNAL_STREAM=device:inode names the stream that systemd connected; a redirection makes stderr another. */
static bool is_journal_stream(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && fstat(fd, &st) == 0 &&
		st.st_dev == device && st.st_ino == inode;
}

/* O_NONBLOCK belongs to the open file, which other processes share: a FIFO or a terminal is opened again. A socket cannot be, but is
 * rarely shared. If that is not allowed, print() checks for room first. */
static void unblock_stderr(void)
{
	struct stat st;
	int fd;

	if (fstat(STDERR_FILENO, &st) < 0 || !(S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode) || S_ISSOCK(st.st_mode)))
		return;
	if (S_ISSOCK(st.st_mode)) {
		(void)fcntl(STDERR_FILENO, F_SETFL, fcntl(STDERR_FILENO, F_GETFL) | O_NONBLOCK);
		return;
	}
	fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)dup2(fd, STDERR_FILENO);
	close(fd);
}

void journal_open(bool always, struct journal *ret)
{
	bool is_journal = is_journal_stream(STDERR_FILENO);

	if (!always)
		unblock_stderr();
	*ret = (struct journal){
		.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0),
		.stderr_is_journal = is_journal,
		.stderr_too = isatty(STDERR_FILENO) || (always && !is_journal),
		.stderr_waits = always,
	};
}

void journal_close(struct journal *j)
{
	if (j->fd >= 0)
		close(j->fd);
	j->fd = -1;
}

/* Control characters would end a field early, or reach a terminal. */
static void clean(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
}

struct fields {
	struct iovec iov[FIELDS_MAX];
	size_t n;
	char text[FIELDS_MAX][FIELD_LEN];
};

_printf_(2, 3) static void add(struct fields *f, const char *fmt, ...)
{
	char *text = f->text[f->n];
	va_list ap;

	if (f->n == FIELDS_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(text, FIELD_LEN, fmt, ap);
	va_end(ap);
	clean(text);
	f->iov[f->n++] = (struct iovec){ .iov_base = text, .iov_len = strlen(text) };
}

static void add_process(struct fields *f, const struct finding_process *process)
{
	if (!process->asked)
		return;
	if (process->pid == 0) {
		add(f, "OFFLOADD_CHANGED_BY=unknown");
		return;
	}
	add(f, "OFFLOADD_CHANGED_BY=%s", process->comm);
	add(f, "OFFLOADD_CHANGED_BY_PID=%d", (int)process->pid);
	if (process->parent_pid)
		add(f, "OFFLOADD_CHANGED_BY_PARENT=%s[%d]", process->parent_comm, (int)process->parent_pid);
	if (process->unit[0])
		add(f, "OFFLOADD_CHANGED_BY_UNIT=%s", process->unit);
	if (process->link[0])
		add(f, "OFFLOADD_CHANGED_BY_LINK=%s", process->link);
	add(f, "OFFLOADD_CHANGED_BY_USEC=%llu", (unsigned long long)process->time_usec);
}

static void fill(const struct feature_table *table, const struct finding *event, struct fields *f)
{
	enum event_kind kind = finding_event(event->code);
	char text[FIELD_LEN - 64];

	f->n = 0;
	add(f, "MESSAGE=%s", catalog_format(event, table, text, sizeof(text)));
	add(f, "MESSAGE_ID=%s", event_message_id(kind));
	add(f, "PRIORITY=%d", finding_priority(event->code));
	add(f, "SYSLOG_IDENTIFIER=offloadd");
	add(f, "OFFLOADD_EVENT=%s", event_kind_name(kind));
	add(f, "OFFLOADD_CODE=%s", finding_name(event->code));
	if (event->netns[0])
		add(f, "OFFLOADD_NETNS=%s", event->netns);
	if (event->ifindex) {
		add(f, "OFFLOADD_LINK=%s", event->link);
		add(f, "OFFLOADD_IFINDEX=%d", event->ifindex);
	}
	if (finding_format_features(event, table, text, sizeof(text))[0])
		add(f, "OFFLOADD_FEATURES=%s", text);
	if (event->rules[0])
		add(f, "OFFLOADD_RULE=%s", event->rules);
	if (catalog_reason(event, table, text, sizeof(text))[0])
		add(f, "OFFLOADD_REASON=%s", text);
	if (event->count)
		add(f, "OFFLOADD_COUNT=%llu", (unsigned long long)event->count);
	if (event->service[0])
		add(f, "OFFLOADD_SERVICE=%s", event->service);
	if (kind == EVENT_FALLBACK || kind == EVENT_STALE)
		add(f, "OFFLOADD_REMEDY=%s", remedy_name(event->remedy));
	add_process(f, &event->changed_by);
	if (!event->cost.before_usec)
		return;
	add(f, "OFFLOADD_CPU_BEFORE_USEC=%llu", (unsigned long long)event->cost.cpu_before_usec);
	add(f, "OFFLOADD_CPU_AFTER_USEC=%llu", (unsigned long long)event->cost.cpu_after_usec);
}

size_t journal_format(const struct feature_table *table, const struct finding *event, char *buf, size_t size)
{
	struct fields f;

	buf[0] = '\0';
	fill(table, event, &f);
	for (size_t i = 0; i < f.n; i++)
		util_append(buf, size, "%s\n", f.text[i]);
	return strlen(buf);
}

/* The protocol of systemd's journal (systemd.io/JOURNAL_NATIVE_PROTOCOL): a line for each field, all in one datagram. Not by
 * sd_journal_sendv(), which waits while journald does not read, and succeeds where there is none. */
static bool submit(const struct journal *j, struct fields *f)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET };
	struct iovec iov[2 * FIELDS_MAX];
	struct msghdr message = { .msg_name = &address, .msg_namelen = sizeof(address), .msg_iov = iov, .msg_iovlen = 2 * f->n };

	for (size_t i = 0; i < f->n; i++) {
		iov[2 * i] = f->iov[i];
		iov[2 * i + 1] = (struct iovec){ .iov_base = "\n", .iov_len = 1 };
	}
	return sendmsg(j->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

/* At most PIPE_BUF bytes, which a FIFO that has room takes as a whole. */
static bool print(const struct journal *j, const struct feature_table *table, const struct finding *event)
{
	char text[CATALOG_TEXT_MAX], line[sizeof(text) + 32] = "";
	struct pollfd room = { .fd = STDERR_FILENO, .events = POLLOUT };
	size_t len;

	if (j->stderr_is_journal)
		util_append(line, sizeof(line) - 1, "<%d>", finding_priority(event->code));
	else
		util_append(line, sizeof(line) - 1, "offloadd: ");
	util_append(line, sizeof(line) - 1, "%s: %s", event_kind_name(finding_event(event->code)),
		catalog_format(event, table, text, sizeof(text)));
	clean(line);
	len = strlen(line);
	line[len++] = '\n';
	return poll(&room, 1, j->stderr_waits ? -1 : 0) == 1 && (room.revents & POLLOUT) && write(STDERR_FILENO, line, len) == (ssize_t)len;
}

bool journal_send(const struct journal *j, const struct feature_table *table, const struct finding *event)
{
	struct fields f;
	bool sent;

	fill(table, event, &f);
	sent = submit(j, &f);
	if (!sent || j->stderr_too)
		sent |= print(j, table, event);
	return sent;
}
