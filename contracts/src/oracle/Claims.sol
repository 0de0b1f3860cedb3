// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    IInferenceOracle,
    Request,
    RequestState,
    RequestStatus,
    Seat,
    SeatStatus
} from "../interfaces/IInferenceOracle.sol";
import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {AnswerRules} from "../libraries/AnswerRules.sol";
import {ClaimHash} from "../libraries/ClaimHash.sol";
import {TokenList} from "../libraries/TokenList.sol";
import {OracleBase} from "./OracleBase.sol";

// slither-disable-start timestamp: deadlines are seconds; what a proposer can shift is no part of any of them

/// @title Claims: at once for one seat, commit and reveal for several.
abstract contract Claims is OracleBase {
    using TokenList for bytes;

    /// @inheritdoc IInferenceOracle
    function claim(Request calldata r, uint64 seed, bytes calldata tokens, bytes calldata allowed)
        external
    {
        (bytes32 id, RequestState storage s) = _load(r);
        if (r.replicas != 1) revert CommitRequired();
        _requireStatus(s, RequestStatus.Accepted);
        if (block.timestamp > s.deadline) revert TooLate();
        Seat storage seat = _ownSeat(id, s, SeatStatus.Accepted);
        bytes32 claimHash = _record(r, id, _checkedSeed(s, seed), seat, tokens, allowed);

        uint64 windowEnd = _after(r.window);
        (s.status, s.deadline) = (RequestStatus.Claimed, windowEnd);
        emit Claimed(
            id, ClaimHash.claimId(claimHash, s.attempt), msg.sender, claimHash, windowEnd, tokens
        );
    }

    /// @inheritdoc IInferenceOracle
    function commitClaim(Request calldata r, uint64 seed, bytes32 commitment) external {
        (bytes32 id, RequestState storage s) = _load(r);
        if (r.replicas == 1) revert NotReplicated();
        _requireStatus(s, RequestStatus.Accepted);
        _checkedSeed(s, seed);
        if (commitment == 0) revert EmptyCommitment();
        Seat storage seat = _ownSeat(id, s, SeatStatus.Accepted);
        (seat.status, seat.value) = (SeatStatus.Committed, commitment);
        emit Committed(id, msg.sender, commitment);

        for (uint256 i; i < r.replicas; ++i) {
            if (_seat(id, s.attempt, i).status != SeatStatus.Committed) return;
        }
        (s.status, s.deadline) = (RequestStatus.Revealing, _after(REVEAL_PERIOD));
        emit RevealOpened(id, s.deadline);
    }

    /// @inheritdoc IInferenceOracle
    function revealClaim(
        Request calldata r,
        uint64 seed,
        bytes calldata tokens,
        bytes calldata allowed,
        bytes32 salt
    ) external {
        (bytes32 id, RequestState storage s) = _load(r);
        _requireStatus(s, RequestStatus.Revealing);
        Seat storage seat = _ownSeat(id, s, SeatStatus.Committed);
        bytes32 commitment = seat.value;
        bytes32 claimHash = _record(r, id, _checkedSeed(s, seed), seat, tokens, allowed);
        if (keccak256(abi.encode(claimHash, salt)) != commitment) revert WrongReveal();
        emit Claimed(
            id,
            ClaimHash.claimId(claimHash, s.attempt),
            msg.sender,
            claimHash,
            s.deadline + s.window,
            tokens
        );
    }

    /// Stores an answer that passes the rules.
    function _record(
        Request calldata r,
        bytes32 id,
        uint64 seed,
        Seat storage seat,
        bytes calldata tokens,
        bytes calldata allowed
    ) private returns (bytes32) {
        // slither-disable-next-line unused-return: positions were checked by `request`
        (uint32 vocabSize,, uint32[] memory eosIds) = IModelRegistry(registry).limits(r.modelId);
        AnswerRules.check(r, tokens, allowed, vocabSize, eosIds);
        seat.status = SeatStatus.Claimed;
        // Safe cast: `request` bounds maxTokens, hence the count, by 32,768.
        seat.tokenCount = uint24(tokens.count());
        seat.firstToken = tokens.idAt(0);
        seat.value = tokens.hash();
        return _claimHash(id, seed, seat);
    }

    function _checkedSeed(RequestState storage s, uint64 seed) private view returns (uint64) {
        if (seed != s.seed) revert WrongSeed(s.seed);
        return seed;
    }

    /// The caller's seat in the current attempt, in the given state.
    // slither-disable-next-line uninitialized-storage: set in the loop, or the call reverts
    function _ownSeat(bytes32 id, RequestState storage s, SeatStatus wanted)
        private
        view
        returns (Seat storage seat)
    {
        for (uint256 i; i < s.seatsTaken; ++i) {
            seat = _seat(id, s.attempt, i);
            if (seat.operator == msg.sender && seat.status == wanted) return seat;
        }
        revert NotSeated();
    }
}
// slither-disable-end timestamp
