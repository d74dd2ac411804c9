#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What rules ask about the host changes while the daemon runs: its name, and which link the default route leaves by. And what
# --once claims where not everything was looked at.
cd "$(dirname "$0")/../.." || exit 1
if [ -z "${IN_NETNS:-}" ]; then IN_NETNS=1 exec unshare --net --mount --uts "$0"; fi
. tests/scenarios/lib.sh
export PATH=$PWD/${OFFLOADD_BUILD:-build}:$PATH
mount -t tmpfs tmpfs /run
mkdir -p "$scratch/rules" "$scratch/none"
rules=(--rules "$scratch/rules")
write() { printf '%s\n' "${@:2}" >"$scratch/rules/$1"; }
once() { offloadd --once --dry-run "$@" >"$scratch/once" 2>&1; }

hostname early
ip link add wire0 type veth peer name far0
ip link set wire0 up
ip link set far0 up
ip addr add 192.0.2.1/24 dev wire0
write 10-host.rule '[Match]' 'Host=late' 'Name=wire0' '[Features]' 'gso=off'
write 20-route.rule '[Match]' 'Role=default-route' '[Features]' 'gro=off'

daemon_start "the daemon starts" --enforce "${rules[@]}"
check "a rule for another host is none" is_on wire0 generic-segmentation-offload
hostname late
within 5 "renamed, the host is the rule's" is_off wire0 generic-segmentation-offload

ip route add default via 192.0.2.2
within 5 "the link that gets the default route has the role" is_off wire0 generic-receive-offload
ip link set wire0 down # the route goes without a message
ip link set wire0 up
ethtool -K wire0 gro on >/dev/null
ip link add wire1 type veth peer name far1
record_mark
write 30-last.rule '[Match]' 'Name=wire1' '[Features]' 'gso=off'
kill -HUP "$daemon"
within 5 "the daemon has worked through all of it" is_off wire1 generic-segmentation-offload
check "a link without its route has not the role" is_on wire0 generic-receive-offload
daemon_stops

once "${rules[@]}"
is "once: as declared" $? 0
write 40-bad.rule '[Match]' 'Name=wire0' '[Featurs]' 'gso=off'
once "${rules[@]}"
is "once: a bad rule file is an error, whatever the others say" $? 1
once --rules "$scratch/none"
is "once: no rule is an error" $? 1
has "and it says so" "$(cat "$scratch/once")" 'No rules found in .*none'
done_testing
