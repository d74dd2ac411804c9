/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A command line's options as a table: read by getopt_long(3) into the fields of a struct, and printed as help. */
#ifndef OFFLOADD_OPTIONS_H
#define OFFLOADD_OPTIONS_H

#include "basic/util.h"

#define OPTIONS_MAX 64	    /* entries of a table: a set of them is a uint64_t */
#define OPTIONS_LIST_MAX 16 /* times that one OPTIONS_LIST may be given */
#define OPTIONS_WIDTH 80    /* of help where no terminal has another */

enum options_type {	  /* and the field at the offset: */
	OPTIONS_FLAG,	  /* bool */
	OPTIONS_TEXT,	  /* const char *, of argv */
	OPTIONS_LIST,	  /* const char *[OPTIONS_LIST_MAX + 1], NULL at the end */
	OPTIONS_DURATION, /* uint64_t, microseconds */
	OPTIONS_SIZE,	  /* uint64_t, bytes */
	OPTIONS_NUMBER,	  /* size_t, from min to max */
	OPTIONS_WORD,	  /* enum or unsigned: the number of the word; NULL words are skipped */
};

struct options_entry {
	const char *name; /* without the dashes */
	char letter;	  /* as in -o, 0 for none */
	enum options_type type;
	const char *argument; /* "FILE"; NULL for a flag */
	size_t offset;
	const char *help;
	const char *const *words;
	size_t n_words;
	size_t min, max;
};

/* Reads all options, wherever they stand, into target, which holds the defaults; optind is the first argument then.
 * *ret_given: bit I for entry I that was given. 0; -EINVAL with the reason in why. */
int options_read(const struct options_entry *table, size_t n, int argc, char **argv, void *target, uint64_t *ret_given,
	char *why, size_t why_size);

/* A line or more for each entry of the set; width 0 for no limit. */
void options_print(FILE *out, const struct options_entry *table, size_t n, uint64_t set, unsigned width);

/* unknown WHAT "WORD", did you mean "NEAREST"? */
void options_unknown(
	const char *what, const char *word, const char *const *names, size_t n, char *why, size_t why_size);

#endif
