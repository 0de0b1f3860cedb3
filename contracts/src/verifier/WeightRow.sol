// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Calldata} from "./Calldata.sol";
import {Float32} from "./Float32.sol";

// slither-disable-start uninitialized-local: a local begins at 0, and is meant to

/// 32 consecutive weights of a row, as stored: value_i = (bytes_i - bias) * (factor * scale) +
/// (factor2 * scale2), scales binary16 bits, factors integers. Q6_K: the second factor is that of
/// the elements 16 to 31, and there is no offset.
struct Group {
    /// unsigned, element 0 the highest byte
    uint256 bytes_;
    uint256 scale;
    int256 factor;
    uint256 scale2;
    int256 factor2;
    /// of the type, for all groups: bytes of a stored block, what is taken off the bytes, whether
    /// there is an offset
    uint256 kind;
    uint256 size;
    int256 bias;
    bool hasOffset;
}

/// @title Weight rows of the eight stored types (docs/SPEC.md, weight rows).
/// @dev Rows are read where they lie in the call's data.
library WeightRow {
    uint256 internal constant F32 = 0;
    uint256 internal constant Q4_0 = 2;
    uint256 internal constant Q4_1 = 3;
    uint256 internal constant Q5_0 = 6;
    uint256 internal constant Q5_1 = 7;
    uint256 internal constant Q8_0 = 8;
    uint256 internal constant Q4_K = 12;
    uint256 internal constant Q5_K = 13;
    uint256 internal constant Q6_K = 14;

    uint256 private constant NIBBLES =
        0x0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f;
    uint256 private constant PAIRS =
        0x0303030303030303030303030303030303030303030303030303030303030303;
    uint256 private constant FIFTHS =
        0x1010101010101010101010101010101010101010101010101010101010101010;
    uint256 private constant SIGNS =
        0x8080808080808080808080808080808080808080808080808080808080808080;
    /// Bit i mod 8 of byte i
    uint256 private constant DIAGONAL =
        0x0102040810204080010204081020408001020408102040800102040810204080;
    uint256 private constant REPEAT = 0x0101010101010101;

    /// Elements and bytes of a stored block; 0 of a type that matrices do not have.
    function blockOf(uint256 kind) internal pure returns (uint256 elements, uint256 size) {
        if (kind == Q8_0) return (32, 34);
        if (kind == Q4_0) return (32, 18);
        if (kind == Q4_1) return (32, 20);
        if (kind == Q5_0) return (32, 22);
        if (kind == Q5_1) return (32, 24);
        if (kind == Q4_K) return (256, 144);
        if (kind == Q5_K) return (256, 176);
        if (kind == Q6_K) return (256, 210);
    }

    /// A group of a type that matrices have, to be loaded.
    function ofType(uint256 kind) internal pure returns (Group memory g) {
        g.kind = kind;
        (, g.size) = blockOf(kind);
        g.hasOffset = kind == Q4_1 || kind == Q5_1 || kind == Q4_K || kind == Q5_K;
        if (kind == Q8_0) g.bias = 128;
        if (kind == Q6_K) g.bias = 32;
        if (kind == Q5_0) g.bias = 16;
        if (kind == Q4_0) g.bias = 8;
    }

    /// Group number i of the row at an offset of the call's data.
    function load(Group memory g, uint256 row, uint256 i) internal pure {
        unchecked {
            uint256 kind = g.kind;
            if (kind < Q4_K) {
                row += i * g.size;
                g.scale = Calldata.u16(row);
                g.factor = 1;
                if (kind == Q8_0) g.bytes_ = Calldata.word(row + 2) ^ SIGNS;
                else _loadNibbles(g, kind, row + 2);
                return;
            }
            row += (i >> 3) * g.size;
            i &= 7;
            if (kind == Q6_K) return _loadQ6K(g, row, i);
            _loadScales(g, row, i);
            if (kind == Q4_K) {
                g.bytes_ = _nibbles(row + 16, i);
            } else {
                uint256 high = Calldata.word(row + 16) >> i;
                g.bytes_ = _nibbles(row + 48, i) | ((high << 4) & FIFTHS);
            }
        }
    }

    /// Element j of the group as a float32: EMBED.
    function element(Group memory g, uint256 j) internal pure returns (uint256) {
        unchecked {
            uint256 q = Float32.fromInt(int256((g.bytes_ >> (248 - 8 * j)) & 0xff) - g.bias);
            uint256 w = _scaled(g.kind == Q6_K && j >= 16 ? g.factor2 : g.factor, g.scale);
            if (!g.hasOffset) return Float32.mul(q, w);
            // n first, then its sign: -n of n = +0 is -0.
            return Float32.fma(q, w, _scaled(-g.factor2, g.scale2) ^ Float32.SIGN);
        }
    }

    /// Q4_0, Q4_1, Q5_0, Q5_1 behind d: m and the fifth bits, as far as the type has them, then the
    /// nibbles.
    function _loadNibbles(Group memory g, uint256 kind, uint256 at) private pure {
        unchecked {
            if (g.hasOffset) {
                g.scale2 = Calldata.u16(at);
                g.factor2 = 1;
                at += 2;
            }
            uint256 high;
            if (kind >= Q5_0) {
                high = _spread(Calldata.word(at) >> 224);
                at += 4;
            }
            uint256 v = Calldata.word(at) >> 128;
            g.bytes_ = (((v << 128) | (v >> 4)) & NIBBLES) | high;
        }
    }

    /// Four bytes of eight bits, the lowest first, as the fifth bits of 32 bytes.
    function _spread(uint256 h) private pure returns (uint256) {
        unchecked {
            uint256 copies = ((h >> 24) * REPEAT) << 192 | ((h >> 16) & 0xff) * REPEAT << 128
                | ((h >> 8) & 0xff) * REPEAT << 64 | (h & 0xff) * REPEAT;
            // Bit 7 of each byte that is not 0; none carries, since a byte has one bit at most.
            return ((((copies & DIAGONAL) + ~SIGNS) & SIGNS) >> 3);
        }
    }

    /// Sub-block j of the nibbles of Q4_K and Q5_K.
    function _nibbles(uint256 at, uint256 j) private pure returns (uint256) {
        unchecked {
            return (Calldata.word(at + 32 * (j >> 1)) >> (4 * (j & 1))) & NIBBLES;
        }
    }

    /// d, e and the six-bit scale and minimum of sub-block j of Q4_K and Q5_K. The offset is taken
    /// off, so its factor is negative.
    function _loadScales(Group memory g, uint256 row, uint256 j) private pure {
        uint256 scale;
        uint256 minimum;
        assembly ("memory-safe") {
            let s := calldataload(add(row, 4))
            switch lt(j, 4)
            case 1 {
                scale := and(byte(j, s), 63)
                minimum := and(byte(add(j, 4), s), 63)
            }
            default {
                let mixed := byte(add(j, 4), s)
                scale := or(and(mixed, 15), shl(4, shr(6, byte(sub(j, 4), s))))
                minimum := or(shr(4, mixed), shl(4, shr(6, byte(j, s))))
            }
        }
        (g.scale, g.factor) = (Calldata.u16(row), int256(scale));
        unchecked {
            (g.scale2, g.factor2) = (Calldata.u16(row + 2), -int256(minimum));
        }
    }

    function _loadQ6K(Group memory g, uint256 row, uint256 j) private pure {
        unchecked {
            uint256 low = Calldata.word(row + 64 * (j >> 2) + 32 * (j & 1)) >> (2 * (j & 2));
            uint256 high = Calldata.word(row + 128 + 32 * (j >> 2)) >> (2 * (j & 3));
            g.bytes_ = (low & NIBBLES) | ((high & PAIRS) << 4);
            g.scale = Calldata.u16(row + 208);
            g.factor = Calldata.i8(row + 192 + 2 * j);
            g.factor2 = Calldata.i8(row + 193 + 2 * j);
        }
    }

    function _scaled(int256 factor, uint256 scale) private pure returns (uint256) {
        return Float32.mul(Float32.fromInt(factor), Float32.fromHalf(scale));
    }
}
// slither-disable-end uninitialized-local
