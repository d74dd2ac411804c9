#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# External fact for Facter: state of offloadd, and interfaces and features by verdict. Prints nothing without offloadctl.
command -v offloadctl >/dev/null || exit 0
offloadctl metrics 2>/dev/null | awk '
function label(name) {
	return match($1, "[{,]" name "=\"[^\"]*\"") ? substr($1, RSTART + length(name) + 3, RLENGTH - length(name) - 4) : ""
}
function counts(name, list) {
	if (list != "")
		printf "  %s:\n%s", name, list
}
/^offloadd_build_info\{/ { version = label("version") }
# in a network namespace with a name, each metric has the label netns
/^offloadd_up[ {]/ { up = $NF }
/^offloadd_mode\{/ && $NF == 1 { mode = label("mode") }
/^offloadd_(rules|rule_errors|settings_errors)[ {]/ {
	sub(/[{].*/, "", $1)
	numbers = numbers "  " substr($1, 10) ": " $NF "\n"
}
/^offloadd_links\{/ { links = links "    " label("verdict") ": " $NF "\n" }
/^offloadd_features\{/ { features = features "    " label("verdict") ": " $NF "\n" }
/^offloadd_restart_needed\{/ { restart++ }
END {
	if (version == "")
		exit
	printf "offloadd:\n  version: \"%s\"\n  running: %s\n", version, up ? "true" : "false"
	if (up && mode != "")
		printf "  mode: %s\n", mode
	printf "%s", numbers
	counts("links", links)
	counts("features", features)
	printf "  restarts_needed: %d\n", restart
}'
