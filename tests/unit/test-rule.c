/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "rules/rule_file.h"
#include "rules/version.h"
#include "basic/util.h"

static struct feature_table features;
static const struct rule_host host = {
	.kernel_release = "6.1.0-18-amd64",
	.host_name = "Web-7",
	.virtualization = "kvm",
};

static bool with_masters; /* add a netvsc, a net_failover, and a port of Open vSwitch */

static struct link_hardware *new_hardware(const char *path, const char *device, const char *version, const char *firmware)
{
	struct link_hardware *h = calloc(1, sizeof(*h));

	assert_non_null(h);
	strcpy(h->path, path);
	strcpy(h->device, device);
	strcpy(h->driver_version, version);
	strcpy(h->firmware, firmware);
	return h;
}

/* eth2 and eth3 under bond0, vlan10 on it; eth4 and tap0 under br0; lo; a veth whose peer is not
 * here. */
static void make_links(struct link_table *t)
{
	static const struct link links[] = {
		{.ifindex = 1, .name = "lo", .kind = "loopback", .driver = ""},
		{.ifindex = 2,
			.name = "eth2",
			.kind = "physical",
			.slave_kind = "bond",
			.driver = "e1000e",
			.address = {0x52, 0x54, 0, 0xaa, 0xbb, 2},
			.address_len = 6,
			.master_ifindex = 5},
		{.ifindex = 3,
			.name = "eth3",
			.kind = "physical",
			.slave_kind = "bond",
			.driver = "r8169",
			.master_ifindex = 5},
		{.ifindex = 4,
			.name = "eth4",
			.kind = "physical",
			.slave_kind = "bridge",
			.driver = "virtio_net",
			.default_route = true,
			.master_ifindex = 7},
		{.ifindex = 5, .name = "bond0", .kind = "bond", .driver = "bonding"},
		{.ifindex = 6,
			.name = "vlan10",
			.kind = "vlan",
			.driver = "802.1Q VLAN Support",
			.lower_ifindex = 5},
		{.ifindex = 7, .name = "br0", .kind = "bridge", .driver = "bridge"},
		{.ifindex = 8, .name = "veth0", .kind = "veth", .lower_ifindex = 2},
		{.ifindex = 9,
			.name = "port",
			.kind = "veth",
			.slave_kind = "bond",
			.master_ifindex = 99},
	};

	static const struct link masters[] = {
		{.ifindex = 10, .name = "netvsc", .kind = "physical", .driver = "hv_netvsc"},
		{.ifindex = 11, .name = "vf1", .kind = "physical", .driver = "mlx5_core", .master_ifindex = 10},
		{.ifindex = 12, .name = "failover", .kind = "other", .driver = "net_failover"},
		{.ifindex = 13, .name = "standby", .kind = "physical", .driver = "virtio_net", .master_ifindex = 12},
		{.ifindex = 14, .name = "vf2", .kind = "physical", .driver = "iavf", .master_ifindex = 12},
		{.ifindex = 15, .name = "ovsport", .kind = "veth", .driver = "veth", .slave_kind = "openvswitch", .master_ifindex = 99},
	};

	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		assert_int_equal(link_table_update(t, &links[i], NULL), 1);
	for (size_t i = 0; with_masters && i < ARRAY_SIZE(masters); i++)
		assert_int_equal(link_table_update(t, &masters[i], NULL), 1);
	link_table_find(t, 2)->hardware = new_hardware("pci-0000:02:00.0", "8086:10d3:17aa:21ce", "3.2.6-k", "0.13-4");
	link_table_find(t, 3)->hardware = new_hardware("pci-0000:03:00.0", "10ec:8168:1043:8505", "6.1.0-18-amd64",
		"rtl8168g-2_0.0.1 02/06/13");
	link_table_stack(t);
}

static void load(struct rule_set *set, const char *path, const char *text)
{
	int r = rule_set_load_text(set, path, text, strlen(text), &features);

	for (size_t i = 0; i < set->n_errors; i++)
		print_message("%s:%u: %s\n", set->errors[i].path, set->errors[i].line,
			set->errors[i].message);
	assert_int_equal(r, 0);
}

/* Which links a [Match] takes, "eth2 eth3". */
static const char *who_matches(const char *match, const struct rule_host *h)
{
	static char names[256];
	struct link_table t = { 0 };
	struct rule_set set = { 0 };
	struct link **links;
	char text[512];
	size_t n;

	make_links(&t);
	snprintf(text, sizeof(text), "[Match]\n%s\n[Features]\nsg=on\n", match);
	load(&set, "m.rule", text);
	names[0] = '\0';
	assert_int_equal(link_table_sorted(&t, &links, &n), 0);
	for (int ifindex = 1; ifindex < 16; ifindex++) {
		const struct link *link = link_table_find(&t, ifindex);

		if (link && rule_matches(&set.rules[0], &t, link, h))
			util_append(names, sizeof(names), "%s%s", names[0] ? " " : "", link->name);
	}
	free(links);
	rule_set_clear(&set);
	link_table_clear(&t);
	return names;
}

static void links_are_matched_by_what_they_are(void **state)
{
	(void)state;
	assert_string_equal(who_matches("Kind=vlan", &host), "vlan10");
	assert_string_equal(who_matches("Kind=physical", &host), "eth2 eth3 eth4");
	assert_string_equal(who_matches("Kind=b*", &host), "bond0 br0");
	assert_string_equal(who_matches("Kind=!*", &host), "");
	assert_string_equal(who_matches("Name=eth* !eth3", &host), "eth2 eth4");
	assert_string_equal(who_matches("Name=!eth* !v* !lo", &host), "bond0 br0 port");
	assert_string_equal(who_matches("Name=eth[!23]", &host), "eth4");
	assert_string_equal(
		who_matches("Name=*", &host), "lo eth2 eth3 eth4 bond0 vlan10 br0 veth0 port");
	assert_string_equal(who_matches("Name=ETH2", &host), "");
	assert_string_equal(who_matches("Driver=e1000e virtio_net", &host), "eth2 eth4");
	assert_string_equal(who_matches("Kind=physical\nDriver=!r8169", &host), "eth2 eth4");
	assert_string_equal(who_matches("MACAddress=52:54:00:AA:bb:02", &host), "eth2");
	assert_string_equal(who_matches("MACAddress=52:54:*", &host), "eth2");
	assert_string_equal(
		who_matches("MACAddress=!00:*", &host), "eth2"); /* the others have none */
}

static void links_are_matched_by_their_hardware(void **state)
{
	(void)state;
	assert_string_equal(who_matches("Path=pci-0000:02:*", &host), "eth2");
	assert_string_equal(who_matches("Path=!pci-0000:02:*", &host), "eth3");
	assert_string_equal(who_matches("Device=8086:10d3", &host), "eth2");
	assert_string_equal(who_matches("Device=8086:10D3:17AA:*", &host), "eth2");
	assert_string_equal(who_matches("Device=8086:10d3:1043:*", &host), "");
	assert_string_equal(who_matches("Device=8086:* 10ec:8168", &host), "eth2 eth3");
	assert_string_equal(who_matches("Device=!8086:*", &host), "eth3");
	assert_string_equal(who_matches("Firmware=0.13-4", &host), "eth2");
	assert_string_equal(who_matches("Firmware=rtl8168g*", &host), "eth3");
	assert_string_equal(who_matches("Firmware=rtl8168g-2_0.0.1?02/06/13", &host), "eth3");
	assert_string_equal(who_matches("Firmware=<0.14", &host), "eth2");
	assert_string_equal(who_matches("Firmware=!rtl*", &host), "eth2");
	assert_string_equal(who_matches("DriverVersion=>=3.2 <4", &host), "eth2");
	assert_string_equal(who_matches("Device=8086:10d3\nFirmware=>1", &host), "");
}

static void ports_are_matched_by_their_master(void **state)
{
	(void)state;
	with_masters = true;
	assert_string_equal(who_matches("MasterDriver=hv_netvsc", &host), "vf1");
	assert_string_equal(who_matches("MasterDriver=net_failover", &host), "standby vf2");
	assert_string_equal(who_matches("MasterDriver=bond*", &host), "eth2 eth3 port");
	assert_string_equal(who_matches("Role=failover-vf", &host), "vf1 vf2");
	assert_string_equal(who_matches("Role=ovs-port", &host), "ovsport");
	assert_string_equal(who_matches("Role=ovs-port bridge-port", &host), "eth4 ovsport");
	with_masters = false;
}

/* Any of its names; and none while udev may still change it, whatever the list says. */
static void names_are_matched_when_they_are_final(void **state)
{
	struct link link = { .ifindex = 1, .name = "eth0", .kind = "physical", .alt_names = (char[]){ "enp1s0\0uplink\0" } };
	static const struct {
		const char *match;
		bool final, pending;
	} cases[] = {
		{ "Name=eth0", true, false }, { "Name=enp*", true, false }, { "Name=up*", true, false }, { "Name=up", false, false },
		{ "Name=!uplink", false, false }, { "Name=!eth1", true, false }, { "Name=eth0 !enp1s0", false, false },
		{ "Name=*", true, true }, { "Kind=physical", true, true }, { "Kind=physical\nName=eth0", true, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct link_table t = { 0 };
		struct rule_set set = { 0 };
		char text[128];

		snprintf(text, sizeof(text), "[Match]\n%s\n[Features]\nsg=on\n", cases[i].match);
		load(&set, "m.rule", text);
		assert_int_equal(link_table_update(&t, &link, NULL), 1);
		assert_int_equal(link_table_update(&t, &link, NULL), 0);
		assert_ptr_equal(link_table_find_name(&t, "uplink"), link_table_find(&t, 1));
		assert_int_equal(rule_matches(&set.rules[0], &t, link_table_find(&t, 1), &host), cases[i].final);
		link_table_find(&t, 1)->naming = LINK_NAME_PENDING;
		assert_int_equal(rule_matches(&set.rules[0], &t, link_table_find(&t, 1), &host), cases[i].pending);
		assert_int_equal(rule_set_needs_names(&set), strstr(cases[i].match, "Name=") && !strstr(cases[i].match, "=*"));
		rule_set_clear(&set);
		link_table_clear(&t);
	}
}

static void links_are_matched_by_their_neighbours(void **state)
{
	(void)state;
	assert_string_equal(who_matches("LowerKind=bond", &host), "vlan10");
	assert_string_equal(who_matches("LowerDriver=bond*", &host), "vlan10");
	assert_string_equal(
		who_matches("LowerKind=!vlan", &host), "vlan10"); /* nobody else has a lower */
	assert_string_equal(who_matches("MasterKind=bond", &host), "eth2 eth3 port");
	assert_string_equal(who_matches("MasterKind=!bond", &host), "eth4");
	assert_string_equal(who_matches("Role=bond-port", &host), "eth2 eth3 port");
	assert_string_equal(who_matches("Role=bridge-port", &host), "eth4");
	assert_string_equal(who_matches("Role=default-route", &host), "eth4");
	assert_string_equal(who_matches("Role=vlan-lower", &host), "bond0");
	assert_string_equal(
		who_matches("Role=vlan-lower bond-port", &host), "eth2 eth3 bond0 port");
	assert_string_equal(who_matches("Role=bond-port\nDriver=!r8169", &host), "eth2");
}

static void hosts_are_matched(void **state)
{
	struct rule_host other = host;

	(void)state;
	assert_string_equal(who_matches("Kind=bond\nHost=web-*", &host), "bond0");
	assert_string_equal(who_matches("Kind=bond\nHost=!web-7", &host), "");
	assert_string_equal(who_matches("Kind=bond\nKernelVersion=>=5.10 <7", &host), "bond0");
	assert_string_equal(who_matches("Kind=bond\nKernelVersion=<6", &host), "");
	assert_string_equal(who_matches("Kind=bond\nVirtualization=vm", &host), "bond0");
	assert_string_equal(who_matches("Kind=bond\nVirtualization=yes !qemu", &host), "bond0");
	assert_string_equal(who_matches("Kind=bond\nVirtualization=!kvm", &host), "");
	assert_string_equal(who_matches("Kind=bond\nVirtualization=container", &host), "");
	assert_string_equal(who_matches("Kind=bond\nVirtualization=no", &host), "");
	strcpy(other.virtualization, "none");
	assert_string_equal(who_matches("Kind=bond\nVirtualization=no", &other), "bond0");
	assert_string_equal(who_matches("Kind=bond\nVirtualization=!vm", &other), "bond0");
	strcpy(other.virtualization, "docker");
	assert_string_equal(who_matches("Kind=bond\nVirtualization=container", &other), "bond0");
	strcpy(other.virtualization, "incus");
	assert_string_equal(
		who_matches("Kind=bond\nVirtualization=container !docker", &other), "bond0");
	assert_string_equal(who_matches("Kind=bond\nVirtualization=vm", &other), "");
	other.virtualization[0] = '\0'; /* nobody knows: neither yes nor no */
	assert_string_equal(who_matches("Kind=bond\nVirtualization=no", &other), "");
	assert_string_equal(who_matches("Kind=bond\nVirtualization=!kvm", &other), "");
}

static const struct rule_netns web = {
	.name = "", .container = "web1", .container_id = "4f0d12c0", .unit = "docker-4f0d12c0.scope", .image = "docker.io/library/nginx:1.25" };
static const struct rule_netns blue = { .name = "blue", .container = "", .container_id = "", .unit = "", .image = "" };
static const struct rule_netns bare = { .name = "", .container = "", .container_id = "", .unit = "", .image = "" };

static void namespaces_are_matched(void **state)
{
	static const struct {
		const char *match;
		bool own, web, blue, bare;
	} cases[] = {
		{ "", true, false, false, false },
		{ "Namespace=host", true, false, false, false },
		{ "Namespace=any", true, true, true, true },
		{ "Namespace=any !host", false, true, true, true },
		{ "Namespace=*", false, false, true, false },
		{ "Namespace=bl*", false, false, true, false },
		{ "Namespace=host bl*", true, false, true, false },
		{ "Namespace=!bl*", false, false, false, false },
		{ "Namespace=!green", false, false, true, false },
		{ "Namespace=any !bl*", true, true, false, true },
		{ "Namespace=hos?", false, false, false, false },
		{ "Container=web*", false, true, false, false },
		{ "Container=4f0d12c0", false, true, false, false },
		{ "Container=!db*", false, true, false, false },
		{ "Container=* !4f0d*", false, false, false, false },
		{ "Container=*", false, true, false, false },
		{ "Unit=docker-*.scope", false, true, false, false },
		{ "Unit=!web.service", false, true, false, false },
		{ "Image=*/nginx:*", false, true, false, false },
		{ "Image=*/nginx:1.24", false, false, false, false },
		{ "Namespace=any\nContainer=web*", false, true, false, false },
		{ "Namespace=host\nContainer=web*", false, false, false, false },
		{ "Container=web*\nImage=*redis*", false, false, false, false },
	};
	struct rule_host at = host;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct rule_netns *all[] = { NULL, &web, &blue, &bare };
		const bool expected[] = { cases[i].own, cases[i].web, cases[i].blue, cases[i].bare };
		char match[128];

		snprintf(match, sizeof(match), "Kind=bond\n%s", cases[i].match);
		for (size_t j = 0; j < ARRAY_SIZE(all); j++) {
			at.netns = all[j];
			if ((who_matches(match, &at)[0] != '\0') != expected[j])
				fail_msg("%s in %zu", cases[i].match, j);
		}
	}
}

/* What keeps a rule out of a namespace comes before what keeps it from the links there. */
static void missing_keys_of_namespaces(void **state)
{
	static const struct {
		const char *match;
		const struct rule_netns *at;
		unsigned missing;
		bool needs;
	} cases[] = {
		{ "Kind=bond", &web, RULE_KEY(RULE_NAMESPACE), false },
		{ "Kind=vxlan", NULL, RULE_KEY(RULE_KIND), false },
		{ "Kind=vxlan\nContainer=web*", &web, RULE_KEY(RULE_KIND), true },
		{ "Kind=vxlan\nContainer=web*", NULL, RULE_KEY(RULE_CONTAINER), true },
		{ "Kind=bond\nContainer=db*\nImage=*redis*", &web, RULE_KEY(RULE_CONTAINER) | RULE_KEY(RULE_IMAGE), true },
		{ "Kind=bond\nNamespace=host", &blue, RULE_KEY(RULE_NAMESPACE), true },
		{ "Kind=bond\nNamespace=any", &bare, 0, true },
	};
	struct rule_host at = host;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct link_table t = { 0 };
		struct rule_set set = { 0 };
		char text[512];

		make_links(&t);
		snprintf(text, sizeof(text), "[Match]\n%s\n[Features]\nsg=on\n", cases[i].match);
		load(&set, "m.rule", text);
		at.netns = cases[i].at;
		if (rule_find_missing(&set.rules[0], &t, &at) != cases[i].missing)
			fail_msg("%zu: %x", i, rule_find_missing(&set.rules[0], &t, &at));
		assert_int_equal(rule_is_for_host(&set.rules[0], &at), !(cases[i].missing & RULE_NETNS_KEYS));
		assert_int_equal(rule_set_needs_namespaces(&set), cases[i].needs);
		rule_set_clear(&set);
		link_table_clear(&t);
	}
}

static void glob_lists(void **state)
{
	(void)state;
	assert_true(rule_glob_list(NULL, "x"));
	assert_true(rule_glob_list("a b*  c", "bcd"));
	assert_false(rule_glob_list("a b* !bc?", "bcd"));
	assert_false(rule_glob_list("!bc? a b*", "bcd"));
	assert_true(rule_glob_list("!a", "b"));
	assert_false(rule_glob_list("a", "ab"));
	assert_true(rule_glob_list("\ta\t", "a"));
}

static void kernel_versions(void **state)
{
	static const struct {
		const char *conditions, *release;
		int expected;
	} cases[] = {
		{">=5.10 <7", "5.10.0-32-amd64", 1},
		{">=5.10 <7", "5.9.16", 0},
		{">=5.10 <7", "7.0.1", 0},
		{">=5.10 <7", "6.18.5+", 1},
		{"<7", "7.0-rc1", 0},
		{"=6.1", "6.1.140", 1},
		{"6.1", "6.1.140", 1},
		{"6.1", "6.12.0", 0},
		{"!=6.1", "6.1.2", 0},
		{"<=6.1", "6.1.140", 1},
		{">6.1", "6.1.140", 0},
		{">6.1.139", "6.1.140", 1},
		{"=6.1.0", "6.1", 1},
		{">6.9", "6.10", 1},
		{"==6.1 !=6.1.5", "6.1.5", 0},
		{">=1", "garbage", 0},
		{"", "6.1", 1},
		{">=", "6.1", -EINVAL},
		{">=x", "6.1", -EINVAL},
		{"6.1.*", "6.1", -EINVAL},
		{"6.", "6.1", -EINVAL},
		{"=>6", "6.1", -EINVAL},
		{">=99999999999999999999999", "6.1", 0},
		{"<1.2.3.4.5.6.7.8", "6.1", 0},
		{"<1.2.3.4.5.6.7.8.9", "6.1", -EINVAL},
		{">5 nonsense", "4", -EINVAL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (rule_kernel_matches(cases[i].conditions, cases[i].release) != cases[i].expected)
			fail_msg("\"%s\" on %s is not %d", cases[i].conditions, cases[i].release,
				cases[i].expected);
}

static void expect(const struct declaration *declarations, const char *feature,
	enum rule_value value, const char *file)
{
	const struct declaration *d = &declarations[feature_bit(&features, feature)];

	assert_string_equal(rule_value_name(d->value), rule_value_name(value));
	if (file)
		assert_string_equal(d->rule->file, file);
	else
		assert_null(d->rule);
}

/* Ascending, as rpm and dpkg have them; those of one line are equal as far as the second is written. */
static void kernel_releases(void **state)
{
	static const char *const ascending[][8] = {
		{ "4.18.0-80.el8.x86_64", "4.18.0-147.8.1.el8_1.x86_64", "4.18.0-193.el8.x86_64", "4.18.0-193.6.3.el8_2.x86_64",
			"4.18.0-553.el8_10.x86_64", "5.14.0-70.13.1.el9_0.x86_64", "5.14.0-427.el9.x86_64" },
		{ "3.10.0-327.el7.x86_64", "3.10.0-1062.el7.x86_64", "3.10.0-1160.119.1.el7.x86_64", "4.18.0-80.el8.x86_64" },
		{ "4.19.0-5-amd64", "4.19.0-18-amd64", "5.10.0-0.deb10.16-amd64", "5.10.0-9-amd64", "5.10.0-32-amd64", "6.1.0-0.deb11.17-amd64",
			"6.1.0-18-amd64", "6.12.48+deb13-amd64" },
		{ "6.12~rc4-amd64", "6.12-amd64", "6.12.6-amd64", "6.12.43+deb13-amd64", "6.16.12+deb14-amd64" },
		{ "4.15.0-20-generic", "4.15.0-213-generic", "5.15.0-25-generic", "5.15.0-101-generic", "6.8.0-31-generic" },
		{ "5.14.21-150400.22-default", "5.14.21-150500.55.39-default", "6.4.0-150600.21-default" },
		{ "6.1.79-99.167.amzn2023.x86_64", "6.1.79-99.167.2.amzn2023.x86_64", "6.8.5-301.fc40.x86_64", "6.8.12-4-pve" },
	};
	static const struct {
		const char *list, *release;
		bool expected;
	} cases[] = {
		{ "<4.18.0-193", "4.18.0-187.el8.x86_64", true }, { "<4.18.0-193", "4.18.0-193.el8.x86_64", false },
		{ ">=4.18.0-193", "4.18.0-193.el8.x86_64", true }, { "=4.18.0-193", "4.18.0-193.6.3.el8_2.x86_64", true },
		{ ">4.18.0-193", "4.18.0-193.6.3.el8_2.x86_64", false }, { "<4.18.0-193", "4.18.0-80.el8.x86_64", true },
		{ ">4.18.0-193.6", "4.18.0-193.14.2.el8_2.x86_64", true }, { "<4.18-193", "4.18.0-80.el8", true },
		{ "<4.18-193", "4.18.1-1", false }, { "<6.12", "6.12~rc4-amd64", true }, { "<6.12", "6.12.0", false },
		{ "*.el8*", "4.18.0-193.el8.x86_64", true }, { "*.el8*", "5.14.0-70.el9", false }, { "!*.el7.*", "5.14.0-70.el9", true },
		{ "!*.el7.*", "3.10.0-1062.el7.x86_64", false }, { ">=4.18 *-generic", "5.15.0-25-generic", true },
		{ ">=4.18 *-generic", "5.15.0-25-lowlatency", false }, { ">=4.18 *-generic *-lowlatency", "5.15.0-25-lowlatency", true },
		{ ">=4.18.0-80 <4.18.0-193", "4.18.0-147.8.1.el8_1.x86_64", true }, { "!=4.18.0-193", "4.18.0-193.el8", false },
		{ "6.1.0-18-amd64", "6.1.0-18-amd64", true }, { "6.1.0-18", "6.1.0-18-amd64", false }, { "*", "", false },
		{ NULL, "", true }, { ">=6.01", "6.1.0", true }, { "<99999999999999999999", "6.1", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ascending); i++)
		for (size_t j = 0; j < ARRAY_SIZE(ascending[i]) && ascending[i][j]; j++)
			for (size_t k = 0; k < ARRAY_SIZE(ascending[i]) && ascending[i][k]; k++)
				if (COMPARE(version_compare(ascending[i][j], ascending[i][k]), 0) != COMPARE(j, k))
					fail_msg("%s and %s", ascending[i][j], ascending[i][k]);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (version_list_matches(cases[i].list, cases[i].release) != cases[i].expected)
			fail_msg("\"%s\" on %s", cases[i].list, cases[i].release);
}

/* What keeps a rule from matching anything here. */
static void missing_keys(void **state)
{
	static const struct {
		const char *match;
		unsigned missing;
	} cases[] = {
		{ "Kind=bond", 0 }, { "Kind=vxlan", RULE_KEY(RULE_KIND) },
		{ "Kind=physical\nDriver=e1000", RULE_KEY(RULE_DRIVER) },
		{ "Kind=bond\nDriver=e1000e", RULE_KEY(RULE_KIND) | RULE_KEY(RULE_DRIVER) },
		{ "Device=8086:1533\nRole=bond-port", RULE_KEY(RULE_DEVICE) },
		{ "Name=eth*\nHost=db*", RULE_KEY(RULE_HOST) },
		{ "Kind=bond\nKernelRelease=*.el8.*", RULE_KEY(RULE_KERNEL_RELEASE) },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct link_table t = { 0 };
		struct rule_set set = { 0 };
		char text[512];

		make_links(&t);
		snprintf(text, sizeof(text), "[Match]\n%s\n[Features]\nsg=on\n", cases[i].match);
		load(&set, "m.rule", text);
		if (rule_find_missing(&set.rules[0], &t, &host) != cases[i].missing)
			fail_msg("%s: %x", cases[i].match, rule_find_missing(&set.rules[0], &t, &host));
		rule_set_clear(&set);
		link_table_clear(&t);
	}
}

static void the_last_rule_wins_feature_by_feature(void **state)
{
	struct declaration d[FEATURE_MAX], foreign[2];
	struct link_table t = { 0 };
	struct rule_set set = { 0 };
	const struct link *vlan;

	(void)state;
	make_links(&t);
	vlan = link_table_find_name(&t, "vlan10");
	load(&set, "10-a.rule", "[Match]\nKind=vlan\n[Features]\nsg=lower\ntso=lower\nufo=off\n");
	load(&set, "20-b.rule", "[Match]\nKind=bond\n[Features]\ngso=off\n");
	load(&set, "30-c.rule",
		"[Match]\nName=vlan10\n[Features]\ntx-tcp6-segmentation=off\ntso=on\n"
		"tx-tcp-accecn-segmentation=on\ntx-udp-fragmentation=on\n");
	assert_int_equal(rule_set_declare(&set, &t, vlan, &host, d, foreign, 2), 2);
	expect(d, "tx-scatter-gather", RULE_LOWER, "10-a.rule");
	expect(d, "tx-scatter-gather-fraglist", RULE_LOWER, "10-a.rule");
	expect(d, "tx-tcp-segmentation", RULE_ON, "30-c.rule");
	expect(d, "tx-tcp6-segmentation", RULE_OFF, "30-c.rule"); /* a name outranks an alias */
	expect(d, "tx-generic-segmentation", RULE_UNSET, NULL);
	expect(d, "rx-gro", RULE_UNSET, NULL);
	assert_int_equal(d[feature_bit(&features, "tx-scatter-gather")].feature->line, 4);

	/* What this kernel has not: each word once, the last rule wins here, too. */
	assert_string_equal(foreign[0].feature->word, "tx-udp-fragmentation"); /* declared as ufo before */
	assert_int_equal(foreign[0].value, RULE_ON);
	assert_string_equal(foreign[0].rule->file, "30-c.rule");
	assert_string_equal(foreign[1].feature->word, "tx-tcp-accecn-segmentation");
	assert_int_equal(rule_set_declare(&set, &t, vlan, &host, d, foreign, 1), 2);
	assert_int_equal(rule_set_declare(&set, &t, vlan, &host, d, NULL, 0), 3); /* unfolded */

	assert_int_equal(
		rule_set_declare(&set, &t, link_table_find_name(&t, "lo"), &host, d, foreign, 2),
		0);
	for (size_t i = 0; i < FEATURE_MAX; i++)
		assert_int_equal(d[i].value, RULE_UNSET);
	rule_set_clear(&set);
	link_table_clear(&t);
}

static void what_rules_look_at_is_known(void **state)
{
	struct rule_set set = { 0 };

	(void)state;
	load(&set, "a.rule", "[Match]\nKind=vlan\nRole=vlan-lower\n[Features]\nsg=on\n");
	assert_false(rule_set_needs_routes(&set));
	load(&set, "b.rule", "[Match]\nLowerDriver=e1000e\n[Features]\nsg=on\n");
	load(&set, "c.rule", "[Match]\nRole=default-route bond-port\n[Features]\nsg=on\n");
	assert_true(rule_set_needs_routes(&set));
	rule_set_clear(&set);
	rule_set_clear(&set);
	assert_int_equal(set.n_rules, 0);
}

static int setup(void **state)
{
	(void)state;
	unit_features(&features);
	return 0;
}

/* A reload of the same rules changes nothing, whatever they are described as. */
static void sets_are_compared_by_what_they_declare(_unused_ void **state)
{
#define BODY "[Match]\nKind=vlan\n[Features]\ntso=on\n[Limits]\ngso-max-size=65536\n"
	static const char *const others[] = {
		"[Match]\nKind=bond\n[Features]\ntso=on\n[Limits]\ngso-max-size=65536\n",
		"[Match]\nKind=vlan\nName=v*\n[Features]\ntso=on\n[Limits]\ngso-max-size=65536\n",
		"[Match]\nKind=vlan\n[Features]\ntso=off\n[Limits]\ngso-max-size=65536\n",
		"[Match]\nKind=vlan\n[Features]\ngso=on\n[Limits]\ngso-max-size=65536\n",
		"[Match]\nKind=vlan\n[Features]\ntso=on\ngro=on\n[Limits]\ngso-max-size=65536\n",
		"[Match]\nKind=vlan\n[Features]\ntso=on\n[Limits]\ngso-max-size=8000\n",
		"[Match]\nKind=vlan\n[Features]\ntso=on\n",
		("[Rule]\nMode=audit\n" BODY),
	};
	_cleanup_(rule_set_clear) struct rule_set set = { 0 }, same = { 0 }, two = { 0 }, empty = { 0 };

	load(&set, "10-a.rule", BODY);
	load(&same, "10-a.rule", "[Rule]\nDescription=The same\n" BODY);
	load(&two, "10-a.rule", BODY);
	load(&two, "20-b.rule", BODY);
	assert_true(rule_set_is_equal(&set, &same));
	assert_false(rule_set_is_equal(&set, &two));
	assert_false(rule_set_is_equal(&two, &set));
	assert_false(rule_set_is_equal(&set, &empty));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		_cleanup_(rule_set_clear) struct rule_set other = { 0 };

		load(&other, "10-a.rule", others[i]);
		assert_int_equal(other.n_rules, 1);
		assert_false(rule_set_is_equal(&set, &other));
	}
#undef BODY
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_are_compared_by_what_they_declare),
		cmocka_unit_test(links_are_matched_by_what_they_are),
		cmocka_unit_test(names_are_matched_when_they_are_final),
		cmocka_unit_test(links_are_matched_by_their_neighbours),
		cmocka_unit_test(hosts_are_matched),
		cmocka_unit_test(namespaces_are_matched),
		cmocka_unit_test(missing_keys_of_namespaces),
		cmocka_unit_test(glob_lists),
		cmocka_unit_test(kernel_versions),
		cmocka_unit_test(kernel_releases),
		cmocka_unit_test(missing_keys),
		cmocka_unit_test(links_are_matched_by_their_hardware),
		cmocka_unit_test(ports_are_matched_by_their_master),
		cmocka_unit_test(the_last_rule_wins_feature_by_feature),
		cmocka_unit_test(what_rules_look_at_is_known),
	};

	return cmocka_run_group_tests_name("rule", tests, setup, NULL);
}
