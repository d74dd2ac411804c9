#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The textfile of a running daemon: there with READY, changed by a drift and by a repair, left alone while nothing happens, the same as
# what offloadctl prints, elsewhere after a reload, and not touched by a dry run.
cd "$(dirname "$0")/../.." || exit 1
if [ -z "${METRICS_INSIDE:-}" ]; then
	METRICS_INSIDE=1 exec unshare -nm "$PWD/tests/netns/metrics.sh"
fi
. tests/lib.sh
build=$PWD/${OFFLOADD_BUILD:-build}
[ -x "$build/offloadd" ] && [ -x "$build/offloadctl" ] || make -s BUILD="$build" all || exit 1
scratch=$(mktemp -d)
log=$scratch/log socket=$scratch/control
inode=$(stat -Lc %i /proc/self/ns/net)
file=$scratch/o-$inode.prom other=$scratch/other-$inode.prom
daemon=
ending() {
	[ -z "$daemon" ] || kill -KILL "$daemon" 2>/dev/null
	rm -rf "$scratch"
}
trap ending EXIT

# a namespace that has a name, as ip-netns(8) gives it; seen here only
mkdir -p /run/netns && mount -t tmpfs tmpfs /run/netns && touch /run/netns/blue &&
	mount --bind /proc/self/ns/net /run/netns/blue || exit 1
mkdir "$scratch/rules"
printf '%s\n' '[Rule]' 'Until=2001-01-01' '[Match]' 'Name=veth*' '[Features]' 'sg=on' >"$scratch/rules/50-veth.rule"
ip link add veth0 type veth peer name veth1
conf() { printf '%s\n' "[Daemon]" "Mode=$1" "[Metrics]" "Textfile=$2" >"$scratch/conf"; }
start() { # ARGUMENT...
	: >"$log"
	"$build/offloadd" --config "$scratch/conf" --rules "$scratch/rules" --ledger "$scratch/ledger.json" \
		--control "$socket" "$@" >>"$log" 2>&1 &
	daemon=$!
	wait_until 10 grep -q ' started' "$log" || { echo "# no start:"; cat "$log"; }
}
stop() {
	kill "$daemon" && wait "$daemon"
	daemon=
}
says() { # SERIES VALUE: without the label of the namespace
	sed 's/{netns="blue",\{0,1\}/{/; s/{}//' "$file" | grep -qxF -- "$1 $2"
}
repairs() { # NUMBER: for whatever cause
	[ "$(sed -n 's/^offloadd_repairs_total{.*} //p' "$file" | paste -sd+ | bc)" = "$1" ]
}
value() { sed -n "s/^$1{.*} //p" "$file"; }
wakes() { sed -n 's/^voluntary_ctxt_switches:[ \t]*//p' "/proc/$daemon/status"; }

conf audit "$scratch/o.prom"
start
within 5 "the file is there" says offloadd_up 1
for series in 'offloadd_mode{mode="audit"} 1' 'offloadd_links{verdict="compliant"} 2' 'offloadd_rules 1' \
	'offloadd_rule_until_timestamp_seconds{rule="50-veth.rule"} 978393600' 'offloadd_series_omitted{metric="offloadd_feature_noncompliant"} 0'; do
	check "$series" says "${series% *}" "${series##* }"
done
is "anyone may read it" "$(stat -c %a "$file")" 644
is "every series has the namespace" "$(grep -v '^#' "$file" | grep -vc '{netns="blue"')" 0

ethtool -K veth0 sg off >/dev/null
within 5 "a drift is in it" says \
	'offloadd_feature_noncompliant{link="veth0",link_kind="veth",feature="tx-scatter-gather",verdict="drifted",rule="50-veth.rule"}' 1
check "and counted" says 'offloadd_events_total{event="drift"}' 1
check "since when" grep -q '^offloadd_drift_since_timestamp_seconds{.*} [1-9][0-9]*$' "$file"
check "the interface is down" says 'offloadd_noncompliant_link_down{link="veth0"}' 1
ip link set veth0 up && ip link set veth1 up
within 5 "not any more" eval '! grep -q "^offloadd_noncompliant_link_down" "$file"'

wait_until 5 says 'offloadd_links{verdict="drifted"}' 1
still() { # what was put off until links are at rest comes first
	before=$(stat -c %i:%y "$file") woken=$(wakes)
	read -rt 2.5 -u $idle || :
	[ "$(stat -c %i:%y "$file") $(wakes)" = "$before $woken" ]
}
within 30 "nothing happens: the file is left alone, and nobody wakes up" still
is "offloadctl metrics prints the same" "$("$build/offloadctl" metrics --control "$socket")" "$(cat "$file")"

for _ in {1..150}; do ethtool -K veth0 sg on >/dev/null; ethtool -K veth0 sg off >/dev/null; done &
storm=$! writes=0 last=$before begin=$(now_ms)
while kill -0 $storm 2>/dev/null; do
	now=$(stat -c %i:%y "$file" 2>/dev/null) || continue
	[ "$now" = "$last" ] || { writes=$((writes + 1)) last=$now; }
	read -rt 0.01 -u $idle || :
done
took=$(($(now_ms) - begin))
check "a storm of $took ms is $writes writes, one a second at most" test "$writes" -le $((took / 1000 + 2))

conf enforce "$scratch/other.prom"
kill -HUP "$daemon"
within 5 "a reload takes another place" test -s "$other"
is "the file at the old place of this namespace is gone" "$(ls "$scratch" | grep -c "^o-")" 0
file=$other
within 5 "the repair is counted" repairs 1
check "as one that follows from new rules" says 'offloadd_repairs_total{cause="new"}' 1
before=$(value offloadd_drift_seconds_count)
ethtool -K veth0 sg off >/dev/null
within 5 "an event is seen, and answered" says offloadd_reaction_seconds_count 1
check "as one of a drift" says 'offloadd_repairs_total{cause="drift"}' 1
is "and its time, as a drift" "$(value offloadd_drift_seconds_count)" $((before + 1))
check "within a second" says 'offloadd_reaction_seconds_bucket{le="1"}' 1
check "nothing is left" says 'offloadd_links{verdict="compliant"}' 2

# no kernel since 4.14 has it
printf '%s\n' '[Match]' 'Name=veth1' '[Features]' 'ufo=on' >"$scratch/rules/60-ufo.rule"
printf '%s\n' '[Match]' 'Name=veth*' '[Features]' 'tx-udp-fragmentation=on' >"$scratch/rules/70-ufo.rule"
kill -HUP "$daemon"
within 5 "a feature that the kernel does not know has one series" says \
	'offloadd_feature_noncompliant{link="veth1",link_kind="veth",feature="tx-udp-fragmentation",verdict="unsupported",rule="70-ufo.rule"}' 1
is "one, by its name" "$(grep -c '^offloadd_feature_noncompliant{.*link="veth1"' "$file")" 1
check "and an event, as the other interface" says 'offloadd_events_total{event="unmet"}' 2
is "which is reported once" "$(grep -c 'unmet: veth1 .*tx-udp-fragmentation' "$log")" 1
rm "$scratch"/rules/*-ufo.rule
kill -HUP "$daemon"
within 5 "it goes with its rule" eval '! grep -q "^offloadd_feature_noncompliant{" "$file"'

conf enforce "$scratch/missing/o.prom"
kill -HUP "$daemon"
within 5 "a place that is not there is an error, said once" grep -q "Failed to write metrics to $scratch/missing/o-$inode.prom: No such file" "$log"
ethtool -K veth0 sg off >/dev/null
within 5 "and costs no repair" sh -c 'ethtool -k veth0 | grep -q "^scatter-gather: on"'
is "once" "$(grep -c "Failed to write metrics" "$log")" 1
conf enforce "$scratch/o.prom"
kill -HUP "$daemon"
file=$scratch/o-$inode.prom
within 5 "a good place again" says offloadd_up 1
umount /run/netns/blue && rm /run/netns/blue
ethtool -K veth1 sg off >/dev/null
within 5 "with its name gone, as by ip netns del, it goes on in its own file" repairs 4
kill -HUP "$daemon"
ethtool -K veth1 sg off >/dev/null
within 5 "after a reload, too" repairs 5
is "under the name that it began with" "$(grep -v '^#' "$file" | grep -vc '{netns="blue"')" 0
is "and in no other" "$(cd "$scratch" && echo *.prom)" "${file##*/}"
touch /run/netns/blue && mount --bind /proc/self/ns/net /run/netns/blue

buried() { "$build/offloadd" --config "$scratch/conf" --stopped; }
kill -KILL "$daemon" && wait "$daemon" 2>/dev/null
daemon=
before=$(cat "$file")
check "one that was killed is still up in its file" says offloadd_up 1
check "offloadd --stopped" buried
is "says that it is not, and nothing else" "$(cat "$file")" "$(sed '/^offloadd_up/s/ 1$/ 0/' <<<"$before")"
check "which it is not" says offloadd_up 0
before=$(stat -c %i:%y "$file")
check "once more" buried
is "changes nothing" "$(stat -c %i:%y "$file")" "$before"
start
within 5 "the next one is up again" says offloadd_up 1
stop
is "with the daemon of this namespace goes its file" "$(ls "$scratch" | grep -c prom)" 0
check "which stays away" eval 'buried && [ "$(ls "$scratch" | grep -c prom)" = 0 ]'
conf audit "$scratch/missing/o.prom"
has "a place that is not there is an error" "$(buried 2>&1; echo $?)" "^(0|offloadd: Failed to write metrics: No such file or directory)$"
conf audit none
check "no place is none" buried

start --dry-run
within 5 "a dry run answers" "$build/offloadctl" metrics --control "$socket"
is "and writes no file" "$(ls "$scratch" | grep -c prom)" 0
stop
out=$("$build/offloadctl" metrics --control "$socket" --rules "$scratch/rules" 2>"$scratch/err")
has "without a daemon: exit 3, and what the kernel tells" "$?$(cat "$scratch/err")$out" '^3offloadctl: offloadd is not running' \
	'^offloadd_up\{netns="blue"\} 0' '^offloadd_links\{netns="blue",verdict="compliant"\} 2'
done_testing
