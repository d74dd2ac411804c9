# SPDX-License-Identifier: GPL-2.0-or-later
# `make demo`: all its checks pass, and on 6.1 it prints tests/golden/demo.txt, except for times. To write that file
# again: UML_SAVE=tests/golden tests/scenarios/run uml 6.1 98
# kernels: 6.1
. "$(dirname "$0")/../lib.sh"

# scenarios before this one may have loaded tunnels, which then appear in every new namespace
first_namespace sysctl -qw net.core.fb_tunnels_only_for_init_net=1
ip netns add demo
out=$(env -u BOLD ip netns exec demo demo/links 2>&1)
status=$?
is "every check passes" $status 0
out=$(sed -E 's/[0-9]+ ms /N ms /; s/ in [0-9]+ s\.$/ in N s./' <<<"$out")
if [ "$KERNEL" = 6.1 ]; then
	echo "$out" >/job/save/demo.txt
	is "the output is tests/golden/demo.txt" "$out" "$(cat tests/golden/demo.txt)"
else
	has "all chapters are there" "$out" '^7\. ' 'checks passed in N s\.$'
fi
[ $failures = 0 ] || sed 's/^/# /' <<<"$out"
ip netns del demo
done_testing
