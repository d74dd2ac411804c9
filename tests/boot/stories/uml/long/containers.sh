# SPDX-License-Identifier: GPL-2.0-or-later
# Containers of real runtimes, Podman and systemd-nspawn, with a single busybox as image: what they are called, which rules match them,
# and that these rules apply inside from the start, in a hundred starts and stops of both together.
# image: containers
. /story/lib.sh
starts=80 machines=20

root=/var/lib/machines/web1
mkdir -p $root/{bin,usr,etc,proc,sys,dev,tmp,run,root,var}
cp /bin/busybox $root/bin/
echo 'ID=box' >$root/etc/os-release
sleeps=(/bin/busybox sleep 100000)
find_all() { offloadctl namespaces --json >/tmp/found; }
found() { find_all && jq -e ".namespaces[] | select(.netns == \"$1\")" /tmp/found >/dev/null; } # NETNS
of() { jq -c ".namespaces[] | select(.netns == \"$1\") | $2" /tmp/found; }						       # NETNS FILTER
known() { offloadctl status --json | jq -c ".daemon.namespaces.list[] | select(.netns == \"$1\") | $2"; }			       # the same of the daemon
within_there() { nsenter -t "$1" -n ethtool -k "$2" 2>/dev/null | grep -qx "$3: $4"; } # PID LINK FEATURE on|off
pid_of() { podman inspect -f '{{.State.Pid}}' "$1"; }
machine() { systemd-nspawn -q --settings=no -M web1 -D $root --network-veth --resolv-conf=off --timezone=off "${sleeps[@]}" </dev/null >/tmp/nspawn 2>&1; }
machine_pid() { machinectl show -p Leader --value web1 2>/dev/null; }
machine_stops() {
	kill -KILL "$(machine_pid)"
	wait
	for ((n = 0; n < 500; n++)); do
		if ! machinectl show web1 >/dev/null 2>&1 && ! ip link show ve-web1 >/dev/null 2>&1; then return 0; fi
		sleep 0.02
	done
	return 1
}
descriptors() { ls /proc/"$(property offloadd MainPID)"/fd | wc -l; }
median() { sort -n | sed -n "$((($1 + 1) / 2))p"; }

booted
begin=$(descriptors)
machine &
within 30 "a container of systemd-nspawn is found" found "machine web1"
is "its name and unit" "$(of "machine web1" '[.runtime, .container, .unit]')" '["machine","web1","machine-web1.scope"]'
tar -C $root -c . | podman import -q - localhost/box:1 >/dev/null
podman network create --internal --disable-dns inside >/dev/null
for name in web2 db1; do podman run -d --name $name --network inside localhost/box:1 "${sleeps[@]}" >/dev/null; done
podman run -d --rm --name web3 --network inside localhost/box:1 "${sleeps[@]}" >/dev/null
id=$(podman inspect -f '{{.Id}}' web2)
check "the namespaces are found" find_all
is "a container of Podman: name, image, unit" "$(of web2 '[.runtime, .container, .container_name, .image, .unit]')" \
	"[\"podman\",\"$id\",\"web2\",\"localhost/box:1\",\"libpod-$id.scope\"]"
is "with --rm, too" "$(of web3 '[.container_name, .image]')" '["web3","localhost/box:1"]'
has "explain says why a rule is not for it" "$(offloadctl explain --netns db1 eth0)" '60-web.rule does not match .*Container=web\* .it is db1'
podman rename web3 web4
check "after a new name they are found again" find_all
is "it is called by that" "$(of web4 .container_name)" '"web4"'

for name in web2 db1; do pids+=("$(pid_of $name)"); done
within 10 "the rule for the name applies inside" within_there "${pids[0]}" eth0 tx-checksumming off
within 10 "and in the container of systemd-nspawn" within_there "$(machine_pid)" host0 tx-checksumming off
within 10 "the rule for the image applies in the other one" within_there "${pids[1]}" eth0 scatter-gather off
check "that for the name does not" within_there "${pids[1]}" eth0 tx-checksumming on
offloadctl tree --json >/tmp/tree
is "the tree joins the ends of each pair" "$(jq -c '[.. | objects | select(.far?) | [.far.netns, .far.link, .far.verdict]] | sort' /tmp/tree)" \
	'[["db1","eth0","compliant"],["machine web1","host0","compliant"],["web2","eth0","compliant"],["web4","eth0","compliant"]]'
for name in $(jq -r '.. | objects | select(.far?) | .link' /tmp/tree); do
	check "the host's end $name keeps its features" is_on "$name" tx-checksumming scatter-gather
done
shown() { [ "$(known web2 '[.container, .look]')" = '["web2","seen"]' ]; }
within 10 "status names the container" shown

for name in db1 web4; do podman stop -t 0 $name >/dev/null; done
late=0
for ((i = 1; i <= starts; i++)); do
	podman stop -t 0 web2 >/dev/null
	podman start web2 >/dev/null
	pid=$(pid_of web2) end=$(($(date +%s%N) / 1000000 + 5000)) start=$(($(date +%s%N) / 1000000))
	until within_there "$pid" eth0 tx-checksumming off || [ $(($(date +%s%N) / 1000000)) -gt $end ]; do :; done
	within_there "$pid" eth0 tx-checksumming off || late=$((late + 1))
	echo $(($(date +%s%N) / 1000000 - start)) >>/tmp/delays
done
is "in $starts starts of the container it applied each time" $late 0
echo "# note Podman: applied $(median $starts </tmp/delays) ms after podman start returned at the median, at most $(sort -n /tmp/delays | tail -1) ms"
late=0
for ((i = 1; i <= machines; i++)); do
	machine_stops
	machine &
	end=$(($(date +%s) + 10))
	until within_there "$(machine_pid)" host0 tx-checksumming off || [ "$(date +%s)" -gt $end ]; do :; done
	within_there "$(machine_pid)" host0 tx-checksumming off || { late=$((late + 1)) && sed 's/^/# /' /tmp/nspawn; }
done
is "and in $machines starts of that of systemd-nspawn" $late 0

podman stop -t 0 web2 >/dev/null
machine_stops
forgotten() { [ "$(offloadctl status --json | jq '.daemon.namespaces.list | length')" = 0 ]; }
within 10 "when all have stopped, none is known" forgotten
none_left() { [ "$(lsns -n -t net | wc -l)" = 1 ] && [ -z "$(ip netns)" ]; }
within 10 "and none was kept alive" none_left
check "no descriptor is left" [ "$(descriptors)" -le "$begin" ]
is "nothing failed" "$(journalctl -b -q -p warning -t offloadd --no-pager)" ""
done_testing
