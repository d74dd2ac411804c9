# SPDX-License-Identifier: GPL-2.0-or-later
# What rules match, and what the device decides: alternative names, kernel releases, aliases of which every member is unsupported, LRO that
# a device does not have, the owner of a tap, and what check reports.
# kernels: 6.12 7
. "$(dirname "$0")/../lib.sh"

counts() { # RULE: the verdicts of all features that a rule declares
	offloadctl plan --json | jq -r --arg r "$1" '[.links[].features[] | select(.rule.file == $r) | .verdict] | group_by(.) | map("\(length) \(.[0])") | join(", ")'
}

# ---- alternative names ----
ip link add d0 type dummy
ip link property add dev d0 altname enp0s31f6
ip link property add dev d0 altname a-name-of-more-than-fifteen-characters
for match in Name=enp0s31f6 'Name=enp*' Name=a-name-of-more-than-fifteen-characters 'Name=!other enp0s31f6'; do
	ethtool -K d0 tso on >/dev/null
	rule 41-alt.rule '[Match]' "$match" '[Features]' 'tso=off'
	offloadctl apply >/dev/null
	is "$match: apply exits 0" $? 0
	check "$match: TSO is off" is_off d0 tx-tcp-segmentation
done
for command in show explain plan rules pause resume; do
	[ $command != pause ] || daemon_start "the daemon starts" --enforce
	check "$command takes an alternative name" offloadctl $command enp0s31f6
done
daemon_stops
is "snapshot takes one" "$(offloadctl snapshot enp0s31f6 | jq -r '.links[].link')" d0
check "revert takes one" offloadctl revert enp0s31f6 --ledger "$scratch/none.json"

# ---- a port of Open vSwitch ----
modprobe openvswitch
ip link add d1 type dummy
ip link add br1 type bridge
ip link add d2 master br1 type dummy
check "the kernel makes d1 a port" "$(dirname "$0")/../../../${BUILD:-build}/tests/ovs-port" dp0 d1
rule 41-alt.rule '[Match]' 'Role=ovs-port' '[Features]' 'tso=off'
is "Role=ovs-port matches it, and no other port" "$(offloadctl rules --json | jq -c '.files[] | select(.file == "41-alt.rule").links')" '["d1"]'
rule 41-alt.rule '[Match]' 'MasterKind=openvswitch' '[Features]' 'tso=off'
offloadctl apply >/dev/null
is "MasterKind=openvswitch: apply exits 0" $? 0
check "TSO of the port is off" is_off d1 tx-tcp-segmentation
check "that of the port of a bridge is on" is_on d2 tx-tcp-segmentation
rehearsed=$(offloadctl plan --snapshot <(offloadctl snapshot) --rules /etc/offloadd/rules.d --json)
is "a rehearsal matches it, too" "$?:$(jq -c '[.links[] | select(.features != []).link]' <<<"$rehearsed")" '0:["d1"]'

# ---- kernel releases ----
release=$(uname -r)
version=${release%%-*}
for conditions in "=$release" "*${release##*-}" ">=${version%%.*}.0 <100" "!*.el8.*" "<=$release >=$version"; do
	rule 41-alt.rule '[Match]' 'Name=d0' "KernelRelease=$conditions" '[Features]' 'tso=off'
	is "KernelRelease=$conditions" "$(offloadctl rules --json | jq -r '.files[] | select(.file == "41-alt.rule").links | length')" 1
done
rule 41-alt.rule '[Match]' 'Name=d0' 'KernelRelease=<4.18.0-193' '[Features]' 'tso=off'
is "a key that nothing here satisfies" "$(offloadctl rules --json | jq -c '.files[] | select(.file == "41-alt.rule").missing')" \
	'[{"key":"KernelRelease","value":"<4.18.0-193"}]'
rule 41-alt.rule '[Match]' 'Name=d0' 'Device=8086:*' '[Features]' 'tso=off'
is "a dummy has no PCI device" "$(offloadctl check --json | jq -c '.unmatched[] | select(.path | endswith("41-alt.rule")).missing')" \
	'[{"key":"Device","value":"8086:*"}]'
has "plan reports it" "$(offloadctl plan)" '41-alt.rule'
rm /etc/offloadd/rules.d/41-alt.rule

# ---- every member of an alias is unsupported ----
ip link add macvlan0 link d0 type macvlan
ip link add ipvlan0 link d0 type ipvlan 2>/dev/null
rule 42-off.rule '[Match]' 'Name=lo' '[Features]' 'tx=off'
offloadctl plan lo >/dev/null
is "tx=off on lo: plan exits 4" $? 4
is "it is unsupported, never compliant" "$(counts 42-off.rule)" "2 unsupported"
rule 42-off.rule '[Match]' 'Name=lo' '[Features]' 'rx=off' 
has "rx=off on lo" "$(counts 42-off.rule)" '^1 unsupported$'
for link in macvlan0 ipvlan0; do
	[ -e /sys/class/net/$link ] || ip link show $link >/dev/null 2>&1 || continue
	on=$(ethtool -k $link | grep -E '^\s+tx-checksum-.*: on \[fixed\]' | wc -l)
	rule 42-off.rule '[Match]' "Name=$link" '[Features]' 'tx=off'
	offloadctl plan $link >/dev/null
	is "tx=off on $link, where $on members are on and cannot be changed" $? $((on ? 4 : 2))
done

# ---- LRO that is off and unsupported matches lro=off ----
ip link add br0 type bridge
for link in lo d0 br0; do
	rule 42-off.rule '[Match]' "Name=$link" '[Features]' 'rx-lro=off'
	offloadctl plan $link >/dev/null
	is "lro=off on $link: plan exits 0" $? 0
	is "and it matches the rule" "$(counts 42-off.rule)" "1 compliant"
done

# ---- the owner of a tap decides ----
modprobe tun
ip tuntap add tap0 mode tap
for features in 'tx=on tx-tcp-segmentation=on' 'tx=on' 'tso=on tx=on'; do
	rule 42-off.rule '[Match]' 'Kind=tun' '[Features]' $features
	offloadctl plan tap0 >/dev/null
	is "$features on a tap: plan exits 4" $? 4
	is "the program that owns it decides" "$(offloadctl plan tap0 --json | jq -r '[.links[0].features[] |
		select(.feature == "tx-checksum-ip-generic") | "\(.verdict) \(.cause.kind)"] | join(" ")')" "blocked owner"
done
rm /etc/offloadd/rules.d/42-off.rule

# ---- check ----
messages() { # LINES...: the codes of a rule file: errors, warnings
	printf '%s\n' "$@" >"$scratch/m.rule"
	offloadctl check --json "$scratch/m.rule" | jq -r '"\(.exit_code) \(.rule_errors | map(.line) | tostring) \(.warnings | map(.line) | tostring)"'
}
is "a comment behind a pattern" "$(messages '[Match]' 'Name=eno1 # the bad one' '[Features]' 'tso=off')" '1 [2] []'
is "a kind that no kernel has" "$(messages '[Match]' 'Kind=ethernet' '[Features]' 'tso=off')" '0 [] [2]'
is "sg=off and tso=on" "$(messages '[Match]' 'Kind=physical' '[Features]' 'sg=off' 'tso=on')" '0 [] [5]'
is "rxvlan=off and txvlan=on with e1000" "$(messages '[Match]' 'Driver=e1000' '[Features]' 'rxvlan=off' 'txvlan=on')" '0 [] [5]'
is "the same with a driver that does not tie them" "$(messages '[Match]' 'Driver=ice' '[Features]' 'rxvlan=off' 'txvlan=on')" '0 [] []'
is "tso=on" "$(messages '[Match]' 'Kind=physical' '[Features]' 'tso=on')" '0 [] []'
is "tx-tcp-mangleid-segmentation=on" "$(messages '[Match]' 'Kind=physical' '[Features]' 'tx-tcp-mangleid-segmentation=on')" '0 [] [4]'
is "the packaged rules give no warning" "$(offloadctl check --json /usr/lib/offloadd/rules.d "$(dirname "$0")/../../../rules" 2>/dev/null | jq '.warnings | length')" 0
done_testing
