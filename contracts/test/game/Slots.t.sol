// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DisputeState, DisputeView, IDisputeGame} from "../../src/interfaces/IDisputeGame.sol";
import {RequestStatus} from "../../src/interfaces/IInferenceOracle.sol";
import {Witness} from "../../src/interfaces/IStepVerifier.sol";
import {GameTest} from "./GameTest.sol";

/// Disputes beside each other: one answer serves all, each with its own clocks and money.
contract SlotsTest is GameTest {
    bytes32 internal a;
    bytes32 internal b;

    function setUp() public override {
        super.setUp();
        claimIt();
    }

    /// Both at the same node, the second some seconds later.
    function both(uint256 later) private {
        a = open(challenger, "a");
        b = open(rival, "b");
        openTrace(a);
        pick(a, 0, 6, 0);
        skip(later);
        pick(b, 0, 6, 0);
    }

    function test_oneAnswerServesBoth() public {
        both(3);
        skip(7);
        uint256 prepaid = view_(b).prepaid;
        uint256 earned = arena.credit(operator);
        reveal(a);
        assertEq(arena.credit(operator) - earned, 100_000 * (BASE_FEE + 1 gwei));
        // The other's turn began when the answer came; its money is all there; its operator's clock
        // ran from its own pick.
        DisputeView memory v = view_(b);
        assertEq(uint256(v.state), uint256(DisputeState.Pick));
        assertEq(v.turnStart, block.timestamp);
        assertEq(v.operatorLeft, BUDGET - 7);
        assertEq(v.challengerLeft, BUDGET - 3);
        assertEq(v.prepaid, prepaid);
        assertEq(view_(a).operatorLeft, BUDGET - 10);
        // What is left pays the next answer.
        skip(5);
        pick(b, 0, 1, 0);
        assertEq(view_(b).challengerLeft, BUDGET - 8);
        assertEq(view_(b).prepaid, prepaid);
    }

    /// A question whose answer is there costs nothing and gives the turn back at once.
    function test_pick_filledSlot_goesOn() public {
        both(0);
        reveal(a);
        bytes32 c = open(rival, "c");
        assertState(c, DisputeState.Pick);
        assertEq(view_(c).prepaid, 0);
        pick(c, 0, 6, 0);
        assertState(c, DisputeState.Pick);
        assertEq(view_(c).height, 6);
        assertEq(view_(c).prepaid, 0);
        assertEq(view_(c).operatorLeft, BUDGET);
        pick(a, 0, 0, 1);
        revealLeaf(a);
        pick(c, 0, 0, 1);
        assertState(c, DisputeState.Step);
    }

    /// The answer to one dispute, the clock's end claimed in the other: the slot is filled, nobody
    /// is convicted.
    function test_timeout_filledElsewhere_reverts() public {
        both(10);
        uint256 first = view_(a).deadline;
        vm.warp(first + 1);
        // Too late for the first; the second's clock still runs.
        expect(IDisputeGame.TooLate.selector);
        this.revealFor(a);
        reveal(b);
        assertState(a, DisputeState.Pick);
        assertEq(view_(a).operatorLeft, 0);
        assertEq(view_(a).turnStart, block.timestamp);
        expect(IDisputeGame.TooEarly.selector);
        arena.timeout(a, req);
        vm.warp(view_(a).deadline + 1);
        arena.timeout(a, req);
        assertFalse(convicted());
    }

    function revealFor(bytes32 id) external {
        reveal(id);
    }

    function test_timeout_trace_filledElsewhere_reverts() public {
        a = open(challenger, "a");
        skip(30);
        b = open(rival, "b");
        skip(31);
        expect(IDisputeGame.TooLate.selector);
        this.openTraceFor(a);
        openTrace(b);
        assertState(a, DisputeState.Pick);
        expect(IDisputeGame.TooEarly.selector);
        arena.timeout(a, req);
        pick(a, 0, 6, 0);
    }

    function openTraceFor(bytes32 id) external {
        openTrace(id);
    }

    /// Leaves and partials are shared like nodes.
    function test_leafAndPartials_serveBoth() public {
        a = open(challenger, "a");
        b = open(rival, "b");
        openTrace(b);
        pick(a, 2, 0, 2);
        pick(b, 2, 0, 2);
        revealLeaf(b);
        assertState(a, DisputeState.Step);
        demand(a, 7);
        demand(b, 7);
        bytes memory partials = truePartials();
        partials[4] = 0x01;
        openPartials(a, partials);
        assertState(b, DisputeState.PartialStep);
        assertEq(view_(b).element, 7);
        // Another element is another slot.
        bytes32 c = open(rival, "c");
        pick(c, 2, 0, 2);
        demand(c, 8);
        assertState(c, DisputeState.Partials);
        stepPartial(b, 4, partials);
        assertTrue(convicted());
        assertEq(oracle.credit(rival), STAKE / 4);
        assertEq(oracle.credit(challenger), 0);
    }

    /// The winner is who proves first; the others lose nothing.
    function test_race_firstConviction_endsAll() public {
        theirs.changeLeaf(0, 5, flipped(0, 5, 1));
        uint256 before = challenger.balance;
        a = open(challenger, "a");
        b = open(rival, "b");
        play(b);
        play(a);
        Witness memory w = witness(0, 5);
        vm.prank(rival);
        arena.step(b, req, model, w);
        vm.prank(challenger);
        expect(IDisputeGame.ClaimNotLive.selector);
        arena.step(a, req, model, w);
        arena.reclaim(a);
        vm.prank(challenger);
        arena.withdraw(payable(challenger));
        // Every answer went through the other's dispute, which paid it: this one is out of nothing.
        assertEq(before, challenger.balance);
    }

    /// One that loses changes a counter; the other goes on as before.
    function test_lostDispute_leavesOthersAlone() public {
        both(0);
        reveal(a);
        bytes memory other = abi.encode(view_(b));
        vm.warp(view_(a).deadline + 1);
        // Silent both: only the first is ended.
        arena.timeout(a, req);
        assertEq(abi.encode(view_(b)), other);
        assertEq(oracle.seatOf(requestId, 1, 0).disputes, 1);
        expect(bytes4(keccak256("DisputeLive()")));
        oracle.finalize(req, "");
        arena.timeout(b, req);
        oracle.finalize(req, "");
        assertTrue(statusOf(requestId) == RequestStatus.Final);
    }

    /// A node revealed of one operation says nothing of another's, nor of another claim.
    function test_slots_areOfOnePosition() public {
        both(0);
        reveal(a);
        assertEq(arena.filledAt(claimId, 0, 6, 0), block.timestamp);
        assertEq(arena.filledAt(claimId, 1, 6, 0), 0);
        assertEq(arena.filledAt(claimId, 0, 1, 0), 0);
        assertEq(arena.filledAt(claimId, 0, 6, 1), 0);
        assertEq(arena.filledAt(bytes32(uint256(claimId) ^ 1), 0, 6, 0), 0);
        // Asked for, not answered.
        pick(a, 0, 1, 0);
        assertEq(arena.filledAt(claimId, 0, 1, 0), 0);
        assertEq(arena.partialsFilledAt(claimId, 0, 1, 0), 0);
        assertState(a, DisputeState.Node);
    }

    /// An attempt's slots are not the next attempt's, though trace and request are the same.
    function test_nextAttempt_beginsAnew() public {
        both(0);
        reveal(a);
        bytes32 old = claimId;
        convictElsewhere();
        vm.prank(operators[1]);
        oracle.accept(req);
        bytes memory tokens = list(2, 100);
        claim(req, 1, tokens);
        claimId = claimIdOf(req, operators[1], tokens, 2);
        assertTrue(claimId != old);
        uint256 value = arena.bondFor(STAKE) + arena.prepayment(140_000);
        vm.prank(challenger);
        bytes32 id = arena.challenge{value: value}(req, 2, 0, model, "a");
        assertState(id, DisputeState.Root);
        assertEq(arena.filledAt(claimId, 0, 6, 0), 0);
        vm.prank(operator);
        expect(IDisputeGame.NotOperator.selector);
        arena.openTrace(id, "root", new bytes32[](4));
    }

    /* MULTICALL */

    /// Answers to many disputes and the withdrawal of what they earned in one transaction; an
    /// answer that came first does not stop it.
    function test_multicall_revealsAndWithdraws() public {
        both(0);
        bytes[] memory calls = new bytes[](4);
        calls[0] = abi.encodeCall(arena.reveal, (a, theirs.children(0, 6, 0)));
        calls[1] = abi.encodeCall(arena.reveal, (b, theirs.children(0, 6, 0)));
        calls[2] = calls[0];
        calls[3] = abi.encodeCall(arena.withdraw, (payable(operator)));
        uint256 before = operator.balance;
        uint256 due = arena.credit(operator) + 100_000 * (BASE_FEE + 1 gwei);
        vm.prank(operator);
        arena.multicall(calls);
        assertEq(operator.balance - before, due);
        assertEq(arena.credit(operator), 0);
    }

    /// The challenger's moves too, paid from its credit.
    function test_multicall_picksFromCredit() public {
        a = open(challenger, "a", 1 ether);
        openTrace(a);
        uint256 own = arena.credit(challenger);
        assertGt(own, 0.9 ether);
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(
            arena.pick, (a, 0, 6, 0, theirs.node(0, 6, 0), theirs.path(0, 6, 0, TOP, 2))
        );
        calls[1] = abi.encodeCall(arena.challenge, (req, 1, 0, model, "another"));
        vm.prank(challenger);
        arena.multicall(calls);
        assertState(a, DisputeState.Node);
        assertLt(arena.credit(challenger), own - MIN_BOND + 1);
        // Whoever has none pays nothing with it.
        vm.prank(rival);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.NotEnoughEther.selector, MIN_BOND));
        arena.multicall(one(calls[1]));
    }

    function test_multicall_allOrNothing() public {
        both(0);
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(arena.commitProof, ("x"));
        calls[1] = abi.encodeCall(arena.timeout, (b, req));
        expect(IDisputeGame.TooEarly.selector);
        arena.multicall(calls);
        // Nothing of it was done: the commitment is free.
        vm.expectEmit(address(arena));
        emit IDisputeGame.ProofCommitted("x");
        arena.commitProof("x");
        (bool ok,) = address(arena).call{value: 1}(abi.encodeCall(arena.multicall, (one(calls[0]))));
        assertFalse(ok, "takes ether");
    }

    function one(bytes memory call) private pure returns (bytes[] memory calls) {
        calls = new bytes[](1);
        calls[0] = call;
    }
}
