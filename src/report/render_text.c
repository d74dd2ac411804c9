/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/render_text.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "basic/util.h"

static const char *const verdict_colours[VERDICT_COUNT] = {
	[VERDICT_COMPLIANT] = "32",
	[VERDICT_DRIFTED] = "33",
	[VERDICT_BLOCKED] = "31",
	[VERDICT_UNSUPPORTED] = "31",
	[VERDICT_REFUSED] = "31",
	[VERDICT_CONTENDED] = "35",
	[VERDICT_PAUSED] = "36",
};

void render_init(struct render *r, FILE *out, enum render_colour colour)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
	const char *columns = getenv("COLUMNS");
	struct winsize size = { 0 };
	bool tty = isatty(fileno(out));

	*r = (struct render){ .out = out, .ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0 };
	r->colour = colour == RENDER_COLOUR_ALWAYS ||
		(colour == RENDER_COLOUR_AUTO && tty && !(no && *no) && !(term && strcmp(term, "dumb") == 0));
	if (columns && *columns)
		size.ws_col = strspn(columns, "0123456789") == strlen(columns) && strlen(columns) < 5 ? atoi(columns) : 0;
	else if (tty)
		ioctl(fileno(out), TIOCGWINSZ, &size);
	r->width = size.ws_col < RENDER_WIDTH_MIN ? 0 : size.ws_col;
}

int render_put_coloured(const struct render *r, const char *colour, const char *text)
{
	if (r->colour)
		fprintf(r->out, "\033[%sm%s\033[0m", colour, text);
	else
		fputs(text, r->out);
	return (int)strlen(text);
}

void render_put_verdict(const struct render *r, enum verdict verdict, int pad)
{
	int width = render_put_coloured(r, verdict_colours[verdict], verdict_name(verdict));

	fprintf(r->out, "%*s", pad > width ? pad - width : 0, "");
}

void render_put_counts(const struct render *r, const struct plan_link *pl)
{
	size_t counts[VERDICT_COUNT] = { 0 };
	const char *comma = "";

	plan_link_count(pl, counts);
	for (size_t i = 0; i < VERDICT_COUNT; i++) {
		enum verdict v = verdict_order[i];

		if (!counts[v] || (v == VERDICT_COMPLIANT && *comma))
			continue;
		fputs(comma, r->out);
		if (v != VERDICT_COMPLIANT)
			fprintf(r->out, "%zu ", counts[v]);
		render_put_verdict(r, v, 0);
		comma = ", ";
	}
}

void render_put_heading(const struct render *r, const char *heading)
{
	render_put_coloured(r, "1", heading);
	fputc('\n', r->out);
}

int render_put_name(const struct render *r, const char *name)
{
	return render_put_coloured(r, "1", render_clean_name(name));
}

void render_wrapped(const struct render *r, unsigned indent, const char *text)
{
	util_wrap(r->out, r->width, indent, text);
}

void render_put_field(const struct render *r, const char *label, const char *text)
{
	if (!*text)
		return;
	fprintf(r->out, "  %-13s", label);
	render_wrapped(r, 15, text);
}

const char *render_clean_name(const char *name)
{
	static char ring[4][LINK_NAME_LEN];
	static unsigned turn;

	turn = (turn + 1) % ARRAY_SIZE(ring);
	util_copy_name(ring[turn], sizeof(ring[turn]), name, LINK_NAME_LEN);
	return ring[turn];
}

void render_append_clean(char *buf, size_t size, const char *before, const char *text)
{
	char clean[512];

	if (text && *text)
		util_append(buf, size, "%s%s", before, util_clean(text, clean, sizeof(clean)));
}
