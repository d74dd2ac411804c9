# SPDX-License-Identifier: GPL-2.0-or-later
# What cannot be had: named, explained, told once, and not tried again and again.
. "$(dirname "$0")/../lib.sh"

sets() { # how many ETHTOOL_MSG_FEATURES_SET the daemon has sent since it is traced
	grep -c 'sendto(.*"\\x0c\\x01\\x00\\x00' "$scratch/sent"
}

modprobe tun
ip tuntap add tap0 mode tap
ip link add link tap0 name vlan50 type vlan id 50
ip link set tap0 up
rule 60-impossible.rule '[Rule]' 'Description=more than the device can' '[Match]' 'Name=vlan50' '[Features]' \
	'tx-tcp-segmentation=on'
rule 62-last.rule '[Match]' 'Name=last0' '[Features]' 'tso=off'
rule 61-fixed.rule '[Rule]' 'Description=the driver holds it' '[Match]' 'Name=lo' '[Features]' 'tx-scatter-gather=off'

plan=$(offloadctl plan 2>&1) status=$?
has "plan exits 4, or 6 when something else is pending" "$status" '^[46]$'
offloadctl apply >"$scratch/apply" 2>&1
is "apply exits 4" $? 4
offloadctl plan >/dev/null 2>&1
is "plan exits 4" $? 4
has "explain names the device below and the reason" "$(offloadctl explain vlan50 tx-tcp-segmentation 2>&1)" tap0 \
	'tx-tcp-segmentation'
has "explain of an unsupported feature names the driver" "$(offloadctl explain lo tx-scatter-gather 2>&1)" 'lo' 'the driver.* does not allow'

daemon_start "the daemon starts" --enforce
strace -f -p "$daemon" -e trace=sendto -o "$scratch/sent" 2>"$scratch/strace" &
tracer=$!
within 5 "what it sends is traced" file_has "$scratch/strace" attached
ip link set vlan50 up
for i in 1 2 3 4 5 6 7 8 9 10; do ip link set vlan50 mtu $((1400 + i)); done
within 5 "it tells of the VLAN" has_records '^offloadd: unmet: vlan50 '
# what comes last is done last: then everything before it is done too
ip link add last0 type dummy
within 5 "it has worked through all events" is_off last0 tx-tcp-segmentation
kill $tracer
wait $tracer
is "ten events on the link led to no SET besides the one for the last link" "$(sets)" 1
one_record "one record tells of the VLAN" '^offloadd: unmet: vlan50 '
one_record "one record tells of the fixed feature" '^offloadd: unmet: lo .*tx-scatter-gather'
daemon_stops
done_testing
