# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by each test of a configuration management: a network namespace and a machine's /etc and /run of its own, with the
# founding incident in it. Where this kernel has no bonds and VLANs, vlan10 is another kind of link that stands on eth2.
if [ -z "${CONFIG_INSIDE:-}" ]; then
	CONFIG_INSIDE=1 exec unshare -n -m "$0"
fi
cd "$(dirname "$0")/../.." || exit 1
. tests/lib.sh

scratch=$(mktemp -d)
daemon=
config_end() {
	[ -z "$daemon" ] || { kill "$daemon" && wait "$daemon"; } 2>/dev/null
	rm -rf "$scratch"
}
trap config_end EXIT

mkdir "$scratch/etc" "$scratch/bin"
cp -a /etc/. "$scratch/etc/"
rm -rf "$scratch/etc/offloadd"
mount --bind "$scratch/etc" /etc
mount -t tmpfs run /run
mount -t sysfs sys /sys
ln -s "$PWD/build/offloadctl" "$PWD/build/offloadd" "$scratch/bin/"
export PATH=$scratch/bin:$PATH HOME=$scratch LC_ALL=C.UTF-8
unset NO_COLOR
rules=/etc/offloadd/rules.d

stack() { # eth2 and eth3 in bond0, vlan10 on it; sets kind, the kind of vlan10
	local nic
	for nic in 2 3; do
		ip link add eth$nic type veth peer name far$nic
		ip link set far$nic up
	done
	if ip link add bond0 type bond mode active-backup miimon 100 2>/dev/null; then
		for nic in eth2 eth3; do ip link set $nic master bond0; done
		ip link set bond0 up
		ip link add link bond0 name vlan10 type vlan id 10 2>/dev/null && kind=vlan
	fi
	for nic in eth2 eth3; do ip link set $nic up; done
	if [ -z "$kind" ] && ip link add vlan10 type vxlan id 10 dev eth2 dstport 4789 2>/dev/null; then kind=vxlan; fi
	if [ -z "$kind" ] && ip link add vlan10 type veth peer name far10; then kind=veth; fi
	ip link set vlan10 up
	echo "# note vlan10 is a $kind"
}
kind=

incident() { # somebody switches scatter-gather and checksums off on vlan10
	ethtool -K vlan10 sg off >/dev/null 2>&1
	ethtool -K vlan10 tx off >/dev/null 2>&1
}

features() { # of every link, by ethtool, without what is only asked for
	local link
	for link in eth2 eth3 vlan10; do ethtool -k $link; done | sed 's/ \[requested on\]//; s/ \[not requested\]//'
}

is_on() { # FEATURE...: on vlan10
	local feature
	for feature; do ethtool -k vlan10 | grep -qE "^\s*$feature: on" || { echo "$feature is not on"; return 1; }; done
}

is_off() { # FEATURE...: on vlan10
	local feature
	for feature; do ethtool -k vlan10 | grep -qE "^\s*$feature: off" || { echo "$feature is not off"; return 1; }; done
}

daemon_start() {
	offloadd >"$scratch/offloadd.log" 2>&1 &
	daemon=$!
	within 60 "offloadd runs" offloadctl events
}

lacks() { # DESCRIPTION TEXT REGEX
	if grep -qE -- "$3" <<<"$2"; then not_ok "$1" "matches $3" "$2"; else ok "$1"; fi
}

in_page() { # PAGE FILE...: the page of the documentation quotes each file, all of it but its licence line
	local page=$1 file
	shift
	for file; do
		check "$page shows ${file##*/} as it is" python3 -c '
import sys
page, text = (open(path, encoding="utf-8").read() for path in sys.argv[1:])
text = text.split("\n", 1)[1] if "SPDX" in text.split("\n", 1)[0] else text
block = "".join("    " + line + "\n" if line else "\n" for line in text.rstrip("\n").split("\n"))
sys.exit(block not in page)' "$page" "$file"
	done
}
