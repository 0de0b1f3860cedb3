"""Sections 9, 10 and 12: trees, the model commitment, token hashes."""

from struct import pack

from .keccak import keccak256

CHUNK = 1024
TRACE, WEIGHTS, PROGRAM, TOKENIZER, ROPE = 1, 2, 3, 4, 5
LEAF, NODE, TOP, PADDING, TOP_PADDING = range(5)


def L2(n):
    return 0 if n <= 1 else (n - 1).bit_length()


def chunks_of(row):
    return [row[at : at + CHUNK] for at in range(0, len(row), CHUNK)]


def _climb(level, height, tag_node, tag_padding):
    """The root over 2^height places; level: place -> hash of the places in range."""
    for h in range(1, height + 1):
        padding = keccak256(bytes([tag_padding, h - 1]))
        above = {}
        for place in level:
            # A node is padding by its first leaf: a right child alone does not make its parent real.
            if place & 1 == 0:
                above[place >> 1] = keccak256(bytes([tag_node, h]) + level[place] + level.get(place + 1, padding))
        level = above
    return level[0]


def item_root(tree, rows, height_of_rows):
    """rows: row number -> bytes, in range; height_of_rows: rb."""
    parts = {r: chunks_of(data) for r, data in rows.items()}
    cb = L2(len(parts[0]))
    level = {r << cb | c: keccak256(bytes([8 * tree + LEAF]) + part) for r, p in parts.items() for c, part in enumerate(p)}
    return _climb(level, height_of_rows + cb, 8 * tree + NODE, 8 * tree + PADDING)


def list_root(tree, rows):
    """The root of an item whose rows are numbered 0 to R - 1."""
    return item_root(tree, dict(enumerate(rows)), L2(len(rows)))


def top_root(tree, roots):
    return _climb(dict(enumerate(roots)), L2(len(roots)), 8 * tree + TOP, 8 * tree + TOP_PADDING)


def weights_root(model):
    roots = []
    for t in model.tensors:
        roots.append(list_root(WEIGHTS, [t.data[r * t.row_size : (r + 1) * t.row_size] for r in range(t.rows)]))
    return top_root(WEIGHTS, roots), roots


def program_root(model):
    return list_root(PROGRAM, model.program())


def tokenizer_hash(model):
    text = b"".join(pair for name, pair in model.file.pairs.items() if name.startswith("tokenizer."))
    return list_root(TOKENIZER, [text])


def rope_root(model):
    rows = [pack("<%dI" % model.rot, *model.rope_row(t)) for t in range(model.max_positions)]
    return list_root(ROPE, rows)


def eos_ids(model):
    names = ("eos_token_id", "eot_token_id", "eom_token_id")
    found = {model.file.meta["tokenizer.ggml." + n] for n in names if "tokenizer.ggml." + n in model.file.meta}
    return sorted(found)


def commitment(model):
    """The fields of ModelCommitment, and modelId."""
    c = {
        "arithmeticVersion": 1,
        "weightsRoot": weights_root(model)[0],
        "programRoot": program_root(model),
        "tokenizerHash": tokenizer_hash(model),
        "ropeRoot": rope_root(model),
        "opCount": len(model.ops),
        "tensorCount": len(model.tensors),
        "samplerOp": len(model.ops) - 1,
        "vocabSize": model.vocab,
        "contextLength": model.context,
        "maxPositions": model.max_positions,
        "eosIds": eos_ids(model),
    }
    c["modelId"] = keccak256(abi_commitment(c))
    return c


def abi_commitment(c):
    """abi.encode of the struct: an offset to it, its twelve words of head, the ids' length and the ids."""

    def word(v):
        return v if isinstance(v, bytes) else v.to_bytes(32, "big")

    head = [v for name, v in c.items() if name != "eosIds"]
    ids = c["eosIds"]
    return b"".join(map(word, [32] + head + [32 * (len(head) + 1), len(ids)] + ids))


def token_hash(tokens):
    if not tokens:
        return bytes(32)
    return keccak256(b"".join(keccak256(piece) for piece in chunks_of(pack("<%dI" % len(tokens), *tokens))))
