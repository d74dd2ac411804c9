#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# offloadd.conf in a running daemon: the mode, what a reload takes over, and that an error neither enforces nor is silent.
cd "$(dirname "$0")/../.." || exit 1
if [ -z "${CONF_INSIDE:-}" ]; then
	CONF_INSIDE=1 exec unshare -nm "$PWD/tests/netns/conf.sh"
fi
. tests/lib.sh
build=$PWD/${OFFLOADD_BUILD:-build}
[ -x "$build/offloadd" ] || make -s BUILD="$build" all || exit 1
scratch=$(mktemp -d)
log=$scratch/log
daemon=
ending() {
	[ -z "$daemon" ] || kill -KILL "$daemon" 2>/dev/null
	rm -rf "$scratch"
}
trap ending EXIT

conf=$scratch/offloadd.conf
mkdir "$conf.d" "$scratch/rules"
printf '%s\n' '[Match]' 'Name=veth*' '[Features]' 'sg=on' >"$scratch/rules/50-veth.rule"
ip link add veth0 type veth peer name veth1

start() { # ARGUMENT...
	: >"$log"
	"$build/offloadd" --config "$conf" --rules "$scratch/rules" --ledger "$scratch/ledger" "$@" >>"$log" 2>&1 &
	daemon=$!
	wait_until 10 grep -q ' started' "$log" || { echo "# no start:"; cat "$log"; }
}
stop() {
	kill "$daemon" && wait "$daemon"
	daemon=
}
sg() { ethtool -k veth0 | sed -n 's/^scatter-gather: //p'; }
break_it() { ethtool -K veth0 sg off >/dev/null; }
repaired() { [ "$(sg)" = on ]; }
settled() { # REGEX: a break is answered by this record
	: >"$log"
	break_it
	wait_until 5 grep -qE "$1" "$log"
}
reload() { # REGEX: a record that says what came of it
	: >"$log"
	kill -HUP "$daemon"
	wait_until 5 grep -qE "$1" "$log" || { echo "# after the reload:"; cat "$log"; return 1; }
}

printf '%s\n' '# nothing' >"$conf"
start
has "with nothing set it audits" "$(cat "$log")" 'started in audit mode'
check "drift is told" settled 'drift: .*veth0'
is "and not repaired" "$(sg)" off

printf '%s\n' '[Restart]' 'Units=web.service frr.service' >"$conf"
check "a service that is never restarted is reported" reload 'Units=frr.service has no effect: this service is never restarted'
is "and no other" "$(grep -c 'never restarted' "$log")" 1
printf '%s\n' '[Daemon]' 'Mode=enforce' >"$conf"
check "Mode=enforce is taken over by a reload" reload 'switched to enforce mode'
within 5 "what was drifted is repaired then" repaired
check "a new drift is repaired" settled 'repaired: .*veth0'

printf '%s\n' '[Contention]' 'Rounds=many' >"$conf.d/50-bad.conf"
check "an error in a drop-in is told with file and line" reload '50-bad.conf:2: invalid Rounds= value "many"'
has "the settings in force stay" "$(cat "$log")" 'keeping the previous settings .enforce mode'
check "and are followed" settled 'repaired: .*veth0'
stop

start
has "a start with this error only audits" "$(cat "$log")" 'started in audit mode'
has "and says so" "$(cat "$log")" '50-bad.conf:2:' 'audit mode: offloadd.conf has errors, so its Mode=enforce is ignored'
break_it
stop
start --enforce
has "the command line outranks it" "$(cat "$log")" 'started in enforce mode'
within 5 "in deed" repaired
stop

ln -sf /dev/null "$conf.d/50-bad.conf"
start
has "without the error Mode=enforce holds" "$(cat "$log")" 'started in enforce mode'
printf '%s\n' '[Daemon]' 'Mode=audit' 'ReceiveBuffer=1M' >"$conf.d/60-audit.conf"
check "a drop-in that says audit is taken over" reload 'switched to audit mode'
has "what takes a restart is told" "$(cat "$log")" 'ReceiveBuffer= changed; restart'
check "drift is told" settled 'drift: .*veth0'
is "and not repaired" "$(sg)" off
stop
done_testing
