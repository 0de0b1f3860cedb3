#!/usr/bin/env python3
"""Holds section 13 of docs/SPEC.md to its word, with the second implementation: every unit of an honest trace holds, every flipped bit is convicted.

  check_units.py --fast      random bits of two claims, some of them through openings (15 s)
  check_units.py             of all claims (2 minutes)
  check_units.py --all       every bit of every operation of two claims (hours)
"""

import sys
import time

import cases_units as cu
from faults import Flipped, convict, is_refused, leaves, partial_candidates, partials_are_valid
from lockstep_spec import model as m
from lockstep_spec import units as u
from lockstep_spec.answer import gumbel
from tiny_gguf import Random

OPENED_EVERY = 10
HONEST_UNITS = 6
FLIPS = 60
FAST = (("q4-0", 0), ("unfused", 0))
ALL = (("q4-0", 0), ("wild", 0))


def honest(claim, rng):
    """Units of the honest trace, some in every chunk: none may be wrong."""
    n = 0
    for op, d in enumerate(claim.models.descriptors):
        for leaf, row, lo, size in leaves(claim, op):
            for _ in range(HONEST_UNITS if d.opcode != m.SAMPLE else 1):
                at = lo + rng.below(size)
                element = at // 4 if d.form != m.FORM_A8 else rng.below(d.width)
                if d.opcode == m.ATTN:
                    partials = claim.partials(op, row, element)
                    tries = [(x, partials) for x in partial_candidates(claim, op, leaf, element, partials)]
                elif d.opcode == m.SAMPLE:
                    tries = [(u.Unit(u.OUTPUT, op, leaf, w, p), b"") for w, p in cu.sample_units(claim, rng)]
                else:
                    tries = [(u.Unit(u.OUTPUT, op, leaf, element), b"")]
                for unit, partials in tries:
                    try:
                        verdict = claim.check(unit, partials)[0]
                    except u.Refused:  # the element does not lie in this chunk
                        continue
                    assert not verdict, ("an honest unit is wrong", op, leaf, unit.unit, unit.kind)
                    n += 1
    return n + honest_tokens(claim, rng)


def honest_tokens(claim, rng):
    n = 0
    for j in range(claim.facts.answer_count):
        for unit in cu.token_units(claim, j, rng):
            try:
                assert not claim.check(unit)[0], ("an honest token is wrong", j, unit.unit)
                n += 1
            except u.Refused:  # it does not pass min-p
                continue
    return n


def through_openings(claim, unit, partials, rng):
    """The witness convicts from roots alone, and with any one bit flipped it is refused."""
    claim.trace.replace(unit.op, *changed_row(claim, unit))
    _, openings = claim.check(unit, partials, keep=True)
    assert claim.verify(unit, openings, partials), "the witness does not convict"
    for k, (data, path) in enumerate(openings):
        at = rng.below(len(data))
        bad = data[:at] + bytes([data[at] ^ 1 << rng.below(8)]) + data[at + 1 :]
        assert is_refused(lambda: claim.verify(unit, openings[:k] + [(bad, path)] + openings[k + 1 :], partials)), "other bytes pass"
        if path:
            i = rng.below(len(path))
            other = path[:i] + [bytes([path[i][0] ^ 1]) + path[i][1:]] + path[i + 1 :]
            assert is_refused(lambda: claim.verify(unit, openings[:k] + [(data, other)] + openings[k + 1 :], partials)), "another path passes"
        assert is_refused(lambda: claim.verify(unit, openings[:k] + [(data, path + [bytes(32)])] + openings[k + 1 :], partials))
    assert is_refused(lambda: claim.verify(unit, openings[:-1], partials)) and is_refused(lambda: claim.verify(unit, openings * 2, partials))


def changed_row(claim, unit):
    shape, rows = claim.trace.items[unit.op]
    row = unit.leaf >> shape.chunk_bits
    return row, rows[row]


def flip(claim, op, leaf, row, at, bit, rng=None):
    with Flipped(claim, op, row, at, bit):
        found = convict(claim, op, leaf, row, at)
        assert found, ("no unit shows it", op, row, at, bit)
        if rng:
            through_openings(claim, *found, rng)
    if rng:
        claim.trace.replace(op, *changed_row(claim, found[0]))


def random_flips(claim, rng, count):
    for n in range(count):
        op = rng.below(len(claim.models.descriptors))
        all_leaves = list(leaves(claim, op))
        leaf, row, lo, size = all_leaves[rng.below(len(all_leaves))]
        flip(claim, op, leaf, row, lo + rng.below(size), rng.below(8), rng if n % OPENED_EVERY == 0 else None)
    return count


def every_flip(claim):
    n = 0
    for op in range(len(claim.models.descriptors)):
        for leaf, row, lo, size in leaves(claim, op):
            for at in range(lo, lo + size):
                for bit in range(8):
                    flip(claim, op, leaf, row, at, bit)
                    n += 1
        print("  operation %d: %d flips convicted so far" % (op, n), flush=True)
    return n


def partial_flips(claim, rng, count):
    """Bits of an element's partials: each is refused by the format, or shown by a unit about them."""
    ops = [i for i, d in enumerate(claim.models.descriptors) if d.opcode == m.ATTN]
    n = 0
    while n < count:
        op = ops[rng.below(len(ops))]
        t, element = claim.facts.positions - 1, rng.below(claim.models.descriptors[op].width)
        leaf = t << claim.trace.items[op][0].chunk_bits | 4 * element // 1024
        data = bytearray(claim.partials(op, t, element))
        data[rng.below(len(data))] ^= 1 << rng.below(8)
        data = bytes(data)
        if partials_are_valid(data):
            assert any(claim.check(x, data)[0] for x in partial_candidates(claim, op, leaf, element, data)), ("partials pass", op, element)
        n += 1
    return n


def wrong_tokens(claim, rng, count):
    """Another last token: its trace is the same, and a unit of kind Token or Unlisted shows it."""
    answer, n = claim.tokens[u.ANSWER], 0
    last, honest_token = len(answer) - 1, answer[-1]
    allowed, op = claim.tokens[u.ALLOWED], claim.models.commitment["samplerOp"]
    everything = range(claim.models.commitment["vocabSize"])
    for i in range(count):
        choices = allowed if allowed and i % 2 else everything
        wrong = choices[rng.below(len(choices))]
        if wrong == honest_token:
            continue
        answer[-1] = wrong
        if allowed and wrong not in allowed:
            unit = u.Unit(u.UNLISTED, op, last, 0, sum(a < wrong for a in allowed))
            openings = claim.check(unit, keep=True)[1]
            assert claim.verify(unit, openings), ("an unlisted token passes", wrong)
            n += 1
            continue
        place = allowed.index(honest_token) if allowed else 0
        unit = 0 if claim.facts.temperature == 0 else wrong
        units = [u.Unit(u.TOKEN, op, last, w, place) for w in dict.fromkeys((unit, honest_token))]
        found = [x for x in units if not is_refused(lambda: claim.check(x)) and claim.check(x)[0]]
        assert found, ("a wrong token passes", wrong)
        claim.verify(found[0], claim.check(found[0], keep=True)[1])
        n += 1
    answer[-1] = honest_token
    return n


def main(args):
    if args not in ([], ["--fast"], ["--all"]):
        sys.exit(__doc__)
    total = {"honest units": 0, "flips": 0, "flips of partials": 0, "wrong tokens": 0}
    for name, number in {"": cu.CLAIMS, "--fast": FAST, "--all": ALL}["".join(args)]:
        start, rng = time.monotonic(), Random("check units " + name)
        claim = cu.claim_of(name, number)
        total["honest units"] += honest(claim, rng)
        total["flips"] += every_flip(claim) if args == ["--all"] else random_flips(claim, rng, FLIPS)
        total["flips of partials"] += partial_flips(claim, rng, FLIPS // 2)
        total["wrong tokens"] += wrong_tokens(claim, rng, FLIPS // 4)
        print("ok %s, claim %d (%.1f s)" % (name, number, time.monotonic() - start), flush=True)
    print(", ".join("%d %s" % (n, what) for what, n in total.items()) + ": honest ones hold, all others are convicted")


if __name__ == "__main__":
    main(sys.argv[1:])
