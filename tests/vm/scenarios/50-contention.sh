# SPDX-License-Identifier: GPL-2.0-or-later
# Somebody keeps switching scatter-gather: the daemon steps back, says so once, costs nothing meanwhile, and heals when it is over.
. "$(dirname "$0")/../lib.sh"

cpu_ticks() { # utime + stime of the daemon
	awk '{ print $14 + $15 }' "/proc/$daemon/stat"
}

stack
daemon_start "the daemon starts" --enforce
record_mark
ticks=$(cpu_ticks)
begin=$(now_ms)
while [ $(($(now_ms) - begin)) -lt 20000 ]; do
	ethtool -K vlan10 sg off >/dev/null 2>&1
	read -rt 0.05 -u "$idle" || :
	ethtool -K vlan10 sg on >/dev/null 2>&1
	read -rt 0.05 -u "$idle" || :
done
took=$(($(now_ms) - begin))
ticks=$(($(cpu_ticks) - ticks))
permille=$((ticks * 10000 / took))
ethtool -K vlan10 sg off >/dev/null 2>&1
echo "# note the daemon used $permille per mille of a CPU over $took ms"
check "under 1% CPU over the fight" test $permille -lt 10
one_record "one record says contended" '^offloadd: contended: vlan10: .*left alone until it is quiet'
check "few repairs before it stepped back" test "$(records '^offloadd: repaired: vlan10: .*set on' | wc -l)" -le 8
within 60 "healed within a minute after it stopped" is_on vlan10 scatter-gather tcp-segmentation-offload
daemon_stops
done_testing
