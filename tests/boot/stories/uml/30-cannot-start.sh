# SPDX-License-Identifier: GPL-2.0-or-later
# Told to enforce, and without the privilege to: the boot goes on, and the unit says why.
. /story/lib.sh

systemctl is-system-running --wait >/dev/null
check "the boot is complete" systemctl is-active multi-user.target network-online.target recorder.service
is "no unit failed but those of offloadd" "$(systemctl --failed --no-legend --plain | grep -v '^offloadd')" ""
# on a machine so slow that five starts take longer than StartLimitIntervalSec=, it is tried on
gave_up() { [ "$(property offloadd ActiveState)" = failed ] || [ "$(property offloadd NRestarts)" -ge 5 ]; }
within 120 "offloadd was tried again, and then given up" gave_up
has "it says why" "$(systemctl status --no-pager offloadd 2>&1; journalctl -b -u offloadd --no-pager)" CAP_NET_ADMIN
echo "# $(systemd-analyze time | head -1)"
rm /etc/systemd/system/offloadd.service.d/50-no-capability.conf
systemctl daemon-reload
systemctl reset-failed offloadd
check "with the cause gone it starts" systemctl restart offloadd
within 30 "and repairs" as_declared
done_testing
