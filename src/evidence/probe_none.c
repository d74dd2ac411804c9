/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The probes of a build with BPF=no, instead of those that use libbpf: all are absent, and the status has the reason. */
#include "evidence/probe.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/util.h"
#include "evidence/evidence.h"

#define ABSENT(n, f)                                                                                     \
	{                                                                                          \
		.name = n, .function = f, .why = "built without BPF (BPF=no)"                      \
	}

static const struct probe_status absent[] = {
	ABSENT("sendpage", "sock_no_sendpage"),
	ABSENT("splice", "splice_to_socket"),
	ABSENT("segmentation", "__skb_gso_segment"),
	ABSENT("checksum", "skb_checksum_help"),
	ABSENT("udp-segmentation", "__traceiter_kfree_skb"),
	ABSENT(PROBE_SENDERS, "ip_send_skb"),
	ABSENT(EVIDENCE_BY_PROCESS, "sock_no_sendpage_locked"),
	ABSENT("sockets", "iter/tcp"),
	ABSENT("socket holders", "iter/task_file"),
	ABSENT("feature changes", "__netdev_update_features"),
	ABSENT("feature cascades", "netdev_features_change"),
};

static const struct probe_status absent_latency = ABSENT("latency", "do_sendfile");

static const struct probe_status absent_rates[] = {
	[RATE_SENDMSG] = ABSENT("tcp_sendmsg", "tcp_sendmsg"),
	[RATE_PUSH_ONE] = ABSENT("tcp_push_one", "tcp_push_one"),
	[RATE_WRITE_TIMER] = ABSENT("tcp_write_timer", "tcp_write_timer"),
};

struct probe {
	char unused;
};

struct probe_rates {
	char unused;
};

int probe_open(const struct probe_options *options _unused_, struct probe **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

void probe_close(struct probe *probe)
{
	free(probe);
}

const struct probe_status *probe_status(const struct probe *probe _unused_, size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(absent);
	return absent;
}

void probe_update_runs(struct probe *probe _unused_)
{
}

int probe_events_fd(const struct probe *probe _unused_)
{
	return -ENOENT;
}

int probe_read_events(struct probe *probe _unused_, probe_hits_fn fn _unused_, void *userdata _unused_)
{
	return 0;
}

int probe_read_hits(struct probe *probe _unused_, struct probe_walk *walk _unused_, probe_hits_fn fn _unused_, void *userdata _unused_)
{
	return 0;
}

int probe_forget_hits(struct probe *probe _unused_, probe_forget_fn fn _unused_, void *userdata _unused_)
{
	return 0;
}

int probe_settle(struct probe *probe _unused_, uint64_t cgroup _unused_, bool settled _unused_)
{
	return -EOPNOTSUPP;
}

void probe_read_lost(struct probe *probe _unused_, struct probe_lost *ret)
{
	*ret = (struct probe_lost){ 0 };
}

const char *probe_cgroup_path(uint64_t id _unused_)
{
	return NULL;
}

void probe_add_cgroup(uint64_t id _unused_, const char *path _unused_)
{
}

int probe_read_senders(struct probe *probe _unused_, probe_sender_fn fn _unused_, void *userdata _unused_)
{
	return 0;
}

int probe_watch_senders(struct probe *probe _unused_, bool watch _unused_)
{
	return -EOPNOTSUPP;
}

uint64_t probe_needed_capabilities(const struct probe *probe _unused_)
{
	return 0;
}

void probe_forget_sender(struct probe *probe _unused_, const struct probe_sender_key *key _unused_)
{
}

void probe_restore_sender(struct probe *probe _unused_, const struct probe_sender *sender _unused_)
{
}

void probe_end_pass(struct probe_pass *pass)
{
	*pass = (struct probe_pass){ 0 };
}

int probe_read_sockets(struct probe *probe _unused_, struct probe_pass *pass _unused_, bool all _unused_,
	probe_socket_fn fn _unused_, void *userdata _unused_, uint64_t *ret_visited _unused_)
{
	return -EOPNOTSUPP;
}

int probe_read_holders(struct probe *probe _unused_, struct probe_pass *pass _unused_, probe_holder_fn fn _unused_,
	void *userdata _unused_)
{
	return -EOPNOTSUPP;
}

int probe_find_change(struct probe *probe _unused_, uint32_t netns _unused_, int ifindex _unused_,
	struct probe_change *ret _unused_)
{
	return -EOPNOTSUPP;
}

int probe_latency_open(const struct feature_table *features _unused_, bool waits _unused_,
	struct probe_latency **ret _unused_, struct probe_status *ret_status)
{
	if (ret_status)
		*ret_status = absent_latency;
	return -EOPNOTSUPP;
}

bool probe_latency_has_waits(const struct probe_latency *latency _unused_)
{
	return false;
}

void probe_latency_close(struct probe_latency *latency _unused_)
{
}

void probe_latency_read_lost(struct probe_latency *latency _unused_, struct probe_latency_lost *ret)
{
	*ret = (struct probe_latency_lost){ 0 };
}

int probe_latency_read(struct probe_latency *latency _unused_, bool reset _unused_, probe_latency_fn fn _unused_,
	void *userdata _unused_)
{
	return 0;
}

int probe_latency_read_running(struct probe_latency *latency _unused_, probe_latency_fn fn _unused_, void *userdata _unused_)
{
	return 0;
}

int probe_rates_open(const struct feature_table *features _unused_, struct probe_rates **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

void probe_rates_close(struct probe_rates *rates)
{
	free(rates);
}

void probe_rates_reset(struct probe_rates *rates _unused_)
{
}

const struct probe_status *probe_rates_status(const struct probe_rates *rates _unused_)
{
	return absent_rates;
}

uint64_t probe_rates_total(const struct probe_rates *rates _unused_, enum rate_kind kind _unused_)
{
	return 0;
}

int probe_rates_read(struct probe_rates *rates _unused_, probe_rate_fn fn _unused_, void *userdata _unused_)
{
	return 0;
}

int probe_rates_read_stacks(struct probe_rates *rates _unused_, probe_stack_fn fn _unused_, void *userdata _unused_)
{
	return 0;
}
