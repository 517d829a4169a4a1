#!/usr/bin/env bash
# Installs Debian packages that are missing: install.sh PACKAGE...   Needs root or sudo; says so otherwise.
set -euo pipefail
missing=()
for package in "$@"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "These Debian packages are missing: ${missing[*]}. Hint: install them as root, or install sudo." >&2; exit 2; }
  as_root=(sudo)
fi
command -v apt-get >/dev/null || { echo "These packages are missing and this is no Debian: ${missing[*]}. Hint: install them by hand." >&2; exit 2; }
echo "Installing ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get -o DPkg::Lock::Timeout=300 update -qq >&2
# A server package must not start its service: the tests start their own, on free ports.
policy=/usr/sbin/policy-rc.d
made=
if [ ! -e $policy ]; then
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $policy >/dev/null
  "${as_root[@]}" chmod +x $policy
  made=1
fi
"${as_root[@]}" apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "${missing[@]}" >/dev/null || { [ -n "$made" ] && "${as_root[@]}" rm -f $policy; exit 1; }
[ -z "$made" ] || "${as_root[@]}" rm -f $policy
