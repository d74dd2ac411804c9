# SPDX-License-Identifier: GPL-2.0-or-later
# Who is charged: listeners that are passed on, processes outside any service, and numbers of processes that are used again; without
# BTF, too.
# kernels: 5.10
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../probes.sh"
case $KERNEL in
5.10 | 6.1) copying=sendpage ;;
*) copying=splice ;;
esac

services() { # JQ-FILTER
	offloadctl services --json | jq -c "$1"
}
hits_of() { # SERVICE [KIND]: the sum of its hits
	services "[.fallback[] | select(.service == \"$1\" and (\"${2:-}\" == \"\" or .kind == \"${2:-}\")).hits] | add // 0"
}
moved() { # FROM TO ADDRESS PORT [PEER]: a server whose listener was made in another cgroup
	server "$1" "${@:3}"
	mkdir -p "/sys/fs/cgroup/$2"
	echo "$server_pid" >"/sys/fs/cgroup/$2/cgroup.procs"
}
remedies() { # SERVICE: how its fallback ends
	services "[.fallback[] | select(.service == \"$1\").remedy] | unique"
}
is_charged() { [ "$(hits_of "$1" segmentation)" -gt 0 ]; } # what is listed may be two seconds old, if reading takes long
whole() { offloadctl plan >/dev/null; }

check "the other host is there" network
unprivileged
rule 10-vlan.rule '[Match]' 'Name=vlan10' '[Features]' 'tx-checksum-ip-generic=on' 'sg=on' 'tso=on' 'gso=on'
# whoever is first in a cgroup must not take what others send
server system.slice/launcher.service 10.9.0.1 5001
moved system.slice/launcher.service system.slice/worker.service 10.9.0.1 5002
moved system.slice/web.socket system.slice/web.service 10.9.0.1 5003
moved system.slice/web.socket system.slice/web.service 10.9.0.1 5004 10.9.0.2
server system.slice/plain.service 10.9.0.1 5005
# in the root of the hierarchy
"$tools/sendfile-peer" server 10.9.0.1 5006 "$scratch/file" >"$scratch/root" &
started+=($!)
disown $!
wait_until 20 file_has "$scratch/root" listening
daemon_start "offloadd starts" --enforce
case $KERNEL in
5.10) has_capabilities 8000001000 ;; # bpf(2) needs CAP_BPF for reading
*) has_capabilities 1000 ;;
esac
check "vlan10 is paused" offloadctl pause vlan10
break_vlan
for client in launcher:5001 worker:5002 web:5003 plain:5005 root:5006; do client ${client%:*} 10.9.0.1 ${client#*:}; done
client signed 10.9.0.1 5004 10.9.0.1
for name in launcher worker web plain root signed; do check "$name sends" fetch $name; done
for name in launcher worker web plain; do
	within 10 "$name.service is charged for what it sends" is_charged $name.service
done
check "copies are charged to who sends" test "$(hits_of web.service $copying)" -gt 0
is "nothing is charged to a socket unit" "$(services '[.fallback[].service | strings | select(endswith(".socket"))]')" '[]'
check "a process outside any service is charged as such" test "$(hits_of 'no service' segmentation)" -gt 0
is "and not as the kernel" "$(services '[.fallback[] | select(.origin == "kernel")]')" '[]'
outside() {
	fetch root
	matches "$(offloadctl services)" '^  a process outside any service on vlan10: '
}
within 60 "which services prints" outside
is "no service is unknown" "$(hits_of 'unknown service')" 0
before="$(hits_of launcher.service) $(hits_of worker.service)"
for i in 1 2 3; do fetch worker; done
is "what the worker sends is not charged to the launcher" "$(hits_of launcher.service)" "${before% *}"
check "but to the worker" test "$(hits_of worker.service)" -gt "${before#* }"
ip netns exec $peer "$tools/sendfile-peer" client 10.9.0.1 5003 "$size" <<<"" >"$scratch/short" 2>&1
is "a short connection does not show the socket unit either" "$(services '[.fallback[].service | strings | select(endswith(".socket"))]')" '[]'
is "paused: one advice" "$(remedies plain.service)" '["resume"]'
is "the journal has the same" "$(records '^offloadd: fallback: plain.service .*offloadctl resume vlan10' | wc -l)" 2
advised() { # services lists what was used within ten seconds
	fetch plain
	matches "$(offloadctl services)" '^  plain.service on vlan10: .*Run: offloadctl resume vlan10$'
}
within 60 "and services" advised
watch_for() { # NAME OPTION...: investigates while the services send
	local name=$1 watching
	shift
	offloadctl investigate --for 1h --json "$@" >"$scratch/$name.json" 2>"$scratch/$name.err" &
	watching=$!
	started+=($watching)
	wait_until 120 file_has "$scratch/$name.err" watching
	for i in 1 2; do fetch web; fetch signed; fetch launcher; done
	kill -INT $watching
	wait $watching
}
watch_for web --unit web.service
has "investigate blames web.service" "$(jq -c '[.findings[] | [.verdict, .service, .link, .remedy]]' "$scratch/web.json")" \
	'\["device","web.service","vlan10","resume"\]'
is "with all that it counts" "$(jq -c '[.rates.segmentation.times > 0, .rates.copy.times > 0, .rates.tcp_sendmsg.times > 0, ([.histograms[].service] | unique)]' \
	"$scratch/web.json")" "$(case $KERNEL in 5.10 | 6.1) echo '[true,true,false,["web.service"]]' ;; *) echo '[true,true,true,["web.service"]]' ;; esac)"
is "and of no other service" "$(jq -c '[.fallback[].service] | unique' "$scratch/web.json")" '["web.service"]'
check "the document fits its schema" "$tools/test-json" investigate.json "$scratch/web.json"
offloadctl services --json >"$scratch/services.json"
check "that of services, too" "$tools/test-json" services.json "$scratch/services.json"

# after the repair there is one advice, too
check "vlan10 is repaired" offloadctl resume vlan10
within 20 "it matches its rules" whole
flagged() { [ "$(services '[.restart[] | [.service, .link, .sockets]]')" = '[["web.service","vlan10",1]]' ]; }
within 20 "the service that holds the stale connection is flagged" flagged
is "its fallback ends with that" "$(remedies web.service)" '["reconnect"]'
is "that of the others is over" "$(remedies plain.service)" '["over"]'
has "the sockets show their holder" "$(offloadctl sockets)" '^vlan10 +web.service +10.9.0.1:5004 '
watch_for after --unit web.service
is "investigate has the same verdict" "$(jq -c '[.findings[] | select(.verdict != "receiver") | [.verdict, .service, .remedy]]' "$scratch/after.json")" \
	'[["reconnect","web.service","reconnect"]]'

# not declared, declared off
offloadctl pause vlan10 >/dev/null
unprivileged
rule 10-vlan.rule '[Match]' 'Name=vlan10' '[Features]' 'lro=off'
kill -HUP "$daemon"
wait_until 20 has_records '^offloadd: rules: '
break_vlan
fetch plain
within 20 "no rule declares it: that is the advice" test '["declare"]' = "$(fetch plain; remedies plain.service)"
unprivileged
rule 10-vlan.rule '[Match]' 'Name=vlan10' '[Features]' 'sg=off' 'tso=off' 'tx-checksum-ip-generic=off'
record_mark
kill -HUP "$daemon"
wait_until 20 has_records '^offloadd: rules: '
offloadctl resume vlan10 >/dev/null
within 20 "it matches the rule that turns it off" whole
fetch plain
is "a rule turns it off: that is the advice" "$(remedies plain.service)" '["rule"]'
daemon_stops

# without BTF
unprivileged
rule 10-vlan.rule '[Match]' 'Name=vlan10' '[Features]' 'tx-checksum-ip-generic=on' 'sg=on' 'tso=on' 'gso=on'
mkdir -p /etc/offloadd
printf '%s\n' '[Restart]' 'Units=signed.service' '[Hooks]' 'OnFallback=alert@.service' 'OnStale=alert@.service' >/etc/offloadd/offloadd.conf
mount -t tmpfs none /sys/kernel/btf
record_mark
daemon_as=() # kprobes need CAP_SYS_ADMIN where kernel.perf_event_paranoid is above 2
rm -rf /run/offloadd
daemon_start "offloadd starts without BTF" --enforce
case $KERNEL in
5.10 | 6.1)
	one_record "a restart that acts on a part only is reported" '^offloadd: state: \[Restart\] Units= acts only on what can be observed: the kernel has no BTF'
	one_record "a hook that cannot work is reported" '^offloadd: state: \[Hooks\] OnFallback= has no effect: the kernel has no BTF'
	;;
*)
	one_record "a restart that cannot work is reported" '^offloadd: state: \[Restart\] Units= has no effect: the kernel has no BTF'
	offloadctl services --format needrestart >"$scratch/list" 2>"$scratch/err"
	is "an empty list is not an all-clear" "$? $(tail -n +2 "$scratch/list")" "4 "
	has "and says so" "$(cat "$scratch/err")" 'cannot be seen'
	daemon_stops
	umount /sys/kernel/btf
	done_testing
	exit
	;;
esac
offloadctl services --format needrestart >"$scratch/list" 2>"$scratch/err"
is "an empty list is not an all-clear" "$? $(tail -n +2 "$scratch/list")" "4 "
server system.slice/signed.service 10.9.0.1 5007 10.9.0.2
offloadctl pause vlan10 >/dev/null
break_vlan
client old 10.9.0.1 5007 10.9.0.1
check "a signed sender sends" fetch old
copying() {
	fetch old
	matches "$(offloadctl services)" '^  signed.service: sendpage [1-9]'
}
within 60 "services prints copies while they are made" copying
has "and what is not observed" "$(offloadctl services)" '^Not observed on this kernel: segmentation, checksum'
is "what was not observed is not denied" "$(offloadctl services | grep -c 'No service uses')" 0
offloadctl services --format needrestart >"$scratch/list" 2>"$scratch/err"
is "while an interface lacks offloads nothing can be judged" "$? $(tail -n +2 "$scratch/list")" "4 "
has "and it is named" "$(cat "$scratch/err")" 'while vlan10 lacks'
offloadctl resume vlan10 >/dev/null
within 20 "the interface is repaired" whole
lingers() {
	fetch old
	[ "$(offloadctl services --format needrestart | tail -n +2)" = "NEEDRESTART-SVC: signed.service" ]
}
within 60 "who still copies then needs a restart" lingers
offloadctl services --format needrestart >/dev/null 2>&1
is "and the exit status is that of an answer" $? 0
has "an event says so" "$(records '^offloadd: stale: ')" '^offloadd: stale: signed.service has stale connections'
watch_old() {
	offloadctl investigate --for 1h --json >"$scratch/old.json" 2>"$scratch/old.err" &
	local watching=$!
	started+=($watching)
	wait_until 120 file_has "$scratch/old.err" watching
	local until=$(($(now_ms) + 2500))
	while [ "$(now_ms)" -lt $until ]; do fetch old; done
	kill -INT $watching
	wait $watching
}
watch_old
is "investigate counts the copies and its verdict is reconnect" \
	"$(jq -c '[.rates.copy.times > 0, ([.findings[] | select(.verdict == "reconnect") | .service]), ([.findings[].text | select(contains("copies by sockets"))])]' "$scratch/old.json")" \
	'[true,["signed.service"],[]]'
check "the document fits its schema" "$tools/test-json" investigate.json "$scratch/old.json"

# the number of a process is used again by another service
before=$(hits_of signed.service)
victim=$(tail -n 1 /sys/fs/cgroup/system.slice/signed.service/cgroup.procs) # a process for each connection
series() { offloadctl metrics | grep '^offloadd_fallback_hits_total'; }
xargs -r kill -KILL </sys/fs/cgroup/system.slice/signed.service/cgroup.procs
wait_until 20 test ! -e "/proc/$victim"
mkdir -p /sys/fs/cgroup/system.slice/bank.service
echo $((victim - 1)) >/proc/sys/kernel/ns_last_pid
(echo 0 >/sys/fs/cgroup/system.slice/bank.service/cgroup.procs && exec "$tools/sendfile-peer" server 10.9.0.1 5008 "$scratch/file") >"$scratch/bank" &
bank=$!
started+=($bank)
disown $bank
wait_until 20 file_has "$scratch/bank" listening
is "bank.service has the number of the sender that ended" "$bank" "$victim"
is "it is not charged" "$(hits_of bank.service)" 0
is "the service that sent keeps its hits" "$(hits_of signed.service)" "$before"
has "and its series keeps its label" "$(series)" "unit=\"signed.service\"\\} $before\$"
gone() { [ "$(services '.restart')" = '[]' ] || { services '[.restart, .fallback]' && return 1; }; }
within 60 "it needs no restart any more" gone
daemon_stops
umount /sys/kernel/btf
done_testing
