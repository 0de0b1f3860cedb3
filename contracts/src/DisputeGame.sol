// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {GameParameters, IDisputeGame} from "./interfaces/IDisputeGame.sol";
import {ModelCommitment} from "./interfaces/IModelRegistry.sol";
import {IStepVerifier, Opening, OutputShape} from "./interfaces/IStepVerifier.sol";
import {Challengers} from "./game/Challengers.sol";
import {GameBase} from "./game/GameBase.sol";
import {Operators} from "./game/Operators.sol";
import {Positions} from "./game/Positions.sol";
import {Verdicts} from "./game/Verdicts.sol";

/// @title The dispute game: finds the first wrong chunk of a claim's trace and has one unit of it
/// recomputed.
contract DisputeGame is Challengers, Operators, Verdicts {
    /// @param oracle_ names this contract as its dispute game
    constructor(address oracle_, address verifier_, GameParameters memory p)
        GameBase(oracle_, verifier_, p)
    {}

    /// @inheritdoc IDisputeGame
    function recordShape(ModelCommitment calldata model, uint16 op, Opening calldata descriptor)
        external
    {
        bytes32 modelId = keccak256(abi.encode(model));
        if (_shapes[modelId][op].rowBytes != 0) return;
        OutputShape memory shape = IStepVerifier(verifier).shapeOf(model, op, descriptor);
        Positions.requireKnown(shape);
        _shapes[modelId][op] = shape;
        emit ShapeRecorded(modelId, op);
    }

    /// @inheritdoc IDisputeGame
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
}
