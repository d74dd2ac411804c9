#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What offloadd depends on outside does not answer, is full or still there: journald and the reader of stderr, the disk, descriptors, a
# predecessor that is exiting, epoll. Drift is repaired all the same, what was lost is counted, and reported when it can be.
cd "$(dirname "$0")/../.." || exit 1
if [ -z "${BLOCKED_INSIDE:-}" ]; then
	BLOCKED_INSIDE=1 exec unshare -nm "$PWD/tests/netns/blocked.sh"
fi
. tests/scenarios/lib.sh
build=$PWD/${OFFLOADD_BUILD:-build}
export PATH=$build:$PATH
export ASAN_OPTIONS=detect_leaks=0 # it cannot work below strace
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/journal "$scratch/rules"
control=/run/control ledger=/run/ledger/ledger.json
printf '%s\n' '[Match]' 'Name=veth0' '[Features]' 'sg=on' >"$scratch/rules/10-sg.rule"
printf '%s\n' '[Match]' 'Name=late0' '[Features]' 'rx-gro-hw=on' >"$scratch/rules/20-late.rule" # no veth has it
printf '%s\n' '[Contention]' 'Rounds=200' 'Window=1s' 'SlowRounds=200' 'SlowSets=200' '[Metrics]' 'Textfile=/run/textfile/o.prom' >"$scratch/conf"
ip link set lo up
ip link add veth0 type veth peer name veth1
options=(--enforce --no-probes --config "$scratch/conf" --rules "$scratch/rules" --ledger "$ledger" --control $control)
ctl() { offloadctl "$@" --control $control; }
answers() { ctl status >/dev/null; [ $? -ne 3 ]; }
metric() { ctl metrics | sed -n "s/^$1{.*} //p"; }
drift() { ethtool -K veth0 sg off >/dev/null; }
has_ended() { ! kill -0 "$1" 2>/dev/null || [ "$(sed 's/.*) //; s/ .*//' "/proc/$1/stat")" = Z ]; }

repairs() { # DESCRIPTION N: as many drifts are repaired; the note tells how fast
	local i slow=0
	for ((i = 0; i < $2; i++)); do
		drift
		wait_until 2 is_on veth0 scatter-gather || slow=$((slow + 1))
	done
	is "$1" $slow 0
	echo "# note seconds from drift to repair, mean since the start: $(ctl metrics | awk '
		/^offloadd_reaction_seconds_sum/ { sum = $2 } /^offloadd_reaction_seconds_count/ { n = $2 } END { printf "%.6f", n ? sum / n : 0 }')"
}

# ---- journald, the service manager and stderr ----
# a journald that reads only when asked, and then prints what it got, and such a service manager, with a watchdog
socat -u UNIX-RECV:/run/systemd/journal/socket,type=2 OPEN:"$scratch/journal",creat,append 2>"$scratch/socat" &
journald=$!
socat -u UNIX-RECV:/run/notify,type=2 OPEN:"$scratch/notified",creat,append 2>"$scratch/socat" &
manager=$!
listens() { [ -S /run/systemd/journal/socket ] && [ -S /run/notify ]; }
wait_until 5 listens
mkfifo "$scratch/stderr"
exec {full}<>"$scratch/stderr"
NOTIFY_SOCKET=/run/notify WATCHDOG_USEC=60000 offloadd "${options[@]}" 2>"$scratch/stderr" </dev/null &
daemon=$!
within 10 "the daemon starts" answers
repairs "drift is repaired while journald reads" 20
journal() { tr '\0' '\n' <"$scratch/journal"; }
logged() { [ "$(journal | grep -c "^OFFLOADD_CODE=$1\$")" -ge "$2" ]; }
within 5 "each repair is in the journal, with its fields" logged repaired 10
is "nothing is lost" "$(metric offloadd_events_lost_total)" 0

notified() { tr '\n' ' ' <"$scratch/notified" | grep -q 'READY=1.*WATCHDOG=1'; }
within 5 "the service manager is notified" notified
kill -STOP $journald $manager
dd if=/dev/zero of="$scratch/stderr" bs=4096 oflag=nonblock 2>/dev/null # until it is full
is "stderr is full" "$(timeout 1 dd if=/dev/zero of="$scratch/stderr" bs=4096 count=1 oflag=nonblock 2>&1 | grep -c 'temporarily unavailable')" 1
ctl pause veth1 >/dev/null
pauses() { local i; for ((i = 0; i < $1; i++)); do ctl resume veth1; ctl pause veth1; done >/dev/null; }
check "it does what it is asked for" timeout 60 bash -c "$(declare -f pauses ctl); control=$control; pauses 200"
repairs "journald stopped and stderr full: drift is repaired" 20
lost=$(metric offloadd_events_lost_total)
[ "${lost:-0}" -gt 0 ] && ok "the loss is counted ($lost events)" || not_ok "the loss is counted" "$(ctl metrics | grep lost)"
kill -CONT $journald
within 60 "and reported when journald reads again" logged events-lost 1
is "it reports all of it" "$(journal | awk -F= '/^OFFLOADD_CODE=events-lost$/ { found = 1 } found && /^OFFLOADD_COUNT=/ { print $2; exit }')" "$lost"
drift
within 5 "drift is repaired again" is_on veth0 scatter-gather
ip link add late0 type veth peer name late1
unsupported() { ctl status --json | jq -e '.features.unsupported == 1' >/dev/null; }
within 5 "an interface does not match its rule" unsupported
is "the service manager, which reads nothing, has not been told" "$(grep -c 'do not match: 1' "$scratch/notified")" 0
kill -CONT $manager
told() { grep -q 'do not match: 1' "$scratch/notified"; }
within 5 "it is sent when it reads again" told
ip link del late0

kill -STOP $journald $manager
pauses 400
kill -TERM $daemon
within 10 "SIGTERM is handled while nobody reads" has_ended $daemon
wait $daemon
is "it stops cleanly" $? 0
{ kill -KILL $journald $manager && wait $journald $manager; } 2>/dev/null
rm -rf /run/systemd /run/notify
exec {full}<&-

# ---- a full disk ----
mkdir -p /run/ledger /run/textfile
mount -t tmpfs -o size=64k tmpfs /run/ledger
mount -t tmpfs -o size=64k tmpfs /run/textfile
record_mark
daemon_start "the daemon starts again" "${options[@]}"
written() { [ -s "$ledger" ] && [ -s "$(echo /run/textfile/*.prom)" ]; }
drift
within 5 "ledger and metrics are written" written
for place in ledger textfile; do cat /dev/zero >/run/$place/filler 2>/dev/null; done
for i in 1 2 3; do ctl pause veth1 >/dev/null; ctl resume veth1 >/dev/null; done
one_record "a full disk is reported once for the ledger" '^offloadd: state: Failed to write the ledger'
one_record "and once for the metrics" '^offloadd: state: Failed to write metrics'
drift
within 5 "drift is repaired" is_on veth0 scatter-gather
ctl pause veth1 >/dev/null
rm /run/*/filler
one_record "when there is room, the ledger is written without anything else" '^offloadd: state: Writing /run/ledger/ledger.json works again'
one_record "and the metrics" '^offloadd: state: Writing /run/textfile/.*prom works again'
has "with what was to be saved" "$(jq -c '[.paused[].name]' "$ledger")" '"veth1"'
ctl resume veth1 >/dev/null

# ---- no descriptors ----
# no client and no child that writes the metrics, whose descriptors would become free in a moment
only_its_own() { [ -z "$(pgrep -P "$daemon")" ] && [ -z "$(ss -xH state connected src "$control")" ]; }
within 5 "it has only descriptors that it keeps" only_its_own
for ((free = 0; ; free++)); do [ -e "/proc/$daemon/fd/$free" ] || break; done
prlimit --pid "$daemon" --nofile=$free:
ticks=$(daemon_ticks)
timeout 20 offloadctl status --control $control >"$scratch/status" 2>&1 &
client=$!
one_record "a client that cannot be accepted is reported" '^offloadd: state: Failed to accept a client on'
drift
within 5 "drift is repaired" is_on veth0 scatter-gather
prlimit --pid "$daemon" --nofile=1024:
wait $client
has "the client is served when it can be" "$(cat "$scratch/status")" '^offloadd .*enforce mode'
echo "# note CPU ticks of the daemon meanwhile: $(($(daemon_ticks) - ticks))"

# ---- a predecessor ----
run_second() { timeout 30 offloadd "${options[@]}" >"$scratch/second" 2>&1; }
run_second
has "a second one does not start while the first runs" "$?:$(cat "$scratch/second")" '^1:offloadd: Failed to start in enforce mode: another offloadd is running .it holds'
for i in 1 2 3 4 5 6 7 8 9 10; do
	kill -KILL "$daemon"
	record_mark
	offloadd "${options[@]}" >"$log" 2>&1 &
	daemon=$!
	wait_until 10 daemon_ready && answers && continue
	not_ok "one that is started while its killed predecessor exits takes over" "round $i" "$(cat "$log")"
done 2>/dev/null
daemon_stops
exec {lock}<>$control.lock
flock $lock
for mode in --enforce --dry-run; do
	: >"$log"
	(exec {lock}<&- && exec offloadd "${options[@]:1}" $mode) >"$log" 2>&1 &
	daemon=$!
	waits() { [ "$(grep -c "$control.lock" <(ls -l "/proc/$daemon/fd"))" = 1 ]; }
	within 5 "$mode: it waits for the lock of its predecessor" waits
	check "$mode: and has not begun" bash -c "! grep -q started '$log'"
	flock -u $lock
	within 10 "$mode: then it starts" daemon_ready
	check "$mode: and has a control socket" answers
	daemon_stops
	flock $lock
done
if [ -n "${LONG:-}" ]; then
	record_mark
	(exec {lock}<&- && exec offloadd "${options[@]:1}") >"$log" 2>&1 &
	daemon=$!
	within 20 "one that does not get the lock runs in audit mode" daemon_ready
	has "without a control socket" "$(cat "$log")" '^offloadd: state: Failed to open the control socket'
	printf '%s\n' '[Daemon]' 'Mode=enforce' >>"$scratch/conf"
	kill -HUP "$daemon"
	one_record "it does not enforce beside another one" '^offloadd: state: Failed to switch to enforce mode: another offloadd is running'
	flock -u $lock
	within 60 "it opens the socket when the other one is gone" has_records '^offloadd: state: Opened the control socket'
	kill -HUP "$daemon"
	one_record "then it enforces" '^offloadd: state: switched to enforce mode'
	daemon_stops
fi
flock -u $lock
exec {lock}<&-

# ---- epoll fails now and then ----
if strace -o /dev/null true 2>/dev/null; then
	: >"$log"
	strace -D -f -o /dev/null -e trace=epoll_wait,epoll_pwait,epoll_pwait2 \
		-e inject=epoll_wait,epoll_pwait,epoll_pwait2:error=EIO:when=3+40 "$build/offloadd" "${options[@]}" >"$log" 2>&1 &
	daemon=$!
	within 10 "the daemon starts" daemon_ready
	for i in 1 2 3 4 5 6 7 8 9 10; do drift; wait_until 5 is_on veth0 scatter-gather || break; done
	is "a wait that fails now and then stops nothing" $i 10
	has "the reason is reported" "$(cat "$log")" '^offloadd: state: Failed to handle events: Input/output error; trying again'
	daemon_stops
else
	skip "epoll fails now and then" "no strace here"
fi
done_testing
