# SPDX-License-Identifier: GPL-2.0-or-later
# One boot under Mode=enforce.
. /story/lib.sh

booted
check "something did break vlan10 during the boot" test -e /run/broken
has "the service that needed the network found vlan10 as declared" "$(cat /run/recorded)" 'scatter-gather: on' \
	'tx-checksumming: on' 'tcp-segmentation-offload: on'
echo "# boot-with $(boot_msec)"
done_testing
