#!/usr/bin/env python3
"""Prints a unit of proof from tests/vectors/units/ with every byte that it opens and, for a
LINEAR_ADD, every number of its recomputation. docs/SPEC.md, section 13.10, is one of them.

  show_unit.py FILE NUMBER             case NUMBER (from 0) of the vector file
  show_unit.py FILE NUMBER --in TEXT   exits with 1 unless the file TEXT holds these lines as code
"""

import json
import sys
from struct import unpack

from lockstep_spec import model as m
from lockstep_spec import units as u
from lockstep_spec.blocks import unpack_row
from lockstep_spec.f32 import add, canon, fma, from_int
from lockstep_spec.keccak import keccak256
from lockstep_spec.openings import Verifier
from lockstep_spec.trees import L2, LEAF, NODE, PROGRAM, ROPE, TOP, TRACE, WEIGHTS

NAMES = {
    TRACE: "trace, operation",
    WEIGHTS: "weights, tensor",
    PROGRAM: "program, item",
    ROPE: "RoPE table, item",
}
LISTS = ("prompt", "answer", "allowed list")


def number(value):
    return int(value, 16) if isinstance(value, str) and len(value) <= 18 else value


def from_hex(text):
    return bytes.fromhex(text[2:])


def dump(data):
    """Lines of 32 bytes with their place; repeated lines are one star, as hexdump prints them."""
    previous, star = None, False
    for at in range(0, len(data), 32):
        line = data[at : at + 32]
        if line == previous:
            if not star:
                yield "    *"
            star = True
            continue
        previous, star = line, False
        yield "    %03x  %s" % (at, " ".join(line[i : i + 4].hex() for i in range(0, len(line), 4)))


def way_up(rng, data, path, items):
    """The hashes from a single chunk to the root, with the sibling that each takes."""
    tag = 8 * rng.tree
    node = keccak256(bytes([tag + LEAF]) + data)
    yield "    leaf = keccak(%02x || data) = %s" % (tag + LEAF, node.hex())
    levels = [(NODE, h + 1, rng.place >> h & 1) for h in range(rng.shape.height)]
    levels += [(TOP, h + 1, rng.item >> h & 1) for h in range(L2(items))]
    for sibling, (role, height, is_right) in zip(path, levels):
        prefix = bytes([tag + role, height])
        node = keccak256(prefix + (sibling + node if is_right else node + sibling))
        pair = "hash || node" if is_right else "node || hash"
        yield "    %02x %02x %s: hash %s" % (*prefix, pair, sibling.hex())
        yield "%24s = %s" % ("node", node.hex())


class Shown(Verifier):
    """Verifies openings, and keeps what each one is."""

    def __init__(self, op, *arguments):
        super().__init__(*arguments)
        self.op, self.lines, self.count, self.got = op, [], 0, []

    def _show(self, what):
        data, path = self.openings[0]
        counts = "%d bytes, %d hashes" % (len(data), len(path))
        self.lines.append("opening %d: %s; %s" % (self.count, what, counts))
        self.lines += dump(data)
        self.count += 1

    def read(self, rng):
        self._show("%s %d, row %d, chunk %d" % (NAMES[rng.tree], rng.item, rng.row, rng.first))
        if rng.tree == TRACE and rng.item == self.op and rng.places == 1:
            self.lines += way_up(rng, *self.openings[0], self.items[rng.tree])
        self.got.append(super().read(rng))
        return self.got[-1]

    def token(self, which, index):
        self._show("%s, element %d" % (LISTS[which], index))
        return super().token(which, index)


def case_of(path, index):
    with open(path, encoding="utf-8") as f:
        return json.load(f)["cases"][index]


def check_of(case):
    f = case["facts"]
    c = {k: from_hex(v) if isinstance(v, str) else v for k, v in case["commitment"].items()}
    roots = {
        TRACE: from_hex(f["traceRoot"]),
        WEIGHTS: c["weightsRoot"],
        PROGRAM: c["programRoot"],
        ROPE: c["ropeRoot"],
    }
    items = {TRACE: c["opCount"], WEIGHTS: c["tensorCount"], PROGRAM: 1, ROPE: 1}
    named = (("promptCount", "promptHash"), ("tokenCount", "tokensHash"),
             ("allowedCount", "allowedHash"))
    lists = [(f[count], from_hex(f[root])) for count, root in named]
    joined = map(from_hex, case["paths"])
    paths = [[p[i : i + 32] for i in range(0, len(p), 32)] for p in joined]
    openings = list(zip(map(from_hex, case["data"]), paths))
    reader = Shown(case["op"], openings, roots, items, lists)
    names = ("promptCount", "tokenCount", "allowedCount", "temperature", "minP", "seed")
    facts = u.Facts(*(number(f[name]) for name in names))
    unit = u.Unit(*(case[k] for k in ("kind", "op", "leaf", "unit", "place")))
    return u.Check(facts, c, unit, reader, from_hex(case.get("partials", "0x")))


def numbers(name, values):
    for at in range(0, len(values), 16):
        line = " ".join("%4d" % v for v in values[at : at + 16])
        yield "    %-4s%s" % (name if at == 0 else "", line)


def linear_add(check):
    """The recomputation of a LINEAR_ADD unit without bias, number by number."""
    _, _, _, claimed, added, row, weights = check.reader.got
    e, d = check.u.unit, check.inputs[0]
    row = u.stored_row(row, d.width, d.block)
    sub_blocks = unpack_row(check.d.weights[0].type, weights)
    size, acc = len(sub_blocks[0][0]), 0
    for b, scale in enumerate(row.d):
        s, part = 0, row.q[b * d.block : (b + 1) * d.block]
        first = b * d.block
        yield "activation block %d, elements %d to %d: d = %08x" % (
            b, first, first + len(part) - 1, scale)
        for j in range(0, len(part), size):
            q, w, n = sub_blocks[(first + j) // size]
            a = part[j : j + size]
            yield from numbers("q_w", q)
            yield from numbers("q_a", a)
            total = sum(x * y for x, y in zip(q, a))
            s = fma(from_int(total), w, s)
            yield "    sum %d; s = fma(f32(sum) %08x, w %08x, s) = %08x" % (
                total, from_int(total), w, s)
            assert n is None, "a type without offset"
        acc = fma(s, scale, acc)
        yield "    acc = fma(s, d, acc) = %08x" % acc
    x, = unpack("<I", added)
    y = canon(add(x, acc))
    theirs, = unpack("<I", check._at(4 * e))
    yield "x = element %d of the residual stream = %08x; y = x + acc = %08x" % (e, x, y)
    yield "element %d of the disputed chunk = %08x" % (e, theirs)


def shown(case):
    check = check_of(case)
    verdict = check.wrong()
    yield ", ".join("%s %d" % (k, case[k]) for k in ("kind", "op", "leaf", "unit", "place"))
    for name, value in {**case["facts"], **case["commitment"]}.items():
        if name in ("traceRoot", "weightsRoot", "programRoot"):
            yield "%-12s %s" % (name, value[2:])
    yield from check.reader.lines
    if check.d.opcode == m.LINEAR_ADD:
        yield from linear_add(check)
    yield "verdict: " + ("wrong" if verdict else "right")
    assert ("wrong" if verdict else "right") == case["expected"]


def main(args):
    if len(args) not in (2, 4) or not args[1].isdigit() or args[2:3] not in ([], ["--in"]):
        sys.exit(__doc__)
    lines = list(shown(case_of(args[0], int(args[1]))))
    if len(args) == 2:
        print("\n".join(lines))
        return 0
    with open(args[3], encoding="utf-8") as f:
        text = f.read()
    if "".join("    " + line + "\n" for line in lines) in text:
        return 0
    print("%s does not hold the output of show_unit.py %s %s; replace the example there by it"
          % (args[3], args[0], args[1]))
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
