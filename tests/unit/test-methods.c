/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls that wait for evidence: the client waits for the slices of the tracker, and whoever else waits gets a turn when it is read. */
#include "control/methods.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <systemd/sd-event.h>

#include "basic/util.h"
#include "unit.h"

static struct {
	int result; /* of the next metrics */
	unsigned asked, changed, scheduled;
	uint64_t asked_usec;
} host;
static struct tracker *no_tracker;
static sd_event *loop;
static struct server *server;
static struct methods *methods;
static char directory[64], path[80];

static int metrics(uint64_t asked_usec, char **ret, size_t *ret_len, _unused_ void *userdata)
{
	host.asked++;
	if (!host.asked_usec)
		host.asked_usec = asked_usec;
	assert_int_equal(asked_usec, host.asked_usec); /* the client asked once */
	*ret = host.result < 0 ? NULL : strdup("offloadd_up 1\n");
	*ret_len = *ret ? strlen(*ret) : 0;
	return host.result;
}

static void note_change(_unused_ void *userdata)
{
	host.changed++;
}

static void note_schedule(_unused_ void *userdata)
{
	host.scheduled++;
}

static int setup(void **state)
{
	const struct methods_host h = { .tracker = &no_tracker, .metrics = metrics, .changed = note_change, .schedule = note_schedule };
	struct server_handler handler;

	(void)state;
	memset(&host, 0, sizeof(host));
	snprintf(directory, sizeof(directory), "/tmp/test-methods-XXXXXX");
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/control", directory);
	assert_true(sd_event_new(&loop) >= 0);
	assert_int_equal(methods_new(&h, &methods), 0);
	handler = methods_handler(methods);
	assert_int_equal(server_new(loop, path, &handler, &server), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	server_free(server);
	methods_free(methods);
	sd_event_unref(loop);
	return rmdir(directory);
}

/* Until nothing is to be done. The reply without its NUL, "" if there is none. */
static const char *hear(int fd)
{
	static char text[8192];
	ssize_t len;

	while (sd_event_run(loop, 0) > 0)
		;
	len = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
	text[len < 0 ? 0 : len] = '\0';
	return text;
}

static int call(const char *method)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), len;
	char text[128];

	strcpy(address.sun_path, path);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	len = snprintf(text, sizeof(text), "{\"method\":\"org.offloadd.%s\"}", method) + 1;
	assert_int_equal(send(fd, text, (size_t)len, MSG_NOSIGNAL), len);
	return fd;
}

/* Reading for one client may take away the deadline that the metrics file, or another client, waits for. */
static void whoever_else_waits_gets_a_turn(_unused_ void **state)
{
	int fd;

	host.result = -EAGAIN;
	fd = call("GetMetrics");
	assert_string_equal(hear(fd), "");
	assert_true(host.asked > 0 && host.scheduled == host.asked);
	assert_int_equal(host.changed, 0);
	host.result = 0;
	server_wake(server);
	assert_non_null(strstr(hear(fd), "offloadd_up 1"));
	assert_int_equal(host.changed, 1);
	close(fd);
}

static void an_error_is_a_turn_too(_unused_ void **state)
{
	int fd;

	host.result = -ENOMEM;
	fd = call("GetMetrics");
	assert_non_null(strstr(hear(fd), "org.offloadd.NotPossible"));
	assert_int_equal(host.changed, 1);
	assert_int_equal(host.scheduled, 0);
	close(fd);
}

static void services_without_probes_are_unknown(_unused_ void **state)
{
	int fd = call("GetServices");

	assert_non_null(strstr(hear(fd), "\"fallback\":null,\"restart\":null"));
	assert_int_equal(host.changed, 1);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(whoever_else_waits_gets_a_turn, setup, teardown),
		cmocka_unit_test_setup_teardown(an_error_is_a_turn_too, setup, teardown),
		cmocka_unit_test_setup_teardown(services_without_probes_are_unknown, setup, teardown),
	};

	return cmocka_run_group_tests_name("methods", tests, NULL, NULL);
}
