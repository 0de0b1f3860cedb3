// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {GameParameters, IDisputeGame} from "./interfaces/IDisputeGame.sol";
import {IClaims} from "./interfaces/IClaims.sol";
import {Challengers} from "./game/Challengers.sol";
import {CreditBook, Credits} from "./libraries/Credits.sol";
import {Delegation} from "./libraries/Delegation.sol";
import {GameBase} from "./game/GameBase.sol";
import {Operators} from "./game/Operators.sol";
import {Verdicts} from "./game/Verdicts.sol";

/// @title The dispute game: finds the first wrong chunk of a claim's trace and has one unit of it
/// recomputed.
/// @dev Functions that it lacks it runs from its extension (`DisputeGameExtension`): the code
/// of both together is larger than a contract may be.
contract DisputeGame is Challengers, Operators, Verdicts {
    using Credits for CreditBook;

    /// Code of the other half.
    address public immutable extension;

    /// @param oracle_ names this contract as its dispute game
    /// @param extension_ a DisputeGameExtension with the same arguments
    // slither-disable-next-line missing-zero-check: the extension is asked what it is
    constructor(address oracle_, address verifier_, address extension_, GameParameters memory p)
        GameBase(oracle_, verifier_, p)
    {
        if (IClaims(oracle_).disputeGame() != address(this)) revert IDisputeGame.BadParameters();
        IDisputeGame other = IDisputeGame(extension_);
        if (
            other.oracle() != oracle_ || other.verifier() != verifier_
                || keccak256(abi.encode(other.parameters())) != keccak256(abi.encode(p))
        ) revert IDisputeGame.BadParameters();
        extension = extension_;
    }

    fallback() external {
        Delegation.run(extension);
    }

    /// See IDisputeGame.
    function withdraw(address payable to) external {
        uint256 amount = _credits.amountOf(msg.sender);
        if (amount == 0) revert IDisputeGame.NothingToWithdraw();
        _credits.take(msg.sender, amount);
        emit IDisputeGame.Withdrawn(msg.sender, to, amount);
        _send(to, amount);
    }

    /// See IDisputeGame.
    /// @dev SAFETY: calls of this contract's own code for the same sender. Not payable, so that no
    /// call sees ether that another has spent.
    function multicall(bytes[] calldata calls) external {
        for (uint256 i; i < calls.length; ++i) {
            // slither-disable-next-line calls-loop: its own code, for the same sender; one that fails fails all, as is wanted
            (bool ok, bytes memory reason) = address(this).delegatecall(calls[i]);
            if (ok) continue;
            assembly ("memory-safe") {
                revert(add(reason, 0x20), mload(reason))
            }
        }
    }

    /// See IDisputeGame.
    /// @dev SAFETY: as `multicall`.
    function tryMulticall(bytes[] calldata calls) external returns (uint256 taken) {
        bytes memory refusal;
        for (uint256 i; i < calls.length; ++i) {
            // slither-disable-next-line calls-loop: its own code, for the same sender
            (bool ok, bytes memory reason) = address(this).delegatecall(calls[i]);
            if (ok) {
                ++taken;
                continue;
            }
            refusal = reason;
            // A call that ran out of gas has no reason: with a limit so low nothing is taken, so that
            // whoever estimates the gas does not find a limit at which calls fail.
            if (reason.length == 0) {
                taken = 0;
                break;
            }
        }
        if (taken != 0) return taken;
        assembly ("memory-safe") {
            revert(add(refusal, 0x20), mload(refusal))
        }
    }
}
