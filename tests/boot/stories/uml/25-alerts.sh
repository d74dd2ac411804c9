# SPDX-License-Identifier: GPL-2.0-or-later
# Alerts of a booted system under audit: the unit that a hook names is started for what was found during the boot and for what comes
# later, by a daemon that has no right to start one; and the textfile tells the same.
. /story/lib.sh

alerts() { cat /run/alerts/* 2>/dev/null; }
told() { # LINK
	alerts | grep -qx "OFFLOADD_LINK=$1"
}
metric() { grep -qxF -- "$1" /run/offloadd/offloadd.prom; }

booted
within 20 "the unit was started for what the boot broke" told vlan10
has "with the record in its environment" "$(alerts)" '^OFFLOADD_EVENT=drift$' '^OFFLOADD_RULE=10-vlan.rule$' \
	'^OFFLOADD_MESSAGE=vlan10 .*tx-scatter-gather' '^OFFLOADD_MESSAGE_ID=bc372f54f9b04f2d8ddf8ac60eb5c9aa$'
is "by systemd, as a unit of that template" "$(systemctl list-units --all --no-legend --plain --state=failed 'record-alert@*')" ""
is "offloadd-hook failed at nothing" "$(journalctl -b -q -u offloadd-hook -p err --no-pager)" ""

as_user() { runuser -u offloadd -- "$@"; }
check "the daemon's user cannot start it by itself" sh -c '! runuser -u offloadd -- systemctl --no-ask-password start record-alert@x.service'
check "nor may anybody else send records" sh -c '! runuser -u nobody -- test -w /run/offloadd-hook/socket'
check "as the daemon's user may" as_user test -w /run/offloadd-hook/socket
check "who reads the records is nobody but root" sh -c '! runuser -u offloadd -- sh -c "cat /run/offloadd-hook/*.env"'

check "the textfile is there" metric 'offloadd_up 1'
check "it audits" metric 'offloadd_mode{mode="audit"} 1'
has "and tells of vlan10" "$(cat /run/offloadd/offloadd.prom)" \
	'^offloadd_feature_noncompliant\{link="vlan10",link_kind="vlan",feature="tx-scatter-gather",verdict="drifted",rule="10-vlan.rule"\} 1$' \
	'^offloadd_hooks_total\{result="sent"\} [1-9]'
is "anyone may read it" "$(stat -c '%U %a' /run/offloadd/offloadd.prom)" "offloadd 644"

within 30 "offloadd-hook is gone when there is nothing to do" sh -c '[ "$(systemctl is-active offloadd-hook)" = inactive ]'
offloadctl apply vlan10 >/dev/null
within 30 "a repair by hand takes it out" sh -c '! grep -q "link=\"vlan10\"" /run/offloadd/offloadd.prom'
rm -f /run/alerts/*
break_vlan10
within 20 "a later drift starts the unit again" told vlan10
# what a compromised daemon could try
send() { # EVENT N: datagrams, by the daemon's user
	as_user perl -MSocket -e 'socket(S, AF_UNIX, SOCK_DGRAM, 0) && connect(S, pack_sockaddr_un("/run/offloadd-hook/socket")) or die;
		for (1 .. $ARGV[1]) { send(S, "OFFLOADD_EVENT=$ARGV[0]\nOFFLOADD_LINK=forged$_\n", 0) or die }' "$@"
}
units() { journalctl -b -q --no-pager -o cat _PID=1 | grep -c "Start.*record-alert@$1-"; } # KIND
as_user sh -c 'mkdir /run/offloadd/offloadd.conf.d &&
	printf "%s\n" "[Hooks]" "OnContended=record-alert@.service" >/run/offloadd/offloadd.conf.d/99-evil.conf'
check "the daemon's user sends an event of a kind without a hook" send contended 1
check "and 300 of a kind with one" send drift 300
limit_is_reported() { journalctl -b -q --no-pager -o cat -u offloadd-hook | grep -q 'drift events started no unit: more than 60 in a minute'; }
within 30 "what exceeds the limit is reported" limit_is_reported
check "and started no unit" test "$(find /run/offloadd-hook -name 'drift-*.env' | wc -l)" -le 60
is "settings in the daemon's own directory start nothing" "$(find /run/offloadd-hook -name 'contended-*.env' | wc -l) $(units contended)" "0 0"
as_user rm -r /run/offloadd/offloadd.conf.d

systemctl stop offloadd
check "a daemon that was stopped says so" metric 'offloadd_up 0'
mkdir -p /run/systemd/system/offloadd.service.d
printf '[Service]\nRestart=no\n' >/run/systemd/system/offloadd.service.d/50-dead.conf
systemctl daemon-reload
systemctl start offloadd
within 20 "one that runs, too" metric 'offloadd_up 1'
kill -KILL "$(property offloadd MainPID)"
within 20 "and of one that died the unit says so" metric 'offloadd_up 0'
done_testing
