/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/report/report.html, included by the assembler: the page without its data. @@name@@ is the place of a part. */
#ifndef OFFLOADD_REPORT_SKELETON_H
#define OFFLOADD_REPORT_SKELETON_H

extern const char report_skeleton[]; /* ends with a NUL */

#endif
