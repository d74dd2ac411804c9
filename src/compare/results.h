/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Results of tests before and after a change, from documents of verify --json and check-path --json: what is worse now? Pure. */
#ifndef OFFLOADD_RESULTS_H
#define OFFLOADD_RESULTS_H

#include <stdbool.h>
#include <stddef.h>

enum results_outcome { /* the better one first */
	RESULTS_RIGHT,
	RESULTS_UNKNOWN, /* not tested, not in this file, or without what is to be tested */
	RESULTS_WRONG,
};

#define RESULTS_NAME_LEN 160
#define RESULTS_WORD_LEN 48
struct result {
	char name[RESULTS_NAME_LEN]; /* "verify: tcp4 over vxlan, merged", "check-path: vlan10" */
	char word[RESULTS_WORD_LEN]; /* the outcome as the document has it: "wrong: checksum", "healthy" */
	enum results_outcome outcome;
};

struct results { /* zero it before */
	struct result *tests;
	size_t n;
	char kernel[RESULTS_WORD_LEN]; /* "" if no document has it */
};

/* Is this a document, or several one after another, of verify --json or check-path --json? By its beginning only. */
bool results_is_text(const char *text, size_t len);
/* Reads all documents of a text. ret: released by results_clear(), also after an error. 0; -EBADMSG, why: the message; -ENOMEM. */
int results_parse(const char *text, size_t len, struct results *ret, char *why, size_t why_size);
void results_clear(struct results *results);

/* The test with this name; NULL: it is not there. */
const struct result *results_find(const struct results *results, const char *name);
/* Is a test, as it is in A and B (NULL: it is not there), wrong in B only? */
bool results_is_worse(const struct result *a, const struct result *b);
/* Was it right in A, and is it not known in B? */
bool results_is_less(const struct result *a, const struct result *b);

#endif
