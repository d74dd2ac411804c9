/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attaches an XDP program that passes every packet to an interface, or detaches it. It stays attached after this program ends.
 *   xdp-pass INTERFACE driver|generic|off
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "basic/util.h"

int main(int argc, char **argv)
{
	/* r0 = XDP_PASS; exit */
	const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int ifindex, fd, r;

	if (argc != 3)
		return 2;
	ifindex = (int)if_nametoindex(argv[1]);
	if (strcmp(argv[2], "off") == 0) {
		r = bpf_xdp_detach(ifindex, XDP_FLAGS_SKB_MODE, NULL);
		if (r >= 0 || r == -EEXIST) /* the other one is attached, or none */
			r = bpf_xdp_detach(ifindex, XDP_FLAGS_DRV_MODE, NULL);
	} else {
		fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "pass", "GPL", code, ARRAY_SIZE(code), NULL);
		r = fd < 0 ? fd : bpf_xdp_attach(ifindex, fd,
			strcmp(argv[2], "generic") == 0 ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE, NULL);
	}
	if (r < 0)
		fprintf(stderr, "%s: %s\n", argv[1], strerror(-r));
	return r < 0;
}
