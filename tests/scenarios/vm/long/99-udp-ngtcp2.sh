#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A real QUIC library: ngtcp2's server gives UDP segmentation up for a connection at the first EIO, and uses it again after a restart.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../probes.sh"

named() { # services that gave up
	offloadctl services --json | jq -c '[.restart[] | select(.udp_senders > 0) | [.service, .link, .udp_senders]]'
}
is_named() { # WANTED; prints what there is instead
	local got
	got=$(named)
	[ "$got" = "$1" ] || { echo "named: $got" && offloadctl services; tail -n 5 "$scratch/server"; return 1; } 2>&1
}
packets() { cat /sys/class/net/vlan10/statistics/tx_packets; }
sent() { [ "$(packets)" -gt "$1" ]; } # PACKETS
serve() { # server and client, with one long download
	in_service system.slice/quic.service gtlsserver -q -d "$scratch/www" 10.9.0.1 4433 "$scratch/key" "$scratch/cert" >"$scratch/server" 2>&1
	wait_until 30 listens
	in_service client ip netns exec $peer gtlsclient -q --no-http-dump --no-quic-dump 10.9.0.1 4433 https://10.9.0.1:4433/big \
		>"$scratch/client" 2>&1
	wait_until 30 sent $(($(packets) + 500))
}
end() { # both, as systemd does
	local group
	for group in system.slice/quic.service client; do xargs -r kill -KILL <"/sys/fs/cgroup/$group/cgroup.procs"; done
}
listens() { ss -unlH | grep -q ':4433 '; }
quiet_links() { offloadctl plan >/dev/null; }

check "the other host is there" network
mkdir "$scratch/www"
truncate -s 4G "$scratch/www/big"
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$scratch/key" -out "$scratch/cert" -days 2 -subj /CN=10.9.0.1 2>/dev/null
daemon_start "offloadd starts" --enforce
check "vlan10 is paused" offloadctl pause vlan10
check "the server sends" serve
break_vlan
within 30 "it gives segmentation up" file_has "$scratch/server" 'disabling GSO'
is "its refused send is counted" "$(offloadctl services --json |
	jq -c '[.fallback[] | select(.kind == "udp-segmentation") | [.service, .link, .hits]]')" '[["quic.service","vlan10",1]]'
is "it is not named while the interface is broken" "$(named)" '[]'
check "vlan10 is repaired" offloadctl resume vlan10
within 20 "it is as declared" quiet_links
within 90 "it is named" is_named '[["quic.service","vlan10",1]]'
end
check "it is restarted and sends" serve
within 20 "it is not named any more" is_named '[]'
is "and not refused again" "$(grep -c 'disabling GSO' "$scratch/server")" 0
packets=$(packets)
within 90 "after much more" sent $((packets + 5000))
check "it is still not named" is_named '[]'
end
is "nobody is undecided" "$(offloadctl services --json | jq .udp_undecided)" 0
daemon_stops
done_testing
