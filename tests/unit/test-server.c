/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control socket with a scripted handler: replies, replies to come, and clients that do not behave. */
#include "control/server.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <systemd/sd-event.h>

#include "unit.h"
#include "basic/util.h"

static sd_event *loop;
static struct server *server;
static char directory[64], path[80];
static struct {
	unsigned calls, resumed, left; /* left: replies of "more" to come */
	bool may_change;
	uid_t uid;
	uint64_t deadline_usec;
} handler;

static void reply(struct server_client *client, const char *word, bool continues)
{
	_cleanup_json_writer_ struct json_writer w = { .form = JSON_COMPACT };

	json_open_object(&w, NULL);
	json_add_text(&w, "word", word);
	json_close_object(&w);
	server_reply(client, &w, continues);
}

static void on_call(struct server_client *client, const struct varlink_call *call, void *userdata)
{
	assert_ptr_equal(userdata, &handler);
	handler.calls++;
	handler.may_change = server_may_change(client);
	handler.uid = server_uid(client);
	if (!strcmp(call->method, "a.Echo")) {
		reply(client, "echo", false);
	} else if (!strcmp(call->method, "a.Large")) {
		char *text = calloc(1, 3000001);

		memset(text, 'x', 3000000);
		reply(client, text, false);
		free(text);
	} else if (!strcmp(call->method, "a.Wait")) {
		server_wait(client, strdup("state"), handler.deadline_usec);
	} else if (!strcmp(call->method, "a.Error")) {
		server_error(client, "a.Failed", NULL);
	} /* a.Nothing: a handler that forgets to answer */
}

static void on_resume(struct server_client *client, void *userdata)
{
	(void)userdata;
	handler.resumed++;
	assert_string_equal(server_state(client), "state");
	if (handler.left == 0)
		return;
	handler.left--;
	reply(client, handler.left ? "more" : "last", handler.left > 0);
}

static int setup(void **state)
{
	const struct server_handler h = { .call = on_call, .resume = on_resume, .userdata = &handler };

	(void)state;
	memset(&handler, 0, sizeof(handler));
	snprintf(directory, sizeof(directory), "/tmp/test-server-XXXXXX");
	assert_non_null(mkdtemp(directory));
	assert_int_equal(chmod(directory, 0755), 0);
	snprintf(path, sizeof(path), "%s/control", directory);
	assert_true(sd_event_new(&loop) >= 0);
	assert_int_equal(server_new(loop, path, &h, &server), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	server_free(server);
	sd_event_unref(loop);
	assert_int_equal(access(path, F_OK), -1); /* it removes its socket */
	(void)unlink(path);
	rmdir(directory);
	return 0;
}

/* Until nothing is to be done. */
static void run(void)
{
	while (sd_event_run(loop, 0) > 0)
		;
}

static int dial(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	strcpy(address.sun_path, path);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	run();
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text) + 1, MSG_NOSIGNAL), strlen(text) + 1);
	run();
}

/* One reply without its NUL, "" if there is none, "closed". */
static const char *hear(int fd)
{
	static char text[512];
	size_t len = 0;

	for (;;) {
		ssize_t n = recv(fd, text + len, 1, 0);

		if (n == 0)
			return "closed";
		if (n < 0)
			return errno == EAGAIN ? "" : "closed";
		if (text[len++] == '\0' || len == sizeof(text))
			return text;
	}
}

#define ECHO "{\"method\":\"a.Echo\"}"
#define ECHOED "{\"parameters\":{\"word\":\"echo\"}}"

static void calls_are_answered_in_order(void **state)
{
	int fd = dial(), other = dial();

	(void)state;
	say(fd, ECHO);
	assert_string_equal(hear(fd), ECHOED);
	assert_true(handler.may_change);
	assert_int_equal(handler.uid, geteuid());
	/* two in one packet, and a part of the third */
	assert_true(send(fd, ECHO "\0{\"method\":\"a.Error\"}\0{\"meth", sizeof(ECHO) + sizeof("{\"method\":\"a.Error\"}") + 6, 0) > 0);
	run();
	assert_string_equal(hear(fd), ECHOED);
	assert_string_equal(hear(fd), "{\"error\":\"a.Failed\",\"parameters\":{}}");
	assert_string_equal(hear(fd), "");
	say(other, ECHO);
	assert_string_equal(hear(other), ECHOED);
	say(fd, "od\":\"a.Echo\"}");
	assert_string_equal(hear(fd), ECHOED);
	say(fd, "{\"method\":\"a.Echo\",\"oneway\":true}");
	assert_string_equal(hear(fd), "");
	assert_int_equal(handler.calls, 6);
	close(fd);
	close(other);
	run();
}

static void a_waiting_call_is_resumed(void **state)
{
	int fd = dial();

	(void)state;
	server_wake(NULL);
	server_wake(server); /* nobody waits */
	say(fd, "{\"method\":\"a.Wait\",\"more\":true}");
	assert_string_equal(hear(fd), "");
	server_wake(server);
	run();
	assert_int_equal(handler.resumed, 1); /* it had nothing yet */
	handler.left = 2;
	server_wake(server);
	run();
	assert_string_equal(hear(fd), "{\"parameters\":{\"word\":\"more\"},\"continues\":true}");
	assert_string_equal(hear(fd), "{\"parameters\":{\"word\":\"last\"}}");
	say(fd, ECHO);
	assert_string_equal(hear(fd), ECHOED);
	say(fd, "{\"method\":\"a.Wait\"}");
	close(fd); /* while it waits */
	run();
	server_wake(server);
	run();
	assert_int_equal(handler.resumed, 3);
}

static void a_waiting_call_has_a_deadline(void **state)
{
	int fd = dial();

	(void)state;
	handler.left = 1;
	handler.deadline_usec = 1; /* is over */
	say(fd, "{\"method\":\"a.Wait\"}");
	for (unsigned i = 0; i < 100 && !handler.resumed; i++)
		(void)sd_event_run(loop, 100000);
	run();
	assert_string_equal(hear(fd), "{\"parameters\":{\"word\":\"last\"}}");
	close(fd);
	run();
}

static void who_does_not_behave_is_disconnected(void **state)
{
	static char large[VARLINK_MESSAGE_MAX + 4096];
	int fd = dial();

	(void)state;
	say(fd, "not json");
	assert_string_equal(hear(fd), "closed");
	close(fd);
	fd = dial();
	say(fd, "{\"method\":\"a.Nothing\"}");
	assert_string_equal(hear(fd), "closed");
	close(fd);
	fd = dial();
	memset(large, ' ', sizeof(large)); /* a message without an end */
	for (size_t at = 0; at < sizeof(large);) {
		ssize_t n = send(fd, large + at, sizeof(large) - at, MSG_NOSIGNAL);

		run();
		if (n < 0 && errno != EAGAIN)
			break;
		at += n > 0 ? (size_t)n : 0;
	}
	assert_string_equal(hear(fd), "closed");
	close(fd);
	fd = dial();
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	run();
	assert_string_equal(hear(fd), "closed");
	close(fd);
	assert_int_equal(handler.calls, 1);
}

static void a_large_reply_waits_for_its_reader(void **state)
{
	static char text[65536];
	int fd = dial(), other = dial();
	size_t len = 0;

	(void)state;
	say(fd, "{\"method\":\"a.Large\"}");
	say(other, ECHO); /* others do not wait */
	assert_string_equal(hear(other), ECHOED);
	for (;;) {
		ssize_t n = recv(fd, text, sizeof(text), 0);

		run();
		if (n <= 0)
			break;
		len += (size_t)n;
		if (text[n - 1] == '\0')
			break;
	}
	assert_int_equal(len, 3000000 + sizeof("{\"parameters\":{\"word\":\"\"}}"));
	say(fd, ECHO);
	assert_string_equal(hear(fd), ECHOED);
	say(fd, "{\"method\":\"a.Large\"}");
	close(fd); /* without reading it */
	run();
	close(other);
	run();
}

static void many_clients_push_out_the_idle_ones(void **state)
{
	int fds[SERVER_CLIENTS_MAX + 1];

	(void)state;
	for (size_t i = 0; i <= SERVER_CLIENTS_MAX; i++)
		fds[i] = dial();
	assert_string_equal(hear(fds[0]), "closed"); /* the longest idle one */
	say(fds[1], ECHO);
	assert_string_equal(hear(fds[1]), ECHOED);
	say(fds[SERVER_CLIENTS_MAX], ECHO);
	assert_string_equal(hear(fds[SERVER_CLIENTS_MAX]), ECHOED);
	for (size_t i = 0; i <= SERVER_CLIENTS_MAX; i++)
		close(fds[i]);
	run();
}

/* The connections that another user opened and still has. */
static unsigned left_of_other_user(void)
{
	int fds[SERVER_CLIENTS_PER_USER + 2], to[2], from[2];
	char byte;
	pid_t pid;
	int status;

	assert_int_equal(pipe(to), 0);
	assert_int_equal(pipe(from), 0);
	pid = fork();
	if (pid == 0) {
		struct sockaddr_un address = { .sun_family = AF_UNIX };
		unsigned left = 0;

		strcpy(address.sun_path, path);
		if (setuid(65534) < 0)
			_exit(255);
		for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
			fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
			if (connect(fds[i], (struct sockaddr *)&address, sizeof(address)) < 0)
				_exit(254);
		}
		(void)!send(fds[ARRAY_SIZE(fds) - 1], ECHO, sizeof(ECHO), 0);
		(void)!write(from[1], "", 1);
		(void)!read(to[0], &byte, 1);
		for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
			left += recv(fds[i], &byte, 1, 0) != 0;
		_exit((int)left);
	}
	assert_int_equal(read(from[0], &byte, 1), 1);
	run();
	assert_int_equal(write(to[1], "", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	for (size_t i = 0; i < 2; i++) {
		close(to[i]);
		close(from[i]);
	}
	return (unsigned)WEXITSTATUS(status);
}

static void another_user_has_fewer(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(left_of_other_user(), SERVER_CLIENTS_PER_USER);
	assert_int_equal(handler.calls, 1);
	assert_false(handler.may_change);
	assert_int_equal(handler.uid, 65534);
	run();
}

static void only_one_listens(void **state)
{
	const struct server_handler h = { .call = on_call, .resume = on_resume };
	struct server *second;
	char long_path[200];

	(void)state;
	assert_int_equal(server_new(loop, path, &h, &second), -EADDRINUSE);
	memset(long_path, 'a', sizeof(long_path));
	long_path[0] = '/';
	long_path[sizeof(long_path) - 1] = '\0';
	assert_true(server_new(loop, long_path, &h, &second) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(calls_are_answered_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(a_waiting_call_is_resumed, setup, teardown),
		cmocka_unit_test_setup_teardown(a_waiting_call_has_a_deadline, setup, teardown),
		cmocka_unit_test_setup_teardown(who_does_not_behave_is_disconnected, setup, teardown),
		cmocka_unit_test_setup_teardown(a_large_reply_waits_for_its_reader, setup, teardown),
		cmocka_unit_test_setup_teardown(many_clients_push_out_the_idle_ones, setup, teardown),
		cmocka_unit_test_setup_teardown(another_user_has_fewer, setup, teardown),
		cmocka_unit_test_setup_teardown(only_one_listens, setup, teardown),
	};

	return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
