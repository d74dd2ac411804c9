#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# offloadctl investigate on the healthy VLAN, on the broken one, after the repair, and where only the disk is slow.
# Each start of investigate takes seconds here, so the runs are few.
# kernels: 6.12
size=6000000 # bulk.service's: more than a socket holds, so that a send takes as long as the path does
bulk_size=$size
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../probes.sh"

watch() { # DESCRIPTION FILE OPTION...: investigates until watched
	local description=$1 file=$2
	shift 2
	: >"$scratch/err"
	offloadctl investigate --for 1h "$@" >"$file" 2>"$scratch/err" &
	investigate=$!
	started+=($investigate)
	check "$description" wait_until 120 file_has "$scratch/err" watching
}
watched() {
	kill -INT $investigate
	wait $investigate
}
get() { # FILE FILTER
	jq -c "$2" "$scratch/$1"
}

sends() { # TIMES SERVICE...: each service sends so often
	local k service
	for ((k = 0; k < $1; k++)); do for service in "${@:2}"; do fetch "$service"; done; done
}
investigated() { # DESCRIPTION NAME: as a document, while each sends twice
	watch "$1" "$scratch/$2.json" --json
	sends 2 plain signed bulk
	watched
}
ways() { # NAME: the four callers above tcp_push_one, of each way there
	get "$1.json" '[.stacks[].frames | map(select(. != "tcp_push_one"))[:4]] | unique'
}
few_pushes() { # NAME: tcp_push_one ran for packets of up to 64 KB, and not for each segment; by less than a tenth
	jq -e ".rates.tcp_push_one.times <= $((bulk_size / 1428 / 10)) * ([.histograms[].calls] | add)" "$scratch/$1.json"
}
in_software() { # NAME: is anything split, summed, copied?
	get "$1.json" '[.rates[["segmentation", "checksum", "copy"][]].times > 0]'
}

# offloadd, which knows who gave up UDP segmentation, does not run; 6.12 refuses none
case $KERNEL in 6.1) unseen='["blind"]' ;; *) unseen='[]' ;; esac

check "the other host is there" network
server system.slice/bulk.service 10.9.0.1 5003
client bulk 10.9.0.1 5003
sends 1 bulk
size=1000000
head -c $size "$scratch/file" >"$scratch/small" && mv "$scratch/small" "$scratch/file"
server system.slice/plain.service 10.9.0.1 5001
server system.slice/signed.service 10.9.0.1 5002 10.9.0.2
client early 10.9.0.1 5001
watch "the healthy VLAN, bulk.service alone" "$scratch/healthy.json" --json --unit bulk --link vlan10
sends 2 bulk early
watched
disconnect early
is "one unit alone shows nothing else" "$(get healthy.json '[.unit, .link, [.histograms[].service]]')" '["bulk","vlan10",["bulk.service"]]'
is "nothing of it is to blame" "$(get healthy.json '[.findings[] | .verdict] | map(select(. != "receiver" and . != "well"))')" "$unseen"

break_vlan
client plain 10.9.0.1 5001
client signed 10.9.0.1 5002 10.9.0.1
watch "it watches the broken VLAN" "$scratch/broken.txt"
fetch plain
fetch signed
watched
is "an interrupt ends it, and it tells" "$?" 0
has "its first lines name link, feature and service" "$(head -n 2 "$scratch/broken.txt")" \
	'^device: plain.service is using software fallback on vlan10, which lacks tx-scatter-gather' \
	'^device: signed.service is using software fallback on vlan10, which lacks tx-scatter-gather.* cop(y|ies) by its sockets'
has "the evidence follows" "$(cat "$scratch/broken.txt")" 'SERVICE +LINK +REASON +SEGMENTED' '^plain.service +vlan10 +feature +[1-9]' \
	'^tcp_push_one +[0-9]' 'plain.service, software fallback: ' '^CPU +BUSY +SOFTIRQ'
sed 's/^/# note /' "$scratch/broken.txt"

# before and after
investigated "before" before
check "the document fits its schema" "$tools/test-json" investigate.json "$scratch/before.json"
offloadctl apply >/dev/null
investigated "after the repair" repaired
is "only the stale one is left" "$(get repaired.json '[.findings[] | select(.verdict != "receiver" and .verdict != "blind") | [.verdict, .service, .link]]')" \
	'[["reconnect","signed.service","vlan10"]]'
disconnect signed
client signed 10.9.0.1 5002 10.9.0.1
investigated "after the restart" after
is "what cannot be known is no all-clear" "$(get after.json '[.udp_senders_unseen, [.absent[] | select(.why == "offloadd is not running").probe]]')" \
	"$(case $KERNEL in 6.1) echo '[true,["senders that gave up UDP segmentation"]]' ;; *) echo '[false,[]]' ;; esac)"
is "nothing is left" "$(get after.json '[.findings[] | .verdict] | map(select(. != "receiver" and . != "well"))')" "$unseen"
is "the healthy VLAN splits, sums and copies nothing" "$(in_software healthy)" "[false,false,false]"
is "the broken one does" "$(in_software before)" "[true,true,true]"
is "and the repaired one is as it was" "$(in_software after)" "[false,false,false]"
# a page at a time, or as much as a pipe holds
case $KERNEL in 6.1) copies=$(((size + 4095) / 4096)) ;; *) copies=$(((size + 65535) / 65536)) ;; esac
is "signed.service copied all that it sent" "$(get before.json ".rates.copy.times >= 2 * $copies")" true

# how often tcp_push_one runs is no sign since 4.17; where a socket copies, 6.1 has another way there, and 6.12 has not (docs/kernels.md)
for run in healthy before after; do
	check "$run: tcp_push_one is not for each segment" few_pushes $run
	echo "# note $run: $(get $run.json '[[.histograms[].calls], .rates]')"
done
is "after the repair tcp_push_one is reached as on the healthy VLAN" "$(ways after)" "$(ways healthy)"
case $KERNEL in
6.1) has "before, by copying too" "$(ways before)" '"sock_no_sendpage_locked"' ;;
*) is "before, too" "$(ways before)" "$(ways healthy)" ;;
esac

comparison=$(offloadctl diff "$scratch/before.json" "$scratch/after.json")
is "diff takes them" $? 0
sed 's/^/# note /' <<<"$comparison"
offloadctl diff --json "$scratch/before.json" "$scratch/after.json" >"$scratch/diff.json"
check "as a document too" "$tools/test-json" diff-investigate.json "$scratch/diff.json"
has "and sets them side by side" "$comparison" '^device: plain.service is using software fallback on vlan10' 'sendfile median, plain.service' \
	'^tcp_push_one per second' '^segmentation per second +[1-9][0-9]* +0 '
# how much of the time is saved, an emulated CPU beside others cannot tell; that both were measured, it can
has "sendfile's medians are compared" "$comparison" '^sendfile median, bulk.service.* [0-9.]+ [mu]?s.* [0-9.]+ [mu]?s'

offloadctl diff "$scratch/before.json" <(offloadctl snapshot) >"$scratch/out" 2>&1
has "a snapshot is something else" "$?$(cat "$scratch/out")" '^1offloadctl: Failed to compare: .* is from investigate, .* is not'
[ -n "${LONG:-}" ] || { done_testing; exit; }

# a slow disk, on a link that stands well
modprobe loop
truncate -s 64M "$scratch/disk"
mkfs.ext4 -q "$scratch/disk"
mkdir "$scratch/mnt"
mount -o loop "$scratch/disk" "$scratch/mnt"
cp "$scratch/file" "$scratch/mnt/file"
sync
mkdir -p /sys/fs/cgroup/system.slice/reader.service
echo +io >/sys/fs/cgroup/cgroup.subtree_control
echo +io >/sys/fs/cgroup/system.slice/cgroup.subtree_control
echo "$(stat -c '%Hd:%Ld' "$scratch/mnt") rbps=1500000" >/sys/fs/cgroup/system.slice/reader.service/io.max
ln -sf "$scratch/mnt/file" "$scratch/file.slow" && mv "$scratch/file" "$scratch/file.fast" && mv "$scratch/file.slow" "$scratch/file"
server system.slice/reader.service 10.9.0.1 5004
client reader 10.9.0.1 5004
echo 3 >/proc/sys/vm/drop_caches
watch "a slow disk" "$scratch/disk.json" --json
fetch reader
watched
is "is not blamed on offload" "$(get disk.json '[.findings[] | select(.verdict != "blind") | [.verdict, .service]]')" '[["disk","reader.service"]]'
jq -r '.findings[].text' "$scratch/disk.json" | sed 's/^/# note /'
umount -l "$scratch/mnt"
done_testing
