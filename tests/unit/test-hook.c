/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/catalog.h"
#include "report/hook.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "unit.h"

static struct feature_table table;

static void make(struct finding *event)
{
	unit_features(&table);
	*event = (struct finding){ .code = FINDING_DRIFTED, .ifindex = 7 };
	strcpy(event->link, "vlan10");
	strcpy(event->rules, "10-v\\`$lan.rule");
	event->on = unit_set(&table, "tx-scatter-gather rx-lro");
}

static const char *find(const struct hook_event *decoded, const char *name)
{
	for (size_t i = 0; i < decoded->n_fields; i++)
		if (strcmp(decoded->fields[i].name, name) == 0)
			return decoded->fields[i].value;
	return NULL;
}

static void what_is_sent_is_what_is_taken(void **state)
{
	char text[HOOK_EVENT_MAX + 1];
	struct hook_event decoded;
	const struct hook_held held = { .n = 4, .links = "vlan10, eth2" };
	char message[CATALOG_TEXT_MAX];
	struct finding event;
	size_t len;

	(void)state;
	make(&event);
	len = hook_encode(&(struct hook_target){ &table, "blue", NULL }, &event, &held, text);
	assert_int_equal(hook_decode(text, len, &decoded), 0);
	assert_int_equal(decoded.kind, EVENT_DRIFT);
	assert_string_equal(find(&decoded, "OFFLOADD_EVENT"), "drift");
	assert_string_equal(find(&decoded, "OFFLOADD_CODE"), "drifted");
	assert_string_equal(find(&decoded, "OFFLOADD_MESSAGE"), catalog_format(&event, &table, message, sizeof(message)));
	assert_string_equal(find(&decoded, "OFFLOADD_MESSAGE_ID"), event_message_id(EVENT_DRIFT));
	assert_string_equal(find(&decoded, "OFFLOADD_PRIORITY"), "5");
	assert_string_equal(find(&decoded, "OFFLOADD_LINK"), "vlan10");
	assert_string_equal(find(&decoded, "OFFLOADD_IFINDEX"), "7");
	assert_string_equal(find(&decoded, "OFFLOADD_FEATURES"), "tx-scatter-gather, rx-lro");
	assert_string_equal(find(&decoded, "OFFLOADD_RULE"), event.rules);
	assert_string_equal(find(&decoded, "OFFLOADD_NETNS"), "blue");
	assert_string_equal(find(&decoded, "OFFLOADD_SUPPRESSED"), "3");
	assert_string_equal(find(&decoded, "OFFLOADD_SUPPRESSED_LINKS"), "vlan10, eth2");
	assert_null(find(&decoded, "OFFLOADD_REASON")); /* there is none */
	assert_null(find(&decoded, "OFFLOADD_COUNT"));
}

static void the_fullest_event_fits(void **state)
{
	char text[HOOK_EVENT_MAX + 1];
	struct hook_event decoded;
	struct finding event = { .code = FINDING_FALLBACK_SERVICE, .ifindex = INT32_MAX, .on = ~UINT64_C(0), .count = UINT64_MAX };
	struct hook_held held = { .n = UINT64_MAX };
	char netns[256];
	size_t len;

	(void)state;
	unit_features(&table);
	memset(event.words, 'w', sizeof(event.words) - 1);
	memset(event.service, 's', sizeof(event.service) - 1);
	memset(event.changed_by.comm, 'a', sizeof(event.changed_by.comm) - 1);
	memset(event.changed_by.unit, 'u', sizeof(event.changed_by.unit) - 1);
	memset(event.link, '\n', sizeof(event.link) - 1); /* becomes no line of its own */
	memset(event.rules, '\xff', sizeof(event.rules) - 1);
	memset(netns, 'n', sizeof(netns) - 1);
	netns[sizeof(netns) - 1] = '\0';
	memset(held.links, 'l', sizeof(held.links) - 1);
	len = hook_encode(&(struct hook_target){ &table, netns, NULL }, &event, &held, text);
	assert_true(len < HOOK_EVENT_MAX - 1);
	assert_int_equal(hook_decode(text, len, &decoded), 0);
	assert_int_equal(decoded.n_fields, HOOK_FIELDS_MAX);
	assert_string_equal(find(&decoded, "OFFLOADD_LINK"), "???????????????");
}

static void nothing_else_is_believed(void **state)
{
	static const char *const bad[] = {
		"", "\n", "x", "OFFLOADD_EVENT", "OFFLOADD_EVENT=", "OFFLOADD_EVENT=none\n",
		"LD_PRELOAD=/tmp/x\n", "OFFLOADD_EVENT=drift\nLD_PRELOAD=/tmp/x\n",
		"OFFLOADD_EVENT=drift\nPATH=/tmp\n", "OFFLOADD_EVENT=drift\nOFFLOADD_EVENT=drift\n",
		"OFFLOADD_EVENT=drift\nOFFLOADD_LINK=a\x1b[2J\n", "OFFLOADD_EVENT=drift\nOFFLOADD_LINK=\xc3\xa4\n",
		"OFFLOADD_LINK=a\nOFFLOADD_EVENT=drift\n", "OFFLOADD_EVENT=drift\r\n",
		"OFFLOADD_EVENT=drift\nnothing\n", "OFFLOADD_EVENT=Drift\n", "OFFLOADD_EVENT_=drift\n",
	};
	struct hook_event decoded;
	char text[HOOK_EVENT_MAX + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		strcpy(text, bad[i]);
		if (hook_decode(text, strlen(bad[i]), &decoded) != -EBADMSG)
			fail_msg("taken: %s", bad[i]);
	}
	memcpy(text, "OFFLOADD_EVENT=drift\0\n", 22);
	assert_int_equal(hook_decode(text, 22, &decoded), -EBADMSG);
	memset(text, '\n', sizeof(text));
	assert_int_equal(hook_decode(text, HOOK_EVENT_MAX, &decoded), -EBADMSG);
	strcpy(text, "OFFLOADD_EVENT=drift");
	assert_int_equal(hook_decode(text, strlen(text), &decoded), 0);
}

static void the_environment_is_quoted(void **state)
{
	char text[HOOK_EVENT_MAX + 1], *written = NULL;
	const char *sentences[CATALOG_SENTENCES];
	struct hook_event decoded;
	struct finding event;
	size_t len;
	FILE *f;

	(void)state;
	make(&event);
	for (size_t i = 0; i < CATALOG_SENTENCES; i++)
		sentences[i] = "\"quoted\"";
	catalog_replace(sentences);
	len = hook_encode(&(struct hook_target){ &table, "", NULL }, &event, NULL, text);
	catalog_replace(NULL);
	assert_int_equal(hook_decode(text, len, &decoded), 0);
	f = open_memstream(&written, &len);
	assert_int_equal(hook_write_environment(f, &decoded), 0);
	fclose(f);
	assert_string_equal(written,
		"OFFLOADD_EVENT=\"drift\"\n"
		"OFFLOADD_CODE=\"drifted\"\n"
		"OFFLOADD_MESSAGE=\"\\\"quoted\\\"\"\n"
		"OFFLOADD_MESSAGE_ID=\"bc372f54f9b04f2d8ddf8ac60eb5c9aa\"\n"
		"OFFLOADD_PRIORITY=\"5\"\n"
		"OFFLOADD_LINK=\"vlan10\"\n"
		"OFFLOADD_IFINDEX=\"7\"\n"
		"OFFLOADD_FEATURES=\"tx-scatter-gather, rx-lro\"\n"
		"OFFLOADD_RULE=\"10-v\\\\\\`\\$lan.rule\"\n");
	free(written);
}

static void only_templates_of_services_are_units(void **state)
{
	static const char *const good[] = { "a@.service", "offloadd-alert@.service", "x\\x2dy:z_1.2@.service" };
	static const char *const bad[] = { "", "@.service", "a.service", "a@b.service", "a@@.service",
		"-a@.service", ".a@.service", "a/b@.service", "a b@.service", "a@.timer", "a@.service ",
		"a;b@.service", "a@.service.service", "ä@.service" };
	char long_name[260], unit[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(hook_is_unit(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (hook_is_unit(bad[i]))
			fail_msg("a unit: %s", bad[i]);
	memset(long_name, 'a', sizeof(long_name));
	strcpy(long_name + 230, "@.service");
	assert_false(hook_is_unit(long_name));
	assert_int_equal(hook_format_unit("a@.service", "drift-12", unit, sizeof(unit)), 0);
	assert_string_equal(unit, "a@drift-12.service");
	assert_int_equal(hook_format_unit("a@.service", "../x", unit, sizeof(unit)), -EINVAL);
	assert_int_equal(hook_format_unit("a@.service", "", unit, sizeof(unit)), -EINVAL);
	assert_int_equal(hook_format_unit("a@.service", "x", unit, 10), -ENAMETOOLONG);
}

static int listen_at(const char *path)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	strcpy(address.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* Where events arrive. */
struct inbox {
	char directory[32], path[48], text[HOOK_EVENT_MAX + 1];
	int fd;
	struct hook_event event;
	struct hooks hooks;
};

static void open_inbox(struct inbox *in)
{
	*in = (struct inbox){ .directory = "/tmp/test-hook.XXXXXX" };
	assert_non_null(mkdtemp(in->directory));
	snprintf(in->path, sizeof(in->path), "%s/socket", in->directory);
	in->fd = listen_at(in->path);
}

static void close_inbox(struct inbox *in)
{
	close(in->fd);
	unlink(in->path);
	rmdir(in->directory);
}

/* The next event; false: there is none. */
static bool receive(struct inbox *in)
{
	ssize_t len = recv(in->fd, in->text, sizeof(in->text), MSG_DONTWAIT);

	if (len < 0)
		return false;
	assert_int_equal(hook_decode(in->text, (size_t)len, &in->event), 0);
	return true;
}

static int send_about(struct inbox *in, enum finding_code code, const char *link, uint64_t now_usec)
{
	const struct hook_target target = { &table, "", in->path };
	struct finding event;

	make(&event);
	event.code = code;
	strcpy(event.link, link);
	return hook_send(&in->hooks, &target, &event, now_usec);
}

static void each_link_has_its_budget_and_the_rest_is_sent_later(void **state)
{
	struct inbox in;
	const struct hook_target target = { &table, "", in.path };

	(void)state;
	open_inbox(&in);
	for (int i = 0; i < HOOK_LINK_BURST; i++) {
		assert_int_equal(send_about(&in, FINDING_DRIFTED, "noise", 1000), 1);
		assert_true(receive(&in));
		assert_null(find(&in.event, "OFFLOADD_SUPPRESSED"));
	}
	assert_int_equal(hook_deadline(&in.hooks), 0);
	for (int i = 0; i < 7; i++)
		assert_int_equal(send_about(&in, FINDING_DRIFTED, "noise", 2000), 0);
	assert_int_equal(send_about(&in, FINDING_DRIFTED, "bond0", 3000), 1);
	assert_true(receive(&in));
	assert_string_equal(find(&in.event, "OFFLOADD_LINK"), "bond0");
	assert_int_equal(hook_deadline(&in.hooks), 1000 + HOOK_WINDOW_USEC);
	assert_int_equal(hook_end(&in.hooks, &target, 999 + HOOK_WINDOW_USEC), 0);
	assert_int_equal(hook_end(&in.hooks, &target, 1000 + HOOK_WINDOW_USEC), 1);
	assert_true(receive(&in));
	assert_string_equal(find(&in.event, "OFFLOADD_EVENT"), "drift");
	assert_string_equal(find(&in.event, "OFFLOADD_SUPPRESSED"), "6");
	assert_string_equal(find(&in.event, "OFFLOADD_SUPPRESSED_LINKS"), "noise");
	assert_int_equal(hook_deadline(&in.hooks), 0);
	assert_int_equal(in.hooks.sent, HOOK_LINK_BURST + 2);
	assert_int_equal(in.hooks.suppressed, 7);
	close_inbox(&in);
}

/* A thousand interfaces drift, then the one that matters: by another kind at once, by the same kind in the summary. */
static void noise_hides_nothing(void **state)
{
	struct inbox in;
	const struct hook_target target = { &table, "", in.path };
	char name[16];

	(void)state;
	open_inbox(&in);
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "veth%d", i);
		assert_int_equal(send_about(&in, FINDING_DRIFTED, name, 1000), i < HOOK_KIND_BURST);
		(void)receive(&in);
	}
	assert_int_equal(send_about(&in, FINDING_CONTENDED, "bond0", 1000), 1);
	assert_true(receive(&in));
	assert_string_equal(find(&in.event, "OFFLOADD_EVENT"), "contended");
	assert_int_equal(send_about(&in, FINDING_DRIFTED, "vlan10", 1000), 0);
	assert_int_equal(send_about(&in, FINDING_DRIFTED, "veth1", 1000), 0); /* was sent: does not hide vlan10 */
	assert_int_equal(hook_end(&in.hooks, &target, 1000 + HOOK_WINDOW_USEC), 1);
	assert_true(receive(&in));
	assert_string_equal(find(&in.event, "OFFLOADD_LINK"), "vlan10");
	assert_string_equal(find(&in.event, "OFFLOADD_SUPPRESSED"), "971");
	assert_false(receive(&in));
	close_inbox(&in);
}

static void what_cannot_be_sent_is_counted(void **state)
{
	struct inbox in;

	(void)state;
	open_inbox(&in);
	close(in.fd);
	assert_int_equal(send_about(&in, FINDING_DRIFTED, "a", 9000), -ECONNREFUSED);
	unlink(in.path);
	assert_int_equal(send_about(&in, FINDING_DRIFTED, "a", 9000), -ENOENT);
	assert_int_equal(in.hooks.failed, 2);
	rmdir(in.directory);
}

/* The summary of what was suppressed, neither. */
static void a_summary_that_cannot_be_sent_comes_later(void **state)
{
	struct inbox in;
	const struct hook_target target = { &table, "", in.path };

	(void)state;
	open_inbox(&in);
	for (int i = 0; i < HOOK_LINK_BURST + 3; i++) {
		(void)send_about(&in, FINDING_DRIFTED, "noise", 1000);
		(void)receive(&in);
	}
	close(in.fd);
	unlink(in.path);
	assert_int_equal(hook_end(&in.hooks, &target, 1000 + HOOK_WINDOW_USEC), -ENOENT);
	assert_int_equal(hook_deadline(&in.hooks), 1000 + 2 * HOOK_WINDOW_USEC);
	in.fd = listen_at(in.path);
	assert_int_equal(hook_end(&in.hooks, &target, 1000 + 2 * HOOK_WINDOW_USEC), 1);
	assert_true(receive(&in));
	assert_string_equal(find(&in.event, "OFFLOADD_SUPPRESSED"), "2"); /* and this one */
	close_inbox(&in);
}

/* Who does not read costs no time. */
static void a_full_queue_is_an_error_at_once(void **state)
{
	char directory[] = "/tmp/test-hook.XXXXXX", path[48];
	struct finding event;
	int r = 1, fd;

	(void)state;
	make(&event);
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/socket", directory);
	fd = listen_at(path);
	for (int i = 0; i < 100000 && r > 0; i++) {
		struct hooks h = { 0 };

		r = hook_send(&h, &(struct hook_target){ &table, "", path }, &event, 1);
	}
	assert_int_equal(r, -EAGAIN);
	close(fd);
	unlink(path);
	rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_sent_is_what_is_taken),
		cmocka_unit_test(the_fullest_event_fits),
		cmocka_unit_test(nothing_else_is_believed),
		cmocka_unit_test(the_environment_is_quoted),
		cmocka_unit_test(only_templates_of_services_are_units),
		cmocka_unit_test(each_link_has_its_budget_and_the_rest_is_sent_later),
		cmocka_unit_test(noise_hides_nothing),
		cmocka_unit_test(what_cannot_be_sent_is_counted),
		cmocka_unit_test(a_summary_that_cannot_be_sent_comes_later),
		cmocka_unit_test(a_full_queue_is_an_error_at_once),
	};

	return cmocka_run_group_tests_name("hook", tests, NULL, NULL);
}
