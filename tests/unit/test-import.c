/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What import does not convert, and why; that no text makes a rule with an error. tests/scenarios/uml/42-import.sh compares with a kernel. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rules/import.h"
#include "rules/rule_file.h"

static struct import import;

/* Reads a text; "[MATCH] FEATURES" of each rule on a line, then "- LINE" of what was not converted, "? LINE" of what to check. */
static const char *converts(enum import_form form, const char *text)
{
	static char out[4096];
	static const struct feature_table none;
	struct rule_set set = { 0 };

	import_clear(&import);
	assert_int_equal(import_add(&import, form, "dir/file", text), 0);
	out[0] = '\0';
	for (size_t i = 0; i < import.n_rules; i++) {
		const struct import_rule *r = &import.rules[i];
		char *rule = import_format(r);

		assert_int_equal(rule_set_load_text(&set, "t.rule", rule, strlen(rule), &none), 0);
		free(rule);
		for (size_t k = 0; k < r->match.n; k++)
			util_append(out, sizeof(out), "%s=%s ", r->match.pairs[k].key, r->match.pairs[k].value);
		util_append(out, sizeof(out), ":");
		for (size_t k = 0; k < r->features.n; k++)
			util_append(out, sizeof(out), " %s=%s", r->features.pairs[k].key, r->features.pairs[k].value);
		for (size_t k = 0; k < r->limits.n; k++)
			util_append(out, sizeof(out), " %s=%s", r->limits.pairs[k].key, r->limits.pairs[k].value);
		util_append(out, sizeof(out), "\n");
	}
	for (size_t i = 0; i < import.n_notes; i++)
		util_append(out, sizeof(out), "%c %u\n", import.notes[i].converted ? '?' : '-', import.notes[i].line);
	rule_set_clear(&set);
	return out;
}

static void a_link_file(void **state _unused_)
{
	/* a match that no rule has must not become a rule for more interfaces */
	assert_string_equal(converts(IMPORT_LINK, "[Match]\nOriginalName=eth0\nProperty=ID_X=1\n[Link]\nTCPSegmentationOffload=no\n"), "- 3\n- 0\n");
	assert_string_equal(converts(IMPORT_LINK, "[Match]\nType=wlan\n[Link]\nTCPSegmentationOffload=no\n"), "- 2\n- 0\n");
	assert_string_equal(converts(IMPORT_LINK, "[Link]\nTCPSegmentationOffload=no\n"), "- 0\n");
	/* only the IPv4 feature, as in udev */
	assert_string_equal(converts(IMPORT_LINK, "[Match]\nPath=pci-0000:02:00.0-*\n[Link]\nTCPSegmentationOffload=no\nRxBufferSize=512\n"),
		"Path=pci-0000:02:00.0-* : tx-tcp-segmentation=off\n- 5\n");
	/* the name before udev changes it */
	assert_string_equal(converts(IMPORT_LINK, "[Match]\nOriginalName=eth*\n[Link]\nNamePolicy=path\nScatterGather=on\n"),
		"Name=eth* : tx-scatter-gather=on\n? 5\n");
	assert_string_equal(converts(IMPORT_LINK, "[Match]\nOriginalName=*\n[Link]\nNamePolicy=keep kernel\nGenericReceiveOffload=perhaps\n"), "- 5\n");
	assert_string_equal(converts(IMPORT_LINK, "[Match]\nOriginalName=*\n[Link]\nNamePolicy=keep kernel\nMTUBytes=9000\n"), "- 5\n");
}

static void the_first_link_file_wins(void **state _unused_)
{
	static const char first[] = "[Match]\nOriginalName=eth0\n[Link]\nTCPSegmentationOffload=yes\n";
	static const char second[] = "[Match]\nOriginalName=*\n[Link]\nTCPSegmentationOffload=no\n";

	import_clear(&import);
	assert_int_equal(import_add(&import, IMPORT_LINK, "10-a.link", first), 0);
	assert_int_equal(import_add(&import, IMPORT_LINK, "99-z.link", second), 0);
	assert_int_equal(import.n_rules, 2);
	assert_string_equal(import.rules[1].path, "10-a.link");
	assert_int_equal(import.n_notes, 1);
	assert_true(import.notes[0].converted);
}

static void a_script(void **state _unused_)
{
	assert_string_equal(converts(IMPORT_SCRIPT, "ethtool -K eth0 tso off # later: sg off\n"), "Name=eth0 : tso=off\n");
	assert_string_equal(converts(IMPORT_SCRIPT, "echo ethtool -K eth0 tso off\nethtool -k eth0\n"), "- 0\n");
	assert_string_equal(converts(IMPORT_SCRIPT, "ethtool -K $1 tso off\nethtool -K $(ls) gro on\nethtool -K `x` gro on\n"), "- 1\n- 2\n- 3\n");
	assert_string_equal(converts(IMPORT_SCRIPT, "for i in a b; do ethtool -K $i sg off; done\n"), "Name=a : sg=off\nName=b : sg=off\n");
	assert_string_equal(converts(IMPORT_SCRIPT, "for i in /sys/class/net/*; do ethtool -K ${i##*/} sg off; done\n"), "- 1\n");
	assert_string_equal(converts(IMPORT_SCRIPT, "if x; then\nethtool -K a sg off\nfi\nethtool -K b sg off\n"),
		"Name=a : sg=off\nName=b : sg=off\n? 2\n");
	assert_string_equal(converts(IMPORT_SCRIPT, "ethtool -G a rx 9; ethtool -C a rx-usecs 1\nethtool -K a speling on tso\n"),
		"- 1\n- 1\n- 2\n- 2\n");
	assert_string_equal(converts(IMPORT_SCRIPT, "ExecStart=/sbin/ethtool -K %i tso off\nExecStop=/sbin/ethtool -K a tso on\n"), "- 1\n- 2\n");
	assert_string_equal(converts(IMPORT_SCRIPT, "cat >x <<'EOF'\nethtool -K a tso off\nEOF\nethtool -K b tso off\n"), "Name=b : tso=off\n");
	assert_string_equal(converts(IMPORT_SCRIPT, "ethtool -K $(x tso off\nExecethtool\n"), "- 1\n");
	/* what comes later wins, also behind a pattern */
	assert_string_equal(converts(IMPORT_SCRIPT, "ethtool -K a tso on\nethtool -K a tx-tcp-segmentation off\nethtool -K a tso on\n"),
		"Name=a : tso=on\n");
	assert_string_equal(converts(IMPORT_SCRIPT, "ethtool -K a sg on\nethtool -K 'a*' sg off\nethtool -K a sg on\n"),
		"Name=a : sg=on\nName=a* : sg=off\nName=a : sg=on\n");
}

static void others(void **state _unused_)
{
	assert_string_equal(converts(IMPORT_UDEV, "KERNEL==\"a\", TEST==\"x\", RUN+=\"/sbin/ethtool -K a tso off\"\n"), "- 1\n");
	assert_string_equal(converts(IMPORT_UDEV, "ATTRS{vendor}==\"0x8086\", ATTRS{device}==\"0x10d3\", RUN+=\"ethtool -K $name tso off\"\n"),
		"Device=8086:10d3 : tso=off\n");
	assert_string_equal(converts(IMPORT_UDEV, "ENV{DEVTYPE}!=\"wlan\", RUN+=\"ethtool -K $name tso off\"\n"), "- 1\n");
	assert_string_equal(converts(IMPORT_KEYFILE, "[connection]\ntype=wifi\n[ethtool]\nfeature-tso=false\n"), "- 4\n");
	assert_string_equal(converts(IMPORT_KEYFILE, "[connection]\ntype=ethernet\n[ethtool]\nfeature-tso=false\n"),
		"Kind=physical veth : tso=off\n? 4\n");
	assert_string_equal(converts(IMPORT_NETPLAN, "network:\n  ethernets:\n    a:\n      match: *x\n      tcp-segmentation-offload: no\n"),
		"- 4\n- 5\n");
	assert_string_equal(converts(IMPORT_NETPLAN, "network:\n  ethernets:\n    a:\n      match: {path: x}\n      tcp-segmentation-offload: no\n"),
		"- 4\n- 5\n");
	assert_string_equal(converts(IMPORT_NETPLAN, "network: {ethernets: {a: {"), "- 0\n");
	assert_string_equal(converts(IMPORT_IFUPDOWN, "iface a inet dhcp\n up ethtool -K b tso off; ethtool -K $IFACE gro on\n"),
		"Name=b : tso=off\nName=a : rx-gro=on\n");
	assert_string_equal(converts(IMPORT_IFUPDOWN, "iface a inet dhcp\n offload-tso off\n down ethtool -K a tso on\n"), "Name=a : tso=off\n- 3\n");
}

static void names_of_files(void **state _unused_)
{
	char name[64];
	struct import_rule rule = { .name = (char *)"../eth*\n0" };

	assert_string_equal(import_file_name(&rule, 3, name, sizeof(name)), "60-import-03-eth0.rule");
	assert_int_equal(import_guess("x", "auto lo\niface lo inet loopback\n"), IMPORT_IFUPDOWN);
	assert_int_equal(import_guess("x", "network:\n"), IMPORT_NETPLAN);
	assert_int_equal(import_guess("x", "ethtool -K a tso off\n"), IMPORT_SCRIPT);
	assert_int_equal(import_guess("x.link", ""), IMPORT_LINK);
}

static void rules_are_bounded(void **state _unused_)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	for (unsigned i = 0; i < IMPORT_RULES_MAX; i++)
		fprintf(f, "ethtool -K e%u tso off\n", i);
	fflush(f);
	import_clear(&import);
	assert_int_equal(import_add(&import, IMPORT_SCRIPT, "dir/file", text), 0);
	assert_int_equal(import.n_rules, IMPORT_RULES_MAX);
	fprintf(f, "ethtool -K more tso off\n");
	fclose(f);
	import_clear(&import);
	assert_int_equal(import_add(&import, IMPORT_SCRIPT, "dir/file", text), -E2BIG);
	import_clear(&import);
	assert_int_equal(import_add(&import, IMPORT_SCRIPT, "dir/file", "ethtool -K more tso off\n"), 0);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_link_file), cmocka_unit_test(the_first_link_file_wins), cmocka_unit_test(a_script),
		cmocka_unit_test(others), cmocka_unit_test(names_of_files), cmocka_unit_test(rules_are_bounded),
	};
	int r = cmocka_run_group_tests(tests, NULL, NULL);

	import_clear(&import);
	return r;
}
