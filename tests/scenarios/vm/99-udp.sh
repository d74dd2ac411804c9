# SPDX-License-Identifier: GPL-2.0-or-later
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../probes.sh"
check "the other host is there" network
ip -n $peer link set lo up
probes_start; cat "$scratch"/events; echo "# $ready"
ask status | sed 's/^/# /'
ask watch
for how in gives-up retries; do
	in_service system.slice/$how.service "$tools/udp-sender" $how 10.9.0.2 9000 >"$scratch/$how"
	in_service system.slice/$how-6.service "$tools/udp-sender" $how fd09::2 9000 >"$scratch/$how-6"
done
sleep 1
ask hits | sed 's/^/# healthy /'
ask senders | sed 's/^/# healthy /'
break_vlan
sleep 1
ask hits | sed 's/^/# broken /'
ask senders | sed 's/^/# broken /'
repair_vlan
sleep 3
ask hits | sed 's/^/# repaired /'
ask senders | sed 's/^/# repaired /'
for f in "$scratch"/{gives-up,retries}*; do sed "s,^,# $f ," $f; done
done_testing
