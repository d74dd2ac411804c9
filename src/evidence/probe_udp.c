/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UDP_SEGMENT: finds out where this kernel refuses it, and reads which processes were refused. See bpf/udp.h. */
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "basic/child.h"
#include "bpf/event.h"
#include "evidence/probe_private.h"
#include "kernel/netns.h"

#include "fallback.skel.h"

#define NSEC_PER_USEC 1000
#define TRIAL_USEC (5 * USEC_PER_SEC)
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum { IPV4, IPV6, FAMILIES };

/* A UDP-Lite socket that sends to itself over loopback. udp_send_skb() returns EIO for its packets of UDP_SEGMENT, as for those
 * of a device without checksums. 0 or negative errno. */
static int open_trial(int family, int *ret_fd, uint32_t *ret_port)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	_cleanup_close_ int fd = socket(family == IPV6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDPLITE);
	struct sockaddr *address = family == IPV6 ? (struct sockaddr *)&in6 : (struct sockaddr *)&in;
	socklen_t len = family == IPV6 ? sizeof(in6) : sizeof(in);

	if (fd < 0 || bind(fd, address, len) < 0 || getsockname(fd, address, &len) < 0 || connect(fd, address, len) < 0)
		return -errno;
	*ret_port = ntohs(family == IPV6 ? in6.sin6_port : in.sin_port);
	*ret_fd = fd;
	fd = -1;
	return 0;
}

/* *ret_place: where the kernel dropped the packet, 0 if it did not. 0 if it was refused with this error, -EBADMSG if not, or another
 * negative errno. */
static int try_send(struct fallback_bpf *skeleton, int fd, int segment, int wanted, uint64_t *ret_place)
{
	static const char data[300];

	if (setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment)) < 0)
		return -errno;
	skeleton->bss->udp_trial_place = 0;
	if (send(fd, data, sizeof(data), 0) >= 0 || errno != wanted)
		return -EBADMSG;
	*ret_place = skeleton->bss->udp_trial_place;
	return 0;
}

/* *ret_place: where EIO is returned. 0; -EBADMSG if that cannot be told from where EINVAL is (for too many segments); another negative
 * errno. */
static int find_place(struct fallback_bpf *skeleton, int family, uint64_t *ret_place)
{
	_cleanup_close_ int fd = -1;
	uint64_t other = 0;
	int r = open_trial(family, &fd, &skeleton->bss->udp_trial_port);

	if (r == 0)
		r = try_send(skeleton, fd, 100, EIO, ret_place);
	if (r == 0)
		r = try_send(skeleton, fd, 1, EINVAL, &other);
	skeleton->bss->udp_trial_port = 0;
	return r == 0 && (!*ret_place || *ret_place == other) ? -EBADMSG : r;
}

/* The kernel has no IPv6, or it does not segment UDP (before 4.18), or it has no UDP-Lite (kernels without never return EIO for a missing
 * checksum). */
static bool needs_no_place(int family, int error)
{
	return error == -ENOPROTOOPT || error == -EPROTONOSUPPORT || error == -ESOCKTNOSUPPORT ||
	       (family == IPV6 && error == -EAFNOSUPPORT && access("/proc/net/if_inet6", F_OK) < 0);
}

static int find_places(struct fallback_bpf *skeleton, uint64_t places[FAMILIES])
{
	for (int family = 0; family < FAMILIES; family++) {
		int r = find_place(skeleton, family, &places[family]);

		if (r < 0 && !needs_no_place(family, r))
			return r;
		if (r < 0)
			places[family] = 0;
	}
	return 0;
}

struct apart {
	struct fallback_bpf *skeleton;
	uint64_t places[FAMILIES];
};

/* In a network namespace of its own, whose loopback interface is up. The memory of the skeleton is shared with the parent process. */
static int find_places_apart(void *data)
{
	struct apart *apart = data;
	struct ifreq up = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	_cleanup_close_ int fd = -1;
	int r = netns_enter_new(false);

	if (r < 0)
		return r;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return fd < 0 || ioctl(fd, SIOCSIFFLAGS, &up) < 0 ? -errno : find_places(apart->skeleton, apart->places);
}

int probe_udp_find_places(struct probe_part *part, char why[PROBE_WHY_LEN])
{
	struct fallback_bpf *skeleton = part->skeleton;
	struct apart apart = { .skeleton = skeleton };
	uint64_t *places = apart.places;
	int r = find_places(skeleton, places);

	if (r == -EADDRNOTAVAIL || r == -ENETUNREACH || r == -ENETDOWN) /* the loopback interface is down */
		r = child_run(find_places_apart, &apart, sizeof(apart), TRIAL_USEC);
	if (r < 0) {
		snprintf(why, PROBE_WHY_LEN, r == -EBADMSG ? "this kernel does not show which UDP sends it refuses"
							   : "no trial by UDP over loopback: %s", strerror(-r));
		return r;
	}
	snprintf(why, PROBE_WHY_LEN, "this kernel refuses no UDP segmentation");
	skeleton->bss->udp_refusal[IPV4] = places[IPV4];
	skeleton->bss->udp_refusal[IPV6] = places[IPV6];
	return places[IPV4] || places[IPV6];
}

static int read_sender(int fd, const void *data, void *userdata)
{
	const struct udp_sender_key *key = data;
	struct probe_udp_reader *reader = userdata;
	struct probe_sender sender;
	struct udp_sender value;

	if (key->ifindex > INT32_MAX || key->tgid > INT32_MAX || bpf_map_lookup_elem(fd, key, &value) < 0)
		return 0;
	sender = (struct probe_sender){ .key = { key->start_ns, (pid_t)key->tgid, key->netns, (int32_t)key->ifindex, 0 },
		.cgroup = value.cgroup, .refused = value.refused, .segmented = value.segmented, .single = value.single,
		.single_usec = value.single_last_ns > value.single_first_ns
			? (value.single_last_ns - value.single_first_ns) / NSEC_PER_USEC : 0 };
	util_copy_name(sender.comm, sizeof(sender.comm), value.comm, sizeof(value.comm));
	reader->fn(&sender, reader->userdata);
	return 1;
}

static struct udp_sender_key key_of(const struct probe_sender_key *key)
{
	return (struct udp_sender_key){ .start_ns = key->start_ns, .tgid = (__u32)key->pid, .netns = key->netns,
		.ifindex = (__u32)key->ifindex };
}

int probe_udp_read(struct probe_part *part, const struct probe_udp_reader *reader)
{
	return probe_part_foreach_key(part, "udp_senders", read_sender, (void *)reader);
}

void probe_udp_forget(struct probe_part *part, const struct probe_sender_key *sender)
{
	struct udp_sender_key key = key_of(sender);

	(void)bpf_map_delete_elem(probe_part_map_fd(part, "udp_senders"), &key);
}

void probe_udp_restore(struct probe_part *part, const struct probe_sender *sender)
{
	struct udp_sender_key key = key_of(&sender->key);
	struct udp_sender value = { .cgroup = sender->cgroup, .refused = sender->refused };

	(void)bpf_map_update_elem(probe_part_map_fd(part, "udp_senders"), &key, &value, BPF_NOEXIST);
}
