#!/usr/bin/env python3
"""Compares lks_import with the rule in exact rational arithmetic, byte for byte:  check_import.py IMPORT_FILE_PROGRAM

The input has matrices of F32, F16 and BF16 whose blocks are ties, subnormals, zeros of both signs, the largest and smallest scales and
random values, vectors of those types, and tensors that must be copied.
"""
import os
import random
import struct
import subprocess
import sys
import tempfile
from fractions import Fraction

F32, F16, Q4_1, Q8_0, BF16 = 0, 1, 3, 8, 30


def nearest(x, precision, lowest):
    """x >= 0 rounded to precision bits, ties to even, the last place being at least 2^lowest."""
    if x == 0:
        return x
    exponent = x.numerator.bit_length() - x.denominator.bit_length()
    if Fraction(2) ** exponent > x:
        exponent -= 1
    unit = Fraction(2) ** max(exponent - precision + 1, lowest)
    n = x / unit
    whole = n.numerator // n.denominator
    rest = n - whole
    if rest > Fraction(1, 2) or (rest == Fraction(1, 2) and whole % 2 == 1):
        whole += 1
    return whole * unit


def f32(x):
    return nearest(x, 24, -149)


def f16_bits(x):
    x = nearest(x, 11, -24)
    if x < Fraction(2) ** -14:
        return int(x * 2**24)
    exponent = 15
    while Fraction(2) ** exponent > x:
        exponent -= 1
    return (exponent + 15) << 10 | int(x / Fraction(2) ** exponent * 1024) - 1024


def away(x):
    n = abs(x) + Fraction(1, 2)
    n = n.numerator // n.denominator
    return n if x >= 0 else -n


def q8_0(block):
    x = [Fraction(v) for v in block]
    d = f32(max(abs(v) for v in x) / 127)
    inverse = f32(1 / d) if d else Fraction(0)
    q = [away(f32(abs(v) * inverse) * (1 if v >= 0 else -1)) for v in x]
    return struct.pack("<H32b", f16_bits(d), *q)


def single(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


def bits(u):
    return struct.unpack("<f", struct.pack("<I", u))[0]


def f32_blocks(r):
    blocks = [[0.0] * 32, [-0.0] * 32, [bits(1)] * 32, [bits(0)] * 31 + [bits(0x80000001)]]
    # d is a power of two, so that each product is exact: half of them are ties
    for k in (-100, -24, -25, -14, -3, 0, 1, 9):
        for top in (127, -127):
            blocks.append([(top if i == 7 else r.randrange(-253, 254) / 2) * 2.0**k for i in range(32)])
    # amax around multiples of 127: the product at the top is just below, at or above 127
    for _ in range(300):
        top = single(r.uniform(1, 2) * 2.0 ** r.randrange(-60, 20))
        near = [bits(struct.unpack("<I", struct.pack("<f", top))[0] - r.randrange(3)) for _ in range(8)]
        blocks.append([top] + near + [single(top * r.uniform(-1, 1)) for _ in range(23)])
    # values next to a tie of their own scale
    for _ in range(300):
        top = single(r.uniform(1, 2))
        row = [top]
        for _ in range(31):
            tie = struct.unpack("<I", struct.pack("<f", top * (r.randrange(127) + 0.5) / 127))[0]
            row.append(bits(tie + r.randrange(-1, 2)) * r.choice((1, -1)))
        blocks.append(row)
    blocks.append([single(65519.99 * 127)] + [-1.0] * 31)  # the largest scale
    blocks.append([bits(0x0fe00100)] + [0.0] * 31)  # 127 * 2^-128 and a little: nearly the smallest
    for _ in range(100):  # scales that are subnormal float16, or round to zero
        top = single(127 * 2.0 ** r.uniform(-30, -13))
        blocks.append([single(top * r.uniform(-1, 1)) for _ in range(31)] + [-top])
    return blocks


def main():
    r = random.Random(1)
    blocks = f32_blocks(r)
    halves = [[struct.unpack("<e", struct.pack("<H", h))[0] for h in row] for row in
              [[r.choice((0, 0x8000)) | r.randrange(0x7C00) for _ in range(32)] for _ in range(60)] +
              [[r.choice((0, 0x8000)) | r.randrange(0x400) for _ in range(32)] for _ in range(20)]]
    brains = [[bits((r.randrange(2) << 15 | r.randrange(0x3000, 0x4800)) << 16) for _ in range(32)] for _ in range(60)]
    vector = [bits(r.randrange(0x7F800000)) for _ in range(33)]

    def flat(rows):
        return [v for row in rows for v in row]

    def brain_bytes(values):
        return b"".join(struct.pack("<f", v)[2:] for v in values)

    tensors = [  # name, dims, type, bytes, new type, new bytes
        ("m32", (64, len(blocks) // 2), F32, struct.pack(f"<{len(blocks) // 2 * 64}f", *flat(blocks)[:len(blocks) // 2 * 64]), Q8_0,
         b"".join(map(q8_0, blocks[:len(blocks) // 2 * 2]))),
        ("v32", (33,), F32, struct.pack("<33f", *vector), F32, struct.pack("<33f", *vector)),
        ("m16", (32, len(halves)), F16, struct.pack(f"<{len(halves) * 32}e", *flat(halves)), Q8_0, b"".join(map(q8_0, halves))),
        ("mb16", (32, len(brains)), BF16, brain_bytes(flat(brains)), Q8_0, b"".join(map(q8_0, brains))),
        ("v16", (64,), F16, struct.pack("<64e", *flat(halves[-2:])), F32, struct.pack("<64f", *flat(halves[-2:]))),
        ("vb16", (32,), BF16, brain_bytes(brains[0]), F32, struct.pack("<32f", *brains[0])),
        ("q41", (32, 3), Q4_1, r.randbytes(60), Q4_1, None),
        ("cube", (2, 2, 2), F16, r.randbytes(16), F16, None),
    ]
    text = lambda s: struct.pack("<Q", len(s)) + s.encode()
    pairs = (text("general.alignment") + struct.pack("<II", 4, 64) + text("general.file_type") + struct.pack("<II", 4, 1) +
             text("k") + struct.pack("<I", 9) + struct.pack("<IQ", 8, 2) + text("a") + text(""))

    def file(new):
        info, data = b"", b""
        for name, dims, old_type, old, new_type, converted in tensors:
            body = (converted or old) if new else old
            info += (text(name) + struct.pack(f"<I{len(dims)}Q", len(dims), *dims) +
                     struct.pack("<IQ", new_type if new else old_type, len(data)))
            data += body + bytes(-len(body) % 64)
        head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), 3) + pairs + info
        return head + bytes(-len(head) % 64) + data

    with tempfile.TemporaryDirectory() as folder:
        source, target = os.path.join(folder, "in.gguf"), os.path.join(folder, "out.gguf")
        with open(source, "wb") as f:
            f.write(file(False))
        done = subprocess.run([sys.argv[1], source, target], capture_output=True, text=True)
        print(done.stdout, end="")
        if done.returncode != 0 or done.stdout != "converted 5, kept 3\n":
            sys.exit("import failed")
        with open(target, "rb") as f:
            got = f.read()
        want = file(True)
        if got != want:
            at = next((i for i, (a, b) in enumerate(zip(got, want)) if a != b), min(len(got), len(want)))
            sys.exit(f"byte {at} differs: {got[at:at + 8].hex()}, not {want[at:at + 8].hex()} (sizes {len(got)}, {len(want)})")
        if sorted(os.listdir(folder)) != ["in.gguf", "out.gguf"]:
            sys.exit("a temporary file is left")
    print(f"count import_blocks {len(blocks) // 2 * 2 + len(halves) + len(brains)}")


main()
