// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Float32} from "./Float32.sol";
import {Math32} from "./Math32.sol";

// slither-disable-start divide-before-multiply: these are float32 operations, in the order of docs/SPEC.md

/// @title silu(gate) * up (docs/SPEC.md, operations).
library Silu {
    function mul(uint256 gate, uint256 up) internal pure returns (uint256) {
        uint256 e = Math32.exp32(gate ^ Float32.SIGN);
        return Float32.mul(Float32.div(gate, Float32.add(Float32.ONE, e)), up);
    }
}
// slither-disable-end divide-before-multiply
