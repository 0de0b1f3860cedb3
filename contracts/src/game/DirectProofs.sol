// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Claim, IClaims} from "../interfaces/IClaims.sol";
import {ClaimStatus, Conviction, DisputedClaim, IDisputeGame} from "../interfaces/IDisputeGame.sol";
import {ModelCommitment} from "../interfaces/IModelRegistry.sol";
import {
    ClaimFacts,
    IStepVerifier,
    Opening,
    OutputShape,
    Witness
} from "../interfaces/IStepVerifier.sol";
import {Judgement} from "./Judgement.sol";
import {Positions} from "./Positions.sol";

// slither-disable-start incorrect-equality: equal is said of states, places and nothing, not of times
// slither-disable-start reentrancy-no-eth,reentrancy-events: a source that calls back finds its claim decided

/// @title Proofs without a dispute, void claims, shapes of a model's operations.
abstract contract DirectProofs is Judgement {
    bytes32 internal constant DOMAIN_TYPEHASH = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    );
    bytes32 internal constant NAME_HASH = keccak256("Lockstep");
    bytes32 internal constant VERSION_HASH = keccak256("1");
    bytes32 internal constant TRACE_ROOT_TYPEHASH =
        keccak256("TraceRoot(bytes32 claimId,bytes32 root)");
    /// Blocks from a commitment to its proof while a dispute is live.
    uint256 internal constant RIVAL_COMMIT_BLOCKS = 50;

    /* ANYBODY */

    /// See IDisputeGame.
    function recordShape(ModelCommitment calldata model, uint16 op, Opening calldata descriptor)
        external
    {
        bytes32 modelId = keccak256(abi.encode(model));
        if (_shapes[modelId][op].rowBytes != 0) return;
        OutputShape memory shape = IStepVerifier(verifier).shapeOf(model, op, descriptor);
        Positions.requireKnown(shape);
        _shapes[modelId][op] = shape;
        emit IDisputeGame.ShapeRecorded(modelId, op);
    }

    /// See IDisputeGame.
    function commitProof(bytes32 commitment) external {
        if (_committedAt[commitment] != 0) return;
        _committedAt[commitment] = block.number;
        emit IDisputeGame.ProofCommitted(commitment);
    }

    /// See IDisputeGame.
    function prove(
        address source,
        bytes32 name,
        bytes calldata opening,
        bytes32 root,
        bytes calldata signature,
        ModelCommitment calldata model,
        Witness calldata witness,
        bytes32 salt
    ) external {
        _requireWhole(witness);
        (Claim memory claim, ClaimFacts memory facts) = IClaims(source).claimOf(name, opening);
        bytes32 claimId = _checkedClaim(source, name, claim, facts);
        _requireCommitted(salt, keccak256(abi.encode(witness)), _commitBlocks(claimId));
        _requireKnownRoot(claim.operator, claimId, root, signature);
        _requireWrong(facts, root, claim.modelId, model, witness, msg.data[:0]);
        _convict(claim, claimId, Conviction.Proof, witness.op, witness.leaf, witness.unit);
    }

    /// See IDisputeGame.
    function proveEquivocation(
        address source,
        bytes32 name,
        bytes calldata opening,
        bytes32 root,
        bytes calldata signature,
        bytes32 otherRoot,
        bytes calldata otherSignature,
        bytes32 salt
    ) external {
        (Claim memory claim, ClaimFacts memory facts) = IClaims(source).claimOf(name, opening);
        bytes32 claimId = _checkedClaim(source, name, claim, facts);
        _requireCommitted(salt, keccak256(abi.encode(root, otherRoot)), _commitBlocks(claimId));
        // Only one root is the opened one: with two different roots one at least is signed.
        if (root == otherRoot) revert IDisputeGame.NothingWrong();
        _requireKnownRoot(claim.operator, claimId, root, signature);
        _requireKnownRoot(claim.operator, claimId, otherRoot, otherSignature);
        _convict(claim, claimId, Conviction.Equivocation, 0, 0, 0);
    }

    /// See IDisputeGame.
    function voidClaim(
        address source,
        bytes32 name,
        bytes calldata opening,
        ModelCommitment calldata model,
        uint32 op,
        Opening[] calldata descriptors
    ) external {
        (Claim memory claim, ClaimFacts memory facts) = IClaims(source).claimOf(name, opening);
        bytes32 claimId = _checkedClaim(source, name, claim, facts);
        _requireModel(model, claim.modelId);
        if (!IStepVerifier(verifier).isMalformed(model, op, descriptors)) {
            revert IDisputeGame.WellFormed();
        }
        _decide(claimId, ClaimStatus.Void);
        emit IDisputeGame.ClaimVoided(claimId, op);
        IClaims(source).voidClaim(name, claim.stake);
    }

    /// Convicts without a dispute.
    function _convict(
        Claim memory claim,
        bytes32 claimId,
        Conviction how,
        uint32 op,
        uint32 leaf,
        uint32 unit
    ) private {
        _decide(claimId, ClaimStatus.Convicted);
        emit IDisputeGame.ClaimConvicted(claimId, 0, msg.sender, how, op, leaf, unit);
        IClaims(claim.source).convict(claim.name, claim.operator, claim.stake, msg.sender);
    }

    /// A claim that was never disputed stays unknown to the game: its source lets nobody dispute it
    /// after this.
    function _decide(bytes32 claimId, ClaimStatus status) private {
        DisputedClaim storage c = _claims[claimId];
        ClaimStatus old = c.status;
        if (old == ClaimStatus.Disputed) c.status = status;
        else if (old != ClaimStatus.None) revert IDisputeGame.ClaimNotLive();
    }

    /* CHECKS */

    function _commitBlocks(bytes32 claimId) private view returns (uint256) {
        return _claims[claimId].live == 0 ? COMMIT_BLOCKS : RIVAL_COMMIT_BLOCKS;
    }

    /// @dev A signature has a second form, which says the same: nothing here counts signatures.
    function _requireKnownRoot(
        address operator,
        bytes32 claimId,
        bytes32 root,
        bytes calldata signature
    ) private view {
        if (signature.length == 0) {
            if (root == 0 || root != _claims[claimId].root) {
                revert IDisputeGame.UnknownRoot();
            }
            return;
        }
        if (signature.length != 65) revert IDisputeGame.UnknownRoot();
        bytes32 domain = keccak256(
            abi.encode(DOMAIN_TYPEHASH, NAME_HASH, VERSION_HASH, block.chainid, address(this))
        );
        bytes32 message = keccak256(abi.encode(TRACE_ROOT_TYPEHASH, claimId, root));
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", domain, message));
        address signer = ecrecover(
            digest, uint8(signature[64]), bytes32(signature[:32]), bytes32(signature[32:64])
        );
        // A bad signature gives the zero address, which a source might name.
        if (signer == address(0) || signer != operator) revert IDisputeGame.UnknownRoot();
    }
}
// slither-disable-end incorrect-equality,reentrancy-no-eth,reentrancy-events
