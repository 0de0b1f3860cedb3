// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Calldata} from "./Calldata.sol";
import {Float32} from "./Float32.sol";
import {Int8} from "./Int8.sol";
import {Group, WeightRow} from "./WeightRow.sol";

// slither-disable-start divide-before-multiply: quotients here are whole blocks and places; nothing is lost that a product needs

/// @title LINEAR: a weight row against an A8 row with blocks of 64 (docs/SPEC.md, operations).
/// @dev The sum s of a block is kept as an integer of units of 2^-24. Every scale is a binary16
/// times an integer, so every product is a whole number of units; s is below 2^47, so it never
/// leaves the normal float32 numbers, and rounding it to float32 is rounding it to 24 bits. s is
/// never -0. Infinity and NaN are integers far above: adding a finite product and rounding leaves
/// them as they are.
library Linear {
    int256 private constant INFINITE = 2 ** 160;
    int256 private constant NAN = 2 ** 220;

    /// Without the bias.
    /// @param row offset of the stored weight row, of a type that matrices have
    /// @param x offset of the A8 row
    function element(uint256 kind, uint256 columns, uint256 row, uint256 x)
        internal
        pure
        returns (uint256 acc)
    {
        unchecked {
            Group memory g = WeightRow.ofType(kind);
            uint256 values = x + 8 * ((columns + 63) / 64);
            uint256 groups = columns / 32;
            for (uint256 i; i < groups; i += 2) {
                int256 s = _group(g, row, i, values, 0);
                if (i + 1 < groups) s = _group(g, row, i + 1, values + 32, s);
                acc = _accumulate(s, Calldata.u32(x + 4 * i), acc);
                values += 64;
            }
        }
    }

    /// s after the sub-blocks of group i of the row against 32 values.
    function _group(Group memory g, uint256 row, uint256 i, uint256 values, int256 s)
        private
        pure
        returns (int256)
    {
        unchecked {
            WeightRow.load(g, row, i);
            values = Calldata.word(values);
            if (g.kind == WeightRow.Q6_K) {
                (int256 first, int256 second) = Int8.dot16(g.bytes_, values);
                s = _add(s, first * g.factor, g.scale);
                return _add(s, second * g.factor2, g.scale);
            }
            (int256 dot, int256 sum) = Int8.dot32(g.bytes_, values);
            s = _add(s, (dot - g.bias * sum) * g.factor, g.scale);
            return g.hasOffset ? _add(s, sum * g.factor2, g.scale2) : s;
        }
    }

    /// s + n * half, rounded to float32.
    function _add(int256 s, int256 n, uint256 half) private pure returns (int256 r) {
        if (half & 0x7c00 == 0x7c00) return _addSpecial(s, n, half);
        assembly ("memory-safe") {
            // half in units: its fraction, and 2^10 above unless it is subnormal, times 2^(exponent
            // - 1); then its sign
            let e := and(shr(10, half), 31)
            let normal := gt(e, 0)
            n := mul(n, shl(sub(e, normal), or(and(half, 0x3ff), shl(10, normal))))
            r := add(s, mul(n, sub(1, and(shr(14, half), 2))))
            let sign := sar(255, r)
            let m := sub(xor(r, sign), sign)
            let cut := sub(232, clz(m))
            if sgt(cut, 0) {
                // slither-disable-next-line incorrect-shift: a 1 is shifted, by as many bits
                m := shl(
                    cut,
                    shr(cut, add(add(m, and(shr(cut, m), 1)), sub(shl(sub(cut, 1), 1), 1)))
                )
                r := sub(xor(m, sign), sign)
            }
        }
    }

    /// The same for a half that is infinite or NaN.
    function _addSpecial(int256 s, int256 n, uint256 half) private pure returns (int256) {
        if (s == NAN || n == 0 || half & 0x3ff != 0) return NAN;
        int256 product = (n < 0) == (half & 0x8000 == 0) ? -INFINITE : INFINITE;
        return s == -product ? NAN : product;
    }

    /// s * d + acc.
    function _accumulate(int256 s, uint256 d, uint256 acc) private pure returns (uint256) {
        unchecked {
            uint256 sign = s < 0 ? Float32.SIGN : 0;
            uint256 m = uint256(s < 0 ? -s : s);
            if (m >= uint256(INFINITE)) {
                return Float32.fma(s == NAN ? Float32.NAN : sign | Float32.INFINITE, d, acc);
            }
            return Float32.mulAdd(sign, m, -24, d, acc);
        }
    }
}
// slither-disable-end divide-before-multiply
