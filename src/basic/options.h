/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Command line options as a table: parsed with getopt_long(3) into the fields of a struct, and printed as
 * help. */
#ifndef OFFLOADD_OPTIONS_H
#define OFFLOADD_OPTIONS_H

#include "basic/util.h"

#define OPTIONS_MAX 64	    /* entries in a table: a set of them is a uint64_t */
#define OPTIONS_LIST_MAX 16 /* how often one OPTIONS_LIST may be repeated */
#define OPTIONS_WIDTH 80    /* columns of the help text if standard output is not a terminal */

enum options_type {	  /* with the type of the field at `offset`: */
	OPTIONS_FLAG,	  /* bool */
	OPTIONS_TEXT,	  /* const char *, points into argv */
	OPTIONS_LIST,	  /* const char *[OPTIONS_LIST_MAX + 1], NULL-terminated */
	OPTIONS_DURATION, /* uint64_t, microseconds */
	OPTIONS_SIZE,	  /* uint64_t, bytes */
	OPTIONS_NUMBER,	  /* size_t, from min to max */
	OPTIONS_WORD,	  /* enum or unsigned: the index of the word; NULL words are skipped */
};

struct options_entry {
	const char *name; /* without the dashes */
	char letter;	  /* as in -o, 0 for none */
	enum options_type type;
	const char *argument; /* its name in the help, "FILE"; NULL for a flag */
	size_t offset;
	const char *help;
	const char *const *words;
	size_t n_words;
	size_t min, max;
};

/* Parses all options, also those after arguments, into target, which the caller fills with defaults.
 * Afterwards optind is the index of the first argument. *ret_given gets bit I if entry I was used. 0; -EINVAL
 * with the reason in why. */
int options_read(const struct options_entry *table, size_t n, int argc, char **argv, void *target, uint64_t *ret_given,
	char *why, size_t why_size);

/* Prints the help of each entry whose bit is in set, wrapped at width columns (0: no limit). */
void options_print(FILE *out, const struct options_entry *table, size_t n, uint64_t set, unsigned width);

/* Writes to why: unknown WHAT "WORD", did you mean "NEAREST"? names: the n valid words. */
void options_unknown(
	const char *what, const char *word, const char *const *names, size_t n, char *why, size_t why_size);

#endif
