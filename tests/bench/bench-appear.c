/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bench-appear ROUNDS: creates links of the kind $BENCH_KIND (dummy) one after the other, and for each measures how long it takes
 * from then until somebody has switched its TSO off. Prints the microseconds of each, or "missed". */
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "bench.h"

#define WAIT_USEC 5e6
#define PAUSE_MSEC 20 /* for everybody to see the last link go */

static void change_link(struct mnl_socket *s, int type, int flags, const char *name)
{
	const char *kind = getenv("BENCH_KIND");
	char buf[1024];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	nlh->nlmsg_type = (uint16_t)type;
	nlh->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	struct nlattr *info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, kind ? kind : "dummy");
	mnl_attr_nest_end(nlh, info);
	if (mnl_socket_sendto(s, nlh, nlh->nlmsg_len) < 0)
		bench_die("send");
}

static void take_ack(struct mnl_socket *s)
{
	char buf[BENCH_BUFFER];
	ssize_t n = mnl_socket_recvfrom(s, buf, sizeof(buf));

	if (n < 0 || mnl_cb_run(buf, (size_t)n, 0, mnl_socket_get_portid(s), NULL, NULL) < 0)
		bench_die("change of a link");
}

static int tso_is_off(int fd, const char *name)
{
	struct ethtool_value value = { .cmd = ETHTOOL_GTSO };
	struct ifreq ifr = { .ifr_data = (void *)&value };

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	return ioctl(fd, SIOCETHTOOL, &ifr) == 0 && !value.data;
}

/* Microseconds until the link is as declared, negative when it never was. */
static double wait_for(struct mnl_socket *monitor, int fd, const char *name, double since)
{
	struct pollfd p = { .fd = mnl_socket_get_fd(monitor), .events = POLLIN };
	char buf[BENCH_BUFFER];

	for (;;) {
		double now = bench_now_usec();

		if (now - since > WAIT_USEC)
			return -1;
		if (poll(&p, 1, 100) > 0) {
			now = bench_now_usec();
			mnl_socket_recvfrom(monitor, buf, sizeof(buf));
		}
		if (tso_is_off(fd, name))
			return now - since;
	}
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 100;
	struct mnl_socket *route = bench_socket(NETLINK_ROUTE);
	struct mnl_socket *monitor = bench_socket(NETLINK_GENERIC);
	struct bench_family family = bench_ethtool_family(monitor);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct sched_param first = { .sched_priority = 1 };

	/* Goes first: otherwise, on one CPU, a contender sometimes runs before sendto() returns and the
	 * clock starts too late. */
	if (sched_setscheduler(0, SCHED_FIFO, &first) < 0)
		bench_die("SCHED_FIFO");
	if (rounds < 1 || fd < 0)
		bench_die("bench-appear ROUNDS");
	if (mnl_socket_setsockopt(
		    monitor, NETLINK_ADD_MEMBERSHIP, &family.monitor_group, sizeof(int)) < 0)
		bench_die("monitor group");
	for (int i = 0; i < rounds; i++) {
		char name[IFNAMSIZ];
		double since, usec;

		snprintf(name, sizeof(name), "b%d", i);
		change_link(route, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, name);
		since = bench_now_usec();
		usec = wait_for(monitor, fd, name, since);
		if (usec < 0)
			puts("missed");
		else
			printf("%.0f\n", usec);
		take_ack(route);
		change_link(route, RTM_DELLINK, 0, name);
		take_ack(route);
		poll(NULL, 0, PAUSE_MSEC);
	}
	return 0;
}
