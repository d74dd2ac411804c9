/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control-bully SOCKET KIND [N]: N clients at once, each of a kind that no client should be, until it is killed; prints "begun" when all had
 * their turn. control-bully SOCKET protocol: what a well-behaved client may expect, exit 0 when it holds.
 * control-bully SOCKET reaction LINK N: switches scatter-gather off N times; prints the microseconds until it is on again, median and
 * worst. */
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "kernel/ethtool.h"
#include "basic/util.h"

#define STATUS "{\"method\":\"org.offloadd.GetStatus\"}"
#define PLAN "{\"method\":\"org.offloadd.GetPlan\",\"more\":true}"
#define FOLLOW "{\"method\":\"org.offloadd.GetEvents\",\"parameters\":{\"follow\":true},\"more\":true}"

static const char *path;

static int dial(int flags)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* One turn of one client; false to hang up. */
static bool garbage(int fd)
{
	static const char junk[] = "{\"method\":[[[[[[[[[[[[[[[[\xff\xfe";

	return send(fd, junk, sizeof(junk), MSG_NOSIGNAL) > 0;
}

static bool big(int fd)
{
	static const char much[65536] = { [0 ... 65535] = '[' };

	return send(fd, much, sizeof(much), MSG_NOSIGNAL) > 0 || errno == EAGAIN;
}

static bool slow(int fd)
{
	return send(fd, "{", 1, MSG_NOSIGNAL) > 0 || errno == EAGAIN;
}

static bool flood(int fd)
{
	char answer[65536];

	while (recv(fd, answer, sizeof(answer), 0) > 0)
		;
	return send(fd, PLAN "\0" STATUS "\0" PLAN, sizeof(PLAN "\0" STATUS "\0" PLAN), MSG_NOSIGNAL) > 0 ||
		errno == EAGAIN;
}

static bool stuck(int fd)
{
	return send(fd, PLAN "\0" STATUS, sizeof(PLAN "\0" STATUS), MSG_NOSIGNAL) > 0 || errno == EAGAIN;
}

static bool follow(int fd)
{
	return send(fd, FOLLOW, sizeof(FOLLOW), MSG_NOSIGNAL) > 0 || errno == EAGAIN;
}

static bool idle(int fd)
{
	return fd >= 0;
}

static bool churn(int fd)
{
	(void)fd;
	return false;
}

static const struct {
	const char *name;
	bool (*turn)(int fd);
} kinds[] = { { "garbage", garbage }, { "big", big }, { "slow", slow }, { "flood", flood },
	{ "stuck", stuck }, { "follow", follow }, { "idle", idle }, { "churn", churn } };

static int bully(bool (*turn)(int fd), size_t n)
{
	int *fds = malloc(n * sizeof(*fds));

	if (!fds)
		return 1;
	memset(fds, 0xff, n * sizeof(*fds));
	for (bool begun = false;; begun = true) {
		for (size_t i = 0; i < n; i++) {
			if (fds[i] < 0)
				fds[i] = dial(SOCK_NONBLOCK);
			if (fds[i] >= 0 && !turn(fds[i])) {
				close(fds[i]);
				fds[i] = -1;
			}
		}
		if (!begun) {
			puts("begun");
			fflush(stdout);
		}
		poll(NULL, 0, 20);
	}
}

/* ---- protocol ---- */

static unsigned wrong;

/* Receives n messages and holds the last against a text. */
static void expect(int fd, unsigned n, const char *what, const char *text)
{
	static char answer[1 << 20];
	size_t len = 0, at = 0;

	for (;;) {
		char *end = memchr(answer + at, '\0', len - at);
		ssize_t r;

		if (end && --n == 0)
			break;
		if (end) {
			at = (size_t)(end - answer) + 1;
			continue;
		}
		r = recv(fd, answer + len, sizeof(answer) - len, 0);
		if (r <= 0) {
			printf("# %s: no answer\n", what);
			wrong++;
			return;
		}
		len += (size_t)r;
	}
	if (!strstr(answer + at, text)) {
		printf("# %s: got %s\n", what, answer + at);
		wrong++;
	}
}

static void expect_end(int fd, const char *what)
{
	char byte;

	if (recv(fd, &byte, 1, 0) > 0) {
		printf("# %s: an answer that should not be\n", what);
		wrong++;
	}
	close(fd);
}

static void ask(int fd, const char *text, size_t len)
{
	if (send(fd, text, len, MSG_NOSIGNAL) != (ssize_t)len)
		wrong++;
}
#define ASK(fd, text) ask(fd, text, sizeof(text))

static int protocol(void)
{
	int fd = dial(0);

	ASK(fd, "{\"method\":\"org.varlink.service.GetInfo\",\"parameters\":{}}");
	expect(fd, 1, "GetInfo", "\"interfaces\":[\"org.varlink.service\",\"org.offloadd\"]");
	ASK(fd, "{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":{\"interface\":\"org.offloadd\"}}");
	expect(fd, 1, "GetInterfaceDescription", "method GetStatus()");
	ASK(fd, "{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":{\"interface\":\"org.none\"}}");
	expect(fd, 1, "another interface", "\"error\":\"org.varlink.service.InterfaceNotFound\",\"parameters\":{\"interface\":\"org.none\"}");
	ASK(fd, "{\"method\":\"org.offloadd.Fly\"}");
	expect(fd, 1, "no such method", "\"error\":\"org.varlink.service.MethodNotFound\"");
	ASK(fd, "{\"method\":\"org.offloadd.GetPlan\",\"parameters\":{\"links\":\"veth0\"}}");
	expect(fd, 1, "a parameter of the wrong type", "\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{\"parameter\":\"links\"}");
	ASK(fd, "{\"method\":\"org.offloadd.GetEvents\",\"parameters\":{\"follow\":true}}");
	expect(fd, 1, "follow without more", "\"error\":\"org.varlink.service.ExpectedMore\"");
	ASK(fd, PLAN);
	expect(fd, 1, "a plan", "\"parameters\":{\"links\":[");
	/* several in one write, one in two writes */
	ASK(fd, STATUS "\0" STATUS "\0{\"method\":\"org.offloadd.Fly\"}");
	expect(fd, 3, "three calls at once", "MethodNotFound");
	ask(fd, STATUS, 10);
	ask(fd, &STATUS[10], sizeof(STATUS) - 10);
	expect(fd, 1, "a call in two pieces", "\"mode\":");
	/* nothing comes back for the first one */
	ASK(fd, "{\"method\":\"org.offloadd.GetStatus\",\"oneway\":true}\0{\"method\":\"org.offloadd.Fly\"}");
	expect(fd, 1, "oneway", "MethodNotFound");
	ASK(fd, STATUS);
	shutdown(fd, SHUT_WR);
	expect(fd, 1, "a client that has said all", "\"mode\":");
	expect_end(fd, "the end");
	fd = dial(0);
	ASK(fd, "no JSON");
	expect_end(fd, "what is no call");
	fd = dial(0);
	ASK(fd, "{\"method\":\"a\"}{\"method\":\"b\"}");
	expect_end(fd, "two objects in one message");
	return wrong > 0;
}

/* ---- reaction ---- */

struct wait {
	int ifindex;
	feature_set bit;
	bool on;
};

static void notice(int ifindex, const struct link_features *features, int error, void *userdata)
{
	struct wait *w = userdata;

	if (!error && ifindex == w->ifindex)
		w->on = features->active & w->bit;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Microseconds from the SET that switches off to the notification that it is on again; 0 when it does not come. */
static uint64_t react(struct ethtool *e, struct wait *w, const char *link)
{
	struct pollfd p = { .fd = ethtool_monitor_fd(e), .events = POLLIN };
	struct ethtool_result result;
	uint64_t begin = util_now_usec();

	if (ethtool_features_set(e, w->ifindex, link, w->bit, 0, &result) < 0 || result.error)
		return 0;
	w->on = false;
	while (!w->on) {
		if (poll(&p, 1, 10000) <= 0)
			return 0;
		ethtool_monitor_read(e, notice, w);
	}
	return util_now_usec() - begin;
}

static int reaction(const char *link, size_t n)
{
	uint64_t *usec = calloc(n, sizeof(*usec));
	struct feature_table table = { 0 };
	struct wait w = { 0 };
	struct ethtool *e;

	w.ifindex = (int)if_nametoindex(link);
	if (!usec || !w.ifindex || ethtool_open(ETHTOOL_NETLINK, true, 0, &e) < 0 ||
		ethtool_features_strings(e, &table) < 0)
		return 1;
	w.bit = feature_named(&table, "tx-scatter-gather");
	for (size_t i = 0; i < n; i++) {
		usec[i] = react(e, &w, link);
		if (!usec[i])
			return 1;
		poll(NULL, 0, 100);
	}
	qsort(usec, n, sizeof(*usec), compare);
	printf("%llu %llu\n", (unsigned long long)usec[n / 2], (unsigned long long)usec[n - 1]);
	ethtool_close(e);
	free(usec);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 1;
	path = argv[1];
	if (strcmp(argv[2], "protocol") == 0)
		return protocol();
	if (strcmp(argv[2], "reaction") == 0 && argc == 5)
		return reaction(argv[3], strtoul(argv[4], NULL, 10));
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(argv[2], kinds[i].name) == 0 && argc == 4)
			return bully(kinds[i].turn, strtoul(argv[3], NULL, 10));
	return 1;
}
