// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Claim, IClaims} from "./interfaces/IClaims.sol";
import {
    ClaimStatus,
    Dispute,
    DisputeState,
    DisputeView,
    DisputedClaim,
    GameParameters,
    IDisputeGame
} from "./interfaces/IDisputeGame.sol";
import {CreditBook, Credits} from "./libraries/Credits.sol";
import {GameBase} from "./game/GameBase.sol";
import {DirectProofs} from "./game/DirectProofs.sol";
import {PackedTurn, Turn, Turns} from "./game/Turns.sol";

// slither-disable-start uninitialized-local: a local begins at 0, and is meant to
/// @title The second half of the dispute game: functions that are rarely called, and the views.
/// @dev DisputeGame runs this code on its own storage; both begin with GameBase, which declares all
/// of it. Users know DisputeGame's address alone.
contract DisputeGameExtension is DirectProofs {
    using Credits for CreditBook;
    using Turns for Turn;

    constructor(address oracle_, address verifier_, GameParameters memory p)
        GameBase(oracle_, verifier_, p)
    {}

    /// See IDisputeGame.
    function reclaim(Dispute calldata d) external {
        Played memory p;
        p.claimId = _claimId(d.claim);
        p.disputeId = _disputeId(p.claimId, d.challenger, d.bond, d.salt);
        PackedTurn packed = _moving[p.disputeId].turn;
        if (PackedTurn.unwrap(packed) == 0) revert IDisputeGame.NoSuchDispute();
        p.turn = Turns.unpack(packed);
        if (p.turn.state == DisputeState.Closed) {
            revert IDisputeGame.WrongState(DisputeState.Closed);
        }
        // A claim that stands no longer never stands again. The count of its live disputes is of no
        // use any more and stays.
        if (
            _claims[p.claimId].status == ClaimStatus.Disputed
                && IClaims(d.claim.source).standing(d.claim.name)
        ) {
            revert IDisputeGame.TooEarly();
        }
        uint256 amount = _refund(d.challenger, d.bond, p);
        emit IDisputeGame.DisputeReclaimed(p.claimId, p.disputeId, amount);
    }

    /* VIEWS */

    /// See IDisputeGame.
    function claimIdOf(Claim calldata claim) external pure returns (bytes32) {
        return _claimId(claim);
    }

    /// See IDisputeGame.
    function disputeIdOf(Dispute calldata d) external pure returns (bytes32) {
        return _disputeId(_claimId(d.claim), d.challenger, d.bond, d.salt);
    }

    /// See IDisputeGame.
    function bondFor(uint128 stake) external view returns (uint256) {
        return _bondFor(stake);
    }

    /// See IDisputeGame.
    function questionGas(DisputeState state, uint32 position) external view returns (uint256) {
        return _questionGas(state, position, _isDearNow());
    }

    /// See IDisputeGame.
    /// @dev If the claim is over, the turn is the last one that was recorded.
    function disputeOf(bytes32 disputeId) external view returns (DisputeView memory v) {
        Moving storage m = _moving[disputeId];
        Turn memory t = Turns.unpack(m.turn);
        (v.state, v.op, v.height, v.index) = (t.state, t.op, t.height, t.index);
        if (t.state == DisputeState.Partials || t.state == DisputeState.PartialStep) {
            // Safe cast: an element lies in a row of at most 2^26 bytes.
            v.element = uint32(_element(t, m.node));
        } else {
            v.node = m.node;
        }
        v.prepaid = t.prepaid;
        (v.operatorLeft, v.challengerLeft, v.alone) = (t.operatorLeft, t.challengerLeft, t.alone);
        if (t.state != DisputeState.Closed && t.state != DisputeState.None) {
            (v.turnStart, v.deadline) = (t.start, _deadline(t));
        }
    }

    /// See IDisputeGame.
    function credit(address account) external view returns (uint256) {
        return _credits.amountOf(account);
    }

    /// See IDisputeGame.
    function claimOf(bytes32 claimId) external view returns (DisputedClaim memory) {
        return _claims[claimId];
    }

    /// See IDisputeGame.
    function shapeRecorded(bytes32 modelId, uint16 op) external view returns (bool) {
        return _shapes[modelId][op].rowBytes != 0;
    }

    /// See IDisputeGame.
    function parameters() external view returns (GameParameters memory) {
        // Safe casts: the constructor took them from these types.
        return
            GameParameters({
                budget: uint32(BUDGET), floor: uint32(FLOOR), minBond: uint128(MIN_BOND)
            });
    }
}
// slither-disable-end uninitialized-local
