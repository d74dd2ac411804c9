# SPDX-License-Identifier: GPL-2.0-or-later
# Who keeps a feature off, or on: the XDP program of a peer, the owner of a tap, the interface below, the kernel itself. And what looks
# compliant and is not.
. "$(dirname "$0")/../lib.sh"
tools=${BUILD:-build}/tests

plan_is() { # DESCRIPTION LINK FEATURE VERDICT[ CAUSE[ OTHER-LINK]]: what the plan makes of it
	offloadctl plan --json >"$scratch/plan" 2>&1 || :
	is "$1" "$(jq -r --arg link "$2" --arg feature "$3" '[ .links[] | select(.link == $link) | .features[] | select(.feature == $feature)
		| [ .verdict, .cause.kind, .cause.link ] | map(select(. != null)) | join(" ") ] | first // "none"' "$scratch/plan")" "$4"
}

advice_is() { # DESCRIPTION LINK FEATURE ADVICE
	is "$1" "$(offloadctl explain "$2" "$3" --json | jq -r '.features[0].advice_code')" "$4"
}

codes() { # LINK FEATURE: "link code" of each step of the explanation
	offloadctl explain "$1" "$2" --json | jq -r '.features[0].chain[] | "\(.link) \(.code)"'
}

tap_open() { # NAME OFFLOAD...
	coproc OWNER { exec "$tools/tap-owner" "$@" 2>&1; }
	owner=$OWNER_PID
	read -r answer <&"${OWNER[0]}"
	is "tap-owner opens $1" "$answer" open
}

plan_status() {
	offloadctl plan >/dev/null 2>&1
	echo $?
}

mkdir -p /etc/offloadd/rules.d

# ---- an alias whose only active member cannot be changed ----
modprobe -q ipvlan
modprobe -q macvlan
ip link add base type veth peer name far
rule 38-alias.rule '[Match]' 'Name=lo ipv0 mac0' '[Features]' 'tx=off'
for kind in loopback ipvlan macvlan; do
	case $kind in
	loopback) link=lo ;;
	ipvlan) link=ipv0 && ip link add link base name $link type ipvlan mode l2 ;;
	macvlan) link=mac0 && ip link add link base name $link type macvlan ;;
	esac
	plan_is "tx=off on $kind, which has a checksum on for good" $link tx-checksum-ip-generic unsupported\ unsupported-driver
	is "plan exits 4 ($kind)" "$(plan_status)" 4
	[ $kind = loopback ] || ip link del $link
done
rule 38-alias.rule '[Match]' 'Name=lo' '[Features]' 'lro=off' 'tx=on'
plan_is "lro=off where there is no LRO" lo rx-lro compliant
plan_is "tx=on where a checksum is on for good" lo tx-checksum-ip-generic compliant
is "plan exits 0" "$(plan_status)" 0
rm /etc/offloadd/rules.d/38-alias.rule

# ---- the peer of a veth has an XDP program ----
rule 41-xdp.rule '[Match]' 'Name=base' '[Features]' 'tx-tcp-segmentation=on'
plan_is "without a program" base tx-tcp-segmentation compliant
ip link set base mtu 1500
check "a program on its peer" "$tools/xdp-pass" far driver
plan_is "with one" base tx-tcp-segmentation "blocked peer-xdp far"
advice_is "the advice is to detach it" base tx-tcp-segmentation detach-xdp
ip netns add away
ip link set far netns away
plan_is "the peer moves to another namespace" base tx-tcp-segmentation "$(
	ip netns exec away "$tools/xdp-pass" far driver 2>/dev/null; ethtool -k base | grep -q 'tx-tcp-segmentation: on' && echo compliant || echo blocked peer-xdp)"
ip netns exec away "$tools/xdp-pass" far off
plan_is "detached" base tx-tcp-segmentation compliant
ip netns del away
rm /etc/offloadd/rules.d/41-xdp.rule

# ---- what is copied from below ----
ip link add base type veth peer name far
modprobe -q macsec
ethtool -K base sg off >/dev/null
if ip link add link base name ms0 type macsec 2>/dev/null; then
	rule 42-macsec.rule '[Match]' 'Name=ms0' '[Features]' 'tx-scatter-gather=on'
	if ethtool -k ms0 | grep -q 'tx-scatter-gather: off \[fixed\]'; then
		plan_is "a macsec over an interface with scatter-gather off" ms0 tx-scatter-gather "blocked lower-off base"
		ethtool -K base sg on >/dev/null
		plan_is "it is on below again, and the macsec does not follow" ms0 tx-scatter-gather "blocked created-without base"
		advice_is "the advice is to create it again" ms0 tx-scatter-gather recreate
		ip link del ms0
		ip link add link base name ms0 type macsec
	else # from Linux 6.18
		ethtool -K base sg on >/dev/null
		offloadctl apply >/dev/null 2>&1
	fi
	plan_is "now it has it" ms0 tx-scatter-gather compliant
	ip link del ms0
fi
ethtool -K base rx off >/dev/null
rule 42-ipvtap.rule '[Match]' 'Name=ipvt0' '[Features]' 'rx-checksum=on'
if modprobe -q ipvtap && ip link add link base name ipvt0 type ipvtap mode l2; then
	plan_is "an ipvtap over an interface without receive checksums" ipvt0 rx-checksum "blocked lower-off base"
	advice_is "the advice is about the interface below" ipvt0 rx-checksum request
	ethtool -K base rx on >/dev/null
	plan_is "it follows" ipvt0 rx-checksum compliant
	ip link del ipvt0
fi
ip link del base

# ---- the owner of a tap ----
modprobe -q tun
ip tuntap add tap0 mode tap vnet_hdr
ip link add bond7 type bond mode active-backup
ip link set tap0 master bond7
plan_is "bond-port rule: a tap without an owner is not asked for checksums" tap0 tx-checksum-ip-generic compliant
is "plan exits 0" "$(plan_status)" 0
tap_open tap0 csum tso4
# TUNSETOFFLOAD clears what is requested, so whether the owner or ethtool turned TSO for IPv6 off is not known until it is requested
offloadctl apply >"$scratch/applied" 2>&1
is "an owner who allows some: the rule asks once" "$?" 0
is "and plan exits 0" "$(plan_status)" 0
rule 49-tap.rule '[Match]' 'Kind=tun' '[Features]' 'tx=on' 'tx-tcp-segmentation=on' 'tx-tcp6-segmentation=on'
plan_is "what the owner allows is on" tap0 tx-tcp-segmentation compliant
plan_is "what the owner does not allow is blocked by him" tap0 tx-tcp6-segmentation "blocked owner"
advice_is "the advice names the program" tap0 tx-tcp6-segmentation owner
offloadctl apply >/dev/null 2>&1
is "apply exits 4" $? 4
ip link del bond7
eval "exec ${OWNER[1]}>&-"
wait "$owner"
rm /etc/offloadd/rules.d/49-tap.rule
ip link del tap0

# ---- what a bond shows and no port has ----
ip link add eth2 type veth peer name far2
ip link add bond0 type bond mode active-backup
ip link set eth2 master bond0
ip link add link bond0 name vlan10 type vlan id 10
ln -s /dev/null /etc/offloadd/rules.d/30-bond-port.rule
ethtool -K eth2 tso off >/dev/null
check "the kernel gives the bond TSO all the same" is_on bond0 tx-tcp-segmentation
has "explain: no port has it" "$(codes vlan10 tx-tcp-segmentation)" '^bond0 claimed$' '^eth2 switched-off$'
has "plan names it" "$(offloadctl plan --json | jq -r '.links[] | .link as $l | .features[] | select(.claimed) | "\($l) \(.feature)"')" \
	'^bond0 tx-tcp-segmentation$'
is "show names it" "$(offloadctl show bond0 --json | jq '.link.features["tx-tcp-segmentation", "tx-scatter-gather"].claimed' | xargs)" "true false"
rule 21-all.rule '[Match]' 'Kind=bond' '[Features]' 'tx-tcp-segmentation=lower-all' 'tx-scatter-gather=lower-all'
plan_is "lower-all: the port lacks it" bond0 tx-tcp-segmentation "blocked port-off eth2"
plan_is "lower-all: the port has it" bond0 tx-scatter-gather compliant
rule 31-port.rule '[Match]' 'Name=eth2' '[Features]' 'tx-tcp-segmentation=off'
offloadctl apply >/dev/null
is "a rule keeps it off at the port: apply exits 0" $? 0
check "it is off at the bond, too" is_off bond0 tx-tcp-segmentation
plan_is "and that matches" bond0 tx-tcp-segmentation compliant
is "nothing is claimed" "$(offloadctl plan --json | jq -r '.links[].features[] | select(.claimed and (.feature | test("^tx-tcp-segmentation$"))) | .feature')" ""
rm /etc/offloadd/rules.d/[23]?-*.rule
if ethtool -k bond0 | grep -q 'tx-esp-segmentation: on'; then
	rule 20-esp.rule '[Match]' 'Kind=bond' '[Features]' 'tx-esp-segmentation=lower' 'esp-hw-offload=lower' 'esp-tx-csum-hw-offload=lower'
	has "ESP offloads that no port has" "$(offloadctl plan --json | jq -r '.links[].features[] | select(.claimed) | .feature')" \
		'^tx-esp-segmentation$' '^esp-hw-offload$' '^esp-tx-csum-hw-offload$'
	rule 20-esp.rule '[Match]' 'Kind=bond' '[Features]' 'tx-esp-segmentation=lower-all' 'esp-hw-offload=lower-all' \
		'esp-tx-csum-hw-offload=lower-all'
	is "lower-all turns them off: plan exits 2" "$(plan_status)" 2
	offloadctl apply >/dev/null
	is "apply exits 0" $? 0
	check "they are off" is_off bond0 tx-esp-segmentation esp-hw-offload esp-tx-csum-hw-offload
fi

# ---- LRO where packets are forwarded ----
ip link add bond8 type bond mode active-backup
ip link set bond8 up
ethtool -K bond8 lro off >/dev/null
rule 50-lro.rule '[Match]' 'Name=bond8 bond9' '[Features]' 'lro=on'
daemon_start "the daemon starts" --enforce
within 5 "LRO is on" is_on bond8 large-receive-offload
record_mark
sysctl -qw net.ipv4.conf.bond8.forwarding=1
one_record "the bond forwards: the kernel turns LRO off, and one record says why" '^offloadd: unmet: bond8 .*rx-lro.*forwards'
check "it stays off" is_off bond8 large-receive-offload
plan_is "plan: who forwards" bond8 rx-lro "blocked forwards"
sysctl -qw net.ipv4.conf.bond8.forwarding=0
within 5 "when it no longer forwards, LRO comes on" is_on bond8 large-receive-offload
record_mark
sysctl -qw net.ipv4.conf.default.forwarding=1
ip link add bond9 type bond mode active-backup
one_record "a new interface that forwards from the beginning" '^offloadd: unmet: bond9 .*rx-lro.*forwards'
ip link del bond9
sysctl -qw net.ipv4.conf.default.forwarding=0
# The kernel turns LRO off in the moment in which it becomes a port, or has a program: offloadd does not turn it on before it
# knows why. While it is stopped both its sockets fill, and it reads either first.
ip link add br8 type bridge
changes() { offloadctl status --json | jq .daemon.changes; }
goes_off() { # WHY COMMAND...
	local before
	within 5 "LRO is on" is_on bond8 large-receive-offload
	record_mark
	before=$(changes)
	kill -STOP "$daemon"
	"${@:2}"
	kill -CONT "$daemon"
	one_record "LRO goes off: $1" "^offloadd: unmet: bond8 .*rx-lro"
	is "and nothing turned it on in between: $1" "$(changes)" "$before"
	check "it is off: $1" is_off bond8 large-receive-offload
}
goes_off bridged ip link set bond8 master br8
ip link set bond8 nomaster
goes_off xdp "$tools/xdp-pass" bond8 generic
"$tools/xdp-pass" bond8 off
ip link del br8
daemon_stops
sysctl -qw net.ipv4.conf.bond8.forwarding=1
ethtool -K bond8 lro on >/dev/null
check "LRO was turned on by hand all the same" is_on bond8 large-receive-offload
plan_is "that is not compliant" bond8 rx-lro "blocked forwards"
advice_is "the advice is to keep it off" bond8 rx-lro keep-off
sysctl -qw net.ipv4.conf.bond8.forwarding=0
plan_is "without forwarding it is" bond8 rx-lro compliant
check "a generic XDP program" "$tools/xdp-pass" bond8 generic
plan_is "it cannot take what LRO merged" bond8 rx-lro "blocked xdp"
check "it is detached" "$tools/xdp-pass" bond8 off
ip link add br8 type bridge
ip link set bond8 master br8
plan_is "a bridge" bond8 rx-lro "blocked bridged"
ip link del br8

# LRO turned off above clears the request below, and revert restores both
modprobe -q team
ip link add team8 type team
ip link set bond8 down
ip link set bond8 master team8
ethtool -K team8 lro on >/dev/null
ethtool -K bond8 lro on >/dev/null
check "LRO is on, above and below" eval "is_on team8 large-receive-offload && is_on bond8 large-receive-offload"
rule 50-lro.rule '[Match]' 'Name=team8' '[Features]' 'lro=off'
offloadctl apply --ledger "$scratch/lro.json" >/dev/null
check "turned off above, it is off below" is_off bond8 large-receive-offload
check "and no longer requested there" eval "! ethtool -k bond8 | grep -q 'large-receive-offload: off .requested on.'"
offloadctl revert --ledger "$scratch/lro.json" >/dev/null
check "revert restores it above and below" eval "is_on team8 large-receive-offload && is_on bond8 large-receive-offload"
done_testing
