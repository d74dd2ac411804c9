# SPDX-License-Identifier: GPL-2.0-or-later
# Dry-run fidelity: random stacks over the machine's cards, random SETs and random rules; every link as predicted. FIDELITY_SEED repeats a run,
# FIDELITY_CASES changes its length.
# kernels: 7
. "$(dirname "$0")/../lib.sh"

cases=${FIDELITY_CASES:-$([ -n "$LONG" ] && echo 1000 || echo 40)}
# a fixed one in make check, so that what it says of a change is about the change
seed=${FIDELITY_SEED:-$([ -n "$LONG" ] && echo $EPOCHSECONDS || echo 20261121)}
for module in e1000e vmxnet3 virtio_net macvlan macvtap ipvlan vxlan team tun ip_gre; do modprobe $module; done
modprobe ifb numifbs=0
# Each command about a link that is not there would have the kernel start modprobe, for netdev-NAME: 0.1 to 0.9 s.
sysctl -qw kernel.modprobe=
wait_until 10 three_cards
cards=$(first_namespace sh -c 'ls -d /sys/class/net/*/device' | cut -d/ -f5)
for card in $cards; do first_namespace ip link set "$card" netns $$; done
for card in $cards; do ip link set "$card" up; done

fidelity "$cases random cases are as predicted" --cases "$cases"
fidelity "and some by the ioctl" --cases $((cases / 2)) --ethtool ioctl
for card in $cards; do ip link set "$card" netns 1; done
sysctl -qw kernel.modprobe=/sbin/modprobe
done_testing
