#!/usr/bin/env bash
# The same bytes from `lockstep run`, and the same hash of every operation's tensor (which make up the trace's root), for prefill batches of 1, 7 and 512, one
# to three threads, gcc -O3 and -O0 and clang -O2, and every instruction set of this machine.
#   bits.sh [TOKENS [all]]      default 16; all: gcc and clang with -O0, -O2 and -O3 each, every instruction set with all of them
# Uses models/SmolLM2-135M-Instruct.Q4_1.gguf; gcc -O3 is the build in build/, the others are made under build/bits/.
set -euo pipefail
cd "$(dirname "$0")/../.."
tokens=${1:-16} all=${2:-}
model=models/SmolLM2-135M-Instruct.Q4_1.gguf
prompt="The sky looks blue because sunlight is scattered by the air, and the shorter waves of"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
[ -e "$model" ] || { echo "no $model: run devnet/setup.sh model"; exit 1; }

# answer BUILD OPTIONS...: the answer's token ids and the hashes of the trace
answer() { "$1/lockstep" run -m "$model" -n "$tokens" --greedy --raw --json --trace "${@:2}" "$prompt" 2>"$out/err"; }
essence() { python3 -c '
import json, sys
answer = json.load(sys.stdin)
print(answer["tokens"], answer["trace"])
assert len(answer["tokens"]) > 1 and len(answer["trace"]) > 300
'; }

# The instruction sets of this machine: of the names in the refusal of a wrong one, those that are not refused.
levels=()
find_levels() {
  local name names
  names=$(LOCKSTEP_CPU=none answer "$1" 2>&1 || cat "$out/err")
  names=$(sed -n 's/.*: use \(.*\), or unset it.*/\1/p' <<<"$names" | tr -s ', ' '\n\n' | grep -vx or)
  for name in $names; do
    if LOCKSTEP_CPU=$name "$1/lockstep" run -m "$model" -n 1 -q --raw x >/dev/null 2>"$out/err"; then
      levels+=("$name")
    else
      grep -q 'LOCKSTEP_CPU names no instruction set' "$out/err" || { cat "$out/err"; exit 1; }
    fi
  done
  echo "instruction sets: ${levels[*]}"
  [ ${#levels[@]} -ge $((1 + $(grep -om1 -w avx2 /proc/cpuinfo | wc -l) + $(grep -om1 -w avx512_vnni /proc/cpuinfo | wc -l))) ] || exit 1
}

combinations=0
same() { # same NAME BUILD OPTIONS...
  { answer "${@:2}" || { cat "$out/err" >&2; exit 1; }; } | essence >"$out/this"
  if [ ! -e "$out/first" ]; then mv "$out/this" "$out/first"; else cmp "$out/first" "$out/this" || { echo "$1 differs"; exit 1; }; fi
  combinations=$((combinations + 1))
  echo "same: $1"
}

builds="gcc-O3 clang-O2 gcc-O0"
[ -z "$all" ] || builds="gcc-O3 gcc-O2 gcc-O0 clang-O3 clang-O2 clang-O0"
for name in $builds; do
  compiler=${name%-O*} level=${name#*-O}
  if [ $name = gcc-O3 ]; then
    build=build
    cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release >/dev/null
  else
    build=build/bits/$name
    cmake -S . -B "$build" -G Ninja -DCMAKE_C_COMPILER=$compiler -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_FLAGS_RELEASE=-O$level -DLKS_TESTS=OFF >/dev/null
  fi
  ninja -C "$build" lockstep >"$out/log" 2>&1 || { tail -n 30 "$out/log"; exit 1; }
  [ ${#levels[@]} -gt 0 ] || find_levels "$build"
  same "$compiler -O$level -j 2, batch 512" "$build" -j 2 --batch 512
  if [ $level = 3 ]; then
    for batch in 1 7 512; do same "$compiler -O3 -j 1, batch $batch" "$build" -j 1 --batch $batch; done
    for batch in 1 7; do same "$compiler -O3 -j 3, batch $batch" "$build" -j 3 --batch $batch; done
  fi
  if [ $level != 0 ] || [ -n "$all" ]; then
    for cpu in "${levels[@]}"; do LOCKSTEP_CPU=$cpu same "$compiler -O$level, $cpu" "$build" -j 2; done
  fi
done
cut -c1-200 "$out/first"
echo "count identical_runs $combinations"
