/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "offloadd/conf.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "report/hook.h"
#include "basic/ini_dir.h"
#include "basic/ini_file.h"
#include "rules/rule_file.h"

#define SECTIONS_MAX 8

static const char *const default_files[] = {
	OFFLOADD_SYSCONFDIR "/offloadd/offloadd.conf",
	"/run/offloadd-config/offloadd.conf",
	OFFLOADD_PREFIX "/lib/offloadd/offloadd.conf",
	NULL,
};

static const char *const default_dirs[] = {
	OFFLOADD_SYSCONFDIR "/offloadd/offloadd.conf.d",
	"/run/offloadd-config/offloadd.conf.d",
	OFFLOADD_PREFIX "/lib/offloadd/offloadd.conf.d",
	NULL,
};

static const char *const mode_words[] = { "audit", "enforce" };
static const struct ini_words modes = { mode_words, ARRAY_SIZE(mode_words) };

static const char *const namespaces_words[] = { [CONF_NAMESPACES_HOST] = "host", [CONF_NAMESPACES_OBSERVE] = "observe",
	[CONF_NAMESPACES_ENFORCE] = "enforce" };
static const struct ini_words namespaces = { namespaces_words, ARRAY_SIZE(namespaces_words) };

static const char *const truth_words[] = { "no", "yes" };
static const struct ini_words truths = { truth_words, ARRAY_SIZE(truth_words) };

static const char *const undo_words[] = { "no", "if-worse" };
static const struct ini_words undos = { undo_words, ARRAY_SIZE(undo_words) };

static const struct ini_words backends = { ethtool_backend_words, ETHTOOL_BACKENDS };

struct range {
	uint64_t min, max;
	const char *what; /* expected, for messages */
};

static const struct range rcvbuf_range = { CONF_RCVBUF_MIN, CONF_RCVBUF_MAX, "a size from 4K to 256M" };
static const struct range rounds_range = { 2, 200, "a number from 2 to 200" };
static const struct range contention_range = { USEC_PER_SEC, 3600 * USEC_PER_SEC,
	"a time from 1s to 1h, for example 90s or 1min 30s" };

/* False: the value is out of range, and was reported. */
static bool check_range(
	struct ini_reader *reader, const struct ini_entry *entry, const struct range *range, bool good, uint64_t value)
{
	if (good && value >= range->min && value <= range->max)
		return true;
	ini_complain_value(reader, entry, entry->value, "expected %s", range->what);
	return false;
}

/* Digits, then any of the units: K, M. */
static bool read_number(const char *text, const char *units, uint64_t *ret)
{
	size_t digits = strspn(text, "0123456789");
	const char *unit = text + digits;

	if (digits == 0 || digits > 15 || (*unit && (!strchr(units, *unit) || unit[1])))
		return false;
	*ret = strtoull(text, NULL, 10) << (*unit == 'K' ? 10 : *unit == 'M' ? 20 : 0);
	return true;
}

static int parse_bytes(struct ini_reader *reader, const struct ini_entry *entry, void *field, const void *context)
{
	uint64_t bytes = 0;
	bool good = read_number(entry->value, "KM", &bytes);

	if (check_range(reader, entry, context, good, bytes))
		*(size_t *)field = bytes;
	return 0;
}

static int parse_count(struct ini_reader *reader, const struct ini_entry *entry, void *field, const void *context)
{
	uint64_t count = 0;
	bool good = read_number(entry->value, "", &count);

	if (check_range(reader, entry, context, good, count))
		*(unsigned *)field = (unsigned)count;
	return 0;
}

static int parse_time(struct ini_reader *reader, const struct ini_entry *entry, void *field, const void *context)
{
	uint64_t usec = 0;
	bool good = util_parse_duration(entry->value, &usec) == 0;

	if (check_range(reader, entry, context, good, usec))
		*(uint64_t *)field = usec;
	return 0;
}

/* A text; "none" becomes "". */
struct text {
	bool (*is_valid)(const char *value);
	const char *what; /* expected besides none, for messages */
};

static int parse_text(struct ini_reader *reader, const struct ini_entry *entry, void *field, const void *context)
{
	bool none = strcmp(entry->value, "none") == 0;
	const struct ini_entry taken = { .value = none ? "" : entry->value };
	const struct text *text = context;

	if (none || text->is_valid(entry->value))
		return ini_parse_text(reader, &taken, field, NULL);
	ini_complain_value(reader, entry, entry->value, "expected none or %s", text->what);
	return 0;
}

static bool is_textfile(const char *value)
{
	return value[0] == '/' && strlen(value) > 6 && util_has_suffix(value, ".prom");
}

static bool are_units(const char *value)
{
	static const char allowed[] =
		"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ:-_.@\\*?[]! \t";

	return value[0] && strspn(value, allowed) == strlen(value);
}

static const struct text textfile_text = { is_textfile, "an absolute path that ends in .prom" };
static const struct text units_text = { are_units,
	"unit names separated by spaces, for example nginx.service web-*.service" };
static const struct text hook_text = { hook_is_unit, "a template unit, for example offloadd-alert@.service" };

static void free_dirs(char **dirs)
{
	for (size_t i = 0; i < CONF_DIRS_MAX && dirs[i]; i++) {
		free(dirs[i]);
		dirs[i] = NULL;
	}
}

struct dirs {
	char *dirs[CONF_DIRS_MAX + 1];
	size_t n;
};

static int add_dir(struct ini_reader *reader, const struct ini_entry *entry, const char *word, void *userdata)
{
	struct dirs *dirs = userdata;

	if (dirs->n == CONF_DIRS_MAX)
		ini_complain(reader, entry->line, "more than %d directories in %s=", CONF_DIRS_MAX, entry->key);
	else if (word[0] != '/')
		ini_complain_value(reader, entry, word, "expected an absolute path");
	else
		return (dirs->dirs[dirs->n++] = strdup(word)) ? 0 : -ENOMEM;
	return -EINVAL;
}

static int parse_dirs(struct ini_reader *reader, const struct ini_entry *entry, void *field,
	const void *context _unused_)
{
	struct dirs dirs = { 0 };
	int r = ini_each_word(reader, entry, add_dir, &dirs);

	free_dirs(r < 0 ? dirs.dirs : field);
	if (r >= 0)
		memcpy(field, dirs.dirs, sizeof(dirs.dirs));
	return r == -EINVAL ? 0 : r;
}

#define DEFAULT_RULE_DIRS                                                                          \
	OFFLOADD_SYSCONFDIR "/offloadd/rules.d /run/offloadd-config/rules.d " OFFLOADD_PREFIX "/lib/offloadd/rules.d"
#define FIELD(name) offsetof(struct conf, name)

/* Keys of one section stand together. A default is parsed like any other value. */
static const struct conf_key {
	struct conf_key_info info;
	ini_parse_fn parse;
	size_t offset;
	const void *context;
} keys[] = {
	{ { "Daemon", "Mode", "audit", "enforce: apply the rules; audit: only report" },
		ini_parse_flag, FIELD(enforce), &modes },
	{ { "Daemon", "RulesDirectory", DEFAULT_RULE_DIRS, "rule directories, highest priority first" },
		parse_dirs, FIELD(rule_dirs), NULL },
	{ { "Daemon", "Namespaces", "observe", "other network namespaces: host: ignore; observe: only report; enforce: apply the rules for them" },
		ini_parse_word, FIELD(namespaces), &namespaces },
	{ { "Daemon", "EthtoolBackend", "auto", "how features are read and set" },
		ini_parse_word, FIELD(backend), &backends },
	{ { "Daemon", "ReceiveBuffer", "16M", "of each socket for kernel events" },
		parse_bytes, FIELD(rcvbuf_bytes), &rcvbuf_range },
	{ { "Daemon", "Probes", "yes", "trace software fallback, and who changes features" },
		ini_parse_flag, FIELD(probes), &truths },
	{ { "Contention", "Rounds", "4", "repairs of one feature within Window= after which it is contended" },
		parse_count, FIELD(contention.rounds), &rounds_range },
	{ { "Contention", "Window", "10s", "see Rounds=" },
		parse_time, FIELD(contention.window_usec), &contention_range },
	{ { "Contention", "Quiet", "12s", "how long a contended feature must stay unchanged to be repaired again" },
		parse_time, FIELD(contention.quiet_usec), &contention_range },
	{ { "Contention", "SlowRounds", "10", "repairs of one feature within SlowWindow= after which it is contended" },
		parse_count, FIELD(contention.slow_rounds), &rounds_range },
	{ { "Contention", "SlowSets", "60", "repairs of one interface within SlowWindow= after which its features are contended" },
		parse_count, FIELD(contention.slow_sets), &rounds_range },
	{ { "Contention", "SlowWindow", "1h", "see SlowRounds= and SlowSets=" },
		parse_time, FIELD(contention.slow_window_usec), &contention_range },
	{ { "Repair", "Revert", "no", "if-worse: undo a repair after which a service needs more CPU time per gigabyte" },
		ini_parse_flag, FIELD(undo_worse), &undos },
	{ { "Repair", "Window", "10s", "how long the CPU time per gigabyte is measured after a repair, twice" },
		parse_time, FIELD(effect_window_usec), &contention_range },
	{ { "Metrics", "Textfile", "none", "metrics file for node_exporter" },
		parse_text, FIELD(textfile), &textfile_text },
	{ { "Metrics", "SendfileLatency", "no", "time every sendfile(2) call for a histogram" },
		ini_parse_flag, FIELD(sendfile_latency), &truths },
	{ { "Restart", "Units", "none", "services that may be restarted to replace stale connections" },
		parse_text, FIELD(restart_units), &units_text },
	{ { "Restart", "Pause", "1min", "from one restart to the next" },
		parse_time, FIELD(restart_pause_usec), &contention_range },
	{ { "Hooks", "OnDrift", "none", "unit to start when an interface drifts in audit mode" },
		parse_text, FIELD(hooks[EVENT_DRIFT]), &hook_text },
	{ { "Hooks", "OnContended", "none", "unit to start when another program keeps reverting a feature" },
		parse_text, FIELD(hooks[EVENT_CONTENDED]), &hook_text },
	{ { "Hooks", "OnFallback", "none", "unit to start when a service uses software fallback" },
		parse_text, FIELD(hooks[EVENT_FALLBACK]), &hook_text },
	{ { "Hooks", "OnStale", "none", "unit to start when a service must reconnect" },
		parse_text, FIELD(hooks[EVENT_STALE]), &hook_text },
};

bool conf_key(size_t i, struct conf_key_info *ret)
{
	if (i >= ARRAY_SIZE(keys))
		return false;
	*ret = keys[i].info;
	return true;
}

/* Converts the table for ini_file.h. Returns the number of sections. */
static size_t list_sections(
	struct ini_key ini_keys[ARRAY_SIZE(keys)], struct ini_section sections[SECTIONS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		ini_keys[i] = (struct ini_key){
			keys[i].info.key, keys[i].parse, keys[i].offset, keys[i].context
		};
		if (i == 0 || strcmp(keys[i].info.section, keys[i - 1].info.section) != 0)
			sections[n++] = (struct ini_section){
				.name = keys[i].info.section, .keys = &ini_keys[i]
			};
		sections[n - 1].n_keys++;
	}
	return n;
}

int conf_load_text(struct conf *conf, const char *path, const char *text, size_t len,
	conf_report_fn report, void *userdata)
{
	struct ini_reader reader = { .path = path, .report = report, .userdata = userdata };
	struct ini_key ini_keys[ARRAY_SIZE(keys)];
	struct ini_section sections[SECTIONS_MAX];
	size_t n = list_sections(ini_keys, sections);

	return ini_file_parse(&reader, text, len, sections, n, conf);
}

static int load_file(struct conf *conf, const char *path, enum file_trust trust, conf_report_fn report, void *userdata)
{
	struct ini_reader reader = { .path = path, .trust = trust, .report = report, .userdata = userdata };
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r;

	if (ini_dir_is_mask(path))
		return 0;
	r = ini_file_read(&reader, &text, &len);
	return r == 0 ? conf_load_text(conf, path, text, len, report, userdata) : r;
}

int conf_set_defaults(struct conf *ret)
{
	struct ini_reader reader = { .path = "" };

	*ret = (struct conf){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const struct ini_entry entry = { 0, keys[i].info.section, keys[i].info.key,
			keys[i].info.fallback };

		if (keys[i].parse(&reader, &entry, (char *)ret + keys[i].offset, keys[i].context) < 0) {
			conf_clear(ret);
			return -ENOMEM;
		}
	}
	return 0;
}

void conf_clear(struct conf *conf)
{
	free_dirs(conf->rule_dirs);
	free(conf->textfile);
	free(conf->restart_units);
	for (size_t i = 0; i < ARRAY_SIZE(conf->hooks); i++)
		free(conf->hooks[i]);
	*conf = (struct conf){ 0 };
}

/* Counts errors and passes them on. */
struct counter {
	conf_report_fn report;
	void *userdata;
	size_t n;
};

static int count_report(void *userdata, const char *path, unsigned line, const char *message)
{
	struct counter *c = userdata;

	c->n++;
	return c->report ? c->report(c->userdata, path, line, message) : 0;
}

static int load_main(
	struct conf *conf, const char *const *files, bool must, struct counter *counter)
{
	for (size_t i = 0; files[i]; i++)
		if ((must && i == 0) || access(files[i], F_OK) == 0 || errno != ENOENT)
			return load_file(conf, files[i], must ? FILE_NAMED : FILE_SYSTEM, count_report, counter);
	return 0;
}

static int load_drop_ins(struct conf *conf, const char *const *dirs, bool named, struct counter *counter)
{
	const struct ini_dir dir = {
		.dirs = dirs,
		.trust = named ? FILE_NAMED : FILE_SYSTEM,
		.suffix = ".conf",
		.what = "drop-in",
		.optional = true,
		.report = count_report,
		.userdata = counter,
	};
	char **paths = NULL;
	size_t n = 0;
	int r = ini_dir_find(&dir, &paths, &n);

	for (size_t i = 0; i < n && r >= 0; i++)
		r = load_file(conf, paths[i], dir.trust, count_report, counter);
	ini_dir_free(paths, n);
	return r;
}

int conf_load_from(const char *const *files, const char *const *dirs, bool must,
	conf_report_fn report, void *userdata, struct conf *ret)
{
	struct counter counter = { report, userdata, 0 };
	int r = conf_set_defaults(ret);

	if (r >= 0)
		r = load_main(ret, files, must, &counter);
	if (r >= 0)
		r = load_drop_ins(ret, dirs, must, &counter);
	if (r < 0) {
		conf_clear(ret);
		return r;
	}
	ret->enforce_written = ret->enforce;
	if (counter.n > 0)
		ret->enforce = false;
	return counter.n > 0;
}

int conf_load(const char *path, conf_report_fn report, void *userdata, struct conf *ret)
{
	const char *const files[] = { path, NULL };
	_cleanup_free_ char *dir = NULL;
	const char *dirs[2] = { NULL };

	if (!path)
		return conf_load_from(default_files, default_dirs, false, report, userdata, ret);
	if (asprintf(&dir, "%s.d", path) < 0)
		return -ENOMEM;
	dirs[0] = dir;
	return conf_load_from(files, dirs, true, report, userdata, ret);
}

const char *const *conf_rule_dirs(const struct conf *conf)
{
	size_t i = 0;

	while (conf->rule_dirs[i] && rule_default_dirs[i] &&
		strcmp(conf->rule_dirs[i], rule_default_dirs[i]) == 0)
		i++;
	return conf->rule_dirs[i] || rule_default_dirs[i] ? (const char *const *)conf->rule_dirs
							   : rule_default_dirs;
}
