# SPDX-License-Identifier: GPL-2.0-or-later
# A net_failover, made by the kernel of a virtio_net with the feature STANDBY and a card with the same address, as a cloud does; and the
# ID_PATH that a real udev finds.
# nics: virtio-net-pci,failover=on,mac=52:54:00:aa:00:01 e1000e,mac=52:54:00:aa:00:01
[ "$(readlink /proc/1/ns/net)" = "$(readlink /proc/self/ns/net)" ] ||
	exec nsenter --net=/proc/1/ns/net --mount=/proc/1/ns/mnt bash "$(realpath "$0")"
. "$(dirname "$0")/../../lib.sh"

for module in net_failover virtio_net e1000e; do modprobe $module; done
ports() { ip -o link | grep -c ' master '; }
two_ports() { [ "$(ports)" = 2 ]; }
within 30 "the kernel pairs the card with the virtio_net" two_ports
by_driver() { # DRIVER
	local link
	for link in $(links); do [ "$(ethtool -i "$link" 2>/dev/null | sed -n 's/^driver: //p')" != "$1" ] || echo "$link"; done
}
card=$(by_driver e1000e) standby=$(by_driver virtio_net) master=$(by_driver net_failover)
matched() { # KEY=VALUE
	rule 34-failover.rule '[Match]' "$1" '[Features]' 'gso=off'
	offloadctl rules --json | jq -r '.files[] | select(.file == "34-failover.rule").links | sort | join(" ")'
}
is "MasterDriver=net_failover: both ports" "$(matched MasterDriver=net_failover)" "$(printf '%s\n' "$card" "$standby" | sort | xargs)"
is "Role=failover-vf: the card, and not the standby" "$(matched Role=failover-vf)" "$card"
offloadctl apply >/dev/null
is "apply exits 0" $? 0
check "the card has GSO off" is_off "$card" generic-segmentation-offload
check "the master has it on" is_on "$master" generic-segmentation-offload
rehearsed=$(offloadctl plan --snapshot <(offloadctl snapshot) --rules /etc/offloadd/rules.d --json)
is "a rehearsal matches the card, too" "$?:$(jq -c '[.links[] | select(.features != []).link]' <<<"$rehearsed")" "0:[\"$card\"]"

# without udev the path is a guess from the address on the bus; udev has the same
bus=$(ethtool -i "$card" | sed -n 's/^bus-info: //p')
is "Path= without udev" "$(matched "Path=pci-$bus")" "$card"
mkdir -p /run/udev
/lib/systemd/systemd-udevd --daemon 2>/dev/null
udevd=$(pgrep -nx 'systemd-udevd|udevadm')
trap 'kill -KILL "$udevd" 2>/dev/null; rm -rf /run/udev; scenario_end' EXIT
within 20 "udev is there" test -e /run/udev/control
udevadm trigger --action=add --subsystem-match=net
udevadm settle
card=$(by_driver e1000e)
path=$(udevadm info -q property -p "/sys/class/net/$card" | sed -n 's/^ID_PATH=//p')
is "ID_PATH of udev's database" "$path" "pci-$bus"
is "Path= with udev" "$(matched "Path=$path")" "$card"
is "a path that it does not have" "$(matched 'Path=pci-0000:ff:*')" ""
is "the snapshot has it" "$(offloadctl snapshot | jq -r --arg card "$card" '.links[] | select(.link == $card).path')" "$path"
rm /etc/offloadd/rules.d/34-failover.rule
done_testing
