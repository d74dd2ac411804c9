/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/finding.h"

#include "basic/util.h"

static const char *const names[FINDING_CODES] = {
	[FINDING_NONE] = "none",
	[FINDING_DIAGNOSIS_DEVICE] = "diagnosis-device",
	[FINDING_DIAGNOSIS_RECONNECT] = "diagnosis-reconnect",
	[FINDING_DIAGNOSIS_DISK] = "diagnosis-disk",
	[FINDING_DIAGNOSIS_RECEIVER] = "diagnosis-receiver",
	[FINDING_DIAGNOSIS_WELL] = "diagnosis-well",
	[FINDING_DIAGNOSIS_BLIND] = "diagnosis-blind",
};

const char *finding_name(enum finding_code code)
{
	return (size_t)code < ARRAY_SIZE(names) ? names[code] : "unknown";
}
