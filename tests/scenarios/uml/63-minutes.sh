# SPDX-License-Identifier: GPL-2.0-or-later
# docs/first-minutes.md: what four newcomers type and see. Every claim holds on each kernel; on 6.1 the page is what they see. To write it
# again: UML_SAVE=docs tests/scenarios/run uml 6.1 63
# kernels: 6.1
. "$(dirname "$0")/../lib.sh"

first_namespace sysctl -qw net.core.fb_tunnels_only_for_init_net=1
modprobe vxlan
ip netns add minutes
ip netns exec minutes demo/minutes >"$scratch/page" 2>"$scratch/errors"
is "every claim holds" $? 0
if [ "$KERNEL" = 6.1 ]; then
	cp "$scratch/page" /job/save/first-minutes.md
	check "the page is docs/first-minutes.md" diff docs/first-minutes.md "$scratch/page"
else
	has "all four are there" "$(cat "$scratch/page")" '^## I have container nodes'
fi
[ $failures = 0 ] || sed 's/^/# /' "$scratch/page" "$scratch/errors"
ip netns del minutes
done_testing
