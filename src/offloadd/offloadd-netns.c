/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Started by offloadd-netns.socket: finds network namespaces for offloadd, and opens sockets in them. Nothing else of offloadd may enter
 * one. Exits when nobody is connected. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "basic/util.h"
#include "kernel/namespaces.h"
#include "offloadd/conf.h"

#define LINGERING_MSEC 5000

static int complain(const char *what)
{
	fprintf(stderr, "offloadd-netns: %s: %s\n", what, strerror(errno));
	return -errno;
}

/* The service manager gave the socket to the user that may connect; root may anyway. */
static int find_user(int fd, uid_t *ret)
{
	struct sockaddr_un address = { 0 };
	socklen_t len = sizeof(address) - 1;
	struct stat st;

	if (getsockname(fd, (struct sockaddr *)&address, &len) < 0 || stat(address.sun_path, &st) < 0)
		return complain("Failed to find the owner of the socket");
	*ret = st.st_uid;
	return 0;
}

static bool is_user(int fd, uid_t user)
{
	struct ucred peer = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && (peer.uid == 0 || peer.uid == user))
		return true;
	fprintf(stderr, "offloadd-netns: Refused a request of user %u\n", peer.uid);
	return false;
}

/* Root's settings count, whatever the daemon asks for. */
static bool is_allowed(void)
{
	_cleanup_(conf_clear) struct conf conf = { 0 };

	if (conf_load(NULL, NULL, NULL, &conf) >= 0 && conf.namespaces != CONF_NAMESPACES_HOST)
		return true;
	fprintf(stderr, "offloadd-netns: Refused a request: offloadd.conf sets Namespaces=host\n");
	return false;
}

/* One connection after the other: there is one daemon. */
static int run(int fd, uid_t user)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	for (;;) {
		_cleanup_close_ int client = -1;
		int n = poll(&poll_fd, 1, LINGERING_MSEC);

		if (n < 0 && errno != EINTR)
			return complain("Failed to wait for a connection");
		if (n == 0)
			return 0;
		client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		if (client >= 0 && is_user(client, user) && is_allowed())
			namespaces_serve(client);
	}
}

int main(void)
{
	uid_t user;

	if (sd_listen_fds(1) != 1 || sd_is_socket(SD_LISTEN_FDS_START, AF_UNIX, SOCK_SEQPACKET, 1) <= 0) {
		fputs("offloadd-netns is started by offloadd-netns.socket, see offloadd(8)\n", stderr);
		return EXIT_FAILURE;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	return find_user(SD_LISTEN_FDS_START, &user) < 0 || run(SD_LISTEN_FDS_START, user) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
