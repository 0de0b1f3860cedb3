// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IEEE 754 binary32, round to nearest even, subnormals kept (docs/SPEC.md, scalars).
/// @dev A float is its bits, in a word below 2^32. Operands may be any bits; every NaN that comes
/// out is the canonical one. Inside, a finite magnitude is m * 2^e with integer m: every sum and
/// product is exact in 256 bits, and `_round` rounds once.
library Float32 {
    uint256 internal constant NAN = 0x7fc00000;
    uint256 internal constant INFINITE = 0x7f800000;
    uint256 internal constant SIGN = 0x80000000;
    uint256 internal constant MAGNITUDE = 0x7fffffff;
    uint256 internal constant ONE = 0x3f800000;
    /// Result of `toInt` for NaN and for values beyond the integers that it rounds to.
    int256 internal constant TOO_LARGE = 2 ** 31;
    /// A power of two apart at which the smaller term of a sum only decides how a tie falls.
    int256 private constant FAR = 150;

    function isNan(uint256 a) internal pure returns (bool) {
        return a & MAGNITUDE > INFINITE;
    }

    function canonical(uint256 a) internal pure returns (uint256) {
        return isNan(a) ? NAN : a;
    }

    /// Whether a > b in the order of the specification; both canonical.
    function greater(uint256 a, uint256 b) internal pure returns (bool) {
        return _key(a) > _key(b);
    }

    function add(uint256 a, uint256 b) internal pure returns (uint256) {
        return fma(a, ONE, b);
    }

    function sub(uint256 a, uint256 b) internal pure returns (uint256) {
        return fma(b, ONE | SIGN, a);
    }

    function mul(uint256 a, uint256 b) internal pure returns (uint256) {
        unchecked {
            uint256 sign = (a ^ b) & SIGN;
            if (_isSpecial(a) || _isSpecial(b)) return _specialProduct(a, b);
            uint256 m = _mantissa(a) * _mantissa(b);
            return m == 0 ? sign : _round(sign, m, _exponent(a) + _exponent(b));
        }
    }

    function div(uint256 a, uint256 b) internal pure returns (uint256) {
        unchecked {
            uint256 sign = (a ^ b) & SIGN;
            if (isNan(a) || isNan(b)) return NAN;
            if (_isSpecial(a)) return _isSpecial(b) ? NAN : sign | INFINITE;
            if (_isSpecial(b)) return sign;
            uint256 n = _mantissa(a);
            uint256 d = _mantissa(b);
            if (d == 0) return n == 0 ? NAN : sign | INFINITE;
            if (n == 0) return sign;
            // The last bit stands for the remainder.
            n <<= 64;
            uint256 m = (n / d) | (n % d == 0 ? 0 : 1);
            return _round(sign, m, _exponent(a) - _exponent(b) - 64);
        }
    }

    function sqrt(uint256 a) internal pure returns (uint256) {
        unchecked {
            if (a & MAGNITUDE == 0) return a;
            if (isNan(a) || a & SIGN != 0) return NAN;
            if (a == INFINITE) return a;
            int256 e = _exponent(a) - 60;
            uint256 m = _mantissa(a) << 60;
            if (e & 1 != 0) (m, e) = (m << 1, e - 1);
            // Newton from above: the first guess is a power of two not below the root, and each
            // next one is smaller until the root is reached.
            uint256 root = 1 << (128 - (_leadingZeros(m) >> 1));
            while (true) {
                uint256 next = (root + m / root) >> 1;
                if (next >= root) break;
                root = next;
            }
            return _round(0, root << 1 | (root * root == m ? 0 : 1), (e >> 1) - 1);
        }
    }

    /// a * b + c, rounded once.
    function fma(uint256 a, uint256 b, uint256 c) internal pure returns (uint256) {
        if (_isSpecial(a)) return _specialSum(_specialProduct(a, b), c);
        return mulAdd(a & SIGN, _mantissa(a), _exponent(a), b, c);
    }

    /// x * b + c, rounded once, of the exact x = m * 2^e with the sign bit given; m < 2^80.
    function mulAdd(uint256 sign, uint256 m, int256 e, uint256 b, uint256 c)
        internal
        pure
        returns (uint256)
    {
        unchecked {
            if (_isSpecial(b)) {
                return _specialSum(_specialProduct(m == 0 ? sign : sign | ONE, b), c);
            }
            if (_isSpecial(c)) return isNan(c) ? NAN : c;
            m *= _mantissa(b);
            e += _exponent(b);
            sign = (sign ^ b) & SIGN;
            uint256 n = _mantissa(c);
            int256 f = _exponent(c);
            if (m == 0) return n == 0 ? sign & c : c;
            if (n == 0) return _round(sign, m, e);
            int256 apart = e - f;
            if (apart >= 0) {
                if (apart > FAR) (n, f, apart) = (1, e - FAR, FAR);
                m <<= uint256(apart);
            } else {
                if (apart < -FAR) (m, f, apart) = (1, f - FAR, -FAR);
                else f = e;
                n <<= uint256(-apart);
            }
            if ((sign ^ c) & SIGN == 0) return _round(sign, m + n, f);
            if (m > n) return _round(sign, m - n, f);
            return m == n ? 0 : _round(c & SIGN, n - m, f);
        }
    }

    function fromInt(int256 i) internal pure returns (uint256) {
        unchecked {
            if (i == 0) return 0;
            return i < 0 ? _round(SIGN, uint256(-i), 0) : _round(0, uint256(i), 0);
        }
    }

    /// rint as an integer, ties to even; TOO_LARGE for NaN and from 2^31 on.
    function toInt(uint256 a) internal pure returns (int256) {
        unchecked {
            int256 e = _exponent(a);
            if (e > 7) return TOO_LARGE;
            uint256 m = _mantissa(a);
            if (e >= 0) {
                m <<= uint256(e);
            } else {
                uint256 cut = uint256(-e);
                m = (m + (1 << (cut - 1)) - 1 + ((m >> cut) & 1)) >> cut;
            }
            return a & SIGN == 0 ? int256(m) : -int256(m);
        }
    }

    /// The float of binary16 bits, exact; a NaN becomes canonical.
    function fromHalf(uint256 h) internal pure returns (uint256) {
        unchecked {
            uint256 sign = (h & 0x8000) << 16;
            uint256 e = (h >> 10) & 31;
            uint256 fraction = h & 0x3ff;
            if (e == 31) return fraction == 0 ? sign | INFINITE : NAN;
            if (e != 0) return sign | ((e + 112) << 23) | (fraction << 13);
            return fraction == 0 ? sign : _round(sign, fraction, -24);
        }
    }

    /// Infinite or NaN.
    function _isSpecial(uint256 a) private pure returns (bool) {
        return a & INFINITE == INFINITE;
    }

    /// Product if a factor is NaN or infinite.
    function _specialProduct(uint256 a, uint256 b) private pure returns (uint256) {
        if (isNan(a) || isNan(b) || a & MAGNITUDE == 0 || b & MAGNITUDE == 0) return NAN;
        return ((a ^ b) & SIGN) | INFINITE;
    }

    /// Sum of `a`, NaN or infinite, and anything.
    function _specialSum(uint256 a, uint256 b) private pure returns (uint256) {
        if (isNan(a) || isNan(b) || (_isSpecial(b) && a != b)) return NAN;
        return a;
    }

    function _mantissa(uint256 a) private pure returns (uint256 m) {
        assembly ("memory-safe") {
            m := or(and(a, 0x7fffff), shl(23, gt(and(a, INFINITE), 0)))
        }
    }

    /// Such that the value is mantissa * 2^exponent.
    function _exponent(uint256 a) private pure returns (int256 e) {
        assembly ("memory-safe") {
            e := and(shr(23, a), 0xff)
            e := sub(add(e, iszero(e)), 150)
        }
    }

    function _key(uint256 a) private pure returns (uint256) {
        return a & SIGN == 0 ? a | SIGN : ~a & 0xffffffff;
    }

    function _leadingZeros(uint256 m) private pure returns (uint256 n) {
        assembly ("memory-safe") {
            n := clz(m)
        }
    }

    /// The float nearest to m * 2^e, with the sign bit; 0 < m < 2^254.
    function _round(uint256 sign, uint256 m, int256 e) private pure returns (uint256 r) {
        assembly ("memory-safe") {
            // The last place that the result keeps is 2^last: 23 below the leading bit, or that of
            // the subnormals.
            let last := sub(add(232, e), clz(m))
            if slt(last, sub(0, 149)) { last := sub(0, 149) }
            let cut := sub(last, e)
            switch sgt(cut, 0)
            case 0 { r := shl(sub(0, cut), m) }
            default {
                // slither-disable-next-line incorrect-shift: a 1 is shifted, by as many bits
                r := shr(cut, add(m, add(sub(shl(sub(cut, 1), 1), 1), and(shr(cut, m), 1))))
            }
            // The leading bit of r, where it is 2^23 or 2^24 by carry, adds itself to the exponent.
            r := add(shl(23, add(last, 149)), r)
            if gt(r, 0x7f7fffff) { r := INFINITE }
            r := or(sign, r)
        }
    }
}
