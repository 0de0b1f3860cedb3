"""Section 7, and the run of a whole program with every operation's rows."""

from struct import pack

from . import model as m
from .blocks import A8Row
from .f32 import add, canon, div, from_int, key, log32, mul, neg, philox4x32, pow2, sub
from .ops import attn, embed, linear, norm, residual_add, rms, rope, sample, silu_mul
from .trees import L2, TRACE, item_root, top_root

ONE = from_int(1)


class Policy:
    def __init__(self, temperature=0, min_p=0, seed=0, allowed=None):
        self.temperature, self.min_p, self.seed, self.allowed = temperature, min_p, seed, allowed


def gumbel(token, position, seed):
    w = philox4x32((token >> 2, position, 0, 0), (seed & 0xFFFFFFFF, seed >> 32))[token & 3]
    u = mul(from_int((w >> 8) | 1), pow2(-24))
    return neg(log32(neg(log32(u))))


def choose(logits, tokens, policy, position):
    """(token, M, index) from the canonical logits of the given tokens."""
    top, index = sample(logits, tokens)
    if policy.temperature == 0:
        return index, top, index
    inverse = div(ONE, policy.temperature)
    threshold = key(log32(policy.min_p))
    best = None
    for logit, token in zip(logits, tokens):
        if key(mul(canon(sub(logit, top)), inverse)) < threshold:
            continue
        score = key(add(mul(logit, inverse), gumbel(token, position, policy.seed)))
        if best is None or (score, -token) > best:
            best = (score, -token)
    return -best[1], top, index


class Run:
    """Feeds positions one at a time and keeps every row: rows[op][t], or rows[op][head][t] for kind 2."""

    def __init__(self, model):
        self.model = model
        self.rows = [[[] for _ in range(model.kv_heads)] if op.kind == m.KV else [] for op in model.ops]
        self.positions = 0

    def feed(self, token):
        t = self.positions
        for i, op in enumerate(self.model.ops):
            if op.kind == m.SAMPLED:
                continue
            if op.kind == m.KV:
                for head, part in enumerate(self._kv(op, t)):
                    self.rows[i][head].append(part)
            else:
                self.rows[i].append(self._row(op, t, token))
        self.positions += 1

    def _input(self, op, i, t):
        return self.rows[op.inputs[i]][t]

    def _kv(self, op, t):
        y = self._input(op, 0, t)
        if op.opcode != m.ROPE_Q:
            y = linear(op.weights[0].matrix, y, _vector(op.weights[1]))
        if op.opcode != m.LINEAR_Q:
            y = self._rope(op, y, t)
        width = op.geometry[2]
        return [A8Row(y[at : at + width], op.block) for at in range(0, len(y), width)]

    def _rope(self, op, y, t):
        return rope(y, op.geometry[2], op.geometry[3], op.geometry[4], self.model.rope_row(t))

    def _row(self, op, t, token):
        w = op.weights
        if op.opcode == m.EMBED:
            return embed(w[0].matrix, token)
        x = self._input(op, 0, t)
        if op.opcode == m.RMS:
            return rms(x, op.scalar)
        if op.opcode == m.NORM_Q:
            return A8Row(norm(x, self._input(op, 1, t)[-1], w[0].vector), op.block)
        if op.opcode == m.QUANT:
            return A8Row(x, op.block)
        if op.opcode == m.LINEAR:
            return [canon(v) for v in linear(w[0].matrix, x, _vector(w[1]))]
        if op.opcode == m.LINEAR_Q:
            return A8Row(linear(w[0].matrix, x, _vector(w[1])), op.block)
        if op.opcode == m.LINEAR_ROPE_Q:
            return A8Row(self._rope(op, linear(w[0].matrix, x, _vector(w[1])), t), op.block)
        if op.opcode == m.ROPE_Q:
            return A8Row(self._rope(op, x, t), op.block)
        if op.opcode == m.SILU_MUL_Q:
            return A8Row(silu_mul(x, self._input(op, 1, t)), op.block)
        if op.opcode == m.LINEAR_ADD:
            return residual_add(self._input(op, 1, t), linear(w[0].matrix, x, _vector(w[1])))
        if op.opcode == m.LINEAR_SILU_MUL_Q:
            gate, up = linear(w[0].matrix, x, _vector(w[1])), linear(w[2].matrix, x, _vector(w[3]))
            return A8Row(silu_mul(gate, up), op.block)
        if op.opcode == m.ATTN:
            keys, values = self.rows[op.inputs[1]], self.rows[op.inputs[2]]
            return attn(x, keys, values, *op.geometry, op.scalar)
        raise ValueError("opcode")

    def sample(self, policy):
        """The next token after the positions fed: fills the operations of a sampled position."""
        t, ops = self.positions - 1, self.model.ops
        for i, op in enumerate(ops):
            if op.kind != m.SAMPLED:
                continue
            r = [self.rows[j][-1] if ops[j].kind == m.SAMPLED else self.rows[j][t] for j in op.inputs]
            if op.opcode == m.RMS:
                self.rows[i].append(rms(r[0], op.scalar))
            elif op.opcode == m.NORM_Q:
                self.rows[i].append(A8Row(norm(r[0], r[1][-1], op.weights[0].vector), op.block))
            else:
                tokens = policy.allowed if policy.allowed is not None else range(op.vocab)
                self.logits = [canon(v) for v in linear(op.weights[0].matrix, r[0], only=tokens)]
                token, top, index = choose(self.logits, tokens, policy, self.positions)
                self.rows[i].append([top, index])
        return token

    def generate(self, prompt, policy, max_tokens, eos):
        for token in prompt:
            self.feed(token)
        answer = []
        while True:
            answer.append(self.sample(policy))
            if answer[-1] in eos or len(answer) == max_tokens:
                return answer
            self.feed(answer[-1])

    def roots(self):
        """The root of every operation's item, and the trace root."""
        roots = []
        for op, rows in zip(self.model.ops, self.rows):
            if op.kind == m.KV:
                bits = L2(self.positions)
                numbered = {h << bits | t: committed(op, row) for h, of in enumerate(rows) for t, row in enumerate(of)}
                roots.append(item_root(TRACE, numbered, L2(len(rows)) + bits))
            else:
                roots.append(item_root(TRACE, {r: committed(op, row) for r, row in enumerate(rows)}, L2(len(rows))))
        return roots, top_root(TRACE, roots)


def _vector(tensor):
    return tensor.vector if tensor else None


def committed(op, row):
    """The bytes of a row in the trace."""
    if op.form != m.FORM_A8:
        return pack("<%dI" % len(row), *row)
    entries = [v for pair in zip(row.d, row.idx) for v in pair]
    return pack("<%dI" % len(entries), *entries) + pack("<%db" % len(row.q), *row.q)
