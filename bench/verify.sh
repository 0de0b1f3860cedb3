#!/usr/bin/env bash
# What verifying an answer of SmolLM2 costs: size of its trace, rate of its hashing, time of a check (bench/README.md).
#   bench/verify.sh [PROMPT ANSWER]     tokens of the prompt and of the answer (64 and 64)
# Prints "count NAME VALUE" and "ratio NAME VALUE" lines; exit status 1 when a bound is missed.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/devnet/setup/lib.sh"
. "$root/devnet/env.sh"
cd "$root"

model=models/SmolLM2-135M-Instruct.Q4_1.gguf
"$root/devnet/setup.sh" debian tools model

build_bench() { cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release && ninja -C build bench_verify; }
run verify-build "building bench_verify" build_bench

build/bench_verify "$model" bench/texts/austen-persuasion.txt "${1:-64}" "${2:-64}" 15
