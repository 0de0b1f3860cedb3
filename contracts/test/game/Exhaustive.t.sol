// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DisputeState, DisputeView, IDisputeGame} from "../../src/interfaces/IDisputeGame.sol";
import {OutputShape} from "../../src/interfaces/IStepVerifier.sol";
import {GameTest} from "./GameTest.sol";

/// Every sequence of legal moves on small trees, against the honest operator and against a liar at
/// each point.
contract ExhaustiveTest is GameTest {
    uint256 internal ends;
    /// the leaf that is wrong; of an honest operator none
    bool internal lying;
    uint256 internal wrongOp;
    uint256 internal wrongPlace;

    /// Against the honest operator no sequence convicts: the proofs show nothing, and the operator
    /// always has an answer.
    function test_everySequence_honest_neverConvicts() public {
        claimIt();
        warm();
        walk(open());
        emit log_named_uint("ends", ends);
        // To every leaf by every choice of the stages above it: none, one, or both of them.
        assertEq(ends, 27 * 4 + (6 + 6) * 2 + 2 * 2);
    }

    /// Against a liar every sequence of picks leaves the challenger able to convict, at every turn.
    function test_everySequence_everyDivergence_convicts() public {
        useProgram(tinyProgram(), 2, 1);
        walkDivergences(1, (6 + 4) * 2 + 1);
    }

    /// The same where a tree has two stages, at every fourth leaf: minutes.
    function test_everySequence_everyDivergence_twoStages_convicts() public {
        string memory profile = vm.envOr("FOUNDRY_PROFILE", string("default"));
        vm.skip(keccak256(bytes(profile)) != keccak256("slow"));
        walkDivergences(4, 27 * 4 + (6 + 6) * 2 + 2 * 2);
    }

    function walkDivergences(uint256 stride, uint256 wantedEnds) private {
        claimIt();
        uint256[2][] memory all = leaves();
        for (uint256 i; i < all.length; i += stride) {
            uint256 snapshot = vm.snapshotState();
            (lying, wrongOp, wrongPlace) = (true, all[i][0], all[i][1]);
            theirs.changeLeaf(wrongOp, wrongPlace, flipped(wrongOp, wrongPlace, 0));
            warm();
            walk(open());
            assertEq(ends, wantedEnds, "ends");
            vm.revertToStateAndDelete(snapshot);
        }
        emit log_named_uint("divergence points", all.length);
    }

    /// Trees of one stage and none, padding in both.
    function tinyProgram() private pure returns (OutputShape[] memory ops) {
        ops = new OutputShape[](3);
        ops[0] = OutputShape(0, 2 * 1024 + 8, 0, 0);
        ops[1] = OutputShape(2, 72, 2, 0);
        ops[2] = OutputShape(1, 8, 0, 0);
    }

    /// Snapshots drop what the traces have cached since.
    function warm() private {
        truth.root();
        theirs.root();
    }

    function walk(bytes32 id) private {
        DisputeView memory v = view_(id);
        if (v.state == DisputeState.Pick) {
            walkPicks(id, v);
        } else if (v.state == DisputeState.Step) {
            ++ends;
            finish(id, v);
        } else {
            // Silence convicts, an answer does not.
            uint256 snapshot = vm.snapshotState();
            vm.warp(v.deadline + 1);
            vm.expectRevert(IDisputeGame.TooLate.selector);
            this.answerFor(id);
            arena.timeout(disputes[id]);
            assertTrue(convicted());
            vm.revertToState(snapshot);
            answer(id);
            expectEarly(id);
            walk(id);
            uint256 kept = ends;
            vm.revertToStateAndDelete(snapshot);
            ends = kept;
        }
    }

    function walkPicks(bytes32 id, DisputeView memory v) private {
        finish(id, v);
        uint256 from = v.op == TOP ? 0 : v.op;
        uint256 to = v.op == TOP ? truth.opCount() - 1 : v.op;
        for (uint256 op = from; op <= to; ++op) {
            uint256 height = truth.heightOf(op);
            for (uint256 h = 0; h <= height; ++h) {
                if (h != 0 && (height - h) % 5 != 0) continue;
                for (uint256 i; i < 2 ** (height - h); ++i) {
                    if (!truth.present(op, h, i)) continue;
                    if (v.op == op && (h >= v.height || i >> (v.height - h) != v.index)) continue;
                    uint256 snapshot = vm.snapshotState();
                    pick(id, op, h, i);
                    walk(id);
                    uint256 kept = ends;
                    vm.revertToStateAndDelete(snapshot);
                    ends = kept;
                }
            }
        }
    }

    /// Tries all ends of the dispute in the challenger's turn.
    function finish(bytes32 id, DisputeView memory v) private {
        uint256 snapshot = vm.snapshotState();
        expectEarly(id);
        if (lying) {
            step(id, wrongOp, wrongPlace);
            assertTrue(convicted());
        } else if (v.state == DisputeState.Step) {
            vm.expectRevert(IDisputeGame.NothingWrong.selector);
            this.stepFor(id, v.op, v.index);
        }
        vm.revertToState(snapshot);
        vm.warp(v.deadline + 1);
        arena.timeout(disputes[id]);
        assertState(id, DisputeState.Closed);
        assertFalse(convicted());
        assertFalse(isDisputed());
        vm.revertToStateAndDelete(snapshot);
    }

    function expectEarly(bytes32 id) private {
        vm.expectRevert(IDisputeGame.TooEarly.selector);
        arena.timeout(disputes[id]);
    }

    function stepFor(bytes32 id, uint256 op, uint256 place) external {
        step(id, op, place);
    }
}
