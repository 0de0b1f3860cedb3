// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What a contract implements to be told the answer to its request.
/// @dev The oracle calls it once, when the answer is final, with the gas that the request named. A
/// revert, a lack of code or a lack of gas is recorded and changes nothing else: the answer stays
/// readable by `IInferenceOracle.result`. A refunded request is never called back. WARNING: check
/// that `msg.sender` is the oracle; anybody can call this function otherwise.
interface IInferenceCallback {
    /// @param tokens the answer, packed u32 little-endian
    function onInference(bytes32 requestId, bytes calldata tokens) external;
}
