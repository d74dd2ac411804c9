# SPDX-License-Identifier: GPL-2.0-or-later
# The daemon holds every link as declared, from the moment it appears and whatever is done to it, and says so once.
. "$(dirname "$0")/../lib.sh"
transmit="scatter-gather tx-checksumming tcp-segmentation-offload tx-tcp-segmentation"

rule 50-test.rule '[Rule]' 'Description=no segmentation on these' '[Match]' 'Name=vlan7* bond7*' '[Features]' 'tso=off'
stack
daemon_start "the daemon starts" --enforce
check "it is ready with everything as declared" is_on vlan10 $transmit

record_mark
ip link add link bond0 name vlan70 up type vlan id 70
within 1 "a VLAN created on the bond is as declared" is_off vlan70 tcp-segmentation-offload
check "what no rule names stays" is_on vlan70 scatter-gather tx-checksumming
one_record "one record tells of it: what was wrong, what was done, by which rule" '^offloadd: repaired: vlan70: turned off .*tx-tcp-segmentation.*50-test.rule'

# a bond without slaves has nothing to give; its VLAN gets it when the first slave joins, though late and with offloads off
ip link add bond1 type bond mode active-backup miimon 100
ip link add link bond1 name vlan11 type vlan id 11
ip link set bond1 up
ip link set vlan11 up
ip link add eth4 type veth peer name far4
ethtool -K eth4 sg off >/dev/null
ethtool -K eth4 tx off >/dev/null
record_mark
ip link set eth4 master bond1
within 1 "a slave that joins late is as declared" is_on eth4 $transmit
within 1 "the bond that was created before it" is_on bond1 $transmit
within 1 "and the VLAN above" is_on vlan11 $transmit
one_record "one record tells of the slave" '^offloadd: repaired: eth4: turned on .*tx-scatter-gather'

ip link add bond71 type bond mode active-backup miimon 100
ip link add eth5 type veth peer name far5
record_mark
ip link set eth5 master bond71
within 1 "a bond that gets its first slave is as declared" is_off bond71 tcp-segmentation-offload

record_mark
ethtool -K vlan10 sg off >/dev/null
within 1 "scatter-gather switched off by hand comes back" is_on vlan10 $transmit
one_record "one record tells of it" '^offloadd: repaired: vlan10: turned on .*tx-scatter-gather.*10-vlan.rule'

record_mark
ethtool -K bond0 sg off tx off >/dev/null
within 1 "the bond switched off below its VLANs comes back" is_on bond0 $transmit
within 1 "and the VLANs with it" is_on vlan10 $transmit
within 1 "both of them" is_on vlan100 $transmit
one_record "one record tells of the bond" '^offloadd: repaired: bond0: turned on .*tx-scatter-gather.*20-bond.rule'

record_mark
ethtool -K vlan10 tso off >/dev/null
within 1 "segmentation switched off by hand comes back" is_on vlan10 $transmit
check "its own notifications cause no second round" test "$(records '^offloadd: repaired: vlan10: ' | wc -l)" = 1

kill -HUP "$daemon"
within 5 "SIGHUP is answered by a record about the rules" has_records '^offloadd: rules: '
rule 50-test.rule '[Match]' 'Name=vlan7*' '[Featurs]' 'tso=off'
record_mark
kill -HUP "$daemon"
within 5 "a bad rule file is reported with file and line" has_records '50-test.rule:[0-9]+'
ethtool -K vlan70 tso on >/dev/null 2>&1
within 1 "and the rules in force stay" is_off vlan70 tcp-segmentation-offload
rm /etc/offloadd/rules.d/50-test.rule
rule 10-vlan.rule '[Match]' 'Kind=vlan' '[Featurs]' 'sg=on'
record_mark
kill -HUP "$daemon"
within 5 "so it is with a new bad file that replaces a good one of the package" has_records '10-vlan.rule:[0-9]+'
one_record "the reload is refused" '^offloadd: rules: Rules rejected: .*keeping the previous'
ethtool -K vlan10 sg off >/dev/null
within 1 "and what it would replace stays in force" is_on vlan10 $transmit
rm /etc/offloadd/rules.d/10-vlan.rule
rule 50-test.rule '[Match]' 'Name=vlan7*' '[Featurs]' 'tso=off'

daemon_stops

# a dry run changes nothing
ethtool -K vlan10 sg off >/dev/null
broken=$(all_features)
offloadd --dry-run --once >"$log" 2>&1
has "--dry-run --once tells what is not as declared" "$(cat "$log")" vlan10 tx-scatter-gather
is "and changes nothing" "$(all_features)" "$broken"
offloadd --enforce --once >"$log" 2>&1
is "--enforce --once exits 1 as long as a rule file is bad" $? 1
rm /etc/offloadd/rules.d/50-test.rule
offloadd --enforce --once >"$log" 2>&1
is "and 0 without it" $? 0
check "and repairs" is_on vlan10 $transmit
done_testing
