# SPDX-License-Identifier: GPL-2.0-or-later
# Another program keeps switching scatter-gather: the daemon backs off, says so once, costs nothing meanwhile, repairs when it is over,
# and says that it is over when that repair has held. The times are shorter than the defaults, which tests/unit/test-contention.c has.
# kernels: 5.10 7
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
check "that is not the end of it" test -z "$(records '^offloadd: resolved: vlan10')"
contended() { offloadctl status --json | jq -r '.daemon.contended[].link'; }
is "status has it as contended until then" "$(contended)" vlan10
one_record "then it is resolved" '^offloadd: resolved: vlan10: '
is "and status agrees" "$(contended)" ""

# Who is silent while it wins: it only acts when the feature is on.
record_mark
while :; do
	is_off vlan100 scatter-gather >/dev/null || ethtool -K vlan100 sg off >/dev/null
	read -rt 0.1 -u "$idle" || :
done &
silent=$!
within 20 "it is contended" has_records '^offloadd: contended: vlan100: '
repairs() { records '^offloadd: repaired: vlan100: ' | wc -l; }
tried_again() { [ "$(repairs)" -ge 6 ]; } # four, then one, and one after twice the time
within 30 "repairs are tried" tried_again
is "it was never resolved" "$(records '^offloadd: resolved: vlan100')" ""
is "and reported once" "$(records '^offloadd: contended: vlan100' | wc -l)" 1
offloadctl pause vlan100 >/dev/null
has "resume does not claim more than is true" "$(offloadctl resume vlan100)" 'contended'
has "nor its document" "$(offloadctl resume vlan100 --json)" '"tx-scatter-gather"'
kill $silent
daemon_stops

# A device that is reset by each SET, and something that acts when its carrier is back: far apart, but each costs the carrier.
record_mark
daemon_start "the daemon starts again" --enforce
for i in 1 2; do
	ethtool -K eth3 sg off >/dev/null
	within 5 "it is repaired, $i of 2" is_on eth3 scatter-gather
	losses=$(cat /sys/class/net/eth3/carrier_down_count)
	ip link set far3 down
	lost() { [ "$(cat /sys/class/net/eth3/carrier_down_count)" -gt "$losses" ]; }
	within 5 "its carrier is lost" lost
	ip link set far3 up
	up() { [ "$(cat /sys/class/net/eth3/carrier)" = 1 ]; }
	within 5 "and back" up
	check "the daemon has seen that" offloadctl wait-online eth3 --timeout 10
done
ethtool -K eth3 sg off >/dev/null
within 10 "the third time is contention" has_records '^offloadd: contended: eth3: .*carrier'
check "and not repaired" is_off eth3 scatter-gather
daemon_stops
done_testing
