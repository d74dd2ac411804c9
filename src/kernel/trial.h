/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tries out how the kernel treats features, if its release does not show that. */
#ifndef OFFLOADD_TRIAL_H
#define OFFLOADD_TRIAL_H

#include "rules/rule.h"

/* Does a kernel with this release contain many backports from later releases? */
bool trial_has_backports(const char *release);

/* Sets host->udp_needs_checksum: does netdev_fix_features() turn UDP segmentation off without a checksum ("net: Make USO depend on
 * CSUM offload")? A child process creates a veth in a network namespace of its own (and in a user namespace, if it has to), which
 * ends with it. TRIAL_UNKNOWN if it may not, as in the packaged unit, or if it takes longer than 5 s. Tried once, at the
 * first call. */
void trial_run(struct rule_host *host);

#endif
