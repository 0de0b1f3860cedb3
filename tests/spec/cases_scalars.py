"""Cases of section 2: scalars."""

from struct import pack

from lockstep_spec import f32
from tiny_gguf import Random
from values import SPECIAL, Values, bits, raw_words, words

STRIDE = 104729


def transcendental(name, fn):
    rng = Values(name)
    inputs = list(SPECIAL) + [rng.next() & 0xFFFFFFFF for _ in range(200)] + [rng.between(118, 134) for _ in range(300)]
    inputs += [bits(v) for v in (-87.5, -88, -103, -103.97, -103.98, -104, -105, -105.5, 88, 88.72, 88.73, 88.8, 89, 89.5, 1e30, -1e30)]
    # Where the integer part of the result's exponent changes: exp32 near odd multiples of ln 2 / 2, log32 at significands of 4 / 3.
    inputs += [bits(0.6931471805599453 * (n + 0.5)) + s for n in range(-151, 128, 3) for s in (-1, 0, 1)]
    inputs += [(b << 23) + 0x2AAAAB + s for b in range(255) for s in (-1, 0)]
    sampled = f32.fnv64(fn(u) for u in range(0, 1 << 32, STRIDE))
    return [{"input": raw_words(inputs), "output": words([fn(u) for u in inputs]), "stride": STRIDE, "sampled_fnv": "0x%016x" % sampled}]


def exp32():
    return transcendental("exp32", f32.exp32)


def log32():
    return transcendental("log32", f32.log32)


def arithmetic():
    out = []
    near_ties = ((0x3F800001, 0x3F800001), (0x3F800003, 0x3F7FFFFF), (0x4B800000, 0x3F800000), (0x4B800001, 0x3F800000), (0x00800000, 0x3F000000),
                 (0x00800001, 0x3F000000), (0x00000001, 0x3F000000), (0x00000003, 0x3F000000), (0x7F7FFFFF, 0x3F800001), (0x7F7FFFFF, 0x73000000))
    for name, fn in (("add", f32.add), ("sub", f32.sub), ("mul", f32.mul), ("div", f32.div)):
        rng = Values(name)
        pairs = [(a, b) for a in SPECIAL for b in SPECIAL] + list(near_ties)
        while len(pairs) < 1000:
            a, b = rng.any(), rng.any()
            if name in ("add", "sub") and rng.below(2):  # exponents close enough to interact
                b = (a + (rng.below(1 << 28) - (1 << 27))) & 0xFFFFFFFF ^ rng.below(2) << 31
            pairs.append((a, b))
        a, b = zip(*pairs)
        out.append({"op": name, "a": raw_words(a), "b": raw_words(b), "output": words([fn(x, y) for x, y in pairs])})
    rng = Values("sqrt")
    a = list(SPECIAL) + [rng.any() & 0x7FFFFFFF for _ in range(300)]
    out.append({"op": "sqrt", "a": raw_words(a), "output": words([f32.sqrt(x) for x in a])})
    rng = Values("fma")
    triples = [(a, b, c) for a in SPECIAL[::2] for b in SPECIAL[1::3] for c in SPECIAL[::3]]
    while len(triples) < 1800:
        a, b = rng.any(), rng.any()
        c = rng.any()
        if rng.below(2):  # cancels the product, or nearly
            c = f32.neg(f32.mul(a, b)) + rng.below(3) & 0xFFFFFFFF
        triples.append((a, b, c))
    a, b, c = zip(*triples)
    out.append({"op": "fma", "a": raw_words(a), "b": raw_words(b), "c": raw_words(c), "output": words([f32.fma(*t) for t in triples])})
    return out


def order():
    rng = Values("order")
    values = {f32.canon(v) for v in SPECIAL} | {f32.canon(rng.any()) for _ in range(300)}
    return [{"ascending": raw_words(sorted(values, key=f32.key))}]


def rint():
    inputs = [bits(n / 2) for n in range(-9, 10)] + [bits(v) for v in (126.5, 127.5, 0.49999997, -0.50000006, 8388607.5, -151.5, 1e-40)]
    return [{"input": raw_words(inputs), "output": "0x" + b"".join(pack("<i", f32.to_int(x)) for x in inputs).hex()}]


def f16():
    everything = [f32.canon(f32.from_f16(h)) for h in range(1 << 16)]
    sample = list(range(0, 1 << 16, 997)) + [1, 0x3FF, 0x400, 0x7BFF, 0x7C00, 0x7C01, 0x8000, 0xFC00, 0xFFFF]
    return [{"input": "0x" + pack("<%dH" % len(sample), *sample).hex(), "output": words([everything[h] for h in sample]),
             "all_fnv": "0x%016x" % f32.fnv64(everything)}]


def philox():
    known = [((0,) * 4, (0,) * 2), ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2),
             ((0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0))]
    rng = Random("philox")
    known += [(tuple(rng.next() & 0xFFFFFFFF for _ in range(4)), tuple(rng.next() & 0xFFFFFFFF for _ in range(2))) for _ in range(5)]
    return [{"counter": raw_words(c), "key": raw_words(k), "output": raw_words(f32.philox4x32(c, k))} for c, k in known]
