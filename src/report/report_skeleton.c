/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/report_skeleton.h"

__asm__(".pushsection .rodata, \"a\"\n"
	".globl report_skeleton\n"
	".hidden report_skeleton\n"
	".type report_skeleton, %object\n"
	"report_skeleton:\n"
	".incbin \"src/report/report.html\"\n"
	".byte 0\n"
	".size report_skeleton, . - report_skeleton\n"
	".popsection\n");
