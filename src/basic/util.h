/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small things that every room uses: cleanup by scope, bounded text, clocks. No I/O of its own. */
#ifndef OFFLOADD_UTIL_H
#define OFFLOADD_UTIL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))
#define _unused_ __attribute__((unused))
#define _cleanup_(fn) __attribute__((cleanup(fn)))

#define USEC_PER_MSEC UINT64_C(1000)
#define USEC_PER_SEC UINT64_C(1000000)

static inline void util_free_pointer(void *p)
{
	free(*(void **)p);
}
#define _cleanup_free_ _cleanup_(util_free_pointer)

/* Closes *fd if it is not negative, keeps errno. For _cleanup_. */
void util_close_pointer(int *fd);
#define _cleanup_close_ _cleanup_(util_close_pointer)

static inline void util_fclose_pointer(FILE **f)
{
	if (*f)
		fclose(*f);
}
#define _cleanup_fclose_ _cleanup_(util_fclose_pointer)

/* CLOCK_MONOTONIC in microseconds. */
uint64_t util_now_usec(void);
/* CLOCK_REALTIME in microseconds and in seconds. */
uint64_t util_realtime_usec(void);
int64_t util_realtime_sec(void);

/* "2026-11-21 23:19:39": CLOCK_REALTIME in the local time zone, "" for what is beyond the calendar. Returns
 * buf. */
const char *util_format_time(uint64_t realtime_usec, char *buf, size_t size);

/* The sooner of two deadlines; 0 is never. */
static inline void util_earlier(uint64_t *deadline_usec, uint64_t usec)
{
	if (usec && (*deadline_usec == 0 || usec < *deadline_usec))
		*deadline_usec = usec;
}

/* Copies src into a field of size bytes, always terminated; what is too long is cut. Bytes that are not
 * printable ASCII become '?', so that a hostile interface name can reach neither a terminal nor JSON. */
void util_copy_name(char *dst, size_t size, const char *src, size_t src_len);

/* Length of the well-formed UTF-8 character that begins a text of n bytes, 0 when none does (RFC 3629). */
size_t util_character(const char *s, size_t n, uint32_t *ret);
/* The same of one that may be shown: no control character, DEL or C1, and no mark that turns the direction of what follows it. */
size_t util_printable(const char *s, size_t n);

/* Copies text that came from outside: each byte of what is not printable becomes '?'; what is too long is cut, never within a
 * character. Returns buf. */
const char *util_clean(const char *text, char *buf, size_t size);

/* Appends formatted text to a buffer of size bytes that already holds a string; what does not fit is cut. */
void util_append(char *buf, size_t size, const char *fmt, ...) _printf_(3, 4);

/* "90", "1min 30s", "500ms", "2h": whole numbers of us, ms, s (the unit when there is none), min, h or d,
 * added up. -EINVAL, -ERANGE above a year. */
int util_parse_duration(const char *text, uint64_t *ret_usec);

/* "4096", "64k", "64M", "2G": powers of 1024. -EINVAL, also for 0; -ERANGE above 1T. */
int util_parse_size(const char *text, uint64_t *ret_bytes);

/* The same for people, rounded up to a second, its two largest units: "3s", "1h 30min", "365d". Returns buf. */
const char *util_format_duration(uint64_t usec, char *buf, size_t size);

/* "link%s": "" for one, else "s". */
static inline const char *util_plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static inline const char *util_on_off(bool on)
{
	return on ? "on" : "off";
}

/* Edit distance (insert, delete, replace, swap of neighbours), for "did you mean". Inputs longer than 63
 * characters count as far away (returns 64). */
unsigned util_distance(const char *a, const char *b);

/* The nearest of n names to word, NULL when none is near enough to be helpful. */
const char *util_nearest(const char *word, const char *const *names, size_t n);

#endif
