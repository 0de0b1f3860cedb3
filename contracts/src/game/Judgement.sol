// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDisputeGame} from "../interfaces/IDisputeGame.sol";
import {ModelCommitment} from "../interfaces/IModelRegistry.sol";
import {ClaimFacts, IStepVerifier, Witness} from "../interfaces/IStepVerifier.sol";
import {UnitKinds} from "../verifier/UnitKinds.sol";
import {Money} from "./Money.sol";

// slither-disable-start incorrect-equality: equal is said of states, places and nothing, not of times
/// @title Steps common to all proofs: a commitment, and a verdict of the verifier.
abstract contract Judgement is Money {
    /// Blocks from a commitment to its proof.
    uint256 internal constant COMMIT_BLOCKS = 2;

    function _requireCommitted(bytes32 salt, bytes32 hash, uint256 blocks) internal view {
        uint256 at = _committedAt[keccak256(abi.encode(msg.sender, salt, hash))];
        if (at == 0 || block.number < at + blocks) revert IDisputeGame.NotCommitted();
    }

    /// Partials are proved wrong in the dispute that asked for them.
    function _requireWhole(Witness calldata witness) internal pure {
        if (UnitKinds.isPartial(witness.kind)) revert IDisputeGame.WrongKind();
    }

    function _requireFacts(ClaimFacts calldata facts, bytes32 factsHash) internal pure {
        if (keccak256(abi.encode(facts)) != factsHash) revert IDisputeGame.WrongFacts();
    }

    function _requireWrong(
        ClaimFacts memory facts,
        bytes32 root,
        bytes32 modelId,
        ModelCommitment calldata model,
        Witness calldata witness,
        bytes calldata partials
    ) internal view {
        _requireModel(model, modelId);
        if (!IStepVerifier(verifier).isWrong(facts, root, model, witness, partials)) {
            revert IDisputeGame.NothingWrong();
        }
    }
}
// slither-disable-end incorrect-equality
