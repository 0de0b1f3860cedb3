#!/usr/bin/env bash
# How near the answers come to the model as it was meant: perplexity beside llama.cpp's, and KL divergence from exact arithmetic.
#   bench/fidelity.sh
# Prints "count NAME VALUE" and "ratio NAME VALUE" lines; exit status 1 when a gate does not hold. Method: bench/README.md. Under 40 minutes on 2 cores.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/devnet/setup/lib.sh"
. "$root/devnet/env.sh"
cd "$root"

model=models/SmolLM2-135M-Instruct.Q4_1.gguf
work=build/fidelity
peer=build/peer/build/bin
python=.tools/venv/bin/python
max_kl=0.007        # nats, mean over the scored positions
max_ppl_change=0.005 # of llama.cpp's perplexity, either way

build_ours() { cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release && ninja -C build lockstep bench_logits; }

# Both tokenizers must agree on every text; then each text's whole windows go into tokens.bin.
make_windows() {
  local text name
  rm -f "$work"/*.ids
  for text in bench/texts/*.txt; do
    name=$(basename "$text" .txt)
    "$peer/llama-tokenize" -m "$model" -f "$text" --ids --log-disable | tr -cs '0-9' '\n' | sed '/^$/d' >"$work/$name.peer"
    build/lockstep tokenize -m "$model" <"$text" | sed '/^$/d' >"$work/$name.ids"
    cmp "$work/$name.peer" "$work/$name.ids"
  done
  "$python" - "$work"/*.ids "$work/tokens.bin" <<'PY'
import array, sys
ids = array.array("I")
for path in sys.argv[1:-1]:
    text = [int(line) for line in open(path)]
    windows = len(text) // 512
    print(path, len(text), "tokens", windows, "windows")
    ids.extend(text[:windows * 512])
if len(ids) < 30 * 512:
    sys.exit("fewer than 30 windows")
with open(sys.argv[-1], "wb") as out:
    ids.tofile(out)
PY
}

# The reference depends on nothing that changes often: it is kept until its inputs change.
make_reference() {
  local key
  key=$(cat "$work/tokens.bin" bench/reference.py bench/gguf.py .tools/stamp/model | sha256sum)
  is_stamped "$work/base.stamp" "$key" && return
  run fidelity-reference "exact reference" "$python" bench/reference.py "$model" "$work/tokens.bin" "$work/base.kld"
  put_stamp "$work/base.stamp" "$key"
}

score_peer() {
  "$peer/llama-perplexity" -m "$model" -c 512 -t "$(nproc)" --kl-divergence --kl-divergence-base "$work/base.kld" >"$work/peer.txt"
}

score_ours() { build/bench_logits "$model" "$work/tokens.bin" | "$python" bench/score.py "$work/base.kld" >"$work/ours.txt"; }

# field PATTERN: the first number after the colon in the peer's line that starts so.
field() { sed -n "s|^$1 *: *\([0-9.]*\).*|\1|p" "$work/peer.txt"; }

[ "$(uname -m)" = x86_64 ] || say "note: the peer's instruction set is chosen for x86-64"
"$root/devnet/setup.sh" debian tools model bench
bench/peer.sh
mkdir -p "$work"
run fidelity-build "building lockstep" build_ours
run fidelity-tokens "tokens of the texts" make_windows
make_reference
run fidelity-peer "llama.cpp" score_peer
run fidelity-ours "lockstep" score_ours

read -r windows ppl kl kl_error same ppl_exact <"$work/ours.txt"
"$python" - "$windows" "$ppl" "$kl" "$kl_error" "$same" "$ppl_exact" "$(field 'Mean PPL(Q)')" "$(field 'Mean PPL(base)')" "$(field 'Mean    KLD')" \
  "$(field 'Same top p')" "$max_kl" "$max_ppl_change" <<'PY'
import sys
windows, ppl, kl, kl_error, same, exact, peer_ppl, peer_exact, peer_kl, peer_same, max_kl, max_change = map(float, sys.argv[1:])
if abs(exact / peer_exact - 1) > 1e-4:
    sys.exit(f"the two scorers disagree about the reference's perplexity: {exact} and {peer_exact}")
print(f"count windows {windows:.0f}")
print(f"count ppl_exact {exact:.4f}")
print(f"count ppl_lockstep {ppl:.4f}")
print(f"count ppl_llamacpp {peer_ppl:.4f}")
print(f"ratio perplexity {ppl / peer_ppl:.5f}")
print(f"count kl_lockstep {kl:.6f}")
print(f"count kl_lockstep_error {kl_error:.6f}")
print(f"count kl_llamacpp {peer_kl:.6f}")
print(f"ratio kl {kl / peer_kl:.3f}")
print(f"count same_top_lockstep {100 * same:.2f}")
print(f"count same_top_llamacpp {peer_same:.2f}")
bad = []
if abs(ppl / peer_ppl - 1) > max_change:
    bad.append(f"perplexity differs from llama.cpp's by more than {max_change:.1%}")
if kl > max_kl:
    bad.append(f"KL divergence is over {max_kl}")
if bad:
    sys.exit("fidelity: failed: " + "; ".join(bad))
print("fidelity: ok")
PY
