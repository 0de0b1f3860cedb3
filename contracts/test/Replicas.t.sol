// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    IInferenceOracle,
    Request,
    RequestParams,
    RequestState,
    RequestStatus,
    Seat,
    SeatStatus
} from "../src/interfaces/IInferenceOracle.sol";
import {ClaimFacts} from "../src/interfaces/IStepVerifier.sol";
import {BaseTest} from "./BaseTest.sol";

/// Requests with several seats: commit, reveal, agreement and disagreement.
contract ReplicasTest is BaseTest {
    uint256 internal constant PENALTY = STAKE / 50;

    /* COMMIT */

    function test_commitClaim_lastOpensReveals() public {
        (Request memory r, bytes32 id) = askAndFill(paramsOf(2));
        bytes32 sealed_ = commitmentOf(r, 0, operators[0], answer());
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Committed(id, operators[0], 0, sealed_);
        commit(r, 0, answer());
        assertTrue(statusOf(id) == RequestStatus.Accepted);
        assertEq(oracle.seatOf(id, 1, 0).value, sealed_);

        skip(100);
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.RevealOpened(id, uint64(block.timestamp) + REVEAL_PERIOD);
        commit(r, 1, answer());
        assertTrue(statusOf(id) == RequestStatus.Revealing);
        assertEq(oracle.stateOf(id).deadline, block.timestamp + REVEAL_PERIOD);
    }

    function test_commitClaim_oneSeat_reverts() public {
        (Request memory r,) = askAndFill(params());
        uint64 seed = seedOf(r);
        expect(IInferenceOracle.NotReplicated.selector);
        vm.prank(operators[0]);
        oracle.commitClaim(r, 0, seed, SALT);
    }

    function test_commitClaim_seatsFree_reverts() public {
        (Request memory r,) = ask(paramsOf(2));
        accept(r, 0);
        uint64 seed = seedOf(r);
        expectStatus(RequestStatus.Open);
        vm.prank(operators[0]);
        oracle.commitClaim(r, 0, seed, SALT);
    }

    function test_commitClaim_afterDeadline_reverts() public {
        (Request memory r,) = askAndFill(paramsOf(2));
        uint64 seed = seedOf(r);
        skip(CLAIM_PERIOD);
        commit(r, 0, answer());
        skip(1);
        expectStatus(RequestStatus.Revealing);
        vm.prank(operators[1]);
        oracle.commitClaim(r, 1, seed, SALT);
    }

    function test_commitClaim_otherSeed_reverts() public {
        (Request memory r,) = askAndFill(paramsOf(2));
        uint64 seed = seedOf(r);
        vm.expectRevert(abi.encodeWithSelector(IInferenceOracle.WrongSeed.selector, seed));
        vm.prank(operators[0]);
        oracle.commitClaim(r, 0, seed ^ 1, SALT);
    }

    function test_commitClaim_empty_reverts() public {
        (Request memory r,) = askAndFill(paramsOf(2));
        uint64 seed = seedOf(r);
        expect(IInferenceOracle.EmptyCommitment.selector);
        vm.prank(operators[0]);
        oracle.commitClaim(r, 0, seed, 0);
    }

    function test_commitClaim_stranger_reverts() public {
        (Request memory r,) = askAndFill(paramsOf(2));
        uint64 seed = seedOf(r);
        expect(IInferenceOracle.NotOperatorOrAgent.selector);
        vm.prank(stranger);
        oracle.commitClaim(r, 0, seed, SALT);
    }

    function test_commitClaim_twice_reverts() public {
        (Request memory r,) = askAndFill(paramsOf(2));
        commit(r, 0, answer());
        uint64 seed = seedOf(r);
        expect(IInferenceOracle.NotSeated.selector);
        vm.prank(operators[0]);
        oracle.commitClaim(r, 0, seed, SALT);
    }

    /* REVEAL */

    function test_revealClaim_windowFollowsReveals() public {
        (Request memory r, bytes32 id) = committed(2);
        uint64 windowEnd = uint64(block.timestamp) + REVEAL_PERIOD + WINDOW;
        bytes32 name = nameOf(r, 1, 0);
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Claimed(id, name, operators[0], 0, windowEnd, answer());
        reveal(r, 0, answer());
        skip(REVEAL_PERIOD);
        reveal(r, 1, answer());
        assertTrue(statusOf(id) == RequestStatus.Revealing);
        skip(1);
        RequestState memory s = oracle.stateOf(id);
        assertTrue(s.status == RequestStatus.Claimed);
        assertEq(s.deadline, windowEnd);
    }

    function test_revealClaim_beforeAllCommitted_reverts() public {
        (Request memory r,) = askAndFill(paramsOf(2));
        commit(r, 0, answer());
        uint64 seed = seedOf(r);
        expectStatus(RequestStatus.Accepted);
        vm.prank(operators[0]);
        oracle.revealClaim(r, 0, seed, answer(), "", SALT);
    }

    /// Commitments close by time too: those who made theirs reveal.
    function test_revealClaim_afterCommitDeadline_succeeds() public {
        (Request memory r, bytes32 id) = askAndFill(paramsOf(2));
        commit(r, 0, answer());
        uint64 closed = oracle.stateOf(id).deadline;
        skip(CLAIM_PERIOD + 1);
        assertTrue(statusOf(id) == RequestStatus.Revealing);
        reveal(r, 0, answer());
        assertEq(oracle.stateOf(id).deadline, closed + REVEAL_PERIOD);
    }

    function test_revealClaim_afterRevealDeadline_reverts() public {
        (Request memory r,) = committed(2);
        skip(REVEAL_PERIOD + 1);
        uint64 seed = seedOf(r);
        expectStatus(RequestStatus.Claimed);
        vm.prank(operators[0]);
        oracle.revealClaim(r, 0, seed, answer(), "", SALT);
    }

    function test_revealClaim_otherAnswer_reverts() public {
        (Request memory r,) = committed(2);
        uint64 seed = seedOf(r);
        expect(IInferenceOracle.WrongReveal.selector);
        vm.prank(operators[0]);
        oracle.revealClaim(r, 0, seed, answer(101), "", SALT);
    }

    function test_revealClaim_otherSalt_reverts() public {
        (Request memory r,) = committed(2);
        uint64 seed = seedOf(r);
        expect(IInferenceOracle.WrongReveal.selector);
        vm.prank(operators[0]);
        oracle.revealClaim(r, 0, seed, answer(), "", "other");
    }

    function test_revealClaim_otherSeed_reverts() public {
        (Request memory r,) = committed(2);
        uint64 seed = seedOf(r);
        vm.expectRevert(abi.encodeWithSelector(IInferenceOracle.WrongSeed.selector, seed));
        vm.prank(operators[0]);
        oracle.revealClaim(r, 0, seed + 1, answer(), "", SALT);
    }

    function test_revealClaim_breaksRules_reverts() public {
        (Request memory r,) = askAndFill(paramsOf(2));
        commit(r, 0, pack(5));
        commit(r, 1, answer());
        uint64 seed = seedOf(r);
        expect(IInferenceOracle.EndsTooSoon.selector);
        vm.prank(operators[0]);
        oracle.revealClaim(r, 0, seed, pack(5), "", SALT);
    }

    function test_revealClaim_twice_reverts() public {
        (Request memory r,) = committed(2);
        reveal(r, 0, answer());
        uint64 seed = seedOf(r);
        expect(IInferenceOracle.NotSeated.selector);
        vm.prank(operators[0]);
        oracle.revealClaim(r, 0, seed, answer(), "", SALT);
    }

    /// A commitment binds its operator: who copies another's cannot reveal it.
    function test_revealClaim_copiedCommitment_reverts() public {
        (Request memory r, bytes32 id) = askAndFill(paramsOf(2));
        commit(r, 0, answer());
        uint64 seed = seedOf(r);
        bytes32 copied = oracle.seatOf(id, 1, 0).value;
        vm.prank(operators[1]);
        oracle.commitClaim(r, 1, seed, copied);
        reveal(r, 0, answer());
        expect(IInferenceOracle.WrongReveal.selector);
        vm.prank(operators[1]);
        oracle.revealClaim(r, 1, seed, answer(), "", SALT);
    }

    /* MISSED */

    function test_missed_withoutCommitment_finesOnlyThat() public {
        (Request memory r, bytes32 id) = askAndFill(paramsOf(3));
        commit(r, 0, answer());
        commit(r, 1, answer());
        skip(CLAIM_PERIOD + 1);
        oracle.missed(r, 2);
        expect(IInferenceOracle.NotMissed.selector);
        oracle.missed(r, 0);
        assertEq(freeOf(2), 10 ether - PENALTY);
        assertEq(lockedOf(0), STAKE);
        assertTrue(statusOf(id) == RequestStatus.Revealing);
    }

    function test_missed_withoutReveal_finesOnlyThat() public {
        (Request memory r, bytes32 id) = committed(2);
        reveal(r, 0, answer());
        skip(REVEAL_PERIOD);
        expect(IInferenceOracle.NotMissed.selector);
        oracle.missed(r, 1);
        skip(1);
        oracle.missed(r, 1);
        assertEq(freeOf(1), 10 ether - PENALTY);
        expect(IInferenceOracle.NotMissed.selector);
        oracle.missed(r, 0);
        assertTrue(statusOf(id) == RequestStatus.Claimed);
    }

    function test_missed_byAll_reopens() public {
        (Request memory r, bytes32 id) = askAndFill(paramsOf(2));
        skip(CLAIM_PERIOD + 1);
        oracle.missed(r, 0);
        assertTrue(statusOf(id) == RequestStatus.Revealing);
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Reopened(id, 1);
        oracle.missed(r, 1);
        assertEq(oracle.stateOf(id).misses, 1);
        accept(r, 2);
        accept(r, 3);
        commit(r, 0, operators[2], answer());
        commit(r, 1, operators[3], answer());
        assertTrue(statusOf(id) == RequestStatus.Revealing);
    }

    /* SETTLEMENT */

    function test_finalize_agreement_splitsFee() public {
        RequestParams memory p = paramsOf(3);
        (Request memory r, bytes32 id) = ask(p, 1000);
        for (uint8 i; i < 3; ++i) {
            accept(r, i);
        }
        for (uint8 i; i < 3; ++i) {
            commit(r, i, answer());
        }
        for (uint8 i; i < 3; ++i) {
            reveal(r, i, answer());
        }
        // Agreement does not shorten the window.
        skip(REVEAL_PERIOD + WINDOW);
        expect(IInferenceOracle.TooEarly.selector);
        oracle.finalize(r, "");
        skip(1);
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Finalized(id, nameOf(r, 1, 0), 32);
        oracle.finalize(r, "");
        assertEq(oracle.credit(operators[0]), 334);
        assertEq(oracle.credit(operators[1]), 333);
        assertEq(oracle.credit(operators[2]), 333);
        for (uint8 i; i < 3; ++i) {
            assertEq(freeOf(i), 10 ether);
        }
    }

    /// Seats that nobody reported are fined at the end, and the fee goes to those who answered.
    function test_finalize_seatsMissing_finesThem() public {
        vm.fee(1 gwei);
        (Request memory r, bytes32 id) = askAndFill(paramsOf(3));
        commit(r, 1, answer());
        commit(r, 2, answer());
        skip(CLAIM_PERIOD + 1);
        reveal(r, 1, answer());
        skip(REVEAL_PERIOD + WINDOW + 1);
        oracle.finalize(r, "");
        assertTrue(statusOf(id) == RequestStatus.Final);
        assertEq(oracle.stateOf(id).finalSeat, 1);
        assertEq(oracle.credit(operators[1]), FEE);
        // Three seats: for each, a third of the most that a round brings its requester.
        assertEq(creditOf(r), 2 * 100_000 gwei);
        assertEq(BURNED.balance, 2 * (PENALTY - 100_000 gwei));
        assertEq(freeOf(0), 10 ether - PENALTY);
        assertEq(freeOf(2), 10 ether - PENALTY);
    }

    function test_finalize_nobodyRevealed_reopens() public {
        (Request memory r, bytes32 id) = committed(2);
        skip(REVEAL_PERIOD + WINDOW + 1);
        oracle.finalize(r, "");
        assertTrue(statusOf(id) == RequestStatus.Open);
        assertEq(oracle.stateOf(id).attempt, 1);
        assertEq(oracle.stateOf(id).misses, 1);
        assertEq(BURNED.balance, 2 * PENALTY);
        assertEq(oracle.credit(operators[0]), 0);
        accept(r, 0);
    }

    /// The same past the accept deadline: nobody can answer any more.
    function test_finalize_nobodyRevealedTooLate_refunds() public {
        (Request memory r, bytes32 id) = committed(2);
        skip(ACCEPT_PERIOD + 1);
        oracle.finalize(r, "");
        assertTrue(statusOf(id) == RequestStatus.Refunded);
        assertEq(creditOf(r), FEE);
        assertEq(lockedOf(0) + lockedOf(1), 0);
    }

    /// The requester may own one of the seats that disagree: it gets nothing back.
    function test_finalize_disagreement_burnsFee() public {
        (Request memory r, bytes32 id) = disagreeing();
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Undecided(id, FEE);
        oracle.finalize(r, "");
        assertTrue(statusOf(id) == RequestStatus.Undecided);
        assertEq(creditOf(r), 0);
        assertEq(oracle.credit(requester), 0);
        assertEq(BURNED.balance, FEE);
        assertEq(address(oracle).balance, 0);
        for (uint8 i; i < 3; ++i) {
            assertEq(freeOf(i), 10 ether);
            assertEq(oracle.credit(operators[i]), 0);
        }
        (, uint32 count, bytes32 hash,) = oracle.result(id);
        assertEq(count, 0);
        assertEq(hash, 0);
        expectStatus(RequestStatus.Undecided);
        oracle.finalize(r, "");
        expectStatus(RequestStatus.Undecided);
        oracle.expire(r);
        expectStatus(RequestStatus.Undecided);
        cancel(r);
    }

    /// Two seats, one the requester's: it reads the honest answer and spoils agreement. That costs
    /// it the fee.
    function test_finalize_puppetDisagrees_requesterLosesFee() public {
        uint256 had = requester.balance;
        (Request memory r,) = committed(2, 500);
        reveal(r, 0, answer());
        reveal(r, 1, answer(500));
        skip(REVEAL_PERIOD + WINDOW + 1);
        oracle.finalize(r, "");
        assertEq(requester.balance + creditOf(r) + oracle.credit(operators[1]), had - FEE);
        vm.prank(requester);
        expect(IInferenceOracle.NothingToWithdraw.selector);
        oracle.withdrawOf(r, payable(requester));
    }

    /// A claim that disagrees is worth nothing after its conviction, nor is a seat that missed.
    function test_finalize_disagreement_finesTheRest() public {
        (Request memory r, bytes32 id) = committed(3, 200);
        reveal(r, 0, answer());
        reveal(r, 2, answer(200));
        skip(REVEAL_PERIOD + WINDOW + 1);
        oracle.finalize(r, "");
        assertTrue(statusOf(id) == RequestStatus.Undecided);
        assertEq(freeOf(0), 10 ether);
        assertEq(freeOf(1), 10 ether - PENALTY);
        assertEq(freeOf(2), 10 ether);
        assertEq(BURNED.balance, FEE + PENALTY);
    }

    function test_finalize_disagreementWithoutFee_succeeds() public {
        (Request memory r, bytes32 id) = ask(paramsOf(2), 0);
        fill(r);
        commit(r, 0, answer());
        commit(r, 1, answer(200));
        reveal(r, 0, answer());
        reveal(r, 1, answer(200));
        skip(REVEAL_PERIOD + WINDOW + 1);
        oracle.finalize(r, "");
        assertTrue(statusOf(id) == RequestStatus.Undecided);
        assertEq(BURNED.balance, 0);
    }

    /// Two against one: the majority has no say, a conviction has.
    function test_finalize_majorityConvicted_minorityIsPaid() public {
        (Request memory r, bytes32 id) = disagreeing();
        convict(r, 1, 0);
        convict(r, 1, 1);
        oracle.finalize(r, "");
        assertTrue(statusOf(id) == RequestStatus.Final);
        (,, bytes32 hash,) = oracle.result(id);
        assertEq(hash, tokensHash(answer(200)));
        assertEq(oracle.credit(operators[2]), FEE);
        assertEq(lockedOf(0) + lockedOf(1) + lockedOf(2), 0);
    }

    function test_finalize_oneOfMajorityConvicted_staysUndecided() public {
        (Request memory r, bytes32 id) = disagreeing();
        convict(r, 1, 0);
        oracle.finalize(r, "");
        assertTrue(statusOf(id) == RequestStatus.Undecided);
        assertEq(freeOf(0), 10 ether - STAKE);
        assertEq(freeOf(1), 10 ether);
    }

    function test_convict_allSeats_reopens() public {
        (Request memory r, bytes32 id) = disagreeing();
        convict(r, 1, 0);
        convict(r, 1, 1);
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Reopened(id, 2);
        convict(r, 1, 2);
        accept(r, 3);
    }

    /// A dispute against one of the claims holds back all; a conviction ends the disputes of its
    /// claim.
    function test_finalize_disputeLive_reverts() public {
        (Request memory r,) = committed(2, 200);
        reveal(r, 0, answer());
        bytes32 name = nameOf(r, 1, 0);
        vm.prank(game);
        oracle.disputed(name, openingOf(r));
        reveal(r, 1, answer(200));
        skip(REVEAL_PERIOD + WINDOW + 1);
        expect(IInferenceOracle.DisputeLive.selector);
        oracle.finalize(r, "");
        convict(r, 1, 0);
        oracle.finalize(r, "");
        assertEq(oracle.credit(operators[1]), FEE);
    }

    /// Convicted while others still reveal: the request goes on with them.
    function test_convict_whileRevealing_othersGoOn() public {
        (Request memory r, bytes32 id) = committed(2, 200);
        reveal(r, 0, answer());
        convict(r, 1, 0);
        assertTrue(statusOf(id) == RequestStatus.Revealing);
        reveal(r, 1, answer(200));
        skip(REVEAL_PERIOD + WINDOW + 1);
        oracle.finalize(r, "");
        assertEq(oracle.credit(operators[1]), FEE);
    }

    /// A claim convicted and a seat that missed end the attempt: one conviction is enough.
    function test_round_convictedAndMissed_usesUpAttempt() public {
        (Request memory r, bytes32 id) = committed(2);
        reveal(r, 0, answer());
        convict(r, 1, 0);
        skip(REVEAL_PERIOD + 1);
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Reopened(id, 2);
        oracle.missed(r, 1);
        assertEq(oracle.stateOf(id).misses, 0);
        assertEq(freeOf(1), 10 ether - PENALTY);
    }

    /// The seats of one round are fined alike; the fine grows by rounds.
    function test_missed_seatsOfOneRound_sameFine() public {
        (Request memory r, bytes32 id) = askAndFill(paramsOf(3));
        for (uint256 round; round < 2; ++round) {
            skip(CLAIM_PERIOD + 1);
            for (uint8 i; i < 3; ++i) {
                oracle.missed(r, i);
            }
            assertEq(oracle.stateOf(id).misses, round + 1);
            for (uint8 i; i < 3; ++i) {
                assertEq(freeOf(i), 10 ether - (round == 0 ? PENALTY : 3 * PENALTY));
            }
            fill(r);
        }
    }

    /// A commitment of one seat, attempt or request is none for another.
    function test_revealClaim_otherSeatsCommitment_reverts() public {
        (Request memory r,) = askAndFill(paramsOf(2));
        bytes32 ofOtherSeat = commitmentOf(r, 1, operators[0], answer());
        vm.prank(operators[0]);
        oracle.commitClaim(r, 0, 0, ofOtherSeat);
        commit(r, 1, answer());
        expect(IInferenceOracle.WrongReveal.selector);
        vm.prank(operators[0]);
        oracle.revealClaim(r, 0, 0, answer(), "", SALT);
    }

    /// Each seat is played by its own operator alone.
    function test_commitClaim_anothersSeat_reverts() public {
        (Request memory r,) = askAndFill(paramsOf(2));
        vm.startPrank(operators[0]);
        expect(IInferenceOracle.NotOperatorOrAgent.selector);
        oracle.commitClaim(r, 1, 0, SALT);
        expect(IInferenceOracle.NotSeated.selector);
        oracle.commitClaim(r, 2, 0, SALT);
        vm.stopPrank();
        commit(r, 0, answer());
        commit(r, 1, answer());
        vm.startPrank(operators[0]);
        expect(IInferenceOracle.NotOperatorOrAgent.selector);
        oracle.revealClaim(r, 1, 0, answer(), "", SALT);
        expect(IInferenceOracle.NotSeated.selector);
        oracle.revealClaim(r, 2, 0, answer(), "", SALT);
    }

    function test_revealClaim_sampled_bindsSeed() public {
        RequestParams memory p = sampled();
        p.replicas = 2;
        (Request memory r, bytes32 id) = askAndFill(p);
        commit(r, 0, answer());
        commit(r, 1, answer());
        uint64 seed = seedOf(r);
        assertNotEq(seed, 0);
        vm.expectRevert(abi.encodeWithSelector(IInferenceOracle.WrongSeed.selector, seed));
        vm.prank(operators[0]);
        oracle.revealClaim(r, 0, 0, answer(), "", SALT);
        reveal(r, 0, answer());
        (, ClaimFacts memory f) = oracle.claimOf(nameOf(r, 1, 0), openingOf(r));
        assertEq(abi.encode(f), abi.encode(factsOf(r, answer())));
        assertEq(oracle.seatOf(id, 1, 0).value, tokensHash(answer()));
    }

    function committed(uint8 replicas) private returns (Request memory r, bytes32 id) {
        return committed(replicas, 100);
    }

    /// The last operator's answer starts with the given token, those of the others with 100.
    function committed(uint8 replicas, uint32 last) private returns (Request memory r, bytes32 id) {
        (r, id) = askAndFill(paramsOf(replicas));
        for (uint8 i; i < replicas; ++i) {
            commit(r, i, answer(i + 1 == replicas ? last : 100));
        }
    }

    /// Operators 0 and 1 say one thing, 2 another; the window is over.
    function disagreeing() private returns (Request memory r, bytes32 id) {
        (r, id) = committed(3, 200);
        for (uint8 i; i < 3; ++i) {
            reveal(r, i, answer(i == 2 ? 200 : 100));
        }
        skip(REVEAL_PERIOD + WINDOW + 1);
    }
}
