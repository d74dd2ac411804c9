/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program that owns a tap: opens the one named, offers the offloads named to the kernel (TUNSETOFFLOAD), prints "open", and keeps
 * it until end of input.
 *   tap-owner NAME [csum] [tso4] [tso6] [ecn]
 */
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "basic/util.h"

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static unsigned long offload_of(const char *word)
{
	static const struct {
		const char *word;
		unsigned long flag;
	} words[] = { { "csum", TUN_F_CSUM }, { "tso4", TUN_F_TSO4 }, { "tso6", TUN_F_TSO6 }, { "ecn", TUN_F_TSO_ECN } };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i].word, word) == 0)
			return words[i].flag;
	fprintf(stderr, "unknown offload %s\n", word);
	exit(2);
}

int main(int argc, char **argv)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	unsigned long offloads = 0;
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (argc < 2 || strlen(argv[1]) >= sizeof(request.ifr_name))
		return 2;
	for (int i = 2; i < argc; i++)
		offloads |= offload_of(argv[i]);
	strcpy(request.ifr_name, argv[1]);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0)
		die("TUNSETIFF");
	if (ioctl(fd, TUNSETOFFLOAD, offloads) < 0)
		die("TUNSETOFFLOAD");
	puts("open");
	fflush(stdout);
	while (getchar() != EOF)
		;
	return 0;
}
