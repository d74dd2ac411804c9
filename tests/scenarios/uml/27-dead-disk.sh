# SPDX-License-Identifier: GPL-2.0-or-later
# The file system of Textfile= does not answer: every write to it waits in the kernel, where no signal ends it (fsfreeze -f). Interfaces
# are repaired and clients answered as ever, the failed write is reported once and counted, and the file is written when it can be.
# kernels: 7
. "$(dirname "$0")/../lib.sh"
disk=$scratch/disk control=$scratch/control
mkdir -p "$disk" "$scratch/rules"
truncate -s 8M "$scratch/image"
mkfs.ext4 -q -O ^has_journal "$scratch/image"
modprobe loop
mount -o loop "$scratch/image" "$disk"
thaw() { fsfreeze -u "$disk"; }
disk_end() {
	thaw
	scenario_end
} 2>/dev/null
trap disk_end EXIT
ip link add veth0 type veth peer name veth1
printf '%s\n' '[Match]' 'Name=veth0' '[Features]' 'sg=on' >"$scratch/rules/10-sg.rule"
printf '%s\n' '[Contention]' 'Rounds=200' 'Window=1s' 'SlowRounds=200' 'SlowSets=200' '[Metrics]' "Textfile=$disk/o.prom" >"$scratch/conf"
options=(--enforce --no-probes --config "$scratch/conf" --rules "$scratch/rules" --ledger "$scratch/ledger" --control "$control")
file() { echo "$disk"/o*.prom; } # another name outside the first namespace
metric() { offloadctl metrics --control "$control" | sed -n "s/^offloadd_textfile_$1\({.*}\)\? //p"; }
counted() { [ "$(metric errors_total)" -ge 1 ]; }
writers() { ps -o pid= --ppid "$daemon" | wc -l; }
drift() { ethtool -K veth0 sg off >/dev/null; }
written() { grep -q '^offloadd_repairs_total\({.*}\)\? '"$1" "$(file)"; }

daemon_start "the daemon starts" "${options[@]}"
drift
within 5 "the file is written" written 1
is "the time of the last write is exported" "$(metric written_timestamp_seconds)" \
	"$(sed -n 's/^offloadd_textfile_written_timestamp_seconds\({.*}\)\? //p' "$(file)")"
fsfreeze -f "$disk"
slow=0
for _ in 1 2 3 4 5 6 7 8 9 10; do
	drift
	wait_until 2 is_on veth0 scatter-gather || slow=$((slow + 1))
done
is "the disk does not answer: drift is repaired" $slow 0
one_record "the failed write is reported once" '^offloadd: state: Failed to write metrics to .*timed out'
check "and counted" counted
is "one process waits for the disk, not more" "$(writers)" 1
record_mark
thaw
one_record "when the disk answers, the file is written again" '^offloadd: state: Writing .*prom works again'
check "with what happened meanwhile" written 11
is "no process is left" "$(writers)" 0
fsfreeze -f "$disk"
drift
within 5 "another write waits" eval '[ "$(writers)" = 1 ]'
begin=$(now_ms)
kill "$daemon"
wait "$daemon"
is "SIGTERM ends the daemon" $? 0
daemon=
took=$(($(now_ms) - begin))
check "within three seconds ($took ms)" test $took -lt 3000
begin=$(now_ms)
offloadd --config "$scratch/conf" --stopped >"$scratch/out" 2>&1
has "offloadd --stopped does not wait for the disk, either" "$?:$(cat "$scratch/out")" '^1:offloadd: Failed to write metrics: .*timed out'
thaw
done_testing
