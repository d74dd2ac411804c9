/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RTM_NEWLINK and RTM_DELLINK messages with their headers. What was parsed must keep the promises of rtnl.h and link.h. */
#include <stdlib.h>
#include <string.h>

#include "kernel/rtnl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_string(const char *field, size_t size)
{
	return memchr(field, '\0', size) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	void *message = malloc(size); /* aligned, and of its own, so that ASan sees its end */
	struct link link;

	if (!message && size)
		return 0;
	if (size)
		memcpy(message, data, size);
	if (rtnl_parse_link(message, size, &link) == 0 &&
		(link.ifindex <= 0 || !link.name[0] || !is_string(link.name, sizeof(link.name)) ||
			!is_string(link.kind, sizeof(link.kind)) ||
			!is_string(link.slave_kind, sizeof(link.slave_kind)) ||
			link.address_len > LINK_ADDRESS_LEN || link.lower_ifindex < 0 ||
			link.master_ifindex < 0 ||
			(link.lower_netnsid != -1 && link.lower_ifindex != 0)))
		abort();
	if (size && rtnl_parse_link(memcpy(message, data, size), size, &link) == 0)
		link_foreach_alt_name(&link, name)
			if (!name[0] || strlen(name) > size)
				abort();
	free(message);
	return 0;
}
