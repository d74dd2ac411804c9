# SPDX-License-Identifier: GPL-2.0-or-later
# The founding incident: scatter-gather and TX checksums off on one VLAN only. Planned, repaired, put back; all without a daemon.
. "$(dirname "$0")/../lib.sh"
incident="scatter-gather tx-checksumming tcp-segmentation-offload tx-tcp-segmentation"
off="scatter-gather tx-checksumming tx-tcp-segmentation"

stack
healthy=$(active_features)
check "the VLAN starts with everything on" is_on vlan10 $incident
plan=$(offloadctl plan) status=$?
is "plan of a healthy stack exits 0" $status 0
is "plan of a healthy stack changes nothing" "$(active_features)" "$healthy"

ethtool -K vlan10 sg off >/dev/null
ethtool -K vlan10 tx off >/dev/null
broken=$(all_features)
plan=$(offloadctl plan 2>&1) status=$?
is "plan exits 2" $status 2
has "plan names the link, the features and the rule file" "$plan" vlan10 tx-scatter-gather tx-checksum-ip-generic \
	tx-tcp-segmentation 10-vlan.rule
has "plan leaves the healthy VLAN alone" "$(grep -c 'vlan100.*drifted' <<<"$plan")" '^0$'
is "plan changed nothing" "$(all_features)" "$broken"

plan_user=$(setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all offloadctl plan 2>&1) status=$?
is "plan without privilege exits 2 too" $status 2
is "and says the same" "$plan_user" "$plan"

json=$(offloadctl plan --json) status=$?
is "plan --json exits 2" $status 2
check "plan --json is JSON" jq -e . <<<"$json"

# a slave below it too: the order is from the lowest up
ethtool -K eth3 sg off >/dev/null
steps=$(offloadctl plan --json | jq -r '.steps[].link')
is "the order is from the lowest device up" "$(echo $steps)" "eth3 vlan10"

applied=$(offloadctl apply 2>&1) status=$?
is "apply exits 0" $status 0
check "ethtool shows scatter-gather, checksums and segmentation on" is_on vlan10 $incident
is "every link is as it was before the incident" "$(active_features)" "$healthy"
offloadctl plan >/dev/null
is "a second plan exits 0" $? 0
offloadctl apply --detailed-exitcodes >/dev/null
is "a second apply has nothing to do" $? 0
is "and did nothing" "$(active_features)" "$healthy"

offloadctl revert >/dev/null 2>&1
is "revert exits 0" $? 0
check "revert puts the VLAN back" is_off vlan10 $off
check "and the slave" is_off eth3 scatter-gather
offloadctl apply --detailed-exitcodes >/dev/null
is "apply --detailed-exitcodes exits 2 when it changed something" $? 2
is "and all is healthy again" "$(active_features)" "$healthy"
done_testing
