/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A stream into memory. Unlike open_memstream(3), which silently drops text when memory runs out, it reports that. */
#ifndef OFFLOADD_TEXT_STREAM_H
#define OFFLOADD_TEXT_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct text_stream {
	FILE *f; /* to write to */
	char *text;
	size_t len, room;
	bool failed;
};

/* 0 or -ENOMEM. s stays where it is until it is closed. */
int text_stream_open(struct text_stream *s);
/* Closes what was opened. The text is terminated and the caller's to free. 0; -ENOMEM: there is none. */
int text_stream_close(struct text_stream *s, char **ret, size_t *ret_len);

#endif
