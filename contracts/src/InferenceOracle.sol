// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IInferenceCallback} from "./interfaces/IInferenceCallback.sol";
import {
    IInferenceOracle,
    OracleParameters,
    Request,
    RequestParams,
    RequestState,
    RequestStatus,
    Seat,
    SeatStatus
} from "./interfaces/IInferenceOracle.sol";
import {IModelRegistry} from "./interfaces/IModelRegistry.sol";
import {IOperatorBonds} from "./interfaces/IOperatorBonds.sol";
import {ClaimHash} from "./libraries/ClaimHash.sol";
import {RequestRules} from "./libraries/RequestRules.sol";
import {SeedBlock} from "./libraries/SeedBlock.sol";
import {TokenList} from "./libraries/TokenList.sol";
import {Claims} from "./oracle/Claims.sol";
import {DisputeHooks} from "./oracle/DisputeHooks.sol";
import {OracleBase} from "./oracle/OracleBase.sol";

// slither-disable-start reentrancy-no-eth,reentrancy-events,calls-loop: called are the deployment's own bonds, which call nobody else; a request has at most five seats
// slither-disable-start timestamp,incorrect-equality: deadlines are seconds; equal is said of states, not of times
// slither-disable-start uninitialized-local: a local begins at 0, and is meant to

/// @title Requests for inference, their claims and their settlement.
contract InferenceOracle is Claims, DisputeHooks {
    using TokenList for bytes;

    /// Gas kept for what follows the callback.
    uint256 internal constant CALLBACK_RESERVE = 60_000;

    /// @inheritdoc IInferenceOracle
    mapping(address requester => uint64) public nonces;

    /// @param bonds_ deployed before, for this contract's address
    /// @param disputeGame_ may convict; zero: nobody
    constructor(address registry_, address bonds_, address disputeGame_, OracleParameters memory p)
        OracleBase(registry_, bonds_, disputeGame_, p)
    {}

    /* REQUESTER */

    /// @inheritdoc IInferenceOracle
    function request(RequestParams calldata p) external payable returns (bytes32 id) {
        // slither-disable-next-line unused-return: the ends of an answer are the claim's concern
        (uint32 vocabSize, uint32 maxPositions,) = IModelRegistry(registry).limits(p.modelId);
        if (vocabSize == 0) revert UnknownModel(p.modelId);
        RequestRules.checkInference(p, vocabSize, maxPositions);
        RequestRules.checkDelivery(p);
        _checkTerms(p);

        Request memory r = _requestOf(p);
        id = keccak256(abi.encode(block.chainid, address(this), r));
        RequestState storage s = _states[id];
        (s.status, s.attempt, s.replicas) = (RequestStatus.Open, 1, p.replicas);
        // Safe cast: block numbers do not reach 2^40.
        (s.requestBlock, s.window, s.deadline) =
        (uint40(block.number), p.window, _after(p.acceptPeriod));
        emit Requested(id, p.modelId, msg.sender, r, p.prompt, p.allowed);
    }

    /// @inheritdoc IInferenceOracle
    function expire(Request calldata r) external {
        (bytes32 id, RequestState storage s) = _load(r);
        _requireStatus(s, RequestStatus.Open);
        bool seedLost = !s.seedFixed && block.number > s.requestBlock + SeedBlock.LAST;
        if (block.timestamp <= s.deadline && !seedLost) revert TooEarly();
        _refund(r, id, s);
    }

    /// What the deployment demands of a request.
    function _checkTerms(RequestParams calldata p) private view {
        if (msg.value > type(uint128).max) revert FeeTooLarge();
        if (p.stake < MIN_STAKE) revert StakeTooSmall();
        if (p.window < MIN_WINDOW || p.window > MAX_WINDOW) revert WindowOutOfRange();
        if (p.acceptPeriod < MIN_ACCEPT_PERIOD || p.acceptPeriod > MAX_ACCEPT_PERIOD) {
            revert AcceptPeriodOutOfRange();
        }
        if (p.claimPeriod < MIN_CLAIM_PERIOD || p.claimPeriod > MAX_CLAIM_PERIOD) {
            revert ClaimPeriodOutOfRange();
        }
    }

    function _requestOf(RequestParams calldata p) private returns (Request memory r) {
        r.requester = msg.sender;
        r.nonce = nonces[msg.sender]++;
        r.modelId = p.modelId;
        // Safe casts: both lists passed checkInference.
        r.promptCount = uint32(p.prompt.count());
        r.promptHash = p.prompt.hash();
        r.temperature = p.temperature;
        r.minP = p.minP;
        r.seed = p.seed;
        r.allowedCount = uint32(p.allowed.count());
        r.allowedHash = p.allowed.hash();
        r.maxTokens = p.maxTokens;
        r.stake = p.stake;
        // Safe cast: bounded in _checkTerms.
        r.fee = uint128(msg.value);
        r.window = p.window;
        r.acceptPeriod = p.acceptPeriod;
        r.claimPeriod = p.claimPeriod;
        r.replicas = p.replicas;
        r.callback = p.callback;
        r.callbackGas = p.callbackGas;
    }

    /* OPERATOR */

    /// @inheritdoc IInferenceOracle
    function accept(Request calldata r) external {
        (bytes32 id, RequestState storage s) = _load(r);
        _requireStatus(s, RequestStatus.Open);
        if (block.timestamp > s.deadline) revert TooLate();
        if (!s.seedFixed) _fixSeed(r, s);
        _requireNewOperator(id, s);

        (uint8 attempt, uint8 seat) = (s.attempt, s.seatsTaken);
        Seat storage taken = _seat(id, attempt, seat);
        (taken.operator, taken.status) = (msg.sender, SeatStatus.Accepted);
        s.seatsTaken = seat + 1;
        uint64 claimDeadline;
        if (seat + 1 == r.replicas) {
            claimDeadline = _after(r.claimPeriod);
            (s.status, s.deadline) = (RequestStatus.Accepted, claimDeadline);
        }
        emit Accepted(id, msg.sender, attempt, seat, s.seed, claimDeadline);
        IOperatorBonds(bonds).lock(msg.sender, r.stake);
    }

    function _fixSeed(Request calldata r, RequestState storage s) private {
        uint256 requestBlock = s.requestBlock;
        if (block.number < requestBlock + SeedBlock.FIRST) revert TooEarly();
        if (block.number > requestBlock + SeedBlock.LAST) revert TooLate();
        bytes32 blockHash = SeedBlock.hashOf(requestBlock + 1);
        if (blockHash == 0) revert SeedBlockUnavailable();
        (s.seedFixed, s.seed) = (true, SeedBlock.mix(r.seed, blockHash));
    }

    /// An operator gets one seat in all attempts of a request: what it knows of other claims must
    /// not shape its own.
    function _requireNewOperator(bytes32 id, RequestState storage s) private view {
        uint8 current = s.attempt;
        for (uint8 attempt = 1; attempt <= current; ++attempt) {
            uint256 taken = attempt == current ? s.seatsTaken : s.replicas;
            for (uint256 i; i < taken; ++i) {
                if (_seat(id, attempt, i).operator == msg.sender) revert AlreadyAccepted();
            }
        }
    }

    /* ANYBODY */

    /// @inheritdoc IInferenceOracle
    function missed(Request calldata r, uint8 seat) external {
        (bytes32 id, RequestState storage s) = _load(r);
        if (s.status < RequestStatus.Accepted || s.status > RequestStatus.Claimed) {
            revert WrongStatus(s.status);
        }
        Seat storage late = _seat(id, s.attempt, seat);
        if (!_isLate(s, late.status)) revert NotMissed();
        _miss(r, id, late);
        _endAttemptIfDead(r, id, s);
    }

    /// Whether a seat in that state should have moved on, in a request that is Accepted, Revealing
    /// or Claimed.
    function _isLate(RequestState storage s, SeatStatus seat) private view returns (bool) {
        if (seat == SeatStatus.Accepted) {
            return s.status != RequestStatus.Accepted || block.timestamp > s.deadline;
        }
        return seat == SeatStatus.Committed && s.status == RequestStatus.Claimed;
    }

    /// @inheritdoc IInferenceOracle
    function finalize(Request calldata r, bytes calldata tokens) external {
        (bytes32 id, RequestState storage s) = _load(r);
        _requireStatus(s, RequestStatus.Claimed);
        if (block.timestamp <= s.deadline) revert TooEarly();

        (uint256 agreeing, uint8 first, bool agreed) = _tally(r, id, s);
        if (agreeing == 0) return _endAttemptIfDead(r, id, s);
        if (!agreed) return _refund(r, id, s);

        (s.status, s.finalSeat) = (RequestStatus.Final, first);
        Seat storage winner = _seat(id, s.attempt, first);
        bytes32 value = winner.value;
        if (r.callback != address(0) && tokens.hash() != value) revert WrongTokens();
        emit Finalized(
            id,
            ClaimHash.claimId(_claimHash(id, s.seed, winner), s.attempt),
            winner.tokenCount,
            value
        );
        _pay(r, id, s, agreeing);
        if (r.callback != address(0)) _callBack(r, id, tokens);
    }

    /// Counts the claims that stand and fines the seats that made none.
    /// @return count number of claims that stand
    /// @return first seat of the first of them
    /// @return agreed whether all of them have one value
    function _tally(Request calldata r, bytes32 id, RequestState storage s)
        private
        returns (uint256 count, uint8 first, bool agreed)
    {
        bytes32 value;
        agreed = true;
        for (uint8 i; i < r.replicas; ++i) {
            Seat storage seat = _seat(id, s.attempt, i);
            SeatStatus status = seat.status;
            if (status == SeatStatus.Claimed) {
                if (seat.disputes != 0) revert DisputeLive();
                if (count++ == 0) (first, value) = (i, seat.value);
                else if (seat.value != value) agreed = false;
            } else if (_stands(status)) {
                _miss(r, id, seat);
            }
        }
    }

    /// Splits the fee among the claims that stand and unlocks their stakes; what does not divide
    /// goes to the first.
    function _pay(Request calldata r, bytes32 id, RequestState storage s, uint256 agreeing)
        private
    {
        uint256 share = r.fee / agreeing;
        uint256 rest = r.fee % agreeing;
        for (uint256 i; i < r.replicas; ++i) {
            Seat storage seat = _seat(id, s.attempt, i);
            if (seat.status != SeatStatus.Claimed) continue;
            address operator = seat.operator;
            _credit(operator, id, share + rest);
            rest = 0;
            IOperatorBonds(bonds).unlock(operator, r.stake);
        }
    }

    /// Calls back with the gas that the request named, whatever comes of it.
    /// @dev SAFETY: the state is final before. A sender that keeps gas back is refused by the
    /// check; a callback that returns a large result cannot make this contract pay for it, as
    /// nothing is copied; one that calls in again finds the request settled.
    function _callBack(Request calldata r, bytes32 id, bytes calldata tokens) private {
        bytes memory data = abi.encodeCall(IInferenceCallback.onInference, (id, tokens));
        (address target, uint256 gasLimit) = (r.callback, r.callbackGas);
        if (gasleft() < gasLimit * 64 / 63 + CALLBACK_RESERVE) revert InsufficientGas();
        bool success;
        if (target.code.length != 0) {
            assembly ("memory-safe") {
                success := call(gasLimit, target, 0, add(data, 0x20), mload(data), 0, 0)
            }
        }
        emit CallbackResult(id, success);
    }

    /// @inheritdoc IInferenceOracle
    // slither-disable-next-line missing-zero-check: the caller may send its own money where it likes
    function withdraw(address payable to) external {
        uint256 amount = credit[msg.sender];
        if (amount == 0) revert NothingToWithdraw();
        credit[msg.sender] = 0;
        emit Withdrawn(msg.sender, to, amount);
        (bool ok,) = to.call{value: amount}("");
        if (!ok) revert TransferFailed();
    }

    /* VIEWS */

    /// @inheritdoc IInferenceOracle
    function stateOf(bytes32 requestId) public view returns (RequestState memory s) {
        s = _states[requestId];
        (s.status, s.deadline) = _phase(s.status, s.replicas, s.window, s.deadline);
    }

    /// @inheritdoc IInferenceOracle
    function seatOf(bytes32 requestId, uint8 attempt, uint8 seat)
        external
        view
        returns (Seat memory)
    {
        return _seat(requestId, attempt, seat);
    }

    /// @inheritdoc IInferenceOracle
    function claimOf(bytes32 requestId, uint8 attempt, uint8 seat)
        external
        view
        returns (bytes32 claimHash, bytes32 claimId)
    {
        Seat storage claimed = _seat(requestId, attempt, seat);
        if (claimed.status != SeatStatus.Claimed && claimed.status != SeatStatus.Convicted) {
            revert NoSuchClaim();
        }
        claimHash = _claimHash(requestId, _states[requestId].seed, claimed);
        claimId = ClaimHash.claimId(claimHash, attempt);
    }

    /// @inheritdoc IInferenceOracle
    function claimHashOf(
        bytes32 requestId,
        uint64 seed,
        address operator,
        uint32 tokenCount,
        bytes32 tokensHash
    ) external view returns (bytes32) {
        return ClaimHash.claimHash(requestId, seed, operator, tokenCount, tokensHash);
    }

    /// @inheritdoc IInferenceOracle
    function result(bytes32 requestId)
        external
        view
        returns (RequestStatus status, uint32 tokenCount, bytes32 tokensHash, uint32 firstToken)
    {
        RequestState memory s = stateOf(requestId);
        status = s.status;
        if (status == RequestStatus.Final) {
            Seat storage winner = _seat(requestId, s.attempt, s.finalSeat);
            (tokenCount, tokensHash, firstToken) =
            (winner.tokenCount, winner.value, winner.firstToken);
        }
    }

    /// @inheritdoc IInferenceOracle
    function parameters() external view returns (OracleParameters memory) {
        return OracleParameters({
            minStake: MIN_STAKE,
            minWindow: MIN_WINDOW,
            maxWindow: MAX_WINDOW,
            minAcceptPeriod: MIN_ACCEPT_PERIOD,
            maxAcceptPeriod: MAX_ACCEPT_PERIOD,
            minClaimPeriod: MIN_CLAIM_PERIOD,
            maxClaimPeriod: MAX_CLAIM_PERIOD,
            revealPeriod: REVEAL_PERIOD
        });
    }
}
// slither-disable-end reentrancy-no-eth,reentrancy-events,calls-loop,timestamp,incorrect-equality,uninitialized-local
