/* SPDX-License-Identifier: GPL-2.0-or-later */
/* To be preloaded: the allocation number FAIL_ALLOC, counted from 1 over malloc, calloc, realloc and what the C library allocates by
 * them, returns NULL with ENOMEM; FAIL_ALLOC_MORE=N lets N more fail after it. Without FAIL_ALLOC nothing fails. Only in the program
 * named by FAIL_ALLOC_IN, so that a shell that starts it is spared. SIGUSR2 starts the count again. At the end the number of
 * allocations is written to the file FAIL_ALLOC_COUNT. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);

static atomic_ulong count;
static unsigned long first, more;
static const char *count_path;

/* dictionary_new() of libiniparser 4.1 crashes where one of its first allocations fails. No caller can prevent that, so offloadd
 * asks for more than these need beforehand (run_iniparser()): that request fails in their place. */
static int is_exempt(const void *caller)
{
	Dl_info info;

	return dladdr(caller, &info) && info.dli_sname && strcmp(info.dli_sname, "dictionary_new") == 0;
}

static int fails(const void *caller)
{
	unsigned long n = atomic_fetch_add(&count, 1) + 1;

	if (first == 0 || n < first || n > first + more || is_exempt(caller))
		return 0;
	errno = ENOMEM;
	return 1;
}

void *malloc(size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(p, size);
}

static void start_again(int signal)
{
	(void)signal;
	atomic_store(&count, 0);
}

__attribute__((constructor)) static void begin(void)
{
	const char *in = getenv("FAIL_ALLOC_IN"), *n = getenv("FAIL_ALLOC"), *m = getenv("FAIL_ALLOC_MORE");

	if (!in || strcmp(in, program_invocation_short_name) != 0)
		return;
	count_path = getenv("FAIL_ALLOC_COUNT");
	if (getenv("FAIL_ALLOC_ON_SIGNAL"))
		signal(SIGUSR2, start_again);
	atomic_store(&count, 0);
	more = m ? strtoul(m, NULL, 10) : 0;
	first = n ? strtoul(n, NULL, 10) : 0;
}

__attribute__((destructor)) static void end(void)
{
	char text[32];
	int fd, len;

	if (!count_path)
		return;
	first = 0;
	len = snprintf(text, sizeof(text), "%lu\n", atomic_load(&count));
	fd = open(count_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd >= 0) {
		(void)!write(fd, text, (size_t)len);
		close(fd);
	}
}
