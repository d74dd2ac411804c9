/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What hit.bpf.c and bench-hit.c share. */
#ifndef OFFLOADD_BENCH_HIT_H
#define OFFLOADD_BENCH_HIT_H

#define HIT_PACKETS 1024 /* the most that are measured with one program */

#endif
