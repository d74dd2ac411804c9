#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# How many system calls lie between the RTM_NEWLINK of a new link and the SET that repairs it, counted by strace. Plays on this
# machine's kernel and in a user-mode kernel.
cd "$(dirname "$0")/../.." || exit 1
if [ -z "${IN_NETNS:-}" ]; then IN_NETNS=1 exec unshare --net --mount "$0"; fi
. tests/scenarios/lib.sh
export PATH=$PWD/${OFFLOADD_BUILD:-build}:$PATH
export ASAN_OPTIONS=detect_leaks=0 # it cannot work below strace
budget=6
trace=$scratch/trace
mount -t tmpfs tmpfs /run
mkdir -p "$scratch/rules"
printf '%s\n' '[Match]' 'Kind=dummy veth' '[Features]' 'tso=off' >"$scratch/rules/10-tso.rule"

# A dummy where the kernel has them; else a veth whose far end is in another namespace, since a far end in this one is a second
# new link.
create() { # LINK
	ip link add "$1" type dummy 2>/dev/null && return
	unshare --net sleep infinity >/dev/null 2>&1 & # whoever reads our output need not wait for it
	far=$!
	wait_until 5 in_another_namespace || return
	ip link add "$1" type veth peer name far netns "$far"
}
in_another_namespace() { [ "$(readlink "/proc/$far/ns/net")" != "$(readlink "/proc/$$/ns/net")" ]; }

# -D: strace is the child, so that the process that the scenario waits for is the daemon. -xx: names look the same wherever they
# stand, also where strace does not decode a message.
offloadd() { exec strace -D -f -xx -s 256 -o "$trace" "$(type -P offloadd)" "$@"; }
is_idle() { tail -n 1 "$trace" | grep -qE ' epoll_p?wait2?\([^)]*$'; }
has_ended() { grep -q '+++ exited' "$trace"; }

# The system calls from the wait that the link's first RTM_NEWLINK ended to the SET for it, one per line. Reading the clock does not
# count, as only a user-mode kernel has no vDSO for it; nor does the allocator, whose calls depend on the build.
calls_until_set() { # LINK
	HEX=$(printf '%s' "$1" | od -An -tx1 | tr -d '\n' | sed 's/ /\\x/g') awk '
		BEGIN { name = ENVIRON["HEX"] }
		/ (clock_gettime|gettimeofday|time|mmap|munmap|brk|madvise)\(/ { next }
		/ epoll_p?wait2?\(/ && !seen { calls = "" }
		{ calls = calls substr($0, 1, 120) "\n" }
		/ recvm?msg\(/ && /(RTM_NEWLINK|nlmsg_type=0x10 )/ && index($0, name) { seen = 1 }
		# ETHTOOL_MSG_FEATURES_SET is 12
		seen && / send(to|msg)\(/ && /"\\x0c\\x01\\x00\\x00/ && index($0, name) { printf "%s", calls; exit }' "$trace"
}

far=
daemon_start "the daemon starts below strace" --enforce --no-probes --rules "$scratch/rules"
within 5 "it waits for events" is_idle
create new0
is "a link is created" $? 0
within 5 "it is repaired" is_off new0 tcp-segmentation-offload
daemon_stops
[ -z "$far" ] || kill "$far"
wait_until 5 has_ended

calls=$(calls_until_set new0)
count=$(grep -c . <<<"$calls")
echo "# note system calls from RTM_NEWLINK to the SET: $count"
if [ "$count" -gt 0 ] && [ "$count" -le $budget ]; then
	ok "at most $budget system calls from RTM_NEWLINK to the SET"
else
	not_ok "at most $budget system calls from RTM_NEWLINK to the SET" "$count:" "$calls"
fi
done_testing
