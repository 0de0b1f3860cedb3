#!/usr/bin/env bash
# What serving and verifying cost beside the arithmetic: loading, memory, the plugin; the size of a trace, its hashing, a check (bench/README.md).
#   bench/verify.sh [PROMPT ANSWER]     tokens of the prompt and of the answer whose trace is made (42, the devnet's question in the chat template, and 64)
# With SmolLM2, and the trace with the 1.1B-shaped model of bench/cpu.sh in Q4_0 too. Prints "count NAME VALUE" and "ratio NAME VALUE" lines, those of the larger
# model with _1.1b behind the name, those of other prompts, which have no bounds, with their length; exit status 1 when a bound is missed.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/devnet/setup/lib.sh"
. "$root/devnet/env.sh"
cd "$root"
. bench/models.sh

"$root/devnet/setup.sh" debian tools model bench

build_bench() { cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release && ninja -C build bench_verify bench_serve; }
run verify-build "building bench_verify and bench_serve" build_bench
make_model 1.1b-q4_0

rc=0
text=bench/texts/austen-persuasion.txt
build/bench_serve "$(file_of smollm2-q4_1)" 15 || rc=1
build/bench_verify "$(file_of smollm2-q4_1)" $text "${1:-42}" "${2:-64}" 15 1.25 1 || rc=1
for prompt in 8 128 512; do
  (build/bench_verify "$(file_of smollm2-q4_1)" $text $prompt "${2:-64}" 5 9 0 || true) | # a missed bound does not count here, a missing line does
    sed -nE "s/^(ratio check_over_generation|ratio trace_over_rerun) /\1_$prompt /p" | grep . || rc=1
done
build/bench_verify "$(file_of 1.1b-q4_0)" $text "${1:-42}" "${2:-64}" 5 1.10 0 | sed -E 's/^((count|ratio) [^ ]*)/\1_1.1b/' || rc=1
[ $rc = 0 ] || echo "verify: a bound was missed" >&2
exit $rc
