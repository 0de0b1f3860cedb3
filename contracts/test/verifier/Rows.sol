// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {WeightRow} from "../../src/verifier/WeightRow.sol";

/// Rows of random values of one scale, so that no infinity or NaN shortens a computation.
library Rows {
    uint256 private constant FRACTIONS =
        0xffffff80ffffff80ffffff80ffffff80ffffff80ffffff80ffffff80ffffff80;
    uint256 private constant NEAR_ONE =
        0x0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f;
    uint256 private constant ENTRIES =
        0xffffff003f000000ffffff003f000000ffffff003f000000ffffff003f000000;
    uint256 private constant SMALL =
        0x0000003c000000000000003c000000000000003c000000000000003c00000000;

    /// float32 of magnitudes 0.5 to 2
    function floats(uint256 count, uint256 seed) internal pure returns (bytes memory row) {
        row = fill(4 * count, seed, FRACTIONS, NEAR_ONE);
    }

    /// A8: entries with small scales, then any values
    function quantised(uint256 width, uint256 blocks, uint256 seed)
        internal
        pure
        returns (bytes memory)
    {
        return bytes.concat(
            fill(8 * blocks, seed, ENTRIES, SMALL), fill(width, seed + 1, type(uint256).max, 0)
        );
    }

    /// Queries of several heads of one block each, or a row of keys or values of one
    function heads(uint256 count, uint256 width, uint256 seed)
        internal
        pure
        returns (bytes memory)
    {
        return quantised(count * width, count, seed);
    }

    /// A stored weight row, its scales around 2^-5
    function weights(uint256 kind, uint256 columns, uint256 seed)
        internal
        pure
        returns (bytes memory row)
    {
        (uint256 elements, uint256 size) = WeightRow.blockOf(kind);
        row = fill(columns / elements * size, seed, type(uint256).max, 0);
        for (uint256 at; at < row.length; at += size) {
            row[at + (kind == WeightRow.Q6_K ? 209 : 1)] = 0x28;
            if (kind == WeightRow.Q4_1) row[at + 3] = 0xa8;
        }
    }

    /// Random words, masked, with bits set
    function fill(uint256 size, uint256 seed, uint256 mask, uint256 set)
        internal
        pure
        returns (bytes memory row)
    {
        row = new bytes((size + 31) / 32 * 32);
        for (uint256 i; i < row.length; i += 32) {
            uint256 word = uint256(keccak256(abi.encode(seed, i))) & mask | set;
            assembly ("memory-safe") {
                mstore(add(add(row, 0x20), i), word)
            }
        }
        assembly ("memory-safe") {
            mstore(row, size)
        }
    }
}
