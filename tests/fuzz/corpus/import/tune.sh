#!/bin/bash
NICS="eth0 eth1"
for nic in $NICS; do
	/sbin/ethtool -K "$nic" gro on >/dev/null 2>&1
	/sbin/ethtool -G "$nic" rx 4096 tx 4096
done
