# SPDX-License-Identifier: GPL-2.0-or-later
# The operator's hand on the running daemon: found by itself in this namespace, pauses that outlive a restart, revert, waiting.
. "$(dirname "$0")/../lib.sh"
transmit="scatter-gather tx-checksumming tcp-segmentation-offload"

offloadctl status >/dev/null 2>&1
is "status without a daemon exits 3" $? 3
stack
daemon_start "the daemon starts" --enforce
socket=/run/offloadd/control-$(stat -Lc %i /proc/self/ns/net)
check "its socket has the namespace in its name" test -S "$socket"
has "offloadctl finds it" "$(offloadctl status)" '^UNKNOWN: [0-9]+ interfaces match their rules .enforcing' '^offloadd .*, enforce mode'
has "and so does anybody" "$(setpriv --reuid 65534 --clear-groups offloadctl status --control "$socket")" '^offloadd .*, enforce mode'
setpriv --reuid 65534 --clear-groups offloadctl pause vlan10 --control "$socket" 2>/dev/null
is "who may not pause a link" $? 1

check "a VLAN is paused" offloadctl pause vlan10
ethtool -K vlan10 sg off >/dev/null
ethtool -K vlan100 sg off >/dev/null
within 1 "the other one is repaired" is_on vlan100 $transmit
check "the paused one is not" is_off vlan10 scatter-gather
has "the plan of the daemon says paused" "$(offloadctl status)" 'not compliant: vlan10: [0-9]+ paused' 'paused: vlan10, until it is resumed'
kill -KILL "$daemon"
wait "$daemon" 2>/dev/null
record_mark
daemon_start "the daemon is killed and comes back" --enforce
check "it has not forgotten" is_off vlan10 scatter-gather
offloadctl resume vlan10 >/dev/null
within 1 "resumed, the VLAN is repaired" is_on vlan10 $transmit

# what an operator asked for is written before anything else happens, however short after another change
for i in 1 2 3; do
	ethtool -K vlan100 sg off >/dev/null
	offloadctl pause vlan10 >/dev/null
	offloadctl resume vlan10 >/dev/null
	kill -KILL "$daemon"
	wait "$daemon" 2>/dev/null
	record_mark
	daemon_start "killed right after a resume it comes back" --enforce
	is "and has not forgotten that, either" "$(offloadctl status --json | jq -c .daemon.paused)" '[]'
done

offloadctl revert vlan10 >/dev/null 2>&1
is "revert by the daemon" $? 0
check "puts back what was found, and leaves it so" is_off vlan10 scatter-gather
offloadctl wait-online vlan10 >/dev/null
is "what is paused is not waited for" $? 4
offloadctl resume vlan10 >/dev/null
offloadctl wait-online
is "and when it is resumed, wait-online returns with it as declared" $? 0
check "in deed" is_on vlan10 $transmit

offloadctl wait-online --timeout 20s vlan30 &
waiter=$!
ip link add link bond0 name vlan30 up type vlan id 30
wait $waiter
is "wait-online waits for a VLAN that is yet to come" $? 0
check "and it is as declared then" is_on vlan30 $transmit
daemon_stops
done_testing
