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
import {SeedBlock} from "../src/libraries/SeedBlock.sol";
import {BaseTest} from "./BaseTest.sol";

contract AcceptTest is BaseTest {
    /// Runtime code of EIP-2935's contract, as the EIP gives it.
    bytes internal constant HISTORY_CODE =
        hex"3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257611fff81430311604257611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500";

    function test_accept_locksAndFixesSeed_succeeds() public {
        (Request memory r, bytes32 id) = ask(params());
        uint256 requested = block.number;
        vm.roll(requested + 2);
        bytes32 blockHash = keccak256("block");
        vm.setBlockhash(requested + 1, blockHash);
        uint64 seed = uint64(uint256(keccak256(abi.encode(uint64(42), blockHash))));
        uint64 deadline = uint64(block.timestamp) + 5 minutes;

        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Accepted(id, operators[0], 1, 0, seed, deadline);
        accept(r, 0);

        RequestState memory s = oracle.stateOf(id);
        assertTrue(s.status == RequestStatus.Accepted);
        assertTrue(s.seedFixed);
        assertEq(s.seed, seed);
        assertEq(s.seatsTaken, 1);
        assertEq(s.deadline, deadline);
        Seat memory seat = oracle.seatOf(id, 1, 0);
        assertEq(seat.operator, operators[0]);
        assertTrue(seat.status == SeatStatus.Accepted);
        assertEq(lockedOf(0), STAKE);
        assertEq(freeOf(0), 10 ether - STAKE);
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

    function test_accept_beforeSecondBlock_reverts() public {
        (Request memory r,) = ask(params());
        expect(IInferenceOracle.TooEarly.selector);
        accept(r, 0);
        vm.roll(block.number + 1);
        expect(IInferenceOracle.TooEarly.selector);
        accept(r, 0);
        vm.roll(block.number + 1);
        accept(r, 0);
    }

    function test_accept_afterDeadline_reverts() public {
        (Request memory r,) = ask(params());
        vm.roll(block.number + 2);
        skip(1 hours);
        uint256 snapshot = vm.snapshotState();
        accept(r, 0);
        vm.revertToState(snapshot);
        skip(1);
        expect(IInferenceOracle.TooLate.selector);
        accept(r, 0);
    }

    function test_accept_after8000Blocks_reverts() public {
        vm.etch(SeedBlock.HISTORY, HISTORY_CODE);
        (Request memory r,) = ask(params());
        uint256 requested = block.number;
        recordHash(requested + 1, keccak256("block"));
        vm.roll(requested + 8001);
        expect(IInferenceOracle.TooLate.selector);
        accept(r, 0);
        vm.roll(requested + 8000);
        accept(r, 0);
    }

    /// Beyond the opcode's 256 blocks the history contract answers, with the same seed.
    function test_accept_seedFromHistory_equalsOpcode() public {
        vm.etch(SeedBlock.HISTORY, HISTORY_CODE);
        (Request memory r,) = ask(params());
        uint256 requested = block.number;
        vm.roll(requested + 2);
        vm.setBlockhash(requested + 1, keccak256("block"));
        recordHash(requested + 1, keccak256("block"));
        uint256 snapshot = vm.snapshotState();

        vm.etch(SeedBlock.HISTORY, "");
        accept(r, 0);
        uint64 fromOpcode = seedOf(r);
        vm.revertToState(snapshot);

        vm.roll(requested + 1 + 257);
        assertEq(blockhash(requested + 1), 0);
        accept(r, 0);
        assertEq(seedOf(r), fromOpcode);
        assertEq(fromOpcode, uint64(uint256(keccak256(abi.encode(uint64(42), keccak256("block"))))));
    }

    function test_accept_hashLost_reverts() public {
        (Request memory r,) = ask(params());
        vm.roll(block.number + 300);
        expect(IInferenceOracle.SeedBlockUnavailable.selector);
        accept(r, 0);
        // A history that does not keep the block, or that answers with something else than one
        // word.
        vm.etch(SeedBlock.HISTORY, HISTORY_CODE);
        expect(IInferenceOracle.SeedBlockUnavailable.selector);
        accept(r, 0);
        vm.etch(SeedBlock.HISTORY, hex"60016000f3");
        expect(IInferenceOracle.SeedBlockUnavailable.selector);
        accept(r, 0);
    }

    /// Later attempts keep the seed, however old the request's block is.
    function test_accept_laterAttempt_keepsSeed() public {
        (Request memory r,) = askAndFill(params());
        uint64 seed = seedOf(r);
        skip(5 minutes + 1);
        oracle.missed(r, 0);
        vm.roll(block.number + 10_000);
        accept(r, 1);
        assertEq(seedOf(r), seed);
    }

    function test_accept_noFreeBond_reverts() public {
        (Request memory r,) = ask(params());
        vm.roll(block.number + 2);
        vm.expectRevert(
            abi.encodeWithSelector(IOperatorBonds.InsufficientFreeBond.selector, stranger, 0, STAKE)
        );
        vm.prank(stranger);
        oracle.accept(r);
    }

    function test_accept_queuedBond_reverts() public {
        (Request memory r,) = ask(params());
        vm.roll(block.number + 2);
        vm.prank(operators[0]);
        bonds.queueWithdrawal(10 ether - STAKE + 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IOperatorBonds.InsufficientFreeBond.selector, operators[0], STAKE - 1, STAKE
            )
        );
        accept(r, 0);
    }

    /// A bond of 10 covers five stakes of 2, not six.
    function test_accept_oneStakeCountedOnce() public {
        for (uint256 i; i < 5; ++i) {
            askAndFill(params());
        }
        (Request memory r,) = ask(params());
        vm.roll(block.number + 2);
        vm.expectRevert(
            abi.encodeWithSelector(
                IOperatorBonds.InsufficientFreeBond.selector, operators[0], 0, STAKE
            )
        );
        accept(r, 0);
    }

    function test_accept_lockedBondStays_reverts() public {
        askAndFill(params());
        vm.expectRevert(
            abi.encodeWithSelector(
                IOperatorBonds.InsufficientFreeBond.selector,
                operators[0],
                10 ether - STAKE,
                10 ether
            )
        );
        vm.prank(operators[0]);
        bonds.queueWithdrawal(10 ether);
    }

    function test_accept_secondSeat_reverts() public {
        (Request memory r,) = ask(paramsOf(2));
        vm.roll(block.number + 2);
        accept(r, 0);
        expect(IInferenceOracle.AlreadyAccepted.selector);
        accept(r, 0);
    }

    /// In any attempt: neither after a missed deadline nor after a conviction, nor from any of the
    /// seats.
    function test_accept_again_reverts() public {
        (Request memory r,) = askAndFill(params());
        skip(5 minutes + 1);
        oracle.missed(r, 0);
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

    function test_accept_againAfterReplicas_reverts() public {
        (Request memory r,) = askAndFill(paramsOf(3));
        skip(5 minutes + 1);
        for (uint8 i; i < 3; ++i) {
            oracle.missed(r, i);
        }
        for (uint256 i; i < 3; ++i) {
            expect(IInferenceOracle.AlreadyAccepted.selector);
            accept(r, i);
        }
        accept(r, 3);
    }

    function test_accept_replicas_lastSeatStartsClock() public {
        (Request memory r, bytes32 id) = ask(paramsOf(2));
        vm.roll(block.number + 2);
        accept(r, 0);
        RequestState memory s = oracle.stateOf(id);
        assertTrue(s.status == RequestStatus.Open);
        assertEq(s.seatsTaken, 1);
        skip(10 minutes);
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Accepted(
            id, operators[1], 1, 1, s.seed, uint64(block.timestamp) + 5 minutes
        );
        accept(r, 1);
        assertTrue(statusOf(id) == RequestStatus.Accepted);
    }

    /// As the protocol does at the start of each block.
    function recordHash(uint256 number, bytes32 hash) private {
        vm.store(SeedBlock.HISTORY, bytes32(number % 8191), hash);
    }
}
