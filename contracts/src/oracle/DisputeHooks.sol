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
import {IOperatorBonds} from "../interfaces/IOperatorBonds.sol";
import {ClaimHash} from "../libraries/ClaimHash.sol";
import {OracleBase} from "./OracleBase.sol";

// slither-disable-start timestamp: deadlines are seconds
// slither-disable-start reentrancy-no-eth,reentrancy-events: called are the deployment's own bonds, which call nobody else

/// @title What the dispute game may do to a claim.
abstract contract DisputeHooks is OracleBase {
    uint256 internal constant CHALLENGER_PERCENT = 25;
    uint256 internal constant REQUESTER_PERCENT = 10;

    modifier onlyDisputeGame() {
        if (msg.sender != disputeGame) revert NotDisputeGame();
        _;
    }

    /// @inheritdoc IInferenceOracle
    function disputeOpened(bytes32 requestId, uint8 attempt, uint8 seat)
        external
        onlyDisputeGame
        returns (bytes32 claimId)
    {
        RequestState storage s = _states[requestId];
        _advance(requestId, s);
        Seat storage claimed = _standingClaim(requestId, s, attempt, seat);
        // INVARIANT: while reveals run the window lies ahead.
        if (s.status == RequestStatus.Claimed && block.timestamp > s.deadline) revert TooLate();
        ++claimed.disputes;
        claimId = _claimId(requestId, s, claimed, attempt);
        emit DisputeOpened(requestId, claimId);
    }

    /// @inheritdoc IInferenceOracle
    function disputeClosed(bytes32 requestId, uint8 attempt, uint8 seat) external onlyDisputeGame {
        Seat storage claimed = _seat(requestId, attempt, seat);
        if (claimed.disputes == 0) revert NoSuchClaim();
        --claimed.disputes;
        emit DisputeClosed(requestId, _claimId(requestId, _states[requestId], claimed, attempt));
    }

    /// @inheritdoc IInferenceOracle
    function convict(Request calldata r, uint8 attempt, uint8 seat, address challenger)
        external
        onlyDisputeGame
    {
        (bytes32 id, RequestState storage s) = _load(r);
        Seat storage claimed = _standingClaim(id, s, attempt, seat);
        claimed.status = SeatStatus.Convicted;
        address operator = claimed.operator;
        emit Convicted(id, _claimId(id, s, claimed, attempt), operator, challenger);

        uint256 toChallenger = uint256(r.stake) * CHALLENGER_PERCENT / 100;
        uint256 toRequester = uint256(r.stake) * REQUESTER_PERCENT / 100;
        _credit(challenger, id, toChallenger);
        _credit(r.requester, id, toRequester);
        IOperatorBonds(bonds).seize(operator, toChallenger + toRequester);
        IOperatorBonds(bonds).burn(operator, r.stake - toChallenger - toRequester);
        _endAttemptIfDead(r, id, s);
    }

    /// @inheritdoc IInferenceOracle
    function voidClaim(Request calldata r, uint8 attempt, uint8 seat) external onlyDisputeGame {
        (bytes32 id, RequestState storage s) = _load(r);
        _standingClaim(id, s, attempt, seat);
        _refund(r, id, s);
    }

    /// @inheritdoc IInferenceOracle
    function standing(bytes32 requestId, uint8 attempt, uint8 seat) external view returns (bool) {
        // Time alone brings a request from reveals to its window, never out of these two.
        return _isStanding(_states[requestId], attempt, _seat(requestId, attempt, seat).status);
    }

    function _isStanding(RequestState storage s, uint8 attempt, SeatStatus seat)
        private
        view
        returns (bool)
    {
        bool live = s.status == RequestStatus.Claimed || s.status == RequestStatus.Revealing;
        return live && s.attempt == attempt && seat == SeatStatus.Claimed;
    }

    /// The claim on a seat; reverts unless it is of the current attempt, not final and not
    /// convicted.
    function _standingClaim(bytes32 id, RequestState storage s, uint8 attempt, uint8 seat)
        private
        view
        returns (Seat storage claimed)
    {
        claimed = _seat(id, attempt, seat);
        if (!_isStanding(s, attempt, claimed.status)) revert NoSuchClaim();
    }

    function _claimId(bytes32 id, RequestState storage s, Seat storage claimed, uint8 attempt)
        private
        view
        returns (bytes32)
    {
        return ClaimHash.claimId(_claimHash(id, s.seed, claimed), attempt);
    }
}
// slither-disable-end timestamp,reentrancy-no-eth,reentrancy-events
