"""Section 5: the operations, each a function of one row."""

from .blocks import a8_block, unpack_row, value
from .f32 import ONE, add, canon, div, exp32, fma, from_int, key, mul, neg, sqrt, sub

CHUNK = 32


class Matrix:
    """A weight matrix in its stored bytes; rows are unpacked once."""

    def __init__(self, number, rows, columns, data):
        self.number, self.rows, self.columns = number, rows, columns
        self.size = len(data) // rows
        self.data = data
        self._rows = {}

    def row(self, r):
        if r not in self._rows:
            self._rows[r] = unpack_row(self.number, self.data[r * self.size : (r + 1) * self.size])
        return self._rows[r]


def embed(matrix, token):
    if token >= matrix.rows:
        return [0] * matrix.columns
    return [canon(value(q, w, n)) for qs, w, n in matrix.row(token) for q in qs]


def linear(matrix, row, bias=None, only=None):
    """LINEAR of an A8 row: one f32 for every row of the matrix (or for those in `only`), not yet canonical."""
    sums = {}
    starts = range(0, len(row.q), row.block)
    out = []
    for r in range(matrix.rows) if only is None else only:
        sub_blocks = matrix.row(r)
        length = len(sub_blocks[0][0])
        acc = 0
        for b, start in enumerate(starts):
            s = 0
            for at in range(start, min(start + row.block, len(row.q)), length):
                q, w, n = sub_blocks[at // length]
                a = row.q[at : at + length]
                s = fma(from_int(sum(map(int.__mul__, q, a))), w, s)
                if n is not None:
                    if at not in sums:
                        sums[at] = neg(from_int(sum(a)))
                    s = fma(sums[at], n, s)
            acc = fma(s, row.d[b], acc)
        out.append(add(acc, bias[r]) if bias else acc)
    return out


def silu_mul(gate, up):
    return [mul(div(g, add(ONE, exp32(neg(g)))), u) for g, u in zip(gate, up)]


def residual_add(x, y):
    return [canon(add(a, b)) for a, b in zip(x, y)]


def fold(lanes):
    """The sum of 32 lanes: halves added, 16, 8, 4, 2, 1."""
    lanes = list(lanes)
    for h in (16, 8, 4, 2, 1):
        lanes = [add(lanes[j], lanes[j + h]) for j in range(h)]
    return lanes[0]


def rms(x, epsilon):
    """The segments' sums, then r."""
    sums = []
    for start in range(0, len(x), 256):
        lanes = [0] * 32
        for i, v in enumerate(x[start : start + 256]):
            lanes[i % 32] = fma(v, v, lanes[i % 32])
        sums.append(canon(fold(lanes)))
    return sums + [rms_root(sums, len(x), epsilon)]


def rms_root(sums, n, epsilon):
    total = 0
    for s in sums:
        total = add(total, s)
    return canon(div(ONE, sqrt(add(div(total, from_int(n)), epsilon))))


def norm(x, r, gain):
    return [mul(mul(v, r), g) for v, g in zip(x, gain)]


def rope(x, width, rot, pairing, table_row):
    """ROPE of every head of a row. pairing 1: interleaved, 2: half-split."""
    out = list(x)
    for head in range(0, len(x), width):
        for i in range(rot // 2):
            c, s = table_row[2 * i], table_row[2 * i + 1]
            ia, ib = (head + 2 * i, head + 2 * i + 1) if pairing == 1 else (head + i, head + i + rot // 2)
            a, b = x[ia], x[ib]
            out[ia] = fma(a, c, neg(mul(b, s)))
            out[ib] = fma(b, c, mul(a, s))
    return out


def default_scale(width):
    return div(ONE, sqrt(from_int(width)))


def _score(q_head, d_q, k, scale, block):
    acc = 0
    for b, dq in enumerate(d_q):
        at = b * block
        dot = sum(map(int.__mul__, q_head[at : at + block], k.q[at : at + block]))
        acc = fma(from_int(dot), mul(mul(dq, scale), k.d[b]), acc)
    return canon(acc)


def attn(q, keys, values, heads, kv_heads, width, scale):
    """ATTN of position t: q a row of all heads; keys[g] and values[g] the A8 rows of key-value head g for positions 0 to t."""
    out = []
    block = q.block
    per_head = width // block
    for h in range(heads):
        g = h // (heads // kv_heads)
        qh, dq = q.q[h * width : (h + 1) * width], q.d[h * per_head : (h + 1) * per_head]
        chunks = []
        for start in range(0, len(keys[g]), CHUNK):
            ks, vs = keys[g][start : start + CHUNK], values[g][start : start + CHUNK]
            absent = [0] * (CHUNK - len(ks))
            scores = [_score(qh, dq, k, scale, block) for k in ks]
            m = max(scores, key=key)
            e = [exp32(sub(s, m)) for s in scores]
            z = fold(e + absent)
            o = []
            for b in range(per_head):
                qp, dp, _ = a8_block([mul(ei, v.d[b]) for ei, v in zip(e, vs)] + absent)
                for d in range(b * block, (b + 1) * block):
                    o.append(mul(from_int(sum(p * v.q[d] for p, v in zip(qp, vs))), dp))
            chunks.append((m, z, o))
        top = max((c[0] for c in chunks), key=key)
        z, o = 0, [0] * width
        for m_c, z_c, o_c in chunks:
            f = exp32(sub(m_c, top))
            z = fma(f, z_c, z)
            o = [fma(f, x, y) for x, y in zip(o_c, o)]
        out += [canon(div(x, z)) for x in o]
    return out


def sample(logits, tokens):
    """(M, index) of canonical logits of the given tokens."""
    return max(zip(logits, tokens), key=lambda pair: (key(pair[0]), -pair[1]))
