/* SPDX-License-Identifier: GPL-2.0-or-later */
/* udev gives interfaces their names, and alternative names, some time after the kernel has announced them. Its database, a file
 * for each interface below /run/udev/data, shows whether it is done with one; systemd-networkd reads it, too (by sd-device(3)). The
 * netlink messages of udev are only a hint which file to read; nothing in them is trusted. */
#ifndef OFFLOADD_UDEV_H
#define OFFLOADD_UDEV_H

#include <stdbool.h>
#include <stddef.h>

/* Is there a udev? It names only the links of the network namespace that it was started in. */
bool udev_is_running(void);
/* Does udev handle events now? */
bool udev_is_busy(void);

/* Is udev done with this link? Not while it renames it (ID_RENAMING, from systemd 247 on). */
bool udev_has_named(int ifindex);

/* Reads a property of a link that udev is done with, "ID_PATH", sanitized, into size bytes; "" if it has none. */
void udev_read_property(int ifindex, const char *key, char *buf, size_t size);

/* Subscribes to the messages that udev sends when it is done with a device. A descriptor for poll(2), the caller's to close(2);
 * negative errno. */
int udev_subscribe(void);
/* Reads all pending messages without blocking, and calls fn for each that is about a link; with index 0 if messages were lost. */
void udev_read(int fd, void (*fn)(int ifindex, void *userdata), void *userdata);

#endif
