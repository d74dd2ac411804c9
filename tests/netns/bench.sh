#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the bench does on this machine's own kernel still measures, and the product's map counts what it runs. No times.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib.sh
. tests/bench/rows.sh

[ -x build/tests/bench-hit ] && [ -x build/tests/bench-appear ] && [ -x build/offloadd ] ||
	make -s WERROR=1 CC=gcc all tools >&2
tables=$(ROUNDS=2 tests/bench/run here 2>&1)
if [[ $tables == *"not measured"* ]]; then
	skip "reaction on this kernel" "${tables#*not measured: }"
else
	rows_are_numbers "reaction on this kernel" "$tables" "bare loop" offloadd "shell loop on ip monitor"
fi
tables=$(PACKETS=2 tests/bench/hits 2>&1)
status=$?
if [[ $tables == *"not measured"* ]]; then
	skip "the cost of a hit" "$tables"
	done_testing
fi
counted() { # the numbers of hits of the programs of a table, and how many have each
	awk '/by/ && /fentry|kprobe/ { print $NF }' | sort | uniq -c | xargs
}
is "it runs to its end" $status 0
programs=(empty "segmentation by fentry" "segmentation by kprobe" "checksum by fentry" "checksum by kprobe"
	"splice by fentry" "splice by kprobe" "sendpage by fentry" "sendpage by kprobe")
rows_are_numbers "a hit of each probe" "${tables%%no hit*}" "${programs[@]}"
is "each is counted once" "$(counted <<<"${tables%%no hit*}")" "8 1"
needless="a hit that nothing explains${tables#*a hit that nothing explains}"
none="no hit${tables#*no hit}"
none=${none%%a hit that nothing explains*}
rows_are_numbers "a packet that its device can send as it is" "$none" "${programs[@]:0:3}"
is "it is not counted" "$(counted <<<"$none")" "2 0"
rows_are_numbers "a checksum that the device could compute" "$needless" empty "${programs[@]:3:2}"
is "it is counted all the same" "$(counted <<<"$needless")" "2 1"
done_testing
