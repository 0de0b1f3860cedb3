// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IClaims} from "../interfaces/IClaims.sol";
import {
    IInferenceOracle,
    Request,
    RequestStatus,
    SeatStatus
} from "../interfaces/IInferenceOracle.sol";
import {IOperatorBonds} from "../interfaces/IOperatorBonds.sol";
import {SeedBlock} from "../libraries/SeedBlock.sol";
import {Payments} from "./Payments.sol";
import {SeatWord, State} from "./State.sol";

// slither-disable-start timestamp,incorrect-equality: deadlines are seconds; equal is said of states, not of times
// slither-disable-start calls-loop,reentrancy-no-eth,reentrancy-benign,reentrancy-events: called are the deployment's own bonds; a request has at most five seats

/// @title Ends without a result: missed deadlines, freed seats, refunds.
/// @dev No request is worth more failed than answered: of what the operators of one round lose by a
/// miss, the requester gets no more than MISS_SHARE_GAS at the base fee, about what asking costs.
abstract contract Ends is Payments {
    /// A miss costs so many hundredths of the stake; twice as many for each round missed before.
    uint256 internal constant MISS_PERCENT = 2;
    uint256 internal constant MISS_SHARE_DIVISOR = 4;
    uint256 internal constant MISS_SHARE_GAS = 300_000;

    /// Whether an open request can be accepted no more.
    function _isOver(Request calldata r, bytes32 id, State memory s) internal view returns (bool) {
        if (block.timestamp > r.acceptDeadline || s.cancelled || s.attempt > MAX_ATTEMPTS) {
            return true;
        }
        if (r.temperature == 0) return false;
        Draw storage d = _draws[id];
        return !d.seedFixed && block.number > d.requestBlock + SeedBlock.LAST;
    }

    /// Whether the seats of an open request were not filled in time.
    function _isUnfilled(State memory s) internal view returns (bool) {
        return _taken(s) != 0 && block.timestamp > s.deadline;
    }

    /// Whether a seat in that state should have moved on, in a request that is Accepted, Revealing
    /// or Claimed.
    function _isLate(State memory s, SeatStatus seat) internal view returns (bool) {
        if (seat == SeatStatus.Accepted) {
            return s.status != RequestStatus.Accepted || block.timestamp > s.deadline;
        }
        return seat == SeatStatus.Committed && s.status == RequestStatus.Claimed;
    }

    /// Fines a seat that let a deadline pass.
    function _miss(Request calldata r, bytes32 id, State memory s, uint8 seat, SeatWord memory late)
        internal
    {
        // Safe: a stake has 128 bits.
        uint256 penalty = (uint256(r.stake) * MISS_PERCENT << s.misses) / 100;
        uint256 toRequester = penalty / MISS_SHARE_DIVISOR;
        // The limit is for all seats of a round together.
        uint256 most = MISS_SHARE_GAS * block.basefee / r.replicas;
        if (toRequester > most) toRequester = most;
        late.status = SeatStatus.Missed;
        if (s.replicated) _putSeat(id, s, seat, late);
        else s.operator = address(0);
        creditOf[id] += toRequester;
        emit IInferenceOracle.Missed(id, late.operator, seat, penalty, toRequester);
        bytes32 name = _nameOf(id, s.attempt, seat);
        IOperatorBonds(bonds)
            .release(late.operator, r.stake, toRequester, penalty - toRequester, name);
    }

    /// Reopens the request, or refunds it when it can be accepted no more, if no seat of its round
    /// stands.
    function _endRoundIfDead(Request calldata r, bytes32 id, State memory s) internal {
        (bool dead, bool convicted) = _roundOf(id, s);
        if (!dead) return;
        _reopen(id, s, convicted);
        if (_isOver(r, id, s)) _refund(r, id, s);
    }

    /// @return dead whether no seat of the round stands
    /// @return convicted whether a claim of it was convicted
    function _roundOf(bytes32 id, State memory s)
        internal
        view
        returns (bool dead, bool convicted)
    {
        dead = true;
        for (uint8 i; i < _taken(s); ++i) {
            SeatStatus status = _seat(id, s, i).status;
            if (_stands(status)) dead = false;
            if (status == SeatStatus.Convicted) convicted = true;
        }
    }

    /// Frees the seats of a round that is not filled.
    function _freeSeats(Request calldata r, bytes32 id, State memory s) internal {
        _unlockAll(r.stake, id, s);
        _clearSeats(s);
        s.deadline = 0;
        emit IInferenceOracle.SeatsFreed(id);
    }

    /// Ends an open request without a result: the fee goes back, seats taken are freed.
    function _refund(Request calldata r, bytes32 id, State memory s) internal {
        if (_taken(s) != 0) _freeSeats(r, id, s);
        s.status = RequestStatus.Refunded;
        creditOf[id] += r.fee;
        emit IInferenceOracle.Refunded(id, r.fee);
    }

    /// Unlocks the stakes of all seats that stand.
    function _unlockAll(uint128 stake, bytes32 id, State memory s) internal {
        for (uint8 i; i < _taken(s); ++i) {
            SeatWord memory seat = _seat(id, s, i);
            if (_stands(seat.status)) {
                IOperatorBonds(bonds).release(seat.operator, stake, 0, 0, _nameOf(id, s.attempt, i));
            }
        }
    }

    /* CLAIMS */

    modifier onlyDisputeGame() {
        if (msg.sender != disputeGame) revert IClaims.NotDisputeGame();
        _;
    }

    function _isStanding(State memory s, uint8 attempt, uint8 seat) internal pure returns (bool) {
        bool live = s.status == RequestStatus.Claimed || s.status == RequestStatus.Revealing;
        return live && s.attempt == attempt && seat < _taken(s);
    }

    /// The seat of a claim of the present round that is neither final nor convicted; else reverts.
    function _standingSeat(bytes32 id, State memory s, uint8 attempt, uint8 seat)
        internal
        view
        returns (SeatWord memory w)
    {
        if (!_isStanding(s, attempt, seat)) revert IClaims.NoSuchClaim();
        w = _seat(id, s, seat);
        if (w.status != SeatStatus.Claimed) revert IClaims.NoSuchClaim();
    }
}
// slither-disable-end timestamp,incorrect-equality,calls-loop,reentrancy-no-eth,reentrancy-benign,reentrancy-events
