# SPDX-License-Identifier: GPL-2.0-or-later
# Two hosts with the incident's network, one with vlan10 broken: diff says it in a few lines, from snapshots and from pasted text.
. "$(dirname "$0")/../lib.sh"
stack
some_text() { for link in eth2 eth3 bond0 vlan10 vlan100; do ethtool -k $link; done; }
lost='^lost: tx-scatter-gather, tx-checksum-ip-generic$|^lost: tx-checksum-ip-generic, tx-scatter-gather$'

check "snapshot of the good host" offloadctl snapshot -o "$scratch/good.json"
some_text >"$scratch/good.txt"
out=$(offloadctl diff "$scratch/good.json")
is "it is like itself" "$?:$(head -1 <<<"$out" | tr -d 0-9)" "0: interfaces, no differences"
ethtool -K vlan10 sg off tx off >/dev/null
check "snapshot of the bad host" offloadctl snapshot -o "$scratch/bad.json"
some_text >"$scratch/bad.txt"

for form in json txt; do
	out=$(offloadctl diff "$scratch/good.$form" "$scratch/bad.$form")
	has "diff of two .$form exits 2 and starts with what matters" "$?$(head -3 <<<"$out")" "^2" "${lost//^/^2?}" "^  vlan10: on -> off$" \
		"^  also lost: .*tx-tcp-segmentation"
	check "in a few lines" test "$(wc -l <<<"$out")" -le 12
	is "and names no other link" "$(grep -oE 'eth[23]|bond0|vlan100|far.' <<<"$out")" ""
done
offloadctl diff "$scratch/good.json" --fail-on lost >/dev/null
is "the baseline gate fails" $? 2
offloadctl apply >/dev/null
offloadctl diff "$scratch/good.json" --fail-on lost >/dev/null
is "and passes after apply" $? 0

# the device below breaks: it is told first, what stands on it after it
ethtool -K eth2 sg off >/dev/null
ethtool -K eth3 sg off >/dev/null
out=$(offloadctl diff "$scratch/good.json")
is "the ports come first" "$(sed -n 2p <<<"$out")" "  eth2, eth3: on -> off"
has "what stands on them comes after, as their consequence" "$out" "^  bond0.*: on -> off.*, like the interface below$"

# the same network under other names
ethtool -K eth2 sg on >/dev/null
ethtool -K eth3 sg on >/dev/null
for link in vlan10:storage vlan100:backup bond0:uplink; do
	ip link set ${link%:*} down
	ip link set ${link%:*} name ${link#*:} up
done
ethtool -K storage gso off >/dev/null
out=$(offloadctl diff "$scratch/good.json" --by-role)
has "by role: whatever it is called" "$?$out" "^2lost: tx-generic-segmentation" "^  vlan10 ~ storage: on -> off" "bond0 ~ uplink" \
	"vlan100 ~ backup"
is "and nothing is missing" "$(grep -E '^only in|^not compared|^stacked on|^port of' <<<"$out")" ""
done_testing
