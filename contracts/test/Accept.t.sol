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
import {IOperatorBonds} from "../src/interfaces/IOperatorBonds.sol";
import {BaseTest} from "./BaseTest.sol";

contract AcceptTest is BaseTest {
    function test_accept_locksStake_succeeds() public {
        (Request memory r, bytes32 id) = ask(params());
        uint64 deadline = uint64(block.timestamp) + CLAIM_PERIOD;
        bytes32 name = nameOf(r, 1, 0);

        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Accepted(id, operators[0], 1, 0, 0, true, deadline);
        vm.expectEmit(address(bonds));
        emit IOperatorBonds.Locked(operators[0], name, address(oracle), STAKE);
        accept(r, 0);

        RequestState memory s = oracle.stateOf(id);
        assertTrue(s.status == RequestStatus.Accepted);
        assertEq(s.attempt, 1);
        assertEq(s.seatsTaken, 1);
        assertEq(s.deadline, deadline);
        Seat memory seat = oracle.seatOf(id, 1, 0);
        assertEq(seat.operator, operators[0]);
        assertTrue(seat.status == SeatStatus.Accepted);
        assertEq(lockedOf(0), STAKE);
        assertEq(freeOf(0), 10 ether - STAKE);
    }

    /// A greedy request draws no seed: it can be accepted in its own block, and at any later one.
    function test_accept_greedy_needsNoBlock() public {
        (Request memory r, bytes32 id) = ask(params());
        uint256 fork = vm.snapshotState();
        accept(r, 0);
        vm.revertToState(fork);
        vm.roll(block.number + 1_000_000);
        accept(r, 0);
        RequestState memory s = oracle.stateOf(id);
        assertFalse(s.seedFixed);
        assertEq(s.seed, 0);
        assertEq(s.requestBlock, 0);
    }

    function test_accept_unknown_reverts() public {
        Request memory r = requestOf(params(), FEE);
        expectStatus(RequestStatus.None);
        accept(r, 0);
    }

    function test_accept_seatTaken_reverts() public {
        (Request memory r,) = askAndFill(params());
        expectStatus(RequestStatus.Accepted);
        accept(r, 1);
    }

    function test_accept_afterDeadline_reverts() public {
        (Request memory r,) = ask(params());
        skip(ACCEPT_PERIOD);
        uint256 snapshot = vm.snapshotState();
        accept(r, 0);
        vm.revertToState(snapshot);
        skip(1);
        expect(IInferenceOracle.TooLate.selector);
        accept(r, 0);
    }

    function test_accept_noFreeBond_reverts() public {
        (Request memory r,) = ask(params());
        expectFreeBond(stranger, 0, STAKE);
        accept(r, stranger);
    }

    function test_accept_queuedBond_reverts() public {
        (Request memory r,) = ask(params());
        vm.prank(operators[0]);
        bonds.queueWithdrawal(10 ether - STAKE + 1);
        expectFreeBond(operators[0], STAKE - 1, STAKE);
        accept(r, 0);
    }

    /// A bond of 10 covers five stakes of 2, not six.
    function test_accept_oneStakeCountedOnce() public {
        for (uint256 i; i < 5; ++i) {
            askAndFill(params());
        }
        (Request memory r,) = ask(params());
        expectFreeBond(operators[0], 0, STAKE);
        accept(r, 0);
    }

    function test_accept_lockedBondStays_reverts() public {
        askAndFill(params());
        expectFreeBond(operators[0], 10 ether - STAKE, 10 ether);
        vm.prank(operators[0]);
        bonds.queueWithdrawal(10 ether);
    }

    /* SEATS */

    function test_accept_secondSeat_reverts() public {
        (Request memory r,) = ask(paramsOf(2));
        accept(r, 0);
        expect(IInferenceOracle.AlreadyAccepted.selector);
        accept(r, 0);
    }

    /// A conviction bars an operator from the request for ever; others go on.
    function test_accept_afterConviction_reverts() public {
        (Request memory r,) = askAndClaim(params());
        convict(r, 1, 0);
        expect(IInferenceOracle.AlreadyAccepted.selector);
        accept(r, 0);
        accept(r, 1);
        claim(r, 1, answer());
        convict(r, 2, 0);
        for (uint256 i; i < 2; ++i) {
            expect(IInferenceOracle.AlreadyAccepted.selector);
            accept(r, i);
        }
        accept(r, 2);
    }

    /// A missed deadline bars nobody: the fine grows instead.
    function test_accept_afterMiss_succeeds() public {
        (Request memory r, bytes32 id) = askAndFill(params());
        skip(CLAIM_PERIOD + 1);
        oracle.missed(r, 0);
        accept(r, 0);
        claim(r, 0, answer());
        assertEq(oracle.stateOf(id).attempt, 1);
    }

    function test_accept_againAfterReplicasMissed_succeeds() public {
        (Request memory r,) = askAndFill(paramsOf(3));
        skip(CLAIM_PERIOD + 1);
        for (uint8 i; i < 3; ++i) {
            oracle.missed(r, i);
        }
        for (uint256 i = 3; i > 0; --i) {
            accept(r, i - 1);
        }
        assertEq(oracle.seatOf(idOf(r), 1, 0).operator, operators[2]);
    }

    /// After an attempt that ended in convictions, only the convicted are barred.
    function test_accept_againAfterReplicasConvicted() public {
        (Request memory r, bytes32 id) = askAndFill(paramsOf(2));
        commit(r, 0, answer());
        skip(CLAIM_PERIOD + 1);
        reveal(r, 0, answer());
        oracle.missed(r, 1);
        convict(r, 1, 0);
        assertEq(oracle.stateOf(id).attempt, 2);
        expect(IInferenceOracle.AlreadyAccepted.selector);
        accept(r, 0);
        accept(r, 1);
        assertTrue(seatStatusOf(r, 1, 0) == SeatStatus.Convicted);
        assertTrue(seatStatusOf(r, 1, 1) == SeatStatus.Missed);
    }

    /// The claim period counts from the last seat, the fill period from the first.
    function test_accept_replicas_clocks() public {
        (Request memory r, bytes32 id) = ask(paramsOf(2));
        uint64 fill = uint64(block.timestamp) + FILL_PERIOD;
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Accepted(id, operators[0], 1, 0, 0, false, fill);
        accept(r, 0);
        RequestState memory s = oracle.stateOf(id);
        assertTrue(s.status == RequestStatus.Open);
        assertEq(s.seatsTaken, 1);
        assertEq(s.deadline, fill);

        skip(FILL_PERIOD);
        uint64 deadline = uint64(block.timestamp) + CLAIM_PERIOD;
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Accepted(id, operators[1], 1, 1, 0, true, deadline);
        accept(r, 1);
        assertTrue(statusOf(id) == RequestStatus.Accepted);
        assertEq(oracle.stateOf(id).deadline, deadline);
    }

    /// A second seat does not put off the end of filling.
    function test_accept_secondSeat_keepsFillDeadline() public {
        (Request memory r, bytes32 id) = ask(paramsOf(3));
        accept(r, 0);
        uint64 fill = oracle.stateOf(id).deadline;
        skip(FILL_PERIOD / 2);
        accept(r, 1);
        assertEq(oracle.stateOf(id).deadline, fill);
    }

    /* SEATS THAT ARE NOT FILLED */

    function test_freeSeats_afterFillPeriod_unlocks() public {
        (Request memory r, bytes32 id) = ask(paramsOf(3));
        accept(r, 0);
        accept(r, 1);
        skip(FILL_PERIOD);
        expect(IInferenceOracle.TooEarly.selector);
        oracle.freeSeats(r);
        skip(1);
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.SeatsFreed(id);
        vm.prank(stranger);
        oracle.freeSeats(r);
        for (uint256 i; i < 2; ++i) {
            assertEq(freeOf(i), 10 ether);
            assertEq(lockedOf(i), 0);
        }
        RequestState memory s = oracle.stateOf(id);
        assertTrue(s.status == RequestStatus.Open);
        assertEq(s.seatsTaken, 0);
        assertEq(s.deadline, 0);
        assertEq(s.misses, 0);
        assertEq(oracle.seatOf(id, 1, 0).operator, address(0));
        expect(IInferenceOracle.TooEarly.selector);
        oracle.freeSeats(r);
    }

    /// The next acceptance frees them first, and takes the first seat of a new round.
    function test_accept_afterFillPeriod_freesSeats() public {
        (Request memory r, bytes32 id) = ask(paramsOf(3));
        accept(r, 0);
        accept(r, 1);
        skip(FILL_PERIOD + 1);
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.SeatsFreed(id);
        accept(r, 0);
        assertEq(lockedOf(0), STAKE);
        assertEq(lockedOf(1), 0);
        RequestState memory s = oracle.stateOf(id);
        assertEq(s.seatsTaken, 1);
        assertEq(s.deadline, block.timestamp + FILL_PERIOD);
        assertEq(oracle.seatOf(id, 1, 1).operator, address(0));
        accept(r, 2);
        accept(r, 1);
        assertTrue(statusOf(id) == RequestStatus.Accepted);
    }

    /// Unfilled requests hold the stakes of operators for minutes, whatever the accept deadline.
    function test_freeSeats_manyRequests_freeAllStake() public {
        Request[] memory rs = new Request[](5);
        for (uint256 i; i < 5; ++i) {
            RequestParams memory p = paramsOf(2);
            p.acceptDeadline = uint64(block.timestamp) + 1 days;
            (rs[i],) = ask(p, 1 ether);
            accept(rs[i], 0);
        }
        assertEq(freeOf(0), 0);
        skip(FILL_PERIOD + 1);
        for (uint256 i; i < 5; ++i) {
            oracle.freeSeats(rs[i]);
        }
        assertEq(freeOf(0), 10 ether);
    }

    function test_freeSeats_oneSeat_reverts() public {
        (Request memory r,) = ask(params());
        skip(1 days);
        expect(IInferenceOracle.TooEarly.selector);
        oracle.freeSeats(r);
        r = requestOf(params(), FEE);
        expectStatus(RequestStatus.None);
        oracle.freeSeats(r);
    }

    function test_freeSeats_filled_reverts() public {
        (Request memory r,) = askAndFill(paramsOf(2));
        skip(FILL_PERIOD + 1);
        expectStatus(RequestStatus.Accepted);
        oracle.freeSeats(r);
    }

    function expectFreeBond(address operator, uint256 free, uint256 wanted) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IOperatorBonds.InsufficientFreeBond.selector, operator, free, wanted
            )
        );
    }
}
