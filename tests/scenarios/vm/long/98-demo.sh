#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `make demo-evidence`: every check of the story passes.
# kernels: 6.1
. "$(dirname "$0")/../../lib.sh"
out=$(DEMO_BYTES=1000000 BOLD='' demo/evidence 2>&1)
status=$?
[ $status = 0 ] || sed 's/^/# /' <<<"$out"
is "the story ends well" $status 0
is "it has all its chapters" "$(grep -c '^[1-7]\. ' <<<"$out")" 7
has "it ends with the numbers" "$(tail -n 3 <<<"$out")" '^ +files.service( +[0-9.]+ MB/s){4}$' '^ +mirror.service( +[0-9.]+ MB/s){4}$'
done_testing
