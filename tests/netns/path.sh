#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# check-path: its errors, its limits, and that it leaves nothing behind. What the ratios say is the matter of tests/scenarios.
cd "$(dirname "$0")/../.." || exit 1
if [ -z "${PATH_INSIDE:-}" ]; then
	PATH_INSIDE=1 exec unshare -nm "$PWD/tests/netns/path.sh"
fi
. tests/lib.sh
build=$PWD/${OFFLOADD_BUILD:-build}
[ -x "$build/offloadctl" ] || make -s BUILD="$build" all || exit 1
[ -x "$build/tests/test-json" ] || make -s BUILD="$build" "$build/tests/test-json" || exit 1
scratch=$(mktemp -d)
server=
ending() {
	[ -z "$server" ] || kill -KILL "$server" 2>/dev/null
	rm -rf "$scratch"
}
trap ending EXIT

ip link set lo up
ip link add veth0 type veth peer name veth1
check_path() { # ARGUMENT...: sets said, status
	said=$("$build/offloadctl" check-path "$@" 2>&1 </dev/null) && status=0 || status=$?
}
fails() { # DESCRIPTION REGEX ARGUMENT...
	local description=$1 regex=$2
	shift 2
	check_path "$@"
	has "$description" "$status $said" "^1 offloadctl: .*$regex"
}
serve() { # ARGUMENT...
	: >"$scratch/server"
	"$build/offloadctl" check-path --serve "$@" >"$scratch/server" 2>&1 &
	server=$!
	wait_until 20 grep -q ^Listening "$scratch/server" || { echo "# no start:"; cat "$scratch/server"; }
}
serve_ends() {
	kill "$server"
	wait "$server"
	is "the receiver ends cleanly when told to" $? 0
	server=
}

fails "without a link" "needs a LINK" --yes
fails "no such link" 'unknown interface "veht0", did you mean "veth0"' veht0
fails "no address" 'invalid address "kitchen" for --peer' lo --peer kitchen --yes
fails "no size" 'invalid size "1.5G" for --bytes' lo --bytes 1.5G
fails "a size that tells nothing" "must be at least 16M" lo --bytes 1M
fails "nobody listens" "Failed to connect to 127.0.0.1:9: connection refused; start offloadctl check-path --serve" lo --peer 127.0.0.1:9 --yes
fails "a link that is down" "Failed to connect to 192.0.2.1:5629 over veth0: " veth0 --peer 192.0.2.1 --yes
fails "without a terminal it does not start by itself" "sends up to .* pass --yes to confirm" lo --peer 127.0.0.1
fails "an address of another host cannot be served" "Failed to listen on 192.0.2.77" --serve --peer 192.0.2.77

said=$(echo n | script -qec "'$build/offloadctl' check-path lo --peer 127.0.0.1" /dev/null 2>&1)
has "on a terminal it asks, and no is no" "$said" 'Send up to [0-9]+ MB to 127.0.0.1:5629 over lo.*\[y/N\]' 'nothing was sent'

yes "this is another protocol" | busybox nc -l -p 5630 >/dev/null 2>&1 &
stranger=$!
wait_until 10 grep -q ':15FE .* 0A ' /proc/net/tcp
fails "something else listens there" "is not an offloadctl check-path --serve" lo --peer 127.0.0.1:5630 --yes
kill $stranger 2>/dev/null
wait $stranger 2>/dev/null

serve --bytes 20M --peer 127.0.0.1
fails "a receiver that takes less" "accepts no more bytes from this host" lo --peer 127.0.0.1 --yes --bytes 100M
has "the receiver says so too" "$(cat "$scratch/server")" 'aborted: the receiver accepts no more bytes'
printf 'GET / HTTP/1.0\r\n\r\n' | timeout 20 busybox nc 127.0.0.1 5629 >/dev/null 2>&1
told() { grep -q 'not an offloadctl check-path sender' "$scratch/server"; }
within 20 "a sender that speaks something else is told apart" told
serve_ends

serve
silent=()
for i in 1 2; do
	exec {fd}<>/dev/tcp/127.0.0.1/5629
	silent+=($fd)
done
check_path lo --peer 127.0.0.1 --yes --bytes 20M --time 60s
check "senders that connect and say nothing hold up nobody for long" test "$status" = 0 -o "$status" = 2
has "the receiver says what they did" "$(cat "$scratch/server")" 'aborted: no request'
for fd in "${silent[@]}"; do exec {fd}>&-; done
check_path lo --peer 127.0.0.1 --yes --bytes 64M --time 60s --json
check "over lo it comes to an end" test "$status" = 0 -o "$status" = 2
echo "$said" >"$scratch/document"
check "the document is as docs/schema has it" "$build/tests/test-json" check-path.json "$scratch/document"
sent=$(jq '[.ways[].bytes] | add' "$scratch/document")
check "it sends no more than it may" test "$sent" -gt 0 -a "$sent" -le $((64 << 20))

"$build/offloadctl" check-path lo --peer 127.0.0.1 --yes --bytes 60G --time 10min >"$scratch/sender" 2>&1 </dev/null &
sender=$!
# until the third line: a transfer is under way then, or about to be
three_lines() { [ "$(wc -l <"$scratch/server")" -ge 3 ]; }
wait_until 30 three_lines
kill -KILL "$server"
wait "$server" 2>/dev/null
wait $sender
is "the receiver dies: the sender ends with 1" $? 1
has "and says that it hung up, or is not there" "$(cat "$scratch/sender")" 'closed the connection|connection refused'
server=

stand_ins() { # processes in network namespaces that are neither ours nor the first's
	local ns
	for ns in /proc/[0-9]*/ns/net; do
		case $(tr '\0' ' ' <"${ns%ns/net}cmdline" 2>/dev/null) in
		*"check-path veth0"*) echo "$ns" ;;
		esac
	done
}
apart() { [ "$(stand_ins | wc -l)" = 2 ]; }
links=$(ip -o link | wc -l)
"$build/offloadctl" check-path veth0 --bytes 60G --time 10min >"$scratch/sender" 2>&1 </dev/null &
sender=$!
within 30 "a stand-in has two processes" apart
kill -INT $sender
wait $sender
is "interrupted, it ends with 1" $? 1
gone() { [ -z "$(stand_ins)" ]; }
within 20 "and nothing of it is left" gone
is "no link has come or gone here" "$(ip -o link | wc -l)" "$links"

check_path veth0 --bytes 64M --time 60s
check "a stand-in is measured" test "$status" = 0 -o "$status" = 2
has "and said to be one" "$said" "Over a stand-in: a veth with the features of veth0"
said=$(setpriv --reuid 65534 --regid 65534 --clear-groups "$build/offloadctl" check-path veth0 --bytes 64M --time 60s 2>&1)
has "without privilege it works, or says what it takes" "$said" 'Over a stand-in|CAP_SYS_ADMIN'
done_testing
