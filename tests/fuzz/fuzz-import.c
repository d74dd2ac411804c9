/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Feeds the readers of other tools' files any text: what they make of it is rules with something declared, or notes. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rules/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	memcpy(text, data, size);
	text[size] = '\0';
	for (enum import_form form = 0; form < IMPORT_FORMS; form++) {
		struct import im = { 0 };

		assert(import_add(&im, form, "path", text) == 0);
		assert(im.n_rules || im.n_notes);
		for (size_t i = 0; i < im.n_rules; i++) {
			char *rule = import_format(&im.rules[i]);

			assert(im.rules[i].match.n && (im.rules[i].features.n || im.rules[i].limits.n));
			free(rule);
		}
		import_clear(&im);
	}
	(void)import_guess("path", text);
	free(text);
	return 0;
}
