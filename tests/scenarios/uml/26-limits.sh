# SPDX-License-Identifier: GPL-2.0-or-later
# Size limits: eth2 has 8000, and what is above it follows because a rule declares it: plan, apply, revert, and the daemon. The kernel
# sends no event for a limit.
. "$(dirname "$0")/../lib.sh"
limit_is() { # LINK LIMIT NUMBER
	local got
	got=$(ip -d link show "$1")
	[[ $got =~ \ $2\ ([0-9]+) && ${BASH_REMATCH[1]} = "$3" ]] || { echo "$1: $2 ${BASH_REMATCH[1]:-none}"; return 1; }
}
verdict() { # LINK LIMIT
	offloadctl plan --json | jq -r --arg link "$1" --arg limit "$2" \
		'.links[] | select(.link == $link) | .limits[] | select(.limit == $limit) | "\(.verdict) \(.cause.kind)"'
}
old() { ! matches "$(offloadctl show eth2 --json)" '"gro-max-size"'; }
changed=0
set_limit() { # LINK BYTES: and an event of something else, so that nobody has to wait until all are read again
	ip link set "$1" gso_max_size "$2"
	ip link set "$1" alias "change $((++changed))"
}
in_metrics() { matches "$(offloadctl metrics)" "$1"; }

stack
mkdir -p /etc/offloadd/rules.d
: >/etc/offloadd/rules.d/10-vlan.rule
: >/etc/offloadd/rules.d/20-bond.rule
: >/etc/offloadd/rules.d/30-bond-port.rule

# without a rule
rule 40-any.rule '[Match]' 'Kind=vlan' '[Features]' 'tx-scatter-gather=on'
offloadctl plan >"$scratch/plan"
is "everything matches the rules" $? 0
is "no limit below is smaller" "$(offloadctl plan --json | jq '.smaller_limits_below | length')" 0
ip link set eth2 gso_max_size 8000
check "vlan10 keeps its limit" limit_is vlan10 gso_max_size 65536
is "plan lists what is above eth2" "$(offloadctl plan --json |
	jq -r '[.smaller_limits_below[] | select(.limit == "gso-max-size") | "\(.link) \(.value) \(.below.link) \(.below.value)"] | sort | join(", ")')" \
	"bond0 65536 eth2 8000, vlan10 65536 eth2 8000, vlan100 65536 eth2 8000"
is "show has it" "$(offloadctl show vlan10 --json | jq -r '.link.limits["gso-max-size"].smaller_below | "\(.link) \(.value)"')" "eth2 8000"
is "explain has it" "$(offloadctl explain vlan10 --json | jq -r '.features[] | select(.feature == "gso-max-size") | [.chain[].code] | join(" ")')" \
	"limit-undeclared limit-narrower"

# plan, apply, revert
rule 50-limits.rule '[Match]' 'Kind=vlan bond' '[Limits]' 'gso-max-size=lower'
is "vlan10 drifted" "$(verdict vlan10 gso-max-size)" "drifted limit-differs"
offloadctl plan >/dev/null
is "plan exits 2" $? 2
offloadctl apply >"$scratch/applied"
is "apply exits 0" $? 0
for link in bond0 vlan10 vlan100; do check "$link follows eth2" limit_is $link gso_max_size 8000; done
check "eth3 is not touched" limit_is eth3 gso_max_size 65536
offloadctl plan >/dev/null
is "nothing is left to do" $? 0
is "nothing below is smaller any more" "$(offloadctl plan --json | jq '.smaller_limits_below | length')" 0
offloadctl revert vlan10 >/dev/null
is "revert exits 0" $? 0
check "vlan10 has its original limit" limit_is vlan10 gso_max_size 65536
old || is "and that of IPv4" "$(offloadctl show vlan10 --json | jq '.link.limits["gso-ipv4-max-size"].value // 65536')" 65536

# what is not possible
rule 50-limits.rule '[Match]' 'Name=vlan10' '[Limits]' 'gso-max-size=524280' 'gro-ipv4-max-size=9000'
if old; then
	is "a limit above the kernel's" "$(verdict vlan10 gso-max-size)" "unsupported limit-of-driver"
	is "a limit of other kernels" "$(verdict vlan10 gro-ipv4-max-size)" "unsupported unsupported-kernel"
	offloadctl plan >/dev/null
	is "plan exits 4" $? 4
else
	is "a limit that the driver allows" "$(verdict vlan10 gso-max-size)" "drifted limit-differs"
fi
rule 50-limits.rule '[Match]' 'Name=vlan10' '[Limits]' 'gso-max-size=0'
offloadctl check >/dev/null 2>&1
is "a limit of 0 is an error" $? 1

# the daemon
rule 50-limits.rule '[Match]' 'Kind=vlan bond' '[Limits]' 'gso-max-size=lower' 'gso-max-segs=4096'
daemon_start "the daemon starts" --enforce
within 10 "vlan10 is repaired" limit_is vlan10 gso_max_size 8000
within 10 "with its segments" limit_is vlan10 gso_max_segs 4096
one_record "it is reported once" '^offloadd: repaired: vlan10: set gso-max-size to 8000, gso-max-segs to 4096'
record_mark
ip link set vlan10 gso_max_size 20000
within 20 "a change without an event is repaired" limit_is vlan10 gso_max_size 8000
one_record "and reported, and nobody is blamed" '^offloadd: repaired: vlan10: set gso-max-size to 8000, as 50-limits.rule declares$'
is "the event has it" "$(offloadctl events --json | jq -c '[.events[] | select(.event == "repaired" and .link == "vlan10")] | last | .limits')" '{"gso-max-size":8000}'
set_limit eth2 16000
within 20 "what is above eth2 follows it" limit_is vlan100 gso_max_size 16000
record_mark
offloadctl pause vlan10 >/dev/null
set_limit vlan10 20000
set_limit vlan100 20000
within 20 "vlan100 is repaired" limit_is vlan100 gso_max_size 16000
check "vlan10 is paused" limit_is vlan10 gso_max_size 20000
offloadctl resume vlan10 >/dev/null
within 20 "vlan10 is repaired when resumed" limit_is vlan10 gso_max_size 16000
offloadctl revert vlan10 >/dev/null
within 5 "revert restores the original limit" limit_is vlan10 gso_max_size 65536
within 5 "metrics count limits" in_metrics 'offloadd_feature_noncompliant\{.*link="vlan10".*feature="gso-max-size".*verdict="paused"'
offloadctl resume vlan10 >/dev/null
within 20 "and resume sets it again" limit_is vlan10 gso_max_size 16000
rule 50-limits.rule '[Rule]' 'Mode=audit' '[Match]' 'Kind=vlan bond' '[Limits]' 'gso-max-size=lower'
record_mark
offloadctl reload >/dev/null
set_limit vlan10 20000
one_record "audit mode only reports it" '^offloadd: drift: vlan10 drifted from 50-limits.rule: gso-max-size is not 16000'
check "and changes nothing" limit_is vlan10 gso_max_size 20000
daemon_stops

# snapshots
offloadctl snapshot >"$scratch/a"
ip link set eth3 gso_max_segs 100
offloadctl diff "$scratch/a" --json >"$scratch/diff"
is "diff exits 2" $? 2
is "diff finds the limit" "$(jq -c '[.links[] | [.link.a, .what, .a, .b]]' "$scratch/diff")" '[["eth3","gso-max-segs","65535","100"]]'
done_testing
