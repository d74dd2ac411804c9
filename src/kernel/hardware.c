/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/hardware.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "basic/file.h"
#include "basic/util.h"
#include "kernel/udev.h"

#define UEVENT_MAX 4096

/* Is it "0000:02:00.0"? It becomes part of a path. */
static bool is_pci_address(const char *bus)
{
	size_t domain = strspn(bus, "0123456789abcdef");
	unsigned slot[3];
	int end = 0;

	return domain >= 4 && sscanf(bus + domain, ":%2x:%2x.%1x%n", &slot[0], &slot[1], &slot[2], &end) == 3 &&
	       bus[domain + (size_t)end] == '\0';
}

/* "10D3" and the rest of two ids, in lower case: "8086:10d3". */
static bool read_ids(const char *uevent, const char *key, char ret[10])
{
	const char *at = strstr(uevent, key);
	unsigned vendor, device;

	if (!at || sscanf(at + strlen(key), "%4x:%4x", &vendor, &device) != 2)
		return false;
	snprintf(ret, 10, "%04x:%04x", vendor, device);
	return true;
}

bool hardware_parse_pci(const char *uevent, char ret[LINK_DEVICE_LEN])
{
	char ids[10], subsystem[10];

	ret[0] = '\0';
	if (!read_ids(uevent, "PCI_ID=", ids) || !read_ids(uevent, "PCI_SUBSYS_ID=", subsystem))
		return false;
	snprintf(ret, LINK_DEVICE_LEN, "%s:%s", ids, subsystem);
	return true;
}

static void read_pci(const char *bus, char ret[LINK_DEVICE_LEN])
{
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int fd = -1;
	char path[96];
	size_t len;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/uevent", bus);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && file_read(fd, UEVENT_MAX, &text, &len) >= 0)
		hardware_parse_pci(text, ret);
}

void hardware_read(struct ethtool *e, int ifindex, bool with_udev, struct link_hardware *ret)
{
	struct ethtool_info info;

	*ret = (struct link_hardware){ 0 };
	(void)ethtool_info(e, ifindex, &info);
	memcpy(ret->driver_version, info.version, sizeof(info.version));
	memcpy(ret->firmware, info.firmware, sizeof(info.firmware));
	if (with_udev)
		udev_read_property(ifindex, "ID_PATH", ret->path, sizeof(ret->path));
	if (!is_pci_address(info.bus))
		return;
	read_pci(info.bus, ret->device);
	if (!ret->path[0])
		snprintf(ret->path, sizeof(ret->path), "pci-%s", info.bus);
}
