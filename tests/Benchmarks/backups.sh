#!/usr/bin/env bash
# Speed of backups as ratios against peers: same data, same S3 server, same run.   backups.sh [MIB] [BIG_GIB]
# Each way goes ROUNDS (3) times, in turns, and its best time counts. MIB (1024) is the size of the two data sets; BIG_GIB (8) that of the upload whose memory is shown, 0 for none.
# HELIX=/path/to/helix uses that executable instead of publishing one. Results go to stdout as Markdown. Needs root or sudo for the Debian packages of the peers.
set -euo pipefail
cd "$(dirname "$0")/../.."
mib=${1:-1024} big=${2:-8} pause=${PAUSE:-8} rounds=${ROUNDS:-3}
bash tests/install.sh awscli rclone restic zstd time ceph-mon ceph-osd ceph-common radosgw curl >&2
work=$(mktemp -d /tmp/hxb.XXXXXX)
stop() {
  for pid in $(tac "$work/s3/pids" 2>/dev/null); do kill -9 "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap stop EXIT
port=$((20000 + RANDOM % 400 * 24))
bash tests/Benchmarks/s3-server.sh "$work/s3" "$port"
s3=http://127.0.0.1:$port
unset AWS_CA_BUNDLE
export AWS_ACCESS_KEY_ID=helixkey AWS_SECRET_ACCESS_KEY=helixsecret AWS_DEFAULT_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true
export RCLONE_CONFIG=/dev/null RCLONE_CONFIG_S3_TYPE=s3 RCLONE_CONFIG_S3_PROVIDER=Ceph RCLONE_CONFIG_S3_ENV_AUTH=true RCLONE_CONFIG_S3_ENDPOINT=$s3
export RESTIC_PASSWORD=bench RESTIC_REPOSITORY=s3:$s3/restic RESTIC_CACHE_DIR=$work/cache
export HELIX_STORE=$work/helix.db
helix=${HELIX:-$work/publish/helix}
[ -n "${HELIX:-}" ] || dotnet publish engine/Helix.Cli -c Release -r linux-x64 --self-contained -o "$work/publish" -v q -nologo >&2
s3() { aws --endpoint-url "$s3" s3 "$@" >/dev/null; }
for bucket in bench restic; do s3 mb "s3://$bucket"; done
restic init >/dev/null

text() { # lines as a graph's dump has them: names that repeat, numbers that do not
  awk -v bytes="$1" 'BEGIN { srand(7); while (n < bytes) { line = sprintf("CREATE (:Persona {id: %d, name: \"persona-%d\", score: %.6f})-[:OWNS]->(:Artifact {id: %d, hash: \"%08x%08x\"})", i++, rand() * 5000, rand(), rand() * 1e7, rand() * 4e9, rand() * 4e9); n += length(line) + 1; print line } }' | head -c "$1" || true # awk is cut off
}
text $((mib << 20)) >"$work/text"
head -c "${mib}M" /dev/urandom >"$work/random"

bucket="kind: s3, endpoint: \"$s3\", bucket: bench, checksums: when-required, accessKey: \"env:AWS_ACCESS_KEY_ID\", secretKey: \"env:AWS_SECRET_ACCESS_KEY\""
cat >"$work/bench.yaml" <<X
apiVersion: helix.runbooks/v1
name: bench
targets:
  backups: { $bucket }
  spooled: { $bucket, partSize: 512MiB }
X
book() { # book NAME STEP: a runbook of one step
  printf 'apiVersion: helix.runbooks/v1\nname: %s\ntitle: Bench\nsteps:\n  - %s\n' "$1" "$2" >"$work/$1.yaml"
}
run_book() { "$helix" run "$work/$1.yaml" --environment "$work/bench.yaml" --unattended --quiet; }

# measure NAME COMMAND...: a line of seconds, CPU seconds of user and system, and the peak KiB of the largest process, in $work/NAME.time
measure() {
  local name=$1
  shift
  sync
  command time -f '%e %U %S %M' -a -o "$work/$name.time" "$@" >"$work/$name.out" 2>&1 || { cat "$work/$name.out" >&2; exit 1; }
}
seconds() { sort -n "$work/$1.time" | head -1 | cut -d' ' -f1; }
cpu() { sort -n "$work/$1.time" | head -1 | awk '{ printf "%.1f", $2 + $3 }'; }
peak() { awk '$4 > most { most = $4 } END { printf "%d", most / 1024 }' "$work/$1.time"; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }
empty() { s3 rm --recursive s3://bench; sleep "$pause"; } # the server frees memory a few seconds later
# The server's pools and memory grow with the first that come, and so do the pages of the disk: nobody shall pay for that.
s3 cp "$work/random" s3://bench/first
cp "$work/random" "$work/back"; rm "$work/back"; empty
export -f s3 run_book
export s3 work helix

for data in $(for _ in $(seq "$rounds"); do echo text random; done); do
  file=$work/$data
  book "up-$data" "{ id: up, uses: backup.upload, with: { target: backups, file: $file, prefix: $data/, kind: bench, recoveryPoint: \"2026-01-01T00:00:00Z\" } }"
  book "down-$data" "{ id: down, uses: backup.download, with: { target: backups, prefix: $data/, backup: latest, to: $work/back } }"
  measure "up-helix-$data" bash -c "run_book up-$data"
  measure "down-helix-$data" bash -c "run_book down-$data"
  cmp "$file" "$work/back"; rm -f "$work/back"; empty
  measure "up-gzip-$data" bash -ec "gzip -c $file > $work/a.gz; s3 cp $work/a.gz s3://bench/a.gz"
  measure "down-gzip-$data" bash -ec "s3 cp s3://bench/a.gz $work/b.gz; gunzip -c $work/b.gz > $work/back; sync $work/back"
  rm -f "$work"/{a.gz,b.gz,back}; empty
  measure "up-zstd-$data" bash -ec "set -o pipefail; zstd -q -T0 -c $file | s3 cp - s3://bench/a.zst"
  measure "down-zstd-$data" bash -ec "set -o pipefail; aws --endpoint-url $s3 s3 cp s3://bench/a.zst - | zstd -qdc > $work/back; sync $work/back"
  rm -f "$work/back"; empty
  measure "up-rclone-$data" bash -ec "set -o pipefail; zstd -q -T0 -c $file | rclone rcat s3:bench/a.zst"
  measure "down-rclone-$data" bash -ec "set -o pipefail; rclone cat s3:bench/a.zst | zstd -qdc > $work/back; sync $work/back"
  rm -f "$work/back"; empty
  measure "up-restic-$data" restic backup --quiet --force "$file"
  measure "down-restic-$data" restic restore --quiet latest --target "$work/back"
  rm -rf "$work/back"; restic forget --quiet --prune latest; sleep "$pause"
  measure "cpu-$data" bash -ec "set -o pipefail; zstd -q -T0 -c $file | sha256sum; sha256sum $file"
done

echo "Machine: $(nproc) cores, $(free -g | awk '/Mem/ {print $2}') GiB; $(date +%F); ${mib} MiB each, the best of $rounds; aws $(aws --version 2>&1 | cut -d' ' -f1 | cut -d/ -f2), rclone $(rclone version | head -1 | cut -d' ' -f2), restic $(restic version | cut -d' ' -f2)"
echo
echo "| ${mib} MiB of | way | up | helix is faster by | down and unpacked | helix is faster by |"
echo "| --- | --- | --- | --- | --- | --- |"
for data in text random; do
  for way in helix gzip zstd rclone restic; do
    case $way in
      helix) name="\`backup.upload\`, \`backup.download\`" ;;
      gzip) name="(a) gzip to disk, aws s3 cp" ;;
      zstd) name="(b) zstd -T0, aws s3 cp -" ;;
      rclone) name="(c) zstd -T0, rclone rcat" ;;
      restic) name="(d) restic" ;;
    esac
    echo "| $data | $name | $(seconds "up-$way-$data") s | $(ratio "$(seconds "up-$way-$data")" "$(seconds "up-helix-$data")") | $(seconds "down-$way-$data") s | $(ratio "$(seconds "down-$way-$data")" "$(seconds "down-helix-$data")") |"
  done
done
echo
for data in text random; do
  echo "CPU of helix for the upload of $data, against zstd and sha256sum of the same bytes twice: $(cpu "up-helix-$data") s, $(cpu "cpu-$data") s, ratio $(ratio "$(cpu "up-helix-$data")" "$(cpu "cpu-$data")") (bar 1.2). Peak memory: $(peak "up-helix-$data") MiB up, $(peak "down-helix-$data") MiB down (bar 200)."
done
if [ "$big" -gt 0 ]; then
  rm -f "$work/random"; empty
  for _ in $(seq $((big * 1024 / mib))); do cat "$work/text"; done >"$work/big"
  for target in backups spooled; do
    book "up-$target" "{ id: up, uses: backup.upload, with: { target: $target, file: $work/big, prefix: big/, kind: bench, recoveryPoint: \"2026-01-01T00:00:00Z\" } }"
    measure "up-$target" bash -c "run_book up-$target"
    empty
  done
  echo "Peak memory at $big GiB: $(peak up-backups) MiB, $(seconds up-backups) s; with parts of 512 MiB, as an object of 5 TiB has them: $(peak up-spooled) MiB, $(seconds up-spooled) s."
fi
