/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/ethtool_netlink.h>
#include <linux/genetlink.h>
#include <linux/if.h>
#include <string.h>
#include <unistd.h>

#include "kernel/ethtool_private.h"
#include "kernel/netlink.h"
#include "basic/util.h"

#define BITSET_BITS_MAX 4096

struct ethtool_nl {
	struct ethtool base;
	struct netlink nl; /* without requests where only a monitor was asked for */
	int ioctl_fd;	   /* for what netlink cannot do, -1 until needed */
	uint16_t family;
	unsigned bits; /* how many features the kernel counts, 0 before its names were read */
};

static struct ethtool_nl *backend(struct ethtool *e)
{
	return (struct ethtool_nl *)e;
}

/* ---- decoding ---- */

struct bitset {
	feature_set value, mask;
};

static inline feature_set words_to_set(const struct nlattr *attr, uint32_t bits)
{
	const uint32_t *words = netlink_data(attr);
	feature_set set = 0;

	for (unsigned i = 0; i < 2 && i * 32 < bits; i++)
		set |= (feature_set)words[i] << (32 * i);
	return bits < FEATURE_MAX ? set & (FEATURE(bits) - 1) : set;
}

static inline int decode_compact(const struct nlattr *const *tb, struct bitset *ret)
{
	const struct nlattr *value = tb[ETHTOOL_A_BITSET_VALUE], *mask = tb[ETHTOOL_A_BITSET_MASK];
	uint32_t bits = netlink_u32(tb[ETHTOOL_A_BITSET_SIZE]), bytes = (bits + 31) / 32 * 4;

	if (bits == 0 || bits > BITSET_BITS_MAX || netlink_size(value) < bytes)
		return -EBADMSG;
	if (!mask != !!tb[ETHTOOL_A_BITSET_NOMASK] || (mask && netlink_size(mask) < bytes))
		return -EBADMSG;
	ret->value = words_to_set(value, bits);
	ret->mask = mask ? words_to_set(mask, bits) : ret->value;
	return 0;
}

/* Number of a bit of a verbose set, negative when it is none that we know. */
static int read_bit_number(const struct nlattr *const *tb, const struct feature_table *table)
{
	const struct nlattr *name = tb[ETHTOOL_A_BITSET_BIT_NAME];
	uint32_t index = netlink_u32(tb[ETHTOOL_A_BITSET_BIT_INDEX]);

	if (tb[ETHTOOL_A_BITSET_BIT_INDEX])
		return index < FEATURE_MAX ? (int)index : -1;
	if (!name || !table || mnl_attr_validate(name, MNL_TYPE_NUL_STRING) < 0)
		return -1;
	return feature_bit(table, netlink_data(name));
}

struct verbose_bits {
	const struct feature_table *table;
	struct bitset *set;
	bool is_list; /* without a mask: what is in it is set */
};

static int read_verbose_bit(const struct nlattr *attr, void *userdata)
{
	const struct nlattr *tb[ETHTOOL_A_BITSET_BIT_MAX + 1] = { 0 };
	struct verbose_bits *bits = userdata;
	int bit;

	netlink_collect_nested(attr, tb, ETHTOOL_A_BITSET_BIT_MAX);
	bit = read_bit_number(tb, bits->table);
	if (bit < 0)
		return MNL_CB_OK;
	bits->set->mask |= FEATURE(bit);
	if (bits->is_list || tb[ETHTOOL_A_BITSET_BIT_VALUE])
		bits->set->value |= FEATURE(bit);
	return MNL_CB_OK;
}

/* table may be NULL: then a verbose set must come with bit numbers, as the kernel's do. */
static int decode_bitset(
	const struct nlattr *attr, const struct feature_table *table, struct bitset *ret)
{
	const struct nlattr *tb[ETHTOOL_A_BITSET_MAX + 1] = { 0 };
	struct verbose_bits bits = { .table = table, .set = ret };

	*ret = (struct bitset){ 0 };
	netlink_collect_nested(attr, tb, ETHTOOL_A_BITSET_MAX);
	if (tb[ETHTOOL_A_BITSET_VALUE])
		return decode_compact(tb, ret);
	if (!tb[ETHTOOL_A_BITSET_BITS])
		return -EBADMSG;
	bits.is_list = tb[ETHTOOL_A_BITSET_NOMASK];
	mnl_attr_parse_nested(tb[ETHTOOL_A_BITSET_BITS], read_verbose_bit, &bits);
	return 0;
}

/* The index in the header, negative without a good one. */
static int decode_header(const struct nlattr *header)
{
	const struct nlattr *tb[ETHTOOL_A_HEADER_DEV_INDEX + 1] = { 0 };
	uint32_t ifindex;

	if (!header)
		return -EBADMSG;
	netlink_collect_nested(header, tb, ETHTOOL_A_HEADER_DEV_INDEX);
	ifindex = netlink_u32(tb[ETHTOOL_A_HEADER_DEV_INDEX]);
	return ifindex == 0 || ifindex > INT32_MAX ? -EBADMSG : (int)ifindex;
}

int ethtool_features_decode(const void *payload, size_t len, const struct feature_table *table,
	int *ret_ifindex, struct link_features *ret)
{
	const struct nlattr *tb[ETHTOOL_A_FEATURES_MAX + 1] = { 0 };
	struct bitset set[ETHTOOL_A_FEATURES_MAX + 1];
	int ifindex;

	netlink_collect(payload, len, tb, ETHTOOL_A_FEATURES_MAX);
	ifindex = decode_header(tb[ETHTOOL_A_FEATURES_HEADER]);
	if (ifindex < 0)
		return ifindex;
	for (unsigned i = ETHTOOL_A_FEATURES_HW; i <= ETHTOOL_A_FEATURES_NOCHANGE; i++)
		if (!tb[i] || decode_bitset(tb[i], table, &set[i]) < 0)
			return -EBADMSG;
	*ret_ifindex = ifindex;
	*ret = (struct link_features){
		.hw = set[ETHTOOL_A_FEATURES_HW].value & ~set[ETHTOOL_A_FEATURES_NOCHANGE].value,
		.wanted = set[ETHTOOL_A_FEATURES_WANTED].value,
		.active = set[ETHTOOL_A_FEATURES_ACTIVE].value,
		.nochange = set[ETHTOOL_A_FEATURES_NOCHANGE].value,
	};
	return 0;
}

/* ---- talking ---- */

/* The attributes of a message that has its generic header. */
static void collect_message(const struct nlmsghdr *nlh, const struct nlattr **tb, unsigned max)
{
	netlink_collect_message(nlh, sizeof(struct genlmsghdr), tb, max);
}

static struct nlmsghdr *request_new(struct netlink *nl, uint16_t family, uint8_t command, uint16_t flags)
{
	struct nlmsghdr *nlh = netlink_new(nl, family, flags, sizeof(struct genlmsghdr));
	struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);

	genl->cmd = command;
	genl->version = family == GENL_ID_CTRL ? 2 : ETHTOOL_GENL_VERSION;
	return nlh;
}

static int exchange(struct ethtool_nl *e, const struct nlmsghdr *request, netlink_fn fn, void *userdata)
{
	struct netlink_exchange x = { .fn = fn, .userdata = userdata, .header = sizeof(struct genlmsghdr) };

	return netlink_exchange(&e->nl, request, &x);
}

/* The kernel's own check that both belong together: -ENODEV, "ifindex and name do not match". */
static void put_device(struct nlmsghdr *nlh, uint16_t type, int ifindex, const char *name)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, type);

	if (ifindex) {
		mnl_attr_put_u32(nlh, ETHTOOL_A_HEADER_DEV_INDEX, (uint32_t)ifindex);
		mnl_attr_put_strz(nlh, ETHTOOL_A_HEADER_DEV_NAME, name);
	}
	mnl_attr_put_u32(nlh, ETHTOOL_A_HEADER_FLAGS, ETHTOOL_FLAG_COMPACT_BITSETS);
	mnl_attr_nest_end(nlh, nest);
}

/* ---- generic netlink family ---- */

struct family {
	uint16_t id;
	uint32_t monitor_group; /* 0 when none */
	bool has_features;
};

static int read_group(const struct nlattr *attr, void *userdata)
{
	const struct nlattr *tb[CTRL_ATTR_MCAST_GRP_MAX + 1] = { 0 }, *name;
	struct family *family = userdata;

	netlink_collect_nested(attr, tb, CTRL_ATTR_MCAST_GRP_MAX);
	name = tb[CTRL_ATTR_MCAST_GRP_NAME];
	if (name && mnl_attr_validate(name, MNL_TYPE_NUL_STRING) >= 0 &&
		strcmp(netlink_data(name), ETHTOOL_MCGRP_MONITOR_NAME) == 0)
		family->monitor_group = netlink_u32(tb[CTRL_ATTR_MCAST_GRP_ID]);
	return MNL_CB_OK;
}

static int read_operation(const struct nlattr *attr, void *userdata)
{
	const struct nlattr *tb[CTRL_ATTR_OP_MAX + 1] = { 0 };
	struct family *family = userdata;

	netlink_collect_nested(attr, tb, CTRL_ATTR_OP_MAX);
	if (netlink_u32(tb[CTRL_ATTR_OP_ID]) == ETHTOOL_MSG_FEATURES_GET)
		family->has_features = true;
	return MNL_CB_OK;
}

static int read_family(const struct nlmsghdr *nlh, void *userdata)
{
	const struct nlattr *tb[CTRL_ATTR_MCAST_GROUPS + 1] = { 0 };
	struct family *family = userdata;

	collect_message(nlh, tb, CTRL_ATTR_MCAST_GROUPS);
	family->id = netlink_u16(tb[CTRL_ATTR_FAMILY_ID]);
	if (tb[CTRL_ATTR_OPS])
		mnl_attr_parse_nested(tb[CTRL_ATTR_OPS], read_operation, family);
	if (tb[CTRL_ATTR_MCAST_GROUPS])
		mnl_attr_parse_nested(tb[CTRL_ATTR_MCAST_GROUPS], read_group, family);
	return 0;
}

static int resolve_family(struct ethtool_nl *nl, struct family *ret)
{
	struct nlmsghdr *nlh = request_new(&nl->nl, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0);
	int r;

	*ret = (struct family){ 0 };
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, ETHTOOL_GENL_NAME);
	r = exchange(nl, nlh, read_family, ret);
	if (r == -ENOENT || (r >= 0 && (ret->id == 0 || !ret->has_features)))
		return -EOPNOTSUPP;
	return r;
}

/* ---- what a backend gives ---- */

static int read_string(const struct nlattr *attr, void *userdata)
{
	const struct nlattr *tb[ETHTOOL_A_STRING_MAX + 1] = { 0 };
	struct feature_table *table = userdata;

	netlink_collect_nested(attr, tb, ETHTOOL_A_STRING_MAX);
	if (tb[ETHTOOL_A_STRING_INDEX] && tb[ETHTOOL_A_STRING_VALUE])
		(void)feature_table_add(table, netlink_u32(tb[ETHTOOL_A_STRING_INDEX]),
			netlink_data(tb[ETHTOOL_A_STRING_VALUE]), netlink_size(tb[ETHTOOL_A_STRING_VALUE]));
	return MNL_CB_OK;
}

static int read_string_set(const struct nlattr *attr, void *userdata)
{
	const struct nlattr *tb[ETHTOOL_A_STRINGSET_MAX + 1] = { 0 };
	struct feature_table *table = userdata;
	uint32_t count;

	netlink_collect_nested(attr, tb, ETHTOOL_A_STRINGSET_MAX);
	if (tb[ETHTOOL_A_STRINGSET_STRINGS])
		mnl_attr_parse_nested(tb[ETHTOOL_A_STRINGSET_STRINGS], read_string, table);
	count = netlink_u32(tb[ETHTOOL_A_STRINGSET_COUNT]);
	if (count > table->count)
		table->count = count < FEATURE_MAX ? count : FEATURE_MAX;
	return MNL_CB_OK;
}

static int read_strset(const struct nlmsghdr *nlh, void *userdata)
{
	const struct nlattr *tb[ETHTOOL_A_STRSET_MAX + 1] = { 0 };

	collect_message(nlh, tb, ETHTOOL_A_STRSET_MAX);
	if (tb[ETHTOOL_A_STRSET_STRINGSETS])
		mnl_attr_parse_nested(tb[ETHTOOL_A_STRSET_STRINGSETS], read_string_set, userdata);
	return 0;
}

static int features_strings(struct ethtool *e, struct feature_table *ret)
{
	struct ethtool_nl *nl = backend(e);
	struct nlmsghdr *nlh = request_new(&nl->nl, nl->family, ETHTOOL_MSG_STRSET_GET, 0);
	struct nlattr *sets, *set;
	int r;

	put_device(nlh, ETHTOOL_A_STRSET_HEADER, 0, NULL);
	sets = mnl_attr_nest_start(nlh, ETHTOOL_A_STRSET_STRINGSETS);
	set = mnl_attr_nest_start(nlh, ETHTOOL_A_STRINGSETS_STRINGSET);
	mnl_attr_put_u32(nlh, ETHTOOL_A_STRINGSET_ID, ETH_SS_FEATURES);
	mnl_attr_nest_end(nlh, set);
	mnl_attr_nest_end(nlh, sets);
	*ret = (struct feature_table){ 0 };
	r = exchange(nl, nlh, read_strset, ret);
	if (r < 0)
		return r;
	nl->bits = ret->count;
	return ret->count ? 0 : -EBADMSG;
}

static int decode_message(const struct nlmsghdr *nlh, int *ret_ifindex, struct link_features *ret)
{
	return ethtool_features_decode(mnl_nlmsg_get_payload_offset(nlh, sizeof(struct genlmsghdr)),
		mnl_nlmsg_get_payload_len(nlh) - sizeof(struct genlmsghdr), NULL, ret_ifindex, ret);
}

static bool is_command(const struct nlmsghdr *nlh, uint8_t command)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);

	return genl->cmd == command;
}

struct get_state {
	int ifindex;
	struct link_features *features;
};

static int read_get_reply(const struct nlmsghdr *nlh, void *userdata)
{
	struct get_state *get = userdata;
	int r, ifindex;

	if (!is_command(nlh, ETHTOOL_MSG_FEATURES_GET_REPLY))
		return -EBADMSG;
	r = decode_message(nlh, &ifindex, get->features);
	if (r < 0)
		return r;
	return ifindex == get->ifindex ? 0 : -EBADMSG;
}

static int features_get(struct ethtool *e, int ifindex, const char *name, struct link_features *ret)
{
	struct ethtool_nl *nl = backend(e);
	struct get_state get = { ifindex, ret };
	struct nlmsghdr *nlh;

	if (ifindex <= 0 || strnlen(name, IFNAMSIZ) == IFNAMSIZ)
		return -ENODEV;
	nlh = request_new(&nl->nl, nl->family, ETHTOOL_MSG_FEATURES_GET, 0);
	put_device(nlh, ETHTOOL_A_FEATURES_HEADER, ifindex, name);
	return exchange(nl, nlh, read_get_reply, &get);
}

struct each_link {
	uint16_t family;
	ethtool_features_fn fn;
	void *userdata;
};

static int read_dump_reply(const struct nlmsghdr *nlh, void *userdata)
{
	struct each_link *each = userdata;
	struct link_features features;
	int ifindex;

	if (is_command(nlh, ETHTOOL_MSG_FEATURES_GET_REPLY) && decode_message(nlh, &ifindex, &features) >= 0)
		each->fn(ifindex, &features, 0, each->userdata);
	return 0;
}

static struct nlmsghdr *request_dump(struct netlink *nl, void *userdata)
{
	const struct each_link *each = userdata;
	struct nlmsghdr *nlh = request_new(nl, each->family, ETHTOOL_MSG_FEATURES_GET, NLM_F_DUMP);

	put_device(nlh, ETHTOOL_A_FEATURES_HEADER, 0, NULL);
	return nlh;
}

static int features_dump(struct ethtool *e, ethtool_features_fn fn, void *userdata)
{
	struct ethtool_nl *nl = backend(e);
	struct each_link each = { nl->family, fn, userdata };
	struct netlink_exchange x = {
		.fn = read_dump_reply, .userdata = &each, .header = sizeof(struct genlmsghdr)
	};
	int r = netlink_dump(&nl->nl, request_dump, &x);

	return r < 0 ? r : 0;
}

struct set_state {
	feature_set mask;
	struct ethtool_result *result;
};

/* The reply's wanted: asked for (mask) and not so (value: as asked). Its active: what changed (mask) and into what. */
static int read_set_reply(const struct nlmsghdr *nlh, void *userdata)
{
	struct set_state *set = userdata;
	const struct nlattr *tb[ETHTOOL_A_FEATURES_MAX + 1] = { 0 };
	struct bitset wanted, active;

	if (!is_command(nlh, ETHTOOL_MSG_FEATURES_SET_REPLY))
		return -EBADMSG;
	collect_message(nlh, tb, ETHTOOL_A_FEATURES_MAX);
	if (!tb[ETHTOOL_A_FEATURES_WANTED] || !tb[ETHTOOL_A_FEATURES_ACTIVE] ||
		decode_bitset(tb[ETHTOOL_A_FEATURES_WANTED], NULL, &wanted) < 0 ||
		decode_bitset(tb[ETHTOOL_A_FEATURES_ACTIVE], NULL, &active) < 0)
		return -EBADMSG;
	set->result->missed = wanted.mask & set->mask;
	set->result->side_effects = active.mask & ~set->mask;
	return 0;
}

/* Exactly as many bits as the kernel counts: given more, ethnl_bitmap32_not_zero() of 5.10 takes zeros for something. */
static void put_bitset(struct nlmsghdr *nlh, uint16_t type, unsigned bits, feature_set mask,
	feature_set value)
{
	uint32_t v[2] = { (uint32_t)value, (uint32_t)(value >> 32) };
	uint32_t m[2] = { (uint32_t)mask, (uint32_t)(mask >> 32) };
	struct nlattr *nest = mnl_attr_nest_start(nlh, type);
	size_t bytes = bits > 32 ? sizeof(v) : sizeof(v[0]);

	mnl_attr_put_u32(nlh, ETHTOOL_A_BITSET_SIZE, bits);
	mnl_attr_put(nlh, ETHTOOL_A_BITSET_VALUE, bytes, v);
	mnl_attr_put(nlh, ETHTOOL_A_BITSET_MASK, bytes, m);
	mnl_attr_nest_end(nlh, nest);
}

static int learn_bits(struct ethtool_nl *nl)
{
	struct feature_table table;

	return nl->bits ? 0 : features_strings(&nl->base, &table);
}

static int features_set(struct ethtool *e, int ifindex, const char *name, feature_set mask,
	feature_set value, struct ethtool_result *ret)
{
	struct ethtool_nl *nl = backend(e);
	struct set_state set = { mask, ret };
	struct netlink_exchange x = { .fn = read_set_reply, .userdata = &set, .header = sizeof(struct genlmsghdr),
		.text = ret->text, .text_len = sizeof(ret->text) };
	struct nlmsghdr *nlh;
	int r;

	if (ifindex <= 0 || strnlen(name, IFNAMSIZ) == IFNAMSIZ) {
		ret->error = -ENODEV;
		return 0;
	}
	r = learn_bits(nl);
	if (r < 0)
		return r;
	nlh = request_new(&nl->nl, nl->family, ETHTOOL_MSG_FEATURES_SET, 0);
	put_device(nlh, ETHTOOL_A_FEATURES_HEADER, ifindex, name);
	put_bitset(nlh, ETHTOOL_A_FEATURES_WANTED, nl->bits, mask, value);
	ret->error = netlink_exchange(&nl->nl, nlh, &x);
	return ret->error == -ETIMEDOUT || ret->error == -EBADMSG ? ret->error : 0;
}

static int ioctl_fd(struct ethtool_nl *nl)
{
	if (nl->ioctl_fd < 0)
		nl->ioctl_fd = ethtool_ioctl_socket();
	return nl->ioctl_fd;
}

static int features_recompute(struct ethtool *e, int ifindex, const char *name)
{
	int fd = ioctl_fd(backend(e));

	return fd < 0 ? fd : ethtool_ioctl_recompute(fd, ifindex, name);
}

static int driver(struct ethtool *e, int ifindex, char *buf, size_t size)
{
	int fd = ioctl_fd(backend(e));

	return fd < 0 ? fd : ethtool_ioctl_driver(fd, ifindex, buf, size);
}

static int monitor_fd(struct ethtool *e)
{
	return netlink_monitor_fd(&backend(e)->nl);
}

static int take_notification(const struct nlmsghdr *nlh, void *userdata)
{
	const struct each_link *each = userdata;
	struct link_features features;
	int ifindex;

	if (nlh->nlmsg_type == each->family && mnl_nlmsg_get_payload_len(nlh) >= sizeof(struct genlmsghdr) &&
		is_command(nlh, ETHTOOL_MSG_FEATURES_NTF) && decode_message(nlh, &ifindex, &features) >= 0)
		each->fn(ifindex, &features, 0, each->userdata);
	return 0;
}

static int monitor_read(struct ethtool *e, ethtool_features_fn fn, void *userdata)
{
	struct ethtool_nl *nl = backend(e);
	struct each_link each = { nl->family, fn, userdata };

	return netlink_monitor_read(&nl->nl, take_notification, &each);
}

static void close_backend(struct ethtool *e)
{
	struct ethtool_nl *nl = backend(e);

	netlink_close(&nl->nl);
	if (nl->ioctl_fd >= 0)
		close(nl->ioctl_fd);
	free(nl);
}

static const struct ethtool_ops ops = {
	.name = "netlink",
	.features_strings = features_strings,
	.features_get = features_get,
	.features_dump = features_dump,
	.features_set = features_set,
	.features_recompute = features_recompute,
	.driver = driver,
	.monitor_fd = monitor_fd,
	.monitor_read = monitor_read,
	.close = close_backend,
};

int ethtool_nl_open(bool requests, bool monitor, size_t rcvbuf_bytes, struct ethtool **ret)
{
	struct ethtool_nl *nl = calloc(1, sizeof(*nl));
	struct family family = { 0 };
	int r;

	if (!nl)
		return -ENOMEM;
	nl->base.ops = &ops;
	nl->ioctl_fd = -1;
	r = netlink_open_requests(&nl->nl, NETLINK_GENERIC);
	if (r >= 0)
		r = resolve_family(nl, &family);
	nl->family = family.id;
	if (r >= 0 && monitor && !family.monitor_group)
		r = -EOPNOTSUPP;
	if (r >= 0 && monitor)
		r = netlink_open_monitor(&nl->nl, NETLINK_GENERIC, rcvbuf_bytes);
	if (r >= 0 && monitor)
		r = netlink_join(&nl->nl, family.monitor_group, true);
	if (r < 0) {
		close_backend(&nl->base);
		return r == -EPROTONOSUPPORT ? -EOPNOTSUPP : r; /* a kernel without generic netlink */
	}
	if (!requests)
		netlink_close_requests(&nl->nl);
	*ret = &nl->base;
	return 0;
}
