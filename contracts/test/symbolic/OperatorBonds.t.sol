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

    function setLockedBy(address operator, address source, uint256 amount, bool allowed) external {
        _lockedByOthers[operator][source] = amount;
        isAllowedSource[operator][source] = allowed;
    }
}

/// Bond accounting, for all amounts, callers and states of an account (halmos;
/// contracts/tools/analyse runs it). What a call adds to or takes from an account's parts is what
/// the contract's balance gains or loses, no part wraps around, and the accounts of others and the
/// locks of other sources stay as they are. The test itself is the oracle.
contract OperatorBondsSymbolic is Test {
    uint64 internal constant DELAY = 14 days;
    address payable internal constant RECEIVER = payable(address(0xBEEF));
    address internal constant BURN = 0x000000000000000000000000000000000000dEaD;
    address payable internal constant SOURCE = payable(address(0x50CE));
    bytes32 internal constant CLAIM = keccak256("claim");
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
        (bool ok,) = address(bonds).call(abi.encodeCall(bonds.lock, (operator, amount, CLAIM)));
        _others(other, b);
        assert(address(bonds).balance == HELD);
        if (!ok) return;
        BondAccount memory n = bonds.account(operator);
        assert(amount <= a.free && n.free == a.free - amount);
        assert(n.locked == uint256(a.locked) + amount);
        assert(n.queued == a.queued && n.readyAt == a.readyAt);
    }

    /// Bond that leaves the lock is seized, burned or free again, to the wei.
    function check_release(
        address operator,
        address other,
        BondAccount calldata a,
        BondAccount calldata b,
        uint256 amount,
        uint256 seized,
        uint256 burned
    ) external {
        _start(operator, other, a, b);
        (uint256 had, uint256 hadBurned) = (address(this).balance, BURN.balance);
        bytes memory data = abi.encodeCall(bonds.release, (operator, amount, seized, burned, CLAIM));
        (bool ok,) = address(bonds).call(data);
        _others(other, b);
        if (!ok) return;
        // As uint256 neither sum wraps around: `amount` is at most a.locked.
        assert(amount <= a.locked && seized <= amount && burned <= amount - seized);
        BondAccount memory n = bonds.account(operator);
        assert(n.locked == a.locked - amount);
        assert(n.free == uint256(a.free) + (amount - seized - burned));
        assert(n.queued == a.queued && n.readyAt == a.readyAt);
        assert(address(this).balance == had + seized && BURN.balance == hadBurned + burned);
        assert(address(bonds).balance == HELD - seized - burned);
    }

    /// A source that the operator allowed moves free bond into its own lock, and nothing else.
    function check_sourceLocks(
        address operator,
        address source,
        address otherSource,
        BondAccount calldata a,
        uint128 lockedBy,
        uint128 lockedByOther,
        bool allowed,
        uint256 amount
    ) external {
        _startSources(operator, source, otherSource, a, lockedBy, lockedByOther, allowed);
        vm.prank(source);
        (bool ok,) = address(bonds).call(abi.encodeCall(bonds.lock, (operator, amount, CLAIM)));
        assert(bonds.lockedBy(operator, otherSource) == lockedByOther);
        assert(address(bonds).balance == HELD);
        if (!ok) return;
        assert(allowed && amount <= a.free);
        assert(bonds.lockedBy(operator, source) == uint256(lockedBy) + amount);
        BondAccount memory n = bonds.account(operator);
        assert(n.free == a.free - amount);
        assert(n.locked == a.locked && n.queued == a.queued && n.readyAt == a.readyAt);
    }

    /// A source, allowed or no longer, gets ether out of its own lock alone.
    function check_sourceReleases(
        address operator,
        address otherSource,
        BondAccount calldata a,
        uint128 lockedBy,
        uint128 lockedByOther,
        uint256 amount,
        uint256 seized,
        uint256 burned
    ) external {
        _startSources(operator, SOURCE, otherSource, a, lockedBy, lockedByOther, false);
        (uint256 had, uint256 hadBurned) = (SOURCE.balance, BURN.balance);
        bytes memory data = abi.encodeCall(bonds.release, (operator, amount, seized, burned, CLAIM));
        vm.prank(SOURCE);
        (bool ok,) = address(bonds).call(data);
        assert(bonds.lockedBy(operator, otherSource) == lockedByOther);
        BondAccount memory n = bonds.account(operator);
        assert(n.locked == a.locked && n.queued == a.queued && n.readyAt == a.readyAt);
        if (!ok) return;
        assert(amount <= lockedBy && seized <= amount && burned <= amount - seized);
        assert(bonds.lockedBy(operator, SOURCE) == lockedBy - amount);
        assert(n.free == uint256(a.free) + (amount - seized - burned));
        assert(SOURCE.balance == had + seized && BURN.balance == hadBurned + burned);
        assert(address(bonds).balance == HELD - seized - burned);
    }

    /// Nobody but the oracle and allowed sources locks; a caller that has locked nothing releases
    /// nothing.
    function check_onlySources(
        address caller,
        address operator,
        BondAccount calldata a,
        uint256 amount,
        uint256 seized,
        uint256 burned,
        bool locks
    ) external {
        vm.assume(caller != address(this) && amount != 0);
        bonds.set(operator, a);
        bytes memory data = locks
            ? abi.encodeCall(bonds.lock, (operator, amount, CLAIM))
            : abi.encodeCall(bonds.release, (operator, amount, seized, burned, CLAIM));
        vm.prank(caller);
        (bool ok,) = address(bonds).call(data);
        assert(!ok);
    }

    /// Agents and permissions are the caller's own, and move no money.
    function check_permissions(
        address operator,
        address other,
        BondAccount calldata a,
        BondAccount calldata b,
        address who,
        uint8 roles,
        bool allowed
    ) external {
        _start(operator, other, a, b);
        vm.startPrank(operator);
        (bool ok,) = address(bonds).call(abi.encodeCall(bonds.setAgent, (who, roles)));
        assert(ok == (who != address(0) && roles <= 7));
        bonds.allowSource(who, allowed);
        vm.stopPrank();
        if (ok) assert(bonds.agentRoles(operator, who) == roles);
        assert(bonds.isAllowedSource(operator, who) == allowed);
        assert(bonds.agentRoles(other, who) == 0 && !bonds.isAllowedSource(other, who));
        _others(operator, a);
        _others(other, b);
        assert(address(bonds).balance == HELD);
    }

    function _startSources(
        address operator,
        address source,
        address otherSource,
        BondAccount calldata a,
        uint128 lockedBy,
        uint128 lockedByOther,
        bool allowed
    ) private {
        vm.assume(source != address(this) && otherSource != address(this));
        vm.assume(source != otherSource);
        vm.assume(operator != BURN && operator != address(bonds) && operator != address(this));
        vm.assume(uint256(a.free) + a.locked + a.queued + lockedBy + lockedByOther <= HELD);
        bonds.set(operator, a);
        bonds.setLockedBy(operator, source, lockedBy, allowed);
        bonds.setLockedBy(operator, otherSource, lockedByOther, true);
        vm.deal(address(bonds), HELD);
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
}
