/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a process whose UDP segmentation was refused uses it again. Many QUIC libraries give it up at the first EIO, some for as long as
 * the process lives. Pure. */
#ifndef OFFLOADD_GAVE_UP_H
#define OFFLOADD_GAVE_UP_H

#include "evidence/probe.h"

/* A process has given up if it sent at least GAVE_UP_SINGLE single datagrams, over at least GAVE_UP_USEC since the repair of the link,
 * and none segmented. A sender that tries segmentation again does so with one of its next bursts. */
#define GAVE_UP_SINGLE 32
#define GAVE_UP_USEC (UINT64_C(5) * 1000 * 1000)

enum gave_up {
	GAVE_UP_UNDECIDED, /* it has not sent enough since */
	GAVE_UP_NO,
	GAVE_UP_YES,
};

static inline enum gave_up gave_up_judge(const struct probe_sender *sender)
{
	if (sender->segmented)
		return GAVE_UP_NO;
	return sender->single >= GAVE_UP_SINGLE && sender->single_usec >= GAVE_UP_USEC ? GAVE_UP_YES : GAVE_UP_UNDECIDED;
}

#endif
