// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDisputeGame} from "../interfaces/IDisputeGame.sol";
import {Positions, Tree} from "./Positions.sol";

/// @title Hashes of a trace's nodes. Height, tag and padding come from the position, never from whoever sends a move.
library NodeHash {
    using Positions for Tree;

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

    /// The node that children of one stage belong to. Reverts when a child that is padding by its position has another value.
    /// @param height of the node; its children's number, 2^min(height, 5), is the caller's to check
    function fold(Tree memory t, uint256 height, uint256 index, bytes32[] calldata children)
        internal
        pure
        returns (bytes32 hash)
    {
        uint256 count = children.length;
        uint256 first = index * count;
        uint256 level = height - Positions.stageBelow(height);
        uint256 present = _presentMask(t, level, first, children);
        (uint256 tag, uint256 paddingTag) = (t.nodeTag, t.paddingTag);
        // Bit j of `present` says that node j of the level is not padding. A node's first leaf is that of its left child, so a level's mask is every
        // second bit of the mask below. The pair that is hashed has tag and height in the two bytes before it: those of a node already used, or,
        // before the first pair, of a word kept free.
        assembly ("memory-safe") {
            let base := add(mload(0x40), 0x20)
            calldatacopy(base, children.offset, shl(5, count))
            for {} gt(count, 1) {} {
                level := add(level, 1)
                count := shr(1, count)
                let header := or(shl(8, tag), level)
                mstore8(0, paddingTag)
                mstore8(1, level)
                let pad := keccak256(0, 2)
                let mask := 0
                for { let j := 0 } lt(j, count) { j := add(j, 1) } {
                    let pair := add(base, shl(6, j))
                    let value := pad
                    if and(shr(shl(1, j), present), 1) {
                        mstore(sub(pair, 0x20), header)
                        value := keccak256(sub(pair, 2), 66)
                        mask := or(mask, shl(j, 1))
                    }
                    mstore(add(base, shl(5, j)), value)
                }
                present := mask
            }
            hash := mload(base)
        }
    }

    function _presentMask(Tree memory t, uint256 level, uint256 first, bytes32[] calldata children)
        private
        pure
        returns (uint256 mask)
    {
        uint256 count = children.length;
        bytes32 pad = padding(t.paddingTag, level);
        unchecked {
            for (uint256 j; j < count; ++j) {
                if (t.isPresent(level, first + j)) mask |= 1 << j;
                else if (children[j] != pad) revert IDisputeGame.BadPadding();
            }
        }
    }

    /// The node that lies `path.length` levels above a present node.
    function climb(uint256 tag, uint256 height, uint256 index, bytes32 node, bytes32[] calldata path)
        internal
        pure
        returns (bytes32)
    {
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
