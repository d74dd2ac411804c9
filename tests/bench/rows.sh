# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by the tests of the bench, after tests/lib.sh.

rows_are_numbers() { # DESCRIPTION TABLES NAME...: each of these rows is there, with at least two columns, all of them numbers
	local description=$1 tables=$2 name row missing=()
	shift 2
	for name; do
		row=$(awk -v name="$name" 'index($0, name) == 1 {
			rest = substr($0, length(name) + 1)
			if (rest ~ /^( +-?[0-9]+(\.[0-9]+)?)( +-?[0-9]+(\.[0-9]+)?)+$/) { print; exit }
		}' <<<"$tables")
		[ -n "$row" ] || missing+=("no numbers for: $name")
	done
	if [ ${#missing[@]} = 0 ]; then ok "$description"; else not_ok "$description" "${missing[@]}" "$tables"; fi
}
