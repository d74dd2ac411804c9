# SPDX-License-Identifier: GPL-2.0-or-later
# Features that are not as the kernel would compute them now, interfaces above ports that do not tell them, and interfaces whose lower one cannot
# be seen: what can be set is set, and what is out of date is recomputed.
. "$(dirname "$0")/../lib.sh"
for module in ip_gre vxlan hsr; do modprobe -q $module; done
plan() { offloadctl plan --json | jq -r "$1"; }
wanted_off() { matches "$(ethtool -k "$1")" "^\s*$2: on \[requested off\]"; }

ip link add gre1 type gretap local 192.0.2.1 remote 192.0.2.2 key 1 oseq
ip link add eth2 type veth peer name far2
ip link add eth3 type veth peer name far3
ip link add hsr0 type hsr slave1 eth2 slave2 eth3 supervision 45 version 1
ip link add vxlan0 type vxlan id 7 remote 192.0.2.3 dstport 4789
ip link add eth4 type veth peer name far4
ip link add link eth4 name vlan7 type vlan id 7
for link in eth2 eth3 hsr0; do ethtool -K $link sg off >/dev/null; done
ethtool -K vxlan0 sg off >/dev/null
ethtool -K vlan7 sg off gro off >/dev/null
unshare -n sleep 1000 &
away=$!
within 5 "there is another network namespace" eval '! [ /proc/$away/ns/net -ef /proc/self/ns/net ]'
ip link set eth4 netns $away
rule 10-tso.rule '[Match]' 'Kind=gretap' '[Features]' 'tso=off'
rule 20-sg.rule '[Match]' 'Name=eth2 hsr0 vxlan0 vlan7' '[Features]' 'sg=on'

is "an HSR interface has ports" "$(offloadctl list --json | jq -r '[.links[] | select(.master.link? == "hsr0") | .link] | sort | join(" ")')" "eth2 eth3"
has "sg of HSR is set, after its port" "$(plan '[.steps[] | .link] | join(" ")')" 'eth2.* hsr0'
has "sg of a vxlan without a device is set" "$(plan '[.steps[] | .link] | join(" ")')" vxlan0
has "and of a VLAN whose device is elsewhere" "$(plan '[.steps[] | .link] | join(" ")')" vlan7
offloadctl apply >/dev/null
is "apply exits 0" $? 0
for link in eth2 hsr0 vxlan0 vlan7; do check "$link has scatter-gather" is_on $link tx-scatter-gather; done
offloadctl check >/dev/null
is "check exits 0" $? 0

ip link set gre1 up
ip link set gre1 type gretap nooseq
check "changelink turns TSO on without a request" wanted_off gre1 tx-tcp-segmentation
is "the plan has the kernel compute it" "$(plan '[.steps[] | "\(.link) \(.recompute)"] | join(" ")')" "gre1 true"
is "for this reason" "$(plan '.links[] | select(.link == "gre1") | .features[0].cause.kind')" out-of-date
offloadctl apply >/dev/null
is "apply exits 0" $? 0
check "TSO is off" is_off gre1 tx-tcp-segmentation

# From 6.18 on, a bridge that its last port has left offers no highdma to VLANs, which a new one does. Which it is cannot be read.
ip link add br7 type bridge
ip link set br7 up
ip link add link br7 name vlan77 up type vlan id 77
ip link add dummy7 type dummy
ip link set dummy7 master br7
ip link del dummy7
rule 60-highdma.rule '[Match]' 'Name=br7' '[Features]' 'tso=off'
is "what the last port took away is not promised" "$(plan '.links[] | select(.link == "vlan77") |
	.changes as $c | [$c[]? | tostring] | map(select(contains("highdma"))) | length')" 0
rm /etc/offloadd/rules.d/60-highdma.rule
ip link del br7

conf() { printf '%s\n' '[Daemon]' 'Mode=enforce' >"$scratch/conf"; }
conf
daemon_start "the daemon starts" --config "$scratch/conf"
ip link set gre1 type gretap oseq
ip link set gre1 type gretap nooseq
within 5 "the daemon hears of it, and repairs it" is_off gre1 tx-tcp-segmentation
one_record "and reports it once" '^offloadd: repaired: gre1'
ethtool -K hsr0 sg off >/dev/null
within 5 "sg of HSR is repaired" is_on hsr0 tx-scatter-gather
daemon_stops
kill $away
done_testing
