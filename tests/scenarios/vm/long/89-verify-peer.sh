# SPDX-License-Identifier: GPL-2.0-or-later
# verify --peer over drivers of real cards: an e1000e and a virtio_net on one wire, each in a network namespace of its own.
# nics: e1000e virtio-net-pci
. "$(dirname "$0")/../../lib.sh"
build=$(dirname "${BASH_SOURCE[0]}")/../../../../${BUILD:-build}
peer_end() {
	[ -z "$server" ] || kill "$server" 2>/dev/null
	ip link set e1000e netns 1
	ip -n far link set virtio_net netns 1
	ip netns del far 2>/dev/null
	scenario_end
}
server=
trap peer_end EXIT
cards() { first_namespace sh -c 'ls -d /sys/class/net/*/device' 2>/dev/null | cut -d/ -f5; }
two_cards() { [ "$(cards | wc -l)" = 2 ]; }
of() { jq -c "$1" "$scratch/verify.json"; }

for module in e1000e virtio_net; do modprobe $module; done
within 30 "the cards are there" two_cards
ip netns add far
for card in $(cards); do
	driver=$(basename "$(first_namespace readlink "/sys/class/net/$card/device/driver")")
	first_namespace ip link set "$card" down
	first_namespace ip link set "$card" name "$driver" netns $$
done
ip link set virtio_net netns far
ip -n far link set lo up
ip addr add 192.0.2.1/24 dev e1000e
ip link set e1000e up
ip -n far addr add 192.0.2.9/24 dev virtio_net
ip -n far link set virtio_net up
has_carrier() { [ "$(cat "/proc/$$/root/sys/class/net/e1000e/carrier" 2>/dev/null || ip -br link show e1000e | grep -c LOWER_UP)" = 1 ]; }
within 30 "the wire carries" has_carrier
ip netns exec far offloadctl verify --serve --time 1h >"$scratch/server" 2>&1 &
server=$!
within 30 "the peer listens" file_has "$scratch/server" '^Listening on'
features=$(ethtool -k e1000e)

verify() { # DESCRIPTION
	offloadctl verify e1000e --peer 192.0.2.9 --yes --json --time 120s >"$scratch/verify.json" 2>"$scratch/err" </dev/null
	is "$1: right" "$?$(of '[.right, .wrong, .untested]')" '0[4,0,0]'
	is "$1: in both directions" "$(of '[.cases[] | [.mode, .packet]]')" '[["to-peer","tcp4"],["to-peer","udp4"],["from-peer","tcp4"],["from-peer","udp4"]]'
	of '.cases[] | [.mode, .packet, .outcome, .error, .packets, .merged, .wrong]' | sed 's/^/# note /'
	sed 's/^/# /' "$scratch/err"
}
verify "as the drivers have it"
is "nothing was changed" "$(ethtool -k e1000e)" "$features"
check "the document fits its schema" "$build/tests/test-json" verify.json "$scratch/verify.json"
ethtool -K e1000e tso off gso off >/dev/null
verify "without segmentation"
ip netns exec far tc qdisc add dev virtio_net clsact
ip netns exec far tc filter add dev virtio_net ingress bpf direct-action object-file "$build/bpf/verify-faults.o" section large
ip netns exec far tc filter add dev virtio_net egress bpf direct-action object-file "$build/bpf/verify-faults.o" section none
offloadctl verify e1000e --peer 192.0.2.9 --yes --json --time 120s >"$scratch/verify.json" 2>"$scratch/err" </dev/null
is "a fault at the peer: exit status 2" $? 2
of '.cases[] | [.mode, .packet, .outcome, .error, .packets, .merged, .wrong]' | sed 's/^/# note /'
done_testing
