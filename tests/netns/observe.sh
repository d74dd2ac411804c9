#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the observe room sees, against ethtool and against itself: both backends, events, overruns, links that come and go. Makes
# every link that the running kernel can; played on this machine's kernel and, with the cards, on those of the VM layer.
# CARDS="eth0 eth1": cards of the first namespace to take in.
cd "$(dirname "$0")/../.." || exit 1
if [ -z "${OBSERVE_INSIDE:-}" ]; then
	OBSERVE_INSIDE=1 exec unshare -nm "$PWD/tests/netns/observe.sh"
fi
. tests/lib.sh
mount -t sysfs sysfs /sys
build=${OFFLOADD_BUILD:-build} dump=$PWD/${OFFLOADD_BUILD:-build}/tests/observe-dump
[ -x "$dump" ] || make -s BUILD="$build" "$build/tests/observe-dump" || exit 1
scratch=$(mktemp -d)
watcher=
ending() {
	[ -z "$watcher" ] || kill -KILL "$watcher" 2>/dev/null
	rm -rf "$scratch"
}
trap ending EXIT

for module in veth bonding 8021q bridge dummy vxlan ip_gre macvlan tun ifb; do modprobe -q $module 2>/dev/null; done
for card in ${CARDS:-}; do nsenter --net=/proc/1/ns/net ip link set "$card" netns $$; done

links() { ls /sys/class/net | grep -v bonding_masters; }
index() { cat "/sys/class/net/$1/ifindex"; }
made=
make_link() { # NAME ARGUMENT...: NAME is in $made when the kernel could
	local name=$1
	shift
	ip link add "$@" 2>/dev/null && made+=" $name "
}
can() { [[ $made == *" $1 "* ]]; }

ip link set lo up
make_link vet0 vet0 type veth peer name vet1
make_link vet2 vet2 type veth peer name vet3
make_link bri0 bri0 type bridge
make_link vxl0 vxl0 type vxlan id 7 dev vet0 dstport 4789
make_link mac0 link vet0 name mac0 type macvlan
make_link ifb7 ifb7 type ifb
make_link dum0 dum0 type dummy
make_link bon0 bon0 type bond
make_link vla0 link vet0 name vla0 type vlan id 5
make_link gre7 gre7 type gre remote 10.0.0.2 local 10.0.0.1
make_link tap7 name tap7 type gretap remote 10.0.0.3 local 10.0.0.1
ip tuntap add tap0 mode tap 2>/dev/null && made+=" tap0 "
ip link set vet2 master bri0
can bon0 && ip link set vet1 master bon0 && make_link vla1 link bon0 name vla1 type vlan id 6
for card in ${CARDS:-}; do make_link "on$card" link "$card" name "on$card" type vlan id 9; done
for link in $(links); do
	ip link set "$link" up 2>/dev/null
	ethtool -K "$link" tso off >/dev/null 2>&1
done
can vla0 && ethtool -K vla0 sg off >/dev/null
ethtool -K mac0 tx off >/dev/null
echo "# made:$made${CARDS:-}"

# ---- the picture ----
"$dump" netlink >"$scratch/netlink"
"$dump" ioctl >"$scratch/ioctl"
is "both backends see the same" "$(diff "$scratch/netlink" "$scratch/ioctl")" ""

# ethtool gives single features under their old names; a group has null for fixed
theirs() { # LINK
	ethtool --json -k "$1" | jq -S '.[0] | del(.ifname) | with_entries(select(.value.fixed != null)) | with_entries(.key |= (
		{ "rx-checksumming": "rx-checksum", "generic-segmentation-offload": "tx-generic-segmentation",
		"generic-receive-offload": "rx-gro", "large-receive-offload": "rx-lro", "rx-vlan-offload": "rx-vlan-hw-parse",
		"tx-vlan-offload": "tx-vlan-hw-insert", "ntuple-filters": "rx-ntuple-filter",
		"receive-hashing": "rx-hashing" }[.] // .)) | del(."udp-fragmentation-offload")'
}
ours() { # LINK THEIRS: the same features of ours
	jq -S --arg name "$1" --argjson theirs "$2" '.[] | select(.name == $name) | . as $link | $theirs
		| with_entries(.key as $f | .value = { active: ($link.active | index($f) != null),
			fixed: ($link.hw | index($f) == null), requested: ($link.wanted | index($f) != null) })' \
		"$scratch/netlink"
}
for link in $(links); do
	want=$(theirs "$link")
	[ "$(jq length <<<"$want")" -gt 30 ] || not_ok "ethtool tells the features of $link" "$want"
	is "$link is as ethtool says" "$(diff <(ours "$link" "$want") <(echo "$want"))" ""
done

attribute() { # LINK FILTER
	jq -r --arg name "$1" '.[] | select(.name == $name) | '"$2" "$scratch/netlink"
}
is "lo is a loopback" "$(attribute lo .kind)" loopback
is "a veth's peer is where its messages say" "$(attribute vet0 '"\(.kind) \(.lower)"')" "veth $(index vet1)"
is "a macvlan stands on its lower" "$(attribute mac0 '"\(.kind) \(.lower)"')" "macvlan $(index vet0)"
is "a vxlan stands on its lower" "$(attribute vxl0 '"\(.kind) \(.lower)"')" "vxlan $(index vet0)"
is "a port knows its master" "$(attribute vet2 '"\(.slave_kind) \(.master)"')" "bridge $(index bri0)"
is "the driver is told" "$(attribute bri0 .driver)" bridge
can vla0 && is "a vlan knows its number" "$(attribute vla0 '"\(.kind) \(.vlan_id) \(.lower)"')" "vlan 5 $(index vet0)"
can vla1 && is "a vlan on a bond" "$(attribute vla1 '"\(.vlan_id) \(.lower)"')" "6 $(index bon0)"
can vla1 && is "a bond's port" "$(attribute vet1 '"\(.slave_kind) \(.master)"')" "bond $(index bon0)"
can tap0 && is "a tap by ioctl" "$(attribute tap0 .kind)" tun
for card in ${CARDS:-}; do is "$card is physical" "$(attribute "$card" .kind)" physical; done

# ---- routes ----
ip address add 192.0.2.1/24 dev vet0
ip route add default via 192.0.2.9
ip route add default via 192.0.2.9 table 77 dev vet0
wanted=vet0
ip -6 route add default dev vet3 2>/dev/null && wanted="vet0 vet3"
"$dump" netlink >"$scratch/netlink"
is "default routes are seen" "$(jq -r '[.[] | select(.default_route) | .name] | sort | join(" ")' "$scratch/netlink")" "$wanted"

# ---- events ----
mkfifo "$scratch/in"
alphabet=0abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ
watch() { # BACKEND RCVBUF
	"$dump" "$1" watch "$2" <"$scratch/in" >"$scratch/out" 2>&1 &
	watcher=$!
	exec {in}>"$scratch/in"
	mark=0
	wait_until 20 grep -q ready "$scratch/out"
}
# What came of what was done since the last mark, in $got: netlink delivers before the command that caused it returns.
since_mark() {
	local c
	mark=$((mark + 1))
	c=${alphabet:$mark:1}
	echo "$c" >&"$in"
	wait_until 20 grep -q "^mark $c" "$scratch/out"
	got=$(sed -n "/^mark ${alphabet:$((mark - 1)):1}/,/^mark $c/p" <(echo "mark 0"; cat "$scratch/out") | sed '/^mark/d; /^ready/d')
}
unwatch() { # leaves the last picture in $scratch/seen and the counts in $counts
	exec {in}>&-
	wait "$watcher"
	watcher=
	counts=$(grep '^overruns' "$scratch/out")
	sed '1,/^overruns/d' "$scratch/out" >"$scratch/seen"
}

for backend in netlink ioctl blind; do
	watch $backend 0
	ip link add new0 type veth peer name new1
	since_mark
	has "$backend: a new link is seen" "$got" '^changed [0-9]+ new0 kind veth' '^changed [0-9]+ new1 kind veth'
	ethtool -K new0 sg off >/dev/null
	since_mark
	is "$backend: a switched feature is seen, once" "$(grep -c '^changed [0-9]* new0' <<<"$got")" 1
	ethtool -K new0 sg off >/dev/null 2>&1
	since_mark
	is "$backend: a change of nothing is nothing" "$got" ""
	ip link set new0 name new2
	since_mark
	has "$backend: a new name is seen" "$got" '^changed [0-9]+ new2'
	ip link set new2 master bri0
	since_mark
	has "$backend: a master is seen" "$got" "^changed [0-9]+ new2 kind veth master $(index bri0)"
	ip link set new2 nomaster
	since_mark
	has "$backend: and that it went" "$got" "^changed [0-9]+ new2 kind veth master 0"
	gone=$(index new2)
	ip netns add observe$$
	ip link set new2 netns observe$$
	since_mark
	has "$backend: a link that moves is gone" "$got" "^gone $gone\$"
	got=$("$dump" $backend | jq -r '.[] | select(.name == "new1") | "\(.lower) \(.lower_netnsid >= 0)"')
	is "$backend: an index of another namespace is not ours" "$got" "0 true"
	ip link del new1
	ip netns del observe$$
	since_mark
	has "$backend: a deleted link is gone" "$got" "^gone [0-9]+\$"
	ip link add name same0 index 7777 type veth peer name same1
	ethtool -K same0 tx off >/dev/null
	ip link del same0
	ip link add name same0 index 7777 type bridge
	since_mark
	has "$backend: an index used again is another link" "$got" '^gone 7777' '^changed 7777 same0 kind bridge'
	ip link del same0
	since_mark
	ip route del default
	ip route add 198.51.100.0/24 via 192.0.2.9
	since_mark
	has "$backend: a default route that went is seen" "$got" '^changed [0-9]+ vet0'
	ip route del 198.51.100.0/24
	since_mark
	is "$backend: other routes are not" "$got" ""
	ip route add default via 192.0.2.9
	since_mark
	if can vla1; then
		ethtool -K bon0 tx off >/dev/null
		since_mark
		has "$backend: a cascade is seen" "$got" '^changed [0-9]+ bon0' '^changed [0-9]+ vla1'
		# no kernel notifies a change of wanted alone; it is found when the bond below comes back
		ethtool -K vla1 tx off >/dev/null 2>&1
		since_mark
		is "$backend: a change of wanted alone is not notified" "$got" ""
		ethtool -K bon0 tx on >/dev/null
		since_mark
		has "$backend: and found with the next change below" "$got" '^changed [0-9]+ bon0' '^changed [0-9]+ vla1'
		ethtool -K vla1 tx on >/dev/null
	fi
	unwatch
	"$dump" $backend >"$scratch/fresh"
	is "$backend: the picture kept is the picture read" "$(diff "$scratch/seen" "$scratch/fresh")" ""
	has "$backend: without overruns" "$counts" '^overruns 0 dumps 1 '
done

# ---- overruns ----
for backend in netlink ioctl blind; do
	watch $backend 4096
	kill -STOP "$watcher"
	for i in {1..60}; do echo "link add o$i type veth peer name p$i"; done | ip -batch -
	for i in {1..60}; do ethtool -K o$i sg off >/dev/null; done
	for i in {1..60}; do ((i % 3)) || echo "link del o$i"; done | ip -batch -
	for i in {1..60}; do ((i % 3 == 1)) && echo "link set o$i master bri0"; done | ip -batch -
	kill -CONT "$watcher"
	unwatch
	"$dump" $backend >"$scratch/fresh"
	is "$backend: after overruns the picture is the picture read" "$(diff "$scratch/seen" "$scratch/fresh")" ""
	has "$backend: they were counted ($counts)" "$counts" '^overruns [1-9]'
	for i in {1..60}; do ((i % 3)) && echo "link del o$i"; done | ip -batch -
done

# ---- SET ----
for backend in netlink ioctl; do
	is "$backend: a SET that works" "$("$dump" $backend set vet3 off tx-scatter-gather | sed 's/ side.*//')" \
		'error 0 text "" missed none'
	has "$backend: and did" "$(ethtool -k vet3)" 'tx-scatter-gather: off'
	"$dump" $backend set vet3 on tx-scatter-gather >/dev/null
	has "$backend: what the device cannot is missed" "$("$dump" $backend set vet3 on tx-esp-segmentation)" \
		'error 0 text "" missed tx-esp-segmentation'
	has "$backend: what nobody may change is refused" "$("$dump" $backend set vet3 on vlan-challenged)" 'error -22'
	has "$backend: no privilege" "$(setpriv --bounding-set=-net_admin "$dump" $backend set vet3 on tso)" 'error -1 '
	"$dump" $backend set vet3 off tx-checksum-ip-generic >/dev/null
	is "$backend: TSO waits for its checksum" \
		"$("$dump" $backend set vet3 on tx-tcp-segmentation | sed 's/ side.*//')" \
		'error 0 text "" missed tx-tcp-segmentation'
	"$dump" $backend set vet3 on tx-checksum-ip-generic >/dev/null
done
# what each backend makes of the same two SETs, on what the incident and its kind stand on
effect() { # BACKEND LINK FEATURE...: the features of all links after off and after on
	local backend=$1 link=$2
	shift 2
	for value in off on; do
		"$dump" "$backend" set "$link" $value "$@" | sed 's/ side.*//'
		"$dump" "$backend" | jq -c '.[] | [.name, .wanted, .active]'
	done
}
for link in vet3 bri0 $(can bon0 && echo bon0) $(can vla1 && echo vla1) ${CARDS:-}; do
	effect netlink "$link" tx-scatter-gather tx-checksum-ip-generic rx-gro rx-lro >"$scratch/netlink"
	effect ioctl "$link" tx-scatter-gather tx-checksum-ip-generic rx-gro rx-lro >"$scratch/ioctl"
	is "$link: SET off and on does the same by both backends" "$(diff "$scratch/netlink" "$scratch/ioctl")" ""
	has "$link: and did something" "$(sort -u "$scratch/netlink" | grep -c "\[\"$link\"")" '^[2-9]'
done
has "netlink: the kernel's own words" "$("$dump" netlink set vet3 on vlan-challenged)" 'text "attempt to change non-ethtool'
has "netlink: what changed besides" "$("$dump" netlink set vet3 off tx-scatter-gather)" 'side-effects .*tx-generic-segmentation'
done_testing
