#!/usr/bin/env bash
# Tokens a second of prefill and decode beside llama.cpp's, and beside what the machine allows (bench/README.md).
#   bench/cpu.sh [--rounds N] [--models "NAME ..."] [--threads "N ..."] [--prompt N] [--decode N] [--profile]
# --rounds   every measurement so many times, both programs in turns; medians count (default 3)
# --models   of smollm2-q4_1 1.1b-q4_0 1.1b-q8_0 1.1b-q4_k (default all)
# --threads  default "1 2", or "1" on one core
# --prompt, --decode   tokens (512 and 128)
# --profile  also where lockstep's time goes, by operation
# Prints a table, then "ratio NAME VALUE" lines: NAME a measurement, VALUE ours over llama.cpp's; and decode_read_NAME, the share of a plain memory read that
# decoding reaches. Writes 2.4 GB to build/cpu/. About 40 minutes on 2 cores with the 8 of building llama.cpp the first time.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/devnet/setup/lib.sh"
. "$root/devnet/env.sh"
cd "$root"
. bench/models.sh

rounds=3 models=$all_models prompt=512 decode=128 profile=
threads=1
[ "$(nproc)" = 1 ] || threads="1 2"
while [ $# -gt 0 ]; do
  if [ "$1" = --profile ]; then
    profile=1
    shift
    continue
  fi
  [ $# -gt 1 ] || die "$1 needs a value, or is no option; see bench/cpu.sh"
  case $1 in
    --rounds) rounds=$2 ;;
    --models) models=$2 ;;
    --threads) threads=$2 ;;
    --prompt) prompt=$2 ;;
    --decode) decode=$2 ;;
    *) die "unknown option '$1'" ;;
  esac
  shift 2
done
work=build/cpu

build_ours() { cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release && ninja -C build bench_speed bench_limits bench_profile; }

quietly() { "$@" 2>"$work/err" || { cat "$work/err" >&2; exit 1; }; }

for model in $models; do file_of "$model" >/dev/null; done
"$root/devnet/setup.sh" debian tools model bench
bench/peer.sh
mkdir -p "$work"
run cpu-build "building lockstep" build_ours
for model in $models; do make_model "$model"; done
load=$(cut -d' ' -f1 /proc/loadavg)
awk "BEGIN {exit !($load > 0.5)}" && say "note: other programs are running (load $load): llama.cpp, whose threads wait for each other at every operation, suffers most from them"

# Files of results: NAME.THREADS.ours has the blocks of bench_speed, NAME.THREADS.peer the lines of llama-bench, NAME.THREADS.limits those of bench_limits.
for model in $models; do rm -f "$work/$model".*.ours "$work/$model".*.peer "$work/$model".*.limits; done
for round in $(seq "$rounds"); do
  for model in $models; do
    file=$(file_of "$model")
    for j in $threads; do
      say "round $round of $rounds: $model, threads: $j"
      quietly build/bench_speed "$file" "$j" "$prompt" "$decode" >>"$work/$model.$j.ours"
      quietly build/peer/build/bin/llama-bench -m "$file" -t "$j" -p "$prompt" -n "$decode" -r 1 -o jsonl >>"$work/$model.$j.peer"
      quietly build/bench_limits "$j" "$(stat -Lc %s "$file")" >>"$work/$model.$j.limits"
    done
  done
done
python3 bench/cpu_table.py "$work" "$prompt" "$decode" "$models" "$threads"
[ -n "$profile" ] || exit 0
for model in $models; do
  for j in $threads; do
    printf '\n%s, threads: %s\n' "$model" "$j"
    quietly build/bench_profile "$(file_of "$model")" "$j" "$prompt" "$decode"
  done
done
