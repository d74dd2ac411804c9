/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/tcp_sockets.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "basic/util.h"

/* The kernel prints each 32-bit word of an address as a number of this machine (get_tcp4_sock(), get_tcp6_sock()). */
static int parse_address(const char *text, size_t words, uint8_t *address, uint16_t *port)
{
	char word[9] = "";

	if (strspn(text, "0123456789ABCDEF") != 8 * words || text[8 * words] != ':')
		return -EBADMSG;
	for (size_t i = 0; i < words; i++) {
		uint32_t value;

		memcpy(word, text + 8 * i, 8);
		value = (uint32_t)strtoul(word, NULL, 16);
		memcpy(address + 4 * i, &value, sizeof(value));
	}
	*port = (uint16_t)strtoul(text + 8 * words + 1, NULL, 16);
	return 0;
}

int tcp_sockets_parse(const char *line, uint16_t family, struct socket_info *ret)
{
	char local[64], remote[64];
	size_t words = family == AF_INET ? 1 : 4;
	unsigned state;

	*ret = (struct socket_info){ .family = family };
	if (sscanf(line, " %*u: %63s %63s %x %*s %*s %*s %*u %*d %" SCNu64, local, remote, &state, &ret->inode) != 4 ||
		parse_address(local, words, ret->local, &ret->local_port) < 0 ||
		parse_address(remote, words, ret->remote, &ret->remote_port) < 0)
		return -EBADMSG;
	ret->state = (uint8_t)state;
	return 0;
}

static int read_file(const char *path, uint16_t family, int (*fn)(const struct socket_info *socket, void *userdata), void *userdata)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	struct socket_info socket;
	char line[512];
	int r = 0;

	if (!f)
		return -errno;
	while (r == 0 && fgets(line, sizeof(line), f))
		if (tcp_sockets_parse(line, family, &socket) == 0 && socket.state == TCP_ESTABLISHED)
			r = fn(&socket, userdata);
	return r == 0 && ferror(f) ? -EIO : r;
}

int tcp_sockets_read(int (*fn)(const struct socket_info *socket, void *userdata), void *userdata)
{
	int r = read_file("/proc/net/tcp", AF_INET, fn, userdata);

	if (r == 0)
		r = read_file("/proc/net/tcp6", AF_INET6, fn, userdata);
	return r == -ENOENT ? 0 : r; /* IPv6 is disabled */
}
