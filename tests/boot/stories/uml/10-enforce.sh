# SPDX-License-Identifier: GPL-2.0-or-later
# Mode=enforce on a network that something breaks at boot: what is declared is there when services start, and stays through what
# happens to a system.
. /story/lib.sh

restart_offloadd() { # this story starts it more often than StartLimitBurst= allows
	systemctl reset-failed offloadd
	systemctl restart offloadd
}

booted
check "something did break vlan10 during the boot" test -e /run/broken
has "the service that needed the network found vlan10 as declared" "$(cat /run/recorded)" 'scatter-gather: on' \
	'tx-checksumming: on' 'tcp-segmentation-offload: on'
check "a record tells of the repair" has_record '.OFFLOADD_EVENT == "repaired" and .OFFLOADD_LINK == "vlan10"'
has "with all its fields" "$(records '.OFFLOADD_EVENT == "repaired" and .OFFLOADD_LINK == "vlan10"' | tail -1)" \
	'"MESSAGE_ID":"829abb19675b4e078b661500c0d0c0e6"' '"PRIORITY":"[0-7]"' '"OFFLOADD_IFINDEX":"[0-9]+"' \
	'"OFFLOADD_FEATURES":"[^"]*tx-' '"OFFLOADD_RULE":"10-vlan.rule"' \
	'"SYSLOG_IDENTIFIER":"offloadd"' '"_SYSTEMD_UNIT":"offloadd.service"'
has "journalctl -x explains it" "$(journalctl -b -q -x -t offloadd --no-pager MESSAGE_ID=829abb19675b4e078b661500c0d0c0e6)" \
	'^(--|░░) Subject: ' 'man:offloadd|offloadctl'
as_it_should='[.MESSAGE_ID, .MESSAGE, .PRIORITY, .OFFLOADD_EVENT] + if .OFFLOADD_LINK then [.OFFLOADD_IFINDEX] else [] end | all'
is "offloadd-wait-online held network-online.target until then" "$(property offloadd-wait-online ActiveState)" active
check "and not for longer" test "$(property offloadd-wait-online ActiveEnterTimestampMonotonic)" -le \
	"$(property network-online.target ActiveEnterTimestampMonotonic)"

# udev renamed eth7 to lan7 during the boot, and a rule for the name eth7 is left over
lan7_has() { [ "$(ethtool -k lan7 2>/dev/null | grep -cE '^(scatter-gather|generic-receive-offload): on|^generic-segmentation-offload: off')" = 3 ]; }
within 30 "what udev renamed is as the rule for its name declares, and the rule for its earlier name changed nothing" lan7_has
is "no record names the earlier name or its rule" "$(records '.OFFLOADD_LINK == "eth7" or .OFFLOADD_RULE == "51-left-over.rule"')" ""
offloadctl plan lan7 >/dev/null
is "plan knows it" $? 0
has "and so does revert" "$(offloadctl revert --dry-run lan7)" 'lan7'

# least privilege, as it is
pid=$(property offloadd MainPID)
is "it runs as a user of its own" "$(stat -c %U "/proc/$pid")" offloadd
is "CAP_NET_ADMIN is all it has, as no probe needs more; it was given CAP_BPF and CAP_PERFMON to load them" \
	"$(sed -n 's/^\(CapPrm\|CapEff\|CapBnd\|CapAmb\):\s*0*/\1 /p' "/proc/$pid/status" | xargs)" \
	"CapPrm 1000 CapEff 1000 CapBnd c000001000 CapAmb 1000"
is "a kernel without BTF and kprobes runs no probe" \
	"$(offloadctl status --json | jq -c '[.daemon.probes[] | select(.method != null) | .probe]')" '[]'
has "status says which are absent and why" "$(offloadctl status --all)" '^probe segmentation .*: not available, the kernel has no BTF' \
	'^probe checksum .*: not available, the kernel has no BTF' '^probe sockets .*: not available, the kernel has no BTF' \
	'^probe feature changes .*: not available, the kernel has no BTF' '^probe sendpage by process .*: not available, the kernel has no kprobes'

# order
ready=$(property offloadd ActiveEnterTimestampMonotonic)
begin=$(property offloadd InactiveExitTimestampMonotonic)
check "it was ready before network-pre.target" test "$ready" -le "$(property network-pre.target ActiveEnterTimestampMonotonic)"
check "and so before networkd began" test "$ready" -le "$(property systemd-networkd ExecMainStartTimestampMonotonic)"
has "as systemd lists it" "$(systemctl list-dependencies --plain --after network-pre.target)" offloadd.service
boot=$(boot_msec) took=$(((ready - begin) / 1000))
echo "# note offloadd.service took $took of $boot ms of the boot"
check "that is less than half of it" test $((took * 2)) -lt "$boot"

break_vlan10
within 30 "what is broken later is repaired too" as_declared

# journald does not read: its queue has room for 512 messages
journald=$(property systemd-journald MainPID)
kill -STOP "$journald"
for ((i = 0; i < 300; i++)); do offloadctl pause vlan10 && offloadctl resume vlan10; done >/dev/null
break_vlan10
within 30 "while journald is stopped, drift is repaired" as_declared
kill -CONT "$journald"
within 30 "and what it missed is in the journal, or counted" has_record '.OFFLOADD_CODE == "events-lost" or
	((.MESSAGE | contains("resumed: vlan10 resumed")) and ._TRANSPORT == "stdout")'

# who may do what
is "anyone may read its state" "$(runuser -u nobody -- offloadctl status --json | jq -r .daemon.mode)" enforce
runuser -u nobody -- offloadctl pause vlan10 >denied 2>&1
check "and nobody but root may change it" test $? = 1
has "which is said" "$(cat denied)" '[Pp]ermission|root'
rm denied
check "root pauses a link" offloadctl pause vlan10 --for 1min
check "and resumes it" offloadctl resume vlan10
if command -v varlinkctl >/dev/null; then
	socket=/run/offloadd/control
	has "varlinkctl knows what offloadd can" "$(varlinkctl introspect $socket org.offloadd)" 'method GetStatus\(' 'method Pause\('
	has "and asks it, as nobody" "$(runuser -u nobody -- varlinkctl call --json=short $socket org.offloadd.GetStatus '{}')" \
		'"mode":"enforce"'
	has "who may not pause by it" "$(runuser -u nobody -- varlinkctl call $socket org.offloadd.Pause '{"link":"vlan10"}' 2>&1)" \
		'PermissionDenied'
fi

# another network namespace, which offloadd enters through offloadd-netns
is "nothing enters namespaces while there is no other one" "$(systemctl is-active offloadd-netns.socket offloadd-netns | xargs)" "active inactive"
mkdir -p /etc/offloadd/offloadd.conf.d
printf '[Daemon]\nNamespaces=enforce\n' >/etc/offloadd/offloadd.conf.d/50-namespaces.conf
printf '%s\n' '[Match]' 'Namespace=blue' 'Name=left' '[Features]' 'sg=off' >/etc/offloadd/rules.d/50-left.rule
check "settings are loaded again" systemctl reload offloadd
ip netns add blue
ip -n blue link add left type veth peer name right
left_is_off() { ip netns exec blue ethtool -k left | grep -q '^scatter-gather: off'; }
within 30 "a rule applies there" left_is_off
check "nobody else may ask offloadd-netns" sh -c '! runuser -u nobody -- test -w /run/offloadd-netns/socket'
ip netns del blue
rm /etc/offloadd/rules.d/50-left.rule /etc/offloadd/offloadd.conf.d/50-namespaces.conf
check "settings are loaded again" systemctl reload offloadd

# a kill
ledger=$(cat /run/offloadd/ledger.json)
has "the original values are in the ledger" "$ledger" vlan10
kill -KILL "$(property offloadd MainPID)"
restarted() {
	local now
	now=$(property offloadd MainPID)
	[ "$now" != 0 ] && [ "$now" != "$pid" ] && [ "$(property offloadd ActiveState)" = active ]
}
within 30 "SIGKILL: it comes back" restarted
gap=$(($(property offloadd ActiveEnterTimestampMonotonic) - $(property offloadd InactiveEnterTimestampMonotonic)))
start=$(($(property offloadd ActiveEnterTimestampMonotonic) - $(property offloadd InactiveExitTimestampMonotonic)))
echo "# note ready $((gap / 1000)) ms after SIGKILL, $((start / 1000)) of them the start"
is "it still knows the original values" "$(jq -cS .links /run/offloadd/ledger.json)" "$(jq -cS .links <<<"$ledger")"
break_vlan10
within 30 "and repairs" as_declared

# what happens to the rest of the system
pid=$(property offloadd MainPID)
for unit in systemd-networkd dbus; do
	systemctl restart $unit
	break_vlan10
	within 30 "restart of $unit: vlan10 as declared" as_declared
done
systemctl daemon-reexec
break_vlan10
within 30 "daemon-reexec: vlan10 as declared" as_declared
is "through all this it has not been restarted" "$(property offloadd MainPID)" "$pid"
printf '%s\n' '[Match]' 'Name=vlan10' '[Features]' 'gso=off' >/etc/offloadd/rules.d/90-gso.rule
systemctl reload offloadd
gso_off() { ethtool -k vlan10 | grep -q '^generic-segmentation-offload: off'; }
within 30 "a new rule is taken by a reload" gso_off
printf '%s\n' '[Match]' 'Name=vlan10' '[Features]' 'gsso=off' >/etc/offloadd/rules.d/90-gso.rule
systemctl reload offloadd
within 30 "a bad one is refused with file and line" has_record '.OFFLOADD_EVENT == "rules" and (.MESSAGE | test("90-gso.rule:4"))'
restart_offloadd
is "a restart with a bad rule file leaves the daemon running" "$(property offloadd ActiveState)" active
rm /etc/offloadd/rules.d/90-gso.rule

# /run is full
rm /run/offloadd/ledger.json
dd if=/dev/zero of=/run/filler bs=64k 2>/dev/null
restart_offloadd
break_vlan10
within 30 "with /run full vlan10 is as declared" as_declared
is "and the unit runs" "$(property offloadd ActiveState)" active
rm /run/filler
# no room for offloadd alone: journald, which may keep its journal in /run, can store what is logged
mount -t tmpfs -o size=4k,mode=755 full /run/offloadd
head -c 4096 /dev/zero >/run/offloadd/filler
restart_offloadd
break_vlan10
within 30 "the journal says what could not be written" has_record '.MESSAGE | test("No space left")'
systemctl stop offloadd
umount /run/offloadd

# a loop that hangs
mkdir -p /run/systemd/system/offloadd.service.d
printf '[Service]\nWatchdogSec=4s\n' >/run/systemd/system/offloadd.service.d/50-watchdog.conf
systemctl daemon-reload
restart_offloadd
pid=$(property offloadd MainPID)
[ "$pid" = 0 ] || kill -STOP "$pid"
within 60 "a daemon that hangs is replaced by the watchdog" restarted
within 30 "the journal says that it was the watchdog" sh -c 'journalctl -b -u offloadd --no-pager | grep -qi watchdog'
break_vlan10
within 30 "and the new one repairs" as_declared

is "every record of this story has its fields, except those that went to stderr while journald was stopped" \
	"$(records "._TRANSPORT != \"stdout\" and ($as_it_should | not)")" ""
done_testing
