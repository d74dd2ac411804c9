# SPDX-License-Identifier: GPL-2.0-or-later
# Somebody keeps switching scatter-gather: the daemon steps back, says so once, costs nothing meanwhile, and heals when it is over.
. "$(dirname "$0")/../lib.sh"

stack
daemon_start "the daemon starts" --enforce
record_mark
fight vlan10 20
echo "# note the daemon used $fight_permille per mille of this CPU; an emulated one is $(slowdown) times slower than the real one"
check "under 1% of a real CPU over the fight" test $((fight_permille / $(slowdown))) -lt 10
one_record "one record says contended" '^offloadd: contended: vlan10: .*left alone until it is quiet'
check "few repairs before it stepped back" test "$(records '^offloadd: repaired: vlan10: .*set on' | wc -l)" -le 8
within 60 "healed within a minute after it stopped" is_on vlan10 scatter-gather tcp-segmentation-offload
daemon_stops
done_testing
