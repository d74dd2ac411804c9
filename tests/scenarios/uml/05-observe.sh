# SPDX-License-Identifier: GPL-2.0-or-later
# The observe room on this kernel, with the machine's cards: the test of the netns layer, with more links to look at.
. "$(dirname "$0")/../lib.sh"
for module in e1000e vmxnet3 virtio_net; do modprobe $module; done
# `ip netns exec` has another /sys
cards() { nsenter --net=/proc/1/ns/net --mount=/proc/1/ns/mnt sh -c 'ls -d /sys/class/net/*/device' | cut -d/ -f5; }
three() { [ "$(cards | wc -l)" = 3 ]; }
wait_until 10 three
CARDS=$(cards | xargs)
export CARDS
exec "$(dirname "$0")/../../netns/observe.sh"
