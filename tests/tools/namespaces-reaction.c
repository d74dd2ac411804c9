/* SPDX-License-Identifier: GPL-2.0-or-later */
/* namespaces-reaction [floor PREFIX] N: for N network namespaces, the microseconds from the moment when the kernel gives each a number here to
 * the notification that features of one of its links changed. Prints the median and the 90th percentile.
 * With floor it changes them itself, as fast as a program can that knows what to expect: namespace number i is /run/netns/PREFIXi, and its
 * link eth0 gets its TX checksum switched off. */
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel/ethtool.h"
#include "kernel/namespaces.h"

#define NSIDS 65536
#define WAIT_MSEC 20000

static uint64_t numbered_usec[NSIDS], reaction_usec[NSIDS];
static size_t n_reactions;
static unsigned n_numbered;
static const char *prefix; /* NULL: somebody else changes them */
static int own = -1;

static void change(unsigned i)
{
	char path[128];
	struct ethtool_value off = { .cmd = ETHTOOL_STXCSUM };
	struct ifreq request = { .ifr_name = "eth0", .ifr_data = (void *)&off };
	int netns, fd;

	snprintf(path, sizeof(path), "/run/netns/%s%u", prefix, i);
	netns = open(path, O_RDONLY | O_CLOEXEC);
	if (netns < 0 || setns(netns, CLONE_NEWNET) < 0)
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	(void)ioctl(fd, SIOCETHTOOL, &request);
	close(fd);
	close(netns);
	if (setns(own, CLONE_NEWNET) < 0)
		exit(EXIT_FAILURE);
}

static void take(const struct namespace_event *event, void *userdata)
{
	(void)userdata;
	if (event->nsid < 0 || event->nsid >= NSIDS)
		return;
	if (event->what == NAMESPACE_NUMBERED) {
		numbered_usec[event->nsid] = util_now_usec();
		n_numbered++;
		if (prefix)
			change(n_numbered);
	} else if (event->what == NAMESPACE_FEATURES && numbered_usec[event->nsid] && n_reactions < NSIDS) {
		reaction_usec[n_reactions++] = util_now_usec() - numbered_usec[event->nsid];
		numbered_usec[event->nsid] = 0;
	}
}

static int compare(const void *p, const void *q)
{
	return COMPARE(*(const uint64_t *)p, *(const uint64_t *)q);
}

int main(int argc, char **argv)
{
	_cleanup_(namespaces_close_pointer) struct namespaces *visitor = NULL;
	_cleanup_(ethtool_close_pointer) struct ethtool *ethtool = NULL;
	size_t wanted = argc > 1 ? strtoul(argv[argc - 1], NULL, 10) : 0;
	struct netns_sockets events;

	prefix = argc == 4 ? argv[2] : NULL;
	own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (!wanted || ethtool_open(ETHTOOL_AUTO, true, 0, &ethtool) < 0 || namespaces_open(&visitor) < 0 ||
		namespaces_listen(visitor, ethtool_monitor_group(), &events) < 0)
		return EXIT_FAILURE;
	puts("ready");
	fflush(stdout);
	while (n_reactions < wanted) {
		struct pollfd fds[] = { { .fd = events.route, .events = POLLIN }, { .fd = events.generic, .events = POLLIN } };

		if (poll(fds, 2, WAIT_MSEC) <= 0)
			return EXIT_FAILURE;
		(void)namespaces_read_links(events.route, 1024, take, NULL);
		(void)namespaces_read_features(events.generic, 1024, take, NULL);
	}
	qsort(reaction_usec, n_reactions, sizeof(*reaction_usec), compare);
	printf("%llu %llu\n", (unsigned long long)reaction_usec[n_reactions / 2], (unsigned long long)reaction_usec[n_reactions * 9 / 10]);
	return EXIT_SUCCESS;
}
