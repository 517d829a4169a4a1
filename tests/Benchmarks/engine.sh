#!/usr/bin/env bash
# Speed of the engine as ratios against peers in the same run: engine.sh [RUNS]   Results go to stdout as Markdown.
# Needs: hyperfine, ansible-core (Debian). Publishes helix once (self-contained, ReadyToRun).
set -euo pipefail
cd "$(dirname "$0")/../.."
runs=${1:-5}
bash tests/install.sh hyperfine ansible-core jq >&2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HELIX_STORE=$work/helix.db ANSIBLE_LOCALHOST_WARNING=False ANSIBLE_NOCOWS=1 DOTNET_TieredPGO=0
dotnet publish engine/Helix.Cli -c Release -r linux-x64 --self-contained -o "$work/publish" -v q -nologo >&2
helix=$work/publish/helix
mkdir "$work/hello"
cat > "$work/hello/hello.csproj" <<X
<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><PublishReadyToRun>true</PublishReadyToRun><InvariantGlobalization>true</InvariantGlobalization></PropertyGroup></Project>
X
echo 'System.Console.WriteLine("hello");' > "$work/hello/p.cs"
dotnet publish "$work/hello" -c Release -r linux-x64 --self-contained -o "$work/hello/out" -v q -nologo >&2

steps() { # steps NAME N: a runbook of N no-op commands
  printf 'apiVersion: helix.runbooks/v1\nname: %s\ntitle: Many steps\nsteps:\n' "$1"
  for i in $(seq "$2"); do printf '  - { id: s%d, uses: command.run, effect: reads, with: { argv: ["true"] } }\n' "$i"; done
}
printf 'apiVersion: helix.runbooks/v1\nname: bench\ntargets: {}\n' > "$work/bench.yaml"
for n in 200 500 1000 10000; do steps "n$n" "$n" > "$work/n$n.yaml"; done
{
  echo 'set -e'
  for _ in $(seq 200); do echo "true; echo a >> $work/log; sync -d $work/log; echo b >> $work/log; sync -d $work/log"; done
} > "$work/steps.sh"
sed -i 's/^true;/\/usr\/bin\/true;/' "$work/steps.sh"
{
  printf -- '- hosts: localhost\n  connection: local\n  gather_facts: false\n  tasks:\n'
  for _ in $(seq 200); do printf '    - command: "true"\n'; done
} > "$work/play.yml"

mean() { jq -r '.results[0].mean' "$1"; }
time_of() { hyperfine -N -w 1 -r "$2" --export-json "$work/$1.json" "${@:3}" >/dev/null 2>&1; mean "$work/$1.json"; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }
run() { echo "$helix run $work/$1.yaml --environment $work/bench.yaml --unattended --quiet"; }

h200=$(time_of h200 "$runs" "$(run n200)")
bash200=$(time_of bash200 "$runs" "bash $work/steps.sh")
ansible200=$(time_of ansible200 1 "ansible-playbook $work/play.yml")
validate=$(time_of validate "$runs" "$helix validate $work/n500.yaml")
hello=$(time_of hello "$runs" "$work/hello/out/hello")
version=$(time_of version "$runs" "$helix --version")

peak() { /usr/bin/env bash -c 'command time -f "%e %M" "$@" 2>&1 >/dev/null | tail -1' _ "$@"; }
bash tests/install.sh time >&2
read -r s1000 m1000 <<<"$(peak $(run n1000))"
read -r s10000 m10000 <<<"$(peak $(run n10000))"

echo "Machine: $(nproc) cores, $(awk -F: '/model name/ {print $2; exit}' /proc/cpuinfo | xargs), $(free -g | awk '/Mem/ {print $2}') GiB; $(date +%F)"
echo
echo "| what | helix | peer | ratio | bar |"
echo "| --- | --- | --- | --- | --- |"
printf '| 200 durable no-op steps, against bash with two fsyncs each | %.2f s | %.2f s | %s | 2 |\n' "$h200" "$bash200" "$(ratio "$h200" "$bash200")"
printf '| the same against ansible-playbook | %.2f s | %.2f s | 1/%s | 1/50 |\n' "$h200" "$ansible200" "$(ratio "$ansible200" "$h200")"
printf '| `helix validate`, 500 steps, against hello world | %.3f s | %.3f s | %s | 1.5 × peer + 0.150 s = %.3f s |\n' "$validate" "$hello" "$(ratio "$validate" "$hello")" "$(awk -v h="$hello" 'BEGIN { print h * 1.5 + 0.15 }')"
printf '| `helix --version`, against hello world | %.3f s | %.3f s | %s | |\n' "$version" "$hello" "$(ratio "$version" "$hello")"
printf '| run of 10,000 steps, against 1,000 steps | %s s, %s MiB | %s s, %s MiB | %s | 10 (linear) |\n' "$s10000" $((m10000 / 1024)) "$s1000" $((m1000 / 1024)) "$(ratio "$s10000" "$s1000")"
