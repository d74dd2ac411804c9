# SPDX-License-Identifier: GPL-2.0-or-later
# verify: the kernel computes everything right; and each fault that programs of tc(8) cause is found, where it happens.
. "$(dirname "$0")/../lib.sh"
tools=$(dirname "${BASH_SOURCE[0]}")/../../../${BUILD:-build}/tests

verify() { # ARGUMENT...: sets json and status
	json=$(offloadctl verify --json "$@" 2>"$scratch/err")
	status=$?
	echo "$json" >"$scratch/verify.json"
}
of() { # JQ-FILTER
	jq -c "$1" <<<"$json"
}
# the same, with a program of tc at an interface of one of its hosts
faulty() { # HOST INTERFACE ingress|egress SECTION ARGUMENT...
	local descriptor pid
	mkdir -p "$scratch/rules"
	mkfifo "$scratch/enter" "$scratch/held"
	offloadctl verify --hold "${@:5}" <"$scratch/enter" >"$scratch/verify.json" 2>"$scratch/held" &
	pid=$!
	exec 8>"$scratch/enter" 9<"$scratch/held"
	while read -r host command <&9; do
		[ "$host" != "$1" ] || descriptor=${command#nsenter --net=}
		[ "$host" != The ] || break
	done
	nsenter --net="$descriptor" tc qdisc add dev "$2" clsact
	nsenter --net="$descriptor" tc filter add dev "$2" "$3" bpf direct-action object-file "${tools%/tests}/bpf/verify-faults.o" section "$4"
	echo >&8
	wait $pid
	status=$?
	exec 8>&- 9<&-
	rm "$scratch/enter" "$scratch/held"
	json=$(cat "$scratch/verify.json")
}
wrong() { # what is wrong, once each
	of '[.cases[] | select(.outcome == "wrong") | [.over, .wrong.what, .wrong.host, .wrong.link]] | unique'
}

before=$(ip -o link)
verify
is "only what is loaded: exit status 4, nothing is wrong" "$status$(of .wrong)" 40
is "a module is not loaded" "$(of '[.cases[] | select(.over == "gre") | .error] | unique')" '["module ip_gre is not loaded"]'
is "no interface was created" "$(ip -o link)" "$before"
verify --load
is "this kernel is right" "$status$(of '[.wrong, .untested]')" '0[0,0]'
is "over every kind of link" "$(of '[.cases[].over] | unique | join(" ")')" '"bond forward geneve gre ipip macvlan qinq veth vlan vxlan"'
is "in every mode, with every kind of packet" "$(of '[([.cases[].mode] | unique | length), ([.cases[].packet] | unique | length)]')" '[5,4]'
check "packets were checked in each case" test "$(of '[.cases[] | select(.packets + .unseen < 8)] | length')" = 0
is "right merging has merged" "$(of '[.cases[] | select(.mode == "merged" and .outcome == "right" and .merged == 0)] | length')" 0
if [ "$KERNEL" != 5.10 ]; then
	check "TCP is merged" test "$(of '[.cases[] | select(.mode == "merged" and .packet == "tcp4" and .outcome == "right")] | length')" = 10
fi
check "the document fits its schema" "$tools/test-json" verify.json "$scratch/verify.json"
is "nothing is left behind" "$(ip -o link | grep -c veth)" 0
first_namespace sysctl -qw net.core.rmem_default=65536
verify --load
is "a small default buffer is no fault" "$status$(of '[.wrong, .untested]')" '0[0,0]'
first_namespace sysctl -qw net.core.rmem_default=212992

modprobe vxlan
ip link add vx0 type vxlan id 1 remote 192.0.2.9 dstport 4789 dev lo
verify vx0
is "for a vxlan: what it consists of" "$(of '[.cases[].over] | unique | join(" ")')" '"forward veth vxlan"'

ip link add br0 type bridge
verify br0
is "a kind without a test: exit status 4" "$status$(of .kinds_not_tested)" '4["bridge"]'

# no false alarm
if [ -n "$LONG" ]; then
	for ((run = 1, right = 0; run <= 250; run++)); do
		verify --load
		[ $status != 0 ] && echo "$json" | sed "s/^/# run $run: /" && continue
		right=$((right + 1))
	done
	is "250 runs are right" $right 250
fi

# the faults on one kernel only, as finding them is not the kernel's work
if [ "$KERNEL" != 7 ] && [ -z "$LONG" ]; then
	done_testing
	exit
fi
faulty sender veth0 egress flip --json vx0
is "a flipped checksum: exit status 2" $status 2
is "it is found where it leaves" "$(wrong)" '[["veth","checksum","sender","veth"]]'
faulty sender veth5 egress flip --json vx0
is "also in a vxlan" "$(wrong)" '[["vxlan","checksum","sender","veth"]]'
faulty router veth9 ingress id --json vx0
is "a changed id is found where the router sends" "$(wrong)" '[["forward","ip-id","router","veth"]]'
faulty sender veth0 egress cut --json vx0
is "a cut tail is found" "$(wrong)" '[["veth","length","sender","veth"]]'
faulty router veth9 ingress swap --json vx0
is "and two segments that changed places" "$(wrong)" '[["forward","order","router","veth"]]'

faulty receiver veth0 egress ack --json vx0
is "a flipped checksum of an acknowledgement: where the receiver sends it" "$(of '[.cases[] | select(.outcome == "wrong") | [.wrong.host, .wrong.acknowledgements]] | unique')" '[["receiver",true]]'
is "once is not reproducible" "$(of '[.cases[] | select(.outcome == "wrong") | .wrong | [.reproducible, .right_without]] | unique')" '[[false,[]]]'
faulty receiver veth0 ingress drop --json vx0
is "packets lost after the last look are found" "$status$(wrong)" '2[["veth","rejected","receiver",null]]'
faulty receiver veth0 ingress burst --json vx0
is "a datagram lost in a burst is lost, not corrupt" "$status$(wrong)" '2[["veth","lost","receiver",null]]'
faulty sender veth0 egress none --json vx0
is "a missing checksum is wrong" "$status$(wrong)" '2[["veth","checksum","sender","veth"]]'

faulty receiver veth0 ingress large --json vx0
is "what is wrong in large packets only" "$(wrong)" '[["veth","data","receiver",null]]'
is "is right without TSO" "$(of '[.cases[] | select(.outcome == "wrong") | .wrong.right_without] | unique')" '[["rx-gro"],["tx-tcp-segmentation"]]'
faulty receiver veth0 ingress large vx0 --output "$scratch/rules"
is "a rule that avoids it is written" "$(grep -E '^(Kind|KernelRelease|[rt]x.*)=' "$scratch/rules/90-verify.rule")" \
	"Kind=veth
KernelRelease=$(uname -r)
rx-gro=off
tx-tcp-segmentation=off"
check "it has a reason and an end" grep -cE '^(Reason|Until)=.' "$scratch/rules/90-verify.rule"
check "and no mistake" offloadctl check "$scratch/rules/90-verify.rule"
sed 's/^/# note /' "$scratch/rules/90-verify.rule"

verify nosuch
is "an interface that does not exist: exit status 1" $status 1
done_testing
