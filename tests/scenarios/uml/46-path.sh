# SPDX-License-Identifier: GPL-2.0-or-later
# path: which hop between the socket and the wire works in software, and what is not known. Without probes and without the daemon.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../probes.sh"

path() { # ARGUMENT: sets json and status; the document fits its schema
	json=$(offloadctl path "$1" --json 2>"$scratch/err")
	status=$?
	echo "$json" >"$scratch/path.json"
}
of() { # JQ-FILTER
	jq -c "$1" <<<"$json"
}
worst() { # verdict and hop of each way
	of '[.paths[] | [.verdict, (if .at == null then null else .hops[.at].link end)]]'
}
lost() { # LINK: why TCP loses something there for certain
	of "[.paths[].hops[] | select(.link == \"$1\").lost[] | select(.certain - [\"segmentation-udp\"] != []) | .reason] | unique"
}
hops() {
	of '[.paths[0].hops[].link] | join(" ")'
}

check "the other host is there" network

# healthy
path vlan10
is "a healthy VLAN on a bond exits 0" $status 0
is "everything is left to the ports" "$(worst)" '[["ok",null]]'
is "every hop is listed" "$(hops)" '"vlan10 bond0 eth2 eth3"'
is "with how it leads to the next, and the ports' roles" "$(of '[.paths[0].hops[] | [.next, .role]]')" \
	'[["lower",null],["ports",null],["peer","active"],["peer","backup"]]'
is "and the limit of the socket" "$(of '.paths[0].hops[0].max_size_ipv6')" 65536
check "the document fits its schema" "$tools/test-json" path.json "$scratch/path.json"
offloadctl path vlan10 | sed 's/^/# note /'

# the incident
break_vlan
path vlan10
is "the incident exits 2" $status 2
is "it is at the VLAN" "$(worst)" '[["software","vlan10"]]'
is "everything is lost there, as features are off" "$(of '.paths[0].hops[0] | [.left, .lost[0].reason, (.lost[0].certain | length)]')" '[[],"feature",6]'
is "and nowhere else" "$(lost bond0)$(lost eth2)$(lost eth3)" '[][][]'
has "the causes are named, with the advice" "$(of '.causes[] | [.link, .features[].feature, .features[].advice_code]')" \
	'"vlan10","tx-scatter-gather","apply"' '"vlan10","tx-checksum-ip-generic","apply"'
check "the document fits its schema" "$tools/test-json" path.json "$scratch/path.json"
offloadctl path vlan10 | sed 's/^/# note /'
path bond0
is "the bond below is healthy" "$status$(worst)" '0[["ok",null]]'
repair_vlan

# a port that lacks what the bond has
ethtool -K eth3 sg off >/dev/null
path vlan10
is "a port without scatter-gather: exit status 2" $status 2
is "it is named, not the bond and not the VLAN" "$(worst)$(lost bond0)$(lost vlan10)" '[["software","eth3"]][][]'
ethtool -K eth3 sg on tso on >/dev/null
path vlan10
is "and is repaired" $status 0

# limits
if ip link set dev eth2 gso_max_size 8000 2>/dev/null; then
	path vlan10
	is "a lower size limit of a port: exit status 2" $status 2
	is "it is at the port, by its limit" "$(worst)$(lost eth2)$(of '.paths[0].hops[2].lost[0].limit')" '[["software","eth2"]]["size"]8000'
	check "the document fits its schema" "$tools/test-json" path.json "$scratch/path.json"
	offloadctl path vlan10 | sed 's/^/# note /'
	ip link set dev vlan10 gso_max_size 8000
	path vlan10
	is "the same limit on the VLAN, which the socket sees" "$status$(worst)" '0[["ok",null]]'
	ip link set dev vlan10 gso_max_size 65536
	ip link set dev eth2 gso_max_size 65536
	ip link set dev bond0 gso_max_segs 20
	path vlan10
	is "a lower limit of segments" "$status$(worst)$(lost bond0)" '2[["software","bond0"]]["segments"]'
	ip link set dev bond0 gso_max_segs 65535
else
	skip "a lower size limit of a port" "this ip cannot set it"
fi

# an address
path 10.9.0.2
is "an address takes the way of its route" "$status$(hops)$(of '[.asked, .paths[0].remotes[0]]')" '0"vlan10 bond0 eth2 eth3"["address","10.9.0.2"]'
path fd09::2
is "an address of IPv6, too" "$status$(hops)" '0"vlan10 bond0 eth2 eth3"'
path 10.9.0.1
is "an address of this host stays here" "$status$(hops)$(of '.paths[0].hops[0].next')" '0"lo""local"'
path 10.99.0.1
is "without a route there is no way" "$status:$(grep -c 'no route to 10.99.0.1: Network is unreachable' "$scratch/err")" 1:1

# a tunnel
ip addr add 10.6.0.1/24 dev bond0
ip link add vx0 type vxlan id 7 remote 10.6.0.2 dstport 4789
ip link set vx0 up
ip addr add 10.7.0.1/24 dev vx0
path 10.7.0.2
is "vxlan on a bond of veth: everything is left to the ports" "$status$(worst)$(hops)" '0[["ok",null]]"vx0 bond0 eth2 eth3"'
is "by the route to its remote end" "$(of '.paths[0].hops[0] | [.next, .remote]')" '["route","10.6.0.2"]'
is "encapsulated below it" "$(of '[.paths[0].hops[].encapsulated]')" '[false,true,true,true]'
ethtool -K eth3 tx-udp_tnl-segmentation off tx-udp_tnl-csum-segmentation off >/dev/null
path vx0
is "a port that does not segment tunnels: exit status 2" $status 2
is "it is at the port, although the bond claims the feature" "$(worst)$(lost bond0)" '[["software","eth3"]][]'
has "the feature is named" "$(of '.paths[0].hops[3].lost[0].features')" 'tx-udp_tnl(-csum)?-segmentation'
check "the document fits its schema" "$tools/test-json" path.json "$scratch/path.json"
offloadctl path vx0 | sed 's/^/# note /'
path vlan10
is "what is not encapsulated does not need it" "$status$(worst)" '0[["ok",null]]'
ethtool -K eth3 tx-udp_tnl-segmentation on tx-udp_tnl-csum-segmentation on >/dev/null
ip link add gre1 type gretap remote 10.6.0.3
ip link set gre1 up
path gre1
is "gretap, too" "$(hops)$(of '.paths[0].hops[0].remote')" '"gre1 bond0 eth2 eth3""10.6.0.3"'
ip link add vx1 type vxlan id 8 dstport 4790
path vx1
is "a tunnel without a remote end is not known: exit status 4" "$status$(worst)$(of '.paths[0].hops[0].why')" '4[["unknown","vx1"]]"remote"'
if ip route add 10.20.0.0/16 nexthop via 10.9.0.4 dev vlan10 nexthop via 10.6.0.5 dev bond0 2>/dev/null; then
	path 10.20.1.1
	is "a route with two next hops has two ways" "$(of '[.paths[].hops[0].link] | sort')" '["bond0","vlan10"]'
else
	skip "a route with two next hops has two ways" "this kernel has no multipath routes"
fi

# a bridge, another namespace, loops of our own making there are none
ip link add br0 type bridge
ip link add port1 type veth peer name far1
ip link set port1 master br0 up
ip link set br0 up
ethtool -K port1 tso off >/dev/null
path br0
is "a bridge: the port that lacks it" "$status$(worst)" '2[["software","port1"]]'
ip netns add elsewhere-$$
ip link add link bond0 name vlan20 type vlan id 20
ip link set vlan20 netns elsewhere-$$
json=$(ip netns exec elsewhere-$$ offloadctl path vlan20 --json)
is "a VLAN whose bond is in another namespace is not known" "$?$(worst)$(of '.paths[0].hops[0].why')" '4[["unknown","vlan20"]]"namespace"'
ip netns del elsewhere-$$
if tc qdisc add dev bond0 root tbf rate 1gbit burst 100k latency 10ms 2>/dev/null; then
	path vlan10
	is "a queueing discipline that may segment" "$status$(worst)$(of '.paths[0].hops[1].qdisc')" '4[["unknown","bond0"]]"tbf"'
	tc qdisc del dev bond0 root
else
	skip "a queueing discipline that may segment" "this kernel has no tbf"
fi

# a unit, without probes: as if by socket activation, its listener is made in the cgroup of a socket unit
python3 - <<'END' >"$scratch/web" 2>&1 &
import os, socket
def join(unit):
    path = "/sys/fs/cgroup/system.slice/" + unit
    os.makedirs(path, exist_ok=True)
    open(path + "/cgroup.procs", "w").write(str(os.getpid()))
join("web.socket")
listener = socket.create_server(("10.9.0.1", 8080))
join("web.service")
print("listening", flush=True)
kept = [listener.accept()[0] for _ in range(2)]
print("accepted", flush=True)
listener.accept()
END
started+=($!)
disown $!
wait_until 20 file_has "$scratch/web" listening
path web.service
is "a unit without connections is not known: exit status 4" "$status$(of '[.asked, .verdict, .paths]')" '4["unit","unknown",[]]'
for n in 1 2; do
	ip netns exec $peer python3 -c 'import signal, socket; s = socket.create_connection(("10.9.0.1", 8080)); signal.pause()' &
	started+=($!)
	disown $!
done
within 20 "two clients connect" file_has "$scratch/web" accepted
path web.service
is "a unit takes the way of its connections" "$status$(hops)$(of '.paths[0].sockets.connections')" '0"vlan10 bond0 eth2 eth3"2'
is "its sockets are those of /proc, and why is said" "$(of '[.sockets_by, (.sockets_why | length > 0), .paths[0].sockets.stale]')" '["procfs",true,null]'
check "the document fits its schema" "$tools/test-json" path.json "$scratch/path.json"
path web
is "without .service, too" "$status$(hops)" '0"vlan10 bond0 eth2 eth3"'
break_vlan
path web.service
is "in the incident" "$status$(worst)" '2[["software","vlan10"]]'
offloadctl path web.service | sed 's/^/# note /'

# what does not exist
offloadctl path vlan11 2>"$scratch/err"
has "an interface that does not exist" "$?$(cat "$scratch/err")" '^1offloadctl: unknown interface, unit or address "vlan11", did you mean "vlan10"\?'
offloadctl path wbe.service 2>"$scratch/err"
has "a unit that does not exist" "$?$(cat "$scratch/err")" '^1offloadctl: unknown unit "wbe.service", did you mean "web.service"\?'
done_testing
