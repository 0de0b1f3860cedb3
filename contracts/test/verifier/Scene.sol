// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ClaimFacts, Opening, UnitKind, Witness} from "../../src/interfaces/IStepVerifier.sol";
import {ModelCommitment} from "../../src/interfaces/IModelRegistry.sol";
import {Op} from "../../src/verifier/Program.sol";

/// Chunks that a unit reads: `data` in chunks of `size`, the first at a place of an item of a tree.
struct Read {
    uint256 tree;
    uint256 item;
    uint256 height;
    uint256 place;
    uint256 size;
    bytes data;
    /// of a token list: the finished opening
    bool isList;
    Opening list;
}

/// A witness in the making. The trees hold what is read; every other node of theirs is any hash,
/// since nothing of it is ever checked.
struct Scene {
    ClaimFacts facts;
    bytes32 traceRoot;
    ModelCommitment model;
    Witness witness;
    Read[] reads;
    uint256 count;
}

struct Node {
    uint256 index;
    bytes32 hash;
}

/// Builds openings as docs/SPEC.md words them, apart from the verifier's code.
library Scenes {
    uint256 internal constant TRACE = 1;
    uint256 internal constant WEIGHTS = 2;
    uint256 internal constant PROGRAM = 3;
    uint256 internal constant ROPE = 5;

    function create(uint256 opCount, uint256 tensorCount, uint256 prompt, uint256 answer)
        internal
        pure
        returns (Scene memory s)
    {
        s.reads = new Read[](40);
        (s.model.opCount, s.model.tensorCount) = (uint32(opCount), uint32(tensorCount));
        (s.model.arithmeticVersion, s.model.samplerOp) = (1, uint32(opCount - 1));
        (s.model.contextLength, s.model.maxPositions) = (32_768, 32_768);
        (s.facts.promptCount, s.facts.tokenCount) = (uint32(prompt), uint32(answer));
    }

    function unit(
        Scene memory s,
        UnitKind kind,
        uint256 op,
        uint256 leaf,
        uint256 unit_,
        uint256 place
    ) internal pure {
        Witness memory w = s.witness;
        (w.kind, w.op, w.leaf, w.unit, w.place) =
        (kind, uint32(op), uint32(leaf), uint32(unit_), uint32(place));
    }

    /* READS */

    function descriptor(Scene memory s, uint256 index, Op memory op) internal pure {
        add(s, Read(PROGRAM, 0, log2(s.model.opCount), index, 1024, encode(op), false, none()));
    }

    /// Bytes [lo, hi) of a row, of which an item has 2^rowBits.
    function bytesOf(
        Scene memory s,
        uint256 tree,
        uint256 item,
        uint256 rowBits,
        uint256 index,
        bytes memory row,
        uint256 lo,
        uint256 hi
    ) internal pure {
        uint256 bits = log2((row.length + 1023) / 1024);
        uint256 from = lo / 1024 * 1024;
        uint256 to = (hi + 1023) / 1024 * 1024;
        if (to > row.length) to = row.length;
        uint256 place = (index << bits) + lo / 1024;
        add(s, Read(tree, item, bits + rowBits, place, 1024, slice(row, from, to), false, none()));
    }

    /// Consecutive rows of one chunk each.
    function rowsOf(
        Scene memory s,
        uint256 item,
        uint256 rowBits,
        uint256 index,
        uint256 size,
        bytes memory rows
    ) internal pure {
        add(s, Read(TRACE, item, rowBits, index, size, rows, false, none()));
    }

    /// Element i of a token list, and the list's hash.
    function token(Scene memory s, bytes memory list, uint256 i) internal pure returns (bytes32) {
        Opening memory o;
        o.path = new bytes32[]((list.length + 1023) / 1024);
        for (uint256 k; k < o.path.length; ++k) {
            uint256 end = 1024 * k + 1024 < list.length ? 1024 * k + 1024 : list.length;
            bytes memory piece = slice(list, 1024 * k, end);
            o.path[k] = keccak256(piece);
            if (k == i / 256) o.data = piece;
        }
        add(s, Read(0, 0, 0, 0, 1024, "", true, o));
        return keccak256(abi.encodePacked(o.path));
    }

    function add(Scene memory s, Read memory r) private pure {
        s.reads[s.count++] = r;
    }

    function none() private pure returns (Opening memory o) {}

    /* OPENINGS */

    /// Makes the trees' roots and all openings.
    function finish(Scene memory s) internal pure {
        s.witness.openings = new Opening[](s.count);
        s.traceRoot = finishTree(s, TRACE, s.model.opCount);
        s.model.weightsRoot = finishTree(s, WEIGHTS, s.model.tensorCount);
        s.model.programRoot = finishTree(s, PROGRAM, 1);
        s.model.ropeRoot = finishTree(s, ROPE, 1);
        for (uint256 i; i < s.count; ++i) {
            if (s.reads[i].isList) s.witness.openings[i] = s.reads[i].list;
        }
    }

    function finishTree(Scene memory s, uint256 tree, uint256 items)
        private
        pure
        returns (bytes32)
    {
        Node[] memory roots = new Node[](s.count);
        uint256 n;
        for (uint256 i; i < s.count; ++i) {
            Read memory r = s.reads[i];
            if (r.isList || r.tree != tree || has(roots, n, r.item)) continue;
            roots[n++] = Node(r.item, finishItem(s, r, items));
        }
        if (n == 0) return 0;
        uint256 height = log2(items);
        Node[][] memory levels = grow(8 * tree + 2, sorted(roots, n), height);
        for (uint256 i; i < s.count; ++i) {
            Read memory r = s.reads[i];
            if (!r.isList && r.tree == tree) {
                climb(levels, 8 * tree + 2, r.item, r.item + 1, height, s.witness.openings[i].path);
            }
        }
        return levels[height][0].hash;
    }

    /// Fills the openings of all reads of one item with data and their paths within the item.
    /// Returns its root.
    function finishItem(Scene memory s, Read memory first, uint256 items)
        private
        pure
        returns (bytes32)
    {
        Node[] memory leaves = new Node[](chunksOf(s, first));
        uint256 n;
        for (uint256 i; i < s.count; ++i) {
            Read memory r = s.reads[i];
            if (r.isList || r.tree != first.tree || r.item != first.item) continue;
            require(r.height == first.height, "one height an item");
            for (uint256 at; at < r.data.length; at += r.size) {
                uint256 end = at + r.size < r.data.length ? at + r.size : r.data.length;
                uint256 place = r.place + at / r.size;
                if (has(leaves, n, place)) continue;
                leaves[n++] = Node(
                    place,
                    keccak256(bytes.concat(bytes1(uint8(8 * r.tree)), slice(r.data, at, end)))
                );
            }
        }
        Node[][] memory levels = grow(8 * first.tree + 1, sorted(leaves, n), first.height);
        for (uint256 i; i < s.count; ++i) {
            Read memory r = s.reads[i];
            if (r.isList || r.tree != first.tree || r.item != first.item) continue;
            uint256 end = r.place + (r.data.length + r.size - 1) / r.size;
            Opening memory o = s.witness.openings[i];
            o.data = r.data;
            o.path = new bytes32[](siblings(r.place, end, r.height) + log2(items));
            climb(levels, 8 * first.tree + 1, r.place, end, r.height, o.path);
        }
        return levels[first.height][0].hash;
    }

    /// Chunks of all reads of an item, some of them twice.
    function chunksOf(Scene memory s, Read memory first) private pure returns (uint256 n) {
        for (uint256 i; i < s.count; ++i) {
            Read memory r = s.reads[i];
            if (!r.isList && r.tree == first.tree && r.item == first.item) {
                n += (r.data.length + r.size - 1) / r.size;
            }
        }
    }

    /// All levels above sorted nodes; what is not there is `any`.
    function grow(uint256 tag, Node[] memory leaves, uint256 height)
        private
        pure
        returns (Node[][] memory levels)
    {
        levels = new Node[][](height + 1);
        levels[0] = leaves;
        for (uint256 h = 1; h <= height; ++h) {
            Node[] memory below = levels[h - 1];
            Node[] memory above = new Node[](below.length);
            uint256 n;
            for (uint256 i; i < below.length; ++i) {
                uint256 parent = below[i].index / 2;
                if (n != 0 && above[n - 1].index == parent) continue;
                bytes32 left = nodeAt(below, tag, h - 1, 2 * parent);
                bytes32 right = nodeAt(below, tag, h - 1, 2 * parent + 1);
                above[n++] =
                    Node(parent, keccak256(abi.encodePacked(uint8(tag), uint8(h), left, right)));
            }
            levels[h] = sorted(above, n);
        }
    }

    /// Writes the hashes beside the range [a, b) to a path: at its beginning, or those above items
    /// at its end.
    function climb(
        Node[][] memory levels,
        uint256 tag,
        uint256 a,
        uint256 b,
        uint256 height,
        bytes32[] memory path
    ) private pure {
        // The top's hashes stand behind the item's.
        uint256 used = tag % 8 == 2 ? path.length - height : 0;
        for (uint256 h; h < height; ++h) {
            if (a % 2 == 1) path[used++] = nodeAt(levels[h], tag, h, a - 1);
            if (b % 2 == 1) path[used++] = nodeAt(levels[h], tag, h, b);
            (a, b) = (a / 2, (b + 1) / 2);
        }
    }

    function siblings(uint256 a, uint256 b, uint256 height) private pure returns (uint256 n) {
        for (uint256 h; h < height; ++h) {
            n += a % 2 + b % 2;
            (a, b) = (a / 2, (b + 1) / 2);
        }
    }

    function nodeAt(Node[] memory level, uint256 tag, uint256 h, uint256 index)
        private
        pure
        returns (bytes32)
    {
        for (uint256 i; i < level.length; ++i) {
            if (level[i].index == index) return level[i].hash;
        }
        return keccak256(abi.encode("any", tag, h, index));
    }

    function has(Node[] memory nodes, uint256 n, uint256 index) private pure returns (bool) {
        for (uint256 i; i < n; ++i) {
            if (nodes[i].index == index) return true;
        }
        return false;
    }

    /// The first n nodes by index.
    function sorted(Node[] memory nodes, uint256 n) private pure returns (Node[] memory out) {
        out = new Node[](n);
        for (uint256 i; i < n; ++i) {
            uint256 j = i;
            for (; j > 0 && out[j - 1].index > nodes[i].index; --j) {
                out[j] = out[j - 1];
            }
            out[j] = nodes[i];
        }
    }

    /* BYTES */

    function log2(uint256 n) internal pure returns (uint256 bits) {
        while ((1 << bits) < n) ++bits;
    }

    function slice(bytes memory data, uint256 from, uint256 to)
        internal
        pure
        returns (bytes memory out)
    {
        out = new bytes(to - from);
        assembly ("memory-safe") {
            mcopy(add(out, 0x20), add(add(data, 0x20), from), sub(to, from))
        }
    }

    function put32(bytes memory data, uint256 at, uint256 word) internal pure {
        for (uint256 i; i < 4; ++i) {
            data[at + i] = bytes1(uint8(word >> (8 * i)));
        }
    }

    function encode(Op memory op) internal pure returns (bytes memory d) {
        d = new bytes(256);
        put32(d, 0, op.code);
        put32(d, 4, op.kind);
        put32(d, 8, op.form);
        put32(d, 12, op.width);
        put32(d, 16, op.blockLength);
        for (uint256 k; k < 4; ++k) {
            put32(d, 20 + 4 * k, op.inputs[k]);
            put32(d, 36 + 16 * k, op.weights[k].tensor);
            put32(d, 40 + 16 * k, op.weights[k].kind);
            put32(d, 44 + 16 * k, op.weights[k].rows);
            put32(d, 48 + 16 * k, op.weights[k].columns);
        }
        put32(d, 100, op.heads);
        put32(d, 104, op.kvHeads);
        put32(d, 108, op.headWidth);
        put32(d, 112, op.rotary);
        put32(d, 116, op.pairing);
        put32(d, 120, op.scalar);
        put32(d, 124, op.vocabulary);
    }

    /// Words without inputs and weights, which are absent.
    function plain(uint256 code, uint256 kind, uint256 form, uint256 width, uint256 blockLength)
        internal
        pure
        returns (Op memory op)
    {
        (op.code, op.kind, op.form, op.width, op.blockLength) =
        (code, kind, form, width, blockLength);
        for (uint256 k; k < 4; ++k) {
            op.inputs[k] = 0xffffffff;
            op.weights[k].tensor = 0xffffffff;
        }
    }
}
