# SPDX-License-Identifier: GPL-2.0-or-later
# Another program keeps switching scatter-gather: the daemon backs off, says so once, costs nothing meanwhile, and repairs when it is
# over. The times are shorter than the defaults, which tests/unit/test-contention.c has.
. "$(dirname "$0")/../lib.sh"

mkdir -p /etc/offloadd
printf '%s\n' '[Contention]' 'Window=4s' 'Quiet=3s' >/etc/offloadd/offloadd.conf
stack
daemon_start "the daemon starts" --enforce
record_mark
fight vlan10 10
echo "# note the daemon used $fight_permille per mille of this CPU"
check "under 3% of the CPU over the fight, its beginning included" test "$fight_permille" -lt 30
one_record "one record says contended" '^offloadd: contended: vlan10: .*backing off'
check "few repairs before it stepped back" test "$(records '^offloadd: repaired: vlan10: ' | wc -l)" -le 8
within 20 "repaired soon after it stopped" is_on vlan10 scatter-gather tcp-segmentation-offload
daemon_stops
done_testing
