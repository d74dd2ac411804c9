/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/remedy.h"

#include <string.h>

static const char *const names[REMEDY_COUNT] = {
	[REMEDY_UNKNOWN] = "unknown",
	[REMEDY_REASON] = "reason",
	[REMEDY_OVER] = "over",
	[REMEDY_REPAIR] = "repair",
	[REMEDY_RESUME] = "resume",
	[REMEDY_CONTEND] = "contend",
	[REMEDY_NOT_POSSIBLE] = "not-possible",
	[REMEDY_RULE] = "rule",
	[REMEDY_DECLARE] = "declare",
	[REMEDY_UNSUPPORTED] = "unsupported",
	[REMEDY_RECONNECT] = "reconnect",
};

const char *remedy_name(enum remedy remedy)
{
	return remedy < REMEDY_COUNT ? names[remedy] : names[REMEDY_UNKNOWN];
}

enum remedy remedy_parse(const char *name)
{
	for (unsigned i = 0; i < REMEDY_COUNT; i++)
		if (!strcmp(names[i], name))
			return (enum remedy)i;
	return REMEDY_UNKNOWN;
}
