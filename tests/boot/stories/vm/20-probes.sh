# SPDX-License-Identifier: GPL-2.0-or-later
# What takes probes, on a stock kernel and real drivers. As installed, under audit: which service uses software fallback. Then under
# enforce: a service whose connections lack an offload that is back is restarted, if offloadd.conf names it and polkit lets offloadd;
# no other is.
. /story/lib.sh

booted
is "under audit nobody waits for what is not done" "$(property offloadd-wait-online Result)" success
has "audit changes nothing" "$(cat /run/recorded)" 'scatter-gather: off' 'tx-checksumming: off'
check "the journal tells of it" has_record '.OFFLOADD_EVENT == "drift" and .OFFLOADD_LINK == "vlan10"'
is "every probe of this kernel runs in the unit's sandbox" "$(absent_probes)" "[]"
is "and all that investigate asks for" "$(offloadctl investigate --for 1s --json 2>/dev/null | jq -c .absent)" "[]"
is "CAP_NET_ADMIN is all that it keeps" "$(sed -n 's/^\(CapPrm\|CapEff\|CapAmb\):\s*0*/\1 /p' \
	"/proc/$(property offloadd MainPID)/status" | xargs)" "CapPrm 1000 CapEff 1000 CapAmb 1000"
offloadctl status --all | grep '^probe ' | sed 's/^/# note /'
is "nothing was repaired" "$(records '.OFFLOADD_EVENT == "repaired"')" ""
runuser -u nobody -- offloadctl plan >plan 2>&1
is "offloadctl plan, as nobody, exits with 2" $? 2
has "and says so" "$(cat plan)" 'vlan10.*drifted'
rm plan

# nginx sends files to a client
fetch() {
	ip netns exec client bash -c 'exec 3<>/dev/tcp/10.9.0.1/80 && printf "GET /file HTTP/1.0\r\n\r\n" >&3 && wc -c <&3'
}
fetched() { [ "$(fetch)" -gt 4000000 ]; }
pays() { fetched && offloadctl services | grep 'nginx.service on vlan10: '; }
pays_no_more() { fetched && ! offloadctl services | grep nginx.service; }
check "a client across vlan10" wire
head -c 4000000 /dev/urandom >/var/www/html/file
has "nginx has sendfile on" "$(nginx -T 2>/dev/null)" '^\s*sendfile on;'
check "and starts" systemctl start nginx
within 60 "it serves the client" fetched
within 60 "services names it, by its unit and link" pays
offloadctl services | sed 's/^/# note /'
is "it need not be restarted" "$(offloadctl services --json | jq -c .restart)" '[]'

# another nginx, behind a socket unit: systemd makes the listener
check "a socket unit starts" systemctl start web.socket
ip netns exec client bash -c 'exec 3<>/dev/tcp/10.9.0.1/8081 && printf "GET /file HTTP/1.1\r\nHost: a\r\n\r\n" >&3 && head -c 4000000 <&3 | wc -c &&
	cat <&3' >got 2>&1 &
kept=$!
within 60 "its nginx serves the client, which stays connected" grep -qx 4000000 got
offloadctl path web.service --json >path
is "path, by the name of the service: exit status 2" $? 2
is "its connection leaves by vlan10, which works in software" \
	"$(jq -c '[.asked, .sockets_by, .verdict, .paths[0].sockets.connections, .paths[0].at, .paths[0].hops[0].link]' path)" \
	'["unit","iterator","software",1,0,"vlan10"]'
is "down to the cards" "$(jq -r '.paths[0].hops[] | select(.next == "wire") | .link' path | sort)" \
	"$(tr ' ' '\n' </sys/class/net/bond0/bonding/slaves | sort)"
offloadctl path web.service | sed 's/^/# note /'
kill $kept
systemctl stop web.socket web.service

check "offloadctl apply repairs it" offloadctl apply vlan10
check "as declared" as_declared
within 120 "nginx, which goes on sending, is named no more" pays_no_more
is "what root wrote is readable to the daemon" "$(stat -c %U /run/offloadd/ledger.json)" offloadd

flags() { # services that must reconnect
	offloadctl services --json | jq -c '[.restart[].service] | sort'
}
are_flagged() { [ "$(flags)" = "$1" ]; }
connect() { # PORT...: a connection of the client's to each, made while vlan10 is broken
	local port
	offloadctl pause vlan10 >/dev/null && break_vlan10 || return
	for port; do
		ip netns exec client /usr/local/bin/signed-tcp connect 10.9.0.1 "$port" 10.9.0.1 >"connected-$port" &
		clients+=($!)
	done
	for port; do wait_until 60 grep -q connected "connected-$port" || return; done
	offloadctl resume vlan10 >/dev/null && wait_until 60 as_declared
}
clients=()
disconnect() {
	kill "${clients[@]}"
	wait "${clients[@]}"
	clients=()
} 2>/dev/null

systemctl stop nginx
break_vlan10
mkdir -p /etc/offloadd/offloadd.conf.d
printf '%s\n' '[Daemon]' 'Mode=enforce' '[Contention]' 'Window=1s' 'SlowRounds=200' 'SlowSets=200' '[Restart]' 'Units=signed.service' 'Pause=1s' \
	>/etc/offloadd/offloadd.conf.d/50-restart.conf
check "a reload takes Mode=enforce and the service that may be restarted" systemctl reload offloadd
within 20 "vlan10 is as declared" as_declared
check "two services start" systemctl start signed other
signed=$(property signed MainPID) other=$(property other MainPID)

connect 5001 5002
is "each has a connection from before the repair" $? 0
within 20 "both are flagged" are_flagged '["other.service","signed.service"]'
refused='.OFFLOADD_CODE == "restart-failed" and .OFFLOADD_SERVICE == "signed.service"'
within 60 "the one that is named is to be restarted, and polkit does not let offloadd" has_record "$refused"
has "the record has polkit's reason" "$(records "$refused" | jq -r .MESSAGE)" 'Failed to restart signed.service: .*[Aa]uth.*no polkit rule lets offloadd'
records "$refused" | jq -r .MESSAGE | sed 's/^/# note /'
is "nobody was restarted" "$(property signed MainPID) $(property other MainPID)" "$signed $other"
is "once it was asked" "$(records "$refused" | wc -l)" 1
disconnect
within 60 "the flags go with the connections" are_flagged '[]'

# as contrib has it, for this service
mkdir -p /etc/polkit-1/rules.d
sed 's/nginx\.service/signed.service/' source/contrib/offloadd-restart.rules >/etc/polkit-1/rules.d/50-offloadd-restart.rules
check "polkit reads its rules" systemctl restart polkit
runuser -u offloadd -- busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager \
	StopUnit ss signed.service replace >stop 2>&1
check "they let offloadd stop nothing" test $? -ne 0 -a "$(property signed ActiveState)" = active
runuser -u offloadd -- busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager \
	TryRestartUnit ss other.service replace >try 2>&1
check "and restart nothing else" test $? -ne 0 -a "$(property other MainPID)" = "$other"

connect 5001 5002
is "again connections from before the repair" $? 0
within 60 "the one that is named is restarted" has_record '.OFFLOADD_EVENT == "restarted" and .OFFLOADD_SERVICE == "signed.service"'
restarted() { [ "$(property signed MainPID)" != "$signed" ] && [ "$(property signed ActiveState)" = active ]; }
within 20 "by systemd: it runs, and is another process" restarted
within 60 "its flag is gone, and the other's stays" are_flagged '["other.service"]'
is "which was not restarted" "$(property other MainPID)" "$other"
gone() { ! kill -0 "${clients[0]}"; }
within 20 "its client was told" gone
is "it was restarted once" "$(records '.OFFLOADD_EVENT == "restarted"' | wc -l)" 1
disconnect
done_testing
