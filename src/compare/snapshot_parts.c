/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "compare/snapshot_parts.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "basic/util.h"
#include "compare/snapshot_clean.h"

#define HOST_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.[],"
#define HOST_LEN 64
#define GUTTER_MIN 20 /* blanks before a line of the second column alone */
#define HOSTS_MAX 256
#define NO_HOST SIZE_MAX
#define ANY_HOST (SIZE_MAX - 1)

enum side { ALL, OLD, NEW, LEFT, RIGHT };

struct line {
	size_t at, len; /* in the text */
	size_t host;
	bool header; /* a block of features begins here: a header, or the command before it */
	char sign; /* of a diff: '-', '+' or ' ' */
};

struct splitter {
	const char *text;
	const struct feature_table *known;
	struct line *lines;
	size_t n_lines;
	char (*hosts)[HOST_LEN];
	size_t n_hosts;
	bool *prefixes; /* by host: its lines begin with its name */
	size_t n_prefixes;
	size_t host; /* of the lines that follow */
	char *before; /* the line before, clean */
	char candidate[HOST_LEN]; /* a word alone: a host if features follow, "" for none */
	bool ruled; /* the line before is a ruler */
	bool certain; /* a host was found by more than a heading */
	struct snapshot_parts *out;
	char *why;
	size_t why_size;
};

void snapshot_parts_clear(struct snapshot_parts *parts)
{
	for (size_t i = 0; i < parts->n; i++)
		snapshot_clear(&parts->parts[i].snapshot);
	free(parts->parts);
	*parts = (struct snapshot_parts){ 0 };
}

int snapshot_parts_take(struct snapshot_parts *parts, struct snapshot *snapshot)
{
	if (!GROW(parts->parts, parts->n)) {
		snapshot_clear(snapshot);
		return -ENOMEM;
	}
	parts->parts[parts->n++] = (struct snapshot_part){ .snapshot = *snapshot };
	*snapshot = (struct snapshot){ 0 };
	return 0;
}

static void splitter_clear(struct splitter *s)
{
	free(s->lines);
	free(s->hosts);
	free(s->prefixes);
	free(s->before);
}

/* ---- which host ---- */

/* The lines that follow belong to a host, which may be new. 0, -ENOMEM, or -EBADMSG with the reason in s->why. */
static int set_host(struct splitter *s, const char *name, size_t len)
{
	char clean[HOST_LEN];

	if (!len || len >= HOST_LEN)
		return 0;
	util_copy_name(clean, sizeof(clean), name, len);
	for (size_t i = 0; i < s->n_hosts; i++)
		if (strcmp(s->hosts[i], clean) == 0) {
			s->host = i;
			return 0;
		}
	if (s->n_hosts == HOSTS_MAX) { /* the text is read once for each */
		snprintf(s->why, s->why_size, "more than %d hosts", HOSTS_MAX);
		return -EBADMSG;
	}
	if (!GROW(s->hosts, s->n_hosts) || !GROW(s->prefixes, s->n_prefixes))
		return -ENOMEM;
	memcpy(s->hosts[s->n_hosts], clean, sizeof(clean));
	s->prefixes[s->n_prefixes++] = false;
	s->host = s->n_hosts++;
	return 0;
}

static const char *find_header(const char *line)
{
	const char *at = strcasestr(line, "Features for ");

	return at ? at : strcasestr(line, "Offload parameters for ");
}

/* "root@web1:~# ethtool -k eth0", "[root@web1 ~]# ...", "web1# ...", "$ ssh root@web1 sudo ethtool -k eth0" */
static const char *find_in_command(const char *line, const char *command, size_t *ret_len)
{
	const char *at = NULL, *ssh = strstr(line, "ssh "), *end;
	size_t len;

	if (ssh && ssh < command && (ssh == line || !isalnum((unsigned char)ssh[-1]))) {
		end = command;
		while (end > ssh && strchr(" \"'`", end[-1]))
			end--;
		if (end - ssh > 5 && strncmp(end - 4, "sudo", 4) == 0)
			for (end -= 4; end > ssh && strchr(" \"'`", end[-1]);)
				end--;
		for (at = end; at > ssh && strchr(HOST_CHARS, at[-1]);)
			at--;
		*ret_len = (size_t)(end - at);
		return at > ssh + 3 ? at : NULL;
	}
	len = strspn(line, HOST_CHARS);
	if (len && line + len < command && (strchr("#$%>", line[len]) || (line[len] == ':' && strchr("~/", line[len + 1]))))
		at = line;
	for (const char *p = line; p < command; p++)
		if (*p == '@' && p > line && isalnum((unsigned char)p[-1]))
			at = p + 1;
	*ret_len = at ? strspn(at, HOST_CHARS) : 0;
	return at;
}

/* A word of a line alone, "web1", "web1:", "== web1 ==", "==> web1 <==", "### web1"; its length, 0: none. *ret_marked: it has marks
 * around it. */
static size_t find_alone(const char *line, const char **ret, bool *ret_marked)
{
	size_t before = strspn(line, "=#>*-"), len, after;
	const char *at = line + before + strspn(line + before, " ");

	len = strspn(at, HOST_CHARS);
	*ret = at;
	after = strspn(at + len, " =#<*-");
	*ret_marked = before >= 2 && len && (at[-1] == ' ');
	if (!*ret_marked && (before || after > strspn(at + len, " ")))
		return 0;
	if (at[len + after] == '(' && strchr(at + len + after, ')')) /* "web[1-3] (3)" */
		after = (size_t)(strchr(at + len + after, ')') + 1 - at) - len;
	if (at[len + after] == ':' && !at[len + after + 1])
		return len;
	return at[len + after] ? 0 : len;
}

static bool is_ruler(const char *line)
{
	return strlen(line) >= 3 && (line[strspn(line, "-")] == '\0' || line[strspn(line, "=")] == '\0');
}

/* "web1 | CHANGED | rc=0 >>", "web1 | SUCCESS => {" */
static size_t find_ansible(const char *line)
{
	static const char *const states[] = { " | CHANGED", " | SUCCESS", " | FAILED", " | UNREACHABLE" };
	size_t len = strspn(line, HOST_CHARS);

	for (size_t i = 0; len && i < ARRAY_SIZE(states); i++)
		if (strncmp(line + len, states[i], strlen(states[i])) == 0)
			return len;
	return 0;
}

/* "web1: Features for eth0:", and then every line that begins with it. */
static size_t find_prefix(const struct splitter *s, const char *line, const char *header)
{
	size_t len = strspn(line, HOST_CHARS);

	if (strspn(line, "0123456789") >= len || line[len] != ':' || (line[len + 1] != ' ' && line[len + 1]))
		return 0;
	if (header)
		return line + len + 2 == header ? len : 0;
	for (size_t i = 0; i < s->n_hosts; i++)
		if (s->prefixes[i] && strlen(s->hosts[i]) == len && strncmp(s->hosts[i], line, len) == 0)
			return len;
	return 0;
}

static char sign_of(const char *line)
{
	return *line == '-' || *line == '+' ? *line : ' ';
}

/* Looks for the host in a clean line, and whether a block begins there. 0 or -ENOMEM. */
static int read_line(struct splitter *s, struct line *line, const char *clean)
{
	const char *header = find_header(clean), *command = strstr(clean, "ethtool "), *host = NULL;
	bool marked = false, ruled = s->ruled;
	size_t len = find_prefix(s, clean, header), unused;
	int r = 0;

	line->sign = sign_of(clean);
	if (s->before && line->sign == ' ')
		line->sign = sign_of(clean + snapshot_find_common(clean, s->before, &unused)); /* a quoted diff */
	line->header = header || command || *clean == '{' || (*clean == '[' && strchr("{", clean[1 + strspn(clean + 1, " ")])); /* or '\0' */
	s->ruled = is_ruler(clean);
	if (len) {
		r = set_host(s, clean, len);
		s->certain = true;
		if (r >= 0 && header)
			s->prefixes[s->host] = true;
	} else if ((len = find_ansible(clean))) {
		r = set_host(s, clean, len);
		s->certain = true;
	} else if (command && (host = find_in_command(clean, command, &len))) {
		r = set_host(s, host, len);
		s->certain = s->certain || len;
	} else if (header && s->candidate[0]) {
		r = set_host(s, s->candidate, strlen(s->candidate));
	} else if (!s->ruled && !header && !command && (len = find_alone(clean, &host, &marked))) {
		if (marked || (ruled && clean[strlen(clean) - 1] != ':'))
			r = set_host(s, host, len);
		else if (len < HOST_LEN)
			snprintf(s->candidate, sizeof(s->candidate), "%.*s", (int)len, host);
		line->header = true;
		line->host = s->host;
		return r;
	}
	if (*clean)
		s->candidate[0] = '\0';
	line->host = s->host;
	return r;
}

static int read_lines(struct splitter *s, size_t len)
{
	int r = 0;

	for (size_t at = 0, n; at < len && r >= 0; at += n + 1) {
		char *clean, *start;

		for (n = 0; at + n < len && s->text[at + n] != '\n'; n++)
			if (s->text[at + n] == '\r' && at + n + 1 < len && s->text[at + n + 1] && s->text[at + n + 1] != '\n')
				break;
		start = clean = snapshot_clean(s->text + at, n);
		if (!clean || !GROW(s->lines, s->n_lines)) {
			free(clean);
			return -ENOMEM;
		}
		s->lines[s->n_lines] = (struct line){ .at = at, .len = n };
		clean[strcspn(clean, "\n\v")] = '\0';
		for (size_t i = strlen(clean); i && clean[i - 1] == ' ';)
			clean[--i] = '\0';
		while (*start == ' ')
			start++;
		r = read_line(s, &s->lines[s->n_lines++], start);
		memmove(clean, start, strlen(start) + 1);
		free(s->before);
		s->before = clean;
	}
	return r;
}

/* ---- the parts ---- */

/* Where the second column of a line begins, as `diff -y` prints it. */
static size_t find_gutter(const char *line, size_t len)
{
	size_t i = 0;

	while (i < len && (line[i] == ' ' || line[i] == '\t'))
		i++;
	if (i >= GUTTER_MIN)
		return 0;
	while (i < len && line[i] != '\t' && !(line[i] == ' ' && i + 1 < len && line[i + 1] == ' '))
		i++;
	return i;
}

/* Removes what does not belong to a side. */
static void keep_side(char *line, const struct line *l, enum side side)
{
	size_t gutter = side == LEFT || side == RIGHT ? find_gutter(line, l->len) : 0;

	if (side == LEFT)
		memset(line + gutter, ' ', l->len - gutter);
	else if (side == RIGHT)
		memset(line, ' ', gutter);
	else if ((side == OLD && l->sign == '+') || (side == NEW && l->sign == '-'))
		memset(line, ' ', l->len);
}

/* One side of the lines from..to of a host (ANY_HOST: all). Instead of lines of others there is one empty line, so that the time for all
 * hosts does not grow with their number. *ret_of: the index of each line. NULL: no memory. */
static char *copy_lines(const struct splitter *s, size_t host, size_t from, size_t to, enum side side, size_t *ret_size, size_t **ret_of)
{
	_cleanup_free_ size_t *of = calloc(to - from, sizeof(*of));
	_cleanup_free_ char *text = malloc(s->lines[to - 1].at + s->lines[to - 1].len - s->lines[from].at + 1);
	size_t size = 0, n = 0;
	bool left_out = false;

	if (!of || !text)
		return NULL;
	for (size_t i = from; i < to; i++) {
		const struct line *line = &s->lines[i];
		bool is_own = host == ANY_HOST || line->host == host;

		if (is_own) {
			memcpy(text + size, s->text + line->at, line->len);
			keep_side(text + size, line, side);
			size += line->len;
		}
		if (is_own || !left_out) {
			of[n++] = i;
			text[size++] = i + 1 < to ? s->text[line->at + line->len] : '\0';
		}
		left_out = !is_own;
	}
	*ret_of = TAKE_PTR(of);
	*ret_size = size - 1;
	return TAKE_PTR(text);
}

/* Parses one side of the lines from..to of a host. *ret_line: the index after that of the line that contradicts an earlier one; 0: another
 * result. */
static int parse_lines(struct splitter *s, size_t host, size_t from, size_t to, enum side side, struct snapshot *ret, size_t *ret_line)
{
	_cleanup_free_ size_t *of = NULL;
	_cleanup_free_ char *text = NULL, *reason = NULL;
	size_t size;
	unsigned line;
	int r, end = 0;

	*ret_line = 0;
	text = copy_lines(s, host, from, to, side, &size, &of);
	if (!text)
		return -ENOMEM;
	r = snapshot_parse_ethtool(text, size, s->known, ret, s->why, s->why_size);
	if (r != -EBADMSG || sscanf(s->why, "line %u%n", &line, &end) != 1 || s->why[end] != ':' || !line || line > to - from)
		return r;
	reason = strdup(s->why + end);
	if (!reason)
		return -ENOMEM;
	snprintf(s->why, s->why_size, "line %zu%s", of[line - 1] + 1, reason);
	if (strstr(s->why, SNAPSHOT_TWICE))
		*ret_line = of[line - 1] + 1;
	return r;
}

static int add_part(struct splitter *s, struct snapshot *snapshot, size_t host)
{
	if (s->out->n == SNAPSHOT_PARTS_MAX) {
		snapshot_clear(snapshot);
		snprintf(s->why, s->why_size, "more than %d hosts or moments", SNAPSHOT_PARTS_MAX);
		return -EBADMSG;
	}
	if (snapshot_parts_take(s->out, snapshot) < 0)
		return -ENOMEM;
	if (host < s->n_hosts)
		snprintf(s->out->parts[s->out->n - 1].name, sizeof(s->out->parts->name), "%s", s->hosts[host]);
	return 0;
}

/* The two sides of a diff, or two columns. 1: they were added; 0: it is none; negative errno. */
static int add_sides(struct splitter *s, size_t host, size_t from, enum side first, enum side second)
{
	struct snapshot a, b;
	size_t line;
	int r = parse_lines(s, host, from, s->n_lines, first, &a, &line);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	r = parse_lines(s, host, from, s->n_lines, second, &b, &line);
	if (r < 0) {
		snapshot_clear(&a);
		return r == -ENOMEM ? r : 0;
	}
	r = add_part(s, &a, host);
	if (r < 0)
		snapshot_clear(&b);
	else
		r = add_part(s, &b, host);
	return r < 0 ? r : 1;
}

/* A contradiction in JSON has no line: the index after that of the block that the blocks before agree without. 0: none. */
static size_t find_last_agreeing(struct splitter *s, size_t host, size_t from)
{
	size_t found = 0, line, tries = 0;

	for (size_t at = from + 1; at < s->n_lines && tries < SNAPSHOT_PARTS_MAX; at++) {
		struct snapshot snapshot;
		int r;

		if (!s->lines[at].header || (host != ANY_HOST && s->lines[at].host != host))
			continue;
		tries++;
		r = parse_lines(s, host, from, at, ALL, &snapshot, &line);
		if (r >= 0)
			snapshot_clear(&snapshot);
		if (r >= 0)
			found = at + 1;
		else if (r != -ENODATA)
			break;
	}
	return found;
}

/* Does one line have a feature twice? Then there are columns. */
static bool has_columns(struct splitter *s, size_t host, size_t index)
{
	struct snapshot snapshot;
	size_t line;
	int r = parse_lines(s, host, index, index + 1, ALL, &snapshot, &line);

	if (r >= 0)
		snapshot_clear(&snapshot);
	return line;
}

/* The states of one host: a new one begins with the block in which a line contradicts an earlier block. -ENODATA: none. */
static int add_states(struct splitter *s, size_t host)
{
	size_t from = 0, at, line;
	struct snapshot snapshot;
	char why[512];
	bool any = false;

	for (;;) {
		int r = parse_lines(s, host, from, s->n_lines, ALL, &snapshot, &line);

		if (r >= 0)
			return add_part(s, &snapshot, host);
		if (!line && r == -EBADMSG && strstr(s->why, SNAPSHOT_TWICE))
			line = find_last_agreeing(s, host, from);
		if (!line)
			return r == -ENODATA && any ? 0 : r;
		if (s->lines[line - 1].sign != ' ' && (r = add_sides(s, host, from, OLD, NEW)) != 0)
			return r < 0 ? r : 0;
		for (at = line - 1; at > from && !(s->lines[at].header && (host == ANY_HOST || s->lines[at].host == host));)
			at--;
		at = at > from ? at : line - 1;
		snprintf(why, sizeof(why), "%s", s->why);
		if (at == from || has_columns(s, host, line - 1)) {
			r = add_sides(s, host, from, LEFT, RIGHT);
			snprintf(s->why, s->why_size, "%s", why);
			return r == 0 ? -EBADMSG : r < 0 ? r : 0;
		}
		r = parse_lines(s, host, from, at, ALL, &snapshot, &line);
		if (r >= 0)
			r = add_part(s, &snapshot, host);
		if (r < 0 && r != -ENODATA)
			return r;
		any = true;
		from = at;
	}
}

struct part_link {
	const char *name;
	size_t part;
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct part_link *)a)->name, ((const struct part_link *)b)->name);
}

/* Do two parts have a link of the same name? 1, 0, -ENOMEM. */
static int share_links(const struct snapshot_parts *parts)
{
	_cleanup_free_ struct part_link *all = NULL;
	size_t n = 0, room = 0;

	for (size_t i = 0; i < parts->n; i++)
		room += parts->parts[i].snapshot.n_links;
	all = calloc(room + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < parts->n; i++)
		for (size_t k = 0; k < parts->parts[i].snapshot.n_links; k++)
			all[n++] = (struct part_link){ parts->parts[i].snapshot.links[k].name, i };
	qsort(all, n, sizeof(*all), compare_names);
	for (size_t i = 1; i < n; i++)
		if (all[i].part != all[i - 1].part && strcmp(all[i].name, all[i - 1].name) == 0)
			return 1;
	return 0;
}

/* "web1, state 2", "state 1" */
static void number_states(struct snapshot_parts *parts)
{
	size_t number[SNAPSHOT_PARTS_MAX];

	for (size_t i = 0; i < parts->n; i++) {
		size_t others = 0;

		number[i] = 1;
		for (size_t j = 0; j < parts->n; j++)
			if (j != i && strcmp(parts->parts[j].name, parts->parts[i].name) == 0) {
				others++;
				number[i] += j < i;
			}
		number[i] = others ? number[i] : 0;
	}
	for (size_t i = 0; i < parts->n; i++)
		if (number[i])
			util_append(parts->parts[i].name, sizeof(parts->parts->name), "%s" SNAPSHOT_STATE "%zu",
				parts->parts[i].name[0] ? ", " : "", number[i]);
}

static int add_all(struct splitter *s)
{
	bool any = false;
	int r;

	if (s->n_hosts < 2)
		return add_states(s, ANY_HOST);
	for (size_t host = 0; host <= s->n_hosts; host++) {
		r = add_states(s, host == 0 ? NO_HOST : host - 1);
		if (r < 0 && r != -ENODATA)
			return r;
		any = any || r >= 0;
	}
	if (!any)
		return r;
	/* headings may name interfaces, or anything else */
	r = s->certain ? 1 : share_links(s->out);
	if (r != 0)
		return r < 0 ? r : 0;
	snapshot_parts_clear(s->out);
	return add_states(s, ANY_HOST);
}

int snapshot_parse_parts(const char *text, size_t len, const struct feature_table *known, struct snapshot_parts *ret, char *why,
	size_t why_size)
{
	_cleanup_(splitter_clear) struct splitter s = { .text = text, .known = known, .host = NO_HOST, .out = ret, .why = why,
		.why_size = why_size };
	int r = read_lines(&s, len);

	*ret = (struct snapshot_parts){ 0 };
	if (r >= 0 && s.n_lines == 0)
		return snapshot_parse_ethtool(text, len, known, &(struct snapshot){ 0 }, why, why_size);
	if (r >= 0)
		r = add_all(&s);
	if (r >= 0 && ret->n == 1 && s.n_hosts == 1)
		snprintf(ret->parts[0].name, sizeof(ret->parts[0].name), "%s", s.hosts[0]);
	if (r >= 0)
		number_states(ret);
	else
		snapshot_parts_clear(ret);
	return r < 0 ? r : 0;
}
