# SPDX-License-Identifier: GPL-2.0-or-later
# What path says of each hop is what the counters see there: packets are sent by each way, healthy and not. And a unit whose listener
# was passed to it, by its sockets and its counters.
# kernels: 6.1
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../probes.sh"

counted() { # "LINK HITS" of every link where packets of a local socket were segmented or checksummed, sorted
	offloadctl services --json | jq -r '[.fallback[] | select(.kind == "segmentation" or .kind == "checksum") | select(.origin == "local")]
		| group_by(.link)[] | "\(.[0].link) \([.[].hits] | add)"'
}
grown() { # the links that have more hits than in $before
	local line links=()
	while read -r line; do [[ $'\n'$before$'\n' == *$'\n'$line$'\n'* ]] || links+=("${line% *}"); done < <(counted)
	echo "${links[*]}"
}
path() { # ARGUMENT [OPTION...]: sets json and status
	json=$(offloadctl path --json "$@" 2>"$scratch/err")
	status=$?
	echo "$json" >"$scratch/path.json"
}
of() { # JQ-FILTER
	jq -c "$1" <<<"$json"
}
agrees() { # DESCRIPTION ARGUMENT CONNECTION [LINK]: path names the link that works in software, and the counters of that link grow
	path "$2" --control none
	is "$1: path" "$(of '.paths[] | [.verdict, (if .at == null then null else .hops[.at].link end)]')" \
		"$(if [ -n "${4:-}" ]; then echo "[\"software\",\"$4\"]"; else echo '["ok",null]'; fi)"
	before=$(counted)
	check "$1: packets are sent" fetch "$3"
	# on a slow machine, what the daemon lists may be two seconds old (TRACKER_WAIT_USEC)
	if [ -n "${4:-}" ]; then within 10 "$1: the counters" grows "$4"; else is "$1: the counters" "$(grown)" ""; fi
}
grows() { # LINKS
	links=$(grown)
	[ "$links" = "$1" ] || { echo "the counters of ${links:-no link} grow"; return 1; }
}

# up to 6.1 a bond does not offer the segmentation of tunnels to VLANs
case $KERNEL in
5.10 | 6.1) untunnelled=vlan10 ;;
*) untunnelled= ;;
esac

check "the other host is there" network
daemon_start "offloadd starts" --dry-run
has "the probes run" "$(offloadctl status --all)" '^probe segmentation .*(fentry|kprobe)' '^probe checksum .*(fentry|kprobe)'

# the VLAN
server system.slice/plain.service 10.9.0.1 5001
client plain 10.9.0.1 5001
agrees "healthy" 10.9.0.2 plain
break_vlan
agrees "the incident" 10.9.0.2 plain vlan10
path vlan10
is "with the daemon the counters are shown" "$status$(of '[.counted, .paths[0].hops[0].counters[0].service, .paths[0].hops[0].counters[0].now]')" \
	'2[true,"plain.service",true]'
check "the document fits its schema" "$tools/test-json" path.json "$scratch/path.json"
offloadctl path vlan10 | sed 's/^/# note /'
repair_vlan
agrees "repaired" 10.9.0.2 plain
path vlan10
is "what was counted within ten seconds is no OK" "$(of '.verdict == (if [.paths[0].hops[].counters[].now] | any then "software" else "ok" end)')" true
ethtool -K eth2 sg off >/dev/null
agrees "a port without scatter-gather" 10.9.0.2 plain eth2
ethtool -K eth2 sg on tso on >/dev/null
ip link set eth2 gso_max_size 8000
agrees "a lower size limit of a port" 10.9.0.2 plain eth2
ip link set vlan10 gso_max_size 8000
client limited 10.9.0.1 5001
agrees "the same limit on the VLAN: new connections" 10.9.0.2 limited
before=$(counted)
check "an old connection sends" fetch plain
has "it keeps its limit, and its packets are split" "$(grown)" '^(eth2|vlan10|eth2 vlan10)$'
path plain.service --control none
is "its unit's way: not the limit now decides, but the one of its sockets" "$status$(of '.paths[0].verdict')" '2"software"'
disconnect plain
ip link set eth2 gso_max_size 65536
ip link set vlan10 gso_max_size 65536

# tunnels on the bond, and on the VLAN
tunnel() { # NAME NET LOCAL REMOTE TYPE...: 10.NET.0.1 here, 10.NET.0.2 there
	ip link add "$1" type "${@:5}" remote "$4"
	ip -n $peer link add "$1" type "${@:5}" remote "$3"
	ip link set "$1" mtu 1400 up
	ip -n $peer link set "$1" mtu 1400 up
	ip addr add "10.$2.0.1/24" dev "$1"
	ip -n $peer addr add "10.$2.0.2/24" dev "$1"
	server system.slice/plain.service "10.$2.0.1" 5001
	client "$1" "10.$2.0.1" 5001
}
ip addr add 10.6.0.1/24 dev bond0
ip -n $peer addr add 10.6.0.2/24 dev br0
tunnel vx0 7 10.6.0.1 10.6.0.2 vxlan id 7 dstport 4789
agrees "vxlan on the bond" 10.7.0.2 vx0
ethtool -K eth2 tx-udp_tnl-segmentation off tx-udp_tnl-csum-segmentation off >/dev/null
agrees "vxlan, and a port that does not segment it" 10.7.0.2 vx0 eth2
offloadctl path 10.7.0.2 | sed 's/^/# note /'
ethtool -K eth2 tx-udp_tnl-segmentation on tx-udp_tnl-csum-segmentation on >/dev/null
if [ -n "${LONG:-}" ]; then
	tunnel vx1 17 10.9.0.1 10.9.0.2 vxlan id 8 dstport 4790
	agrees "vxlan on the VLAN" 10.17.0.2 vx1 "$untunnelled"
	tunnel gt0 27 10.6.0.1 10.6.0.2 gretap
	agrees "gretap on the bond" 10.27.0.2 gt0
fi

# a unit: the listener is made in the cgroup of its socket unit, as by socket activation
python3 - "$scratch/file" <<'END' >"$scratch/web" 2>&1 &
import os, socket, sys
def join(unit):
    path = "/sys/fs/cgroup/system.slice/" + unit
    os.makedirs(path, exist_ok=True)
    open(path + "/cgroup.procs", "w").write(str(os.getpid()))
join("web.socket")
listener = socket.create_server(("10.9.0.1", 8080))
join("web.service")
print("listening", flush=True)
connection = listener.accept()[0]
print("accepted", flush=True)
while connection.recv(1):
    with open(sys.argv[1], "rb") as f:
        connection.sendfile(f)
END
started+=($!)
disown $!
wait_until 20 file_has "$scratch/web" listening
mkfifo "$scratch/ask-web"
ip netns exec $peer python3 -c 'import socket, sys
s = socket.create_connection(("10.9.0.1", 8080))
for line in sys.stdin:
    s.sendall(b"x")
    left = int(line)
    while left: left -= len(s.recv(min(left, 65536)))
    print("got", flush=True)' <"$scratch/ask-web" >"$scratch/got" 2>&1 &
started+=($!)
disown $!
exec {ask_web}>"$scratch/ask-web"
within 20 "a client connects" file_has "$scratch/web" accepted
path web.service
is "the unit takes the way of its connection, by the kernel's sockets" \
	"$(of '[.asked, .sockets_by, .paths[0].sockets, .paths[0].hops[0].link]')" \
	'["unit","iterator",{"connections":1,"copying":0,"stale":0},"vlan10"]'
is "which is healthy: what others were counted for does not matter" "$status$(of .verdict)" '0"ok"'
break_vlan
echo $size >&$ask_web
within 60 "it sends" file_has "$scratch/got" got
path web.service
is "in the incident" "$status$(of '[.verdict, .paths[0].at]')" '2["software",0]'
has "its counters are shown" "$(of '[.paths[0].hops[0].counters[].service] | unique')" '^\["([a-z.]+/)?web\.(service|socket)"\]$'
check "the document fits its schema" "$tools/test-json" path.json "$scratch/path.json"
offloadctl path web.service | sed 's/^/# note /'
path web.socket
is "by the name of the socket unit, too" "$status$(of '.paths[0].sockets.connections')" 21

# sockets that copy
server system.slice/signed.service 10.9.0.1 5002 10.9.0.2
client signed 10.9.0.1 5002 10.9.0.1
check "a signed sender sends" fetch signed
path signed.service
is "its connection copies, and is not stale yet" "$status$(of '.paths[0].sockets')" '2{"connections":1,"copying":1,"stale":0}'
repair_vlan
path signed.service --control none
is "it is stale after the repair: the socket works in software" "$status$(of '.paths[0] | [.verdict, .at, .sockets.stale]')" '2["software",null,1]'
offloadctl path signed.service | sed 's/^/# note /'
daemon_stops
done_testing
