# SPDX-License-Identifier: GPL-2.0-or-later
# What a drift costs: one plan with one prediction, enforced or audited, however many links go with it; and nothing for whoever reads
# what came of it.
. "$(dirname "$0")/../lib.sh"
textfile=$scratch/offloadd.prom
[ "$(readlink /proc/self/ns/net)" = "$(readlink /proc/1/ns/net)" ] ||
	textfile=$scratch/offloadd-$(stat -Lc %i /proc/self/ns/net).prom
conf() { printf '%s\n' '[Daemon]' "Mode=$1" '[Metrics]' "Textfile=$scratch/offloadd.prom" >"$scratch/conf"; }
status() { offloadctl status --json | jq -r "$1"; }
work() { status '.daemon.work | "\(.plans) \(.predictions)"'; }
settled() { # nothing is pending, and nothing was done for a while
	local before
	before=$(status '.daemon | "\(.pending) \(.reconciles)"')
	[[ $before == "0 "* ]] || return
	read -rt 0.5 -u "$idle" || :
	[ "$(status '.daemon | "\(.pending) \(.reconciles)"')" = "$before" ]
}
in_file() { grep -qE "$1" "$textfile"; }
read_all() {
	offloadctl status >/dev/null
	offloadctl metrics >/dev/null
	offloadctl services >/dev/null
	offloadctl wait-online --timeout 5 >/dev/null
}
costs() { # DESCRIPTION PLANS: and as many predictions, since work_mark
	within 10 "$1: it comes to rest" settled
	read_all
	is "$1: $2 plan, $2 prediction" "$(work)" "$((plans + $2)) $((predictions + $2))"
}
work_mark() { read -r plans predictions <<<"$(work)"; }

stack
conf enforce
daemon_start "the daemon starts" --config "$scratch/conf"
within 10 "it comes to rest" settled
work_mark
read_all
is "reading costs nothing" "$(work)" "$plans $predictions"

work_mark
ethtool -K vlan10 sg off >/dev/null
within 2 "a drift is repaired" is_on vlan10 scatter-gather
within 5 "the textfile has it" in_file '^offloadd_repairs_total\{.*cause="drift"\} [1-9]'
costs "a drift" 1
is "status has no link that is not as declared" "$(status '.daemon.noncompliant | length')" 0

work_mark
ethtool -K bond0 sg off >/dev/null
within 2 "a drift that others follow is repaired" is_on bond0 scatter-gather
within 2 "with them" is_on vlan100 scatter-gather
costs "a drift that others follow" 1

conf audit
kill -HUP "$daemon"
within 5 "the daemon audits" eval '[ "$(status .daemon.mode)" = audit ]'
within 10 "it comes to rest" settled
work_mark
ethtool -K vlan10 sg off >/dev/null
within 5 "a drift is reported" has_records '^offloadd: drift: vlan10 '
within 5 "the textfile has it" in_file '^offloadd_feature_noncompliant\{.*link="vlan10".*feature="tx-scatter-gather".*verdict="drifted".*rule="10-vlan.rule"'
costs "a drift that is only audited" 1
is "status has it" "$(status '.daemon.noncompliant[] | "\(.link) \(.verdict)"')" "vlan10 drifted"

conf enforce
kill -HUP "$daemon"
within 5 "what was audited is repaired" is_on vlan10 scatter-gather
within 10 "it comes to rest" settled
work_mark
for i in 1 2 3 4; do
	ethtool -K vlan100 sg off >/dev/null
	within 2 "it is repaired, $i of 4" is_on vlan100 scatter-gather
done
ethtool -K vlan100 sg off >/dev/null
within 5 "the fifth time it is contended" has_records '^offloadd: contended: vlan100: '
costs "the beginning of contention, after four repairs" 5
has "status has it" "$(status '.daemon.contended[] | "\(.link) \(.features | join(" "))"')" '^vlan100 tx-scatter-gather'
daemon_stops
done_testing
