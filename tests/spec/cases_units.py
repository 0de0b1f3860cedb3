"""Cases of section 13: witnesses, right, wrong, and refused."""

from faults import Flipped, convict, leaves
from lockstep_spec import model as m
from lockstep_spec import units as u
from lockstep_spec.answer import Policy, Run
from lockstep_spec.claim import Claim, ModelTrees
from lockstep_spec.f32 import from_float
from lockstep_spec.openings import Opener, Refused
from lockstep_spec.trees import eos_ids, token_hash
from tiny_gguf import Random, gguf
from unfused import Unfused

# Model (a name of tiny_gguf.py, or unfused), tokens of the prompt, tokens of the answer, policy.
WARM = dict(temperature=0.9, min_p=0.05, seed=0x0123456789ABCDEF)
PLANS = {
    "q4-0": [(5, 4, {}), (3, 1, dict(allowed=[7, 70, 71, 200]))],
    "q5-1": [(4, 3, {})],
    "q8-0": [(4, 3, dict(WARM, allowed=[0, 2, 50, 51, 263]))],
    "head-80": [(30, 4, WARM)],
    "head-256": [(33, 1, {})],
    "wild": [(9, 4, WARM)],
    "q4-k": [(3, 2, {})],
    "q5-k": [(3, 2, {})],
    "q6-k": [(3, 2, {})],
    "odd": [(2, 2, {})],
    "unfused": [(5, 3, {})],
}
CLAIMS = [(name, i) for name, plans in PLANS.items() for i in range(len(plans))]
_models = {}


def claim_of(name, number):
    if name not in _models:
        model = Unfused(gguf("q8-0")) if name == "unfused" else m.Model(gguf(name))
        _models[name] = ModelTrees(model)
    length, most, policy = PLANS[name][number]
    policy = Policy(from_float(policy.get("temperature", 0)), from_float(policy.get("min_p", 0)), policy.get("seed", 0), policy.get("allowed"))
    model = _models[name].model
    run, rng = Run(model), Random("%s units %d" % (name, number))
    prompt = [rng.below(264) for _ in range(length)]
    answer = run.generate(prompt, policy, most, eos_ids(model))
    return Claim(_models[name], run, prompt, answer, policy)


def sample_units(claim, rng):
    """(unit, place) of a SAMPLE row: the index, and some tokens."""
    allowed = claim.tokens[u.ALLOWED]
    yield u.THE_INDEX, u.NOT_THE_LIST
    for _ in range(4):
        place = rng.below(len(allowed) or claim.models.commitment["vocabSize"])
        yield (allowed[place], place) if allowed else (place, 0)


def token_units(claim, j, rng):
    """Units about token j: itself, and some others."""
    op, mine = claim.models.commitment["samplerOp"], claim.tokens[u.ANSWER][j]
    if claim.facts.temperature == 0:
        return [u.Unit(u.TOKEN, op, j, 0)]
    others = [(w, p) for w, p in sample_units(claim, rng) if w not in (u.THE_INDEX, mine)]
    return [u.Unit(u.TOKEN, op, j, mine)] + [u.Unit(u.TOKEN, op, j, w, p) for w, p in others]


# ---- vectors


def hexadecimal(data):
    return "0x" + data.hex()


def facts_of(claim):
    """The members of ClaimFacts, the trace's root, and the members of ModelCommitment."""
    f, c = claim.facts, claim.models.commitment
    prompt, answer, allowed = (token_hash(claim.tokens[w]) for w in (u.PROMPT, u.ANSWER, u.ALLOWED))
    facts = {"traceRoot": hexadecimal(claim.trace.root), "promptCount": f.prompt_count, "promptHash": hexadecimal(prompt),
             "tokenCount": f.answer_count, "tokensHash": hexadecimal(answer), "temperature": "0x%08x" % f.temperature, "minP": "0x%08x" % f.min_p,
             "seed": "0x%016x" % f.seed, "allowedCount": f.allowed_count, "allowedHash": hexadecimal(allowed)}
    return {"facts": facts, "commitment": {k: hexadecimal(v) if isinstance(v, bytes) else v for k, v in c.items()}}


def case(claim, what, unit, openings, partials, expected):
    out = {"what": what, "expected": expected, "kind": unit.kind, "op": unit.op, "leaf": unit.leaf, "unit": unit.unit, "place": unit.place,
           "data": [hexadecimal(d) for d, _ in openings], "paths": [hexadecimal(b"".join(p)) for _, p in openings], **facts_of(claim)}
    if partials:
        out["partials"] = hexadecimal(partials)
    return out


def expectation(claim, unit, openings, partials):
    try:
        return "wrong" if claim.verify(unit, openings, partials) else "right"
    except Refused as e:
        return str(e)


def witness(claim, what, unit, partials=b""):
    _, openings = claim.check(unit, partials, keep=True)
    return case(claim, what, unit, openings, partials, expectation(claim, unit, openings, partials))


NAMES = {getattr(m, n): n for n in ("EMBED RMS NORM_Q QUANT LINEAR LINEAR_Q LINEAR_ROPE_Q LINEAR_SILU_MUL_Q LINEAR_ADD ROPE_Q SILU_MUL_Q "
                                    "ATTN SAMPLE").split()}


def flipped_case(claim, rng, op, at=None):
    """One bit of the operation's last row but some is another; gives the witness of it, and one of the honest row."""
    d = claim.models.descriptors[op]
    all_leaves = list(leaves(claim, op))
    leaf, row, lo, size = all_leaves[-1 - rng.below(min(3, len(all_leaves)))]
    at, bit = lo + rng.below(size) if at is None else at, rng.below(8)
    with Flipped(claim, op, row, at, bit):
        unit, partials = convict(claim, op, leaf, row, at)
        rows = claim.trace.items[op][1]
        lie = rows[row]
        claim.trace.replace(op, row, lie)
        wrong = witness(claim, "%s, kind %d: bit %d of byte %d of row %d" % (NAMES[d.opcode], d.kind, bit, at, row), unit, partials)
    claim.trace.replace(op, row, claim.trace.items[op][1][row])
    return wrong, lambda: witness(claim, "%s, kind %d: honest" % (NAMES[d.opcode], d.kind), unit, partials)


def last_of_each(claim, wanted=None):
    """The last operation of each opcode, kind and rotation."""
    found = {}
    for op, d in enumerate(claim.models.descriptors):
        if wanted is None or d.opcode in wanted:
            found[d.opcode, d.kind] = op
    return sorted(found.values())


def flips(name, number, wanted=None, honest_too=()):
    claim, rng = claim_of(name, number), Random("vectors units %s %d" % (name, number))
    out = []
    for op in last_of_each(claim, wanted):
        wrong, honest = flipped_case(claim, rng, op)
        out.append(wrong)
        if claim.models.descriptors[op].opcode in honest_too:
            out.append(honest())
    return out


def llama():
    return flips("q4-0", 0, honest_too=(m.NORM_Q, m.LINEAR_ADD, m.ATTN, m.SAMPLE)) + flips("q5-1", 0, (m.LINEAR_ROPE_Q, m.LINEAR_SILU_MUL_Q, m.EMBED))


def others():
    return flips("unfused", 0, (m.LINEAR, m.ROPE_Q, m.SILU_MUL_Q, m.LINEAR_Q), (m.ROPE_Q, m.SILU_MUL_Q))


def types():
    """Weights of every storage type, in rows of several lengths."""
    out = []
    for name in ("q4-k", "q5-k", "q6-k", "odd"):
        out += flips(name, 0, (m.EMBED, m.LINEAR_ADD))
    return out


def special():
    """NaNs, infinities and subnormals; a head width of 80 with a rotary width of 48, of 256 with two blocks."""
    return flips("wild", 0, (m.NORM_Q, m.LINEAR_ADD, m.ATTN, m.SAMPLE, m.QUANT), (m.LINEAR_ADD, m.SAMPLE)) + flips("head-80", 0, (m.LINEAR_ROPE_Q,)) + flips(
        "head-256", 0, (m.LINEAR_Q,))


def partials():
    out = []
    for name in ("head-80", "wild", "head-256"):
        claim, rng = claim_of(name, 0), Random("vectors partials " + name)
        op = max(i for i, d in enumerate(claim.models.descriptors) if d.opcode == m.ATTN)
        t, element = claim.facts.positions - 1, rng.below(claim.models.descriptors[op].width)
        leaf = t << claim.trace.items[op][0].chunk_bits | 4 * element // 1024
        honest = claim.partials(op, t, element)
        n = t // 32 + 1
        tries = [(u.PARTIAL_CHUNK, n - 1, 12 * (n - 1) + 8)]
        if name == "head-80":
            tries += [(u.PARTIAL_CHUNK, 0, 4), (u.PARTIAL_MAXIMUM, 0, 12 * n), (u.PARTIAL_RUNNING, 0, 12 * n + 8), (u.PARTIAL_FINAL, 0, 12 * n + 12)]
        for kind, place, at in tries:
            unit = u.Unit(kind, op, leaf, element, place)
            lie = bytearray(honest)
            lie[at] ^= 1
            out.append(witness(claim, "partials, kind %d, byte %d" % (kind, at), unit, bytes(lie)))
            if place or kind == u.PARTIAL_FINAL:
                out.append(witness(claim, "partials, kind %d, honest" % kind, unit, honest))
    return out


def tokens():
    out = []
    for name, number, wrong in (("q4-0", 0, 9), ("q4-0", 1, 70), ("head-80", 0, 11), ("q8-0", 0, 50)):
        claim, rng = claim_of(name, number), Random("vectors tokens " + name)
        allowed, answer = claim.tokens[u.ALLOWED], claim.tokens[u.ANSWER]
        op, last, mine = claim.models.commitment["samplerOp"], len(answer) - 1, answer[-1]
        for unit in token_units(claim, last, rng)[:2]:
            try:
                out.append(witness(claim, "Token, honest", unit))
            except Refused:  # the other token does not pass min-p
                continue
        assert wrong != mine
        answer[-1] = wrong
        place = allowed.index(mine) if allowed else 0
        for w in (0,) if claim.facts.temperature == 0 else (wrong, mine):
            try:
                out.append(witness(claim, "Token, %d for %d" % (wrong, mine), u.Unit(u.TOKEN, op, last, w, place)))
            except Refused:
                continue
    return out


def with_list(claim, ids):
    """The claim with another allowed list, which its trace does not know of."""
    claim.tokens[u.ALLOWED], claim.facts.allowed_count = ids, len(ids)


def unlisted_case(claim, what, token, place, leaf=None, op=None, unit=0, drop=0):
    """The last token of the answer is `token`; opened are elements place - 1 and place of the list."""
    answer, count = claim.tokens[u.ANSWER], claim.facts.allowed_count
    op = claim.models.commitment["samplerOp"] if op is None else op
    answer[-1] = token
    opener = Opener({}, claim.lists())
    opener.token(u.ANSWER, len(answer) - 1)
    for i in range(max(place - 1, 0), min(place + 1, count)):
        opener.token(u.ALLOWED, i)
    openings = opener.openings[: len(opener.openings) - drop]
    x = u.Unit(u.UNLISTED, op, len(answer) - 1 if leaf is None else leaf, unit, place)
    verdict = expectation(claim, x, openings, b"")
    return case(claim, "Unlisted, %s" % what, x, openings, b"", verdict)


def unlisted():
    """Lists of several lengths with 10 + 3 i at place i, and a last token that is in them or not."""
    claim, out = claim_of("head-80", 0), []
    mine, own_list = claim.tokens[u.ANSWER][-1], claim.tokens[u.ALLOWED]
    for count in (1, 2, 255, 256, 257, 16384):
        with_list(claim, [10 + 3 * i for i in range(count)])
        size = "list of %d" % count
        for place in sorted({0, count, count // 2, min(256, count)}):
            out.append(unlisted_case(claim, size, 8 + 3 * place, place))
        listed = count - 1
        for place in (listed, listed + 1):
            out.append(unlisted_case(claim, size + ", listed", 10 + 3 * listed, place))
    with_list(claim, [10 + 3 * i for i in range(300)])
    last, op = claim.facts.answer_count - 1, claim.models.commitment["samplerOp"]
    out += [unlisted_case(claim, "0", 0, 0),
            unlisted_case(claim, "the greatest id", 0xFFFFFFFF, 300),
            unlisted_case(claim, "a place before it", 18, 2),
            unlisted_case(claim, "a place behind it", 18, 4),
            unlisted_case(claim, "a place outside", 0xFFFFFFFF, 301),
            unlisted_case(claim, "an opening too few", 18, 3, drop=1),
            unlisted_case(claim, "a unit", 18, 3, unit=1),
            unlisted_case(claim, "another operation", 18, 3, op=op - 1),
            unlisted_case(claim, "no such token", 18, 3, leaf=last + 1),
            unlisted_case(claim, "another token", 18, 3, leaf=0)]
    with_list(claim, [])
    out.append(unlisted_case(claim, "no list", 18, 0))
    with_list(claim, own_list)
    claim.tokens[u.ANSWER][-1] = mine
    return out


def refused():
    """What is no witness: too few openings, too many, other bytes, another path, another place."""
    claim = claim_of("q4-0", 0)
    op = max(i for i, d in enumerate(claim.models.descriptors) if d.opcode == m.QUANT)
    leaf, row, lo, size = list(leaves(claim, op))[-1]
    unit = u.Unit(u.OUTPUT, op, leaf, 9)
    _, good = claim.check(unit, keep=True)
    data, path = good[-1]
    bad = [("an opening too few", unit, good[:-1]), ("an opening too many", unit, good + [good[-1]]), ("no opening", unit, []),
           ("a byte too few", unit, good[:-1] + [(data[:-1], path)]), ("a byte too many", unit, good[:-1] + [(data + b"\0", path)]),
           ("another byte", unit, good[:-1] + [(bytes([data[0] ^ 1]) + data[1:], path)]), ("a hash too few", unit, good[:-1] + [(data, path[:-1])]),
           ("a hash too many", unit, good[:-1] + [(data, path + [bytes(32)])]), ("another hash", unit, good[:-1] + [(data, [bytes(32)] + path[1:])]),
           ("the unit is not below the width", u.Unit(u.OUTPUT, op, leaf, 64), good), ("the row is padding", u.Unit(u.OUTPUT, op, 8, 9), good),
           ("the operation is not there", u.Unit(u.OUTPUT, claim.models.commitment["opCount"], leaf, 9), good),
           ("kind Token of another operation", u.Unit(u.TOKEN, op, 0, 0), good[:2]),
           ("kind PartialFinal of another operation", u.Unit(u.PARTIAL_FINAL, op, leaf, 9), good[:3]),
           ("another operation's openings", u.Unit(u.OUTPUT, op + 1, leaf, 9), good)]
    return [case(claim, what, unit, openings, b"\0" * 28 if unit.kind > u.TOKEN else b"", expectation(claim, unit, openings, b"\0" * 28))
            for what, unit, openings in bad]
