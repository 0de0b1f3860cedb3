// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IInferenceCallback} from "../interfaces/IInferenceCallback.sol";
import {IInferenceOracle, Request} from "../interfaces/IInferenceOracle.sol";
import {CreditBook, Credits} from "../libraries/Credits.sol";
import {TokenList} from "../libraries/TokenList.sol";
import {OracleBase} from "./OracleBase.sol";

/// @title Credits, payments and callbacks.
abstract contract Payments is OracleBase {
    using Credits for CreditBook;
    using TokenList for bytes;

    /// Nobody has the key: ether sent there is gone.
    address internal constant BURN_ADDRESS = 0x000000000000000000000000000000000000dEaD;

    /// Gas kept for what follows the callback.
    uint256 internal constant CALLBACK_RESERVE = 60_000;

    function _credit(address account, bytes32 name, uint256 amount) internal {
        if (amount == 0) return;
        _credits.add(account, amount);
        emit IInferenceOracle.Credited(account, name, amount);
    }

    function _send(address to, uint256 amount) internal {
        (bool ok,) = to.call{value: amount}("");
        if (!ok) revert IInferenceOracle.TransferFailed();
    }

    /// Calls back, where the request names a callback, with the gas that it named, whatever comes
    /// of it.
    /// @dev SAFETY: the state is final before. A sender that keeps gas back is refused by the
    /// check; a callback that returns a large result cannot make this contract pay for it, as
    /// nothing is copied; one that calls in again finds the request settled.
    /// @param name of the claim that became final
    function _callBack(Request calldata r, bytes32 id, bytes32 name, bytes calldata tokens)
        internal
    {
        (address target, uint256 gasLimit) = (r.callback, r.callbackGas);
        if (target == address(0)) return;
        if (tokens.hash() != _values[name]) revert IInferenceOracle.WrongTokens();
        bytes memory data = abi.encodeCall(IInferenceCallback.onInference, (id, tokens));
        if (gasleft() < gasLimit * 64 / 63 + CALLBACK_RESERVE) {
            revert IInferenceOracle.InsufficientGas();
        }
        bool success;
        if (target.code.length != 0) {
            assembly ("memory-safe") {
                success := call(gasLimit, target, 0, add(data, 0x20), mload(data), 0, 0)
            }
        }
        emit IInferenceOracle.CallbackResult(id, success);
    }
}
