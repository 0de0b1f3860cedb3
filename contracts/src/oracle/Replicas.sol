// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    IInferenceOracle,
    Request,
    RequestStatus,
    SeatStatus
} from "../interfaces/IInferenceOracle.sol";
import {IOperatorBonds} from "../interfaces/IOperatorBonds.sol";
import {TokenList} from "../libraries/TokenList.sol";
import {Answers} from "./Answers.sol";
import {SeatWord, State} from "./State.sol";

// slither-disable-start timestamp,incorrect-equality: deadlines are seconds; equal is said of states, not of times
// slither-disable-start calls-loop,reentrancy-eth,reentrancy-no-eth,reentrancy-events: called are the deployment's own bonds and an address without code; a request has at most five seats
// slither-disable-start uninitialized-local: a local begins at 0, and is meant to
/// @title Requests with replicas: commit, reveal, and settlement by agreement.
abstract contract Replicas is Answers {
    using TokenList for bytes;

    /// See IInferenceOracle.
    function commitClaim(Request calldata r, uint8 seat, uint64 seed, bytes32 commitment) external {
        (bytes32 id, State memory s) = _load(r);
        if (!s.replicated) revert IInferenceOracle.NotReplicated();
        _requireStatus(s, RequestStatus.Accepted);
        _requireSeed(r, id, seed);
        if (commitment == 0) revert IInferenceOracle.EmptyCommitment();
        SeatWord memory own = _ownSeat(id, s, seat, SeatStatus.Accepted);
        own.status = SeatStatus.Committed;
        _putSeat(id, s, seat, own);
        _values[_nameOf(id, s.attempt, seat)] = commitment;
        emit IInferenceOracle.Committed(id, own.operator, seat, commitment);

        for (uint8 i; i < r.replicas; ++i) {
            if (_seat(id, s, i).status != SeatStatus.Committed) return;
        }
        (s.status, s.deadline) = (RequestStatus.Revealing, _after(REVEAL_PERIOD));
        _store(id, s);
        emit IInferenceOracle.RevealOpened(id, s.deadline);
    }

    /// See IInferenceOracle.
    function revealClaim(
        Request calldata r,
        uint8 seat,
        uint64 seed,
        bytes calldata tokens,
        bytes calldata allowed,
        bytes32 salt
    ) external {
        (bytes32 id, State memory s) = _load(r);
        _requireStatus(s, RequestStatus.Revealing);
        SeatWord memory own = _ownSeat(id, s, seat, SeatStatus.Committed);
        _requireSeed(r, id, seed);
        _checkAnswer(r, tokens, allowed);
        bytes32 name = _nameOf(id, s.attempt, seat);
        bytes32 tokensHash = tokens.hash();
        if (keccak256(abi.encode(name, own.operator, seed, tokensHash, salt)) != _values[name]) {
            revert IInferenceOracle.WrongReveal();
        }
        own.status = SeatStatus.Claimed;
        // Safe casts: as in `claim`.
        (own.tokenCount, own.firstToken) = (uint16(tokens.count()), uint24(tokens.idAt(0)));
        _putSeat(id, s, seat, own);
        _values[name] = tokensHash;
        _store(id, s);
        emit IInferenceOracle.Claimed(id, name, own.operator, seed, s.deadline + s.window, tokens);
    }

    /* SETTLEMENT */

    /// See IInferenceOracle.
    function finalize(Request calldata r, bytes calldata tokens) external {
        (bytes32 id, State memory s) = _load(r);
        _requireStatus(s, RequestStatus.Claimed);
        if (block.timestamp <= s.deadline) revert IInferenceOracle.TooEarly();

        (uint256 agreeing, uint8 first, bool agreed) = _tally(r, id, s);
        if (agreeing == 0) {
            _endRoundIfDead(r, id, s);
        } else if (!agreed) {
            s.status = RequestStatus.Undecided;
            emit IInferenceOracle.Undecided(id, r.fee);
            _unlockAll(r.stake, id, s);
            if (r.fee != 0) _send(BURN_ADDRESS, r.fee);
        } else {
            _settle(r, id, s, tokens, agreeing, first);
            return;
        }
        _store(id, s);
    }

    /// Makes the answer final: pays, unlocks, calls back.
    function _settle(
        Request calldata r,
        bytes32 id,
        State memory s,
        bytes calldata tokens,
        uint256 agreeing,
        uint8 first
    ) private {
        (s.status, s.finalSeat) = (RequestStatus.Final, first);
        _store(id, s);
        bytes32 name = _nameOf(id, s.attempt, first);
        emit IInferenceOracle.Finalized(id, name, _seat(id, s, first).tokenCount);
        _pay(r, id, s, agreeing);
        _callBack(r, id, name, tokens);
    }

    /// Counts the claims that stand and fines the seats that made none.
    /// @return count number of claims that stand
    /// @return first seat of the first of them
    /// @return agreed whether all of them have one value
    function _tally(Request calldata r, bytes32 id, State memory s)
        private
        returns (uint256 count, uint8 first, bool agreed)
    {
        bytes32 value;
        agreed = true;
        for (uint8 i; i < r.replicas; ++i) {
            SeatWord memory seat = _seat(id, s, i);
            if (seat.status == SeatStatus.Claimed) {
                if (seat.disputed) revert IInferenceOracle.DisputeLive();
                bytes32 own = _values[_nameOf(id, s.attempt, i)];
                if (count++ == 0) (first, value) = (i, own);
                else if (own != value) agreed = false;
            } else if (_stands(seat.status)) {
                _miss(r, id, s, i, seat);
            }
        }
    }

    /// Splits the fee among the claims that stand and unlocks their stakes; what does not divide
    /// goes to the first.
    function _pay(Request calldata r, bytes32 id, State memory s, uint256 agreeing) private {
        uint256 share = r.fee / agreeing;
        uint256 rest = r.fee % agreeing;
        for (uint8 i; i < r.replicas; ++i) {
            SeatWord memory seat = _seat(id, s, i);
            if (seat.status != SeatStatus.Claimed) continue;
            bytes32 name = _nameOf(id, s.attempt, i);
            _credit(seat.operator, name, share + rest);
            rest = 0;
            IOperatorBonds(bonds).release(seat.operator, r.stake, 0, 0, name);
        }
    }

    /// A seat of the present round in the given state, for which the caller acts.
    function _ownSeat(bytes32 id, State memory s, uint8 seat, SeatStatus wanted)
        private
        view
        returns (SeatWord memory own)
    {
        if (seat >= _taken(s)) revert IInferenceOracle.NotSeated();
        own = _seat(id, s, seat);
        if (own.status != wanted) revert IInferenceOracle.NotSeated();
        _requireActs(own.operator);
    }
}
// slither-disable-end timestamp,incorrect-equality,calls-loop,reentrancy-eth,reentrancy-no-eth,reentrancy-events,uninitialized-local
