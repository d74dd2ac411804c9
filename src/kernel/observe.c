/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/observe.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include "basic/util.h"
#include "kernel/hardware.h"
#include "kernel/netns.h"
#include "kernel/udev.h"

static bool same_features(const struct link_features *a, const struct link_features *b)
{
	return a->hw == b->hw && a->wanted == b->wanted && a->active == b->active &&
		a->nochange == b->nochange;
}

static void announce(struct observe *o, int ifindex, struct link *link)
{
	o->any = true;
	if (link)
		link->noticed = false;
	if (o->changed)
		o->changed(ifindex, link, o->userdata);
}

static void announce_noticed(struct observe *o)
{
	link_table_foreach(&o->links, link)
		if (link->noticed)
			announce(o, link->ifindex, link);
}

static void make_stale(struct observe *o, struct link *link)
{
	if (link->features_stale)
		return;
	link->features_stale = true;
	announce(o, link->ifindex, link);
}

/* Calls fn for the links directly above a link. */
static void for_above(struct observe *o, const struct link *link, void (*fn)(struct observe *o, struct link *above))
{
	struct link *master = link_master(&o->links, link);

	for (struct link *up = link_first_upper(&o->links, link); up; up = link_next_upper(&o->links, up))
		fn(o, up);
	if (master)
		fn(o, master);
}

/* ---- features ---- */

static void store_features(struct link *link, const struct link_features *features)
{
	if (!link->has_features || link->features_error ||
		!same_features(&link->features, features))
		link->noticed = true;
	link->features = *features;
	link->has_features = true;
	link->features_stale = false;
	link->features_error = 0;
}

static int read_features(struct observe *o, struct link *link)
{
	struct link_features features;
	int r = ethtool_features_get(o->ethtool, link->ifindex, link->name, &features);

	if (r >= 0) {
		store_features(link, &features);
		return 0;
	}
	if (link->features_error != r)
		link->noticed = true;
	link->features_error = r;
	if (r == -EOPNOTSUPP) {
		link->has_features = false;
		link->features_stale = false;
	}
	return r;
}

int observe_features(struct observe *o, struct link *link)
{
	bool noticed = link->noticed;
	int r = read_features(o, link);

	link->noticed = noticed;
	return r;
}

int observe_recompute(struct observe *o, struct link *link)
{
	int r = ethtool_features_recompute(o->ethtool, link->ifindex, link->name);

	return r < 0 ? r : observe_features(o, link);
}

static void take_dumped(
	int ifindex, const struct link_features *features, int error, void *userdata)
{
	struct observe *o = userdata;
	struct link *link = link_table_find(&o->links, ifindex);

	if (link && error == 0)
		store_features(link, features);
}

/* One dump, then link by link what it did not contain. */
static int read_all_features(struct observe *o)
{
	int r;

	link_table_foreach(&o->links, link)
		link->features_stale = true;
	r = ethtool_features_dump(o->ethtool, take_dumped, o);
	if (r < 0 && r != -EOPNOTSUPP)
		return r;
	link_table_foreach(&o->links, link)
		if (link->features_stale)
			(void)read_features(o, link);
	return 0;
}

static void touch(struct observe *o, struct link *link)
{
	if (link->features_stale)
		return;
	link->features_stale = true;
	if (o->n_touched < OBSERVE_TOUCHED_MAX)
		o->touched[o->n_touched] = link->ifindex;
	o->n_touched++;
}

/* A stale link was already announced, and will be read. */
static void take_notification(
	int ifindex, const struct link_features *features, _unused_ int error, void *userdata)
{
	struct observe *o = userdata;
	struct link *link = link_table_find(&o->links, ifindex);

	o->counts.feature_events++;
	if (!link || !features || link->features_stale ||
		(link->has_features && same_features(&link->features, features)))
		return;
	touch(o, link);
	link_table_stack(&o->links);
	for_above(o, link, touch);
}

static int read_touched(struct observe *o)
{
	int r = 0;

	if (o->n_touched > OBSERVE_TOUCHED_MAX) {
		r = read_all_features(o);
	} else {
		for (unsigned i = 0; i < o->n_touched; i++) {
			struct link *link = link_table_find(&o->links, o->touched[i]);

			if (link)
				(void)read_features(o, link);
		}
	}
	o->n_touched = 0;
	announce_noticed(o);
	return r;
}

/* ---- names ---- */

/* Without a monitor nothing tells when udev is done. But then it has finished with what it is not working at. */
static bool is_named(const struct observe *o, int ifindex)
{
	return o->without_udev || !udev_is_running() || udev_has_named(ifindex) || (rtnl_monitor_fd(o->rtnl) < 0 && !udev_is_busy());
}

/* Subscribes before it looks, so that nothing is missed between. */
static void find_name(struct observe *o, struct link *link)
{
	if (!o->want_names || link->naming != LINK_NAME_UNCHECKED)
		return;
	if (o->names_fd < 0 && !is_named(o, link->ifindex))
		o->names_fd = udev_subscribe();
	link->naming = is_named(o, link->ifindex) ? LINK_NAME_FINAL : LINK_NAME_PENDING;
	if (link->naming == LINK_NAME_FINAL)
		return;
	o->n_unnamed++;
	link->named_by_usec = util_now_usec() + OBSERVE_NAME_USEC;
	util_earlier(&o->names_usec, link->named_by_usec);
}

/* ID_PATH comes from udev, too: a link whose name becomes final is read again. */
static void read_hardware(struct observe *o, struct link *link)
{
	if (!o->want_hardware || (!link_is_kind(link, "physical") && !link_is_kind(link, "other")))
		return;
	if (!link->hardware)
		link->hardware = malloc(sizeof(*link->hardware));
	if (link->hardware)
		hardware_read(o->ethtool, link->ifindex, !o->without_udev && link->naming == LINK_NAME_FINAL, link->hardware);
	else
		o->error = -ENOMEM;
}

static void name_link(struct observe *o, struct link *link)
{
	link->naming = LINK_NAME_FINAL;
	o->n_unnamed--;
	read_hardware(o, link);
	announce(o, link->ifindex, link);
}

static void take_name(int ifindex, void *userdata)
{
	struct observe *o = userdata;
	struct link *named = link_table_find(&o->links, ifindex);

	if (named && named->naming == LINK_NAME_PENDING && udev_has_named(ifindex))
		name_link(o, named);
	if (ifindex)
		return;
	link_table_foreach(&o->links, link)
		if (link->naming == LINK_NAME_PENDING && udev_has_named(link->ifindex))
			name_link(o, link);
}

int observe_name_fd(const struct observe *o)
{
	return o->names_fd;
}

int observe_read_names(struct observe *o)
{
	o->any = false;
	udev_read(o->names_fd, take_name, o);
	return o->any;
}

void observe_end_names(struct observe *o, uint64_t now_usec, void (*fn)(const struct link *link, void *userdata), void *userdata)
{
	o->names_usec = 0;
	link_table_foreach(&o->links, link) {
		if (link->naming != LINK_NAME_PENDING)
			continue;
		if (link->named_by_usec > now_usec) {
			util_earlier(&o->names_usec, link->named_by_usec);
			continue;
		}
		name_link(o, link);
		fn(link, userdata);
	}
}

/* ---- links ---- */

/* No message contains the driver. For a virtual link it is its kind; of a device on a bus it is read once,
 * until kind or address change. */
static void fill_driver(struct observe *o, struct link *from, const struct link *known)
{
	bool physical = link_is_kind(from, "physical") || link_is_kind(from, "other");
	struct ethtool_info info = { 0 };
	bool same = known && strcmp(known->kind, from->kind) == 0 &&
		known->address_len == from->address_len &&
		memcmp(known->address, from->address, from->address_len) == 0;

	if (!physical)
		util_copy_name(from->driver, sizeof(from->driver), from->kind, sizeof(from->kind));
	else if (same && known->driver[0])
		memcpy(from->driver, known->driver, sizeof(from->driver));
	else if (ethtool_info(o->ethtool, from->ifindex, &info) >= 0)
		memcpy(from->driver, info.driver, sizeof(from->driver));
}

/* See link_table_update(). */
static int update_link(struct observe *o, const struct link *from, struct link **ret)
{
	struct link link = *from;
	int r;

	fill_driver(o, &link, link_table_find(&o->links, from->ifindex));
	r = link_table_update(&o->links, &link, ret);
	if (r < 0)
		return r;
	find_name(o, *ret);
	if (!(*ret)->hardware)
		read_hardware(o, *ret);
	return r;
}

static int remove_link(struct observe *o, int ifindex)
{
	const struct link *link = link_table_find(&o->links, ifindex);

	o->n_unnamed -= link && link->naming == LINK_NAME_PENDING;
	return link_table_remove(&o->links, ifindex);
}

static void dump_start(void *userdata)
{
	struct observe *o = userdata;

	o->generation++;
}

static void take_dumped_link(const struct link *from, _unused_ bool features_event, void *userdata)
{
	struct observe *o = userdata;
	struct link *link;
	int r;

	if (o->links_max && link_table_count(&o->links) >= o->links_max && !link_table_find(&o->links, from->ifindex)) {
		o->cut = true;
		return;
	}
	r = update_link(o, from, &link);
	if (r < 0) {
		o->error = r;
		return;
	}
	link->seen = o->generation;
	if (r > 0)
		link->noticed = true;
}

static void take_read_link(const struct link *from, bool features_event, void *userdata)
{
	struct observe *o = userdata;
	struct link *link;
	int r = update_link(o, from, &link);

	(void)features_event;
	if (o->error >= 0)
		o->error = r < 0 ? r : o->error | r;
}

int observe_link(struct observe *o, struct link *link)
{
	const struct rtnl_handlers handlers = { .link = take_read_link, .userdata = o, .elsewhere = o->elsewhere };
	int r;

	if (o->limits)
		return o->limits(link, NULL, NULL, 0);
	o->error = 0;
	r = rtnl_read_link(o->rtnl, link->ifindex, &handlers);
	return r < 0 ? r : o->error;
}

int observe_set_limits(struct observe *o, const struct link *link, const struct link_limits *set, char *text, size_t size)
{
	return o->limits ? o->limits((struct link *)link, set, text, size)
			 : rtnl_set_limits(o->rtnl, link->ifindex, set, text, size);
}

/* Without notifications of features, every message about a link may be one. With them, a message about something else may still
 * be the only sign that features changed (changelink of a gretap): then they are read, and only a difference is announced. */
static void take_link(const struct link *from, bool features_event, void *userdata)
{
	struct observe *o = userdata;
	struct link *link = link_table_find(&o->links, from->ifindex);
	unsigned flags = link ? link->flags : 0;
	int r;

	o->limits_outdated |= link && !link_limits_equal(&link->limits, &from->limits);
	r = update_link(o, from, &link);
	o->counts.link_events++;
	if (r < 0) {
		o->error = r;
		return;
	}
	/* a link that is set down loses its routes without a message (fib_disable_ip()) */
	o->routes_stale |= o->want_routes && ((link->flags ^ flags) & IFF_UP);
	o->forwarding_stale |= o->want_forwarding && r > 0;
	link->seen = o->generation;
	if (r == 0 && o->has_monitor) {
		if (!features_event)
			touch(o, link);
		return;
	}
	link->features_stale = true;
	announce(o, link->ifindex, link);
}

static void take_link_gone(int ifindex, void *userdata)
{
	struct observe *o = userdata;

	o->counts.link_events++;
	if (remove_link(o, ifindex))
		announce(o, ifindex, NULL);
}

static void notice(struct link *link, _unused_ void *userdata)
{
	link->noticed = true;
}

static void take_default_route(void *userdata)
{
	struct observe *o = userdata;
	int r = rtnl_dump_default_routes(o->rtnl, &o->links, notice, NULL);

	o->routes_stale = false;
	if (r < 0)
		o->error = r;
	announce_noticed(o);
}

#define BELOW_MAX 8 /* MAX_NEST_DEV */

static void notice_below(struct observe *o, struct link *link, unsigned depth)
{
	struct link *lower = link_lower(&o->links, link);

	link->noticed = true;
	if (lower && depth < BELOW_MAX)
		notice_below(o, lower, depth + 1);
	for (struct link *port = link_first_port(&o->links, link); port && depth < BELOW_MAX;
		port = link_next_port(&o->links, port))
		notice_below(o, port, depth + 1);
}

/* What forwards matters for all links below it. */
static void notice_forwarding(struct link *link, void *userdata)
{
	notice_below(userdata, link, 0);
}

static void take_forwarding(void *userdata)
{
	struct observe *o = userdata;
	int r;

	link_table_stack(&o->links);
	r = rtnl_dump_forwarding(o->rtnl, &o->links, notice_forwarding, o);
	o->forwarding_stale = false;
	if (r < 0)
		o->error = r;
	announce_noticed(o);
}

/* Removes links that the last dump did not contain. disturbed: it may be incomplete. */
static void sweep(struct observe *o, bool disturbed)
{
	char name[IF_NAMESIZE];
	struct link *link, *next;

	HASH_ITER(hh, o->links.links, link, next)
	{
		int ifindex = link->ifindex;

		if (link->seen == o->generation || (disturbed && if_indextoname((unsigned)ifindex, name)))
			continue;
		remove_link(o, ifindex);
		announce(o, ifindex, NULL);
	}
}

static int dump_links(struct observe *o)
{
	const struct rtnl_handlers handlers = {
		.dump_start = dump_start,
		.link = take_dumped_link,
		.elsewhere = o->elsewhere,
		.userdata = o,
	};
	int r;

	o->error = 0;
	o->cut = false;
	r = rtnl_dump_links(o->rtnl, &handlers);
	if (r < 0)
		return r;
	if (o->error < 0)
		return o->error;
	sweep(o, r > 0);
	return 0;
}

static int read_link_events(struct observe *o)
{
	const struct rtnl_handlers handlers = {
		.link = take_link,
		.link_gone = take_link_gone,
		.default_route = take_default_route,
		.forwarding = take_forwarding,
		.userdata = o,
	};
	int r;

	o->error = 0;
	o->limits_outdated = false;
	r = rtnl_monitor_read(o->rtnl, &handlers);
	if (r >= 0 && o->error >= 0 && o->limits_outdated) {
		r = dump_links(o);
		announce_noticed(o);
	}
	if (r >= 0 && o->routes_stale)
		take_default_route(o);
	if (r >= 0 && o->forwarding_stale)
		take_forwarding(o);
	return r < 0 ? r : o->error;
}

int observe_read_limits(struct observe *o)
{
	int r = o->limits ? 0 : observe_read_links(o);

	if (r < 0)
		return r;
	if (!o->limits)
		r = dump_links(o);
	link_table_foreach(&o->links, link)
		if (o->limits && o->limits(link, NULL, NULL, 0) > 0)
			link->noticed = true;
	announce_noticed(o);
	return r < 0 ? r : 0;
}

/* ---- all ---- */

static void ignore_notification(_unused_ int ifindex,
	_unused_ const struct link_features *features, _unused_ int error, _unused_ void *userdata)
{
}

/* Pending events are older than the dumps that follow, and must not be read after them. */
static int settle(struct observe *o)
{
	int r = rtnl_monitor_fd(o->rtnl) >= 0 ? read_link_events(o) : 0;

	if (r == -ENOBUFS)
		o->counts.overruns++;
	else if (r < 0)
		return r;
	if (o->has_monitor &&
		ethtool_monitor_read(o->ethtool, ignore_notification, NULL) == -ENOBUFS)
		o->counts.overruns++;
	return 0;
}

int observe_refresh(struct observe *o)
{
	int r;

	o->counts.dumps++;
	link_table_foreach(&o->links, link) {
		free(link->hardware); /* firmware may be new */
		link->hardware = NULL;
	}
	r = rtnl_monitor_routes(o->rtnl, o->want_routes);
	if (r >= 0)
		r = rtnl_monitor_forwarding(o->rtnl, o->want_forwarding);
	if (r >= 0)
		r = settle(o);
	if (r >= 0)
		r = dump_links(o);
	if (r >= 0)
		r = read_all_features(o);
	if (r >= 0 && o->want_routes)
		r = rtnl_dump_default_routes(o->rtnl, &o->links, notice, NULL);
	if (r >= 0 && o->want_forwarding)
		r = rtnl_dump_forwarding(o->rtnl, &o->links, notice, NULL);
	announce_noticed(o);
	return r < 0 ? r : 0;
}

static int refresh_after_overrun(struct observe *o)
{
	int r;

	o->counts.overruns++;
	r = observe_refresh(o);
	return r < 0 ? r : 1;
}

/* Like a notification: if the features of a link may have changed, so may those of the links above. */
static void spread_staleness(struct observe *o)
{
	link_table_stack(&o->links);
	link_table_foreach(&o->links, link)
		if (link->features_stale)
			for_above(o, link, make_stale);
}

int observe_read_links(struct observe *o)
{
	int r;

	o->any = false;
	o->n_touched = 0;
	r = read_link_events(o);
	if (r == -ENOBUFS)
		return refresh_after_overrun(o);
	if (r >= 0 && o->n_touched > 0)
		r = read_touched(o);
	if (r >= 0 && o->any && !o->has_monitor)
		spread_staleness(o);
	return r < 0 ? r : o->any;
}

/* dev_disable_lro() turns LRO off. Why it did so is on another socket, or not reported yet; without it LRO would be turned on
 * again. A new master or XDP program is queued there before the notification of the features is. */
static int read_why_lro_is_off(struct observe *o)
{
	int r;

	o->error = 0;
	take_forwarding(o);
	r = o->error < 0 ? o->error : observe_read_links(o);
	o->any = true;
	return r;
}

int observe_read_features(struct observe *o)
{
	int r;

	o->any = false;
	o->n_touched = 0;
	if (!o->has_monitor)
		return 0;
	r = ethtool_monitor_read(o->ethtool, take_notification, o);
	if (r == -ENOBUFS)
		return refresh_after_overrun(o);
	if (r >= 0)
		r = read_touched(o);
	if (r >= 0 && o->any && o->want_forwarding)
		r = read_why_lro_is_off(o);
	return r < 0 ? r : o->any;
}

int observe_link_fd(const struct observe *o)
{
	return rtnl_monitor_fd(o->rtnl);
}

int observe_feature_fd(const struct observe *o)
{
	return ethtool_monitor_fd(o->ethtool);
}

static int open_sockets(struct observe *o, const struct observe_options *options, const char **ret_what)
{
	const struct netns_sockets *sockets = options->sockets;
	int r;

	*ret_what = "rtnetlink";
	r = sockets ? rtnl_open_in(sockets->route, &o->rtnl) : rtnl_open(options->monitor, options->rcvbuf_bytes, &o->rtnl);
	if (r < 0)
		return r;
	*ret_what = options->backend == ETHTOOL_IOCTL ? "ethtool ioctl" : "ethtool netlink";
	return sockets ? ethtool_open_in(options->backend, sockets, &o->ethtool)
		       : ethtool_open(options->backend, options->monitor, options->rcvbuf_bytes, &o->ethtool);
}

int observe_open(const struct observe_options *options, struct observe **ret, const char **ret_what)
{
	_cleanup_(observe_close_pointer) struct observe *o = calloc(1, sizeof(*o));
	char netns[NETNS_NAME_LEN];
	int r;

	*ret_what = "memory";
	if (!o)
		return -ENOMEM;
	o->names_fd = -1;
	o->backend = options->backend;
	o->links_max = options->links_max;
	o->elsewhere = options->sockets;
	o->without_udev = o->elsewhere || netns_is_own(netns, sizeof(netns));
	r = open_sockets(o, options, ret_what);
	if (r < 0)
		return r;
	o->has_monitor = options->monitor && ethtool_monitor_fd(o->ethtool) >= 0;
	*ret_what = "feature names";
	if (options->features)
		o->features = *options->features;
	else
		r = ethtool_features_strings(o->ethtool, &o->features);
	if (r < 0)
		return r;
	*ret_what = NULL;
	*ret = TAKE_PTR(o);
	return 0;
}

void observe_detach(struct observe *o)
{
	ethtool_close(o->ethtool);
	o->ethtool = NULL;
	rtnl_close(o->rtnl);
	o->rtnl = NULL;
}

int observe_attach(struct observe *o, const struct netns_sockets *sockets)
{
	const struct observe_options options = { .backend = o->backend, .sockets = sockets };
	const char *what;
	int r = open_sockets(o, &options, &what);

	if (r < 0)
		observe_detach(o);
	return r < 0 ? r : 0;
}

void observe_close(struct observe *o)
{
	if (!o)
		return;
	link_table_clear(&o->links);
	if (o->names_fd >= 0)
		close(o->names_fd);
	observe_detach(o);
	free(o);
}
