# SPDX-License-Identifier: GPL-2.0-or-later
# check-path over a broken and a repaired vlan10: the ratios alone say which is which. The far ends of the wires are in a namespace of
# their own, a switch and the other host.
. "$(dirname "$0")/../lib.sh"

far=path-far
receiver=
path_end() {
	[ -z "$receiver" ] || kill "$receiver" 2>/dev/null
	ip netns del $far 2>/dev/null
	scenario_end
}
trap path_end EXIT

far() { ip netns exec $far "$@"; }

join_far() {
	local nic
	ip netns add $far
	for nic in far2 far3; do ip link set $nic netns $far; done
	far ip link add br0 up type bridge
	for nic in far2 far3; do far ip link set $nic master br0 up; done
	far ip link add link br0 name v10 up type vlan id 10
	far ip addr add 192.0.2.9/24 dev v10
	ip addr add 192.0.2.1/24 dev vlan10
}

listening() { grep -q '^listening on' "$scratch/receiver"; }

path_check() { # OPTION...: sets said, status
	said=$(offloadctl check-path vlan10 "$@" 2>&1 </dev/null) && status=0 || status=$?
	sed 's/^/# /' <<<"$said"
}

# The verdict. Where the ratios do not tell, which a loaded emulator may bring about, it measures again; a wrong one stays wrong.
verdict() { # OPTION...: sets verdict, status
	local try
	for try in 1 2 3; do
		offloadctl check-path vlan10 --json "$@" >"$scratch/document" 2>&1 </dev/null && status=0 || status=$?
		verdict=$(jq -r .verdict "$scratch/document")
		jq -c '.ratios, .verdict' "$scratch/document" | sed 's/^/# /'
		[ "$verdict" = unknown ] || break
	done
	[ "$verdict" != slow-sendfile ] || verdict=software
}

# The limits of path.h were measured on 6.1 and 6.12; on others it must come to an end, and what it says is noted.
verdict_is() { # DESCRIPTION WANTED
	case $KERNEL in
	6.1 | 6.12) is "$1" "$status $verdict" "$2" ;;
	*) check "$1 (noted: $status $verdict)" test "$status" = 0 -o "$status" = 2 ;;
	esac
}

stack
join_far
namespaces=$(ip netns list | sort)
ip netns exec $far offloadctl check-path --serve --time 1h >"$scratch/receiver" 2>&1 &
receiver=$!
within 30 "the receiver says where it listens" listening

path_check --peer 192.0.2.9
is "without a terminal it asks for --yes" $status 1
has "and says what it would do" "$said" 'would send up to [0-9]+ MB by vlan10 .*--yes'
path_check --peer 192.0.2.9:1 --yes
has "nobody listens: it says what to start" "$said" 'nobody listens at 192.0.2.9:1; start offloadctl check-path --serve there'

limits="--bytes 160M --time 120s"
verdict --peer 192.0.2.9 --yes $limits
verdict_is "the healthy vlan10 is found healthy by its ratios" "0 healthy"
ethtool -K vlan10 sg off >/dev/null
ethtool -K vlan10 tx off >/dev/null
verdict --peer 192.0.2.9 --yes $limits
verdict_is "the broken one is found broken: exit status 2" "2 software"
verdict $limits
verdict_is "a stand-in with its features is found broken too" "2 software"
offloadctl apply >/dev/null
verdict --peer 192.0.2.9 --yes $limits
verdict_is "repaired, it is found healthy" "0 healthy"
verdict $limits
verdict_is "and so is its stand-in" "0 healthy"
path_check $limits
has "in words" "$said" '^vlan10: .*sendfile'
is "no namespace is left" "$(ip netns list | sort)" "$namespaces"
kill "$receiver"
wait "$receiver"
is "the receiver ends cleanly when told to" $? 0
receiver=
has "the receiver told of each transfer" "$(cat "$scratch/receiver")" '192.0.2.1\]?:[0-9]+: [0-9]+ bytes$'
done_testing
