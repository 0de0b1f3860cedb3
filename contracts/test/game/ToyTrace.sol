// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {OutputShape} from "../../src/interfaces/IStepVerifier.sol";

/// The trace of a toy program, true or tampered with. Hashes and places are written plainly, from
/// docs/SPEC.md alone, and shared with nothing of the game.
contract ToyTrace {
    uint16 public constant TOP = 65_535;

    uint256 public immutable promptCount;
    uint256 public immutable tokenCount;
    OutputShape[] internal _ops;

    mapping(uint256 op => mapping(uint256 place => bytes)) internal _changedLeaf;
    mapping(uint256 op => mapping(uint256 height => mapping(uint256 index => bytes32))) internal
        _forced;
    mapping(uint256 op => mapping(uint256 height => mapping(uint256 index => bytes32))) internal
        _known;

    constructor(OutputShape[] memory ops, uint256 promptCount_, uint256 tokenCount_) {
        for (uint256 i; i < ops.length; ++i) {
            _ops.push(ops[i]);
        }
        (promptCount, tokenCount) = (promptCount_, tokenCount_);
    }

    /* WHAT A LIAR CHANGES, BEFORE ANYTHING IS HASHED */

    function changeLeaf(uint256 op, uint256 place, bytes memory data) external {
        _changedLeaf[op][place] = data;
    }

    /// A node that stands for nothing, or garbage where padding must be.
    function force(uint256 op, uint256 height, uint256 index, bytes32 hash) external {
        _forced[op][height][index] = hash;
    }

    /* SHAPES */

    function opCount() public view returns (uint256) {
        return _ops.length;
    }

    function shape(uint256 op) external view returns (OutputShape memory) {
        return _ops[op];
    }

    function bits(uint256 n) public pure returns (uint256 b) {
        while ((uint256(1) << b) < n) ++b;
    }

    function rows(uint256 op) public view returns (uint256) {
        return _ops[op].kind == 1 ? tokenCount : promptCount + tokenCount - 1;
    }

    function chunks(uint256 op) public view returns (uint256) {
        return (_ops[op].rowBytes + 1023) / 1024;
    }

    function heightOf(uint256 op) public view returns (uint256) {
        if (op == TOP) return bits(_ops.length);
        uint256 heads = _ops[op].kind == 2 ? _ops[op].kvHeads : 1;
        return bits(chunks(op)) + bits(rows(op)) + bits(heads);
    }

    /// Whether the first leaf below a node is a chunk, or an operation, that there is.
    function present(uint256 op, uint256 height, uint256 index) public view returns (bool) {
        uint256 place = index * 2 ** height;
        if (op == TOP) return place < _ops.length;
        uint256 perRow = 2 ** bits(chunks(op));
        (uint256 chunk, uint256 row) = (place % perRow, place / perRow);
        if (chunk >= chunks(op)) return false;
        if (_ops[op].kind != 2) return row < rows(op);
        uint256 perHead = 2 ** bits(rows(op));
        return row / perHead < _ops[op].kvHeads && row % perHead < rows(op);
    }

    /// Height of a node's children in the game.
    function below(uint256 height) public pure returns (uint256) {
        return height < 5 ? 0 : height - 5;
    }

    /* LEAVES AND NODES */

    function lengthOf(uint256 op, uint256 place) public view returns (uint256) {
        uint256 chunk = place % 2 ** bits(chunks(op));
        return chunk + 1 < chunks(op) ? 1024 : _ops[op].rowBytes - 1024 * chunk;
    }

    function trueLeaf(uint256 op, uint256 place) public view returns (bytes memory data) {
        data = new bytes(lengthOf(op, place));
        uint256 word = uint256(keccak256(abi.encode(op, place)));
        for (uint256 i; i + 32 <= data.length; i += 32) {
            assembly {
                mstore(add(add(data, 32), i), add(word, i))
            }
        }
        // Tails that are no whole word stay zero but for this.
        data[0] = bytes1(uint8(word) | 1);
    }

    function leaf(uint256 op, uint256 place) public view returns (bytes memory) {
        bytes memory changed = _changedLeaf[op][place];
        return changed.length == 0 ? trueLeaf(op, place) : changed;
    }

    /// Hash of a node of the tree above operations, or of an operation's tree.
    function node(uint256 op, uint256 height, uint256 index) public returns (bytes32 hash) {
        hash = _known[op][height][index];
        if (hash != 0) return hash;
        bool top = op == TOP;
        if (_forced[op][height][index] != 0) {
            hash = _forced[op][height][index];
        } else if (!present(op, height, index)) {
            hash = keccak256(abi.encodePacked(top ? uint8(12) : uint8(11), uint8(height)));
        } else if (height == 0) {
            hash = top
                ? node(index, heightOf(index), 0)
                : keccak256(abi.encodePacked(uint8(8), leaf(op, index)));
        } else {
            bytes32 left = node(op, height - 1, 2 * index);
            bytes32 right = node(op, height - 1, 2 * index + 1);
            hash =
                keccak256(abi.encodePacked(top ? uint8(10) : uint8(9), uint8(height), left, right));
        }
        _known[op][height][index] = hash;
    }

    function root() public returns (bytes32) {
        return node(TOP, heightOf(TOP), 0);
    }

    /// Hashes that `reveal` and `openTrace` send.
    function children(uint256 op, uint256 height, uint256 index)
        public
        returns (bytes32[] memory list)
    {
        if (height == 0) return list;
        uint256 count = 2 ** (height - below(height));
        list = new bytes32[](count);
        for (uint256 i; i < count; ++i) {
            list[i] = node(op, below(height), index * count + i);
        }
    }

    /// Sibling hashes from a node up to one of its ancestors, which may lie in the tree above
    /// operations.
    function path(uint256 op, uint256 height, uint256 index, uint256 toOp, uint256 toHeight)
        public
        returns (bytes32[] memory list)
    {
        uint256 inside = op == toOp ? toHeight - height : heightOf(op) - height;
        list = new bytes32[](op == toOp ? inside : inside + toHeight);
        for (uint256 i; i < inside; ++i) {
            list[i] = node(op, height + i, (index >> i) ^ 1);
        }
        for (uint256 i = inside; i < list.length; ++i) {
            list[i] = node(TOP, i - inside, (op >> (i - inside)) ^ 1);
        }
    }
}
