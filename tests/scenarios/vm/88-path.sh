# SPDX-License-Identifier: GPL-2.0-or-later
# check-path over a broken and a repaired vlan10: the ratios alone say which is which. The far ends of the wires are in a namespace of
# their own, a switch and the other host.
# kernels: 6.12
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

listening() { grep -q '^Listening on' "$scratch/receiver"; }

path_check() { # OPTION...: sets said, status
	said=$(offloadctl check-path vlan10 "$@" 2>&1 </dev/null) && status=0 || status=$?
	sed 's/^/# /' <<<"$said"
}

# One measurement. On an emulated CPU beside others the ratios may fail to tell; then the verdict is "unknown". It must not be wrong.
shares=()
verdict_is_not() { # DESCRIPTION WRONG-VERDICT OPTION...: adds to shares what part of the cost comes with the number of segments
	local description=$1 wrong=$2 verdict
	shift 2
	offloadctl check-path vlan10 --json "$@" >"$scratch/document" 2>&1 </dev/null && status=0 || status=$?
	verdict=$(jq -r .verdict "$scratch/document")
	[ "$verdict" != slow-sendfile ] || verdict=software
	jq -c '.ratios' "$scratch/document" | sed 's/^/# /'
	shares+=("$(jq .ratios.segment_share "$scratch/document")")
	case "$status $verdict" in
	"0 healthy" | "2 software" | "0 unknown") check "$description ($verdict)" test "$verdict" != "$wrong" ;;
	*) not_ok "$description" "status $status, verdict $verdict" ;;
	esac
}
# The limits of path.h were measured on 6.1 and 6.12, with more than one CPU; elsewhere it must come to an end, and what it says is noted.
case $KERNEL in
6.12) healthy=healthy software=software limits="--bytes 160M --time 120s" ;;
*) healthy=none software=none limits="--bytes 40M --time 120s" ;;
esac

stack
join_far
namespaces=$(ip netns list | sort)
ip netns exec $far offloadctl check-path --serve --time 1h >"$scratch/receiver" 2>&1 &
receiver=$!
within 30 "the receiver says where it listens" listening

path_check --peer 192.0.2.9
is "without a terminal it asks for --yes" $status 1
has "and says what it would do" "$said" 'sends up to [0-9]+ MB over vlan10 .*--yes'
path_check --peer 192.0.2.9:1 --yes
has "nobody listens: it says what to start" "$said" 'Failed to connect to 192.0.2.9:1: connection refused; start offloadctl check-path --serve there'

verdict_is_not "the healthy vlan10 is not found broken" $software --peer 192.0.2.9 --yes $limits
ethtool -K vlan10 sg off >/dev/null
ethtool -K vlan10 tx off >/dev/null
verdict_is_not "the broken one is not found healthy" $healthy --peer 192.0.2.9 --yes $limits
verdict_is_not "nor is a stand-in with its features" $healthy $limits
offloadctl apply >/dev/null
verdict_is_not "repaired, it is not found broken" $software --peer 192.0.2.9 --yes $limits
verdict_is_not "nor is its stand-in" $software $limits
case $KERNEL in
6.12) check "segments cost more of it while it is broken, in each measurement (${shares[*]})" jq -ne --argjson s \
	"[$(IFS=, && echo "${shares[*]}")]" '[$s[1, 2]] | min > 1.5 * ([$s[0, 3, 4]] | max)' ;;
esac
path_check $limits
has "in words" "$said" '^vlan10: .*sendfile'
is "no namespace is left" "$(ip netns list | sort)" "$namespaces"
kill "$receiver"
wait "$receiver"
is "the receiver ends cleanly when told to" $? 0
receiver=
has "the receiver told of each transfer" "$(cat "$scratch/receiver")" '192.0.2.1\]?:[0-9]+: [0-9]+ bytes$'
done_testing
