/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A TCP file server and its client, to show what becomes of a connection across an offload change.
 *   sendfile-peer server ADDR PORT FILE [PEER]	serves FILE by sendfile(2) once for each byte that a client writes
 *   sendfile-peer client ADDR PORT SIZE [PEER]	one connection; for each line on standard input fetches SIZE bytes and prints
 *						"fetched USEC"
 *   sendfile-peer many ADDR PORT N		opens and closes N connections, prints "done"
 *   sendfile-peer services ADDR PORT N DIR	the same, each from a cgroup of its own, made below DIR
 *   sendfile-peer hold ADDR PORT N		opens N connections, prints "held", keeps them until end of input
 *   sendfile-peer orphans ADDR PORT N DIR PEER	opens N connections, each from a cgroup of its own, which is removed; prints "open"; after a
 *						line on standard input they are in flight: no process holds them; prints "held", as above
 *   sendfile-peer stream ADDR PORT		sends to a drain without end, and every 20 ms prints by its own account what it has used so far:
 *						"USEC BYTES CPU-USEC"; USEC is CLOCK_REALTIME
 *   sendfile-peer drain ADDR PORT		accepts one connection at a time, reads everything, and confirms each chunk
 *   sendfile-peer sink ADDR PORT		accepts connections and keeps them
 * With PEER, the other side's address, the connection is signed (TCP-MD5). A signed socket has no GSO, and so is the one that is still
 * stale with what its device had when it was routed (sk_setup_caps(), from 4.17 on).
 * With MPTCP in the environment, its sockets are of that protocol. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "basic/util.h"

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static socklen_t parse(const char *text, const char *port, union address *ret)
{
	*ret = (union address){};
	if (inet_pton(AF_INET, text, &ret->in.sin_addr) == 1) {
		ret->in.sin_family = AF_INET;
		ret->in.sin_port = htons((uint16_t)atoi(port));
		return sizeof(ret->in);
	}
	if (inet_pton(AF_INET6, text, &ret->in6.sin6_addr) != 1)
		die(text);
	ret->in6.sin6_family = AF_INET6;
	ret->in6.sin6_port = htons((uint16_t)atoi(port));
	return sizeof(ret->in6);
}

static void sign(int fd, const char *peer)
{
	struct tcp_md5sig sig = { .tcpm_keylen = 3, .tcpm_key = "abc" };
	union address address;

	memcpy(&sig.tcpm_addr, &address, parse(peer, "0", &address));
	if (setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &sig, sizeof(sig)) < 0)
		die("TCP_MD5SIG");
}

static int open_socket(const char *text, const char *port, const char *peer, union address *ret,
	socklen_t *ret_len)
{
	int one = 1, fd;

	*ret_len = parse(text, port, ret);
	fd = socket(ret->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, getenv("MPTCP") ? IPPROTO_MPTCP : 0);
	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (peer)
		sign(fd, peer);
	return fd;
}

static int open_client(char **argv, const char *peer)
{
	union address address;
	socklen_t len;
	int fd = open_socket(argv[2], argv[3], peer, &address, &len);

	if (connect(fd, &address.any, len) < 0)
		die("connect");
	return fd;
}

/* Of a stream. The sender waits until the drain has it: then nearly all work to send it is done by the sender, and not while ACKs are
 * processed, which are in the CPU time of somebody else. */
#define CHUNK (64 << 10)

static int drain(char **argv)
{
	static char buf[CHUNK];
	union address address;
	socklen_t len;
	int fd = open_socket(argv[2], argv[3], NULL, &address, &len), connection;

	if (bind(fd, &address.any, len) < 0 || listen(fd, 1024) < 0)
		die("listen");
	printf("listening\n");
	fflush(stdout);
	while ((connection = accept(fd, NULL, NULL)) >= 0) {
		while (recv(connection, buf, sizeof(buf), MSG_WAITALL) == sizeof(buf) && write(connection, buf, 1) == 1)
			;
		close(connection);
	}
	die("accept");
	return 1;
}

static unsigned long long usec_of(const struct timeval *time)
{
	return (unsigned long long)time->tv_sec * 1000000 + (unsigned long long)time->tv_usec;
}

static int stream(char **argv)
{
	static char buf[CHUNK];
	unsigned long long sent = 0, printed_usec = 0;
	int fd = open_client(argv, NULL);
	struct rusage usage;
	struct timeval now;
	ssize_t n;

	while ((n = write(fd, buf, sizeof(buf))) > 0 && read(fd, buf, 1) == 1) {
		unsigned long long now_usec;

		sent += (unsigned long long)n;
		gettimeofday(&now, NULL);
		now_usec = usec_of(&now);
		if (now_usec - printed_usec < 20000)
			continue;
		printed_usec = now_usec;
		getrusage(RUSAGE_SELF, &usage);
		printf("%llu %llu %llu\n", now_usec, sent, usec_of(&usage.ru_utime) + usec_of(&usage.ru_stime));
		fflush(stdout);
	}
	die("write");
	return 1;
}

static void serve(int connection, const char *path)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	off_t size = lseek(file, 0, SEEK_END);
	char request;

	while (read(connection, &request, 1) == 1)
		for (off_t at = 0; at < size;)
			if (sendfile(connection, file, &at, (size_t)(size - at)) <= 0)
				exit(0);
}

static int server(char **argv, bool keep)
{
	union address address;
	socklen_t len;
	int fd = open_socket(argv[2], argv[3], keep ? NULL : argv[5], &address, &len), connection;

	signal(SIGCHLD, SIG_IGN);
	if (bind(fd, &address.any, len) < 0 || listen(fd, 1024) < 0)
		die("listen");
	printf("listening\n");
	fflush(stdout);
	while ((connection = accept(fd, NULL, NULL)) >= 0) {
		if (keep)
			continue;
		if (fork() == 0) {
			close(fd);
			serve(connection, argv[4]);
			return 0;
		}
		close(connection);
	}
	die("accept");
	return 1;
}

static void fetch(int fd, long size)
{
	static char buf[1 << 20];
	uint64_t start = util_now_usec();

	if (write(fd, "x", 1) != 1)
		die("write");
	for (long got = 0; got < size;) {
		ssize_t n = read(fd, buf, sizeof(buf));

		if (n <= 0)
			die("read");
		got += n;
	}
	printf("fetched %llu\n", (unsigned long long)(util_now_usec() - start));
	fflush(stdout);
}

static int client(char **argv)
{
	int fd = open_client(argv, argv[5]);
	char line[16];

	printf("connected\n");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin))
		fetch(fd, atol(argv[4]));
	return 0;
}

static void join_new_cgroup(const char *dir, int i)
{
	_cleanup_close_ int fd = -1;
	char path[512];

	snprintf(path, sizeof(path), "%s/s%d.service", dir, i);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		die(path);
	snprintf(path, sizeof(path), "%s/s%d.service/cgroup.procs", dir, i);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		die(path);
}

/* Into a UNIX socket that nobody reads. */
static void send_away(int by, int fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(fd))];
	} control = { .header = { .cmsg_len = CMSG_LEN(sizeof(fd)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS } };
	struct iovec data = { "", 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	if (sendmsg(by, &message, 0) < 0)
		die("sendmsg");
	close(fd);
}

static void leave_cgroup(const char *dir, int i)
{
	_cleanup_close_ int fd = open("/sys/fs/cgroup/cgroup.procs", O_WRONLY | O_CLOEXEC);
	char path[512];

	snprintf(path, sizeof(path), "%s/s%d.service", dir, i);
	if (fd < 0 || write(fd, "0", 1) != 1 || rmdir(path) < 0)
		die(path);
}

static int orphans(char **argv)
{
	int n = atoi(argv[4]), *fds = calloc((size_t)n, sizeof(*fds)), away[2];
	char line[16];

	if (!fds)
		die("calloc");
	for (int i = 0; i < n; i++) {
		join_new_cgroup(argv[5], i + 1);
		fds[i] = open_client(argv, argv[6]);
		leave_cgroup(argv[5], i + 1);
	}
	printf("open\n");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		return 0;
	for (int i = 0; i < n; i++) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, away) < 0)
			die("socketpair");
		send_away(away[0], fds[i]);
	}
	free(fds);
	printf("held\n");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin))
		;
	return 0;
}

static int many(char **argv, bool hold)
{
	struct linger none = { .l_onoff = 1 };
	struct rlimit limit = { 300000, 300000 };
	char line[16];

	setrlimit(RLIMIT_NOFILE, &limit);
	for (int i = atoi(argv[4]); i > 0; i--) {
		int fd;

		if (argv[1][0] == 's')
			join_new_cgroup(argv[5], i);
		fd = open_client(argv, NULL);
		if (hold)
			continue;
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
		close(fd);
	}
	printf(hold ? "held\n" : "done\n");
	fflush(stdout);
	while (hold && fgets(line, sizeof(line), stdin))
		;
	return 0;
}

int main(int argc, char **argv)
{
	struct rlimit limit = { 300000, 300000 };

	signal(SIGPIPE, SIG_IGN);
	if (argc >= 5 && !strcmp(argv[1], "server"))
		return server(argv, false);
	if (argc >= 4 && !strcmp(argv[1], "stream"))
		return stream(argv);
	if (argc >= 4 && !strcmp(argv[1], "drain"))
		return drain(argv);
	if (argc >= 4 && !strcmp(argv[1], "sink")) {
		setrlimit(RLIMIT_NOFILE, &limit);
		return server(argv, true);
	}
	if (argc >= 5 && !strcmp(argv[1], "client"))
		return client(argv);
	if (argc >= 6 && !strcmp(argv[1], "services"))
		return many(argv, false);
	if (argc >= 7 && !strcmp(argv[1], "orphans"))
		return orphans(argv);
	if (argc >= 5 && (!strcmp(argv[1], "many") || !strcmp(argv[1], "hold")))
		return many(argv, argv[1][0] == 'h');
	fprintf(stderr, "usage: see the head of sendfile-peer.c\n");
	return 2;
}
