// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IClaims} from "./interfaces/IClaims.sol";
import {
    IInferenceOracle,
    OracleParameters,
    Request,
    RequestState,
    RequestStatus,
    Seat,
    SeatStatus
} from "./interfaces/IInferenceOracle.sol";
import {CreditBook, Credits} from "./libraries/Credits.sol";
import {OracleBase} from "./oracle/OracleBase.sol";
import {Replicas} from "./oracle/Replicas.sol";
import {SeatWord, State} from "./oracle/State.sol";

// slither-disable-start timestamp,incorrect-equality: deadlines are seconds; equal is said of states, not of times
// slither-disable-start uninitialized-local: a local begins at 0, and is meant to
/// @title The second half of the oracle: replicas, ends without a result, and the views.
/// @dev InferenceOracle runs this code on its own storage; both begin with OracleBase, which
/// declares all of it. Users know InferenceOracle's address alone.
contract InferenceOracleExtension is Replicas {
    using Credits for CreditBook;

    constructor(address registry_, address bonds_, address disputeGame_, OracleParameters memory p)
        OracleBase(registry_, bonds_, disputeGame_, p)
    {}

    /* REQUESTER */

    /// See IInferenceOracle.
    function cancel(Request calldata r) external {
        if (msg.sender != r.requester) revert IInferenceOracle.NotRequester();
        (bytes32 id, State memory s) = _load(r);
        if (s.status == RequestStatus.None || s.status >= RequestStatus.Final) {
            revert IInferenceOracle.WrongStatus(s.status);
        }
        emit IInferenceOracle.Cancelled(id);
        s.cancelled = true;
        if (s.status == RequestStatus.Open) _refund(r, id, s);
        _store(id, s);
    }

    /// See IInferenceOracle.
    // slither-disable-next-line missing-zero-check: the caller may send its own money where it likes
    function withdrawOf(Request calldata r, address payable to) external {
        if (msg.sender != r.requester) revert IInferenceOracle.NotRequester();
        bytes32 id = _requestIdOf(r);
        uint256 amount = creditOf[id];
        if (amount == 0) revert IInferenceOracle.NothingToWithdraw();
        creditOf[id] = 0;
        emit IInferenceOracle.WithdrawnOf(id, to, amount);
        _send(to, amount);
    }

    /* ANYBODY */

    /// See IInferenceOracle.
    function freeSeats(Request calldata r) external {
        (bytes32 id, State memory s) = _load(r);
        _requireStatus(s, RequestStatus.Open);
        if (!_isUnfilled(s)) revert IInferenceOracle.TooEarly();
        _freeSeats(r, id, s);
        _store(id, s);
    }

    /// See IInferenceOracle.
    function missed(Request calldata r, uint8 seat) external {
        (bytes32 id, State memory s) = _load(r);
        if (s.status < RequestStatus.Accepted || s.status > RequestStatus.Claimed) {
            revert IInferenceOracle.WrongStatus(s.status);
        }
        if (seat >= _taken(s)) revert IInferenceOracle.NotMissed();
        SeatWord memory late = _seat(id, s, seat);
        if (!_isLate(s, late.status)) revert IInferenceOracle.NotMissed();
        _miss(r, id, s, seat, late);
        _endRoundIfDead(r, id, s);
        _store(id, s);
    }

    /// See IInferenceOracle.
    function expire(Request calldata r) external {
        (bytes32 id, State memory s) = _load(r);
        _requireStatus(s, RequestStatus.Open);
        if (!_isOver(r, id, s)) revert IInferenceOracle.TooEarly();
        _refund(r, id, s);
        _store(id, s);
    }

    /* DISPUTE GAME */

    /// See IClaims.
    function voidClaim(bytes32 name, uint128 stake) external onlyDisputeGame {
        (bytes32 id, uint8 attempt, uint8 seat) = _partsOf(name);
        State memory s = _stateOf(id);
        _standingSeat(id, s, attempt, seat);
        _unlockAll(stake, id, s);
        // Open for nobody: `expire` gives the fee back.
        (s.status, s.deadline, s.cancelled) = (RequestStatus.Open, 0, true);
        _clearSeats(s);
        _store(id, s);
        emit IInferenceOracle.Voided(id, name);
    }

    /* VIEWS */

    /// See IInferenceOracle.
    function nameOf(bytes32 requestId, uint8 attempt, uint8 seat) external pure returns (bytes32) {
        return _nameOf(requestId, attempt, seat);
    }

    /// See IInferenceOracle.
    function credit(address account) external view returns (uint256) {
        return _credits.amountOf(account);
    }

    /// See IInferenceOracle.
    function stateOf(bytes32 requestId) public view returns (RequestState memory v) {
        State memory s = _stateOf(requestId);
        (v.status, v.attempt, v.misses, v.cancelled) = (s.status, s.attempt, s.misses, s.cancelled);
        (v.seatsTaken, v.finalSeat, v.deadline) = (_taken(s), s.finalSeat, s.deadline);
        Draw storage d = _draws[requestId];
        (v.requestBlock, v.seedFixed, v.seed) = (d.requestBlock, d.seedFixed, d.seed);
    }

    /// See IInferenceOracle.
    function seatOf(bytes32 requestId, uint8 attempt, uint8 seat)
        external
        view
        returns (Seat memory v)
    {
        State memory s = _stateOf(requestId);
        SeatWord memory w;
        if (attempt < s.attempt) w = _pastSeat(requestId, s, attempt, seat);
        else if (attempt == s.attempt && seat < _taken(s)) w = _seat(requestId, s, seat);
        (v.operator, v.status, v.tokenCount, v.firstToken) =
        (w.operator, w.status, w.tokenCount, w.firstToken);
        v.disputed = w.disputed;
        if (w.status == SeatStatus.Committed || w.status == SeatStatus.Claimed) {
            v.value = _values[_nameOf(requestId, attempt, seat)];
        }
    }

    /// See IClaims.
    function maxWindow() external view returns (uint256) {
        // Replicas that reveal at once are disputable while the others' time runs.
        return uint256(MAX_WINDOW) + REVEAL_PERIOD;
    }

    /// See IInferenceOracle.
    function parameters() external view returns (OracleParameters memory) {
        return OracleParameters({
            minStake: MIN_STAKE,
            minWindow: MIN_WINDOW,
            maxWindow: MAX_WINDOW,
            minAcceptPeriod: MIN_ACCEPT_PERIOD,
            maxAcceptPeriod: MAX_ACCEPT_PERIOD,
            minClaimPeriod: MIN_CLAIM_PERIOD,
            minReplicaClaimPeriod: MIN_REPLICA_CLAIM_PERIOD,
            maxClaimPeriod: MAX_CLAIM_PERIOD,
            fillPeriod: FILL_PERIOD,
            revealPeriod: REVEAL_PERIOD
        });
    }
}
// slither-disable-end timestamp,incorrect-equality,uninitialized-local
