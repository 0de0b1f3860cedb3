#!/usr/bin/env bash
# Tokens a second of `lockstep run` and of llama.cpp's llama-bench with SmolLM2, on one thread and on all: prompt of about 512 tokens, then 64 new tokens.
#   bench/speed.sh
# Prints "count NAME VALUE" and "ratio NAME VALUE" lines (ratio: lockstep over llama.cpp). The median of three runs each, taken in turns.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/devnet/setup/lib.sh"
. "$root/devnet/env.sh"
cd "$root"

model=models/SmolLM2-135M-Instruct.Q4_1.gguf
work=build/speed
"$root/devnet/setup.sh" debian tools model
bench/peer.sh
mkdir -p "$work"

build_ours() { cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release && ninja -C build lockstep; }
run speed-build "building lockstep" build_ours

head -c 2100 bench/texts/austen-persuasion.txt >"$work/prompt"
threads=(1)
[ "$(nproc)" = 1 ] || threads+=("$(nproc)")
for j in "${threads[@]}"; do
  rm -f "$work/ours.$j" "$work/peer.$j"
  for _ in 1 2 3; do
    build/lockstep run -m "$model" -j "$j" -n 64 --greedy --raw --json "$(cat "$work/prompt")" >>"$work/ours.$j" 2>"$work/err" || { cat "$work/err" >&2; exit 1; }
    build/peer/build/bin/llama-bench -m "$model" -t "$j" -p 512 -n 64 -r 1 -o jsonl >>"$work/peer.$j" 2>"$work/err" || { cat "$work/err" >&2; exit 1; }
  done
  python3 - "$j" "$work/ours.$j" "$work/peer.$j" <<'PY'
import json, statistics, sys
threads, ours, peer = sys.argv[1], *([json.loads(line) for line in open(path)] for path in sys.argv[2:])
figures = {
    "decode": ([r["tokensPerSecond"] for r in ours], [r["avg_ts"] for r in peer if r["n_gen"]]),
    "prefill": ([len(r["promptTokens"]) / r["promptSeconds"] for r in ours], [r["avg_ts"] for r in peer if r["n_prompt"]]),
}
for name, (a, b) in figures.items():
    a, b = statistics.median(a), statistics.median(b)
    print(f"count {name}_tokens_per_second_lockstep_{threads} {a:.2f}")
    print(f"count {name}_tokens_per_second_llamacpp_{threads} {b:.2f}")
    print(f"ratio {name}_{threads} {a / b:.3f}")
PY
done
