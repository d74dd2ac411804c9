# SPDX-License-Identifier: GPL-2.0-or-later
# Every network namespace is found and shown, with a name and without one, and apply changes the right one. None is kept alive. A namespace
# with a cookie (from Linux 5.14 on) and one without are identified in different ways.
# kernels: 7
. "$(dirname "$0")/../lib.sh"

tools=${BUILD:-build}/tests
rule 10-sg.rule '[Match]' 'Kind=veth' 'Namespace=any' '[Features]' 'sg=on'
rule 20-own.rule '[Match]' 'Kind=veth' '[Features]' 'sg=off'
rule 30-web.rule '[Match]' 'Container=web*' 'Kind=veth' '[Features]' 'tx=off'
inode() { stat -L -c %i "/run/netns/$1"; }
of() { jq -c ".namespaces[] | select(.netns == \"$1\") | $2" "$scratch/found"; } # NETNS FILTER
rules_of() { offloadctl plan --netns "$1" --json | jq -c '[.links[] | .. | objects | .rule? | objects | .file | split("/") | last] | unique'; }
find_all() { offloadctl namespaces --json >"$scratch/found"; }

# what scenarios before this one have left: modules that add interfaces to each namespace, and namespaces with a name
first_namespace sysctl -qw net.core.fb_tunnels_only_for_init_net=2
others=$(ip -j netns list | jq -c 'map(.name)')
ip netns add red
ip link add v1 type veth peer name eth0 index 500 netns red
ip netns exec red ethtool -K eth0 sg off >/dev/null
unshare --net sleep 1000 &
nameless=$!
in_own() { [ "$(readlink /proc/$nameless/ns/net)" != "$(readlink /proc/self/ns/net)" ]; }
within 5 "a process has a namespace without a name" in_own
ip link add v2 type veth peer name eth0 netns $nameless

check "every namespace is listed" find_all
check "the document matches the schema" "$tools/test-json" namespaces.json "$scratch/found"
is "one is that of offloadctl" "$(jq '[.namespaces[] | select(.own)] | length' "$scratch/found")" 1
is "one is that of PID 1" "$(jq --argjson inode "$(stat -L -c %i /proc/1/ns/net)" '[.namespaces[] | select(.inode == $inode)] | length' "$scratch/found")" 1
is "one has its name in ip-netns(8)" "$(of red '[.name, .inode, .processes, .pid, .error]')" "[\"red\",$(inode red),0,null,null]"
is "and the offloads that are off" "$(of red '[.links[] | select(.off != []) | [.link, (.off | index("tx-scatter-gather") != null)]]')" '[["eth0",true]]'
is "and where its interface ends" "$(of red '[.links[] | [.link, .far.link]] | sort')" '[["eth0","v1"],["lo",null]]'
is "one is called after its first process" "$(of "sleep ($nameless)" '[.name, .processes, .pid, ([.links[].link] | sort)]')" "[null,1,$nameless,[\"eth0\",\"lo\"]]"
if [ "$(uname -r | cut -d. -f1)" = 5 ]; then cookies=0; else cookies=$(jq '.namespaces | length' "$scratch/found"); fi
is "each has a cookie, if this kernel has cookies" "$(jq '[.namespaces[].cookie] | map(select(.)) | unique | length' "$scratch/found")" "$cookies"

is "a rule that names no namespace is not for others" "$(rules_of red)" '["10-sg.rule"]'
has "explain says which are not" "$(offloadctl explain --netns red eth0 sg)" 'rules? without Namespace=.* not for this' '30-web.rule .*Container=web\* .it belongs to no container'
rm /etc/offloadd/rules.d/20-own.rule
is "list of one by its name" "$(offloadctl list --netns red --json)" "$(ip netns exec red offloadctl list --json)"
is "tree of one by its inode" "$(offloadctl tree --netns "$(inode red)" --json | jq .)" \
	"$(ip netns exec red offloadctl tree --json | jq '(.. | objects | select(has("far")).far) = null')"
far() { jq -c '[.. | objects | select(.far?) | [.link, .far.netns, .far.link, .far.verdict, (.far.noncompliant | index("tx-scatter-gather") != null)]] | sort' "$scratch/tree"; }
offloadctl tree --json >"$scratch/tree"
is "joins the ends of a veth, each with what the rules for its namespace say" "$(far)" "[[\"v1\",\"red\",\"eth0\",\"drifted\",true],[\"v2\",\"sleep ($nameless)\",\"eth0\",\"compliant\",false]]"
check "the tree matches the schema" "$tools/test-json" tree.json "$scratch/tree"
has "as text" "$(offloadctl tree)" 'eth0 in red +veth +.*drifted +.*tx-scatter-gather'
said=$(setpriv --reuid 65534 --regid 65534 --clear-groups offloadctl tree 2>&1 >"$scratch/tree.txt")
has "without privilege it says what is missing" "$? $said" '^0 ' '2 interfaces end in other network namespaces .*run offloadctl as root'
is "show of one by its first process" "$(offloadctl show eth0 --netns "sleep ($nameless)" --json)" "$(nsenter -t $nameless -n offloadctl show eth0 --json)"
check "snapshot of one" offloadctl diff <(offloadctl snapshot --netns red) <(ip netns exec red offloadctl snapshot)
offloadctl plan --netns red >/dev/null
is "plan finds what the rules say of a link there" $? 2
in_red() { ip netns exec red bash -c ". $(dirname "$0")/../lib.sh; $1 eth0 scatter-gather"; }
check "and changes nothing" in_red is_off
ip link add eth0 type dummy
ethtool -K eth0 sg off >/dev/null
check "apply repairs it" offloadctl apply --yes --netns red eth0
check "there" in_red is_on
check "and not where it runs" is_off eth0 scatter-gather
ip link del eth0
check "revert there" ip netns exec red offloadctl revert --ledger "/run/offloadd/ledger-$(inode red).json"
check "restores it" in_red is_off
said=$(offloadctl list --netns rd 2>&1)
has "a misspelt name" "$? $said" '^1 ' 'did you mean "red"'
said=$(setpriv --reuid 65534 --regid 65534 --clear-groups offloadctl namespaces 2>&1)
has "not for other users" "$? $said" '^1 ' 'run offloadctl as root'

# a container, by the cgroup of its first process
id=$(printf '4f0d12c03a5e%052d' 0)
group=/sys/fs/cgroup/system.slice/docker-$id.scope
mountpoint -q /sys/fs/cgroup || mount -t cgroup2 cgroup /sys/fs/cgroup
mkdir -p "$group"
echo $nameless >"$group/cgroup.procs"
check "a container is found" find_all
is "it is called by its id" "$(of "docker 4f0d12c03a5e" '[.runtime, .container, .pid]')" "[\"docker\",\"$id\",$nameless]"
is "of which some digits are enough" "$(offloadctl list --netns 4f0d12c0 --json)" "$(nsenter -t $nameless -n offloadctl list --json)"

is "without its name no rule for it matches" "$(rules_of 4f0d12c0)" '["10-sg.rule"]'
# what its runtime records
mkdir -p "$scratch/lib" && mount -t tmpfs none /var/lib
mkdir -p "/var/lib/docker/containers/$id" /var/lib/containers/storage/overlay-containers
chmod 0700 /var/lib/docker /var/lib/containers/storage
jq -n '{ Name: "/web1", Config: { Image: "nginx:1.25" } }' >"/var/lib/docker/containers/$id/config.v2.json"
find_all
is "it is called by its name" "$(of web1 '[.runtime, .container_name, .image, .unit]')" "[\"docker\",\"web1\",\"nginx:1.25\",\"docker-$id.scope\"]"
is "a rule for its name applies" "$(rules_of web1)" '["10-sg.rule","30-web.rule"]'
jq -n --arg id "$id" '[{ id: $id, names: ["web2"], metadata: "{\"image-name\":\"localhost/web:1\"}" }]' >/var/lib/containers/storage/overlay-containers/containers.json
rm -r /var/lib/docker
find_all
is "Podman's record" "$(of web2 '[.container_name, .image]')" '["web2","localhost/web:1"]'
chmod 0666 /var/lib/containers/storage/overlay-containers/containers.json
find_all
is "one that others can write is none" "$(of "docker 4f0d12c03a5e" '[.container_name, .image]')" '[null,null]'
umount /var/lib

forged=/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/docker-$id.scope
mkdir -p "$forged"
echo $nameless >"$forged/cgroup.procs"
check "a user can have a container with this id, too" find_all
is "it is called after the user" "$(of "docker 4f0d12c03a5e of user 1000" '.pid')" $nameless
offloadctl list --netns 4f0d12c0 >/dev/null 2>&1
is "and not taken for one of the system" $? 1
echo $nameless >"$group/cgroup.procs"
rmdir "$forged"

# many: descriptors and memory do not grow with their number
many=${LONG:+1000}
many=${many:-10}
for ((i = 1; i <= many; i++)); do
	echo "netns add n$i"
	echo "link add w$i type veth peer name eth0 netns n$i"
done | ip -batch -
begin=$(now_ms)
check "$many namespaces, with 16 descriptors and 32 MB" bash -c "ulimit -n 16; ulimit -v 32768; exec offloadctl namespaces --json >'$scratch/found'"
echo "# note $many namespaces in $(($(now_ms) - begin)) ms"
is "all are read" "$(jq '[.namespaces[] | select(.name // "" | test("^n[0-9]+$")).links | length] | map(select(. == 2)) | length' "$scratch/found")" $many
for ((i = 1; i <= many; i++)); do echo "netns del n$i"; done | ip -batch -

record_mark
ip netns exec red offloadd --no-probes >>"$log" 2>&1 &
daemon=$!
within 20 "an offloadd in one of them" daemon_ready
check "it pauses a link" ip netns exec red offloadctl pause eth0
is "list asks it" "$(offloadctl list --netns red --json | jq -c '[.links[] | select(.verdict == "paused").link]')" '["eth0"]'
daemon_stops

# between looking and the SET
ip netns exec red ethtool -K eth0 sg on >/dev/null
ip link add eth0 index 500 type dummy
is "a link that moves away" "$("$tools/namespaces-visit" red true "ip -n red link set eth0 netns $nameless name eth1")" ENODEV
check "another one with its name and index keeps its features" is_on eth0 scatter-gather
is "and so does the one that moved" "$(offloadctl show eth1 --netns 4f0d12c03a5e --json | jq '.link.features["tx-scatter-gather"].active')" true
nsenter -t $nameless -n ip link set eth1 netns /run/netns/red name eth0
ip link del eth0

# between finding and visiting
is "an end meanwhile" "$("$tools/namespaces-visit" red 'ip netns del red')" ESTALE
gone() { ! ip link show v1 >/dev/null 2>&1; }
within 5 "nothing kept it alive" gone
ip netns add red
was=$(inode red)
cat >"$scratch/again" <<-END
	ip netns del red
	for i in {1..100}; do
		ip netns add red
		[ "\$(stat -L -c %i /run/netns/red)" != $was ] || exit 0
		ip netns del red
	done
	exit 1
END
is "another one with its name and inode" "$("$tools/namespaces-visit" red "bash $scratch/again")" ESTALE
is "a process that leaves" "$("$tools/namespaces-visit" $nameless "kill -KILL $nameless; while [ -e /proc/$nameless/ns/net ] && readlink /proc/$nameless/ns/net; do :; done >/dev/null 2>&1")" ESTALE
rmdir "$group"
gone() { ! ip link show v2 >/dev/null 2>&1; }
within 5 "nothing kept its namespace alive" gone

# names and files that mislead
touch /run/netns/empty
mkfifo /run/netns/pipe
ip netns add $'a\e[31m'
touch /run/netns/other && mount --bind /proc/self/ns/uts /run/netns/other
check "names that are none" find_all
is "are not shown, and control characters neither" "$(jq -c --argjson others "${others:-[]}" '[.namespaces[] | select(.own | not).name | select(.)] - $others | sort' "$scratch/found")" '["a?[31m","red"]'
umount /run/netns/other
rm /run/netns/{empty,pipe,other}
ip netns del $'a\e[31m'
ip netns del red
done_testing
