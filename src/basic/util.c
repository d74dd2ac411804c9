/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "basic/util.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <strings.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#define FIRST_ROOM 8 /* elements */

void util_close_pointer(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

void *util_grow(void *array, size_t n, size_t size)
{
	if (n == 0)
		return reallocarray(array, FIRST_ROOM, size);
	return n < FIRST_ROOM || (n & (n - 1)) ? array : reallocarray(array, 2 * n, size);
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

const char *util_format_time_as(const char *format, uint64_t realtime_usec, char *buf, size_t size)
{
	time_t sec = (time_t)(realtime_usec / USEC_PER_SEC);
	struct tm tm;

	if (!localtime_r(&sec, &tm) || strftime(buf, size, format, &tm) == 0)
		buf[0] = '\0';
	return buf;
}

const char *util_format_time(uint64_t realtime_usec, char *buf, size_t size)
{
	return util_format_time_as("%Y-%m-%d %H:%M:%S", realtime_usec, buf, size);
}

bool util_has_capability(unsigned capability)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	return syscall(SYS_capget, &header, data) == 0 &&
		(data[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability));
}

static int change_capabilities(uint64_t lower, bool for_ever, uint64_t raise)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	for (unsigned i = 0; i < ARRAY_SIZE(data); i++) {
		uint32_t down = (uint32_t)(lower >> 32 * i), up = (uint32_t)(raise >> 32 * i);

		data[i].effective = (data[i].effective & ~down) | (up & data[i].permitted);
		if (!for_ever)
			continue;
		data[i].permitted &= ~down;
		data[i].inheritable &= ~down; /* with it goes the ambient set */
	}
	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

int util_lower_capabilities(uint64_t capabilities, bool for_ever)
{
	return change_capabilities(capabilities, for_ever, 0);
}

int util_raise_capabilities(uint64_t capabilities)
{
	return change_capabilities(0, false, capabilities);
}

bool util_kernel_is_before(unsigned major, unsigned minor)
{
	struct utsname u;
	unsigned a, b;

	return uname(&u) < 0 || sscanf(u.release, "%u.%u", &a, &b) != 2 || a < major || (a == major && b < minor);
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
	size_t len;

	if (n && *s >= 0x20 && *s < 0x7f) /* nearly always */
		return 1;
	len = util_character(s, n, &c);
	if (len == 0 || c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || c == 0x200e || c == 0x200f ||
		(c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069))
		return 0;
	return len;
}

char *util_copy_text(char *dst, size_t size, const char *src, size_t src_len)
{
	size_t at = 0, whole = 0, len;

	for (size_t i = 0; i < src_len && src[i]; i += len ? len : 1) {
		len = util_printable(src + i, src_len - i);
		if (at + (len ? len : 1) + 1 > size) {
			memcpy(dst + whole, "...", 4);
			return dst;
		}
		if (len)
			memcpy(dst + at, src + i, len);
		else
			dst[at] = '?';
		at += len ? len : 1;
		if (at + 4 <= size)
			whole = at;
	}
	dst[at] = '\0';
	return dst;
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

static const struct {
	const char *name;
	uint64_t seconds;
} long_units[] = { { "d", 86400 }, { "h", 3600 }, { "min", 60 }, { "s", 1 } };

const char *util_format_duration(uint64_t usec, char *buf, size_t size)
{
	uint64_t left = usec / USEC_PER_SEC + (usec % USEC_PER_SEC > 0);
	size_t i = 0;

	buf[0] = '\0';
	while (i + 1 < ARRAY_SIZE(long_units) && left < long_units[i].seconds)
		i++;
	if (i + 2 < ARRAY_SIZE(long_units)) /* rounded up to the smaller of the two units */
		left = (left + long_units[i + 1].seconds - 1) / long_units[i + 1].seconds * long_units[i + 1].seconds;
	if (i > 0 && left >= long_units[i - 1].seconds)
		i--;
	for (size_t end = i + 2; i < end && i < ARRAY_SIZE(long_units); i++) {
		uint64_t n = left / long_units[i].seconds;

		left %= long_units[i].seconds;
		if (n || (!buf[0] && i + 1 == ARRAY_SIZE(long_units)))
			util_append(buf, size, "%s%llu%s", buf[0] ? " " : "", (unsigned long long)n,
				long_units[i].name);
	}
	return buf;
}

const char *util_format_usec(uint64_t usec, char *buf, size_t size)
{
	double value = (double)usec / (double)(usec < USEC_PER_SEC ? USEC_PER_MSEC : USEC_PER_SEC);

	if (usec < USEC_PER_MSEC)
		snprintf(buf, size, "%u us", (unsigned)usec);
	else
		snprintf(buf, size, "%.*f %s", value < 10 ? 2 : value < 100 ? 1 : 0, value,
			usec < USEC_PER_SEC ? "ms" : "s");
	return buf;
}

const char *util_format_age(uint64_t sec, char *buf, size_t size)
{
	size_t i = 0;

	while (i + 1 < ARRAY_SIZE(long_units) && sec < 2 * long_units[i].seconds)
		i++;
	snprintf(buf, size, "%llu%s", (unsigned long long)(sec / long_units[i].seconds), long_units[i].name);
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

/* Edit distance: insert, delete, replace, swap neighbours. 64 for a text of more than 63 bytes. */
static unsigned distance(const char *a, const char *b)
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

/* No edit distance is less: so many of the longer one's bytes are not in the other, in whatever order. */
static size_t least_distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b), common = 0;
	unsigned char left[256] = { 0 };

	if (la > 63 || lb > 63)
		return SIZE_MAX;
	for (size_t i = 0; i < la; i++)
		left[(unsigned char)a[i]]++;
	for (size_t i = 0; i < lb; i++)
		if (left[(unsigned char)b[i]]) {
			left[(unsigned char)b[i]]--;
			common++;
		}
	return (la > lb ? la : lb) - common;
}

const char *util_nearest(const char *word, const char *const *names, size_t n)
{
	const char *nearest = NULL;
	size_t len = strlen(word);
	unsigned limit = len <= 3 ? 1 : (unsigned)len / 3 + 1, best = limit + 1;

	for (size_t i = 0; i < n; i++) {
		unsigned d;

		if (names[i] && strcasecmp(word, names[i]) == 0)
			return names[i];
		if (!names[i] || least_distance(word, names[i]) >= best)
			continue;
		d = distance(word, names[i]);
		if (d < best) {
			best = d;
			nearest = names[i];
		}
	}
	return nearest;
}

int util_find_word(const char *word, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (words[i] && strcmp(word, words[i]) == 0)
			return (int)i;
	return -1;
}

const char *util_format_words(const char *const *words, size_t n, const char *last, char *buf, size_t size)
{
	buf[0] = '\0';
	for (size_t i = 0; i < n; i++)
		if (words[i])
			util_append(buf, size, "%s%s", !buf[0] ? "" : i + 1 == n ? last : ", ", words[i]);
	return buf;
}

bool util_has_suffix(const char *name, const char *suffix)
{
	size_t len = strlen(name), suffix_len = strlen(suffix);

	return len > suffix_len && strcmp(name + len - suffix_len, suffix) == 0;
}

const char *util_file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

void util_wrap(FILE *out, unsigned width, unsigned column, const char *text)
{
	unsigned indent = column;

	while (*text) {
		unsigned word = (unsigned)strcspn(text, " ");

		if (width && column > indent && column + 1 + word > width) {
			fprintf(out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			fputc(' ', out);
			column++;
		}
		fwrite(text, 1, word, out);
		column += word;
		text += word + strspn(text + word, " ");
	}
	fputc('\n', out);
}
