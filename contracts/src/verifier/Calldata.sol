// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Little-endian loads at an offset of the call's data. The caller knows that the bytes are
/// its own.
library Calldata {
    function word(uint256 at) internal pure returns (uint256 w) {
        assembly ("memory-safe") {
            w := calldataload(at)
        }
    }

    function u32(uint256 at) internal pure returns (uint256 w) {
        assembly ("memory-safe") {
            w := shr(224, calldataload(at))
            w := or(and(shr(8, w), 0x00ff00ff), shl(8, and(w, 0x00ff00ff)))
            w := or(shr(16, w), and(shl(16, w), 0xffff0000))
        }
    }

    function u16(uint256 at) internal pure returns (uint256 w) {
        assembly ("memory-safe") {
            w := calldataload(at)
            w := or(byte(0, w), shl(8, byte(1, w)))
        }
    }

    function i8(uint256 at) internal pure returns (int256 v) {
        assembly ("memory-safe") {
            v := signextend(0, byte(0, calldataload(at)))
        }
    }
}
