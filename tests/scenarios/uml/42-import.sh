# SPDX-License-Identifier: GPL-2.0-or-later
# Files of other tools: the rules that import makes from them plan changes on a new host, and none after the settings are made by hand.
# kernels: 6.12
. "$(dirname "$0")/../lib.sh"

cases=$(dirname "$0")/../import
names=(eth0 eth1 eth2 lan0)
build_host() {
	local i
	for i in 0 1 2 3; do
		ip link add "${names[i]}" address "02:00:00:00:00:a$([ $i = 3 ] && echo a || echo $i)" type veth peer name peer$i
	done
	ip link add link eth0 name eth0.10 type vlan id 10
	ip link add bond0 type bond mode active-backup
	ip link set peer1 master bond0
}
clear_host() {
	local link
	for link in bond0 eth0.10 "${names[@]}"; do ip link del "$link"; done
}
plays() { # FORM FILE: plan before and after the settings
	local rules=$scratch/rules status
	rm -rf "$rules"
	mkdir "$rules"
	build_host
	offloadctl import --output "$rules" "$2" >"$scratch/import" 2>&1
	status=$?
	[[ $status = [04] ]] || { cat "$scratch/import"; clear_host; return 1; }
	offloadctl plan --rules "$rules" >"$scratch/before" 2>&1
	before=$?
	bash -c "$settings"
	offloadctl plan --rules "$rules" >"$scratch/after" 2>&1
	after=$?
	clear_host
	[ "$before:$after" = 2:0 ] || { cat "$rules"/* "$scratch/import" "$scratch/before" "$scratch/after"; echo "$before:$after"; return 1; }
}

for form in link script keyfile ifupdown netplan udev; do
	mkdir -p "$scratch/$form"
	awk -v dir="$scratch/$form" '/^=== / { file = dir "/" $2; next } /^[$] / { print substr($0, 3) >(file ".settings"); next } { print >file }' \
		"$cases/$form"
	for settings_file in "$scratch/$form"/*.settings; do
		file=${settings_file%.settings}
		settings=$(<"$settings_file")
		check "$form: ${file##*/}" plays $form "$file"
	done
done

# rules new: the present state is compliant
build_host
ethtool -K eth1 tso off sg off >/dev/null
for link in eth1 eth0.10 bond0; do offloadctl rules new --output "$scratch/new" "50-$link" $link >/dev/null; done
offloadctl plan --rules "$scratch/new" >"$scratch/out" 2>&1
is "rules new declares the present state" "$?" 0
ethtool -K eth1 sg on >/dev/null
offloadctl plan --rules "$scratch/new" >/dev/null
is "and finds what differs from it" $? 2
clear_host
done_testing
