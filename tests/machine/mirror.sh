# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced: the Debian mirror that this machine's apt is set up with.

find_mirror() {
	local found
	found=$(apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
		awk '$1 == "Debian" { print $2; exit }')
	# before the first apt-get update apt knows no labels
	[ -n "$found" ] || found=$(grep -rhoE '^(URIs: *|deb +(\[[^]]*\] +)?)https?://[^ ]+' /etc/apt/sources.list \
		/etc/apt/sources.list.d 2>/dev/null | grep -oE 'https?://[^ ]+' | grep -v security | head -1)
	echo "$found"
}
