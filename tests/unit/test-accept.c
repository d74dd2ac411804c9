/* SPDX-License-Identifier: GPL-2.0-or-later */
/* No descriptor is left for a client that waits: no server asks for it in a busy loop, and the client is served when there is one
 * again. */
#include "control/server.h"
#include "path/path_link.h"
#include "verify/peer.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <systemd/sd-event.h>

#include "basic/util.h"
#include "unit.h"

#define WHILE_USEC (500 * USEC_PER_MSEC)
#define CALLS_MAX 12 /* of accept(2) meanwhile */

static unsigned calls;
static int fails; /* errno of accept4(), 0: it works */

int __real_accept4(int fd, struct sockaddr *address, socklen_t *len, int flags);
int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *len, int flags);
int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
	calls++;
	if (!fails)
		return __real_accept4(fd, address, len, flags);
	errno = fails;
	return -1;
}

static unsigned refusals;
static int refused_by;

static void count_refusal(int error, _unused_ void *userdata)
{
	refusals++;
	refused_by = error;
}

static void on_call(struct server_client *client, _unused_ const struct varlink_call *call, _unused_ void *userdata)
{
	server_error(client, "org.offloadd.Test", NULL);
}

static void run_for(sd_event *event, uint64_t usec)
{
	uint64_t end_usec = util_now_usec() + usec;

	while (util_now_usec() < end_usec)
		assert_true(sd_event_run(event, end_usec - util_now_usec()) >= 0);
}

static void the_control_socket_waits(_unused_ void **state)
{
	static const char text[] = "{\"method\":\"org.offloadd.Test\"}";
	const struct server_handler handler = { .call = on_call, .refused = count_refusal };
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/tmp/test-accept.XXXXXX" };
	char directory[] = "/tmp/test-accept.XXXXXX", reply[256];
	_cleanup_close_ int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct server *server;
	sd_event *event;

	assert_non_null(mkdtemp(directory));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/control", directory);
	assert_true(sd_event_new(&event) >= 0);
	assert_int_equal(server_new(event, address.sun_path, &handler, &server), 0);
	fails = ENFILE;
	calls = refusals = 0;
	assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(send(client, text, sizeof(text), 0), sizeof(text));
	run_for(event, WHILE_USEC);
	assert_in_range(calls, 2, CALLS_MAX);
	assert_int_equal(refusals, 1);
	assert_int_equal(refused_by, -ENFILE);
	fails = 0;
	for (unsigned i = 0; i < 100 && recv(client, reply, sizeof(reply), MSG_DONTWAIT) <= 0; i++)
		assert_true(sd_event_run(event, 100 * USEC_PER_MSEC) >= 0);
	assert_non_null(strstr(reply, "org.offloadd.Test"));
	server_free(server);
	sd_event_unref(event);
	assert_int_equal(rmdir(directory), 0);
}

static unsigned served;

static void count_served(_unused_ const union path_address *peer, _unused_ uint64_t bytes, _unused_ const char *reason,
	_unused_ void *userdata)
{
	served++;
}

static void check_path_waits(_unused_ void **state)
{
	struct path_server server = { .budget = { .bytes_max = 1 << 20, .busy_usec_max = USEC_PER_SEC }, .served = count_served,
		.refused = count_refusal };
	union path_address address = { .in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) } };
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char why[PATH_WHY_LEN];

	server.fd = path_listen(&address, NULL, why);
	assert_true(server.fd >= 0);
	assert_int_equal(connect(client, &address.any, sizeof(address.in)), 0);
	close(client);
	fails = EMFILE;
	calls = refusals = 0;
	assert_int_equal(path_serve(&server, WHILE_USEC), 0);
	assert_in_range(calls, 2, CALLS_MAX);
	assert_int_equal(refusals, 1);
	assert_int_equal(refused_by, -EMFILE);
	assert_int_equal(served, 0);
	fails = 0;
	assert_int_equal(path_serve(&server, WHILE_USEC), 0);
	assert_int_equal(served, 1);
	close(server.fd);
}

static void count_host(_unused_ const union path_address *peer, bool done, _unused_ const char *why)
{
	served += done;
}

static void verify_waits(_unused_ void **state)
{
	struct peer_server server = { .data_fd = -1, .served = count_host };
	union path_address address = { .in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) } };
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char why[PATH_WHY_LEN];

	server.fd = path_listen(&address, NULL, why);
	assert_true(server.fd >= 0);
	assert_int_equal(connect(client, &address.any, sizeof(address.in)), 0);
	close(client);
	fails = EMFILE;
	calls = served = 0;
	assert_int_equal(peer_serve(&server, WHILE_USEC), 0);
	assert_in_range(calls, 2, CALLS_MAX);
	assert_int_equal(served, 0);
	fails = 0;
	assert_int_equal(peer_serve(&server, WHILE_USEC), 0);
	assert_int_equal(served, 1);
	peer_close(&server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_control_socket_waits),
		cmocka_unit_test(check_path_waits),
		cmocka_unit_test(verify_waits),
	};

	return cmocka_run_group_tests_name("accept", tests, NULL, NULL);
}
