// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Sums of products of 32 bytes at a time.
/// @dev A word is split into four words of eight 32-bit lanes, each a byte. Seen as polynomials in 2^32, the product of two such words, one with its
/// lanes in reverse, has in lane 7 the sum of the eight lane products; no lane carries, since 32 * 255 * 255 < 2^32. Signed bytes get 128 added, and
/// what that adds to the sum is taken off. Bytes are in the order of memory: byte 0 is the highest.
library Int8 {
    uint256 internal constant SIGNS = 0x8080808080808080808080808080808080808080808080808080808080808080;
    uint256 private constant LOW = 0x000000ff000000ff000000ff000000ff000000ff000000ff000000ff000000ff;
    uint256 private constant ONES = 0x0000000100000001000000010000000100000001000000010000000100000001;
    uint256 private constant LANES_2 = 0x0000000000000000ffffffffffffffff0000000000000000ffffffffffffffff;
    uint256 private constant LANES_1 = 0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff;

    /// Over the 32 bytes: the sum of u_i * x_i, and that of x_i. u unsigned, x signed.
    function dot32(uint256 u, uint256 x) internal pure returns (int256 dot, int256 sum) {
        assembly ("memory-safe") {
            u := or(shr(128, u), shl(128, u))
            u := or(and(shr(64, u), LANES_2), shl(64, and(u, LANES_2)))
            u := or(and(shr(32, u), LANES_1), shl(32, and(u, LANES_1)))
            x := xor(x, SIGNS)
            let a := and(u, LOW)
            let b := and(x, LOW)
            dot := mul(a, b)
            let us := a
            sum := b
            a := and(shr(8, u), LOW)
            b := and(shr(8, x), LOW)
            dot := add(dot, mul(a, b))
            us := add(us, a)
            sum := add(sum, b)
            a := and(shr(16, u), LOW)
            b := and(shr(16, x), LOW)
            dot := add(dot, mul(a, b))
            us := add(us, a)
            sum := add(sum, b)
            a := and(shr(24, u), LOW)
            b := and(shr(24, x), LOW)
            dot := sub(shr(224, add(dot, mul(a, b))), shl(7, shr(224, mul(add(us, a), ONES))))
            sum := sub(shr(224, mul(add(sum, b), ONES)), 4096)
        }
    }

    /// Over bytes 0 to 15, and over bytes 16 to 31: the sum of (u_i - 32) * x_i. u unsigned, x signed.
    function dot16(uint256 u, uint256 x) internal pure returns (int256 first, int256 second) {
        assembly ("memory-safe") {
            u := or(and(shr(64, u), LANES_2), shl(64, and(u, LANES_2)))
            u := or(and(shr(32, u), LANES_1), shl(32, and(u, LANES_1)))
            x := xor(x, SIGNS)
            let a := and(u, LOW)
            let b := and(x, LOW)
            // Lane 3 of a product has the lower halves' products; shifted down, the upper ones'.
            second := mul(a, b)
            first := mul(shr(128, a), shr(128, b))
            // What is too much: 128 u + 32 x, lane by lane
            let over := add(shl(7, a), shl(5, b))
            a := and(shr(8, u), LOW)
            b := and(shr(8, x), LOW)
            second := add(second, mul(a, b))
            first := add(first, mul(shr(128, a), shr(128, b)))
            over := add(over, add(shl(7, a), shl(5, b)))
            a := and(shr(16, u), LOW)
            b := and(shr(16, x), LOW)
            second := add(second, mul(a, b))
            first := add(first, mul(shr(128, a), shr(128, b)))
            over := add(over, add(shl(7, a), shl(5, b)))
            a := and(shr(24, u), LOW)
            b := and(shr(24, x), LOW)
            second := and(shr(96, add(second, mul(a, b))), 0xffffffff)
            first := and(shr(96, add(first, mul(shr(128, a), shr(128, b)))), 0xffffffff)
            over := add(over, add(shl(7, a), shl(5, b)))
            // (u - 32) x = u (x + 128) - 128 u - 32 (x + 128) + 4096, 16 times
            second := add(sub(second, and(shr(96, mul(over, ONES)), 0xffffffff)), 65536)
            first := add(sub(first, and(shr(96, mul(shr(128, over), ONES)), 0xffffffff)), 65536)
        }
    }
}
