/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "path/path_pair.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/veth.h>
#include <netlink/route/link/vlan.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "basic/child.h"
#include "kernel/netns.h"
#include "basic/util.h"

#define VETH "path0"
#define VLAN "path0.10"
#define VLAN_ID 10
#define SENDER_ADDRESS "192.0.2.1/30"
#define RECEIVER_ADDRESS "192.0.2.2/30"
#define SETUP_USEC (20 * USEC_PER_SEC)

CLEANUP_POINTER(struct rtnl_link, rtnl_link_put)
#define _cleanup_link_ _cleanup_(rtnl_link_put_pointer)

static int nl_failed(const char *what, int error, char *why)
{
	snprintf(why, PATH_WHY_LEN, "Failed to %s in a new network namespace: %s", what, nl_geterror(error));
	return -EIO;
}

static int set_up(struct nl_sock *nl, int ifindex)
{
	_cleanup_link_ struct rtnl_link *as_is = rtnl_link_alloc(), *change = rtnl_link_alloc();

	if (!as_is || !change)
		return -NLE_NOMEM;
	rtnl_link_set_ifindex(as_is, ifindex);
	rtnl_link_set_flags(change, IFF_UP);
	return rtnl_link_change(nl, as_is, change, 0);
}

static int add_vlan(struct nl_sock *nl, int lower)
{
	_cleanup_link_ struct rtnl_link *vlan = rtnl_link_vlan_alloc();

	if (!vlan)
		return -NLE_NOMEM;
	rtnl_link_set_name(vlan, VLAN);
	rtnl_link_set_link(vlan, lower);
	rtnl_link_vlan_set_id(vlan, VLAN_ID);
	return rtnl_link_add(nl, vlan, NLM_F_CREATE | NLM_F_EXCL);
}

static int add_address(struct nl_sock *nl, int ifindex, const char *text)
{
	struct rtnl_addr *address = rtnl_addr_alloc();
	struct nl_addr *local = NULL;
	int r = address ? nl_addr_parse(text, AF_INET, &local) : -NLE_NOMEM;

	if (r == 0) {
		rtnl_addr_set_ifindex(address, ifindex);
		r = rtnl_addr_set_local(address, local);
		if (r == 0)
			r = rtnl_addr_add(nl, address, 0);
	}
	nl_addr_put(local);
	rtnl_addr_put(address);
	return r;
}

/* Used by both ends in their namespace: adds VLAN and address, sets all links up. */
static int set_up_end(struct nl_sock *nl, bool vlan, const char *address, char *why)
{
	int top = (int)if_nametoindex(VETH), r = set_up(nl, top);

	if (r == 0 && vlan) {
		r = add_vlan(nl, top);
		if (r < 0)
			return nl_failed("create a VLAN", r, why);
		top = (int)if_nametoindex(VLAN);
		r = set_up(nl, top);
	}
	if (r == 0)
		r = add_address(nl, top, address);
	return r < 0 ? nl_failed("set up a veth", r, why) : 0;
}

static int open_socket(struct nl_sock **ret, char *why)
{
	int r;

	*ret = nl_socket_alloc();
	r = *ret ? nl_connect(*ret, NETLINK_ROUTE) : -NLE_NOMEM;
	return r < 0 ? nl_failed("open rtnetlink", r, why) : 0;
}

/* ---- the receiver, in a process and a namespace of its own ---- */

struct ready {
	int error;
	char why[PATH_WHY_LEN];
	union path_address address;
};

static int receiver_set_up(int control_fd, bool vlan, struct ready *ready)
{
	union path_address any = { .in = { .sin_family = AF_INET } };
	struct nl_sock *nl = NULL;
	char go;
	int r;

	if (read(control_fd, &go, 1) != 1)
		return -ECONNRESET;
	r = open_socket(&nl, ready->why);
	if (r == 0)
		r = set_up_end(nl, vlan, RECEIVER_ADDRESS, ready->why);
	nl_socket_free(nl);
	if (r < 0)
		return r;
	r = path_listen(&any, NULL, ready->why);
	ready->address = any;
	return r;
}

static void receiver_run(int control_fd, bool vlan)
{
	struct path_server server = {
		.fd = -1, .budget = { .bytes_max = UINT64_MAX, .busy_usec_max = UINT64_MAX / 4 } };
	struct ready ready = { 0 };
	char here = 1;

	/* ^C on the terminal stops the sender, and this process with it */
	signal(SIGINT, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	ready.error = netns_enter_new(false);
	if (ready.error < 0)
		snprintf(ready.why, sizeof(ready.why), "Failed to create a second network namespace: %s",
			strerror(-ready.error));
	if (write(control_fd, &here, 1) != 1)
		_exit(1);
	if (ready.error == 0) {
		server.fd = receiver_set_up(control_fd, vlan, &ready);
		ready.error = server.fd < 0 ? server.fd : 0;
	}
	if (write(control_fd, &ready, sizeof(ready)) != sizeof(ready) || ready.error < 0)
		_exit(1);
	(void)path_serve(&server, 0);
	_exit(0);
}

/* ---- the sender's side ---- */

static int set_features(const struct link *like, struct path_pair *pair, char *why)
{
	_cleanup_(ethtool_close_pointer) struct ethtool *ethtool = NULL;
	struct link_features now = { 0 };
	struct ethtool_result result;
	int ifindex = (int)if_nametoindex(pair->device);
	int r = ethtool_open(ETHTOOL_AUTO, false, 0, &ethtool);

	if (r == 0)
		r = ethtool_features_get(ethtool, ifindex, pair->device, &now);
	if (r == 0)
		r = ethtool_features_set(ethtool, ifindex, pair->device, now.hw & ~now.nochange,
			like->features.active, &result);
	if (r == 0)
		r = ethtool_features_get(ethtool, ifindex, pair->device, &now);
	if (r < 0)
		snprintf(why, PATH_WHY_LEN, "Failed to set the features of the stand-in: %s", strerror(-r));
	pair->differing = now.active ^ like->features.active;
	return r;
}

static int read_ready(int fd, const volatile int *stop, struct ready *ret, char *why)
{
	int r = path_socket_wait(fd, POLLIN, util_now_usec() + SETUP_USEC, stop);

	if (r == 0 && recv(fd, ret, sizeof(*ret), MSG_WAITALL) != sizeof(*ret))
		r = -ECONNRESET;
	if (r == 0 && ret->error < 0) {
		ret->why[sizeof(ret->why) - 1] = '\0';
		snprintf(why, PATH_WHY_LEN, "%s", ret->why);
		return ret->error;
	}
	if (r < 0 && r != -EINTR)
		snprintf(why, PATH_WHY_LEN, "Failed to start the receiver process: %s", strerror(-r));
	return r;
}

static int join(struct path_pair *pair, struct nl_sock *nl, const volatile int *stop, char *why)
{
	struct ready ready;
	char byte;
	int r = path_socket_wait(pair->control_fd, POLLIN, util_now_usec() + SETUP_USEC, stop);

	if (r == 0 && recv(pair->control_fd, &byte, 1, 0) != 1)
		r = -ECONNRESET;
	if (r < 0)
		return r;
	r = rtnl_link_veth_add(nl, VETH, VETH, pair->receiver);
	if (r < 0)
		return nl_failed("create a veth pair", r, why);
	r = set_up_end(nl, pair->vlan, SENDER_ADDRESS, why);
	if (r == 0 && send(pair->control_fd, &byte, 1, MSG_NOSIGNAL) != 1)
		r = -errno;
	if (r == 0)
		r = read_ready(pair->control_fd, stop, &ready, why);
	if (r < 0)
		return r;
	pair->peer = ready.address;
	inet_pton(AF_INET, "192.0.2.2", &pair->peer.in.sin_addr);
	return 0;
}

int path_pair_open(const struct link *like, const volatile int *stop, struct path_pair *ret,
	char why[PATH_WHY_LEN])
{
	struct nl_sock *nl = NULL;
	int ends[2], r = netns_enter_new(true);

	*ret = (struct path_pair){ .control_fd = -1, .vlan = strcmp(like->kind, "vlan") == 0 };
	snprintf(ret->device, sizeof(ret->device), "%s", ret->vlan ? VLAN : VETH);
	if (r < 0) {
		snprintf(why, PATH_WHY_LEN, "Failed to create a network namespace: %s; it requires CAP_SYS_ADMIN, "
			"or a kernel that allows unprivileged user namespaces", strerror(-r));
		return r;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	ret->receiver = fork();
	if (ret->receiver == 0) {
		close(ends[0]);
		receiver_run(ends[1], ret->vlan);
	}
	close(ends[1]);
	ret->control_fd = ends[0];
	if (ret->receiver < 0)
		return -errno;
	r = open_socket(&nl, why);
	if (r == 0)
		r = join(ret, nl, stop, why);
	nl_socket_free(nl);
	return r == 0 ? set_features(like, ret, why) : r;
}

void path_pair_close(struct path_pair *pair)
{
	if (pair->receiver > 0)
		child_kill(pair->receiver);
	if (pair->control_fd >= 0)
		close(pair->control_fd);
	*pair = (struct path_pair){ .control_fd = -1 };
}
