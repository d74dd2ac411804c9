/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An event that nobody reads keeps nothing waiting, and is known to be lost. tests/netns/blocked.sh has a daemon, and a journald
 * that does not read. */
#include "report/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/child.h"
#include "basic/util.h"
#include "unit.h"

#define EVENTS 5000 /* more than any buffer has room for */

struct outlet {
	int read_fd, write_fd;
	unsigned sent, lost, again;
	bool is_shared_unchanged; /* its writer's O_NONBLOCK is as it was */
};

static void drain(int fd)
{
	char text[4096];

	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	while (read(fd, text, sizeof(text)) > 0)
		;
}

/* With this stderr, in a child process. */
static int send_many(void *data)
{
	static const struct feature_table table;
	struct outlet *o = data;
	struct finding event;
	struct journal j;

	journal_open(false, &j);
	finding_init(&event, FINDING_NO_RULES, NULL);
	for (unsigned i = 0; i < EVENTS; i++)
		*(journal_send(&j, &table, &event) ? &o->sent : &o->lost) += 1;
	drain(STDIN_FILENO);
	o->again = journal_send(&j, &table, &event);
	journal_close(&j);
	return 0;
}

/* child_run() closes what is above stderr. */
static void play(struct outlet *o)
{
	int in = dup(STDIN_FILENO), err = dup(STDERR_FILENO), r;

	dup2(o->read_fd, STDIN_FILENO);
	dup2(o->write_fd, STDERR_FILENO);
	r = child_run(send_many, o, sizeof(*o), 10 * USEC_PER_SEC);
	dup2(in, STDIN_FILENO);
	dup2(err, STDERR_FILENO);
	close(in);
	close(err);
	o->is_shared_unchanged = !(fcntl(o->write_fd, F_GETFL) & O_NONBLOCK);
	close(o->read_fd);
	close(o->write_fd);
	if (access("/run/systemd/journal/socket", F_OK) == 0)
		skip(); /* events go there */
	assert_int_equal(r, 0);
	assert_true(o->sent > 0);
	assert_true(o->lost > 0);
	assert_int_equal(o->sent + o->lost, EVENTS);
	assert_int_equal(o->again, 1);
}

static void a_full_pipe(_unused_ void **state)
{
	struct outlet o = { 0 };
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	o.read_fd = ends[0];
	o.write_fd = ends[1];
	play(&o);
	assert_true(o.is_shared_unchanged);
}

static void a_full_socket(_unused_ void **state)
{
	struct outlet o = { 0 };
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	o.read_fd = ends[0];
	o.write_fd = ends[1];
	play(&o);
}

static void a_terminal_that_is_stopped(_unused_ void **state)
{
	struct outlet o = { .read_fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC) };

	if (o.read_fd < 0 || grantpt(o.read_fd) < 0 || unlockpt(o.read_fd) < 0)
		skip();
	o.write_fd = open(ptsname(o.read_fd), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(o.write_fd >= 0);
	play(&o);
	assert_true(o.is_shared_unchanged);
}

static void a_full_disk(_unused_ void **state)
{
	static const struct feature_table table;
	int err = dup(STDERR_FILENO), full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct finding event;
	struct journal j;
	bool sent;

	assert_true(full >= 0);
	finding_init(&event, FINDING_NO_RULES, NULL);
	dup2(full, STDERR_FILENO);
	journal_open(false, &j);
	sent = journal_send(&j, &table, &event);
	journal_close(&j);
	dup2(err, STDERR_FILENO);
	close(err);
	close(full);
	if (access("/run/systemd/journal/socket", F_OK) < 0)
		assert_false(sent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_pipe),
		cmocka_unit_test(a_full_socket),
		cmocka_unit_test(a_terminal_that_is_stopped),
		cmocka_unit_test(a_full_disk),
	};

	return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
