# SPDX-License-Identifier: GPL-2.0-or-later
# Probes under load and without help: more services than there is room for, many connections, steady fallback, no BTF, no privilege.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../probes.sh"
services=300 keys=128 connections=3000
[ -z "${LONG:-}" ] || services=10000 keys=4096 connections=100000

rss_kb() {
	awk '/^VmRSS/ { print $2 }' "/proc/$probes_pid/status"
}

check "the other host is there" network
server system.slice/plain.service 10.9.0.1 5001
ip netns exec $peer "$tools/sendfile-peer" sink 10.9.0.2 5005 >"$scratch/sink" &
started+=($!)
wait_until 20 grep -q listening "$scratch/sink"
break_vlan

# without BTF
mount -t tmpfs none /sys/kernel/btf
probes_start
status=$(ask status)
has "without BTF the probes say so" "$status" '^segmentation .*absent, the kernel has no BTF'
server system.slice/signed.service 10.9.0.1 5002 10.9.0.2
client signed 10.9.0.1 5002 10.9.0.1
check "a signed sender sends" fetch signed
case $KERNEL in
5.10 | 6.1)
	has "sendpage is still counted, by process and its service" "$(ask hits)" \
		'^sendpage .*service=signed.service pid=[1-9][0-9]* comm=sendfile-peer hits=[1-9]'
	disconnect signed
	kill "$server_pid"
	within 10 "a process that is gone is forgotten" sh -c "! pgrep -f 'server 10.9.0.1 5002'"
	has "and leaves room" "$(ask forget 0)" '^forgot=1$'
	;;
*) is "there is no sendpage to count" "$(ask hits)" "" ;;
esac
probes_stop
umount /sys/kernel/btf

# without privilege
coproc PROBES { exec setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all "$tools/probes-dump" 2>&1; }
probes_pid=$PROBES_PID probes_out=${PROBES[0]} probes_in=${PROBES[1]}
probes_answer >/dev/null
has "without privilege each probe says so" "$(ask status)" '^segmentation .*absent, no privilege' '^sockets .*absent, no privilege'
probes_stop

# steady fallback wakes once, more keys than room
probes_start 2000000 $keys
client plain 10.9.0.1 5001
fetch plain
fetch plain
before=$(ask lost | sed 's/.*wakeups=\([0-9]*\).*/\1/')
for i in 1 2 3 4 5; do fetch plain; done
is "steady fallback wakes nobody" "$(ask lost | sed 's/.*wakeups=\([0-9]*\).*/\1/')" "$before"
quiet_since=$(now_ms)
wait_until 10 eval '[ $(($(now_ms) - quiet_since)) -gt 3200 ]'
fetch plain
has "after a quiet time it does" "$(ask lost)" "wakeups=$((before + 1))"

start_kb=$(rss_kb)
"$tools/sendfile-peer" services 10.9.0.2 5005 $services /sys/fs/cgroup/system.slice >"$scratch/services" 2>&1
is "$services services connected" "$(cat "$scratch/services")" done
"$tools/sendfile-peer" many 10.9.0.2 5005 $connections >"$scratch/many" 2>&1
is "$connections connections were made" "$(cat "$scratch/many")" done
count=$(ask count | grep -v '^event')
lost=$(ask lost | grep -v '^event')
has "no more keys than there is room for" "$count" "keys=$keys "
has "what did not fit is said" "$lost" 'checksum=[1-9]' 'malformed=0'
is "the memory of the reader stays bounded" "$([ $(($(rss_kb) - start_kb)) -lt 4096 ] && echo yes)" yes
echo "# note $count; $lost; resident $start_kb -> $(rss_kb) kB"
quiet_since=$(now_ms)
wait_until 10 eval '[ $(($(now_ms) - quiet_since)) -gt 2100 ]'
has "room can be made" "$(ask forget 1000000)" "forgot=$keys"
fetch plain
is "and is used" "$([ "$(hits service=plain.service)" -gt 0 ] && echo yes)" yes

# many sockets
ip netns exec $peer "$tools/sendfile-peer" hold 10.9.0.1 5001 0 </dev/null >/dev/null
has "an inventory tells how many it looked at" "$(ask time-sockets)" '^sockets=0 visited=[1-9]'
probes_stop
done_testing
