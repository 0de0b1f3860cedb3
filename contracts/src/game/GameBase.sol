// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Claim, IClaims} from "../interfaces/IClaims.sol";
import {
    ClaimStatus,
    Dispute,
    DisputeState,
    DisputedClaim,
    GameParameters,
    IDisputeGame
} from "../interfaces/IDisputeGame.sol";
import {ModelCommitment} from "../interfaces/IModelRegistry.sol";
import {AgentRoles, IOperatorBonds} from "../interfaces/IOperatorBonds.sol";
import {ClaimFacts, OutputShape} from "../interfaces/IStepVerifier.sol";
import {CreditBook} from "../libraries/Credits.sol";
import {Layout, Positions, Tree} from "./Positions.sol";
import {PackedTurn, Turn, Turns} from "./Turns.sol";

// slither-disable-start timestamp: deadlines are seconds; what a proposer can shift is no part of any of them
// slither-disable-start incorrect-equality: equal is said of states, places and nothing, not of times

/// @title Storage of the game: two words per claim, two per dispute. What never changes is passed
/// by callers and hashed.
abstract contract GameBase {
    using Turns for Turn;
    using Turns for DisputeState;

    /// State of a dispute that moves change.
    struct Moving {
        PackedTurn turn;
        /// hash of the current node, 0 while that is the trace's root; once partials were demanded
        /// their element's place in its leaf in the lowest 8 bits, and once they were posted the
        /// upper 248 bits of their hash above
        bytes32 node;
    }

    /// A dispute in a call: storage, and what was unpacked of it.
    struct Played {
        bytes32 claimId;
        bytes32 disputeId;
        Turn turn;
    }

    /// Turns of the longest possible dispute: a top tree of 16 levels and an operation's of 31 take
    /// the trace, 10 reveals, a leaf and partials of the operator, and as many moves of the
    /// challenger.
    uint256 internal constant MAX_TURNS = 26;

    /// See IDisputeGame.
    address public immutable oracle;
    /// See IDisputeGame.
    address public immutable bonds;
    /// See IDisputeGame.
    address public immutable verifier;

    uint256 internal immutable BUDGET;
    uint256 internal immutable FLOOR;
    uint256 internal immutable MIN_BOND;

    mapping(bytes32 claimId => DisputedClaim) internal _claims;
    mapping(bytes32 disputeId => Moving) internal _moving;
    // slither-disable-next-line uninitialized-state: the other half of the game writes it
    mapping(bytes32 modelId => mapping(uint256 op => OutputShape)) internal _shapes;
    /// Block in which a commitment to a proof was first made; a repeat, which anybody can send,
    /// does not make it younger.
    // slither-disable-next-line uninitialized-state: the other half of the game writes it
    mapping(bytes32 commitment => uint256) internal _committedAt;
    CreditBook internal _credits;

    constructor(address oracle_, address verifier_, GameParameters memory p) {
        if (
            verifier_.code.length == 0 || p.floor == 0 || p.floor > p.budget
                || p.budget >= Turns.MAX_BUDGET || p.minBond == 0 || p.minBond > type(uint88).max
        ) revert IDisputeGame.BadParameters();
        // A bond cannot leave while a claim that it stood for can still be disputed.
        uint256 longest = 2 * uint256(p.budget) + (MAX_TURNS - 2) * uint256(p.floor);
        address bonds_ = IClaims(oracle_).bonds();
        if (IOperatorBonds(bonds_).withdrawalDelay() <= IClaims(oracle_).maxWindow() + longest) {
            revert IDisputeGame.BadParameters();
        }
        (oracle, bonds, verifier) = (oracle_, bonds_, verifier_);
        (BUDGET, FLOOR, MIN_BOND) = (p.budget, p.floor, p.minBond);
    }

    /* NAMES */

    function _claimId(Claim calldata claim) internal pure returns (bytes32) {
        return keccak256(abi.encode(claim));
    }

    function _disputeId(bytes32 claimId, address challenger, uint88 bond, bytes32 salt)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(claimId, challenger, bond, salt));
    }

    /// Key of a claim that its source described. Reverts unless it is this source's own, by this
    /// name.
    function _checkedClaim(
        address source,
        bytes32 name,
        Claim memory claim,
        ClaimFacts memory facts
    ) internal pure returns (bytes32) {
        if (claim.source != source || claim.name != name) {
            revert IDisputeGame.WrongSource();
        }
        if (keccak256(abi.encode(facts)) != claim.factsHash) revert IDisputeGame.WrongFacts();
        return keccak256(abi.encode(claim));
    }

    function _requireModel(ModelCommitment calldata model, bytes32 modelId) internal pure {
        if (keccak256(abi.encode(model)) != modelId) revert IDisputeGame.WrongModel();
    }

    /* DISPUTES */

    /// A dispute whose claim the game has not decided, and its turn as it is now.
    function _load(Dispute calldata d)
        internal
        view
        returns (DisputedClaim storage c, Played memory p)
    {
        p.claimId = _claimId(d.claim);
        p.disputeId = _disputeId(p.claimId, d.challenger, d.bond, d.salt);
        c = _claims[p.claimId];
        PackedTurn packed = _moving[p.disputeId].turn;
        if (PackedTurn.unwrap(packed) == 0) revert IDisputeGame.NoSuchDispute();
        if (c.status != ClaimStatus.Disputed) revert IDisputeGame.ClaimNotLive();
        p.turn = _turnOf(packed, c);
        if (p.turn.state == DisputeState.Closed) {
            revert IDisputeGame.WrongState(DisputeState.Closed);
        }
    }

    /// As `_load`, for the challenger's own moves.
    function _loadOwn(Dispute calldata d)
        internal
        view
        returns (DisputedClaim storage c, Played memory p)
    {
        if (d.challenger != msg.sender) revert IDisputeGame.NotChallenger();
        return _load(d);
    }

    /// The turn as it is now: a trace that was opened in another dispute is open in this one too,
    /// and the challenger's turn began then.
    function _turnOf(PackedTurn packed, DisputedClaim storage c)
        internal
        view
        returns (Turn memory t)
    {
        t = Turns.unpack(packed);
        if (t.state != DisputeState.Root) return t;
        uint40 openedAt = c.openedAt;
        if (openedAt == 0) return t;
        // Two disputes waited for the trace, or one did and this is another's: not alone.
        t.end(openedAt, false);
        t.state = t.state.answered();
    }

    function _requireState(Turn memory t, DisputeState wanted) internal pure {
        if (t.state != wanted) revert IDisputeGame.WrongState(t.state);
    }

    /// Ends the turn of the side that moves.
    function _spend(Turn memory t, DisputedClaim storage c) internal view {
        if (block.timestamp > t.deadline(FLOOR)) revert IDisputeGame.TooLate();
        t.end(block.timestamp, c.live == 1);
    }

    function _deadline(Turn memory t) internal view returns (uint64) {
        return t.deadline(FLOOR);
    }

    /// Hash of the current node.
    function _nodeOf(bytes32 disputeId, DisputedClaim storage c)
        internal
        view
        returns (bytes32 node)
    {
        node = _moving[disputeId].node;
        if (node == 0) node = c.root;
    }

    /// Whether the caller may open an operator's trace and partials, and is the one to repay for
    /// answers.
    function _movesFor(address operator) internal view returns (bool) {
        if (msg.sender == operator) return true;
        return IOperatorBonds(bonds).agentRoles(operator, msg.sender) & AgentRoles.DISPUTES != 0;
    }

    /* PARTIALS */

    /// An attention row is of 4-byte elements: 256 of them lie in a leaf.
    function _element(Turn memory t, bytes32 node) internal pure returns (uint256) {
        return Positions.chunkOf(t.layout, t.index) << 8 | uint8(uint256(node));
    }

    /// The node's word once partials are posted.
    function _withPartials(bytes32 node, bytes calldata partials) internal pure returns (bytes32) {
        return keccak256(partials) & ~bytes32(uint256(0xff)) | node & bytes32(uint256(0xff));
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
}
// slither-disable-end timestamp,incorrect-equality
