#!/bin/bash
# Ten minutes to a recovery: backs up a real Redis server with 10,000 keys, wrecks it, and restores it with the runbooks of this folder.
# Everything happens in a fresh folder below /tmp and on two free ports of 127.0.0.1; at the end nothing is left. KEEP=1 keeps the folder.
# HELIX=/path/to/helix uses that executable instead of building one.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
keys=10000

main() {
  need_redis
  find_helix
  make_folder
  trap clean_up EXIT

  say "A Redis server with $keys keys"
  start_redis
  fill_redis

  say "1. Backup: helix run backup-redis"
  helix run "$root/runbooks/backup-redis.yaml" --environment "$environment" --unattended

  say "2. Disaster: all keys are deleted, and the data file is damaged"
  wreck_redis

  say "3. Restore: helix run redis-restore; it waits for an approval before it overwrites anything (exit code 4)"
  local code=0
  helix run "$root/runbooks/redis-restore.yaml" --environment "$environment" --unattended \
    --incident QUICKSTART-1 --occurred-at "$occurred" || code=$?
  [ "$code" = 4 ] || fail "expected exit code 4 (waiting for a decision), got $code"

  say "4. Approve, and go on: helix approve RUN go --resume"
  local run
  run=$(helix runs --json | grep -o '"run": *"[^"]*"' | head -1 | cut -d'"' -f4)
  helix approve "$run" go --input reason="the newest backup" --resume

  say "5. Report: what was measured against the objectives"
  helix report "$run"

  say "6. Drill: the same backup goes into a scratch server, and its manifest gets the proof"
  helix run "$root/runbooks/drill-redis-restore.yaml" --environment "$environment" --unattended --mode drill

  local restored
  restored=$(redis_cli dbsize)
  [ "$restored" = "$keys" ] || fail "expected $keys keys, found $restored"
  say "Recovered: $restored keys are back."
}

need_redis() {
  if ! command -v redis-server >/dev/null || ! command -v redis-cli >/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
      say "Installing redis-server"
      apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends redis-server >/dev/null ||
        { apt-get update >/dev/null && apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends redis-server >/dev/null; }
    else
      fail "redis-server and redis-cli are missing. Install them: sudo apt-get install redis-server"
    fi
  fi
}

find_helix() {
  if [ -z "${HELIX:-}" ]; then
    command -v dotnet >/dev/null && dotnet --list-sdks | grep -q '^10\.' ||
      fail "The .NET 10 SDK is missing. Install it (https://dotnet.microsoft.com/download/dotnet/10.0), or set HELIX to a built helix."
    say "Building helix"
    dotnet build "$root/engine/Helix.Cli" -c Release -v quiet -nologo -clp:NoSummary
    HELIX=$root/engine/Helix.Cli/bin/Release/net10.0/helix
  fi
}

helix() { "$HELIX" "$@"; }

make_folder() {
  folder=$(mktemp -d "${TMPDIR:-/tmp}/helix-quickstart.XXXXXX")
  port=$(free_port)
  scratch_port=$(free_port)
  mkdir "$folder/redis" "$folder/scratch" "$folder/shelf"
  environment=$folder/quickstart.yaml
  sed -e "s/16379/$port/; s/16380/$scratch_port/; s/\[you\]/[$(id -un)]/g" "$root/runbooks/environments/quickstart.yaml" >"$environment"
  export HELIX_STORE=$folder/helix.db
  QUICKSTART_PASSWORD=$(head -c 18 /dev/urandom | base64)
  QUICKSTART_WRONG_PASSWORD=$(head -c 18 /dev/urandom | base64)
  export QUICKSTART_PASSWORD QUICKSTART_WRONG_PASSWORD
  configure redis "$port"
  configure scratch "$scratch_port"
}

free_port() {
  local port
  while port=$((20000 + RANDOM % 20000)); (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
  echo "$port"
}

configure() {
  (umask 077; printf 'bind 127.0.0.1\nport %s\ndir .\nrequirepass "%s"\n' "$2" "$QUICKSTART_PASSWORD" >"$folder/$1/redis.conf")
}

start_redis() {
  cd "$folder/redis"
  setsid redis-server redis.conf </dev/null >>redis.log 2>&1 &
  echo $! >redis.pid
  cd "$root"
  for _ in $(seq 600); do
    redis_cli ping >/dev/null 2>&1 && return
    sleep 0.1
  done
  fail "Redis did not start: $(tail -3 "$folder/redis/redis.log")"
}

# The password goes by the environment, never on the command line.
redis_cli() { REDISCLI_AUTH=$QUICKSTART_PASSWORD redis-cli -e -p "$port" "$@"; }

fill_redis() {
  redis_cli set quickstart:schema 1 >/dev/null
  redis_cli eval "for i = 2, tonumber(ARGV[1]) do redis.call('SET', 'user:' .. i, 'value of user ' .. i) end" 0 "$keys" >/dev/null
  echo "$(redis_cli dbsize) keys on port $port"
}

wreck_redis() {
  occurred=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  redis_cli flushall >/dev/null
  redis_cli shutdown save || true
  printf 'not what redis wrote' | dd of="$folder/redis/dump.rdb" bs=1 seek=20 conv=notrunc status=none
  (cd "$folder/redis" && timeout 20 redis-server redis.conf >>redis.log 2>&1) && fail "Redis started on a damaged file" || true
  grep -E "Unrecoverable|Wrong|error|Fatal|Terminating" "$folder/redis/redis.log" | tail -1 || true
}

clean_up() {
  local pid
  for name in redis scratch; do
    pid=$(cat "$folder/$name/redis.pid" 2>/dev/null || true)
    if [ -n "$pid" ] && [ "$(readlink "/proc/$pid/cwd" 2>/dev/null)" = "$folder/$name" ]; then
      kill "$pid" 2>/dev/null || true
      while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
    fi
  done
  if [ -n "${KEEP:-}" ]; then echo "Kept: $folder"; else rm -rf "$folder"; fi
}

say() { printf '\n== %s\n' "$*"; }

fail() {
  echo "quickstart: $*" >&2
  exit 1
}

main
