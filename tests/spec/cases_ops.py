"""Cases of sections 3 to 5: blocks, weights, operations."""

from lockstep_spec import f32, ops
from lockstep_spec.blocks import BY_NAME, A8Row, a8_block, import_q8_0, unpack_row, value
from lockstep_spec.rope import Table
from tiny_gguf import block
from values import KINDS, SPECIAL, Values, bits, data, raw_words, signed_bytes, words


def a8_case(x):
    q, d, idx = a8_block(x)
    return {"x": raw_words(x), "q": signed_bytes(q), "d": words([d]), "idx": idx}


def a8():
    rng = Values("a8")
    out = []
    for n in (1, 2, 31, 32, 63, 64, 80, 128):
        for kind in KINDS:
            out.append(dict(kind=kind, **a8_case(rng.row(n, kind))))
    # Just around 2^-100, alone and beside smaller ones; -0 beside a value; maxima of both signs; a NaN behind the maximum.
    edge = 27 << 23
    for x in ([edge], [edge - 1], [edge, edge - 1, 1], [0x80000000, edge], [0xC2FE0000, 0x42FE0000, 0x42FC0000], [0x7F7FFFFF, 0x7FC00000],
              [0x7F7FFFFF, 0xFF7FFFFF, 0x7F7FFFFE], [0xFF800000, 0x7FC00001], [0x3F800000, 0x3F7FFFFF, 0x3BFE0000]):
        out.append(dict(kind="chosen", **a8_case(x)))
    return out


def stored_row(rng, name, columns, wild):
    t = BY_NAME[name]
    scales = (0, 0x8000, 1, 0x8003, 0x03FF, 0x7BFF, 0xFBFF) if wild else None
    return b"".join(block(rng, name, t.size, 1.0, scales) for _ in range(columns // t.elements))


def weights():
    rng = Values("weights")
    out = []
    for name, t in BY_NAME.items():
        for wild in (False, True):
            row = stored_row(rng, name, 256, wild)
            subs = unpack_row(t.number, row)
            out.append({
                "name": name, "type": t.number, "columns": 256, "row": data(row),
                "q": signed_bytes([v for q, _, _ in subs for v in q]),
                "w": words([w for _, w, _ in subs]),
                "n": words([n for _, _, n in subs if n is not None]),
                "values": words([value(q, w, n) for qs, w, n in subs for q in qs]),
            })
    return out


def imports():
    rng = Values("import")
    out = []
    rows = [(kind, rng.row(32, kind)) for kind in ("plain", "zero", "small", "equal", "ties", "spike", "wide", "huge", "nan", "inf") * 2]
    # A largest value of 127 * 2^-128, whose scale has an infinite inverse, and one above; of 127 * 65504 and of the first that rounds to infinity.
    for top in (f32.mul(bits(127), f32.pow2(-128)), f32.mul(bits(127), f32.pow2(-128)) + 16, bits(127 * 65504), bits(127 * 65519), bits(127 * 65520)):
        rows.append(("edge", [top] + [0] * 31))
    for kind, x in rows:
        try:
            out.append({"kind": kind, "x": raw_words(x), "block": data(import_q8_0(x))})
        except ValueError as refused:
            out.append({"kind": kind, "x": raw_words(x), "refused": str(refused)})
    return out


# ---- Section 5 ----


def a8_out(row):
    return {"q": signed_bytes(row.q), "d": words(row.d), "idx": raw_words(row.idx)}


def embed():
    rng = Values("embed")
    out = []
    for name, t in BY_NAME.items():
        rows = [stored_row(rng, name, 256, wild) for wild in (False, True, False)]
        m = ops.Matrix(t.number, 3, 256, b"".join(rows))
        ids = [2, 0, 3, 1, 0xFFFFFFFF]
        out.append({"type": t.number, "rows": 3, "columns": 256, "matrix": data(m.data), "ids": raw_words(ids),
                    "output": "0x" + "".join(words(ops.embed(m, i))[2:] for i in ids)})
    return out


def linear():
    rng = Values("linear")
    out = []
    for name, t in BY_NAME.items():
        for columns, rows, bias, wild in ((256, 5, True, False), (512 if t.elements == 256 else 288, 3, False, True)):
            m = ops.Matrix(t.number, rows, columns, b"".join(stored_row(rng, name, columns, wild) for _ in range(rows)))
            b = [rng.between(120, 130) for _ in range(rows - 1)] + [0x7F812345] if bias else None
            for kind in ("plain", "spike", "huge", "nan") if bias else ("plain", "wide", "zero"):
                x = A8Row(rng.row(columns, kind), 64)
                case = {"type": t.number, "rows": rows, "columns": columns, "matrix": data(m.data), "q": signed_bytes(x.q), "d": words(x.d),
                        "output": words(ops.linear(m, x, b))}
                if b:
                    case["bias"] = raw_words(b)
                out.append(case)
    return out


def rms():
    rng = Values("rms")
    out = []
    for n in (1, 31, 32, 33, 255, 256, 257, 288, 576):
        for kind in ("plain", "huge", "wide", "zero", "small", "nan", "inf"):
            x = [f32.canon(v) for v in rng.row(n, kind)]
            epsilon = bits(1e-5) if kind != "zero" else bits(1e-30)
            out.append({"kind": kind, "x": words(x), "epsilon": words([epsilon]), "output": words(ops.rms(x, epsilon))})
    out.append({"kind": "zero", "x": words([0] * 40), "epsilon": words([0]), "output": words(ops.rms([0] * 40, 0))})
    return out


def norm_q():
    rng = Values("norm_q")
    out = []
    for n in (32, 64, 96, 288):
        for kind in ("plain", "huge", "wide", "zero", "nan", "inf"):
            x = [f32.canon(v) for v in rng.row(n, kind)]
            r = ops.rms(x, bits(1e-5))[-1]
            gain = rng.row(n, "plain" if kind != "wide" else "huge")
            out.append({"x": words(x), "r": words([r]), "gain": raw_words(gain), **a8_out(A8Row(ops.norm(x, r, gain), 64))})
    return out


def quant():
    rng = Values("quant")
    return [{"x": raw_words(x), "block": b, **a8_out(A8Row(x, b))}
            for n, b in ((32, 64), (64, 64), (160, 64), (288, 64), (80, 80), (256, 128), (2, 2))
            for x in (rng.row(n, kind) for kind in ("plain", "halves", "edge", "inf"))]


def rope():
    rng = Values("rope-op")
    out = []
    for heads, width, rot in ((1, 2, 2), (3, 16, 16), (2, 80, 48), (1, 128, 64), (1, 256, 256)):
        for pairing in (1, 2):
            for kind in ("plain", "huge", "nan"):
                table = Table(bits(10000), rot, [f32.ONE] * (rot // 2)).row(1 + rng.below(5000))
                x = rng.row(heads * width, kind)
                out.append({"heads": heads, "width": width, "rot": rot, "pairing": pairing, "table": words(table), "x": raw_words(x),
                            "output": words(ops.rope(x, width, rot, pairing, table))})
    return out


def silu_mul():
    rng = Values("silu")
    gate = list(SPECIAL) + rng.row(60, "plain") + rng.row(40, "wide") + [bits(v) for v in (-88.7, -89, -104, -106, 20, 88, 100)]
    up = [rng.any() for _ in gate]
    return [{"gate": raw_words(gate), "up": raw_words(up), "output": words(ops.silu_mul(gate, up))}]


def add():
    rng = Values("add-op")
    x, y = [rng.any() for _ in range(200)], [rng.any() for _ in range(200)]
    return [{"x": raw_words(x), "y": raw_words(y), "output": words(ops.residual_add(x, y))}]


ATTN_SHAPES = ((0, 2), (0, 64), (1, 16), (31, 16), (32, 16), (33, 80), (63, 2), (64, 128), (33, 256), (100, 16), (127, 2), (159, 2), (191, 2))


def attn():
    rng = Values("attn")
    out = []
    for position, width in ATTN_SHAPES:
        block = min(width, 128)
        kinds = ("plain", "peaked", "nan") if width <= 16 else ("plain", "peaked") if width <= 80 else ("plain",)
        for kind in kinds:
            low = "spike" if kind == "peaked" else "plain"
            q = A8Row(rng.row(width, low), block)
            k = [A8Row(rng.row(width, low), block) for _ in range(position + 1)]
            v = [A8Row(rng.row(width, "wide" if kind == "peaked" else "plain"), block) for _ in range(position + 1)]
            if kind == "nan":  # one position whose key, another whose value was not finite
                k[position // 3] = A8Row(rng.row(width, "inf"), block)
                v[position // 2] = A8Row(rng.row(width, "nan"), block)
                if position == 32:
                    k[position // 3] = A8Row(rng.row(width, "plain"), block)
            scale = ops.default_scale(width)
            y = ops.attn(q, [k], [v], 1, 1, width, scale)
            out.append({"kind": kind, "position": position, "width": width, "block": block, "scale": words([scale]), "q": signed_bytes(q.q),
                        "dq": words(q.d), "k": signed_bytes([x for row in k for x in row.q]), "dk": words([x for row in k for x in row.d]),
                        "v": signed_bytes([x for row in v for x in row.q]), "dv": words([x for row in v for x in row.d]), "output": words(y)})
    return out
