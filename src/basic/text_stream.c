/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "basic/text_stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

static bool make_room(struct text_stream *s, size_t n)
{
	size_t room = 2 * s->room + n + 128;
	char *grown;

	if (s->room - s->len > n) /* and a NUL */
		return true;
	grown = realloc(s->text, room);
	if (!grown) {
		s->failed = true;
		return false;
	}
	s->text = grown;
	s->room = room;
	return true;
}

static ssize_t append(void *cookie, const char *text, size_t n)
{
	struct text_stream *s = cookie;

	if (s->failed || !make_room(s, n)) {
		errno = ENOMEM;
		return 0;
	}
	memcpy(s->text + s->len, text, n);
	s->len += n;
	return (ssize_t)n;
}

int text_stream_open(struct text_stream *s)
{
	*s = (struct text_stream){ 0 };
	s->f = fopencookie(s, "w", (cookie_io_functions_t){ .write = append });
	return s->f ? 0 : -ENOMEM;
}

int text_stream_close(struct text_stream *s, char **ret, size_t *ret_len)
{
	if (fclose(s->f) != 0 || s->failed || !make_room(s, 0)) {
		free(s->text);
		return -ENOMEM;
	}
	s->text[s->len] = '\0';
	*ret = s->text;
	*ret_len = s->len;
	return 0;
}
