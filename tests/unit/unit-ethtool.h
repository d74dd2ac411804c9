/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A stand-in for ethtool behind struct ethtool_ops: it behaves like a small kernel, and fails on demand. */
#ifndef OFFLOADD_TESTS_UNIT_ETHTOOL_H
#define OFFLOADD_TESTS_UNIT_ETHTOOL_H

#include "kernel/observe.h"
#include "unit-model.h"

#define UNIT_DEVICES_MAX 8

struct unit_device {
	int ifindex;
	char name[LINK_NAME_LEN];
	struct link_features features;
	int set_error; /* SET is refused with this error */
	const char *set_text;
	feature_set deaf;    /* SET accepts these without effect */
	feature_set follows; /* active bits that follow those of the lower link */
	int lower;
	int get_error;	     /* GET fails with this error after the first SET */
	unsigned sets, gets, recomputes;
	/* called after each SET; may be NULL */
	void (*after_set)(struct unit_device *device);
};

struct unit_ethtool {
	struct ethtool base;
	struct unit_device devices[UNIT_DEVICES_MAX];
	size_t n_devices;
	int socket_error; /* every SET fails with this error */
};

static inline struct unit_device *unit_device_find(struct unit_ethtool *e, int ifindex, const char *name)
{
	for (size_t i = 0; i < e->n_devices; i++)
		if (e->devices[i].ifindex == ifindex && strcmp(e->devices[i].name, name) == 0)
			return &e->devices[i];
	return NULL;
}

static inline int unit_features_get(
	struct ethtool *base, int ifindex, const char *name, struct link_features *ret)
{
	struct unit_ethtool *e = (struct unit_ethtool *)base;
	struct unit_device *d = unit_device_find(e, ifindex, name);

	if (!d)
		return -ENODEV;
	d->gets++;
	if (d->get_error && d->sets)
		return d->get_error;
	*ret = d->features;
	return 0;
}

static inline void unit_cascade(struct unit_ethtool *e, const struct unit_device *lower)
{
	for (size_t i = 0; i < e->n_devices; i++) {
		struct unit_device *d = &e->devices[i];

		if (d->lower == lower->ifindex)
			d->features.active = (d->features.active & ~d->follows) |
				(d->features.wanted & lower->features.active & d->follows);
	}
}

static inline int unit_features_set(struct ethtool *base, int ifindex, const char *name,
	feature_set mask, feature_set value, struct ethtool_result *ret)
{
	struct unit_ethtool *e = (struct unit_ethtool *)base;
	struct unit_device *d = unit_device_find(e, ifindex, name);
	feature_set heard;

	*ret = (struct ethtool_result){ 0 };
	if (e->socket_error)
		return e->socket_error;
	if (!d) {
		ret->error = -ENODEV;
		return 0;
	}
	d->sets++;
	ret->error = d->set_error;
	if (d->set_text)
		snprintf(ret->text, sizeof(ret->text), "%s", d->set_text);
	if (d->set_error)
		return 0;
	heard = mask & ~d->deaf;
	d->features.wanted = (d->features.wanted & ~mask) | (value & mask);
	d->features.active = (d->features.active & ~heard) | (value & heard);
	unit_cascade(e, d);
	if (d->after_set)
		d->after_set(d);
	return 0;
}

static inline int unit_features_recompute(struct ethtool *base, int ifindex, const char *name)
{
	struct unit_device *d = unit_device_find((struct unit_ethtool *)base, ifindex, name);
	feature_set heard;

	if (!d)
		return -ENODEV;
	d->recomputes++;
	heard = d->features.hw & ~d->deaf;
	d->features.active = (d->features.active & ~heard) | (d->features.wanted & heard);
	return 0;
}

static const struct ethtool_ops unit_ethtool_ops = {
	.name = "scripted",
	.features_get = unit_features_get,
	.features_set = unit_features_set,
	.features_recompute = unit_features_recompute,
};

/* Adds a device for each link of the table, with its features. */
static inline void unit_ethtool_take(struct unit_ethtool *e, const struct link_table *links)
{
	e->base.ops = &unit_ethtool_ops;
	link_table_foreach(links, link) {
		struct unit_device *d = &e->devices[e->n_devices++];

		assert_in_range(e->n_devices, 1, UNIT_DEVICES_MAX);
		*d = (struct unit_device){ .ifindex = link->ifindex, .features = link->features };
		memcpy(d->name, link->name, sizeof(d->name));
	}
}

static inline struct unit_device *unit_device(struct unit_ethtool *e, const char *name)
{
	for (size_t i = 0; i < e->n_devices; i++)
		if (strcmp(e->devices[i].name, name) == 0)
			return &e->devices[i];
	fail_msg("no device %s", name);
	abort();
}

#endif
