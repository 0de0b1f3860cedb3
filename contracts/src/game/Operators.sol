// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DisputeState, DisputedClaim, IDisputeGame} from "../interfaces/IDisputeGame.sol";
import {IStepVerifier} from "../interfaces/IStepVerifier.sol";
import {Money} from "./Money.sol";
import {NodeHash} from "./NodeHash.sol";
import {Positions, Tree} from "./Positions.sol";
import {Turn, Turns} from "./Turns.sol";

/// @title The answers: trace, children, leaves, partials.
/// @dev An answer that was given already, in this dispute or another, changes nothing: whoever
/// sends many at once is not stopped by one that came first. One to a question that is not put yet,
/// or no more, reverts: it does not look as if it had been taken.
abstract contract Operators is Money {
    using Turns for Turn;

    /// @inheritdoc IDisputeGame
    function openTrace(bytes32 disputeId, bytes32 root, bytes32[] calldata children) external {
        (Dispute storage d, DisputedClaim storage c, Turn memory t) = _load(disputeId);
        if (msg.sender != c.operator) revert NotOperator();
        if (t.state != DisputeState.Root) {
            if (root != c.root) revert WrongHash();
            return;
        }
        Tree memory tree = Positions.top(c.opCount);
        if (children.length != (tree.height == 0 ? 0 : 1 << Positions.stageBelow(tree.height))) {
            revert WrongChildCount();
        }
        if (
            root == 0 || (tree.height != 0 && NodeHash.fold(tree, tree.height, 0, children) != root)
        ) {
            revert WrongHash();
        }
        c.root = root;
        _answer(d, t, TRACE_GAS, 0);
        emit TraceOpened(d.claimId, root, children);
    }

    /// @inheritdoc IDisputeGame
    function reveal(bytes32 disputeId, bytes32[] calldata children) external {
        (Dispute storage d, DisputedClaim storage c, Turn memory t) = _load(disputeId);
        if (t.state != DisputeState.Pick) _requireState(t, DisputeState.Node);
        if (children.length != 1 << Positions.stageBelow(t.height)) revert WrongChildCount();
        Tree memory tree = _treeOf(t.op, t.layout, c);
        if (NodeHash.fold(tree, t.height, t.index, children) != _nodeOf(d, c)) revert WrongHash();
        if (t.state == DisputeState.Pick) return;
        _answer(d, t, CHILDREN_GAS, 0);
        emit Revealed(d.claimId, t.op, t.height, t.index, children);
    }

    /// @inheritdoc IDisputeGame
    function revealLeaf(bytes32 disputeId, bytes calldata data) external {
        (Dispute storage d, DisputedClaim storage c, Turn memory t) = _load(disputeId);
        if (t.state < DisputeState.Step) _requireState(t, DisputeState.Leaf);
        uint256 last = Positions.chunksOf(t.layout) - 1;
        uint256 length = Positions.CHUNK_BYTES;
        if (Positions.chunkOf(t.layout, t.index) == last) {
            length = _shapes[c.modelId][t.op].rowBytes - last * length;
        }
        if (data.length != length) revert WrongLength();
        if (NodeHash.leaf(data) != _nodeOf(d, c)) revert WrongHash();
        if (t.state != DisputeState.Leaf) return;
        _answer(d, t, LEAF_GAS, 0);
        emit LeafRevealed(d.claimId, t.op, t.index, data);
    }

    /// @inheritdoc IDisputeGame
    function openPartials(bytes32 disputeId, bytes calldata partials) external {
        (Dispute storage d, DisputedClaim storage c, Turn memory t) = _load(disputeId);
        if (msg.sender != c.operator) revert NotOperator();
        if (t.state == DisputeState.PartialStep) {
            if (_slots[d.claimId][_key(t, d)] >> 40 != _digest(partials)) revert WrongHash();
            return;
        }
        _requireState(t, DisputeState.Partials);
        uint256 row = Positions.rowOf(t.layout, t.index);
        // Safe casts: rows are positions, an element lies in a row of at most 2^26 bytes.
        if (!IStepVerifier(verifier).checkPartials(uint32(row), partials)) revert BadPartials();
        uint256 element = _element(t, d.lane);
        _answer(d, t, _partialsGas(row), _digest(partials));
        emit PartialsOpened(d.claimId, t.op, uint32(row), uint32(element), partials);
    }

    /// Fills the slot that the dispute awaits, repays the caller and gives the turn to the
    /// challenger.
    function _answer(Dispute storage d, Turn memory t, uint256 gasAmount, uint256 digest) private {
        uint256 key = _key(t, d);
        _spend(t);
        // Seconds do not reach 2^40.
        _slots[d.claimId][key] = block.timestamp | digest << 40;
        t.state = Turns.answered(t.state);
        _repay(t, gasAmount);
        d.turn = t.pack();
    }
}
