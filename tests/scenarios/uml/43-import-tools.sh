# SPDX-License-Identifier: GPL-2.0-or-later
# The tools themselves apply their files: udev, netplan, ifupdown and NetworkManager turn offloads off that the kernel has on, and the
# rules that import makes of the same files plan no change; after a feature is turned on again, they do.
# kernels: 6.12
[ "$(readlink /proc/1/ns/net)" = "$(readlink /proc/self/ns/net)" ] ||
	exec nsenter --net=/proc/1/ns/net --mount=/proc/1/ns/mnt bash "$(realpath "$0")"
. "$(dirname "$0")/../lib.sh"

for tool in netplan ifup NetworkManager dbus-daemon; do
	[ -n "$(type -P $tool)" ] || { skip "import of the files of real tools" "$tool is not installed, see tests/deps" && done_testing; exit; }
done
pids=()
clean() { # this is the namespace of the machine: others follow
	{ kill -KILL "${pids[@]}"; wait "${pids[@]}"; } 2>/dev/null
	for link in $(links); do [[ $link != eth[0-9] && $link != lan0 ]] || ip link del "$link"; done
	rm -rf /run/udev /run/dbus /run/NetworkManager /run/systemd/network /etc/netplan /etc/systemd/network/* /etc/udev/rules.d/*
	scenario_end
}
trap clean EXIT

in_force() { # TOOL LINK FILE WORD...: the tool has turned these off, and the rules of its file plan no change until one is on again
	local tool=$1 link=$2 file=$3 rules=$scratch/rules-$1 status
	shift 3
	within 20 "$tool turns off: $*" is_off "$link" "$@"
	offloadctl import --output "$rules" "$file" >/dev/null 2>"$scratch/import"
	is "$tool: the file is converted" "$(ls "$rules" | wc -l)" 1
	offloadctl plan --rules "$rules" "$link" >"$scratch/plan" 2>&1
	status=$?
	is "$tool: its rules plan no change" $status 0
	[ $status = 0 ] || cat "$scratch/import" "$rules"/* "$scratch/plan"
	for feature; do
		ethtool -K "$link" "$feature" on >/dev/null
		offloadctl plan --rules "$rules" "$link" >/dev/null 2>&1
		is "$tool: they plan one when $feature is on" $? 2
		ethtool -K "$link" "$feature" off >/dev/null
	done
}

# udev: a .link file, and RUN+= of a rule
mkdir -p /etc/systemd/network /etc/udev/rules.d /run/udev
printf '%s\n' '[Match]' 'OriginalName=eth0' '[Link]' 'NamePolicy=' 'Name=lan0' 'GenericSegmentationOffload=no' \
	'GenericReceiveOffload=no' >/etc/systemd/network/10-lan.link
printf '%s\n' 'ACTION=="add", SUBSYSTEM=="net", KERNEL=="eth1", RUN+="/usr/sbin/ethtool -K %k sg off gro off"' \
	>/etc/udev/rules.d/80-eth1.rules
/lib/systemd/systemd-udevd --daemon 2>/dev/null
pids+=("$(pgrep -nx 'systemd-udevd|udevadm')")
within 20 "udev is there" test -e /run/udev/control
ip link add eth0 type dummy
ip link add eth1 type dummy
in_force link lan0 /etc/systemd/network/10-lan.link generic-segmentation-offload generic-receive-offload
in_force udev eth1 /etc/udev/rules.d/80-eth1.rules scatter-gather generic-receive-offload

# netplan, whose generator writes a .link file for udev
mkdir -p /etc/netplan
printf '%s\n' 'network:' '  version: 2' '  ethernets:' '    eth2:' '      match: {name: eth2}' '      generic-segmentation-offload: false' \
	'      generic-receive-offload: false' >/etc/netplan/50-eth2.yaml
chmod 600 /etc/netplan/50-eth2.yaml
rm /etc/systemd/network/10-lan.link
netplan generate
check "netplan has generated a .link file" grep -q GenericReceiveOffload=false /run/systemd/network/*.link
udevadm control --reload
ip link add eth2 type dummy
in_force netplan eth2 /etc/netplan/50-eth2.yaml generic-segmentation-offload generic-receive-offload

# ifupdown: an option, for which the package ethtool has a script, and a command
printf '%s\n' 'iface eth3 inet manual' '	offload-gso off' '	up ethtool -K $IFACE gro off' >"$scratch/interfaces"
ip link add eth3 type dummy
check "ifup" ifup --state-dir "$scratch" -i "$scratch/interfaces" eth3
in_force ifupdown eth3 "$scratch/interfaces" generic-segmentation-offload generic-receive-offload

# NetworkManager
mkdir -p /run/dbus /etc/NetworkManager/system-connections
printf '%s\n' '[main]' 'plugins=keyfile' '[keyfile]' 'unmanaged-devices=interface-name:*,except:interface-name:eth4' \
	>/etc/NetworkManager/NetworkManager.conf
keyfile=/etc/NetworkManager/system-connections/eth4.nmconnection
printf '%s\n' '[connection]' 'id=eth4' 'uuid=6f0c0cbb-5b3e-4d23-9d2a-6c7d6f6d0001' 'type=dummy' 'interface-name=eth4' '[ipv4]' \
	'method=disabled' '[ipv6]' 'method=disabled' '[ethtool]' 'feature-gso=false' 'feature-gro=false' >$keyfile
chmod 600 $keyfile
dbus-daemon --system --nofork --nopidfile 2>/dev/null &
pids+=($!)
within 20 "the bus is there" test -S /run/dbus/system_bus_socket
NetworkManager --no-daemon >"$scratch/nm" 2>&1 &
pids+=($!)
in_force keyfile eth4 $keyfile generic-segmentation-offload generic-receive-offload
done_testing
