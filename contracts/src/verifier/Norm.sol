// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Calldata} from "./Calldata.sol";
import {Float32} from "./Float32.sol";

// slither-disable-start uninitialized-local: a local begins at 0, and is meant to

/// @title RMS and NORM_Q (docs/SPEC.md, operations).
library Norm {
    /// The sum of squares of `count` elements, 1 to 256, of float32 at an offset of the call's
    /// data.
    function segment(uint256 at, uint256 count) internal pure returns (uint256) {
        unchecked {
            uint256[32] memory lanes;
            for (uint256 i; i < count; ++i) {
                uint256 x = Calldata.u32(at + 4 * i);
                lanes[i & 31] = Float32.fma(x, x, lanes[i & 31]);
            }
            return Float32.canonical(fold(lanes));
        }
    }

    /// The sum of 32 lanes in the order of the specification; overwrites them.
    function fold(uint256[32] memory lanes) internal pure returns (uint256) {
        unchecked {
            for (uint256 h = 16; h > 0; h >>= 1) {
                for (uint256 j; j < h; ++j) {
                    lanes[j] = Float32.add(lanes[j], lanes[j + h]);
                }
            }
            return lanes[0];
        }
    }

    /// r of a row of `width` elements, from the sums of its segments at an offset of the call's
    /// data.
    function inverseRoot(uint256 sums, uint256 width, uint256 epsilon)
        internal
        pure
        returns (uint256)
    {
        unchecked {
            uint256 sum;
            for (uint256 i; i < width; i += 256) {
                sum = Float32.add(sum, Calldata.u32(sums + i / 64));
            }
            uint256 mean = Float32.div(sum, Float32.fromInt(int256(width)));
            return Float32.div(Float32.ONE, Float32.sqrt(Float32.add(mean, epsilon)));
        }
    }

    /// An element before it is cut to A8.
    function scaled(uint256 x, uint256 r, uint256 gain) internal pure returns (uint256) {
        return Float32.mul(Float32.mul(x, r), gain);
    }
}
// slither-disable-end uninitialized-local
