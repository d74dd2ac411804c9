/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sample sockets and latencies, as after the repair of the incident. */
#ifndef OFFLOADD_TESTS_EVIDENCE_SAMPLE_H
#define OFFLOADD_TESTS_EVIDENCE_SAMPLE_H

#include "unit.h"

#include <arpa/inet.h>
#include <string.h>

#include "evidence/evidence.h"

static inline void sample_socket(struct evidence *e, const char *link,
	const char *service, const char *local, const char *remote, feature_set missing, pid_t pid)
{
	struct evidence_socket row = { .missing = missing, .pid = pid };

	row.info.family = strchr(local, ':') ? AF_INET6 : AF_INET;
	assert_int_equal(inet_pton(row.info.family, local, row.info.local), 1);
	assert_int_equal(inet_pton(row.info.family, remote, row.info.remote), 1);
	row.info.local_port = 5002;
	row.info.remote_port = 40001;
	row.info.state = 1;
	strcpy(row.link, link);
	row.service = strdup(service);
	assert_non_null(row.service);
	if (pid) {
		strcpy(row.comm, "sender\x1b[1m");
		row.has_age = pid != 7;
		row.age_sec = 11520;
	}
	assert_int_equal(evidence_add_socket(e, &row), 0);
}

static inline struct evidence sample_sockets(const struct feature_table *features)
{
	struct evidence e = { .features = *features, .all_sockets = true, .visited = 12 };
	feature_set sg = feature_named(features, "tx-scatter-gather"),
		    csum = feature_named(features, "tx-checksum-ip-generic");

	sample_socket(&e, "vlan10", "web.service", "10.9.0.1", "10.9.0.2", 0, 7);
	sample_socket(&e, "vlan10", "files.service", "fd09::1", "fd09::2", sg, 0);
	sample_socket(&e, "vlan10", "files.service", "10.9.0.1", "10.9.0.2", sg | csum, 812);
	sample_socket(&e, "", "docker 0123456789ab", "10.9.0.1", "10.9.0.3", 0, 0);
	evidence_sort(&e);
	return e;
}

static inline struct evidence_latency sample_latency(void)
{
	struct evidence_latency latency = { .elapsed_usec = 1000123, .has_waits = true };
	struct evidence_latency_row healthy = { .service = "files.service", .calls = 40, .total_usec = 400, .disk_usec = 399 },
				    slow = { .service = "files.service",
					    .fallback = true,
					    .calls = 100,
					    .total_usec = 90000,
					    .peer_usec = 4500 };

	healthy.slots[0] = 10;
	healthy.slots[3] = 30;
	slow.slots[8] = 20;
	slow.slots[9] = 79;
	slow.slots[LATENCY_SLOTS - 1] = 1;
	assert_int_equal(evidence_latency_add(&latency, &healthy), 0);
	assert_int_equal(evidence_latency_add(&latency, &slow), 0);
	evidence_latency_sort(&latency);
	return latency;
}

#endif
