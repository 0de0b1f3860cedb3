// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    Dispute,
    DisputeState,
    DisputeView,
    IDisputeGame
} from "../../src/interfaces/IDisputeGame.sol";
import {RequestStatus} from "../../src/interfaces/IInferenceOracle.sol";
import {Refuser} from "../mocks/Callbacks.sol";
import {GameTest} from "./GameTest.sol";

/// Bonds, prepayments, credit, and where they go.
contract MoneyTest is GameTest {
    function setUp() public override {
        super.setUp();
        claimIt();
    }

    function challengeAs(address who, uint256 value, bytes32 salt) private returns (bytes32 id) {
        uint88 bond = uint88(MIN_BOND);
        vm.prank(who);
        id = arena.challenge{value: value}(
            theClaim.source, theClaim.name, opening(), model, bond, salt
        );
        disputes[id] = Dispute(theClaim, who, bond, salt);
    }

    function test_bondFor() public {
        assertEq(arena.bondFor(2 ether), MIN_BOND);
        assertEq(arena.bondFor(5 ether), MIN_BOND);
        assertEq(arena.bondFor(100 ether), 1 ether);
        setFee(100 gwei);
        assertEq(arena.bondFor(2 ether), 0.2 ether);
        assertEq(arena.bondFor(type(uint128).max), type(uint88).max);
    }

    /* QUESTIONS */

    /// A question prepays as the view says, at twice the base fee and a tip.
    function testFuzz_questions_prepay(uint256 fee) public {
        fee = bound(fee, 0, 10_000 gwei);
        setFee(fee);
        bytes32 id = open();
        assertEq(view_(id).prepaid, 2 * TRACE_GAS * (fee + TIP));
        setFee(0);
        openTrace(id);
        setFee(fee);
        uint256 snapshot = vm.snapshotState();
        pick(id, 0, 6, 0);
        assertPrepaid(id, CHILDREN_GAS);
        vm.revertToState(snapshot);
        pick(id, 2, 0, 2);
        assertPrepaid(id, LEAF_GAS);
        revealLeaf(id);
        demand(id, 3);
        assertPrepaid(id, PARTIALS_GAS + PARTIALS_CHUNK_GAS);
    }

    function assertPrepaid(bytes32 id, uint256 gasAmount) private view {
        assertGe(view_(id).prepaid, prepayment(gasAmount));
    }

    function test_questionGas() public {
        uint256[5] memory wanted = [
            TRACE_GAS,
            CHILDREN_GAS,
            LEAF_GAS,
            PARTIALS_GAS + PARTIALS_CHUNK_GAS,
            PARTIALS_GAS + 1024 * PARTIALS_CHUNK_GAS
        ];
        DisputeState[5] memory states = [
            DisputeState.Root,
            DisputeState.Node,
            DisputeState.Leaf,
            DisputeState.Partials,
            DisputeState.Partials
        ];
        // The table stays known for the rest of the transaction.
        open();
        for (uint256 i; i < 5; ++i) {
            assertEq(arena.questionGas(states[i], i == 4 ? 32_767 : 31), wanted[i]);
        }
    }

    /// Whoever hides the chain's gas table pays as by the dearer one: here by a first look, which
    /// leaves the slot warm that tells the table. On the old probe such a look made it cheaper.
    function test_questionGas_hiddenTable_isDear() public {
        assertEq(arena.questionGas(DisputeState.Root, 0), TRACE_GAS);
        uint256 dear = arena.questionGas(DisputeState.Root, 0);
        assertGt(dear, TRACE_GAS);
        uint256 needed = MIN_BOND + prepayment(dear);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.NotEnoughEther.selector, needed));
        challengeAs(challenger, MIN_BOND + prepayment(TRACE_GAS), SALT);
        bytes32 id = challengeAs(challenger, needed, SALT);
        assertEq(view_(id).prepaid, prepayment(dear));
    }

    function test_challenge_pays() public {
        uint256 needed = MIN_BOND + prepayment(TRACE_GAS);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.NotEnoughEther.selector, needed));
        challengeAs(challenger, needed - 1, SALT);
        challengeAs(challenger, needed, SALT);
        assertEq(address(arena).balance, needed);
        assertEq(arena.credit(challenger), 0);
        // The excess becomes credit, and pays for the next.
        vm.expectEmit(address(arena));
        emit IDisputeGame.Credited(challenger, claimId, needed);
        challengeAs(challenger, 2 * needed, "second");
        challengeAs(challenger, 0, "third");
        assertEq(arena.credit(challenger), 0);
        assertEq(address(arena).balance, 3 * needed);
        // One's credit pays for nobody else.
        challengeAs(challenger, 2 * needed, "fourth");
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.NotEnoughEther.selector, needed));
        challengeAs(rival, needed - 1, "fifth");
    }

    /// Repaid at the price of the answer, from what was paid at the question and never more.
    function testFuzz_answer_isRepaidAtItsPrice(uint256 asked, uint256 answered, uint256 price)
        public
    {
        setFee(bound(asked, 0, 1000 gwei));
        bytes32 id = open();
        uint256 paid = view_(id).prepaid;
        answered = bound(answered, 0, 5000 gwei);
        vm.fee(answered);
        price = bound(price, answered, answered + 3 gwei);
        vm.txGasPrice(price);
        if (price > answered + TIP) price = answered + TIP;
        openTrace(id);
        uint256 repaid = arena.credit(operator);
        assertEq(view_(id).prepaid, paid - repaid);
        assertEq(address(arena).balance, disputes[id].bond + paid);
        if (repaid == paid) {
            assertGe(TRACE_GAS * price, paid / 2);
        } else if (price != 0) {
            // A whole number of gas at that price.
            assertEq(repaid % price, 0);
            assertGt(repaid / price, 50_000);
            assertLe(repaid / price, TRACE_GAS);
        } else {
            assertEq(repaid, 0);
        }
    }

    /// The rest of a prepayment pays for the next question.
    function test_pick_usesWhatIsLeft() public {
        setFee(100 gwei);
        bytes32 id = open();
        setFee(10 gwei);
        openTrace(id);
        uint256 left = view_(id).prepaid;
        assertGt(left, prepayment(CHILDREN_GAS));
        uint256 before = address(arena).balance;
        pick(id, 0, 6, 0);
        assertEq(address(arena).balance, before);
        assertEq(view_(id).prepaid, left);
    }

    function test_pick_notEnough_reverts() public {
        bytes32 id = open();
        openTrace(id);
        setFee(50 gwei);
        uint256 lacks = missing(view_(id), CHILDREN_GAS);
        assertGt(lacks, 0);
        bytes32 node = theirs.node(0, 6, 0);
        bytes32[] memory path = theirs.path(0, 6, 0, TOP, 2);
        vm.prank(challenger);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.NotEnoughEther.selector, lacks));
        arena.pick{value: lacks - 1}(disputes[id], 0, 6, 0, node, path);
    }

    /* ENDS */

    function test_lost_splitsBond() public {
        bytes32 id = open();
        openTrace(id);
        DisputeView memory v = view_(id);
        vm.warp(v.deadline + 1);
        uint256 answers = arena.credit(operator);
        uint256 burned = BURNED.balance;
        uint256 share = MIN_BOND * 70 / 100;
        vm.expectEmit(address(arena));
        emit IDisputeGame.DisputeLost(claimId, id, share, MIN_BOND - share);
        vm.prank(stranger);
        arena.timeout(disputes[id]);
        assertEq(arena.credit(operator) - answers, share);
        assertEq(BURNED.balance - burned, MIN_BOND - share);
        // Prepayments for answers that were not used come back.
        assertEq(arena.credit(challenger), v.prepaid);
        assertEq(arena.credit(stranger), 0);
        assertEq(view_(id).prepaid, 0);
    }

    /// A larger bond is lost as a whole.
    function test_lost_splitsChosenBond() public {
        vm.prank(challenger);
        bytes32 id = arena.challenge{value: 2 ether}(
            theClaim.source, theClaim.name, opening(), model, 1 ether, SALT
        );
        disputes[id] = Dispute(theClaim, challenger, 1 ether, SALT);
        openTrace(id);
        vm.warp(view_(id).deadline + 1);
        uint256 answers = arena.credit(operator);
        arena.timeout(disputes[id]);
        assertEq(arena.credit(operator) - answers, 0.7 ether);
        assertEq(BURNED.balance, 0.3 ether);
    }

    function test_withdraw() public {
        vm.prank(stranger);
        expect(IDisputeGame.NothingToWithdraw.selector);
        arena.withdraw(payable(stranger));
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
        assertEq(stranger.balance, due);
        assertEq(arena.credit(operator), 0);
        expect(IDisputeGame.NothingToWithdraw.selector);
        arena.withdraw(payable(stranger));
        vm.stopPrank();
    }

    /// The slot of a credit keeps its mark: what comes later does not pay for a new one. The amount
    /// that can be withdrawn is all that was credited, to the wei.
    function test_credit_keepsItsSlot() public {
        bytes32 id = open();
        openTrace(id);
        uint256 cold = creditWord(operator);
        uint256 due = arena.credit(operator);
        assertEq(cold, due + 1);
        vm.prank(operator);
        arena.withdraw(payable(operator));
        assertEq(creditWord(operator), 1);
        assertEq(arena.credit(operator), 0);
        pick(id, 0, 6, 0);
        reveal(id);
        assertEq(creditWord(operator), arena.credit(operator) + 1);
    }

    /// The word of an account's credit, found by where the game reads it.
    function creditWord(address account) private returns (uint256) {
        vm.record();
        arena.credit(account);
        (bytes32[] memory reads,) = vm.accesses(address(arena));
        assertEq(reads.length, 1);
        return uint256(vm.load(address(arena), reads[0]));
    }

    /// A receiver that calls in again finds nothing more.
    function test_withdraw_reentrant_getsOnce() public {
        Greedy greedy = new Greedy(arena);
        vm.deal(address(greedy), 10 ether);
        uint256 needed = MIN_BOND + prepayment(TRACE_GAS);
        challengeAs(address(greedy), needed + 1 ether, SALT);
        uint256 before = address(arena).balance;
        greedy.take();
        assertEq(before - address(arena).balance, 1 ether);
        assertEq(address(greedy).balance, 10 ether - needed);
    }

    function test_plainEther_isRefused() public {
        (bool ok,) = address(arena).call{value: 1}("");
        assertFalse(ok);
        // Views, which the other half has, take none either.
        (ok,) = address(arena).call{value: 1}(abi.encodeCall(arena.parameters, ()));
        assertFalse(ok);
    }

    /// The program is found malformed: the request is refunded, every dispute gets its money back.
    function test_reclaim_afterVoid() public {
        bytes32 id = open();
        openTrace(id);
        toy.setMalformed(1);
        uint256 due = heldFor(id);
        voidClaim(1);
        vm.expectEmit(address(arena));
        emit IDisputeGame.DisputeReclaimed(claimId, id, due);
        arena.reclaim(disputes[id]);
        assertEq(arena.credit(challenger), due);
        assertEq(bonds.account(operator).locked, 0);
        oracle.expire(req);
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
