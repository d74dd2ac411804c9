/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/ethtool.h>
#include <linux/ethtool_netlink.h>
#include <linux/genetlink.h>
#include <linux/if.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "ethtool_private.h"
#include "util.h"

#define BUFFER_BYTES (64u << 10) /* netlink_dump() fills at most 32 KB at a time */
#define REPLY_TIMEOUT_S 10	 /* the kernel answers within the call that asks; a lost answer must not hang us */
#define DUMP_ATTEMPTS 8
#define DRAIN_MAX (1u << 16)	 /* messages taken in one go */
#define BITSET_BITS_MAX 4096

struct ethtool_nl {
	struct ethtool base;
	struct mnl_socket *socket;  /* requests; NULL with a monitor alone */
	struct mnl_socket *monitor; /* NULL without one */
	int ioctl_fd;		    /* for drivers, -1 until asked */
	uint16_t family;
	uint32_t seq;
	unsigned bits; /* how many features the kernel counts, 0 before its names were read */
	char buffer[BUFFER_BYTES] __attribute__((aligned(MNL_ALIGNTO)));
};

static struct ethtool_nl *backend(struct ethtool *e)
{
	return (struct ethtool_nl *)e;
}

/* ---- decoding ---- */

struct bitset {
	feature_set value, mask;
	bool no_mask;
};

static feature_set words_to_set(const struct nlattr *attr, uint32_t bits)
{
	const uint32_t *words = mnl_attr_get_payload(attr);
	feature_set set = 0;

	for (unsigned i = 0; i < 2 && i * 32 < bits; i++)
		set |= (feature_set)words[i] << (32 * i);
	return bits < FEATURE_MAX ? set & (FEATURE(bits) - 1) : set;
}

struct verbose_bit {
	const struct feature_table *table;
	int bit; /* -1 unknown to us */
	bool value;
};

static int read_verbose_bit(const struct nlattr *attr, void *data)
{
	struct verbose_bit *b = data;
	uint32_t index;

	switch (mnl_attr_get_type(attr)) {
	case ETHTOOL_A_BITSET_BIT_INDEX:
		if (mnl_attr_validate(attr, MNL_TYPE_U32) < 0)
			return MNL_CB_ERROR;
		index = mnl_attr_get_u32(attr);
		b->bit = index < FEATURE_MAX ? (int)index : -1;
		break;
	case ETHTOOL_A_BITSET_BIT_NAME:
		if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0)
			return MNL_CB_ERROR;
		if (b->bit < 0 && b->table)
			b->bit = feature_bit(b->table, mnl_attr_get_str(attr));
		break;
	case ETHTOOL_A_BITSET_BIT_VALUE:
		b->value = true;
		break;
	}
	return MNL_CB_OK;
}

struct verbose_bits {
	const struct feature_table *table;
	struct bitset *set;
};

static int read_verbose_bits(const struct nlattr *attr, void *data)
{
	struct verbose_bits *list = data;
	struct verbose_bit b = { .table = list->table, .bit = -1 };

	if (mnl_attr_get_type(attr) != ETHTOOL_A_BITSET_BITS_BIT)
		return MNL_CB_OK;
	if (mnl_attr_parse_nested(attr, read_verbose_bit, &b) <= MNL_CB_ERROR)
		return MNL_CB_ERROR;
	if (b.bit < 0)
		return MNL_CB_OK;
	list->set->mask |= FEATURE(b.bit);
	if (b.value || list->set->no_mask)
		list->set->value |= FEATURE(b.bit);
	return MNL_CB_OK;
}

static int collect_bitset(const struct nlattr *attr, void *data)
{
	const struct nlattr **tb = data;
	static const enum mnl_attr_data_type types[] = {
		[ETHTOOL_A_BITSET_NOMASK] = MNL_TYPE_FLAG,
		[ETHTOOL_A_BITSET_SIZE] = MNL_TYPE_U32,
		[ETHTOOL_A_BITSET_BITS] = MNL_TYPE_NESTED,
		[ETHTOOL_A_BITSET_VALUE] = MNL_TYPE_BINARY,
		[ETHTOOL_A_BITSET_MASK] = MNL_TYPE_BINARY,
	};
	uint16_t type = mnl_attr_get_type(attr);

	if (type == 0 || type >= ARRAY_SIZE(types))
		return MNL_CB_OK;
	/* an empty list of bits is an empty set, which libmnl's own check of a nest refuses */
	if (type != ETHTOOL_A_BITSET_BITS && mnl_attr_validate(attr, types[type]) < 0)
		return MNL_CB_ERROR;
	tb[type] = attr;
	return MNL_CB_OK;
}

static int decode_compact(const struct nlattr *const *tb, struct bitset *ret)
{
	const struct nlattr *value = tb[ETHTOOL_A_BITSET_VALUE], *mask = tb[ETHTOOL_A_BITSET_MASK];
	uint32_t bits, bytes;

	if (!tb[ETHTOOL_A_BITSET_SIZE])
		return -EBADMSG;
	bits = mnl_attr_get_u32(tb[ETHTOOL_A_BITSET_SIZE]);
	bytes = (bits + 31) / 32 * 4;
	if (bits > BITSET_BITS_MAX || mnl_attr_get_payload_len(value) < bytes)
		return -EBADMSG;
	if (!mask != ret->no_mask || (mask && mnl_attr_get_payload_len(mask) < bytes))
		return -EBADMSG;
	ret->value = words_to_set(value, bits);
	ret->mask = mask ? words_to_set(mask, bits) : ret->value;
	return 0;
}

/* table may be NULL: then a verbose set must come with bit numbers, as the kernel's do. */
static int decode_bitset(
	const struct nlattr *attr, const struct feature_table *table, struct bitset *ret)
{
	const struct nlattr *tb[ETHTOOL_A_BITSET_MAX + 1] = { 0 };
	struct verbose_bits list = { table, ret };

	*ret = (struct bitset){ 0 };
	if (mnl_attr_parse_nested(attr, collect_bitset, tb) <= MNL_CB_ERROR)
		return -EBADMSG;
	ret->no_mask = tb[ETHTOOL_A_BITSET_NOMASK];
	if (tb[ETHTOOL_A_BITSET_VALUE])
		return decode_compact(tb, ret);
	if (!tb[ETHTOOL_A_BITSET_BITS])
		return -EBADMSG;
	if (mnl_attr_parse_nested(tb[ETHTOOL_A_BITSET_BITS], read_verbose_bits, &list) <=
		MNL_CB_ERROR)
		return -EBADMSG;
	return 0;
}

static int read_header_index(const struct nlattr *attr, void *data)
{
	if (mnl_attr_get_type(attr) != ETHTOOL_A_HEADER_DEV_INDEX)
		return MNL_CB_OK;
	if (mnl_attr_validate(attr, MNL_TYPE_U32) < 0)
		return MNL_CB_ERROR;
	*(uint32_t *)data = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static int decode_header(const struct nlattr *attr, int *ret_ifindex)
{
	uint32_t ifindex = 0;

	if (mnl_attr_parse_nested(attr, read_header_index, &ifindex) <= MNL_CB_ERROR ||
		ifindex == 0 || ifindex > INT32_MAX)
		return -EBADMSG;
	*ret_ifindex = (int)ifindex;
	return 0;
}

static int collect_features(const struct nlattr *attr, void *data)
{
	const struct nlattr **tb = data;
	uint16_t type = mnl_attr_get_type(attr);

	if (type == 0 || type > ETHTOOL_A_FEATURES_MAX)
		return MNL_CB_OK;
	tb[type] = attr;
	return MNL_CB_OK;
}

/* A payload of attributes that may be cut short: libmnl's own loop stops quietly at the first that does not fit. */
static int parse_features(const void *payload, size_t len, const struct nlattr **tb)
{
	if (len > UINT16_MAX * 2u ||
		mnl_attr_parse_payload(payload, len, collect_features, tb) <= MNL_CB_ERROR)
		return -EBADMSG;
	return tb[ETHTOOL_A_FEATURES_HEADER] ? 0 : -EBADMSG;
}

int ethtool_features_decode(const void *payload, size_t len, const struct feature_table *table,
	int *ret_ifindex, struct link_features *ret)
{
	const struct nlattr *tb[ETHTOOL_A_FEATURES_MAX + 1] = { 0 };
	struct bitset set[ETHTOOL_A_FEATURES_MAX + 1];
	int r, ifindex;

	r = parse_features(payload, len, tb);
	if (r >= 0)
		r = decode_header(tb[ETHTOOL_A_FEATURES_HEADER], &ifindex);
	for (unsigned i = ETHTOOL_A_FEATURES_HW; r >= 0 && i <= ETHTOOL_A_FEATURES_NOCHANGE; i++)
		r = tb[i] ? decode_bitset(tb[i], table, &set[i]) : -EBADMSG;
	if (r < 0)
		return r;
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

static int read_error_text(const struct nlattr *attr, void *data)
{
	if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG)
		util_copy_name(data, ETHTOOL_TEXT_LEN, mnl_attr_get_payload(attr),
			mnl_attr_get_payload_len(attr));
	return MNL_CB_OK;
}

/* Error of an NLMSG_ERROR (0 for a plain ack), with the extended ack's text (text may be NULL). */
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

/* A reply's message: 0 go on, 1 done, negative errno. */
typedef int (*reply_fn)(const struct nlmsghdr *nlh, void *userdata);

struct exchange {
	reply_fn fn;
	void *userdata;
	char *text; /* ETHTOOL_TEXT_LEN bytes for the kernel's words, may be NULL */
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
		/* the dump's own end: a negative number where it failed half way */
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

/* Every message of one datagram that answers the request seq. */
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

/* Length of a datagram from the kernel (one from anybody else counts 0), negative errno. */
static int receive(struct mnl_socket *socket, void *buffer, size_t size)
{
	struct sockaddr_nl from = { 0 };
	struct iovec iov = { .iov_base = buffer, .iov_len = size };
	struct msghdr msg = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};
	ssize_t n;

	do
		n = recvmsg(mnl_socket_get_fd(socket), &msg, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (msg.msg_namelen != sizeof(from) || from.nl_pid != 0)
		return 0;
	return msg.msg_flags & MSG_TRUNC ? -EMSGSIZE : (int)n;
}

static int exchange(struct ethtool_nl *nl, const struct nlmsghdr *nlh, struct exchange *x)
{
	uint32_t seq = nlh->nlmsg_seq;
	int r;

	if (mnl_socket_sendto(nl->socket, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	do {
		r = receive(nl->socket, nl->buffer, sizeof(nl->buffer));
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

static int read_group(const struct nlattr *attr, void *data)
{
	const struct nlattr **tb = data;
	uint16_t type = mnl_attr_get_type(attr);

	if (type == CTRL_ATTR_MCAST_GRP_NAME && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
		tb[0] = attr;
	if (type == CTRL_ATTR_MCAST_GRP_ID && mnl_attr_validate(attr, MNL_TYPE_U32) >= 0)
		tb[1] = attr;
	return MNL_CB_OK;
}

static int read_groups(const struct nlattr *attr, void *data)
{
	struct family *family = data;
	const struct nlattr *tb[2] = { 0 };

	mnl_attr_parse_nested(attr, read_group, tb);
	if (tb[0] && tb[1] && strcmp(mnl_attr_get_str(tb[0]), ETHTOOL_MCGRP_MONITOR_NAME) == 0)
		family->monitor_group = mnl_attr_get_u32(tb[1]);
	return MNL_CB_OK;
}

static int read_operation(const struct nlattr *attr, void *data)
{
	struct family *family = data;

	if (mnl_attr_get_type(attr) == CTRL_ATTR_OP_ID &&
		mnl_attr_validate(attr, MNL_TYPE_U32) >= 0 &&
		mnl_attr_get_u32(attr) == ETHTOOL_MSG_FEATURES_GET)
		family->has_features = true;
	return MNL_CB_OK;
}

static int read_operations(const struct nlattr *attr, void *data)
{
	mnl_attr_parse_nested(attr, read_operation, data);
	return MNL_CB_OK;
}

static int read_family_attr(const struct nlattr *attr, void *data)
{
	struct family *family = data;

	switch (mnl_attr_get_type(attr)) {
	case CTRL_ATTR_FAMILY_ID:
		if (mnl_attr_validate(attr, MNL_TYPE_U16) >= 0)
			family->id = mnl_attr_get_u16(attr);
		break;
	case CTRL_ATTR_OPS:
		mnl_attr_parse_nested(attr, read_operations, family);
		break;
	case CTRL_ATTR_MCAST_GROUPS:
		mnl_attr_parse_nested(attr, read_groups, family);
		break;
	}
	return MNL_CB_OK;
}

static int read_family(const struct nlmsghdr *nlh, void *userdata)
{
	mnl_attr_parse(nlh, sizeof(struct genlmsghdr), read_family_attr, userdata);
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
	return r;
}

/* ---- what a backend gives ---- */

struct string_entry {
	uint32_t index;
	const struct nlattr *value;
	bool has_index;
};

static int read_string(const struct nlattr *attr, void *data)
{
	struct string_entry *s = data;

	if (mnl_attr_get_type(attr) == ETHTOOL_A_STRING_INDEX &&
		mnl_attr_validate(attr, MNL_TYPE_U32) >= 0) {
		s->index = mnl_attr_get_u32(attr);
		s->has_index = true;
	}
	if (mnl_attr_get_type(attr) == ETHTOOL_A_STRING_VALUE)
		s->value = attr;
	return MNL_CB_OK;
}

static int read_strings(const struct nlattr *attr, void *data)
{
	struct feature_table *table = data;
	struct string_entry s = { 0 };

	mnl_attr_parse_nested(attr, read_string, &s);
	if (s.has_index && s.value)
		(void)feature_table_add(table, s.index, mnl_attr_get_payload(s.value),
			mnl_attr_get_payload_len(s.value));
	return MNL_CB_OK;
}

static int read_string_set(const struct nlattr *attr, void *data)
{
	struct feature_table *table = data;

	if (mnl_attr_get_type(attr) == ETHTOOL_A_STRINGSET_COUNT &&
		mnl_attr_validate(attr, MNL_TYPE_U32) >= 0 && mnl_attr_get_u32(attr) > table->count)
		table->count = mnl_attr_get_u32(attr) < FEATURE_MAX ? mnl_attr_get_u32(attr) :
								      FEATURE_MAX;
	if (mnl_attr_get_type(attr) == ETHTOOL_A_STRINGSET_STRINGS)
		mnl_attr_parse_nested(attr, read_strings, table);
	return MNL_CB_OK;
}

static int read_string_sets(const struct nlattr *attr, void *data)
{
	mnl_attr_parse_nested(attr, read_string_set, data);
	return MNL_CB_OK;
}

static int read_strset_attr(const struct nlattr *attr, void *data)
{
	if (mnl_attr_get_type(attr) == ETHTOOL_A_STRSET_STRINGSETS)
		mnl_attr_parse_nested(attr, read_string_sets, data);
	return MNL_CB_OK;
}

static int read_strset(const struct nlmsghdr *nlh, void *userdata)
{
	mnl_attr_parse(nlh, sizeof(struct genlmsghdr), read_strset_attr, userdata);
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

/* The reply's wanted: asked for (mask) and not so (value: as asked). Its active: what changed (mask) and into what. */
static int read_set_reply(const struct nlmsghdr *nlh, void *userdata)
{
	struct set_state *set = userdata;
	const struct nlattr *tb[ETHTOOL_A_FEATURES_MAX + 1] = { 0 };
	struct bitset wanted, active;
	int r;

	if (!is_command(nlh, ETHTOOL_MSG_FEATURES_SET_REPLY))
		return -EBADMSG;
	r = parse_features(mnl_nlmsg_get_payload_offset(nlh, sizeof(struct genlmsghdr)),
		mnl_nlmsg_get_payload_len(nlh) - sizeof(struct genlmsghdr), tb);
	if (r < 0)
		return r;
	if (!tb[ETHTOOL_A_FEATURES_WANTED] || !tb[ETHTOOL_A_FEATURES_ACTIVE])
		return -EBADMSG;
	r = decode_bitset(tb[ETHTOOL_A_FEATURES_WANTED], NULL, &wanted);
	if (r >= 0)
		r = decode_bitset(tb[ETHTOOL_A_FEATURES_ACTIVE], NULL, &active);
	if (r < 0)
		return r;
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

static int driver(struct ethtool *e, const char *name, char *buf, size_t size)
{
	struct ethtool_nl *nl = backend(e);

	if (nl->ioctl_fd < 0)
		nl->ioctl_fd = ethtool_ioctl_socket();
	return nl->ioctl_fd < 0 ? nl->ioctl_fd :
				  ethtool_ioctl_driver(nl->ioctl_fd, name, buf, size);
}

static int monitor_fd(struct ethtool *e)
{
	struct ethtool_nl *nl = backend(e);

	return nl->monitor ? mnl_socket_get_fd(nl->monitor) : -EOPNOTSUPP;
}

static unsigned take_notifications(
	struct ethtool_nl *nl, int len, ethtool_features_fn fn, void *userdata)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)nl->buffer;
	struct link_features features;
	unsigned n = 0;
	int ifindex;

	for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
		if (nlh->nlmsg_type != nl->family ||
			mnl_nlmsg_get_payload_len(nlh) < sizeof(struct genlmsghdr) ||
			!is_command(nlh, ETHTOOL_MSG_FEATURES_NTF) ||
			decode_message(nlh, &ifindex, &features) < 0)
			continue;
		fn(ifindex, &features, 0, userdata);
		n++;
	}
	return n;
}

/* What the full buffer still holds is older than what was lost: it must not be taken for news after the dump. */
static int monitor_read(struct ethtool *e, ethtool_features_fn fn, void *userdata)
{
	struct ethtool_nl *nl = backend(e);
	bool overrun = false;
	unsigned n = 0;

	if (!nl->monitor)
		return -EOPNOTSUPP;
	for (unsigned i = 0; i < DRAIN_MAX; i++) {
		int r = receive(nl->monitor, nl->buffer, sizeof(nl->buffer));

		if (r == -EAGAIN)
			break;
		if (r == -ENOBUFS || r == -EMSGSIZE)
			overrun = true;
		else if (r < 0)
			return r;
		else if (!overrun)
			n += take_notifications(nl, r, fn, userdata);
	}
	return overrun ? -ENOBUFS : (int)n;
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
	.driver = driver,
	.monitor_fd = monitor_fd,
	.monitor_read = monitor_read,
	.close = close_backend,
};

static int open_requests(struct ethtool_nl *nl)
{
	struct timeval timeout = { .tv_sec = REPLY_TIMEOUT_S };
	int one = 1;

	nl->socket = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	if (!nl->socket || mnl_socket_bind(nl->socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	/* only the texts suffer where the kernel has neither */
	(void)mnl_socket_setsockopt(nl->socket, NETLINK_EXT_ACK, &one, sizeof(one));
	(void)mnl_socket_setsockopt(nl->socket, NETLINK_CAP_ACK, &one, sizeof(one));
	if (setsockopt(mnl_socket_get_fd(nl->socket), SOL_SOCKET, SO_RCVTIMEO, &timeout,
		    sizeof(timeout)) < 0)
		return -errno;
	return 0;
}

static int open_monitor(struct ethtool_nl *nl, uint32_t group, size_t rcvbuf_bytes)
{
	int bytes = (int)(rcvbuf_bytes ? rcvbuf_bytes : ETHTOOL_RCVBUF_BYTES), fd;

	if (group == 0)
		return -EOPNOTSUPP;
	nl->monitor = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!nl->monitor || mnl_socket_bind(nl->monitor, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	fd = mnl_socket_get_fd(nl->monitor);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0 &&
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)) < 0)
		return -errno;
	if (mnl_socket_setsockopt(nl->monitor, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		return -errno;
	return 0;
}

int ethtool_nl_open(bool requests, bool monitor, size_t rcvbuf_bytes, struct ethtool **ret)
{
	struct ethtool_nl *nl = calloc(1, sizeof(*nl));
	struct family family;
	int r;

	if (!nl)
		return -ENOMEM;
	nl->base.ops = &ops;
	nl->ioctl_fd = -1;
	r = open_requests(nl);
	if (r >= 0)
		r = resolve_family(nl, &family);
	if (r >= 0)
		nl->family = family.id;
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
