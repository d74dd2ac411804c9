# SPDX-License-Identifier: GPL-2.0-or-later
# One slave's offloads are off and the bond shows everything on: "on" at the top proves nothing.
. "$(dirname "$0")/../lib.sh"

stack
ethtool -K eth3 sg off tx off >/dev/null
check "the bond and the VLAN show all on" is_on bond0 scatter-gather tx-checksumming
check "the slave has it off" is_off eth3 scatter-gather tx-checksumming
plan=$(offloadctl plan 2>&1) status=$?
is "plan exits 2" $status 2
has "plan names the slave and what is off" "$plan" 'eth3' 'tx-scatter-gather'
has "explain of the slave says what is wrong and by which rule" "$(offloadctl explain eth3 2>&1)" eth3 tx-scatter-gather '\.rule'
has "explain of the VLAN walks down to the slave" "$(offloadctl explain vlan10 sg 2>&1)" bond0 eth3
offloadctl apply >/dev/null
is "apply exits 0" $? 0
check "the slave is repaired" is_on eth3 scatter-gather tx-checksumming tcp-segmentation-offload
offloadctl plan >/dev/null
is "plan exits 0" $? 0
done_testing
