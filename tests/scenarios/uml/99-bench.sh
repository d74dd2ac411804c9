# SPDX-License-Identifier: GPL-2.0-or-later
# The bench still measures: a short run of the parts whose rows are numbers; what they are is for
# docs/performance.md. Instructions are left to the bench itself: to start valgrind takes longer than all
# the others.
# kernels: 7
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../../bench/rows.sh"

# udevd sees what appears in the first namespace only
tables=$(first_namespace env ROUNDS=1 LINKS=20 IDLE_S=0.2 "$PWD/tests/bench/inside" memory appear plan 2>"$scratch/progress")
is "it runs to its end" $? 0
sed 's/^# /# note /' "$scratch/progress"
rows_are_numbers "a link that appears" "$tables" \
	"bare loop" offloadd "systemd .link file" "udev RUN+=ethtool" "shell loop on ip monitor"
rows_are_numbers "plan and snapshot" "$tables" "one link dump and one feature dump" "offloadctl plan" \
	"offloadctl plan --ethtool ioctl" "offloadctl snapshot" "ethtool -k '*'"
rows_are_numbers "memory" "$tables" "16 links" "20 links"
done_testing
