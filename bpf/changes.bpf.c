// SPDX-License-Identifier: GPL-2.0-or-later
/* The process that last changed a link's features, except offloadd itself. Sends no events: the daemon looks it up after a drift.
 *
 * The caller of __netdev_update_features() is the current task, through netlink, ioctl and sysfs alike. A change spreads to other links
 * inside netdev_features_change() of the link where it started, in the same task. From about 7.2 on VLANs follow in a worker, and
 * netdev_work_sched() shows which task scheduled it. */
#include "names.h"

/* Process id of offloadd in the initial PID namespace. In another PID namespace, identified by own_pidns_*, it is learned at our first
 * change. */
__u32 own_tgid;
const volatile __u64 own_pidns_dev, own_pidns_ino; /* 0: the initial one */
const volatile __u32 own_tgid_there;

const volatile __u32 own_netns; /* only links of this network namespace are recorded; 0: of all */

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct change_key);
	__type(value, struct change_entry);
} changes SEC(".maps");

/* The task that scheduled a link's change in a worker, and when; before and after are empty. */
#define DEFERRED_NS 10000000000ULL
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct change_key);
	__type(value, struct change_entry);
} deferred SEC(".maps");

struct update {
	struct net_device *dev;
	__u64 before;
};

/* State of a task inside an update. RTNL limits how many there are. */
#define STALE_NS 60000000000ULL
struct running {
	__u64 task, time_ns;	/* the task, and its last use: a kretprobe may miss a return, and the entry remains */
	struct change_key root; /* the outermost link whose change spreads */
	__u32 spreading;	/* nesting depth of netdev_features_change() */
	__u32 depth;
	struct update update[4]; /* nested __netdev_update_features(), from netdev_sync_lower_features() */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, struct running);
} tasks SEC(".maps");

static __always_inline struct running *running_get(bool create)
{
	__u32 task = bpf_get_current_pid_tgid();
	struct running *running = bpf_map_lookup_elem(&tasks, &task);
	struct running none = { .task = bpf_get_current_task(), .time_ns = bpf_ktime_get_ns() };

	if (running && running->task == none.task && none.time_ns - running->time_ns < STALE_NS) {
		running->time_ns = none.time_ns;
		return running;
	}
	if (!create)
		return NULL;
	bpf_map_update_elem(&tasks, &task, &none, BPF_ANY);
	return bpf_map_lookup_elem(&tasks, &task);
}

static __always_inline void running_put(const struct running *running)
{
	__u32 task = bpf_get_current_pid_tgid();

	if (!running->depth && !running->spreading)
		bpf_map_delete_elem(&tasks, &task);
}

/* NULL if nested too deeply. clang 19 would remove the mask as redundant, but the verifier does not track the comparison and
 * needs it. */
static __always_inline struct update *update_at(struct running *running, __u32 depth)
{
	if (depth >= 4)
		return NULL;
	barrier_var(depth);
	return &running->update[depth & 3];
}

static __always_inline struct change_key link_key(bool direct, struct net_device *dev)
{
	return (struct change_key){ .netns = device_netns(direct, dev),
		.ifindex = GET(direct, dev, ifindex) };
}

static __always_inline int update_enter(bool direct, struct net_device *dev)
{
	struct running *running = running_get(true);
	struct update *update;

	if (!running)
		return 0;
	update = update_at(running, running->depth++);
	if (update) {
		update->dev = dev;
		update->before = GET(direct, dev, features);
	}
	return 0;
}

static __always_inline void learn_own(void)
{
	struct bpf_pidns_info there = {};

	if (own_pidns_ino && !bpf_get_ns_current_pid_tgid(own_pidns_dev, own_pidns_ino, &there, sizeof(there)) &&
		there.tgid == own_tgid_there)
		own_tgid = bpf_get_current_pid_tgid() >> 32;
}

static __always_inline void set_changed_by(struct change_entry *r, const struct change_key *key,
	const struct running *running, struct task_struct *task)
{
	struct task_struct *parent = GET(false, task, real_parent);

	learn_own();
	r->header.version = EVENT_VERSION;
	r->header.type = EVENT_TYPE_CHANGE;
	r->header.size = sizeof(*r);
	r->pid = bpf_get_current_pid_tgid() >> 32;
	r->root_netns = running->spreading ? running->root.netns : key->netns;
	r->root_ifindex = running->spreading ? running->root.ifindex : key->ifindex;
	r->cgroup = bpf_get_current_cgroup_id();
	note_cgroup_id(r->cgroup, NULL);
	bpf_get_current_comm(r->comm, sizeof(r->comm));
	r->ppid = GET(false, parent, tgid);
	bpf_core_read(r->parent_comm, sizeof(r->parent_comm), &parent->comm);
}

/* The task that a worker updates a link for; NULL if none scheduled it. */
static __always_inline struct change_entry *deferred_changed_by(
	const struct change_key *key, struct task_struct *task)
{
	struct change_entry *earlier;

	if (!(GET(false, task, flags) & PF_KTHREAD))
		return NULL;
	earlier = bpf_map_lookup_elem(&deferred, key);
	return earlier && bpf_ktime_get_ns() - earlier->time_ns < DEFERRED_NS ? earlier : NULL;
}

static __always_inline void record(struct net_device *dev, __u64 before, __u64 after,
	const struct running *running)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct change_key key = link_key(false, dev);
	struct change_entry r = {}, *earlier = deferred_changed_by(&key, task);

	if (own_netns && key.netns != own_netns)
		return;
	if (earlier)
		r = *earlier;
	else
		set_changed_by(&r, &key, running, task);
	if (r.pid == own_tgid)
		return;
	r.time_ns = bpf_ktime_get_ns();
	r.before = before;
	r.after = after;
	bpf_map_update_elem(&changes, &key, &r, BPF_ANY);
}

static __always_inline int defer(struct net_device *dev)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct running *running = running_get(false);
	struct change_key key = link_key(false, dev);
	struct change_entry r = {}, *earlier;

	if (!running || !running->spreading || (own_netns && key.netns != own_netns))
		return 0;
	/* a worker that schedules again does so for the original task */
	earlier = deferred_changed_by(&running->root, task);
	if (earlier)
		r = *earlier;
	else
		set_changed_by(&r, &key, running, task);
	r.time_ns = bpf_ktime_get_ns();
	bpf_map_update_elem(&deferred, &key, &r, BPF_ANY);
	return 0;
}

static __always_inline int update_leave(void)
{
	struct running *running = running_get(false);
	struct net_device *dev;
	struct update *update;
	__u64 after;

	if (!running || !running->depth)
		return 0;
	update = update_at(running, --running->depth);
	if (update) {
		dev = update->dev;
		after = GET(false, dev, features);
		if (update->before != after)
			record(dev, update->before, after, running);
	}
	running_put(running);
	return 0;
}

static __always_inline int spread_enter(bool direct, struct net_device *dev)
{
	struct running *running = running_get(true);

	if (running && !running->spreading++)
		running->root = link_key(direct, dev);
	return 0;
}

static __always_inline int spread_leave(void)
{
	struct running *running = running_get(false);

	if (!running || !running->spreading)
		return 0;
	running->spreading--;
	running_put(running);
	return 0;
}

SEC("fentry/__netdev_update_features")
int BPF_PROG(update_fentry, struct net_device *dev)
{
	return update_enter(true, dev);
}

SEC("fexit/__netdev_update_features")
int BPF_PROG(update_fexit)
{
	return update_leave();
}

SEC("kprobe/__netdev_update_features")
int BPF_KPROBE(update_kprobe, struct net_device *dev)
{
	return update_enter(false, dev);
}

SEC("kretprobe/__netdev_update_features")
int BPF_KRETPROBE(update_kretprobe)
{
	return update_leave();
}

SEC("fentry/netdev_features_change")
int BPF_PROG(spread_fentry, struct net_device *dev)
{
	return spread_enter(true, dev);
}

SEC("fexit/netdev_features_change")
int BPF_PROG(spread_fexit)
{
	return spread_leave();
}

SEC("kprobe/netdev_features_change")
int BPF_KPROBE(spread_kprobe, struct net_device *dev)
{
	return spread_enter(false, dev);
}

SEC("kretprobe/netdev_features_change")
int BPF_KRETPROBE(spread_kretprobe)
{
	return spread_leave();
}

SEC("fentry/netdev_work_sched")
int BPF_PROG(defer_fentry, struct net_device *dev)
{
	return defer(dev);
}

SEC("kprobe/netdev_work_sched")
int BPF_KPROBE(defer_kprobe, struct net_device *dev)
{
	return defer(dev);
}

char LICENSE[] SEC("license") = "GPL";
