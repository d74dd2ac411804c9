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
	"/etc/offloadd/offloadd.conf",
	"/run/offloadd/offloadd.conf",
	OFFLOADD_PREFIX "/lib/offloadd/offloadd.conf",
	NULL,
};

static const char *const default_dirs[] = {
	"/etc/offloadd/offloadd.conf.d",
	"/run/offloadd/offloadd.conf.d",
	OFFLOADD_PREFIX "/lib/offloadd/offloadd.conf.d",
	NULL,
};

struct words {
	const char *what; /* "write audit or enforce" */
	const char *const *words;
	size_t n; /* the index of a word is its value */
};

static const char *const mode_words[] = { "audit", "enforce" };
static const struct words modes = { "write audit or enforce", mode_words, ARRAY_SIZE(mode_words) };

static const char *const truth_words[] = { "no", "yes" };
static const struct words truths = { "write yes or no", truth_words, ARRAY_SIZE(truth_words) };

static const struct words backends = {
	"write auto, netlink or ioctl", ethtool_backend_words, ETHTOOL_BACKENDS
};

struct range {
	uint64_t least, most;
	const char *what; /* how it is to be written */
};

static const struct range rcvbuf_range = { CONF_RCVBUF_MIN, CONF_RCVBUF_MAX,
	"from 4K to 256M, as bytes or with K or M behind" };
static const struct range rounds_range = { 2, 200, "a number from 2 to 200" };
static const struct range contention_range = { USEC_PER_SEC, 3600 * USEC_PER_SEC,
	"a time from 1s to 1h, as in 90s or 1min 30s" };

static const char *shown(const struct ini_entry *entry, char *buf, size_t size)
{
	return ini_copy_text(buf, size, entry->value, strlen(entry->value));
}

/* Index of the value among the words, -1 when it is none of them and the reader heard it. */
static int find_word(
	struct ini_reader *reader, const struct ini_entry *entry, const struct words *words)
{
	char text[64];

	for (size_t i = 0; i < words->n; i++)
		if (strcmp(entry->value, words->words[i]) == 0)
			return (int)i;
	ini_complain(reader, entry->line, "%s=: unknown word \"%s\": %s", entry->key,
		shown(entry, text, sizeof(text)), words->what);
	return -1;
}

/* One of two words, the second is true. */
static int parse_choice(struct ini_reader *reader, const struct ini_entry *entry, void *field,
	const void *context)
{
	int i = find_word(reader, entry, context);

	if (i >= 0)
		*(bool *)field = i == 1;
	return 0;
}

static int parse_backend(struct ini_reader *reader, const struct ini_entry *entry, void *field,
	const void *context)
{
	int i = find_word(reader, entry, context);

	if (i >= 0)
		*(enum ethtool_backend *)field = (enum ethtool_backend)i;
	return 0;
}

static bool in_range(const struct range *range, uint64_t value)
{
	return value >= range->least && value <= range->most;
}

static void complain_range(
	struct ini_reader *reader, const struct ini_entry *entry, const struct range *range)
{
	char text[64];

	ini_complain(reader, entry->line, "%s=: \"%s\" cannot be: write %s", entry->key,
		shown(entry, text, sizeof(text)), range->what);
}

/* Digits and nothing else; false when there is more, or too much. */
static bool read_number(const char *text, char **ret_end, uint64_t *ret)
{
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 15)
		return false;
	*ret = strtoull(text, ret_end, 10);
	return true;
}

static int parse_bytes(struct ini_reader *reader, const struct ini_entry *entry, void *field,
	const void *context)
{
	uint64_t bytes = 0;
	char *end = NULL;
	bool good = read_number(entry->value, &end, &bytes);

	if (good && (*end == 'K' || *end == 'M'))
		bytes <<= *end++ == 'K' ? 10 : 20;
	if (good && !*end && in_range(context, bytes))
		*(size_t *)field = bytes;
	else
		complain_range(reader, entry, context);
	return 0;
}

static int parse_count(struct ini_reader *reader, const struct ini_entry *entry, void *field,
	const void *context)
{
	uint64_t count = 0;
	char *end = NULL;

	if (read_number(entry->value, &end, &count) && !*end && in_range(context, count))
		*(unsigned *)field = (unsigned)count;
	else
		complain_range(reader, entry, context);
	return 0;
}

static int parse_time(struct ini_reader *reader, const struct ini_entry *entry, void *field,
	const void *context)
{
	uint64_t usec;

	if (util_parse_duration(entry->value, &usec) == 0 && in_range(context, usec))
		*(uint64_t *)field = usec;
	else
		complain_range(reader, entry, context);
	return 0;
}

static bool is_none(const struct ini_entry *entry)
{
	return strcmp(entry->value, "none") == 0;
}

/* none becomes "". */
static int take_text(const struct ini_entry *entry, void *field)
{
	char *copy = strdup(is_none(entry) ? "" : entry->value);

	if (!copy)
		return -ENOMEM;
	free(*(char **)field);
	*(char **)field = copy;
	return 0;
}

static int parse_textfile(struct ini_reader *reader, const struct ini_entry *entry, void *field,
	const void *context _unused_)
{
	size_t len = strlen(entry->value);
	char text[64];

	if (is_none(entry) ||
		(entry->value[0] == '/' && len > 6 && strcmp(entry->value + len - 5, ".prom") == 0))
		return take_text(entry, field);
	ini_complain(reader, entry->line,
		"%s=: \"%s\" must be none or a full path, beginning with / and ending in .prom", entry->key,
		shown(entry, text, sizeof(text)));
	return 0;
}

static int parse_units(struct ini_reader *reader, const struct ini_entry *entry, void *field,
	const void *context _unused_)
{
	static const char allowed[] =
		"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ:-_.@\\*?[]! \t";
	char text[64];

	if (is_none(entry) || (entry->value[0] && strspn(entry->value, allowed) == strlen(entry->value)))
		return take_text(entry, field);
	ini_complain(reader, entry->line,
		"%s=: \"%s\" must be none or names of units, separated by blanks, as in nginx.service web-*.service",
		entry->key, shown(entry, text, sizeof(text)));
	return 0;
}

static int parse_hook(struct ini_reader *reader, const struct ini_entry *entry, void *field,
	const void *context _unused_)
{
	char text[64];

	if (is_none(entry) || hook_is_unit(entry->value))
		return take_text(entry, field);
	ini_complain(reader, entry->line,
		"%s=: \"%s\" must be none or a template of a service, as in offloadd-alert@.service", entry->key,
		shown(entry, text, sizeof(text)));
	return 0;
}

static void free_dirs(char **dirs)
{
	for (size_t i = 0; i < CONF_DIRS_MAX && dirs[i]; i++) {
		free(dirs[i]);
		dirs[i] = NULL;
	}
}

/* Takes n words into dirs; false when one cannot be and the reader heard why. */
static bool check_dir(
	struct ini_reader *reader, const struct ini_entry *entry, const char *word, size_t n)
{
	char text[64];

	if (n == CONF_DIRS_MAX)
		ini_complain(reader, entry->line, "%s=: more than %d folders", entry->key, CONF_DIRS_MAX);
	else if (word[0] != '/')
		ini_complain(reader, entry->line, "%s=: \"%s\" must be a full path, beginning with /",
			entry->key, ini_copy_text(text, sizeof(text), word, strlen(word)));
	else
		return true;
	return false;
}

static int parse_dirs(struct ini_reader *reader, const struct ini_entry *entry, void *field,
	const void *context _unused_)
{
	_cleanup_free_ char *copy = strdup(entry->value);
	char *dirs[CONF_DIRS_MAX + 1] = { NULL }, *save = NULL;
	size_t n = 0;

	if (!copy)
		return -ENOMEM;
	for (char *word = strtok_r(copy, " \t", &save); word; word = strtok_r(NULL, " \t", &save)) {
		if (!check_dir(reader, entry, word, n)) {
			free_dirs(dirs);
			return 0;
		}
		dirs[n] = strdup(word);
		if (!dirs[n++]) {
			free_dirs(dirs);
			return -ENOMEM;
		}
	}
	free_dirs(field);
	memcpy(field, dirs, sizeof(dirs));
	return 0;
}

#define DEFAULT_RULE_DIRS                                                                          \
	"/etc/offloadd/rules.d /run/offloadd/rules.d " OFFLOADD_PREFIX "/lib/offloadd/rules.d"
#define FIELD(name) offsetof(struct conf, name)

/* Keys of one section stand together. A default is parsed like any other value. */
static const struct conf_key {
	struct conf_key_info info;
	ini_parse_fn parse;
	size_t offset;
	const void *context;
} keys[] = {
	{ { "Daemon", "Mode", "audit", "enforce: change what is not as declared; audit: only tell" },
		parse_choice, FIELD(enforce), &modes },
	{ { "Daemon", "RulesDirectory", DEFAULT_RULE_DIRS, "where rules are, the strongest first" },
		parse_dirs, FIELD(rule_dirs), NULL },
	{ { "Daemon", "EthtoolBackend", "auto", "how features are read and set" }, parse_backend,
		FIELD(backend), &backends },
	{ { "Daemon", "ReceiveBuffer", "16M", "of each socket that events come by" }, parse_bytes,
		FIELD(rcvbuf_bytes), &rcvbuf_range },
	{ { "Daemon", "Probes", "yes", "look into the kernel for who pays for fallback, and who changed a link" },
		parse_choice, FIELD(probes), &truths },
	{ { "Contention", "Rounds", "4", "repairs of one feature within Window= that make it a fight" },
		parse_count, FIELD(contention.rounds), &rounds_range },
	{ { "Contention", "Window", "10s", "see Rounds=" }, parse_time,
		FIELD(contention.window_usec), &contention_range },
	{ { "Contention", "Quiet", "12s", "a fight is over when nobody changed the feature for so long" },
		parse_time, FIELD(contention.quiet_usec), &contention_range },
	{ { "Metrics", "Textfile", "none", "where metrics are written for node_exporter" }, parse_textfile,
		FIELD(textfile), NULL },
	{ { "Metrics", "SendfileLatency", "no", "time every call of sendfile(2) for a histogram" }, parse_choice,
		FIELD(sendfile_latency), &truths },
	{ { "Restart", "Units", "none", "services that may be restarted to make stale connections anew" },
		parse_units, FIELD(restart_units), NULL },
	{ { "Restart", "Pause", "1min", "from one restart to the next" }, parse_time,
		FIELD(restart_pause_usec), &contention_range },
	{ { "Hooks", "OnDrift", "none", "unit to start when a link is not as declared and only audited" },
		parse_hook, FIELD(hooks[EVENT_DRIFT]), NULL },
	{ { "Hooks", "OnContended", "none", "unit to start when somebody keeps changing a link back" },
		parse_hook, FIELD(hooks[EVENT_CONTENDED]), NULL },
	{ { "Hooks", "OnFallback", "none", "unit to start when a service pays for software fallback" },
		parse_hook, FIELD(hooks[EVENT_FALLBACK]), NULL },
	{ { "Hooks", "OnStale", "none", "unit to start when a service must make its connections anew" },
		parse_hook, FIELD(hooks[EVENT_STALE]), NULL },
};

bool conf_key(size_t i, struct conf_key_info *ret)
{
	if (i >= ARRAY_SIZE(keys))
		return false;
	*ret = keys[i].info;
	return true;
}

/* The table as ini_file.h wants it. Returns the number of sections. */
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

static int load_file(struct conf *conf, const char *path, conf_report_fn report, void *userdata)
{
	struct ini_reader reader = { .path = path, .report = report, .userdata = userdata };
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

/* Counts complaints on their way; folders that cannot be read are errors too. */
struct counter {
	conf_report_fn report;
	void *userdata;
	size_t n;
};

static int count_report(void *userdata, const char *path, unsigned line, const char *message)
{
	struct counter *c = userdata;

	c->n++;
	return c->report(c->userdata, path, line, message);
}

static int load_main(
	struct conf *conf, const char *const *files, bool must, struct counter *counter)
{
	for (size_t i = 0; files[i]; i++)
		if ((must && i == 0) || access(files[i], F_OK) == 0 || errno != ENOENT)
			return load_file(conf, files[i], count_report, counter);
	return 0;
}

static int load_drop_ins(struct conf *conf, const char *const *dirs, struct counter *counter)
{
	const struct ini_dir dir = {
		.dirs = dirs,
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
		r = load_file(conf, paths[i], count_report, counter);
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
		r = load_drop_ins(ret, dirs, &counter);
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
