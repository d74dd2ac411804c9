# SPDX-License-Identifier: GPL-2.0-or-later
# offloadctl show agrees with ethtool on every link that this kernel and this machine can make. In the first namespace, where the
# cards are.
. "$(dirname "$0")/../lib.sh"
if [ "$(ip netns identify)" != "" ]; then exec nsenter --net=/proc/1/ns/net --mount=/proc/1/ns/mnt --wd="$PWD" bash "$0"; fi

for module in e1000e vmxnet3 virtio_net vxlan ip_gre macvlan tun; do modprobe $module; done
wait_until 10 three_cards
drivers=$(for card in /sys/class/net/*/device/driver; do basename "$(readlink "$card")"; done | sort | xargs)
is "the machine has three cards" "$drivers" "e1000e virtio_net vmxnet3"

card=$(for c in /sys/class/net/*/device/driver; do
	[ "$(basename "$(readlink "$c")")" = e1000e ] && basename "${c%/device/driver}"
done)
ip link add dum0 type dummy
ip link add vet0 type veth peer name vet1
ip link add bon0 type bond
ip link set vet0 master bon0
ip link add bri0 type bridge
ip link set dum0 master bri0
ip link add link bon0 name vla0 type vlan id 5
ip link add link "$card" name vla1 type vlan id 6
ip link add vxl0 type vxlan id 7 dev dum0 dstport 4789
ip link add gre1 type gre remote 10.0.0.2 local 10.0.0.1
ip link add gre2 type gretap remote 10.0.0.3 local 10.0.0.1
ip link add link "$card" name mac0 type macvlan
ip tuntap add tap0 mode tap
for link in "$card" dum0 vet0 vet1 bon0 bri0 vla0 vla1; do ip link set "$link" up; done
# switch something off on each, so that the three columns differ
for link in $(links); do ethtool -K "$link" tso off >/dev/null 2>&1; done
ethtool -K vla0 sg off >/dev/null 2>&1
ethtool -K "$card" tx off >/dev/null 2>&1

# ethtool prints the kernel's names, and these words where one stands for a single feature
words='{ "rx-checksum": "rx-checksumming", "rx-gro": "generic-receive-offload", "rx-lro": "large-receive-offload",
	"rx-hashing": "receive-hashing", "rx-ntuple-filter": "ntuple-filters", "rx-vlan-hw-parse": "rx-vlan-offload",
	"tx-vlan-hw-insert": "tx-vlan-offload", "tx-generic-segmentation": "generic-segmentation-offload" }'
all=$(links)
for link in $all; do
	ethtool --json -k "$link"
	offloadctl show "$link" --json
done >"$scratch/states"
# "LINK: what differs" or "LINK: same"
jq -rs --argjson words "$words" '
	[ range(0; length; 2) as $i | { theirs: .[$i][0], ours: .[$i + 1].link } ][]
	| .theirs as $t | .ours.features as $o | "\(.ours.link): " + (
		if .ours.link != $t.ifname then "ethtool shows \($t.ifname)"
		elif ($o | length) < 40 then "only \($o | length) features"
		else [ $o | to_entries[] | .key as $k | $t[$words[$k] // $k] as $e
			| (.value | { active, fixed, requested }) as $v
			| select($e != $v) | "\($k): ethtool \($e) offloadctl \($v)" ]
			| if . == [] then "same" else join("; ") end end)
	' "$scratch/states" >"$scratch/compared"
for link in $all; do
	kind=$(ip -d -o link show "$link" | grep -oE ' (vlan|bond|veth|dummy|bridge|vxlan|gre|gretap|macvlan|tun) ' | head -1)
	is "show $link agrees with ethtool (${kind:-none})" "$(grep "^$link: " "$scratch/compared")" "$link: same"
done
tree=$(offloadctl tree 2>&1)
has "tree shows every link" "$tree" $(links)
has "list shows every link" "$(offloadctl list 2>&1)" $(links)
done_testing
