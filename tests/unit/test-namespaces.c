/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a network namespace is called, and what rules can match about it. */
#include "unit.h"

#include "kernel/namespaces.h"

#define ID "4f0d12c03a5e4f0d12c03a5e4f0d12c03a5e4f0d12c03a5e4f0d12c03a5e4f0d"
#define OTHER_ID "5f0d12c03a5e4f0d12c03a5e4f0d12c03a5e4f0d12c03a5e4f0d12c03a5e4f0d"

static void records(void **state)
{
	static const struct {
		enum container_format format;
		const char *text, *name, *image;
	} cases[] = {
		{ CONTAINER_DOCKER, "{\"ID\":\"" ID "\",\"Name\":\"/web1\",\"Config\":{\"Image\":\"nginx:1.25\",\"Hostname\":\"x\"}}", "web1", "nginx:1.25" },
		{ CONTAINER_DOCKER, "{\"Name\":\"/we\\u001b[31mb\"}", "we?[31mb", "" },
		{ CONTAINER_DOCKER, "{\"Name\":7,\"Config\":[]}", "", "" },
		{ CONTAINER_DOCKER, "{\"Name\":\"/k8s_POD_web-7d9_shop_2f1c-4b_0\"}", "shop/web-7d9", "" },
		{ CONTAINER_DOCKER, "{\"Name\":\"/k8s_POD_web-7d9\"}", "k8s_POD_web-7d9", "" },
		{ CONTAINER_DOCKER, "[]", "", "" },
		{ CONTAINER_STORAGE,
			"[{\"id\":\"" OTHER_ID "\",\"names\":[\"db\"]},{\"id\":\"" ID "\",\"names\":[\"web2\",\"second\"],"
			"\"metadata\":\"{\\\"image-name\\\":\\\"docker.io/library/nginx:latest\\\",\\\"name\\\":\\\"web2\\\"}\"}]",
			"web2", "docker.io/library/nginx:latest" },
		{ CONTAINER_STORAGE, "[{\"id\":\"" ID "\",\"names\":[\"web2\"],\"metadata\":\"{\"}]", "web2", "" },
		{ CONTAINER_STORAGE, "[{\"id\":\"" OTHER_ID "\",\"names\":[\"db\"]}]", "", "" },
		{ CONTAINER_STORAGE, "{\"id\":\"" ID "\"}", "", "" },
		{ CONTAINER_OCI,
			"{\"annotations\":{\"io.kubernetes.cri.sandbox-namespace\":\"shop\",\"io.kubernetes.cri.sandbox-name\":\"web-7d9\","
			"\"io.kubernetes.cri.image-name\":\"docker.io/library/nginx:1\"}}",
			"shop/web-7d9", "docker.io/library/nginx:1" },
		{ CONTAINER_OCI, "{\"annotations\":{\"io.kubernetes.cri.sandbox-name\":\"web-7d9\"}}", "", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct container_record record;
		char why[JSON_WHY_LEN];
		struct json_value *file;
		bool found;

		assert_int_equal(json_parse(cases[i].text, strlen(cases[i].text), JSON_OF_FILE, &file, why, sizeof(why)), 0);
		found = container_find(cases[i].format, file, ID, &record);
		if (strcmp(record.name, cases[i].name) != 0 || strcmp(record.image, cases[i].image) != 0)
			fail_msg("%zu: \"%s\", \"%s\"", i, record.name, record.image);
		assert_int_equal(found, cases[i].name[0] || cases[i].image[0]);
		json_free(file);
	}
}

static void names_and_facts(void **state)
{
	static const struct {
		struct namespace at;
		const char *label, *name, *container, *id, *unit, *image;
	} cases[] = {
		{ { .name = "red", .pid = 7, .comm = "sleep" }, "red", "red", "", "", "", "" },
		{ { .pid = 7, .comm = "sleep" }, "sleep (7)", "", "", "", "", "" },
		{ { .inode = 4026532291 }, "4026532291", "", "", "", "", "" },
		{ { .name = "a b", .docker = true, .pid = 7, .comm = "sleep" }, "sleep (7)", "", "", "", "", "" },
		{ { .pid = 7, .cgroup = "/system.slice/web.service" }, "web.service", "", "", "", "web.service", "" },
		{ { .pid = 7, .cgroup = "/system.slice/docker-" ID ".scope" }, "docker 4f0d12c03a5e", "", "", ID, "docker-" ID ".scope", "" },
		{ { .pid = 7, .cgroup = "/system.slice/docker-" ID ".scope", .container = { "web1", "nginx:1.25" } }, "web1", "", "web1", ID,
			"docker-" ID ".scope", "nginx:1.25" },
		{ { .pid = 7, .cgroup = "/docker/" ID, .container = { "web1", "" } }, "web1", "", "web1", ID, "", "" },
		/* a file that a runtime named says less than the container, and more than a process */
		{ { .name = "netns-2b7d9f10-1f9a-8f7c-aa00-0123456789ab", .pid = 7, .cgroup = "/machine.slice/libpod-" ID ".scope/container",
			  .container = { "web2", "" } }, "web2", "netns-2b7d9f10-1f9a-8f7c-aa00-0123456789ab", "web2", ID, "libpod-" ID ".scope", "" },
		{ { .name = "cni-2b7d9f10-1f9a-8f7c-aa00-0123456789ab", .pid = 7, .comm = "sleep" }, "cni-2b7d9f10-1f9a-8f7c-aa00-0123456789ab",
			"cni-2b7d9f10-1f9a-8f7c-aa00-0123456789ab", "", "", "", "" },
		{ { .name = "netns-blue", .pid = 7, .cgroup = "/system.slice/web.service" }, "netns-blue", "netns-blue", "", "", "web.service", "" },
		{ { .pid = 7, .cgroup = "/machine.slice/machine-web3.scope/payload" }, "machine web3", "", "web3", "web3", "machine-web3.scope", "" },
		{ { .pid = 7, .cgroup = "/lxc.payload.web4/init.scope" }, "lxc web4", "", "web4", "web4", "", "" },
		/* what a user calls web1 */
		{ { .pid = 7, .cgroup = "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope" },
			"podman 4f0d12c03a5e of user 1000", "", "", "", "user@1000.service", "" },
		{ { .pid = 7, .cgroup = "/user.slice/user-1000.slice/user@1000.service/app.slice/web1.service" }, "web1.service of user 1000", "",
			"", "", "user@1000.service", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char label[NAMESPACES_LABEL_LEN];
		struct rule_netns *facts;

		assert_string_equal(namespaces_label(&cases[i].at, label, sizeof(label)), cases[i].label);
		assert_int_equal(namespaces_facts(&cases[i].at, &facts), 0);
		if (strcmp(facts->unit, cases[i].unit) != 0)
			fail_msg("%zu: \"%s\"", i, facts->unit);
		assert_string_equal(facts->name, cases[i].name);
		assert_string_equal(facts->container, cases[i].container);
		assert_string_equal(facts->container_id, cases[i].id);
		assert_string_equal(facts->image, cases[i].image);
		free(facts);
	}
}

static void our_own_has_no_facts(void **state)
{
	const struct namespace own = { .own = true, .name = "red", .cgroup = "/system.slice/web.service" };
	struct rule_netns *facts;

	(void)state;
	assert_int_equal(namespaces_facts(&own, &facts), 0);
	assert_null(facts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records),
		cmocka_unit_test(names_and_facts),
		cmocka_unit_test(our_own_has_no_facts),
	};

	return cmocka_run_group_tests_name("namespaces", tests, NULL, NULL);
}
