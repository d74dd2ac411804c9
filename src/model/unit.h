/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which service a cgroup belongs to, from its path alone: systemd units of the system and of users, and
 * containers under their own name, never under the engine that started them. Pure. */
#ifndef OFFLOADD_UNIT_H
#define OFFLOADD_UNIT_H

#include <stddef.h>
#include <stdint.h>

#define UNIT_NAME_LEN 256      /* systemd's UNIT_NAME_MAX, with its terminator */
#define UNIT_SERVICE_LEN 320    /* what unit_format() writes, with its terminator */
#define UNIT_CONTAINER_LEN 128 /* id or name */
#define UNIT_PATH_MAX 4096

enum unit_kind {
	UNIT_NONE,	/* the root: kernel threads, or a host without the unified hierarchy */
	UNIT_SERVICE,	/* of the system's manager */
	UNIT_USER,	/* service or scope of a user's manager */
	UNIT_CONTAINER, /* docker, containerd, cri-o, podman, lxc, nspawn, a virtual machine: `container` tells which */
	UNIT_SESSION,	/* a login session */
	UNIT_SCOPE,	/* any other scope */
	UNIT_OTHER,	/* a slice, or a folder that some program made; name is the path */
};

struct unit {
	enum unit_kind kind;
	char name[UNIT_NAME_LEN]; /* what systemd calls it ("nginx.service", "docker-ID.scope"); a path without slash at its
				   * start where systemd does not know it; "" for NONE */
	char runtime[16];	  /* "docker", "containerd", "cri-o", "podman", "lxc", "nspawn", "libvirt", "machine", "container" */
	char container[UNIT_CONTAINER_LEN]; /* id or name, unescaped, printable */
	uint32_t uid;			    /* whose manager, for UNIT_USER; else 0 */
};

/* "service", "container", ...: as in documents. */
const char *unit_kind_name(enum unit_kind kind);
/* UNIT_OTHER for other words. */
enum unit_kind unit_kind_parse(const char *name);

/* What the cgroup's path ("/system.slice/nginx.service", below the mount point) says. Never fails: what it
 * does not know is OTHER. */
void unit_parse_path(const char *path, struct unit *ret);

/* The path from the text of /proc/PID/cgroup: the unified hierarchy's where it says something, else
 * systemd's own of v1, else any. 0, -ENOENT when the text holds none, -ENAMETOOLONG. */
int unit_parse_proc(const char *text, char *path, size_t size);

/* How people name it: "nginx.service", "user 1000: foo.service", "docker 4f0d12..." (id cut to 12). Returns
 * buf. */
#define UNIT_NO_SERVICE "no service" /* of UNIT_NONE */
const char *unit_format(const struct unit *unit, char *buf, size_t size);

#endif
