/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "evidence/restart.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "basic/util.h"

/* D-Bus, systemd, network managers, container and VM runtimes, logins, storage, and offloadd itself. */
static const char *const protected_units[] = {
	"dbus.service", "dbus-*.service", "dbus@*.service", "polkit.service", "systemd-*.service", "offloadd*.service",
	"NetworkManager*.service", "networking.service", "network.service", "network@*.service", "ifup@*.service",
	"ifupdown*.service", "connman*.service", "wicked*.service", "netplan*.service", "dhcpcd*.service",
	"wpa_supplicant*.service", "iwd.service", "openvswitch*.service", "ovs-*.service", "frr.service", "bird*.service",
	"keepalived.service", "docker*.service", "containerd*.service", "cri-*.service", "crio*.service", "podman*.service",
	"buildkit*.service", "kubelet.service", "k3s*.service", "rke2*.service", "snap.microk8s.*", "nomad.service",
	"lxc*.service", "lxd*.service", "snap.lxd.*", "incus*.service", "libvirt*.service", "virt*.service",
	"machine*.service", "ssh.service", "ssh@*.service", "sshd*.service", "dropbear*.service", "user@*.service",
	"user-runtime-dir@*.service", "getty@*.service", "serial-getty@*.service", "console-getty.service",
	"gdm*.service", "lightdm.service", "sddm.service", "display-manager.service", "iscsi*.service", "open-iscsi.service",
	"multipathd.service", "rpcbind.service", "rescue.service", "emergency.service",
};

static bool is_protected(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(protected_units); i++)
		if (fnmatch(protected_units[i], name, 0) == 0)
			return true;
	return false;
}

/* Copies the next pattern, and moves *at behind it. One that is too long for any name is left out. */
static bool next_pattern(const char **at, char buf[UNIT_NAME_LEN])
{
	for (;;) {
		size_t len;

		*at += strspn(*at, " \t");
		len = strcspn(*at, " \t");
		if (len == 0)
			return false;
		if (len < UNIT_NAME_LEN) {
			memcpy(buf, *at, len);
			buf[len] = '\0';
		}
		*at += len;
		if (len < UNIT_NAME_LEN)
			return true;
	}
}

static bool is_named(const char *units, const char *name)
{
	char pattern[UNIT_NAME_LEN];

	while (next_pattern(&units, pattern))
		if (fnmatch(pattern, name, 0) == 0)
			return true;
	return false;
}

bool restart_next_protected(const char **at, char buf[UNIT_NAME_LEN])
{
	while (next_pattern(at, buf))
		if (!strpbrk(buf, "*?[\\") && is_protected(buf))
			return true;
	return false;
}

enum restart_verdict restart_judge(const struct restart_policy *policy, const struct unit *unit)
{
	size_t len = strlen(unit->name), suffix = strlen(".service");

	if (unit->kind != UNIT_SERVICE || len <= suffix || strcmp(unit->name + len - suffix, ".service") != 0)
		return RESTART_NOT_A_UNIT;
	if (!is_named(policy->units, unit->name))
		return RESTART_NOT_NAMED;
	return is_protected(unit->name) ? RESTART_PROTECTED : RESTART_YES;
}

static int find_tried(const struct restart_queue *queue, const char *unit)
{
	for (unsigned i = 0; i < queue->n_tried; i++)
		if (strcmp(queue->tried[i], unit) == 0)
			return (int)i;
	return -1;
}

int restart_take(struct restart_queue *queue, const struct restart_policy *policy, const struct unit *unit,
	uint64_t now_usec, uint64_t *ret_usec)
{
	*ret_usec = 0;
	if (restart_judge(policy, unit) != RESTART_YES || queue->n_tried == RESTART_TRIED_MAX ||
		find_tried(queue, unit->name) >= 0)
		return 0;
	if (queue->busy || now_usec < queue->next_usec) {
		*ret_usec = queue->next_usec > now_usec ? queue->next_usec : now_usec + USEC_PER_SEC;
		return 0;
	}
	snprintf(queue->tried[queue->n_tried++], UNIT_NAME_LEN, "%s", unit->name);
	queue->busy = true;
	queue->next_usec = now_usec + policy->pause_usec;
	return 1;
}

void restart_done(struct restart_queue *queue)
{
	queue->busy = false;
}

bool restart_is_tried(const struct restart_queue *queue, const char *unit)
{
	return find_tried(queue, unit) >= 0;
}

void restart_forget(struct restart_queue *queue, const char *unit)
{
	int i = find_tried(queue, unit);

	if (i < 0)
		return;
	queue->n_tried--;
	memmove(queue->tried[i], queue->tried[queue->n_tried], UNIT_NAME_LEN);
}
