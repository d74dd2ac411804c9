test -x /sbin/ethtool && ethtool -K eth1 \
	tcp-segmentation-offload off \
	generic-segmentation-offload off
ethtool -k eth1 | grep tcp
echo "ethtool -K eth2 tso off"
