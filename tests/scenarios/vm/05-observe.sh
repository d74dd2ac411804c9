# SPDX-License-Identifier: GPL-2.0-or-later
# What the daemon observes of the machine's cards: the parts of the netns layer's test in which a driver has a say.
# kernels: 7
. "$(dirname "$0")/../lib.sh"
for module in e1000e vmxnet3 virtio_net; do modprobe $module; done
wait_until 10 three_cards
CARDS=$(first_namespace sh -c 'ls -d /sys/class/net/*/device' | cut -d/ -f5 | xargs)
export CARDS
exec "$(dirname "$0")/../../netns/observe.sh"
