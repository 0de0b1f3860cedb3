// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {OutputShape, Witness} from "../../src/interfaces/IStepVerifier.sol";
import {GameTest} from "./GameTest.sol";

/// Gas of each move as a transaction of its own, on cold storage, kept in snapshots/gas.json. Steps
/// are with the toy verifier: what the verifier itself takes is measured elsewhere.
/// forge-config: default.isolate = true
/// forge-config: slow.isolate = true
contract GameGasTest is GameTest {
    /// Transactions of isolated tests have no base fee: what is sent must be what is needed then.
    function setUp() public override {
        super.setUp();
        setFee(0);
    }

    function test_gas_descent() public {
        useProgram(tallProgram(), 2, 2);
        claimIt();
        theirs.changeLeaf(4, 5, flipped(4, 5, 7));
        bytes32 id = open();
        snapshot("challenge");
        openTrace(id);
        snapshotWithin("openTrace", TRACE_GAS);
        pick(id, TOP, 1, 2);
        snapshot("pick_first");
        reveal(id);
        snapshotWithin("reveal_2", CHILDREN_GAS);
        pick(id, 4, truth.heightOf(4), 0);
        snapshot("pick_operation");
        reveal(id);
        snapshotWithin("reveal_32", CHILDREN_GAS);
        pick(id, 4, 1, 2);
        snapshot("pick");
        reveal(id);
        pick(id, 4, 0, 5);
        revealLeaf(id);
        snapshotWithin("revealLeaf", LEAF_GAS);
        uint256 alone = vm.snapshotState();
        Witness memory w = witness(4, 5);
        stepAtOnce(id, w);
        snapshot("step_toy");
        vm.revertToState(alone);
        bytes32 second = open(challenger, "second");
        snapshot("challenge_open_trace");
        pick(second, 4, 0, 5);
        snapshot("pick_leaf_from_root");
        commitTo(challenger, keccak256(abi.encode(w)));
        stepAtOnce(id, w);
        snapshot("step_committed_toy");
        arena.reclaim(disputes[second]);
        snapshot("reclaim");
        vm.prank(challenger);
        arena.withdraw(payable(challenger));
        snapshot("withdraw_game");
    }

    /// All 32 in range: no padding is filled in.
    function test_gas_revealWithoutPadding() public {
        OutputShape[] memory ops = smallProgram();
        ops[0].rowBytes = 16 * 1024;
        useProgram(ops, 2, 3);
        claimIt();
        bytes32 id = open();
        openTrace(id);
        pick(id, 0, 6, 0);
        bytes memory call = answerCall(id);
        reveal(id);
        snapshotWithin("reveal_32_present", CHILDREN_GAS);
        // Copied: what came too late changes nothing.
        vm.prank(operator);
        (bool ok,) = address(arena).call(call);
        assertTrue(ok);
        snapshot("reveal_32_again");
    }

    function test_gas_partials() public {
        claimIt();
        bytes32 id = open();
        openTrace(id);
        pick(id, 2, 0, 2);
        revealLeaf(id);
        demand(id, 3);
        snapshot("demandPartials");
        bytes memory partials = truePartials();
        partials[5] = 0x01;
        openPartials(id, partials);
        snapshotWithin("openPartials_1_chunk", PARTIALS_GAS + PARTIALS_CHUNK_GAS);
        stepPartial(id, 5, partials);
        snapshot("stepPartial_toy");
    }

    function test_gas_timeouts() public {
        claimIt();
        bytes32 first = open();
        bytes32 second = open(rival, SALT);
        openTrace(first);
        skip(BUDGET + 1);
        arena.timeout(disputes[second]);
        snapshot("timeout_challenger");
    }

    function test_gas_timeoutOperator() public {
        claimIt();
        bytes32 id = open();
        skip(BUDGET + 1);
        arena.timeout(disputes[id]);
        snapshot("timeout_operator");
    }

    function test_gas_others() public {
        arena.commitProof(SALT);
        snapshot("commitProof");
    }

    /// More than one stage in both trees.
    function tallProgram() private pure returns (OutputShape[] memory ops) {
        ops = new OutputShape[](40);
        for (uint256 i; i < 40; ++i) {
            ops[i] = OutputShape(1, 8, 0, 0);
        }
        ops[4] = OutputShape(0, 8 * 1024 + 40, 0, 0);
    }

    function snapshot(string memory name) private {
        vm.snapshotGasLastCall("gas", name);
    }

    /// An answer costs its sender no more than what its question prepays.
    function snapshotWithin(string memory name, uint256 prepaid) private {
        snapshot(name);
        assertLe(vm.lastCallGas().gasTotalUsed, prepaid, name);
    }
}
