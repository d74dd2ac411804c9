# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by every story: what it may ask of the machine that it runs in.
. /story/tap.sh
patience=1

property() { # UNIT PROPERTY
	systemctl show --value -p "$2" "$1"
}

is_on() { # LINK FEATURE...
	local link=$1 text feature
	shift
	text=$(ethtool -k "$link") || return
	for feature; do grep -qE "^\s*$feature: on" <<<"$text" || { echo "$link $feature is not on"; return 1; }; done
}
transmit="scatter-gather tx-checksumming tcp-segmentation-offload"
as_declared() { is_on vlan10 $transmit; }

break_vlan10() {
	ethtool -K vlan10 sg off >/dev/null
	ethtool -K vlan10 tx off >/dev/null
}

# a client at the other end of vlan10, which is a card of this machine, too, in the network namespace "client"
wire() {
	local link driver
	for link in /sys/class/net/*; do
		driver=$(readlink -f "$link/device/driver")
		[ "${driver##*/}" = virtio_net ] && break
	done
	ip netns add client && ip link set "${link##*/}" name wire netns client && ip -n client link set wire up &&
		ip -n client link add link wire name vlan10 type vlan id 10 && ip -n client link set vlan10 up &&
		ip -n client address add 10.9.0.2/24 dev vlan10
}

records() { # JQ-FILTER: the daemon's records since this boot, those for which the filter is true
	journalctl -b -q -t offloadd -o json --no-pager | jq -c "select($1)"
}

has_record() { # JQ-FILTER
	[ -n "$(records "$1")" ]
}

booted() { # waits for the end of the boot; degraded is an end too
	systemctl is-system-running --wait >/dev/null
	is "every unit is well" "$(systemctl --failed --no-legend --plain)" ""
}

absent_probes() { # of those that this kernel can have
	offloadctl status --json | jq -c '.daemon.probes | ["segmentation", "checksum", "sockets", "feature changes", "feature cascades"] -
		map(select(.method != null) | .probe) + map(select(.method == null) | .probe) | unique'
}

boot_msec() { # from the start of systemd to the end of the boot
	echo $((($(systemctl show --value -p FinishTimestampMonotonic) -
		$(systemctl show --value -p UserspaceTimestampMonotonic)) / 1000))
}
