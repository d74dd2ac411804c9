# SPDX-License-Identifier: GPL-2.0-or-later
# What the probes see of the incident: who pays, who is stale, what is only passing through, and who changed it.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../probes.sh"
case $KERNEL in
5.10 | 6.1) copying=sendpage ;;
*) copying=splice ;;
esac

check "the other host is there" network
probes_start
status=$(ask status)
has "every probe of this kernel runs" "$status" "^$copying .*(fentry|kprobe)$" '^segmentation .*(fentry|kprobe)$' \
	'^checksum .*(fentry|kprobe)$' '^sockets .*iterator$' '^feature changes .*(fentry|kprobe)$'
is "what is absent is not missing" "$(grep absent <<<"$status" | grep -v 'nothing missing')" ""
sed 's/^/# note /' <<<"$ready"

# healthy
server system.slice/plain.service 10.9.0.1 5001
server system.slice/signed.service 10.9.0.1 5002 10.9.0.2
server system.slice/signed6.service fd09::1 5003 fd09::2
client healthy 10.9.0.1 5001
check "a healthy sender sends" fetch healthy
is "and nobody pays" "$(hits vlan10)" 0

# who changed it: by netlink, by ioctl, and by a cascade
(echo 0 >/sys/fs/cgroup/system.slice/plain.service/cgroup.procs && exec ethtool -K bond0 sg off) >/dev/null
followed() { # from 7.x on a VLAN follows in a worker
	is_off vlan10 scatter-gather && ask change vlan10 | grep -q root=bond0
}
wait_until 5 followed
has "a cascade names process, parent, service and where it began" "$(ask change vlan10)" \
	'comm=ethtool .*parent=bash service=plain.service root=bond0' 'off: .*tx-scatter-gather'
has "and so does the link where it began" "$(ask change bond0)" 'comm=ethtool .*root=bond0'
ethtool -K bond0 sg on >/dev/null
wait_until 5 is_on vlan10 scatter-gather
(echo 0 >/sys/fs/cgroup/system.slice/signed.service/cgroup.procs &&
	exec "$tools/observe-dump" ioctl set vlan10 off tx-scatter-gather) >/dev/null
has "a change by ioctl names its process" "$(ask change vlan10)" \
	'comm=observe-dump .*service=signed.service root=vlan10' 'off: .*tx-scatter-gather'
mkdir -p /sys/fs/cgroup/user.slice/user-1000.slice/session-3.scope
(echo 0 >/sys/fs/cgroup/user.slice/user-1000.slice/session-3.scope/cgroup.procs && exec ethtool -K vlan10 tx off) >/dev/null
has "a change by netlink too" "$(ask change vlan10)" 'comm=ethtool .*service=session-3.scope root=vlan10' 'off: .*tx-checksum'
is "a link that nobody changed has no record" "$(ask change p2)" "error No such file or directory"

# vlan10 is broken now
client plain 10.9.0.1 5001
client signed 10.9.0.1 5002 10.9.0.1
client signed6 fd09::1 5003 fd09::1
check "a plain sender sends" fetch plain
is "it pays for segmentation" "$([ "$(hits '^segmentation link=vlan10 origin=local service=plain.service')" -gt 0 ] && echo yes)" yes
is "and for checksums" "$([ "$(hits '^checksum link=vlan10 origin=local service=plain.service')" -gt 0 ] && echo yes)" yes
before=$(hits service=plain.service)
check "it sends again" fetch plain
is "and pays more" "$([ "$(hits service=plain.service)" -gt "$before" ] && echo yes)" yes
check "a signed sender sends" fetch signed
check "a signed sender sends over IPv6" fetch signed6
for name in signed signed6; do
	is "$name copies its pages" "$([ "$(hits "^$copying link=vlan10 origin=local service=$name.service")" -gt 0 ] && echo yes)" yes
done
has "nobody is stale while the device is without" "$(ask sockets)" '^sockets=0 visited=4 '

repair_vlan
sockets=$(ask sockets)
has "after the repair the signed sockets are stale, with link and service" "$sockets" '^sockets=2 visited=4 ' \
	'^10.9.0.1:5002 10.9.0.2:[0-9]+ link=vlan10 service=signed.service stale=1' \
	'^\[fd09::1\]:5003 \[fd09::2\]:[0-9]+ link=vlan10 service=signed6.service stale=1'
before=$(hits service=plain.service)
fetch plain
fetch healthy
is "the plain service pays no more" "$(hits service=plain.service)" "$before"
before=$(hits "^$copying .*service=signed.service")
fetch signed
is "the stale one still does" "$([ "$(hits "^$copying .*service=signed.service")" -gt "$before" ] && echo yes)" yes
client again 10.9.0.1 5002 10.9.0.1
before=$(hits "^$copying .*service=signed.service")
fetch again
is "a new connection of the same service does not" "$(hits "^$copying .*service=signed.service")" "$before"
has "nor is it counted as stale" "$(ask sockets)" '^sockets=2 visited=5 '

# to route an IPv4 socket again is enough: sk_setup_caps() runs once more
sysctl -qw net.ipv4.route.flush=1
has "an IPv4 socket that will be routed again is no longer told" "$(ask sockets)" '^sockets=1 visited=5 '
fetch signed
fetch signed
has "an IPv4 socket that was routed again is not stale" "$(ask sockets)" '^sockets=1 visited=5 '

# the service restarts
disconnect signed6
has "the last stale connection is gone with its connection" "$(ask sockets)" '^sockets=0 visited=4 '

# and so is a new path MTU to any host behind the same gateway (DST_OBSOLETE_KILL)
ip addr add 10.9.9.1/32 dev vlan10
ip route add 10.7.0.0/24 via 10.9.0.2
ip netns exec $peer sysctl -qw net.ipv4.ip_forward=1
ip -n $peer link add narrow mtu 1000 type veth peer name narrow-end
ip -n $peer link set narrow up
ip -n $peer link set narrow-end up
ip -n $peer addr add 10.7.0.1/24 dev narrow
ip -n $peer route add 10.9.9.1 dev v10 src 10.7.0.1
server system.slice/routed.service 10.9.9.1 5005 10.7.0.1
break_vlan
client routed 10.9.9.1 5005 10.9.9.1
repair_vlan
has "a signed connection through a gateway is stale" "$(ask sockets)" '^sockets=1 visited=5 ' '^10.9.9.1:5005 10.7.0.1:[0-9]+ .*stale=1'
too_wide() { # the gateway answers a datagram with ICMP "fragmentation needed"
	exec 7<>/dev/udp/10.7.0.200/9
	head -c 1400 /dev/zero >&7
	ask sockets | grep -q '^sockets=0 visited=5 '
}
within 10 "it is no longer listed once its route is obsolete" too_wide
exec 7>&-
disconnect routed
ip route del 10.7.0.0/24
ip addr del 10.9.9.1/32 dev vlan10
ip -n $peer link del narrow
has "all sockets are told when asked for" "$(ask all-sockets)" '^sockets=4 visited=4 ' 'service=plain.service stale=0'

# latency
has "sendfile's latency can be watched" "$(ask latency-start)" '^latency .*(fentry|kprobe)$'
fetch plain
break_vlan
fetch plain
latency=$(ask latency)
has "and is told by service, healthy and falling back apart" "$latency" '^latency service=plain.service healthy count=[1-9]' \
	'^latency service=plain.service fallback count=[1-9]' '^lost=0 begun=0$'
sed 's/^/# note /' <<<"$latency"
repair_vlan

# what packets lack depends on their family
server system.slice/plain6.service fd09::1 5004
client plain6 fd09::1 5004
ethtool -K vlan10 tx-tcp6-segmentation off >/dev/null
ask latency >/dev/null
before=$(hits service=plain.service)
check "over IPv4 without TCP segmentation for IPv6" fetch plain
check "over IPv6" fetch plain6
is "IPv4 pays nothing" "$(hits service=plain.service)" "$before"
has "IPv6 does, for want of that alone" "$(ask hits)" \
	'^segmentation link=vlan10 origin=local service=plain6.service .*hits=[1-9][0-9]* missing=tx-tcp6-segmentation reason=feature '
has "and sendfile is filed so" "$(ask latency)" '^latency service=plain.service healthy count=[1-9]' \
	'^latency service=plain6.service fallback count=[1-9]'
repair_vlan

# a call that does not return: to who takes nothing
ip netns exec $peer bash -c 'exec 7<>/dev/tcp/10.9.0.1/5001 && echo >&7 && exec sleep infinity' &
stuck=$!
started+=($stuck)
disown $stuck
runs() {
	ask latency | grep -qE '^running service=plain.service healthy link=[1-9][0-9]* usec=[1-9]'
}
returned() {
	! runs
}
within 60 "a sendfile that has not returned is seen" runs
kill -KILL $stuck
within 60 "and no longer when it has" returned

# forwarded: from another namespace through this one out by vlan10, big packets from a veth that can all
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
break_vlan
ip netns exec $peer-in "$tools/sendfile-peer" server 10.8.0.2 5009 "$scratch/file" >"$scratch/forwarded" &
started+=($!)
disown $!
wait_until 20 file_has "$scratch/forwarded" listening
client forwarded 10.8.0.2 5009
before=$(hits vlan10 service=.*service)
check "forwarded traffic flows" fetch forwarded
all=$(ask hits)
has "it is reported as forwarded, with the link" "$all" '^segmentation link=vlan10 origin=forwarded service=- .*hits=[1-9]'
is "and charged to no service" "$(hits vlan10 service=.*service)" "$before"
ip netns del $peer-in
has "nothing was lost" "$(ask lost)" '^idle=never .*segmentation=0 checksum=0 .*events=0 malformed=0'
probes_stop

# the kernel numbers processes otherwise than a namespace of theirs does
repair_vlan
probes_run unshare --pid --fork --mount-proc "$tools/probes-dump"
ask gso vlan10 off >/dev/null
check "in a namespace of processes its change is made" is_off vlan10 generic-segmentation-offload
is "and is nobody else's" "$(ask change vlan10)" "error No such file or directory"
ethtool -K vlan10 gso on >/dev/null
has "while another's is" "$(ask change vlan10)" 'comm=ethtool .*root=vlan10' 'on: .*tx-generic-segmentation'
probes_stop
done_testing
