// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Vm} from "forge-std/Vm.sol";
import {
    Dispute,
    DisputeState,
    DisputeView,
    IDisputeGame
} from "../../src/interfaces/IDisputeGame.sol";
import {ClaimFacts} from "../../src/interfaces/IStepVerifier.sol";
import {GameTest} from "./GameTest.sol";

/// A light client draws a dispute from events alone: each carries what `disputeOf` says right after
/// it, clocks and money included.
contract EventsTest is GameTest {
    bytes32 internal id;

    function setUp() public override {
        super.setUp();
        claimIt();
        vm.recordLogs();
    }

    /// The data of the last event of that kind, which names claim and dispute.
    function last(bytes32 topic) private returns (bytes memory data) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = logs.length; i > 0; --i) {
            Vm.Log memory log = logs[i - 1];
            if (log.emitter != address(arena) || log.topics[0] != topic) continue;
            assertEq(log.topics[1], claimId, "claim");
            assertEq(log.topics[2], id, "dispute");
            return log.data;
        }
        revert("no such event");
    }

    function assertNow(DisputeState state, uint256 prepaid, uint256 deadline) private view {
        DisputeView memory v = arena.disputeOf(id);
        assertEq(uint256(v.state), uint256(state), "state");
        assertEq(prepaid, v.prepaid, "prepaid");
        assertEq(deadline, v.deadline, "deadline");
    }

    function test_wholeDispute() public {
        id = open();
        checkChallenged(DisputeState.Root);
        skip(3);
        openTrace(id);
        checkTraceOpened();
        skip(2);
        pick(id, 0, 6, 0);
        checkPicked(0, 6, 0, DisputeState.Node);
        skip(5);
        reveal(id);
        checkRevealed(0, 6, 0);
        skip(1);
        pick(id, 0, 1, 2);
        checkPicked(0, 1, 2, DisputeState.Node);
        reveal(id);
        checkRevealed(0, 1, 2);
        pick(id, 0, 0, 5);
        checkPicked(0, 0, 5, DisputeState.Leaf);
        skip(7);
        revealLeaf(id);
        checkLeafRevealed(0, 5);
    }

    function test_partials() public {
        id = open();
        openTrace(id);
        skip(BUDGET - 1);
        pick(id, 2, 0, 2);
        checkPicked(2, 0, 2, DisputeState.Leaf);
        skip(4);
        revealLeaf(id);
        checkLeafRevealed(2, 2);
        demand(id, 3);
        checkDemanded();
        skip(9);
        openPartials(id, truePartials());
        checkPartials();
    }

    /// In a dispute that begins in the middle, and at other fees.
    function test_openTrace_atOtherFees() public {
        id = open(rival, "first");
        openTrace(id);
        setFee(123 gwei);
        skip(1);
        id = open();
        checkChallenged(DisputeState.Pick);
        setFee(7 gwei);
        pick(id, TOP, 0, 0, 1);
    }

    /// To a leaf at once, by whatever fee.
    function pick(bytes32 id_, uint256, uint256, uint256, uint256) private {
        pick(id_, 1, 0, 1);
        checkPicked(1, 0, 1, DisputeState.Leaf);
        setFee(300 gwei);
        revealLeaf(id_);
        checkLeafRevealed(1, 1);
        assertEq(view_(id_).prepaid, 0, "dearer than was prepaid");
    }

    function checkChallenged(DisputeState wanted) private {
        bytes memory data = last(IDisputeGame.Challenged.selector);
        (Dispute memory d, ClaimFacts memory f, DisputeState s, uint256 prepaid, uint64 deadline) =
            abi.decode(data, (Dispute, ClaimFacts, DisputeState, uint256, uint64));
        assertEq(keccak256(abi.encode(d)), keccak256(abi.encode(disputes[id])));
        assertEq(keccak256(abi.encode(f)), theClaim.factsHash);
        assertEq(uint256(s), uint256(wanted));
        assertNow(s, prepaid, deadline);
    }

    function checkTraceOpened() private {
        bytes memory data = last(IDisputeGame.TraceOpened.selector);
        (bytes32 root, bytes32[] memory children, uint256 prepaid, uint64 deadline) =
            abi.decode(data, (bytes32, bytes32[], uint256, uint64));
        assertEq(root, theirs.root());
        assertEq(abi.encode(children), abi.encode(theirs.children(TOP, 2, 0)));
        assertNow(DisputeState.Pick, prepaid, deadline);
    }

    function checkPicked(uint16 op_, uint8 height_, uint32 index_, DisputeState s) private {
        bytes memory data = last(IDisputeGame.Picked.selector);
        (uint16 op, uint8 height, uint32 index, bytes32 node, uint256 prepaid, uint64 deadline) =
            abi.decode(data, (uint16, uint8, uint32, bytes32, uint256, uint64));
        assertEq(abi.encode(op, height, index), abi.encode(op_, height_, index_));
        DisputeView memory v = arena.disputeOf(id);
        assertEq(abi.encode(v.op, v.height, v.index, v.node), abi.encode(op, height, index, node));
        assertEq(node, theirs.node(op, height, index));
        assertNow(s, prepaid, deadline);
    }

    function checkRevealed(uint16 op_, uint8 height_, uint32 index_) private {
        bytes memory data = last(IDisputeGame.Revealed.selector);
        (
            uint16 op,
            uint8 height,
            uint32 index,
            bytes32[] memory children,
            uint256 prepaid,
            uint64 deadline
        ) = abi.decode(data, (uint16, uint8, uint32, bytes32[], uint256, uint64));
        assertEq(abi.encode(op, height, index), abi.encode(op_, height_, index_));
        assertEq(abi.encode(children), abi.encode(theirs.children(op, height, index)));
        assertNow(DisputeState.Pick, prepaid, deadline);
    }

    function checkLeafRevealed(uint16 op_, uint32 index_) private {
        bytes memory data = last(IDisputeGame.LeafRevealed.selector);
        (uint16 op, uint32 index, bytes memory leaf, uint256 prepaid, uint64 deadline) =
            abi.decode(data, (uint16, uint32, bytes, uint256, uint64));
        assertEq(abi.encode(op, index), abi.encode(op_, index_));
        assertEq(leaf, theirs.leaf(op, index));
        assertNow(DisputeState.Step, prepaid, deadline);
    }

    function checkDemanded() private {
        bytes memory data = last(IDisputeGame.PartialsDemanded.selector);
        (uint16 op, uint32 row, uint32 element, uint256 prepaid, uint64 deadline) =
            abi.decode(data, (uint16, uint32, uint32, uint256, uint64));
        assertEq(abi.encode(op, row, element), abi.encode(2, 1, 3));
        assertEq(arena.disputeOf(id).element, element);
        assertNow(DisputeState.Partials, prepaid, deadline);
    }

    function checkPartials() private {
        bytes memory out = last(IDisputeGame.PartialsOpened.selector);
        (
            uint16 op,
            uint32 row,
            uint32 element,
            bytes memory data,
            uint256 prepaid,
            uint64 deadline
        ) = abi.decode(out, (uint16, uint32, uint32, bytes, uint256, uint64));
        assertEq(abi.encode(op, row, element), abi.encode(2, 1, 3));
        assertEq(data, truePartials());
        assertNow(DisputeState.PartialStep, prepaid, deadline);
    }

    /// Every wei that an account can withdraw was in a `Credited`, with the claim it is of.
    function test_credited_sumsToCredit() public {
        id = open();
        openTrace(id);
        pick(id, 0, 6, 0);
        reveal(id);
        vm.warp(view_(id).deadline + 1);
        arena.timeout(disputes[id]);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 ofOperator;
        uint256 ofChallenger;
        for (uint256 i; i < logs.length; ++i) {
            bytes32[] memory topics = logs[i].topics;
            if (topics[0] != IDisputeGame.Credited.selector) continue;
            if (logs[i].emitter != address(arena)) continue;
            assertEq(topics[2], claimId);
            uint256 amount = abi.decode(logs[i].data, (uint256));
            if (address(uint160(uint256(topics[1]))) == operator) ofOperator += amount;
            else ofChallenger += amount;
        }
        assertEq(ofOperator, arena.credit(operator));
        assertEq(ofChallenger, arena.credit(challenger));
    }
}
