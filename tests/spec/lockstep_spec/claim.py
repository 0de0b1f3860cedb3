"""A claim of a run with its trees: what a challenger has, and the operator's trace with a fault in it."""

from struct import pack

from . import model as m
from .answer import committed
from .keccak import keccak256
from .openings import ALLOWED, ANSWER, PROMPT, Opener, Shape, Tree, Verifier
from .trees import L2, PROGRAM, ROPE, TRACE, WEIGHTS, abi_commitment, eos_ids, token_hash, tokenizer_hash
from .units import Check, Facts, Partials, Unit, attn_chunk
from .wellformed import Descriptor, row_size


class ModelTrees:
    """A model's trees, and its commitment."""

    def __init__(self, model):
        self.model = model
        tensors = []
        for t in model.tensors:
            rows = {r: t.data[r * t.row_size : (r + 1) * t.row_size] for r in range(t.rows)}
            tensors.append((Shape(t.row_size, t.rows), rows))
        program = model.program()
        rope = {t: pack("<%dI" % model.rot, *model.rope_row(t)) for t in range(model.max_positions)}
        self.trees = {WEIGHTS: Tree(WEIGHTS, tensors), PROGRAM: Tree(PROGRAM, [(Shape(256, len(program)), dict(enumerate(program)))]),
                      ROPE: Tree(ROPE, [(Shape(4 * model.rot, model.max_positions), rope)])}
        self.commitment = {"arithmeticVersion": 1, "weightsRoot": self.trees[WEIGHTS].root, "programRoot": self.trees[PROGRAM].root,
                           "tokenizerHash": tokenizer_hash(model), "ropeRoot": self.trees[ROPE].root, "opCount": len(program),
                           "tensorCount": len(tensors), "samplerOp": len(program) - 1, "vocabSize": model.vocab, "contextLength": model.context,
                           "maxPositions": model.max_positions, "eosIds": eos_ids(model)}
        self.commitment["modelId"] = keccak256(abi_commitment(self.commitment))
        self.descriptors = [Descriptor(d) for d in program]


class Claim:
    """The claim of a run: its trace is the operator's, and may be changed."""

    def __init__(self, models, run, prompt, answer, policy):
        self.models, self.run = models, run
        self.tokens = {PROMPT: prompt, ANSWER: list(answer), ALLOWED: policy.allowed or []}
        self.facts = Facts(len(prompt), len(answer), len(self.tokens[ALLOWED]), policy.temperature, policy.min_p, policy.seed)
        items = []
        for op, d, rows in zip(run.model.ops, models.descriptors, run.rows):
            if op.kind == m.KV:
                numbered = {h << L2(run.positions) | t: committed(op, row) for h, of in enumerate(rows) for t, row in enumerate(of)}
            else:
                numbered = {r: committed(op, row) for r, row in enumerate(rows)}
            items.append((self.shape(d), numbered))
        self.trace = Tree(TRACE, items)

    def shape(self, d):
        if d.kind == m.KV:
            return Shape(row_size(d), self.facts.positions, d.kv_heads)
        return Shape(row_size(d), self.facts.answer_count if d.kind == m.SAMPLED else self.facts.positions)

    def lists(self):
        return {which: pack("<%dI" % len(ids), *ids) for which, ids in self.tokens.items()}

    def check(self, unit, partials=b"", keep=False):
        """(verdict, the openings read)."""
        reader = Opener({TRACE: self.trace, **self.models.trees}, self.lists(), keep)
        verdict = Check(self.facts, self.models.commitment, unit, reader, partials).wrong()
        return verdict, reader.openings

    def verify(self, unit, openings, partials=b""):
        """The verdict of a witness, from roots alone."""
        c = self.models.commitment
        roots = {TRACE: self.trace.root, WEIGHTS: c["weightsRoot"], PROGRAM: c["programRoot"], ROPE: c["ropeRoot"]}
        items = {TRACE: c["opCount"], WEIGHTS: c["tensorCount"], PROGRAM: 1, ROPE: 1}
        lists = {which: (len(ids), token_hash(ids)) for which, ids in self.tokens.items()}
        return Check(self.facts, c, unit, Verifier(openings, roots, items, lists), partials).wrong()

    def partials(self, op, t, element):
        """Honest partials of an attention element, from the operator's rows."""
        d = self.models.descriptors[op]
        h, i = divmod(element, d.head_width)
        g = h // (d.heads // d.kv_heads)
        q, k, v = (self.run.rows[j] for j in d.inputs[:3])
        per_head = d.head_width // q[t].block
        part = q[t].q[h * d.head_width : (h + 1) * d.head_width], q[t].d[h * per_head : (h + 1) * per_head]
        chunks = [attn_chunk(*part, k[g][at : min(at + 32, t + 1)], v[g][at : min(at + 32, t + 1)], i, d.scalar) for at in range(0, t + 1, 32)]
        words = Partials.of_chunks(chunks).words()
        return pack("<%dI" % len(words), *words)
