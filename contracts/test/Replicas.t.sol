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
import {BaseTest} from "./BaseTest.sol";

/// Requests with several seats: commit, reveal, agreement and disagreement.
contract ReplicasTest is BaseTest {
    uint256 internal constant PENALTY = STAKE / 50;

    /* COMMIT */

    function test_commitClaim_lastOpensReveals() public {
        (Request memory r, bytes32 id) = askAndFill(paramsOf(2));
        bytes32 sealed_ = keccak256(abi.encode(claimHashOf(r, operators[0], answer()), SALT));
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Committed(id, operators[0], sealed_);
        commit(r, 0, answer());
        assertTrue(statusOf(id) == RequestStatus.Accepted);
        assertEq(oracle.seatOf(id, 1, 0).value, sealed_);

        skip(100);
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.RevealOpened(id, uint64(block.timestamp) + 15);
        commit(r, 1, answer());
        assertTrue(statusOf(id) == RequestStatus.Revealing);
        assertEq(oracle.stateOf(id).deadline, block.timestamp + 15);
    }

    function test_commitClaim_oneSeat_reverts() public {
        (Request memory r,) = askAndFill(params());
        uint64 seed = seedOf(r);
        expect(IInferenceOracle.NotReplicated.selector);
        vm.prank(operators[0]);
        oracle.commitClaim(r, seed, SALT);
    }

    function test_commitClaim_seatsFree_reverts() public {
        (Request memory r,) = ask(paramsOf(2));
        vm.roll(block.number + 2);
        accept(r, 0);
        uint64 seed = seedOf(r);
        expectStatus(RequestStatus.Open);
        vm.prank(operators[0]);
        oracle.commitClaim(r, seed, SALT);
    }

    function test_commitClaim_afterDeadline_reverts() public {
        (Request memory r,) = askAndFill(paramsOf(2));
        uint64 seed = seedOf(r);
        skip(5 minutes);
        commit(r, 0, answer());
        skip(1);
        expectStatus(RequestStatus.Revealing);
        vm.prank(operators[1]);
        oracle.commitClaim(r, seed, SALT);
    }

    function test_commitClaim_otherSeed_reverts() public {
        (Request memory r,) = askAndFill(paramsOf(2));
        uint64 seed = seedOf(r);
        vm.expectRevert(abi.encodeWithSelector(IInferenceOracle.WrongSeed.selector, seed));
        vm.prank(operators[0]);
        oracle.commitClaim(r, seed ^ 1, SALT);
    }

    function test_commitClaim_empty_reverts() public {
        (Request memory r,) = askAndFill(paramsOf(2));
        uint64 seed = seedOf(r);
        expect(IInferenceOracle.EmptyCommitment.selector);
        vm.prank(operators[0]);
        oracle.commitClaim(r, seed, 0);
    }

    function test_commitClaim_stranger_reverts() public {
        (Request memory r,) = askAndFill(paramsOf(2));
        uint64 seed = seedOf(r);
        expect(IInferenceOracle.NotSeated.selector);
        vm.prank(stranger);
        oracle.commitClaim(r, seed, SALT);
    }

    function test_commitClaim_twice_reverts() public {
        (Request memory r,) = askAndFill(paramsOf(2));
        commit(r, 0, answer());
        uint64 seed = seedOf(r);
        expect(IInferenceOracle.NotSeated.selector);
        vm.prank(operators[0]);
        oracle.commitClaim(r, seed, SALT);
    }

    /* REVEAL */

    function test_revealClaim_windowFollowsReveals() public {
        (Request memory r, bytes32 id) = committed(2);
        uint64 windowEnd = uint64(block.timestamp) + 15 + WINDOW;
        bytes32 claimHash = claimHashOf(r, operators[0], answer());
        bytes32 claimId = claimIdOf(r, operators[0], answer(), 1);
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Claimed(id, claimId, operators[0], claimHash, windowEnd, answer());
        reveal(r, 0, answer());
        skip(15);
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
        oracle.revealClaim(r, seed, answer(), "", SALT);
    }

    /// Commitments close by time too: those who made theirs reveal, and an event says until when.
    function test_revealClaim_afterCommitDeadline_succeeds() public {
        (Request memory r, bytes32 id) = askAndFill(paramsOf(2));
        commit(r, 0, answer());
        uint64 closed = oracle.stateOf(id).deadline;
        skip(5 minutes + 1);
        assertTrue(statusOf(id) == RequestStatus.Revealing);
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.RevealOpened(id, closed + 15);
        reveal(r, 0, answer());
        assertEq(oracle.stateOf(id).deadline, closed + 15);
    }

    function test_revealClaim_afterRevealDeadline_reverts() public {
        (Request memory r,) = committed(2);
        skip(16);
        uint64 seed = seedOf(r);
        expectStatus(RequestStatus.Claimed);
        vm.prank(operators[0]);
        oracle.revealClaim(r, seed, answer(), "", SALT);
    }

    function test_revealClaim_otherAnswer_reverts() public {
        (Request memory r,) = committed(2);
        uint64 seed = seedOf(r);
        expect(IInferenceOracle.WrongReveal.selector);
        vm.prank(operators[0]);
        oracle.revealClaim(r, seed, answer(101), "", SALT);
    }

    function test_revealClaim_otherSalt_reverts() public {
        (Request memory r,) = committed(2);
        uint64 seed = seedOf(r);
        expect(IInferenceOracle.WrongReveal.selector);
        vm.prank(operators[0]);
        oracle.revealClaim(r, seed, answer(), "", "other");
    }

    function test_revealClaim_otherSeed_reverts() public {
        (Request memory r,) = committed(2);
        uint64 seed = seedOf(r);
        vm.expectRevert(abi.encodeWithSelector(IInferenceOracle.WrongSeed.selector, seed));
        vm.prank(operators[0]);
        oracle.revealClaim(r, seed + 1, answer(), "", SALT);
    }

    function test_revealClaim_breaksRules_reverts() public {
        (Request memory r,) = askAndFill(paramsOf(2));
        commit(r, 0, pack(5));
        commit(r, 1, answer());
        uint64 seed = seedOf(r);
        expect(IInferenceOracle.EndsTooSoon.selector);
        vm.prank(operators[0]);
        oracle.revealClaim(r, seed, pack(5), "", SALT);
    }

    function test_revealClaim_twice_reverts() public {
        (Request memory r,) = committed(2);
        reveal(r, 0, answer());
        uint64 seed = seedOf(r);
        expect(IInferenceOracle.NotSeated.selector);
        vm.prank(operators[0]);
        oracle.revealClaim(r, seed, answer(), "", SALT);
    }

    /// A commitment binds its operator: who copies another's cannot reveal it.
    function test_revealClaim_copiedCommitment_reverts() public {
        (Request memory r, bytes32 id) = askAndFill(paramsOf(2));
        commit(r, 0, answer());
        uint64 seed = seedOf(r);
        bytes32 copied = oracle.seatOf(id, 1, 0).value;
        vm.prank(operators[1]);
        oracle.commitClaim(r, seed, copied);
        reveal(r, 0, answer());
        expect(IInferenceOracle.WrongReveal.selector);
        vm.prank(operators[1]);
        oracle.revealClaim(r, seed, answer(), "", SALT);
    }

    /* MISSED */

    function test_missed_withoutCommitment_finesOnlyThat() public {
        (Request memory r, bytes32 id) = askAndFill(paramsOf(3));
        commit(r, 0, answer());
        commit(r, 1, answer());
        skip(5 minutes + 1);
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
        skip(15);
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
        skip(5 minutes + 1);
        oracle.missed(r, 0);
        assertTrue(statusOf(id) == RequestStatus.Revealing);
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Reopened(id, 2, uint64(block.timestamp) + 1 hours);
        oracle.missed(r, 1);
        accept(r, 2);
        accept(r, 3);
        commit(r, 2, answer());
        commit(r, 3, answer());
        assertTrue(statusOf(id) == RequestStatus.Revealing);
    }

    /* SETTLEMENT */

    function test_finalize_agreement_splitsFee() public {
        RequestParams memory p = paramsOf(3);
        (Request memory r, bytes32 id) = ask(p, 1000);
        vm.roll(block.number + 2);
        for (uint256 i; i < 3; ++i) {
            accept(r, i);
        }
        for (uint256 i; i < 3; ++i) {
            commit(r, i, answer());
        }
        for (uint256 i; i < 3; ++i) {
            reveal(r, i, answer());
        }
        // Agreement does not shorten the window.
        skip(15 + WINDOW);
        expect(IInferenceOracle.TooEarly.selector);
        oracle.finalize(r, "");
        skip(1);
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Finalized(
            id, claimIdOf(r, operators[0], answer(), 1), 32, tokensHash(answer())
        );
        oracle.finalize(r, "");
        assertEq(oracle.credit(operators[0]), 334);
        assertEq(oracle.credit(operators[1]), 333);
        assertEq(oracle.credit(operators[2]), 333);
        for (uint256 i; i < 3; ++i) {
            assertEq(freeOf(i), 10 ether);
        }
    }

    /// Seats that nobody reported are fined at the end, and the fee goes to those who answered.
    function test_finalize_seatsMissing_finesThem() public {
        (Request memory r, bytes32 id) = askAndFill(paramsOf(3));
        commit(r, 1, answer());
        commit(r, 2, answer());
        skip(5 minutes + 1);
        reveal(r, 1, answer());
        skip(15 + WINDOW + 1);
        oracle.finalize(r, "");
        assertTrue(statusOf(id) == RequestStatus.Final);
        assertEq(oracle.stateOf(id).finalSeat, 1);
        assertEq(oracle.credit(operators[1]), FEE);
        assertEq(oracle.credit(requester), 2 * PENALTY);
        assertEq(freeOf(0), 10 ether - PENALTY);
        assertEq(freeOf(2), 10 ether - PENALTY);
    }

    function test_finalize_nobodyRevealed_reopens() public {
        (Request memory r, bytes32 id) = committed(2);
        skip(15 + WINDOW + 1);
        oracle.finalize(r, "");
        assertTrue(statusOf(id) == RequestStatus.Open);
        assertEq(oracle.stateOf(id).attempt, 2);
        assertEq(oracle.credit(requester), 2 * PENALTY);
        assertEq(oracle.credit(operators[0]), 0);
    }

    function test_finalize_disagreement_refunds() public {
        (Request memory r, bytes32 id) = disagreeing();
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Refunded(id);
        oracle.finalize(r, "");
        assertTrue(statusOf(id) == RequestStatus.Refunded);
        assertEq(oracle.credit(requester), FEE);
        for (uint256 i; i < 3; ++i) {
            assertEq(freeOf(i), 10 ether);
            assertEq(oracle.credit(operators[i]), 0);
        }
        (, uint32 count,,) = oracle.result(id);
        assertEq(count, 0);
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

    function test_finalize_oneOfMajorityConvicted_refunds() public {
        (Request memory r, bytes32 id) = disagreeing();
        convict(r, 1, 0);
        oracle.finalize(r, "");
        assertTrue(statusOf(id) == RequestStatus.Refunded);
        assertEq(freeOf(0), 10 ether - STAKE);
        assertEq(freeOf(1), 10 ether);
    }

    function test_convict_allSeats_reopens() public {
        (Request memory r, bytes32 id) = disagreeing();
        convict(r, 1, 0);
        convict(r, 1, 1);
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Reopened(id, 2, uint64(block.timestamp) + 1 hours);
        convict(r, 1, 2);
        accept(r, 3);
    }

    /// A dispute against one of the claims holds back all; a conviction ends the disputes of its
    /// claim.
    function test_finalize_disputeLive_reverts() public {
        (Request memory r, bytes32 id) = committed(2, 200);
        reveal(r, 0, answer());
        vm.prank(game);
        oracle.disputeOpened(id, 1, 0);
        reveal(r, 1, answer(200));
        skip(15 + WINDOW + 1);
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
        skip(15 + WINDOW + 1);
        oracle.finalize(r, "");
        assertEq(oracle.credit(operators[1]), FEE);
    }

    function test_voidClaim_unlocksAllSeats() public {
        (Request memory r, bytes32 id) = committed(3);
        reveal(r, 0, answer());
        vm.prank(game);
        oracle.voidClaim(r, 1, 0);
        assertTrue(statusOf(id) == RequestStatus.Refunded);
        for (uint256 i; i < 3; ++i) {
            assertEq(freeOf(i), 10 ether);
        }
    }

    function committed(uint8 replicas) private returns (Request memory r, bytes32 id) {
        return committed(replicas, 100);
    }

    /// The last operator's answer starts with the given token, those of the others with 100.
    function committed(uint8 replicas, uint32 last) private returns (Request memory r, bytes32 id) {
        (r, id) = askAndFill(paramsOf(replicas));
        for (uint256 i; i < replicas; ++i) {
            commit(r, i, answer(i + 1 == replicas ? last : 100));
        }
    }

    /// Operators 0 and 1 say one thing, 2 another; the window is over.
    function disagreeing() private returns (Request memory r, bytes32 id) {
        (r, id) = committed(3, 200);
        for (uint256 i; i < 3; ++i) {
            reveal(r, i, answer(i == 2 ? 200 : 100));
        }
        skip(15 + WINDOW + 1);
    }
}
