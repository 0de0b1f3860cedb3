// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {OperatorBonds} from "../src/OperatorBonds.sol";
import {BondAccount, IOperatorBonds} from "../src/interfaces/IOperatorBonds.sol";
import {Refuser} from "./mocks/Callbacks.sol";
import {BaseTest} from "./BaseTest.sol";

contract OperatorBondsTest is BaseTest {
    address internal operator;

    function setUp() public override {
        super.setUp();
        operator = operators[0];
    }

    function test_constructor_noOracle_reverts() public {
        expect(IOperatorBonds.BadParameters.selector);
        new OperatorBonds(address(0), 1);
    }

    function test_constructor_noDelay_reverts() public {
        expect(IOperatorBonds.BadParameters.selector);
        new OperatorBonds(address(oracle), 0);
    }

    function test_deposit_forAnother_succeeds() public {
        vm.deal(stranger, 3 ether);
        vm.expectEmit(address(bonds));
        emit IOperatorBonds.Deposited(operator, stranger, 3 ether);
        vm.prank(stranger);
        bonds.deposit{value: 3 ether}(operator);
        check(13 ether, 0, 0);
    }

    function test_deposit_zeroOperator_reverts() public {
        expect(IOperatorBonds.ZeroOperator.selector);
        bonds.deposit{value: 1}(address(0));
    }

    function test_deposit_nothing_reverts() public {
        expect(IOperatorBonds.BadAmount.selector);
        bonds.deposit(operator);
    }

    function test_deposit_over128Bits_reverts() public {
        vm.deal(address(this), 2 ** 129);
        expect(IOperatorBonds.BadAmount.selector);
        bonds.deposit{value: 2 ** 128}(operator);
    }

    function test_queueWithdrawal_leavesFree_succeeds() public {
        vm.expectEmit(address(bonds));
        emit IOperatorBonds.WithdrawalQueued(
            operator, 4 ether, uint64(block.timestamp) + WITHDRAWAL_DELAY
        );
        vm.prank(operator);
        bonds.queueWithdrawal(4 ether);
        check(6 ether, 0, 4 ether);
        assertEq(bonds.freeBond(operator), 6 ether);
    }

    function test_queueWithdrawal_nothing_reverts() public {
        expect(IOperatorBonds.BadAmount.selector);
        vm.prank(operator);
        bonds.queueWithdrawal(0);
    }

    function test_queueWithdrawal_over128Bits_reverts() public {
        expect(IOperatorBonds.BadAmount.selector);
        vm.prank(operator);
        bonds.queueWithdrawal(2 ** 128 + 1);
    }

    function test_queueWithdrawal_locked_reverts() public {
        vm.prank(address(oracle));
        bonds.lock(operator, 9 ether);
        vm.expectRevert(
            abi.encodeWithSelector(
                IOperatorBonds.InsufficientFreeBond.selector, operator, 1 ether, 2 ether
            )
        );
        vm.prank(operator);
        bonds.queueWithdrawal(2 ether);
    }

    function test_queueWithdrawal_again_startsDelayAnew() public {
        vm.startPrank(operator);
        bonds.queueWithdrawal(1 ether);
        skip(WITHDRAWAL_DELAY - 1);
        bonds.queueWithdrawal(1 ether);
        skip(1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IOperatorBonds.WithdrawalNotReady.selector, block.timestamp - 1 + WITHDRAWAL_DELAY
            )
        );
        bonds.withdraw(payable(operator));
    }

    function test_withdraw_afterDelay_succeeds() public {
        vm.startPrank(operator);
        bonds.queueWithdrawal(4 ether);
        skip(WITHDRAWAL_DELAY);
        vm.expectEmit(address(bonds));
        emit IOperatorBonds.Withdrawn(operator, stranger, 4 ether);
        bonds.withdraw(payable(stranger));
        assertEq(stranger.balance, 4 ether);
        check(6 ether, 0, 0);
        expect(IOperatorBonds.NothingQueued.selector);
        bonds.withdraw(payable(stranger));
    }

    function test_withdraw_secondEarly_reverts() public {
        vm.startPrank(operator);
        bonds.queueWithdrawal(4 ether);
        uint256 ready = block.timestamp + WITHDRAWAL_DELAY;
        skip(WITHDRAWAL_DELAY - 1);
        vm.expectRevert(abi.encodeWithSelector(IOperatorBonds.WithdrawalNotReady.selector, ready));
        bonds.withdraw(payable(operator));
    }

    function test_withdraw_receiverRefuses_reverts() public {
        address refuser = address(new Refuser());
        vm.startPrank(operator);
        bonds.queueWithdrawal(4 ether);
        skip(WITHDRAWAL_DELAY);
        expect(IOperatorBonds.TransferFailed.selector);
        bonds.withdraw(payable(refuser));
    }

    /// A receiver that calls in again gets its amount once.
    function test_withdraw_reentered_paysOnce() public {
        ReentrantOperator attacker = new ReentrantOperator(bonds);
        bonds.deposit{value: 1 ether}(address(attacker));
        attacker.queue(1 ether);
        skip(WITHDRAWAL_DELAY);
        attacker.take();
        assertEq(address(attacker).balance, 1 ether);
        assertTrue(attacker.refused());
    }

    function test_lock_movesFree_succeeds() public {
        vm.expectEmit(address(bonds));
        emit IOperatorBonds.Locked(operator, 3 ether);
        vm.prank(address(oracle));
        bonds.lock(operator, 3 ether);
        check(7 ether, 3 ether, 0);
    }

    /// One stake is never counted twice, and what is queued secures nothing.
    function test_lock_queuedOrLocked_reverts() public {
        vm.prank(operator);
        bonds.queueWithdrawal(4 ether);
        vm.startPrank(address(oracle));
        bonds.lock(operator, 5 ether);
        vm.expectRevert(
            abi.encodeWithSelector(
                IOperatorBonds.InsufficientFreeBond.selector, operator, 1 ether, 2 ether
            )
        );
        bonds.lock(operator, 2 ether);
    }

    function test_unlock_moreThanLocked_reverts() public {
        vm.startPrank(address(oracle));
        bonds.lock(operator, 1 ether);
        vm.expectRevert(
            abi.encodeWithSelector(
                IOperatorBonds.InsufficientLockedBond.selector, operator, 1 ether, 1 ether + 1
            )
        );
        bonds.unlock(operator, 1 ether + 1);
    }

    function test_unlock_movesLocked_succeeds() public {
        vm.startPrank(address(oracle));
        bonds.lock(operator, 3 ether);
        vm.expectEmit(address(bonds));
        emit IOperatorBonds.Unlocked(operator, 1 ether);
        bonds.unlock(operator, 1 ether);
        check(8 ether, 2 ether, 0);
    }

    function test_seize_paysOracle_succeeds() public {
        vm.startPrank(address(oracle));
        bonds.lock(operator, 3 ether);
        vm.expectEmit(address(bonds));
        emit IOperatorBonds.Seized(operator, 1 ether);
        bonds.seize(operator, 1 ether);
        check(7 ether, 2 ether, 0);
        assertEq(address(oracle).balance, 1 ether);
    }

    function test_seize_moreThanLocked_reverts() public {
        vm.startPrank(address(oracle));
        bonds.lock(operator, 1 ether);
        vm.expectRevert(
            abi.encodeWithSelector(
                IOperatorBonds.InsufficientLockedBond.selector, operator, 1 ether, 2 ether
            )
        );
        bonds.seize(operator, 2 ether);
    }

    function test_burn_destroys_succeeds() public {
        vm.startPrank(address(oracle));
        bonds.lock(operator, 3 ether);
        vm.expectEmit(address(bonds));
        emit IOperatorBonds.Burned(operator, 1 ether);
        bonds.burn(operator, 1 ether);
        check(7 ether, 2 ether, 0);
        assertEq(address(0xdEaD).balance, 1 ether);
    }

    function test_burn_moreThanLocked_reverts() public {
        vm.startPrank(address(oracle));
        vm.expectRevert(
            abi.encodeWithSelector(
                IOperatorBonds.InsufficientLockedBond.selector, operator, 0, 2 ether
            )
        );
        bonds.burn(operator, 2 ether);
    }

    function testFuzz_onlyOracle_reverts(address caller, uint256 amount) public {
        vm.assume(caller != address(oracle));
        vm.startPrank(caller);
        expect(IOperatorBonds.NotOracle.selector);
        bonds.lock(operator, amount);
        expect(IOperatorBonds.NotOracle.selector);
        bonds.unlock(operator, amount);
        expect(IOperatorBonds.NotOracle.selector);
        bonds.seize(operator, amount);
        expect(IOperatorBonds.NotOracle.selector);
        bonds.burn(operator, amount);
    }

    function check(uint256 free, uint256 locked, uint256 queued) private view {
        BondAccount memory a = bonds.account(operator);
        assertEq(a.free, free, "free");
        assertEq(a.locked, locked, "locked");
        assertEq(a.queued, queued, "queued");
    }
}

contract ReentrantOperator {
    OperatorBonds private immutable BONDS;
    bool public refused;

    constructor(OperatorBonds bonds) {
        BONDS = bonds;
    }

    function queue(uint256 amount) external {
        BONDS.queueWithdrawal(amount);
    }

    function take() external {
        BONDS.withdraw(payable(address(this)));
    }

    receive() external payable {
        try BONDS.withdraw(payable(address(this))) {}
        catch {
            refused = true;
        }
    }
}
