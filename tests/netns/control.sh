#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The control socket of a running daemon: offloadctl's commands, who may do what, and clients that are malformed, too big, slow, stuck
# or a thousand, which change nothing for the time from a drift to its repair.
cd "$(dirname "$0")/../.." || exit 1
if [ -z "${CONTROL_INSIDE:-}" ]; then
	CONTROL_INSIDE=1 exec unshare -nm "$PWD/tests/netns/control.sh"
fi
. tests/lib.sh
build=$PWD/${OFFLOADD_BUILD:-build} bully=$PWD/${OFFLOADD_BUILD:-build}/tests/control-bully
[ -x "$build/offloadd" ] && [ -x "$build/offloadctl" ] || make -s BUILD="$build" all || exit 1
[ -x "$build/tests/test-json" ] || make -s BUILD="$build" "$build/tests/test-json" || exit 1
[ -x "$bully" ] || make -s BUILD="$build" "$bully" || exit 1
scratch=$(mktemp -d)
chmod 755 "$scratch"
log=$scratch/log socket=$scratch/run/control ledger=$scratch/run/ledger.json
daemon=
ending() {
	[ -z "$daemon" ] || kill -KILL "$daemon" 2>/dev/null
	rm -rf "$scratch"
}
trap ending EXIT

mkdir "$scratch/rules"
printf '%s\n' '[Match]' 'Name=veth*' '[Features]' 'sg=on' >"$scratch/rules/50-veth.rule"
ip link add veth0 type veth peer name veth1
cp "$build/offloadctl" "$bully" "$scratch"

start() { # ARGUMENT...
	: >"$log"
	"$build/offloadd" --config "$scratch/conf" --rules "$scratch/rules" --ledger "$ledger" --control "$socket" \
		"$@" >>"$log" 2>&1 &
	daemon=$!
	wait_until 10 grep -q ' started' "$log" || { echo "# no start:"; cat "$log"; }
}
stop() {
	kill "$daemon" && wait "$daemon"
	daemon=
}
ctl() { "$scratch/offloadctl" "$@" --control "$socket"; }
nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set -all --inh-caps -all "$scratch/offloadctl" "$@" --control "$socket"; }
run() { # COMMAND...: sets out, err, status
	out=$("$@" 2>"$scratch/err")
	status=$?
	err=$(cat "$scratch/err")
}
sg() { ethtool -k veth0 | sed -n 's/^scatter-gather: //p'; }
is_sg() { [ "$(sg)" = "$1" ]; }
break_it() { ethtool -K veth0 sg off >/dev/null; }

printf '%s\n' '[Contention]' 'Rounds=200' 'Window=1s' 'SlowRounds=200' 'SlowSets=200' >"$scratch/conf"
run ctl status --rules "$scratch/rules"
has "status without a daemon: exit 3, and the kernel's view" "$status$out" '^3UNKNOWN: 2 interfaces match .*offloadd is not running'
run ctl status --json --rules "$scratch/rules"
check "the same is as its schema says" "$build/tests/test-json" status.json <(echo "$out")
is "the same as a document" "$status:$(jq -c '[.document, .exit_code, .state, .daemon, .restart]' <<<"$out")" '3:["status",3,"unknown",null,null]'
for command in reload 'pause veth0' 'resume veth0' events wait-online; do
	run ctl $command
	has "$command without a daemon: exit 3" "$status$err" '^3offloadctl: offloadd is not running'
done

start --enforce
run ctl status
has "status" "$status$out" '^[04](OK|UNKNOWN): 2 interfaces match their rules .enforcing' '^offloadd .*, enforce mode'
is "its socket is everybody's" "$(stat -c %a "$socket")" 666
run "$build/offloadd" --config "$scratch/conf" --enforce --ledger "$ledger" --control "$socket"
has "a second one that enforces does not start" "$status$err" "^1offloadd: Failed to start in enforce mode: another offloadd is running .it holds $socket.lock"

# ---- commands ----
run ctl pause veth0
has "pause" "$status$out" '^0veth0 paused'
break_it
run ctl wait-online --timeout 5
has "a paused link is what cannot be waited for" "$status$out" '^4not compliant: veth0: [0-9]+ paused'
is "it is not repaired" "$(sg)" off
run ctl plan --rules "$scratch/rules"
has "plan knows of it" "$status$out" '^0veth0 \(veth\): [0-9]+ paused' '^1 of 2 interfaces does not match the rules: .* paused'
run ctl apply --rules "$scratch/rules" --ledger "$ledger"
has "apply passes it over" "$status$out" '^0veth0 \(veth\): [0-9]+ paused'
is "and leaves it alone" "$(sg)" off
run "$scratch/offloadctl" plan --rules "$scratch/rules" --control none
has "without asking it would be changed" "$status$out" '^2veth0 \(veth\): [0-9]+ drifted'
run ctl explain veth0 tx-scatter-gather --rules "$scratch/rules"
has "explain says how it ends" "$out" 'advice +offloadctl resume veth0'
run ctl status --json
is "status tells of it" "$(jq -c '[.daemon.verdicts.paused, .daemon.paused[0].link, .daemon.paused[0].seconds]' <<<"$out")" '[1,"veth0",null]'
stop
start --enforce
is "a restart of the daemon forgets no pause" "$(sg)" off
run ctl resume veth0
has "resume" "$status$out" '^0veth0 resumed'
within 2 "then it is repaired" is_sg on
run ctl resume veth0
has "resume of what is not paused" "$status$out" '^0veth0 was not paused'

run ctl pause veth1 --for 2h
is "a long pause is told as it was asked for" "$out" "veth1 paused for 2h"
has "by its record" "$(cat "$log")" "paused: veth1 paused by root for 2h"
has "and by status" "$(ctl status)" "^paused: veth1, (2h|1h [0-9]+min) left"
ctl resume veth1 >/dev/null
run ctl pause veth0 --for 1s
break_it
is "a pause with a time limit holds" "$(sg)" off
within 5 "and ends by itself" is_sg on
run ctl pause veth0 --for ages
has "a time that is none" "$status$err" '^1offloadctl: invalid duration "ages" for --for'
run ctl pause veth7
has "a link that is not there names the nearest" "$status$err" '^1offloadctl: unknown interface "veth7", did you mean "veth[01]"\?'

ip link add veth8 type veth peer name veth9
check "pause a link" ctl pause veth8
ip link del veth8
ip link add veth8 type veth peer name veth9
run ctl status --json
is "a link that went is forgotten" "$(jq -c .daemon.paused <<<"$out")" '[]'
ip link del veth8

# features that were off at first are the originals
run ctl revert veth0 --ledger "$ledger"
has "--ledger and --control cannot be used together" "$status$err" '^1offloadctl: --ledger and --control cannot be used together'
run "$scratch/offloadctl" revert --dry-run --ledger "$ledger"
has "revert --dry-run" "$status$out" '^0Would restore:' '1\. veth0: tx-scatter-gather.* off'
within 2 "and nothing happens" is_sg on
run ctl revert veth0
has "revert puts back what was first" "$status$out$err" '^0' 'veth0 is paused now'
is "and it stays so" "$(sg)" off
ctl resume veth0 >/dev/null
within 2 "until resumed" is_sg on

run ctl events
has "events" "$status$out" '^0.* state: offloadd .* started' 'paused: veth0' 'resumed: veth0' 'repaired: veth0'
run ctl events --json
is "events as a document" "$(jq -r '.document, (.events | length > 5), (.events | map(.event) | index("repaired") != null)' <<<"$out" | xargs)" "events true true"
"$scratch/offloadctl" events --follow --json --control "$socket" >"$scratch/followed" &
follower=$!
wait_until 5 test -s "$scratch/followed"
lines=$(wc -l <"$scratch/followed")
break_it
more() { [ "$(wc -l <"$scratch/followed")" -gt "$lines" ]; }
within 2 "events --follow tells at once" more
is "one object a line" "$(tail -1 "$scratch/followed" | jq -r '.event + " " + .link')" "repaired veth0"
kill "$follower"
wait "$follower" 2>/dev/null

printf '%s\n' '[Mtch]' >"$scratch/rules/60-bad.rule"
run ctl reload
has "reload tells errors and exits 1" "$status$out" "^1.*60-bad.rule:1: unknown section" "rules loaded: 1"
run ctl status
has "status keeps telling" "$status$out" "^1" "60-bad.rule:1:"
rm "$scratch/rules/60-bad.rule"
run ctl reload
is "and a good reload ends it" "$status:$out" "0:reloaded; rules loaded: 1"

printf '%s\n' '[Daemon]' 'Mode=sometimes' >"$scratch/conf"
run ctl reload
has "reload tells settings and rules apart" "$status$out" "^1.*conf:2:" \
	"rules reloaded; settings rejected, keeping the previous settings; rules loaded: 1"
run ctl reload --json
is "the same as a document" "$status:$(jq -c '[.taken, .settings_taken, .rules_taken]' <<<"$out")" '1:[false,false,true]'
check "which is as its schema says" "$build/tests/test-json" reload.json <(echo "$out")
run ctl status
has "status says what the errors mean" "$status$out" "^1" "^Settings rejected; keeping the previous settings"
printf '%s\n' '[Contention]' 'Rounds=200' 'Window=1s' 'SlowRounds=200' 'SlowSets=200' >"$scratch/conf"
mv "$scratch/rules/50-veth.rule" "$scratch/50-veth"
run ctl reload
is "a reload that ends without rules" "$status:$out" "0:reloaded; rules loaded: 0"
run ctl status
has "status reports it" "$out" "^No rules are loaded; "
has "and by a record" "$(cat "$log")" "rules: No rules are loaded"
mv "$scratch/50-veth" "$scratch/rules/50-veth.rule"
check "and ends with the rules" ctl reload

kill -STOP "$daemon"
run ctl status
kill -CONT "$daemon"
has "a daemon that was stopped: the kernel's view" "$status$err$out" "^3offloadctl: status failed: no reply from offloadd \(pid $daemon\)" \
	'offloadd does not reply'

run ctl wait-online veth0 veth1
is "wait-online" "$status:$out" "0:"
run ctl wait-online --timeout 1s veth0 later0
has "wait-online with a link that does not come" "$status$out" '^2not compliant after the timeout: later0: absent'
"$scratch/offloadctl" wait-online --timeout 20s veth6 --control "$socket" >"$scratch/waited" &
waiter=$!
ip link add veth6 type veth peer name veth7
wait "$waiter"
is "wait-online with one that comes" "$?:$(cat "$scratch/waited")" "0:"
ip link del veth6

# ---- who may what ----
run nobody status
has "anybody may read status" "$status$out" '^[04](OK|UNKNOWN): '
run nobody events
is "and events" "$status" 0
for command in reload 'pause veth0' 'resume veth0' revert; do
	run nobody $command
	has "nobody may not $command" "$status$err" "^1offloadctl: ${command%% *} requires root"
done
run ctl status --json
is "and nothing was changed" "$(jq -c .daemon.paused <<<"$out")$(sg)" "[]on"

# ---- documents ----
document() { # SCHEMA COMMAND...: its document is as the schema says
	local schema=$1 out
	shift
	ctl "$@" --json >"$scratch/document"
	out=$("$build/tests/test-json" "$schema" "$scratch/document" 2>&1) || { echo "$out"; cat "$scratch/document"; return 1; }
}
check "pause --json" document pause.json pause veth0 --for 1h
check "status --json" document status.json status
check "resume --json" document resume.json resume veth0
check "reload --json" document reload.json reload
check "events --json" document events.json events
check "wait-online --json" document wait-online.json wait-online --timeout 0 later0
check "revert --json" document revert.json revert veth0
ctl resume veth0 >/dev/null
within 2 "resumed" is_sg on

# ---- the protocol, by hand ----
"$bully" "$socket" protocol
status=$?
is "introspection and errors are as Varlink has them" $status 0

# ---- the hostile ----
reaction() { # prints the median of 15 drifts, and the worst
	"$bully" "$socket" reaction veth0 15
}
quiet=$(reaction)
for kind in idle garbage big slow flood stuck follow churn; do
	# nice: what their own work takes from the machine is not the question
	nice -n 19 setpriv --reuid 65534 --clear-groups "$scratch/control-bully" "$socket" "$kind" 125 >"$scratch/bully-$kind" 2>&1 &
	pids+=("$!")
done
bullied() { for kind in idle garbage big slow flood stuck follow churn; do grep -q begun "$scratch/bully-$kind" || return 1; done; }
within 20 "a thousand hostile clients of eight kinds are at it" bullied
loud=$(reaction)
echo "# reaction in us, median and worst: alone $quiet, with hostile clients $loud"
kill "${pids[@]}" 2>/dev/null
wait "${pids[@]}" 2>/dev/null
# on one CPU the clients take turns with the daemon, whatever it does
[ "$(nproc)" = 1 ] || check "a drift is answered as fast" test "${loud%% *}" -lt $((${quiet%% *} * 3 + 3000))
check "the daemon is still there" kill -0 "$daemon"
is "and answers root" "$(ctl status --json | jq -r .daemon.mode)" enforce
rss=$(awk '/VmRSS/ { print $2 }' "/proc/$daemon/status")
check "its memory stayed small ($rss kB)" test "$rss" -lt $(($([ -n "${OFFLOADD_BUILD:-}" ] && echo 400000 || echo 20000)))
wakeups() { awk '/ctxt_switches/ { n += $2 } END { print n }' "/proc/$daemon/status"; }
still() { # for three seconds; what was put off until links are at rest comes first
	before=$(wakeups)
	read -rt 3 -u "$idle" || :
	[ "$(wakeups)" = "$before" ]
}
within 30 "it does not wake when idle" still
stop
check "the socket goes with the daemon" test ! -e "$socket"
done_testing
