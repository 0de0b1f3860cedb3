// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Request, RequestParams} from "../src/interfaces/IInferenceOracle.sol";
import {BaseTest} from "./BaseTest.sol";

/// Gas of each call as a transaction of its own, kept in snapshots/ and compared on every run.
/// forge-config: default.isolate = true
contract GasTest is BaseTest {
    function test_gas_claim() public {
        (Request memory r,) = askAndFill(params());
        uint64 seed = seedOf(r);
        vm.prank(operators[0]);
        oracle.claim(r, seed, answer(), "");
        vm.snapshotGasLastCall("oracle", "claim_32_tokens");
        emit log_named_uint("last", vm.lastCallGas().gasTotalUsed);
        emit log_named_uint("cd", abi.encodeCall(oracle.claim, (r, seed, answer(), "")).length);
    }
}
