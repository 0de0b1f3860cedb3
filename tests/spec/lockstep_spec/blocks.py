"""Sections 3 and 4: the A8 block and the rows of weight matrices."""

from struct import unpack_from

from .f32 import INF, NAN, ONE, SIGN, div, fma, from_f16, from_int, is_inf, is_nan, magnitude, mul, neg, split, to_f16, to_int

TINY = (127 - 100) << 23  # 2^-100
F127 = from_int(127)


def a8_block(xs):
    """(q, d, idx) of one block."""
    a = []
    for x in xs:
        if is_nan(x) or is_inf(x):
            a.append(NAN)
        elif magnitude(x) < TINY:
            a.append(0)
        else:
            a.append(div(magnitude(x), F127))
    d = max(a)
    idx = a.index(d)
    if d == 0 or d == NAN:
        return [0] * len(a), d, idx
    r = div(ONE, d)
    return [to_int(mul(x, r)) for x in xs], d, idx


class A8Row:
    """A row in blocks: q of the whole row, and d, idx of each block."""

    def __init__(self, xs, block):
        self.block = block
        self.q, self.d, self.idx = [], [], []
        for at in range(0, len(xs), block):
            q, d, idx = a8_block(xs[at : at + block])
            self.q += q
            self.d.append(d)
            self.idx.append(idx)


class Type:
    """A storage type of section 4: elements and bytes of a stored block, elements of a sub-block, its decoder."""

    def __init__(self, name, number, elements, size, sub, decode):
        self.name, self.number, self.elements, self.size, self.sub, self.decode = name, number, elements, size, sub, decode


def _nibbles(b, at):
    return [v & 15 for v in b[at : at + 16]] + [v >> 4 for v in b[at : at + 16]]


def _fifth(h, q):
    return [v | (h >> i & 1) << 4 for i, v in enumerate(q)]


def _half(b, at):
    return from_f16(unpack_from("<H", b, at)[0])


def _q4_0(b):
    return [([v - 8 for v in _nibbles(b, 2)], _half(b, 0), None)]


def _q4_1(b):
    return [(_nibbles(b, 4), _half(b, 0), neg(_half(b, 2)))]


def _q5_0(b):
    h = unpack_from("<I", b, 2)[0]
    return [([v - 16 for v in _fifth(h, _nibbles(b, 6))], _half(b, 0), None)]


def _q5_1(b):
    h = unpack_from("<I", b, 4)[0]
    return [(_fifth(h, _nibbles(b, 8)), _half(b, 0), neg(_half(b, 2)))]


def _q8_0(b):
    return [(list(unpack_from("<32b", b, 2)), _half(b, 0), None)]


def _k_scales(s, j):
    if j < 4:
        return s[j] & 63, s[j + 4] & 63
    return (s[j + 4] & 15) | (s[j - 4] >> 6) << 4, s[j + 4] >> 4 | (s[j] >> 6) << 4


def _k45(b, fifth):
    d, e, s = _half(b, 0), _half(b, 2), b[4:16]
    h = b[16:48] if fifth else None
    v = b[48:] if fifth else b[16:]
    out = []
    for j in range(8):
        sc, mn = _k_scales(s, j)
        part = v[32 * (j // 2) : 32 * (j // 2) + 32]
        q = [x >> 4 if j & 1 else x & 15 for x in part]
        if fifth:
            q = [x | (h[i] >> j & 1) << 4 for i, x in enumerate(q)]
        out.append((q, mul(d, from_int(sc)), mul(e, from_int(mn))))
    return out


def _q4_k(b):
    return _k45(b, False)


def _q5_k(b):
    return _k45(b, True)


def _q6_k(b):
    v, h, sc, d = b[:128], b[128:192], unpack_from("<16b", b, 192), _half(b, 208)
    q = []
    for a in range(2):
        for part in range(4):
            for i in range(32):
                low = v[64 * a + 32 * (part & 1) + i]
                low = low & 15 if part < 2 else low >> 4
                q.append((low | (h[32 * a + i] >> 2 * part & 3) << 4) - 32)
    return [(q[16 * j : 16 * j + 16], mul(d, from_int(sc[j])), None) for j in range(16)]


TYPES = {
    t.number: t
    for t in (
        Type("Q4_0", 2, 32, 18, 32, _q4_0),
        Type("Q4_1", 3, 32, 20, 32, _q4_1),
        Type("Q5_0", 6, 32, 22, 32, _q5_0),
        Type("Q5_1", 7, 32, 24, 32, _q5_1),
        Type("Q8_0", 8, 32, 34, 32, _q8_0),
        Type("Q4_K", 12, 256, 144, 32, _q4_k),
        Type("Q5_K", 13, 256, 176, 32, _q5_k),
        Type("Q6_K", 14, 256, 210, 16, _q6_k),
    )
}
BY_NAME = {t.name: t for t in TYPES.values()}


def unpack_row(number, data):
    """The sub-blocks (q list, w, n) of a stored row, in order; n is None where the type has no offset."""
    t = TYPES[number]
    out = []
    for at in range(0, len(data), t.size):
        out += t.decode(data[at : at + t.size])
    return out


def value(q, w, n):
    """q * w - n of one element, as EMBED reads it."""
    return mul(from_int(q), w) if n is None else fma(from_int(q), w, neg(n))


def import_q8_0(xs):
    """The Q8_0 bytes of 32 values; ValueError for values the import refuses."""
    m = max((magnitude(x) for x in xs))
    if m >= INF:
        raise ValueError("NaN or infinity")
    d = div(m, F127)
    inverse = div(ONE, d) if d else 0
    if inverse == INF:
        raise ValueError("1 / scale is infinite")
    half = to_f16(d)
    if half == 0x7C00:
        raise ValueError("scale beyond f16")
    out = bytearray(half.to_bytes(2, "little"))
    for x in xs:
        out.append(_away(mul(x, inverse)) & 255)
    return bytes(out)


def _away(x):
    """A finite f32 rounded to an integer, halves away from zero."""
    m, e = split(x)
    n = m << e if e >= 0 else ((m >> (-e - 1)) + 1) >> 1
    return -n if x & SIGN else n
