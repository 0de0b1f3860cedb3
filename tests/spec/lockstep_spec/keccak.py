"""Keccak-256 with Ethereum's padding byte 0x01."""

MASK = (1 << 64) - 1
RATE = 136


def _round_constants():
    constants, lfsr = [], 1
    for _ in range(24):
        word = 0
        for j in range(7):
            if lfsr & 1:
                word |= 1 << ((1 << j) - 1)
            lfsr <<= 1
            if lfsr & 0x100:
                lfsr ^= 0x171
        constants.append(word)
    return constants


def _rho_pi():
    """(from, to, rotation) of the combined steps rho and pi, lanes numbered x + 5 y."""
    moves, x, y = [(0, 0, 0)], 1, 0
    for t in range(24):
        moves.append((x + 5 * y, y + 5 * ((2 * x + 3 * y) % 5), (t + 1) * (t + 2) // 2 % 64))
        x, y = y, (2 * x + 3 * y) % 5
    return moves


ROUNDS = _round_constants()
MOVES = _rho_pi()


def _permute(s):
    for constant in ROUNDS:
        c = [s[x] ^ s[x + 5] ^ s[x + 10] ^ s[x + 15] ^ s[x + 20] for x in range(5)]
        d = [c[x - 1] ^ (c[(x + 1) % 5] << 1 & MASK | c[(x + 1) % 5] >> 63) for x in range(5)]
        b = [0] * 25
        for source, target, turn in MOVES:
            v = s[source] ^ d[source % 5]
            b[target] = (v << turn | v >> (64 - turn)) & MASK
        for y in range(0, 25, 5):
            b0, b1, b2, b3, b4 = b[y : y + 5]
            s[y] = b0 ^ (~b1 & b2)
            s[y + 1] = b1 ^ (~b2 & b3)
            s[y + 2] = b2 ^ (~b3 & b4)
            s[y + 3] = b3 ^ (~b4 & b0)
            s[y + 4] = b4 ^ (~b0 & b1)
        s[0] ^= constant


def keccak256(data):
    padded = bytearray(data) + b"\x01"
    padded += bytes(-len(padded) % RATE)
    padded[-1] |= 0x80
    state = [0] * 25
    for at in range(0, len(padded), RATE):
        for i in range(RATE // 8):
            state[i] ^= int.from_bytes(padded[at + 8 * i : at + 8 * i + 8], "little")
        _permute(state)
    return b"".join(lane.to_bytes(8, "little") for lane in state[:4])
