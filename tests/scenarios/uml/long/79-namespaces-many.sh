# SPDX-License-Identifier: GPL-2.0-or-later
# A thousand network namespaces, of which ten end and ten begin every second for ten minutes (CHURN_S): each is as declared soon after it
# appeared, and memory, descriptors and namespaces are flat. A namespace with too many links.
[ -n "$own_host" ] || own_host=yes exec nsenter --net=/proc/1/ns/net unshare --pid --fork --kill-child --mount --mount-proc bash "$0"
mount -t tmpfs run /run
. "$(dirname "$0")/../../lib.sh"

tools=${BUILD:-build}/tests
many=${MANY:-1000} churn_s=${CHURN_S:-600}
ip link set lo up
sysctl -qw net.core.fb_tunnels_only_for_init_net=2
mkdir -p /etc/offloadd
printf '%s\n' '[Daemon]' Mode=enforce Namespaces=enforce >/etc/offloadd/offloadd.conf
rule 60-many.rule '[Match]' 'Namespace=n* big' 'Kind=veth dummy' '[Features]' 'tx=off'
pids() { grep -lE '^offloadd' /proc/[0-9]*/comm 2>/dev/null | cut -d/ -f3; }
memory() { for pid in $(pids); do cat /proc/$pid/smaps; done | awk '/^Pss:/ { n += $2 } END { print n }'; } # kB of all processes
descriptors() { for pid in $(pids); do ls /proc/$pid/fd; done | wc -l; }
ticks() { for pid in $(pids); do cat /proc/$pid/stat; done | awk '{ n += $14 + $15 } END { print n }'; }
seen() { offloadctl metrics | awk '/^offloadd_namespaces[{]look="seen"[}]/ { print $2 }'; }
of() { offloadctl status --json | jq -c ".daemon.namespaces | $1"; }
batch() { # FIRST LAST: commands that create them
	local i
	for ((i = $1; i <= $2; i++)); do
		echo "netns add n$i"
		echo "link add w$i type veth peer name eth0 netns n$i"
	done
}

# from the moment when a namespace gets its number to the change of its features: by a bare loop that knows what to expect, and by offloadd
reaction() { # PREFIX [floor PREFIX]: median and 90th percentile of 50, in us
	local i output
	exec {output}< <("$tools/namespaces-reaction" "${@:2}" 50)
	read -r -t 20 <&$output
	for ((i = 1; i <= 50; i++)); do
		printf '%s\n' "netns add $1$i" "link add v$1$i type veth peer name eth0 netns $1$i" | ip -batch -
		read -r -t 0.05 <&$idle
	done
	read -r -t 20 reacted <&$output
	for ((i = 1; i <= 50; i++)); do echo "netns del $1$i"; done | ip -batch -
}
reaction f floor f
floor=$reacted

daemon_start "the daemon starts" --no-probes
small=$(memory)
reaction na
few=$reacted
batch 1 $many >"$scratch/batch"
begin=$(now_ms)
ip -batch "$scratch/batch"
created=$(($(now_ms) - begin))
within 120 "$many namespaces are seen" eval '[ "$(seen)" = $many ]'
echo "# note created in $created ms, seen after $(($(now_ms) - begin)) ms"
within 10 "and as declared" eval '[ "$(of "[.noncompliant, .unknown]")" = "[0,0]" ]'
large=$(memory)
echo "# note memory: $small kB without, $large kB with $many namespaces"
check "all processes together have less than 16 MiB" test "$large" -lt 16384
reaction nb
echo "# note us to the change, median and 90th percentile: $floor by a bare loop, $few with few namespaces, $reacted with $many"
check "with many it takes no longer than with few" test "${reacted% *}" -le $((${few% *} * 2))
within 20 "those are forgotten" eval '[ "$(seen)" = $many ]'
fds=$(descriptors)

first=1 last=$many end=$(($(now_ms) + churn_s * 1000))
began=$(ticks) begin=$(now_ms)
while [ "$(now_ms)" -lt $end ]; do
	next=$(($(now_ms) + 1000))
	{
		for ((i = first; i < first + 10; i++)); do echo "netns del n$i"; done
		batch $((last + 1)) $((last + 10))
	} | ip -batch -
	first=$((first + 10)) last=$((last + 10))
	while [ "$(now_ms)" -lt $next ]; do read -r -t 0.05 <&$idle; done
done
echo "# note $((last - many)) namespaces came and went; $((($(ticks) - began) * 10000 / ($(now_ms) - begin))) permille of the time"
within 60 "those that are there are seen" eval '[ "$(seen)" = $many ]'
within 10 "and as declared" eval '[ "$(of "[.noncompliant, .unknown]")" = "[0,0]" ]'
is "no interface of those that ended is left" "$(ip -br link | grep -c '^w')" $many
is "no descriptor is left" "$(descriptors)" "$fds"
echo "# note memory at the end: $(memory) kB"
check "memory is flat" test "$(memory)" -lt $((large * 5 / 4))

ip netns add big
for ((i = 1; i <= 4096; i++)); do echo "link add d$i type dummy"; done | ip -n big -batch -
within 60 "one with too many links is reported" eval '[ "$(of "[.list[] | select(.netns == \"big\") | .look, .compliant]")" = "[\"too-many\",false]" ]'
offloadctl status >/dev/null
is "and the host is not OK" $? 4
ip netns del big
read -r -t 20 <&$idle
quiet=$(ticks)
read -r -t 10 <&$idle
is "nothing runs when nothing happens" "$(ticks)" "$quiet"
daemon_stops
ip -all netns del
done_testing
