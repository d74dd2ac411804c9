# SPDX-License-Identifier: GPL-2.0-or-later
# The incident on a card that knows checksums by protocol, as those of many servers do: bond and VLAN have the generic one only.
# kernels: 5.10
. "$(dirname "$0")/../lib.sh"
transmit="scatter-gather tx-checksumming tx-checksum-ip-generic generic-segmentation-offload tx-tcp-segmentation"

modprobe 8139cp
card_is_there() { card=$(first_namespace sh -c 'for d in /sys/class/net/*/device/driver; do [ "$(readlink "$d")" = "${d%/driver}" ] || case $(readlink "$d") in */8139cp) echo "$d";; esac; done' | cut -d/ -f5); [ -n "$card" ]; }
check "the card is there" wait_until 10 card_is_there
card_is_there
first_namespace ip link set "$card" down
first_namespace ip link set "$card" name rtl netns $$
give_back() {
	ip link set rtl netns 1
	rmmod 8139cp
	scenario_end
}
trap give_back EXIT

ethtool -K rtl sg on tx on tso on >/dev/null 2>&1 # off by default
ip link add bond0 type bond mode active-backup miimon 100
ip link set rtl master bond0
ip link set rtl up
ip link set bond0 up
ip link add link bond0 name vlan10 up type vlan id 10
# Linux 5.10 shows LRO on a bond that no port has it for, until something else changes on a port
ethtool -K rtl sg off >/dev/null
ethtool -K rtl sg on tso on >/dev/null
has "the card has a checksum by protocol, not the generic one" "$(ethtool -k rtl)" 'tx-checksum-ipv4: on' \
	'tx-checksum-ip-generic: off \[fixed\]'
offloadctl plan >/dev/null
is "as it comes up, nothing is to be done" $? 0
healthy=$(active_features)
ethtool -K vlan10 sg off >/dev/null
ethtool -K vlan10 tx off >/dev/null
check "the VLAN is broken" is_off vlan10 scatter-gather tx-checksum-ip-generic tx-tcp-segmentation
offloadctl plan >/dev/null
is "plan exits 2" $? 2
offloadctl apply >/dev/null
is "apply exits 0" $? 0
check "the VLAN has all back" is_on vlan10 $transmit
is "every feature is as before" "$(active_features)" "$healthy"
ethtool -K bond0 tx off >/dev/null
offloadctl apply >/dev/null
is "apply after the bond lost its checksum exits 0" $? 0
is "every feature is as before again" "$(active_features)" "$healthy"
has "explain finds the card's checksum" "$(offloadctl explain bond0 tx-checksum-ip-generic)" 'on here and on every port'
done_testing
