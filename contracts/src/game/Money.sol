// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DisputeState, IDisputeGame} from "../interfaces/IDisputeGame.sol";
import {CreditBook, Credits} from "../libraries/Credits.sol";
import {GameBase} from "./GameBase.sol";
import {Repayment} from "./Repayment.sol";
import {Turn, Turns} from "./Turns.sol";

// slither-disable-start incorrect-equality: equal is said of states, places and nothing, not of times

/// @title Bonds, prepayments and credit.
/// @dev The contract holds exactly the credits and what bonds and `prepaid` of live disputes say.
abstract contract Money is GameBase, Repayment {
    using Credits for CreditBook;
    using Turns for Turn;

    /// Nobody has the key: ether sent there is gone.
    address internal constant BURN_ADDRESS = 0x000000000000000000000000000000000000dEaD;
    uint256 internal constant OPERATOR_PERCENT = 70;
    uint256 internal constant STAKE_DIVISOR = 100;
    /// Gas whose price at twice the base fee a bond reaches at least.
    uint256 internal constant BOND_GAS = 1_000_000;
    /// Tip that a repaid answer may give.
    uint256 internal constant TIP = 1 gwei;

    /// Gas that a question prepays, by table: the most that its answer costs when an agent that was
    /// never credited sends it alone. test/game/Repayment.t.sol measures today's.
    uint256 internal constant TRACE_GAS = 150_000;
    uint256 internal constant CHILDREN_GAS = 125_000;
    uint256 internal constant LEAF_GAS = 115_000;
    uint256 internal constant PARTIALS_GAS = 110_000;
    uint256 internal constant PARTIALS_CHUNK_GAS = 500;
    uint256 internal constant TRACE_GAS_NEXT = 420_000;
    uint256 internal constant CHILDREN_GAS_NEXT = 135_000;
    uint256 internal constant LEAF_GAS_NEXT = 135_000;
    uint256 internal constant PARTIALS_GAS_NEXT = 120_000;
    uint256 internal constant PARTIALS_CHUNK_GAS_NEXT = 1_300;

    /// Bytes of an answer's call and of its event beside the data: selector, dispute, root, offset
    /// and length; offset, length, numbers.
    uint256 private constant CALL_BYTES = 4 + 32 * 12;
    uint256 private constant EVENT_BYTES = 32 * 8;

    /* CHALLENGER */

    function _bondFor(uint256 stake) internal view returns (uint256 bond) {
        bond = MIN_BOND;
        uint256 share = stake / STAKE_DIVISOR;
        if (bond < share) bond = share;
        uint256 gasCost = BOND_GAS * 2 * block.basefee;
        if (bond < gasCost) bond = gasCost;
        // More ether than there is: it bounds the bond's type, so that no stake makes a claim
        // unchallengeable.
        if (bond > type(uint88).max) bond = type(uint88).max;
    }

    function _questionGas(DisputeState state, uint256 position, bool next)
        internal
        pure
        returns (uint256)
    {
        if (state == DisputeState.Root) return next ? TRACE_GAS_NEXT : TRACE_GAS;
        if (state == DisputeState.Node) return next ? CHILDREN_GAS_NEXT : CHILDREN_GAS;
        if (state == DisputeState.Leaf) return next ? LEAF_GAS_NEXT : LEAF_GAS;
        uint256 chunks = position / 32 + 1;
        return next
            ? PARTIALS_GAS_NEXT + chunks * PARTIALS_CHUNK_GAS_NEXT
            : PARTIALS_GAS + chunks * PARTIALS_CHUNK_GAS;
    }

    /// Makes what a dispute has prepaid enough for the answer that its state awaits. What an
    /// earlier answer left counts.
    /// @param position of the element, for partials
    /// @return missing what the challenger must pay for that
    function _prepay(Turn memory t, uint256 position) internal returns (uint256 missing) {
        uint256 wanted = _questionGas(t.state, position, _isDear()) * 2 * (block.basefee + TIP);
        // 4,722 ether.
        if (wanted > type(uint72).max) wanted = type(uint72).max;
        if (wanted <= t.prepaid) return 0;
        missing = wanted - t.prepaid;
        // Safe cast: bounded above.
        t.prepaid = uint72(wanted);
    }

    /// Takes a challenger's payment from the ether sent and then from its credit; more than that
    /// becomes credit.
    /// @dev At most once in a call. SAFETY: `multicall` is not payable, so msg.value is counted
    /// once however many calls it makes.
    // slither-disable-next-line msg-value-in-nonpayable: its callers, challenge, pick and demandPartials, are payable
    function _collect(bytes32 claimId, uint256 needed) internal {
        if (msg.value >= needed) {
            _credit(msg.sender, claimId, msg.value - needed);
            return;
        }
        uint256 rest = needed - msg.value;
        if (_credits.amountOf(msg.sender) < rest) revert IDisputeGame.NotEnoughEther(needed);
        _credits.take(msg.sender, rest);
    }

    /* OPERATOR */

    /// Records an answer, ends the operator's turn and repays it from what the dispute has prepaid:
    /// at cost, never more. What is left stays with the dispute, for the challenger's next question
    /// or its end.
    /// @dev Both words are written before the gas is measured and once more after it, when they are
    /// dirty and cost the same in every table.
    /// @param dataBytes of what is answered, which the call carries and the event that the caller
    /// emits next
    function _answer(
        Played memory p,
        bytes32 node,
        address payee,
        uint256 gasAtStart,
        uint256 dataBytes
    ) internal {
        Turn memory t = p.turn;
        t.state = Turns.answered(t.state);
        Moving storage m = _moving[p.disputeId];
        if (node != 0) m.node = node;
        m.turn = t.pack();
        _credits.add(payee, 1);

        uint256 price = block.basefee + TIP;
        if (tx.gasprice < price) price = tx.gasprice;
        uint256 cost =
            _gasOfCall(gasAtStart, CALL_BYTES + dataBytes, EVENT_BYTES + dataBytes) * price;
        if (cost > t.prepaid) cost = t.prepaid;
        // Safe: bounded in the line above.
        unchecked {
            t.prepaid -= uint72(cost);
        }
        m.turn = t.pack();
        if (cost == 0) _credits.take(payee, 1);
        else _credits.add(payee, cost - 1);
        emit IDisputeGame.Credited(payee, p.claimId, cost);
    }

    /* ENDS */

    /// Ends a dispute that is live and gives its challenger bond and prepaid money back.
    function _refund(address challenger, uint88 bond, Played memory p)
        internal
        returns (uint256 amount)
    {
        amount = uint256(bond) + p.turn.prepaid;
        _close(p);
        _credit(challenger, p.claimId, amount);
    }

    /// Ends a dispute; its money is the caller's to place.
    function _close(Played memory p) internal {
        (p.turn.state, p.turn.prepaid) = (DisputeState.Closed, 0);
        _moving[p.disputeId].turn = p.turn.pack();
    }

    function _credit(address account, bytes32 claimId, uint256 amount) internal {
        if (amount == 0) return;
        _credits.add(account, amount);
        emit IDisputeGame.Credited(account, claimId, amount);
    }

    function _send(address to, uint256 amount) internal {
        (bool ok,) = to.call{value: amount}("");
        if (!ok) revert IDisputeGame.TransferFailed();
    }
}
// slither-disable-end incorrect-equality
