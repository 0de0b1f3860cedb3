// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IClaims} from "../interfaces/IClaims.sol";
import {
    ClaimStatus,
    Conviction,
    Dispute,
    DisputeState,
    DisputedClaim,
    IDisputeGame
} from "../interfaces/IDisputeGame.sol";
import {ModelCommitment} from "../interfaces/IModelRegistry.sol";
import {ClaimFacts, Witness} from "../interfaces/IStepVerifier.sol";
import {UnitKinds} from "../verifier/UnitKinds.sol";
import {Turn, Turns} from "./Turns.sol";
import {Judgement} from "./Judgement.sol";

// slither-disable-start timestamp: deadlines are seconds; what a proposer can shift is no part of any of them
// slither-disable-start incorrect-equality: equal is said of states, places and nothing, not of times

/// @title The ends of a dispute: proofs, clocks that ran out, money back.
/// @dev SAFETY: every call of a source comes last, after all state of the game. The verifier is
/// called without try: a witness that does not open reverts the move and decides nothing.
abstract contract Verdicts is Judgement {
    using Turns for Turn;

    /// See IDisputeGame.
    function step(
        Dispute calldata d,
        ClaimFacts calldata facts,
        ModelCommitment calldata model,
        Witness calldata witness,
        bytes32 commitSalt
    ) external {
        (DisputedClaim storage c, Played memory p) = _loadOwn(d);
        if (c.openedAt == 0) revert IDisputeGame.WrongState(p.turn.state);
        _requireOwnProof(c, p.turn, witness, commitSalt);
        // A proof needs no turn; but in its own turn a challenger is bound to its clock.
        if (!Turns.isOperators(p.turn.state)) _spend(p.turn, c);
        _requireWhole(witness);
        _requireFacts(facts, d.claim.factsHash);
        _requireWrong(facts, c.root, d.claim.modelId, model, witness, msg.data[:0]);
        _win(d, c, p, Conviction.Step, witness.op, witness.leaf, witness.unit);
    }

    /// See IDisputeGame.
    function stepPartial(
        Dispute calldata d,
        ClaimFacts calldata facts,
        ModelCommitment calldata model,
        Witness calldata witness,
        bytes calldata partials,
        bytes32 commitSalt
    ) external {
        (DisputedClaim storage c, Played memory p) = _loadOwn(d);
        Turn memory t = p.turn;
        _requireState(t, DisputeState.PartialStep);
        _requireOwnProof(c, t, witness, commitSalt);
        _spend(t, c);
        bytes32 node = _moving[p.disputeId].node;
        if (!UnitKinds.isPartial(witness.kind)) revert IDisputeGame.WrongKind();
        if (witness.op != t.op || witness.leaf != t.index || witness.unit != _element(t, node)) {
            revert IDisputeGame.BadElement();
        }
        if (node != _withPartials(node, partials)) revert IDisputeGame.WrongHash();
        _requireFacts(facts, d.claim.factsHash);
        _requireWrong(facts, c.root, d.claim.modelId, model, witness, partials);
        _win(d, c, p, Conviction.PartialStep, witness.op, witness.leaf, witness.unit);
    }

    /// A proof in a dispute needs a commitment, so that nobody can copy it, unless the dispute was
    /// alone when its turn began. One that joined later makes it needed too, but not at once:
    /// nobody can hold up a proof that it sees coming.
    function _requireOwnProof(
        DisputedClaim storage c,
        Turn memory t,
        Witness calldata witness,
        bytes32 salt
    ) private view {
        if (t.alone && (c.live == 1 || block.number < c.joinedBlock + COMMIT_BLOCKS)) return;
        _requireCommitted(salt, keccak256(abi.encode(witness)), COMMIT_BLOCKS);
    }

    /// See IDisputeGame.
    function timeout(Dispute calldata d) external {
        (DisputedClaim storage c, Played memory p) = _load(d);
        if (block.timestamp <= _deadline(p.turn)) revert IDisputeGame.TooEarly();
        if (Turns.isOperators(p.turn.state)) {
            _win(d, c, p, Conviction.Timeout, 0, 0, 0);
            return;
        }
        // Where another claim ended the request there was nothing left to win: `reclaim`.
        if (!IClaims(d.claim.source).standing(d.claim.name)) revert IDisputeGame.ClaimNotLive();
        uint256 prepaid = p.turn.prepaid;
        _close(p);
        uint32 live = c.live - 1;
        c.live = live;
        uint256 toOperator = uint256(d.bond) * OPERATOR_PERCENT / 100;
        _credit(d.claim.operator, p.claimId, toOperator);
        _credit(d.challenger, p.claimId, prepaid);
        emit IDisputeGame.DisputeLost(p.claimId, p.disputeId, toOperator, d.bond - toOperator);
        _send(BURN_ADDRESS, d.bond - toOperator);
        if (live == 0) IClaims(d.claim.source).settled(d.claim.name);
    }

    /// Convicts the operator in a dispute: bond and prepaid money go back to its challenger, who
    /// gets the source's reward.
    function _win(
        Dispute calldata d,
        DisputedClaim storage c,
        Played memory p,
        Conviction how,
        uint32 op,
        uint32 leaf,
        uint32 unit
    ) private {
        c.status = ClaimStatus.Convicted;
        _refund(d.challenger, d.bond, p);
        emit IDisputeGame.ClaimConvicted(p.claimId, p.disputeId, d.challenger, how, op, leaf, unit);
        IClaims(d.claim.source).convict(d.claim.name, d.claim.operator, d.claim.stake, d.challenger);
    }
}
// slither-disable-end timestamp,incorrect-equality
