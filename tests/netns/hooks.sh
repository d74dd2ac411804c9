#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# From a drift to the unit that offloadd.conf names for it: a real daemon, the real offloadd-hook behind a socket as systemd passes it,
# and a systemctl that only writes down what it is asked.
cd "$(dirname "$0")/../.." || exit 1
if [ -z "${HOOKS_INSIDE:-}" ]; then
	HOOKS_INSIDE=1 exec unshare -n "$PWD/tests/netns/hooks.sh"
fi
. tests/lib.sh
build=$PWD/${OFFLOADD_BUILD:-build}
[ -x "$build/offloadd" ] && [ -x "$build/offloadd-hook" ] || make -s BUILD="$build" all || exit 1
scratch=$(mktemp -d)
log=$scratch/log control=$scratch/control socket=$scratch/hook/socket
daemon='' runner=''
ending() {
	[ -z "$daemon" ] || kill -KILL "$daemon" 2>/dev/null
	[ -z "$runner" ] || kill "$runner" 2>/dev/null
	rm -rf "$scratch"
}
trap ending EXIT

mkdir "$scratch/rules" "$scratch/hook" "$scratch/bin"
printf '%s\n' '[Match]' 'Name=v*' '[Features]' 'sg=on' >"$scratch/rules/50-veth.rule"
cat >"$scratch/bin/systemctl" <<-END
	#!/bin/sh
	echo "\$*" >>"$scratch/asked"
	[ ! -e "$scratch/fail" ]
END
chmod +x "$scratch/bin/systemctl"
conf() { printf '%s\n' '[Hooks]' "OnDrift=$1" >"$scratch/conf"; }
start() { # ARGUMENT...
	: >"$log"
	"$build/offloadd" --config "$scratch/conf" --rules "$scratch/rules" --ledger "$scratch/ledger.json" --control "$control" \
		--hook "$socket" "$@" >>"$log" 2>&1 &
	daemon=$!
	wait_until 10 grep -q ' started' "$log" || { echo "# no start:"; cat "$log"; }
}
stop() {
	kill "$daemon" && wait "$daemon"
	daemon=
}
listen() {
	rm -f "$socket"
	: >"$scratch/asked"
	PATH=$scratch/bin:$PATH systemd-socket-activate -E PATH -d -l "$socket" "$build/offloadd-hook" "$scratch/hook" "$scratch/conf" \
		>"$scratch/runner" 2>&1 &
	runner=$!
	wait_until 5 test -S "$socket"
}
drift() { # N: of new links, each of which is one record
	local i
	for ((i = 0; i < $1; i++)); do
		ip link add "v$drifts" type veth peer name "w$drifts"
		ethtool -K "v$drifts" sg off >/dev/null
		drifts=$((drifts + 1))
	done
}
drifts=0
asked() { grep -c . "$scratch/asked"; }
has_asked() { [ "$(asked)" = "$1" ]; }
counted() { "$build/offloadctl" metrics --control "$control" | grep -q "^offloadd_hooks_total{.*result=\"$1\"} $2\$"; }

conf alert@.service
listen
touch -d '20 minutes ago' "$scratch/hook/drift-1.env"
touch -d '20 minutes ago' "$scratch/hook/other"
start
drift 1
within 5 "a drift has the unit started" has_asked 1
has "by its name, without waiting" "$(cat "$scratch/asked")" '^--no-block --no-ask-password start -- alert@drift-[0-9]+\.service$'
env=$scratch/hook/$(sed 's/.*@\(.*\)\.service/\1/' "$scratch/asked").env
is "the record is a file of its own, for root only" "$(stat -c %a "$env")" 600
has "with the fields of the journal" "$(cat "$env")" '^OFFLOADD_EVENT="drift"$' '^OFFLOADD_LINK="v0"$' '^OFFLOADD_RULE="50-veth.rule"$' \
	'^OFFLOADD_MESSAGE="v0 .*tx-scatter-gather.*off' '^OFFLOADD_MESSAGE_ID="bc372f54f9b04f2d8ddf8ac60eb5c9aa"$'
is "what is older than ten minutes is removed, and nothing else" "$(cd "$scratch/hook" && ls drift-1.env other 2>/dev/null)" other
check "and counted as sent" counted sent 1

printf 'OFFLOADD_EVENT=drift\nLD_PRELOAD=/tmp/x\n' >"$scratch/evil"
if command -v socat >/dev/null; then
	socat -u "OPEN:$scratch/evil" "UNIX-SENDTO:$socket"
	within 5 "an event with other variables is ignored" grep -q 'Failed to read an event of offloadd' "$scratch/runner"
	is "and starts nothing" "$(asked)" 1
else
	skip "a record with other variables is left out" "no socat"
fi
drift 34
within 5 "30 in a minute are started" has_asked 30
check "the others counted" counted suppressed 5
within 15 "offloadd-hook ends when there is nothing to do" sh -c "! kill -0 $runner 2>/dev/null"
runner=
drift 1
check "the daemon does not notice" kill -0 "$daemon"
stop

rm -f "$socket"
conf alert@.service
start
drift 2
within 5 "without a socket it says so" grep -q "Failed to call hooks through $socket: No such file" "$log"
is "once" "$(grep -c 'Failed to call hooks' "$log")" 1
check "and counts each of the first 30" wait_until 5 counted failed 30
stop

listen
touch "$scratch/fail"
start --dry-run
drift 1
within 5 "a dry run tells of the drift" grep -q "^offloadd: drift: v$((drifts - 1)) " "$log"
is "and starts nothing: nothing was sent" \
	"$("$build/offloadctl" metrics --control "$control" | grep -c '^offloadd_hooks_total{.*} [1-9]')" 0
stop
start
within 5 "a unit that cannot be started" grep -q 'alert@drift-[0-9]*.service: ' "$scratch/runner"
stop
done_testing
