// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Dispute, DisputeState, DisputedClaim, IDisputeGame} from "../interfaces/IDisputeGame.sol";
import {IStepVerifier} from "../interfaces/IStepVerifier.sol";
import {Money} from "./Money.sol";
import {NodeHash} from "./NodeHash.sol";
import {Positions, Tree} from "./Positions.sol";
import {Turn} from "./Turns.sol";

/// @title The answers: trace, children, leaves, partials.
/// @dev An answer that was given already changes nothing: whoever sends many at once is not stopped
/// by one that came first. One to a question that is not put yet, or no more, reverts: it does not
/// look as if it had been taken. Answers are repaid to the operator, or its agent that sends them,
/// never to a stranger.
abstract contract Operators is Money {
    /// See IDisputeGame.
    function openTrace(Dispute calldata d, bytes32 root, bytes32[] calldata children) external {
        uint256 gasAtStart = gasleft();
        (DisputedClaim storage c, Played memory p) = _load(d);
        if (!_movesFor(d.claim.operator)) revert IDisputeGame.NotOperator();
        if (c.openedAt != 0) {
            if (root != c.root) revert IDisputeGame.WrongHash();
            return;
        }
        Tree memory tree = Positions.top(c.opCount);
        if (children.length != (tree.height == 0 ? 0 : 1 << Positions.stageBelow(tree.height))) {
            revert IDisputeGame.WrongChildCount();
        }
        if (
            root == 0 || (tree.height != 0 && NodeHash.fold(tree, tree.height, 0, children) != root)
        ) {
            revert IDisputeGame.WrongHash();
        }
        _spend(p.turn, c);
        // Safe cast: times do not reach 2^40.
        (c.root, c.openedAt) = (root, uint40(block.timestamp));
        _answer(p, 0, msg.sender, gasAtStart, 32 * children.length);
        emit IDisputeGame.TraceOpened(
            p.claimId, p.disputeId, root, children, p.turn.prepaid, _deadline(p.turn)
        );
    }

    /// See IDisputeGame.
    function reveal(Dispute calldata d, bytes32[] calldata children) external {
        uint256 gasAtStart = gasleft();
        (DisputedClaim storage c, Played memory p) = _load(d);
        Turn memory t = p.turn;
        if (t.state != DisputeState.Pick) _requireState(t, DisputeState.Node);
        if (children.length != 1 << Positions.stageBelow(t.height)) {
            revert IDisputeGame.WrongChildCount();
        }
        Tree memory tree = _treeOf(t.op, t.layout, c);
        if (NodeHash.fold(tree, t.height, t.index, children) != _nodeOf(p.disputeId, c)) {
            revert IDisputeGame.WrongHash();
        }
        if (t.state == DisputeState.Pick) return;
        _spend(t, c);
        _answer(p, 0, _payee(d), gasAtStart, 32 * children.length);
        emit IDisputeGame.Revealed(
            p.claimId, p.disputeId, t.op, t.height, t.index, children, t.prepaid, _deadline(t)
        );
    }

    /// See IDisputeGame.
    function revealLeaf(Dispute calldata d, bytes calldata data) external {
        uint256 gasAtStart = gasleft();
        (DisputedClaim storage c, Played memory p) = _load(d);
        Turn memory t = p.turn;
        if (t.state != DisputeState.Step) _requireState(t, DisputeState.Leaf);
        if (data.length != Positions.leafBytes(t.layout, t.index)) {
            revert IDisputeGame.WrongLength();
        }
        if (NodeHash.leaf(data) != _nodeOf(p.disputeId, c)) revert IDisputeGame.WrongHash();
        if (t.state == DisputeState.Step) return;
        _spend(t, c);
        _answer(p, 0, _payee(d), gasAtStart, data.length);
        emit IDisputeGame.LeafRevealed(
            p.claimId, p.disputeId, t.op, t.index, data, t.prepaid, _deadline(t)
        );
    }

    /// See IDisputeGame.
    function openPartials(Dispute calldata d, bytes calldata partials) external {
        uint256 gasAtStart = gasleft();
        (DisputedClaim storage c, Played memory p) = _load(d);
        if (!_movesFor(d.claim.operator)) revert IDisputeGame.NotOperator();
        Turn memory t = p.turn;
        bytes32 node = _moving[p.disputeId].node;
        if (t.state == DisputeState.PartialStep) {
            if (node != _withPartials(node, partials)) revert IDisputeGame.WrongHash();
            return;
        }
        _requireState(t, DisputeState.Partials);
        // Safe casts: rows are positions, an element lies in a row of at most 2^26 bytes.
        (uint32 row, uint32 element) =
            (uint32(Positions.rowOf(t.layout, t.index)), uint32(_element(t, node)));
        if (!IStepVerifier(verifier).checkPartials(row, partials)) {
            revert IDisputeGame.BadPartials();
        }
        _spend(t, c);
        _answer(p, _withPartials(node, partials), msg.sender, gasAtStart, partials.length);
        emit IDisputeGame.PartialsOpened(
            p.claimId, p.disputeId, t.op, row, element, partials, t.prepaid, _deadline(t)
        );
    }

    /// Whom an answer that anybody may send is repaid to.
    function _payee(Dispute calldata d) private view returns (address) {
        return _movesFor(d.claim.operator) ? msg.sender : d.claim.operator;
    }
}
