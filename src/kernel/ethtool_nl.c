/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/ethtool.h>
#include <linux/ethtool_netlink.h>
#include <linux/genetlink.h>
#include <linux/if.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel/ethtool_private.h"
#include "kernel/netlink.h"
#include "basic/util.h"

#define DUMP_ATTEMPTS 8
#define BITSET_BITS_MAX 4096

struct ethtool_nl {
	struct ethtool base;
	struct mnl_socket *socket;  /* requests; NULL with a monitor alone */
	struct mnl_socket *monitor; /* NULL without one */
	int ioctl_fd;		    /* for what netlink does not support, -1 until needed */
	uint16_t family;
	uint32_t seq;
	unsigned bits; /* number of feature bits in this kernel, 0 before the names are read */
	char buffer[NETLINK_BATCH * NETLINK_BUFFER_BYTES] __attribute__((aligned(MNL_ALIGNTO)));
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

/* The number of a bit in a verbose set; negative for an unknown one. */
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
	bool is_list; /* without a mask: all its bits are set */
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

/* table may be NULL: then bits of a verbose set need numbers, which those of the kernel have. */
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

/* The index in the header; -EBADMSG. */
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

/* ---- requests ---- */

/* The attributes of a message, whose generic netlink header the caller has checked. */
static void collect_message(const struct nlmsghdr *nlh, const struct nlattr **tb, unsigned max)
{
	netlink_collect(mnl_nlmsg_get_payload_offset(nlh, sizeof(struct genlmsghdr)),
		mnl_nlmsg_get_payload_len(nlh) - sizeof(struct genlmsghdr), tb, max);
}

static struct nlmsghdr *request_new(
	struct ethtool_nl *nl, uint16_t family, uint8_t command, uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(nl->buffer);
	struct genlmsghdr *genl;

	nlh->nlmsg_type = family;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++nl->seq;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = command;
	genl->version = family == GENL_ID_CTRL ? 2 : ETHTOOL_GENL_VERSION;
	return nlh;
}

/* With both index and name, the kernel checks that they match (-ENODEV). ifindex 0: all links. */
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

static int read_error_text(const struct nlattr *attr, void *data)
{
	if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG)
		util_copy_name(data, ETHTOOL_TEXT_LEN, mnl_attr_get_payload(attr),
			mnl_attr_get_payload_len(attr));
	return MNL_CB_OK;
}

/* The error of an NLMSG_ERROR, 0 for an ack. text gets the message of the extended ack; may be NULL. */
static int decode_error(const struct nlmsghdr *nlh, char *text)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);
	size_t skip = sizeof(*err);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*err))
		return -EBADMSG;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED) && err->msg.nlmsg_len > sizeof(err->msg))
		skip += MNL_ALIGN(err->msg.nlmsg_len) - sizeof(err->msg);
	if (text && (nlh->nlmsg_flags & NLM_F_ACK_TLVS) && skip < mnl_nlmsg_get_payload_len(nlh))
		mnl_attr_parse(nlh, (unsigned)skip, read_error_text, text);
	return err->error > 0 || err->error < -4095 ? -EBADMSG : err->error;
}

/* Handles one message of a reply. 0: continue; 1: done; negative errno. */
typedef int (*reply_fn)(const struct nlmsghdr *nlh, void *userdata);

struct exchange {
	reply_fn fn;
	void *userdata;
	char *text; /* gets the message of the kernel, ETHTOOL_TEXT_LEN bytes; may be NULL */
	bool disturbed;
};

static int take_message(const struct nlmsghdr *nlh, struct exchange *x)
{
	int r;

	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		x->disturbed = true;
	switch (nlh->nlmsg_type) {
	case NLMSG_ERROR:
		r = decode_error(nlh, x->text);
		return r < 0 ? r : 1;
	case NLMSG_DONE:
		/* the end of a dump: a negative number if it failed */
		if (mnl_nlmsg_get_payload_len(nlh) >= sizeof(int)) {
			r = *(int *)mnl_nlmsg_get_payload(nlh);
			if (r < 0 && r >= -4095)
				return r;
		}
		return 1;
	case NLMSG_NOOP:
	case NLMSG_OVERRUN:
		return 0;
	}
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(struct genlmsghdr))
		return -EBADMSG;
	r = x->fn(nlh, x->userdata);
	if (r < 0)
		return r;
	return !(nlh->nlmsg_flags & NLM_F_MULTI);
}

/* Handles the messages in a datagram that reply to request seq. */
static int take_datagram(struct ethtool_nl *nl, int len, uint32_t seq, struct exchange *x)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)nl->buffer;
	unsigned portid = mnl_socket_get_portid(nl->socket);

	for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
		int r;

		if (nlh->nlmsg_seq != seq || !mnl_nlmsg_portid_ok(nlh, portid))
			continue;
		r = take_message(nlh, x);
		if (r != 0)
			return r;
	}
	return 0;
}

static int exchange(struct ethtool_nl *nl, const struct nlmsghdr *nlh, struct exchange *x)
{
	uint32_t seq = nlh->nlmsg_seq;
	int r;

	if (mnl_socket_sendto(nl->socket, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	do {
		r = netlink_receive(mnl_socket_get_fd(nl->socket), nl->buffer, sizeof(nl->buffer));
		if (r == -EAGAIN)
			return -ETIMEDOUT;
		if (r >= 0)
			r = take_datagram(nl, r, seq, x);
	} while (r == 0);
	return r < 0 ? r : 0;
}

/* ---- generic netlink family ---- */

struct family {
	uint16_t id;
	uint32_t monitor_group; /* 0 when none */
	bool has_features;
};

/* As read last. These numbers are the same in all network namespaces, and do not change while the kernel runs. */
static struct family known_family;
static unsigned known_bits;

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
	if (tb[CTRL_ATTR_FAMILY_ID] && netlink_size(tb[CTRL_ATTR_FAMILY_ID]) >= sizeof(uint16_t))
		family->id = mnl_attr_get_u16(tb[CTRL_ATTR_FAMILY_ID]);
	if (tb[CTRL_ATTR_OPS])
		mnl_attr_parse_nested(tb[CTRL_ATTR_OPS], read_operation, family);
	if (tb[CTRL_ATTR_MCAST_GROUPS])
		mnl_attr_parse_nested(tb[CTRL_ATTR_MCAST_GROUPS], read_group, family);
	return 0;
}

static int resolve_family(struct ethtool_nl *nl, struct family *ret)
{
	struct exchange x = { .fn = read_family, .userdata = ret };
	struct nlmsghdr *nlh = request_new(nl, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0);
	int r;

	*ret = (struct family){ 0 };
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, ETHTOOL_GENL_NAME);
	r = exchange(nl, nlh, &x);
	if (r == -ENOENT || (r >= 0 && (ret->id == 0 || !ret->has_features)))
		return -EOPNOTSUPP;
	if (r >= 0)
		known_family = *ret;
	return r;
}

uint32_t ethtool_monitor_group(void)
{
	return known_family.monitor_group;
}

/* ---- operations ---- */

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
	struct exchange x = { .fn = read_strset, .userdata = ret };
	struct nlmsghdr *nlh = request_new(nl, nl->family, ETHTOOL_MSG_STRSET_GET, 0);
	struct nlattr *sets, *set;
	int r;

	put_device(nlh, ETHTOOL_A_STRSET_HEADER, 0, NULL);
	sets = mnl_attr_nest_start(nlh, ETHTOOL_A_STRSET_STRINGSETS);
	set = mnl_attr_nest_start(nlh, ETHTOOL_A_STRINGSETS_STRINGSET);
	mnl_attr_put_u32(nlh, ETHTOOL_A_STRINGSET_ID, ETH_SS_FEATURES);
	mnl_attr_nest_end(nlh, set);
	mnl_attr_nest_end(nlh, sets);
	*ret = (struct feature_table){ 0 };
	r = exchange(nl, nlh, &x);
	if (r < 0)
		return r;
	nl->bits = known_bits = ret->count;
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
	struct exchange x = { .fn = read_get_reply, .userdata = &get };
	struct nlmsghdr *nlh;

	if (ifindex <= 0 || strnlen(name, IFNAMSIZ) == IFNAMSIZ)
		return -ENODEV;
	nlh = request_new(nl, nl->family, ETHTOOL_MSG_FEATURES_GET, 0);
	put_device(nlh, ETHTOOL_A_FEATURES_HEADER, ifindex, name);
	return exchange(nl, nlh, &x);
}

struct each_link {
	ethtool_features_fn fn;
	void *userdata;
};

static int read_dump_reply(const struct nlmsghdr *nlh, void *userdata)
{
	struct each_link *each = userdata;
	struct link_features features;
	int ifindex;

	if (is_command(nlh, ETHTOOL_MSG_FEATURES_GET_REPLY) &&
		decode_message(nlh, &ifindex, &features) >= 0)
		each->fn(ifindex, &features, 0, each->userdata);
	return 0;
}

static int features_dump(struct ethtool *e, ethtool_features_fn fn, void *userdata)
{
	struct ethtool_nl *nl = backend(e);
	struct each_link each = { fn, userdata };
	int r = 0;

	for (unsigned i = 0; i < DUMP_ATTEMPTS; i++) {
		struct exchange x = { .fn = read_dump_reply, .userdata = &each };
		struct nlmsghdr *nlh =
			request_new(nl, nl->family, ETHTOOL_MSG_FEATURES_GET, NLM_F_DUMP);

		put_device(nlh, ETHTOOL_A_FEATURES_HEADER, 0, NULL);
		r = exchange(nl, nlh, &x);
		if (r != -EINTR && !(r >= 0 && x.disturbed))
			return r;
	}
	return r == -EINTR ? 0 : r;
}

struct set_state {
	feature_set mask;
	struct ethtool_result *result;
};

/* Reply: `wanted` is what was requested without effect (mask; value: as requested), `active` is what changed
 * (mask) and its new value. */
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

/* Exactly as many bits as the kernel has: with more, ethnl_bitmap32_not_zero() in 5.10 treats zeros as
 * set. */
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
	struct exchange x = { .fn = read_set_reply, .userdata = &set, .text = ret->text };
	struct nlmsghdr *nlh;
	int r;

	if (ifindex <= 0 || strnlen(name, IFNAMSIZ) == IFNAMSIZ) {
		ret->error = -ENODEV;
		return 0;
	}
	r = learn_bits(nl);
	if (r < 0)
		return r;
	nlh = request_new(nl, nl->family, ETHTOOL_MSG_FEATURES_SET, 0);
	put_device(nlh, ETHTOOL_A_FEATURES_HEADER, ifindex, name);
	put_bitset(nlh, ETHTOOL_A_FEATURES_WANTED, nl->bits, mask, value);
	ret->error = exchange(nl, nlh, &x);
	return ret->error == -ETIMEDOUT || ret->error == -EBADMSG ? ret->error : 0;
}

static int ioctl_fd(struct ethtool_nl *nl)
{
	if (nl->ioctl_fd < 0)
		nl->ioctl_fd = ethtool_ioctl_socket(NULL);
	return nl->ioctl_fd;
}

static int features_recompute(struct ethtool *e, int ifindex, const char *name)
{
	int fd = ioctl_fd(backend(e));

	return fd < 0 ? fd : ethtool_ioctl_recompute(fd, ifindex, name);
}

static int info(struct ethtool *e, int ifindex, struct ethtool_info *ret)
{
	int fd = ioctl_fd(backend(e));

	return fd < 0 ? fd : ethtool_ioctl_info(fd, ifindex, ret);
}

static int monitor_fd(struct ethtool *e)
{
	struct ethtool_nl *nl = backend(e);

	return nl->monitor ? mnl_socket_get_fd(nl->monitor) : -EOPNOTSUPP;
}

struct monitored {
	uint16_t family;
	struct each_link each;
};

static void take_notifications(void *datagram, int len, void *userdata)
{
	const struct monitored *m = userdata;
	struct link_features features;
	int ifindex;

	for (const struct nlmsghdr *nlh = datagram; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len))
		if (nlh->nlmsg_type == m->family && ethtool_monitor_decode(nlh, &ifindex, &features) >= 0)
			m->each.fn(ifindex, &features, 0, m->each.userdata);
}

int ethtool_monitor_decode(const struct nlmsghdr *nlh, int *ret_ifindex, struct link_features *ret)
{
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(struct genlmsghdr) || !is_command(nlh, ETHTOOL_MSG_FEATURES_NTF))
		return -ENOENT;
	return decode_message(nlh, ret_ifindex, ret);
}

static int monitor_read(struct ethtool *e, ethtool_features_fn fn, void *userdata)
{
	struct ethtool_nl *nl = backend(e);
	struct monitored m = { nl->family, { fn, userdata } };

	return nl->monitor ? netlink_drain(mnl_socket_get_fd(nl->monitor), nl->buffer, NETLINK_BUFFER_BYTES,
				     take_notifications, &m) :
			     -EOPNOTSUPP;
}

static void close_backend(struct ethtool *e)
{
	struct ethtool_nl *nl = backend(e);

	if (nl->socket)
		mnl_socket_close(nl->socket);
	if (nl->monitor)
		mnl_socket_close(nl->monitor);
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
	.info = info,
	.monitor_fd = monitor_fd,
	.monitor_read = monitor_read,
	.close = close_backend,
};

static int open_bound(struct ethtool_nl *nl)
{
	nl->socket = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	return !nl->socket || mnl_socket_bind(nl->socket, 0, MNL_SOCKET_AUTOPID) < 0 ? -errno : 0;
}

static int copy_sockets(struct ethtool_nl *nl, const struct netns_sockets *sockets)
{
	int fd = fcntl(sockets->generic, F_DUPFD_CLOEXEC, 0);

	nl->socket = fd < 0 ? NULL : mnl_socket_fdopen(fd);
	if (!nl->socket) {
		int error = -errno;

		util_close_pointer(&fd);
		return error;
	}
	nl->ioctl_fd = ethtool_ioctl_socket(sockets);
	return nl->ioctl_fd < 0 ? nl->ioctl_fd : 0;
}

static int open_requests(struct ethtool_nl *nl, const struct netns_sockets *sockets)
{
	int one = 1, r = sockets ? copy_sockets(nl, sockets) : open_bound(nl);

	if (r < 0)
		return r;
	/* without these, only messages of the kernel are missing */
	(void)mnl_socket_setsockopt(nl->socket, NETLINK_EXT_ACK, &one, sizeof(one));
	(void)mnl_socket_setsockopt(nl->socket, NETLINK_CAP_ACK, &one, sizeof(one));
	return netlink_set_timeout(mnl_socket_get_fd(nl->socket));
}

static int open_monitor(struct ethtool_nl *nl, uint32_t group, size_t rcvbuf_bytes)
{
	int r;

	if (group == 0)
		return -EOPNOTSUPP;
	nl->monitor = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!nl->monitor || mnl_socket_bind(nl->monitor, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	r = netlink_set_rcvbuf(mnl_socket_get_fd(nl->monitor), rcvbuf_bytes);
	if (r < 0)
		return r;
	if (mnl_socket_setsockopt(nl->monitor, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		return -errno;
	return 0;
}

int ethtool_nl_open(bool requests, bool monitor, size_t rcvbuf_bytes, const struct netns_sockets *sockets, struct ethtool **ret)
{
	struct ethtool_nl *nl = calloc(1, sizeof(*nl));
	struct family family;
	int r;

	if (!nl)
		return -ENOMEM;
	nl->base.ops = &ops;
	nl->ioctl_fd = -1;
	r = open_requests(nl, sockets);
	family = known_family;
	if (r >= 0 && (!sockets || !family.id))
		r = resolve_family(nl, &family);
	if (r >= 0)
		nl->family = family.id;
	nl->bits = sockets ? known_bits : 0;
	if (r >= 0 && monitor)
		r = open_monitor(nl, family.monitor_group, rcvbuf_bytes);
	if (r == -EPROTONOSUPPORT)
		r = -EOPNOTSUPP; /* a kernel without generic netlink */
	if (r < 0) {
		close_backend(&nl->base);
		return r;
	}
	if (!requests) {
		mnl_socket_close(nl->socket);
		nl->socket = NULL;
	}
	*ret = &nl->base;
	return 0;
}
