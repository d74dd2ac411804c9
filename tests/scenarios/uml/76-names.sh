# SPDX-License-Identifier: GPL-2.0-or-later
# udev renames an interface a moment after the kernel has announced it: a rule applies to the name that it has in the end, or to an
# alternative one, and a rule for the name that it had before changes nothing. A real systemd-udevd, in the namespace that it works for.
[ "$(readlink /proc/1/ns/net)" = "$(readlink /proc/self/ns/net)" ] ||
	exec nsenter --net=/proc/1/ns/net --mount=/proc/1/ns/mnt bash "$(realpath "$0")"
. "$(dirname "$0")/../lib.sh"

mkdir -p /etc/systemd/network /run/udev
printf '%s\n' '[Match]' 'OriginalName=eth0' '[Link]' 'NamePolicy=' 'Name=lan0' 'AlternativeName=uplink0' >/etc/systemd/network/10-lan.link
rule 50-old.rule '[Match]' 'Name=eth0' '[Features]' 'sg=off'
rule 60-new.rule '[Match]' 'Name=lan0' '[Features]' 'gso=off'
rule 70-alternative.rule '[Match]' 'Name=uplink*' '[Features]' 'gro=off'
rule 80-kind.rule '[Match]' 'Kind=dummy' '[Features]' 'tx-nocache-copy=on'
/lib/systemd/systemd-udevd --daemon 2>/dev/null
udevd=$(pgrep -nx 'systemd-udevd|udevadm')
clean() { # this is the namespace of the machine: others follow
	kill -KILL "$udevd" 2>/dev/null
	for name in eth0 lan0 lan1; do ip link del $name 2>/dev/null; done
	rm -rf /run/udev /etc/systemd/network/10-lan.link
	scenario_end
}
trap clean EXIT
check "udev is there" wait_until 20 test -e /run/udev/control
daemon_start "the daemon starts" --enforce

ip link add eth0 type dummy
renamed() { ip link show lan0 >/dev/null 2>&1 && is_off lan0 generic-segmentation-offload generic-receive-offload; }
within 30 "the rules for its name and its alternative name apply" renamed
check "the rule for the name that it had for a moment has changed nothing" is_on lan0 scatter-gather
check "a rule without a name applies" is_on lan0 tx-nocache-copy
is "and is in no event" "$(records 50-old.rule)" ""
offloadctl plan lan0 >/dev/null
is "plan knows it under its name" $? 0
offloadctl plan uplink0 >/dev/null
is "and under its alternative name" $? 0
check "wait-online is done" offloadctl wait-online lan0 --timeout 20

# udev is busy, or does not come back to a link: rules without a name apply meanwhile, and nobody waits for ever
kill -STOP "$udevd"
ip link add lan1 type dummy
within 10 "a rule without a name does not wait" is_on lan1 tx-nocache-copy
rule 60-new.rule '[Match]' 'Name=lan*' '[Features]' 'gso=off'
offloadctl reload >/dev/null
check "the name may not be final" is_on lan1 generic-segmentation-offload
offloadctl wait-online lan1 --timeout 1 >/dev/null
check "so wait-online does not say that it is as declared" test $? != 0
kill -CONT "$udevd"
within 30 "when udev has finished, it applies" is_off lan1 generic-segmentation-offload
kill "$udevd"
daemon_stops
done_testing
