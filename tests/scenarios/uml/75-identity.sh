# SPDX-License-Identifier: GPL-2.0-or-later
# Names, indexes and namespaces change under the daemon: what it declares holds for who is there now, and nobody else is touched.
. "$(dirname "$0")/../lib.sh"

rule 50-x.rule '[Rule]' 'Description=no scatter-gather on x' '[Match]' 'Name=x*' '[Features]' 'sg=off'
other=other-$$
ip netns add $other
daemon_start "the daemon starts" --enforce

ip link add z1 type dummy
check "a link that no rule names is left alone" is_on z1 scatter-gather
ip link set z1 name x1
within 1 "a rename makes the rule apply" is_off x1 scatter-gather

ip link add x2 type dummy
within 1 "x2 is as declared" is_off x2 scatter-gather
ip link set x2 netns $other
ip netns exec $other ethtool -K x2 sg on >/dev/null
ip -n $other link set x2 netns "$(ip netns identify)"
within 1 "moved to another namespace and back, it is as declared again" is_off x2 scatter-gather
ip link add x3 netns $other type dummy
check "a link in another namespace is left alone" ip netns exec $other bash -c ". $(dirname "$0")/../lib.sh; is_on x3 scatter-gather"

# an index that is used again at once by a link that no rule names
for i in {1..30}; do
	echo "link add x9 index 9000 type dummy"
	echo "link del x9"
	echo "link add y$i index 9000 type dummy"
	echo "link set y$i name w$i"
	echo "link add keep$i index $((9100 + i)) type dummy"
	echo "link del w$i"
done | ip -batch -
ip link add last index 9000 type dummy
within 5 "the daemon has seen the last of them" is_on last scatter-gather
touched=$(ethtool -k '*' 2>/dev/null | awk '/^Features for/ { name = $3 } name ~ /^keep/ && /^scatter-gather: off/ { print name }')
is "no link without a rule was touched" "$touched" ""

# links that vanish in the middle of their repair, in one batch
for i in {1..100}; do
	echo "link add x$((1000 + i)) type dummy"
	echo "link del x$((1000 + i))"
	echo "link add x$((1000 + i)) type dummy"
	echo "link set x$((1000 + i)) name x$((2000 + i))"
done >"$scratch/batch"
ip -batch "$scratch/batch"
all_off() { # x2001 to x2100
	ethtool -k '*' 2>/dev/null | awk '/^Features for/ { x = /for x2[01]/ } x && /^scatter-gather: off/ { n++ }
		END { exit n != 100 }'
}
within 10 "a hundred links that were made, deleted, made and renamed are as declared" all_off
check "no record complains of a link that is gone" test -z "$(records '^offloadd: (refused|unmet|contended|state): x1')"
daemon_stops
ip netns del $other
done_testing
