// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    ClaimStatus,
    DisputeState,
    DisputeView,
    DisputedClaim,
    GameParameters,
    IDisputeGame
} from "../interfaces/IDisputeGame.sol";
import {IInferenceOracle, Request} from "../interfaces/IInferenceOracle.sol";
import {ModelCommitment} from "../interfaces/IModelRegistry.sol";
import {IOperatorBonds} from "../interfaces/IOperatorBonds.sol";
import {OutputShape} from "../interfaces/IStepVerifier.sol";
import {Layout, Positions, Tree} from "./Positions.sol";
import {PackedTurn, Turn, Turns} from "./Turns.sol";

// slither-disable-start timestamp: deadlines are seconds; what a proposer can shift is no part of any of them
// slither-disable-start incorrect-equality: equal is said of states, places and nothing, not of times

/// @title Storage of the game: claims, disputes, slots.
abstract contract GameBase is IDisputeGame {
    using Turns for Turn;
    using Turns for DisputeState;

    struct Dispute {
        address challenger;
        uint88 bond;
        /// the element whose partials were demanded, less the first one of the current leaf
        uint8 lane;
        PackedTurn turn;
        bytes32 claimId;
        /// hash of the current node; 0 while that is the root, which the claim keeps
        bytes32 node;
    }

    /// A slot's word: the second in which it was filled in bits 0 to 39, of partials the low 216
    /// bits of their hash above. ASKED marks one that nothing but a question has reached: whoever
    /// asks pays for the new word, so that an answer costs about the same in every case.
    uint256 internal constant ASKED = 1 << 40;
    uint256 internal constant TIME_MASK = (1 << 40) - 1;
    /// Sets the keys of partials apart from those of nodes.
    uint256 internal constant PARTIALS_KEY = 1 << 255;

    /// Turns of the longest possible dispute: a top tree of 16 levels and an operation's of 31 take
    /// the trace, 10 reveals, a leaf and partials of the operator, and as many moves of the
    /// challenger.
    uint256 internal constant MAX_TURNS = 26;

    /// @inheritdoc IDisputeGame
    address public immutable oracle;
    /// @inheritdoc IDisputeGame
    address public immutable verifier;

    uint256 internal immutable BUDGET;
    uint256 internal immutable FLOOR;
    uint256 internal immutable MIN_BOND;

    mapping(bytes32 claimId => DisputedClaim) internal _claims;
    mapping(bytes32 disputeId => Dispute) internal _disputes;
    mapping(bytes32 claimId => mapping(uint256 key => uint256)) internal _slots;
    mapping(bytes32 modelId => mapping(uint256 op => OutputShape)) internal _shapes;

    constructor(address oracle_, address verifier_, GameParameters memory p) {
        if (
            verifier_.code.length == 0 || IInferenceOracle(oracle_).disputeGame() != address(this)
                || p.floor == 0 || p.floor > p.budget || p.budget > type(uint24).max
                || p.minBond == 0 || p.minBond > type(uint88).max
        ) revert BadParameters();
        // A bond cannot leave while a claim that it stood for can still be disputed.
        uint256 longest = 2 * uint256(p.budget) + (MAX_TURNS - 2) * uint256(p.floor);
        address bonds = IInferenceOracle(oracle_).bonds();
        if (
            IOperatorBonds(bonds).withdrawalDelay()
                <= IInferenceOracle(oracle_).parameters().maxWindow + longest
        ) {
            revert BadParameters();
        }
        (oracle, verifier) = (oracle_, verifier_);
        (BUDGET, FLOOR, MIN_BOND) = (p.budget, p.floor, p.minBond);
    }

    /* NAMES */

    /// The oracle's request id: keccak256(abi.encode(block.chainid, oracle, r)).
    function _requestId(Request calldata r) internal view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, oracle, r));
    }

    function _requireModel(ModelCommitment calldata model, bytes32 modelId) internal pure {
        if (keccak256(abi.encode(model)) != modelId) revert WrongModel();
    }

    /* DISPUTES */

    /// A dispute whose claim the game has not decided, and its turn.
    function _load(bytes32 disputeId)
        internal
        view
        returns (Dispute storage d, DisputedClaim storage c, Turn memory t)
    {
        d = _disputes[disputeId];
        bytes32 claimId = d.claimId;
        if (claimId == 0) revert NoSuchDispute();
        c = _claims[claimId];
        if (c.status != ClaimStatus.Disputed) revert ClaimNotLive();
        t = _turnOf(d, claimId);
        if (t.state == DisputeState.Closed) revert WrongState(DisputeState.Closed);
    }

    /// The turn as it is now: what was answered in another dispute is answered in this one too, and
    /// the challenger's turn began then.
    function _turnOf(Dispute storage d, bytes32 claimId) internal view returns (Turn memory t) {
        t = Turns.unpack(d.turn);
        if (!t.state.isOperators()) return t;
        uint256 filled = _slots[claimId][_key(t, d)] & TIME_MASK;
        if (filled == 0) return t;
        t.end(filled);
        t.state = t.state.answered();
    }

    /// As `_load`, for the challenger's own moves.
    function _loadOwn(bytes32 disputeId)
        internal
        view
        returns (Dispute storage d, DisputedClaim storage c, Turn memory t)
    {
        (d, c, t) = _load(disputeId);
        if (d.challenger != msg.sender) revert NotChallenger();
    }

    function _requireState(Turn memory t, DisputeState wanted) internal pure {
        if (t.state != wanted) revert WrongState(t.state);
    }

    /// Ends the turn of the side that moves.
    function _spend(Turn memory t) internal view {
        if (block.timestamp > t.deadline(FLOOR)) revert TooLate();
        t.end(block.timestamp);
    }

    /// Hash of the current node.
    function _nodeOf(Dispute storage d, DisputedClaim storage c)
        internal
        view
        returns (bytes32 node)
    {
        node = d.node;
        if (node == 0) node = c.root;
    }

    /* SLOTS */

    /// Key of what the operator is, or was last, asked for in a dispute.
    function _key(Turn memory t, Dispute storage d) internal view returns (uint256) {
        if (t.state == DisputeState.Partials || t.state == DisputeState.PartialStep) {
            return _partialsKey(t.op, Positions.rowOf(t.layout, t.index), _element(t, d.lane));
        }
        return _nodeKey(t.op, t.height, t.index);
    }

    function _nodeKey(uint256 op, uint256 height, uint256 index) internal pure returns (uint256) {
        return op << 40 | height << 32 | index;
    }

    function _partialsKey(uint256 op, uint256 row, uint256 element)
        internal
        pure
        returns (uint256)
    {
        return PARTIALS_KEY | op << 64 | row << 32 | element;
    }

    /// What a slot keeps of partials: finding two with one digest takes 2^108 hashes, and its
    /// poster gains nothing by it.
    function _digest(bytes calldata partials) internal pure returns (uint256) {
        return uint256(keccak256(partials)) & (type(uint256).max >> 40);
    }

    /// An attention row is of 4-byte elements: 256 of them lie in a leaf.
    function _element(Turn memory t, uint256 lane) internal pure returns (uint256) {
        return Positions.chunkOf(t.layout, t.index) << 8 | lane;
    }

    /* TREES */

    function _treeOf(uint256 op, Layout layout, DisputedClaim storage c)
        internal
        view
        returns (Tree memory)
    {
        if (op == Positions.TOP) return Positions.top(c.opCount);
        return Positions.operation(layout, c.promptCount, c.tokenCount);
    }

    /* VIEWS */

    /// @inheritdoc IDisputeGame
    function disputeOf(bytes32 disputeId) external view returns (DisputeView memory v) {
        Dispute storage d = _disputes[disputeId];
        bytes32 claimId = d.claimId;
        if (claimId == 0) return v;
        Turn memory t = _turnOf(d, claimId);
        (v.state, v.claimId, v.challenger) = (t.state, claimId, d.challenger);
        (v.op, v.height, v.index, v.node) = (t.op, t.height, t.index, _nodeOf(d, _claims[claimId]));
        if (t.state == DisputeState.Partials || t.state == DisputeState.PartialStep) {
            // Safe cast: an element lies in a row of at most 2^26 bytes.
            v.element = uint32(_element(t, d.lane));
        }
        (v.bond, v.prepaid) = (d.bond, t.prepaid);
        (v.operatorLeft, v.challengerLeft) = (t.operatorLeft, t.challengerLeft);
        // Safe cast: two times of 40 bits.
        if (t.state != DisputeState.Closed) {
            (v.turnStart, v.deadline) = (t.start, uint64(t.deadline(FLOOR)));
        }
    }

    /// @inheritdoc IDisputeGame
    function claimOf(bytes32 claimId) external view returns (DisputedClaim memory) {
        return _claims[claimId];
    }

    /// @inheritdoc IDisputeGame
    function filledAt(bytes32 claimId, uint16 op, uint8 height, uint32 index)
        external
        view
        returns (uint64)
    {
        return uint64(_slots[claimId][_nodeKey(op, height, index)] & TIME_MASK);
    }

    /// @inheritdoc IDisputeGame
    function partialsFilledAt(bytes32 claimId, uint16 op, uint32 row, uint32 element)
        external
        view
        returns (uint64)
    {
        return uint64(_slots[claimId][_partialsKey(op, row, element)] & TIME_MASK);
    }

    /// @inheritdoc IDisputeGame
    function shapeRecorded(bytes32 modelId, uint16 op) external view returns (bool) {
        return _shapes[modelId][op].rowBytes != 0;
    }

    /// @inheritdoc IDisputeGame
    function parameters() external view returns (GameParameters memory) {
        // Safe casts: the constructor took them from these types.
        return
            GameParameters({
                budget: uint32(BUDGET), floor: uint32(FLOOR), minBond: uint128(MIN_BOND)
            });
    }
}
// slither-disable-end timestamp,incorrect-equality
