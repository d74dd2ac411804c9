# SPDX-License-Identifier: GPL-2.0-or-later
# Files of other tools: the rules that import makes from them plan changes on a new host, and none after the settings are made by hand.
# kernels: 6.12
. "$(dirname "$0")/../lib.sh"

cases=$(dirname "$0")/../import
cat >"$scratch/host" <<'E2'
link add eth0 address 02:00:00:00:00:a0 type veth peer name peer0
link add eth1 address 02:00:00:00:00:a1 type veth peer name peer1
link add eth2 address 02:00:00:00:00:a2 type veth peer name peer2
link add lan0 address 02:00:00:00:00:aa type veth peer name peer3
link add link eth0 name eth0.10 type vlan id 10
link add bond0 type bond mode active-backup
link set peer1 master bond0
E2
# FILE SETTINGS, on a host of its own: plan before and after the settings
cat >"$scratch/play" <<'E2'
scratch=${0%/*} rules=$0.rules
rm -rf "$rules"
mkdir "$rules"
ip -batch "$scratch/host" || exit 1
offloadctl import --output "$rules" "$1" >"$scratch/import" 2>&1
case $? in 0|4) ;; *) cat "$scratch/import"; exit 1 ;; esac
offloadctl plan --rules "$rules" >"$scratch/before" 2>&1
before=$?
eval "$2"
offloadctl plan --rules "$rules" >"$scratch/after" 2>&1
after=$?
[ "$before:$after" = 2:0 ] && exit
cat "$rules"/* "$scratch/import" "$scratch/before" "$scratch/after"
echo "plan exited $before, then $after"
exit 1
E2

for form in link script keyfile ifupdown netplan udev; do
	mkdir -p "$scratch/$form"
	awk -v dir="$scratch/$form" '/^=== / { file = dir "/" $2; next } /^[$] / { print substr($0, 3) >(file ".settings"); next } { print >file }' \
		"$cases/$form"
	for settings in "$scratch/$form"/*.settings; do
		file=${settings%.settings}
		check "$form: ${file##*/}" unshare -n bash "$scratch/play" "$file" "$(<"$settings")"
	done
done

# rules new: the present state is compliant
ip -batch "$scratch/host"
ethtool -K eth1 tso off sg off >/dev/null
for link in eth1 eth0.10 bond0; do offloadctl rules new --output "$scratch/new" "50-$link" $link >/dev/null; done
offloadctl plan --rules "$scratch/new" >"$scratch/out" 2>&1
is "rules new declares the present state" "$?" 0
ethtool -K eth1 sg on >/dev/null
offloadctl plan --rules "$scratch/new" >/dev/null
is "and finds what differs from it" $? 2
done_testing
