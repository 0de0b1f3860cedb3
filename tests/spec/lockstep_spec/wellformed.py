"""Section 13: descriptors, and the rules that a well-formed program keeps."""

from struct import unpack

from . import model as m
from .blocks import TYPES
from .openings import Refused

MAX_COUNT = 1 << 24
MAX_COLUMNS, MAX_COLUMNS_TWO_ROWS, MAX_RMS = 52000, 32768, 65280
TWO_ROWS = (m.LINEAR_ROPE_Q, m.LINEAR_SILU_MUL_Q, m.SAMPLE)
OF_HEADS = (m.LINEAR_Q, m.LINEAR_ROPE_Q, m.ROPE_Q)
# Words 25 to 29 that an operation uses, from the first on.
GEOMETRY = {m.LINEAR_Q: 3, m.LINEAR_ROPE_Q: 5, m.ROPE_Q: 5, m.ATTN: 3}
INPUTS = {m.EMBED: 0, m.RMS: 1, m.NORM_Q: 2, m.QUANT: 1, m.LINEAR: 1, m.LINEAR_Q: 1, m.LINEAR_ROPE_Q: 1, m.LINEAR_SILU_MUL_Q: 1,
          m.LINEAR_ADD: 2, m.ROPE_Q: 1, m.SILU_MUL_Q: 2, m.ATTN: 3, m.SAMPLE: 1}


class Weight:
    def __init__(self, words):
        self.tensor, self.type, self.rows, self.columns = words
        self.absent = words == (m.ABSENT, 0, 0, 0)

    def row_size(self):
        return 4 * self.columns if self.type == m.F32 else self.columns // TYPES[self.type].elements * TYPES[self.type].size


class Descriptor:
    def __init__(self, data):
        w = unpack("<64I", data)
        self.opcode, self.kind, self.form, self.width, self.block = w[:5]
        self.inputs = w[5:9]
        self.weights = [Weight(w[i : i + 4]) for i in (9, 13, 17, 21)]
        self.heads, self.kv_heads, self.head_width, self.rot, self.pairing = self.geometry = w[25:30]
        self.scalar, self.vocab, self.rest = w[30], w[31], w[32:]

    def is_of_heads(self):
        return self.opcode in OF_HEADS or self.head_width != 0

    def is_f32(self, width, kind=m.POSITION):
        return (self.form, self.kind, self.width) == (m.FORM_F32, kind, width)

    def is_a8(self, kind, block=64, width=None):
        return (self.form, self.kind, self.block) == (m.FORM_A8, kind, block) and width in (None, self.width)


def row_size(d):
    if d.form == m.FORM_A8:
        return 8 * -(-d.width // d.block) + d.width
    return 4 * d.width


def _ensure(ok):
    if not ok:
        raise Refused("MalformedProgram")


def well_formed(index, d, inputs, c):
    """Raises Refused unless operation `index` keeps the rules. inputs: descriptors of its present inputs; c: the model's commitment."""
    _ensure(d.opcode in INPUTS and (d.opcode == m.SAMPLE) == (index == c["samplerOp"]))
    _ensure(1 <= d.width <= MAX_COUNT and d.kind in (m.POSITION, m.SAMPLED, m.KV) and not any(d.rest))
    n = INPUTS[d.opcode]
    _ensure(all(i < index for i in d.inputs[:n]) and all(i == m.ABSENT for i in d.inputs[n:]))
    _ensure(not any(d.geometry[GEOMETRY.get(d.opcode, 0) :]))
    _ensure(d.opcode in (m.RMS, m.ATTN) or d.scalar == 0)
    _ensure(d.vocab == (c["vocabSize"] if d.opcode in (m.EMBED, m.SAMPLE) else 0))
    _RULES[d.opcode](d, inputs, c)


def _output(d, form, kinds, width, block=0):
    _ensure(d.form == form and d.kind in kinds and d.width == width and d.block == block)


def _tensor(w, c):
    _ensure(w.tensor < c["tensorCount"])


def _matrix(w, rows, columns, opcode, c):
    _tensor(w, c)
    _ensure(w.type in TYPES and w.rows == rows and w.columns == columns and 1 <= rows <= MAX_COUNT)
    _ensure(columns > 0 and columns % TYPES[w.type].elements == 0)
    _ensure(columns <= (MAX_COLUMNS_TWO_ROWS if opcode in TWO_ROWS else MAX_COLUMNS))


def _vector(w, columns, c):
    _tensor(w, c)
    _ensure((w.type, w.rows, w.columns) == (m.F32, 1, columns))


def _weights(d, rules, c):
    """rules: for each weight ("matrix", rows, columns), ("vector", n), ("bias", n) which may be absent; the rest is absent."""
    for w, rule in zip(d.weights, rules + [None] * 4):
        if rule is None or (rule[0] == "bias" and w.absent):
            _ensure(w.absent)
        elif rule[0] == "matrix":
            _matrix(w, rule[1], rule[2], d.opcode, c)
        else:
            _vector(w, rule[1], c)


def _linear_input(x):
    """The width of an A8 row that LINEAR can take."""
    _ensure(x.is_a8(m.POSITION) and not x.is_of_heads())
    return x.width


def _heads(d):
    """The block length."""
    hd = d.head_width
    _ensure(1 <= d.kv_heads <= d.heads <= 4096 and d.heads % d.kv_heads == 0 and (1 <= hd <= 128 or hd == 256))
    return min(hd, 128)


def _head_row(d, rotates):
    """Checks the output and returns the rows of the matrix behind it."""
    block = _heads(d)
    if rotates:
        _ensure(d.rot % 2 == 0 and 2 <= d.rot <= d.head_width and d.pairing in (1, 2))
    else:
        _ensure(d.rot == 0 and d.pairing == 0)
    if d.kind == m.KV:
        _output(d, m.FORM_A8, (m.KV,), d.head_width, block)
        return d.kv_heads * d.head_width
    _output(d, m.FORM_A8, (m.POSITION,), d.heads * d.head_width, block)
    return d.width


def _embed(d, inputs, c):
    _output(d, m.FORM_F32, (m.POSITION,), d.width)
    _weights(d, [("matrix", c["vocabSize"], d.width)], c)


def _rms_width(d, x):
    """The width of the f32 row that RMS and NORM_Q take."""
    _ensure(x.form == m.FORM_F32 and 1 <= x.width <= MAX_RMS and x.kind in ((0, 1) if d.kind == m.SAMPLED else (0,)))
    return x.width


def _rms(d, inputs, c):
    _output(d, m.FORM_RMS, (m.POSITION, m.SAMPLED), -(-_rms_width(d, inputs[0]) // 256) + 1)
    _weights(d, [], c)


def _norm_q(d, inputs, c):
    x, r = inputs
    _output(d, m.FORM_A8, (m.POSITION, m.SAMPLED), _rms_width(d, x), 64)
    _ensure((r.form, r.kind, r.width) == (m.FORM_RMS, d.kind, -(-d.width // 256) + 1))
    _weights(d, [("vector", d.width)], c)


def _quant(d, inputs, c):
    _output(d, m.FORM_A8, (m.POSITION,), d.width, 64)
    _ensure(inputs[0].is_f32(d.width))
    _weights(d, [], c)


def _linear(d, inputs, c):
    _output(d, m.FORM_F32, (m.POSITION,), d.width)
    columns = _linear_input(inputs[0])
    if d.opcode == m.LINEAR_ADD:
        _ensure(inputs[1].is_f32(d.width))
    _weights(d, [("matrix", d.width, columns), ("bias", d.width)], c)


def _linear_heads(d, inputs, c):
    rows = _head_row(d, d.opcode == m.LINEAR_ROPE_Q)
    _weights(d, [("matrix", rows, _linear_input(inputs[0])), ("bias", rows)], c)


def _linear_silu(d, inputs, c):
    _output(d, m.FORM_A8, (m.POSITION,), d.width, 64)
    matrix = ("matrix", d.width, _linear_input(inputs[0]))
    _weights(d, [matrix, ("bias", d.width), matrix, ("bias", d.width)], c)


def _rope_q(d, inputs, c):
    _ensure(inputs[0].is_f32(_head_row(d, True)))
    _weights(d, [], c)


def _silu(d, inputs, c):
    _output(d, m.FORM_A8, (m.POSITION,), d.width, 64)
    _ensure(all(x.is_f32(d.width) for x in inputs))
    _weights(d, [], c)


def _attn(d, inputs, c):
    block = _heads(d)
    _output(d, m.FORM_F32, (m.POSITION,), d.heads * d.head_width)
    q, k, v = inputs
    _ensure(all(x.geometry[:3] == d.geometry[:3] for x in inputs))
    _ensure(q.is_a8(m.POSITION, block, d.width) and all(x.is_a8(m.KV, block, d.head_width) for x in (k, v)))
    _weights(d, [], c)


def _sample(d, inputs, c):
    _output(d, m.FORM_SAMPLE, (m.SAMPLED,), 2)
    x = inputs[0]
    _ensure(x.is_a8(m.SAMPLED) and not x.is_of_heads())
    _weights(d, [("matrix", c["vocabSize"], x.width)], c)


_RULES = {m.EMBED: _embed, m.RMS: _rms, m.NORM_Q: _norm_q, m.QUANT: _quant, m.LINEAR: _linear, m.LINEAR_ADD: _linear, m.LINEAR_Q: _linear_heads,
          m.LINEAR_ROPE_Q: _linear_heads, m.LINEAR_SILU_MUL_Q: _linear_silu, m.ROPE_Q: _rope_q, m.SILU_MUL_Q: _silu, m.ATTN: _attn,
          m.SAMPLE: _sample}
