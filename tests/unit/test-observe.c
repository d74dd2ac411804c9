/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the picture makes of notifications, with a scripted ethtool: the order of things that no kernel gives on demand. */
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel/hardware.h"
#include "kernel/observe.h"
#include "unit.h"

struct notification {
	int ifindex;
	feature_set active;
};

static struct fake {
	struct ethtool base;
	struct notification queue[4200];
	unsigned n_queue;
	feature_set truth; /* active features of every link, as a read would tell */
	int get_error;
	unsigned gets, dumps;
} fake;

static struct observe *picture;
static unsigned changes;

static struct link_features features(feature_set active)
{
	return (struct link_features){ .hw = 0xff, .wanted = 0xff, .active = active };
}

static int fake_get(
	struct ethtool *e, int ifindex, const char *name, struct link_features *ret)
{
	(void)e, (void)ifindex, (void)name;
	fake.gets++;
	if (fake.get_error)
		return fake.get_error;
	*ret = features(fake.truth);
	return 0;
}

static int fake_dump(struct ethtool *e, ethtool_features_fn fn, void *userdata)
{
	struct link_features f = features(fake.truth);

	(void)e;
	fake.dumps++;
	link_table_foreach(&picture->links, link)
		fn(link->ifindex, &f, 0, userdata);
	return 0;
}

static int fake_monitor_read(struct ethtool *e, ethtool_features_fn fn, void *userdata)
{
	unsigned n = fake.n_queue;

	(void)e;
	for (unsigned i = 0; i < n; i++) {
		struct link_features f = features(fake.queue[i].active);

		fn(fake.queue[i].ifindex, &f, 0, userdata);
	}
	fake.n_queue = 0;
	return (int)n;
}

static const struct ethtool_ops fake_ops = {
	.name = "fake",
	.features_get = fake_get,
	.features_dump = fake_dump,
	.monitor_read = fake_monitor_read,
};

static void notify(int ifindex, feature_set active)
{
	assert_true(fake.n_queue < sizeof(fake.queue) / sizeof(fake.queue[0]));
	fake.queue[fake.n_queue++] = (struct notification){ ifindex, active };
}

static void count_change(int ifindex, struct link *link, void *userdata)
{
	(void)ifindex, (void)link, (void)userdata;
	changes++;
}

static struct link *add(int ifindex, int lower, int master, feature_set active)
{
	struct link link = { .ifindex = ifindex, .lower_ifindex = lower, .lower_netnsid = -1,
		.master_ifindex = master, .has_features = true, .features = features(active) }, *ret;

	snprintf(link.name, sizeof(link.name), "l%d", ifindex);
	snprintf(link.kind, sizeof(link.kind), "%s", lower ? "vlan" : "dummy");
	assert_int_equal(link_table_update(&picture->links, &link, &ret), 1);
	return ret;
}

static void pci_ids(void **state)
{
	static const struct {
		const char *uevent, *ids;
	} cases[] = {
		{ "DRIVER=e1000e\nPCI_CLASS=20000\nPCI_ID=8086:10D3\nPCI_SUBSYS_ID=8086:A01F\nPCI_SLOT_NAME=0000:02:00.0\n",
			"8086:10d3:8086:a01f" },
		{ "PCI_ID=15AD:07B0\nPCI_SUBSYS_ID=15AD:07B0", "15ad:07b0:15ad:07b0" },
		{ "PCI_SUBSYS_ID=8086:A01F\n", "" },
		{ "PCI_ID=8086\nPCI_SUBSYS_ID=8086:A01F\n", "" },
		{ "", "" },
	};
	char ids[LINK_DEVICE_LEN];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(hardware_parse_pci(cases[i].uevent, ids), *cases[i].ids != '\0');
		assert_string_equal(ids, cases[i].ids);
	}
}

static int setup(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	fake.base.ops = &fake_ops;
	changes = 0;
	picture = calloc(1, sizeof(*picture));
	picture->ethtool = &fake.base;
	picture->has_monitor = true;
	picture->changed = count_change;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	link_table_clear(&picture->links);
	free(picture);
	return 0;
}

static void the_echo_of_our_own_write_is_silent(void **state)
{
	(void)state;
	add(1, 0, 0, 3);
	notify(1, 3);
	assert_int_equal(observe_read_features(picture), 0);
	assert_int_equal(fake.gets, 0);
	assert_int_equal(changes, 0);
	assert_int_equal(picture->counts.feature_events, 1);
}

static void many_notifications_of_a_link_are_one_read(void **state)
{
	struct link *link;

	(void)state;
	link = add(1, 0, 0, 3);
	fake.truth = 7;
	for (unsigned i = 0; i < 100; i++)
		notify(1, i % 2 ? 7 : 1);
	assert_int_equal(observe_read_features(picture), 1);
	assert_int_equal(fake.gets, 1);
	assert_int_equal(changes, 1);
	assert_true(link->features.active == 7);
	assert_false(link->features_stale);
}

/* Written and read back while notifications of the states in between still wait. */
static void old_news_never_replace_newer_truth(void **state)
{
	struct link *link;

	(void)state;
	link = add(1, 0, 0, 7);
	fake.truth = 7;
	notify(1, 1);
	notify(1, 3);
	assert_int_equal(observe_read_features(picture), 0);
	assert_true(link->features.active == 7);
	assert_int_equal(changes, 0);
}

static void what_stands_on_it_is_read_too(void **state)
{
	struct link *upper, *master, *other;

	(void)state;
	add(1, 0, 3, 7);
	upper = add(2, 1, 0, 7);
	master = add(3, 0, 0, 7);
	other = add(4, 0, 0, 7);
	fake.truth = 1;
	notify(1, 1);
	assert_int_equal(observe_read_features(picture), 1);
	assert_int_equal(fake.gets, 3);
	assert_int_equal(changes, 3);
	assert_true(upper->features.active == 1 && master->features.active == 1);
	assert_true(other->features.active == 7);
}

static void news_of_many_links_are_one_dump(void **state)
{
	(void)state;
	add(1, 0, 0, 7);
	for (int i = 2; i < 4000; i++)
		add(i, 1, 0, 7);
	fake.truth = 1;
	for (int i = 1; i < 4000; i++)
		notify(i, 1);
	assert_int_equal(observe_read_features(picture), 1);
	assert_int_equal(fake.dumps, 1);
	assert_int_equal(fake.gets, 0);
	assert_int_equal(changes, 3999);
}

/* The link event that makes it stale has announced it; its reader is to come. */
static void a_stale_link_waits_for_its_reader(void **state)
{
	struct link *link;

	(void)state;
	link = add(1, 0, 0, 7);
	link->features_stale = true;
	notify(1, 1);
	notify(99, 1); /* a link whose RTM_NEWLINK is still in the other socket */
	assert_int_equal(observe_read_features(picture), 0);
	assert_int_equal(fake.gets, 0);
	assert_true(link->features_stale);
	fake.truth = 1;
	assert_int_equal(observe_features(picture, link), 0);
	assert_false(link->features_stale);
	assert_int_equal(changes, 0); /* who reads by himself is not told */
}

static void links_that_cannot_be_read(void **state)
{
	struct link *link;

	(void)state;
	link = add(1, 0, 0, 7);
	link->features_stale = true;
	fake.get_error = -ENODEV; /* renamed or gone: the event that tells is on its way */
	assert_int_equal(observe_features(picture, link), -ENODEV);
	assert_true(link->features_stale && link->has_features);
	fake.get_error = -EOPNOTSUPP;
	assert_int_equal(observe_features(picture, link), -EOPNOTSUPP);
	assert_false(link->features_stale || link->has_features);
	assert_int_equal(link->features_error, -EOPNOTSUPP);
	fake.get_error = 0;
	assert_int_equal(observe_features(picture, link), 0);
	assert_true(link->has_features && link->features_error == 0);
}

/* Why LRO went off is in a message on the other socket, which is read before anybody acts on the notification. In a network namespace
 * of its own, because a real message is needed; the last test, as the process stays there. */
static void why_lro_went_off_is_read_with_it(void **state)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;

	(void)state;
	if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return; /* not allowed here */
	add(7, 0, 0, 3);
	assert_int_equal(rtnl_open(true, 0, &picture->rtnl), 0);
	picture->want_forwarding = true;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_return_code(ioctl(fd, SIOCSIFFLAGS, &lo), errno);
	close(fd);
	fake.truth = 1;
	notify(7, 1);
	assert_true(observe_read_features(picture) > 0);
	assert_non_null(link_table_find(&picture->links, 1));
	rtnl_close(picture->rtnl);
}

static void the_host_has_words(void **state)
{
	struct rule_host host;

	(void)state;
	rule_host_read(&host);
	assert_true(host.kernel_release[0] && host.host_name[0] && host.virtualization[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_echo_of_our_own_write_is_silent, setup, teardown),
		cmocka_unit_test_setup_teardown(many_notifications_of_a_link_are_one_read, setup, teardown),
		cmocka_unit_test_setup_teardown(old_news_never_replace_newer_truth, setup, teardown),
		cmocka_unit_test_setup_teardown(what_stands_on_it_is_read_too, setup, teardown),
		cmocka_unit_test_setup_teardown(news_of_many_links_are_one_dump, setup, teardown),
		cmocka_unit_test_setup_teardown(a_stale_link_waits_for_its_reader, setup, teardown),
		cmocka_unit_test_setup_teardown(links_that_cannot_be_read, setup, teardown),
		cmocka_unit_test(pci_ids),
		cmocka_unit_test(the_host_has_words),
		cmocka_unit_test_setup_teardown(why_lro_went_off_is_read_with_it, setup, teardown),
	};

	return cmocka_run_group_tests_name("observe", tests, NULL, NULL);
}
