/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/import.h"

#include <fnmatch.h>
#include <string.h>

#include "rules/import_private.h"

static const char *const forms[IMPORT_FORMS] = {
	[IMPORT_LINK] = "a .link file",
	[IMPORT_KEYFILE] = "a NetworkManager keyfile",
	[IMPORT_IFUPDOWN] = "interfaces(5)",
	[IMPORT_NETPLAN] = "netplan",
	[IMPORT_UDEV] = "udev rules",
	[IMPORT_SCRIPT] = "a script",
};

const char *import_form_name(enum import_form form)
{
	return forms[form];
}

static bool has_line(const char *text, const char *pattern)
{
	_cleanup_free_ char *line = NULL;
	unsigned number = 0;

	while (import_next_line(&text, &number, &line))
		if (fnmatch(pattern, line, 0) == 0)
			return true;
	return false;
}

enum import_form import_guess(const char *path, const char *text)
{
	if (util_has_suffix(path, ".link"))
		return IMPORT_LINK;
	if (util_has_suffix(path, ".nmconnection"))
		return IMPORT_KEYFILE;
	if (util_has_suffix(path, ".yaml") || util_has_suffix(path, ".yml"))
		return IMPORT_NETPLAN;
	if (util_has_suffix(path, ".rules"))
		return IMPORT_UDEV;
	if (strncmp(text, "#!", 2) == 0)
		return IMPORT_SCRIPT;
	if (has_line(text, "[[]Link]"))
		return IMPORT_LINK;
	if (has_line(text, "[[]connection]"))
		return IMPORT_KEYFILE;
	if (has_line(text, "network:"))
		return IMPORT_NETPLAN;
	if (has_line(text, "iface[ \t]*"))
		return IMPORT_IFUPDOWN;
	return has_line(text, "*RUN*=\"*") ? IMPORT_UDEV : IMPORT_SCRIPT;
}

int import_add(struct import *im, enum import_form form, const char *path, const char *text)
{
	static void (*const readers[IMPORT_FORMS])(const struct import_source *s, const char *text) = {
		[IMPORT_LINK] = import_link,	     [IMPORT_KEYFILE] = import_keyfile,
		[IMPORT_IFUPDOWN] = import_ifupdown, [IMPORT_NETPLAN] = import_netplan,
		[IMPORT_UDEV] = import_udev,	     [IMPORT_SCRIPT] = import_script,
	};
	const struct import_source s = { im, form, path };
	size_t notes = im->n_notes, rules = im->n_rules;

	readers[form](&s, text);
	/* a command may have named an interface and no feature that could be converted */
	for (size_t i = im->n_rules; i-- > 0;)
		if (im->rules[i].features.n == 0 && im->rules[i].limits.n == 0) {
			import_rule_clear(&im->rules[i]);
			memmove(&im->rules[i], &im->rules[i + 1], (--im->n_rules - i) * sizeof(*im->rules));
		}
	if (notes == im->n_notes && rules == im->n_rules)
		import_skip(&s, 0, "no offload feature found, read as %s", import_form_name(form));
	return im->error;
}
