/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Helpers for all directories: scope-based cleanup, growing arrays, clocks, text, durations and sizes. */
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
/* -1, 0 or 1, for qsort(); combine several with ?: */
#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))
#define _unused_ __attribute__((unused))
#define _cleanup_(fn) __attribute__((cleanup(fn)))

#define USEC_PER_MSEC UINT64_C(1000)
#define USEC_PER_SEC UINT64_C(1000000)

/* Defines FN_pointer() for _cleanup_: it calls FN for a pointer that is not NULL, and sets it to NULL. */
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

/* For _cleanup_: closes *fd unless it is negative, and preserves errno. */
void util_close_pointer(int *fd);
#define _cleanup_close_ _cleanup_(util_close_pointer)

CLEANUP_POINTER(FILE, fclose)
#define _cleanup_fclose_ _cleanup_(fclose_pointer)
CLEANUP_POINTER(DIR, closedir)
#define _cleanup_closedir_ _cleanup_(closedir_pointer)

/* Takes the pointer or file descriptor out of a variable, which becomes NULL or -1 and no longer owns it. */
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

/* Makes room for one more element in an array of n elements, which must be NULL or have grown by this macro
 * only. The capacity doubles and follows from n. False: no memory, and the array is unchanged. */
#define GROW(array, n)                                                                                                 \
	({                                                                                                             \
		void *_grown = util_grow((array), (n), sizeof(*(array)));                                              \
		if (_grown)                                                                                            \
			(array) = _grown;                                                                              \
		_grown != NULL;                                                                                        \
	})
void *util_grow(void *array, size_t n, size_t size);

/* Removes all elements from a uthash table and calls free_element() for each. Their handle is hh. */
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

/* Formats CLOCK_REALTIME in the local time zone with strftime(3); "" if that fails. Returns buf. */
const char *util_format_time_as(const char *format, uint64_t realtime_usec, char *buf, size_t size);
/* "2026-11-21 23:19:39" */
const char *util_format_time(uint64_t realtime_usec, char *buf, size_t size);

/* Is a capability (CAP_NET_ADMIN, ...) in the effective set of this thread? */
bool util_has_capability(unsigned capability);
/* Removes capabilities (bits 1 << CAP_BPF, ...) from the effective set of this thread, and with for_ever from all its sets but the
 * bounding set. util_raise_capabilities() brings back those of the permitted set. 0 or negative errno. */
int util_lower_capabilities(uint64_t capabilities, bool for_ever);
int util_raise_capabilities(uint64_t capabilities);
/* Is the running kernel older than this release? true if its release cannot be read. Distributions backport features: prefer to
 * test for the feature itself. */
bool util_kernel_is_before(unsigned major, unsigned minor);

/* Lowers *deadline_usec to usec if that is earlier. 0 is never. */
static inline void util_earlier(uint64_t *deadline_usec, uint64_t usec)
{
	if (usec && (*deadline_usec == 0 || usec < *deadline_usec))
		*deadline_usec = usec;
}

/* Copies at most src_len bytes of src, up to a NUL, into dst of size bytes, and terminates it; a longer text
 * is truncated. Bytes that are not printable ASCII become '?', so that a hostile interface name reaches
 * neither a terminal nor JSON. */
void util_copy_name(char *dst, size_t size, const char *src, size_t src_len);

/* Length in bytes of the UTF-8 character (RFC 3629) at the start of a text of n bytes, and its code point; 0
 * if it is not well-formed. */
size_t util_character(const char *s, size_t n, uint32_t *ret);
/* The same for a printable character; 0 also for control characters (C0, DEL, C1) and for marks that change
 * the text direction. */
size_t util_printable(const char *s, size_t n);

/* Copies at most src_len bytes of untrusted text, up to a NUL. Bytes that are not printable UTF-8 become '?';
 * a text that does not fit is truncated after a whole character and ends in "...". size is at least 4.
 * Returns dst. */
char *util_copy_text(char *dst, size_t size, const char *src, size_t src_len);
/* The same for a NUL-terminated text. Returns buf. */
static inline const char *util_clean(const char *text, char *buf, size_t size)
{
	return util_copy_text(buf, size, text, SIZE_MAX);
}

/* Appends formatted text to the string in a buffer of size bytes, truncated to fit. */
void util_append(char *buf, size_t size, const char *fmt, ...) _printf_(3, 4);

/* Parses a duration: "90", "1min 30s", "500ms", "2h". Whole numbers of us, ms, s (the default), m or min, h
 * or d are added up. 0, -EINVAL, or -ERANGE above 366 days. */
int util_parse_duration(const char *text, uint64_t *ret_usec);

/* Parses a size: "4096", "64k", "64M", "2G", with powers of 1024. 0; -EINVAL, also for a size of 0; -ERANGE
 * above 1T. */
int util_parse_size(const char *text, uint64_t *ret_bytes);

/* Formats a remaining time in its two largest units, rounded up: "3s", "1h 30min", "365d". Returns buf. */
const char *util_format_duration(uint64_t usec, char *buf, size_t size);
/* Formats a measured duration with three digits: "47 us", "1.25 ms", "12.5 s". Returns buf. */
const char *util_format_usec(uint64_t usec, char *buf, size_t size);
/* Formats an age in the largest unit of which there are at least two: "90s", "3h", "12d". Returns buf. */
const char *util_format_age(uint64_t sec, char *buf, size_t size);

/* Prints text and a newline, wrapped between words at width columns (0: no limit). column: where the current
 * line ends, and the indent of the following lines. */
void util_wrap(FILE *out, unsigned width, unsigned column, const char *text);

/* "a, b or c" if last is " or "; NULL words are skipped. Returns buf. */
const char *util_format_words(const char *const *words, size_t n, const char *last, char *buf, size_t size);

/* The ending for "link%s": "" for one, else "s". */
static inline const char *util_plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static inline const char *util_on_off(bool on)
{
	return on ? "on" : "off";
}

/* The nearest of n names to word, for "did you mean": by edit distance, but a name that differs only in case
 * comes first. NULL if none is near enough. NULL names are skipped. */
const char *util_nearest(const char *word, const char *const *names, size_t n);

/* The index of a word in a list of n words, or -1. NULL words are skipped. */
int util_find_word(const char *word, const char *const *words, size_t n);

/* Does the name end in the suffix, and is it longer than the suffix? */
bool util_has_suffix(const char *name, const char *suffix);

/* The part of a path after its last slash. Points into path. */
const char *util_file_name(const char *path);

#endif
