# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by the scenarios about probes, after lib.sh: the incident's network with another host at its far end, services as cgroups,
# senders, and a running probes-dump to ask.
tools=$(dirname "${BASH_SOURCE[0]}")/../../${BUILD:-build}/tests
peer=peer-$$
started=()

probes_end() {
	local pid
	for pid in "${started[@]}"; do kill -KILL "$pid" 2>/dev/null; done
	ip netns pids $peer 2>/dev/null | xargs -r kill -KILL 2>/dev/null
	ip netns del $peer 2>/dev/null
	scenario_end
}
trap probes_end EXIT

# below `ip netns exec`, /sys is another one
mountpoint -q /sys/fs/cgroup || mount -t cgroup2 cgroup /sys/fs/cgroup
mountpoint -q /sys/kernel/tracing || mount -t tracefs tracing /sys/kernel/tracing
mountpoint -q /sys/fs/bpf || mount -t bpf bpf /sys/fs/bpf

network() { # eth2, eth3 -> bond0 -> vlan10 (10.9.0.1, fd09::1); the other host is 10.9.0.2, fd09::2 in another namespace
	ip netns add $peer
	ip -batch - <<-END
		link add eth2 type veth peer name p2 netns $peer
		link add eth3 type veth peer name p3 netns $peer
		link add bond0 type bond mode active-backup miimon 100
		link set eth2 master bond0
		link set eth3 master bond0
		link set eth2 up
		link set eth3 up
		link set bond0 up
		link add link bond0 name vlan10 type vlan id 10
	END
	sysctl -qw net.ipv6.conf.vlan10.disable_ipv6=0
	ip -batch - <<-END
		link set vlan10 up
		addr add 10.9.0.1/24 dev vlan10
		addr add fd09::1/64 dev vlan10 nodad
	END
	ip -n $peer -batch - <<-END
		link add br0 type bridge
		link set p2 master br0 up
		link set p3 master br0 up
		link set br0 up
		link add link br0 name v10 type vlan id 10
	END
	ip netns exec $peer sysctl -qw net.ipv6.conf.v10.disable_ipv6=0
	ip -n $peer -batch - <<-END
		link set v10 up
		addr add 10.9.0.2/24 dev v10
		addr add fd09::2/64 dev v10 nodad
	END
	wait_until 10 file_has /sys/class/net/bond0/carrier 1
}

break_vlan() {
	ethtool -K vlan10 sg off >/dev/null
	ethtool -K vlan10 tx off >/dev/null
}

repair_vlan() {
	ethtool -K vlan10 tx on >/dev/null
	ethtool -K vlan10 sg on >/dev/null
	ethtool -K vlan10 tso on gso on >/dev/null
}

in_service() { # CGROUP COMMAND...: runs it there, in the background; its pid is $!
	local group=/sys/fs/cgroup/$1
	shift
	mkdir -p "$group"
	(echo 0 >"$group/cgroup.procs" && exec "$@") &
	started+=($!)
	disown $!
}

probes_start() { # [QUIET-USEC [MAX-KEYS]]
	probes_run "$tools/probes-dump" "$@"
}

probes_run() { # COMMAND...: by pipes of our own; a coproc's are not for subshells
	rm -f "$scratch/ask" "$scratch/answer"
	: >"$scratch/events"
	mkfifo "$scratch/ask" "$scratch/answer"
	"$@" <"$scratch/ask" >"$scratch/answer" 2>&1 &
	probes_pid=$!
	started+=("$probes_pid")
	exec {probes_in}>"$scratch/ask" {probes_out}<"$scratch/answer"
	ready=$(probes_answer)
}

probes_stop() {
	# what was started since holds the pipe too, so closing it says nothing
	echo quit >&"$probes_in"
	exec {probes_in}>&- {probes_out}<&-
	wait "$probes_pid"
}

probes_answer() {
	local line
	while IFS= read -t 60 -r line <&"$probes_out" && [ "$line" != . ]; do
		[[ $line != event* ]] || echo "$line" >>"$scratch/events"
		echo "$line"
	done
}

ask() { # COMMAND: what the probes answer; events that come in between are in it too
	echo "$*" >&"$probes_in"
	probes_answer
}

told() { # how many combinations were told of; told more than once: their lines
	local line
	local -A times=()
	while read -r line; do
		line=${line%% pid=*}
		times[$line]=$((${times[$line]:-0} + 1))
	done <"$scratch/events"
	[ -n "${1:-}" ] || { echo ${#times[@]} && return; }
	for line in "${!times[@]}"; do [ "${times[$line]}" = 1 ] || echo "$line"; done
}

hits() { # REGEX...: the sum of the hits of the combinations that match
	local line regex n=0
	while read -r line; do
		[[ $line == *hits=* && $line != event* ]] || continue
		for regex; do [[ $line =~ $regex ]] || continue 2; done
		line=${line#*hits=}
		n=$((n + ${line%% *}))
	done < <(ask hits)
	echo $n
}

server() { # CGROUP ADDRESS PORT [PEER]: a service that sends the file
	local out
	out=$(mktemp -p "$scratch")
	in_service "$1" "$tools/sendfile-peer" server "$2" "$3" "$scratch/file" ${4:+"$4"} >"$out"
	server_pid=$!
	wait_until 20 file_has "$out" listening
}

client() { # NAME ADDRESS PORT [PEER]: a connection that stays; fetch NAME uses it
	local name=$1
	shift
	mkfifo "$scratch/$name.in"
	: >"$scratch/$name.out"
	ip netns exec $peer "$tools/sendfile-peer" client "$1" "$2" "$size" ${3:+"$3"} \
		<"$scratch/$name.in" >"$scratch/$name.out" 2>&1 &
	local client_pid=$!
	started+=($client_pid)
	disown $client_pid
	eval "exec {${name}_fd}>\"$scratch/$name.in\""
	eval "${name}_pid=$client_pid"
	wait_until 20 file_has "$scratch/$name.out" connected
}

fetched() { # NAME N: it has fetched at least so often; $fetches: how often, $fetch_usec: how long the last one took
	local line
	fetches=0
	while read -r line; do
		[[ $line == fetched* ]] || continue
		fetches=$((fetches + 1))
		line=${line#fetched } fetch_usec=${line%% *}
	done <"$scratch/$1.out"
	[ $fetches -ge "$2" ]
}

fetch() { # NAME: once the whole file; its time in microseconds is in $fetch_usec
	local name=$1 fd=${1}_fd
	fetched "$name" 0
	echo >&"${!fd}"
	wait_until 60 fetched "$name" $((fetches + 1)) || { echo "# $name did not fetch:" && sed 's/^/# /' "$scratch/$name.out"; return 1; }
}

disconnect() { # NAME
	local fd=${1}_fd pid=${1}_pid
	eval "exec ${!fd}>&-"
	kill "${!pid}" 2>/dev/null
	wait_until 10 test ! -e "/proc/${!pid}"
	rm -f "$scratch/$1.in"
}

size=${size:-1000000}
head -c "$size" /dev/urandom >"$scratch/file"
