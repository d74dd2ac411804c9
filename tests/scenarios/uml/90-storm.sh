# SPDX-License-Identifier: GPL-2.0-or-later
# A storm: thousands of VLANs in one batch while the receive buffer overruns. Every one is as declared at the end.
# kernels: 5.10 7
. "$(dirname "$0")/../lib.sh"

count=${STORM:-4094}
rule 50-storm.rule '[Rule]' 'Description=no segmentation on these' '[Match]' 'Name=s*' '[Features]' 'tso=off'
ip link add eth2 type veth peer name far2
ip link add bond0 type bond mode active-backup miimon 100
ip link set eth2 master bond0
ip link set bond0 up
for id in $(seq "$count"); do echo "link add link bond0 name s$id type vlan id $id"; done >"$scratch/batch"

daemon_start "the daemon starts with a receive buffer of 8 KiB" --enforce --rcvbuf 8192
begin=$(now_ms)
ip -batch "$scratch/batch"
echo "# note $count VLANs created in $(($(now_ms) - begin)) ms"
is "all VLANs are there" "$(links | grep -c '^s[0-9]')" "$count"
not_off() { ethtool -k '*' 2>/dev/null | awk '/^Features for s[0-9]/ { n++ } /^Features for/ { s = /for s[0-9]/ }
	s && /^tcp-segmentation-offload: off/ { off++ } END { print n - off }'; }
as_declared() { [ "$(not_off)" = 0 ]; }
within 120 "every one is as declared" as_declared
wait_until 10 has_records '^offloadd: overrun: '
has "the record tells how many overruns there were" "$(records '^offloadd: overrun: ' | tail -1)" 'overflowed (once|[0-9]+ times)'
echo "# note $(records '^offloadd: overrun: ' | tail -1)"
echo "# note peak memory of the daemon: $(awk '/VmHWM/ { print $2, $3 }' "/proc/$daemon/status")"
daemon_stops
done_testing
