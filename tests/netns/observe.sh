#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the observe room sees, against ethtool and against itself: both backends, events, overruns, links that come and go. Makes
# every link that the running kernel can; played on this machine's kernel and on those of tests/scenarios.
# CARDS="eth0 eth1": cards of the first namespace to take in; then only what a driver has a say in is played.
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

links() { (cd /sys/class/net && printf '%s\n' */ | tr -d /); }
index() { echo "$(<"/sys/class/net/$1/ifindex")"; }
made=
make_link() { # NAME ARGUMENT...: NAME is in $made when the kernel could
	local name=$1
	shift
	ip link add "$@" 2>/dev/null && made+=" $name "
}
can() { [[ $made == *" $1 "* ]]; }

ip link set lo up
if [ -z "${CARDS:-}" ]; then
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
fi
for card in ${CARDS:-}; do make_link "on$card" link "$card" name "on$card" type vlan id 9; done
for link in $(links); do
	ip link set "$link" up 2>/dev/null
	ethtool -K "$link" tso off >/dev/null 2>&1
done
can vla0 && ethtool -K vla0 sg off >/dev/null
can mac0 && ethtool -K mac0 tx off >/dev/null
echo "# made:$made${CARDS:-}"

# ---- the picture ----
"$dump" netlink >"$scratch/netlink"
"$dump" ioctl >"$scratch/ioctl"
is "both backends see the same" "$(diff "$scratch/netlink" "$scratch/ioctl")" ""

# "LINK same" or "LINK what differs". ethtool gives single features under their old names; a group has null for fixed.
ethtool --json -k '*' | jq -r --slurpfile ours "$scratch/netlink" '
	{ "rx-checksumming": "rx-checksum", "generic-segmentation-offload": "tx-generic-segmentation",
		"generic-receive-offload": "rx-gro", "large-receive-offload": "rx-lro", "rx-vlan-offload": "rx-vlan-hw-parse",
		"tx-vlan-offload": "tx-vlan-hw-insert", "ntuple-filters": "rx-ntuple-filter",
		"receive-hashing": "rx-hashing" } as $names
	| ($ours[0] | INDEX(.name)) as $links
	| .[] | .ifname as $name | $links[$name] as $link
	| [ del(.ifname, ."udp-fragmentation-offload") | to_entries[] | select(.value.fixed != null)
		| ($names[.key] // .key) as $f | .value as $theirs
		| { active: ($link.active | index($f) != null), fixed: ($link.hw | index($f) == null),
			requested: ($link.wanted | index($f) != null) } as $ours
		| if $theirs == $ours then null else "\($f): ethtool \($theirs), ours \($ours)" end ]
	| "\($name) " + if length <= 30 then "ethtool tells only \(length) features"
		elif all(. == null) then "same" else [ .[] | strings ] | join("; ") end' >"$scratch/compared"
declare -A compared
while read -r link verdict; do compared[$link]=$verdict; done <"$scratch/compared"
for link in $(links); do is "$link is as ethtool says" "${compared[$link]:-ethtool does not tell}" same; done

declare -A fact # of a link: "LINK ATTRIBUTE"
while IFS='|' read -r link key value; do fact[$link $key]=$value; done < <(jq -r '.[] | .name as $name | to_entries[]
	| select(.value | type != "array") | "\($name)|\(.key)|\(.value)"' "$scratch/netlink")

# ---- cards: what a driver has a say in ----
effect() { # BACKEND LINK FEATURE...: all links after off and after on
	local backend=$1 link=$2
	shift 2
	for value in off on; do
		"$dump" "$backend" set "$link" $value "$@"
		"$dump" "$backend"
	done | sed 's/ side-effects .*//'
}
same_effect() { # LINK...: what each backend makes of the same two SETs
	local link
	for link; do
		effect netlink "$link" tx-scatter-gather tx-checksum-ip-generic rx-gro rx-lro >"$scratch/netlink"
		effect ioctl "$link" tx-scatter-gather tx-checksum-ip-generic rx-gro rx-lro >"$scratch/ioctl"
		is "$link: SET off and on does the same by both backends" "$(diff "$scratch/netlink" "$scratch/ioctl")" ""
		has "$link: and did something" "$(grep "\"name\":\"$link\"" "$scratch/netlink" | sort -u | wc -l)" '^2$'
	done
}
if [ -n "${CARDS:-}" ]; then
	for card in $CARDS; do
		is "$card is physical" "${fact[$card kind]}" physical
		is "a VLAN on it stands on it" "${fact[on$card kind]} ${fact[on$card lower]}" "vlan $(index "$card")"
	done
	same_effect $CARDS
	done_testing
fi

is "lo is a loopback" "${fact[lo kind]}" loopback
is "a veth's peer is where its messages say" "${fact[vet0 kind]} ${fact[vet0 lower]}" "veth $(index vet1)"
is "a macvlan stands on its lower" "${fact[mac0 kind]} ${fact[mac0 lower]}" "macvlan $(index vet0)"
is "a vxlan stands on its lower" "${fact[vxl0 kind]} ${fact[vxl0 lower]}" "vxlan $(index vet0)"
is "a port knows its master" "${fact[vet2 slave_kind]} ${fact[vet2 master]}" "bridge $(index bri0)"
is "the driver is told" "${fact[bri0 driver]}" bridge
can vla0 && is "a vlan knows its number" "${fact[vla0 kind]} ${fact[vla0 vlan_id]} ${fact[vla0 lower]}" \
	"vlan 5 $(index vet0)"
can vla1 && is "a vlan on a bond" "${fact[vla1 vlan_id]} ${fact[vla1 lower]}" "6 $(index bon0)"
can vla1 && is "a bond's port" "${fact[vet1 slave_kind]} ${fact[vet1 master]}" "bond $(index bon0)"
can tap0 && is "a tap by ioctl" "${fact[tap0 kind]}" tun

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
alphabet=abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ
watch() { # BACKEND RCVBUF
	exec {out}< <(exec "$dump" "$1" watch "$2" <"$scratch/in" 2>&1)
	watcher=$!
	exec {in}>"$scratch/in"
	mark=0
	read_until ready
}
read_until() { # LINE: what the watcher printed before that line, in $got
	local line
	got=
	while read -rt 120 -u "$out" line && [ "$line" != "$1" ]; do got+=${got:+$'\n'}$line; done
}
# What came of what was done since the last mark, in $got: netlink delivers before the command that caused it returns.
since_mark() {
	local c=${alphabet:mark++:1}
	echo "$c" >&"$in"
	read_until "mark $c"
}
unwatch() { # leaves the last picture in $scratch/seen and the counts in $counts
	exec {in}>&-
	cat <&"$out" >"$scratch/out"
	exec {out}<&-
	wait "$watcher"
	watcher=
	counts=$(grep '^overruns' "$scratch/out")
	sed -n '/^\[/,$p' "$scratch/out" >"$scratch/seen"
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
	"$dump" $backend set "$(printf 'o%d,' {1..60})" off tx-scatter-gather >/dev/null
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
same_effect vet3 bri0 $(can bon0 && echo bon0) $(can vla1 && echo vla1)
has "netlink: the kernel's own words" "$("$dump" netlink set vet3 on vlan-challenged)" 'text "attempt to change non-ethtool'
has "netlink: what changed besides" "$("$dump" netlink set vet3 off tx-scatter-gather)" 'side-effects .*tx-generic-segmentation'
done_testing
