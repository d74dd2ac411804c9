/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names and images of containers, from files in which the runtime on this host records them. No runtime is asked. The files belong to
 * root, but the owner of a container chooses what they record about it. */
#ifndef OFFLOADD_CONTAINER_H
#define OFFLOADD_CONTAINER_H

#include "basic/json.h"
#include "model/unit.h"

#define CONTAINER_IMAGE_LEN 256

struct container_record {
	char name[UNIT_CONTAINER_LEN]; /* printable, "" if not recorded; "NAMESPACE/POD" in Kubernetes */
	char image[CONTAINER_IMAGE_LEN]; /* the same */
};

enum container_format {
	CONTAINER_DOCKER,  /* /var/lib/docker/containers/ID/config.v2.json */
	CONTAINER_STORAGE, /* of Podman and CRI-O: /var/lib/containers/storage/overlay-containers/containers.json, a list of all */
	CONTAINER_OCI,	   /* of containerd: /run/containerd/io.containerd.runtime.v2.task/k8s.io/ID/config.json */
};

/* What such a file records about the container with this id. Pure. True: there is something. */
bool container_find(enum container_format format, const struct json_value *file, const char *id, struct container_record *ret);

/* The files that were read so far. Zero it first; container_files_clear() frees them, and they are read again. */
#define CONTAINER_STORAGE_FILES 8
struct container_files {
	bool is_read;
	struct json_value *storage[CONTAINER_STORAGE_FILES];
};
void container_files_clear(struct container_files *files);

/* Is there a runtime on this host that records images? */
bool container_has_images(void);

/* Finds the record of a container of this host by its id; nothing for a container of an unprivileged user, and for one without an id,
 * whose name is in the unit. */
void container_read(struct container_files *files, const struct unit *unit, struct container_record *ret);

#endif
