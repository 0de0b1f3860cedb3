// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DisputeState, DisputeView} from "../../src/interfaces/IDisputeGame.sol";
import {RequestStatus} from "../../src/interfaces/IInferenceOracle.sol";
import {OutputShape} from "../../src/interfaces/IStepVerifier.sol";
import {GameTest} from "./GameTest.sol";

/// Sock puppets: a thousand false disputes that all go different ways.
contract CrowdTest is GameTest {
    uint256 internal constant DISPUTES = 1000;

    bytes32[] internal ids;

    /// An honest operator keeps its bond, is repaid what it pays for gas, and its answer is final
    /// late by at most one dispute's length.
    function test_thousandFalseDisputes() public {
        OutputShape[] memory ops = new OutputShape[](40);
        for (uint256 i; i < 40; ++i) {
            ops[i] = OutputShape(0, 6 * 1024 + 8, 0, 0);
        }
        useProgram(ops, 3, 3);
        claimIt();
        truth.root();
        theirs.root();
        uint256 end = block.timestamp + WINDOW;
        vm.warp(end);
        for (uint256 i; i < DISPUTES; ++i) {
            ids.push(open(challenger, bytes32(i)));
        }
        uint256 bond = bonds.account(operator).locked;
        uint256 spent = descend();
        assertGe(arena.credit(operator), spent, "repaid");
        assertEq(arena.claimOf(claimId).live, DISPUTES);
        assertTrue(isDisputed());

        // The puppets fall silent at the last second of their clocks; whoever likes ends them.
        for (uint256 i; i < DISPUTES; ++i) {
            DisputeView memory v = view_(ids[i]);
            if (block.timestamp <= v.deadline) vm.warp(v.deadline + 1);
            arena.timeout(disputes[ids[i]]);
        }
        assertLe(block.timestamp - end, 2 * BUDGET + 24 * FLOOR, "late by one dispute at most");
        oracle.finalize(req, "");
        assertTrue(statusOf(requestId) == RequestStatus.Final);
        assertEq(bonds.account(operator).free, 10 ether);
        assertEq(bond, STAKE);
        assertGe(arena.credit(operator), spent + DISPUTES * (uint256(MIN_BOND) * 70 / 100));
        assertEq(oracle.credit(operator), FEE);
    }

    /// All to the leaves, each another way, the operator answering everything in the same seconds.
    /// @return spent what the operator paid for gas, each answer as a transaction of its own
    function descend() private returns (uint256 spent) {
        uint256[2][] memory all = leaves();
        for (uint256 i; i < DISPUTES; ++i) {
            bytes32 id = ids[i];
            uint256[2] memory to = all[(i * 7) % all.length];
            spent += reply(id);
            pick(id, TOP, 1, to[0] >> 1);
            spent += reply(id);
            pick(id, to[0], 6, 0);
            spent += reply(id);
            pick(id, to[0], 1, to[1] >> 1);
            spent += reply(id);
            pick(id, to[0], 0, to[1]);
            spent += reply(id);
            assertState(id, DisputeState.Step);
        }
    }

    /// The operator's answer where one is wanted.
    function reply(bytes32 id) private returns (uint256 cost) {
        bytes memory call = answerCall(id);
        if (call.length == 0) return 0;
        vm.prank(operator);
        (bool ok,) = address(arena).call(call);
        assertTrue(ok, "answer");
        // Execution, which is on warm storage here, and its data. The whole test is one
        // transaction, which is counted once: Repayment.t.sol has transactions of their own.
        return (vm.lastCallGas().gasTotalUsed + calldataGas(call)) * (BASE_FEE + TIP);
    }

    function calldataGas(bytes memory call) private pure returns (uint256 gasAmount) {
        for (uint256 i; i < call.length; ++i) {
            gasAmount += call[i] == 0 ? 4 : 16;
        }
    }
}
