// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IClaims} from "../src/interfaces/IClaims.sol";
import {
    IInferenceOracle,
    Request,
    RequestParams,
    RequestState,
    RequestStatus,
    SeatStatus
} from "../src/interfaces/IInferenceOracle.sol";
import {GreedyReceiver, Refuser} from "./mocks/Callbacks.sol";
import {BaseTest} from "./BaseTest.sol";

/// Requests that end without an answer: cancelled, expired, malformed. And the requester's way to
/// its money.
contract EndsTest is BaseTest {
    /* CANCEL */

    function test_cancel_open_refundsAtOnce() public {
        (Request memory r, bytes32 id) = ask(params());
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Cancelled(id);
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Refunded(id, FEE);
        cancel(r);
        RequestState memory s = oracle.stateOf(id);
        assertTrue(s.status == RequestStatus.Refunded);
        assertTrue(s.cancelled);
        assertEq(creditOf(r), FEE);
        expectStatus(RequestStatus.Refunded);
        accept(r, 0);
        expectStatus(RequestStatus.Refunded);
        cancel(r);
    }

    /// Seats taken of a request that is not filled are free at once too.
    function test_cancel_openWithSeats_frees() public {
        (Request memory r, bytes32 id) = ask(paramsOf(3));
        accept(r, 0);
        accept(r, 1);
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.SeatsFreed(id);
        cancel(r);
        assertEq(freeOf(0), 10 ether);
        assertEq(freeOf(1), 10 ether);
        assertTrue(statusOf(id) == RequestStatus.Refunded);
    }

    /// Operators that took all seats keep their round: their answer is paid.
    function test_cancel_accepted_roundGoesOn() public {
        (Request memory r, bytes32 id) = askAndFill(params());
        cancel(r);
        assertTrue(statusOf(id) == RequestStatus.Accepted);
        assertEq(creditOf(r), 0);
        claim(r, 0, answer());
        skip(WINDOW + 1);
        oracle.finalize(r, "");
        assertTrue(statusOf(id) == RequestStatus.Final);
        assertEq(oracle.credit(operators[0]), FEE);
        assertEq(creditOf(r), 0);
    }

    function test_cancel_accepted_refundsAfterMiss() public {
        (Request memory r, bytes32 id) = askAndFill(params());
        cancel(r);
        skip(CLAIM_PERIOD + 1);
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Refunded(id, FEE);
        oracle.missed(r, 0);
        assertTrue(statusOf(id) == RequestStatus.Refunded);
    }

    function test_cancel_replicas_refundsAfterLastMiss() public {
        (Request memory r, bytes32 id) = askAndFill(paramsOf(2));
        commit(r, 0, answer());
        commit(r, 1, answer());
        cancel(r);
        skip(REVEAL_PERIOD + 1);
        oracle.missed(r, 0);
        assertTrue(statusOf(id) == RequestStatus.Claimed);
        oracle.missed(r, 1);
        assertTrue(statusOf(id) == RequestStatus.Refunded);
    }

    function test_cancel_claimed_expiresAfterConviction() public {
        (Request memory r, bytes32 id) = askAndClaim(params());
        cancel(r);
        convict(r, 1, 0);
        assertTrue(statusOf(id) == RequestStatus.Open);
        expect(IInferenceOracle.NoMoreAttempts.selector);
        accept(r, 1);
        oracle.expire(r);
        assertTrue(statusOf(id) == RequestStatus.Refunded);
        assertEq(creditOf(r), FEE + STAKE / 10);
    }

    function testFuzz_cancel_others_revert(address caller) public {
        vm.assume(caller != requester);
        (Request memory r,) = ask(params());
        vm.startPrank(caller);
        expect(IInferenceOracle.NotRequester.selector);
        oracle.cancel(r);
        // A caller that names itself as the requester names another request.
        r.requester = caller;
        expectStatus(RequestStatus.None);
        oracle.cancel(r);
    }

    function test_cancel_settled_reverts() public {
        (Request memory r,) = askAndClaim(params());
        skip(WINDOW + 1);
        oracle.finalize(r, "");
        expectStatus(RequestStatus.Final);
        cancel(r);
    }

    /* EXPIRE */

    function test_expire_pastDeadline_refunds() public {
        (Request memory r, bytes32 id) = ask(params());
        skip(ACCEPT_PERIOD);
        expect(IInferenceOracle.TooEarly.selector);
        oracle.expire(r);
        skip(1);
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Refunded(id, FEE);
        vm.prank(stranger);
        oracle.expire(r);
        assertEq(creditOf(r), FEE);
        assertEq(oracle.credit(requester), 0);
        expectStatus(RequestStatus.Refunded);
        oracle.expire(r);
    }

    function test_expire_seedBlockLost_refunds() public {
        (Request memory r, bytes32 id) = ask(sampled());
        vm.roll(block.number + 8000);
        expect(IInferenceOracle.TooEarly.selector);
        oracle.expire(r);
        vm.roll(block.number + 1);
        oracle.expire(r);
        assertTrue(statusOf(id) == RequestStatus.Refunded);
    }

    function test_expire_greedy_losesNoBlock() public {
        (Request memory r,) = ask(params());
        vm.roll(block.number + 100_000);
        expect(IInferenceOracle.TooEarly.selector);
        oracle.expire(r);
        accept(r, 0);
    }

    /// Once fixed, the seed needs no block hash any more.
    function test_expire_seedFixed_waitsForDeadline() public {
        RequestParams memory p = sampled();
        p.replicas = 2;
        (Request memory r,) = ask(p);
        accept(r, 0);
        vm.roll(block.number + 9000);
        expect(IInferenceOracle.TooEarly.selector);
        oracle.expire(r);
        accept(r, 1);
    }

    function test_expire_seatsPartlyTaken_unlocks() public {
        RequestParams memory p = paramsOf(3);
        p.acceptDeadline = uint64(block.timestamp) + 10;
        (Request memory r,) = ask(p);
        accept(r, 0);
        accept(r, 1);
        assertEq(lockedOf(0), STAKE);
        skip(11);
        oracle.expire(r);
        assertEq(lockedOf(0) + lockedOf(1), 0);
        assertEq(freeOf(0), 10 ether);
        assertEq(creditOf(r), FEE);
    }

    function test_expire_accepted_reverts() public {
        (Request memory r,) = askAndFill(params());
        skip(30 days);
        expectStatus(RequestStatus.Accepted);
        oracle.expire(r);
    }

    function test_expire_unknown_reverts() public {
        Request memory r = requestOf(params(), FEE);
        expectStatus(RequestStatus.None);
        oracle.expire(r);
    }

    /// After five attempts of convicted claims nobody can accept, and anybody expires.
    function test_expire_afterFiveAttempts_refunds() public {
        (Request memory r, bytes32 id) = ask(params());
        for (uint8 attempt = 1; attempt <= 5; ++attempt) {
            assertEq(oracle.stateOf(id).attempt, attempt);
            expect(IInferenceOracle.TooEarly.selector);
            oracle.expire(r);
            accept(r, attempt);
            claim(r, attempt, answer());
            convict(r, attempt, 0);
        }
        RequestState memory s = oracle.stateOf(id);
        assertEq(s.attempt, 6);
        assertTrue(s.status == RequestStatus.Open);
        expect(IInferenceOracle.NoMoreAttempts.selector);
        accept(r, 6);
        oracle.expire(r);
        assertTrue(statusOf(id) == RequestStatus.Refunded);
        assertEq(creditOf(r), FEE + 5 * (STAKE / 10));
        for (uint8 attempt = 1; attempt <= 5; ++attempt) {
            assertEq(oracle.seatOf(id, attempt, 0).operator, operators[attempt]);
            assertTrue(seatStatusOf(r, attempt, 0) == SeatStatus.Convicted);
        }
    }

    /// Five seats, five attempts: all names are used, and each stays what it was.
    function test_expire_afterFiveAttemptsOfReplicas_refunds() public {
        (Request memory r, bytes32 id) = ask(paramsOf(5));
        for (uint8 attempt = 1; attempt <= 5; ++attempt) {
            for (uint8 i; i < 5; ++i) {
                accept(r, operators[5 * (attempt - 1) + i]);
            }
            for (uint8 i; i < 5; ++i) {
                commit(r, i, operators[5 * (attempt - 1) + i], answer());
            }
            for (uint8 i; i < 5; ++i) {
                reveal(r, i, operators[5 * (attempt - 1) + i], answer());
            }
            for (uint8 i; i < 5; ++i) {
                convict(r, attempt, i);
            }
        }
        expect(IInferenceOracle.NoMoreAttempts.selector);
        accept(r, 29);
        oracle.expire(r);
        assertEq(creditOf(r), FEE + 25 * (STAKE / 10));
        for (uint8 attempt = 1; attempt <= 5; ++attempt) {
            for (uint8 i; i < 5; ++i) {
                assertEq(oracle.seatOf(id, attempt, i).operator, operators[5 * (attempt - 1) + i]);
                assertFalse(oracle.standing(nameOf(r, attempt, i)));
            }
        }
    }

    /* MALFORMED MODELS */

    function test_voidClaim_thenExpire_refunds() public {
        (Request memory r, bytes32 id) = askAndClaim(params());
        bytes32 name = nameOf(r, 1, 0);
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Voided(id, name);
        vm.prank(game);
        oracle.voidClaim(name, STAKE);
        assertFalse(oracle.standing(name));
        RequestState memory s = oracle.stateOf(id);
        assertTrue(s.status == RequestStatus.Open);
        assertTrue(s.cancelled);
        assertEq(s.seatsTaken, 0);
        assertEq(freeOf(0), 10 ether);
        expect(IInferenceOracle.NoMoreAttempts.selector);
        accept(r, 1);
        vm.prank(game);
        expect(IClaims.NoSuchClaim.selector);
        oracle.voidClaim(name, STAKE);
        oracle.expire(r);
        assertTrue(statusOf(id) == RequestStatus.Refunded);
        assertEq(creditOf(r), FEE);
        assertEq(oracle.seatOf(id, 1, 0).operator, address(0));
    }

    function test_voidClaim_unlocksAllSeats() public {
        (Request memory r, bytes32 id) = askAndFill(paramsOf(4));
        commit(r, 0, answer());
        commit(r, 1, answer());
        skip(CLAIM_PERIOD + 1);
        reveal(r, 0, answer());
        // One has claimed, one has committed, one is late, one is fined.
        oracle.missed(r, 3);
        bytes32 name = nameOf(r, 1, 0);
        vm.prank(game);
        oracle.voidClaim(name, STAKE);
        for (uint256 i; i < 4; ++i) {
            assertEq(lockedOf(i), 0);
            assertEq(freeOf(i), i == 3 ? 10 ether - STAKE / 50 : 10 ether);
        }
        oracle.expire(r);
        assertTrue(statusOf(id) == RequestStatus.Refunded);
        assertEq(address(oracle).balance, creditOf(r));
    }

    function test_voidClaim_final_reverts() public {
        (Request memory r,) = askAndClaim(params());
        skip(WINDOW + 1);
        oracle.finalize(r, "");
        bytes32 name = nameOf(r, 1, 0);
        expect(IClaims.NoSuchClaim.selector);
        vm.prank(game);
        oracle.voidClaim(name, STAKE);
    }

    /* THE REQUESTER'S MONEY */

    function test_withdrawOf_paysOnce_succeeds() public {
        (Request memory r, bytes32 id) = ask(params());
        cancel(r);
        assertEq(oracle.creditOf(id), FEE);
        vm.startPrank(requester);
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.WithdrawnOf(id, stranger, FEE);
        oracle.withdrawOf(r, payable(stranger));
        assertEq(stranger.balance, FEE);
        assertEq(oracle.creditOf(id), 0);
        assertEq(address(oracle).balance, 0);
        expect(IInferenceOracle.NothingToWithdraw.selector);
        oracle.withdrawOf(r, payable(stranger));
    }

    /// Money of one request is not that of another, whoever asked.
    function test_withdrawOf_isByRequest() public {
        (Request memory a,) = ask(params(), 1 ether);
        (Request memory b,) = ask(params(), 2 ether);
        cancel(a);
        cancel(b);
        vm.startPrank(requester);
        oracle.withdrawOf(a, payable(stranger));
        assertEq(stranger.balance, 1 ether);
        assertEq(creditOf(b), 2 ether);
        expect(IInferenceOracle.NothingToWithdraw.selector);
        oracle.withdraw(payable(stranger));
    }

    function testFuzz_withdrawOf_others_revert(address caller) public {
        vm.assume(caller != requester);
        (Request memory r,) = ask(params());
        cancel(r);
        vm.startPrank(caller);
        expect(IInferenceOracle.NotRequester.selector);
        oracle.withdrawOf(r, payable(caller));
        r.requester = caller;
        expect(IInferenceOracle.NothingToWithdraw.selector);
        oracle.withdrawOf(r, payable(caller));
    }

    function test_withdrawOf_receiverRefuses_keepsCredit() public {
        (Request memory r,) = ask(params());
        cancel(r);
        address refuser = address(new Refuser());
        expect(IInferenceOracle.TransferFailed.selector);
        vm.prank(requester);
        oracle.withdrawOf(r, payable(refuser));
        assertEq(creditOf(r), FEE);
    }

    /// The oracle holds the fee of another request, which a second withdrawal would take.
    function test_withdrawOf_reentered_paysOnce() public {
        GreedyReceiver attacker = new GreedyReceiver();
        ask(params());
        RequestParams memory p = params();
        Request memory r = requestOf(p, FEE);
        (r.requester, r.nonce) = (address(attacker), 0);
        attacker.call{value: FEE}(address(oracle), abi.encodeCall(oracle.request, (p)));
        attacker.call(address(oracle), abi.encodeCall(oracle.cancel, (r)));
        attacker.takeOf(oracle, r);
        assertEq(attacker.received(), FEE);
        assertTrue(attacker.refused());
        assertEq(address(oracle).balance, FEE);
    }

    /// All that one request can bring: fee, shares of fines and of slashed bonds.
    function test_withdrawOf_addsUp() public {
        vm.fee(1 gwei);
        (Request memory r,) = askAndFill(params());
        skip(CLAIM_PERIOD + 1);
        oracle.missed(r, 0);
        uint256 share = 300_000 gwei;
        assertEq(creditOf(r), share);
        accept(r, 1);
        claim(r, 1, answer());
        convict(r, 1, 0);
        assertEq(creditOf(r), share + STAKE / 10);
        vm.prank(requester);
        oracle.withdrawOf(r, payable(stranger));
        cancel(r);
        assertEq(creditOf(r), FEE);
        assertEq(stranger.balance, share + STAKE / 10);
    }
}
