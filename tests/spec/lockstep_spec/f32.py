"""Section 2: IEEE 754 binary32 on bit patterns, exactly, and the scalar functions.

A value is a Python int, the 32 bits of the float. Every operation computes the exact result as integers and rounds it once, to
nearest, ties to even.
"""

from math import isqrt

NAN = 0x7FC00000
INF = 0x7F800000
ONE = 0x3F800000
SIGN = 0x80000000


def is_nan(b):
    return (b & 0x7FFFFFFF) > INF


def is_inf(b):
    return (b & 0x7FFFFFFF) == INF


def canon(b):
    """The canonical NaN for every NaN, else the value itself."""
    return NAN if (b & 0x7FFFFFFF) > INF else b


def neg(b):
    return b ^ SIGN


def magnitude(b):
    return b & 0x7FFFFFFF


def key(b):
    """The order of f32 (any NaN counts as the canonical one): an integer whose order is that of the values."""
    b = canon(b)
    return b if b < SIGN else (b ^ 0x7FFFFFFF) - (1 << 32)


def split(b):
    """The (significand, exponent) of a finite value: |value| = significand * 2^exponent."""
    e = (b >> 23) & 255
    return (b & 0x7FFFFF | 0x800000, e - 150) if e else (b & 0x7FFFFF, -149)


def pack(sign, m, e):
    """The float nearest to m * 2^e, m >= 0, with the sign bit `sign` (0 or SIGN)."""
    if m == 0:
        return sign
    q = m.bit_length() - 24 + e
    if q < -149:
        q = -149
    shift = q - e
    if shift <= 0:
        m <<= -shift
    else:
        rest = m & ((1 << shift) - 1)
        m >>= shift
        half = 1 << (shift - 1)
        if rest > half or (rest == half and m & 1):
            m += 1
    bits = ((q + 149) << 23) + m  # a significand of 2^24 carries into the exponent
    return sign | (bits if bits < INF else INF)


def fma(a, b, c):
    a_exp, b_exp, c_exp = a & INF, b & INF, c & INF
    sign = (a ^ b) & SIGN
    if a_exp == INF or b_exp == INF or c_exp == INF:
        if is_nan(a) or is_nan(b) or is_nan(c):
            return NAN
        if a_exp == INF or b_exp == INF:
            if magnitude(a) == 0 or magnitude(b) == 0 or (c_exp == INF and c != sign | INF):
                return NAN
            return sign | INF
        return c
    am, ae = split(a)
    bm, be = split(b)
    cm, ce = split(c)
    m, e = am * bm, ae + be
    if m == 0:
        if cm:
            return c
        return c if c == sign else 0  # a sum of zeros is -0 only when both are
    if cm == 0:
        return pack(sign, m, e)
    if e > ce:
        m, e = m << (e - ce), ce
    else:
        cm <<= ce - e
    total = (-m if sign else m) + (-cm if c & SIGN else cm)
    return pack(SIGN if total < 0 else 0, abs(total), e)


def add(a, b):
    return fma(a, ONE, b)


def sub(a, b):
    return fma(a, ONE, b ^ SIGN)


def mul(a, b):
    return fma(a, b, SIGN)  # -0 is the neutral element of addition


def div(a, b):
    sign = (a ^ b) & SIGN
    if is_nan(a) or is_nan(b):
        return NAN
    if is_inf(a):
        return NAN if is_inf(b) else sign | INF
    if is_inf(b):
        return sign
    am, ae = split(a)
    bm, be = split(b)
    if bm == 0:
        return NAN if am == 0 else sign | INF
    q, rest = divmod(am << 50, bm)
    return pack(sign, q << 1 | (rest != 0), ae - be - 51)  # a set lowest bit stands for the remainder


def sqrt(a):
    if is_nan(a):
        return NAN
    if magnitude(a) == 0 or a == INF:
        return a
    if a & SIGN:
        return NAN
    m, e = split(a)
    m, e = m << 60, e - 60
    if e & 1:
        m, e = m << 1, e - 1
    root = isqrt(m)
    return pack(0, root << 1 | (root * root != m), e // 2 - 1)


def from_int(n):
    return pack(SIGN if n < 0 else 0, abs(n), 0)


def to_int(b):
    """rint of a finite value, as an integer."""
    m, e = split(b)
    if e >= 0:
        m <<= e
    else:
        rest = m & ((1 << -e) - 1)
        m >>= -e
        half = 1 << (-e - 1)
        if rest > half or (rest == half and m & 1):
            m += 1
    return -m if b & SIGN else m


def pow2(n):
    """2^n, exact for -149 <= n <= 127."""
    return pack(0, 1, n)


def from_f16(h):
    sign = (h & 0x8000) << 16
    e, m = h >> 10 & 31, h & 0x3FF
    if e == 31:
        return sign | INF | m << 13
    return pack(sign, m | 0x400 if e else m, (e or 1) - 25)


def to_f16(b):
    """Nearest f16, ties to even, of a value that is not NaN."""
    sign = (b & SIGN) >> 16
    if is_inf(b):
        return sign | 0x7C00
    m, e = split(b)
    if m == 0:
        return sign
    q = max(m.bit_length() - 11 + e, -24)
    if q > e:
        rest = m & ((1 << (q - e)) - 1)
        m >>= q - e
        half = 1 << (q - e - 1)
        if rest > half or (rest == half and m & 1):
            m += 1
    else:
        m <<= e - q
    bits = ((q + 24) << 10) + m
    return sign | min(bits, 0x7C00)


def from_float(x):
    """The f32 nearest to a Python float (IEEE binary64)."""
    if x != x:
        return NAN
    if x in (float("inf"), float("-inf")):
        return INF if x > 0 else SIGN | INF
    n, d = abs(x).as_integer_ratio()
    negative = x < 0 or (x == 0 and str(x)[0] == "-")
    return pack(SIGN if negative else 0, n, -(d.bit_length() - 1))


def to_float(b):
    """The Python float of a finite f32, exact."""
    m, e = split(b)
    return (-1.0 if b & SIGN else 1.0) * m * 2.0**e


EXP_C = (0x3C091BB6, 0x3D2AAC4F, 0x3E2AAA49, 0x3EFFFFFE, ONE, ONE)
EXP_LOW, EXP_HIGH = from_int(-105), from_int(89)


def exp32(x):
    if is_nan(x):
        return NAN
    if not key(x) < key(EXP_HIGH):
        x = EXP_HIGH
    if not key(x) > key(EXP_LOW):
        x = EXP_LOW
    i = to_int(mul(x, 0x3FB8AA3B))
    minus_n = neg(from_int(i))
    r = fma(minus_n, 0x3F317218, x)
    r = fma(minus_n, 0xB102E308, r)
    p = 0x3AB51E3D
    for c in EXP_C:
        p = fma(p, r, c)
    a = i >> 1
    return mul(mul(p, pow2(a)), pow2(i - a))


LOG_C = (0x3E0F293F, 0xBDF99810, 0x3E0F6A58, 0xBE2ACE70, 0x3E4CE830, 0xBE7FFF80, 0x3EAAAA88, 0xBF000000)


def log32(x):
    u = x
    if magnitude(u) == 0:
        return SIGN | INF
    if u >= INF:
        return INF if u == INF else NAN
    k0 = 0
    if u < 0x00800000:
        u = mul(x, from_int(8388608))
        k0 = -23
    k = (u - 0x3F2AAAAB) >> 23
    f = sub((u - (k << 23)) & 0xFFFFFFFF, ONE)
    n = from_int(k + k0)
    s = mul(f, f)
    p = 0xBE03DDA4
    for c in LOG_C:
        p = fma(p, f, c)
    p = fma(p, s, f)
    p = fma(n, 0xB102E308, p)
    return fma(n, 0x3F317218, p)


FNV_START = 0xCBF29CE484222325


def fnv64(words, h=FNV_START):
    for w in words:
        h = (h ^ w) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return h


def philox4x32(counter, k):
    """Philox4x32-10: counter of four words, key of two; gives four words."""
    c0, c1, c2, c3 = counter
    k0, k1 = k
    for _ in range(10):
        p0 = 0xD2511F53 * c0
        p1 = 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & 0xFFFFFFFF, (p0 >> 32) ^ c3 ^ k1, p0 & 0xFFFFFFFF
        k0 = (k0 + 0x9E3779B9) & 0xFFFFFFFF
        k1 = (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c0, c1, c2, c3
