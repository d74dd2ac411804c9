# SPDX-License-Identifier: GPL-2.0-or-later
# Containers of real runtimes, systemd-nspawn and Podman, with no image but one busybox: what they are called, and which rules match them.
# image: containers
. /story/lib.sh

booted
root=/var/lib/machines/web1
mkdir -p $root/{bin,usr,etc,proc,sys,dev,tmp,run,root,var}
cp /bin/busybox $root/bin/
echo 'ID=box' >$root/etc/os-release
found() { offloadctl namespaces --json >/tmp/found && jq -e ".namespaces[] | select(.netns == \"$1\")" /tmp/found >/dev/null; } # NETNS
of() { jq -c ".namespaces[] | select(.netns == \"$1\") | $2" /tmp/found; }						       # NETNS FILTER
nspawn() { exec systemd-nspawn -q --settings=no -M web1 -D $root --network-veth --resolv-conf=off --timezone=off /bin/busybox sleep 100000; }

(nspawn) </dev/null >/tmp/nspawn 2>&1 &
within 30 "systemd-nspawn's container is found" found "machine web1"
tar -C $root -c . | podman import - localhost/box:1
podman network create --internal --disable-dns inside
podman run -d --name web2 --network inside localhost/box:1 /bin/busybox sleep 100000
within 10 "Podman's container is found" found "web2"
offloadctl namespaces
jq -c .namespaces[] /tmp/found
podman ps
ls -l /var/lib/containers/storage/*-containers/ /run/containers/storage/*-containers/
head -c 1500 /var/lib/containers/storage/*-containers/*.json
podman run --rm -d --name web3 --network inside localhost/box:1 /bin/busybox sleep 100000
within 10 "Podman's container is found" found "web3"
ls -l /var/lib/containers/storage/*-containers/ /run/containers/storage/*-containers/
offloadctl tree
ip netns
for i in 1 2 3; do time podman stop -t 0 web2; time podman start web2; done
done_testing
