/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/ethtool.h"

#include <errno.h>

#include "kernel/ethtool_private.h"

const char *const ethtool_backend_words[ETHTOOL_BACKENDS] = {
	[ETHTOOL_AUTO] = "auto", [ETHTOOL_NETLINK] = "netlink", [ETHTOOL_IOCTL] = "ioctl"
};

/* Before Linux 5.10 FEATURES_SET loses wanted bits and does not update the links above; the ioctl does. */
static bool netlink_set_is_safe(void)
{
	return !util_kernel_is_before(5, 10);
}

/* Ioctls have no notifications, so these come by netlink if the kernel has it. */
static int open_ioctl(bool monitor, size_t rcvbuf_bytes, const struct netns_sockets *sockets, struct ethtool **ret)
{
	_cleanup_(ethtool_close_pointer) struct ethtool *e = NULL;
	int r = ethtool_ioctl_open(sockets, &e);

	if (r >= 0 && monitor)
		r = ethtool_nl_open(false, true, rcvbuf_bytes, NULL, &e->monitor);
	if (r < 0 && (r != -EOPNOTSUPP || !e))
		return r;
	*ret = TAKE_PTR(e);
	return 0;
}

static int open_backend(enum ethtool_backend backend, bool monitor, size_t rcvbuf_bytes, const struct netns_sockets *sockets,
	struct ethtool **ret)
{
	int r;

	switch (backend) {
	case ETHTOOL_NETLINK:
		return ethtool_nl_open(true, monitor, rcvbuf_bytes, sockets, ret);
	case ETHTOOL_IOCTL:
		return open_ioctl(monitor, rcvbuf_bytes, sockets, ret);
	case ETHTOOL_AUTO:
		r = netlink_set_is_safe() ? ethtool_nl_open(true, monitor, rcvbuf_bytes, sockets, ret) :
					    -EOPNOTSUPP;
		return r == -EOPNOTSUPP ? open_ioctl(monitor, rcvbuf_bytes, sockets, ret) : r;
	}
	return -EINVAL;
}

int ethtool_open(
	enum ethtool_backend backend, bool monitor, size_t rcvbuf_bytes, struct ethtool **ret)
{
	return open_backend(backend, monitor, rcvbuf_bytes, NULL, ret);
}

int ethtool_open_in(enum ethtool_backend backend, const struct netns_sockets *sockets, struct ethtool **ret)
{
	return open_backend(backend, false, 0, sockets, ret);
}

void ethtool_close(struct ethtool *e)
{
	if (!e)
		return;
	ethtool_close(e->monitor);
	e->ops->close(e);
}

const char *ethtool_backend_name(const struct ethtool *e)
{
	return e->ops->name;
}

int ethtool_features_strings(struct ethtool *e, struct feature_table *ret)
{
	return e->ops->features_strings(e, ret);
}

int ethtool_features_get(struct ethtool *e, int ifindex, const char *name, struct link_features *ret)
{
	return e->ops->features_get(e, ifindex, name, ret);
}

int ethtool_features_dump(struct ethtool *e, ethtool_features_fn fn, void *userdata)
{
	return e->ops->features_dump ? e->ops->features_dump(e, fn, userdata) : -EOPNOTSUPP;
}

int ethtool_features_set(struct ethtool *e, int ifindex, const char *name, feature_set mask,
	feature_set value, struct ethtool_result *ret)
{
	*ret = (struct ethtool_result){ 0 };
	return e->ops->features_set(e, ifindex, name, mask, value & mask, ret);
}

int ethtool_features_recompute(struct ethtool *e, int ifindex, const char *name)
{
	return e->ops->features_recompute ? e->ops->features_recompute(e, ifindex, name) : -EOPNOTSUPP;
}

int ethtool_monitor_fd(struct ethtool *e)
{
	e = e->monitor ? e->monitor : e;
	return e->ops->monitor_fd ? e->ops->monitor_fd(e) : -EOPNOTSUPP;
}

int ethtool_monitor_read(struct ethtool *e, ethtool_features_fn fn, void *userdata)
{
	e = e->monitor ? e->monitor : e;
	return e->ops->monitor_read ? e->ops->monitor_read(e, fn, userdata) : -EOPNOTSUPP;
}

int ethtool_info(struct ethtool *e, int ifindex, struct ethtool_info *ret)
{
	*ret = (struct ethtool_info){ 0 };
	return e->ops->info ? e->ops->info(e, ifindex, ret) : -EOPNOTSUPP;
}
