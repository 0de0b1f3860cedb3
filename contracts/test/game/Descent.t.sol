// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    Conviction,
    DisputeState,
    DisputeView,
    IDisputeGame
} from "../../src/interfaces/IDisputeGame.sol";
import {RequestStatus, SeatStatus} from "../../src/interfaces/IInferenceOracle.sol";
import {OutputShape, Witness} from "../../src/interfaces/IStepVerifier.sol";
import {GameTest} from "./GameTest.sol";

/// Whole games: liars of every kind lose, honest operators never do.
contract DescentTest is GameTest {
    bytes32 internal constant NOTHING = keccak256("hash of nothing");

    /* LIARS */

    function test_flip_paysAndReopens() public {
        claimIt();
        theirs.changeLeaf(0, 5, flipped(0, 5, 7));
        uint256 before = challenger.balance;
        bytes32 id = open();
        assertState(id, DisputeState.Root);
        play(id);
        DisputeView memory v = view_(id);
        assertEq(v.op, 0);
        assertEq(v.height, 0);
        assertEq(v.index, 5);
        Witness memory w = witness(0, 5);
        vm.expectEmit(address(arena));
        emit IDisputeGame.ClaimConvicted(
            claimId, id, challenger, Conviction.Step, w.op, w.leaf, w.unit
        );
        stepAtOnce(id, w);
        assertTrue(convicted());
        assertTrue(statusOf(requestId) == RequestStatus.Open);
        assertTrue(oracle.seatOf(requestId, 1, 0).status == SeatStatus.Convicted);
        assertEq(oracle.credit(challenger), STAKE / 4);
        // Bond and prepayment come back but for what answers cost.
        uint256 answers = arena.credit(operator);
        assertGt(answers, 0);
        assertEq(before - challenger.balance, arena.credit(challenger) + answers);
        assertGt(arena.credit(challenger), bondNow());
        assertState(id, DisputeState.Closed);
        assertEq(view_(id).prepaid, 0);
    }

    /// One bit anywhere.
    function test_flip_everyLeaf_isConvicted() public {
        claimIt();
        truth.root();
        uint256[2][] memory all = leaves();
        assertEq(all.length, 27 + 6 + 6 + 2);
        for (uint256 i; i < all.length; ++i) {
            uint256 snapshot = vm.snapshotState();
            (uint256 op, uint256 place) = (all[i][0], all[i][1]);
            theirs.changeLeaf(op, place, flipped(op, place, i % truth.lengthOf(op, place)));
            bytes32 id = open();
            beat(id);
            vm.revertToStateAndDelete(snapshot);
        }
    }

    function test_wrongLength_everyLeaf_isConvicted() public {
        claimIt();
        truth.root();
        uint256[2][] memory all = leaves();
        for (uint256 i; i < all.length; ++i) {
            uint256 snapshot = vm.snapshotState();
            bytes memory data = truth.trueLeaf(all[i][0], all[i][1]);
            if (i % 2 == 0) data = bytes.concat(data, hex"00");
            else data = slice(data, data.length - 1);
            theirs.changeLeaf(all[i][0], all[i][1], data);
            bytes32 id = open();
            play(id);
            assertState(id, DisputeState.Leaf);
            vm.expectRevert(IDisputeGame.WrongLength.selector);
            this.answerFor(id);
            beat(id);
            vm.revertToStateAndDelete(snapshot);
        }
    }

    /// A node that stands for nothing, at every place of every tree.
    function test_alienNode_everywhere_isConvicted() public {
        claimIt();
        truth.root();
        for (uint256 op; op < truth.opCount(); ++op) {
            uint256 height = truth.heightOf(op);
            for (uint256 h; h <= height; ++h) {
                for (uint256 i; i < 2 ** (height - h); i += i < 4 ? 1 : 5) {
                    if (truth.present(op, h, i)) forced(op, h, i, NOTHING);
                }
            }
        }
        for (uint256 h = 1; h <= 2; ++h) {
            for (uint256 i; i < 2 ** (2 - h); ++i) {
                forced(TOP, h, i, NOTHING);
            }
        }
    }

    /// Padding that is not padding, wherever its parent is in range.
    function test_garbageInPadding_isConvicted() public {
        claimIt();
        truth.root();
        uint256 tried;
        for (uint256 op; op < truth.opCount(); ++op) {
            uint256 height = truth.heightOf(op);
            for (uint256 h; h < height; ++h) {
                for (uint256 i; i < 2 ** (height - h); ++i) {
                    if (truth.present(op, h, i) || !truth.present(op, h + 1, i / 2)) continue;
                    forced(op, h, i, NOTHING);
                    ++tried;
                }
            }
        }
        assertGt(tried, 10);
    }

    /// A hash of padding inside the range: nobody can show its preimage there.
    function test_paddingInRange_isConvicted() public {
        claimIt();
        truth.root();
        for (uint256 h; h < 6; ++h) {
            forced(0, h, 1, keccak256(abi.encodePacked(uint8(11), uint8(h))));
        }
        forced(1, 0, 2, keccak256(abi.encodePacked(uint8(11), uint8(0))));
        forced(TOP, 1, 1, keccak256(abi.encodePacked(uint8(12), uint8(1))));
    }

    function forced(uint256 op, uint256 h, uint256 i, bytes32 hash) private {
        uint256 snapshot = vm.snapshotState();
        theirs.force(op, h, i, hash);
        beat(open());
        vm.revertToStateAndDelete(snapshot);
    }

    /// forge-config: default.fuzz.runs = 48
    /// forge-config: slow.fuzz.runs = 5000
    function testFuzz_liar_severalFaults_isConvicted(uint256 random) public {
        useRandomProgram(random);
        claimIt();
        uint256 faults = 1 + random % 4;
        for (uint256 i; i < faults; ++i) {
            random = uint256(keccak256(abi.encode(random)));
            corrupt(random);
        }
        if (theirs.root() == truth.root()) return;
        beat(open());
        assertEq(oracle.credit(challenger), STAKE / 4);
    }

    /// forge-config: default.fuzz.runs = 48
    /// forge-config: slow.fuzz.runs = 5000
    function testFuzz_falseChallenger_loses(uint256 random) public {
        useRandomProgram(random);
        claimIt();
        bytes32 id = open();
        while (true) {
            random = uint256(keccak256(abi.encode(random)));
            if (stateOf(id) == DisputeState.Pick) {
                if (random % 8 == 0 || !pickAny(id, random)) break;
            } else if (stateOf(id) == DisputeState.Step) {
                DisputeView memory v = view_(id);
                vm.expectRevert(IDisputeGame.NothingWrong.selector);
                this.stepFor(id, v.op, v.index);
                break;
            } else {
                answer(id);
            }
        }
        vm.warp(view_(id).deadline + 1);
        arena.timeout(disputes[id]);
        assertFalse(convicted());
        oracle.finalize(req, "");
        assertEq(oracle.credit(operator), FEE);
        assertGe(arena.credit(operator), MIN_BOND * 70 / 100);
    }

    function stepFor(bytes32 id, uint256 op, uint256 place) external {
        step(id, op, place);
    }

    /// A pick of a random node, which the game takes exactly when it is a present stage below.
    function pickAny(bytes32 id, uint256 random) private returns (bool) {
        DisputeView memory v = view_(id);
        uint256 op = v.op == TOP ? random % truth.opCount() : v.op;
        uint256 height = (random >> 32) % (truth.heightOf(op) + 1);
        if (op == v.op && height >= v.height) height = v.height == 0 ? 0 : v.height - 1;
        uint256 index = (random >> 64) % 2 ** (truth.heightOf(op) - height);
        uint256 above = op != v.op ? op >> v.height : index >> (v.height - height);
        bool below = above == v.index;
        bool stage = height == 0 || (truth.heightOf(op) - height) % 5 == 0;
        if (!below || !stage || !truth.present(op, height, index)) {
            vm.expectRevert(IDisputeGame.BadPick.selector);
            this.pickFor(id, op, height, index);
            return false;
        }
        pick(id, op, height, index);
        return true;
    }

    function pickFor(bytes32 id, uint256 op, uint256 height, uint256 index) external {
        pick(id, op, height, index);
    }

    /* SHAPES */

    function test_oneOperationOneLeaf_isConvicted() public {
        OutputShape[] memory ops = new OutputShape[](1);
        ops[0] = OutputShape(0, 40, 0, 0);
        useProgram(ops, 1, 1);
        claimIt();
        theirs.changeLeaf(0, 0, flipped(0, 0, 1));
        bytes32 id = open();
        openTrace(id);
        assertEq(view_(id).height, 0);
        assertEq(view_(id).node, 0, "the trace's root is not stored again");
        assertEq(arena.claimOf(claimId).root, theirs.node(0, 0, 0));
        pick(id, 0, 0, 0);
        assertState(id, DisputeState.Leaf);
        revealLeaf(id);
        step(id, 0, 0);
        assertTrue(convicted());
    }

    function test_oneOperation_everyFlip_isConvicted() public {
        OutputShape[] memory ops = new OutputShape[](1);
        ops[0] = OutputShape(0, 2000, 0, 0);
        useProgram(ops, 3, 1);
        claimIt();
        truth.root();
        for (uint256 i; i < 6; ++i) {
            uint256 snapshot = vm.snapshotState();
            theirs.changeLeaf(0, i, flipped(0, i, 9));
            beat(open());
            vm.revertToStateAndDelete(snapshot);
        }
    }

    /// Two stages above operations.
    function test_manyOperations_isConvicted() public {
        OutputShape[] memory ops = new OutputShape[](70);
        for (uint256 i; i < 70; ++i) {
            ops[i] = OutputShape(1, 8, 0, 0);
        }
        useProgram(ops, 2, 2);
        claimIt();
        truth.root();
        for (uint256 op; op < 70; op += 23) {
            uint256 snapshot = vm.snapshotState();
            theirs.changeLeaf(op, 1, flipped(op, 1, 3));
            beat(open());
            vm.revertToStateAndDelete(snapshot);
        }
        for (uint256 h; h < 7; ++h) {
            forced(TOP, h == 0 ? 1 : h, 0, NOTHING);
        }
        // Operations that there are not.
        forced(TOP, 1, 35, NOTHING);
        forced(TOP, 3, 9, NOTHING);
    }

    function test_honest_challengerFindsNothing() public {
        claimIt();
        bytes32 id = open();
        play(id);
        assertState(id, DisputeState.Pick);
        skip(BUDGET + 1);
        uint256 burned = address(0xdEaD).balance;
        arena.timeout(disputes[id]);
        assertEq(address(0xdEaD).balance - burned, MIN_BOND - MIN_BOND * 70 / 100);
        assertFalse(isDisputed());
        oracle.finalize(req, "");
        assertTrue(statusOf(requestId) == RequestStatus.Final);
    }

    /* RANDOM PROGRAMS AND LIES */

    function useRandomProgram(uint256 random) private {
        OutputShape[] memory ops = new OutputShape[]([1, 2, 3, 5, 7, 9, 12][random % 7]);
        for (uint256 i; i < ops.length; ++i) {
            uint256 word = uint256(keccak256(abi.encode(random, "op", i)));
            uint256 short = [0, 1, 900, 1016][(word >> 8) % 4];
            uint32 rowBytes = uint32([1, 2, 3, 5][word % 4] * 1024 - short);
            uint8 kind = uint8((word >> 16) % 3);
            ops[i] = OutputShape(kind, rowBytes, kind == 2 ? uint32(1 + (word >> 24) % 3) : 0, 0);
        }
        useProgram(ops, 1 + (random >> 8) % 5, 1 + (random >> 16) % 5);
    }

    function corrupt(uint256 random) private {
        uint256 op = (random >> 8) % truth.opCount();
        uint256 h = (random >> 16) % (truth.heightOf(op) + 1);
        uint256 i = (random >> 32) % 2 ** (truth.heightOf(op) - h);
        uint256 kind = random % 6;
        if (kind < 3) {
            uint256[2][] memory all = leaves();
            (op, i) = (all[(random >> 64) % all.length][0], all[(random >> 64) % all.length][1]);
            bytes memory data = flipped(op, i, (random >> 128) % truth.lengthOf(op, i));
            if (kind == 1) data = bytes.concat(data, hex"00");
            if (kind == 2 && data.length > 1) data = slice(data, data.length - 1);
            theirs.changeLeaf(op, i, data);
        } else if (kind == 3) {
            theirs.force(op, h, i, NOTHING);
        } else if (kind == 4) {
            uint256 top = truth.heightOf(TOP);
            if (top > 0) theirs.force(TOP, 1 + (random >> 16) % top, 0, NOTHING);
        } else {
            theirs.force(op, h, i, keccak256(abi.encodePacked(uint8(11), uint8(h))));
        }
    }

    function slice(bytes memory data, uint256 length) private pure returns (bytes memory cut) {
        cut = new bytes(length);
        for (uint256 i; i < length; ++i) {
            cut[i] = data[i];
        }
    }
}
