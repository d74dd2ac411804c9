# SPDX-License-Identifier: GPL-2.0-or-later
# Probes under load and without help: more services than there is room for, many connections, steady fallback, no BTF, no privilege.
# kernels: 5.10
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../probes.sh"
services=160 keys=64 connections=800
[ -z "${LONG:-}" ] || services=10000 keys=4096 connections=100000

rss_kb() {
	awk '/^VmRSS/ { print $2 }' "/proc/$probes_pid/status"
}

forgotten() {
	[ "$(ask forget 0)" = forgot=1 ]
}

pause() { # MILLISECONDS: passing time is what is tested
	local end=$(($(now_ms) + $1))
	while [ "$(now_ms)" -lt $end ]; do read -rt 0.1 -u "$idle" || :; done
}

check "the other host is there" network
server system.slice/plain.service 10.9.0.1 5001
ip netns exec $peer "$tools/sendfile-peer" sink 10.9.0.2 5005 >"$scratch/sink" &
started+=($!)
disown $!
wait_until 20 file_has "$scratch/sink" listening
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
	has "sendpage is still counted, by process and its service, for an unknown reason" "$(ask hits)" \
		'^sendpage .*service=signed.service pid=[1-9][0-9]* comm=sendfile-peer hits=[1-9].* reason=unknown '
	before=$(ask hits)
	ip netns exec $peer ethtool -K v10 sg off >/dev/null
	ip netns exec $peer "$tools/sendfile-peer" server 10.9.0.2 5006 "$scratch/file" 10.9.0.1 >"$scratch/far" &
	started+=($!)
	disown $!
	wait_until 20 file_has "$scratch/far" listening
	mkfifo "$scratch/far.in" # the connection stays: nobody knows the namespace of a process that has ended
	"$tools/sendfile-peer" client 10.9.0.2 5006 "$size" 10.9.0.2 <"$scratch/far.in" >"$scratch/far.out" &
	started+=($!)
	disown $!
	exec {far_fd}>"$scratch/far.in"
	echo >&"$far_fd"
	check "a signed sender in another network namespace sends" wait_until 60 file_has "$scratch/far.out" fetched
	is "and is not counted" "$(ask hits)" "$before"
	exec {far_fd}>&-
	within 10 "it is forgotten when it is gone" forgotten
	ip netns exec $peer ethtool -K v10 sg on >/dev/null
	disconnect signed
	within 10 "a process that is gone is forgotten" forgotten
	is "and counted no more" "$(ask hits)" ""
	;;
*) is "there is no sendpage to count" "$(ask hits)" "" ;;
esac
probes_stop
umount /sys/kernel/btf

# without BTF and names of functions, as below ProtectKernelTunables= on kernels without BTF: one after the other is tried
mount -t tmpfs none /sys/kernel/btf
: >"$scratch/empty"
mount --bind "$scratch/empty" /proc/kallsyms
probes_start
case $KERNEL in
5.10 | 6.1) wanted='^sendpage by process \(sock_no_sendpage_locked\): kprobe$' ;;
*) wanted='^sendpage by process \(sock_no_sendpage\): absent, this kernel has no sock_no_sendpage' ;;
esac
has "without names of functions too, sendpage is counted by process where the kernel has it" "$(ask status)" "$wanted"
probes_stop
umount /proc/kallsyms
if [ "$KERNEL" = 5.10 ]; then
	probes_run setpriv --bounding-set=-sys_resource bash -c 'ulimit -l 64 && exec "$0"' "$tools/probes-dump"
	has "a limit of locked memory is reported as that" "$(ask status)" \
		'^sendpage by process .*absent, Operation not permitted; RLIMIT_MEMLOCK is 65536 bytes'
	probes_stop
fi
umount /sys/kernel/btf

# without privilege
probes_run setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all "$tools/probes-dump"
has "without privilege each probe says so" "$(ask status)" '^segmentation .*absent, no privilege' '^sockets .*absent, no privilege'
probes_stop

# there is no room for the name of one more cgroup at its first hit, by a connection that copies for good: no packet of it is counted, which
# would have its holder looked for
server system.slice/late.service 10.9.0.1 5009 10.9.0.2
client late 10.9.0.1 5009 10.9.0.1
repair_vlan
probes_start
has "no name has room" "$(ask fill-names)" '^names=128$'
fetch late
has "a cgroup has no name at its first hit" "$(ask hits)" '^sendpage .*service=- '
has "there is room again" "$(ask free-names)" '^names=128$'
pause 1100
fetch late
has "it gets its name by a later hit" "$(ask hits)" '^sendpage .*service=late.service '
probes_stop
disconnect late
break_vlan

# what comes back after a quiet time wakes
probes_start 1000000
client plain 10.9.0.1 5001
fetch plain
pause 1700
fetch plain
ask status >/dev/null
is "what comes back after a quiet time wakes again" "$([ -n "$(told again)" ] && echo yes)" yes
probes_stop

# the only privilege that the drop-in for kernels before 5.8 adds, as a user other than root, with the LimitMEMLOCK= of the unit
probes_run bash -c 'ulimit -l unlimited && exec "$@"' - setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set=-all,+sys_admin --inh-caps=-all,+sys_admin \
	--ambient-caps=+sys_admin "$tools/probes-dump" 600000000 $keys
has "CAP_SYS_ADMIN alone is enough" "$(ask status)" '^segmentation .*(fentry|kprobe)$' '^checksum .*(fentry|kprobe)$' '^sockets .*iterator$'

# steady fallback wakes once
for i in 1 2 3 4 5 6; do fetch plain; done
ask status >/dev/null
is "new combinations wake" "$([ "$(told)" -ge 2 ] && echo yes)" yes
is "steady fallback wakes nobody again" "$(told again)" ""

# more keys than room
start_kb=$(rss_kb)
"$tools/sendfile-peer" services 10.9.0.2 5005 $services /sys/fs/cgroup/system.slice >"$scratch/services" 2>&1
is "$services services connected" "$(cat "$scratch/services")" done
"$tools/sendfile-peer" many 10.9.0.2 5005 $connections >"$scratch/many" 2>&1
is "$connections connections were made" "$(cat "$scratch/many")" done
count=$(ask count | grep -v '^event')
lost=$(ask lost | grep -v '^event')
is "each was told of once" "$(told again)" ""
is "and no more than there is room for" "$([ "$(told)" -le $keys ] && echo yes)" yes
has "no more keys than there is room for" "$count" "keys=$keys "
has "what did not fit is said" "$lost" 'checksum=[1-9]' 'malformed=0' '^idle=recent '
is "the memory of the reader stays bounded" "$([ $(($(rss_kb) - start_kb)) -lt 4096 ] && echo yes)" yes
echo "# note $(told) told; $count; $lost; resident $start_kb -> $(rss_kb) kB"
pause 2100
has "room can be made" "$(ask forget 1000000)" "forgot=$keys"
fetch plain
is "and is used" "$([ "$(hits service=plain.service)" -gt 0 ] && echo yes)" yes

probes_stop

# 512 CPUs: all of them share the counters, in memory that does not depend on how many there are
for cpus in ${LONG:+256} 512; do
	echo 0-$((cpus - 1)) >"$scratch/possible"
	mount --bind "$scratch/possible" /sys/devices/system/cpu/possible
	probes_start
	ask latency-start >/dev/null
	kb=$(awk '/^memlock/ { n += $2 } END { print int(n / 1024) }' /proc/"$probes_pid"/fdinfo/*)
	check "$cpus CPUs: the maps take less than 8 MiB ($kb kB)" test "$kb" -lt 8192
	fetch plain
	before=$(hits service=plain.service)
	fetch plain
	check "and count" test "$before" -gt 0 -a "$(hits service=plain.service)" -gt "$before"
	has "latency is measured" "$(ask latency)" '^latency service=plain.service fallback count=2 '
	probes_stop
	umount /sys/devices/system/cpu/possible
done

# the daemon under the same
daemon_start "offloadd starts" --dry-run
start_kb=$(awk '/^VmRSS/ { print $2 }' "/proc/$daemon/status")
"$tools/sendfile-peer" services 10.9.0.2 5005 $services /sys/fs/cgroup/system.slice >"$scratch/services" 2>&1
"$tools/sendfile-peer" many 10.9.0.2 5005 $connections >"$scratch/many" 2>&1
is "the daemon saw as many services and connections" "$(cat "$scratch/services" "$scratch/many")" $'done\ndone'
rows=$(offloadctl services --json | jq -c '[(.fallback | length), .omitted]')
has "services lists them, or says how many are left out" "$rows" "$([ $services -le 500 ] && echo '^\[[1-9][0-9]+,0\]$' || echo '^\[512,[1-9][0-9]*\]$')"
check "each is a record, until there are too many" test "$(records '^offloadd: fallback: ' | wc -l)" -le 1024
end_kb=$(awk '/^VmRSS/ { print $2 }' "/proc/$daemon/status")
check "the daemon's memory stays bounded ($start_kb -> $end_kb kB)" test $((end_kb - start_kb)) -lt 8192
daemon_stops
done_testing
