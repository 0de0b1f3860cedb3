// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Float32} from "./Float32.sol";

/// @title The A8 block (docs/SPEC.md, section 3), and what one of its elements proves (section 13).
library A8 {
    uint256 private constant LEAST = 0x0d800000; // 2^-100
    uint256 private constant F32_127 = 0x42fe0000;

    /// a_i of an element x.
    function scaleOf(uint256 x) internal pure returns (uint256) {
        x &= Float32.MAGNITUDE;
        if (x < LEAST) return 0;
        return x >= Float32.INFINITE ? Float32.NAN : Float32.div(x, F32_127);
    }

    /// 1 / d; 0 for a d whose values are all 0.
    function inverseOf(uint256 d) internal pure returns (uint256) {
        return d == 0 || d >= Float32.INFINITE ? 0 : Float32.div(Float32.ONE, d);
    }

    /// q of an element x, given 1 / d; what is not in -127 to 127 is no value of a block.
    function valueOf(uint256 x, uint256 inverse) internal pure returns (int256) {
        return inverse == 0 ? int256(0) : Float32.toInt(Float32.mul(x, inverse));
    }

    /// Whether the committed entry cannot be that of a block of `length` elements whose element
    /// number `j` is x.
    function isEntryWrong(uint256 x, uint256 j, uint256 length, uint256 d, uint256 index)
        internal
        pure
        returns (bool)
    {
        uint256 a = scaleOf(x);
        return index >= length || a > d || (a == d ? j < index : j == index);
    }

    /// Whether the committed value q cannot be that of an element x under the scale d.
    function isValueWrong(uint256 x, uint256 d, int256 q) internal pure returns (bool) {
        int256 value = valueOf(x, inverseOf(d));
        return value != q || value > 127 || value < -127;
    }
}
