/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A sender of bursts by UDP_SEGMENT, as QUIC libraries are: udp-sender gives-up|retries ADDR PORT [SEGMENT-LEN]
 * It sends a burst of ten segments every 10 ms. When the kernel refuses the segmentation (EIO), it sends the burst one by one; gives-up:
 * and all later ones, too. Prints "refused" at each refusal (at most ten), and "segmented" when it then segments again. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#define SEGMENTS 10
#define SEGMENT_MAX 1400

static char data[SEGMENTS * SEGMENT_MAX];

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int connect_to(const char *address, const char *port)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(port)) };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
	bool is_ipv6 = inet_pton(AF_INET6, address, &in6.sin6_addr) == 1;
	int fd = socket(is_ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);

	if (!is_ipv6 && inet_pton(AF_INET, address, &in.sin_addr) != 1)
		die(address);
	if (fd < 0 || connect(fd, is_ipv6 ? (void *)&in6 : (void *)&in, is_ipv6 ? sizeof(in6) : sizeof(in)) < 0)
		die("connect");
	return fd;
}

/* 0 or -1 with errno, as sendmsg(2). */
static int send_segmented(int fd, uint16_t len)
{
	struct iovec iov = { data, (size_t)SEGMENTS * len };
	char control[CMSG_SPACE(sizeof(len))] = { 0 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = IPPROTO_UDP;
	cmsg->cmsg_type = UDP_SEGMENT;
	cmsg->cmsg_len = CMSG_LEN(sizeof(len));
	memcpy(CMSG_DATA(cmsg), &len, sizeof(len));
	return sendmsg(fd, &msg, 0) < 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
	uint16_t len = argc > 4 ? (uint16_t)atoi(argv[4]) : 1200;
	bool retries, segments = true, refused = false;
	unsigned n = 0;
	int fd;

	if (argc < 4 || len > SEGMENT_MAX)
		return 2;
	retries = !strcmp(argv[1], "retries");
	fd = connect_to(argv[2], argv[3]);
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (;;) {
		const struct timespec pause = { .tv_nsec = 10000000 };

		if (segments && send_segmented(fd, len) == 0) {
			if (refused)
				puts("segmented");
			refused = false;
		} else if (segments && errno == EIO) {
			if (n++ < 10)
				puts("refused");
			refused = true;
			segments = retries;
		}
		for (int i = 0; (refused || !segments) && i < SEGMENTS; i++)
			if (send(fd, data, len, 0) < 0 && errno != ECONNREFUSED)
				die("send");
		nanosleep(&pause, NULL);
	}
}
