"""Sections 9 and 13: where rows lie, openings, and the two readers of a unit: one that verifies, one that opens."""

from struct import unpack_from

from .keccak import keccak256
from .trees import CHUNK, L2, LEAF, NODE, PADDING, TOP, TOP_PADDING, chunks_of

PROMPT, ANSWER, ALLOWED = range(3)


class Refused(Exception):
    """A witness that is an error, never a verdict; the argument names the error of IStepVerifier."""


class Shape:
    """Rows of one size in an item; heads: of kind 2, then `rows` counts the positions of a head."""

    def __init__(self, row_size, rows, heads=None):
        self.row_size, self.rows, self.heads = row_size, rows, heads
        self.chunks = -(-row_size // CHUNK)
        self.chunk_bits = L2(self.chunks)
        self.position_bits = L2(rows) if heads else 0
        self.height = self.chunk_bits + L2(rows) + (L2(heads) if heads else 0)

    def has_row(self, row):
        if self.heads is None:
            return row < self.rows
        return row >> self.position_bits < self.heads and row & ((1 << self.position_bits) - 1) < self.rows

    def has_leaf(self, leaf):
        return leaf & ((1 << self.chunk_bits) - 1) < self.chunks and self.has_row(leaf >> self.chunk_bits)

    def leaf_size(self, chunk):
        return min(CHUNK, self.row_size - CHUNK * chunk)


class Range:
    """Chunks of an item: bytes [lo, hi) of `row`, or the whole rows [row, row + count) of one chunk each."""

    def __init__(self, tree, item, shape, row, lo=0, hi=None, count=1):
        self.tree, self.item, self.shape, self.row, self.count = tree, item, shape, row, count
        self.lo, self.hi = lo, shape.row_size if hi is None else hi
        if not all(shape.has_row(row + i) for i in range(count)) or not self.lo < self.hi <= shape.row_size:
            raise Refused("BadUnit")
        if count > 1 and shape.chunks > 1:
            raise Refused("BadUnit")
        self.first = self.lo // CHUNK
        self.last = (self.hi - 1) // CHUNK
        self.place = row << shape.chunk_bits | self.first
        self.places = (self.last - self.first + 1) * count

    def sizes(self):
        """The length of each chunk."""
        return [self.shape.leaf_size(c) for c in range(self.first, self.last + 1)] * self.count

    def cut(self, data):
        """Of the chunks' bytes those that were asked for."""
        return data if self.count > 1 else data[self.lo - CHUNK * self.first : self.hi - CHUNK * self.first]


def climb(rng, data, path, items):
    """The root that an opening leads to."""
    sizes, tag = rng.sizes(), 8 * rng.tree
    if len(data) != sum(sizes):
        raise Refused("BadOpening")
    level, at = [], 0
    for size in sizes:
        level.append(keccak256(bytes([tag + LEAF]) + data[at : at + size]))
        at += size
    left = list(path)

    def take():
        if not left:
            raise Refused("BadOpening")
        return left.pop(0)

    a, b = rng.place, rng.place + rng.places
    for h in range(rng.shape.height):
        if a & 1:
            level.insert(0, take())
        if b & 1:
            level.append(take())
        level = [keccak256(bytes([tag + NODE, h + 1]) + level[i] + level[i + 1]) for i in range(0, len(level), 2)]
        a, b = a // 2, -(-b // 2)
    node = level[0]
    for h in range(L2(items)):
        other = take()
        pair = other + node if rng.item >> h & 1 else node + other
        node = keccak256(bytes([tag + TOP, h + 1]) + pair)
    if left:
        raise Refused("BadOpening")
    return node


class Verifier:
    """Reads from a witness's openings, in their order, and verifies each."""

    def __init__(self, openings, roots, items, lists):
        """roots, items: by tree; lists: (count, token hash) of prompt, answer and allowed list; an opening is (data, path)."""
        self.openings, self.roots, self.items, self.lists = list(openings), roots, items, lists

    def _next(self):
        if not self.openings:
            raise Refused("BadOpening")
        return self.openings.pop(0)

    def read(self, rng):
        data, path = self._next()
        if climb(rng, data, path, self.items[rng.tree]) != self.roots[rng.tree]:
            raise Refused("WrongRoot")
        return rng.cut(data)

    def token(self, which, index):
        count, root = self.lists[which]
        if index >= count:
            raise Refused("BadUnit")
        data, path = self._next()
        at = 4 * index // CHUNK
        if len(path) != -(-4 * count // CHUNK) or len(data) != min(CHUNK, 4 * count - CHUNK * at):
            raise Refused("BadOpening")
        if keccak256(data) != path[at] or keccak256(b"".join(path)) != root:
            raise Refused("WrongRoot")
        return unpack_from("<I", data, 4 * index - CHUNK * at)[0]

    def done(self):
        if self.openings:
            raise Refused("BadOpening")


class Tree:
    """A whole tree with its nodes; items: [(Shape, {row number: bytes})]."""

    def __init__(self, tree, items):
        self.tree, self.items = tree, [(shape, dict(rows)) for shape, rows in items]
        self.levels = [self._levels(i) for i in range(len(items))]
        self._above()

    def _levels(self, item):
        shape, rows = self.items[item]
        level = {}
        for row, data in rows.items():
            for c, part in enumerate(chunks_of(data)):
                level[row << shape.chunk_bits | c] = keccak256(bytes([8 * self.tree + LEAF]) + part)
        return self._grow(level, shape.height, NODE, PADDING)

    def _grow(self, level, height, node, padding):
        levels = [level]
        for h in range(1, height + 1):
            empty = keccak256(bytes([8 * self.tree + padding, h - 1]))
            level = {p >> 1: keccak256(bytes([8 * self.tree + node, h]) + level[p] + level.get(p + 1, empty)) for p in level if not p & 1}
            levels.append(level)
        return levels

    def _above(self):
        self.top = self._grow({i: levels[-1][0] for i, levels in enumerate(self.levels)}, L2(len(self.items)), TOP, TOP_PADDING)
        self.root = self.top[-1][0]

    def replace(self, item, row, data):
        """Puts other bytes in place of a row."""
        self.items[item][1][row] = data
        self.levels[item] = self._levels(item)
        self._above()

    def data(self, rng):
        rows = self.items[rng.item][1]
        return b"".join(rows[rng.row + i][CHUNK * rng.first : CHUNK * (rng.last + 1)] for i in range(rng.count))

    def _node(self, levels, h, place, padding):
        return levels[h].get(place) or keccak256(bytes([8 * self.tree + padding, h]))

    def open(self, rng):
        """The opening of a range."""
        path, levels = [], self.levels[rng.item]
        a, b = rng.place, rng.place + rng.places
        for h in range(rng.shape.height):
            if a & 1:
                path.append(self._node(levels, h, a - 1, PADDING))
            if b & 1:
                path.append(self._node(levels, h, b, PADDING))
            a, b = a // 2, -(-b // 2)
        for h in range(L2(len(self.items))):
            path.append(self._node(self.top, h, rng.item >> h ^ 1, TOP_PADDING))
        return self.data(rng), path


class Opener:
    """Reads from whole trees and token lists; keeps the openings of what was read."""

    def __init__(self, trees, lists, keep=True):
        """trees: by number; lists: token ids, as packed bytes, by list."""
        self.trees, self.lists, self.keep, self.openings = trees, lists, keep, []

    def read(self, rng):
        tree = self.trees[rng.tree]
        if self.keep:
            self.openings.append(tree.open(rng))
        return rng.cut(tree.data(rng))

    def token(self, which, index):
        pieces = chunks_of(self.lists[which])
        if 4 * index >= len(self.lists[which]):
            raise Refused("BadUnit")
        if self.keep:
            self.openings.append((pieces[4 * index // CHUNK], [keccak256(p) for p in pieces]))
        return unpack_from("<I", self.lists[which], 4 * index)[0]

    def done(self):
        pass
