/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The properties of a device on a bus that rules can match, besides its driver. */
#ifndef OFFLOADD_HARDWARE_H
#define OFFLOADD_HARDWARE_H

#include "kernel/ethtool.h"
#include "model/link.h"

/* Reads versions by ethtool_info(), PCI ids from /sys/bus/pci (which does not depend on the network namespace), and ID_PATH from
 * udev's database. with_udev: udev is done with the link; otherwise, or if it has no record, a PCI device has the path that udev
 * would give it on most machines, "pci-ADDRESS". What is not available is "". */
void hardware_read(struct ethtool *e, int ifindex, bool with_udev, struct link_hardware *ret);

/* Finds the PCI ids in the text of a uevent file. False: there are none, and ret is "". */
bool hardware_parse_pci(const char *uevent, char ret[LINK_DEVICE_LEN]);

#endif
