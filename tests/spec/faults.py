"""Faults in a claim's trace, and the search for a unit that shows one."""

from struct import pack

from lockstep_spec import model as m
from lockstep_spec import units as u
from lockstep_spec.f32 import canon
from lockstep_spec.openings import Refused
from lockstep_spec.trees import CHUNK


def leaves(claim, op):
    """(leaf, row, first byte, length) of every chunk of an operation."""
    shape, rows = claim.trace.items[op]
    for row in rows:
        for c in range(shape.chunks):
            yield row << shape.chunk_bits | c, row, CHUNK * c, shape.leaf_size(c)


def candidates(claim, op, leaf, row, at):
    """Units that may show that byte `at` of a row is wrong, with the partials that they are about."""
    d, data = claim.models.descriptors[op], claim.trace.items[op][1][row]
    word = at // 4
    if d.opcode == m.ATTN:
        partials = claim.partials(op, row, word)
        yield u.Unit(u.PARTIAL_FINAL, op, leaf, word), partials
    elif d.form == m.FORM_SAMPLE:
        yield u.Unit(u.OUTPUT, op, leaf, u.THE_INDEX, u.NOT_THE_LIST), b""
        allowed = claim.tokens[u.ALLOWED]
        index = u.words(data)[1]
        if allowed and index not in allowed:
            yield u.Unit(u.OUTPUT, op, leaf, u.THE_INDEX, sum(a < index for a in allowed)), b""
        for place, token in enumerate(allowed or range(claim.models.commitment["vocabSize"])):
            yield u.Unit(u.OUTPUT, op, leaf, token, place if allowed else 0), b""
    elif d.form != m.FORM_A8:
        yield u.Unit(u.OUTPUT, op, leaf, word), b""
    else:
        blocks = -(-d.width // d.block)
        if at >= 8 * blocks:
            yield u.Unit(u.OUTPUT, op, leaf, at - 8 * blocks), b""
            return
        start = at // 8 * d.block
        length = min(d.block, d.width - start)
        claimed = u.words(data[8 * (at // 8) : 8 * (at // 8) + 8])[1]
        for j in [claimed] * (claimed < length) + list(range(length)):
            yield u.Unit(u.OUTPUT, op, leaf, start + j), b""


def convict(claim, op, leaf, row, at):
    """The first candidate that is wrong, with its partials; None if no unit is."""
    for unit, partials in candidates(claim, op, leaf, row, at):
        if claim.check(unit, partials)[0]:
            return unit, partials
    return None


class Flipped:
    """One bit of a committed row is another while the block runs."""

    def __init__(self, claim, op, row, at, bit):
        self.rows, self.row, self.at, self.bit = claim.trace.items[op][1], row, at, bit

    def __enter__(self):
        self.honest = self.rows[self.row]
        data = bytearray(self.honest)
        data[self.at] ^= 1 << self.bit
        self.rows[self.row] = bytes(data)

    def __exit__(self, *_):
        self.rows[self.row] = self.honest


def partial_candidates(claim, op, leaf, element, partials):
    """Units about posted partials."""
    p = u.Partials(partials)
    for c in range(len(p.chunks)):
        yield u.Unit(u.PARTIAL_CHUNK, op, leaf, element, c)
        yield u.Unit(u.PARTIAL_MAXIMUM, op, leaf, element, c)
    for k in range(len(p.running)):
        yield u.Unit(u.PARTIAL_RUNNING, op, leaf, element, k)
    yield u.Unit(u.PARTIAL_FINAL, op, leaf, element)


def partials_are_valid(partials):
    """What checkPartials asks beside the length: canonical floats, an index of the maximum in range."""
    p = u.Partials(partials)
    floats = [v for c in p.chunks for v in c] + [p.top] + [v for pair in p.running for v in pair]
    return all(canon(v) == v for v in floats) and p.which < len(p.chunks)


def is_refused(check):
    try:
        check()
    except Refused:
        return True
    return False
