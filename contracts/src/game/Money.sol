// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DisputeState, IDisputeGame} from "../interfaces/IDisputeGame.sol";
import {GameBase} from "./GameBase.sol";
import {Turn, Turns} from "./Turns.sol";

// slither-disable-start incorrect-equality: equal is said of states, places and nothing, not of times

/// @title Bonds, prepayments and credit.
/// @dev The contract holds exactly the credits and what `bond` and `prepaid` of disputes say.
abstract contract Money is GameBase {
    using Turns for Turn;

    /// Nobody has the key: ether sent there is gone.
    address internal constant BURN_ADDRESS = 0x000000000000000000000000000000000000dEaD;
    uint256 internal constant OPERATOR_PERCENT = 70;
    uint256 internal constant STAKE_DIVISOR = 100;
    /// Gas whose price at twice the base fee a bond reaches at least.
    uint256 internal constant BOND_GAS = 1_000_000;
    /// Tip that a repaid move is taken to give.
    uint256 internal constant TIP = 1 gwei;

    /// Gas that an answer is repaid, from the gas snapshot.
    uint256 internal constant TRACE_GAS = 140_000;
    uint256 internal constant CHILDREN_GAS = 100_000;
    uint256 internal constant LEAF_GAS = 90_000;
    uint256 internal constant PARTIALS_GAS = 60_000;
    uint256 internal constant PARTIALS_CHUNK_GAS = 500;

    /// @inheritdoc IDisputeGame
    mapping(address account => uint256) public credit;

    /// @inheritdoc IDisputeGame
    function withdraw(address payable to) external {
        uint256 amount = credit[msg.sender];
        if (amount == 0) revert NothingToWithdraw();
        credit[msg.sender] = 0;
        emit Withdrawn(msg.sender, to, amount);
        _send(to, amount);
    }

    /// @inheritdoc IDisputeGame
    function bondFor(uint128 stake) public view returns (uint256 bond) {
        bond = MIN_BOND;
        uint256 share = stake / STAKE_DIVISOR;
        if (bond < share) bond = share;
        uint256 gasCost = BOND_GAS * 2 * block.basefee;
        if (bond < gasCost) bond = gasCost;
        // More ether than there is: it bounds the bond's type, so that no stake makes a claim
        // unchallengeable.
        if (bond > type(uint88).max) bond = type(uint88).max;
    }

    /// @inheritdoc IDisputeGame
    function prepayment(uint256 gasAmount) public view returns (uint256 amount) {
        amount = gasAmount * 2 * (block.basefee + TIP);
        // 4,722 ether.
        if (amount > type(uint72).max) amount = type(uint72).max;
    }

    /// Makes what a dispute has prepaid enough for an answer. What an earlier answer left counts.
    /// @return missing what the challenger must pay for that
    function _prepay(Turn memory t, uint256 gasAmount) internal view returns (uint256 missing) {
        uint256 wanted = prepayment(gasAmount);
        if (wanted <= t.prepaid) return 0;
        missing = wanted - t.prepaid;
        // Safe cast: `prepayment` bounds it.
        t.prepaid = uint72(wanted);
    }

    /// Repays the caller an answer at the base fee of now, from what the dispute has prepaid: at
    /// cost, never more. What is left stays with the dispute, for the challenger's next question or
    /// its end: the answer does not pay for writing to the challenger's account.
    function _repay(Turn memory t, uint256 gasAmount) internal {
        uint256 cost = gasAmount * (block.basefee + TIP);
        if (cost > t.prepaid) cost = t.prepaid;
        // Safe: bounded in the line above.
        unchecked {
            t.prepaid -= uint72(cost);
        }
        _credit(msg.sender, cost);
    }

    /// Takes a challenger's payment from the ether sent and then from its credit; more than that
    /// becomes credit.
    /// @dev At most once in a call. SAFETY: `multicall` is not payable, so msg.value is counted
    /// once however many calls it makes.
    function _collect(uint256 needed) internal {
        if (msg.value >= needed) {
            _credit(msg.sender, msg.value - needed);
            return;
        }
        uint256 rest = needed - msg.value;
        uint256 own = credit[msg.sender];
        if (own < rest) revert NotEnoughEther(needed);
        credit[msg.sender] = own - rest;
    }

    /// Ends a dispute and gives its challenger bond and prepaid money back.
    function _refund(Dispute storage d, Turn memory t) internal {
        uint256 amount = uint256(d.bond) + t.prepaid;
        _close(d, t);
        _credit(d.challenger, amount);
    }

    /// Ends a dispute; its money is the caller's to place.
    function _close(Dispute storage d, Turn memory t) internal {
        (t.state, t.prepaid) = (DisputeState.Closed, 0);
        d.bond = 0;
        d.turn = t.pack();
    }

    /// Gas that partials of an attention element at a position are repaid: by its 32-chunks.
    function _partialsGas(uint256 position) internal pure returns (uint256) {
        return PARTIALS_GAS + PARTIALS_CHUNK_GAS * (position / 32 + 1);
    }

    function _credit(address account, uint256 amount) internal {
        if (amount == 0) return;
        credit[account] += amount;
        emit Credited(account, amount);
    }

    function _send(address to, uint256 amount) internal {
        (bool ok,) = to.call{value: amount}("");
        if (!ok) revert TransferFailed();
    }
}
// slither-disable-end incorrect-equality
