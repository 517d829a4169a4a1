#!/usr/bin/env bash
# Everything that must hold: formatting, warnings, schema, the shipped runbooks, all tests. Leaves nothing running.
# Ends with one line: N passed, N failed, N skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
# The tests start some thousand short processes of .NET: without what serves long ones each costs half as much.
export DOTNET_EnableWriteXorExecute=0 DOTNET_TieredPGO=0 DOTNET_gcConcurrent=0 DOTNET_TC_BackgroundWorkerTimeoutMs=0
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 MSBUILDDISABLENODEREUSE=1 MSBUILDTERMINALLOGGER=off

command -v dotnet >/dev/null || { echo "The .NET 10 SDK is missing. Hint: https://dotnet.microsoft.com/download, or your distribution's dotnet-sdk-10.0." >&2; exit 2; }
bash tests/install.sh git procps openssh-client openssh-server iproute2 iptables postgresql redis-server redis-sentinel docker.io docker-compose busybox-static ceph-mon ceph-osd ceph-common radosgw chromium nginx-light prometheus-alertmanager
# The same browser without its desktop, where this Debian has it: pages take half the time.
bash tests/install.sh chromium-headless-shell || echo "Going on with chromium." >&2
# For the real, old Neo4j, which a test fetches from npm; either may be here from elsewhere.
command -v java >/dev/null || bash tests/install.sh openjdk-17-jre-headless
command -v npm >/dev/null || bash tests/install.sh npm

passed=0 failed=0 skipped=0
check() { # check NAME COMMAND...: one thing that holds or does not
  local name=$1 log
  shift
  log=$(mktemp)
  if "$@" >"$log" 2>&1; then
    passed=$((passed + 1))
    echo "ok      $name"
  else
    failed=$((failed + 1))
    echo "FAILED  $name"
    tail -40 "$log"
  fi
  rm -f "$log"
}
finish() {
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" -eq 0 ]
}

# As users have it. One compiler for all projects, which ends with this: that takes half of what a fresh one for each takes.
compiler=helix-tests-$$
build="-nologo -v q -c Release -p:UseSharedCompilation=true -p:SharedCompilationId=$compiler"
end_compiler() { pkill -f -- "-pipename:$compiler" || true; }
trap end_compiler EXIT
check "builds without a warning" dotnet build Helix.Runbooks.sln $build
[ "$failed" -eq 0 ] || { finish; exit 1; }
# What the tests start as processes, compiled as users have it: a start costs a third of what it costs from the build.
export HELIX_TEST_PROGRAMS=$PWD/out/programs
rm -rf out/programs
check "what tests start is published" dotnet publish tests/FakeTool $build --use-current-runtime --no-self-contained -p:PublishReadyToRun=true -p:RunAnalyzers=false -p:EnforceCodeStyleInBuild=false -o out/programs
[ "$failed" -eq 0 ] || { finish; exit 1; }
helix=out/programs/helix
end_compiler
check "code is formatted" dotnet format whitespace Helix.Runbooks.sln --verify-no-changes --no-restore
check "schema is that of the types" $helix schema --check
check "shipped runbooks are valid" $helix validate runbooks
check "shipped runbooks do what their scenarios say" $helix simulate runbooks --coverage

# Much of both projects is waiting, so they run side by side, each in a shell of its own. What holds within seconds on a machine that has the time for it comes after them, alone.
out=$(mktemp -d) beside=
trap '[ -z "$beside" ] || kill "$beside" 2>/dev/null; rm -rf "$out"' EXIT
tests() { exec "tests/$1/bin/Release/net10.0/$1" -noColor "${@:2}" ${TESTS:-}; }
count() { # count OUTPUT STATUS: its totals go into the last line
  local line bad
  line=$(grep -E 'Total: [0-9]+, Errors: [0-9]+' "$out/$1" | tail -1) || true # who ended without one has failed, and the last line is said all the same
  number() { sed -nE "s/.*$1: ([0-9]+).*/\1/p" <<<"$line"; }
  if [ -z "$line" ]; then
    failed=$((failed + 1))
    return
  fi
  bad=$(($(number Failed) + $(number Errors)))
  [ "$bad" -gt 0 ] || [ "$2" -eq 0 ] || bad=1
  passed=$((passed + $(number Total) - $(number Failed) - $(number Skipped) - $(number 'Not Run')))
  failed=$((failed + bad))
  skipped=$((skipped + $(number Skipped)))
}
tests Helix.Server.Tests -maxThreads 2 -trait- timed=alone >"$out/server" 2>&1 &
beside=$!
status=0
tests Helix.Runbooks.Tests -maxThreads 4 -trait- timed=alone 2>&1 | tee "$out/engine" || status=$?
count engine "$status"
status=0
wait "$beside" || status=$?
beside=
cat "$out/server"
count server "$status"
for project in Helix.Server.Tests Helix.Runbooks.Tests; do
  status=0
  tests $project -maxThreads 1 -trait timed=alone 2>&1 | tee "$out/timed" || status=$?
  count timed "$status"
done
finish
