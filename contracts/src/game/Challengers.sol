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
import {OutputShape} from "../interfaces/IStepVerifier.sol";
import {Money} from "./Money.sol";
import {NodeHash} from "./NodeHash.sol";
import {Layout, Positions, Tree} from "./Positions.sol";
import {Turn, Turns} from "./Turns.sol";

// slither-disable-start uninitialized-local: a local begins at 0, and is meant to
// slither-disable-start reentrancy-benign,reentrancy-events: called is the deployment's own oracle, which calls nobody here

/// @title The challenger's questions: challenge, pick, demand partials.
abstract contract Challengers is Money {
    using Positions for Tree;
    using Turns for Turn;

    /// @inheritdoc IDisputeGame
    function challenge(
        Request calldata r,
        uint8 attempt,
        uint8 seat,
        ModelCommitment calldata model,
        bytes32 salt
    ) external payable returns (bytes32 disputeId) {
        _requireModel(model, r.modelId);
        bytes32 requestId = _requestId(r);
        // SAFETY: the oracle is the deployment's own and calls nobody here; it alone knows the
        // claim's name, without which there is no state to write.
        bytes32 claimId = IInferenceOracle(oracle).disputeOpened(requestId, attempt, seat);
        DisputedClaim storage c = _claims[claimId];
        if (c.status == ClaimStatus.None) {
            c.requestId = requestId;
            c.modelId = r.modelId;
            Seat memory claimed = IInferenceOracle(oracle).seatOf(requestId, attempt, seat);
            (c.operator, c.tokenCount) = (claimed.operator, claimed.tokenCount);
            (c.attempt, c.seat, c.status) = (attempt, seat, ClaimStatus.Disputed);
            // Safe casts: `request` bounds prompts by 32,768, the registry operations by 65,535.
            c.promptCount = uint24(r.promptCount);
            c.opCount = uint16(model.opCount);
        }
        uint256 bond = bondFor(r.stake);
        uint256 prepaid;
        (disputeId, prepaid) = _open(claimId, c, salt, bond);
        emit Challenged(claimId, disputeId, msg.sender, requestId, attempt, seat, bond, prepaid);
        _collect(bond + prepaid);
    }

    function _open(bytes32 claimId, DisputedClaim storage c, bytes32 salt, uint256 bond)
        private
        returns (bytes32 disputeId, uint256 prepaid)
    {
        disputeId = keccak256(abi.encode(claimId, msg.sender, salt));
        Dispute storage d = _disputes[disputeId];
        if (d.claimId != 0) revert DisputeExists();
        // Safe cast: `bondFor` bounds it.
        (d.challenger, d.bond, d.claimId) = (msg.sender, uint88(bond), claimId);
        Turn memory t;
        t.state = DisputeState.Root;
        (t.op, t.height) = (Positions.TOP, uint8(Positions.log2Ceil(c.opCount)));
        // Safe casts: times do not reach 2^40; the constructor bounds the budget.
        t.start = uint40(block.timestamp);
        t.operatorLeft = t.challengerLeft = uint24(BUDGET);
        prepaid = _ask(d, claimId, t, TRACE_GAS);
        d.turn = t.pack();
    }

    /// @inheritdoc IDisputeGame
    function pick(
        bytes32 disputeId,
        uint16 op,
        uint8 height,
        uint32 index,
        bytes32 node,
        bytes32[] calldata path
    ) external payable {
        (Dispute storage d, DisputedClaim storage c, Turn memory t) = _loadOwn(disputeId);
        _requireState(t, DisputeState.Pick);
        _spend(t);
        if (_above(t, c, op, height, index, node, path) != _nodeOf(d, c)) revert WrongHash();
        (t.op, t.height, t.index) = (op, height, index);
        t.state = height == 0 ? DisputeState.Leaf : DisputeState.Node;
        uint256 missing = _ask(d, d.claimId, t, height == 0 ? LEAF_GAS : CHILDREN_GAS);
        d.turn = t.pack();
        d.node = node;
        emit Picked(d.claimId, disputeId, op, height, index, node, _promised(t));
        _collect(missing);
    }

    /// What the current node is if the picked one and its path are of this trace. Reverts unless
    /// the position is a stage below the current node and not padding. Leaves the layout of the
    /// picked node's operation in the turn.
    function _above(
        Turn memory t,
        DisputedClaim storage c,
        uint16 op,
        uint8 height,
        uint32 index,
        bytes32 node,
        bytes32[] calldata path
    ) private view returns (bytes32) {
        if (op != t.op) {
            if (t.op != Positions.TOP || op >= c.opCount || op >> t.height != t.index) revert BadPick();
            t.layout = _layoutOf(c, op);
        }
        Tree memory tree = _treeOf(op, t.layout, c);
        bool valid = tree.isStage(height) && tree.isPresent(height, index);
        if (op == t.op) {
            valid = valid && height < t.height && index >> (t.height - height) == t.index
                && path.length == t.height - height && (op != Positions.TOP || height != 0);
            if (!valid) revert BadPick();
            return NodeHash.climb(tree.nodeTag, height, index, node, path);
        }
        // From the operation's tree into the tree above, whose leaves are the operations' roots.
        if (!valid || path.length != tree.height - height + t.height) revert BadPick();
        uint256 inside = tree.height - height;
        node = NodeHash.climb(tree.nodeTag, height, index, node, path[:inside]);
        return NodeHash.climb(Positions.TAG_TOP, 0, op, node, path[inside:]);
    }

    function _layoutOf(DisputedClaim storage c, uint256 op) private view returns (Layout) {
        OutputShape memory shape = _shapes[c.modelId][op];
        if (shape.rowBytes == 0) revert UnknownShape();
        return Positions.layoutOf(shape);
    }

    /// @inheritdoc IDisputeGame
    function demandPartials(bytes32 disputeId, uint32 element) external payable {
        (Dispute storage d, DisputedClaim storage c, Turn memory t) = _loadOwn(disputeId);
        // Once a dispute: one that may ask on and on never ends. A challenger knows which element
        // is wrong.
        _requireState(t, DisputeState.Step);
        _spend(t);
        OutputShape storage shape = _shapes[c.modelId][t.op];
        if (
            shape.headWidth == 0 || shape.kind != 0 || uint256(element) * 4 >= shape.rowBytes
                || element >> 8 != Positions.chunkOf(t.layout, t.index)
        ) revert BadElement();
        // Truncation is meant: what is above follows from the leaf.
        d.lane = uint8(element);
        t.state = DisputeState.Partials;
        uint256 row = Positions.rowOf(t.layout, t.index);
        uint256 missing = _ask(d, d.claimId, t, _partialsGas(row));
        d.turn = t.pack();
        // Safe cast: rows are positions.
        emit PartialsDemanded(d.claimId, disputeId, t.op, uint32(row), element, _promised(t));
        _collect(missing);
    }

    /// Puts a question: marks its slot, or goes on at once where it is filled.
    /// @return missing what the challenger must pay for it
    function _ask(Dispute storage d, bytes32 claimId, Turn memory t, uint256 gasAmount)
        private
        returns (uint256 missing)
    {
        mapping(uint256 key => uint256) storage slots = _slots[claimId];
        uint256 key = _key(t, d);
        uint256 slot = slots[key];
        if (slot & TIME_MASK != 0) {
            t.state = Turns.answered(t.state);
            return 0;
        }
        if (slot == 0) slots[key] = ASKED;
        return _prepay(t, gasAmount);
    }

    /// What an answer can be repaid from; 0 where none is awaited.
    function _promised(Turn memory t) private pure returns (uint256) {
        return Turns.isOperators(t.state) ? t.prepaid : 0;
    }
}
// slither-disable-end uninitialized-local,reentrancy-benign,reentrancy-events
