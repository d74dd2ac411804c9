# SPDX-License-Identifier: GPL-2.0-or-later
# Stale connections of cgroups that were removed, on a host with many cgroups. While a process in no service holds them, they are its own;
# when no process does, they are named by what the probes saw of their cgroups, whoever held them before. The daemon, which runs as its own
# user, never searches cgroupfs for a name. LONG=1: 20,000 cgroups and 150 connections, and times.
# kernels: 6.1
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../probes.sh"
cgroups=100 connections=6
[ -z "${LONG:-}" ] || cgroups=20000 connections=150

offloadd() { # as offloadd.service runs it
	local capabilities=-all,+net_admin,+bpf,+perfmon
	exec setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set=$capabilities --inh-caps=$capabilities \
		--ambient-caps=$capabilities /usr/local/sbin/offloadd "$@"
}
stale() { offloadctl services --json | jq -r '.restart[].service'; }
are_flagged() { # NAMES
	[ "$(stale | sort)" = "$1" ] || { offloadctl services && offloadctl sockets --all && ss -tnie && return 1; }
}
whole() { offloadctl plan >/dev/null; }
repair_usec() { # the median of 9 drifts, from the change to its repair; each of another link, or the link would be contended
	local link begin
	for link in "${drifting[@]}"; do
		begin=${EPOCHREALTIME/[.,]/}
		ethtool -K "$link" sg off >/dev/null
		until is_on "$link" scatter-gather >/dev/null; do :; done
		echo $((${EPOCHREALTIME/[.,]/} - begin))
	done | sort -n | sed -n 5p
}
status_usec() {
	local begin=${EPOCHREALTIME/[.,]/}
	offloadctl status >/dev/null
	echo $((${EPOCHREALTIME/[.,]/} - begin))
}

mkdir -p /sys/fs/cgroup/system.slice /sys/fs/cgroup/user.slice
check "the other host is there" network
drifting=()
for id in ${LONG:+$(seq 101 109)}; do
	ip link add link bond0 name vlan$id up type vlan id $id
	drifting+=(vlan$id)
done
ip netns exec $peer "$tools/sendfile-peer" server 10.9.0.2 5005 "$scratch/file" 10.9.0.1 >"$scratch/far" &
started+=($!)
disown $!
wait_until 20 grep -q listening "$scratch/far"
rule 10-vlan.rule '[Match]' 'Kind=vlan' '[Features]' 'tx-checksum-ip-generic=on' 'sg=on'
install -d -o 65534 -g 65534 /run/offloadd
daemon_start "offloadd starts" --enforce
[ -z "${LONG:-}" ] || usual=$(repair_usec) pace=$(yardstick)
check "vlan10 is paused" offloadctl pause vlan10
break_vlan
mkfifo "$scratch/orphans.in"
"$tools/sendfile-peer" orphans 10.9.0.2 5005 $connections /sys/fs/cgroup/system.slice 10.9.0.2 <"$scratch/orphans.in" >"$scratch/orphans" &
started+=($!)
disown $!
exec {orphans}>"$scratch/orphans.in"
within 60 "$connections connections of cgroups that are gone" grep -q open "$scratch/orphans"
is "the cgroups are gone" "$(cd /sys/fs/cgroup/system.slice && ls -d $(seq -f 's%.0f.service' $connections) 2>/dev/null)" ""

(cd /sys/fs/cgroup/user.slice && seq -f 'g%.0f' $cgroups | xargs mkdir)
strace -f -qq -e trace=getdents64 -e signal=none -p "$daemon" -o "$scratch/calls" &
tracer=$!
wait_until 20 grep -q '^TracerPid:.*[1-9]' "/proc/$daemon/status"
check "vlan10 is repaired" offloadctl resume vlan10
within 20 "it matches its rules" whole
within 60 "the connections are flagged, of a process in no service" are_flagged "no service"
echo >&"$orphans"
within 60 "no process holds them" grep -q held "$scratch/orphans"
within 60 "each is flagged with the name that its cgroup had" are_flagged "$(seq -f 's%.0f.service' $connections | sort)"
ethtool -K vlan10 sg off >/dev/null
within 20 "a drift is repaired" is_on vlan10 scatter-gather
has "status answers" "$(offloadctl status)" "$connections services need a restart"
kill "$tracer"
wait "$tracer"
# two calls for each directory, and CGROUP_WALK_MAX; the effect of a repair needs such a search now and then, a name never does
check "the daemon searched cgroupfs a few times, not for each name" \
	test "$(wc -l <"$scratch/calls")" -le $((12 * ((cgroups < 4000 ? cgroups : 4000) + 100)))
if [ -n "${LONG:-}" ]; then
	now=$(repair_usec) status=$(status_usec) slower=$(yardstick) # the machine may be busier than before
	check "a drift is repaired within twice its usual time ($usual us at a pace of $pace, $now us at $slower)" \
		test $((now * pace)) -lt $((usual * 2 * slower))
	check "status answers within 100 ms of a real machine ($status us on one $(slowdown) times slower)" test "$status" -lt $((100000 * $(slowdown)))
fi
daemon_stops
exec {orphans}>&-
done_testing
