/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "basic/util.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void util_close_pointer(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

static uint64_t read_clock(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t util_now_usec(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t util_realtime_usec(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t util_realtime_sec(void)
{
	return (int64_t)(util_realtime_usec() / USEC_PER_SEC);
}

const char *util_format_time(uint64_t realtime_usec, char *buf, size_t size)
{
	time_t sec = (time_t)(realtime_usec / USEC_PER_SEC);
	struct tm tm;

	if (!localtime_r(&sec, &tm) || strftime(buf, size, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		buf[0] = '\0';
	return buf;
}

void util_copy_name(char *dst, size_t size, const char *src, size_t src_len)
{
	size_t i;

	for (i = 0; i + 1 < size && i < src_len && src[i]; i++)
		dst[i] = src[i] >= 0x20 && src[i] < 0x7f ? src[i] : '?';
	dst[i] = '\0';
}

size_t util_character(const char *s, size_t n, uint32_t *ret)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *u = (const unsigned char *)s;
	size_t len = n == 0 || (u[0] >= 0x80 && u[0] < 0xc2) || u[0] > 0xf4 ? 0
		: u[0] < 0x80						  ? 1
		: u[0] < 0xe0						  ? 2
		: u[0] < 0xf0						  ? 3
									  : 4;
	uint32_t c = len > 1 ? u[0] & (0x7fu >> len) : u[0];

	if (len > n)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (u[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	*ret = c;
	return len;
}

size_t util_printable(const char *s, size_t n)
{
	uint32_t c;
	size_t len = util_character(s, n, &c);

	if (len == 0 || c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || c == 0x200e || c == 0x200f ||
		(c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069))
		return 0;
	return len;
}

const char *util_clean(const char *text, char *buf, size_t size)
{
	size_t left = strlen(text), at = 0;

	while (left) {
		size_t printable = util_printable(text, left), len = printable ? printable : 1;

		if (at + len >= size)
			break;
		if (printable)
			memcpy(buf + at, text, len);
		else
			buf[at] = '?';
		at += len;
		text += len;
		left -= len;
	}
	buf[at] = '\0';
	return buf;
}

void util_append(char *buf, size_t size, const char *fmt, ...)
{
	size_t at = strnlen(buf, size);
	va_list ap;

	if (at + 1 >= size)
		return;
	va_start(ap, fmt);
	vsnprintf(buf + at, size - at, fmt, ap);
	va_end(ap);
}

static uint64_t duration_unit(const char *word, size_t len)
{
	static const struct {
		const char *word;
		uint64_t usec;
	} units[] = {
		{ "", USEC_PER_SEC }, { "us", 1 }, { "ms", USEC_PER_MSEC }, { "s", USEC_PER_SEC },
		{ "sec", USEC_PER_SEC }, { "m", 60 * USEC_PER_SEC }, { "min", 60 * USEC_PER_SEC },
		{ "h", 3600 * USEC_PER_SEC }, { "d", 86400 * USEC_PER_SEC },
	};

	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (strlen(units[i].word) == len && strncmp(units[i].word, word, len) == 0)
			return units[i].usec;
	return 0;
}

int util_parse_duration(const char *text, uint64_t *ret_usec)
{
	const uint64_t most = 366 * 86400 * USEC_PER_SEC;
	uint64_t total = 0, number, unit;
	size_t digits, letters;

	text += strspn(text, " \t");
	if (!*text)
		return -EINVAL;
	for (; *text; text += letters + strspn(text + letters, " \t")) {
		digits = strspn(text, "0123456789");
		if (digits == 0)
			return -EINVAL;
		if (digits > 15)
			return -ERANGE;
		number = strtoull(text, NULL, 10);
		text += digits;
		letters = strspn(text, "abcdefghijklmnopqrstuvwxyz");
		unit = duration_unit(text, letters);
		if (!unit)
			return -EINVAL;
		if (number > most / unit || (total += number * unit) > most)
			return -ERANGE;
	}
	*ret_usec = total;
	return 0;
}

const char *util_format_duration(uint64_t usec, char *buf, size_t size)
{
	static const struct {
		const char *name;
		uint64_t seconds;
	} units[] = { { "d", 86400 }, { "h", 3600 }, { "min", 60 }, { "s", 1 } };
	uint64_t left = usec / USEC_PER_SEC + (usec % USEC_PER_SEC > 0);
	size_t i = 0;

	buf[0] = '\0';
	while (i + 1 < ARRAY_SIZE(units) && left < units[i].seconds)
		i++;
	if (i + 2 < ARRAY_SIZE(units)) /* rounded up, too, to the smaller of the two units */
		left = (left + units[i + 1].seconds - 1) / units[i + 1].seconds * units[i + 1].seconds;
	if (i > 0 && left >= units[i - 1].seconds)
		i--;
	for (size_t end = i + 2; i < end && i < ARRAY_SIZE(units); i++) {
		uint64_t n = left / units[i].seconds;

		left %= units[i].seconds;
		if (n || (!buf[0] && i + 1 == ARRAY_SIZE(units)))
			util_append(buf, size, "%s%llu%s", buf[0] ? " " : "", (unsigned long long)n,
				units[i].name);
	}
	return buf;
}

int util_parse_size(const char *text, uint64_t *ret_bytes)
{
	static const char units[] = "kMGT";
	const uint64_t most = UINT64_C(1) << 40;
	size_t digits = strspn(text, "0123456789");
	const char *unit = text[digits] ? strchr(units, text[digits]) : NULL;
	uint64_t number, scale = 1;

	if (digits == 0 || (text[digits] && (!unit || text[digits + 1])))
		return -EINVAL;
	if (digits > 15)
		return -ERANGE;
	number = strtoull(text, NULL, 10);
	if (unit)
		scale = UINT64_C(1) << (10 * (unit - units + 1));
	if (number == 0)
		return -EINVAL;
	if (number > most / scale)
		return -ERANGE;
	*ret_bytes = number * scale;
	return 0;
}

unsigned util_distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);
	unsigned row[3][64];

	if (la > 63 || lb > 63)
		return 64;
	for (size_t j = 0; j <= lb; j++)
		row[0][j] = (unsigned)j;
	for (size_t i = 1; i <= la; i++) {
		unsigned *now = row[i % 3], *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= lb; j++) {
			unsigned best = last[j - 1] + (a[i - 1] != b[j - 1]);

			if (last[j] + 1 < best)
				best = last[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
				before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			now[j] = best;
		}
	}
	return row[la % 3][lb];
}

const char *util_nearest(const char *word, const char *const *names, size_t n)
{
	const char *nearest = NULL;
	size_t len = strlen(word);
	unsigned limit = len <= 3 ? 1 : (unsigned)len / 3 + 1, best = limit + 1;

	for (size_t i = 0; i < n; i++) {
		unsigned d = util_distance(word, names[i]);

		if (d < best) {
			best = d;
			nearest = names[i];
		}
	}
	return nearest;
}
