# SPDX-License-Identifier: GPL-2.0-or-later
# offloadctl show agrees with ethtool on every kind of link that this kernel can make.
. "$(dirname "$0")/../lib.sh"

for module in vxlan ip_gre macvlan tun; do modprobe $module; done
ip link add dum0 type dummy
ip link add vet0 type veth peer name vet1
ip link add bon0 type bond
ip link set vet0 master bon0
ip link add bri0 type bridge
ip link set dum0 master bri0
ip link add link bon0 name vla0 type vlan id 5
ip link add link vet1 name vla1 type vlan id 6
ip link add vxl0 type vxlan id 7 dev dum0 dstport 4789
ip link add gre1 type gre remote 10.0.0.2 local 10.0.0.1
ip link add gre2 type gretap remote 10.0.0.3 local 10.0.0.1
ip link add link vet1 name mac0 type macvlan
ip tuntap add tap0 mode tap
for link in dum0 vet0 vet1 bon0 bri0 vla0 vla1; do ip link set "$link" up; done
# switch something off on each, so that the three columns differ
for link in $(links); do ethtool -K "$link" tso off >/dev/null 2>&1; done
ethtool -K vla0 sg off >/dev/null 2>&1
ethtool -K vet1 tx off >/dev/null 2>&1

show_agrees_with_ethtool $(links)
tree=$(offloadctl tree 2>&1)
has "tree shows every link" "$tree" $(links)
has "list shows every link" "$(offloadctl list 2>&1)" $(links)
# the table of src/model/feature.c, which tells what other kernels have
case $KERNEL in 5.10) column=2 ;; 6.1) column=3 ;; 6.12) column=4 ;; *) column=5 ;; esac
is "the features of this kernel are as the table has them" "$(offloadctl snapshot | jq -r '.features[]' | sort)" \
	"$(awk -v column=$column '/^\t\{ "/ { gsub(/[{},"]/, " "); if (NF == 5 && $column == 1) print $1 }' src/model/feature.c | sort)"
done_testing
