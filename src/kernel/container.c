/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/container.h"

#include <string.h>
#include <unistd.h>

#include "basic/file.h"

#define FILE_MAX (8 << 20)

/* Of the storage library that Podman and CRI-O share. The second file is for containers that need not survive a crash (podman run --rm). */
static const char storage_path[] = "/var/lib/containers/storage/%s-containers/%s.json";
static const char *const storage_drivers[] = { "overlay", "vfs", "btrfs", "zfs" };
static const char *const storage_names[] = { "containers", "volatile-containers" };
_Static_assert(ARRAY_SIZE(storage_drivers) * ARRAY_SIZE(storage_names) == CONTAINER_STORAGE_FILES, "one element for each file");

static const char docker_path[] = "/var/lib/docker/containers/%s/config.v2.json";
static const char oci_path[] = "/run/containerd/io.containerd.runtime.v2.task/k8s.io/%s/config.json";

/* ---- what they record ---- */

/* CRI-O and cri-dockerd name a container of Kubernetes k8s_CONTAINER_POD_NAMESPACE_UID_ATTEMPT. No part can have a "_". */
static bool find_pod(const char *name, char *ret, size_t size)
{
	const char *part[5];
	size_t n = 0;

	if (strncmp(name, "k8s_", 4) != 0)
		return false;
	for (const char *p = strchr(name, '_'); p && n < ARRAY_SIZE(part); p = strchr(p + 1, '_'))
		part[n++] = p + 1;
	if (n < ARRAY_SIZE(part))
		return false;
	snprintf(ret, size, "%.*s/%.*s", (int)(part[3] - part[2] - 1), part[2], (int)(part[2] - part[1] - 1), part[1]);
	return true;
}

static void set_name(struct container_record *record, const char *name)
{
	char pod[UNIT_CONTAINER_LEN];

	if (find_pod(name, pod, sizeof(pod)))
		name = pod;
	util_copy_name(record->name, sizeof(record->name), name, strlen(name));
}

static void set_image(struct container_record *record, const char *image)
{
	util_copy_name(record->image, sizeof(record->image), image, strlen(image));
}

static void find_docker(const struct json_value *file, struct container_record *ret)
{
	const char *name = json_get_text(file, "Name");

	set_name(ret, name + (name[0] == '/'));
	set_image(ret, json_get_text(json_get_object(file, "Config"), "Image"));
}

/* The image is in a document in a text. */
static void find_storage_image(const char *text, struct container_record *ret)
{
	_cleanup_json_ struct json_value *metadata = NULL;
	char why[JSON_WHY_LEN];

	if (json_parse(text, strlen(text), JSON_OF_CLIENT, &metadata, why, sizeof(why)) >= 0)
		set_image(ret, json_get_text(metadata, "image-name"));
}

static void find_storage(const struct json_value *file, const char *id, struct container_record *ret)
{
	json_foreach (container, file) {
		if (strcmp(json_get_text(container, "id"), id) != 0)
			continue;
		set_name(ret, json_as_text(json_next(json_get_list(container, "names"), NULL)));
		find_storage_image(json_get_text(container, "metadata"), ret);
		return;
	}
}

static void find_oci(const struct json_value *file, struct container_record *ret)
{
	const struct json_value *notes = json_get_object(file, "annotations");
	const char *namespace = json_get_text(notes, "io.kubernetes.cri.sandbox-namespace");
	const char *pod = json_get_text(notes, "io.kubernetes.cri.sandbox-name");
	char name[UNIT_CONTAINER_LEN];

	snprintf(name, sizeof(name), "%s/%s", namespace, pod);
	set_name(ret, namespace[0] && pod[0] ? name : "");
	set_image(ret, json_get_text(notes, "io.kubernetes.cri.image-name"));
}

bool container_find(enum container_format format, const struct json_value *file, const char *id, struct container_record *ret)
{
	*ret = (struct container_record){ 0 };
	switch (format) {
	case CONTAINER_DOCKER:
		find_docker(file, ret);
		break;
	case CONTAINER_STORAGE:
		find_storage(file, id, ret);
		break;
	case CONTAINER_OCI:
		find_oci(file, ret);
		break;
	}
	return ret->name[0] || ret->image[0];
}

/* ---- where they are ---- */

/* NULL: it cannot be read, or others could have written it. */
static struct json_value *read_file(const char *path)
{
	char why[FILE_WHY_LEN];
	_cleanup_close_ int fd = file_open(path, FILE_SYSTEM, why, sizeof(why));
	_cleanup_free_ char *text = NULL;
	struct json_value *file = NULL;
	size_t len;

	if (fd < 0 || file_read(fd, FILE_MAX, &text, &len) < 0 || json_parse(text, len, JSON_OF_FILE, &file, why, sizeof(why)) < 0)
		return NULL;
	return file;
}

static bool find_by_id(enum container_format format, const char *template, const char *id, struct container_record *ret)
{
	_cleanup_json_ struct json_value *file = NULL;
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, template, id) < 0) {
		path = NULL;
		return false;
	}
	file = read_file(path);
	return container_find(format, file, id, ret);
}

static void read_storage(struct container_files *files)
{
	char path[sizeof(storage_path) + 64];

	for (size_t i = 0; i < CONTAINER_STORAGE_FILES && !files->is_read; i++) {
		snprintf(path, sizeof(path), storage_path, storage_drivers[i / ARRAY_SIZE(storage_names)],
			storage_names[i % ARRAY_SIZE(storage_names)]);
		files->storage[i] = read_file(path);
	}
	files->is_read = true;
}

void container_files_clear(struct container_files *files)
{
	for (size_t i = 0; i < CONTAINER_STORAGE_FILES; i++)
		json_free(files->storage[i]);
	*files = (struct container_files){ 0 };
}

bool container_has_images(void)
{
	static const char *const directories[] = { "/var/lib/docker", "/var/lib/containers/storage", "/run/containerd" };

	for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
		if (access(directories[i], F_OK) == 0)
			return true;
	return false;
}

/* Where the cgroup does not show the runtime, each is possible: an id belongs to one container only. */
void container_read(struct container_files *files, const struct unit *unit, struct container_record *ret)
{
	*ret = (struct container_record){ 0 };
	if (unit->uid || !unit_has_container_id(unit) || find_by_id(CONTAINER_DOCKER, docker_path, unit->container, ret))
		return;
	read_storage(files);
	for (size_t i = 0; i < CONTAINER_STORAGE_FILES; i++)
		if (container_find(CONTAINER_STORAGE, files->storage[i], unit->container, ret))
			return;
	(void)find_by_id(CONTAINER_OCI, oci_path, unit->container, ret);
}
