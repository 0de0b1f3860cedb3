// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    Dispute,
    DisputeState,
    DisputeView,
    DisputedClaim,
    IDisputeGame
} from "../../src/interfaces/IDisputeGame.sol";
import {IInferenceOracle, RequestStatus} from "../../src/interfaces/IInferenceOracle.sol";
import {Witness} from "../../src/interfaces/IStepVerifier.sol";
import {GameTest} from "./GameTest.sol";

/// Disputes side by side: the trace is opened once for all, everything else is answered in the
/// dispute that asks, each has its own clocks and money.
contract ParallelTest is GameTest {
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

    function revealFor(bytes32 id) external {
        reveal(id);
    }

    function openTraceFor(bytes32 id) external {
        openTrace(id);
    }

    /* THE TRACE */

    /// The other's turn began when the trace was opened; its money is all there; its operator's
    /// clock ran from its own challenge.
    function test_trace_isOpenedOnce() public {
        a = open(challenger, "a");
        skip(7);
        b = open(rival, "b");
        skip(5);
        uint256 prepaid = view_(b).prepaid;
        assertEq(prepaid, prepayment(TRACE_GAS));
        openTrace(a);
        uint256 earned = arena.credit(operator);
        DisputeView memory v = view_(b);
        assertEq(uint256(v.state), uint256(DisputeState.Pick));
        assertEq(v.turnStart, block.timestamp);
        // The last record of the other is its challenge.
        assertEq(uint256(arena.disputeOf(b).state), uint256(DisputeState.Root));
        DisputedClaim memory c = arena.claimOf(claimId);
        assertEq(c.openedAt, block.timestamp);
        assertEq(c.root, theirs.root());
        // Opened again, in whichever dispute: nothing changes, nobody is paid.
        openTrace(b);
        openTrace(a);
        assertEq(arena.credit(operator), earned);
        skip(3);
        pick(b, 0, 6, 0);
        v = arena.disputeOf(b);
        assertEq(v.operatorLeft, BUDGET - 5);
        assertEq(v.challengerLeft, BUDGET - 3);
        // Its rest of the prepayment for the trace pays for its node.
        assertEq(v.prepaid, prepaid);
        assertFalse(v.alone);
    }

    /// A dispute that comes later pays for no trace and begins with its challenger's turn.
    function test_challenge_openTrace_startsAtPick() public {
        a = open(challenger, "a");
        openTrace(a);
        b = open(rival, "b");
        assertEq(uint256(arena.disputeOf(b).state), uint256(DisputeState.Pick));
        assertEq(view_(b).prepaid, 0);
        assertEq(view_(b).operatorLeft, BUDGET);
    }

    /// Silence in one dispute, the trace opened in another: nobody is convicted, and the challenger
    /// of the first has a turn of its own.
    function test_trace_openedElsewhere_noTimeout() public {
        a = open(challenger, "a");
        skip(30);
        b = open(rival, "b");
        skip(31);
        expect(IDisputeGame.TooLate.selector);
        this.openTraceFor(a);
        openTrace(b);
        assertState(a, DisputeState.Pick);
        assertEq(view_(a).operatorLeft, 0);
        expect(IDisputeGame.TooEarly.selector);
        arena.timeout(disputes[a]);
        vm.warp(view_(a).deadline);
        expect(IDisputeGame.TooEarly.selector);
        arena.timeout(disputes[a]);
        pick(a, 0, 6, 0);
        assertEq(view_(a).challengerLeft, 0);
    }

    /// Whoever waited for the trace and then falls silent loses, counted from its opening.
    function test_trace_openedElsewhere_challengerTimesOut() public {
        a = open(challenger, "a");
        b = open(rival, "b");
        skip(20);
        openTrace(b);
        skip(BUDGET);
        expect(IDisputeGame.TooEarly.selector);
        arena.timeout(disputes[a]);
        skip(1);
        arena.timeout(disputes[a]);
        assertState(a, DisputeState.Closed);
        assertFalse(convicted());
    }

    /* EVERYTHING ELSE */

    /// An answer in one dispute is none in another, neither to its clock nor from its money.
    function test_answer_isOfItsDispute() public {
        both(3);
        skip(7);
        bytes memory other = abi.encode(view_(b));
        reveal(a);
        assertEq(abi.encode(view_(b)), other);
        assertState(b, DisputeState.Node);
        uint256 deadline = view_(b).deadline;
        vm.warp(deadline);
        reveal(b);
        assertState(b, DisputeState.Pick);
        assertEq(view_(a).operatorLeft, BUDGET - 10);
        assertEq(view_(b).operatorLeft, 0);
    }

    /// Silence in one convicts, whatever was said in another.
    function test_timeout_answeredElsewhere_convicts() public {
        both(0);
        reveal(a);
        vm.warp(view_(b).deadline + 1);
        arena.timeout(disputes[b]);
        assertTrue(convicted());
        assertEq(oracle.credit(rival), STAKE / 4);
    }

    /// Another dispute can descend at once below nodes that one dispute has made public.
    function test_pick_belowWhatAnotherRevealed() public {
        both(0);
        reveal(a);
        bytes32 c = open(rival, "c");
        // Nobody revealed anything in this one: the hashes are known, and that is enough.
        pick(c, 0, 1, 2);
        assertState(c, DisputeState.Node);
        assertEq(view_(c).height, 1);
        reveal(c);
        pick(c, 0, 0, 5);
        revealLeaf(c);
        assertState(c, DisputeState.Step);
        // Down to the same leaf at once, in a fourth.
        bytes32 d = open(rival, "d");
        pick(d, 0, 0, 5);
        assertState(d, DisputeState.Leaf);
    }

    function test_partials_areOfTheirDispute() public {
        a = open(challenger, "a");
        b = open(rival, "b");
        openTrace(b);
        pick(a, 2, 0, 2);
        pick(b, 2, 0, 2);
        revealLeaf(a);
        revealLeaf(b);
        demand(a, 7);
        demand(b, 8);
        bytes memory partials = truePartials();
        partials[4] = 0x01;
        openPartials(a, partials);
        assertState(b, DisputeState.Partials);
        openPartials(b, truePartials());
        assertEq(view_(a).element, 7);
        assertEq(view_(b).element, 8);
        stepPartial(a, 4, partials);
        assertTrue(convicted());
        assertEq(oracle.credit(challenger), STAKE / 4);
        assertEq(oracle.credit(rival), 0);
    }

    /// The winner is who proves first; the others get all back that answers did not cost.
    function test_race_firstConviction_endsAll() public {
        theirs.changeLeaf(0, 5, flipped(0, 5, 1));
        uint256 before = challenger.balance;
        a = open(challenger, "a");
        b = open(rival, "b");
        play(b);
        play(a);
        Witness memory w = witness(0, 5);
        bytes32 hash = keccak256(abi.encode(w));
        vm.prank(challenger);
        arena.commitProof(keccak256(abi.encode(challenger, SALT, hash)));
        commitTo(rival, hash);
        stepAtOnce(b, w);
        expect(IDisputeGame.ClaimNotLive.selector);
        this.stepFor(a, w);
        uint256 due = heldFor(a);
        arena.reclaim(disputes[a]);
        assertEq(arena.credit(challenger), due);
        vm.prank(challenger);
        arena.withdraw(payable(challenger));
        assertEq(challenger.balance, before - paidFor(a));
    }

    function stepFor(bytes32 id, Witness memory w) external {
        stepAtOnce(id, w);
    }

    /// Payment to the operator for answers in one of two disputes that were played alike.
    function paidFor(bytes32 id) private view returns (uint256) {
        uint256 theirsToo = arena.credit(operator);
        uint256 spent = 1000 ether - rival.balance;
        uint256 ofRival = spent - arena.credit(rival);
        return id == b ? ofRival : theirsToo - ofRival;
    }

    /// One that loses changes a counter; the other goes on as before.
    function test_lostDispute_leavesOthersAlone() public {
        both(0);
        reveal(a);
        reveal(b);
        bytes memory other = abi.encode(view_(b));
        vm.warp(view_(a).deadline + 1);
        // Both are silent: only the first is ended.
        arena.timeout(disputes[a]);
        assertEq(abi.encode(view_(b)), other);
        assertEq(arena.claimOf(claimId).live, 1);
        assertTrue(isDisputed());
        expect(IInferenceOracle.DisputeLive.selector);
        oracle.finalize(req, "");
        arena.timeout(disputes[b]);
        assertFalse(isDisputed());
        oracle.finalize(req, "");
        assertTrue(statusOf(requestId) == RequestStatus.Final);
    }

    /// After all its disputes were lost a claim can be disputed anew while its window runs.
    function test_settled_disputedAgain() public {
        window = 600;
        claimIt();
        theirs.changeLeaf(0, 5, flipped(0, 5, 1));
        a = open(challenger, "a");
        openTrace(a);
        skip(BUDGET + 1);
        arena.timeout(disputes[a]);
        assertFalse(isDisputed());
        assertEq(arena.claimOf(claimId).live, 0);
        b = open(rival, "b");
        assertTrue(isDisputed());
        assertTrue(view_(b).alone);
        assertState(b, DisputeState.Pick);
        beat(b);
    }

    /// A claim's disputes are not the next attempt's, though trace and request are the same.
    function test_nextAttempt_beginsAnew() public {
        both(0);
        reveal(a);
        bytes32 old = claimId;
        convictElsewhere();
        accept(req, 1);
        bytes memory tokens = list(2, 100);
        claim(req, 1, tokens);
        useClaim(2, 0, tokens);
        assertTrue(claimId != old);
        bytes32 id = open(challenger, "a");
        assertState(id, DisputeState.Root);
        vm.prank(operator);
        expect(IDisputeGame.NotOperator.selector);
        arena.openTrace(disputes[id], "root", new bytes32[](4));
    }

    /* MULTICALL */

    /// Answers to many disputes and the withdrawal of what they earned in one transaction; an
    /// answer that came first does not stop it.
    function test_multicall_revealsAndWithdraws() public {
        both(0);
        bytes[] memory calls = new bytes[](4);
        calls[0] = answerCall(a);
        calls[1] = answerCall(b);
        calls[2] = calls[0];
        calls[3] = abi.encodeCall(arena.withdraw, (payable(operator)));
        uint256 before = operator.balance;
        uint256 earned = arena.credit(operator);
        uint256 left = view_(a).prepaid + view_(b).prepaid;
        vm.prank(operator);
        arena.multicall(calls);
        left -= view_(a).prepaid + view_(b).prepaid;
        assertGt(left, 0);
        assertEq(operator.balance - before, earned + left);
        assertEq(arena.credit(operator), 0);
    }

    /// An answer is copied and its challenger goes on before the operator's own batch: the other
    /// answers of the batch are taken all the same.
    function test_tryMulticall_movedDispute_keepsBackNoOther() public {
        both(0);
        bytes[] memory calls = new bytes[](2);
        calls[0] = answerCall(a);
        calls[1] = answerCall(b);
        revealAs(rival, a);
        pick(a, 0, 1, 0);
        vm.startPrank(operator);
        vm.expectRevert();
        arena.multicall(calls);
        assertEq(arena.tryMulticall(calls), 1);
        vm.stopPrank();
        assertState(b, DisputeState.Pick);
    }

    /// If all calls are refused, the revert names the reason.
    function test_tryMulticall_allRefused_reverts() public {
        both(0);
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(arena.timeout, (disputes[a]));
        calls[1] = calls[0];
        expect(IDisputeGame.TooEarly.selector);
        arena.tryMulticall(calls);
        vm.expectRevert(bytes(""));
        arena.tryMulticall(new bytes[](0));
    }

    /// No gas limit makes it succeed while an answer runs out of gas.
    function test_tryMulticall_outOfGas_takesNothing() public {
        both(0);
        bytes memory call = abi.encodeCall(arena.tryMulticall, (two(answerCall(a), answerCall(b))));
        vm.prank(operator);
        uint256 snapshot = vm.snapshotState();
        (bool ok,) = address(arena).call(call);
        assertTrue(ok);
        vm.revertToState(snapshot);
        for (uint256 gas_ = 20_000; gas_ < 260_000; gas_ += 5_000) {
            snapshot = vm.snapshotState();
            vm.prank(operator);
            (ok,) = address(arena).call{gas: gas_}(call);
            bool both_ = stateOf(a) == DisputeState.Pick && stateOf(b) == DisputeState.Pick;
            assertEq(ok, both_);
            vm.revertToState(snapshot);
        }
    }

    function two(bytes memory x, bytes memory y) private pure returns (bytes[] memory list_) {
        list_ = new bytes[](2);
        (list_[0], list_[1]) = (x, y);
    }

    /// The challenger's moves too, paid from its credit.
    function test_multicall_picksFromCredit() public {
        a = open(challenger, "a", 1 ether);
        openTrace(a);
        uint256 own = arena.credit(challenger);
        assertGt(own, 0.9 ether);
        uint88 bond = bondNow();
        bytes32[] memory path = theirs.path(0, 6, 0, TOP, 2);
        bytes32 node = theirs.node(0, 6, 0);
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(arena.pick, (disputes[a], 0, 6, 0, node, path));
        calls[1] = abi.encodeCall(
            arena.challenge, (theClaim.source, theClaim.name, opening(), model, bond, "another")
        );
        vm.prank(challenger);
        arena.multicall(calls);
        assertState(a, DisputeState.Node);
        assertLt(arena.credit(challenger), own - MIN_BOND + 1);
        // Whoever has none pays nothing with it.
        vm.prank(rival);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.NotEnoughEther.selector, MIN_BOND));
        arena.multicall(one(calls[1]));
    }

    /// Multicall reaches moves and views of the other half too, for the same sender.
    function test_multicall_reachesExtension() public {
        both(0);
        convictElsewhere();
        bytes32 commitment_ = keccak256("x");
        bytes[] memory calls = new bytes[](4);
        calls[0] = abi.encodeCall(arena.reclaim, (disputes[a]));
        calls[1] = abi.encodeCall(arena.commitProof, (commitment_));
        calls[2] = abi.encodeCall(arena.withdraw, (payable(stranger)));
        calls[3] = abi.encodeCall(arena.parameters, ());
        uint256 due = arena.credit(challenger) + heldFor(a);
        vm.expectEmit(address(arena));
        emit IDisputeGame.ProofCommitted(commitment_);
        vm.prank(challenger);
        arena.multicall(calls);
        assertEq(stranger.balance, due);
        assertState(a, DisputeState.Closed);
        // Its revert data comes through.
        vm.expectRevert(
            abi.encodeWithSelector(IDisputeGame.WrongState.selector, DisputeState.Closed)
        );
        arena.multicall(one(calls[0]));
    }

    function test_multicall_allOrNothing() public {
        both(0);
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(arena.commitProof, ("x"));
        calls[1] = abi.encodeCall(arena.timeout, (disputes[b]));
        expect(IDisputeGame.TooEarly.selector);
        arena.multicall(calls);
        // Nothing of it was done: the commitment is free.
        vm.expectEmit(address(arena));
        emit IDisputeGame.ProofCommitted("x");
        arena.commitProof("x");
        bytes memory call = abi.encodeCall(arena.multicall, (one(calls[0])));
        (bool ok,) = address(arena).call{value: 1}(call);
        assertFalse(ok, "takes ether");
    }

    function one(bytes memory call) private pure returns (bytes[] memory calls) {
        calls = new bytes[](1);
        calls[0] = call;
    }
}
