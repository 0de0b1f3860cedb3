// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    IInferenceOracle,
    Request,
    RequestParams,
    RequestState,
    RequestStatus,
    SeatStatus
} from "../src/interfaces/IInferenceOracle.sol";
import {IOperatorBonds} from "../src/interfaces/IOperatorBonds.sol";
import {BaseTest} from "./BaseTest.sol";

contract MissedTest is BaseTest {
    uint256 internal constant PENALTY = STAKE / 50;
    uint256 internal constant SHARE_GAS = 300_000;

    function test_missed_finesAndReopens_succeeds() public {
        vm.fee(1 gwei);
        (Request memory r, bytes32 id) = askAndFill(params());
        skip(CLAIM_PERIOD);
        expect(IInferenceOracle.NotMissed.selector);
        oracle.missed(r, 0);
        skip(1);

        uint256 share = SHARE_GAS * 1 gwei;
        bytes32 name = nameOf(r, 1, 0);
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Missed(id, operators[0], 0, PENALTY, share);
        vm.expectEmit(address(bonds));
        emit IOperatorBonds.Released(
            operators[0], name, address(oracle), STAKE, share, PENALTY - share
        );
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Reopened(id, 1);
        vm.prank(stranger);
        oracle.missed(r, 0);

        assertEq(creditOf(r), share);
        assertEq(oracle.credit(requester), 0);
        assertEq(BURNED.balance, PENALTY - share);
        assertEq(lockedOf(0), 0);
        assertEq(freeOf(0), 10 ether - PENALTY);
        RequestState memory s = oracle.stateOf(id);
        assertTrue(s.status == RequestStatus.Open);
        assertEq(s.attempt, 1);
        assertEq(s.misses, 1);
        assertEq(s.seatsTaken, 0);
        assertEq(s.deadline, 0);
        assertEq(oracle.seatOf(id, 1, 0).operator, address(0));
    }

    /// 2, 4, 8, 16 % and then always 16 %, by missed rounds; no attempt is used up.
    function test_missed_penaltyDoubles() public {
        (Request memory r, bytes32 id) = ask(params());
        uint256[6] memory percent = [uint256(2), 4, 8, 16, 16, 16];
        for (uint256 round; round < 6; ++round) {
            RequestState memory s = oracle.stateOf(id);
            assertEq(s.attempt, 1);
            assertEq(s.misses, round < 3 ? round : 3);
            uint256 had = freeOf(round % 2);
            accept(r, round % 2);
            skip(CLAIM_PERIOD + 1);
            uint256 penalty = uint256(STAKE) * percent[round] / 100;
            vm.expectEmit(address(oracle));
            emit IInferenceOracle.Missed(id, operators[round % 2], 0, penalty, 0);
            oracle.missed(r, 0);
            assertEq(freeOf(round % 2), had - penalty);
        }
        // No count of misses ends it: the seventh acceptance is answered.
        accept(r, 0);
        claim(r, 0, answer());
        skip(WINDOW + 1);
        oracle.finalize(r, "");
        assertEq(oracle.credit(operators[0]), FEE);
    }

    /// The penalty depends on the stake alone. The requester's share is at most a quarter of it and
    /// 300,000 gas at the base fee; the rest is burned.
    function testFuzz_missed_penalty(uint256 fee, uint128 stake, uint64 baseFee, uint8 rounds)
        public
    {
        RequestParams memory p = params();
        p.stake = uint128(bound(stake, 0.1 ether, 10 ether));
        fee = bound(fee, 0, 20 ether);
        baseFee = uint64(bound(baseFee, 0, 10_000 gwei));
        rounds = uint8(bound(rounds, 0, 5));
        (Request memory r,) = ask(p, fee);
        // Earlier rounds at a base fee of 0, by others.
        for (uint256 i; i < rounds; ++i) {
            accept(r, 1 + i);
            skip(CLAIM_PERIOD + 1);
            oracle.missed(r, 0);
        }
        assertEq(creditOf(r), 0);
        uint256 burned = BURNED.balance;
        accept(r, 0);
        skip(CLAIM_PERIOD + 1);
        vm.fee(baseFee);
        oracle.missed(r, 0);

        uint256 penalty = uint256(p.stake) * (2 << (rounds < 3 ? rounds : 3)) / 100;
        uint256 share = penalty / 4 < SHARE_GAS * baseFee ? penalty / 4 : SHARE_GAS * baseFee;
        assertEq(creditOf(r), share);
        assertEq(BURNED.balance - burned, penalty - share);
        assertEq(freeOf(0), 10 ether - penalty);
        assertEq(lockedOf(0), 0);
        assertEq(address(oracle).balance, fee + share);
    }

    /// A requester whose puppets take the seats of its own request and miss loses, whatever the
    /// base fee, the stake, the fee and the number of seats.
    function testFuzz_missed_byPuppets_loses(
        uint128 stake,
        uint64 baseFee,
        uint8 seats,
        uint8 rounds
    ) public {
        RequestParams memory p = paramsOf(uint8(bound(seats, 1, 5)));
        p.stake = uint128(bound(stake, 0.1 ether, 4 ether));
        vm.fee(bound(baseFee, 0, 100_000 gwei));
        uint256 had = requester.balance + bondsOf(p.replicas);
        (Request memory r,) = ask(p, 10 ether);
        rounds = uint8(bound(rounds, 1, 3));
        for (uint256 i; i < rounds; ++i) {
            fill(r);
            skip(CLAIM_PERIOD + 1);
            for (uint8 seat; seat < p.replicas; ++seat) {
                oracle.missed(r, seat);
            }
        }
        cancel(r);
        vm.prank(requester);
        oracle.withdrawOf(r, payable(requester));
        uint256 has = requester.balance + bondsOf(p.replicas);
        // At least three quarters of every fine are gone, but for rounding.
        uint256 fines = uint256(rounds) * p.replicas;
        assertLe(has, had - fines * p.stake * 15 / 1000 + fines);
        assertEq(address(oracle).balance, 0);
    }

    /// The requester's puppet takes the last seat at a second of its choice, and an honest operator
    /// misses the clock that this starts. The fine does not hang on the fee; with one honest
    /// operator and one puppet that misses too, both together lose.
    function test_missed_lastSeatTrick_doesNotPay() public {
        vm.fee(1000 gwei);
        RequestParams memory p = paramsOf(2);
        (p.stake, p.claimPeriod) = (10 ether, 20);
        uint256 had = requester.balance + freeOf(1);
        (Request memory r,) = ask(p, 10 ether);
        accept(r, 0);
        // The second seat cannot wait for a better moment than the fill period.
        skip(FILL_PERIOD);
        accept(r, 1);
        skip(21);
        oracle.missed(r, 0);
        oracle.missed(r, 1);
        assertEq(freeOf(0), 10 ether - 0.2 ether);
        cancel(r);
        vm.prank(requester);
        oracle.withdrawOf(r, payable(requester));
        assertLt(requester.balance + freeOf(1), had);
    }

    /// The puppet answers, so that it is not fined: what the requester gets of the honest
    /// operators' fines is at most 300,000 gas in all.
    function test_missed_lastSeatTrick_puppetAnswers() public {
        uint256 baseFee = 20 gwei;
        vm.fee(baseFee);
        RequestParams memory p = paramsOf(5);
        (p.stake, p.claimPeriod) = (10 ether, 20);
        uint256 had = requester.balance + freeOf(4);
        (Request memory r, bytes32 id) = ask(p, 10 ether);
        fill(r);
        commit(r, 4, answer());
        skip(21);
        reveal(r, 4, answer());
        skip(REVEAL_PERIOD + WINDOW + 1);
        oracle.finalize(r, "");
        assertTrue(statusOf(id) == RequestStatus.Final);
        uint256 share = creditOf(r);
        assertEq(share, 4 * (SHARE_GAS * baseFee / 5));
        uint256 has = requester.balance + freeOf(4) + share + oracle.credit(operators[4]);
        assertEq(has, had + share);
        for (uint256 i; i < 4; ++i) {
            assertEq(freeOf(i), 10 ether - 0.2 ether);
        }
    }

    /* WHICH SEATS */

    function test_missed_open_reverts() public {
        (Request memory r,) = ask(params());
        expectStatus(RequestStatus.Open);
        oracle.missed(r, 0);
    }

    function test_missed_openWithSeats_reverts() public {
        (Request memory r,) = ask(paramsOf(2));
        accept(r, 0);
        skip(1 days);
        expectStatus(RequestStatus.Open);
        oracle.missed(r, 0);
    }

    function test_missed_unknown_reverts() public {
        Request memory r = requestOf(params(), FEE);
        expectStatus(RequestStatus.None);
        oracle.missed(r, 0);
    }

    function test_missed_claimed_reverts() public {
        (Request memory r,) = askAndClaim(params());
        skip(1 days);
        expect(IInferenceOracle.NotMissed.selector);
        oracle.missed(r, 0);
    }

    function test_missed_twice_reverts() public {
        (Request memory r,) = askAndFill(params());
        skip(CLAIM_PERIOD + 1);
        oracle.missed(r, 0);
        expectStatus(RequestStatus.Open);
        oracle.missed(r, 0);
    }

    function testFuzz_missed_otherSeat_reverts(uint8 seat, uint8 replicas) public {
        RequestParams memory p = paramsOf(uint8(bound(replicas, 1, 5)));
        (Request memory r,) = askAndFill(p);
        skip(CLAIM_PERIOD + 1);
        seat = uint8(bound(seat, p.replicas, 255));
        expect(IInferenceOracle.NotMissed.selector);
        oracle.missed(r, seat);
    }

    function test_missed_settled_reverts() public {
        (Request memory r,) = askAndClaim(params());
        skip(WINDOW + 1);
        oracle.finalize(r, "");
        expectStatus(RequestStatus.Final);
        oracle.missed(r, 0);
    }

    /* WHAT FOLLOWS */

    /// Where nobody can accept any more the miss refunds at once.
    function test_missed_pastAcceptDeadline_refunds() public {
        RequestParams memory p = params();
        p.acceptDeadline = uint64(block.timestamp) + CLAIM_PERIOD;
        (Request memory r, bytes32 id) = askAndFill(p);
        skip(CLAIM_PERIOD + 1);
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Reopened(id, 1);
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Refunded(id, FEE);
        oracle.missed(r, 0);
        assertTrue(statusOf(id) == RequestStatus.Refunded);
        assertEq(creditOf(r), FEE);
        assertEq(lockedOf(0), 0);
    }

    /// Denial has no end in sight for the blocker: each round costs it more, and the request stays
    /// open for everybody else.
    function test_missed_denial_costsMoreEachRound() public {
        (Request memory r, bytes32 id) = ask(params());
        for (uint256 i; i < 10; ++i) {
            accept(r, 20 + i);
            skip(CLAIM_PERIOD + 1);
            oracle.missed(r, 0);
            assertTrue(statusOf(id) == RequestStatus.Open);
        }
        assertEq(BURNED.balance, uint256(STAKE) * (2 + 4 + 8 + 7 * 16) / 100);
        accept(r, 0);
        claim(r, 0, answer());
    }

    function test_missed_thenAnswered_paysSecondOperator() public {
        (Request memory r, bytes32 id) = askAndFill(params());
        skip(CLAIM_PERIOD + 1);
        oracle.missed(r, 0);
        accept(r, 1);
        claim(r, 1, answer());
        skip(WINDOW + 1);
        oracle.finalize(r, "");
        assertTrue(statusOf(id) == RequestStatus.Final);
        assertEq(oracle.credit(operators[0]), 0);
        assertEq(oracle.credit(operators[1]), FEE);
        assertTrue(seatStatusOf(r, 1, 0) == SeatStatus.Claimed);
    }

    /// Misses and convictions count apart: a conviction does not raise the fine.
    function test_missed_afterConviction_penaltyIsByMisses() public {
        (Request memory r, bytes32 id) = askAndClaim(params());
        convict(r, 1, 0);
        assertEq(oracle.stateOf(id).misses, 0);
        accept(r, 1);
        skip(CLAIM_PERIOD + 1);
        oracle.missed(r, 0);
        assertEq(freeOf(1), 10 ether - PENALTY);
        RequestState memory s = oracle.stateOf(id);
        assertEq(s.attempt, 2);
        assertEq(s.misses, 1);
    }

    function bondsOf(uint256 count) private view returns (uint256 sum) {
        for (uint256 i; i < count; ++i) {
            sum += freeOf(i) + lockedOf(i);
        }
    }
}
