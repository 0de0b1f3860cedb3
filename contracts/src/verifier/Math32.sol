// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Float32} from "./Float32.sol";

// slither-disable-start uninitialized-local: a local begins at 0, and is meant to

/// @title The fixed programs exp32 and log32 of docs/SPEC.md.
library Math32 {
    uint256 private constant LN2_HIGH = 0x3f317218;
    uint256 private constant LN2_LOW = 0xb102e308;
    uint256 private constant LOG2_E = 0x3fb8aa3b;

    function exp32(uint256 x) internal pure returns (uint256) {
        unchecked {
            if (Float32.isNan(x)) return Float32.NAN;
            // 89 and -105, beyond which nothing changes
            if (x & Float32.SIGN == 0) {
                if (x > 0x42b20000) x = 0x42b20000;
            } else if (x > 0xc2d20000) {
                x = 0xc2d20000;
            }
            int256 n = Float32.toInt(Float32.mul(x, LOG2_E));
            uint256 r = _mulAdd(-n, LN2_HIGH, x);
            r = _mulAdd(-n, LN2_LOW, r);
            uint256 p = Float32.fma(0x3ab51e3d, r, 0x3c091bb6);
            p = Float32.fma(p, r, 0x3d2aac4f);
            p = Float32.fma(p, r, 0x3e2aaa49);
            p = Float32.fma(p, r, 0x3efffffe);
            p = Float32.fma(p, r, Float32.ONE);
            p = Float32.fma(p, r, Float32.ONE);
            int256 a = n >> 1;
            return Float32.mul(Float32.mul(p, _power(a)), _power(n - a));
        }
    }

    function log32(uint256 x) internal pure returns (uint256) {
        unchecked {
            if (x & Float32.MAGNITUDE == 0) return Float32.SIGN | Float32.INFINITE;
            if (x == Float32.INFINITE) return x;
            if (x > Float32.INFINITE) return Float32.NAN;
            int256 k;
            // subnormal: times 2^23
            if (x < 0x00800000) (x, k) = (Float32.mul(x, 0x4b000000), -23);
            int256 shift = (int256(x) - 0x3f2aaaab) >> 23;
            uint256 f = Float32.sub(uint256(int256(x) - (shift << 23)), Float32.ONE);
            k += shift;
            uint256 p = Float32.fma(0xbe03dda4, f, 0x3e0f293f);
            p = Float32.fma(p, f, 0xbdf99810);
            p = Float32.fma(p, f, 0x3e0f6a58);
            p = Float32.fma(p, f, 0xbe2ace70);
            p = Float32.fma(p, f, 0x3e4ce830);
            p = Float32.fma(p, f, 0xbe7fff80);
            p = Float32.fma(p, f, 0x3eaaaa88);
            p = Float32.fma(p, f, 0xbf000000);
            p = Float32.fma(p, Float32.mul(f, f), f);
            p = _mulAdd(k, LN2_LOW, p);
            return _mulAdd(k, LN2_HIGH, p);
        }
    }

    /// n * b + c; the sign of n = 0 changes no result of the two programs.
    function _mulAdd(int256 n, uint256 b, uint256 c) private pure returns (uint256) {
        unchecked {
            return n < 0
                ? Float32.mulAdd(Float32.SIGN, uint256(-n), 0, b, c)
                : Float32.mulAdd(0, uint256(n), 0, b, c);
        }
    }

    /// 2^n of an n in [-76, 64].
    function _power(int256 n) private pure returns (uint256) {
        unchecked {
            return uint256(n + 127) << 23;
        }
    }
}
// slither-disable-end uninitialized-local
