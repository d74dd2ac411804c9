/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The report's page without its data: src/report.html as it is, put into the program by the assembler.
 * @@name@@ stands for a part. */
#ifndef OFFLOADD_REPORT_SKELETON_H
#define OFFLOADD_REPORT_SKELETON_H

extern const char report_skeleton[]; /* ends with a NUL */

#endif
