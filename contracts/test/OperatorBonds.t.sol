// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {OperatorBonds} from "../src/OperatorBonds.sol";
import {BondAccount, IOperatorBonds} from "../src/interfaces/IOperatorBonds.sol";
import {Refuser} from "./mocks/Callbacks.sol";
import {BaseTest} from "./BaseTest.sol";

contract OperatorBondsTest is BaseTest {
    bytes32 internal constant CLAIM = keccak256("claim");

    address internal operator;
    address internal source = makeAddr("source");

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
        expect(IOperatorBonds.ZeroAddress.selector);
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
        lock(address(oracle), 9 ether);
        expectFree(1 ether, 2 ether);
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

    /* THE ORACLE */

    function test_lock_movesFree_succeeds() public {
        vm.expectEmit(address(bonds));
        emit IOperatorBonds.Locked(operator, CLAIM, address(oracle), 3 ether);
        lock(address(oracle), 3 ether);
        check(7 ether, 3 ether, 0);
        assertEq(bonds.lockedBy(operator, address(oracle)), 3 ether);
    }

    /// One stake is never counted twice, and what is queued secures nothing.
    function test_lock_queuedOrLocked_reverts() public {
        vm.prank(operator);
        bonds.queueWithdrawal(4 ether);
        lock(address(oracle), 5 ether);
        expectFree(1 ether, 2 ether);
        lock(address(oracle), 2 ether);
    }

    function test_lock_over128Bits_reverts() public {
        expect(IOperatorBonds.BadAmount.selector);
        lock(address(oracle), 2 ** 128);
    }

    function test_release_moreThanLocked_reverts() public {
        lock(address(oracle), 1 ether);
        expectLocked(1 ether, 1 ether + 1);
        release(address(oracle), 1 ether + 1, 0, 0);
        expectLocked(1 ether, 2 ether);
        release(address(oracle), 2 ether, 2 ether, 0);
        expectLocked(1 ether, 2 ether);
        release(address(oracle), 2 ether, 0, 2 ether);
    }

    /// The parts are at most the whole, also where their sum wraps around.
    function test_release_partsOverWhole_reverts() public {
        lock(address(oracle), 3 ether);
        uint256[2][5] memory parts = [
            [uint256(3 ether), 1],
            [uint256(1), 3 ether],
            [uint256(2 ether), 2 ether],
            [type(uint256).max, 4 ether],
            [uint256(4 ether), type(uint256).max - 3 ether]
        ];
        for (uint256 i; i < parts.length; ++i) {
            expect(IOperatorBonds.BadAmount.selector);
            release(address(oracle), 3 ether, parts[i][0], parts[i][1]);
        }
        expect(IOperatorBonds.BadAmount.selector);
        release(address(oracle), 2 ** 128, 0, 0);
    }

    function test_release_unlocks_succeeds() public {
        lock(address(oracle), 3 ether);
        vm.expectEmit(address(bonds));
        emit IOperatorBonds.Released(operator, CLAIM, address(oracle), 1 ether, 0, 0);
        release(address(oracle), 1 ether, 0, 0);
        check(8 ether, 2 ether, 0);
    }

    /// Seized, burned and free again in one call.
    function test_release_splits_succeeds() public {
        lock(address(oracle), 6 ether);
        vm.expectEmit(address(bonds));
        emit IOperatorBonds.Released(operator, CLAIM, address(oracle), 5 ether, 1 ether, 3 ether);
        release(address(oracle), 5 ether, 1 ether, 3 ether);
        check(5 ether, 1 ether, 0);
        assertEq(address(oracle).balance, 1 ether);
        assertEq(BURNED.balance, 3 ether);
        assertEq(address(bonds).balance, 300 ether - 4 ether);
    }

    /* OTHER SOURCES */

    function test_allowSource_locksAndReleases_succeeds() public {
        vm.expectEmit(address(bonds));
        emit IOperatorBonds.SourceAllowed(operator, source, true);
        allow(true);
        assertTrue(bonds.isAllowedSource(operator, source));
        assertFalse(bonds.isAllowedSource(operators[1], source));
        vm.expectEmit(address(bonds));
        emit IOperatorBonds.Locked(operator, CLAIM, source, 4 ether);
        lock(source, 4 ether);
        // Bond that others have locked is not in the account's `locked`.
        check(6 ether, 0, 0);
        assertEq(bonds.lockedBy(operator, source), 4 ether);
        assertEq(bonds.lockedBy(operator, address(oracle)), 0);
        vm.expectEmit(address(bonds));
        emit IOperatorBonds.Released(operator, CLAIM, source, 3 ether, 1 ether, 1 ether);
        release(source, 3 ether, 1 ether, 1 ether);
        check(7 ether, 0, 0);
        assertEq(bonds.lockedBy(operator, source), 1 ether);
        assertEq(source.balance, 1 ether);
        assertEq(BURNED.balance, 1 ether);
    }

    function testFuzz_lock_notAllowed_reverts(address caller, uint128 amount) public {
        vm.assume(caller != address(oracle));
        expect(IOperatorBonds.NotSource.selector);
        lock(caller, bound(amount, 0, 10 ether));
    }

    /// Allowed by one operator is not allowed by another.
    function test_lock_allowedByAnother_reverts() public {
        vm.prank(operators[1]);
        bonds.allowSource(source, true);
        expect(IOperatorBonds.NotSource.selector);
        lock(source, 1 ether);
    }

    /// Allowing oneself locks one's own bond and nobody else's.
    function test_lock_ownSource_isOwnMoney() public {
        vm.startPrank(operator);
        bonds.allowSource(operator, true);
        bonds.lock(operator, 4 ether, CLAIM);
        expect(IOperatorBonds.NotSource.selector);
        bonds.lock(operators[1], 1 ether, CLAIM);
        bonds.release(operator, 4 ether, 4 ether, 0, CLAIM);
        vm.stopPrank();
        // Seized by itself: the withdrawal delay is for the bond that backs the oracle's claims,
        // which is locked; what was free could be queued all along.
        assertEq(operator.balance, 4 ether);
        check(6 ether, 0, 0);
    }

    /// No source can move what another has locked, nor what is free or queued.
    function test_release_othersLock_reverts() public {
        allow(true);
        vm.prank(operator);
        bonds.allowSource(stranger, true);
        lock(address(oracle), 3 ether);
        lock(source, 4 ether);
        vm.prank(operator);
        bonds.queueWithdrawal(1 ether);
        expectLocked(0, 1);
        release(stranger, 1, 0, 0);
        expectLocked(4 ether, 4 ether + 1);
        release(source, 4 ether + 1, 4 ether + 1, 0);
        expectLocked(3 ether, 3 ether + 1);
        release(address(oracle), 3 ether + 1, 0, 0);
        // An operator whose bond it never locked.
        vm.expectRevert(
            abi.encodeWithSelector(
                IOperatorBonds.InsufficientLockedBond.selector, operators[1], 0, 1
            )
        );
        vm.prank(source);
        bonds.release(operators[1], 1, 1, 0, CLAIM);
        check(2 ether, 3 ether, 1 ether);
    }

    /// A source that is allowed no more locks nothing, and still releases what it has locked.
    function test_allowSource_revoked_keepsLock() public {
        allow(true);
        lock(source, 4 ether);
        allow(false);
        expect(IOperatorBonds.NotSource.selector);
        lock(source, 1);
        expectFree(6 ether, 7 ether);
        vm.prank(operator);
        bonds.queueWithdrawal(7 ether);
        release(source, 4 ether, 1 ether, 0);
        check(9 ether, 0, 0);
    }

    /// The oracle needs no permission, and permission does not make two accounts of its lock.
    function test_allowSource_oracle_changesNothing() public {
        vm.prank(operator);
        bonds.allowSource(address(oracle), true);
        lock(address(oracle), 3 ether);
        check(7 ether, 3 ether, 0);
        vm.prank(operator);
        bonds.allowSource(address(oracle), false);
        lock(address(oracle), 1 ether);
        release(address(oracle), 4 ether, 0, 0);
        check(10 ether, 0, 0);
    }

    /// A source that calls in again while it is paid gets no wei twice.
    function test_release_reentered_paysOnce() public {
        ReentrantSource attacker = new ReentrantSource(bonds, operator);
        vm.prank(operator);
        bonds.allowSource(address(attacker), true);
        attacker.take(3 ether);
        assertTrue(attacker.refused());
        assertEq(address(attacker).balance, 3 ether);
        check(7 ether, 0, 0);
        assertEq(address(bonds).balance, 300 ether - 3 ether);
    }

    /// A source that refuses its ether gets nothing done.
    function test_release_sourceRefuses_reverts() public {
        address refuser = address(new Refuser());
        vm.prank(operator);
        bonds.allowSource(refuser, true);
        lock(refuser, 2 ether);
        expect(IOperatorBonds.TransferFailed.selector);
        release(refuser, 2 ether, 1, 0);
        release(refuser, 2 ether, 0, 2 ether);
        check(8 ether, 0, 0);
    }

    /// Random moves of three sources and the operator: the balance is the sum of the books.
    function testFuzz_books_conserve(uint256 random) public {
        address[3] memory sources = [address(oracle), source, stranger];
        vm.startPrank(operator);
        bonds.allowSource(source, true);
        bonds.allowSource(stranger, true);
        vm.stopPrank();
        uint256 out;
        for (uint256 i; i < 40; ++i) {
            random = uint256(keccak256(abi.encode(random)));
            address who = sources[random % 3];
            uint256 amount = (random >> 8) % 4 ether;
            uint256 seized = (random >> 72) % 2 ether;
            uint256 burned = (random >> 136) % 2 ether;
            uint256 hadOther = bonds.lockedBy(operator, sources[(random + 1) % 3]);
            bool ok;
            if (random >> 255 == 0) {
                vm.prank(who);
                (ok,) = address(bonds).call(abi.encodeCall(bonds.lock, (operator, amount, CLAIM)));
            } else {
                vm.prank(who);
                (ok,) = address(bonds)
                    .call(abi.encodeCall(bonds.release, (operator, amount, seized, burned, CLAIM)));
                if (ok) out += seized + burned;
            }
            assertEq(bonds.lockedBy(operator, sources[(random + 1) % 3]), hadOther);
            BondAccount memory a = bonds.account(operator);
            uint256 held = uint256(a.free) + a.locked + a.queued;
            held += bonds.lockedBy(operator, source) + bonds.lockedBy(operator, stranger);
            assertEq(held + out, 10 ether);
            assertEq(address(bonds).balance + out, 300 ether);
        }
    }

    /* HELPERS */

    function allow(bool allowed) private {
        vm.prank(operator);
        bonds.allowSource(source, allowed);
    }

    function lock(address from, uint256 amount) private {
        vm.prank(from);
        bonds.lock(operator, amount, CLAIM);
    }

    function release(address from, uint256 amount, uint256 seized, uint256 burned) private {
        vm.prank(from);
        bonds.release(operator, amount, seized, burned, CLAIM);
    }

    function expectFree(uint256 free, uint256 wanted) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IOperatorBonds.InsufficientFreeBond.selector, operator, free, wanted
            )
        );
    }

    function expectLocked(uint256 locked, uint256 wanted) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IOperatorBonds.InsufficientLockedBond.selector, operator, locked, wanted
            )
        );
    }

    function check(uint256 free, uint256 locked, uint256 queued) private view {
        BondAccount memory a = bonds.account(operator);
        assertEq(a.free, free, "free");
        assertEq(a.locked, locked, "locked");
        assertEq(a.queued, queued, "queued");
        assertEq(bonds.freeBond(operator), free);
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

/// Locks, has its lock seized, and tries to have it seized again when the ether arrives.
contract ReentrantSource {
    OperatorBonds private immutable BONDS;
    address private immutable OPERATOR;
    bool public refused;

    constructor(OperatorBonds bonds, address operator) {
        (BONDS, OPERATOR) = (bonds, operator);
    }

    function take(uint256 amount) external {
        BONDS.lock(OPERATOR, amount, 0);
        BONDS.release(OPERATOR, amount, amount, 0, 0);
    }

    receive() external payable {
        try BONDS.release(OPERATOR, msg.value, msg.value, 0, 0) {}
        catch {
            refused = true;
        }
    }
}
