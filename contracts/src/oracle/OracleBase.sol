// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    IInferenceOracle,
    OracleParameters,
    Request,
    RequestStatus,
    SeatStatus
} from "../interfaces/IInferenceOracle.sol";
import {AgentRoles, IOperatorBonds} from "../interfaces/IOperatorBonds.sol";
import {CreditBook} from "../libraries/Credits.sol";
import {PackedState, SeatWord, State, States} from "./State.sol";

// slither-disable-start timestamp,incorrect-equality: deadlines are seconds; equal is said of states, not of times
// slither-disable-start calls-loop: called are the deployment's own bonds; a request has at most five seats

/// @title Storage, names and clock of the oracle: what its other parts share.
/// @dev Of a request one word is stored, and one word for each claim; with replicas one more for
/// each seat. The rest is in the `Request` that callers pass again and that its id binds.
abstract contract OracleBase {
    using States for PackedState;
    using States for State;

    /// Facts that determine the seed of a sampled request: one word.
    struct Draw {
        uint64 requestBlock;
        bool seedFixed;
        uint64 seed;
    }

    /// A Request in calldata: 19 words.
    uint256 internal constant REQUEST_BYTES = 608;
    uint8 internal constant MAX_ATTEMPTS = 5;
    uint32 internal constant CLAIM_PERIOD_LIMIT = 6 hours;

    /// See IInferenceOracle.
    address public immutable registry;
    address public immutable bonds;
    address public immutable disputeGame;

    uint128 internal immutable MIN_STAKE;
    uint32 internal immutable MIN_WINDOW;
    uint32 internal immutable MAX_WINDOW;
    uint32 internal immutable MIN_ACCEPT_PERIOD;
    uint32 internal immutable MAX_ACCEPT_PERIOD;
    uint32 internal immutable MIN_CLAIM_PERIOD;
    uint32 internal immutable MIN_REPLICA_CLAIM_PERIOD;
    uint32 internal immutable MAX_CLAIM_PERIOD;
    uint32 internal immutable FILL_PERIOD;
    uint32 internal immutable REVEAL_PERIOD;

    mapping(bytes32 requestId => PackedState) private _states;
    // slither-disable-next-line uninitialized-state: the other half of the oracle writes it
    mapping(bytes32 requestId => Draw) internal _draws;
    /// With replicas, by the name of the seat's claim.
    mapping(bytes32 name => SeatWord) private _seats;
    /// See IInferenceOracle.
    mapping(address requester => uint64) public nonces;
    CreditBook internal _credits;
    /// See IInferenceOracle.
    mapping(bytes32 requestId => uint256) public creditOf;
    /// Token hash of a claim, or the commitment to one; of a convicted claim without replicas its
    /// operator.
    mapping(bytes32 name => bytes32) internal _values;

    constructor(
        address registry_,
        address bonds_,
        address disputeGame_,
        OracleParameters memory p
    ) {
        if (
            registry_.code.length == 0 || p.minStake == 0 || p.minWindow == 0
                || p.minWindow > p.maxWindow || p.minAcceptPeriod == 0
                || p.minAcceptPeriod > p.maxAcceptPeriod || p.minClaimPeriod == 0
                || p.minClaimPeriod > p.minReplicaClaimPeriod
                || p.minReplicaClaimPeriod > p.maxClaimPeriod
                || p.maxClaimPeriod > CLAIM_PERIOD_LIMIT || p.fillPeriod == 0 || p.revealPeriod == 0
        ) revert IInferenceOracle.BadParameters();
        (registry, bonds, disputeGame) = (registry_, bonds_, disputeGame_);
        MIN_STAKE = p.minStake;
        (MIN_WINDOW, MAX_WINDOW) = (p.minWindow, p.maxWindow);
        (MIN_ACCEPT_PERIOD, MAX_ACCEPT_PERIOD) = (p.minAcceptPeriod, p.maxAcceptPeriod);
        (MIN_CLAIM_PERIOD, MAX_CLAIM_PERIOD) = (p.minClaimPeriod, p.maxClaimPeriod);
        MIN_REPLICA_CLAIM_PERIOD = p.minReplicaClaimPeriod;
        (FILL_PERIOD, REVEAL_PERIOD) = (p.fillPeriod, p.revealPeriod);
    }

    /* NAMES */

    function _requestIdOf(Request calldata r) internal view returns (bytes32 id) {
        // abi.encode(block.chainid, address(this), r), copied as it lies in calldata. SAFETY: a
        // word with bits that its type does not have gives an id that no request has.
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            mstore(buffer, chainid())
            mstore(add(buffer, 0x20), address())
            calldatacopy(add(buffer, 0x40), r, REQUEST_BYTES)
            id := and(keccak256(buffer, add(REQUEST_BYTES, 0x40)), not(0xff))
        }
    }

    /// Name of a claim.
    function _nameOf(bytes32 requestId, uint8 attempt, uint8 seat) internal pure returns (bytes32) {
        // Attempts are at most 5, seats at most 4: the last byte, which the id leaves free, has
        // room.
        return requestId | bytes32((uint256(attempt) << 3) | seat);
    }

    /// Request, attempt and seat of a claim.
    function _partsOf(bytes32 name)
        internal
        pure
        returns (bytes32 requestId, uint8 attempt, uint8 seat)
    {
        uint256 low = uint8(uint256(name));
        // Safe casts: of one byte.
        return (name & ~bytes32(uint256(0xff)), uint8(low >> 3), uint8(low & 7));
    }

    /* STATE AND CLOCK */

    /// The request's id and state, brought up to the current time.
    function _load(Request calldata r) internal view returns (bytes32 id, State memory s) {
        id = _requestIdOf(r);
        s = _stateOf(id);
    }

    function _stateOf(bytes32 id) internal view returns (State memory s) {
        s = _states[id].unpack();
        if (s.replicated) _advance(s);
    }

    function _store(bytes32 id, State memory s) internal {
        _states[id] = s.pack();
    }

    /// Time alone closes commitments and reveals. With one seat only transactions change the
    /// status.
    function _advance(State memory s) private view {
        // Safe casts: times and periods in seconds do not reach 2^40.
        if (s.status == RequestStatus.Accepted && block.timestamp > s.deadline) {
            (s.status, s.deadline) = (RequestStatus.Revealing, s.deadline + REVEAL_PERIOD);
        }
        if (s.status == RequestStatus.Revealing && block.timestamp > s.deadline) {
            (s.status, s.deadline) = (RequestStatus.Claimed, s.deadline + s.window);
        }
    }

    function _requireStatus(State memory s, RequestStatus wanted) internal pure {
        if (s.status != wanted) revert IInferenceOracle.WrongStatus(s.status);
    }

    function _after(uint32 period) internal view returns (uint40) {
        return uint40(block.timestamp) + period;
    }

    /* SEATS */

    /// A seat of the present round.
    function _seat(bytes32 id, State memory s, uint8 seat)
        internal
        view
        returns (SeatWord memory w)
    {
        if (s.replicated) return _seats[_nameOf(id, s.attempt, seat)];
        if (seat != 0 || s.operator == address(0)) return w;
        w.operator = s.operator;
        w.status = s.status == RequestStatus.Accepted ? SeatStatus.Accepted : SeatStatus.Claimed;
        (w.tokenCount, w.firstToken, w.disputed) = (s.tokenCount, s.firstToken, s.disputed);
    }

    /// A seat of an attempt that ended.
    function _pastSeat(bytes32 id, State memory s, uint8 attempt, uint8 seat)
        internal
        view
        returns (SeatWord memory w)
    {
        bytes32 name = _nameOf(id, attempt, seat);
        if (s.replicated) return _seats[name];
        if (seat == 0 && attempt != 0 && attempt < s.attempt) {
            (w.operator, w.status) =
            (address(uint160(uint256(_values[name]))), SeatStatus.Convicted);
        }
    }

    /// With replicas.
    function _putSeat(bytes32 id, State memory s, uint8 seat, SeatWord memory w) internal {
        _seats[_nameOf(id, s.attempt, seat)] = w;
    }

    /// Seats of the present round that are taken.
    function _taken(State memory s) internal pure returns (uint8) {
        if (s.replicated) return s.seatsTaken;
        return s.operator == address(0) ? 0 : 1;
    }

    /// Whether the seat's stake is still locked.
    function _stands(SeatStatus status) internal pure returns (bool) {
        return status == SeatStatus.Accepted || status == SeatStatus.Committed
            || status == SeatStatus.Claimed;
    }

    /// The caller acts for itself, or as the operator's agent for claims.
    function _requireActs(address operator) internal view {
        if (msg.sender == operator) return;
        if (IOperatorBonds(bonds).agentRoles(operator, msg.sender) & AgentRoles.CLAIMS == 0) {
            revert IInferenceOracle.NotOperatorOrAgent();
        }
    }

    /// Opens the request for another round, in the next attempt if a claim was convicted in this
    /// one.
    function _reopen(bytes32 id, State memory s, bool convicted) internal {
        if (convicted) ++s.attempt;
        else if (s.misses < States.MAX_MISSES) ++s.misses;
        (s.status, s.deadline) = (RequestStatus.Open, 0);
        _clearSeats(s);
        emit IInferenceOracle.Reopened(id, s.attempt);
    }

    function _clearSeats(State memory s) internal pure {
        if (s.replicated) s.seatsTaken = 0;
        else (s.operator, s.tokenCount, s.firstToken, s.disputed) = (address(0), 0, 0, false);
    }
}
// slither-disable-end timestamp,incorrect-equality,calls-loop
