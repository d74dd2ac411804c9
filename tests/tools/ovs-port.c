/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes an interface a port of an Open vSwitch datapath, which is created: ovs-port DATAPATH LINK. Exits 77 without the module. */
#include <stdio.h>

#include "openvswitch.h"

int main(int argc, char **argv)
{
	int r;

	if (argc != 3) {
		fprintf(stderr, "usage: ovs-port DATAPATH LINK\n");
		return 2;
	}
	r = ovs_datapath(argv[1], OVS_DP_CMD_NEW);
	if (r >= 0)
		r = ovs_port(argv[1], argv[2], OVS_VPORT_TYPE_NETDEV);
	if (r < 0)
		fprintf(stderr, "ovs-port: %s\n", strerror(-r));
	return r == -EOPNOTSUPP ? 77 : r < 0;
}
