// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {OperatorBonds} from "../../src/OperatorBonds.sol";
import {BondAccount} from "../../src/interfaces/IOperatorBonds.sol";

contract OpenBonds is OperatorBonds {
    constructor(address oracle_, uint64 delay) OperatorBonds(oracle_, delay) {}

    function set(address operator, BondAccount calldata a) external {
        _accounts[operator] = a;
    }
}

/// Bond accounting, for all amounts, callers and states of an account (halmos;
/// contracts/tools/analyse runs it). What a call adds to or takes from an account's three parts is
/// what the contract's balance gains or loses, no part wraps around, and the accounts of others
/// stay as they are.
contract OperatorBondsSymbolic is Test {
    uint64 internal constant DELAY = 14 days;
    address payable internal constant RECEIVER = payable(address(0xBEEF));
    address internal constant BURN = 0x000000000000000000000000000000000000dEaD;
    /// More wei than there will be.
    uint256 internal constant HELD = 2 ** 112;

    OpenBonds internal bonds;

    receive() external payable {}

    function setUp() public {
        bonds = new OpenBonds(address(this), DELAY);
    }

    function check_deposit(
        address operator,
        address other,
        BondAccount calldata a,
        BondAccount calldata b,
        uint96 value
    ) external {
        _start(operator, other, a, b);
        vm.deal(address(this), value);
        (bool ok,) = address(bonds).call{value: value}(abi.encodeCall(bonds.deposit, (operator)));
        _others(other, b);
        if (!ok) return;
        BondAccount memory n = bonds.account(operator);
        assert(n.free == uint256(a.free) + value);
        assert(n.locked == a.locked && n.queued == a.queued && n.readyAt == a.readyAt);
        assert(address(bonds).balance == HELD + value);
    }

    function check_queueWithdrawal(
        address operator,
        address other,
        BondAccount calldata a,
        BondAccount calldata b,
        uint256 amount
    ) external {
        _start(operator, other, a, b);
        vm.prank(operator);
        (bool ok,) = address(bonds).call(abi.encodeCall(bonds.queueWithdrawal, (amount)));
        _others(other, b);
        assert(address(bonds).balance == HELD);
        if (!ok) return;
        BondAccount memory n = bonds.account(operator);
        assert(amount <= a.free && n.free == a.free - amount);
        assert(n.queued == uint256(a.queued) + amount);
        assert(n.locked == a.locked && n.readyAt == block.timestamp + DELAY);
    }

    function check_withdraw(
        address operator,
        address other,
        BondAccount calldata a,
        BondAccount calldata b
    ) external {
        _start(operator, other, a, b);
        uint256 had = RECEIVER.balance;
        vm.prank(operator);
        (bool ok,) = address(bonds).call(abi.encodeCall(bonds.withdraw, (RECEIVER)));
        _others(other, b);
        if (!ok) return;
        BondAccount memory n = bonds.account(operator);
        assert(block.timestamp >= a.readyAt);
        assert(n.queued == 0 && n.free == a.free && n.locked == a.locked);
        assert(RECEIVER.balance == had + a.queued && address(bonds).balance == HELD - a.queued);
    }

    function check_lock(
        address operator,
        address other,
        BondAccount calldata a,
        BondAccount calldata b,
        uint256 amount
    ) external {
        _start(operator, other, a, b);
        (bool ok,) = address(bonds).call(abi.encodeCall(bonds.lock, (operator, amount)));
        _others(other, b);
        assert(address(bonds).balance == HELD);
        if (!ok) return;
        BondAccount memory n = bonds.account(operator);
        assert(
            amount <= a.free && n.free == a.free - amount && n.locked == uint256(a.locked) + amount
        );
        assert(n.queued == a.queued && n.readyAt == a.readyAt);
    }

    function check_unlock(
        address operator,
        address other,
        BondAccount calldata a,
        BondAccount calldata b,
        uint256 amount
    ) external {
        _start(operator, other, a, b);
        (bool ok,) = address(bonds).call(abi.encodeCall(bonds.unlock, (operator, amount)));
        _others(other, b);
        assert(address(bonds).balance == HELD);
        if (!ok) return;
        BondAccount memory n = bonds.account(operator);
        assert(
            amount <= a.locked && n.locked == a.locked - amount
                && n.free == uint256(a.free) + amount
        );
        assert(n.queued == a.queued && n.readyAt == a.readyAt);
    }

    function check_seize(
        address operator,
        address other,
        BondAccount calldata a,
        BondAccount calldata b,
        uint256 amount
    ) external {
        _start(operator, other, a, b);
        uint256 had = address(this).balance;
        (bool ok,) = address(bonds).call(abi.encodeCall(bonds.seize, (operator, amount)));
        _others(other, b);
        if (!ok) return;
        _tookLocked(operator, a, amount);
        assert(address(this).balance == had + amount);
    }

    function check_burn(
        address operator,
        address other,
        BondAccount calldata a,
        BondAccount calldata b,
        uint256 amount
    ) external {
        _start(operator, other, a, b);
        uint256 had = BURN.balance;
        (bool ok,) = address(bonds).call(abi.encodeCall(bonds.burn, (operator, amount)));
        _others(other, b);
        if (!ok) return;
        _tookLocked(operator, a, amount);
        assert(BURN.balance == had + amount);
    }

    /// Nobody but the oracle moves locked bond.
    function check_onlyOracle(
        address caller,
        address operator,
        BondAccount calldata a,
        uint256 amount,
        uint8 which
    ) external {
        vm.assume(caller != address(this) && which < 4);
        bonds.set(operator, a);
        bytes memory data = which == 0
            ? abi.encodeCall(bonds.lock, (operator, amount))
            : which == 1
                ? abi.encodeCall(bonds.unlock, (operator, amount))
                : which == 2
                    ? abi.encodeCall(bonds.seize, (operator, amount))
                    : abi.encodeCall(bonds.burn, (operator, amount));
        vm.prank(caller);
        (bool ok,) = address(bonds).call(data);
        assert(!ok);
    }

    function _start(address operator, address other, BondAccount calldata a, BondAccount calldata b)
        private
    {
        vm.assume(operator != other && operator != RECEIVER && operator != BURN);
        vm.assume(operator != address(bonds) && operator != address(this));
        vm.assume(uint256(a.free) + a.locked + a.queued <= HELD);
        bonds.set(operator, a);
        bonds.set(other, b);
        vm.deal(address(bonds), HELD);
    }

    function _others(address other, BondAccount calldata b) private view {
        BondAccount memory n = bonds.account(other);
        assert(
            n.free == b.free && n.locked == b.locked && n.queued == b.queued
                && n.readyAt == b.readyAt
        );
    }

    function _tookLocked(address operator, BondAccount calldata a, uint256 amount) private view {
        BondAccount memory n = bonds.account(operator);
        assert(amount <= a.locked && n.locked == a.locked - amount);
        assert(n.free == a.free && n.queued == a.queued && n.readyAt == a.readyAt);
        assert(address(bonds).balance == HELD - amount);
    }
}
