// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IStepVerifier, Opening} from "../interfaces/IStepVerifier.sol";

// slither-disable-start uninitialized-local: a local begins at 0, and is meant to

/// An item of a tree with the rows that it has (docs/SPEC.md, trees).
struct Item {
    /// number of the tree, of which the tags are made
    uint256 tree;
    bytes32 root;
    /// items of the tree, and which one this is
    uint256 items;
    uint256 index;
    uint256 rowBytes;
    /// height of the tree above rows
    uint256 rowBits;
}

/// @title Roots from openings. What lies where is the caller's word, never the opening's.
library Merkle {
    uint256 internal constant TRACE = 1;
    uint256 internal constant WEIGHTS = 2;
    uint256 internal constant PROGRAM = 3;
    uint256 internal constant ROPE = 5;
    uint256 internal constant CHUNK = 1024;
    uint256 private constant NODE = 1;
    uint256 private constant TOP = 2;

    /// L2: 0 for n <= 1, else the number of bits of n - 1.
    function log2(uint256 n) internal pure returns (uint256 bits) {
        assembly ("memory-safe") {
            if gt(n, 1) { bits := sub(256, clz(sub(n, 1))) }
        }
    }

    /// Height of the tree above the chunks of a row.
    function chunkBits(uint256 rowBytes) internal pure returns (uint256) {
        unchecked {
            return log2((rowBytes + CHUNK - 1) / CHUNK);
        }
    }

    /// Checks an opening of the chunks that hold the bytes [lo, hi) of a row, lo < hi <= rowBytes.
    /// @return at offset of byte lo in the call's data
    function openBytes(Item memory item, uint256 row, uint256 lo, uint256 hi, Opening calldata o)
        internal
        pure
        returns (uint256 at)
    {
        unchecked {
            uint256 bits = chunkBits(item.rowBytes);
            hi = (hi + CHUNK - 1) & ~(CHUNK - 1);
            if (hi > item.rowBytes) hi = item.rowBytes;
            at = _open(item, bits, (row << bits) + lo / CHUNK, hi - (lo & ~(CHUNK - 1)), CHUNK, o);
            at += lo % CHUNK;
        }
    }

    /// Checks an opening of `count` rows of one chunk each.
    /// @return at offset of the first in the call's data
    function openRows(Item memory item, uint256 row, uint256 count, Opening calldata o)
        internal
        pure
        returns (uint256 at)
    {
        unchecked {
            return _open(item, 0, row, count * item.rowBytes, item.rowBytes, o);
        }
    }

    /// Checks an opening of `length` bytes in chunks of `size`, the first at a place of the item,
    /// whose rows have `bits` levels.
    function _open(
        Item memory item,
        uint256 bits,
        uint256 place,
        uint256 length,
        uint256 size,
        Opening calldata o
    ) private pure returns (uint256 at) {
        bytes calldata data = o.data;
        if (data.length != length) revert IStepVerifier.BadOpening();
        _check(item, bits, place, _leaves(item.tree, data, size), o.path);
        assembly ("memory-safe") {
            at := data.offset
        }
    }

    /// Hashes of consecutive chunks of `size` bytes, the last may be shorter.
    function _leaves(uint256 tree, bytes calldata data, uint256 size)
        private
        pure
        returns (bytes32[] memory hashes)
    {
        unchecked {
            hashes = new bytes32[]((data.length + size - 1) / size);
        }
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            let out := add(hashes, 0x20)
            mstore8(buffer, shl(3, tree))
            for { let from := 0 } lt(from, data.length) { from := add(from, size) } {
                let length := sub(data.length, from)
                if gt(length, size) { length := size }
                calldatacopy(add(buffer, 1), add(data.offset, from), length)
                mstore(out, keccak256(buffer, add(length, 1)))
                out := add(out, 0x20)
            }
        }
    }

    /// Climbs from consecutive leaves, the first at a place of the item, to the root of the tree.
    function _check(
        Item memory item,
        uint256 bits,
        uint256 place,
        bytes32[] memory hashes,
        bytes32[] calldata path
    ) private pure {
        unchecked {
            uint256 height = bits + item.rowBits;
            uint256 level;
            uint256 used;
            for (; hashes.length > 1 && level < height; place >>= 1) {
                used = _pair(hashes, _prefix(item.tree, NODE, ++level), place, path, used);
            }
            bytes32 node = hashes[0];
            uint256 left = height - level;
            uint256 top = log2(item.items);
            if (hashes.length != 1 || path.length != used + left + top) {
                revert IStepVerifier.BadOpening();
            }
            node = _climb(node, _prefix(item.tree, NODE, level), place, path[used:used + left]);
            node = _climb(node, _prefix(item.tree, TOP, 0), item.index, path[used + left:]);
            if (node != item.root) revert IStepVerifier.WrongRoot();
        }
    }

    /// First two bytes of a node's preimage: tag and height.
    function _prefix(uint256 tree, uint256 role, uint256 height) private pure returns (uint256) {
        unchecked {
            return (8 * tree + role) << 8 | height;
        }
    }

    /// Replaces the hashes of one level, the first at `place`, by those of the next. Returns how
    /// much of the path is used.
    function _pair(
        bytes32[] memory hashes,
        uint256 prefix,
        uint256 place,
        bytes32[] calldata path,
        uint256 used
    ) private pure returns (uint256) {
        unchecked {
            uint256 n = hashes.length;
            uint256 to = place & 1;
            uint256 from = to;
            if (used + from + ((n ^ from) & 1) > path.length) revert IStepVerifier.BadOpening();
            if (from == 1) hashes[0] = _node(prefix, path[used++], hashes[0]);
            for (; from + 1 < n; from += 2) {
                hashes[to++] = _node(prefix, hashes[from], hashes[from + 1]);
            }
            if (from < n) hashes[to++] = _node(prefix, hashes[from], path[used++]);
            assembly ("memory-safe") {
                mstore(hashes, to)
            }
            return used;
        }
    }

    function _node(uint256 prefix, bytes32 left, bytes32 right)
        private
        pure
        returns (bytes32 hash)
    {
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            mstore(buffer, shl(240, prefix))
            mstore(add(buffer, 2), left)
            mstore(add(buffer, 34), right)
            hash := keccak256(buffer, 66)
        }
    }

    /// Climbs from one node along all of a path, bit by bit of its place; the node's height is the
    /// prefix's.
    function _climb(bytes32 node, uint256 prefix, uint256 place, bytes32[] calldata path)
        private
        pure
        returns (bytes32 root)
    {
        root = node;
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            let end := add(path.offset, shl(5, path.length))
            for { let at := path.offset } lt(at, end) { at := add(at, 0x20) } {
                prefix := add(prefix, 1)
                let right := shl(5, and(place, 1))
                mstore(buffer, shl(240, prefix))
                mstore(add(add(buffer, 2), right), root)
                mstore(add(add(buffer, 34), sub(0, right)), calldataload(at))
                root := keccak256(buffer, 66)
                place := shr(1, place)
            }
        }
    }
}
// slither-disable-end uninitialized-local
