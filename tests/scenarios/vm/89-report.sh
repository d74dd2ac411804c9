# SPDX-License-Identifier: GPL-2.0-or-later
# The report of a host in the middle of the incident, asked of the running offloadd: who broke vlan10, who pays, who must reconnect, how
# long sendfile took. VM_SAVE=FOLDER keeps page and documents; tests/report holds those of such a run.
# kernels: 6.12
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../probes.sh"

from() { # CGROUP COMMAND...: in the foreground; its parent is this shell
	mkdir -p "/sys/fs/cgroup/$1"
	(echo 0 >"/sys/fs/cgroup/$1/cgroup.procs" && shift && exec "$@") >/dev/null
}
row() { # JQ-FILTER of services: there is such a row
	[ "$(offloadctl services --json | jq "$1 | length")" != 0 ]
}
said_who() { offloadctl events --json | jq -e '.events[] | select(.event == "drift" and .link == "vlan10" and .changed_by)' >/dev/null; }

hostname web1
check "the other host is there" network
ip link add link bond0 name vlan100 up type vlan id 100
[ "$KERNEL" != 5.10 ] || { ethtool -K eth3 sg off && ethtool -K eth3 sg on; } >/dev/null
daemon_start "offloadd starts" --dry-run
server system.slice/files.service 10.9.0.1 5001
server system.slice/backup.service 10.9.0.1 5002 10.9.0.2
offloadctl latency --json --interval 1h --count 1 >"$scratch/latency.json" 2>"$scratch/err" &
latency=$!
client files 10.9.0.1 5001
for i in 1 2 3 4; do fetch files; done
from user.slice/user-1000.slice/session-3.scope ethtool -K vlan10 sg off tx off
within 60 "the record of the drift says who" said_who
client backup 10.9.0.1 5002 10.9.0.1
for i in 1 2; do fetch files && fetch backup; done
from system.slice/chef.service ethtool -K vlan10 sg on tx on
from system.slice/chef.service ethtool -K vlan10 tso on gso on
restart_told() { fetch backup && row '[.restart[]? | select(.service == "backup.service")]'; }
within 90 "backup.service must reconnect" restart_told
from user.slice/user-1000.slice/session-3.scope ethtool -K vlan10 tx off
paying() { fetch files && row '[.fallback[]? | select(.service == "files.service" and .now)]'; }
within 90 "files.service pays now" paying
kill -INT $latency
wait $latency
is "latency comes to an end" $? 0

offloadctl events --json >"$scratch/events.json"
offloadctl services --json >"$scratch/services.json"
offloadctl snapshot >"$scratch/snapshot.json"
page=$(offloadctl report --html - --latency "$scratch/latency.json") status=$?
is "the report is made" $status 0
has "it names what is not as declared" "$page" 'id="finding"><p>1 of 5 interfaces does not match the rules: vlan10' 'must reconnect'
has "its picture has the whole stack" "$page" 'data-lower="eth2" data-upper="bond0"' 'data-lower="eth3" data-upper="bond0"' \
	'data-lower="bond0" data-upper="vlan10"' 'data-lower="bond0" data-upper="vlan100"'
has "it says who" "$page" '<code>ethtool</code> \([0-9]+\), started by bash, in session-3.scope'
has "who pays, and who must reconnect" "$page" '<strong>files.service</strong>' '<strong>backup.service</strong>'
has "how long sendfile takes" "$page" 'class="bar"' 'software fallback'
is "nothing is absent" "$(grep -c 'class="absent"' <<<"$page")" 0
cp "$scratch"/{events,services,snapshot,latency}.json /job/save/
echo "$page" >/job/save/report.html
daemon_stops
done_testing
