#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# offloadctl investigate on the broken VLAN, after the repair, and where only the disk is slow.
size=4000000
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../probes.sh"
case $KERNEL in
6.1 | 6.12) ;;
*)
	skip "investigate" "played on 6.1 and 6.12"
	done_testing
	;;
esac

watch() { # DESCRIPTION FILE OPTION...: investigates until watched
	local description=$1 file=$2
	shift 2
	: >"$scratch/err"
	offloadctl investigate --for 1h "$@" >"$file" 2>"$scratch/err" &
	investigate=$!
	started+=($investigate)
	check "$description" wait_until 120 grep -q watching "$scratch/err"
}
watched() {
	kill -INT $investigate
	wait $investigate
}
get() { # FILE FILTER
	jq -c "$2" "$scratch/$1"
}

check "the other host is there" network
server system.slice/plain.service 10.9.0.1 5001
server system.slice/signed.service 10.9.0.1 5002 10.9.0.2
break_vlan
client plain 10.9.0.1 5001
client signed 10.9.0.1 5002 10.9.0.1

watch "it watches the broken VLAN" "$scratch/broken.txt"
fetch plain
fetch signed
watched
is "an interrupt ends it, and it tells" "$?" 0
has "its first lines name link, feature and service" "$(head -n 2 "$scratch/broken.txt")" \
	'^device: plain.service falls back on vlan10, which goes without tx-scatter-gather' \
	'^device: signed.service falls back on vlan10, which goes without tx-scatter-gather.* copied into its sockets'
has "the evidence follows" "$(cat "$scratch/broken.txt")" 'SERVICE +LINK +SPLIT' '^plain.service +vlan10 +[1-9]' \
	'^tcp_push_one +[0-9]' 'plain.service, falling back: ' '^CPU +BUSY +SOFTIRQ'
sed 's/^/# note /' "$scratch/broken.txt"

# before and after
investigated() { # DESCRIPTION NAME: as a document, while each sends twice
	watch "$1" "$scratch/$2.json" --json
	fetch plain && fetch signed && fetch plain && fetch signed
	watched
}
investigated "before" before
check "the document fits its schema" "$tools/test-json" investigate.json "$scratch/before.json"
offloadctl apply >/dev/null
investigated "after the repair" repaired
is "only the frozen one is left" "$(get repaired.json '[.findings[] | select(.verdict != "receiver") | [.verdict, .service, .link]]')" \
	'[["reconnect","signed.service","vlan10"]]'
disconnect signed
client signed 10.9.0.1 5002 10.9.0.1
investigated "after the restart" after
is "nothing is left" "$(get after.json '[.findings[] | .verdict] | map(select(. != "receiver" and . != "well"))')" "[]"
is "nothing is split, summed or copied" "$(get after.json '[.rates[["segmentation", "checksum", "copy"][]].times]')" '[0,0,0]'
comparison=$(offloadctl diff "$scratch/before.json" "$scratch/after.json")
is "diff takes them" $? 0
sed 's/^/# note /' <<<"$comparison"
offloadctl diff --json "$scratch/before.json" "$scratch/after.json" >"$scratch/diff.json"
check "as a document too" "$tools/test-json" diff-investigate.json "$scratch/diff.json"
has "and sets them side by side" "$comparison" '^device: plain.service falls back on vlan10' 'sendfile median, plain.service' \
	'^tcp_push_one a second' '^segmentation a second +[1-9][0-9]* +0 '

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
echo "$(stat -c '%Hd:%Ld' "$scratch/mnt") rbps=300000" >/sys/fs/cgroup/system.slice/reader.service/io.max
ln -sf "$scratch/mnt/file" "$scratch/file.slow" && mv "$scratch/file" "$scratch/file.fast" && mv "$scratch/file.slow" "$scratch/file"
server system.slice/reader.service 10.9.0.1 5004
client reader 10.9.0.1 5004
echo 3 >/proc/sys/vm/drop_caches
watch "a slow disk" "$scratch/disk.json" --json
fetch reader
watched
is "is not blamed on offload" "$(get disk.json '[.findings[] | [.verdict, .service]]')" '[["disk","reader.service"]]'
jq -r '.findings[].text' "$scratch/disk.json" | sed 's/^/# note /'
watch "of one unit alone" "$scratch/unit.json" --json --unit plain --link vlan10
fetch plain
watched
is "nothing else is told" "$(get unit.json '[.unit, .link, [.histograms[].service]]')" '["plain","vlan10",["plain.service"]]'
offloadctl diff "$scratch/before.json" <(offloadctl snapshot) >"$scratch/out" 2>&1
has "a snapshot is something else" "$?$(cat "$scratch/out")" '^1offloadctl: .* was written by investigate, .* was not'
umount -l "$scratch/mnt"
done_testing
