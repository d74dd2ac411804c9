/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel/ethtool_private.h"
#include "basic/util.h"

#define WORDS 2		 /* 32-bit words of a feature_set */
#define WORDS_MAX 8	 /* of future kernels: a SET must have as many as the kernel has (ethtool_set_features()) */
#define RENAMES_MAX 4	 /* retries */
#define STRINGS_MAX 1024 /* more features than any kernel will have */
#define LOOPBACK_INDEX 1 /* LOOPBACK_IFINDEX in the kernel: it is in every network namespace */

struct ethtool_ioctl {
	struct ethtool base;
	int fd;
	unsigned words;		 /* ETHTOOL_DEV_FEATURE_WORDS of this kernel, 0 before the first read */
};

/* The kernel's structs end in flexible arrays; these have room for their elements. */
union get_request {
	struct ethtool_gfeatures head;
	char room[sizeof(struct ethtool_gfeatures) +
		WORDS_MAX * sizeof(struct ethtool_get_features_block)];
};

union set_request {
	struct ethtool_sfeatures head;
	char room[sizeof(struct ethtool_sfeatures) +
		WORDS_MAX * sizeof(struct ethtool_set_features_block)];
};

union count_request {
	struct ethtool_sset_info head;
	char room[sizeof(struct ethtool_sset_info) + sizeof(__u32)];
};

static struct ethtool_ioctl *backend(struct ethtool *e)
{
	return (struct ethtool_ioctl *)e;
}

/* A socket of any family works: sock_do_ioctl() passes unknown requests to dev_ioctl(). */
int ethtool_ioctl_socket(const struct netns_sockets *sockets)
{
	int fd = sockets ? fcntl(sockets->plain, F_DUPFD_CLOEXEC, 0) : socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

/* Returns the value of the ioctl (ETHTOOL_SFEATURES has one), or negative errno. */
static int call(int fd, const char *name, void *request)
{
	struct ifreq ifr = { .ifr_data = request };
	size_t len = strnlen(name, IFNAMSIZ);
	int r;

	if (len == IFNAMSIZ)
		return -ENODEV;
	memcpy(ifr.ifr_name, name, len);
	r = ioctl(fd, SIOCETHTOOL, &ifr);
	return r < 0 ? -errno : r;
}

/* ret has IFNAMSIZ bytes. 0; -ENODEV: no such index. */
static int index_to_name(int fd, int ifindex, char *ret)
{
	struct ifreq ifr = { .ifr_ifindex = ifindex };

	if (ioctl(fd, SIOCGIFNAME, &ifr) < 0)
		return -errno;
	memcpy(ret, ifr.ifr_name, IFNAMSIZ);
	ret[IFNAMSIZ - 1] = '\0';
	return 0;
}

/* Ioctls identify a link by name only. 0 if the index has this name, else -ENODEV. */
static int check_name(int fd, int ifindex, const char *name)
{
	char now[IFNAMSIZ];
	int r = index_to_name(fd, ifindex, now);

	if (r < 0)
		return r;
	return strcmp(now, name) == 0 ? 0 : -ENODEV;
}

static int strings_count(int fd, const char *name, unsigned *ret)
{
	union count_request request = {
		.head = { .cmd = ETHTOOL_GSSET_INFO, .sset_mask = UINT64_C(1) << ETH_SS_FEATURES },
	};
	int r = call(fd, name, &request);

	if (r < 0)
		return r;
	if (!request.head.sset_mask || request.head.data[0] == 0 || request.head.data[0] > STRINGS_MAX)
		return -EOPNOTSUPP;
	*ret = request.head.data[0];
	return 0;
}

static int features_strings(struct ethtool *e, struct feature_table *ret)
{
	_cleanup_free_ struct ethtool_gstrings *strings = NULL;
	char name[IFNAMSIZ];
	int fd = backend(e)->fd, r;
	unsigned count;

	r = index_to_name(fd, LOOPBACK_INDEX, name);
	if (r >= 0)
		r = strings_count(fd, name, &count);
	if (r < 0)
		return r;
	strings = calloc(1, sizeof(*strings) + (size_t)count * ETH_GSTRING_LEN);
	if (!strings)
		return -ENOMEM;
	strings->cmd = ETHTOOL_GSTRINGS;
	strings->string_set = ETH_SS_FEATURES;
	strings->len = count;
	r = call(fd, name, strings);
	if (r < 0)
		return r;
	*ret = (struct feature_table){ 0 };
	for (unsigned i = 0; i < count && i < FEATURE_MAX; i++)
		(void)feature_table_add(
			ret, i, (char *)strings->data + i * ETH_GSTRING_LEN, ETH_GSTRING_LEN);
	ret->count = count < FEATURE_MAX ? count : FEATURE_MAX;
	return 0;
}

static int read_features(struct ethtool_ioctl *io, const char *name, struct link_features *ret)
{
	union get_request request = {
		.head = { .cmd = ETHTOOL_GFEATURES, .size = WORDS_MAX },
	};
	int r = call(io->fd, name, &request);

	if (r < 0)
		return r;
	io->words = request.head.size < WORDS_MAX ? request.head.size : WORDS_MAX;
	*ret = (struct link_features){ 0 };
	for (unsigned i = 0; i < io->words && i < WORDS; i++) {
		const struct ethtool_get_features_block *b = &request.head.features[i];

		ret->hw |= (feature_set)b->available << (32 * i);
		ret->wanted |= (feature_set)b->requested << (32 * i);
		ret->active |= (feature_set)b->active << (32 * i);
		ret->nochange |= (feature_set)b->never_changed << (32 * i);
	}
	ret->hw &= ~ret->nochange;
	return 0;
}

static int features_get(struct ethtool *e, int ifindex, const char *name, struct link_features *ret)
{
	struct ethtool_ioctl *io = backend(e);
	int r = check_name(io->fd, ifindex, name);

	if (r >= 0)
		r = read_features(io, name, ret);
	if (r >= 0)
		r = check_name(io->fd, ifindex, name);
	return r < 0 ? r : 0;
}

/* A positive return value (ETHTOOL_F_*) means that some request had no effect; reading the features shows
 * which. */
static int write_features(struct ethtool_ioctl *io, const char *name, feature_set mask,
	feature_set value, struct ethtool_result *ret)
{
	union set_request request = {
		.head = { .cmd = ETHTOOL_SFEATURES, .size = io->words },
	};
	struct link_features after;
	int r;

	for (unsigned i = 0; i < io->words && i < WORDS; i++)
		request.head.features[i] = (struct ethtool_set_features_block){
			.valid = (__u32)(mask >> (32 * i)),
			.requested = (__u32)(value >> (32 * i)),
		};
	r = call(io->fd, name, &request);
	if (r <= 0)
		return r;
	r = read_features(io, name, &after);
	if (r >= 0)
		ret->missed = (after.active ^ value) & mask;
	return 0;
}

static int features_set(struct ethtool *e, int ifindex, const char *name, feature_set mask,
	feature_set value, struct ethtool_result *ret)
{
	struct ethtool_ioctl *io = backend(e);
	struct link_features before;
	int r;

	r = check_name(io->fd, ifindex, name);
	if (r >= 0 && io->words == 0)
		r = read_features(io, name, &before);
	if (r >= 0)
		r = write_features(io, name, mask, value, ret);
	if (r >= 0)
		r = check_name(io->fd, ifindex, name);
	ret->error = r < 0 ? r : 0;
	return 0;
}

/* An empty SET: ethtool_set_features() always updates the features, while netlink does so only if `wanted`
 * changes. */
int ethtool_ioctl_recompute(int fd, int ifindex, const char *name)
{
	struct ethtool_ioctl io = { .fd = fd };
	union set_request request = { .head = { .cmd = ETHTOOL_SFEATURES } };
	struct link_features now;
	int r = check_name(fd, ifindex, name);

	if (r >= 0)
		r = read_features(&io, name, &now);
	if (r < 0)
		return r;
	request.head.size = io.words;
	r = call(fd, name, &request);
	return r < 0 ? r : 0;
}

static int features_recompute(struct ethtool *e, int ifindex, const char *name)
{
	return ethtool_ioctl_recompute(backend(e)->fd, ifindex, name);
}

/* Uses the current name of the index, because a name from a message may belong to another device by now. */
int ethtool_ioctl_info(int fd, int ifindex, struct ethtool_info *ret)
{
	struct ethtool_drvinfo drvinfo;
	char name[IFNAMSIZ];
	int r, left = RENAMES_MAX;

	do {
		if (left-- == 0)
			return -EAGAIN;
		drvinfo = (struct ethtool_drvinfo){ .cmd = ETHTOOL_GDRVINFO };
		r = index_to_name(fd, ifindex, name);
		if (r < 0)
			return r;
		r = call(fd, name, &drvinfo);
	} while (check_name(fd, ifindex, name) == -ENODEV);
	if (r < 0)
		return r;
	util_copy_name(ret->driver, sizeof(ret->driver), drvinfo.driver, sizeof(drvinfo.driver));
	util_copy_name(ret->version, sizeof(ret->version), drvinfo.version, sizeof(drvinfo.version));
	util_copy_name(ret->firmware, sizeof(ret->firmware), drvinfo.fw_version, sizeof(drvinfo.fw_version));
	util_copy_name(ret->bus, sizeof(ret->bus), drvinfo.bus_info, sizeof(drvinfo.bus_info));
	return ret->driver[0] ? 0 : -EOPNOTSUPP;
}

static int info(struct ethtool *e, int ifindex, struct ethtool_info *ret)
{
	return ethtool_ioctl_info(backend(e)->fd, ifindex, ret);
}

static void close_backend(struct ethtool *e)
{
	close(backend(e)->fd);
	free(e);
}

static const struct ethtool_ops ops = {
	.name = "ioctl",
	.features_strings = features_strings,
	.features_get = features_get,
	.features_set = features_set,
	.features_recompute = features_recompute,
	.info = info,
	.close = close_backend,
};

int ethtool_ioctl_open(const struct netns_sockets *sockets, struct ethtool **ret)
{
	int fd = ethtool_ioctl_socket(sockets);
	struct ethtool_ioctl *io;

	if (fd < 0)
		return fd;
	io = calloc(1, sizeof(*io));
	if (!io) {
		close(fd);
		return -ENOMEM;
	}
	io->base.ops = &ops;
	io->fd = fd;
	*ret = &io->base;
	return 0;
}
