"""Section 13: units of proof. What a unit reads comes from a reader (openings.py)."""

from struct import unpack

from . import model as m
from .answer import gumbel
from .blocks import TYPES, F127, TINY, A8Row, a8_block, unpack_row, value
from .f32 import INF, NAN, ONE, add, canon, div, exp32, fma, from_int, key, log32, magnitude, mul, sub, to_int
from .openings import ALLOWED, ANSWER, PROMPT, Range, Refused, Shape
from .ops import Matrix, fold, linear, rms, rms_root, rope, silu_mul
from .trees import CHUNK, L2, PROGRAM, ROPE, TRACE, WEIGHTS
from .wellformed import Descriptor, row_size, well_formed

OUTPUT, TOKEN, PARTIAL_CHUNK, PARTIAL_MAXIMUM, PARTIAL_RUNNING, PARTIAL_FINAL, UNLISTED = range(7)
THE_INDEX = NOT_THE_LIST = 0xFFFFFFFF
KEYS = 32


class Facts:
    """What a unit knows of the claim; the policy's numbers as f32 bits."""

    def __init__(self, prompt_count, answer_count, allowed_count, temperature, min_p, seed):
        self.prompt_count, self.answer_count, self.allowed_count = prompt_count, answer_count, allowed_count
        self.temperature, self.min_p, self.seed = temperature, min_p, seed
        self.positions = prompt_count + answer_count - 1


class Unit:
    def __init__(self, kind, op, leaf, unit, place=0):
        self.kind, self.op, self.leaf, self.unit, self.place = kind, op, leaf, unit, place


def _ensure(ok, error="BadUnit"):
    if not ok:
        raise Refused(error)


def words(data):
    return list(unpack("<%dI" % (len(data) // 4), data))


class Check:
    """One unit, recomputed. `wrong()` is the verdict; Refused is raised for what is none."""

    def __init__(self, facts, commitment, unit, reader, partials=b""):
        self.f, self.c, self.u, self.reader = facts, commitment, unit, reader
        self.p = Partials(partials) if partials else None

    def wrong(self):
        u = self.u
        _ensure(u.op < self.c["opCount"])
        if u.kind == UNLISTED:
            verdict = self._unlisted()
            self.reader.done()
            return verdict
        self.d = self._descriptor(u.op)
        self.inputs = [self._descriptor(i) for i in self.d.inputs if i != m.ABSENT]
        well_formed(u.op, self.d, self.inputs, self.c)
        if u.kind == TOKEN:
            verdict = self._token()
        else:
            self._locate()
            verdict = self._output() if u.kind == OUTPUT else self._partial()
        self.reader.done()
        return verdict

    def _descriptor(self, op):
        _ensure(op < self.u.op or op == self.u.op, "MalformedProgram")
        return Descriptor(self.reader.read(Range(PROGRAM, 0, Shape(256, self.c["opCount"]), op)))

    # ---- places

    def _shape(self, d):
        if d.kind == m.KV:
            return Shape(row_size(d), self.f.positions, d.kv_heads)
        return Shape(row_size(d), self.f.answer_count if d.kind == m.SAMPLED else self.f.positions)

    def _locate(self):
        shape = self._shape(self.d)
        _ensure(shape.has_leaf(self.u.leaf))
        self.row = self.u.leaf >> shape.chunk_bits
        chunk = self.u.leaf & ((1 << shape.chunk_bits) - 1)
        self.lo, self.hi = CHUNK * chunk, CHUNK * chunk + shape.leaf_size(chunk)
        self.head, self.t = 0, self.row
        if self.d.kind == m.SAMPLED:
            self.t = self.f.prompt_count - 1 + self.row
        elif self.d.kind == m.KV:
            self.head, self.t = self.row >> shape.position_bits, self.row & ((1 << shape.position_bits) - 1)

    def _lies_in_leaf(self, at, size):
        return self.lo <= at and at + size <= self.hi

    # ---- reads

    def _read(self, d, op, row, lo=0, hi=None):
        return self.reader.read(Range(TRACE, op, self._shape(d), row, lo, hi))

    def _read_leaf(self):
        self.x = self._read(self.d, self.u.op, self.row, self.lo, self.hi)

    def _at(self, at, size=4):
        """Of the disputed chunk the bytes of the row from `at` on."""
        return self.x[at - self.lo : at - self.lo + size]

    def _read_input(self, k, lo=0, hi=None):
        d = self.inputs[k]
        return self._read(d, self.d.inputs[k], self.row if d.kind == m.SAMPLED else self.t, lo, hi)

    def _input_element(self, k, e):
        return words(self._read_input(k, 4 * e, 4 * e + 4))[0]

    def _input_row(self):
        """The A8 row that LINEAR takes."""
        d = self.inputs[0]
        return stored_row(self._read_input(0), d.width, d.block)

    def _read_weight(self, k, row, lo=0, hi=None):
        w = self.d.weights[k]
        return self.reader.read(Range(WEIGHTS, w.tensor, Shape(w.row_size(), w.rows), row, lo, hi))

    def _dot(self, x, k, r):
        """LINEAR of row r of weight k, with the bias after it where there is one."""
        w = self.d.weights[k]
        matrix = Matrix(w.type, 1, w.columns, self._read_weight(k, r))
        bias = None
        if k + 1 < 4 and not self.d.weights[k + 1].absent:
            bias = words(self._read_weight(k + 1, 0, 4 * r, 4 * r + 4))
        return linear(matrix, x, bias)[0]

    # ---- outputs

    def _output(self):
        d = self.d
        _ensure(d.opcode != m.ATTN)
        if d.form == m.FORM_SAMPLE:
            self._read_leaf()
            return self._sample()
        _ensure(self.u.unit < d.width)
        if d.form == m.FORM_A8:
            return self._a8()
        _ensure(self._lies_in_leaf(4 * self.u.unit, 4))
        self._read_leaf()
        y = self._rms() if d.form == m.FORM_RMS else canon(self._f32())
        return y != words(self._at(4 * self.u.unit))[0]

    def _a8(self):
        d, e = self.d, self.u.unit
        blocks = -(-d.width // d.block)
        b, j = divmod(e, d.block)
        length = min(d.block, d.width - b * d.block)
        entry_here, q_here = self._lies_in_leaf(8 * b, 8), self._lies_in_leaf(8 * blocks + e, 1)
        _ensure(entry_here or q_here)
        self._read_leaf()
        scale, idx = words(self._at(8 * b, 8) if entry_here else self._read(d, self.u.op, self.row, 8 * b, 8 * b + 8))
        x = canon(self._a8_element(e))
        if entry_here:
            a = a_of(x)
            if idx >= length or a > scale or (a == scale and j < idx) or (j == idx and a != scale):
                return True
        if q_here:
            return unpack("b", self._at(8 * blocks + e, 1))[0] != quantum(x, scale)
        return False

    def _a8_element(self, e):
        d = self.d
        if d.opcode == m.NORM_Q:
            x = self._input_element(0, e)
            r = self._input_element(1, self.inputs[1].width - 1)
            return mul(mul(x, r), words(self._read_weight(0, 0, 4 * e, 4 * e + 4))[0])
        if d.opcode == m.QUANT:
            return self._input_element(0, e)
        if d.opcode == m.LINEAR_SILU_MUL_Q:
            x = self._input_row()
            gate = self._dot(x, 0, e)
            return silu_mul([gate], [self._dot(x, 2, e)])[0]
        if d.opcode == m.SILU_MUL_Q:
            gate = self._input_element(0, e)
            return silu_mul([gate], [self._input_element(1, e)])[0]
        if d.opcode == m.ROPE_Q:
            return self._rotated(e, lambda r: self._input_element(0, r))
        x = self._input_row()
        return self._rotated(e, lambda r: self._dot(x, 0, r))

    def _rotated(self, e, element):
        """Element e of heads of `element`; with ROPE where the operation has a rotary width."""
        d = self.d
        i = e % d.head_width
        start = self.head * d.head_width if d.kind == m.KV else e - i
        if i >= d.rot:
            return element(start + i)
        half = d.rot // 2
        p = i // 2 if d.pairing == 1 else i % half
        a, b = (2 * p, 2 * p + 1) if d.pairing == 1 else (p, p + half)
        x = [element(start + a), element(start + b)]
        shape = Shape(4 * d.rot, self.c["maxPositions"])
        row = words(self.reader.read(Range(ROPE, 0, shape, self.t, 8 * p, 8 * p + 8)))
        return rope(x, 2, 2, 1, row)[i != a]

    def _f32(self):
        d, e = self.d, self.u.unit
        if d.opcode == m.EMBED:
            return self._embedded(e)
        added = self._input_element(1, e) if d.opcode == m.LINEAR_ADD else None
        y = self._dot(self._input_row(), 0, e)
        return y if added is None else add(added, y)

    def _embedded(self, e):
        prompt = self.f.prompt_count
        token = self.reader.token(PROMPT, self.t) if self.t < prompt else self.reader.token(ANSWER, self.t - prompt)
        w = self.d.weights[0]
        if token >= w.rows:
            return 0
        kind = TYPES[w.type]
        at = e // kind.elements * kind.size
        values = [value(q, s, n) for qs, s, n in unpack_row(w.type, self._read_weight(0, token, at, at + kind.size)) for q in qs]
        return values[e % kind.elements]

    def _rms(self):
        s, n = self.u.unit, self.inputs[0].width
        if s == self.d.width - 1:
            return rms_root(words(self.x)[:-1], n, self.d.scalar)
        return rms(words(self._read_input(0, 1024 * s, min(1024 * s + 1024, 4 * n))), 0)[0]

    # ---- sampling

    def _listed(self):
        """Where there is an allowed list, the unit must be its element `place`."""
        if self.f.allowed_count:
            _ensure(self.reader.token(ALLOWED, self.u.place) == self.u.unit)

    def _sample(self):
        top, index = words(self.x)
        w, vocab = self.u.unit, self.c["vocabSize"]
        _ensure(w < vocab or w == THE_INDEX)
        if index >= vocab:
            return True
        if w == THE_INDEX:
            if self.f.allowed_count and self.u.place != NOT_THE_LIST:
                return self._lacks(index)
            return canon(self._dot(self._input_row(), 0, index)) != top
        self._listed()
        logit = canon(self._dot(self._input_row(), 0, w))
        return key(logit) > key(top) or (logit == top and w < index)

    def _lacks(self, token):
        place, count = self.u.place, self.f.allowed_count
        _ensure(place <= count)
        if place > 0:
            _ensure(self.reader.token(ALLOWED, place - 1) < token)
        if place < count:
            _ensure(self.reader.token(ALLOWED, place) > token)
        return True

    def _token(self):
        f, w = self.f, self.u.unit
        _ensure(self.d.opcode == m.SAMPLE and self.u.leaf < f.answer_count)
        self.row = self.u.leaf
        c = self.reader.token(ANSWER, self.row)
        top, index = words(self._read(self.d, self.u.op, self.row))
        if f.temperature == 0:
            _ensure(w == 0)
            return c != index
        _ensure(w < self.c["vocabSize"])
        if w != c:
            self._listed()
        x = self._input_row()
        mine = canon(self._dot(x, 0, c))
        if w == c:
            return not self._passes(mine, top)
        other = canon(self._dot(x, 0, w))
        _ensure(self._passes(other, top))
        mine, other = key(self._score(mine, c)), key(self._score(other, w))
        return other > mine or (other == mine and w < c)

    def _unlisted(self):
        f, u = self.f, self.u
        _ensure(u.op == self.c["samplerOp"] and u.unit == 0 and f.allowed_count)
        _ensure(u.leaf < f.answer_count)
        return self._lacks(self.reader.token(ANSWER, u.leaf))

    def _passes(self, logit, top):
        return key(canon(mul(canon(sub(logit, top)), self._inverse()))) >= key(log32(self.f.min_p))

    def _inverse(self):
        return div(ONE, self.f.temperature)

    def _score(self, logit, token):
        return canon(add(mul(logit, self._inverse()), gumbel(token, self.f.prompt_count + self.row, self.f.seed)))

    # ---- attention

    def _partial(self):
        d, u, p = self.d, self.u, self.p
        _ensure(d.opcode == m.ATTN and u.unit < d.width and self._lies_in_leaf(4 * u.unit, 4))
        chunks = self.t // KEYS + 1
        if u.kind == PARTIAL_FINAL:
            self._read_leaf()
            z, o = p.running[-1]
            return canon(div(o, z)) != words(self._at(4 * u.unit))[0]
        if u.kind == PARTIAL_RUNNING:
            _ensure(u.place < len(p.running))
            return p.run(u.place) != p.running[u.place]
        _ensure(u.place < chunks)
        if u.kind == PARTIAL_MAXIMUM:
            m_c = p.chunks[u.place][0]
            return key(m_c) > key(p.top) or (u.place == p.which and m_c != p.top)
        return attn_chunk(*self._attn_inputs()) != p.chunks[u.place]

    def _read_keys(self, k):
        d, pb = self.inputs[k], L2(self.f.positions)
        g = self.u.unit // self.d.head_width // (self.d.heads // self.d.kv_heads)
        start = KEYS * self.u.place
        count = min(KEYS, self.t + 1 - start)
        shape = self._shape(d)
        data = self.reader.read(Range(TRACE, self.d.inputs[k], shape, g << pb | start, count=count))
        return [stored_row(data[i * shape.row_size : (i + 1) * shape.row_size], d.width, d.block) for i in range(count)]

    def _attn_inputs(self):
        d, q = self.d, self.inputs[0]
        h, i = divmod(self.u.unit, d.head_width)
        per_head = d.head_width // q.block
        scales = words(self._read_input(0, 8 * h * per_head, 8 * (h + 1) * per_head))[::2]
        at = 8 * d.heads * per_head + h * d.head_width
        values = list(unpack("%db" % d.head_width, self._read_input(0, at, at + d.head_width)))
        return values, scales, self._read_keys(1), self._read_keys(2), i, d.scalar


def stored_row(data, width, block):
    """An A8 row from its committed bytes."""
    row = A8Row([], block)
    blocks = -(-width // block)
    entries = words(data[: 8 * blocks])
    row.d, row.idx = entries[::2], entries[1::2]
    row.q = list(unpack("%db" % width, data[8 * blocks :]))
    return row


def a_of(x):
    if magnitude(x) >= INF:
        return NAN
    return 0 if magnitude(x) < TINY else div(magnitude(x), F127)


def quantum(x, scale):
    """The value that x has in a block of this scale; None where none of -127 to 127 is right."""
    if magnitude(scale) == 0 or scale >= INF:
        return 0
    y = mul(x, div(ONE, scale))
    if magnitude(y) >= INF:
        return None
    q = to_int(y)
    return q if -127 <= q <= 127 else None


def attn_chunk(q, d_q, keys, values, i, scale):
    """(m, z, o) of element i of a head over one chunk of positions."""
    block = keys[0].block
    absent = [0] * (KEYS - len(keys))
    scores = []
    for k in keys:
        acc = 0
        for b, dq in enumerate(d_q):
            part = slice(b * block, (b + 1) * block)
            acc = fma(from_int(sum(map(int.__mul__, q[part], k.q[part]))), mul(mul(dq, scale), k.d[b]), acc)
        scores.append(canon(acc))
    top = max(scores, key=key)
    e = [exp32(sub(s, top)) for s in scores]
    b = i // block
    p, scale_p, _ = a8_block([mul(ei, v.d[b]) for ei, v in zip(e, values)] + absent)
    o = mul(from_int(sum(pi * v.q[i] for pi, v in zip(p, values))), scale_p)
    return top, canon(fold(e + absent)), canon(o)


class Partials:
    """An attention element's partials, from their bytes or (of_chunks) from the chunks."""

    def __init__(self, data):
        w = words(data)
        # 3 n + 2 + 2 ceil(n / 32) words
        n = next(n for n in range(1, len(w)) if 3 * n + 2 + 2 * -(-n // KEYS) == len(w))
        self.chunks = [tuple(w[3 * c : 3 * c + 3]) for c in range(n)]
        self.top, self.which = w[3 * n : 3 * n + 2]
        rest = w[3 * n + 2 :]
        self.running = list(zip(rest[::2], rest[1::2]))

    @classmethod
    def of_chunks(cls, chunks):
        p = cls.__new__(cls)
        p.chunks, p.running = chunks, []
        p.which = max(range(len(chunks)), key=lambda c: (key(chunks[c][0]), -c))
        p.top = chunks[p.which][0]
        for k in range(-(-len(chunks) // KEYS)):
            p.running.append(p.run(k))
        return p

    def run(self, k):
        """Running sum k, from the one before it."""
        z, o = self.running[k - 1] if k else (0, 0)
        for m_c, z_c, o_c in self.chunks[KEYS * k : KEYS * k + KEYS]:
            f = exp32(sub(m_c, self.top))
            z, o = fma(f, z_c, z), fma(f, o_c, o)
        return canon(z), canon(o)

    def words(self):
        return [v for c in self.chunks for v in c] + [self.top, self.which] + [v for pair in self.running for v in pair]
