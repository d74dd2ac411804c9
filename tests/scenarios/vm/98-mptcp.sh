# SPDX-License-Identifier: GPL-2.0-or-later
# MPTCP: the kernel creates the sockets that send, and yet a service is behind them: also behind one that its listener fell back to.
# kernels: 6.12
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../probes.sh"

check "the other host is there" network
probes_start
[ -e /proc/sys/net/mptcp/enabled ] || {
	skip "services behind MPTCP" "this kernel has no MPTCP"
	done_testing
	exit
}
sysctl -qw net.mptcp.enabled=1
ip netns exec $peer sysctl -qw net.mptcp.enabled=1
MPTCP=1 server system.slice/paths.service 10.9.0.1 5001
MPTCP=1 server system.slice/fallback.service 10.9.0.1 5002
break_vlan
MPTCP=1 client paths 10.9.0.1 5001
client fallback 10.9.0.1 5002
check "an MPTCP sender sends" fetch paths
has "it is MPTCP" "$(ss -Mn)" '10.9.0.1:5001'
check "an MPTCP listener sends by TCP" fetch fallback
for name in paths fallback; do
	is "$name is charged with its segmentation" \
		"$([ "$(hits "^segmentation link=vlan10 origin=local service=$name.service")" -gt 0 ] && echo yes)" yes
done
is "and not the kernel" "$(hits link=vlan10 origin=kernel)" 0
sed 's/^/# note /' <<<"$(ask hits; ask all-sockets)"
has "the inventory names the service of both" "$(ask all-sockets)" '^10.9.0.1:5001 10.9.0.2:[0-9]+ link=vlan10 service=paths.service' \
	'^10.9.0.1:5002 10.9.0.2:[0-9]+ link=vlan10 service=fallback.service'
probes_stop
done_testing
