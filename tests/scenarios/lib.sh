# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by every scenario: the incident's network, the daemon, and what ethtool says.

. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
scratch=$(mktemp -d)
log=$scratch/offloadd.log
daemon=
scenario_end() {
	[ -z "$daemon" ] || kill -KILL "$daemon" 2>/dev/null
	rm -rf "$scratch"
}
trap scenario_end EXIT

# The incident's network: eth2 and eth3 in bond0, vlan10 and vlan100 on it. The far ends of the two wires are in this namespace too.
stack() {
	ip -batch - <<-END
		link add eth2 type veth peer name far2
		link add eth3 type veth peer name far3
		link add bond0 type bond mode active-backup miimon 100
		link set eth2 master bond0
		link set eth3 master bond0
		link set far2 up
		link set far3 up
		link set eth2 up
		link set eth3 up
		link set bond0 up
		link add link bond0 name vlan10 up type vlan id 10
		link add link bond0 name vlan100 up type vlan id 100
	END
	# Linux 5.10 shows LRO on a bond that no port has it for, until something else changes on a port
	ethtool -K eth3 sg off >/dev/null
	ethtool -K eth3 sg on >/dev/null
}

first_namespace() { # COMMAND...: below `ip netns exec`, /sys is another one too
	nsenter --net=/proc/1/ns/net --mount=/proc/1/ns/mnt "$@"
}

# The machine's cards, taken into this namespace; each is named after its driver.
take_cards() {
	local module card driver
	for module in e1000e vmxnet3 virtio_net; do modprobe $module; done
	wait_until 10 three_cards
	for card in $(first_namespace sh -c 'ls -d /sys/class/net/*/device' | cut -d/ -f5); do
		driver=$(first_namespace readlink "/sys/class/net/$card/device/driver")
		first_namespace ip link set "$card" down
		first_namespace ip link set "$card" name "${driver##*/}" netns $$
	done
}
give_back_cards() {
	local card
	for card in e1000e vmxnet3 virtio_net; do ip link set $card netns 1; done
}
three_cards() { [ "$(first_namespace sh -c 'ls -d /sys/class/net/*/device/driver' | wc -l)" = 3 ]; }

links() {
	ip -br link | sed 's/[ @].*//'
}

fight() { # LINK SECONDS: somebody flips scatter-gather every 100 ms and leaves it off; fight_permille: the daemon's CPU meanwhile
	local begin state=on next ticks
	begin=$(now_ms) next=$begin ticks=$(daemon_ticks)
	while [ $(($(now_ms) - begin)) -lt $(($2 * 1000)) ]; do
		if [ $state = on ]; then state=off; else state=on; fi
		ethtool -K "$1" sg $state >/dev/null 2>&1
		next=$((next + 100))
		nap_until $next
	done
	fight_permille=$((($(daemon_ticks) - ticks) * 1000 * 1000 / $(getconf CLK_TCK) / ($(now_ms) - begin)))
	ethtool -K "$1" sg off >/dev/null 2>&1
}

nap_until() { # MILLISECONDS, as now_ms counts them
	local left=$(($1 - $(now_ms)))
	[ $left -le 0 ] || read -rt "$(printf '%d.%03d' $((left / 1000)) $((left % 1000)))" -u "$idle" || :
}

daemon_ticks() { # CPU time of the daemon
	awk '{ print $14 + $15 }' "/proc/$daemon/stat"
}

slowdown() { # how many times slower than the host's is this CPU? HOST_YARDSTICK: the host's yardstick, if this one is emulated
	local here
	[ -n "${HOST_YARDSTICK:-}" ] || { echo 1 && return; }
	here=$(yardstick)
	echo $((here > HOST_YARDSTICK ? here / HOST_YARDSTICK : 1))
}

patience=$(slowdown) patience=$((patience < 5 ? patience : 5))

all_features() { # ethtool -k of every link
	local link
	for link in $(links); do ethtool -k "$link" 2>&1; done
}

active_features() { # the same without what is only asked for
	all_features | sed 's/ \[requested on\]//; s/ \[not requested\]//'
}

show_agrees_with_ethtool() { # LINK...: offloadctl show and ethtool -k, feature by feature
	local link line words
	local -A kind verdict
	# ethtool prints the kernel's names, and these words where one stands for a single feature
	words='{ "rx-checksum": "rx-checksumming", "rx-gro": "generic-receive-offload", "rx-lro": "large-receive-offload",
		"rx-hashing": "receive-hashing", "rx-ntuple-filter": "ntuple-filters", "rx-vlan-hw-parse": "rx-vlan-offload",
		"tx-vlan-hw-insert": "tx-vlan-offload", "tx-generic-segmentation": "generic-segmentation-offload" }'
	for link; do
		ethtool --json -k "$link"
		offloadctl show "$link" --json
	done >"$scratch/states"
	# "LINK: what differs" or "LINK: same"
	jq -rs --argjson words "$words" '
		[ range(0; length; 2) as $i | { theirs: .[$i][0], ours: .[$i + 1].link } ][]
		| .theirs as $t | .ours.features as $o | "\(.ours.link): " + (
			if .ours.link != $t.ifname then "ethtool shows \($t.ifname)"
			elif ($o | length) < 40 then "only \($o | length) features"
			else [ $o | to_entries[] | .key as $k | $t[$words[$k] // $k] as $e
				| (.value | { active, fixed, requested }) as $v
				| select($e != $v) | "\($k): ethtool \($e) offloadctl \($v)" ]
				| if . == [] then "same" else join("; ") end end)
		' "$scratch/states" >"$scratch/compared"
	while read -r link line; do verdict[${link%:}]=$line; done <"$scratch/compared"
	while read -r _ link line; do
		link=${link%:} link=${link%@*}
		[[ ! $line =~ ' '(vlan|bond|veth|dummy|bridge|vxlan|gre|gretap|macvlan|tun)' ' ]] || kind[$link]=${BASH_REMATCH[1]}
	done < <(ip -d -o link show)
	for link; do is "show $link agrees with ethtool (${kind[$link]:-none})" "${verdict[$link]:-}" same; done
}

fidelity() { # DESCRIPTION ARGUMENT...: random stacks and changes are as predicted; $seed repeats a run
	local description=$1 out
	shift
	if out=$("${BUILD:-build}/tests/fidelity" --seed "$seed" "$@" 2>&1); then
		ok "$description"
	else
		not_ok "$description" "$out"
	fi
	sed -n 's/^\(fidelity on\|wholly\|cases\)/# note &/p' <<<"$out"
}

is_on() { # LINK FEATURE...
	local link=$1 text feature
	shift
	text=$(ethtool -k "$link") || return
	for feature; do matches "$text" "^\s*$feature: on" || { echo "$link $feature is not on"; return 1; }; done
}

is_off() { # LINK FEATURE...
	local link=$1 text feature
	shift
	text=$(ethtool -k "$link") || return
	for feature; do matches "$text" "^\s*$feature: off" || { echo "$link $feature is not off"; return 1; }; done
}

rule() { # FILE [LINE...]: writes a rule file to /etc/offloadd/rules.d
	mkdir -p /etc/offloadd/rules.d
	printf '%s\n' "${@:2}" >"/etc/offloadd/rules.d/$1"
}

daemon_as=() # a command that starts offloadd with other rights
unprivileged() { # as the unit does: a user of its own, with what probes need while they are loaded
	local capabilities=-all,+net_admin,+bpf,+perfmon
	install -d -o 12345 -g 12345 /run/offloadd
	ulimit -l unlimited
	ip link set lo up # as at boot
	daemon_as=(setpriv --reuid 12345 --regid 12345 --clear-groups --inh-caps=$capabilities --ambient-caps=$capabilities)
}
has_capabilities() { # HEX: all that the daemon has
	is "the daemon has the capabilities $1" "$(sed -n 's/^\(CapPrm\|CapEff\|CapAmb\):\s*0*/\1 /p' "/proc/$daemon/status" | xargs)" \
		"CapPrm $1 CapEff $1 CapAmb $1"
}

daemon_start() { # DESCRIPTION ARGUMENT...: starts offloadd and waits until it has reconciled what is there
	local description=$1
	shift
	"${daemon_as[@]}" offloadd "$@" >>"$log" 2>&1 &
	daemon=$!
	if wait_until 20 daemon_ready; then ok "$description"; else not_ok "$description" "$(cat "$log")"; fi
}

daemon_ready() {
	file_has "$log" '^offloadd: state: offloadd .* started'
}

daemon_stops() { # it is still there, and ends cleanly when it is told to
	check "the daemon is still there" kill -0 "$daemon"
	kill "$daemon"
	wait "$daemon"
	is "it stops cleanly" $? 0
	daemon=
}

find_records() { # REGEX...: the daemon's records that match all of them are in $found
	local line regex lines
	found=()
	mapfile -t lines <"$log"
	for line in "${lines[@]}"; do
		for regex; do [[ $line =~ $regex ]] || continue 2; done
		found+=("$line")
	done
}

records() { # REGEX...: prints them
	local found
	find_records "$@"
	[ ${#found[@]} = 0 ] || printf '%s\n' "${found[@]}"
}

has_records() { # REGEX...
	local found
	find_records "$@"
	[ ${#found[@]} -gt 0 ]
}

record_mark() { # forget the records so far
	: >"$log"
}

one_record() { # DESCRIPTION REGEX...: exactly one record matches
	local description=$1 found
	shift
	wait_until 10 has_records "$@" || :
	find_records "$@"
	if [ ${#found[@]} = 1 ]; then
		ok "$description"
	else
		not_ok "$description" "records that match $*:" "${found[@]}" "all records:" "$(cat "$log")"
	fi
}
