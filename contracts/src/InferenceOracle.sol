// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    IInferenceOracle,
    OracleParameters,
    Request,
    RequestParams,
    RequestStatus
} from "./interfaces/IInferenceOracle.sol";
import {IModelRegistry} from "./interfaces/IModelRegistry.sol";
import {IOperatorBonds} from "./interfaces/IOperatorBonds.sol";
import {CreditBook, Credits} from "./libraries/Credits.sol";
import {Delegation} from "./libraries/Delegation.sol";
import {ModelLimits} from "./libraries/ModelLimits.sol";
import {RequestRules} from "./libraries/RequestRules.sol";
import {TokenList} from "./libraries/TokenList.sol";
import {Claims} from "./oracle/Claims.sol";
import {ClaimSource} from "./oracle/ClaimSource.sol";
import {OracleBase} from "./oracle/OracleBase.sol";
import {SeatWord, State} from "./oracle/State.sol";

// slither-disable-start reentrancy-no-eth,reentrancy-events,calls-loop: called are the deployment's own bonds, which call nobody else; a request has at most five seats
// slither-disable-start timestamp,incorrect-equality: deadlines are seconds; equal is said of states, not of times
// slither-disable-start uninitialized-local: a local begins at 0, and is meant to

/// @title Requests for inference, their claims and their settlement.
/// @dev Functions that it lacks it runs from its extension (`InferenceOracleExtension`): the
/// code of both together is larger than a contract may be.
contract InferenceOracle is Claims, ClaimSource {
    using Credits for CreditBook;
    using TokenList for bytes;

    /// Code of the other half.
    address public immutable extension;

    /// @param bonds_ deployed before, for this contract's address
    /// @param disputeGame_ may convict; zero: nobody
    /// @param extension_ an InferenceOracleExtension with the same arguments
    constructor(
        address registry_,
        address bonds_,
        address disputeGame_,
        // slither-disable-next-line missing-zero-check: the extension is asked what it is
        address extension_,
        OracleParameters memory p
    ) OracleBase(registry_, bonds_, disputeGame_, p) {
        if (IOperatorBonds(bonds_).oracle() != address(this)) {
            revert IInferenceOracle.BadParameters();
        }
        IInferenceOracle other = IInferenceOracle(extension_);
        if (
            other.registry() != registry_ || other.bonds() != bonds_
                || other.disputeGame() != disputeGame_
                || keccak256(abi.encode(other.parameters())) != keccak256(abi.encode(p))
        ) revert IInferenceOracle.BadParameters();
        extension = extension_;
    }

    /// Seized bond arrives here, to be credited in the same call.
    receive() external payable {
        if (msg.sender != bonds) revert IInferenceOracle.NotBonds();
    }

    fallback() external {
        Delegation.run(extension);
    }

    /* REQUESTER */

    /// See IInferenceOracle.
    function request(RequestParams calldata p) external payable returns (bytes32 id) {
        ModelLimits limits = IModelRegistry(registry).packedLimits(p.modelId);
        if (limits.vocabSize() == 0) revert IInferenceOracle.UnknownModel(p.modelId);
        RequestRules.checkInference(p, limits.vocabSize(), limits.maxPositions());
        RequestRules.checkDelivery(p);
        _checkTerms(p);

        Request memory r = _requestOf(p);
        id = keccak256(abi.encode(block.chainid, address(this), r)) & ~bytes32(uint256(0xff));
        State memory s;
        (s.status, s.attempt) = (RequestStatus.Open, 1);
        if (p.replicas > 1) (s.replicated, s.window) = (true, p.window);
        _store(id, s);
        // Safe cast: block numbers do not reach 2^64.
        if (p.temperature != 0) _draws[id].requestBlock = uint64(block.number);
        emit IInferenceOracle.Requested(id, p.modelId, msg.sender, r, p.prompt, p.allowed);
    }

    /// Checks a request's terms against the deployment's parameters.
    function _checkTerms(RequestParams calldata p) private view {
        if (msg.value > type(uint128).max) revert IInferenceOracle.FeeTooLarge();
        if (p.stake < MIN_STAKE) revert IInferenceOracle.StakeTooSmall();
        if (p.window < MIN_WINDOW || p.window > MAX_WINDOW) {
            revert IInferenceOracle.WindowOutOfRange();
        }
        if (
            p.acceptDeadline < block.timestamp + MIN_ACCEPT_PERIOD
                || p.acceptDeadline > block.timestamp + MAX_ACCEPT_PERIOD
        ) revert IInferenceOracle.AcceptDeadlineOutOfRange();
        uint32 least = p.replicas > 1 ? MIN_REPLICA_CLAIM_PERIOD : MIN_CLAIM_PERIOD;
        if (p.claimPeriod < least || p.claimPeriod > MAX_CLAIM_PERIOD) {
            revert IInferenceOracle.ClaimPeriodOutOfRange();
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
        r.acceptDeadline = p.acceptDeadline;
        r.claimPeriod = p.claimPeriod;
        r.replicas = p.replicas;
        r.callback = p.callback;
        r.callbackGas = p.callbackGas;
    }

    /* ANYBODY */

    /// See IInferenceOracle.
    function finalize(Request calldata r, bytes calldata tokens) external {
        (bytes32 id, State memory s) = _load(r);
        if (s.replicated) Delegation.run(extension);
        _requireStatus(s, RequestStatus.Claimed);
        if (block.timestamp <= s.deadline) revert IInferenceOracle.TooEarly();
        if (s.disputed) revert IInferenceOracle.DisputeLive();
        s.status = RequestStatus.Final;
        _store(id, s);
        bytes32 name = _nameOf(id, s.attempt, 0);
        emit IInferenceOracle.Finalized(id, name, s.tokenCount);
        _credit(s.operator, name, r.fee);
        IOperatorBonds(bonds).release(s.operator, r.stake, 0, 0, name);
        _callBack(r, id, name, tokens);
    }

    /// See IInferenceOracle.
    // slither-disable-next-line missing-zero-check: the caller may send its own money where it likes
    function withdraw(address payable to) external {
        uint256 amount = _credits.amountOf(msg.sender);
        if (amount == 0) revert IInferenceOracle.NothingToWithdraw();
        _credits.take(msg.sender, amount);
        emit IInferenceOracle.Withdrawn(msg.sender, to, amount);
        _send(to, amount);
    }

    /* VIEWS */

    /// See IInferenceOracle.
    function requestIdOf(Request calldata r) external view returns (bytes32) {
        return _requestIdOf(r);
    }

    /// See IInferenceOracle.
    function result(bytes32 requestId)
        external
        view
        returns (RequestStatus status, uint32 tokenCount, bytes32 tokensHash, uint32 firstToken)
    {
        State memory s = _stateOf(requestId);
        status = s.status;
        if (status == RequestStatus.Final) {
            SeatWord memory winner = _seat(requestId, s, s.finalSeat);
            (tokenCount, firstToken) = (winner.tokenCount, winner.firstToken);
            tokensHash = _values[_nameOf(requestId, s.attempt, s.finalSeat)];
        }
    }
}
// slither-disable-end reentrancy-no-eth,reentrancy-events,calls-loop,timestamp,incorrect-equality,uninitialized-local
