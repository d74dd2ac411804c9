#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# offloadctl sockets and latency on the incident, without a daemon: who is stale, and who is slow.
# kernels: 7
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../probes.sh"

pairs() { # of the document in $scratch/sockets
	jq -r '.sockets[] | .local + " " + .remote' "$scratch/sockets" | sort
}
ss_pairs() {
	ss -tnH | awk '{ print $4, $5 }' | sort
}
rows() { # FILTER: of all documents that latency has written so far
	jq -s "[.[].histograms[] | select($1).calls] | add // 0" "$scratch/latency"
}
counted() { # FILTER
	[ "$(rows "$1")" -gt 0 ]
}

check "the other host is there" network
ip link add link bond0 name vlan100 up type vlan id 100
ip addr add 10.10.0.1/24 dev vlan100
ip -n $peer link add link br0 name v100 type vlan id 100
ip -n $peer link set v100 up
ip -n $peer addr add 10.10.0.2/24 dev v100
server system.slice/plain.service 10.9.0.1 5001
server system.slice/signed.service 10.9.0.1 5002 10.9.0.2
server system.slice/signed6.service fd09::1 5003 fd09::2
server system.slice/well.service 10.10.0.1 5004
is "no connection yet" "$(offloadctl sockets)" "None of 0 TCP sockets is stale"

break_vlan
client plain 10.9.0.1 5001
client signed 10.9.0.1 5002 10.9.0.1
client signed6 fd09::1 5003 fd09::1
client well 10.10.0.1 5004
for name in plain signed signed6 well; do check "$name sends" fetch $name; done
is "nobody is stale while the device is without" "$(offloadctl sockets --json | jq -c '[.visited, .stale, .sockets]')" '[4,0,[]]'
repair_vlan
offloadctl sockets --all --json >"$scratch/sockets"
check "the document fits its schema" "$tools/test-json" sockets.json "$scratch/sockets"
is "all sockets are those of ss" "$(pairs)" "$(ss_pairs)"
is "after the repair the signed ones are stale, by service and link" \
	"$(jq -c '[.sockets[] | select(.stale) | [.link, .service, .process.name, .missing[0]]] | sort' "$scratch/sockets")" \
	'[["vlan10","signed.service","sendfile-peer","tx-scatter-gather"],["vlan10","signed6.service","sendfile-peer","tx-scatter-gather"]]'
is "a process as old as its connection can tell its age" \
	"$(jq '[.sockets[].process.age_sec] | all(. >= 0 and . < 600)' "$scratch/sockets")" true
has "a table says the same" "$(offloadctl sockets)" '^LINK .*MISSING' \
	'^vlan10 +signed.service +10.9.0.1:5002 +10.9.0.2:[0-9]+ +sendfile-peer \([0-9]+\) +[0-9]+(s|min) +tx-scatter-gather' \
	'^vlan10 +signed6.service +\[fd09::1\]:5003 ' '^2 of 4 TCP sockets are stale: '
has "of another link there is none" "$(offloadctl sockets vlan100)" '^None of 4 TCP sockets '
is "one that stands well is told when asked for" "$(offloadctl sockets --all --json vlan100 | jq -c '[.sockets[] | [.service, .stale]]')" \
	'[["well.service",false]]'
has "an unknown link names the nearest" "$(offloadctl sockets vlan11 2>&1)" 'unknown interface "vlan11", did you mean "vlan10"\?'
has "without privilege it says what is missing" "$(setpriv --bounding-set -bpf,-sys_admin --inh-caps -bpf,-sys_admin \
	offloadctl sockets 2>&1; echo $?)" 'Failed to observe sockets: no privilege: CAP_BPF missing' '^1$'
disconnect signed
disconnect signed6
has "the stale connections go with their connections" "$(offloadctl sockets)" '^None of 2 TCP sockets '

# latency: two services at once, one over the broken VLAN
break_vlan
: >"$scratch/latency"
offloadctl latency --json --interval 200ms >"$scratch/latency" 2>"$scratch/err" &
latency=$!
started+=("$latency")
check "it has begun" wait_until 60 test -s "$scratch/latency"
fetch plain
fetch well
check "the one over the broken VLAN falls back" wait_until 60 counted '.service == "plain.service" and .fallback'
check "the other is healthy" wait_until 60 counted '.service == "well.service" and (.fallback | not)'
repair_vlan
fetch plain
check "after the repair the first is healthy too" wait_until 60 counted '.service == "plain.service" and (.fallback | not)'
kill -INT $latency
wait $latency
is "an interrupt ends it well" "$?:$(cat "$scratch/err")" "0:"
is "each call is told once, and nothing else" "$(jq -sc '[.[] | .lost] | add' "$scratch/latency"):$(rows '.service == "well.service" and .fallback')" "0:0"
slept=$(jq -s '[.[].histograms[] | .disk_usec, .receiver_usec | numbers] | length > 0' "$scratch/latency")
if [ "$KERNEL" = 5.10 ]; then echo "# note what sendfile slept for is known: $slept"; else is "what sendfile slept for is known" "$slept" true; fi
tail -n 1 "$scratch/latency" >"$scratch/last"
check "a document fits its schema" "$tools/test-json" latency.json "$scratch/last"
jq -sr '.[].histograms[] | "# note \(.service) fallback=\(.fallback) calls=\(.calls) median=\(.median_usec) us"' "$scratch/latency"
is "after so many intervals it ends" "$(offloadctl latency --count 3 --interval 50ms | grep -c 'sendfile to TCP sockets in')" 3
offloadctl latency --interval 100ms --unit plain --color never >"$scratch/text" &
latency=$!
started+=("$latency")
check "it has begun" wait_until 60 file_has "$scratch/text" 'sendfile to TCP sockets in'
fetch well
fetch plain
check "it tells of the unit" wait_until 60 file_has "$scratch/text" '^plain.service'
kill -INT $latency
wait $latency
is "and ends well" $? 0
has "text has a histogram of the unit that was asked for" "$(cat "$scratch/text")" '^[0-9:]+  sendfile to TCP sockets in ' \
	'^plain.service, offloaded: [0-9]+ calls?, median ' 'usec .*: calls +distribution' '-> [0-9]+ +: [0-9]+ +\|\*'
is "and of no other" "$(grep -c well "$scratch/text")" 0
done_testing
