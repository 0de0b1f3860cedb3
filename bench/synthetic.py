#!/usr/bin/env python3
"""Writes a model of TinyLlama's shape (1.1 thousand million weights) with random weights, for speed alone; its answers mean nothing.

  synthetic.py q4_0|q8_0|q4_k OUT.gguf

All matrices are of the one type. Scales keep activations near 1, so that no program meets infinities. The vocabulary is of the SentencePiece kind: <unk>,
<s>, </s>, the 256 bytes, then made-up words.
"""
import os
import struct
import sys

import numpy as np

LAYERS, WIDTH, FFN, HEADS, KV_HEADS, VOCABULARY, CONTEXT = 22, 2048, 5632, 32, 4, 32000, 2048
HEAD = WIDTH // HEADS
ALIGNMENT = 32
U32, F32, STRING, ARRAY, I32 = 4, 6, 8, 9, 5
UNKNOWN, NORMAL, CONTROL, BYTE = 2, 1, 3, 6


def fill_q4_0(blocks, spread):
    """Values (q - 8) d with q uniform below 16: a standard deviation of 4.6 d."""
    blocks[:, 0:2] = half(spread / 4.6)


def fill_q8_0(blocks, spread):
    """Values q d with q uniform in i8: a standard deviation of 74 d."""
    blocks[:, 0:2] = half(spread / 74)


def fill_q4_k(blocks, spread):
    """Values d s q - e m with s, m uniform below 64 and q below 16; with e = 7.5 d their mean is about 0 and their standard deviation about 270 d."""
    blocks[:, 0:2] = half(spread / 270)
    blocks[:, 2:4] = half(7.5 * spread / 270)


# name: ggml's numbers of the tensor type and of the file type, elements and bytes of a block, and what puts the scales in
TYPES = {"q4_0": (2, 2, 32, 18, fill_q4_0), "q8_0": (8, 7, 32, 34, fill_q8_0), "q4_k": (12, 14, 256, 144, fill_q4_k)}


def half(x):
    return np.frombuffer(struct.pack("<e", x), np.uint8)


def string(s):
    data = s.encode()
    return struct.pack("<Q", len(data)) + data


def metadata(file_type):
    tokens = ["<unk>", "<s>", "</s>"] + ["<0x%02X>" % b for b in range(256)]
    kinds = [UNKNOWN, CONTROL, CONTROL] + [BYTE] * 256
    words = VOCABULARY - len(tokens)
    tokens += ["\u2581w%d" % i for i in range(words)]
    kinds += [NORMAL] * words
    scores = [0.0] * (VOCABULARY - words) + [-float(i) for i in range(words)]

    def u32(key, value):
        return key, U32, struct.pack("<I", value)

    def f32(key, value):
        return key, F32, struct.pack("<f", value)

    return [
        ("general.architecture", STRING, string("llama")),
        ("general.name", STRING, string("synthetic 1.1B")),
        u32("general.file_type", file_type),
        u32("llama.block_count", LAYERS),
        u32("llama.context_length", CONTEXT),
        u32("llama.embedding_length", WIDTH),
        u32("llama.feed_forward_length", FFN),
        u32("llama.attention.head_count", HEADS),
        u32("llama.attention.head_count_kv", KV_HEADS),
        u32("llama.rope.dimension_count", HEAD),
        f32("llama.attention.layer_norm_rms_epsilon", 1e-5),
        f32("llama.rope.freq_base", 10000.0),
        ("tokenizer.ggml.model", STRING, string("llama")),
        ("tokenizer.ggml.tokens", ARRAY, struct.pack("<IQ", STRING, VOCABULARY) + b"".join(map(string, tokens))),
        ("tokenizer.ggml.scores", ARRAY, struct.pack("<IQ%df" % VOCABULARY, F32, VOCABULARY, *scores)),
        ("tokenizer.ggml.token_type", ARRAY, struct.pack("<IQ%di" % VOCABULARY, I32, VOCABULARY, *kinds)),
        u32("tokenizer.ggml.bos_token_id", 1),
        u32("tokenizer.ggml.eos_token_id", 2),
        u32("tokenizer.ggml.unknown_token_id", 0),
    ]


def tensors():
    """(name, rows or None for a vector, columns) in the order of the file."""
    yield "token_embd.weight", VOCABULARY, WIDTH
    for layer in range(LAYERS):
        p = "blk.%d." % layer
        yield p + "attn_norm.weight", None, WIDTH
        yield p + "attn_q.weight", HEADS * HEAD, WIDTH
        yield p + "attn_k.weight", KV_HEADS * HEAD, WIDTH
        yield p + "attn_v.weight", KV_HEADS * HEAD, WIDTH
        yield p + "attn_output.weight", WIDTH, HEADS * HEAD
        yield p + "ffn_norm.weight", None, WIDTH
        yield p + "ffn_gate.weight", FFN, WIDTH
        yield p + "ffn_up.weight", FFN, WIDTH
        yield p + "ffn_down.weight", WIDTH, FFN
    yield "output_norm.weight", None, WIDTH
    yield "output.weight", VOCABULARY, WIDTH


def size_of(rows, columns, elements, block):
    return 4 * columns if rows is None else rows * columns // elements * block


def write(kind, out):
    number, file_type, elements, block, fill = TYPES[kind]
    rng = np.random.default_rng(1)
    pairs, listed = metadata(file_type), list(tensors())
    head = bytearray(struct.pack("<4sIQQ", b"GGUF", 3, len(listed), len(pairs)))
    for key, value_kind, value in pairs:
        head += string(key) + struct.pack("<I", value_kind) + value
    offset = 0
    for name, rows, columns in listed:
        dims = [columns] if rows is None else [columns, rows]
        head += string(name) + struct.pack("<I%dQ" % len(dims), len(dims), *dims) + struct.pack("<IQ", 0 if rows is None else number, offset)
        offset += -(-size_of(rows, columns, elements, block) // ALIGNMENT) * ALIGNMENT
    out.write(head + bytes(-len(head) % ALIGNMENT))
    for name, rows, columns in listed:
        if rows is None:
            data = np.ones(columns, "<f4").tobytes()
        else:
            blocks = np.frombuffer(rng.bytes(size_of(rows, columns, elements, block)), np.uint8).reshape(-1, block).copy()
            fill(blocks, columns**-0.5 if "embd" not in name else 1.0)
            data = blocks.tobytes()
        out.write(data + bytes(-len(data) % ALIGNMENT))


def main(args):
    if len(args) != 2 or args[0] not in TYPES:
        sys.exit(__doc__)
    with open(args[1] + ".new", "wb") as out:
        write(args[0], out)
    os.replace(args[1] + ".new", args[1])


if __name__ == "__main__":
    main(sys.argv[1:])
