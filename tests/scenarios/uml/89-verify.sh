# SPDX-License-Identifier: GPL-2.0-or-later
# verify: the kernel computes everything right; and each fault that programs of tc(8) cause is found, where it happens.
# kernels: 7
. "$(dirname "$0")/../lib.sh"
tools=$(dirname "${BASH_SOURCE[0]}")/../../../${BUILD:-build}/tests

verify() { # ARGUMENT...: sets json and status
	json=$(offloadctl verify --time 1min --json "$@" 2>"$scratch/err")
	status=$?
	echo "$json" >"$scratch/verify.json"
}
of() { # JQ-FILTER
	jq -c "$1" <<<"$json"
}
# the same, with `spoil ARGUMENT...` in one of its hosts before it starts
held() { # HOST ARGUMENT...
	local descriptor pid
	mkdir -p "$scratch/rules"
	mkfifo "$scratch/enter" "$scratch/held"
	offloadctl verify --hold "${@:2}" <"$scratch/enter" >"$scratch/verify.json" 2>"$scratch/held" &
	pid=$!
	exec 8>"$scratch/enter" 9<"$scratch/held"
	while read -r host command <&9; do
		[ "$host" != "$1" ] || descriptor=${command#nsenter --net=}
		[ "$host" != The ] || break
	done
	spoil
	echo >&8
	wait $pid
	status=$?
	exec 8>&- 9<&-
	rm "$scratch/enter" "$scratch/held"
	json=$(cat "$scratch/verify.json")
}
# with a program of tc at an interface
faulty() { # HOST INTERFACE ingress|egress SECTION ARGUMENT...
	local interface=$2 direction=$3 section=$4
	spoil() {
		nsenter --net="$descriptor" tc qdisc add dev $interface clsact
		nsenter --net="$descriptor" tc filter add dev $interface $direction bpf direct-action \
			object-file "${tools%/tests}/bpf/verify-faults.o" section $section
	}
	held "$1" "${@:5}"
}
# with a queue that sends what has gathered at once
queued() { # HOST INTERFACE ARGUMENT...
	local interface=$2
	spoil() { nsenter --net="$descriptor" tc qdisc add dev $interface root netem delay 2ms; }
	held "$1" "${@:3}"
}
wrong() { # what is wrong, once each
	of '[.cases[] | select(.outcome == "wrong") | [.over, .wrong.what, .wrong.host, .wrong.link]] | unique'
}

before=$(ip -o link)
verify
is "only what is loaded: exit status 4, nothing is wrong" "$status$(of .wrong)" 40
gre='["module ip_gre is not loaded"]'
[ ! -e /sys/module/ip_gre ] || gre='[null]' # a scenario before this one has loaded it
is "a module is not loaded" "$(of '[.cases[] | select(.over == "gre") | .error] | unique')" "$gre"
is "no interface was created" "$(ip -o link)" "$before"
# as in the CI of an image: verify --load
json=$(VERIFY_TIME=1min contrib/ci/offload-gate)
is "the example of a gate runs" $? 0
echo "$json" | tee "$scratch/gate.json" >"$scratch/verify.json"
is "this kernel is right" "$(of '[.exit_code, .wrong, .untested]')" '[0,0,0]'
is "over every kind of link" "$(of '[.cases[].over] | unique | join(" ")')" '"bond forward geneve gre ipip macvlan qinq veth vlan vxlan"'
is "in every mode, with every kind of packet" "$(of '[([.cases[].mode] | unique | length), ([.cases[].packet] | unique | length)]')" '[6,4]'
check "packets were checked in each case" test "$(of '[.cases[] | select(.packets + .unseen < 8)] | length')" = 0
is "right merging has merged" "$(of '[.cases[] | select((.mode | startswith("merged")) and .outcome == "right" and .merged == 0)] | length')" 0
if [ "$KERNEL" != 5.10 ]; then
	check "TCP is merged" test "$(of '[.cases[] | select(.mode == "merged" and .packet == "tcp4" and .outcome == "right")] | length')" = 10
fi
check "the document fits its schema" "$tools/test-json" verify.json "$scratch/verify.json"
is "nothing is left behind" "$(ip -o link | grep -c veth)" 0
# a new namespace has both from the host
first_namespace sysctl -qw net.core.rmem_default=65536 net.ipv4.conf.default.arp_ignore=8
verify --load
is "settings of the host are no fault" "$status$(of '[.wrong, .untested]')" '0[0,0]'
first_namespace sysctl -qw net.core.rmem_default=212992 net.ipv4.conf.default.arp_ignore=0

modprobe vxlan
ip link add vx0 type vxlan id 1 remote 192.0.2.9 dstport 4789 dev lo
verify vx0
is "for a vxlan: what it consists of" "$(of '[.cases[].over] | unique | join(" ")')" '"forward veth vxlan"'

# large packets and single ones leave together: a tunnel may let single ones pass large ones while somebody captures (gro_cells)
modprobe sch_netem
queued sender veth5 --json vx0
is "a burst after a delay is no fault of a tunnel" "$status$(of .wrong)" 00

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

# the faults on one kernel only, as finding them is not the kernel's work; below a veth are the fewest kinds
if [ "$KERNEL" != 7 ] && [ -z "$LONG" ]; then
	done_testing
	exit
fi
ip link add v0 type veth
finds() { # DESCRIPTION WANTED HOST INTERFACE ingress|egress SECTION: with such a fault
	faulty "${@:3}" --json ${link:-v0}
	is "$1" "$status$(wrong)" "2[$2]"
}
finds "a flipped checksum is found where it leaves" '["veth","checksum","sender","veth"]' sender veth0 egress flip
link=vx0 finds "also in a vxlan" '["vxlan","checksum","sender","veth"]' sender veth5 egress flip
finds "a changed id is found where the router sends" '["forward","ip-id","router","veth"]' router veth9 ingress id
link=vx0 finds "also in a vxlan" '["vxlan","ip-id","sender","veth"]' sender veth5 egress id
finds "a cut tail" '["veth","length","sender","veth"]' sender veth0 egress cut
link=vx0 finds "also in a vxlan" '["vxlan","length","sender","vxlan"]' sender vxlan egress cut
finds "two segments that changed places" '["forward","order","router","veth"]' router veth9 ingress swap
link=vx0 finds "also in a vxlan" '["vxlan","order","sender","veth"]' sender veth5 egress swap
finds "packets lost after the last look" '["veth","rejected","receiver",null]' receiver veth0 ingress drop
finds "a datagram lost in a burst is lost, not corrupt" '["veth","lost","receiver",null]' receiver veth0 ingress burst
finds "a missing checksum" '["veth","checksum","sender","veth"]' sender veth0 egress none
finds "a flipped checksum of an acknowledgement, where the receiver sends it" '["veth","checksum","receiver","veth"]' receiver veth0 egress ack
is "it says what it is; once is not reproducible" "$(of '[.cases[] | select(.outcome == "wrong") | .wrong | [.acknowledgements, .reproducible, .right_without]] | unique')" \
	'[[true,false,[]]]'
# something above the links that drops what is sent, as a BPF program of the cgroup, is no fault of the kernel's
faulty sender veth0 egress syn --time 4s --json v0
is "what never leaves is not tested" "$status$(of '[.wrong, (.cases[0] | [.outcome, .error])]')" \
	'4[0,["untested","no packet left the sender; a BPF program of this cgroup, for example, may drop them"]]'

faulty receiver veth0 ingress large --json v0
is "what is wrong in large packets only" "$(wrong)" '[["veth","data","receiver",null]]'
is "is right without TSO" "$(of '[.cases[] | select(.outcome == "wrong") | .wrong.right_without] | unique')" '[["rx-gro"],["tx-tcp-segmentation"]]'
PATH=/nowhere /bin/sh contrib/ci/offload-gate 2>/dev/null
is "the gate fails without the program" $? 1
offloadctl diff "$scratch/gate.json" "$scratch/gate.json" >/dev/null
is "its results can be compared" $? 0
cp "$scratch/verify.json" "$scratch/now.json"
offloadctl verify v0 --json >"$scratch/base.json"
offloadctl diff "$scratch/base.json" "$scratch/base.json" >/dev/null
is "as the baseline: exit status 0" $? 0
json=$(offloadctl diff "$scratch/base.json" "$scratch/now.json" --json)
is "worse than the baseline: exit status 2" "$?$(of '[.worse[] | [.test, .a, .b]] | .[0]')" \
	'2["verify: tcp4 over veth, left","right","wrong: data"]'
echo "$json" >"$scratch/diff.json"
check "the document fits its schema" "$tools/test-json" diff-results.json "$scratch/diff.json"
offloadctl diff "$scratch/now.json" "$scratch/base.json" >/dev/null
is "what was wrong before: exit status 0" $? 0
offloadctl verify v0 --json --time 1ms >"$scratch/late.json"
offloadctl diff "$scratch/base.json" "$scratch/late.json" >/dev/null
is "not tested: exit status 4" $? 4
offloadctl diff "$scratch/late.json" "$scratch/now.json" >/dev/null
is "wrong, and not known before: exit status 2" $? 2
echo '{"version":1,"document":"plan"}' >"$scratch/plan.json"
offloadctl diff "$scratch/base.json" "$scratch/plan.json" 2>/dev/null
is "another document: exit status 1" $? 1

faulty receiver veth0 ingress large v0 --output "$scratch/rules"
is "it says what is next" "$(grep -cE '^Run: offloadctl reload$|verify --output' "$scratch/verify.json")" 1
is "a rule that avoids it is written" "$(grep -E '^(Kind|KernelRelease|[rt]x.*)=' "$scratch/rules/90-verify.rule")" \
	"Kind=veth
KernelRelease=$(uname -r)
rx-gro=off
tx-tcp-segmentation=off"
check "it has a reason and an end" grep -cE '^(Reason|Until)=.' "$scratch/rules/90-verify.rule"
check "and no mistake" offloadctl check "$scratch/rules/90-verify.rule"
sed 's/^/# note /' "$scratch/rules/90-verify.rule"

faulty sender veth0 egress flip v0 --output "$scratch/none"
is "without a rule that avoids it: none is written, exit status 2" "$status$(ls "$scratch" | grep -c none)" 20

# its limits: the receive buffer of captures, the backlog of the CPU, time, privilege
first_namespace sysctl -qw net.core.rmem_max=4096
json=$(setpriv --reuid 12345 --clear-groups --inh-caps=-all offloadctl verify --json v0) status=$?
is "packets that the capture loses are no fault" "$(of '[.wrong, .unseen > 0]')" '[0,true]'
first_namespace sysctl -qw net.core.rmem_max=212992
first_namespace sysctl -qw net.core.netdev_max_backlog=2
begin=$(now_ms)
verify v0 --time 9s
is "a backlog that is too small is no fault" "$status$(of .wrong)" 40
echo "# note it took $(($(now_ms) - begin)) ms of 9 s"
is "what the limit cuts off is not tested" "$(of '[.cases[] | select(.outcome == "untested") | .error] | length > 0')" true
first_namespace sysctl -qw net.core.netdev_max_backlog=1000
verify v0 --time 1ms
is "time for nothing: exit status 4" "$status$(of '[.right, .wrong]')" '4[0,0]'
first_namespace sysctl -qw user.max_user_namespaces=0
said=$(setpriv --reuid 12345 --clear-groups --inh-caps=-all offloadctl verify 2>&1) status=$?
is "without a privilege: exit status 1" $status 1
has "and it says which" "$said" CAP_SYS_ADMIN
said=$("$tools/without-packet" offloadctl verify 2>&1) status=$?
is "without AF_PACKET: exit status 1" $status 1
has "and it says so" "$said" AF_PACKET
json=$(unshare -m sh -c 'mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys && offloadctl verify v0 --json') status=$?
is "where /proc/sys is read-only, as in a container: exit status 4, and it says why" \
	"$status$(of '[.wrong, ([.cases[] | select(.packet == "tcp6" and .over == "veth") | .error] | unique)]')" '4[0,["/proc/sys is read-only here"]]'
said=$(offloadctl verify --hold v0 2>&1 </dev/null) status=$?
has "no Enter is no signal" "$status $said" '^1 ' 'before Enter'
first_namespace sysctl -qw user.max_user_namespaces=10000

verify nosuch
is "an interface that does not exist: exit status 1" $status 1
done_testing
