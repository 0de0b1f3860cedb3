#!/usr/bin/env python3
"""Writes tiny models of the Llama family as GGUF files, the same bytes everywhere, for tests and vectors.

  tiny_gguf.py --list            names, one a line
  tiny_gguf.py NAME OUT.gguf     one model
  tiny_gguf.py --all FOLDER      every model as FOLDER/NAME.gguf

Weights are random, with scales that keep activations near 1; `wild` models also have zero, subnormal and huge scales and
gains, so that infinities and NaNs appear. The tokenizer is a minimal byte-level BPE.
"""

import os
import sys
from struct import pack

ALIGNMENT = 32
U32, FLOAT, STRING, ARRAY = 4, 6, 8, 9
I32 = 5
CONTROL, NORMAL = 3, 1

# ggml number, elements and bytes of a block
TYPES = {"Q4_0": (2, 32, 18), "Q4_1": (3, 32, 20), "Q5_0": (6, 32, 22), "Q5_1": (7, 32, 24), "Q8_0": (8, 32, 34),
         "Q4_K": (12, 256, 144), "Q5_K": (13, 256, 176), "Q6_K": (14, 256, 210)}

BASE = dict(layers=2, d=64, heads=4, kv=2, width=None, ffn=96, types=("Q4_0",), tied=True, bias=False, rot=None, base=10000.0,
            factors=False, linear=None, context=96, epsilon=1e-5, wild=False, scale=None, eos_extra=False)


def model(**options):
    return dict(BASE, **options)


# Each name is also the seed of its bytes.
MODELS = {
    "q4-0": model(),
    "q4-1": model(types=("Q4_1",), tied=False, base=100000.0),
    "q5-0": model(types=("Q5_0",), heads=2, kv=2),
    "q5-1": model(types=("Q5_1",), layers=1, bias=True),
    "q8-0": model(types=("Q8_0",), eos_extra=True, layers=3, d=96, heads=3, kv=1),
    "q4-k": model(types=("Q4_K",), layers=1, d=256, ffn=256, kv=1, bias=True),
    "q5-k": model(types=("Q5_K",), layers=1, d=256, ffn=256, heads=8, kv=4),
    "q6-k": model(types=("Q6_K",), layers=1, d=256, ffn=256, tied=False),
    "mixed": model(types=("Q4_K", "Q6_K", "Q8_0", "Q5_1", "Q4_0", "Q5_K"), layers=2, d=256, ffn=256, heads=4, kv=2,
                   rot=32),
    "head-80": model(types=("Q8_0", "Q4_1"), layers=2, d=160, heads=2, kv=1, width=80, rot=48, ffn=64),
    "head-256": model(types=("Q8_0", "Q5_0"), layers=1, d=64, heads=2, kv=1, width=256, ffn=64, scale=0.05),
    "head-2": model(types=("Q4_0",), layers=1, d=32, heads=16, kv=16, width=2, ffn=32, context=40000),
    "odd": model(types=("Q4_1", "Q8_0"), layers=1, d=288, heads=3, kv=3, width=96, ffn=352, epsilon=1e-6, tied=False),
    "factors": model(factors=True, base=500000.0, context=512),
    "linear": model(linear=4.0, rot=8, context=300),
    "wild": model(types=("Q8_0", "Q4_1"), wild=True, tied=False, bias=True),
    "wild-k": model(types=("Q6_K", "Q4_K"), wild=True, tied=False, layers=1, d=256, ffn=256),
}


class Random:
    """splitmix64 seeded by a name."""

    def __init__(self, name):
        self.state = 0
        for byte in name.encode():
            self.state = (self.state * 257 + byte + 1) % (1 << 64)

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) % (1 << 64)
        z = self.state
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % (1 << 64)
        z = (z ^ z >> 27) * 0x94D049BB133111EB % (1 << 64)
        return z ^ z >> 31

    def below(self, n):
        return self.next() % n

    def unit(self):
        """A multiple of 2^-23 in [-1, 1): exact in f32."""
        return (self.next() % (1 << 24) - (1 << 23)) / (1 << 23)

    def bytes(self, n):
        return b"".join(pack("<Q", self.next()) for _ in range(-(-n // 8)))[:n]


def half(x):
    return pack("<e", x)


# f16 bits that appear as scales in wild matrices: zeros, subnormals, the largest.
WILD_SCALES = (0x0000, 0x8000, 0x0001, 0x8003, 0x03FF, 0x7BFF, 0xFBFF)
TAME_SCALES = WILD_SCALES[:5]


def block(rng, kind, size, spread, wild):
    """One stored block whose values are about `spread` in size; wild: None or the scales to draw from at times."""
    def scale(unit):
        if wild and rng.below(4) == 0:
            return pack("<H", wild[rng.below(len(wild))])
        return half(spread * unit * (1 + rng.unit() / 2) * (-1 if rng.below(8) == 0 else 1))

    payload = rng.bytes(size)
    if kind in ("Q4_0", "Q5_0", "Q8_0"):
        return scale({"Q4_0": 1 / 5, "Q5_0": 1 / 9, "Q8_0": 1 / 70}[kind]) + payload[2:]
    if kind in ("Q4_1", "Q5_1"):
        return scale({"Q4_1": 1 / 5, "Q5_1": 1 / 9}[kind]) + scale(1.5) + payload[4:]
    if kind in ("Q4_K", "Q5_K"):
        return scale({"Q4_K": 1 / 200, "Q5_K": 1 / 400}[kind]) + scale(1 / 40) + payload[4:]
    return payload[:208] + scale(1 / 1500)


def string(s):
    data = s.encode() if isinstance(s, str) else s
    return pack("<Q", len(data)) + data


def byte_tokens():
    """GPT-2's printable character of every byte, in the order of the bytes' characters."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in plain]
    return [chr(b) for b in plain] + [chr(256 + i) for i in range(len(others))]


def tokenizer(options):
    """The tokenizer's metadata pairs and the number of tokens."""
    merges = [("t", "h"), ("th", "e"), ("i", "n"), ("\u0120", "a"), ("\u0120", "the")]
    tokens = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"] + byte_tokens() + [a + b for a, b in merges]
    kinds = [CONTROL] * 3 + [NORMAL] * (len(tokens) - 3)
    pairs = [
        ("tokenizer.ggml.model", STRING, string("gpt2")),
        ("tokenizer.ggml.pre", STRING, string("smollm")),
        ("tokenizer.ggml.tokens", ARRAY, pack("<IQ", STRING, len(tokens)) + b"".join(map(string, tokens))),
        ("tokenizer.ggml.token_type", ARRAY, pack("<IQ%di" % len(kinds), I32, len(kinds), *kinds)),
        ("tokenizer.ggml.merges", ARRAY,
         pack("<IQ", STRING, len(merges)) + b"".join(string(a + " " + b) for a, b in merges)),
        ("tokenizer.ggml.eos_token_id", U32, pack("<I", 2)),
    ]
    if options["eos_extra"]:
        pairs.append(("tokenizer.ggml.eot_token_id", U32, pack("<I", 0)))
        pairs.append(("tokenizer.ggml.eom_token_id", U32, pack("<I", 2)))
    return pairs, len(tokens)


def metadata(name, o):
    def u32(key, value):
        return (key, U32, pack("<I", value))

    def f32(key, value):
        return (key, FLOAT, pack("<f", value))

    pairs = [
        ("general.architecture", STRING, string("llama")),
        ("general.name", STRING, string("lockstep tiny " + name)),
        u32("llama.block_count", o["layers"]),
        u32("llama.context_length", o["context"]),
        u32("llama.embedding_length", o["d"]),
        u32("llama.feed_forward_length", o["ffn"]),
        u32("llama.attention.head_count", o["heads"]),
        f32("llama.attention.layer_norm_rms_epsilon", o["epsilon"]),
        f32("llama.rope.freq_base", o["base"]),
    ]
    if o["kv"] != o["heads"]:
        pairs.append(u32("llama.attention.head_count_kv", o["kv"]))
    if o["width"]:
        pairs += [u32("llama.attention.key_length", o["width"]), u32("llama.attention.value_length", o["width"])]
    if o["rot"]:
        pairs.append(u32("llama.rope.dimension_count", o["rot"]))
    if o["linear"]:
        pairs.append(("llama.rope.scaling.type", STRING, string("linear")))
        pairs.append(f32("llama.rope.scaling.factor", o["linear"]))
    if o["scale"]:
        pairs.append(f32("llama.attention.scale", o["scale"]))
    return pairs


class Tensors:
    """Collects tensors, drawing their bytes."""

    def __init__(self, rng, options):
        self.rng, self.options, self.list, self.drawn = rng, options, [], 0

    def matrix(self, name, rows, columns, wild=None):
        types = self.options["types"]
        kind = types[self.drawn % len(types)]
        self.drawn += 1
        number, elements, size = TYPES[kind]
        if columns % elements:
            raise SystemExit("%s: %d columns do not suit %s" % (name, columns, kind))
        spread = 2 / columns**0.5 if "embd" not in name else 1.0
        data = b"".join(block(self.rng, kind, size, spread, wild) for _ in range(rows * columns // elements))
        self.list.append((name, [columns, rows], number, data))

    def vector(self, name, values):
        self.list.append((name, [len(values)], 0, pack("<%df" % len(values), *values)))

    def linear(self, name, rows, columns, wild=None):
        self.matrix(name + ".weight", rows, columns, wild)
        if self.options["bias"]:
            self.vector(name + ".bias", [self.rng.unit() / 4 for _ in range(rows)])

    def gain(self, name, n, size=1.0):
        self.vector(name, [size * (1 + self.rng.unit() / 2) for _ in range(n)])


def tensors(name, o, vocab):
    rng = Random(name)
    t = Tensors(rng, o)
    d, width = o["d"], o["width"] or o["d"] // o["heads"]
    tame = TAME_SCALES if o["wild"] else None
    t.matrix("token_embd.weight", vocab, d, WILD_SCALES if o["wild"] else None)
    for layer in range(o["layers"]):
        p = "blk.%d." % layer
        t.gain(p + "attn_norm.weight", d)
        t.linear(p + "attn_q", o["heads"] * width, d, tame)
        t.linear(p + "attn_k", o["kv"] * width, d, tame)
        t.linear(p + "attn_v", o["kv"] * width, d, tame)
        t.linear(p + "attn_output", d, o["heads"] * width, tame)
        t.gain(p + "ffn_norm.weight", d)
        t.linear(p + "ffn_gate", o["ffn"], d, tame)
        t.linear(p + "ffn_up", o["ffn"], d, tame)
        t.linear(p + "ffn_down", d, o["ffn"], tame)
    # A gain of 2^120 makes some logits of a wild model overflow.
    t.gain("output_norm.weight", d, 2.0**120 if o["wild"] else 1.0)
    if not o["tied"]:
        t.matrix("output.weight", vocab, d, WILD_SCALES if o["wild"] else None)
    if o["factors"]:
        rot = o["rot"] or width
        t.vector("rope_freqs.weight", [1 + i * (1 + rng.unit()) / 2 for i in range(rot // 2)])
    return t.list


def gguf(name):
    """The bytes of the model's file."""
    o = MODELS[name]
    pairs, vocab = tokenizer(o)
    pairs = metadata(name, o) + pairs
    ts = tensors(name, o, vocab)
    out = bytearray(pack("<4sIQQ", b"GGUF", 3, len(ts), len(pairs)))
    for key, kind, value in pairs:
        out += string(key) + pack("<I", kind) + value
    offset = 0
    for tensor, dims, number, data in ts:
        out += string(tensor) + pack("<I%dQ" % len(dims), len(dims), *dims) + pack("<IQ", number, offset)
        offset += -(-len(data) // ALIGNMENT) * ALIGNMENT
    out += bytes(-len(out) % ALIGNMENT)
    for _, _, _, data in ts:
        out += data + bytes(-len(data) % ALIGNMENT)
    return bytes(out)


def write(name, path):
    with open(path, "wb") as f:
        f.write(gguf(name))


def main(args):
    if args == ["--list"]:
        print("\n".join(MODELS))
    elif len(args) == 2 and args[0] == "--all":
        os.makedirs(args[1], exist_ok=True)
        for name in MODELS:
            write(name, os.path.join(args[1], name + ".gguf"))
    elif len(args) == 2 and args[0] in MODELS:
        write(*args)
    else:
        sys.exit(__doc__ + "\nunknown arguments: " + " ".join(args))


if __name__ == "__main__":
    main(sys.argv[1:])
