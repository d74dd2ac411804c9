# SPDX-License-Identifier: GPL-2.0-or-later
# Why packets are split: each on the interface where it happens, with its reason, and never "well" meanwhile. REASONS_SEED repeats a run,
# REASONS_CASES changes its length.
# kernels: 7
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../probes.sh"
cases=${REASONS_CASES:-$([ -n "${LONG:-}" ] && echo 500 || echo 20)}
seed=${REASONS_SEED:-$([ -n "${LONG:-}" ] && echo $EPOCHSECONDS || echo 20261130)}

reasons() { # the interfaces, kinds and reasons of all that was counted, without duplicates
	ask hits | sed -nE 's/^(segmentation|checksum) link=([^ ]+) .* reason=([^ ]+) limit=([0-9]+) .*/\2 \1 \3 \4/p' | sort -u
}

# size limits, with every feature on
check "the other host is there" network
probes_start
has "the probes run" "$(ask status)" '^segmentation .*(fentry|kprobe)$' '^checksum .*(fentry|kprobe)$'
server system.slice/plain.service 10.9.0.1 5001
client plain 10.9.0.1 5001
check "it sends" fetch plain
is "nothing is split on a healthy path" "$(reasons)" ""
ip link set eth2 gso_max_size 8000
check "it sends" fetch plain
is "the limit of the port splits, and nothing else" "$(reasons)" "eth2 segmentation size-limit 8000"
if [[ $KERNEL != 5.10 && $KERNEL != 6.1 ]]; then # IPv4 has a limit of its own from 6.3 on
	ip link set eth2 gso_max_size 65536
	mkdir "$scratch/limits"
	printf '%s\n' '[Rule]' Reason=test '[Match]' Name=eth2 '[Limits]' gso-ipv4-max-size=8000 >"$scratch/limits/50-ipv4.rule"
	check "the limit of IPv4 is set" offloadctl apply --rules "$scratch/limits" --yes
	ask forget 0 >/dev/null
	check "it sends" fetch plain
	is "and splits, too" "$(reasons)" "eth2 segmentation ipv4-size-limit 8000"
	ip link set eth2 gso_max_size 8000
fi

# two VLAN tags: veth decides itself (ndo_features_check), and takes such packets whole, so a qdisc that splits them is the reason
modprobe sch_tbf
ip link set eth2 gso_max_size 65536
ip link add link vlan10 name q20 up type vlan id 20
ip addr add 10.4.0.1/24 dev q20
ip -n $peer link add link v10 name q20 up type vlan id 20
ip -n $peer addr add 10.4.0.2/24 dev q20
first_server=$server_pid
server system.slice/tagged.service 10.4.0.1 5008
client tagged 10.4.0.1 5008
ask forget 0 >/dev/null
check "it sends" fetch tagged
is "two tags split nothing here" "$(reasons)" ""
tc qdisc add dev eth2 root tbf rate 10gbit burst 10kb limit 10mb
check "it sends" fetch tagged
is "the qdisc splits, not the tags" "$(reasons)" "eth2 segmentation qdisc 0"
tc qdisc del dev eth2 root
disconnect tagged
kill $server_pid
server_pid=$first_server
ip link del q20
ip link set eth2 gso_max_size 8000

# what is not ours: check-path over the same port, and another host's own fallback
ip netns exec $peer offloadctl check-path --serve --time 1h >"$scratch/receiver" 2>&1 &
started+=($!)
disown $!
wait_until 30 file_has "$scratch/receiver" '^Listening on'
ask forget 0 >/dev/null
offloadctl check-path vlan10 --peer 10.9.0.2 --yes --bytes 16M --time 60s --json >"$scratch/path.json" 2>&1 </dev/null
has "check-path sends" "$(cat "$scratch/path.json")" '"verdict": "'
is "and is not counted" "$(reasons)" ""
ip netns exec $peer ethtool -K v10 tx off >/dev/null
ip netns exec $peer "$tools/sendfile-peer" server 10.9.0.2 5007 "$scratch/file" >"$scratch/far" &
started+=($!)
disown $!
wait_until 20 file_has "$scratch/far" listening
has "the other host sends" "$(echo | "$tools/sendfile-peer" client 10.9.0.2 5007 "$size")" '^fetched '
is "and is not counted here" "$(reasons)" ""
has "but apart" "$(ask lost)" 'elsewhere-segmentation=[1-9]'
probes_stop
offloadctl investigate --for 1h --json >"$scratch/limit.json" 2>"$scratch/err" &
investigate=$!
started+=($investigate)
check "investigate watches" wait_until 120 file_has "$scratch/err" watching
fetch plain
kill -INT $investigate
wait $investigate
is "the verdict is not well: the limit is to blame, on the port" \
	"$(jq -c '[.findings[] | select(.verdict == "limit" or .verdict == "device" or .verdict == "other" or .verdict == "well")
		| [.verdict, .reason, .link, .service]]' "$scratch/limit.json")" '[["limit","size-limit","eth2","plain.service"]]'
is "with its value" "$(jq -c '[.fallback[] | .limit]' "$scratch/limit.json")" "[8000]"
disconnect plain
kill $server_pid
for link in vlan10 bond0 eth2 eth3; do ip link del $link; done
ip netns del $peer

# random stacks; another host with one bridge for the wires and a card, and an address for each network
for module in e1000e vmxnet3 virtio_net vxlan sch_tbf sch_cake sch_htb; do modprobe $module; done
take_cards
ip netns add $peer
ip link set virtio_net netns $peer
ip -n $peer -batch - <<-END
	link add br0 type bridge
	link set br0 up
	link set virtio_net up
	link add link br0 name v10 up type vlan id 10
	link add link virtio_net name c10 up type vlan id 10
	addr add 10.8.0.2/24 dev br0
	addr add 10.9.0.2/24 dev v10
	addr add 10.6.0.2/24 dev virtio_net
	addr add 10.5.0.2/24 dev c10
END
for n in 5 6 8 9; do # with an MTU that does not limit what is sent to them
	ip -n $peer link add vx$n mtu 1500 up type vxlan id $n remote 10.$n.0.1 local 10.$n.0.2 dstport 4789
	ip -n $peer addr add 10.7.$n.2/24 dev vx$n
done
# On a busy machine, TCP would send packets that no limit splits. From some release on (7.2 is one), this exceeds gso_max_size of the
# interface of the route.
[ "$KERNEL" != 5.10 ] || sysctl -qw net.ipv4.tcp_min_tso_segs=32
ip link set e1000e up
wait_until 20 file_has /sys/class/net/e1000e/carrier 1
check "$cases random stacks: each split has its interface and reason, and a diagnosis" \
	"$tools/reasons" $peer "$seed" "$cases" e1000e
ip -n $peer link set virtio_net netns $$
give_back_cards
done_testing
