"""Cases of sections 6, 7, 9 and 12: RoPE table, sampling, trees."""

from lockstep_spec import f32
from lockstep_spec.answer import Policy, choose, gumbel
from lockstep_spec.keccak import keccak256
from lockstep_spec.rope import Table
from lockstep_spec.trees import L2, TRACE, WEIGHTS, item_root, list_root, token_hash, top_root
from tiny_gguf import Random
from values import Values, bits, data, raw_words, words


def rope_rows():
    rng = Values("rope")
    out = []
    for base, rot, factors in ((10000, 64, "one"), (100000, 64, "one"), (500000, 64, "ramp"), (10000, 2, "one"), (10000, 48, "four"), (1, 16, "one"),
                               (3e38, 256, "one"), (1000000, 128, "smallest"), (1.4142136, 4, "one")):
        n = rot // 2
        f = {"one": [f32.ONE] * n, "four": [bits(4)] * n, "smallest": [bits(2**-6)] * n,
             "ramp": [bits(1 + i * (1 + rng.unit()) / 2) for i in range(n)]}[factors]
        table = Table(bits(base), rot, f)
        positions = [0, 1, 2, 31, 1000, 8191, 32767] if rot < 128 else [1, 32767]
        out.append({"base": words([bits(base)]), "rot": rot, "factors": words(f), "positions": raw_words(positions),
                    "rows": "0x" + "".join(words(table.row(p))[2:] for p in positions)})
    return out


def sample_case(rng, kind, temperature, min_p, restrict, position):
    n = 37
    logits = [f32.canon(v) for v in rng.row(n, "plain")]
    if kind == "ties":
        logits = [bits(rng.below(3)) for _ in range(n)]
    elif kind == "zeros":
        logits = rng.row(n, "zero")
    elif kind == "special":
        logits = [f32.canon(rng.any()) for _ in range(n)]
    elif kind == "nan":
        logits[rng.below(n)] = f32.NAN
    elif kind == "all nan":
        logits = [f32.NAN] * n
    elif kind == "inf":
        logits[rng.below(n)] = f32.INF
        logits[rng.below(n)] = f32.INF
    elif kind == "minus inf":
        logits = [f32.INF | f32.SIGN] * n
    allowed = sorted({rng.below(n) for _ in range(6)}) if restrict else None
    tokens = allowed if restrict else list(range(n))
    seed = rng.next()
    policy = Policy(temperature, min_p, seed, allowed)
    if kind == "close" and temperature:  # scores that differ in their last bits, so that every rounding counts
        for i in range(n):
            noise = f32.to_float(gumbel(i, position, seed))
            logits[i] = bits((3 + rng.below(4) * 2**-22 - noise) * f32.to_float(temperature))
    token, top, index = choose([logits[i] for i in tokens], tokens, policy, position)
    case = {"kind": kind, "logits": words(logits), "temperature": words([temperature]), "min_p": words([min_p]), "seed": "0x%016x" % seed,
            "position": position, "max": words([top]), "index": index, "token": token}
    if restrict:
        case["allowed"] = raw_words(allowed)
    return case


def sampling():
    rng = Values("sampling")
    out = []
    for kind in ("plain", "ties", "zeros", "special", "nan", "all nan", "inf", "minus inf", "close", "close", "close"):
        for temperature, min_p in ((0, 0), (0, 0.5), (0.7, 0), (1, 0.05), (2.5, 1), (2**-10, 0), (3e38, 0), (1, 1e-42)):
            for restrict in (False, True):
                out.append(sample_case(rng, kind, bits(temperature), bits(min_p), restrict, rng.below(32768)))
    return out


def gumbels():
    rng = Random("gumbel")
    where = [(token, position, rng.next()) for token, position in ((0, 0), (1, 0), (2, 1), (3, 1), (4, 7), (49151, 32767), (128000, 5))]
    return [{"token": t, "position": p, "seed": "0x%016x" % s, "value": words([gumbel(t, p, s)])} for t, p, s in where]


# ---- Sections 9, 12 ----


def pattern(n, seed=0):
    """Byte i is the low byte of (i * 167 + (i >> 8) * 13 + seed)."""
    return bytes((i * 167 + (i >> 8) * 13 + seed) & 255 for i in range(n))


def tree_items():
    out = []
    for size, rows in ((1, 1), (1023, 1), (1024, 1), (1025, 1), (3072, 1), (5000, 1), (8, 3), (256, 28), (1024, 5), (1500, 2), (1500, 3), (3000, 7)):
        for tree in (TRACE, WEIGHTS):
            whole = pattern(size * rows, tree)
            root = list_root(tree, [whole[r * size : (r + 1) * size] for r in range(rows)])
            out.append({"tree": tree, "row_size": size, "rows": rows, "seed": tree, "root": data(root)})
    return out


def tree_heads():
    """Items of kind 2: row (head << L2(positions)) | position."""
    out = []
    for heads, positions, size in ((1, 1, 72), (1, 5, 72), (3, 1, 72), (3, 5, 72), (2, 8, 1100), (5, 3, 2100)):
        whole = pattern(heads * positions * size)
        rows = {}
        for h in range(heads):
            for t in range(positions):
                at = (h * positions + t) * size
                rows[h << L2(positions) | t] = whole[at : at + size]
        out.append({"heads": heads, "positions": positions, "row_size": size, "root": data(item_root(TRACE, rows, L2(heads) + L2(positions)))})
    return out


def tree_tops():
    out = []
    for n in (1, 2, 3, 4, 5, 8, 9, 28):
        roots = [keccak256(bytes([i])) for i in range(n)]
        out.append({"tree": TRACE, "items": n, "root": data(top_root(TRACE, roots))})
    return out


def token_hashes():
    out = []
    for n in (0, 1, 2, 255, 256, 257, 512, 600):
        ids = [i * 7919 % 49152 for i in range(n)]
        out.append({"count": n, "hash": data(token_hash(ids))})
    return out


def keccaks():
    """Lengths around the rate of 136 bytes."""
    return [{"length": n, "hash": data(keccak256(pattern(n)))} for n in (0, 1, 135, 136, 137, 271, 272, 1000)]
