/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every directory uses: cleanup by scope, ownership, growing arrays, clocks, text and numbers. */
#ifndef OFFLOADD_UTIL_H
#define OFFLOADD_UTIL_H

#include <dirent.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))
/* -1, 0, 1: for qsort(); several are joined by ?: */
#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))
#define _unused_ __attribute__((unused))
#define _cleanup_(fn) __attribute__((cleanup(fn)))

#define USEC_PER_MSEC UINT64_C(1000)
#define USEC_PER_SEC UINT64_C(1000000)

/* Defines FN_pointer(), which calls FN for a pointer that is not NULL and makes it NULL. For _cleanup_. */
#define CLEANUP_POINTER(type, fn)                                                                                      \
	static inline void fn##_pointer(type **p)                                                                      \
	{                                                                                                              \
		if (*p)                                                                                                \
			fn(*p);                                                                                        \
		*p = NULL;                                                                                             \
	}

static inline void util_free_pointer(void *p)
{
	free(*(void **)p);
}
#define _cleanup_free_ _cleanup_(util_free_pointer)

/* Closes *fd if it is not negative, keeps errno. For _cleanup_. */
void util_close_pointer(int *fd);
#define _cleanup_close_ _cleanup_(util_close_pointer)

CLEANUP_POINTER(FILE, fclose)
#define _cleanup_fclose_ _cleanup_(fclose_pointer)
CLEANUP_POINTER(DIR, closedir)
#define _cleanup_closedir_ _cleanup_(closedir_pointer)

/* The pointer or file descriptor, which the variable no longer owns: it becomes NULL or -1. */
#define TAKE_PTR(p)                                                                                                    \
	({                                                                                                             \
		typeof(p) _taken = (p);                                                                                \
		(p) = NULL;                                                                                            \
		_taken;                                                                                                \
	})
#define TAKE_FD(fd)                                                                                                    \
	({                                                                                                             \
		int _taken = (fd);                                                                                     \
		(fd) = -1;                                                                                             \
		_taken;                                                                                                \
	})

/* Makes room for one more element in an array of n that grows by this only, or was NULL. The room doubles, and needs
 * no field of its own. False: no memory, the array is unchanged. */
#define GROW(array, n)                                                                                                 \
	({                                                                                                             \
		void *_grown = util_grow((array), (n), sizeof(*(array)));                                              \
		if (_grown)                                                                                            \
			(array) = _grown;                                                                              \
		_grown != NULL;                                                                                        \
	})
void *util_grow(void *array, size_t n, size_t size);

/* Empties a uthash table whose elements have their handle in `hh`; free_element() is called for each. */
#define HASH_FREE(head, free_element)                                                                                  \
	do {                                                                                                           \
		typeof(head) _element, _next;                                                                          \
		HASH_ITER(hh, (head), _element, _next) {                                                               \
			HASH_DEL((head), _element);                                                                    \
			free_element(_element);                                                                        \
		}                                                                                                      \
	} while (0)

/* CLOCK_MONOTONIC in microseconds. */
uint64_t util_now_usec(void);
/* CLOCK_REALTIME in microseconds and in seconds. */
uint64_t util_realtime_usec(void);
int64_t util_realtime_sec(void);

/* CLOCK_REALTIME in the local time zone by a format of strftime(3), "" for what is beyond the calendar. Returns buf. */
const char *util_format_time_as(const char *format, uint64_t realtime_usec, char *buf, size_t size);
/* "2026-11-21 23:19:39" */
const char *util_format_time(uint64_t realtime_usec, char *buf, size_t size);

/* Does this process have a capability (CAP_NET_ADMIN, ...) in its effective set? */
bool util_has_capability(unsigned capability);

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

/* Copies text that may come from outside, up to a NUL: each byte of what is not printable UTF-8 becomes '?', what is too long ends
 * after a whole character in "...". size is at least 4. Returns dst. */
char *util_copy_text(char *dst, size_t size, const char *src, size_t src_len);
static inline const char *util_clean(const char *text, char *buf, size_t size)
{
	return util_copy_text(buf, size, text, SIZE_MAX);
}

/* Appends formatted text to a buffer of size bytes that already holds a string; what does not fit is cut. */
void util_append(char *buf, size_t size, const char *fmt, ...) _printf_(3, 4);

/* "90", "1min 30s", "500ms", "2h": whole numbers of us, ms, s (the unit when there is none), min, h or d,
 * added up. -EINVAL, -ERANGE above a year. */
int util_parse_duration(const char *text, uint64_t *ret_usec);

/* "4096", "64k", "64M", "2G": powers of 1024. -EINVAL, also for 0; -ERANGE above 1T. */
int util_parse_size(const char *text, uint64_t *ret_bytes);

/* Durations for people; all return buf.
 * Rounded up to a second, its two largest units: "3s", "1h 30min", "365d". */
const char *util_format_duration(uint64_t usec, char *buf, size_t size);
/* A measured time, three digits: "47 us", "1.25 ms", "12.5 s". */
const char *util_format_usec(uint64_t usec, char *buf, size_t size);
/* How long something has lasted, in one unit of which there are two at least: "90s", "3h", "12d". */
const char *util_format_age(uint64_t sec, char *buf, size_t size);

/* Text from a column on where the line is now, broken between words; and a newline. width 0 for no limit. */
void util_wrap(FILE *out, unsigned width, unsigned column, const char *text);

/* "a, b or c", with last " or "; NULL words are skipped. Returns buf. */
const char *util_format_words(const char *const *words, size_t n, const char *last, char *buf, size_t size);

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

/* The nearest of n names to word, one that differs only in case before all others; NULL when none is near enough to
 * be helpful. NULL names are skipped. */
const char *util_nearest(const char *word, const char *const *names, size_t n);

/* Number of a word among n, -1. NULL words are skipped. */
int util_find_word(const char *word, const char *const *words, size_t n);

/* Does the name end in the suffix, with something before it? */
bool util_has_suffix(const char *name, const char *suffix);

/* The part of a path behind its last slash. */
const char *util_file_name(const char *path);

#endif
