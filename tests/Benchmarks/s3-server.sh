#!/usr/bin/env bash
# Starts a real S3 server for the benchmarks: one Ceph monitor, one OSD in memory, radosgw.   s3-server.sh DIR PORT
# Ports PORT to PORT+20 of 127.0.0.1 are used; the keys are helixkey / helixsecret; the pids stand in DIR/pids.
set -euo pipefail
dir=$1 port=$2
mkdir -p "$dir"/{mon,osd,rgw}
export CEPH_CONF=$dir/ceph.conf
id=$(cat /proc/sys/kernel/random/uuid)
cat >"$CEPH_CONF" <<X
[global]
fsid = $id
mon host = [v2:127.0.0.1:$((port + 1)),v1:127.0.0.1:$((port + 2))]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
auth allow insecure global id reclaim = false
run dir = $dir
admin socket = $dir/\$name.\$pid.asok
log file = $dir/\$name.log
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 1000
ms bind ipv6 = false
ms mon client mode = crc
ms bind port min = $((port + 3))
ms bind port max = $((port + 20))
[mon.a]
mon data = $dir/mon
paxos propose interval = 0.02
paxos min wait = 0.01
[osd.0]
osd data = $dir/osd
osd objectstore = memstore
memstore device bytes = 12884901888
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:$port tcp_nodelay=1
rgw data = $dir/rgw
rgw run sync thread = false
rgw gc obj min wait = 1
rgw gc processor period = 2
rgw gc processor max time = 2
X
# Memory that was freed is kept (mallopt(3)): else each way pays anew for the pages of the object that the way before it left, a third of the server's time.
export MALLOC_ARENA_MAX=1 MALLOC_MMAP_THRESHOLD_=33554432 MALLOC_TRIM_THRESHOLD_=17179869184
begin() { "$@" >/dev/null 2>&1 & echo $! >>"$dir/pids"; }
until_true() { until "$@" >/dev/null 2>&1; do sleep 0.1; done; }
is_up() { ceph osd stat 2>/dev/null | grep -q '1 up'; }
monmaptool --create --fsid "$id" --addv a "[v2:127.0.0.1:$((port + 1)),v1:127.0.0.1:$((port + 2))]" "$dir/monmap" >/dev/null
ceph-mon -i a --mkfs --monmap "$dir/monmap"
begin ceph-mon -f -i a
osd=$(cat /proc/sys/kernel/random/uuid)
ceph --connect-timeout 30 osd new "$osd" >/dev/null
ceph-osd -i 0 --mkfs --osd-uuid "$osd" >/dev/null 2>&1
begin ceph-osd -f -i 0
until_true is_up
begin radosgw -f -n client.rgw
until_true curl -sf "http://127.0.0.1:$port/"
radosgw-admin -n client.rgw user create --uid=helix --display-name=helix --access-key=helixkey --secret-key=helixsecret >/dev/null
