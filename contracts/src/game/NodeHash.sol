// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDisputeGame} from "../interfaces/IDisputeGame.sol";
import {Positions, Tree} from "./Positions.sol";

/// @title Hashes of a trace's nodes. Height, tag and padding come from the position, never from
/// whoever sends a move.
library NodeHash {
    using Positions for Tree;

    uint256 private constant EVEN = 0x55555555;

    function leaf(bytes calldata data) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(uint8(Positions.TAG_LEAF), data));
    }

    function padding(uint256 tag, uint256 height) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            mstore8(0, tag)
            mstore8(1, height)
            hash := keccak256(0, 2)
        }
    }

    /// The node that children of one stage belong to. Reverts when a child that is padding by its
    /// position has another value.
    /// @param height of the node; its children's number, 2^min(height, 5), is the caller's to check
    function fold(Tree memory t, uint256 height, uint256 index, bytes32[] calldata children)
        internal
        pure
        returns (bytes32 hash)
    {
        uint256 count = children.length;
        uint256 level = height - Positions.stageBelow(height);
        uint256 absent = _absentMask(t, level, index * count, children);
        (uint256 tag, uint256 paddingTag) = (t.nodeTag, t.paddingTag);
        // Bit j of `absent` says that node j of the level is padding. A node's first leaf is that
        // of its left child, so a level's mask is every second bit of the mask below. The pair that
        // is hashed has tag and height in the two bytes before it: those of a node already used,
        // or, before the first pair, of a word kept free.
        assembly ("memory-safe") {
            let base := add(mload(0x40), 0x20)
            calldatacopy(base, children.offset, shl(5, count))
            for {} gt(count, 1) {} {
                level := add(level, 1)
                let header := or(shl(8, tag), level)
                let from := base
                let end := add(base, shl(5, count))
                count := shr(1, count)
                let to := base
                for {} lt(from, end) {} {
                    mstore(sub(from, 0x20), header)
                    mstore(to, keccak256(sub(from, 2), 66))
                    from := add(from, 0x40)
                    to := add(to, 0x20)
                }
                if absent {
                    mstore8(0, paddingTag)
                    mstore8(1, level)
                    let pad := keccak256(0, 2)
                    let left := and(absent, EVEN)
                    absent := 0
                    for {} left {} {
                        let j := sub(255, clz(left))
                        // slither-disable-next-line incorrect-shift: a 1 is shifted, by as many bits
                        left := xor(left, shl(j, 1))
                        j := shr(1, j)
                        // slither-disable-next-line incorrect-shift: a 1 is shifted, by as many bits
                        absent := or(absent, shl(j, 1))
                        mstore(add(base, shl(5, j)), pad)
                    }
                }
            }
            hash := mload(base)
        }
    }

    /// Bit j says whether child j is padding. Reverts when one that is has another value.
    function _absentMask(Tree memory t, uint256 level, uint256 first, bytes32[] calldata children)
        private
        pure
        returns (uint256 mask)
    {
        mask = t.presentMask(level, first, children.length) ^ ((1 << children.length) - 1);
        if (mask == 0) return 0;
        bytes32 pad = padding(t.paddingTag, level);
        bool wrong;
        assembly ("memory-safe") {
            for { let rest := mask } rest {} {
                let j := sub(255, clz(rest))
                // slither-disable-next-line incorrect-shift: a 1 is shifted, by as many bits
                rest := xor(rest, shl(j, 1))
                wrong := or(wrong, xor(calldataload(add(children.offset, shl(5, j))), pad))
            }
        }
        if (wrong) revert IDisputeGame.BadPadding();
    }

    /// The node that lies `path.length` levels above a present node.
    function climb(
        uint256 tag,
        uint256 height,
        uint256 index,
        bytes32 node,
        bytes32[] calldata path
    ) internal pure returns (bytes32) {
        for (uint256 i; i < path.length; ++i) {
            bytes32 beside = path[i];
            (bytes32 left, bytes32 right) = index & 1 == 0 ? (node, beside) : (beside, node);
            // Safe casts: tags and heights are small.
            node = keccak256(abi.encodePacked(uint8(tag), uint8(++height), left, right));
            index >>= 1;
        }
        return node;
    }
}
