# SPDX-License-Identifier: GPL-2.0-or-later
# Both ways into the kernel give the same plan and the same result.
. "$(dirname "$0")/../lib.sh"

incident() {
	ethtool -K vlan10 sg off tx off >/dev/null
	ethtool -K eth3 tx-tcp-segmentation off gso off >/dev/null
	ethtool -K bond0 sg off >/dev/null
}
stack
healthy=$(active_features)
for backend in netlink ioctl; do
	incident
	offloadctl plan --ethtool $backend >"$scratch/plan-$backend" 2>&1
	is "plan by $backend exits 2" $? 2
	offloadctl plan --json --ethtool $backend >"$scratch/json-$backend" 2>&1
	offloadctl apply --ethtool $backend >"$scratch/apply-$backend" 2>&1
	is "apply by $backend exits 0" $? 0
	is "everything is healthy again by $backend" "$(active_features)" "$healthy"
done
is "the same plan" "$(cat "$scratch/plan-ioctl")" "$(cat "$scratch/plan-netlink")"
is "the same plan in JSON" "$(cat "$scratch/json-ioctl")" "$(cat "$scratch/json-netlink")"

daemon_start "the daemon starts by ioctl" --enforce --ethtool ioctl
ethtool -K vlan10 sg off tx off >/dev/null
within 1 "and repairs" is_on vlan10 scatter-gather tx-checksumming tcp-segmentation-offload
daemon_stops
done_testing
