/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Probes without libbpf: decodes what the programs send, and names what they are. Built also with BPF=no. */
#include "evidence/probe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <linux/types.h>

#include "basic/util.h"
#include "bpf/event.h"
#include "evidence/evidence.h"

#define NSEC_PER_USEC 1000
#define PROC_PID_INIT_INO 0xEFFFFFFCU /* inode of the initial PID namespace: include/linux/proc_ns.h */

const char *probe_method_name(enum probe_method method)
{
	switch (method) {
	case PROBE_ABSENT:
		return "absent";
	case PROBE_FENTRY:
		return "fentry";
	case PROBE_KPROBE:
		return "kprobe";
	case PROBE_ITERATOR:
		return "iterator";
	}
	return "absent";
}

const char *probe_format_status(const struct probe_status *status, char *buf, size_t size)
{
	if (status->method == PROBE_ABSENT)
		snprintf(buf, size, "%s (%s): absent, %s", status->name, status->function,
			status->why);
	else
		snprintf(buf, size, "%s (%s): %s", status->name, status->function,
			probe_method_name(status->method));
	return buf;
}

uint32_t probe_own_netns(void)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) < 0 ? 0 : (uint32_t)st.st_ino;
}

bool probe_has_foreign_pids(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) == 0 && st.st_ino != PROC_PID_INIT_INO;
}

static bool header_is(const void *data, size_t size, unsigned type, size_t wanted)
{
	struct event_header header;

	if (size < sizeof(header))
		return false;
	memcpy(&header, data, sizeof(header));
	return header.version == EVENT_VERSION && header.type == type && header.size == wanted &&
	       size == wanted;
}

int probe_parse_key(const struct fallback_key *key, struct probe_hits *ret)
{
	if (key->kind >= FALLBACK_KINDS || key->origin >= FALLBACK_ORIGINS || key->reason >= FALLBACK_REASONS ||
		key->ifindex > INT32_MAX || (evidence_is_by_process(key->kind) && key->sender > INT32_MAX))
		return -EBADMSG;
	*ret = (struct probe_hits){ .kind = (enum fallback_kind)key->kind,
		.origin = (enum fallback_origin)key->origin, .reason = (enum fallback_reason)key->reason, .cgroup = key->cgroup,
		.netns = key->netns, .ifindex = (int)key->ifindex };
	if (evidence_is_by_process(ret->kind))
		ret->tgid = (pid_t)key->sender;
	else
		ret->inode = key->sender;
	return 0;
}

int probe_parse_event(const void *data, size_t size, struct probe_hits *ret)
{
	struct fallback_event event;
	int r;

	if (!header_is(data, size, EVENT_TYPE_FALLBACK, sizeof(event)))
		return -EBADMSG;
	memcpy(&event, data, sizeof(event));
	r = probe_parse_key(&event.key, ret);
	if (r < 0 || event.pid > INT32_MAX)
		return -EBADMSG;
	ret->tgid = (pid_t)event.pid;
	ret->last_usec = event.time_ns / NSEC_PER_USEC;
	util_copy_name(ret->comm, sizeof(ret->comm), event.comm, sizeof(event.comm));
	return 0;
}

int probe_parse_socket(const void *data, size_t size, struct socket_info *ret)
{
	struct socket_entry entry;

	if (!header_is(data, size, EVENT_TYPE_SOCKET, sizeof(entry)))
		return -EBADMSG;
	memcpy(&entry, data, sizeof(entry));
	if (entry.ifindex > INT32_MAX)
		return -EBADMSG;
	*ret = (struct socket_info){ .cgroup = entry.cgroup, .inode = entry.inode,
		.route_caps = entry.route_caps, .device_features = entry.device_features,
		.netns = entry.netns, .ifindex = (int)entry.ifindex, .gso_max_size = entry.gso_max_size, .family = entry.family,
		.local_port = entry.local_port, .remote_port = entry.remote_port,
		.state = entry.state, .expired = entry.expired };
	memcpy(ret->local, entry.local, sizeof(ret->local));
	memcpy(ret->remote, entry.remote, sizeof(ret->remote));
	return 0;
}

int probe_parse_change(const void *data, size_t size, struct probe_change *ret)
{
	struct change_entry entry;

	if (!header_is(data, size, EVENT_TYPE_CHANGE, sizeof(entry)))
		return -EBADMSG;
	memcpy(&entry, data, sizeof(entry));
	if (entry.root_ifindex > INT32_MAX || entry.pid > INT32_MAX || entry.ppid > INT32_MAX)
		return -EBADMSG;
	*ret = (struct probe_change){ .time_usec = entry.time_ns / NSEC_PER_USEC,
		.before = entry.before, .after = entry.after, .cgroup = entry.cgroup,
		.root_netns = entry.root_netns, .root_ifindex = (int)entry.root_ifindex,
		.pid = (pid_t)entry.pid, .parent_pid = (pid_t)entry.ppid };
	util_copy_name(ret->comm, sizeof(ret->comm), entry.comm, sizeof(entry.comm));
	util_copy_name(ret->parent_comm, sizeof(ret->parent_comm), entry.parent_comm,
		sizeof(entry.parent_comm));
	return 0;
}

int probe_parse_holder(const void *data, size_t size, struct probe_holder *ret)
{
	struct holder_entry entry;

	if (!header_is(data, size, EVENT_TYPE_HOLDER, sizeof(entry)))
		return -EBADMSG;
	memcpy(&entry, data, sizeof(entry));
	if (entry.tgid > INT32_MAX)
		return -EBADMSG;
	*ret = (struct probe_holder){ .socket_cgroup = entry.socket_cgroup, .inode = entry.inode, .cgroup = entry.cgroup,
		.tgid = (pid_t)entry.tgid, .listening = entry.listening };
	return 0;
}
