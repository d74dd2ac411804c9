/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What rules can match about the host. Virtualization is detected like systemd-detect-virt(1) does: a
 * container before a virtual machine, and on x86 CPUID before DMI, except where DMI is more specific. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "kernel/observe.h"
#include "kernel/trial.h"
#include "basic/util.h"

#if defined(__i386__) || defined(__x86_64__)
#include <cpuid.h>
#endif

struct vendor {
	const char *prefix;
	const char *word;
	bool before_cpu; /* CPUID would name only the hypervisor that the product is based on */
};

static const struct vendor dmi_vendors[] = {
	{ "KVM", "kvm", false },
	{ "OpenStack", "kvm", false },
	{ "KubeVirt", "kvm", false },
	{ "Amazon EC2", "amazon", true },
	{ "QEMU", "qemu", false },
	{ "VMware", "vmware", false },
	{ "VMW", "vmware", false },
	{ "innotek GmbH", "oracle", true },
	{ "VirtualBox", "oracle", true },
	{ "Oracle Corporation", "oracle", true },
	{ "Xen", "xen", true },
	{ "Bochs", "bochs", false },
	{ "Parallels", "parallels", true },
	{ "BHYVE", "bhyve", false },
	{ "Hyper-V", "microsoft", false },
	{ "Apple Virtualization", "apple", false },
	{ "Google Compute Engine", "google", true },
};

/* Reads the start of a file without its final newline; "" if it cannot be read. Returns its length. */
static size_t read_text(const char *path, char *buf, size_t size)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

	if (n < 0)
		n = 0;
	buf[n] = '\0';
	if (n > 0 && buf[n - 1] == '\n')
		buf[n - 1] = '\0';
	return (size_t)n;
}

static void set_word(struct rule_host *host, const char *word)
{
	util_copy_name(host->virtualization, sizeof(host->virtualization), word, strlen(word));
}

/* "container=WORD" among the zero-terminated strings of init's environment. */
static bool init_container(struct rule_host *host)
{
	static const char key[] = "container=";
	char buf[4096];
	size_t n = read_text("/proc/1/environ", buf, sizeof(buf));

	for (size_t at = 0; at < n; at += strlen(buf + at) + 1) {
		if (strncmp(buf + at, key, strlen(key)) == 0 && buf[at + strlen(key)]) {
			set_word(host, buf + at + strlen(key));
			return true;
		}
	}
	return false;
}

static bool detect_container(struct rule_host *host)
{
	char buf[sizeof(host->virtualization)];

	read_text("/run/systemd/container", buf, sizeof(buf));
	if (buf[0])
		set_word(host, buf);
	else if (init_container(host))
		return true;
	else if (access("/run/.containerenv", F_OK) == 0)
		set_word(host, "podman");
	else if (access("/.dockerenv", F_OK) == 0)
		set_word(host, "docker");
	else if (access("/proc/vz", F_OK) == 0 && access("/proc/bc", F_OK) < 0)
		set_word(host, "openvz");
	else if (strstr(host->kernel_release, "Microsoft") || strstr(host->kernel_release, "WSL"))
		set_word(host, "wsl");
	return host->virtualization[0];
}

static const struct vendor *dmi_vendor(void)
{
	static const char *const files[] = {
		"/sys/class/dmi/id/product_name",
		"/sys/class/dmi/id/sys_vendor",
		"/sys/class/dmi/id/board_vendor",
		"/sys/class/dmi/id/bios_vendor",
		"/sys/class/dmi/id/product_version",
	};
	char buf[128];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		read_text(files[i], buf, sizeof(buf));
		for (size_t j = 0; j < ARRAY_SIZE(dmi_vendors); j++)
			if (strncmp(buf, dmi_vendors[j].prefix, strlen(dmi_vendors[j].prefix)) == 0)
				return &dmi_vendors[j];
	}
	return NULL;
}

/* "" outside of virtual machines, "vm-other" in an unknown one. */
static const char *cpu_word(void)
{
#if defined(__i386__) || defined(__x86_64__)
	static const struct {
		const char *id, *word;
	} ids[] = {
		{ "XenVMMXenVMM", "xen" },	{ "KVMKVMKVM", "kvm" },
		{ "Linux KVM Hv", "kvm" },	{ "TCGTCGTCGTCG", "qemu" },
		{ "VMwareVMware", "vmware" },	{ "Microsoft Hv", "microsoft" },
		{ "bhyve bhyve ", "bhyve" },	{ "QNXQVMBSQG", "qnx" },
		{ "ACRNACRNACRN", "acrn" },	{ "SRESRESRESRE", "sre" },
	};
	unsigned eax, ebx, ecx, edx;
	char id[13] = "";

	if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & (1u << 31)))
		return "";
	__cpuid(0x40000000, eax, ebx, ecx, edx);
	memcpy(id, &ebx, 4);
	memcpy(id + 4, &ecx, 4);
	memcpy(id + 8, &edx, 4);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		if (strcmp(id, ids[i].id) == 0)
			return ids[i].word;
	return "vm-other";
#else
	return "";
#endif
}

/* For virtual machines without DMI. */
static const char *firmware_word(void)
{
	char buf[64];

	read_text("/sys/hypervisor/type", buf, sizeof(buf));
	if (strcmp(buf, "xen") == 0)
		return "xen";
	read_text("/proc/device-tree/hypervisor/compatible", buf, sizeof(buf));
	if (strcmp(buf, "linux,kvm") == 0)
		return "kvm";
	if (strstr(buf, "xen"))
		return "xen";
	if (strstr(buf, "vmware"))
		return "vmware";
	return buf[0] ? "vm-other" : "";
}

static void detect_machine(struct rule_host *host)
{
	const struct vendor *vendor = dmi_vendor();
	const char *cpu = cpu_word(), *firmware = firmware_word();

	if (vendor && vendor->before_cpu)
		set_word(host, vendor->word);
	else if (cpu[0] && strcmp(cpu, "vm-other") != 0)
		set_word(host, cpu);
	else if (vendor)
		set_word(host, vendor->word);
	else if (firmware[0])
		set_word(host, firmware);
	else
		set_word(host, cpu[0] ? cpu : "none");
}

void rule_host_read(struct rule_host *ret)
{
	struct utsname u;

	*ret = (struct rule_host){ 0 };
	if (uname(&u) == 0) {
		util_copy_name(ret->kernel_release, sizeof(ret->kernel_release), u.release,
			sizeof(u.release));
		util_copy_name(
			ret->host_name, sizeof(ret->host_name), u.nodename, sizeof(u.nodename));
	}
	if (!detect_container(ret))
		detect_machine(ret);
	ret->backports = trial_has_backports(ret->kernel_release);
	if (ret->backports)
		trial_run(ret);
}
