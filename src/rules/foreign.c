/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/foreign.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "basic/util.h"
#include "model/feature.h"

#define WORD_LEN 64

struct pair {
	const char *word, *here; /* word: in lower case, with "-" for "_" */
};

/* Prefixes of ifupdown, NetworkManager and nmstate. */
static const char *const prefixes[] = { "offload-", "feature-", "ethtool." };

static const struct pair keys[] = {
	/* [Link] of systemd.link(5) */
	{ "receivechecksumoffload", "rx" },
	{ "transmitchecksumoffload", "tx" },
	{ "tcpsegmentationoffload", "tso" },
	{ "tcp6segmentationoffload", "tx-tcp6-segmentation" },
	{ "tcpecnsegmentationoffload", "tx-tcp-ecn-segmentation" },
	{ "tcpmangleidsegmentationoffload", "tx-tcp-mangleid-segmentation" },
	{ "genericsegmentationoffload", "gso" },
	{ "partialgenericsegmentationoffload", "tx-gso-partial" },
	{ "genericreceiveoffload", "gro" },
	{ "genericreceiveoffloadhardware", "rx-gro-hw" },
	{ "genericreceiveoffloadlist", "rx-gro-list" },
	{ "genericreceiveoffloadudpforwarding", "rx-udp-gro-forwarding" },
	{ "udpsegmentationoffload", "tx-udp-segmentation" },
	{ "largereceiveoffload", "lro" },
	{ "scattergather", "sg" },
	{ "scattergatherfragmentlist", "tx-scatter-gather-fraglist" },
	{ "receivevlanctaghardwareacceleration", "rxvlan" },
	{ "transmitvlanctaghardwareacceleration", "txvlan" },
	{ "receivevlanctagfilter", "rx-vlan-filter" },
	{ "transmitvlanstaghardwareacceleration", "tx-vlan-stag-hw-insert" },
	{ "ntuplefilter", "ntuple" },
	{ "genericsegmentoffloadmaxbytes", "gso-max-size, in [Limits]," },
	{ "genericsegmentoffloadmaxsegments", "gso-max-segs, in [Limits]," },
	/* netplan */
	{ "receive-checksum-offload", "rx" },
	{ "transmit-checksum-offload", "tx" },
	{ "tcp6-segmentation-offload", "tx-tcp6-segmentation" },
	/* [Match] of others */
	{ "originalname", "Name, in [Match]," },
	{ "interface-name", "Name, in [Match]," },
	{ "iface", "Name, in [Match]," },
	{ "permanentmacaddress", "MACAddress, in [Match]," },
	{ "mac-address", "MACAddress, in [Match]," },
	{ "macaddress", "MACAddress, in [Match]," },
	{ "type", "Kind, in [Match]," },
};

/* What a key is about, as fnmatch(3) over such words. */
static const struct pair topics[] = {
	{ "ring-*", "rings" },
	{ "*-ring", "rings" },
	{ "*-ring-*", "rings" },
	{ "[rt]x*buffersize", "rings" },
	{ "*channels*", "channels" },
	{ "combined*", "channels" },
	{ "*coalesc*", "interrupt coalescing" },
	{ "*usecs*", "interrupt coalescing" },
	{ "*maxcoalescedframes*", "interrupt coalescing" },
	{ "adaptive-*", "interrupt coalescing" },
	{ "useadaptive*", "interrupt coalescing" },
	{ "[rt]x-frames*", "interrupt coalescing" },
	{ "*pause*", "flow control" },
	{ "*flowcontrol*", "flow control" },
	{ "*priv*flag*", "private flags of a driver" },
	{ "legacy-rx", "private flags of a driver" },
	{ "disable-*lldp*", "private flags of a driver" },
	{ "link-down-on-close*", "private flags of a driver" },
	{ "*-cqe-*", "private flags of a driver" },
	{ "rx-striding-rq", "private flags of a driver" },
	{ "*-mpwqe", "private flags of a driver" },
	{ "*promisc*", "private flags of a driver" },
	{ "*autoneg*", "link modes" },
	{ "*advertis*", "link modes" },
	{ "speed", "link modes" },
	{ "link-speed", "link modes" },
	{ "*duplex", "link modes" },
	{ "bitspersecond", "link modes" },
	{ "*wol*", "Wake-on-LAN" },
	{ "wakeonlan*", "Wake-on-LAN" },
	{ "mtu*", "the MTU" },
	{ "*eee*", "Energy-Efficient Ethernet" },
	{ "fec*", "forward error correction" },
	{ "*queue*", "queues" },
	{ "rps*", "queues" },
	{ "xps*", "queues" },
	{ "*rss*", "queues" },
};

static const struct pair sections[] = {
	{ "link", "[Link] is a section of systemd.link files; put features in [Features]" },
	{ "network", "[Network] is a section of systemd.network files; put features in [Features]" },
	{ "netdev", "[NetDev] is a section of systemd.netdev files; put features in [Features]" },
	{ "ethtool", "[ethtool] is a section of NetworkManager profiles; put features in [Features]" },
	{ "connection", "[connection] is a section of NetworkManager profiles; select interfaces in [Match]" },
	{ "unit", "[Unit] is a section of units; put Description= in [Rule]" },
};

static const struct pair values[] = {
	{ "yes", "on" }, { "true", "on" }, { "1", "on" }, { "enable", "on" }, { "enabled", "on" },
	{ "no", "off" }, { "false", "off" }, { "0", "off" }, { "disable", "off" }, { "disabled", "off" },
};

static const struct pair kinds[] = {
	{ "ethernet", "physical" }, { "ether", "physical" }, { "eth", "physical" }, { "nic", "physical" }, { "device", "physical" },
	{ "hardware", "physical" }, { "pci", "physical" }, { "phys", "physical" }, { "wlan", "physical" }, { "wifi", "physical" },
	{ "virtio", "physical" }, { "virtio-net", "physical" }, { "lo", "loopback" }, { "bonding", "bond" }, { "lag", "bond" },
	{ "8021q", "vlan" }, { "802.1q", "vlan" }, { "dot1q", "vlan" }, { "tap", "tun" }, { "tuntap", "tun" }, { "ovs", "openvswitch" },
	{ "wg", "wireguard" }, { "sriov", "physical" }, { "vf", "physical" },
};

static const char *plain(const char *word, char buf[WORD_LEN])
{
	size_t i = 0;

	for (; word[i] && i < WORD_LEN - 1; i++)
		buf[i] = word[i] == '_' ? '-' : (char)tolower((unsigned char)word[i]);
	buf[i] = '\0';
	for (size_t k = 0; k < ARRAY_SIZE(prefixes); k++)
		if (strncmp(buf, prefixes[k], strlen(prefixes[k])) == 0)
			return buf + strlen(prefixes[k]);
	return buf;
}

static const char *find(const struct pair *pairs, size_t n, const char *word, bool globs)
{
	for (size_t i = 0; i < n; i++)
		if (globs ? fnmatch(pairs[i].word, word, 0) == 0 : strcmp(pairs[i].word, word) == 0)
			return pairs[i].here;
	return NULL;
}

/* A feature behind a prefix; NULL. */
static const char *find_feature(const char *word, const char *lower)
{
	static const struct feature_table none;
	feature_set bits;

	return word != lower && feature_parse(&none, word, &bits) != FEATURE_WORD_UNKNOWN ? word : NULL;
}

bool foreign_explain(const char *section, const char *key, char *buf, size_t size)
{
	char lower[WORD_LEN];
	const char *word = plain(key ? key : section, lower), *here;

	if (!key) {
		here = find(sections, ARRAY_SIZE(sections), word, false);
		if (here)
			snprintf(buf, size, "%s", here);
		return here;
	}
	if (strcmp(word, "ethtool") == 0) {
		snprintf(buf, size, "a rule does not run commands; write, for example, tso=off in [Features]");
		return true;
	}
	here = find(keys, ARRAY_SIZE(keys), word, false);
	if (!here)
		here = find_feature(word, lower);
	if (here) {
		snprintf(buf, size, "%s is %s here", key, here);
		return true;
	}
	here = find(topics, ARRAY_SIZE(topics), word, true);
	if (here)
		snprintf(buf, size, "%s is about %s, not about offload features; offloadd does not set it", key, here);
	return here;
}

const char *foreign_value(const char *value)
{
	char lower[WORD_LEN];

	return find(values, ARRAY_SIZE(values), plain(value, lower), false);
}

const char *foreign_kind(const char *word)
{
	char lower[WORD_LEN];

	return find(kinds, ARRAY_SIZE(kinds), plain(word, lower), false);
}

const char *foreign_topic(const char *key)
{
	char lower[WORD_LEN];

	return find(topics, ARRAY_SIZE(topics), plain(key, lower), true);
}
