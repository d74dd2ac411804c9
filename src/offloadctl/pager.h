/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Long output on a terminal goes through a pager, as in systemctl(1). */
#ifndef OFFLOADD_PAGER_H
#define OFFLOADD_PAGER_H

#include <stdbool.h>

/* From now on standard output, and standard error if it is a terminal, go to OFFLOADD_PAGER, PAGER or less. Nothing happens if standard
 * output is not a terminal, TERM=dumb, or the pager is empty or "cat". True if a pager runs. */
bool pager_open(void);
/* Ends the output and waits until the user leaves the pager. False if none runs. */
bool pager_close(void);

#endif
