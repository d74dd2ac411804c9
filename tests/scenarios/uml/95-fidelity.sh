# SPDX-License-Identifier: GPL-2.0-or-later
# Dry-run fidelity: random stacks, changes by others, random SETs and random rules; every link as predicted. FIDELITY_SEED repeats a run,
# FIDELITY_CASES changes its length.
. "$(dirname "$0")/../lib.sh"

cases=${FIDELITY_CASES:-$([ -n "$LONG" ] && echo 10000 || echo 1000)}
# a fixed one in make check, so that what it says of a change is about the change
seed=${FIDELITY_SEED:-$([ -n "$LONG" ] && echo $EPOCHSECONDS || echo 20261121)}
for module in macvlan macvtap ipvlan ipvtap vxlan geneve team tun ip_gre ip6_gre ipip sit xfrm_interface macsec vrf hsr openvswitch; do
	modprobe -q $module
done
modprobe ifb numifbs=0
# Each command about a link that is not there would have the kernel start modprobe, for netdev-NAME: 0.1 to 0.9 s.
sysctl -qw kernel.modprobe=

fidelity "$cases random cases are as predicted" --cases "$cases"
fidelity "and some by the ioctl" --cases $((cases / 10)) --ethtool ioctl

# As a kernel with back-ports, whose release shows less than it does: what the trial finds is what the real release tells (Linux 5.10 has
# no such feature on a veth), and what a later release may have changed is uncertain.
[ "$KERNEL" = 5.10 ] || fidelity "as an enterprise kernel of 5.14" --cases $((cases / 10)) --backports 5.14.0-427.el9.x86_64
fidelity "as one of 4.18" --cases $((cases / 10)) --ethtool ioctl --backports 4.18.0-553.el8.x86_64
sysctl -qw kernel.modprobe=/sbin/modprobe
done_testing
