#!/usr/bin/env bash
# Load and endurance of `helix serve`: server.sh   Results go to stdout as lines of a Markdown table.
# WAITING runs that wait (10000), TOGETHER runs at once (200), VIEWERS of one run (100), MINUTES of endurance (20). HELIX names a published helix.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -z "${HELIX:-}" ]; then
  dotnet publish engine/Helix.Cli -c Release -r linux-x64 --self-contained -o "$work/publish" -v q -nologo >&2
  HELIX=$work/publish/helix
fi
dotnet build tests/Benchmarks/ServerLoad -c Release -v q -nologo -clp:NoSummary >&2
echo "Machine: $(nproc) cores, $(awk -F: '/model name/ {print $2; exit}' /proc/cpuinfo | xargs), $(free -g | awk '/Mem/ {print $2}') GiB; $(date +%F); load before $(cut -d' ' -f1-3 /proc/loadavg)"
echo
echo "| what | measured |"
echo "| --- | --- |"
tests/Benchmarks/ServerLoad/bin/Release/net10.0/ServerLoad "$HELIX" "$work/here" "${WAITING:-10000}" "${TOGETHER:-200}" "${VIEWERS:-100}" "${MINUTES:-20}"
echo
echo "Load after: $(cut -d' ' -f1-3 /proc/loadavg)"
