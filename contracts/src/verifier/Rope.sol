// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Float32} from "./Float32.sol";

/// @title ROPE of one element (docs/SPEC.md, operations).
library Rope {
    uint256 internal constant INTERLEAVED = 1;

    /// The pair that holds element i, below the rotary width, of a head: its number, and the
    /// elements a and b.
    function pairOf(uint256 i, uint256 rotary, uint256 pairing)
        internal
        pure
        returns (uint256 number, uint256 a, uint256 b)
    {
        unchecked {
            if (pairing == INTERLEAVED) return (i / 2, i & ~uint256(1), i | 1);
            uint256 half = rotary / 2;
            number = i < half ? i : i - half;
            return (number, number, number + half);
        }
    }

    /// The rotated a, or the rotated b.
    function rotate(uint256 a, uint256 b, uint256 cosine, uint256 sine, bool first)
        internal
        pure
        returns (uint256)
    {
        return first
            ? Float32.fma(a, cosine, Float32.mul(b, sine) ^ Float32.SIGN)
            : Float32.fma(b, cosine, Float32.mul(a, sine));
    }
}
