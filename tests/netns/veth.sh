#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The whole product on veth links of the machine's own kernel, in network namespaces of its own: fast, and on a CPU that is not
# emulated. What bonds and VLANs do is the VMs' part.
cd "$(dirname "$0")/../.." || exit 1
if [ -z "${IN_NETNS:-}" ]; then IN_NETNS=1 exec unshare --net --mount "$0"; fi
. tests/scenarios/lib.sh
export PATH=$PWD/${OFFLOADD_BUILD:-build}:$PATH
mount -t tmpfs tmpfs /run
mkdir -p "$scratch/rules"
printf '%s\n' '[Match]' 'Kind=veth' 'Name=!far*' '[Features]' 'sg=on' 'tx=on' 'tso=on' 'gso=on' \
	>"$scratch/rules/10-veth.rule"
rules=(--rules "$scratch/rules")
transmit="scatter-gather tx-checksumming tcp-segmentation-offload"

for i in 0 1; do ip link add wire$i type veth peer name far$i && ip link set wire$i up && ip link set far$i up; done
healthy=$(active_features)
ethtool -K wire0 sg off tx off >/dev/null
broken=$(all_features)
for backend in netlink ioctl; do
	plan=$(offloadctl plan "${rules[@]}" --ethtool $backend)
	is "plan exits 2 by $backend" $? 2
	has "plan names the link, the feature and the rule by $backend" "$plan" wire0 tx-scatter-gather 10-veth.rule
done
is "plan changed nothing" "$(all_features)" "$broken"
offloadctl apply "${rules[@]}" >/dev/null
is "apply exits 0" $? 0
is "everything is as before" "$(active_features)" "$healthy"
offloadctl revert >/dev/null
is "revert exits 0" $? 0
check "revert puts it back" is_off wire0 scatter-gather tx-checksumming

daemon_start "the daemon starts" --enforce "${rules[@]}"
check "it has repaired what was there" is_on wire0 $transmit
record_mark
ip link add wire2 type veth peer name far2
ethtool -K wire2 sg off >/dev/null
within 1 "what is switched off on a new link comes back" is_on wire2 $transmit
one_record "one record tells of it" '^offloadd: repaired: wire2: turned on tx-scatter-gather.*, as 10-veth.rule declares'
wake_ups() { awk '/^voluntary/ { print $2 }' "/proc/$daemon/status"; }
nap_until $(($(now_ms) + 1500)) # what changed is written to the ledger a second later
idle_before=$(wake_ups)
nap_until $(($(now_ms) + 2000))
is "no wake-up while nothing happens" "$(wake_ups)" "$idle_before"

record_mark
fight wire0 10
echo "# note the daemon used $fight_permille per mille of a CPU"
check "under 1% CPU over a fight" test "$fight_permille" -lt 10
one_record "one record says contended" '^offloadd: contended: wire0: '
within 60 "healed within a minute after it stopped" is_on wire0 $transmit
daemon_stops
done_testing
