/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The service that a cgroup belongs to, from its path: a systemd unit of the system or of a user, or a
 * container (never the container engine that started it). Pure. */
#ifndef OFFLOADD_UNIT_H
#define OFFLOADD_UNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UNIT_NAME_LEN 256      /* systemd's UNIT_NAME_MAX, with its terminator */
#define UNIT_SERVICE_LEN 320    /* of unit_format(), with its terminator */
#define UNIT_CONTAINER_LEN 128 /* id or name */
#define UNIT_PATH_MAX 4096

enum unit_kind {
	UNIT_NONE,	/* the root cgroup: kernel threads, or a host without the unified hierarchy */
	UNIT_SERVICE,	/* of the system */
	UNIT_USER,	/* a service or scope of a user's systemd */
	UNIT_CONTAINER, /* a container or virtual machine: see runtime and container */
	UNIT_SESSION,	/* a login session */
	UNIT_SCOPE,	/* any other scope */
	UNIT_OTHER,	/* a slice, or a cgroup that is not a unit; name is its path */
};

struct unit {
	enum unit_kind kind;
	/* of the systemd unit ("nginx.service", "docker-ID.scope"), or the path without its first slash; "" for UNIT_NONE */
	char name[UNIT_NAME_LEN];
	char runtime[16]; /* "docker", "containerd", "cri-o", "podman", "lxc", "nspawn", "libvirt", "machine", "container" */
	char container[UNIT_CONTAINER_LEN]; /* id or name, unescaped, printable */
	uint32_t uid;			    /* for UNIT_USER; else 0 */
};

/* The name in documents, "service", "container". Static. */
const char *unit_kind_name(enum unit_kind kind);
/* The kind of such a name; UNIT_OTHER for other words. */
enum unit_kind unit_kind_parse(const char *name);

/* Parses the path of a cgroup below its mount point, "/system.slice/nginx.service". Unknown paths are
 * UNIT_OTHER. */
void unit_parse_path(const char *path, struct unit *ret);

/* Is it a container with an id of 64 hexadecimal digits? Not if it has a name instead. */
bool unit_has_container_id(const struct unit *unit);

/* For the cgroup of a socket unit, "/system.slice/web.socket": the one of the service that it starts unless Service= names another,
 * "/system.slice/web.service". False: the path is not that of a socket unit, or size is too small. */
bool unit_path_of_service(const char *path, char *ret, size_t size);

/* Finds the path in the text of /proc/PID/cgroup: of the unified hierarchy unless that is the root, else of
 * systemd's hierarchy (v1), else of any. Writes it to path of size bytes. 0; 1: it is of a hierarchy of version 1;
 * -ENOENT if the text has none; -ENAMETOOLONG. */
int unit_parse_proc(const char *text, char *path, size_t size);

/* Formats a unit for output: "nginx.service", "foo.service of user 1000", "docker 4f0d12..." (12 digits of
 * the id). Returns buf. */
#define UNIT_NO_SERVICE "no service" /* for UNIT_NONE */
const char *unit_format(const struct unit *unit, char *buf, size_t size);

#endif
