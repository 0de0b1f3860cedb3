// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DisputeState, DisputeView, IDisputeGame} from "../../src/interfaces/IDisputeGame.sol";
import {RequestStatus} from "../../src/interfaces/IInferenceOracle.sol";
import {Refuser} from "../mocks/Callbacks.sol";
import {GameTest} from "./GameTest.sol";

/// Bonds, prepayments, credit, and where they go.
contract MoneyTest is GameTest {
    function setUp() public override {
        super.setUp();
        claimIt();
    }

    function test_bondFor() public {
        assertEq(arena.bondFor(2 ether), MIN_BOND);
        assertEq(arena.bondFor(5 ether), MIN_BOND);
        assertEq(arena.bondFor(100 ether), 1 ether);
        vm.fee(100 gwei);
        assertEq(arena.bondFor(2 ether), 0.2 ether);
        assertEq(arena.bondFor(type(uint128).max), type(uint88).max);
    }

    function testFuzz_prepayment(uint256 gasAmount, uint256 fee) public {
        gasAmount = bound(gasAmount, 0, 2_000_000);
        vm.fee(bound(fee, 0, 10_000 gwei));
        assertEq(arena.prepayment(gasAmount), gasAmount * (2 * block.basefee + 2 gwei));
    }

    function test_challenge_pays() public {
        uint256 needed = MIN_BOND + arena.prepayment(140_000);
        vm.startPrank(challenger);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.NotEnoughEther.selector, needed));
        arena.challenge{value: needed - 1}(req, 1, 0, model, SALT);
        arena.challenge{value: needed}(req, 1, 0, model, SALT);
        assertEq(address(arena).balance, needed);
        assertEq(arena.credit(challenger), 0);
        // What is too much becomes credit, and pays the next.
        vm.expectEmit(address(arena));
        emit IDisputeGame.Credited(challenger, needed);
        arena.challenge{value: 2 * needed}(req, 1, 0, model, "second");
        arena.challenge(req, 1, 0, model, "third");
        assertEq(arena.credit(challenger), 0);
        assertEq(address(arena).balance, 3 * needed);
        vm.stopPrank();
    }

    /// Repaid at the base fee of the answer, from what was paid at the question: at most twice as
    /// much.
    function testFuzz_answer_isRepaidAtCost(uint256 asked, uint256 answered) public {
        asked = bound(asked, 0, 1000 gwei);
        answered = bound(answered, 0, 5000 gwei);
        vm.fee(asked);
        bytes32 id = open();
        uint256 paid = 140_000 * (2 * asked + 2 gwei);
        assertEq(view_(id).prepaid, paid);
        vm.fee(answered);
        openTrace(id);
        uint256 cost = 140_000 * (answered + 1 gwei);
        if (cost > paid) cost = paid;
        assertEq(arena.credit(operator), cost);
        assertEq(view_(id).prepaid, paid - cost);
        assertEq(address(arena).balance, view_(id).bond + paid);
    }

    /// What an answer left over pays for the next question.
    function test_pick_usesWhatIsLeft() public {
        vm.fee(100 gwei);
        bytes32 id = open();
        vm.fee(10 gwei);
        openTrace(id);
        uint256 left = view_(id).prepaid;
        assertGt(left, arena.prepayment(100_000));
        uint256 before = address(arena).balance;
        pick(id, 0, 6, 0);
        assertEq(address(arena).balance, before);
        assertEq(view_(id).prepaid, left);
    }

    function test_pick_notEnough_reverts() public {
        bytes32 id = open();
        openTrace(id);
        uint256 missing_ = missing(view_(id), 0, 6, 0);
        (bytes32 node, bytes32[] memory path) = (theirs.node(0, 6, 0), theirs.path(0, 6, 0, TOP, 2));
        vm.prank(challenger);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.NotEnoughEther.selector, missing_));
        arena.pick{value: missing_ - 1}(id, 0, 6, 0, node, path);
    }

    function test_lost_splitsBond() public {
        bytes32 id = open();
        openTrace(id);
        DisputeView memory v = view_(id);
        vm.warp(v.deadline + 1);
        uint256 answers = arena.credit(operator);
        uint256 burned = address(0xdEaD).balance;
        vm.expectEmit(address(arena));
        emit IDisputeGame.DisputeLost(
            claimId, id, MIN_BOND * 70 / 100, MIN_BOND - MIN_BOND * 70 / 100
        );
        vm.prank(stranger);
        arena.timeout(id, req);
        assertEq(arena.credit(operator) - answers, MIN_BOND * 70 / 100);
        assertEq(address(0xdEaD).balance - burned, MIN_BOND - MIN_BOND * 70 / 100);
        // What it had paid for answers and did not use comes back.
        assertEq(arena.credit(challenger), v.prepaid);
        assertEq(arena.credit(stranger), 0);
        assertEq(view_(id).prepaid, 0);
    }

    function test_withdraw() public {
        vm.startPrank(stranger);
        expect(IDisputeGame.NothingToWithdraw.selector);
        arena.withdraw(payable(stranger));
        vm.stopPrank();
        bytes32 id = open();
        openTrace(id);
        uint256 due = arena.credit(operator);
        address refuser = address(new Refuser());
        vm.startPrank(operator);
        expect(IDisputeGame.TransferFailed.selector);
        arena.withdraw(payable(refuser));
        vm.expectEmit(address(arena));
        emit IDisputeGame.Withdrawn(operator, stranger, due);
        arena.withdraw(payable(stranger));
        vm.stopPrank();
        assertEq(stranger.balance, due);
        assertEq(arena.credit(operator), 0);
    }

    /// A receiver that calls in again finds nothing more.
    function test_withdraw_reentrant_getsOnce() public {
        Greedy greedy = new Greedy(arena);
        vm.deal(address(greedy), 10 ether);
        uint256 needed = MIN_BOND + arena.prepayment(140_000);
        vm.prank(address(greedy));
        arena.challenge{value: needed + 1 ether}(req, 1, 0, model, SALT);
        uint256 before = address(arena).balance;
        greedy.take();
        assertEq(before - address(arena).balance, 1 ether);
        assertEq(address(greedy).balance, 10 ether - needed);
    }

    function test_plainEther_isRefused() public {
        (bool ok,) = address(arena).call{value: 1}("");
        assertFalse(ok);
    }

    /* A CLAIM THAT ENDED OTHERWISE */

    /// Of two claims of one request the program is found malformed: the request is refunded, and
    /// every dispute of both gets its money back.
    function test_reclaim_afterVoid() public {
        bytes32 id = open();
        openTrace(id);
        toy.setMalformed(1);
        uint256 due = view_(id).bond + view_(id).prepaid;
        arena.voidClaim(req, 1, 0, model, 1, noOpenings());
        vm.expectEmit(address(arena));
        emit IDisputeGame.DisputeReclaimed(claimId, id);
        arena.reclaim(id);
        assertEq(arena.credit(challenger), due);
        assertEq(bonds.account(operator).locked, 0);
        assertTrue(statusOf(requestId) == RequestStatus.Refunded);
    }
}

contract Greedy {
    IDisputeGame private immutable GAME;

    constructor(IDisputeGame game) {
        GAME = game;
    }

    function take() external {
        GAME.withdraw(payable(address(this)));
    }

    receive() external payable {
        try GAME.withdraw(payable(address(this))) {
            revert("paid twice");
        } catch {}
    }
}
