// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IInferenceCallback} from "../../src/interfaces/IInferenceCallback.sol";
import {IInferenceOracle, Request, RequestStatus} from "../../src/interfaces/IInferenceOracle.sol";

/// Refuses ether.
contract Refuser {}

/// Keeps what it was told, whether the answer was final then, and how much gas there was.
contract Listener is IInferenceCallback {
    bytes32 public requestId;
    bytes public tokens;
    uint256 public gasSeen;
    RequestStatus public statusSeen;

    function onInference(bytes32 requestId_, bytes calldata tokens_) external {
        gasSeen = gasleft();
        (requestId, tokens) = (requestId_, tokens_);
        (statusSeen,,,) = IInferenceOracle(msg.sender).result(requestId_);
    }
}

contract Reverter is IInferenceCallback {
    function onInference(bytes32, bytes calldata) external pure {
        revert("no");
    }
}

/// Uses all the gas that it is given.
contract GasEater is IInferenceCallback {
    function onInference(bytes32, bytes calldata) external pure {
        assembly {
            invalid()
        }
    }
}

/// Returns, or reverts with, as much as its gas allows: whoever copies it pays again.
contract ReturnBomb is IInferenceCallback {
    bool private immutable REVERTS;

    constructor(bool reverts) {
        REVERTS = reverts;
    }

    function onInference(bytes32, bytes calldata) external view {
        bool reverts = REVERTS;
        assembly {
            if reverts { revert(0, 400000) }
            return(0, 400000)
        }
    }
}

/// Tries to be paid twice from within the callback.
contract Reentrant is IInferenceCallback {
    Request private r;
    bytes private answer;
    uint256 public tries;
    uint256 public successes;

    function arm(Request calldata r_, bytes calldata answer_) external {
        (r, answer) = (r_, answer_);
    }

    function onInference(bytes32, bytes calldata) external {
        IInferenceOracle oracle = IInferenceOracle(msg.sender);
        attempt(oracle, abi.encodeCall(oracle.finalize, (r, answer)));
        attempt(oracle, abi.encodeCall(oracle.expire, (r)));
        attempt(oracle, abi.encodeCall(oracle.cancel, (r)));
        attempt(oracle, abi.encodeCall(oracle.missed, (r, 0)));
        attempt(oracle, abi.encodeCall(oracle.freeSeats, (r)));
        attempt(oracle, abi.encodeCall(oracle.accept, (r, address(this), "")));
        attempt(oracle, abi.encodeCall(oracle.withdraw, (payable(address(this)))));
        attempt(oracle, abi.encodeCall(oracle.withdrawOf, (r, payable(address(this)))));
    }

    function attempt(IInferenceOracle oracle, bytes memory data) private {
        (bool ok,) = address(oracle).call(data);
        tries++;
        if (ok) successes++;
    }
}

/// Takes its credit, and tries to take it again when the ether arrives.
contract GreedyReceiver {
    uint256 public received;
    bool public refused;
    bytes private again;

    function take(IInferenceOracle oracle) external {
        takeTwice(oracle, abi.encodeCall(oracle.withdraw, (payable(address(this)))));
    }

    function takeOf(IInferenceOracle oracle, Request calldata r) external {
        takeTwice(oracle, abi.encodeCall(oracle.withdrawOf, (r, payable(address(this)))));
    }

    function call(address target, bytes calldata data) external payable {
        (bool ok,) = target.call{value: msg.value}(data);
        require(ok, "call");
    }

    function takeTwice(IInferenceOracle oracle, bytes memory data) private {
        again = data;
        (bool ok,) = address(oracle).call(data);
        require(ok, "first");
    }

    receive() external payable {
        received += msg.value;
        (bool ok,) = msg.sender.call(again);
        refused = !ok;
    }
}
