// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDisputeGame} from "../interfaces/IDisputeGame.sol";
import {OutputShape} from "../interfaces/IStepVerifier.sol";

// slither-disable-start divide-before-multiply: quotients here are whole blocks and places; nothing is lost that a product needs

/// Shape of an operation's rows as far as its tree depends on it, small enough to lie beside a
/// dispute's position: bits 0 to 1 the row kind, 2 to 14 key-value heads, 15 to 41 bytes per row.
/// 0: none, the tree above operations.
type Layout is uint64;

/// A tree of a claim's trace. Place i is chunk i & (2^chunkBits - 1) of row i >> chunkBits; a row
/// is head << positionBits | position, with one head unless the rows are of kind 2. The tree above
/// operations is one row, an operation a chunk.
struct Tree {
    uint256 chunks;
    uint256 positions;
    uint256 heads;
    uint256 chunkBits;
    uint256 positionBits;
    uint256 height;
    /// tag bytes of its nodes and of its padding
    uint256 nodeTag;
    uint256 paddingTag;
}

/// @title Places in the trees of a trace (docs/SPEC.md, sections 9 and 14).
library Positions {
    /// Stands for an operation in positions of the tree above operations.
    uint16 internal constant TOP = 65_535;
    /// Levels of one reveal.
    uint256 internal constant STAGE = 5;
    uint256 internal constant CHUNK_BYTES = 1024;

    uint8 internal constant KIND_SAMPLED = 1;
    uint8 internal constant KIND_HEADS = 2;

    /// Limits of well-formed programs: 4,096 key-value heads, 2^24 elements of 4 bytes. With them
    /// and 32,768 positions no tree is higher than 31.
    uint256 internal constant MAX_HEADS = 4096;
    uint256 internal constant MAX_ROW_BYTES = 1 << 26;

    uint256 internal constant TAG_LEAF = 8;
    uint256 internal constant TAG_NODE = 9;
    uint256 internal constant TAG_TOP = 10;
    uint256 internal constant TAG_PADDING = 11;
    uint256 internal constant TAG_TOP_PADDING = 12;

    /// 0 for n <= 1, else the number of bits of n - 1; n is not 0.
    function log2Ceil(uint256 n) internal pure returns (uint256 bits) {
        assembly ("memory-safe") {
            bits := sub(256, clz(sub(n, 1)))
        }
    }

    /* TREES */

    /// Reverts on a shape that no operation of a well-formed program has.
    function requireKnown(OutputShape memory shape) internal pure {
        bool ok = shape.kind <= KIND_HEADS && shape.rowBytes != 0 && shape.rowBytes <= MAX_ROW_BYTES
            && shape.kvHeads <= MAX_HEADS && (shape.kind == KIND_HEADS) == (shape.kvHeads != 0);
        if (!ok) revert IDisputeGame.UnknownShape();
    }

    /// Packs a shape that passed `requireKnown`, whose bounds are the widths of the three fields.
    function layoutOf(OutputShape memory shape) internal pure returns (Layout) {
        // Safe cast: 42 bits.
        return Layout.wrap(
            uint64(shape.kind | uint256(shape.kvHeads) << 2 | uint256(shape.rowBytes) << 15)
        );
    }

    /// Tree of an operation of a claim with P prompt tokens and an answer of N.
    function operation(Layout layout, uint256 promptCount, uint256 tokenCount)
        internal
        pure
        returns (Tree memory t)
    {
        uint256 bits = Layout.unwrap(layout);
        t.chunks = chunksOf(layout);
        // Safe: no count is 0 or near 2^256.
        unchecked {
            t.positions = bits & 3 == KIND_SAMPLED ? tokenCount : promptCount + tokenCount - 1;
        }
        t.heads = bits & 3 == KIND_HEADS ? (bits >> 2) & 0x1fff : 1;
        t.chunkBits = log2Ceil(t.chunks);
        t.positionBits = log2Ceil(t.positions);
        t.height = t.chunkBits + t.positionBits + log2Ceil(t.heads);
        (t.nodeTag, t.paddingTag) = (TAG_NODE, TAG_PADDING);
    }

    function top(uint256 opCount) internal pure returns (Tree memory t) {
        (t.chunks, t.positions, t.heads) = (opCount, 1, 1);
        t.chunkBits = t.height = log2Ceil(opCount);
        (t.nodeTag, t.paddingTag) = (TAG_TOP, TAG_TOP_PADDING);
    }

    /* PLACES */

    /// Whether a node is not padding: its first leaf is in range. False for every index that the
    /// tree has not.
    function isPresent(Tree memory t, uint256 height, uint256 index) internal pure returns (bool) {
        uint256 place = index << height;
        uint256 row = place >> t.chunkBits;
        return (place & ~(type(uint256).max << t.chunkBits)) < t.chunks
            && (row & ~(type(uint256).max << t.positionBits)) < t.positions
            && (row >> t.positionBits) < t.heads;
    }

    /// Bit j says whether node `first + j` of a level is present, for the `count` nodes below one
    /// node that is; count is a power of two, at most 32.
    /// @dev The bits of j that choose among the nodes are, from the lowest, bits of the chunk, of
    /// the position and of the head; in each of the three the values in range are the first ones.
    /// So the mask is that of the chunks, repeated for each position in range, and that again for
    /// each head.
    function presentMask(Tree memory t, uint256 level, uint256 first, uint256 count)
        internal
        pure
        returns (uint256 mask)
    {
        unchecked {
            uint256 place = first << level;
            uint256 stride = 1;
            (mask, stride, level) = _repeat(1, stride, count, level, place, t.chunkBits, t.chunks);
            place >>= t.chunkBits;
            (mask, stride, level) =
                _repeat(mask, stride, count, level, place, t.positionBits, t.positions);
            (mask,,) = _repeat(mask, stride, count, level, place >> t.positionBits, 32, t.heads);
        }
    }

    /// Repeats a mask of `stride` bits for every value in range of one field of a place.
    /// @param level bits of the place, from this field's first, in which the nodes of the level do
    /// not differ
    /// @param place whose lowest `bits` bits are the field, at the first node
    /// @param n the field's values are in range below it
    function _repeat(
        uint256 mask,
        uint256 stride,
        uint256 count,
        uint256 level,
        uint256 place,
        uint256 bits,
        uint256 n
    ) private pure returns (uint256, uint256, uint256) {
        unchecked {
            if (level >= bits) return (mask, stride, level - bits);
            uint256 values = count / stride;
            if (values > 1 << (bits - level)) values = 1 << (bits - level);
            // INVARIANT: the field of the first node is in range, as the node above is present.
            uint256 inRange = (n - (place & ((1 << bits) - 1)) + (1 << level) - 1) >> level;
            if (inRange > values) inRange = values;
            // 1 at each multiple of the stride, inRange times.
            mask *= ((1 << (inRange * stride)) - 1) / ((1 << stride) - 1);
            return (mask, stride * values, 0);
        }
    }

    /// Whether nodes of that height are revealed: the tree's height less a multiple of 5, or 0.
    function isStage(Tree memory t, uint256 height) internal pure returns (bool) {
        return height <= t.height && (height == 0 || (t.height - height) % STAGE == 0);
    }

    /// Levels from a node of that height to its children in the game.
    function stageBelow(uint256 height) internal pure returns (uint256) {
        return height < STAGE ? height : STAGE;
    }

    function rowOf(Layout layout, uint256 index) internal pure returns (uint256) {
        return index >> log2Ceil(chunksOf(layout));
    }

    function chunkOf(Layout layout, uint256 index) internal pure returns (uint256) {
        return index & ~(type(uint256).max << log2Ceil(chunksOf(layout)));
    }

    function chunksOf(Layout layout) internal pure returns (uint256) {
        return (rowBytesOf(layout) + CHUNK_BYTES - 1) / CHUNK_BYTES;
    }

    function rowBytesOf(Layout layout) internal pure returns (uint256) {
        return Layout.unwrap(layout) >> 15;
    }

    /// Bytes of a leaf: a whole chunk, or what is left of the row for the last one.
    function leafBytes(Layout layout, uint256 index) internal pure returns (uint256) {
        uint256 before = chunkOf(layout, index) * CHUNK_BYTES;
        uint256 left = rowBytesOf(layout) - before;
        return left < CHUNK_BYTES ? left : CHUNK_BYTES;
    }
}
// slither-disable-end divide-before-multiply
