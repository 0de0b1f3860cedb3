// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    IInferenceOracle,
    OracleParameters,
    Request,
    RequestState,
    RequestStatus,
    Seat,
    SeatStatus
} from "../interfaces/IInferenceOracle.sol";
import {IOperatorBonds} from "../interfaces/IOperatorBonds.sol";
import {ClaimHash} from "../libraries/ClaimHash.sol";

// slither-disable-start timestamp,incorrect-equality: deadlines are seconds; equal is said of states, not of times
// slither-disable-start calls-loop: called are the deployment's own bonds; a request has at most five seats

/// @title Storage, clock and money of the oracle: what its other parts share.
/// @dev Of a request only a few words are stored; the rest is in the `Request` that callers pass
/// again and that its id binds.
abstract contract OracleBase is IInferenceOracle {
    /// A Request in calldata: 19 words.
    uint256 internal constant REQUEST_BYTES = 608;
    uint8 internal constant MAX_ATTEMPTS = 5;
    uint32 internal constant CLAIM_PERIOD_LIMIT = 6 hours;
    /// A missed deadline costs one part in that many of the stake, or the fee where that is more.
    uint256 internal constant MISS_DIVISOR = 50;

    /// @inheritdoc IInferenceOracle
    address public immutable registry;
    /// @inheritdoc IInferenceOracle
    address public immutable bonds;
    /// @inheritdoc IInferenceOracle
    address public immutable disputeGame;

    uint128 internal immutable MIN_STAKE;
    uint32 internal immutable MIN_WINDOW;
    uint32 internal immutable MAX_WINDOW;
    uint32 internal immutable MIN_ACCEPT_PERIOD;
    uint32 internal immutable MAX_ACCEPT_PERIOD;
    uint32 internal immutable MIN_CLAIM_PERIOD;
    uint32 internal immutable MAX_CLAIM_PERIOD;
    uint32 internal immutable REVEAL_PERIOD;

    mapping(bytes32 requestId => RequestState) internal _states;
    // slither-disable-next-line uninitialized-state: written through references
    mapping(bytes32 requestId => mapping(uint256 key => Seat)) internal _seats;

    /// @inheritdoc IInferenceOracle
    mapping(address account => uint256) public credit;

    constructor(
        address registry_,
        address bonds_,
        address disputeGame_,
        OracleParameters memory p
    ) {
        if (
            registry_.code.length == 0 || IOperatorBonds(bonds_).oracle() != address(this)
                || p.minStake == 0 || p.minWindow == 0 || p.minWindow > p.maxWindow
                || p.minAcceptPeriod == 0 || p.minAcceptPeriod > p.maxAcceptPeriod
                || p.minClaimPeriod == 0 || p.minClaimPeriod > p.maxClaimPeriod
                || p.maxClaimPeriod > CLAIM_PERIOD_LIMIT || p.revealPeriod == 0
        ) revert BadParameters();
        (registry, bonds, disputeGame) = (registry_, bonds_, disputeGame_);
        MIN_STAKE = p.minStake;
        (MIN_WINDOW, MAX_WINDOW) = (p.minWindow, p.maxWindow);
        (MIN_ACCEPT_PERIOD, MAX_ACCEPT_PERIOD) = (p.minAcceptPeriod, p.maxAcceptPeriod);
        (MIN_CLAIM_PERIOD, MAX_CLAIM_PERIOD) = (p.minClaimPeriod, p.maxClaimPeriod);
        REVEAL_PERIOD = p.revealPeriod;
    }

    /// Seized bond arrives here, to be credited in the same call.
    receive() external payable {
        if (msg.sender != bonds) revert NotBonds();
    }

    /* REQUEST AND CLOCK */

    /// @inheritdoc IInferenceOracle
    function requestIdOf(Request calldata r) public view returns (bytes32 id) {
        // abi.encode(block.chainid, address(this), r), copied as it lies in calldata. SAFETY: a
        // word with bits that its type does not have gives an id that no request has.
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            mstore(buffer, chainid())
            mstore(add(buffer, 0x20), address())
            calldatacopy(add(buffer, 0x40), r, REQUEST_BYTES)
            id := keccak256(buffer, add(REQUEST_BYTES, 0x40))
        }
    }

    /// The request's id and state, brought up to the current time.
    function _load(Request calldata r) internal returns (bytes32 id, RequestState storage s) {
        id = requestIdOf(r);
        s = _states[id];
        _advance(id, s);
    }

    /// Records that time alone has closed the commitments or the reveals.
    function _advance(bytes32 id, RequestState storage s) internal {
        RequestStatus old = s.status;
        if (old != RequestStatus.Accepted && old != RequestStatus.Revealing) return;
        (RequestStatus status, uint64 deadline) = _phase(old, s.replicas, s.window, s.deadline);
        if (status == old) return;
        (s.status, s.deadline) = (status, deadline);
        if (status == RequestStatus.Revealing) emit RevealOpened(id, deadline);
    }

    /// Status and deadline at the current time. With one seat only transactions change the status.
    function _phase(RequestStatus status, uint8 replicas, uint32 window, uint64 deadline)
        internal
        view
        returns (RequestStatus, uint64)
    {
        if (status == RequestStatus.Accepted && replicas > 1 && block.timestamp > deadline) {
            (status, deadline) = (RequestStatus.Revealing, deadline + REVEAL_PERIOD);
        }
        if (status == RequestStatus.Revealing && block.timestamp > deadline) {
            (status, deadline) = (RequestStatus.Claimed, deadline + window);
        }
        return (status, deadline);
    }

    function _requireStatus(RequestState storage s, RequestStatus wanted) internal view {
        if (s.status != wanted) revert WrongStatus(s.status);
    }

    function _after(uint32 period) internal view returns (uint64) {
        return uint64(block.timestamp) + period;
    }

    /* SEATS */

    function _seat(bytes32 id, uint8 attempt, uint256 seat) internal view returns (Seat storage) {
        return _seats[id][(uint256(attempt) << 8) | seat];
    }

    /// Whether the seat's stake is still locked.
    function _stands(SeatStatus status) internal pure returns (bool) {
        return status == SeatStatus.Accepted || status == SeatStatus.Committed
            || status == SeatStatus.Claimed;
    }

    function _claimHash(bytes32 id, uint64 seed, Seat storage seat)
        internal
        view
        returns (bytes32)
    {
        return ClaimHash.claimHash(id, seed, seat.operator, seat.tokenCount, seat.value);
    }

    /// Fines a seat that let a deadline pass.
    function _miss(Request calldata r, bytes32 id, Seat storage seat) internal {
        seat.status = SeatStatus.Missed;
        address operator = seat.operator;
        uint256 penalty = r.stake / MISS_DIVISOR;
        if (penalty < r.fee) penalty = r.fee;
        if (penalty > r.stake) penalty = r.stake;
        _credit(r.requester, id, penalty);
        emit Missed(id, operator, penalty);
        IOperatorBonds(bonds).seize(operator, penalty);
        IOperatorBonds(bonds).unlock(operator, r.stake - penalty);
    }

    /* ENDS */

    /// Reopens or refunds the request when no seat of its attempt stands.
    function _endAttemptIfDead(Request calldata r, bytes32 id, RequestState storage s) internal {
        uint8 attempt = s.attempt;
        for (uint256 i; i < s.seatsTaken; ++i) {
            if (_stands(_seat(id, attempt, i).status)) return;
        }
        if (attempt == MAX_ATTEMPTS) {
            _refund(r, id, s);
            return;
        }
        (s.status, s.attempt, s.seatsTaken, s.deadline) =
        (RequestStatus.Open, attempt + 1, 0, _after(r.acceptPeriod));
        emit Reopened(id, attempt + 1, s.deadline);
    }

    /// Ends the request without a result: the fee goes back, the stakes of all seats that stand are
    /// unlocked.
    function _refund(Request calldata r, bytes32 id, RequestState storage s) internal {
        s.status = RequestStatus.Refunded;
        _credit(r.requester, id, r.fee);
        emit Refunded(id);
        uint8 attempt = s.attempt;
        for (uint256 i; i < s.seatsTaken; ++i) {
            Seat storage seat = _seat(id, attempt, i);
            if (_stands(seat.status)) IOperatorBonds(bonds).unlock(seat.operator, r.stake);
        }
    }

    function _credit(address account, bytes32 id, uint256 amount) internal {
        if (amount == 0) return;
        credit[account] += amount;
        emit Credited(account, id, amount);
    }
}
// slither-disable-end timestamp,incorrect-equality,calls-loop
