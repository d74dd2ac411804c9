# SPDX-License-Identifier: GPL-2.0-or-later
# As installed: it audits. Then the package's own life: upgrade with a changed conffile, remove, purge, install.
. /story/lib.sh

booted
is "under audit nobody waits for what is not done" "$(property offloadd-wait-online Result)" success
has "audit changes nothing" "$(cat /run/recorded)" 'scatter-gather: off' 'tx-checksumming: off'
check "the journal tells of it" has_record '.OFFLOADD_EVENT == "drift" and .OFFLOADD_LINK == "vlan10"'
is "nothing was repaired" "$(records '.OFFLOADD_EVENT == "repaired"')" ""
runuser -u nobody -- offloadctl plan >plan 2>&1
is "offloadctl plan, as nobody, exits with 2" $? 2
has "and says so" "$(cat plan)" 'vlan10.*drifted'
rm plan
check "offloadctl apply repairs it" offloadctl apply vlan10
check "as declared" as_declared
is "what root wrote is readable to the daemon" "$(stat -c %U /run/offloadd/ledger.json)" offloadd
check "what debian/tests has passes" bash source/debian/tests/netns

apt() { # ARGUMENT...
	DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confdef \
		-o Dpkg::Options::=--force-confold "$@"
}
scratch=$(mktemp -d)
dpkg-deb -R offloadd.deb "$scratch/new"
sed -i 's/^Version:.*/&+next/' "$scratch/new/DEBIAN/control"
echo "# a line of the next version" >>"$scratch/new/etc/offloadd/offloadd.conf"
dpkg-deb -Znone -b "$scratch/new" "$scratch/next.deb" >/dev/null
printf '[Daemon]\nMode=enforce\n' >/etc/offloadd/offloadd.conf
printf '%s\n' '[Match]' 'Name=vlan10' '[Features]' 'gro=on' >/etc/offloadd/rules.d/60-own.rule
ip netns add blue
blue_is_seen() { offloadctl status --all | grep -q '^network namespace blue: interfaces'; }
within 10 "another namespace is looked after" blue_is_seen
pid=$(property offloadd MainPID)
check "upgrade" apt install "$scratch/next.deb"
is "the operator's offloadd.conf stays" "$(cat /etc/offloadd/offloadd.conf)" $'[Daemon]\nMode=enforce'
check "the new one lies beside it" grep -q 'next version' /etc/offloadd/offloadd.conf.dpkg-dist
is "the daemon runs" "$(property offloadd ActiveState)" active
check "it is the new one" test "$(property offloadd MainPID)" != "$pid"
within 20 "and looks after the other namespace again" blue_is_seen
ip netns del blue
break_vlan10
within 30 "and does what the operator's file says" as_declared

check "remove" apt remove offloadd
is "no daemon runs" "$(pgrep -x offloadd)" ""
is "no unit is left" "$(systemctl list-unit-files --no-legend 'offloadd*' | grep -v masked)" ""
is "what the operator wrote stays" "$(ls /etc/offloadd /etc/offloadd/rules.d | xargs)" \
	"/etc/offloadd: offloadd.conf offloadd.conf.dpkg-dist rules.d /etc/offloadd/rules.d: 60-own.rule"
check "purge" apt purge offloadd
is "nothing is left" "$(find / -xdev -name '*offload*' -not -path '/usr/lib/modules/*' -not -path '/story/*' \
	-not -path '/root/*' -not -path '/tmp/*' 2>/dev/null; find /run /var -name '*offload*')" ""
has "but the user, as a later one with its uid could inherit files" "$(getent passwd offloadd)" '^offloadd:.*nologin$'
check "install" apt install /story/offloadd.deb
is "the daemon runs again" "$(property offloadd ActiveState)" active
is "it audits" "$(property offloadd StatusText | cut -d, -f1)" "audit mode"
check "and starts at the next boot" systemctl is-enabled offloadd
rm -rf "$scratch"
done_testing
