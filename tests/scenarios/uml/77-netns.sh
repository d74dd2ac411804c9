# SPDX-License-Identifier: GPL-2.0-or-later
# A network namespace inherits nothing from a dead one whose inode it has, and does not take itself for that of PID 1 where this is hidden.
# kernels: 5.10 7
. "$(dirname "$0")/../lib.sh"

rule 10-sg.rule '[Match]' 'Name=x1' '[Features]' 'sg=on'
inode() { stat -L -c %i "/run/netns/$1"; }
within_netns() { ip netns exec mine "$@"; }
begin() { # DESCRIPTION: a link, and a daemon in the namespace "mine"
	ip -n mine link add x1 index 100 type dummy
	record_mark
	ip netns exec mine offloadd --enforce --no-probes >>"$log" 2>&1 &
	daemon=$!
	within 20 "$1" daemon_ready
}
paused() { within_netns offloadctl status --json | jq -c '[.daemon.paused[].link]'; }

ip netns add mine
was=$(inode mine)
begin "a daemon in a namespace"
check "a link is paused" within_netns offloadctl pause x1
within_netns ethtool -K x1 sg off >/dev/null
kill -KILL "$daemon"
wait "$daemon"
ip netns del mine

gets_inode() {
	ip netns add mine
	[ "$(inode mine)" != "$was" ] || return 0
	ip netns del mine
	return 1
}
within 20 "a new namespace gets the inode of the dead one" gets_inode
check "whose ledger is still there" test -s "/run/offloadd/ledger-$was.json"
begin "a daemon in it"
is "the link of the same name and index is not paused" "$(paused)" '[]'
within_netns ethtool -K x1 sg off >/dev/null
within 5 "it is repaired" within_netns bash -c ". $(dirname "$0")/../lib.sh; is_on x1 scatter-gather"
check "pause it" within_netns offloadctl pause x1
daemon_stops
record_mark
ip netns exec mine offloadd --enforce --no-probes >>"$log" 2>&1 &
daemon=$!
within 20 "a restart in the same namespace" daemon_ready
is "forgets no pause" "$(paused)" '["x1"]'
daemon_stops
ip netns del mine

rm -rf /run/offloadd
alone() { exec unshare --net --mount bash -c 'mount -t tmpfs tmpfs /proc/1 && readlink /proc/self/ns/net >"$0" && exec offloadd --enforce --no-probes' "$scratch/inode"; }
record_mark
alone >>"$log" 2>&1 &
daemon=$!
within 20 "a daemon in a namespace without a name, which does not see PID 1" daemon_ready
inode=$(tr -dc 0-9 <"$scratch/inode")
is "it has a socket of its own" "$(cd /run/offloadd && ls -d control* | xargs)" "control-$inode control-$inode.lock"
daemon_stops
rm -rf /run/offloadd
record_mark
nsenter --net=/proc/1/ns/net --mount=/proc/1/ns/mnt unshare --mount bash -c 'mount -t tmpfs tmpfs /proc/1 && exec offloadd --dry-run --no-probes' >>"$log" 2>&1 &
daemon=$!
within 20 "a daemon in the first namespace, which does not see PID 1" daemon_ready
is "it has the usual socket" "$(cd /run/offloadd && ls -d control* | xargs)" "control control.lock"
daemon_stops
done_testing
