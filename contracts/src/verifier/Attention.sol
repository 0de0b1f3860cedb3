// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {A8} from "./A8.sol";
import {Calldata} from "./Calldata.sol";
import {Float32} from "./Float32.sol";
import {Int8} from "./Int8.sol";
import {Math32} from "./Math32.sol";
import {Norm} from "./Norm.sol";

// slither-disable-start uninitialized-local: a local begins at 0, and is meant to
// slither-disable-start divide-before-multiply: quotients here are whole blocks and places; nothing is lost that a product needs

/// One head's query, and the keys and values of up to 32 positions that it attends to, by offsets
/// of the call's data.
struct AttentionChunk {
    /// the query's entries and values
    uint256 entries;
    uint256 query;
    /// consecutive A8 rows of one head each
    uint256 keys;
    uint256 values;
    uint256 count;
    uint256 headWidth;
    uint256 blockLength;
    /// float32
    uint256 scale;
}

/// @title ATTN (docs/SPEC.md, operations): chunks of 32 positions, and the sums over them.
library Attention {
    /// m, z and the element of o that is number `element` of the head.
    function chunk(AttentionChunk memory c, uint256 element)
        internal
        pure
        returns (uint256 m, uint256 z, uint256 o)
    {
        unchecked {
            uint256[32] memory e;
            (e, m) = _scores(c);
            for (uint256 i; i < c.count; ++i) {
                e[i] = Math32.exp32(Float32.sub(e[i], m));
            }
            o = _weighted(c, e, element);
            z = Norm.fold(e);
        }
    }

    /// z and o after another chunk, and one that has the maximum m.
    function accumulate(uint256 m, uint256 mc, uint256 zc, uint256 oc, uint256 z, uint256 o)
        internal
        pure
        returns (uint256, uint256)
    {
        uint256 f = Math32.exp32(Float32.sub(mc, m));
        return (Float32.fma(f, zc, z), Float32.fma(f, oc, o));
    }

    /// The scores, and the greatest of them.
    function _scores(AttentionChunk memory c)
        private
        pure
        returns (uint256[32] memory s, uint256 m)
    {
        unchecked {
            uint256 blocks = _blocks(c);
            uint256 row = c.keys;
            for (uint256 i; i < c.count; ++i) {
                uint256 acc;
                for (uint256 b; b < blocks; ++b) {
                    uint256 from = b * c.blockLength;
                    int256 dot = _dot(c.query + from, row + 8 * blocks + from, c.blockLength);
                    uint256 d = Float32.mul(Calldata.u32(c.entries + 8 * b), c.scale);
                    d = Float32.mul(d, Calldata.u32(row + 8 * b));
                    acc = Float32.mulAdd(
                        dot < 0 ? Float32.SIGN : 0, uint256(dot < 0 ? -dot : dot), 0, d, acc
                    );
                }
                s[i] = acc;
                if (i == 0 || Float32.greater(acc, m)) m = acc;
                row += 8 * blocks + c.headWidth;
            }
        }
    }

    /// One element of the values' sum under the exponentials e.
    function _weighted(AttentionChunk memory c, uint256[32] memory e, uint256 element)
        private
        pure
        returns (uint256)
    {
        unchecked {
            uint256 blocks = _blocks(c);
            uint256 size = 8 * blocks + c.headWidth;
            uint256 entry = c.values + 8 * (element / c.blockLength);
            uint256[32] memory p;
            // Division is monotonic: the greatest magnitude has the greatest scale.
            uint256 top;
            for (uint256 i; i < c.count; ++i) {
                p[i] = Float32.mul(e[i], Calldata.u32(entry + i * size));
                uint256 magnitude = p[i] & Float32.MAGNITUDE;
                if (magnitude > top) top = magnitude;
            }
            uint256 d = A8.scaleOf(top);
            uint256 inverse = A8.inverseOf(d);
            int256 sum;
            uint256 at = c.values + 8 * blocks + element;
            for (uint256 i; i < c.count; ++i) {
                sum += A8.valueOf(p[i], inverse) * Calldata.i8(at + i * size);
            }
            return Float32.mul(Float32.fromInt(sum), d);
        }
    }

    function _blocks(AttentionChunk memory c) private pure returns (uint256) {
        return c.headWidth / c.blockLength;
    }

    /// The sum of the products of `count` signed bytes at two offsets.
    function _dot(uint256 a, uint256 b, uint256 count) private pure returns (int256 total) {
        unchecked {
            for (uint256 i; i < count; i += 32) {
                uint256 x = Calldata.word(a + i);
                if (count - i < 32) x &= ~(type(uint256).max >> (8 * (count - i)));
                (int256 dot, int256 sum) = Int8.dot32(Calldata.word(b + i) ^ Int8.SIGNS, x);
                total += dot - 128 * sum;
            }
        }
    }
}
// slither-disable-end uninitialized-local,divide-before-multiply
