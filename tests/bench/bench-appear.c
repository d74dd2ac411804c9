/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bench-appear ROUNDS: creates dummy links one after the other, and for each measures how long it takes from then until somebody
 * has switched its TSO off. Prints "median p99 missed", the first two in microseconds. */
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
#define PAUSE_MSEC 40 /* for everybody to see the last link go */

static void change_link(struct mnl_socket *s, int type, int flags, const char *name)
{
	char buf[1024];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	nlh->nlmsg_type = (uint16_t)type;
	nlh->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	struct nlattr *info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "dummy");
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

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 100, n = 0, missed = 0;
	struct mnl_socket *route = bench_socket(NETLINK_ROUTE);
	struct mnl_socket *monitor = bench_socket(NETLINK_GENERIC);
	struct bench_family family = bench_ethtool_family(monitor);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	/* where there is one CPU, the end must not be seen only once the process that is measured sleeps again */
	const struct sched_param at_once = { .sched_priority = 1 };
	double *took = calloc((size_t)(rounds > 0 ? rounds : 1), sizeof(*took));

	if (!took || rounds < 1 || fd < 0)
		bench_die("bench-appear ROUNDS");
	if (sched_setscheduler(0, SCHED_FIFO, &at_once) < 0)
		bench_die("real-time scheduling");
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
			missed++;
		else
			took[n++] = usec;
		take_ack(route);
		change_link(route, RTM_DELLINK, 0, name);
		take_ack(route);
		poll(NULL, 0, PAUSE_MSEC);
	}
	qsort(took, (size_t)n, sizeof(*took), by_size);
	if (n)
		printf("%.0f %.0f %d\n", took[n / 2], took[(n - 1) * 99 / 100], missed);
	else
		printf("- - %d\n", missed);
	free(took);
	return 0;
}
