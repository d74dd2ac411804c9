/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/counters.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basic/file.h"
#include "basic/util.h"

#define TEXT_MAX (1u << 20)
#define WORD_LEN 64

/* Udp InErrors contains RcvbufErrors; InCsumErrors are in the InErrors (InErrs) of their protocol, too. */
static void add(struct counters *counters, const char *protocol, const char *name, uint64_t value)
{
	static const char *const protocols[] = { "Ip", "Tcp", "Udp", "Ip6", "Udp6" };
	static const char *const rejected[] = { "InHdrErrors", "InErrs", "InCsumErrors", "InTruncatedPkts" };
	bool known = false;

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		known |= strcmp(protocol, protocols[i]) == 0;
	for (size_t i = 0; known && i < ARRAY_SIZE(rejected); i++)
		counters->rejected += strcmp(name, rejected[i]) == 0 ? value : 0;
	if (known && strcmp(name, "RcvbufErrors") == 0)
		counters->full += value;
}

bool counters_may_explain(enum frame_wrong wrong)
{
	return wrong == FRAME_LOST || wrong == FRAME_ORDER || wrong == FRAME_ID || wrong == FRAME_REJECTED;
}

/* The next word of a line, and moves *at behind it. False at the end of the line. */
static bool next_word(const char **at, char ret[WORD_LEN])
{
	size_t len;

	*at += strspn(*at, " \t");
	len = strcspn(*at, " \t\n");
	snprintf(ret, WORD_LEN, "%.*s", (int)len, *at);
	*at += len;
	return len > 0;
}

void counters_add_snmp(struct counters *counters, const char *text)
{
	char protocol[WORD_LEN], name[WORD_LEN], value[WORD_LEN];

	while (*text) { /* a line of names, and a line of values */
		const char *names = text, *values = strchr(text, '\n');

		if (!values)
			return;
		values++;
		text = values + strcspn(values, "\n");
		text += *text == '\n';
		if (!next_word(&names, protocol) || !next_word(&values, value) || strcmp(protocol, value) != 0)
			continue;
		protocol[strcspn(protocol, ":")] = 0;
		while (next_word(&names, name) && next_word(&values, value))
			add(counters, protocol, name, strtoull(value, NULL, 10));
	}
}

void counters_add_snmp6(struct counters *counters, const char *text)
{
	char name[WORD_LEN], value[WORD_LEN];

	for (const char *at = text; *at; at += *at == '\n') {
		char *six;

		if (next_word(&at, name) && next_word(&at, value) && (six = strchr(name, '6'))) {
			char protocol[WORD_LEN];

			snprintf(protocol, sizeof(protocol), "%.*s", (int)(six + 1 - name), name);
			add(counters, protocol, six + 1, strtoull(value, NULL, 10));
		}
		at += strcspn(at, "\n");
	}
}

/* softnet_seq_show(): the second number of each CPU counts what its backlog had no room for */
void counters_add_softnet(struct counters *counters, const char *text)
{
	char word[WORD_LEN];

	for (const char *at = text; *at; at += *at == '\n') {
		if (next_word(&at, word) && next_word(&at, word))
			counters->full += strtoull(word, NULL, 16);
		at += strcspn(at, "\n");
	}
}

void counters_read(struct counters *ret)
{
	static const struct {
		const char *path;
		void (*add)(struct counters *counters, const char *text);
	} files[] = { { "/proc/thread-self/net/snmp", counters_add_snmp }, { "/proc/thread-self/net/snmp6", counters_add_snmp6 },
		{ "/proc/thread-self/net/softnet_stat", counters_add_softnet } };

	*ret = (struct counters){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_free_ char *text = NULL;
		size_t len;

		if (file_read_path(files[i].path, TEXT_MAX, &text, &len) == 0)
			files[i].add(ret, text);
	}
}
