/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the observe room sees, for tests to compare with ethtool and with itself:
 *   observe-dump [netlink|ioctl|blind]           JSON of every link, a line each: its attributes, and its features by name
 *   observe-dump [netlink|ioctl] set LINK[,LINK...] on|off FEATURE...     one SET each; what the kernel answered
 *   observe-dump [netlink|ioctl] watch RCVBUF    prints "ready", changes as they come, "mark C" for each character of input
 *                                                once everything that came before it was read; at the end counts and JSON
 *   observe-dump [netlink|ioctl] time N          N refreshes; the fastest, in microseconds
 * blind: by ioctl and without notifications of features, as on a kernel before 5.6. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernel/observe.h"
#include "basic/json.h"
#include "basic/util.h"

static void print_link(const struct observe *o, const struct link *link)
{
	_cleanup_json_writer_ struct json_writer w = { .form = JSON_COMPACT };
	char address[3 * LINK_ADDRESS_LEN];

	json_open_object(&w, NULL);
	json_add_int(&w, "ifindex", link->ifindex);
	json_add_text(&w, "name", link->name);
	json_add_text(&w, "kind", link->kind);
	json_add_text(&w, "slave_kind", link->slave_kind);
	json_add_text(&w, "driver", link->driver);
	json_add_text(&w, "address", link_format_address(link, address, sizeof(address)));
	json_add_int(&w, "vlan_id", link->vlan_id);
	json_add_int(&w, "lower", link->lower_ifindex);
	json_add_int(&w, "lower_netnsid", link->lower_netnsid);
	json_add_int(&w, "master", link->master_ifindex);
	json_add_bool(&w, "default_route", link->default_route);
	json_add_bool(&w, "has_features", link->has_features);
	json_add_bool(&w, "stale", link->features_stale);
	feature_add_names(&w, "hw", &o->features, link->features.hw);
	feature_add_names(&w, "wanted", &o->features, link->features.wanted);
	feature_add_names(&w, "active", &o->features, link->features.active);
	feature_add_names(&w, "nochange", &o->features, link->features.nochange);
	json_close_object(&w);
	fputs(w.text, stdout);
}

static int print_all(struct observe *o)
{
	_cleanup_free_ struct link **links = NULL;
	size_t n = 0;
	int r = link_table_sorted(&o->links, &links, &n);

	for (size_t i = 0; i < n; i++) {
		fputs(i == 0 ? "[" : ",\n", stdout);
		print_link(o, links[i]);
	}
	puts(n == 0 ? "[]" : "]");
	return r;
}

static int set_one(struct observe *o, const char *name, feature_set mask, bool on)
{
	struct link *link = link_table_find_name(&o->links, name);
	struct ethtool_result result;
	char missed[512], side[512];
	int r;

	if (!link)
		return -ENODEV;
	r = ethtool_features_set(
		o->ethtool, link->ifindex, link->name, mask, on ? mask : 0, &result);
	printf("error %d text \"%s\" missed %s side-effects %s\n", result.error, result.text,
		feature_format(&o->features, result.missed, missed, sizeof(missed)),
		feature_format(&o->features, result.side_effects, side, sizeof(side)));
	return r;
}

static int set(struct observe *o, char **argv)
{
	feature_set mask = 0, one;
	int r = 0;

	if (!argv[1])
		return -EINVAL;
	for (char **w = argv + 2; *w; w++) {
		if (feature_parse(&o->features, *w, &one) == FEATURE_WORD_UNKNOWN)
			return -EINVAL;
		mask |= one;
	}
	for (char *name = strtok(argv[0], ","); name && r >= 0; name = strtok(NULL, ","))
		r = set_one(o, name, mask, strcmp(argv[1], "on") == 0);
	return r;
}

static void print_change(int ifindex, struct link *link, void *userdata)
{
	struct observe *o = userdata;
	char active[2048];

	if (link && link->features_stale)
		(void)observe_features(o, link);
	if (link)
		printf("changed %d %s kind %s master %d active %s\n", ifindex, link->name, link->kind,
			link->master_ifindex,
			feature_format(&o->features, link->features.active, active, sizeof(active)));
	else
		printf("gone %d\n", ifindex);
}

static int watch(struct observe *o)
{
	struct pollfd fds[3] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = observe_link_fd(o), .events = POLLIN },
		{ .fd = o->has_monitor ? observe_feature_fd(o) : -1, .events = POLLIN },
	};
	char byte;
	int r = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	o->changed = print_change;
	o->userdata = o;
	puts("ready");
	for (bool end = false; !end && r >= 0;) {
		ssize_t n = 0;

		poll(fds, ARRAY_SIZE(fds), -1);
		if (fds[0].revents) {
			n = read(STDIN_FILENO, &byte, 1);
			end = n <= 0;
		}
		if (fds[0].revents || fds[1].revents)
			r = observe_read_links(o);
		if (r >= 0 && (fds[0].revents || fds[2].revents))
			r = observe_read_features(o);
		if (n > 0 && byte != '\n')
			printf("mark %c\n", byte);
	}
	printf("overruns %llu dumps %llu link-events %llu feature-events %llu\n",
		(unsigned long long)o->counts.overruns, (unsigned long long)o->counts.dumps,
		(unsigned long long)o->counts.link_events,
		(unsigned long long)o->counts.feature_events);
	return r < 0 ? r : print_all(o);
}

static int time_refresh(struct observe *o, unsigned n)
{
	uint64_t best = UINT64_MAX;

	for (unsigned i = 0; i < n; i++) {
		uint64_t start = util_now_usec(), took;
		int r = observe_refresh(o);

		took = util_now_usec() - start;
		if (r < 0)
			return r;
		if (took < best)
			best = took;
	}
	printf("links %zu refresh %llu us\n", link_table_count(&o->links), (unsigned long long)best);
	return 0;
}

static int run(struct observe *o, char **argv)
{
	if (!argv[0])
		return print_all(o);
	if (strcmp(argv[0], "set") == 0 && argv[1])
		return set(o, argv + 1);
	if (strcmp(argv[0], "watch") == 0)
		return watch(o);
	if (strcmp(argv[0], "time") == 0 && argv[1])
		return time_refresh(o, (unsigned)atoi(argv[1]));
	return -EINVAL;
}

int main(int argc, char **argv)
{
	struct observe_options options = { .backend = ETHTOOL_AUTO };
	_cleanup_(observe_close_pointer) struct observe *o = NULL;
	const char *what = "arguments";
	int r = 0;

	if (argc > 1 && strcmp(argv[1], "netlink") == 0)
		options.backend = ETHTOOL_NETLINK;
	if (argc > 1 && (strcmp(argv[1], "ioctl") == 0 || strcmp(argv[1], "blind") == 0))
		options.backend = ETHTOOL_IOCTL;
	if (argc > 2 && strcmp(argv[2], "watch") == 0) {
		options.monitor = true;
		options.rcvbuf_bytes = argc > 3 ? (size_t)atol(argv[3]) : 0;
	}
	r = observe_open(&options, &o, &what);
	if (r >= 0) {
		o->want_routes = !(argc > 2 && strcmp(argv[2], "time") == 0);
		r = observe_refresh(o);
	}
	if (r >= 0)
		r = run(o, argv + (argc > 1 ? 2 : 1));
	if (r < 0) {
		fprintf(stderr, "observe-dump: %s: %s\n", what ? what : "failed", strerror(-r));
		return 1;
	}
	return 0;
}
