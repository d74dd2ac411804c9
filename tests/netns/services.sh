#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# On this machine's kernel, whatever probes it has: status says which are absent, stale connections are found, and a flag outlives a kill
# and goes with its sockets. Enforcement works all the while.
cd "$(dirname "$0")/../.." || exit 1
if [ -z "${SERVICES_INSIDE:-}" ]; then
	SERVICES_INSIDE=1 exec unshare -nm "$PWD/tests/netns/services.sh"
fi
. tests/lib.sh
build=$PWD/${OFFLOADD_BUILD:-build} sender=$PWD/${OFFLOADD_BUILD:-build}/tests/sendfile-peer
[ -x "$build/offloadd" ] && [ -x "$build/offloadctl" ] || make -s BUILD="$build" all || exit 1
for tool in "$sender" "$build/tests/test-json"; do
	[ -x "$tool" ] || make -s BUILD="$build" "$tool" || exit 1
done
scratch=$(mktemp -d) other=services-$$
log=$scratch/log daemon= pids=()
ending() {
	kill -KILL $daemon "${pids[@]}" 2>/dev/null
	ip netns del $other 2>/dev/null
	rm -rf "$scratch"
}
trap ending EXIT

start() { # ARGUMENT...
	: >"$log"
	"$build/offloadd" --enforce --rules "$scratch/rules" --ledger "$scratch/ledger.json" --services "$scratch/services" \
		--control "$scratch/control" "$@" >>"$log" 2>&1 &
	daemon=$!
	wait_until 20 grep -q ' started' "$log" || { echo "# no start:" && cat "$log"; }
}
ctl() { "$build/offloadctl" "$@" --control "$scratch/control"; }
restart() { ctl services --json | jq -c "[.restart[] | $1]"; }
is_flagged() { [ "$(restart '[.link, .sockets]')" = "$1" ]; }
has_record() { grep -q "^offloadd: $1" "$log"; }
is_sg() { ethtool -k a0 | grep -q "^scatter-gather: $1"; }

ip netns add $other
ip link set lo up
ip link add a0 type veth peer name b0 netns $other
ip link set a0 up
ip -n $other link set b0 up
# IPv6: each link that goes would have IPv4 connections routed anew, and they are not stale then
ip addr add fd09::1/64 dev a0 nodad
ip -n $other addr add fd09::2/64 dev b0 nodad
mkdir "$scratch/rules"
printf '%s\n' '[Match]' 'Name=a0' '[Features]' 'sg=on' 'tx=on' >"$scratch/rules/50-a0.rule"
head -c 100000 /dev/urandom >"$scratch/file"

start
status=$(ctl status --all)
has "status tells of every probe, and why one is absent" "$status" '^probe sockets \(iter/tcp\): ' \
	'^probe segmentation \(__skb_gso_segment\): (fentry|kprobe|not available, .+)$' '^probe feature changes \(__netdev_update_features\): (fentry|kprobe|not available, .+)$'
ctl status --json >"$scratch/document"
check "the same as a document" "$build/tests/test-json" status.json "$scratch/document"
ctl services --json >"$scratch/document"
check "services as a document" "$build/tests/test-json" services.json "$scratch/document"
has "its metrics name the probes" "$(ctl metrics)" '^offloadd_probe_up\{.*probe="sockets",function="iter/tcp"\} [01]$'
ethtool -K a0 sg off >/dev/null
within 5 "a link is repaired, whatever probes there are" is_sg on

if ! grep -q '^probe sockets (iter/tcp): iterator' <<<"$status"; then
	skip "stale connections" "this kernel has no iter/tcp"
	done_testing
fi
ctl pause a0 >/dev/null
ethtool -K a0 sg off tx off >/dev/null
"$sender" server fd09::1 5002 "$scratch/file" fd09::2 >"$scratch/server" &
server=$!
pids+=($server)
wait_until 20 grep -q listening "$scratch/server"
mkfifo "$scratch/in"
ip netns exec $other "$sender" client fd09::1 5002 100000 fd09::1 <"$scratch/in" >"$scratch/client" 2>&1 &
pids+=($!)
exec {client}>"$scratch/in"
within 20 "a signed connection" grep -q connected "$scratch/client"
is "nobody needs a restart while the link is without" "$(restart .)" '[]'
ctl resume a0 >/dev/null
within 20 "it is flagged after the repair" is_flagged '[["a0",1]]'
within 5 "with a record" has_record 'stale: .* has 1 stale connection: '
has "services says so" "$(ctl services)" ' on a0: 1 stale connection since 20.*without tx-scatter-gather'
ctl services --format nagios >"$scratch/nagios"
is "nagios' exit status" "$?" 2
has "and text" "$(cat "$scratch/nagios")" '^OFFLOADD CRITICAL - services that still lack an offload: .* \| restart=1;;0;0 stale=1;;;0 '
has "needrestart's line" "$(ctl services --format needrestart)" '^NEEDRESTART-(SVC|SESS|CONT): .'
since=$(restart .since_usec)

# a link that goes while it is watched, with a record of another one to hold against it
ip link add gone type veth peer name gone-too
"$build/offloadctl" investigate --link gone --for 1h >"$scratch/gone" 2>"$scratch/watching" &
watching=$!
pids+=($watching)
within 60 "one link is watched" grep -q watching "$scratch/watching"
ip link del gone
kill -INT $watching
wait $watching
is "the link goes, and investigate ends well" $? 0
has "and says so" "$(cat "$scratch/gone")" '^blind: gone was removed during the investigation\. '

within 5 "the flag is in the file" grep -q '^[0-9]' "$scratch/services"
kill -KILL "$daemon"
wait "$daemon" 2>/dev/null
ctl services >"$scratch/alone" 2>&1
is "without offloadd: exit status 3" $? 3
has "and the sockets all the same" "$(cat "$scratch/alone")" ' on a0: 1 stale connection ' 'only offloadd counts it'
start
within 20 "a kill loses no flag" is_flagged '[["a0",1]]'
is "nor its time" "$(restart .since_usec)" "$since"
check "nor is it told of again" test -z "$(grep '^offloadd: stale: ' "$log")"
kill -KILL $(pgrep -P $server) $server
within 20 "the flag goes with its sockets" is_flagged '[]'
within 5 "with a record" has_record 'reconnected: .* has no stale connections on a0 '
kill "$daemon"
wait "$daemon"
is "it stops cleanly" $? 0
ctl services >"$scratch/alone" 2>&1
is "without offloadd who gave up UDP segmentation is not denied" "$(grep -c 'No service' "$scratch/alone")" 0
has "but not shown" "$(cat "$scratch/alone")" '^No stale connection was found; services that gave up UDP segmentation are not shown\.$'
kill -KILL "${pids[@]}" 2>/dev/null
printf 'offloadd services 3 0\n1 2 3 4 5\n' >"$scratch/services"
start
is "a file of another version is no flag" "$(restart .)" '[]'
printf 'offloadd services 1\n%s\n' 'x' '1 2' '-1 -1 -1 -1 -1' '99999999999999999999 1 1 1 1' >"$scratch/services"
kill "$daemon"
wait "$daemon"
start
is "nor is one that makes no sense" "$(restart .)" '[]'
start_fails() { "$build/offloadd" --no-probes --once --rules "$scratch/rules" --ledger "$scratch/other.json" >/dev/null 2>&1; }
check "--no-probes is an option" start_fails
done_testing
