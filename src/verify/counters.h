/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel counts when it throws packets away. */
#ifndef OFFLOADD_COUNTERS_H
#define OFFLOADD_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "verify/frame.h"

struct counters {
	uint64_t rejected; /* packets with a wrong length, header or checksum */
	uint64_t full;	   /* packets for which a socket or the backlog of a CPU had no room: no fault of an offload */
};

/* Reads those of the network namespace that this process is in, and of the backlogs of all CPUs. What cannot be read counts 0. */
void counters_read(struct counters *ret);

/* Can a queue that was full be the reason for what is wrong? Not for corrupt data, for example. */
bool counters_may_explain(enum frame_wrong wrong);

/* Adds what is in a text of /proc/net/snmp, snmp6 (one counter a line), or softnet_stat. Pure. */
void counters_add_snmp(struct counters *counters, const char *text);
void counters_add_snmp6(struct counters *counters, const char *text);
void counters_add_softnet(struct counters *counters, const char *text);

#endif
