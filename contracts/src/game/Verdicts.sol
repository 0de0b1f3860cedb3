// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    ClaimStatus,
    DisputeState,
    DisputedClaim,
    IDisputeGame
} from "../interfaces/IDisputeGame.sol";
import {IInferenceOracle, Request, Seat} from "../interfaces/IInferenceOracle.sol";
import {ModelCommitment} from "../interfaces/IModelRegistry.sol";
import {ClaimFacts, IStepVerifier, Opening, Witness} from "../interfaces/IStepVerifier.sol";
import {UnitKinds} from "../verifier/UnitKinds.sol";
import {Money} from "./Money.sol";
import {Turn, Turns} from "./Turns.sol";

// slither-disable-start timestamp: deadlines are seconds; what a proposer can shift is no part of any of them
// slither-disable-start incorrect-equality: equal is said of states, places and nothing, not of times

/// @title The ends of a dispute: proofs, clocks that ran out, void claims, money back.
/// @dev SAFETY: every call of the oracle comes last, after all state of the game; it is the
/// deployment's own and calls nobody here. The verifier is called without try: a witness that does
/// not open reverts the move and decides nothing.
abstract contract Verdicts is Money {
    using Turns for Turn;

    /// A claim that stands, by what the oracle says of it.
    struct Target {
        bytes32 requestId;
        bytes32 claimId;
        address operator;
    }

    /* IN A DISPUTE */

    /// @inheritdoc IDisputeGame
    function step(
        bytes32 disputeId,
        Request calldata r,
        ModelCommitment calldata model,
        Witness calldata witness
    ) external {
        (Dispute storage d, DisputedClaim storage c, Turn memory t) = _loadOwn(disputeId);
        if (c.root == 0) revert WrongState(t.state);
        // A proof needs no turn; but in its own turn a challenger is bound to its clock.
        if (!Turns.isOperators(t.state)) _spend(t);
        _requireRequest(r, c);
        _requireWhole(witness);
        _requireWrong(
            _facts(r, c.requestId, c.attempt, c.seat), c.root, r, model, witness, msg.data[:0]
        );
        _win(disputeId, d, c, t, r);
    }

    /// @inheritdoc IDisputeGame
    function stepPartial(
        bytes32 disputeId,
        Request calldata r,
        ModelCommitment calldata model,
        Witness calldata witness,
        bytes calldata partials
    ) external {
        (Dispute storage d, DisputedClaim storage c, Turn memory t) = _loadOwn(disputeId);
        _requireState(t, DisputeState.PartialStep);
        _spend(t);
        _requireRequest(r, c);
        bool asked = UnitKinds.isPartial(witness.kind) && witness.op == t.op
            && witness.leaf == t.index && witness.unit == _element(t, d.lane);
        if (!asked) revert BadElement();
        if (_slots[d.claimId][_key(t, d)] >> 40 != _digest(partials)) revert WrongHash();
        _requireWrong(
            _facts(r, c.requestId, c.attempt, c.seat), c.root, r, model, witness, partials
        );
        _win(disputeId, d, c, t, r);
    }

    /// @inheritdoc IDisputeGame
    function timeout(bytes32 disputeId, Request calldata r) external {
        (Dispute storage d, DisputedClaim storage c, Turn memory t) = _load(disputeId);
        _requireRequest(r, c);
        if (block.timestamp <= t.deadline(FLOOR)) revert TooEarly();
        if (Turns.isOperators(t.state)) {
            _win(disputeId, d, c, t, r);
            return;
        }
        // Where another seat's claim ended the request there was nothing left to win: `reclaim`.
        if (!IInferenceOracle(oracle).standing(c.requestId, c.attempt, c.seat)) {
            revert ClaimNotLive();
        }
        (uint256 bond, uint256 prepaid) = (d.bond, t.prepaid);
        _close(d, t);
        uint256 toOperator = bond * OPERATOR_PERCENT / 100;
        _credit(c.operator, toOperator);
        _credit(d.challenger, prepaid);
        emit DisputeLost(d.claimId, disputeId, toOperator, bond - toOperator);
        IInferenceOracle(oracle).disputeClosed(c.requestId, c.attempt, c.seat);
        _send(BURN_ADDRESS, bond - toOperator);
    }

    /// @inheritdoc IDisputeGame
    function reclaim(bytes32 disputeId) external {
        Dispute storage d = _disputes[disputeId];
        bytes32 claimId = d.claimId;
        if (claimId == 0) revert NoSuchDispute();
        Turn memory t = _turnOf(d, claimId);
        if (t.state == DisputeState.Closed) revert WrongState(t.state);
        DisputedClaim storage c = _claims[claimId];
        // A claim that stands no longer never stands again. The oracle's count of its disputes is
        // of no use any more and stays.
        if (
            c.status == ClaimStatus.Disputed
                && IInferenceOracle(oracle).standing(c.requestId, c.attempt, c.seat)
        ) {
            revert TooEarly();
        }
        _refund(d, t);
        emit DisputeReclaimed(claimId, disputeId);
    }

    /// Convicts the operator in a dispute: bond and prepaid money go back to its challenger, who
    /// gets the reward of the oracle.
    function _win(
        bytes32 disputeId,
        Dispute storage d,
        DisputedClaim storage c,
        Turn memory t,
        Request calldata r
    ) private {
        c.status = ClaimStatus.Convicted;
        address challenger = d.challenger;
        _refund(d, t);
        emit ClaimConvicted(d.claimId, disputeId, challenger);
        IInferenceOracle(oracle).convict(r, c.attempt, c.seat, challenger);
    }

    /* WITHOUT A DISPUTE */

    /// Block in which a commitment was first made; a repeat, which anybody can send, does not make
    /// it younger.
    mapping(bytes32 commitment => uint256) internal _committedAt;

    bytes32 internal constant DOMAIN_TYPEHASH = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    );
    bytes32 internal constant NAME_HASH = keccak256("Lockstep");
    bytes32 internal constant VERSION_HASH = keccak256("1");
    bytes32 internal constant TRACE_ROOT_TYPEHASH =
        keccak256("TraceRoot(bytes32 claimId,bytes32 root)");
    uint256 internal constant COMMIT_BLOCKS = 2;

    /// @inheritdoc IDisputeGame
    function commitProof(bytes32 commitment) external {
        if (_committedAt[commitment] != 0) return;
        _committedAt[commitment] = block.number;
        emit ProofCommitted(commitment);
    }

    /// @inheritdoc IDisputeGame
    function prove(
        Request calldata r,
        uint8 attempt,
        uint8 seat,
        bytes32 root,
        bytes calldata signature,
        ModelCommitment calldata model,
        Witness calldata witness,
        bytes32 salt
    ) external {
        _requireWhole(witness);
        _requireCommitted(salt, keccak256(abi.encode(witness)));
        Target memory target = _target(r, attempt, seat);
        _requireKnownRoot(target, root, signature);
        _requireWrong(
            _facts(r, target.requestId, attempt, seat), root, r, model, witness, msg.data[:0]
        );
        _convict(target, r, attempt, seat);
    }

    /// @inheritdoc IDisputeGame
    function proveEquivocation(
        Request calldata r,
        uint8 attempt,
        uint8 seat,
        bytes32 root,
        bytes calldata signature,
        bytes32 otherRoot,
        bytes calldata otherSignature,
        bytes32 salt
    ) external {
        _requireCommitted(salt, keccak256(abi.encode(root, otherRoot)));
        Target memory target = _target(r, attempt, seat);
        // Only one root is the opened one: with two different roots one at least is signed.
        if (root == otherRoot) revert NothingWrong();
        _requireKnownRoot(target, root, signature);
        _requireKnownRoot(target, otherRoot, otherSignature);
        _convict(target, r, attempt, seat);
    }

    /// @inheritdoc IDisputeGame
    function voidClaim(
        Request calldata r,
        uint8 attempt,
        uint8 seat,
        ModelCommitment calldata model,
        uint32 op,
        Opening[] calldata descriptors
    ) external {
        Target memory target = _target(r, attempt, seat);
        _requireModel(model, r.modelId);
        if (!IStepVerifier(verifier).isMalformed(model, op, descriptors)) revert WellFormed();
        DisputedClaim storage c = _claims[target.claimId];
        if (c.status == ClaimStatus.Disputed) c.status = ClaimStatus.Void;
        emit ClaimVoided(target.claimId);
        IInferenceOracle(oracle).voidClaim(r, attempt, seat);
    }

    /// Convicts without a dispute. A claim that was never disputed stays unknown to the game: the
    /// oracle lets nobody dispute it after this.
    function _convict(Target memory target, Request calldata r, uint8 attempt, uint8 seat) private {
        DisputedClaim storage c = _claims[target.claimId];
        if (c.status == ClaimStatus.Disputed) c.status = ClaimStatus.Convicted;
        emit ClaimConvicted(target.claimId, 0, msg.sender);
        IInferenceOracle(oracle).convict(r, attempt, seat, msg.sender);
    }

    function _target(Request calldata r, uint8 attempt, uint8 seat)
        private
        view
        returns (Target memory t)
    {
        t.requestId = _requestId(r);
        if (!IInferenceOracle(oracle).standing(t.requestId, attempt, seat)) revert ClaimNotLive();
        // slither-disable-next-line unused-return: the claim hash is part of the claim id
        (, t.claimId) = IInferenceOracle(oracle).claimOf(t.requestId, attempt, seat);
        t.operator = IInferenceOracle(oracle).seatOf(t.requestId, attempt, seat).operator;
    }

    function _requireCommitted(bytes32 salt, bytes32 hash) private view {
        uint256 at = _committedAt[keccak256(abi.encode(msg.sender, salt, hash))];
        if (at == 0 || block.number < at + COMMIT_BLOCKS) revert NotCommitted();
    }

    /// @dev A signature has a second form, which says the same: nothing here counts signatures.
    function _requireKnownRoot(Target memory target, bytes32 root, bytes calldata signature)
        private
        view
    {
        if (signature.length == 0) {
            if (root == 0 || root != _claims[target.claimId].root) revert UnknownRoot();
            return;
        }
        if (signature.length != 65) revert UnknownRoot();
        bytes32 domain = keccak256(
            abi.encode(DOMAIN_TYPEHASH, NAME_HASH, VERSION_HASH, block.chainid, address(this))
        );
        bytes32 message = keccak256(abi.encode(TRACE_ROOT_TYPEHASH, target.claimId, root));
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", domain, message));
        address signer = ecrecover(
            digest, uint8(signature[64]), bytes32(signature[:32]), bytes32(signature[32:64])
        );
        // INVARIANT: no operator is the zero address, which a bad signature gives.
        if (signer != target.operator) revert UnknownRoot();
    }

    /* PROOFS */

    function _requireRequest(Request calldata r, DisputedClaim storage c) private view {
        if (_requestId(r) != c.requestId) revert WrongRequest();
    }

    /// Partials are proved wrong in the dispute that asked for them.
    function _requireWhole(Witness calldata witness) private pure {
        if (UnitKinds.isPartial(witness.kind)) revert BadPartials();
    }

    function _requireWrong(
        ClaimFacts memory facts,
        bytes32 root,
        Request calldata r,
        ModelCommitment calldata model,
        Witness calldata witness,
        bytes calldata partials
    ) private view {
        _requireModel(model, r.modelId);
        if (!IStepVerifier(verifier).isWrong(facts, root, model, witness, partials)) {
            revert NothingWrong();
        }
    }

    function _facts(Request calldata r, bytes32 requestId, uint8 attempt, uint8 seat)
        private
        view
        returns (ClaimFacts memory f)
    {
        Seat memory claimed = IInferenceOracle(oracle).seatOf(requestId, attempt, seat);
        (f.promptCount, f.promptHash) = (r.promptCount, r.promptHash);
        (f.tokenCount, f.tokensHash) = (claimed.tokenCount, claimed.value);
        (f.temperature, f.minP) = (r.temperature, r.minP);
        f.seed = IInferenceOracle(oracle).stateOf(requestId).seed;
        (f.allowedCount, f.allowedHash) = (r.allowedCount, r.allowedHash);
    }
}
// slither-disable-end timestamp,incorrect-equality
