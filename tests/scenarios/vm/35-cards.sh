# SPDX-License-Identifier: GPL-2.0-or-later
# The incident's network on cards with real drivers, and a card that cannot do what is asked.
# kernels: 6.1
. "$(dirname "$0")/../lib.sh"
transmit="scatter-gather tx-checksumming tcp-segmentation-offload"

take_cards
modprobe macvlan
# as they come up, whatever other scenarios switched on them
for card in e1000e vmxnet3; do ethtool -K $card sg on tx on tso on gso on >/dev/null; done
ip link add bond0 type bond mode active-backup miimon 100
for card in e1000e vmxnet3; do ip link set $card master bond0; done
for link in e1000e vmxnet3 bond0; do ip link set $link up; done
ip link add link bond0 name vlan10 up type vlan id 10
check "the cards, the bond and the VLAN start with everything on" \
	eval "is_on e1000e $transmit; is_on vmxnet3 $transmit; is_on bond0 $transmit; is_on vlan10 $transmit"
ip link add link virtio_net name mac0 type macvlan
show_agrees_with_ethtool e1000e vmxnet3 virtio_net mac0
ip link del mac0
is "nothing to do" "$(offloadctl plan --json | jq -c '.steps[]')" ""

ethtool -K vlan10 sg off >/dev/null
ethtool -K vlan10 tx off >/dev/null
ethtool -K vmxnet3 sg off >/dev/null
plan=$(offloadctl plan 2>&1)
is "plan exits 2" $? 2
has "plan names the VLAN and the card" "$plan" vlan10 vmxnet3 10-vlan.rule 30-bond-port.rule
offloadctl apply >/dev/null
is "apply exits 0" $? 0
check "the VLAN is repaired" is_on vlan10 $transmit
check "the card is repaired" is_on vmxnet3 $transmit

# without a backend that helps it, a virtio card has no transmit offloads at all
ip link set virtio_net up
ip link add link virtio_net name vlan50 up type vlan id 50
rule 60-impossible.rule '[Rule]' 'Description=more than the card can' '[Match]' 'LowerDriver=virtio_net' '[Features]' \
	'tx-tcp-segmentation=on'
offloadctl plan >/dev/null 2>&1
is "a VLAN on a card without it: plan exits 4" $? 4
has "explain names the card" "$(offloadctl explain vlan50 tx-tcp-segmentation 2>&1)" virtio_net tx-tcp-segmentation
daemon_start "the daemon starts" --enforce
record_mark
ethtool -K e1000e tso off >/dev/null
within 1 "a card switched off below the bond comes back" is_on e1000e $transmit
one_record "one record tells of it" '^offloadd: repaired: e1000e: turned on .*tx-tcp-segmentation.*30-bond-port.rule'
daemon_stops
for link in vlan50 bond0; do ip link del $link; done
rm /etc/offloadd/rules.d/60-impossible.rule

verdict() { # LINK FEATURE: "VERDICT CAUSE", of the plan
	offloadctl plan --json | jq -r --arg link "$1" --arg feature "$2" '.links[] | select(.link == $link) | .features[]
		| select(.feature == $feature) | [ .verdict, .cause.kind ] | map(select(. != null)) | join(" ")'
}

# one switch for two features, declared against each other
ethtool -K e1000e rxvlan on >/dev/null
rule 39-coupled.rule '[Match]' 'Driver=e1000e' '[Features]' 'rxvlan=off' 'txvlan=on'
offloadctl plan >/dev/null
is "rxvlan=off and txvlan=on: plan exits 4" $? 4
is "it names the driver's switch" "$(verdict e1000e rx-vlan-hw-parse)" "blocked coupled"
offloadctl apply >/dev/null
is "apply exits 4" $? 4
check "and has changed nothing" is_on e1000e rx-vlan-offload tx-vlan-offload
rule 39-coupled.rule '[Match]' 'Driver=e1000e' '[Features]' 'rxvlan=off' 'txvlan=off'
offloadctl apply >/dev/null
is "declared alike: apply exits 0" $? 0
check "and both are off" is_off e1000e rx-vlan-offload tx-vlan-offload
rule 39-coupled.rule '[Match]' 'Driver=e1000e' '[Features]' 'txvlan=on'
is "one of them alone" "$(verdict e1000e tx-vlan-hw-insert)" "blocked coupled"
ethtool -K e1000e rxvlan on >/dev/null
rm /etc/offloadd/rules.d/39-coupled.rule

# LRO needs receive checksums, and is refused where packets are forwarded
ip link set vmxnet3 up
ethtool -K vmxnet3 rx off >/dev/null
rule 50-lro.rule '[Match]' 'Driver=vmxnet3' '[Features]' 'lro=on'
is "vmxnet3 without receive checksums" "$(verdict vmxnet3 rx-lro)" "blocked needs"
ethtool -K vmxnet3 rx on lro on >/dev/null
is "with them" "$(verdict vmxnet3 rx-lro)" compliant
daemon_start "the daemon starts again" --enforce
record_mark
sysctl -qw net.ipv4.ip_forward=1
within 5 "the kernel turns LRO off, and the daemon reports why it stays so" has_records '^offloadd: unmet: vmxnet3 .*rx-lro.*forwards'
check "it has not turned it on again" is_off vmxnet3 large-receive-offload
is "plan agrees" "$(verdict vmxnet3 rx-lro)" "blocked forwards"
sysctl -qw net.ipv4.ip_forward=0
within 5 "when it no longer forwards, the daemon turns LRO on" is_on vmxnet3 large-receive-offload
daemon_stops
sysctl -qw net.ipv4.ip_forward=1
ethtool -K vmxnet3 lro on >/dev/null
is "turned on again by hand, it is not compliant" "$(verdict vmxnet3 rx-lro)" "blocked forwards"
sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.vmxnet3.disable_ipv6=0 net.ipv6.conf.all.forwarding=1
is "IPv6 forwards as well" "$(verdict vmxnet3 rx-lro)" "blocked forwards"
sysctl -qw net.ipv6.conf.all.forwarding=0
ip link add br0 type bridge
ip link set vmxnet3 master br0
is "and so does a bridge" "$(verdict vmxnet3 rx-lro)" "blocked bridged"
ip link del br0
offloadctl apply >/dev/null
is "apply exits 0" $? 0
check "LRO is on" is_on vmxnet3 large-receive-offload
rm /etc/offloadd/rules.d/50-lro.rule
give_back_cards
done_testing
