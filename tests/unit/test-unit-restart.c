/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A child is the bus and systemd at once: it answers Hello, and takes one job or refuses it. */
#include "unit.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "engine/unit_restart.h"
#include "basic/util.h"

static int serve(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const char **refusal = userdata;
	const char *unit, *mode;

	(void)error;
	if (sd_bus_message_is_method_call(m, "org.freedesktop.DBus", "Hello"))
		return sd_bus_reply_method_return(m, "s", ":1.1");
	if (!sd_bus_message_is_method_call(m, "org.freedesktop.systemd1.Manager", "TryRestartUnit"))
		return 0;
	if (*refusal)
		return sd_bus_reply_method_errorf(m, *refusal, "No.");
	if (sd_bus_message_read(m, "ss", &unit, &mode) < 0 || strcmp(unit, "web.service") != 0 ||
		strcmp(mode, "replace") != 0)
		return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_INVALID_ARGS, "not what was meant");
	return sd_bus_reply_method_return(m, "o", "/org/freedesktop/systemd1/job/1");
}

static void be_bus(int listening, const char *refusal)
{
	const sd_id128_t id = SD_ID128_MAKE(01, 02, 03, 04, 05, 06, 07, 08, 09, 0a, 0b, 0c, 0d, 0e, 0f, 10);
	int fd = accept(listening, NULL, NULL), r;
	sd_bus *bus;

	alarm(60);
	if (fd < 0 || sd_bus_new(&bus) < 0 || sd_bus_set_fd(bus, fd, fd) < 0 || sd_bus_set_server(bus, 1, id) < 0 ||
		sd_bus_set_anonymous(bus, 1) < 0 || sd_bus_add_filter(bus, NULL, serve, &refusal) < 0 ||
		sd_bus_start(bus) < 0)
		_exit(1);
	while ((r = sd_bus_process(bus, NULL)) >= 0)
		if (r == 0 && sd_bus_wait(bus, UINT64_MAX) < 0)
			break;
	_exit(0);
}

struct place {
	char dir[32], path[64];
	int fd;
	pid_t child;
	sd_event *event;
	char said[400];
};

static void start(struct place *p, const char *refusal)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char bus[96];

	*p = (struct place){ .dir = "/tmp/test-unit-restart.XXXXXX" };
	assert_non_null(mkdtemp(p->dir));
	snprintf(p->path, sizeof(p->path), "%s/bus", p->dir);
	snprintf(bus, sizeof(bus), "unix:path=%s", p->path);
	setenv("DBUS_SYSTEM_BUS_ADDRESS", bus, 1);
	strcpy(address.sun_path, p->path);
	p->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(p->fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(p->fd, 1), 0);
	p->child = fork();
	assert_true(p->child >= 0);
	if (p->child == 0)
		be_bus(p->fd, refusal);
	assert_int_equal(sd_event_new(&p->event), 0);
}

static void stop_place(struct place *p)
{
	sd_event_unref(p->event);
	kill(p->child, SIGKILL);
	waitpid(p->child, NULL, 0);
	close(p->fd);
	unlink(p->path);
	rmdir(p->dir);
}

static void hear(const char *unit, const char *error, void *userdata)
{
	struct place *p = userdata;

	snprintf(p->said, sizeof(p->said), "%s: %s", unit, error[0] ? error : "taken");
	sd_event_exit(p->event, 0);
}

static void answer(const char *refusal, const char *wanted)
{
	struct unit_restart *call = NULL;
	struct place p;

	start(&p, refusal);
	assert_int_equal(unit_restart_start(p.event, "web.service", hear, &p, &call), 0);
	assert_string_equal(p.said, ""); /* nobody waited */
	assert_int_equal(sd_event_loop(p.event), 0);
	assert_string_equal(p.said, wanted);
	unit_restart_free(call);
	stop_place(&p);
}

static void systemd_takes_it(void **state)
{
	(void)state;
	answer(NULL, "web.service: taken");
}

static void or_refuses(void **state)
{
	(void)state;
	answer(SD_BUS_ERROR_INVALID_ARGS, "web.service: No.");
}

static void polkit_does_not_let(void **state)
{
	const char *wanted = "web.service: No. (no polkit rule lets offloadd: see [Restart] in offloadd.conf(5))";

	(void)state;
	answer(SD_BUS_ERROR_ACCESS_DENIED, wanted);
	answer(SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, wanted);
}

static void a_call_may_be_given_up(void **state)
{
	struct unit_restart *call = NULL;
	struct place p;

	(void)state;
	start(&p, NULL);
	assert_int_equal(unit_restart_start(p.event, "web.service", hear, &p, &call), 0);
	unit_restart_free(call);
	assert_string_equal(p.said, "");
	stop_place(&p);
}

static void without_a_bus_there_is_an_error(void **state)
{
	struct unit_restart *call = NULL;
	sd_event *event;

	(void)state;
	assert_int_equal(sd_event_new(&event), 0);
	setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus", 1);
	assert_true(unit_restart_start(event, "web.service", NULL, NULL, &call) < 0);
	assert_null(call);
	sd_event_unref(event);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(systemd_takes_it),
		cmocka_unit_test(or_refuses),
		cmocka_unit_test(polkit_does_not_let),
		cmocka_unit_test(a_call_may_be_given_up),
		cmocka_unit_test(without_a_bus_there_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
