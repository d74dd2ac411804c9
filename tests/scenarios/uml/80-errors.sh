# SPDX-License-Identifier: GPL-2.0-or-later
# Bad input: a clear error, a good exit code, and nothing lost.
. "$(dirname "$0")/../lib.sh"

nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all "$@"; }
fails() { # DESCRIPTION STATUS REGEX COMMAND...: exits so, and says so on stderr
	local description=$1 wanted=$2 regex=$3 err status
	shift 3
	err=$("$@" 2>&1 >/dev/null)
	status=$?
	if [ $status = "$wanted" ] && grep -qE -- "$regex" <<<"$err"; then
		ok "$description"
	else
		not_ok "$description" "status $status, wanted $wanted; stderr does not match $regex:" "$err"
	fi
}

stack
ethtool -K vlan10 sg off >/dev/null
broken=$(all_features)

fails "apply without privilege names the capability" 1 CAP_NET_ADMIN nobody offloadctl apply
fails "so does the daemon that is to enforce" 1 CAP_NET_ADMIN nobody offloadd --enforce --once
is "and nothing was changed" "$(all_features)" "$broken"
fails "a link that does not exist" 1 'nosuch0' offloadctl plan nosuch0
fails "show of a link that does not exist" 1 'nosuch0' offloadctl show nosuch0
fails "explain of a link that does not exist" 1 'nosuch0' offloadctl explain nosuch0
fails "a link name that is too long" 1 'a-name-that-no-link-can-have' offloadctl show a-name-that-no-link-can-have
fails "a feature that does not exist, with the nearest word" 1 'scater.*tx-scatter-gather' \
	offloadctl explain vlan10 tx-scater-gather
fails "a command that does not exist" 1 'plam' offloadctl plam
fails "an option that does not exist" 1 'no-such-option' offloadctl plan --no-such-option
fails "a rules folder that does not exist" 1 "$scratch/none" offloadctl plan --rules "$scratch/none"
mkdir -m 700 "$scratch/closed"
chmod 755 "$scratch"
fails "a rules folder that may not be read" 1 "$scratch/closed.*[Pp]ermission" nobody offloadctl plan --rules "$scratch/closed"

# one bad file each, beside a good one
bad() { # DESCRIPTION REGEX: $scratch/rules holds it
	local out
	out=$(offloadctl plan --rules "$scratch/rules" 2>&1)
	has "$1: named, with the reason" "$out" "$2"
	has "$1: the good file still applies" "$out" 'vlan10.*|20-good.rule'
	out=$(offloadctl check "$scratch/rules" 2>&1)
	is "$1: check exits 1" $? 1
	has "$1: check names it too" "$out" "$2"
	rm -rf "$scratch/rules"/10-*
}
mkdir "$scratch/rules"
printf '[Match]\nKind=vlan\n[Features]\ntx-scatter-gather=on\n' >"$scratch/rules/20-good.rule"
mkdir "$scratch/rules/10-folder.rule"
bad "a rule file that is a directory" '10-folder.rule'
perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 1) or die' "$scratch/rules/10-socket.rule"
bad "a rule file that is a socket" '10-socket.rule'
mkfifo "$scratch/rules/10-fifo.rule"
bad "a rule file that is a pipe" '10-fifo.rule'
yes '# a line of a long, long file' | head -c 1000000 >"$scratch/rules/10-long.rule"
bad "a rule file of 1 MB" '10-long.rule'
printf '[Match]\nKind=vl\0an\n[Features]\nsg=on\n' >"$scratch/rules/10-nul.rule"
bad "a rule file with a NUL byte" '10-nul.rule:2'
printf '[Match]\nKind=vlan\n# \377\376\n[Features]\nsg=on\n' >"$scratch/rules/10-latin.rule"
bad "a rule file that is not UTF-8" '10-latin.rule:3'
printf '[Match]\nKind=vlan\n[Features]\nscater-gather=on\n' >"$scratch/rules/10-word.rule"
bad "a rule file with a feature that no kernel knows" '10-word.rule:4.*scatter-gather'
printf '[Match]\n[Features]\nsg=on\n' >"$scratch/rules/10-empty.rule"
bad "a rule file with an empty match" '10-empty.rule:[0-9]+'

no_netlink() { strace -f -qq -o /dev/null -e trace=socket -e inject=socket:error=EAFNOSUPPORT "$@"; }
fails "no sockets at all" 1 '[Nn]etlink' no_netlink offloadctl plan
fails "nor for the daemon" 1 '[Nn]etlink' no_netlink offloadd --enforce --once
is "and still nothing was changed" "$(all_features)" "$broken"
done_testing
