#!/usr/bin/env python3
"""Checks the hashes and the headers of tests/vectors/contracts against the second implementation.

What the values are made of is in that folder's make.sh.
"""

import json
import os
import sys

from lockstep_spec import contract as c
from lockstep_spec.keccak import keccak256
from lockstep_spec.trees import abi_commitment, token_hash

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vectors", "contracts")

CHAIN = 31337
ORACLE = bytes.fromhex("5fbdb2315678afecb367f032d93f642f64180aa3")
OPERATOR = bytes.fromhex("70997970c51812dc3a010c7d01b50e0d17dc79c8")
MODEL, SALT, BLOCK = b"\xa5" * 32, b"\x5a" * 32, b"\x3c" * 32
POLICY = {"temperature": 1065353216, "minP": 1028443341}
SEED = 2**64 - 2


def ids(count, step):
    return [i * step % 49152 for i in range(count)]


def packed(tokens):
    return b"".join(t.to_bytes(4, "little") for t in tokens)


PROMPT, ALLOWED, TOKENS = ids(300, 7919), ids(2, 9), ids(33, 101)
LISTS = {"promptCount": 300, "promptHash": token_hash(PROMPT), "allowedCount": 2,
         "allowedHash": token_hash(ALLOWED)}
REQUEST = {"requester": OPERATOR, "nonce": 7, "modelId": MODEL, **LISTS, **POLICY,
           "seed": 2**64 - 1, "maxTokens": 64, "stake": 10**17, "fee": 2**128 - 1, "window": 20,
           "acceptDeadline": 5_000_000_000, "claimPeriod": 120, "replicas": 1,
           "callback": ORACLE, "callbackGas": 200_000}
FACTS = {**LISTS, **POLICY, "tokenCount": 33, "tokensHash": token_hash(TOKENS), "seed": SEED}
COMMITMENT = {"arithmeticVersion": 1, "weightsRoot": 11, "programRoot": 12, "tokenizerHash": 13,
              "ropeRoot": 14, "opCount": 483, "tensorCount": 272, "samplerOp": 482,
              "vocabSize": 49152, "contextLength": 8192, "maxPositions": 8192, "eosIds": [0, 2]}
OPENINGS = [(packed(PROMPT), [SALT, BLOCK]), (b"", []), (bytes([1, 2, 3, 4, 5]), [MODEL])]


def hashes():
    """File, name, hash."""
    request = c.request_id(CHAIN, ORACLE, REQUEST)
    name = c.claim_name(request, 2, 3)
    facts = c.facts_hash(FACTS)
    claim = c.claim_id({"source": ORACLE, "name": name, "operator": OPERATOR, "stake": 10**17,
                        "modelId": MODEL, "factsHash": facts})
    answer = FACTS["tokensHash"]
    witness = c.witness_hash(2, 200, 138, 530, 7, OPENINGS)
    return [
        ("abi.txt", "tokens", LISTS["promptHash"]),
        ("abi.txt", "requestId", request),
        ("abi.txt", "seedUsed", c.seed_word(2**64 - 1, BLOCK)),
        ("abi.txt", "modelId", keccak256(abi_commitment(COMMITMENT))),
        ("abi.txt", "name", name),
        ("abi.txt", "facts", facts),
        ("abi.txt", "claimId", claim),
        ("abi.txt", "commitment", c.claim_commitment(name, OPERATOR, SEED, answer, SALT)),
        ("dispute.txt", "claimId", claim),
        ("dispute.txt", "disputeId", c.dispute_id(claim, OPERATOR, 2**88 - 1, SALT)),
        ("dispute.txt", "witness", witness),
        ("dispute.txt", "equivocation", c.hash_of(BLOCK, MODEL)),
        ("dispute.txt", "proof", c.proof_commitment(OPERATOR, SALT, witness)),
        ("dispute.txt", "traceRoot", c.trace_root_hash(CHAIN, ORACLE, claim, BLOCK)),
    ]


def lines(file, kind):
    """Name and value of each line of a kind."""
    with open(os.path.join(FOLDER, file), encoding="utf-8") as f:
        parts = (line.rstrip("\n").split(" ", 2) for line in f)
        return {p[1]: p[2] for p in parts if p[0] == kind}


def main():
    failed = []
    expected = hashes()
    for file in ("abi.txt", "dispute.txt"):
        found = lines(file, "hash")
        ours = {name: "0x" + value.hex() for f, name, value in expected if f == file}
        failed += ["%s: hash %s" % (file, n) for n in sorted(found.keys() | ours.keys())
                   if found.get(n) != ours.get(n)]
    blocks, encoded = lines("headers.txt", "block"), lines("headers.txt", "rlp")
    for name, text in blocks.items():
        block = json.loads(text)
        header = c.header_rlp(block)
        same = "0x" + header.hex() == encoded.get(name)
        if not same or "0x" + keccak256(header).hex() != block["hash"]:
            failed.append("headers.txt: block %s" % name)
    for what in failed:
        print("DIFFERS", what)
    counts = len(expected), len(blocks), len(failed)
    print("%d hashes and %d headers checked, %d failed" % counts)
    return 1 if failed or not blocks else 0


if __name__ == "__main__":
    sys.exit(main())
