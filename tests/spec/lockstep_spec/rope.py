"""Section 6: the RoPE table, in Python's floats, which are IEEE binary64 rounded to nearest even."""

from .f32 import from_float, to_float

MAX_POSITIONS = 32768


def nearest(x):
    return (x + 6755399441055744.0) - 6755399441055744.0


def ln(b):
    e = 0
    while b >= 1.4142135623730951:
        b, e = b * 0.5, e + 1
    s = (b - 1.0) / (b + 1.0)
    z = s * s
    p = 0.0
    for k in range(12, -1, -1):
        p = p * z + 1.0 / (2 * k + 1)
    return e * float.fromhex("0x1.62e42fefa39efp-1") + (2.0 * s) * p


def exp_minus(x):
    n = nearest(x * float.fromhex("0x1.71547652b82fep0"))
    r = -((x - n * float.fromhex("0x1.62e42feep-1")) - n * float.fromhex("0x1.a39ef35793c76p-33"))
    p = 1.0
    for k in range(16, 0, -1):
        p = 1.0 + (p * r) / k
    for _ in range(int(n)):
        p = p * 0.5
    return p


def sine_cosine(a):
    n = nearest(a * float.fromhex("0x1.45f306dc9c883p-1"))
    r = a - n * float.fromhex("0x1.921fb544p0")
    r = r - n * float.fromhex("0x1.0b4611a6p-34")
    r = r - n * float.fromhex("0x1.3198a2e037073p-69")
    z = r * r
    ps = 0.0
    for k in range(9, 0, -1):
        ps = (1.0 + ps) * (-z) / (2 * k * (2 * k + 1))
    s = r + r * ps
    pc = 0.0
    for k in range(9, 0, -1):
        pc = (1.0 + pc) * (-z) / ((2 * k - 1) * 2 * k)
    c = 1.0 + pc
    return ((s, c), (c, -s), (-s, -c), (-c, s))[int(n) % 4]


class Table:
    """base: f32 bits; factors: rot / 2 f32 bits."""

    def __init__(self, base, rot, factors):
        log_base = ln(to_float(base))
        self.freq = [exp_minus(log_base * (2.0 * i / rot)) / to_float(f) for i, f in enumerate(factors)]

    def row(self, position):
        out = []
        for f in self.freq:
            s, c = sine_cosine(position * f)
            out += [from_float(c), from_float(s)]
        return out
