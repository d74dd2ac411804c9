# SPDX-License-Identifier: GPL-2.0-or-later
# Before and after: what the repair of the incident did for the service that sends, and a rule that makes it worse, which is undone.
# kernels: 7
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../probes.sh"

enforce() { # LINE...: enforce mode, and other settings
	printf '%s\n' '[Daemon]' 'Mode=enforce' "$@" >/etc/offloadd/offloadd.conf.d/90-test.conf
	kill -HUP "$daemon"
}

mark_sent() { read -r _ mark _ < <(tail -n 1 "$scratch/own"); }
has_sent() { # BYTES: so many since the mark
	local bytes
	read -r _ bytes _ < <(tail -n 1 "$scratch/own")
	[ $((bytes - mark)) -ge "$1" ]
}

has_effect() { # CODE: it is in $effect
	effect=$(offloadctl events --json | jq -c "[.events[] | select(.code == \"$1\")] | last // empty")
	[ -n "$effect" ]
}

get() { # KEY: of the effect
	jq -r "$1" <<<"$effect"
}

# The ratio of what the sender measured itself in the same times is that of the reported costs, within a fifth. The time before ended with
# the repair, that after with the event.
agrees() {
	local repaired
	repaired=$(offloadctl events --json | jq '[.events[] | select(.event == "repaired" and .link == "vlan10")] | last.time_usec')
	awk -v repaired="$repaired" -v event="$(get '"\(.time_usec) \(.cost | "\(.before_usec) \(.after_usec) \(.cpu_before_usec) \(.cpu_after_usec)")"')" '
		function cost(from, to) { return (cpu(to) - cpu(from)) / (bytes(to) - bytes(from)) }
		function find(t) { i = 1; while (i < n && time[i + 1] <= t) i++; return i }
		function cpu(t) { return used[find(t)] }
		function bytes(t) { return sent[find(t)] }
		{ n++; time[n] = $1; sent[n] = $2; used[n] = $3 }
		END {
			split(event, e, " ")
			own = cost(repaired - e[2], repaired) / cost(e[1] - e[3], e[1])
			printf "factor by offloadd %.2f, by the sender %.2f\n", e[4] / e[5], own
			exit !(e[4] / e[5] / own > 0.8 && e[4] / e[5] / own < 1.25)
		}' "$scratch/own"
}

network
ip link set vlan10 mtu 200 # many segments, so that their cost is far above what other load of the machine changes
mkdir -p /etc/offloadd/offloadd.conf.d
printf '%s\n' '[Repair]' 'Window=1s' >/etc/offloadd/offloadd.conf.d/10-test.conf
break_vlan
ip netns exec $peer "$tools/sendfile-peer" drain 10.9.0.2 7000 >"$scratch/drain" &
started+=($!)
disown $!
wait_until 10 file_has "$scratch/drain" listening
: >"$scratch/own"
in_service system.slice/web.service "$tools/sendfile-peer" stream 10.9.0.2 7000 >"$scratch/own"
service=$!
wait_until 10 test -s "$scratch/own" # it is connected: the first sample has to know it
daemon_start "the daemon starts in audit mode"
mark_sent
within 20 "the service sends" has_sent 60000000
enforce
within 5 "enforce mode repairs the interface" is_on vlan10 tx-tcp-segmentation
within 100 "an event shows the effect on the service" has_effect effect-helped
is "of the repair of this interface" "$(get '"\(.service) \(.link) \(.event)"')" "web.service vlan10 effect"
factors=$(agrees)
is "the factor agrees with the sender's own measurement: $factors" $? 0

mark_sent
within 20 "the service sends" has_sent 300000000
rule 90-worse.rule '[Match]' 'Name=vlan10' '[Features]' 'tso=off'
enforce '[Repair]' 'Revert=if-worse'
within 5 "a rule turns segmentation off" is_off vlan10 tx-tcp-segmentation
within 100 "an event shows that it made the service worse" has_effect effect-worse
is "the same service" "$(get '"\(.service) \(.link) \(.event)"')" "web.service vlan10 worse"
factors=$(agrees)
is "the factor agrees with the sender's own: $factors" $? 0
check "it is undone" has_effect effect-undone
is "on this interface" "$(get '"\(.link) \(.event)"')" "vlan10 worse"
check "segmentation is on again" is_on vlan10 tx-tcp-segmentation
is "and enforcement is paused there" "$(offloadctl list --json | jq -r '.links[] | select(.link == "vlan10") | .verdict')" paused
has "the report has it" "$(offloadctl report --html -)" 'web.service: [0-9.]+ s of CPU per GB before, [0-9.]+ s after'
daemon_stops

daemon_start "the daemon starts again"
is "it is still paused" "$(offloadctl list --json | jq -r '.links[] | select(.link == "vlan10") | .verdict')" paused
mark_sent
within 20 "the service sends" has_sent 300000000
offloadctl resume vlan10 >/dev/null
within 5 "the rule applies again" is_off vlan10 tx-tcp-segmentation
kill "$service"
within 100 "the service ends, so the effect is unknown" has_effect effect-unknown
is "and the reason is reported" "$(get '"\(.service) \(.reason) \(.cost.cpu_after_usec)"')" "web.service service-gone null"
daemon_stops
done_testing
