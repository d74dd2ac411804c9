/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "basic/util.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define FIELDS_MAX 20
#define FIELD_LEN 1280

/* sd_journal_sendv() says success where nobody listens, so ask by connecting. */
static bool journald_listens(void)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET };

	return fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
}

/* JOURNAL_STREAM=device:inode names the stream that systemd connected; a redirection makes stderr another. */
static bool is_journal_stream(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && fstat(fd, &st) == 0 &&
		st.st_dev == device && st.st_ino == inode;
}

void journal_open(bool always, struct journal *ret)
{
	bool is_journal = is_journal_stream(STDERR_FILENO);

	*ret = (struct journal){
		.stderr_is_journal = is_journal,
		.stderr_too = isatty(STDERR_FILENO) || (always && !is_journal),
	};
}

struct fields {
	struct iovec iov[FIELDS_MAX];
	size_t n;
	char text[FIELDS_MAX][FIELD_LEN];
};

/* One field; control characters would end it early or reach a terminal. */
_printf_(2, 3) static void add(struct fields *f, const char *fmt, ...)
{
	char *text = f->text[f->n];
	va_list ap;

	if (f->n == FIELDS_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(text, FIELD_LEN, fmt, ap);
	va_end(ap);
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	f->iov[f->n++] = (struct iovec){ .iov_base = text, .iov_len = strlen(text) };
}

static void add_author(struct fields *f, const struct event_author *author)
{
	if (!author->asked)
		return;
	if (author->pid == 0) {
		add(f, "OFFLOADD_AUTHOR=not known");
		return;
	}
	add(f, "OFFLOADD_AUTHOR=%s", author->comm);
	add(f, "OFFLOADD_AUTHOR_PID=%d", (int)author->pid);
	if (author->parent_pid)
		add(f, "OFFLOADD_AUTHOR_PARENT=%s[%d]", author->parent_comm, (int)author->parent_pid);
	if (author->unit[0])
		add(f, "OFFLOADD_AUTHOR_UNIT=%s", author->unit);
	if (author->link[0])
		add(f, "OFFLOADD_AUTHOR_LINK=%s", author->link);
	add(f, "OFFLOADD_AUTHOR_USEC=%llu", (unsigned long long)author->time_usec);
}

static int send_to_journald(const struct feature_table *table, const struct event *event)
{
	char names[FIELD_LEN - 64];
	struct fields f;

	f.n = 0;
	add(&f, "MESSAGE=%s", event->message);
	add(&f, "MESSAGE_ID=%s", event_message_id(event->kind));
	add(&f, "PRIORITY=%d", event->priority);
	add(&f, "SYSLOG_IDENTIFIER=offloadd");
	add(&f, "OFFLOADD_EVENT=%s", event_kind_name(event->kind));
	if (event->ifindex) {
		add(&f, "OFFLOADD_LINK=%s", event->link);
		add(&f, "OFFLOADD_IFINDEX=%d", event->ifindex);
	}
	if (event->features)
		add(&f, "OFFLOADD_FEATURES=%s",
			feature_format(table, event->features, names, sizeof(names)));
	if (event->rule_file[0])
		add(&f, "OFFLOADD_RULE=%s", event->rule_file);
	if (event->why[0])
		add(&f, "OFFLOADD_REASON=%s", event->why);
	if (event->count)
		add(&f, "OFFLOADD_COUNT=%llu", (unsigned long long)event->count);
	if (event->service[0])
		add(&f, "OFFLOADD_SERVICE=%s", event->service);
	add_author(&f, &event->author);
	return sd_journal_sendv(f.iov, (int)f.n);
}

static void print(const struct journal *j, const struct event *event)
{
	char line[sizeof(event->message) + 32] = "";

	if (j->stderr_is_journal)
		util_append(line, sizeof(line), "<%d>", event->priority);
	else
		util_append(line, sizeof(line), "offloadd: ");
	util_append(line, sizeof(line), "%s: %s", event_kind_name(event->kind), event->message);
	for (char *c = line; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	fprintf(stderr, "%s\n", line);
}

void journal_send(struct journal *j, const struct feature_table *table, const struct event *event)
{
	bool sent = journald_listens() && send_to_journald(table, event) >= 0;

	if (!sent || j->stderr_too)
		print(j, event);
}
