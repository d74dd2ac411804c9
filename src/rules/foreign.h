/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words of other tools (systemd.link, netplan, NetworkManager, ifupdown, ethtool) in a rule: what they are called here, or that they
 * are about something else. Pure. */
#ifndef OFFLOADD_FOREIGN_H
#define OFFLOADD_FOREIGN_H

#include <stdbool.h>
#include <stddef.h>

/* Explains a key, or a section if key is NULL: "TCPSegmentationOffload is tso here". False: it is no such word. */
bool foreign_explain(const char *section, const char *key, char *buf, size_t size);

/* "on" or "off" for the words of other tools, "yes" and "false"; NULL. Static. */
const char *foreign_value(const char *value);

/* The kind that a word of other tools, "ethernet", stands for; NULL. Static. */
const char *foreign_kind(const char *word);

/* What a key of another tool that is no feature is about, "rings"; NULL. Static. */
const char *foreign_topic(const char *key);

#endif
