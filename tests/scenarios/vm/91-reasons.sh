# SPDX-License-Identifier: GPL-2.0-or-later
# Why packets are split: each on the interface where it happens, with its reason, and never "well" meanwhile.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../probes.sh"

reasons() { # the interfaces, kinds and reasons of all that was counted, without duplicates
	ask hits | sed -nE 's/^(segmentation|checksum) link=([^ ]+) .* reason=([^ ]+) limit=([0-9]+) .*/\2 \1 \3 \4/p' | sort -u
}

check "the other host is there" network
probes_start
has "the probes run" "$(ask status)" '^segmentation .*(fentry|kprobe)$' '^checksum .*(fentry|kprobe)$'
server system.slice/plain.service 10.9.0.1 5001
client plain 10.9.0.1 5001
check "it sends" fetch plain
is "nothing is split on a healthy path" "$(reasons)" ""

ip link set eth2 gso_max_size 8000
ip link set vlan10 gso_max_size 65536
ip link set bond0 gso_max_size 65536
check "it sends" fetch plain
reasons | sed 's/^/# note /'
is "the limit of the port splits" "$(reasons)" "eth2 segmentation size-limit 8000"
done_testing
