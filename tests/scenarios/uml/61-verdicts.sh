# SPDX-License-Identifier: GPL-2.0-or-later
# The verdict of the host, and of an interface with six features that can be repaired and one that cannot: neither hides the other. What a
# terminal gets: a pager, colors, a question before changes.
# kernels: 6.1 6.12 7
. "$(dirname "$0")/../lib.sh"

terminal() { # COMMAND LINE: runs it on a terminal of 24 lines; its output without carriage returns and colors
	script -qec "stty rows 24 cols 100; TERM=linux $1" /dev/null </dev/null | tr -d '\r' | sed 's/\x1b\[[0-9;?]*[A-Za-z]//g'
}
answering() { # ANSWER COMMAND LINE: the same, with this typed at the first question
	printf '%s\n' "$1" | script -qec "$2" /dev/null | tr -d '\r'
}
count() { # JSON PATH: "DRIFTED UNSUPPORTED"
	jq -r "$1 | \"\(.drifted) \(.unsupported)\""
}

stack
mkdir -p "$scratch/rules"
printf '%s\n' '[Match]' Name=vlan10 '[Features]' tx-scatter-gather=on tx-checksum-ip-generic=on tx-tcp-segmentation=on \
	tx-tcp-ecn-segmentation=on tx-tcp6-segmentation=on tx-generic-segmentation=on tx-vlan-hw-insert=on >"$scratch/rules/50-vlan10.rule"
ethtool -K vlan10 sg off tx off tso off gso off >/dev/null

# ---- without a daemon ----
plan=$(offloadctl plan --rules "$scratch/rules")
is "plan: both can be done and cannot" $? 6
has "plan counts both" "$plan" '^vlan10 .*: 6 drifted, 1 unsupported$'
is "list counts both" "$(offloadctl list --json --rules "$scratch/rules" | count '.links[] | select(.link == "vlan10").verdicts')" "6 1"
has "and shows both" "$(offloadctl list --rules "$scratch/rules")" '^vlan10 .*6 drifted, 1 unsupported .*drifted: tx-.*; unsupported: tx-vlan-hw-insert'
has "tree shows both" "$(offloadctl tree --rules "$scratch/rules")" '^vlan10 .*6 drifted, 1 unsupported .*unsupported: tx-vlan-hw-insert'
out=$(offloadctl status --rules "$scratch/rules")
is "status without a daemon" $? 3
has "status counts both, and claims nothing" "$out" '^NOT OK: 1 interface drifted .6 features., 1 feature unsupported; offloadd is not running'
metrics=$(offloadctl metrics --rules "$scratch/rules" 2>/dev/null)
has "metrics count both" "$metrics" '^offloadd_links\{.*"drifted"\} 1$' '^offloadd_links\{.*"unsupported"\} 1$' \
	'^offloadd_features\{.*"drifted"\} 6$' '^offloadd_features\{.*"unsupported"\} 1$' '^offloadd_links\{.*"compliant"\} 0$'
show=$(offloadctl show vlan10 --rules "$scratch/rules")
is "show starts with what can be repaired" "$(sed -n '/^FEATURE/{n;p}' <<<"$show" | grep -c drifted)" 1
has "and has the rest with --all" "$(offloadctl show vlan10 --all --rules "$scratch/rules")" '^tx-nocache-copy'
is "only then" "$(grep -c '^tx-nocache-copy' <<<"$show")" 0
for columns in 40 60 80 100; do
	is "show at $columns columns keeps RULE and WHY" \
		"$(COLUMNS=$columns offloadctl show vlan10 --rules "$scratch/rules" | tr -s ' \n' ' ' | grep -o '50-vlan10\.rule' | wc -l)" 7
done
is "no column headings with --no-legend" "$(offloadctl list --no-legend --rules "$scratch/rules" | grep -c VERDICT)" 0
has "colors when asked for" "$(offloadctl list --color always --rules "$scratch/rules" | cat -v)" '\^\[\['
has "explain of what nobody declares ends with a next step" "$(offloadctl explain far2 --rules "$scratch/rules")" '^  advice '

# ---- on a terminal ----
printf '#!/bin/sh\nsed "s/^/paged: /"\n' >"$scratch/pager"
chmod +x "$scratch/pager"
export OFFLOADD_PAGER=$scratch/pager
has "the output goes through the pager" "$(terminal "offloadctl list --rules $scratch/rules")" '^paged: vlan10'
is "not with --no-pager" "$(terminal "offloadctl list --no-pager --rules $scratch/rules" | grep -c '^paged')" 0
is "not in a pipe" "$(offloadctl list --rules "$scratch/rules" | grep -c '^paged')" 0
terminal "offloadctl plan --rules $scratch/rules; echo status \$? >$scratch/status" >/dev/null
is "and the exit status stays" "$(cat "$scratch/status")" "status 6"
has "not the user's pager with the rights of root" "$(SUDO_UID=1000 terminal "offloadctl list --rules $scratch/rules")" '^vlan10'
answer=$(answering n "offloadctl apply --rules $scratch/rules; echo status \$?")
has "apply shows the plan and asks" "$answer" '\[y/N\]' '1\. vlan10: ' 'status 6'
check "no is no" is_off vlan10 scatter-gather
answer=$(answering y "offloadctl apply --rules $scratch/rules; echo status \$?")
has "yes is yes" "$answer" 'status 4'
check "in deed" is_on vlan10 scatter-gather

# ---- with a daemon: its directories, its numbers ----
ethtool -K vlan10 sg off tx off tso off gso off >/dev/null
printf '%s\n' '[Daemon]' Probes=no >"$scratch/conf"
daemon_start "the daemon starts" --rules "$scratch/rules" --config "$scratch/conf"
out=$(offloadctl)
is "offloadctl alone: repairs and what is not possible" $? 6
has "the first line" "$(head -n 1 <<<"$out")" '^NOT OK: 1 interface drifted .6 features., 1 feature unsupported; audit mode; services are not observed'
has "and what to do" "$out" '^  offloadctl plan ' '^  offloadctl explain vlan10 ' '^not compliant: vlan10: 6 drifted, 1 unsupported$' '^probes: turned off$'
is "as JSON" "$(offloadctl status --json | jq -c '[.state, .exit_code, .restart]')" '["not-ok",6,null]'
is "for monitoring" "$(offloadctl status --format nagios >"$scratch/nagios"; echo $?)" 2
has "with numbers" "$(cat "$scratch/nagios")" '^OFFLOADD CRITICAL - .* \| drifted=6 unmet=1 '
is "its metrics count both" "$(offloadctl metrics | grep -cE '^offloadd_links\{.*verdict="(drifted|unsupported)"\} 1$')" 2
has "offloadctl uses the daemon's rules" "$(offloadctl plan)" '^vlan10 .*: 6 drifted, 1 unsupported$'
mkdir "$scratch/others"
cp "$scratch/rules/50-vlan10.rule" "$scratch/others/"
has "or reports that it does not" "$(offloadctl plan --rules "$scratch/others" 2>&1 >/dev/null)" "reads other rules: $scratch/rules$"
offloadctl apply --yes >/dev/null
printf '%s\n' '[Match]' Name=vlan10 '[Features]' tx-scatter-gather=on >"$scratch/rules/50-vlan10.rule"
offloadctl reload >/dev/null
out=$(offloadctl)
is "OK is 0" $? 0
has "and counts what it claims" "$out" '^OK: 1 interface matches its rules .audit mode.'
offloadctl pause vlan10
ethtool -K vlan10 sg off >/dev/null
within 5 "a paused interface is not OK" eval 'offloadctl | grep -q "^NOT OK: 1 interface paused"'
rm "$scratch/rules/50-vlan10.rule"
printf '%s\n' '[Match]' Name=nothing0 '[Features]' tx-scatter-gather=on >"$scratch/rules/50-nothing.rule"
offloadctl reload >/dev/null
out=$(offloadctl)
is "no rule applies: 0" $? 0
has "it says so, and what is true" "$out" '^NOTHING DECLARED: no rule applies' '^  eth2: scatter-gather on'
daemon_stops
done_testing
