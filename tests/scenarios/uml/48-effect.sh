# SPDX-License-Identifier: GPL-2.0-or-later
# Before and after: what a repair of the incident did for the service that sends, and that of a rule which makes it worse, which is undone.
# kernels: 7
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../probes.sh"

enforce() { # LINE...: enforce mode, and other settings
	printf '%s\n' '[Daemon]' 'Mode=enforce' "$@" >/etc/offloadd/offloadd.conf.d/90-test.conf
	kill -HUP "$daemon"
}

own() { # what the sender says: "BYTES USEC"
	local line
	echo >&"$sender_in"
	read -rt 20 line <&"$sender_out"
	echo "${line#sent }"
}

has_effect() { # CODE: it is in $effect
	effect=$(offloadctl events --json | jq -c "[.events[] | select(.code == \"$1\")] | last // empty")
	[ -n "$effect" ]
}

get() { # KEY: of the effect
	jq -r "$1" <<<"$effect"
}

agrees() { # BYTES USEC x 4, before and after: the ratio of the sender's costs is that of the reported ones, within a quarter
	awk -v b="$(get .cost.cpu_before_usec)" -v a="$(get .cost.cpu_after_usec)" -v own="$*" 'BEGIN {
		split(own, n, " ")
		theirs = ((n[4] - n[2]) / (n[3] - n[1])) / ((n[8] - n[6]) / (n[7] - n[5]))
		printf "# note factor by offloadd %.2f, by the sender %.2f\n", b / a, theirs >"/dev/stderr"
		exit !(b / a / theirs > 0.75 && b / a / theirs < 1.33) }'
}

network
mkdir -p /etc/offloadd/offloadd.conf.d
printf '%s\n' '[Repair]' 'Window=1s' >/etc/offloadd/offloadd.conf.d/10-test.conf
break_vlan
mkfifo "$scratch/in" "$scratch/out"
ip netns exec $peer "$tools/sendfile-peer" drain 10.9.0.2 7000 >"$scratch/drain" &
started+=($!)
wait_until 10 file_has "$scratch/drain" listening
exec {sender_in}<>"$scratch/in" {sender_out}<>"$scratch/out"
# in the background, its standard input would be /dev/null
in_service system.slice/web.service sh -c 'exec "$0" stream 10.9.0.2 7000 <"$1" >"$2"' "$tools/sendfile-peer" "$scratch/in" "$scratch/out"

own >"$scratch/connected" # it answers once it is connected: the first sample has to know the service
daemon_start "the daemon starts in audit mode"
begin=$(own)
nap_until $(($(now_ms) + 2500)) # a window before
enforce
end=$(own)
within 5 "enforce mode repairs the interface" is_on vlan10 tx-tcp-segmentation
after=$(own)
within 15 "an event shows the effect on the service" has_effect effect-helped
is "of the repair of this interface" "$(get '"\(.service) \(.link) \(.event)"')" "web.service vlan10 effect"
check "the factor agrees with the sender's own measurement" agrees $begin $end $after $(own)

healthy=$(own)
rule 90-worse.rule '[Match]' 'Name=vlan10' '[Features]' 'tso=off'
enforce '[Repair]' 'Revert=if-worse'
end=$(own)
within 5 "a rule turns segmentation off" is_off vlan10 tx-tcp-segmentation
after=$(own)
within 15 "an event shows that it made the service worse" has_effect effect-worse
last=$(own)
is "the same service" "$(get .service)" web.service
check "the factor agrees with the sender's own" agrees $healthy $end $after $last
check "it is undone" has_effect effect-undone
is "on this interface" "$(get .link)" vlan10
check "segmentation is on again" is_on vlan10 tx-tcp-segmentation
is "and enforcement is paused there" "$(offloadctl list --json | jq -r '.links[] | select(.link == "vlan10") | .verdict')" paused
daemon_stops
done_testing
