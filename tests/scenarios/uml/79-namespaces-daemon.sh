# SPDX-License-Identifier: GPL-2.0-or-later
# One daemon looks after every network namespace of the host: rules apply inside, from the moment a namespace appears.
# kernels: 7
. "$(dirname "$0")/../lib.sh"

first_namespace sysctl -qw net.core.fb_tunnels_only_for_init_net=2
nsip() { first_namespace ip "$@"; }
lib=$PWD/$(dirname "$0")/../lib.sh
host() { first_namespace bash -c ". $lib; $*"; }
inside() { first_namespace ip netns exec "$1" bash -c ". $lib; ${*:2}"; } # NETNS is_on|is_off LINK FEATURE...
create() { # NETNS
	nsip netns add "$1"
	nsip link add "v-$1" type veth peer name eth0 netns "$1"
}
mkdir -p /etc/offloadd
printf '[Daemon]\nMode=enforce\nNamespaces=enforce\n' >/etc/offloadd/offloadd.conf
rule 60-web.rule '[Match]' 'Namespace=web*' 'Kind=veth' '[Features]' 'tx=off'

create web1
create other1
daemon_as=(nsenter --net=/proc/1/ns/net --mount=/proc/1/ns/mnt)
daemon_start "the daemon starts" --no-probes
within 5 "a rule applies in a namespace that was there before" inside web1 is_off eth0 tx-checksumming
check "and not in others" inside other1 is_on eth0 tx-checksumming
check "nor on the host" host is_on v-web1 tx-checksumming
record_mark
create web2
within 5 "a rule applies in a new namespace" inside web2 is_off eth0 tx-checksumming
first_namespace offloadctl status --all; first_namespace offloadctl status --json | jq -c .daemon.namespaces; first_namespace offloadctl metrics | grep namesp; cat $log
daemon_stops
done_testing
