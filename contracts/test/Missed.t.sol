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
import {BaseTest} from "./BaseTest.sol";

contract MissedTest is BaseTest {
    function test_missed_finesAndReopens_succeeds() public {
        (Request memory r, bytes32 id) = askAndFill(params());
        skip(5 minutes);
        expect(IInferenceOracle.NotMissed.selector);
        oracle.missed(r, 0);
        skip(1);

        uint256 penalty = STAKE / 50;
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Missed(id, operators[0], penalty);
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Reopened(id, 2, uint64(block.timestamp) + 1 hours);
        vm.prank(stranger);
        oracle.missed(r, 0);

        assertEq(oracle.credit(requester), penalty);
        assertEq(lockedOf(0), 0);
        assertEq(freeOf(0), 10 ether - penalty);
        assertTrue(oracle.seatOf(id, 1, 0).status == SeatStatus.Missed);
        RequestState memory s = oracle.stateOf(id);
        assertTrue(s.status == RequestStatus.Open);
        assertEq(s.attempt, 2);
        assertEq(s.seatsTaken, 0);
        assertEq(s.deadline, block.timestamp + 1 hours);
    }

    /// max(fee, 2 % of the stake), at most the stake.
    function testFuzz_missed_penalty(uint256 fee, uint128 stake) public {
        RequestParams memory p = params();
        p.stake = uint128(bound(stake, 0.1 ether, 10 ether));
        fee = bound(fee, 0, 20 ether);
        (Request memory r,) = ask(p, fee);
        vm.roll(block.number + 2);
        accept(r, 0);
        skip(5 minutes + 1);
        oracle.missed(r, 0);

        uint256 penalty = fee > p.stake / 50 ? fee : p.stake / 50;
        if (penalty > p.stake) penalty = p.stake;
        assertEq(oracle.credit(requester), penalty);
        assertEq(freeOf(0), 10 ether - penalty);
        assertEq(lockedOf(0), 0);
        assertEq(address(oracle).balance, fee + penalty);
    }

    function test_missed_open_reverts() public {
        (Request memory r,) = ask(params());
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
        skip(5 minutes + 1);
        oracle.missed(r, 0);
        expectStatus(RequestStatus.Open);
        oracle.missed(r, 0);
    }

    function test_missed_otherSeat_reverts() public {
        (Request memory r,) = askAndFill(params());
        skip(5 minutes + 1);
        expect(IInferenceOracle.NotMissed.selector);
        oracle.missed(r, 1);
    }

    function test_missed_settled_reverts() public {
        (Request memory r,) = askAndClaim(params());
        skip(WINDOW + 1);
        oracle.finalize(r, "");
        expectStatus(RequestStatus.Final);
        oracle.missed(r, 0);
    }

    function test_missed_fifthTime_refunds() public {
        (Request memory r, bytes32 id) = askAndFill(params());
        uint256 penalty = STAKE / 50;
        for (uint256 attempt = 1; attempt <= 5; ++attempt) {
            assertEq(oracle.stateOf(id).attempt, attempt);
            skip(5 minutes + 1);
            if (attempt == 5) {
                vm.expectEmit(address(oracle));
                emit IInferenceOracle.Refunded(id);
            }
            oracle.missed(r, 0);
            if (attempt < 5) accept(r, attempt);
        }
        assertTrue(statusOf(id) == RequestStatus.Refunded);
        assertEq(oracle.credit(requester), FEE + 5 * penalty);
        expectStatus(RequestStatus.Refunded);
        accept(r, 6);
    }

    function test_missed_thenAnswered_paysSecondOperator() public {
        (Request memory r, bytes32 id) = askAndFill(params());
        skip(5 minutes + 1);
        oracle.missed(r, 0);
        accept(r, 1);
        claim(r, 1, answer());
        skip(WINDOW + 1);
        oracle.finalize(r, "");
        assertTrue(statusOf(id) == RequestStatus.Final);
        assertEq(oracle.credit(operators[0]), 0);
        assertEq(oracle.credit(operators[1]), FEE);
    }
}
