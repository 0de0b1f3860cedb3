// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Sums of products of 32 bytes at a time.
/// @dev A word is split into four words of eight 32-bit lanes, each a byte. Seen as polynomials in
/// 2^32, the product of two such words, one with its lanes in reverse, has in lane 7 the sum of the
/// eight lane products; no lane carries, since 32 * 255 * 255 < 2^32. Signed bytes get 128 added,
/// and what that adds to the sum is taken off. Bytes are in the order of memory: byte 0 is the
/// highest.
library Int8 {
    uint256 internal constant SIGNS =
        0x8080808080808080808080808080808080808080808080808080808080808080;
    uint256 private constant LOW =
        0x000000ff000000ff000000ff000000ff000000ff000000ff000000ff000000ff;
    uint256 private constant EVEN =
        0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff;
    uint256 private constant LANES_2 =
        0x0000000000000000ffffffffffffffff0000000000000000ffffffffffffffff;
    uint256 private constant LANES_1 =
        0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff;

    /// Over the 32 bytes: the sum of u_i * x_i, and that of x_i. u unsigned, x signed.
    function dot32(uint256 u, uint256 x) internal pure returns (int256 dot, int256 sum) {
        assembly ("memory-safe") {
            x := xor(x, SIGNS)
            // A number is the sum of its 16-bit digits modulo 2^16 - 1.
            let mask := EVEN
            dot := mod(add(and(u, mask), and(shr(8, u), mask)), 0xffff)
            sum := sub(mod(add(and(x, mask), and(shr(8, x), mask)), 0xffff), 4096)
            u := or(shr(128, u), shl(128, u))
            mask := LANES_2
            u := or(and(shr(64, u), mask), shl(64, and(u, mask)))
            mask := LANES_1
            u := or(and(shr(32, u), mask), shl(32, and(u, mask)))
            mask := LOW
            dot := sub(
                shr(
                    224,
                    add(
                        add(
                            mul(and(u, mask), and(x, mask)),
                            mul(and(shr(8, u), mask), and(shr(8, x), mask))
                        ),
                        add(
                            mul(and(shr(16, u), mask), and(shr(16, x), mask)),
                            mul(and(shr(24, u), mask), and(shr(24, x), mask))
                        )
                    )
                ),
                shl(7, dot)
            )
        }
    }

    /// Over bytes 0 to 15, and over bytes 16 to 31: the sum of (u_i - 32) * x_i. u unsigned, x
    /// signed.
    function dot16(uint256 u, uint256 x) internal pure returns (int256 first, int256 second) {
        assembly ("memory-safe") {
            x := xor(x, SIGNS)
            // (u - 32) x = u (x + 128) - 128 u - 32 (x + 128) + 4096, 16 times. Over a half the sum
            // in parentheses stays below 2^16 - 1.
            let mask := EVEN
            let over :=
                add(
                    shl(2, add(and(u, mask), and(shr(8, u), mask))),
                    add(and(x, mask), and(shr(8, x), mask))
                )
            first := sub(65536, shl(5, mod(shr(128, over), 0xffff)))
            second := sub(65536, shl(5, mod(shr(128, shl(128, over)), 0xffff)))
            mask := LANES_2
            u := or(and(shr(64, u), mask), shl(64, and(u, mask)))
            mask := LANES_1
            u := or(and(shr(32, u), mask), shl(32, and(u, mask)))
            mask := LOW
            // Lane 3 of a product has the lower halves' products; shifted down, the upper ones'.
            second := add(
                second,
                and(
                    shr(
                        96,
                        add(
                            add(
                                mul(and(u, mask), and(x, mask)),
                                mul(and(shr(8, u), mask), and(shr(8, x), mask))
                            ),
                            add(
                                mul(and(shr(16, u), mask), and(shr(16, x), mask)),
                                mul(and(shr(24, u), mask), and(shr(24, x), mask))
                            )
                        )
                    ),
                    0xffffffff
                )
            )
            u := shr(128, u)
            x := shr(128, x)
            first := add(
                first,
                and(
                    shr(
                        96,
                        add(
                            add(
                                mul(and(u, mask), and(x, mask)),
                                mul(and(shr(8, u), mask), and(shr(8, x), mask))
                            ),
                            add(
                                mul(and(shr(16, u), mask), and(shr(16, x), mask)),
                                mul(and(shr(24, u), mask), and(shr(24, x), mask))
                            )
                        )
                    ),
                    0xffffffff
                )
            )
        }
    }
}
