/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Feeds the rule reader any bytes and holds it to its contract: a rule or errors, never both or
 * neither, all of them clean text that points into the file; and what was read can be matched. */
#include <assert.h>
#include <string.h>

#include "../unit/unit.h"
#include "rules/rule_file.h"

static struct feature_table features;
static struct link_table links;

static void make_links(void)
{
	struct link lower = {.ifindex = 2, .name = "bond0", .kind = "bond", .driver = "bonding"};
	struct link upper = {.ifindex = 3, .name = "vlan10", .kind = "vlan", .lower_ifindex = 2};
	struct link port = {.ifindex = 4,
		.name = "eth2",
		.kind = "physical",
		.driver = "e1000e",
		.master_ifindex = 2,
		.address = {0x52, 0x54},
		.address_len = 6,
		.default_route = true};

	unit_features(&features);
	link_table_update(&links, &lower, NULL);
	link_table_update(&links, &upper, NULL);
	link_table_update(&links, &port, NULL);
	link_table_stack(&links);
}

static void check_text(const char *text)
{
	char copy[2048];

	assert(text && *text);
	assert(strcmp(text, util_copy_text(copy, sizeof(copy), text, strlen(text))) == 0);
}

static unsigned count_lines(const uint8_t *data, size_t size)
{
	unsigned n = 1;

	for (size_t i = 0; i < size; i++)
		n += data[i] == '\n';
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct rule_host host = {.kernel_release = "6.1.0-18-amd64", .host_name = "host", .virtualization = "kvm"};
	struct declaration declarations[FEATURE_MAX], foreign[4];
	struct rule_set set = { 0 };
	int r;

	if (!features.count)
		make_links();
	r = rule_set_load_text(&set, "fuzz.rule", (const char *)data, size, &features);
	assert(r == 0 || r == 1);
	assert(set.n_rules == (r == 0) && (set.n_errors == 0) == (r == 0));
	assert(set.n_errors <= INI_MAX_ERRORS + 1);
	for (size_t i = 0; i < set.n_errors; i++) {
		check_text(set.errors[i].message);
		assert(set.errors[i].line <= count_lines(data, size));
		assert(strncmp(set.errors[i].message, "cannot be parsed", 16) != 0);
	}
	if (r == 0) {
		assert(set.rules[0].n_features > 0 || set.rules[0].has_limits);
		if (set.rules[0].reason) { /* arrives as written */
			check_text(set.rules[0].reason);
			assert(memmem(
				data, size, set.rules[0].reason, strlen(set.rules[0].reason)));
		}
	}
	link_table_foreach (&links, link)
		rule_set_declare(
			&set, &links, link, &host, declarations, foreign, ARRAY_SIZE(foreign));
	rule_set_clear(&set);
	return 0;
}
