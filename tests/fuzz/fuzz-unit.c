/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Feeds the parsers of cgroup paths any text: as the path of a cgroup, and as /proc/PID/cgroup. Every path gives a service with clean
 * names, and one that can be written. A text that begins with { or [ is also a file in which a container runtime records containers. */
#include "fuzz.h"

#include "kernel/container.h"
#include "model/unit.h"

static void check_path(const char *path)
{
	char text[UNIT_SERVICE_LEN], service[UNIT_PATH_MAX];
	struct unit unit;

	unit_parse_path(path, &unit);
	fuzz_check_name(unit.name, sizeof(unit.name));
	fuzz_check_name(unit.runtime, sizeof(unit.runtime));
	fuzz_check_name(unit.container, sizeof(unit.container));
	assert(unit_kind_parse(unit_kind_name(unit.kind)) == unit.kind);
	assert((unit.kind == UNIT_NONE) == (path[strspn(path, "/")] == '\0'));
	assert((unit.kind == UNIT_NONE) == (unit.name[0] == '\0'));
	assert((unit.kind == UNIT_CONTAINER) == (unit.container[0] != '\0'));
	assert(unit.kind == UNIT_USER || unit.kind == UNIT_CONTAINER || unit.uid == 0);
	fuzz_check_name(unit_format(&unit, text, sizeof(text)), sizeof(text));
	assert(text[0]);
	if (unit_path_of_service(path, service, sizeof(service)))
		assert(strlen(service) == strlen(path) + 1 && strcmp(service + strlen(service) - 8, ".service") == 0);
}

static void check_records(const char *text, size_t len)
{
	_cleanup_json_ struct json_value *file = NULL;
	char why[JSON_WHY_LEN];

	if ((text[0] != '{' && text[0] != '[') || json_parse(text, len, JSON_OF_FILE, &file, why, sizeof(why)) < 0)
		return;
	for (int format = CONTAINER_DOCKER; format <= CONTAINER_OCI; format++) {
		struct container_record record;

		assert(container_find((enum container_format)format, file, "4f0d", &record) == (record.name[0] || record.image[0]));
		fuzz_check_name(record.name, sizeof(record.name));
		fuzz_check_name(record.image, sizeof(record.image));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), path[256];
	int r = unit_parse_proc(text, path, sizeof(path));

	assert(r == 0 || r == 1 || r == -ENOENT || r == -ENAMETOOLONG);
	if (r >= 0) {
		assert(path[0] == '/' && strlen(path) < sizeof(path) && !strchr(path, '\n') && strstr(text, path));
		check_path(path);
	}
	check_path(text);
	check_records(text, size);
	free(text);
	return 0;
}
