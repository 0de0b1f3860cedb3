// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    IInferenceOracle,
    Request,
    RequestStatus,
    SeatStatus
} from "../interfaces/IInferenceOracle.sol";
import {IOperatorBonds} from "../interfaces/IOperatorBonds.sol";
import {SeedBlock} from "../libraries/SeedBlock.sol";
import {TokenList} from "../libraries/TokenList.sol";
import {Answers} from "./Answers.sol";
import {SeatWord, State} from "./State.sol";

// slither-disable-start timestamp,incorrect-equality: deadlines are seconds; equal is said of states, not of times
// slither-disable-start reentrancy-no-eth,reentrancy-events: called are the deployment's own bonds, which call nobody else

/// @title The operator's calls for one seat: accept, and claim at once. Accept is that of replicas
/// too.
abstract contract Claims is Answers {
    using TokenList for bytes;

    /* SEATS */

    /// See IInferenceOracle.
    function accept(Request calldata r, address operator, bytes calldata header) external {
        (bytes32 id, State memory s) = _load(r);
        _requireStatus(s, RequestStatus.Open);
        if (block.timestamp > r.acceptDeadline) revert IInferenceOracle.TooLate();
        if (s.cancelled || s.attempt > MAX_ATTEMPTS) revert IInferenceOracle.NoMoreAttempts();
        _requireActs(operator);
        uint64 seed = _drawSeed(r, id, header);
        if (_isUnfilled(s)) _freeSeats(r, id, s);
        _requireNewOperator(r, id, s, operator);
        uint8 seat = _takeSeat(r, id, s, operator);
        _store(id, s);
        emit IInferenceOracle.Accepted(
            id, operator, s.attempt, seat, seed, s.status == RequestStatus.Accepted, s.deadline
        );
        IOperatorBonds(bonds).lock(operator, r.stake, _nameOf(id, s.attempt, seat));
    }

    function _takeSeat(Request calldata r, bytes32 id, State memory s, address operator)
        private
        returns (uint8 seat)
    {
        if (s.replicated) {
            seat = s.seatsTaken++;
            if (seat == 0) s.deadline = _after(FILL_PERIOD);
            _putSeat(id, s, seat, SeatWord(operator, SeatStatus.Accepted, 0, 0, false));
        } else {
            s.operator = operator;
        }
        if (seat + 1 == r.replicas) {
            (s.status, s.deadline) = (RequestStatus.Accepted, _after(r.claimPeriod));
        }
    }

    /// The seed used; fixes it at the first acceptance of a sampled request.
    function _drawSeed(Request calldata r, bytes32 id, bytes calldata header)
        private
        returns (uint64 seed)
    {
        if (r.temperature == 0) {
            if (header.length != 0) revert IInferenceOracle.WrongHeader();
            return 0;
        }
        Draw storage d = _draws[id];
        // A header brought too late, as when two accept at once, is not looked at.
        if (d.seedFixed) return d.seed;
        uint256 requestBlock = d.requestBlock;
        if (block.number < requestBlock + SeedBlock.FIRST) revert IInferenceOracle.TooEarly();
        if (block.number > requestBlock + SeedBlock.LAST) revert IInferenceOracle.TooLate();
        seed = SeedBlock.mix(r.seed, SeedBlock.randaoOf(requestBlock, header));
        (d.seedFixed, d.seed) = (true, seed);
    }

    /// An operator has one seat in a round, and none after its claim was convicted: what it knows
    /// of other claims must not shape its own.
    function _requireNewOperator(Request calldata r, bytes32 id, State memory s, address operator)
        private
        view
    {
        for (uint8 i; i < _taken(s); ++i) {
            if (_seat(id, s, i).operator == operator) revert IInferenceOracle.AlreadyAccepted();
        }
        for (uint8 attempt = 1; attempt < s.attempt; ++attempt) {
            for (uint8 i; i < r.replicas; ++i) {
                SeatWord memory past = _pastSeat(id, s, attempt, i);
                if (past.operator == operator && past.status == SeatStatus.Convicted) {
                    revert IInferenceOracle.AlreadyAccepted();
                }
            }
        }
    }

    /* CLAIMS */

    /// See IInferenceOracle.
    function claim(Request calldata r, uint64 seed, bytes calldata tokens, bytes calldata allowed)
        external
    {
        (bytes32 id, State memory s) = _load(r);
        if (s.replicated) revert IInferenceOracle.CommitRequired();
        _requireStatus(s, RequestStatus.Accepted);
        if (block.timestamp > s.deadline) revert IInferenceOracle.TooLate();
        _requireActs(s.operator);
        _requireSeed(r, id, seed);
        _checkAnswer(r, tokens, allowed);
        bytes32 name = _nameOf(id, s.attempt, 0);
        _values[name] = tokens.hash();
        // Safe casts: `request` bounds maxTokens, hence the count, by 29,000; the registry token
        // ids by 2^24.
        (s.tokenCount, s.firstToken) = (uint16(tokens.count()), uint24(tokens.idAt(0)));
        (s.status, s.deadline) = (RequestStatus.Claimed, _after(r.window));
        _store(id, s);
        emit IInferenceOracle.Claimed(id, name, s.operator, seed, s.deadline, tokens);
    }
}
// slither-disable-end timestamp,incorrect-equality,reentrancy-no-eth,reentrancy-events
