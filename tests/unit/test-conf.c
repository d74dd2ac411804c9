/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "offloadd/conf.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rules/rule_file.h"
#include "unit.h"
#include "basic/util.h"

struct place {
	char root[64];
	char etc[80], run[80], etc_d[96], run_d[96]; /* main files, drop-in directories */
	char said[4096];			     /* complaints, root cut off */
	struct conf conf;
};

static int hear(void *userdata, const char *path, unsigned line, const char *message)
{
	struct place *p = userdata;
	size_t root = strlen(p->root);

	util_append(p->said, sizeof(p->said), "%s:%u: %s\n",
		strncmp(path, p->root, root) == 0 ? path + root + 1 : path, line, message);
	return 0;
}

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	strcpy(p->root, "/tmp/test-conf.XXXXXX");
	assert_non_null(mkdtemp(p->root));
	snprintf(p->etc, sizeof(p->etc), "%s/etc.conf", p->root);
	snprintf(p->run, sizeof(p->run), "%s/run.conf", p->root);
	snprintf(p->etc_d, sizeof(p->etc_d), "%s/etc.d", p->root);
	snprintf(p->run_d, sizeof(p->run_d), "%s/run.d", p->root);
	assert_int_equal(mkdir(p->etc_d, 0755), 0);
	assert_int_equal(mkdir(p->run_d, 0755), 0);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;
	char command[96];

	conf_clear(&p->conf);
	snprintf(command, sizeof(command), "rm -rf '%s'", p->root);
	assert_int_equal(system(command), 0);
	free(p);
	return 0;
}

static void put(const char *dir, const char *name, const char *text)
{
	char path[160];
	FILE *f;

	snprintf(path, sizeof(path), "%s%s%s", dir, name ? "/" : "", name ? name : "");
	f = fopen(path, "we");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int load(struct place *p)
{
	const char *const files[] = { p->etc, p->run, NULL };
	const char *const dirs[] = { p->etc_d, p->run_d, NULL };

	p->said[0] = '\0';
	conf_clear(&p->conf);
	return conf_load_from(files, dirs, false, hear, p, &p->conf);
}

static void nothing_there_is_the_defaults(void **state)
{
	struct place *p = *state;

	assert_int_equal(load(p), 0);
	assert_false(p->conf.enforce);
	assert_ptr_equal(conf_rule_dirs(&p->conf), rule_default_dirs);
	assert_int_equal(p->conf.backend, ETHTOOL_AUTO);
	assert_int_equal(p->conf.rcvbuf_bytes, 16 << 20);
	assert_true(p->conf.probes);
	assert_int_equal(p->conf.namespaces, CONF_NAMESPACES_OBSERVE);
	assert_int_equal(p->conf.contention.rounds, CONTENTION_ROUNDS);
	assert_int_equal(p->conf.contention.window_usec, CONTENTION_WINDOW_USEC);
	assert_int_equal(p->conf.contention.quiet_usec, CONTENTION_QUIET_USEC);
	assert_string_equal(p->conf.textfile, "");
	assert_string_equal(p->conf.hooks[EVENT_DRIFT], "");
	assert_null(p->conf.hooks[EVENT_STATE]);
}

static void every_key_is_taken(void **state)
{
	struct place *p = *state;

	put(p->etc, NULL, "[Daemon]\nMode=enforce\nRulesDirectory=/a /b\nEthtoolBackend=ioctl\nNamespaces=enforce\n"
			  "ReceiveBuffer=64K\nProbes=no\n[Contention]\nRounds=7\nWindow=1min 30s\nQuiet=5\n"
			  "[Metrics]\nTextfile=/run/a b.prom\n"
			  "[Hooks]\nOnDrift=a@.service\nOnContended=b@.service\n"
			  "OnFallback=c@.service\nOnStale=d@.service\n");
	assert_int_equal(load(p), 0);
	assert_false(p->conf.probes);
	assert_string_equal(p->conf.hooks[EVENT_FALLBACK], "c@.service");
	assert_string_equal(p->conf.hooks[EVENT_STALE], "d@.service");
	assert_true(p->conf.enforce);
	assert_string_equal(conf_rule_dirs(&p->conf)[0], "/a");
	assert_string_equal(conf_rule_dirs(&p->conf)[1], "/b");
	assert_null(conf_rule_dirs(&p->conf)[2]);
	assert_int_equal(p->conf.backend, ETHTOOL_IOCTL);
	assert_int_equal(p->conf.namespaces, CONF_NAMESPACES_ENFORCE);
	assert_int_equal(p->conf.rcvbuf_bytes, 65536);
	assert_int_equal(p->conf.contention.rounds, 7);
	assert_int_equal(p->conf.contention.window_usec, 90 * USEC_PER_SEC);
	assert_int_equal(p->conf.contention.quiet_usec, 5 * USEC_PER_SEC);
	assert_string_equal(p->conf.textfile, "/run/a b.prom");
	assert_string_equal(p->conf.hooks[EVENT_DRIFT], "a@.service");
	assert_string_equal(p->conf.hooks[EVENT_CONTENDED], "b@.service");
}

static void drop_ins_outrank_the_main_file_in_the_order_of_names(void **state)
{
	struct place *p = *state;
	char mask[160];

	put(p->run, NULL, "[Daemon]\nEthtoolBackend=ioctl\n");
	assert_int_equal(load(p), 0);
	assert_int_equal(p->conf.backend, ETHTOOL_IOCTL);
	put(p->etc, NULL, "[Daemon]\nMode=enforce\n"); /* the weaker main file is not read at all */
	assert_int_equal(load(p), 0);
	assert_int_equal(p->conf.backend, ETHTOOL_AUTO);

	put(p->run_d, "50-a.conf", "[Daemon]\nMode=audit\n[Contention]\nRounds=9\n");
	put(p->run_d, "60-b.conf", "[Contention]\nRounds=10\n");
	put(p->run_d, "70-c.txt", "no drop-in\n");
	assert_int_equal(load(p), 0);
	assert_false(p->conf.enforce);
	assert_int_equal(p->conf.contention.rounds, 10);

	put(p->etc_d, "50-a.conf", "[Daemon]\nReceiveBuffer=4K\n"); /* replaces the other whole */
	snprintf(mask, sizeof(mask), "%s/60-b.conf", p->etc_d);
	assert_int_equal(symlink("/dev/null", mask), 0);
	assert_int_equal(load(p), 0);
	assert_true(p->conf.enforce);
	assert_int_equal(p->conf.rcvbuf_bytes, 4096);
	assert_int_equal(p->conf.contention.rounds, CONTENTION_ROUNDS);
}

static void errors_name_the_line_and_the_nearest_word(void **state)
{
	struct place *p = *state;

	put(p->etc, NULL,
		"[Daemon]\nMod=enforce\nReceiveBuffer=lots\nEthtoolBackend=tcp\nRulesDirectory=rules\n"
		"Rounds=4\n[Contention]\nRounds=1\nWindow=9\n[Hook]\n[Metrics]\nTextfile=x.prom\n"
		"[Hooks]\nOnDrift=none\nOnContended=alert.service\n");
	assert_int_equal(load(p), 1);
	assert_string_equal(p->said,
		"etc.conf:2: unknown key Mod= in [Daemon], did you mean Mode=?\n"
		"etc.conf:3: invalid ReceiveBuffer= value \"lots\": expected a size from 4K to 256M\n"
		"etc.conf:4: invalid EthtoolBackend= value \"tcp\": expected auto, netlink or ioctl\n"
		"etc.conf:5: invalid RulesDirectory= value \"rules\": expected an absolute path\n"
		"etc.conf:6: Rounds= belongs in [Contention], not in [Daemon]\n"
		"etc.conf:8: invalid Rounds= value \"1\": expected a number from 2 to 200\n"
		"etc.conf:10: unknown section [Hook], did you mean [Hooks]?\n"
		"etc.conf:12: invalid Textfile= value \"x.prom\": expected none or an absolute path that ends in .prom\n"
		"etc.conf:15: invalid OnContended= value \"alert.service\": expected none or a template unit, for example "
		"offloadd-alert@.service\n");
	assert_int_equal(p->conf.rcvbuf_bytes, 16 << 20);
	assert_int_equal(p->conf.contention.rounds, CONTENTION_ROUNDS);
	assert_int_equal(p->conf.contention.window_usec, 9 * USEC_PER_SEC); /* what is right holds */
}

static void with_an_error_it_never_enforces(void **state)
{
	static const char *const bad[] = { "[Daemon]\nMode=enforced\n", "[Daemon]\nmode=audit\n",
		"[Daemn]\nMode=audit\n", "Mode=audit\n", "\x01\n", "[Contention]\nRounds=0\n" };
	struct place *p = *state;
	char path[160];

	put(p->etc, NULL, "[Daemon]\nMode=enforce\n");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		put(p->etc_d, "90-bad.conf", bad[i]);
		assert_int_equal(load(p), 1);
		assert_false(p->conf.enforce);
		assert_true(p->conf.enforce_written);
		assert_string_not_equal(p->said, "");
	}
	snprintf(path, sizeof(path), "%s/90-bad.conf", p->etc_d);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(load(p), 0);
	assert_true(p->conf.enforce);

	assert_int_equal(mkdir(path, 0755), 0); /* not a regular file */
	assert_int_equal(load(p), 1);
	assert_false(p->conf.enforce);
}

static void a_named_file_must_be_there(void **state)
{
	struct place *p = *state;

	assert_int_equal(conf_load(p->etc, hear, p, &p->conf), 1);
	assert_string_equal(p->said, "etc.conf:0: failed to open: No such file or directory\n");
	conf_clear(&p->conf);
	put(p->etc, NULL, "[Daemon]\nMode=enforce\n");
	assert_int_equal(conf_load(p->etc, hear, p, &p->conf), 0);
	assert_true(p->conf.enforce);
}

static char *read_whole(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = calloc(1, 65536);

	assert_non_null(f);
	assert_true(fread(text, 1, 65535, f) > 0);
	fclose(f);
	return text;
}

/* "*Key=*" in the manual with "_VALUE_." in its paragraph; "#Key=VALUE" in the example. */
static void manual_and_example_tell_every_key_and_its_default(void **state)
{
	_cleanup_free_ char *manual = read_whole("docs/offloadd.conf.5.scd");
	_cleanup_free_ char *example = read_whole("systemd/offloadd.conf");
	struct conf_key_info key;
	size_t n = 0, headings = 0;

	(void)state;
	for (char *c = manual; *c; c++) /* paragraphs are one line each */
		if (*c == '\n' && c[1] == '\t')
			*c = c[1] = ' ';
	for (; conf_key(n, &key); n++) {
		char wanted[256], *at, *next, *fallback;

		snprintf(wanted, sizeof(wanted), "\n*%s=* ", key.key);
		at = strstr(manual, wanted);
		if (!at)
			fail_msg("the manual does not tell %s=", key.key);
		next = strchr(at + 1, '\n');
		snprintf(wanted, sizeof(wanted), "_%s_.", key.fallback);
		fallback = strstr(at, wanted);
		if (!fallback || fallback > next)
			fail_msg("the manual does not tell that %s= is %s", key.key, key.fallback);
		snprintf(wanted, sizeof(wanted), "\n#%s=%s\n", key.key, key.fallback);
		if (!strstr(example, wanted))
			fail_msg("the example has not %s=%s", key.key, key.fallback);
		assert_true(strlen(key.doc) > 5);
	}
	for (char *c = example; (c = strchr(c, '\n')); c++)
		headings += c[1] == '#' && c[2] != ' ';
	assert_int_equal(headings, n); /* and no key that there is not */
}

static void durations(void **state)
{
	static const struct {
		const char *text;
		uint64_t usec;
	} good[] = { { "0", 0 }, { "5", 5000000 }, { "5s", 5000000 }, { "500ms", 500000 },
		{ "1min 30s", 90000000 }, { " 2h ", 7200000000 }, { "1h30m", 5400000000 }, { "7us", 7 } };
	static const char *const bad[] = { "", " ", "s", "-1", "1.5s", "1 week", "5 5x", "0x10",
		"99999999999999999999", "400d", "999999999999999d" };
	uint64_t usec;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(util_parse_duration(good[i].text, &usec), 0);
		assert_int_equal(usec, good[i].usec);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_true(util_parse_duration(bad[i], &usec) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_there_is_the_defaults, setup, teardown),
		cmocka_unit_test_setup_teardown(every_key_is_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(
			drop_ins_outrank_the_main_file_in_the_order_of_names, setup, teardown),
		cmocka_unit_test_setup_teardown(
			errors_name_the_line_and_the_nearest_word, setup, teardown),
		cmocka_unit_test_setup_teardown(with_an_error_it_never_enforces, setup, teardown),
		cmocka_unit_test_setup_teardown(a_named_file_must_be_there, setup, teardown),
		cmocka_unit_test(manual_and_example_tell_every_key_and_its_default),
		cmocka_unit_test(durations),
	};

	return cmocka_run_group_tests_name("conf", tests, NULL, NULL);
}
