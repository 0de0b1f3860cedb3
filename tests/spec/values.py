"""Inputs chosen to hurt, and how values are written in a vector: hex of little-endian bytes."""

from struct import pack

from lockstep_spec import f32
from tiny_gguf import Random

NANS = (0x7FC00000, 0x7F800001, 0xFFC00000, 0x7FFFFFFF, 0xFF812345)
SPECIAL = (0, 0x80000000, 1, 0x80000001, 0x007FFFFF, 0x00800000, 0x807FFFFF, 0x3F800000, 0xBF800000, 0x3F7FFFFF, 0x3F800001, 0x40000000, 0x4B000000,
           0x4B7FFFFF, 0x4EFFFFFF, 0x7F000000, 0x7F7FFFFF, 0xFF7FFFFF, 0x7F800000, 0xFF800000) + NANS


def words(values):
    return "0x" + pack("<%dI" % len(values), *[f32.canon(v) for v in values]).hex()


def raw_words(values):
    return "0x" + pack("<%dI" % len(values), *values).hex()


def signed_bytes(values):
    return "0x" + pack("<%db" % len(values), *values).hex()


def data(b):
    return "0x" + bytes(b).hex()


def bits(x):
    return f32.from_float(float(x))


class Values(Random):
    """Random f32 values and rows of several temperaments."""

    def between(self, low, high):
        """A value with a biased exponent in [low, high]."""
        return self.below(2) << 31 | (low + self.below(high - low + 1)) << 23 | self.below(1 << 23)

    def any(self):
        kind = self.below(4)
        if kind == 0:
            return SPECIAL[self.below(len(SPECIAL))]
        return self.next() & 0xFFFFFFFF if kind == 1 else self.between(117, 137) if kind == 2 else self.between(0, 254)

    def row(self, n, kind):
        if kind == "zero":
            return [0x80000000 * self.below(2) for _ in range(n)]
        if kind == "small":
            return [self.between(0, 26) for _ in range(n)]
        if kind == "edge":  # about 2^-100, below which a value counts as zero
            return [(27 << 23) + self.below(5) - 2 | self.below(2) << 31 for _ in range(n)]
        if kind == "huge":
            return [self.between(240, 254) for _ in range(n)]
        if kind == "wide":
            return [self.between(60, 190) for _ in range(n)]
        if kind == "equal":
            return [0x40490FDB | self.below(2) << 31 for _ in range(n)]
        if kind == "ties":  # halves of 1 / 127 of the maximum 127
            return [bits(127)] + [bits((self.below(509) - 254) / 2) for _ in range(n - 1)]
        if kind == "halves":  # about halves of the scale, where multiplying by 1 / d and dividing by d part
            top = self.between(120, 129)
            d = f32.div(f32.magnitude(top), bits(127))
            near = [f32.mul(d, bits(self.below(127) + 0.5)) + self.below(3) - 1 | self.below(2) << 31 for _ in range(n - 1)]
            return near[: n // 2] + [top] + near[n // 2 :]
        row = [self.between(120, 129) for _ in range(n)]
        if kind in ("nan", "inf"):
            row[self.below(n)] = NANS[self.below(len(NANS))] if kind == "nan" else 0x7F800000 | self.below(2) << 31
        if kind == "spike":
            row[self.below(n)] = self.between(150, 160)
        return row


KINDS = ("plain", "zero", "small", "edge", "huge", "wide", "equal", "ties", "nan", "inf", "spike", "halves")
