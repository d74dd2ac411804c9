/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of /proc and messages of udev, by the first byte: kallsyms, TCP sockets, soft interrupts (two files, separated by a NUL), and a
 * message of udev. */
#include "fuzz.h"

#include <sys/socket.h>
#include <unistd.h>

#include "kernel/ksyms.h"
#include "kernel/softirq.h"
#include "kernel/tcp_sockets.h"
#include "kernel/udev.h"

static void read_symbols(char *text)
{
	char name[KSYMS_NAME_LEN];
	uint64_t start;
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		int r = ksyms_parse_line(line, &start, name);

		assert(r == 0 || r == 1);
		if (r)
			fuzz_check_name(name, sizeof(name));
		assert(!r || name[0]);
	}
}

static void read_sockets(char *text)
{
	struct socket_info socket;
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		for (unsigned i = 0; i < 2; i++) {
			uint16_t family = i ? AF_INET6 : AF_INET;
			int r = tcp_sockets_parse(line, family, &socket);

			assert(r == 0 || r == -EBADMSG);
			assert(r < 0 || socket.family == family);
		}
}

static void read_softirqs(const char *text, const char *end)
{
	static struct softirqs then, now;
	const char *second = text + strlen(text);
	struct softirq_share share;
	int r;

	second += second < end;
	r = softirq_parse(text, second, &now);
	assert(r == -EBADMSG || (r == 0 && now.n > 0));
	assert(now.n <= SOFTIRQ_CPUS_MAX);
	for (unsigned i = 0; i < SOFTIRQ_KINDS; i++)
		fuzz_check_name(now.names[i], sizeof(now.names[i]));
	then.n = 1;
	for (size_t i = 0; i < now.n && i < 4; i++) {
		assert(softirq_find(&now, now.cpus[i].cpu)->cpu == now.cpus[i].cpu);
		if (!softirq_compare(&then.cpus[0], &now.cpus[i], &share))
			continue;
		assert(share.busy_permille <= 1000 && share.softirq_permille <= 1000 && share.most <= SOFTIRQ_KINDS);
	}
}

static void note_link(int ifindex, void *userdata)
{
	assert(ifindex >= 0);
	*(unsigned *)userdata += 1;
}

static void read_udev(const char *message, size_t size)
{
	static int fds[2];
	unsigned n = 0;

	if (!fds[0])
		assert(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fds) == 0);
	if (send(fds[0], message, size, 0) < 0)
		return;
	udev_read(fds[1], note_link, &n);
	assert(n <= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size < 1)
		return 0;
	text = fuzz_text(data + 1, size - 1);
	switch (data[0]) {
	case 'k':
		read_symbols(text);
		break;
	case 't':
		read_sockets(text);
		break;
	case 's':
		read_softirqs(text, text + size - 1);
		break;
	case 'u':
		read_udev(text, size - 1);
		break;
	}
	free(text);
	return 0;
}
