// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Claim, IClaims} from "../interfaces/IClaims.sol";
import {
    ClaimStatus,
    Dispute,
    DisputeState,
    DisputedClaim,
    IDisputeGame
} from "../interfaces/IDisputeGame.sol";
import {ModelCommitment} from "../interfaces/IModelRegistry.sol";
import {ClaimFacts, OutputShape} from "../interfaces/IStepVerifier.sol";
import {Money} from "./Money.sol";
import {NodeHash} from "./NodeHash.sol";
import {Layout, Positions, Tree} from "./Positions.sol";
import {PackedTurn, Turn, Turns} from "./Turns.sol";

// slither-disable-start uninitialized-local: a local begins at 0, and is meant to
// slither-disable-start reentrancy-no-eth,reentrancy-benign,reentrancy-events: a source that calls back finds the dispute not begun, and its claim is its own

/// @title The challenger's questions: challenge, pick, demand partials.
abstract contract Challengers is Money {
    using Positions for Tree;
    using Turns for Turn;

    /// A node that a challenger picks.
    struct Node {
        uint16 op;
        uint8 height;
        uint32 index;
        bytes32 hash;
    }

    /// See IDisputeGame.
    function challenge(
        address source,
        bytes32 name,
        bytes calldata opening,
        ModelCommitment calldata model,
        uint88 bond,
        bytes32 salt
    ) external payable returns (bytes32 disputeId) {
        // The source alone knows the claim, without which there is no state to write.
        (Claim memory claim, ClaimFacts memory facts) = IClaims(source).disputed(name, opening);
        bytes32 claimId = _checkedClaim(source, name, claim, facts);
        _requireModel(model, claim.modelId);
        uint256 needed = _bondFor(claim.stake);
        if (bond < needed) revert IDisputeGame.BondTooSmall(needed);
        Turn memory t =
            _open(claimId, facts, model.opCount, _disputeId(claimId, msg.sender, bond, salt));
        disputeId = _disputeId(claimId, msg.sender, bond, salt);
        emit IDisputeGame.Challenged(
            claimId,
            disputeId,
            msg.sender,
            Dispute(claim, msg.sender, bond, salt),
            facts,
            t.state,
            t.prepaid,
            _deadline(t)
        );
        _collect(claimId, uint256(bond) + t.prepaid);
    }

    /// Records a claim that is disputed for the first time, and a dispute about it.
    function _open(bytes32 claimId, ClaimFacts memory facts, uint32 opCount, bytes32 disputeId)
        private
        returns (Turn memory t)
    {
        DisputedClaim storage c = _claims[claimId];
        if (c.status == ClaimStatus.None) {
            c.status = ClaimStatus.Disputed;
            // Safe casts: sources bound prompts and answers by 32,768, the registry operations by
            // 65,535.
            (c.promptCount, c.tokenCount) = (uint16(facts.promptCount), uint16(facts.tokenCount));
            c.opCount = uint16(opCount);
        } else if (c.status != ClaimStatus.Disputed) {
            revert IDisputeGame.ClaimNotLive();
        }
        if (PackedTurn.unwrap(_moving[disputeId].turn) != 0) revert IDisputeGame.DisputeExists();
        uint32 live = c.live + 1;
        c.live = live;
        // Not at later joins: with one in each block a dispute that was alone would stay free of
        // commitments, and could copy the proof of one that is not.
        if (live == 2) c.joinedBlock = uint40(block.number);
        (t.op, t.height) = (Positions.TOP, uint8(Positions.log2Ceil(c.opCount)));
        // Safe casts: times do not reach 2^40; the constructor bounds the budget.
        (t.start, t.alone) = (uint40(block.timestamp), live == 1);
        t.operatorLeft = t.challengerLeft = uint32(BUDGET);
        t.state = c.openedAt == 0 ? DisputeState.Root : DisputeState.Pick;
        if (t.state == DisputeState.Root) _prepay(t, 0);
        _moving[disputeId].turn = t.pack();
    }

    /// See IDisputeGame.
    function pick(
        Dispute calldata d,
        uint16 op,
        uint8 height,
        uint32 index,
        bytes32 node,
        bytes32[] calldata path
    ) external payable {
        (DisputedClaim storage c, Played memory p) = _loadOwn(d);
        Turn memory t = p.turn;
        _requireState(t, DisputeState.Pick);
        _spend(t, c);
        // A node that is 0 would stand for the trace's root.
        if (node == 0) revert IDisputeGame.BadPick();
        Node memory n = Node(op, height, index, node);
        bytes32 above;
        if (op == t.op) {
            above = _aboveInTree(t, n, c, path);
        } else {
            t.layout = _layoutBelow(t, op, c, d.claim.modelId);
            above = _aboveOperation(t, n, c, path);
        }
        if (above != _nodeOf(p.disputeId, c)) revert IDisputeGame.WrongHash();
        (t.op, t.height, t.index) = (op, height, index);
        t.state = height == 0 ? DisputeState.Leaf : DisputeState.Node;
        uint256 missing = _prepay(t, 0);
        Moving storage m = _moving[p.disputeId];
        (m.turn, m.node) = (t.pack(), node);
        emit IDisputeGame.Picked(
            p.claimId, p.disputeId, op, height, index, node, t.prepaid, _deadline(t)
        );
        _collect(p.claimId, missing);
    }

    /// Hash that the current node has if a picked one of the same tree, and its path, belong to
    /// this trace.
    function _aboveInTree(
        Turn memory t,
        Node memory n,
        DisputedClaim storage c,
        bytes32[] calldata path
    ) private view returns (bytes32) {
        Tree memory tree = _treeWith(n, t.layout, c);
        bool below = n.height < t.height && n.index >> (t.height - n.height) == t.index
            && path.length == t.height - n.height && (n.op != Positions.TOP || n.height != 0);
        if (!below) revert IDisputeGame.BadPick();
        return NodeHash.climb(tree.nodeTag, n.height, n.index, n.hash, path);
    }

    /// The same for a picked node of an operation while the current one is of the tree above
    /// operations, whose leaves are the operations' roots.
    function _aboveOperation(
        Turn memory t,
        Node memory n,
        DisputedClaim storage c,
        bytes32[] calldata path
    ) private view returns (bytes32) {
        Tree memory tree = _treeWith(n, t.layout, c);
        uint256 inside = tree.height - n.height;
        if (path.length != inside + t.height) revert IDisputeGame.BadPick();
        bytes32 root = NodeHash.climb(tree.nodeTag, n.height, n.index, n.hash, path[:inside]);
        return NodeHash.climb(Positions.TAG_TOP, 0, n.op, root, path[inside:]);
    }

    /// The tree of a picked node. Reverts unless the node is of a stage and not padding.
    function _treeWith(Node memory n, Layout layout, DisputedClaim storage c)
        private
        view
        returns (Tree memory tree)
    {
        tree = _treeOf(n.op, layout, c);
        if (!tree.isStage(n.height) || !tree.isPresent(n.height, n.index)) {
            revert IDisputeGame.BadPick();
        }
    }

    /// Layout of an operation below the current node, which is of the tree above operations.
    function _layoutBelow(Turn memory t, uint16 op, DisputedClaim storage c, bytes32 modelId)
        private
        view
        returns (Layout)
    {
        if (t.op != Positions.TOP || op >= c.opCount || op >> t.height != t.index) {
            revert IDisputeGame.BadPick();
        }
        OutputShape memory shape = _shapes[modelId][op];
        if (shape.rowBytes == 0) revert IDisputeGame.UnknownShape();
        return Positions.layoutOf(shape);
    }

    /// See IDisputeGame.
    function demandPartials(Dispute calldata d, uint32 element) external payable {
        (DisputedClaim storage c, Played memory p) = _loadOwn(d);
        Turn memory t = p.turn;
        // Once a dispute: one that may ask on and on never ends. A challenger knows which element
        // is wrong.
        _requireState(t, DisputeState.Step);
        _spend(t, c);
        OutputShape storage shape = _shapes[d.claim.modelId][t.op];
        if (
            shape.headWidth == 0 || shape.kind != 0 || uint256(element) * 4 >= shape.rowBytes
                || element >> 8 != Positions.chunkOf(t.layout, t.index)
        ) revert IDisputeGame.BadElement();
        t.state = DisputeState.Partials;
        // Safe cast: rows are positions.
        uint32 row = uint32(Positions.rowOf(t.layout, t.index));
        uint256 missing = _prepay(t, row);
        Moving storage m = _moving[p.disputeId];
        (m.turn, m.node) = (t.pack(), bytes32(uint256(uint8(element))));
        emit IDisputeGame.PartialsDemanded(
            p.claimId, p.disputeId, t.op, row, element, t.prepaid, _deadline(t)
        );
        _collect(p.claimId, missing);
    }
}
// slither-disable-end uninitialized-local,reentrancy-no-eth,reentrancy-benign,reentrancy-events
