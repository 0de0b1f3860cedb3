#!/usr/bin/env bash
# Builds the peer, llama.cpp v0.5.0, into build/peer/bin: llama-perplexity, llama-bench and llama-tokenize.
#   bench/peer.sh
# The source is the git bundle inside the npm package node-llama-cpp; its sha256 is pinned. About 4 minutes on 2 cores.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/devnet/setup/lib.sh"
. "$root/devnet/env.sh"

package=node-llama-cpp@3.22.1
sum=a0d9dd80eacd2ab1cfe71aee57ac8a806487fd70b3d2a38fbec637752d9e5c5f
dir=$root/build/peer
programs=(llama-perplexity llama-bench llama-tokenize)

fetch_source() (
  set -e
  rm -rf "$dir/fetch" "$dir/source"
  mkdir -p "$dir/fetch"
  cd "$dir/fetch"
  npm pack "$package"
  echo "$sum  node-llama-cpp-${package##*@}.tgz" | sha256sum --check
  tar -xzf node-llama-cpp-*.tgz package/llama/gitRelease.bundle
  git clone -q package/llama/gitRelease.bundle "$dir/fetch/source"
  mv "$dir/fetch/source" "$dir/source"
  rm -rf "$dir/fetch"
)

# Every instruction set of this machine that llama.cpp knows. Named one by one: its own choice (GGML_NATIVE) has no place for the repair of AMX.
cpu_options() {
  local pair flags
  flags=" $(grep -m 1 '^flags' /proc/cpuinfo || true) "
  for pair in AVX2:avx2 FMA:fma F16C:f16c BMI2:bmi2 AVX_VNNI:avx_vnni AVX512:avx512vl AVX512_VNNI:avx512_vnni AVX512_VBMI:avx512_vbmi \
    AVX512_BF16:avx512_bf16 AMX_TILE:amx_tile AMX_INT8:amx_int8 AMX_BF16:amx_bf16; do
    case $flags in *" ${pair#*:} "*) echo "-DGGML_${pair%:*}=ON" ;; *) echo "-DGGML_${pair%:*}=OFF" ;; esac
  done
  case $flags in *" amx_tile "*) echo "-DCMAKE_CXX_FLAGS=-include$root/bench/peer_amx.h" ;; esac
}

build() {
  cmake -S "$dir/source" -B "$dir/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF -DGGML_NATIVE=OFF \
    -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_SERVER=OFF -DLLAMA_BUILD_APP=OFF -DLLAMA_OPENSSL=OFF \
    "${options[@]}" && nice -n 15 ninja -C "$dir/build" -j "$(nproc)" "${programs[@]}"
}

mapfile -t options < <(cpu_options)
is_stamped "$dir/stamp" "${options[*]}" || todo=1
for program in "${programs[@]}"; do
  [ -x "$dir/build/bin/$program" ] || todo=1
done
[ -n "${todo:-}" ] || exit 0
"$root/devnet/setup.sh" debian tools bench
[ -e "$dir/source" ] || run peer-source "fetching llama.cpp ($package, 240 MB)" fetch_source
run peer-build "building llama.cpp (4 minutes on 2 cores)" build
put_stamp "$dir/stamp" "${options[*]}"
