// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IClaims} from "../../src/interfaces/IClaims.sol";
import {
    Dispute,
    DisputeState,
    DisputeView,
    IDisputeGame
} from "../../src/interfaces/IDisputeGame.sol";
import {Witness} from "../../src/interfaces/IStepVerifier.sol";
import {MoveTest} from "./MoveTest.sol";

/// Each move by the wrong one or at the wrong time.
contract MovesTest is MoveTest {
    /* STATES */

    function test_everyMove_inEveryState() public {
        for (uint8 i = 1; i <= 7; ++i) {
            uint256 snapshot = vm.snapshotState();
            DisputeState s = DisputeState(i);
            reach(s);
            assertState(id, s);
            tryOperators(s);
            tryChallengers(s);
            bytes memory before = abi.encode(view_(id));
            expect(IDisputeGame.TooEarly.selector);
            arena.timeout(disputes[id]);
            expect(IDisputeGame.TooEarly.selector);
            arena.reclaim(disputes[id]);
            assertEq(abi.encode(view_(id)), before);
            vm.revertToStateAndDelete(snapshot);
        }
    }

    /// Answers that were given already change nothing; others in the wrong state revert.
    function tryOperators(DisputeState s) private {
        bytes memory before = abi.encode(view_(id), arena.credit(operator));
        bytes32 root = theirs.root();
        bytes32[] memory children = theirs.children(TOP, 2, 0);
        bytes memory leaf = theirs.leaf(2, 2);
        vm.startPrank(operator);
        if (s != DisputeState.Root) {
            arena.openTrace(disputes[id], root, children);
            expect(IDisputeGame.WrongHash.selector);
            arena.openTrace(disputes[id], bytes32(uint256(root) ^ 1), children);
        }
        if (s != DisputeState.Node && s != DisputeState.Pick) expectState(s);
        if (s != DisputeState.Node) arena.reveal(disputes[id], children);
        if (s != DisputeState.Leaf && s != DisputeState.Step) expectState(s);
        if (s != DisputeState.Leaf) arena.revealLeaf(disputes[id], leaf);
        if (s < DisputeState.Partials) expectState(s);
        if (s != DisputeState.Partials) arena.openPartials(disputes[id], truePartials());
        // Answers to no question of this dispute.
        if (s == DisputeState.Step) {
            expect(IDisputeGame.WrongLength.selector);
            arena.revealLeaf(disputes[id], "");
        }
        if (s == DisputeState.Pick) {
            children[0] = 0;
            expect(IDisputeGame.WrongHash.selector);
            arena.reveal(disputes[id], children);
        }
        if (s == DisputeState.PartialStep) {
            expect(IDisputeGame.WrongHash.selector);
            arena.openPartials(disputes[id], new bytes(28));
        }
        vm.stopPrank();
        assertEq(abi.encode(view_(id), arena.credit(operator)), before);
    }

    function tryChallengers(DisputeState s) private {
        bytes memory before = abi.encode(view_(id));
        Witness memory w = witness(0, 0);
        bytes32[] memory none;
        uint88 bond = bondNow();
        vm.startPrank(challenger);
        if (s != DisputeState.Pick) {
            expectState(s);
            arena.pick(disputes[id], 0, 0, 0, 0, none);
        }
        if (s != DisputeState.Step) {
            expectState(s);
            arena.demandPartials(disputes[id], 3);
        }
        if (s != DisputeState.PartialStep) {
            expectState(s);
            arena.stepPartial(disputes[id], facts, model, w, "", SALT);
        }
        if (s == DisputeState.Root) expectState(s);
        else expect(IDisputeGame.NothingWrong.selector);
        arena.step(disputes[id], facts, model, w, SALT);
        expect(IDisputeGame.DisputeExists.selector);
        arena.challenge{value: 1 ether}(
            theClaim.source, theClaim.name, opening(), model, bond, SALT
        );
        vm.stopPrank();
        assertEq(abi.encode(view_(id)), before);
    }

    /// After a conviction every move reverts, in every state.
    function test_everyMove_afterConviction_reverts() public {
        for (uint8 i = 1; i <= 7; ++i) {
            uint256 snapshot = vm.snapshotState();
            reach(DisputeState(i));
            convictElsewhere();
            tryAllOver(dispute(), IDisputeGame.ClaimNotLive.selector);
            uint88 bond = bondNow();
            expect(IClaims.NoSuchClaim.selector);
            arena.challenge{value: 1 ether}(
                theClaim.source, theClaim.name, opening(), model, bond, "third"
            );
            // Bond and what is not spent come back, once.
            uint256 due = heldFor(id);
            uint256 before = arena.credit(challenger);
            arena.reclaim(disputes[id]);
            assertEq(arena.credit(challenger) - before, due);
            expectState(DisputeState.Closed);
            arena.reclaim(disputes[id]);
            vm.revertToStateAndDelete(snapshot);
        }
    }

    function tryAllOver(Dispute memory d, bytes4 error_) private {
        bytes32[] memory none;
        Witness memory w;
        vm.startPrank(operator);
        vm.expectPartialRevert(error_);
        arena.openTrace(d, 0, none);
        vm.expectPartialRevert(error_);
        arena.reveal(d, none);
        vm.expectPartialRevert(error_);
        arena.revealLeaf(d, "");
        vm.expectPartialRevert(error_);
        arena.openPartials(d, "");
        vm.startPrank(challenger);
        vm.expectPartialRevert(error_);
        arena.pick(d, 0, 0, 0, 0, none);
        vm.expectPartialRevert(error_);
        arena.demandPartials(d, 0);
        vm.expectPartialRevert(error_);
        arena.step(d, facts, model, w, SALT);
        vm.expectPartialRevert(error_);
        arena.stepPartial(d, facts, model, w, "", SALT);
        vm.expectPartialRevert(error_);
        arena.timeout(d);
        vm.stopPrank();
    }

    /// A dispute that differs in anything is another one: its claim's parts too.
    function test_everyMove_unknownDispute_reverts() public {
        reach(DisputeState.Pick);
        for (uint256 i; i < 8; ++i) {
            Dispute memory d = dispute();
            if (i == 0) d.salt = "none";
            if (i == 1) d.bond += 1;
            if (i == 2) d.claim.stake -= 1;
            if (i == 3) d.claim.factsHash = 0;
            if (i == 4) d.claim.name = bytes32(uint256(d.claim.name) ^ 1);
            if (i == 5) d.claim.source = stranger;
            if (i == 6) d.claim.modelId = 0;
            if (i == 7) d.claim.operator = challenger;
            tryAllOver(d, IDisputeGame.NoSuchDispute.selector);
            expect(IDisputeGame.NoSuchDispute.selector);
            arena.reclaim(d);
            assertEq(uint256(arena.disputeOf(arena.disputeIdOf(d)).state), 0);
        }
        Dispute memory other = dispute();
        other.challenger = rival;
        vm.prank(rival);
        expect(IDisputeGame.NoSuchDispute.selector);
        arena.demandPartials(other, 0);
    }

    function test_everyMove_lostDispute_reverts() public {
        reach(DisputeState.Pick);
        vm.warp(view_(id).deadline + 1);
        arena.timeout(disputes[id]);
        tryAllOver(dispute(), IDisputeGame.WrongState.selector);
        expectState(DisputeState.Closed);
        arena.reclaim(disputes[id]);
    }

    /* FOREIGN MOVES */

    /// A stranger, another challenger and the operator cannot play the challenger's moves; nobody
    /// but the operator opens.
    function test_foreignMoves_revert() public {
        bytes32[] memory none;
        Witness memory w;
        reach(DisputeState.Root);
        address[3] memory others = [stranger, rival, operator];
        for (uint256 i; i < others.length; ++i) {
            vm.startPrank(others[i]);
            expect(IDisputeGame.NotChallenger.selector);
            arena.pick(disputes[id], 0, 0, 0, 0, none);
            expect(IDisputeGame.NotChallenger.selector);
            arena.demandPartials(disputes[id], 0);
            expect(IDisputeGame.NotChallenger.selector);
            arena.step(disputes[id], facts, model, w, SALT);
            expect(IDisputeGame.NotChallenger.selector);
            arena.stepPartial(disputes[id], facts, model, w, "", SALT);
            vm.stopPrank();
        }
        others = [stranger, rival, challenger];
        for (uint256 i; i < others.length; ++i) {
            vm.startPrank(others[i]);
            expect(IDisputeGame.NotOperator.selector);
            arena.openTrace(disputes[id], 0, none);
            expect(IDisputeGame.NotOperator.selector);
            arena.openPartials(disputes[id], "");
            vm.stopPrank();
        }
    }

    /// Anybody may send bytes that a hash fixes; the operator is repaid, not the sender.
    function test_reveal_byStranger_repaysOperator() public {
        reach(DisputeState.Node);
        uint256 before = arena.credit(operator);
        revealAs(stranger, id);
        assertEq(arena.credit(stranger), 0);
        uint256 repaid = arena.credit(operator) - before;
        assertGt(repaid, 0);
        assertState(id, DisputeState.Pick);
        // The same again, from anybody, pays nobody.
        bytes32[] memory children = theirs.children(0, 6, 0);
        vm.prank(rival);
        arena.reveal(dispute(), children);
        vm.prank(operator);
        arena.reveal(dispute(), children);
        assertEq(arena.credit(rival), 0);
        assertEq(arena.credit(operator) - before, repaid);
    }

    /* LATE AND EARLY */

    /// The last second counts, the next does not; the clock's end is the other side's only then.
    function test_deadline_isExact() public {
        for (uint8 i = 1; i <= 7; ++i) {
            uint256 snapshot = vm.snapshotState();
            DisputeState s = DisputeState(i);
            reach(s);
            uint256 deadline = view_(id).deadline;
            assertEq(deadline, block.timestamp + BUDGET);
            vm.warp(deadline);
            expect(IDisputeGame.TooEarly.selector);
            arena.timeout(disputes[id]);
            uint256 inTime = vm.snapshotState();
            move(s);
            bool ends = s == DisputeState.Step || s == DisputeState.PartialStep;
            assertTrue(ends ? convicted() : stateOf(id) != s);
            vm.revertToStateAndDelete(inTime);
            vm.warp(deadline + 1);
            expect(IDisputeGame.TooLate.selector);
            this.moveFor(s);
            arena.timeout(disputes[id]);
            bool operators = i == 1 || i == 3 || i == 4 || i == 6;
            assertEq(convicted(), operators);
            vm.revertToStateAndDelete(snapshot);
        }
    }

    function moveFor(DisputeState s) external {
        move(s);
    }

    function move(DisputeState s) private {
        if (s == DisputeState.Pick) {
            pick(id, 2, 3, 0);
        } else if (s == DisputeState.Step) {
            toy.setAlways();
            step(id, 2, 2);
        } else if (s == DisputeState.PartialStep) {
            toy.setAlways();
            stepPartial(id, 5, truePartials());
        } else {
            answer(id);
        }
    }

    /// Each side uses its own time; every move has at least the floor.
    function test_chessClock() public {
        reach(DisputeState.Pick);
        skip(40);
        pick(id, 0, 6, 0);
        DisputeView memory v = view_(id);
        assertEq(v.challengerLeft, BUDGET - 40);
        assertEq(v.operatorLeft, BUDGET);
        skip(58);
        reveal(id);
        v = view_(id);
        assertEq(v.operatorLeft, 2);
        assertEq(v.deadline, block.timestamp + 20);
        skip(20);
        pick(id, 0, 1, 0);
        v = view_(id);
        assertEq(v.challengerLeft, 0);
        assertEq(v.deadline, block.timestamp + FLOOR);
        skip(FLOOR);
        reveal(id);
        v = view_(id);
        assertEq(v.operatorLeft, 0);
        assertEq(v.deadline, block.timestamp + FLOOR);
        skip(FLOOR + 1);
        bytes32 node = theirs.node(0, 0, 0);
        expect(IDisputeGame.TooLate.selector);
        this.pickFor(0, 0, 0, node);
    }
}
