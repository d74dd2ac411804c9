# SPDX-License-Identifier: GPL-2.0-or-later
# One daemon looks after every network namespace of a host: rules apply inside, from the moment a namespace appears. None is kept alive, the
# wrong one is never changed, and what happens in one delays neither the host nor the others.
# kernels: 7
# A host of its own, which has no namespaces of other scenarios: its processes, its /run, and the first network namespace.
if [ -z "$own_host" ]; then
	ip -all netns delete >/dev/null 2>&1
	own_host=yes exec nsenter --net=/proc/1/ns/net unshare --pid --fork --kill-child --mount --mount-proc bash "$0"
fi
mount -t tmpfs run /run
. "$(dirname "$0")/../lib.sh"

tools=${BUILD:-build}/tests
lib=$PWD/$(dirname "$0")/../lib.sh
switch() { ethtool -K "$@" >/dev/null; }
ip link set lo up
sysctl -qw net.core.fb_tunnels_only_for_init_net=2
inside() { ip netns exec "$1" bash -c ". $lib; switch() { ethtool -K \"\$@\" >/dev/null; }; ${*:2}"; } # NETNS COMMAND...
create() {						  # NETNS [INDEX]
	ip netns add "$1" && ip link add "v-$1" type veth peer name eth0 ${2:+index "$2"} netns "$1"
}
inode() { stat -L -c %i "/run/netns/$1"; }
of() { offloadctl status --json | jq -c ".daemon.namespaces | $1"; } # FILTER
one_of() { of ".list[] | select(.netns == \"$1\") | $2"; }	    # NETNS FILTER
is_known() { [ -n "$(one_of "$1" .inode)" ]; }
is_forgotten() { ! is_known "$1"; }
worker() { grep -lx offloadd-worker /proc/[0-9]*/comm 2>/dev/null | cut -d/ -f3; }
ticks() { cat /proc/$1/stat 2>/dev/null | awk '{ print $14 + $15 }'; } # PID

mkdir -p /etc/offloadd
settings() { printf '%s\n' '[Daemon]' Mode=enforce "$@" >/etc/offloadd/offloadd.conf; }
settings Namespaces=enforce
rule 60-web.rule '[Match]' 'Namespace=web*' 'Kind=veth' '[Features]' 'tx=off'
rule 61-host.rule '[Match]' 'Name=host*' '[Features]' 'sg=on'

within 20 "the namespaces of other scenarios have ended" eval '[ -z "$(ip netns list-id)" ]'
daemon_start "the daemon starts" --no-probes
is "without another namespace there is no process for them" "$(worker)" ""
is "and none is reported" "$(of '[.mode, .running, .total]')" '["enforce",false,0]'

record_mark
create web1
create other1
tx_off="is_off eth0 tx-checksumming"
within 5 "a rule applies in a namespace that appears" inside web1 $tx_off
one_record "one record tells of it, and where" '^offloadd: repaired: network namespace web1: eth0: turned off .*tx-checksum'
check "not in others" inside other1 is_on eth0 tx-checksumming
check "nor on the host" is_on v-web1 tx-checksumming
within 5 "all are reported" eval 'is_known web1 && is_known other1'
is "with their links by verdict" "$(one_of web1 '[.look, .compliant, .links, .declared, .verdicts.compliant, .changes]')" '["seen",true,2,1,1,1]'
offloadctl status --json >"$scratch/status"
check "the document matches the schema" "$tools/test-json" status.json "$scratch/status"
has "status names one if that is asked for" "$(offloadctl status --all)" 'network namespace web1: interfaces: 2, with rules: 1, compliant: 1'
has "metrics count them" "$(offloadctl metrics)" '^offloadd_namespaces\{look="seen"\} 2$'

record_mark
inside web1 switch eth0 tx on
within 5 "drift is repaired" inside web1 $tx_off
one_record "one record tells of it" '^offloadd: repaired: network namespace web1: eth0: '
is "its own notifications cause no second change" "$(one_of web1 .changes)" 2

# without a name; the second one gets the number of the first
for i in 1 2; do
	unshare --net sleep 1000 &
	nameless=$!
	in_own() { [ "$(readlink /proc/$nameless/ns/net)" != "$(readlink /proc/self/ns/net)" ]; }
	within 5 "a process has a namespace without a name" in_own
	ip link add v-nameless type veth peer name eth0 netns $nameless
	within 5 "it is found, and called after its process" is_known "sleep ($nameless)"
	kill $nameless
	within 5 "nothing keeps it alive" eval '! ip link show v-nameless'
	within 5 "it is forgotten" is_forgotten "sleep ($nameless)"
done

# one that ends, and another one with its name and inode
was=$(inode web1)
ip netns del web1
within 5 "nothing keeps a named one alive" eval '! ip link show v-web1'
within 5 "it is forgotten" is_forgotten web1
for i in {1..100}; do
	create web1
	[ "$(inode web1)" != "$was" ] || break
	ip netns del web1
done
is "its inode is used again" "$(inode web1)" "$was"
within 5 "the rule applies in the new one" inside web1 $tx_off
within 5 "which is not taken for the old one" eval '[ "$(one_of web1 .changes)" = 1 ]'

# links that move away at any moment, where another one has the same name and index; namespaces that end at any moment
create web2 77
create other2
ip -n other2 link del eth0
ip -n other2 link add eth0 index 77 type dummy
record_mark
for i in {1..6}; do
	inside web2 switch eth0 tx on
	ip -n web2 link set eth0 netns other2 name eth1
	ip -n other2 link set eth1 netns web2 name eth0 2>/dev/null || ip -n other2 link set eth1 netns web2
	create web3
	ip netns del web3
done
check "the link that has the same name and index elsewhere is never changed" inside other2 is_on eth0 tx-checksumming
within 10 "what came back is as declared" inside web2 $tx_off
within 5 "those that ended are forgotten" is_forgotten web3
is "there is no record but of repairs" "$(grep -vE '^offloadd: (repaired|state: The process)' "$log")" ""

# many that end and begin at once, with the same numbers
churn() { # NUMBER: three more, instead of those before
	local i
	for i in 1 2 3; do
		[ $1 = 1 ] || echo "netns del c$(($1 - 1))$i"
		printf '%s\n' "netns add c$1$i" "link add v-c$1$i type veth peer name eth0 netns c$1$i"
	done
}
for i in {1..8}; do churn $i >"$scratch/batch" && ip -batch "$scratch/batch"; done
within 5 "those that are left are known" eval 'is_known c81 && is_known c82 && is_known c83'
for i in 1 2 3; do ip netns del c8$i; done
within 5 "and no others" eval '[ "$(of "[.list[] | select(.netns | startswith(\"c\"))] | length")" = 0 ]'

# the process dies
record_mark
kill -KILL $(worker)
one_record "a record tells that the process for namespaces has failed" '^offloadd: state: The process for other network namespaces has failed; starting it again in 1s'
inside web1 switch eth0 tx on
ip link add host1 type dummy
switch host1 sg off
within 1 "the host is looked after meanwhile" is_on host1 scatter-gather
within 10 "and the others again soon" inside web1 $tx_off
within 5 "which are known as before" eval '[ "$(of .total)" = 4 ]'

# observed only
settings
offloadctl reload
within 5 "without Namespaces= nothing is changed" eval '[ "$(of ".mode + \" \" + ([.list[].mode] | unique | join(\" \"))")" = "\"observe audit\"" ]'
record_mark
inside web1 switch eth0 tx on
one_record "drift is reported" '^offloadd: drift: network namespace web1: eth0 drifted'
within 5 "and counted" eval '[ "$(one_of web1 ".verdicts.drifted")" = 1 ]'
check "and not repaired" inside web1 is_on eth0 tx-checksumming
offloadctl status >"$scratch/status"
is "status is not OK" $? 2
has "and says why" "$(cat "$scratch/status")" '1 other network namespace does not match its rules' 'offloadctl plan --netns web1'
settings Namespaces=host
offloadctl reload
within 5 "with Namespaces=host there is no such process" eval '[ -z "$(worker)" ]'
is "and nothing is claimed" "$(of '[.mode, .total]')" '["host",0]'

# a hostile namespace: hundreds of links that flap as fast as they can. The host's reaction is compared with that without the process.
reactions() { # N: the bucket of milliseconds in which half of the repairs of a link of the host were, by the daemon's own account
	local i
	for ((i = 0; i < $1; i++)); do
		ip link del host1 2>/dev/null
		ip link add host1 type dummy
		wait_until 5 is_on host1 scatter-gather
		switch host1 sg off
		wait_until 5 is_on host1 scatter-gather
	done
	offloadctl metrics | awk -F'["} ]+' '/^offloadd_reaction_seconds_bucket/ { le[n] = $2; seen[n++] = $3 }
		END { for (i = 0; seen[i] < seen[n - 1] / 2; i++); print le[i] * 1e6 }'
}
ip netns add evil
for i in {1..200}; do echo "link add e$i type dummy"; done | ip -n evil -batch -
for state in up down up down up down up down up down; do for i in {1..200}; do echo "link set e$i $state"; done; done >"$scratch/flaps"
while :; do ip -n evil -batch "$scratch/flaps"; done &
evil=$!
daemon_stops
settings Namespaces=host
daemon_start "the daemon starts beside flapping links" --no-probes
alone=$(reactions 6)
daemon_stops
settings Namespaces=enforce
rule 62-evil.rule '[Match]' 'Namespace=evil' '[Features]' 'sg=off'
record_mark
daemon_start "and so does one that looks after them" --no-probes
within 10 "which it does" eval '[ -n "$(one_of evil .declared)" ]'
begin=$(now_ms) begin_ticks=$(($(ticks $(worker))))
beside=$(reactions 6)
share=$((($(ticks $(worker)) - begin_ticks) * 10000 / ($(now_ms) - begin)))
echo "# note median reaction on the host: $alone us alone, $beside us beside; the process took $share permille of the time"
check "the host's reaction is as before" test "$beside" -le $((alone * 5 / 2))
check "the share of the flapping namespace is bounded" test $share -le 250
inside web1 switch eth0 tx on
within 5 "others are looked after meanwhile" inside web1 $tx_off
kill $evil
wait $evil 2>/dev/null
ip netns del evil
within 10 "it is forgotten" is_forgotten evil
is "its events did not fill the journal" "$(($(grep -c 'network namespace evil' "$log") <= 61))" 1

# not root, with the process that enters namespaces behind a socket, as the units have it
daemon_stops
daemon_as=()
mkdir -p /run/offloadd-netns
systemd-socket-activate --seqpacket -l /run/offloadd-netns/socket "${BUILD:-build}/offloadd-netns" >>"$scratch/netns.log" 2>&1 &
activate=$!
within 5 "offloadd-netns listens" test -S /run/offloadd-netns/socket
chown 12345 /run/offloadd-netns/socket
rm -r /run/offloadd
unprivileged
record_mark
daemon_start "the daemon starts without the privilege to enter namespaces" --no-probes
inside web1 switch eth0 tx on
within 10 "rules apply there" inside web1 $tx_off
daemon_stops
ask() { perl -MSocket -e 'socket(S, AF_UNIX, SOCK_SEQPACKET, 0) && connect(S, pack_sockaddr_un("/run/offloadd-netns/socket")) or die; sysread(S, $_, 1)'; }
said() { file_has "$scratch/netns.log" "$1"; }
chmod 666 /run/offloadd-netns/socket
export -f ask
setpriv --reuid 65534 --regid 65534 --clear-groups bash -c ask
within 5 "nobody else can have a namespace entered" said 'Refused a request of user 65534'
settings Namespaces=host
ask
within 5 "with Namespaces=host not even root can" said 'Refused a request: offloadd.conf sets Namespaces=host'
kill $activate
for netns in web1 web2 other1 other2; do ip netns del $netns; done
ip link del host1
done_testing
