"""Ids, commitments and seeds as the contracts hash them, and the headers that they read."""

from .keccak import keccak256

# Members of a struct in their order.
REQUEST = (
    "requester nonce modelId promptCount promptHash temperature minP seed allowedCount allowedHash "
    "maxTokens stake fee window acceptDeadline claimPeriod replicas callback callbackGas"
).split()
FACTS = (
    "promptCount promptHash tokenCount tokensHash temperature minP seed allowedCount allowedHash"
).split()
CLAIM = "source name operator stake modelId factsHash".split()

# Members of a block's header in their order; forks appended those after `nonce`.
HEADER = (
    "parentHash sha3Uncles miner stateRoot transactionsRoot receiptsRoot logsBloom difficulty "
    "number gasLimit gasUsed timestamp extraData mixHash nonce baseFeePerGas withdrawalsRoot "
    "blobGasUsed excessBlobGas parentBeaconBlockRoot requestsHash blockAccessListHash slotNumber"
).split()
APPENDED = HEADER[HEADER.index("baseFeePerGas") :]
INTEGERS = set(
    "difficulty number gasLimit gasUsed timestamp baseFeePerGas blobGasUsed excessBlobGas "
    "slotNumber".split()
)


def words(values):
    """abi.encode of static values: integers, addresses, words."""

    def word(v):
        return v.rjust(32, b"\0") if isinstance(v, bytes) else v.to_bytes(32, "big")

    return b"".join(map(word, values))


def hash_of(*values):
    return keccak256(words(values))


def members(struct, names):
    return [struct[n] for n in names]


def request_id(chain_id, oracle, request):
    return hash_of(chain_id, oracle, *members(request, REQUEST))[:31] + b"\0"


def claim_name(request_id, attempt, seat):
    return request_id[:31] + bytes([8 * attempt + seat])


def facts_hash(facts):
    return hash_of(*members(facts, FACTS))


def claim_id(claim):
    return hash_of(*members(claim, CLAIM))


def dispute_id(claim_id, challenger, bond, salt):
    return hash_of(claim_id, challenger, bond, salt)


def claim_commitment(name, operator, seed, tokens_hash, salt):
    return hash_of(name, operator, seed, tokens_hash, salt)


def seed_word(seed, prev_randao):
    """The seed used is its low 64 bits."""
    return hash_of(seed, prev_randao)


def abi_bytes(data):
    return words([len(data)]) + data.ljust(-(-len(data) // 32) * 32, b"\0")


def abi_dynamic(heads, tails):
    """A tuple of static words followed by dynamic members."""
    at, offsets = 32 * (len(heads) + len(tails)), []
    for t in tails:
        offsets.append(at)
        at += len(t)
    return words(heads + offsets) + b"".join(tails)


def abi_array(elements):
    """A list of dynamic elements."""
    return words([len(elements)]) + abi_dynamic([], elements)


def witness_hash(kind, op, leaf, unit, place, openings):
    """openings: (data, path) each."""
    encoded = []
    for data, path in openings:
        encoded.append(abi_dynamic([], [abi_bytes(data), words([len(path)] + path)]))
    witness = abi_dynamic([kind, op, leaf, unit, place], [abi_array(encoded)])
    return keccak256(words([32]) + witness)


def proof_commitment(sender, salt, subject):
    return hash_of(sender, salt, subject)


def trace_root_hash(chain_id, game, claim_id, root):
    """EIP-712."""
    domain_type = (
        b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    )
    root_type = b"TraceRoot(bytes32 claimId,bytes32 root)"
    version = keccak256(b"Lockstep"), keccak256(b"1")
    domain = hash_of(keccak256(domain_type), *version, chain_id, game)
    return keccak256(b"\x19\x01" + domain + hash_of(keccak256(root_type), claim_id, root))


def rlp(item):
    if isinstance(item, bytes) and len(item) == 1 and item[0] < 0x80:
        return item
    is_bytes = isinstance(item, bytes)
    payload, base = (item, 0x80) if is_bytes else (b"".join(map(rlp, item)), 0xC0)
    if len(payload) < 56:
        return bytes([base + len(payload)]) + payload
    length = minimal(len(payload))
    return bytes([base + 55 + len(length)]) + length + payload


def minimal(n):
    return n.to_bytes(-(-n.bit_length() // 8), "big")


def header_rlp(block):
    """In: the members of eth_getBlockByNumber's answer."""

    def item(name):
        text = block[name]
        return minimal(int(text, 16)) if name in INTEGERS else bytes.fromhex(text[2:])

    return rlp([item(n) for n in HEADER if n not in APPENDED or n in block])
