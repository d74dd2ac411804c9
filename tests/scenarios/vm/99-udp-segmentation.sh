#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# UDP segmentation that the kernel refuses on a VLAN without checksums (up to Linux 6.10): one sender gives it up for good, one tries again.
# kernels: 6.1
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../probes.sh"
case $KERNEL in
5.10 | 6.1) refuses=true ;;
*) refuses= ;;
esac

services() { # JQ-FILTER
	offloadctl services --json | jq -c "$1"
}
refused() { # SERVICE: its refused sends
	services "[.fallback[] | select(.service == \"$1.service\" and .kind == \"udp-segmentation\" and .link == \"vlan10\").hits] | add // 0"
}
is_refused() { # SERVICE N; prints what there is instead
	local n
	n=$(refused "$1")
	[ "$n" -ge "$2" ] || { echo "refused: $n; it printed:" && cat "$scratch/$1" && offloadctl services; return 1; } 2>&1
}
named() { # services that gave up, with their processes
	services '[.restart[] | select(.udp_senders > 0) | [.service, .link, .udp_senders]] | sort'
}
is_named() { # WANTED; prints what there is instead
	local got
	got=$(named)
	[ "$got" = "$1" ] || { echo "named: $got" && offloadctl services; return 1; } 2>&1
}
sender() { # SERVICE gives-up|retries ADDRESS
	in_service "system.slice/$1.service" "$tools/udp-sender" "$2" "$3" 9000 >"$scratch/$1"
}
quiet_links() { offloadctl plan >/dev/null; }
sends() { # PACKETS: the interface has sent so many more
	local before=$1
	[ "$(cat /sys/class/net/vlan10/statistics/tx_packets)" -gt "$before" ]
}

check "the other host is there" network
mkdir -p /etc/offloadd
unprivileged
daemon_start "offloadd starts" --enforce
has_capabilities 1000 # what follows, with senders that are watched on demand, needs no other
is "no probe is missing" "$(services '[.probes[] | select(.method == null)]')" '[]'
check "vlan10 is paused" offloadctl pause vlan10
sender gives-up gives-up 10.9.0.2
sender gives-up-6 gives-up fd09::2
sender retries retries 10.9.0.2
sender idle gives-up 10.9.0.2
idle_pid=$!
check "they send" wait_until 20 sends 100
is "nothing is refused on a healthy interface" "$(services '[.fallback[] | select(.kind == "udp-segmentation")]')" '[]'
break_vlan
if [ -n "$refuses" ]; then
	for name in gives-up gives-up-6 retries idle; do within 20 "$name is refused" is_refused $name 1; done
	kill -STOP $idle_pid
	within 20 "and the one that tries again is refused again" is_refused retries 50
	is "the first refusal is counted, and no other send" "$(refused gives-up):$(refused gives-up-6)" 1:1
	within 20 "each is an event" has_records '^offloadd: fallback: gives-up.service requests UDP segmentation on vlan10, which the kernel refuses'
	is "nobody is named while the interface is broken" "$(named)" '[]'
	is "they are undecided" "$(services .udp_undecided)" 4
else
	packets=$(cat /sys/class/net/vlan10/statistics/tx_packets)
	check "they send on" wait_until 30 sends $((packets + 2000))
	is "this kernel refuses nothing" "$(services '[.fallback[] | select(.kind == "udp-segmentation")]'):$(cat "$scratch"/{gives-up,gives-up-6,retries,idle})" '[]:'
fi

check "vlan10 is repaired" offloadctl resume vlan10
within 20 "it is as declared" quiet_links
if [ -z "$refuses" ]; then
	packets=$(cat /sys/class/net/vlan10/statistics/tx_packets)
	check "they send on" wait_until 60 sends $((packets + 5000))
	is "nobody is named" "$(services '[.restart, .udp_undecided]')" '[[],0]'
	daemon_stops
	done_testing
fi
within 60 "those that gave up are named, with their interface" is_named '[["gives-up-6.service","vlan10",1],["gives-up.service","vlan10",1]]'
check "the one that tries again segments again" file_has "$scratch/retries" segmented
is "the one that does not send is undecided" "$(services .udp_undecided)" 1
one_record "it is an event" '^offloadd: stale: gives-up.service sends UDP on vlan10 without segmentation \(1 process\)'
has "services says so" "$(offloadctl services)" '^Services that still lack ' '^  gives-up.service on vlan10: 1 process gave up UDP segmentation; restart the service$' \
	'^1 process was refused UDP segmentation, '
has "needrestart gets it" "$(offloadctl services --format needrestart)" '^NEEDRESTART-SVC: gives-up.service$'
has "the metrics have it" "$(offloadctl metrics)" '^offloadd_udp_gave_up_processes\{.*unit="gives-up.service",link="vlan10"\} 1' \
	'^offloadd_restart_needed\{.*unit="gives-up.service"\} 1' '^offloadd_udp_undecided_processes(\{.*\})? 1' \
	'^offloadd_fallback_hits_total\{.*fallback_kind="udp-segmentation",link="vlan10",reason="feature",unit="gives-up.service"\} 1$'
offloadctl services --json >"$scratch/document"
check "the document fits its schema" "$tools/test-json" services.json "$scratch/document"
offloadctl investigate --for 2s --json >"$scratch/document" 2>/dev/null
is "investigate finds it, too" "$(jq -c '[.findings[] | select(.verdict == "gave-up").service] | sort' "$scratch/document")" \
	'["gives-up-6.service","gives-up.service"]'
check "its document fits its schema" "$tools/test-json" investigate.json "$scratch/document"

# the daemon is killed: who was refused is not forgotten
kill -KILL "$daemon"
wait "$daemon" 2>/dev/null
record_mark
daemon_start "offloadd starts again" --enforce
within 60 "they are named again, because they still send one by one" is_named '[["gives-up-6.service","vlan10",1],["gives-up.service","vlan10",1]]'

record_mark
kill -CONT $idle_pid
within 60 "the one that was idle is named when it sends" is_named \
	'[["gives-up-6.service","vlan10",1],["gives-up.service","vlan10",1],["idle.service","vlan10",1]]'
for name in gives-up gives-up-6 idle; do xargs -r kill -KILL <"/sys/fs/cgroup/system.slice/$name.service/cgroup.procs"; done
sender gives-up gives-up 10.9.0.2
within 20 "after a restart nobody is named" is_named '[]'
one_record "which is an event" '^offloadd: reconnected: gives-up.service no longer has a process that gave up UDP segmentation on vlan10'
is "and nothing is left to watch" "$(services .udp_undecided)" 0
daemon_stops
done_testing
