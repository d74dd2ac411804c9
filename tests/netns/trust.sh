#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the daemon's user can put into its directory, and send, makes root read, write, open and start nothing: offloadctl, offloadd and
# offloadd-hook run as root here, with /run and /etc/offloadd of their own, beside a shell of that user. SECURITY.md names each test.
cd "$(dirname "$0")/../.." || exit 1
if [ -z "${TRUST_INSIDE:-}" ]; then
	TRUST_INSIDE=1 exec unshare -nm "$PWD/tests/netns/trust.sh"
fi
. tests/lib.sh
build=$PWD/${OFFLOADD_BUILD:-build}
[ -x "$build/offloadd" ] && [ -x "$build/offloadctl" ] && [ -x "$build/offloadd-hook" ] || make -s BUILD="$build" all || exit 1
scratch=$(mktemp -d)
chmod 755 "$scratch"
cp "$build/offloadctl" "$build/offloadd" "$build/offloadd-hook" "$scratch"
runner='' daemon=''
ending() {
	[ -z "$daemon" ] || kill -KILL "$daemon" 2>/dev/null
	[ -z "$runner" ] || kill "$runner" 2>/dev/null
	rm -rf "$scratch"
}
trap ending EXIT

mount -t tmpfs -o mode=755 none /run || exit 1
owner=54321 own=/run/offloadd config=/run/offloadd-config
to_owner=(setpriv --reuid $owner --regid $owner --clear-groups --bounding-set -all --inh-caps -all)
as_owner() { "${to_owner[@]}" "$@"; }
install -d -m 755 $config $config/rules.d $config/offloadd.conf.d
install -d -o $owner -g $owner -m 755 $own
secret=/run/secret
(umask 077 && echo 'SECRET=of-root' >$secret)
untouched() { [ "$(stat -c '%u %a %s' $secret)" = "0 600 15" ]; }
printf '%s\n' '[Match]' 'Name=veth0' '[Features]' 'gro=on' >$config/rules.d/50-veth.rule
ip link add veth0 type veth peer name veth1
feature() { ethtool -k veth0 | sed -n "s/^$1: //p"; }

# runs a command as root and lists what it opened, made or changed below the daemon's directory with the rights of root
touched=$scratch/touched
traced() { # COMMAND...
	strace -f -qq -e trace=%file,setfsuid,fchown,fchmod,fchmodat -o "$touched" "$@"
}
opened_as_root() { # lines of the trace outside a time with another fsuid
	awk '/setfsuid\(54321\)/ { other = 1 } /setfsuid\(0\)/ { other = 0 }
		!other && /\/run\/(offloadd\/|secret)/ && !/ENOENT|(stat|statx|newfstatat|access)\(/ { print }' "$touched"
}

# ---- B1: rules and settings ----

as_owner mkdir $own/rules.d $own/offloadd.conf.d
as_owner ln -s $secret $own/rules.d/10-secret.rule
as_owner ln -s /dev/zero $own/rules.d/20-device.rule
as_owner mkfifo $own/rules.d/30-pipe.rule
as_owner sh -c "printf '%s\n' '[Match]' 'Name=veth0' '[Features]' 'tso=off' >$own/rules.d/90-theirs.rule"
as_owner sh -c "printf '%s\n' '[Daemon]' 'Mode=enforce' 'RulesDirectory=$own/rules.d' >$own/offloadd.conf"
as_owner sh -c "printf '%s\n' '[Hooks]' 'OnDrift=evil@.service' >$own/offloadd.conf.d/90-evil.conf"
for command in plan rules check "report --html -" list metrics; do
	# shellcheck disable=SC2086 # words
	out=$(traced timeout 20 "$scratch/offloadctl" $command 2>&1)
	status=$?
	check "offloadctl $command ends" test $status -lt 7
	is "offloadctl $command, as root, opens nothing of the daemon's user" "$(opened_as_root | grep -v '/run/offloadd/control')" ""
	is "offloadctl $command quotes no secret" "$(grep -c 'of-root' <<<"$out")" 0
done
"$scratch/offloadctl" apply >/dev/null 2>&1
is "a rule of the daemon's user sets nothing" "$(feature tcp-segmentation-offload)" on

# the same where a setting of root leads there
printf '%s\n' '[Daemon]' "RulesDirectory=$own/rules.d $config/rules.d" >$config/offloadd.conf
out=$("$scratch/offloadctl" plan 2>&1)
is "RulesDirectory= of another user is an error" $? 1
has "which says whose it is" "$out" "^$own/rules.d: .*belongs to uid $owner, expected root"
is "and reads nothing there" "$(grep -c 'of-root\|theirs' <<<"$out")" 0
is "offloadctl apply, neither" "$("$scratch/offloadctl" apply >/dev/null 2>&1; feature tcp-segmentation-offload)" on
rm $config/offloadd.conf
install -o $owner -m 644 $own/rules.d/90-theirs.rule $config/rules.d/90-theirs.rule
out=$("$scratch/offloadctl" plan 2>&1)
has "a rule that belongs to another user is an error" "$out" "^$config/rules.d/90-theirs.rule: belongs to uid $owner, expected root"
chown 0 $config/rules.d/90-theirs.rule && chmod 666 $config/rules.d/90-theirs.rule
has "or that anybody can write" "$("$scratch/offloadctl" plan 2>&1)" "^$config/rules.d/90-theirs.rule: can be written by other users"
rm $config/rules.d/90-theirs.rule
ln -s $own/rules.d/90-theirs.rule $config/rules.d/60-link.rule
has "or that a link leads to" "$("$scratch/offloadctl" plan 2>&1)" "^$config/rules.d/60-link.rule: \"offloadd\" in its path belongs to uid $owner"
rm $config/rules.d/60-link.rule
out=$("$scratch/offloadctl" plan --rules $own/rules.d 2>&1)
has "even a directory that root names leads to nothing that its owner cannot read" "$out" "^$own/rules.d/10-secret.rule: is a symbolic link of uid"
is "and quotes no secret" "$(grep -c 'of-root' <<<"$out")" 0
has "nor do a pipe or a device in it block" "$(timeout 20 "$scratch/offloadctl" check $own/rules.d 2>&1)" \
	'30-pipe.rule: is a pipe, expected a regular file'

as_owner ln -s $secret $own/page.html
as_owner ln -s $secret $own/snapshot.json
"$scratch/offloadctl" report --html $own/page.html >/dev/null 2>&1
check "a page of root is not written through a link of the daemon's user" untouched
is "nor is a snapshot read through one" "$("$scratch/offloadctl" diff $own/snapshot.json 2>&1 | grep -c 'of-root')" 0

# ---- whoever may run offloadctl by sudo, and nothing else ----

install -d -m 755 "$scratch/bin"
printf '#!/bin/sh\necho "less $LESSSECURE" >>"%s"\nexec cat\n' "$scratch/paged" >"$scratch/bin/less"
chmod +x "$scratch/bin/less"
for pager in PAGER OFFLOADD_PAGER; do
	env SUDO_UID=1000 TERM=xterm PATH="$scratch/bin:$PATH" $pager="echo own >>'$scratch/paged'; cat" \
		script -qec "$scratch/offloadctl list --control none" /dev/null >"$scratch/out" </dev/null
done
is "a pager of the user is not started, and less starts no command" "$(cat "$scratch/paged")" $'less 1\nless 1'

# ---- B1, B2: the ledger and its lock ----

index=$(ip -o link show veth0 | cut -d: -f1)
inode=$(stat -Lc %i /proc/self/ns/net)
ledgers=("$own/ledger.json" "$own/ledger-$inode.json") # the second if PID 1 shows that this is not its namespace
each_ledger() { # COMMAND...: with each name, and the names of its lock
	local name
	for name in "${ledgers[@]}"; do "$@" "$name"; done
}
remove_ledgers() { rm -f $own/ledger*; }
remove_ledgers # that of apply
each_ledger as_owner ln -s $secret
"$scratch/offloadctl" revert >"$scratch/out" 2>&1
is "a ledger that is a link is not read" "$(grep -c 'of-root' "$scratch/out")" 0
check "and the file behind it stays as it is" untouched
remove_ledgers
each_ledger as_owner mkfifo
timeout 20 "$scratch/offloadctl" revert --dry-run >/dev/null 2>&1
is "a ledger that is a pipe is an error, and blocks nothing" $? 1
remove_ledgers
for name in "${ledgers[@]}"; do ln $secret "$name" && ln $secret "$name.lock"; done
ethtool -K veth0 gro off
traced "$scratch/offloadctl" apply >"$scratch/out" 2>&1
check "hard links to a file of root are neither given away nor written" untouched
is "root opens, makes and changes nothing there with its own rights" "$(opened_as_root)" ""
remove_ledgers
ethtool -K veth0 gro off
check "apply stores the original values" "$scratch/offloadctl" apply
ledger=$(echo $own/ledger*.json)
is "in a file of the daemon's user" "$(stat -c %u "$ledger")" $owner
sed 's/"rx-gro"/"tx-tcp-segmentation"/' "$ledger" >"$scratch/forged"
has "a forged ledger" "$(cat "$scratch/forged")" '"tx-tcp-segmentation": ?(false|"off")'
as_owner sh -c "rm -f '$ledger'; cat >'$ledger'" <"$scratch/forged"
out=$("$scratch/offloadctl" revert 2>&1)
is "root restores nothing from what the daemon's user wrote" $? 1
has "and says how it would" "$out" "does not belong to root.*offloadctl revert --ledger $ledger"
is "so it sets nothing" "$(feature tcp-segmentation-offload)" on
out=$(timeout 20 "$scratch/offloadd" --enforce --once --no-probes 2>&1)
is "nor does offloadd use it, by hand as root" $? 1
has "which it says" "$out" 'does not belong to root; set --ledger'

# ---- A3: files that would block ----

as_owner mkfifo $own/services
for name in control control-$inode; do ln $secret $own/$name.lock; done
strace -D -qq -e trace=chmod,fchmodat,chown,fchownat,lchown -o "$touched" \
	"$scratch/offloadd" --ledger "$scratch/ledger.json" --services $own/services >"$scratch/log" 2>&1 &
daemon=$!
within 20 "a pipe for --services blocks nothing" grep -q ' started' "$scratch/log"
is "nothing there gets another mode or owner by its path, which may lead elsewhere by then" "$(grep "$own" "$touched")" ""
check "a lock that is a hard link to a file of root is not given away" untouched
is "the control socket is as it should be without a chmod" "$(stat -c %a "$(echo $own/control*[^k])")" 666

# ---- B5: replies of a daemon that is not ours any more ----

control=$(echo $own/control*[^k]) # not the lock
python3 tests/netns/replies.py "$scratch/offloadctl" "$control" >"$scratch/replies" 2>&1
sed -i '/^1\.\./d' "$scratch/replies"
while read -r line; do
	case $line in
	"ok "*) ok "${line#* - }" ;;
	"not ok "*) not_ok "${line#* - }" ;;
	*) echo "# $line" ;;
	esac
done <"$scratch/replies"
kill "$daemon" && wait "$daemon"
daemon=

# ---- the reply names the rule directories ----

rm -rf $own && install -d -o $owner -g $owner -m 755 $own
install -d -m 755 "$scratch/theirs"
printf '%s\n' '[Match]' 'Name=veth0' '[Features]' 'tso=off' >"$scratch/theirs/10-old.rule"
: >"$scratch/log" # the shell in the background may truncate it too late
"${to_owner[@]}" "$scratch/offloadd" --no-probes --rules "$scratch/theirs" >>"$scratch/log" 2>&1 &
daemon=$!
within 20 "a daemon of the user has other rules, which belong to root" grep -q ' started' "$scratch/log"
out=$("$scratch/offloadctl" apply 2>&1)
has "root sees that they differ" "$out" "^offloadctl: the running offloadd reads other rules: $scratch/theirs\$"
is "and applies its own" "$(feature tcp-segmentation-offload)" on
has "another user sees those of the daemon" "$(setpriv --reuid 54322 --clear-groups "$scratch/offloadctl" rules 2>&1)" '10-old.rule'
kill "$daemon" && wait "$daemon"
daemon=
: >"$scratch/log"
"$scratch/offloadd" --no-probes --rules "$scratch/theirs" --ledger "$scratch/ledger.json" --control "$scratch/control" >>"$scratch/log" 2>&1 &
daemon=$!
within 20 "a daemon of root has them, too" grep -q ' started' "$scratch/log"
has "root uses the rules of its own daemon" "$("$scratch/offloadctl" plan --control "$scratch/control" 2>&1)" '10-old.rule'
kill "$daemon" && wait "$daemon"
daemon=

# ---- B1, B3: the hook ----

install -d -m 755 /run/offloadd-hook "$scratch/bin"
cat >"$scratch/bin/systemctl" <<-END
	#!/bin/sh
	echo "\$*" >>"$scratch/asked"
END
chmod +x "$scratch/bin/systemctl"
: >"$scratch/asked"
hook=/run/offloadd-hook/socket
listen() {
	rm -f $hook
	PATH=$scratch/bin:$PATH systemd-socket-activate -E PATH -d -l $hook "$scratch/offloadd-hook" >>"$scratch/runner" 2>&1 &
	runner=$!
	wait_until 5 test -S $hook
	chown $owner $hook
}
flood() { # N [KIND]: datagrams, by the daemon's user
	as_owner env PATH=/usr/bin:/bin python3 - "$1" $hook "${2:-drift}" <<-'END'
		import socket, sys
		s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		s.connect(sys.argv[2])
		for i in range(int(sys.argv[1])):
		    s.send(b"OFFLOADD_EVENT=" + sys.argv[3].encode() + b"\nOFFLOADD_LINK=v%d\nOFFLOADD_MESSAGE=%s\n" % (i, b"m" * 7000))
	END
}
gone() { ! kill -0 "$runner" 2>/dev/null; }
listen
flood 20
within 20 "offloadd-hook ends" gone
is "OnDrift= in the daemon's directory starts nothing" "$(cat "$scratch/asked")" ""
printf '%s\n' '[Hooks]' 'OnDrift=good@.service' >$config/offloadd.conf.d/50-hook.conf
listen
flood 1500
within 30 "and ends again" gone
is "1,500 datagrams start 60 units" "$(grep -c good@ "$scratch/asked")" 60
has "the rest is reported" "$(cat "$scratch/runner")" '1440 drift events started no unit'
check "the files take less than a megabyte" test "$(du -sk /run/offloadd-hook | cut -f 1)" -lt 1024
listen
flood 100
within 30 "and once more" gone
is "a restart of offloadd-hook resets no limit" "$(grep -c good@ "$scratch/asked")" 60
for ((i = 0; i < 600; i++)); do : >"/run/offloadd-hook/drift-$i.env"; done
touch -d '2 minutes ago' /run/offloadd-hook/*.env
listen
flood 1
within 30 "an alert after all that" gone
is "is started" "$(grep -c good@ "$scratch/asked")" 61
is "and more than 512 files are not kept" "$(find /run/offloadd-hook -name '*.env' | wc -l)" 1
listen
for ((i = 0; i < 100; i++)); do : >"/run/offloadd-hook/drift-$i.env"; done
touch -d tomorrow /run/offloadd-hook/*.env
flood 1
within 30 "an alert after the clock was set back" gone
is "is started" "$(grep -c good@ "$scratch/asked")" 62
is "and the files of before are removed" "$(find /run/offloadd-hook -name '*.env' | wc -l)" 1
# a kind without a unit, and what is no event: the settings are not read for each, nor a line printed
listen() {
	rm -f $hook
	strace -f -qq -e trace=openat -o "$scratch/opened" systemd-socket-activate -d -l $hook "$scratch/offloadd-hook" >"$scratch/runner" 2>&1 &
	runner=$!
	wait_until 5 test -S $hook
	chown $owner $hook
}
listen
flood 500 stale
flood 500 nonsense
within 30 "1,000 datagrams that start nothing" gone
check "make root read the settings 60 times" test "$(grep -c 'offloadd.conf"' "$scratch/opened")" -le 60
is "and print one line for each kind of them" "$(grep -c 'Failed to read an event' "$scratch/runner")" 1
has "which are counted" "$(cat "$scratch/runner")" '440 stale events started no unit' '499 more events could not be read'
runner=
done_testing
