/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/unit.h"
#include "unit.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define POD "kubepods-burstable-pod7f1f0b12_93c4_4c1e_a1d7_0123456789ab.slice"

struct sample {
	const char *path;
	enum unit_kind kind;
	const char *name, *runtime, *container;
	uint32_t uid;
};

static const struct sample units[] = {
	{ "/system.slice/nginx.service", UNIT_SERVICE, "nginx.service", "", "", 0 },
	{ "/system.slice/system-postgresql.slice/postgresql@15-main.service", UNIT_SERVICE,
		"postgresql@15-main.service", "", "", 0 },
	{ "/a.slice/a-b.slice/a-b-c.slice/deep.service/worker/3", UNIT_SERVICE, "deep.service", "", "", 0 },
	{ "/system.slice/cron.service/inner.service", UNIT_SERVICE, "cron.service", "", "", 0 },
	{ "/user.slice/user-1000.slice/user@1000.service/app.slice/syncthing.service", UNIT_USER,
		"syncthing.service", "", "", 1000 },
	{ "/user.slice/user-1000.slice/user@1000.service/app.slice/app-firefox-123.scope", UNIT_USER,
		"app-firefox-123.scope", "", "", 1000 },
	{ "/user.slice/user-1000.slice/user@1000.service", UNIT_SERVICE, "user@1000.service", "", "", 0 },
	{ "/user.slice/user-1000.slice/session-4.scope", UNIT_SESSION, "session-4.scope", "", "", 0 },
	{ "/system.slice/run-r0a1b.scope", UNIT_SCOPE, "run-r0a1b.scope", "", "", 0 },
	{ "/init.scope", UNIT_SCOPE, "init.scope", "", "", 0 },
	{ "/", UNIT_NONE, "", "", "", 0 },
	{ "", UNIT_NONE, "", "", "", 0 },
	{ "/system.slice", UNIT_OTHER, "system.slice", "", "", 0 },
	{ "/made/by/hand", UNIT_OTHER, "made/by/hand", "", "", 0 },
	{ "/user@x.service", UNIT_SERVICE, "user@x.service", "", "", 0 },
	{ "/.service", UNIT_OTHER, ".service", "", "", 0 },
};

static const struct sample containers[] = {
	{ "/system.slice/docker-" ID ".scope", UNIT_CONTAINER, "docker-" ID ".scope", "docker", ID, 0 },
	{ "/docker/" ID, UNIT_CONTAINER, "docker/" ID, "docker", ID, 0 },
	{ "/system.slice/docker.service/docker/" ID, UNIT_CONTAINER,
		"system.slice/docker.service/docker/" ID, "docker", ID, 0 },
	/* systemd within a container */
	{ "/system.slice/docker-" ID ".scope/system.slice/nginx.service", UNIT_CONTAINER,
		"docker-" ID ".scope", "docker", ID, 0 },
	{ "/kubepods.slice/kubepods-burstable.slice/" POD "/cri-containerd-" ID ".scope", UNIT_CONTAINER,
		"cri-containerd-" ID ".scope", "containerd", ID, 0 },
	{ "/kubepods.slice/" POD "/crio-" ID ".scope", UNIT_CONTAINER, "crio-" ID ".scope", "cri-o", ID,
		0 },
	{ "/kubepods/besteffort/pod7f1f0b12-93c4/" ID, UNIT_CONTAINER,
		"kubepods/besteffort/pod7f1f0b12-93c4/" ID, "container", ID, 0 },
	{ "/machine.slice/libpod-" ID ".scope/container", UNIT_CONTAINER, "libpod-" ID ".scope", "podman",
		ID, 0 },
	{ "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope", UNIT_CONTAINER,
		"libpod-" ID ".scope", "podman", ID, 1000 },
	/* a unit that runs podman: it is what can be restarted */
	{ "/system.slice/web.service/libpod-payload-" ID, UNIT_CONTAINER, "web.service", "podman", ID, 0 },
	{ "/machine.slice/machine-qemu\\x2d3\\x2dweb.scope", UNIT_CONTAINER,
		"machine-qemu\\x2d3\\x2dweb.scope", "libvirt", "3-web", 0 },
	{ "/machine.slice/machine-build\\x2dhost.scope", UNIT_CONTAINER, "machine-build\\x2dhost.scope",
		"machine", "build-host", 0 },
	{ "/machine.slice/systemd-nspawn@db.service/payload/system.slice/x.service", UNIT_CONTAINER,
		"systemd-nspawn@db.service", "nspawn", "db", 0 },
	{ "/lxc.payload.web/system.slice/x.service", UNIT_CONTAINER, "lxc.payload.web", "lxc", "web", 0 },
	{ "/lxc/web", UNIT_CONTAINER, "lxc/web", "lxc", "web", 0 },
	/* helpers of an engine are not the container, and the engines are services like any other */
	{ "/machine.slice/libpod-conmon-" ID ".scope", UNIT_SCOPE, "libpod-conmon-" ID ".scope", "", "", 0 },
	{ "/kubepods.slice/" POD "/crio-conmon-" ID ".scope", UNIT_SCOPE, "crio-conmon-" ID ".scope", "",
		"", 0 },
	{ "/system.slice/docker.service", UNIT_SERVICE, "docker.service", "", "", 0 },
	{ "/system.slice/containerd.service", UNIT_SERVICE, "containerd.service", "", "", 0 },
	{ "/system.slice/docker-.scope", UNIT_SCOPE, "docker-.scope", "", "", 0 },
};

static void check_all(const struct sample *samples, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct unit unit;

		unit_parse_path(samples[i].path, &unit);
		if (unit.kind != samples[i].kind)
			print_error("%s: %s\n", samples[i].path, unit_kind_name(unit.kind));
		assert_int_equal(unit.kind, samples[i].kind);
		assert_string_equal(unit.name, samples[i].name);
		assert_string_equal(unit.runtime, samples[i].runtime);
		assert_string_equal(unit.container, samples[i].container);
		assert_int_equal(unit.uid, samples[i].uid);
	}
}

static void systemd_units_of_system_and_users(void **state)
{
	(void)state;
	check_all(units, sizeof(units) / sizeof(units[0]));
}

static void containers_go_by_their_own_name(void **state)
{
	(void)state;
	check_all(containers, sizeof(containers) / sizeof(containers[0]));
}

static void a_hostile_path_stays_in_bounds(void **state)
{
	char path[3000], buf[64];
	struct unit unit;

	(void)state;
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	memcpy(path + sizeof(path) - 9, ".service", 9);
	unit_parse_path(path, &unit);
	assert_int_equal(unit.kind, UNIT_SERVICE);
	assert_int_equal(strlen(unit.name), UNIT_NAME_LEN - 1);
	unit_format(&unit, buf, sizeof(buf));
	assert_int_equal(strlen(buf), sizeof(buf) - 1);
	unit_parse_path("/x\x1b[31m.service", &unit);
	assert_string_equal(unit.name, "x?[31m.service");
	unit_parse_path("/machine-a\\x1bb\\x2.scope", &unit);
	assert_string_equal(unit.container, "a?b\\x2");
}

static void text_of_proc(void **state)
{
	char path[64];

	(void)state;
	assert_int_equal(unit_parse_proc("0::/system.slice/a.service\n", path, sizeof(path)), 0);
	assert_string_equal(path, "/system.slice/a.service");
	/* hybrid: the unified hierarchy is there and says the root; systemd's own tells more */
	assert_int_equal(unit_parse_proc("12:pids:/p\n1:name=systemd:/system.slice/b.service\n0::/\n",
				 path, sizeof(path)),
		1);
	assert_string_equal(path, "/system.slice/b.service");
	assert_int_equal(unit_parse_proc("3:cpu,cpuacct:/docker/x\n", path, sizeof(path)), 1);
	assert_string_equal(path, "/docker/x");
	assert_int_equal(unit_parse_proc("0::/a.service (deleted)\n", path, sizeof(path)), 0);
	assert_string_equal(path, "/a.service");
	assert_int_equal(unit_parse_proc("0::/a:b", path, sizeof(path)), 0);
	assert_string_equal(path, "/a:b");
	assert_int_equal(unit_parse_proc("", path, sizeof(path)), -ENOENT);
	assert_int_equal(unit_parse_proc("nonsense\n0:\n::\n", path, sizeof(path)), -ENOENT);
	assert_int_equal(unit_parse_proc("0::/a.service\n", path, 10), -ENAMETOOLONG);
}

static void people_read_it(void **state)
{
	struct unit unit;
	char buf[64];

	(void)state;
	unit_parse_path("/system.slice/docker-" ID ".scope", &unit);
	assert_string_equal(unit_format(&unit, buf, sizeof(buf)), "docker 0123456789ab");
	unit_parse_path("/user.slice/user-7.slice/user@7.service/a.service", &unit);
	assert_string_equal(unit_format(&unit, buf, sizeof(buf)), "a.service of user 7");
	unit_parse_path("/", &unit);
	assert_string_equal(unit_format(&unit, buf, sizeof(buf)), "no service");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(systemd_units_of_system_and_users),
		cmocka_unit_test(containers_go_by_their_own_name),
		cmocka_unit_test(a_hostile_path_stays_in_bounds),
		cmocka_unit_test(text_of_proc),
		cmocka_unit_test(people_read_it),
	};

	return cmocka_run_group_tests_name("unit", tests, NULL, NULL);
}
