# SPDX-License-Identifier: GPL-2.0-or-later
# A rule file with an error, no room in /run/offloadd and a kernel without BTF, all from the start: the boot goes on, what can be done
# is done, and the unit says what cannot.
. /story/lib.sh

booted
check "the boot is complete" systemctl is-active multi-user.target network-online.target recorder.service offloadd.service
is "there was no room" "$(df --output=avail /run/offloadd | tail -1 | xargs)" 0
check "something did break vlan10" test -e /run/broken
has "the good rules hold: vlan10 was as declared when services started" "$(cat /run/recorded)" 'scatter-gather: on' \
	'tx-checksumming: on' 'tcp-segmentation-offload: on'
has "the unit names the bad rule file with its line" "$(journalctl -b -q -u offloadd --no-pager)" \
	'/etc/offloadd/rules.d/40-bad.rule:5: unknown feature .*gsso.*did you mean .*gso'
has "and what could not be written" "$(journalctl -b -q -u offloadd --no-pager)" \
	'Failed to write the ledger /run/offloadd/ledger.json: No space left' 'Failed to write metrics to .*: No space left'
has "so does its status" "$(systemctl status --no-pager offloadd)" 'errors in files: 1'
has "without BTF the probes say so" "$(offloadctl status --json | jq -r '.daemon.probes[] | select(.method == null) | .why')" 'no BTF'
has "and offloadctl's" "$(offloadctl status)" '40-bad.rule:5: unknown feature gsso'

# not even room for the name of a file: no control socket
systemctl stop offloadd
mount -o remount,size=4k,nr_inodes="$(df --output=iused /run/offloadd | tail -1 | xargs)" /run/offloadd
check "without a single inode left it starts" systemctl restart offloadd
within 30 "the journal says what that costs" has_record '.MESSAGE | test("Failed to open the control socket .*No space left")'
break_vlan10
within 30 "and it repairs" as_declared
offloadctl status >/dev/null 2>&1
is "offloadctl finds nobody" $? 3

systemctl stop offloadd run-offloadd.mount
rm /etc/offloadd/rules.d/40-bad.rule /etc/systemd/system/offloadd.service.d/50-hard.conf
systemctl daemon-reload
check "with the causes gone it starts" systemctl restart offloadd
is "and has nothing to complain of" "$(property offloadd StatusText | grep error)" ""
done_testing
