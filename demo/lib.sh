# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by the stories: chapters, commands with their output, and checks. A story ends with exit status 1 at the first failed check.
# BOLD: set if standard output is a terminal. width: columns of a line.
. tests/lib.sh
width=${width:-100}
export COLUMNS=$((width - 5)) # columns left for the output of commands
bold=${BOLD:+$'\033[1m'} plain=${BOLD:+$'\033[0m'}
chapter=0 checks=0

tell() { # TITLE: begins a chapter
	chapter=$((chapter + 1))
	printf '\n%s%d. %s%s\n' "$bold" $chapter "$1" "$plain"
}
say() { # LINE...
	printf '   %s\n' "$@"
}
typed() { # COMMAND LINE: shows it as if typed
	printf '   %s$ %s%s\n' "$bold" "$1" "$plain"
}
# Indents the output of a command and wraps long lines at blanks. Starts no process, because that is slow in a user-mode kernel.
indented() {
	local rest indent part
	while IFS= read -r rest; do
		rest="     $rest"
		indent=${rest%%[^ ]*}
		while [ ${#rest} -gt $width ]; do
			part=${rest:0:width+1} part=${part% *}
			[ ${#part} -gt $((${#indent} + 2)) ] || break
			printf '%s\n' "$part"
			rest="$indent  ${rest:${#part}+1}"
		done
		[ -n "${rest// /}" ] || rest=
		printf '%s\n' "$rest"
	done
}
shown() { # COMMAND LINE: runs it and shows its output, which is also in $answer; its exit status is in $status
	typed "$*"
	answer=$(eval "$*" 2>&1) && status=0 || status=$?
	indented <<<"$answer"
}
failed() { # CLAIM
	printf '\ndemo: check failed: %s\n' "$1"
	exit 1
}
passed() {
	checks=$((checks + 1))
}
must() { # CLAIM COMMAND...: the command succeeds
	local claim=$1
	shift
	"$@" >/dev/null 2>&1 || failed "$claim"
	passed
}
answered() { # REGEX: a line of what the last command printed matches
	local line
	while IFS= read -r line; do [[ ! $line =~ $1 ]] || return 0; done <<<"$answer"
	return 1
}
are() { # on|off LINK FEATURE...: as ethtool shows them
	local state=$1 text feature
	text=$(ethtool -k "$2") || return
	shift 2
	for feature; do
		[[ $text =~ (^|$'\n')[[:blank:]]*"$feature: $state" ]] || return
	done
}
