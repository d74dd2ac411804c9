/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Feeds offloadd-hook, which runs as root, any datagrams: what it accepts has only known fields, each once, and becomes lines that an
 * EnvironmentFile= reads back as they were. The input is also tried as the name of a unit. */
#include "fuzz.h"

#include <stdio.h>

#include "report/hook.h"

/* As systemd reads NAME="VALUE" (parse_env_file() in systemd, with the escapes that EnvironmentFile= has). */
static char *read_line(char *at, const char *name, const char *value)
{
	size_t len = strlen(name);

	assert(strncmp(at, name, len) == 0 && at[len] == '=' && at[len + 1] == '"');
	for (at += len + 2; *at != '"'; at++, value++) {
		if (*at == '\\') {
			at++;
			assert(strchr("\"\\`$", *at));
		}
		assert(*at && *at == *value);
	}
	assert(*value == '\0' && at[1] == '\n');
	return at + 2;
}

static void check_environment(const struct hook_event *event)
{
	char *text = NULL, *at;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert(f && hook_write_environment(f, event) == 0);
	fclose(f);
	at = text;
	for (size_t i = 0; i < event->n_fields; i++)
		at = read_line(at, event->fields[i].name, event->fields[i].value);
	assert(*at == '\0');
	free(text);
}

static void check_unit(const char *unit)
{
	char name[256];

	if (!hook_is_unit(unit)) {
		assert(hook_format_unit(unit, "drift-1", name, sizeof(name)) == -EINVAL);
		return;
	}
	assert(hook_format_unit(unit, "drift-1", name, sizeof(name)) == 0);
	assert(!strchr(name, '/') && name[0] != '-' && name[0] != '.' && strlen(name) <= 255);
	fuzz_check_name(name, sizeof(name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct hook_event event;
	int r;

	check_unit(text);
	r = hook_decode(text, size, &event);
	assert(r == 0 || r == -EBADMSG);
	if (r == 0) {
		assert(event.kind < EVENT_KIND_COUNT && event.n_fields >= 1 && event.n_fields <= HOOK_FIELDS_MAX);
		for (size_t i = 0; i < event.n_fields; i++) {
			assert(strncmp(event.fields[i].name, "OFFLOADD_", 9) == 0);
			fuzz_check_name(event.fields[i].value, HOOK_EVENT_MAX);
			for (size_t j = 0; j < i; j++)
				assert(strcmp(event.fields[i].name, event.fields[j].name) != 0);
		}
		check_environment(&event);
	}
	free(text);
	return 0;
}
