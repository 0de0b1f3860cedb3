// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Claim, IClaims} from "../interfaces/IClaims.sol";
import {
    IInferenceOracle,
    Request,
    RequestStatus,
    SeatStatus
} from "../interfaces/IInferenceOracle.sol";
import {IOperatorBonds} from "../interfaces/IOperatorBonds.sol";
import {ClaimFacts} from "../interfaces/IStepVerifier.sol";
import {Ends} from "./Ends.sol";
import {SeatWord, State} from "./State.sol";

// slither-disable-start timestamp,incorrect-equality: deadlines are seconds; equal is said of states, not of times
// slither-disable-start reentrancy-no-eth,reentrancy-events: called are the deployment's own bonds, which call nobody else

/// @title The oracle as a source of claims: what the dispute game sees of it and may do to it.
/// @dev The opening of a claim is abi.encode(Request).
abstract contract ClaimSource is Ends {
    uint256 internal constant CHALLENGER_PERCENT = 25;
    uint256 internal constant REQUESTER_PERCENT = 10;

    /* DISPUTE GAME */

    /// See IClaims.
    function disputed(bytes32 name, bytes calldata opening)
        external
        onlyDisputeGame
        returns (Claim memory claim, ClaimFacts memory facts)
    {
        (bytes32 id, uint8 attempt, uint8 seat) = _partsOf(name);
        State memory s = _stateOf(id);
        SeatWord memory w = _standingSeat(id, s, attempt, seat);
        // INVARIANT: while reveals run the window lies ahead.
        if (s.status == RequestStatus.Claimed && block.timestamp > s.deadline) {
            revert IClaims.DisputeWindowOver();
        }
        if (!w.disputed) {
            _mark(id, s, seat, w, true);
            emit IInferenceOracle.Disputed(id, name);
        }
        return _claimOf(name, id, w, opening);
    }

    /// See IClaims.
    function settled(bytes32 name) external onlyDisputeGame {
        (bytes32 id, uint8 attempt, uint8 seat) = _partsOf(name);
        State memory s = _stateOf(id);
        SeatWord memory w = _standingSeat(id, s, attempt, seat);
        _mark(id, s, seat, w, false);
        emit IInferenceOracle.Settled(id, name);
    }

    function _mark(bytes32 id, State memory s, uint8 seat, SeatWord memory w, bool isDisputed)
        private
    {
        w.disputed = isDisputed;
        if (s.replicated) {
            _putSeat(id, s, seat, w);
        } else {
            s.disputed = isDisputed;
            _store(id, s);
        }
    }

    /// See IClaims.
    function convict(bytes32 name, address operator, uint128 stake, address challenger)
        external
        onlyDisputeGame
    {
        (bytes32 id, uint8 attempt, uint8 seat) = _partsOf(name);
        State memory s = _stateOf(id);
        SeatWord memory w = _standingSeat(id, s, attempt, seat);
        _announce(id, name, operator, stake, challenger);
        if (s.replicated) {
            w.status = SeatStatus.Convicted;
            _putSeat(id, s, seat, w);
            (bool dead,) = _roundOf(id, s);
            if (dead) _reopen(id, s, true);
        } else {
            _values[name] = bytes32(uint256(uint160(operator)));
            _reopen(id, s, true);
        }
        _store(id, s);
        _slash(id, name, operator, stake, challenger);
    }

    function _slash(bytes32 id, bytes32 name, address operator, uint256 stake, address challenger)
        private
    {
        (uint256 toChallenger, uint256 toRequester) = _shares(stake);
        _credit(challenger, name, toChallenger);
        creditOf[id] += toRequester;
        uint256 seized = toChallenger + toRequester;
        IOperatorBonds(bonds).release(operator, stake, seized, stake - seized, name);
    }

    function _announce(
        bytes32 id,
        bytes32 name,
        address operator,
        uint256 stake,
        address challenger
    ) private {
        (uint256 toChallenger, uint256 toRequester) = _shares(stake);
        uint256 burned = stake - toChallenger - toRequester;
        emit IInferenceOracle.Convicted(
            id, name, operator, challenger, toChallenger, toRequester, burned
        );
    }

    function _shares(uint256 stake)
        private
        pure
        returns (uint256 toChallenger, uint256 toRequester)
    {
        return (stake * CHALLENGER_PERCENT / 100, stake * REQUESTER_PERCENT / 100);
    }

    /* VIEWS */

    /// See IClaims.
    function claimOf(bytes32 name, bytes calldata opening)
        external
        view
        returns (Claim memory claim, ClaimFacts memory facts)
    {
        (bytes32 id, uint8 attempt, uint8 seat) = _partsOf(name);
        State memory s = _stateOf(id);
        return _claimOf(name, id, _standingSeat(id, s, attempt, seat), opening);
    }

    /// See IClaims.
    function standing(bytes32 name) external view returns (bool) {
        (bytes32 id, uint8 attempt, uint8 seat) = _partsOf(name);
        State memory s = _stateOf(id);
        return _isStanding(s, attempt, seat) && _seat(id, s, seat).status == SeatStatus.Claimed;
    }

    /* INTERNAL */

    function _claimOf(bytes32 name, bytes32 id, SeatWord memory w, bytes calldata opening)
        private
        view
        returns (Claim memory claim, ClaimFacts memory facts)
    {
        if (opening.length != REQUEST_BYTES) revert IClaims.NoSuchClaim();
        Request calldata r;
        // SAFETY: the bytes are as long as a Request, and hash to the id of one that `request`
        // encoded.
        assembly ("memory-safe") {
            r := opening.offset
        }
        if (_requestIdOf(r) != id) revert IClaims.NoSuchClaim();
        (facts.promptCount, facts.promptHash) = (r.promptCount, r.promptHash);
        (facts.tokenCount, facts.tokensHash) = (w.tokenCount, _values[name]);
        (facts.temperature, facts.minP) = (r.temperature, r.minP);
        if (r.temperature != 0) facts.seed = _draws[id].seed;
        (facts.allowedCount, facts.allowedHash) = (r.allowedCount, r.allowedHash);
        claim = Claim(
            address(this), name, w.operator, r.stake, r.modelId, keccak256(abi.encode(facts))
        );
    }
}
// slither-disable-end timestamp,incorrect-equality,reentrancy-no-eth,reentrancy-events
