/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Feeds the reader of offloadd.conf any bytes, as a main file and a drop-in that begins at the first line "---", and holds it to its
 * contract: each error is clean and has a line that there is, and what was read is within the documented ranges. */
#include "fuzz.h"

#include "offloadd/conf.h"
#include "report/hook.h"

struct errors {
	unsigned n, lines;
};

static int report(void *userdata, const char *path, unsigned line, const char *message)
{
	struct errors *errors = userdata;

	assert(strcmp(path, "fuzz.conf") == 0);
	assert(line <= errors->lines);
	fuzz_check_text(message);
	assert(*message && strncmp(message, "cannot be parsed", 16) != 0);
	errors->n++;
	return 0;
}

static void load(struct conf *conf, const char *text, size_t len)
{
	struct errors errors = { .lines = 1 };
	int r;

	for (size_t i = 0; i < len; i++)
		errors.lines += text[i] == '\n';
	r = conf_load_text(conf, "fuzz.conf", text, len, report, &errors);
	assert(r == (errors.n > 0));
}

static void check(const struct conf *conf)
{
	size_t n = 0;

	while (conf->rule_dirs[n])
		assert(conf->rule_dirs[n++][0] == '/');
	assert(n <= CONF_DIRS_MAX);
	assert(conf_rule_dirs(conf)[0]);
	assert(conf->rcvbuf_bytes >= CONF_RCVBUF_MIN && conf->rcvbuf_bytes <= CONF_RCVBUF_MAX);
	assert(conf->textfile && (!conf->textfile[0] || conf->textfile[0] == '/'));
	assert(conf->restart_units);
	for (unsigned i = 0; i < EVENT_KIND_COUNT; i++)
		assert(!conf->hooks[i] || !conf->hooks[i][0] || hook_is_unit(conf->hooks[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *drop_in = size ? memmem(text, size, "\n---\n", 5) : NULL;
	size_t main_len = drop_in ? (size_t)(drop_in - text) + 1 : size;
	struct conf conf;

	assert(conf_set_defaults(&conf) == 0);
	load(&conf, text, main_len);
	check(&conf);
	if (drop_in) {
		load(&conf, drop_in + 5, size - main_len - 4);
		check(&conf);
	}
	conf_clear(&conf);
	return 0;
}
