/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/socket.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>

#include "basic/util.h"

void socket_features_init(const struct feature_table *table, struct socket_features *ret)
{
	ret->sg = feature_named(table, "tx-scatter-gather");
	ret->csum = feature_named(table, "tx-checksum-ip-generic") |
		    feature_named(table, "tx-checksum-ipv4") |
		    feature_named(table, "tx-checksum-ipv6");
}

feature_set socket_stale(const struct socket_info *socket, const struct socket_features *features)
{
	feature_set device = socket->device_features, caps = socket->route_caps;
	feature_set missing = device & features->sg & ~caps;

	if (socket->expired)
		return 0;
	if (!(caps & features->csum))
		missing |= device & features->csum;
	return missing;
}

/* tcp_close() ends both states of a socket that was accepted. */
bool socket_waits(const struct socket_info *socket)
{
	return !socket->inode && (socket->state == TCP_ESTABLISHED || socket->state == TCP_CLOSE_WAIT);
}

const char *socket_format_address(
	uint16_t family, const uint8_t *address, uint16_t port, char *buf, size_t size)
{
	char text[INET6_ADDRSTRLEN];

	if (!inet_ntop(family, address, text, sizeof(text)))
		snprintf(buf, size, "?:%u", port);
	else if (family == AF_INET6)
		snprintf(buf, size, "[%s]:%u", text, port);
	else
		snprintf(buf, size, "%s:%u", text, port);
	return buf;
}

const char *socket_state_name(unsigned state)
{
	static const char *const names[] = { "UNKNOWN", "ESTABLISHED", "SYN-SENT", "SYN-RECV",
		"FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT", "CLOSE", "CLOSE-WAIT", "LAST-ACK", "LISTEN",
		"CLOSING", "NEW-SYN-RECV" };

	return names[state < ARRAY_SIZE(names) ? state : 0];
}
