# SPDX-License-Identifier: GPL-2.0-or-later
# Rehearsal: hosts are built here, a snapshot of each is all that plan --snapshot gets, and what it predicts comes true or was marked
# uncertain. REHEARSE_SEED repeats a run.
# kernels: 7
. "$(dirname "$0")/../lib.sh"

hosts=$([ -n "${LONG:-}" ] && echo 50 || echo 6)
RANDOM=${REHEARSE_SEED:-$([ -n "${LONG:-}" ] && echo $((EPOCHSECONDS % 32768)) || echo 30)}
echo "# note seed ${REHEARSE_SEED:-fixed}"
for module in vxlan macvlan ipvlan; do modprobe $module; done
sysctl -qw kernel.modprobe= # see 95-fidelity.sh
mkdir -p /etc/offloadd/rules.d "$scratch/hosts"
rule 50-random.rule '[Match]' 'Kind=veth vlan macvlan' '[Features]' 'gso=on' 'tx-udp-segmentation=off' 'lro=off'
rule 60-more.rule '[Match]' 'Kind=bond bridge vxlan' '[Features]' 'tx=on' 'sg=on' 'rx-gro-list=on'

one_of() { # WORD...
	shift $((RANDOM % $#))
	echo "$1"
}
build_host() { # a random stack with random features
	local i lower link
	for i in 1 2 3; do ip link add v$i type veth peer name w$i; done
	ip link add bond0 type bond mode "$(one_of active-backup 802.3ad balance-rr)" miimon 100
	for i in v1 $(one_of v2 w3); do ip link set $i master bond0; done
	for i in 10 20; do ip link add link "$(one_of bond0 v3 w1)" name vlan$i type vlan id $i; done
	ip link add link "$(one_of vlan10 w2)" name mac0 type macvlan mode bridge
	ip link add vx0 type vxlan id 7 dstport 4789 dev "$(one_of vlan20 bond0)"
	ip link add br0 type bridge
	ip link set "$(one_of vx0 vlan10 w3)" master br0
	for link in v1 v2 v3 w1 bond0 vlan10 vlan20 mac0 br0; do ip link set $link up; done
	for i in 1 2 3 4 5 6; do
		ethtool -K "$(one_of v1 v2 v3 w3 bond0 vlan10 vlan20 mac0 vx0 br0)" "$(one_of sg tx gso tso tx-udp-segmentation rx-gro-list)" \
			"$(one_of on off off)" >/dev/null 2>&1
	done
}
clear_host() {
	local link
	for link in br0 vx0 mac0 vlan10 vlan20 bond0 v1 v2 v3; do ip link del $link 2>/dev/null; done
}
# The features that come true, by the plan and by the kernel, as "LINK FEATURE ACTIVE"; uncertain ones apart
predicted() { jq -r '.links[] | .link as $l | .features[] | select(.known and (.uncertain | not) and .predicted != null) | "\($l) \(.feature) \(.predicted)"' "$1" | sort; }
actual() { jq -r '.features as $all | .links[] | .link as $l | .features.active as $on | $all[] | . as $f | "\($l) \($f) \($on | index($f) != null)"' "$1" | sort; }

wrong=0 different=0 compared=0
for n in $(seq "$hosts"); do
	build_host
	offloadctl snapshot -o "$scratch/hosts/$n.json"
	offloadctl plan --json >"$scratch/here" 2>&1
	offloadctl plan --snapshot "$scratch/hosts/$n.json" --json >"$scratch/there" 2>&1
	# everything but the indexes
	jq -S 'del(.. | .ifindex?)' "$scratch/here" >"$scratch/here.cmp"
	jq -S 'del(.. | .ifindex?)' "$scratch/there" >"$scratch/there.cmp"
	cmp -s "$scratch/here.cmp" "$scratch/there.cmp" || { different=$((different + 1)) && diff "$scratch/here.cmp" "$scratch/there.cmp" | head -40; }
	offloadctl apply >/dev/null 2>&1
	offloadctl snapshot -o "$scratch/after"
	predicted "$scratch/there" >"$scratch/said"
	compared=$((compared + $(wc -l <"$scratch/said")))
	comm -23 "$scratch/said" <(actual "$scratch/after") >"$scratch/wrong"
	[ ! -s "$scratch/wrong" ] || { wrong=$((wrong + 1)) && sed "s/^/# host $n, said and not so: /" "$scratch/wrong"; }
	clear_host
done
is "$hosts hosts: the plan from a snapshot is the plan made there" $different 0
is "what it predicts comes true, or is marked" $wrong 0
check "something was predicted ($compared features)" test "$compared" -gt $((hosts * 20))
offloadctl plan --snapshot "$scratch/hosts" --json >"$scratch/rehearsal"
is "the rehearsal has them all" "$(jq -c '[.summary.hosts, .summary.unusable]' "$scratch/rehearsal")" "[$hosts,0]"
sysctl -qw kernel.modprobe=/sbin/modprobe
done_testing
