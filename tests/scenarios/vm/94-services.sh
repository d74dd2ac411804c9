# SPDX-License-Identifier: GPL-2.0-or-later
# What the daemon makes of the probes: who changed a link, which services pay, which must reconnect, and that this outlives a kill.
# kernels: 6.12
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../probes.sh"
case $KERNEL in
5.10 | 6.1) copying=sendpage ;;
*) copying=splice ;;
esac

services() { # JQ-FILTER
	offloadctl services --json | jq -c "$1"
}
paid() { # SERVICE: the sum of all its hits
	services "[.fallback[] | select(.service == \"$1\").hits] | add // 0"
}
flagged() { # SERVICE: link, sockets and features of its flags
	services "[.restart[] | select(.service == \"$1\") | [.link, .sockets]]"
}
is_flagged() { # SERVICE WANTED; prints what there is instead
	local got
	got=$(flagged "$1")
	[ "$got" = "$2" ] || { echo "flags: $got" && offloadctl sockets --all; ss -tnie; return 1; } 2>&1
}
pays() { # SERVICE: kinds and link
	services "[.fallback[] | select(.service == \"$1\") | .link + \" \" + .kind] | sort"
}
end_service() { # CGROUP: all of its processes, as systemd does
	xargs -r kill -KILL <"/sys/fs/cgroup/$1/cgroup.procs"
	wait_until 20 deserted "$1"
}
from() { # CGROUP COMMAND...: in the foreground; its parent is this shell
	mkdir -p "/sys/fs/cgroup/$1"
	(echo 0 >"/sys/fs/cgroup/$1/cgroup.procs" && shift && exec "$@") >/dev/null
}
again() { # OPTION...: the daemon anew
	record_mark
	daemon_start "offloadd starts ($*)" "$@"
}
two_records() { [ "$(records "$@" | wc -l)" = 2 ]; }
deserted() { # CGROUP
	[ -z "$(cat "/sys/fs/cgroup/$1/cgroup.procs")" ]
}
done_by() { # DESCRIPTION LINK REGEX...: the last record of a drift of that link matches
	local description=$1 link=$2
	shift 2
	within 20 "$description" has_records "^offloadd: drift: $link " "$@"
	records '^offloadd: drift: ' | sed 's/^/# note /'
	record_mark
}
quiet_links() { # every link is as declared
	offloadctl plan >/dev/null
}

check "the other host is there" network
again --dry-run
has "status tells which probes run" "$(offloadctl status --all)" "^probe $copying .*(fentry|kprobe)" '^probe segmentation .*(fentry|kprobe)' \
	'^probe checksum .*(fentry|kprobe)' '^probe sockets .*iterator' '^probe feature changes .*(fentry|kprobe)'
is "and misses none" "$(offloadctl status --json | jq -c '[.daemon.probes[] | select(.method == null)]')" '[]'

# who changed it
from user.slice/user-1000.slice/session-3.scope ethtool -K vlan10 sg off
done_by "netlink: the record of a drift names process, parent and unit" vlan10 'changed by ethtool\[[0-9]+\], child of bash\[[0-9]+\], in session-3.scope, at '
is "and so does the document" "$(offloadctl events --json |
	jq -c '[.events[] | select(.event == "drift" and .link == "vlan10")][-1].changed_by | [.process, .parent, .unit, .link]')" \
	'["ethtool","bash","session-3.scope",null]'
ethtool -K vlan10 sg on tso on >/dev/null
wait_until 20 quiet_links
record_mark
from system.slice/chef.service "$tools/observe-dump" ioctl set vlan10 off tx-scatter-gather
done_by "ioctl: it does, too" vlan10 'changed by observe-dump\[[0-9]+\], child of bash\[[0-9]+\], in chef.service, at '
ethtool -K vlan10 sg on tso on >/dev/null
wait_until 20 quiet_links
record_mark
from system.slice/plain.service ethtool -K bond0 sg off
wait_until 20 has_records '^offloadd: drift: vlan10 ' || :
has "a cascade: the bond's record names them" "$(records '^offloadd: drift: bond0 ')" 'changed by ethtool\[[0-9]+\], .*in plain.service, at '
done_by "and that of the VLAN, with the bond" vlan10 'changed by ethtool\[[0-9]+\], .*in plain.service, via bond0, at '
ethtool -K bond0 sg on tso on >/dev/null
wait_until 20 quiet_links
daemon_stops

# who pays
mkdir -p /etc/offloadd
printf '%s\n' '[Metrics]' 'SendfileLatency=yes' >/etc/offloadd/offloadd.conf
again --enforce
server system.slice/plain.service 10.9.0.1 5001
server system.slice/signed.service 10.9.0.1 5002 10.9.0.2
check "vlan10 is paused" offloadctl pause vlan10
break_vlan
client plain 10.9.0.1 5001
client signed 10.9.0.1 5002 10.9.0.1
client signed2 10.9.0.1 5002 10.9.0.1
check "a plain sender sends" fetch plain
is "its service pays by both kinds" "$(pays plain.service)" '["vlan10 checksum","vlan10 segmentation"]'
within 20 "each is a record" two_records '^offloadd: fallback: plain.service is using software fallback on vlan10 .(segmentation|checksum).; .*no restart is needed. Run: offloadctl resume vlan10'
before=$(paid plain.service)
for i in 1 2 3; do fetch plain; done
check "the more it sends, the more" test "$(paid plain.service)" -gt "$before"
is "and no more is recorded" "$(records '^offloadd: fallback: .*plain.service' | wc -l)" 2
sendfiles() { offloadctl metrics | awk '/^offloadd_sendfile_seconds_count/ { print $NF }'; }
check "its calls of sendfile are in the histogram that was asked for" test "$(sendfiles)" -ge 4
paying() {
	fetch plain
	offloadctl services | grep -E '^  plain.service on vlan10: .*; .*no restart is needed. Run: offloadctl resume vlan10$'
}
within 60 "services says what ends it" paying
check "a signed sender sends" fetch signed
check "and another of its connections" fetch signed2
has "its pages are copied" "$(pays signed.service)" "\"vlan10 $copying\""
is "nobody needs a restart" "$(services .restart)" '[]'
has "the metrics have it" "$(offloadctl metrics)" '^offloadd_fallback_hits_total\{.*fallback_kind="segmentation",link="vlan10",reason="feature",unit="plain.service"\} [1-9]' \
	'^offloadd_probe_info\{.*probe="segmentation",function="__skb_gso_segment",method="(fentry|kprobe)",why=""\} 1'
offloadctl services | sed 's/^/# note /'

# what is left after the repair
check "vlan10 is put right" offloadctl resume vlan10
within 20 "it is as declared" quiet_links
within 20 "the signed service is flagged, with its link and sockets" is_flagged signed.service '[["vlan10",2]]'
is "the plain one never is" "$(flagged plain.service)" '[]'
within 20 "a record says so" has_records '^offloadd: stale: signed.service has 2 stale connections: they still lack .*tx-scatter-gather.*, which vlan10 has regained'
before=$(paid plain.service)
fetch plain
is "the plain one pays no more" "$(paid plain.service)" "$before"
client anew 10.9.0.1 5002 10.9.0.1
fetch anew
is "a new connection of the same service is not counted" "$(flagged signed.service)" '[["vlan10",2]]'
hits=$(services '.restart[0].hits')
fetch signed
check "what it still pays is counted since then" test "$(services '.restart[0].hits')" -gt "$hits"
has "services advises a restart" "$(offloadctl services)" '^  signed.service on vlan10: 2 stale connections since 20.*, without tx-scatter-gather.*; used software fallback [0-9]+ times since then; over IPv4 run: sysctl .*; otherwise restart the service$'
has "and lists it with those that use software fallback, while it copies" "$(offloadctl services)" '^Services using software fallback:$' \
	"^  signed.service on vlan10: $copying [0-9]+; .*; over IPv4 run: sysctl .*; otherwise restart the service\$"
is "needrestart's lines" "$(offloadctl services --format needrestart | tail -n +2)" "NEEDRESTART-SVC: signed.service"
nagios=$(offloadctl services --format nagios)
is "nagios' exit status" $? 2
has "and text" "$nagios" '^OFFLOADD CRITICAL - services that still lack an offload: signed.service \| restart=1;;0;0 stale=2;'
has "the metrics have it, too" "$(offloadctl metrics)" '^offloadd_stale_connections\{.*unit="signed.service",link="vlan10"\} 2$' \
	'^offloadd_restart_needed\{.*unit="signed.service"\} 1$'

# nobody asks for the histogram any more
rm /etc/offloadd/offloadd.conf
not_timed() { [ -z "$(sendfiles)" ]; }
kill -HUP "$daemon"
within 20 "a reload ends the histogram" not_timed

# a kill loses nothing
before=$(services '.restart[0] | [.service, .link, .sockets, .since_usec]') hits=$(services '.restart[0].hits')
saved() { # hits alone are written only now and then
	awk -v hits="$hits" 'NR > 1 && $4 >= hits { found = 1 } END { exit !found }' /run/offloadd/services*
}
within 60 "it is in the file" saved
kill -KILL "$daemon"
wait "$daemon" 2>/dev/null
offloadctl services >"$scratch/alone" 2>&1
is "without offloadd: exit status 3" $? 3
has "and the sockets all the same" "$(cat "$scratch/alone")" '^  signed.service on vlan10: 2 stale connections' 'only offloadd counts it'
offloadctl services --format nagios >/dev/null 2>&1
is "nagios is told of what is found" $? 2
again --enforce
within 20 "after a kill the flag is as it was" is_flagged signed.service '[["vlan10",2]]'
is "with its time" "$(services '.restart[0] | [.service, .link, .sockets, .since_usec]')" "$before"
check "and its hits" test "$(services '.restart[0].hits')" -ge "$hits"
is "and is not told of again" "$(records '^offloadd: stale: ')" ""

# the service restarts
end_service system.slice/signed.service
server system.slice/signed.service 10.9.0.1 5002 10.9.0.2
within 20 "the flag goes when the service restarts" is_flagged signed.service '[]'
within 20 "a record says so" has_records '^offloadd: reconnected: signed.service has no stale connections on vlan10 any more'
offloadctl services --format nagios >"$scratch/nagios"
check "nagios is content, or told of what was paid a moment ago" test $? -lt 2
is "nothing needs a restart" "$(offloadctl services --format needrestart | tail -n +2)" ""

# forwarded
ip netns add $peer-in
ip link add fwd type veth peer name far netns $peer-in
ip addr add 10.8.0.1/24 dev fwd
ip link set fwd up
ip -n $peer-in addr add 10.8.0.2/24 dev far
ip -n $peer-in link set far up
ip -n $peer-in link set lo up
ip -n $peer-in route add default via 10.8.0.1
ip -n $peer route add default via 10.9.0.1
sysctl -qw net.ipv4.ip_forward=1
offloadctl pause vlan10 >/dev/null
break_vlan
ip netns exec $peer-in "$tools/sendfile-peer" server 10.8.0.2 5009 "$scratch/file" >"$scratch/forwarded" &
started+=($!)
disown $!
wait_until 20 file_has "$scratch/forwarded" listening
client forwarded 10.8.0.2 5009
check "forwarded traffic flows" fetch forwarded
is "it is charged to no service, with the link" "$(services '[.fallback[] | select(.origin == "forwarded" and .kind == "segmentation") | [.link, .service]]')" \
	'[["vlan10",null]]'
within 20 "a record says so" has_records '^offloadd: fallback: Forwarded traffic is using software fallback on vlan10 .segmentation'
ip netns del $peer-in
offloadctl resume vlan10 >/dev/null
wait_until 20 quiet_links
daemon_stops

# without BTF: not much is seen, and links are held all the same
mount -t tmpfs none /sys/kernel/btf
printf '%s\n' '[Metrics]' 'SendfileLatency=yes' >/etc/offloadd/offloadd.conf
again --enforce
has "without BTF status says what is absent and why" "$(offloadctl status --all)" '^probe segmentation .*: not available, the kernel has no BTF' '^probe sockets .*: not available'
one_record "a record says so" '^offloadd: state: [0-9]+ of [0-9]+ probes unavailable'
one_record "and another that sendfile is not timed" '^offloadd: state: Failed to measure sendfile latency: the kernel has no BTF'
is "what cannot be seen is null" "$(services .restart)" "$(case $KERNEL in 5.10 | 6.1) echo '[]' ;; *) echo null ;; esac)"
ethtool -K vlan10 tso off >/dev/null
within 20 "vlan10 is repaired all the same" is_on vlan10 tcp-segmentation-offload
offloadctl pause vlan10 >/dev/null
break_vlan
client blind 10.9.0.1 5002 10.9.0.1
check "a signed sender sends" fetch blind
case $KERNEL in
5.10 | 6.1) is "sendpage is counted by process and its service" "$(services '[.fallback[] | select(.service == "signed.service" and .hits > 0).kind]')" '["sendpage"]' ;;
*) is "there is no sendpage to count" "$(services .fallback)" null ;;
esac
daemon_stops
umount /sys/kernel/btf
done_testing
