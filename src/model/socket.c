/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

struct socket_holder *socket_holders_find(
	const struct socket_holders *holders, const struct socket_holder_key *key)
{
	struct socket_holder *holder;

	HASH_FIND(hh, holders->holders, key, sizeof(*key), holder);
	return holder;
}

static int holder_new(struct socket_holders *holders, const struct socket_holder_key *key,
	struct socket_holder **ret)
{
	struct socket_holder *holder;

	if (HASH_COUNT(holders->holders) >= SOCKET_HOLDERS_MAX)
		return -ENOSPC;
	holder = calloc(1, sizeof(*holder));
	if (!holder)
		return -ENOMEM;
	holder->key = *key;
	if (hash_add(holders->holders, key, holder) < 0) {
		free(holder);
		return -ENOMEM;
	}
	*ret = holder;
	return 0;
}

void socket_holders_begin(struct socket_holders *holders)
{
	holders->round++;
	holders->dropped = 0;
}

int socket_holders_add(struct socket_holders *holders, const struct socket_info *socket,
	const struct socket_features *features, uint64_t now_usec)
{
	struct socket_holder_key key = {
		.cgroup = socket->cgroup, .netns = socket->netns, .ifindex = socket->ifindex
	};
	struct socket_holder *holder = socket_holders_find(holders, &key);
	int r, is_new = !holder;

	if (!holder) {
		r = holder_new(holders, &key, &holder);
		if (r < 0) {
			holders->dropped++;
			return r;
		}
		holder->since_usec = now_usec;
	}
	if (holder->round != holders->round) {
		holder->round = holders->round;
		holder->sockets = holder->n_samples = 0;
		holder->missing = 0;
	}
	holder->sockets++;
	holder->missing |= socket_stale(socket, features);
	if (holder->n_samples < SOCKET_SAMPLES)
		holder->samples[holder->n_samples++] = *socket;
	return is_new;
}

unsigned socket_holders_end(struct socket_holders *holders, socket_holder_fn gone, void *userdata)
{
	struct socket_holder *holder, *next;
	unsigned n = 0;

	HASH_ITER(hh, holders->holders, holder, next) {
		if (holder->round == holders->round)
			continue;
		HASH_DEL(holders->holders, holder);
		if (gone)
			gone(holder, userdata);
		free(holder);
		n++;
	}
	return n;
}

int socket_holders_restore(struct socket_holders *holders, const struct socket_holder_key *key,
	uint64_t since_usec, uint64_t hits)
{
	struct socket_holder *holder = socket_holders_find(holders, key);
	int r;

	if (!holder) {
		r = holder_new(holders, key, &holder);
		if (r < 0)
			return r;
	}
	holder->since_usec = since_usec;
	holder->hits = hits;
	return 0;
}

void socket_holders_clear(struct socket_holders *holders)
{
	struct socket_holder *holder, *next;

	HASH_ITER(hh, holders->holders, holder, next) {
		HASH_DEL(holders->holders, holder);
		free(holder);
	}
}
