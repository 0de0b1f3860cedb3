#!/usr/bin/env python3
"""Writes tests/vectors/ with the second implementation.

  make_vectors.py [TEXT]     the files whose name contains TEXT; all without it (minutes)

Nothing here knows the C code: vectors are what docs/SPEC.md says.
"""

import json
import os
import sys

import cases_ops as co
import cases_rest as cr
import cases_scalars as cs
import cases_units as cu
import tiny_gguf
from lockstep_spec import trees
from lockstep_spec.answer import Policy, Run
from lockstep_spec.f32 import from_float
from lockstep_spec.keccak import keccak256
from lockstep_spec.model import Model

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vectors")

WITNESS = "a witness, and what IStepVerifier.isWrong says of it (`expected`): right, wrong, or its error; "

# File, what a case is, function.
FILES = [
    ("scalars/exp32.json", "output_i = exp32(input_i); sampled_fnv: FNV-64 over exp32 of 0, stride, 2 stride, ... below 2^32", cs.exp32),
    ("scalars/log32.json", "as exp32.json", cs.log32),
    ("scalars/arithmetic.json", "output_i = op(a_i, b_i, c_i) in f32", cs.arithmetic),
    ("scalars/order.json", "f32 values, each below the next in the order of section 2", cs.order),
    ("scalars/rint.json", "output_i (i32) = input_i (f32) rounded, ties to even", cs.rint),
    ("scalars/f16.json", "output_i (f32) = input_i (f16); all_fnv: FNV-64 over the f32 of 0 to 65535", cs.f16),
    ("scalars/philox.json", "Philox4x32-10; the first three are Random123's known answers", cs.philox),
    ("blocks/a8.json", "q, d, idx: the A8 block of x", co.a8),
    ("blocks/weights.json",
     "row: stored bytes; q of every element, w and n of every sub-block (n empty: no offset), values: as EMBED gives them", co.weights),
    ("blocks/import.json", "block: the Q8_0 block of the 32 values x, or refused", co.imports),
    ("ops/embed.json", "output: a row for each id", co.embed),
    ("ops/linear.json", "q, d: an A8 row of blocks of 64; output: LINEAR with the matrix, and with bias where there is one", co.linear),
    ("ops/rms.json", "output: the segments' sums, then r", co.rms),
    ("ops/norm_q.json", "q, d, idx: NORM_Q in blocks of 64", co.norm_q),
    ("ops/quant.json", "q, d, idx: the A8 row of x in blocks of `block`", co.quant),
    ("ops/rope.json", "table: the row of the position; output: ROPE of the heads of x", co.rope),
    ("ops/silu_mul.json", "output_i = silu(gate_i) * up_i", co.silu_mul),
    ("ops/add.json", "output_i = x_i + y_i, canonical", co.add),
    ("ops/attn.json", "one head: rows of q, k, v with their scales dq, dk, dv; output: the head's part of the row", co.attn),
    ("rope/rows.json", "rows: the rows of the RoPE table at the positions, one after the other", cr.rope_rows),
    ("sampling/sample.json", "max, index: SAMPLE's row; token: the token chosen at the position", cr.sampling),
    ("sampling/gumbel.json", "value: gumbel of the token", cr.gumbels),
    ("trees/keccak.json", "hash of the first `length` bytes of the pattern with seed 0", cr.keccaks),
    ("trees/items.json", "root of an item whose rows are the pattern with the seed, cut", cr.tree_items),
    ("trees/heads.json",
     "root of a trace item of kind 2; head h's row of position t is piece h * positions + t of the pattern with seed 0", cr.tree_heads),
    ("trees/tops.json", "root above item roots keccak(byte i), i from 0", cr.tree_tops),
    ("trees/token_hash.json", "hash of the tokens i * 7919 mod 49152", cr.token_hashes),
    ("units/llama.json", WITNESS + "the operations of the Llama family", cu.llama),
    ("units/others.json", WITNESS + "the other operations", cu.others),
    ("units/types.json", WITNESS + "every storage type", cu.types),
    ("units/special.json", WITNESS + "NaNs, infinities, subnormals; head widths of 80 and 256", cu.special),
    ("units/partials.json", WITNESS + "attention partials", cu.partials),
    ("units/tokens.json", WITNESS + "tokens of the answer", cu.tokens),
    ("units/unlisted.json", WITNESS + "tokens in and outside allowed lists", cu.unlisted),
    ("units/refused.json", WITNESS + "what is no witness", cu.refused),
]

GREEDY = dict(temperature=0, min_p=0, seed=0, allowed=None)
WARM = dict(temperature=0.9, min_p=0.05, seed=0x0123456789ABCDEF, allowed=None)
VERDICT = dict(temperature=0, min_p=0, seed=0, allowed=[7, 70, 71, 200])

# Beyond a greedy answer of four tokens to five: model -> (tokens of the prompt, tokens at most, policy).
MORE_RUNS = {
    "q4-0": [(37, 6, WARM), (3, 1, VERDICT)],
    "q5-0": [(1, 1, GREEDY), (2, 5, dict(WARM, min_p=0))],
    "q8-0": [(4, 2, dict(WARM, allowed=[0, 2, 50, 51, 263]))],
    "head-80": [(30, 4, WARM)],
    "head-256": [(33, 1, GREEDY)],
    "factors": [(40, 2, WARM)],
    "wild": [(9, 4, WARM), (1, 2, VERDICT)],
    "wild-k": [(3, 3, WARM)],
}
DESCRIPTORS_OF = ("q5-1", "head-80")


def prompt_of(name, count):
    rng = tiny_gguf.Random(name + " prompt %d" % count)
    return [rng.below(264) for _ in range(count)]


def hexadecimal(v):
    return "0x" + v.hex() if isinstance(v, bytes) else v


def model_file(name):
    """The commitment of a tiny model, with the parts that it is made of."""
    file = tiny_gguf.gguf(name)
    model = Model(file)
    commitment = {k: hexadecimal(v) for k, v in trees.commitment(model).items()}
    roots = trees.weights_root(model)[1]
    case = {"model": name, "fileSize": len(file), "fileKeccak": hexadecimal(keccak256(file)), **commitment,
            "tensors": [{"name": t.name, "root": hexadecimal(r)} for t, r in zip(model.tensors, roots)]}
    if name in DESCRIPTORS_OF:
        case["descriptors"] = [hexadecimal(d) for d in model.program()]
    return [case]


def run_file(name):
    """Answers of a tiny model: tokens, the root of every operation's item, the trace root."""
    model = Model(tiny_gguf.gguf(name))
    cases = []
    for length, most, policy in [(5, 4, GREEDY)] + MORE_RUNS.get(name, []):
        temperature, min_p = from_float(policy["temperature"]), from_float(policy["min_p"])
        run = Run(model)
        prompt = prompt_of(name, length)
        answer = run.generate(prompt, Policy(temperature, min_p, policy["seed"], policy["allowed"]), most, trees.eos_ids(model))
        roots, top = run.roots()
        case = {"prompt": prompt, "temperature": "0x%08x" % temperature, "minP": "0x%08x" % min_p, "seed": "0x%016x" % policy["seed"],
                "maxTokens": most, "answer": answer, "tokensHash": hexadecimal(trees.token_hash(answer)),
                "traceRoot": hexadecimal(top), "roots": [hexadecimal(r) for r in roots]}
        if policy["allowed"]:
            case["allowed"] = policy["allowed"]
        cases.append(case)
    return cases


def all_files():
    files = list(FILES)
    for name in tiny_gguf.MODELS:
        files.append(("models/%s.json" % name, "the commitment of tiny_gguf.py's model; tensors in the program's order",
                      lambda n=name: model_file(n)))
        files.append(("runs/%s.json" % name, "prompt, policy (f32 bits), answer, root of every operation's item in the trace, trace root",
                      lambda n=name: run_file(n)))
    return files


def text(about, cases):
    """One case a line."""
    return '{"about": %s,\n"cases": [\n%s\n]}\n' % (json.dumps(about), ",\n".join(json.dumps(c) for c in cases))


def main(args):
    if len(args) > 1 or (args and args[0].startswith("-")):
        sys.exit(__doc__)
    for name, about, cases in all_files():
        if args and args[0] not in name:
            continue
        path = os.path.join(FOLDER, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text(about, cases()))
        print(name, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
