# SPDX-License-Identifier: GPL-2.0-or-later
# verify --peer: two hosts; faults between them; and each bad condition is an error, after which nothing is left.
# kernels: 7
. "$(dirname "$0")/../lib.sh"
build=$(dirname "${BASH_SOURCE[0]}")/../../../${BUILD:-build}
server=
peer_end() {
	[ -z "$server" ] || kill "$server" 2>/dev/null
	ip netns del far 2>/dev/null
	scenario_end
}
trap peer_end EXIT

verify() { # ARGUMENT...: sets json and status
	json=$(offloadctl verify eth2 --peer 192.0.2.9 --yes --json "$@" 2>"$scratch/err" </dev/null)
	status=$?
	echo "$json" >"$scratch/verify.json"
	[ $status = 0 ] || sed 's/^/# /' "$scratch/err"
}
of() { jq -c "$1" <<<"$json"; }
serve() { # ARGUMENT...
	: >"$scratch/server"
	ip netns exec far offloadctl verify --serve --time 1h "$@" >>"$scratch/server" 2>&1 &
	server=$!
	wait_until 10 file_has "$scratch/server" '^Listening on'
}
stop_serving() {
	kill "$server" 2>/dev/null
	wait "$server"
	server=
}
join() {
	ip link add eth2 type veth peer name eth9 netns far
	ip addr add 192.0.2.1/24 dev eth2
	ip addr add 2001:db8::1/64 dev eth2 nodad
	ip link set eth2 up
	ip -n far addr add 192.0.2.9/24 dev eth9
	ip -n far addr add 2001:db8::9/64 dev eth9 nodad
	ip -n far link set eth9 up
}

ip netns add far
ip -n far link set lo up
join
features=$(ethtool -k eth2)
serve
verify
is "between two hosts: right" "$status$(of '[.right, .wrong, .untested]')" '0[4,0,0]'
is "in both directions" "$(of '[.cases[] | [.over, .mode, .packet, .outcome]]')" \
	'[["network","to-peer","tcp4","right"],["network","to-peer","udp4","right"],["network","from-peer","tcp4","right"],["network","from-peer","udp4","right"]]'
is "both ends captured each case" "$(of '[.cases[] | select(.packets + .unseen < 16)] | length')" 0
check "the document fits its schema" "$build/tests/test-json" verify.json "$scratch/verify.json"
verify --peer 2001:db8::9
is "over IPv6" "$status$(of '[.right, .peer]')" '0[4,"[2001:db8::9]:5630"]'
is "no feature was changed" "$(ethtool -k eth2)" "$features"
offloadctl verify eth2 --peer 192.0.2.9 >"$scratch/out" 2>&1 </dev/null
is "without a terminal it asks for --yes" "$?$(grep -c -e --yes "$scratch/out")" 11
verify --time 1ms
is "time for nothing: exit status 4" "$status$(of '[.right, .wrong]')" '4[0,0]'

# what is between them
spoiled() { # DIRECTION SECTION: what the peer sends, before its capture, or receives, after it; sets json and status
	ip netns exec far tc qdisc add dev eth9 clsact
	ip netns exec far tc filter add dev eth9 "$1" bpf direct-action object-file "$build/bpf/verify-faults.o" section "$2"
	verify
	ip netns exec far tc qdisc del dev eth9 clsact
}
spoiled ingress large
is "data that is corrupt where it arrives" "$status$(of '[.cases[] | select(.outcome == "wrong") | [.mode, .packet, .wrong.what, .wrong.host, .wrong.reproducible]]')" \
	'2[["to-peer","tcp4","data","receiver",true]]'
spoiled ingress drop
is "what the network loses is not known" "$status$(of '[.wrong, [.cases[] | select(.outcome == "untested") | .error]]')" \
	'4[0,["packets were lost on the way"]]'
spoiled egress none
is "a missing checksum is found where the peer sends it" "$(of '[.cases[] | select(.outcome == "wrong") | [.mode, .packet, .wrong.what, .wrong.host]]')" \
	'[["from-peer","udp4","checksum","sender"]]'

spoiled egress ack5631
is "a wrong checksum of an acknowledgement: where the receiver sends it" \
	"$(of '[.cases[] | select(.outcome == "wrong") | [.mode, .packet, .wrong.what, .wrong.host, .wrong.acknowledgements]]')" \
	'[["to-peer","tcp4","checksum","receiver",true]]'
modprobe sch_netem
ip netns exec far tc qdisc add dev eth9 root netem duplicate 100%
verify
is "what the network repeats is no fault" "$(of .wrong)" 0
ip netns exec far tc qdisc del dev eth9 root
ip link set eth2 mtu 600
ip -n far link set eth9 mtu 600
verify
is "with a small MTU" "$status$(of '[.right, .wrong, .untested]')" '0[4,0,0]'
ip link set eth2 mtu 1500
ip -n far link set eth9 mtu 1500
# the peer captures where its address is, and the packets come over another interface
ip -n far addr add 198.51.100.9/32 dev lo
ip route add 198.51.100.9/32 via 192.0.2.9
verify --peer 198.51.100.9
is "an end that sees no packet is not tested" "$status$(of '[.right, .wrong, ([.cases[].error] | unique)]')" \
	'4[0,0,["not all packets could be captured"]]'

# a host that asks for more than it needs, for ever
hostile() { # it only ends with its connection
	local be='\x4f\x46\x4c\x50\x56\x02\x00' zero='\x00\x00\x00\x00'
	exec 7<>/dev/tcp/192.0.2.9/5630 || return
	printf "$be\x64$zero$zero" >&7                          # PEER_HELLO
	printf "$be\x65$zero\x06\x02\x27\x0f" >&7              # PEER_CASE: UDP to the peer, from port 9999
	while printf "$be\x66\x00\x00\x00\x01\x00\x00\x00\x01" >&7; do # PEER_SENT: 1 byte, again and again
		head -c 16 <&7 || return
	done
}
stop_serving
: >"$scratch/server"
ip netns exec far offloadctl verify --serve --time 2s >>"$scratch/server" 2>&1 &
server=$!
wait_until 10 file_has "$scratch/server" '^Listening on'
(hostile) >/dev/null 2>&1 &
hostile=$!
is_over() { [ ! -e "/proc/$server" ] || [[ $(<"/proc/$server/stat") == *') Z '* ]]; }
within 10 "the server ends when its time is up, whatever a host sends" is_over
has "it has hung up before" "$(cat "$scratch/server")" 'failed: not an offloadctl verify'
kill $hostile 2>/dev/null
wait "$server" $hostile 2>/dev/null
serve

# bad conditions: each is an error, and ends
error() { # DESCRIPTION REGEX
	is "$1: exit status 1" $status 1
	has "$1: it says so" "$(cat "$scratch/err")" "$2"
}
verify --peer 192.0.2.9:5
error "nobody listens" 'verify --serve'
json=$(setpriv --reuid 12345 --clear-groups --inh-caps=-all offloadctl verify eth2 --peer 192.0.2.9 --yes 2>"$scratch/err") status=$?
error "no privilege" 'CAP_NET_RAW'
ip netns exec far setpriv --reuid 12345 --clear-groups --inh-caps=-all offloadctl verify --serve 2>"$scratch/err"
status=$?
error "nor there" 'CAP_NET_RAW'
"$build/tests/without-packet" offloadctl verify eth2 --peer 192.0.2.9 --yes >"$scratch/out" 2>"$scratch/err"
status=$?
error "no AF_PACKET" 'AF_PACKET'
"$build/tests/without-packet" offloadctl verify --serve 2>"$scratch/err"
status=$?
error "nor there" 'AF_PACKET'
ip netns exec far perl -MIO::Socket::INET -e \
	'my $held = IO::Socket::INET->new(LocalAddr => "192.0.2.9", LocalPort => 5631, Proto => "udp") or exit; $| = 1; print "open\n"; sleep 60' \
	>"$scratch/held" &
holder=$!
wait_until 10 file_has "$scratch/held" open
verify
error "the port of the data is taken" 'Address already in use'
kill $holder
wait $holder 2>/dev/null
if [ -n "$LONG" ]; then
	spoiled ingress data
	error "the port of the data does not reply" 'next port'
fi
ip netns exec far tc qdisc add dev eth9 root netem delay 20ms
slowly() { # COMMAND...: while they are at it
	: >"$scratch/server"
	offloadctl verify eth2 --peer 192.0.2.9 --yes --json >"$scratch/verify.json" 2>"$scratch/err" </dev/null &
	client=$!
	wait_until 10 file_has "$scratch/server" ': connected$'
	"$@"
	wait $client
	status=$?
}
slowly kill -KILL "$server"
wait "$server" 2>/dev/null
server=
error "the peer hangs up" 'closed the connection'
serve
slowly ip link del eth2
error "the link disappears" 'eth2 was removed'
check "the server is still there" kill -0 "$server"
stop_serving
join
ip netns exec far offloadctl check-path --serve --peer 192.0.2.9:5630 >"$scratch/server" 2>&1 &
server=$!
wait_until 10 file_has "$scratch/server" '^Listening on'
verify
error "another program or version" 'version'
stop_serving
serve
offloadctl check-path eth2 --peer 192.0.2.9:5630 --yes >"$scratch/err" 2>&1 </dev/null
status=$?
error "the other way round" 'version'
verify
is "and it serves the next one" $status 0
stop_serving
is "nothing is left behind" "$(ip -br link show type veth | wc -l) $(ss -Htan state established | wc -l)" "1 0"
done_testing
