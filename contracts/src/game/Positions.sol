// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDisputeGame} from "../interfaces/IDisputeGame.sol";
import {OutputShape} from "../interfaces/IStepVerifier.sol";

/// Shape of an operation's rows as far as places in its tree depend on it, small enough to lie beside a dispute's position:
/// bits 0 to 1 the row kind, 2 to 14 key-value heads, 15 to 31 chunks a row. 0: none, the tree above operations.
type Layout is uint32;

/// A tree of a claim's trace. Place i is chunk i & (2^chunkBits - 1) of row i >> chunkBits; a row is head << positionBits | position, with one head
/// unless the rows are of kind 2. The tree above operations is one row, an operation a chunk.
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

    /// Limits of well-formed programs: 4,096 key-value heads, 2^24 elements of 4 bytes. With them and 32,768 positions no tree is higher than 31.
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

    /// Of a shape that passed `requireKnown`, whose bounds are the widths of the three fields.
    function layoutOf(OutputShape memory shape) internal pure returns (Layout) {
        uint256 chunks = (uint256(shape.rowBytes) + CHUNK_BYTES - 1) / CHUNK_BYTES;
        return Layout.wrap(uint32(shape.kind | uint256(shape.kvHeads) << 2 | chunks << 15));
    }

    /// Tree of an operation of a claim with P prompt tokens and an answer of N.
    function operation(Layout layout, uint256 promptCount, uint256 tokenCount) internal pure returns (Tree memory t) {
        uint256 bits = Layout.unwrap(layout);
        t.chunks = bits >> 15;
        t.positions = bits & 3 == KIND_SAMPLED ? tokenCount : promptCount + tokenCount - 1;
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

    /// Whether a node is not padding: its first leaf is in range. False for every index that the tree has not.
    function isPresent(Tree memory t, uint256 height, uint256 index) internal pure returns (bool) {
        uint256 place = index << height;
        uint256 row = place >> t.chunkBits;
        return (place & ~(type(uint256).max << t.chunkBits)) < t.chunks
            && (row & ~(type(uint256).max << t.positionBits)) < t.positions && (row >> t.positionBits) < t.heads;
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
        return Layout.unwrap(layout) >> 15;
    }
}
