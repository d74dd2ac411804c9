# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by every test that is a shell script: TAP, and waiting for what is to come. A test ends with `done_testing`.

tests=0 failures=0

ok() { # DESCRIPTION
	tests=$((tests + 1))
	echo "ok $tests - $1"
}

not_ok() { # DESCRIPTION [DETAIL...]
	tests=$((tests + 1)) failures=$((failures + 1))
	echo "not ok $tests - $1"
	shift
	for detail; do sed 's/^/#   /' <<<"$detail"; done
}

skip() { # DESCRIPTION REASON
	tests=$((tests + 1))
	echo "ok $tests - $1 # SKIP $2"
}

check() { # DESCRIPTION COMMAND...: the command succeeds
	local description=$1 out
	shift
	if out=$("$@" 2>&1); then ok "$description"; else not_ok "$description" "status $? of: $*" "$out"; fi
}

is() { # DESCRIPTION GOT WANTED
	if [ "$2" = "$3" ]; then
		ok "$1"
	elif [[ $2$3 == *$'\n'* ]]; then
		not_ok "$1" "$(diff --label wanted --label got -U 3 <(echo "$3") <(echo "$2"))"
	else
		not_ok "$1" "got:    $2" "wanted: $3"
	fi
}

# As grep does it, line by line, but without starting a process: that is most of what a test costs in an emulated machine.
matches() { # TEXT REGEX: a line of the text matches the extended regular expression
	local line lines
	mapfile -t lines <<<"$1"
	for line in "${lines[@]}"; do
		if [[ $line =~ $2 ]]; then return; fi
	done
	return 1
}

file_has() { # FILE REGEX: the same of a file's
	local text=
	IFS= read -rd '' text <"$1" || :
	matches "$text" "$2"
}

has() { # DESCRIPTION TEXT REGEX...: the text matches each extended regular expression
	local description=$1 text=$2 regex
	shift 2
	for regex; do
		matches "$text" "$regex" || {
			not_ok "$description" "does not match: $regex" "$text"
			return 0
		}
	done
	ok "$description"
}

now_ms() {
	local t=$EPOCHREALTIME
	echo $((${t/[.,]/} / 1000))
}

exec {idle}<> <(:) # never readable: reading from it with a time limit is a nap without a process
waited_ms=0
patience=1 # a machine that is many times slower than a real one may be given longer; what it took is told all the same
# Polls the command until it succeeds or time is up; waited_ms tells how long it took. Between two questions passes as much time as one
# takes, so that what is waited for has the CPU, too, and an eighth of what it has taken so far.
wait_until() { # SECONDS COMMAND...
	local start=${EPOCHREALTIME/[.,]/} asked now pause
	local end=$((start + ${1%.*} * patience * 1000000))
	asked=$start
	shift
	while ! "$@" >/dev/null 2>&1; do
		now=${EPOCHREALTIME/[.,]/}
		waited_ms=$(((now - start) / 1000))
		[ "$now" -lt "$end" ] || return 1
		pause=$((now - asked > (now - start) / 8 ? now - asked : (now - start) / 8))
		pause=$((pause < 20000 ? 20000 : pause > 999999 ? 999999 : pause))
		printf -v pause '0.%06d' $pause
		read -rt "$pause" -u "$idle" || :
		asked=${EPOCHREALTIME/[.,]/}
	done
	now=${EPOCHREALTIME/[.,]/}
	waited_ms=$(((now - start) / 1000))
}

within() { # SECONDS DESCRIPTION COMMAND...: the command succeeds before time is up
	local seconds=$1 description=$2
	shift 2
	if wait_until "$seconds" "$@"; then
		ok "$description ($waited_ms ms)"
	else
		not_ok "$description" "not within $((seconds * patience)) s: $*" "$("$@" 2>&1)"
	fi
}

yardstick() { # milliseconds of CPU time that a fixed piece of work takes
	local TIMEFORMAT=%3U i out
	out=$({ time for ((i = 0; i < 200000; i++)); do :; done; } 2>&1)
	echo $((10#${out/[.,]/}))
}

done_testing() {
	echo "1..$tests"
	[ $failures = 0 ]
	exit
}
