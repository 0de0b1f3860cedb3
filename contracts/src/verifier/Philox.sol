// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Philox4x32-10 of Salmon et al. (SC'11), with the upper half of the counter 0.
library Philox {
    /// Words c0 to c3 of the block, c0 in the lowest 32 bits.
    function block4(uint256 counter0, uint256 counter1, uint64 key)
        internal
        pure
        returns (uint256 words)
    {
        assembly ("memory-safe") {
            let c0 := and(counter0, 0xffffffff)
            let c1 := and(counter1, 0xffffffff)
            let c2 := 0
            let c3 := 0
            let k0 := and(key, 0xffffffff)
            let k1 := shr(32, key)
            for { let round := 0 } lt(round, 10) { round := add(round, 1) } {
                let a := mul(0xd2511f53, c0)
                let b := mul(0xcd9e8d57, c2)
                c0 := xor(xor(shr(32, b), c1), k0)
                c1 := and(b, 0xffffffff)
                c2 := xor(xor(shr(32, a), c3), k1)
                c3 := and(a, 0xffffffff)
                k0 := and(add(k0, 0x9e3779b9), 0xffffffff)
                k1 := and(add(k1, 0xbb67ae85), 0xffffffff)
            }
            words := or(or(c0, shl(32, c1)), or(shl(64, c2), shl(96, c3)))
        }
    }
}
