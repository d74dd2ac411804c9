/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/unit.h"
#include "unit.h"

#include "evidence/restart.h"
#include "basic/util.h"

static struct unit named(const char *name)
{
	struct unit unit = { .kind = UNIT_SERVICE };

	util_append(unit.name, sizeof(unit.name), "%s", name);
	return unit;
}

static enum restart_verdict judge(const char *units, const char *name)
{
	const struct restart_policy policy = { units, 1 };
	const struct unit unit = named(name);

	return restart_judge(&policy, &unit);
}

static void only_what_is_named(void **state)
{
	(void)state;
	assert_int_equal(judge("", "nginx.service"), RESTART_NOT_NAMED);
	assert_int_equal(judge("nginx.service", "nginx.service"), RESTART_YES);
	assert_int_equal(judge(" a.service \tnginx.service ", "nginx.service"), RESTART_YES);
	assert_int_equal(judge("nginx", "nginx.service"), RESTART_NOT_NAMED);
	assert_int_equal(judge("ngin?.service", "nginx.service"), RESTART_YES);
	assert_int_equal(judge("web-*.service", "web-1.service"), RESTART_YES);
	assert_int_equal(judge("web-*.service", "nginx.service"), RESTART_NOT_NAMED);
	assert_int_equal(judge("*", "postgresql@15-main.service"), RESTART_YES);
}

static void some_never(void **state)
{
	static const char *const never[] = { "dbus.service", "dbus-broker.service", "systemd-networkd.service",
		"systemd-logind.service", "NetworkManager.service", "networking.service", "docker.service",
		"containerd.service", "crio.service", "podman.service", "kubelet.service", "libvirtd.service",
		"ssh.service", "sshd.service", "sshd@3-10.0.0.1:22.service", "user@1000.service",
		"getty@tty1.service", "offloadd.service", "offloadd@blue.service", "wpa_supplicant.service",
		"polkit.service" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		if (judge("*", never[i]) != RESTART_PROTECTED || judge(never[i], never[i]) != RESTART_PROTECTED)
			fail_msg("would be restarted: %s", never[i]);
}

static void names_without_effect(void **state)
{
	const char *at = " web.service frr.service\tbird*.service ssh.service";
	char unit[UNIT_NAME_LEN];

	(void)state;
	assert_true(restart_next_protected(&at, unit));
	assert_string_equal(unit, "frr.service");
	assert_true(restart_next_protected(&at, unit)); /* a pattern may also match others */
	assert_string_equal(unit, "ssh.service");
	assert_false(restart_next_protected(&at, unit));
}

static void nothing_but_services_of_the_system(void **state)
{
	static const char *const paths[] = { "/", "/user.slice/user-1000.slice/session-4.scope",
		"/user.slice/user-1000.slice/user@1000.service/app.slice/a.service", "/system.slice/run-r0.scope",
		"/system.slice/docker-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope",
		"/system.slice", "/made/by/hand" };
	const struct restart_policy policy = { "*", 1 };
	struct unit unit;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		unit_parse_path(paths[i], &unit);
		if (restart_judge(&policy, &unit) != RESTART_NOT_A_UNIT)
			fail_msg("would be restarted: %s", paths[i]);
	}
	unit_parse_path("/system.slice/nginx.service", &unit);
	assert_int_equal(restart_judge(&policy, &unit), RESTART_YES);
}

static void one_at_a_time_with_a_pause_and_once_a_flag(void **state)
{
	const struct restart_policy policy = { "*.service", 60 };
	const struct unit a = named("a.service"), b = named("b.service"), ssh = named("ssh.service");
	struct restart_queue queue = { 0 };
	uint64_t usec;

	(void)state;
	assert_int_equal(restart_take(&queue, &policy, &ssh, 1000, &usec), 0);
	assert_int_equal(usec, 0);
	assert_int_equal(restart_take(&queue, &policy, &a, 1000, &usec), 1);
	assert_int_equal(restart_take(&queue, &policy, &b, 1001, &usec), 0);
	assert_int_equal(usec, 1060);
	assert_int_equal(restart_take(&queue, &policy, &b, 1060, &usec), 0); /* the first is still on its way */
	assert_true(usec > 1060);
	restart_done(&queue);
	assert_int_equal(restart_take(&queue, &policy, &a, 1060, &usec), 0); /* was tried */
	assert_int_equal(usec, 0);
	assert_int_equal(restart_take(&queue, &policy, &b, 1060, &usec), 1);
	restart_done(&queue);
	restart_forget(&queue, "nobody.service");
	restart_forget(&queue, "a.service");
	assert_int_equal(restart_take(&queue, &policy, &a, 5000, &usec), 1);
	restart_done(&queue);
	assert_int_equal(restart_take(&queue, &policy, &b, 9000, &usec), 0);
}

static void there_is_a_bound(void **state)
{
	const struct restart_policy policy = { "*", 0 };
	struct restart_queue queue = { 0 };
	unsigned taken = 0;
	uint64_t usec;

	(void)state;
	for (unsigned i = 0; i < 2 * RESTART_TRIED_MAX; i++) {
		char name[32];
		struct unit unit;

		snprintf(name, sizeof(name), "u%u.service", i);
		unit = named(name);
		taken += (unsigned)restart_take(&queue, &policy, &unit, 1 + i, &usec);
		restart_done(&queue);
	}
	assert_int_equal(taken, RESTART_TRIED_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_is_named),
		cmocka_unit_test(some_never),
		cmocka_unit_test(names_without_effect),
		cmocka_unit_test(nothing_but_services_of_the_system),
		cmocka_unit_test(one_at_a_time_with_a_pause_and_once_a_flag),
		cmocka_unit_test(there_is_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
