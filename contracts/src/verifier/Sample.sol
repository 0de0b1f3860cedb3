// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Float32} from "./Float32.sol";
import {Math32} from "./Math32.sol";
import {Philox} from "./Philox.sol";

/// @title What a policy makes of a logit (docs/SPEC.md, sampling). Logits are canonical.
library Sample {
    uint256 private constant TWO_TO_MINUS_24 = 0x33800000;

    /// Whether the token passes min-p, given SAMPLE's maximum and 1 / T.
    function passes(uint256 logit, uint256 maximum, uint256 inverse, uint256 minP)
        internal
        pure
        returns (bool)
    {
        uint256 below = Float32.mul(Float32.sub(logit, maximum), inverse);
        return !Float32.greater(Math32.log32(minP), below);
    }

    function score(uint256 logit, uint256 inverse, uint256 token, uint256 position, uint64 seed)
        internal
        pure
        returns (uint256)
    {
        return Float32.add(Float32.mul(logit, inverse), gumbel(token, position, seed));
    }

    function gumbel(uint256 token, uint256 position, uint64 seed) internal pure returns (uint256) {
        unchecked {
            uint256 word = Philox.block4(token >> 2, position, seed) >> (32 * (token & 3));
            uint256 u = Float32.mul(
                Float32.fromInt(int256(((word & 0xffffffff) >> 8) | 1)), TWO_TO_MINUS_24
            );
            return Math32.log32(Math32.log32(u) ^ Float32.SIGN) ^ Float32.SIGN;
        }
    }
}
