// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {OutputShape} from "../../src/interfaces/IStepVerifier.sol";
import {GameTest} from "./GameTest.sol";

/// Gas of each move as a transaction of its own, on cold storage, kept in snapshots/gas.json. Steps
/// are with the toy verifier: what the verifier itself takes is measured elsewhere. forge-config:
/// default.isolate = true forge-config: slow.isolate = true
contract GameGasTest is GameTest {
    uint256 internal constant REVEAL_LIMIT = 90_000;

    /// Transactions of isolated tests have no base fee: what is sent must be what is needed then.
    function setUp() public override {
        super.setUp();
        vm.fee(0);
    }

    function test_gas_descent() public {
        useProgram(tallProgram(), 2, 2);
        claimIt();
        theirs.changeLeaf(4, 5, flipped(4, 5, 7));
        bytes32 id = open();
        snapshot("challenge");
        openTrace(id);
        snapshotRepaid("openTrace", 140_000);
        pick(id, TOP, 1, 2);
        snapshot("pick_first");
        reveal(id);
        snapshotRepaid("reveal_2", 100_000);
        pick(id, 4, truth.heightOf(4), 0);
        snapshot("pick_operation");
        reveal(id);
        snapshotRepaid("reveal_32", 100_000);
        assertLe(vm.lastCallGas().gasTotalUsed, REVEAL_LIMIT);
        pick(id, 4, 1, 2);
        snapshot("pick");
        reveal(id);
        pick(id, 4, 0, 5);
        revealLeaf(id);
        snapshotRepaid("revealLeaf", 90_000);
        open(challenger, "second");
        snapshot("challenge_open_trace");
        pick(secondId(), 4, 0, 5);
        snapshot("pick_filled_from_root");
        step_(id);
        arena.reclaim(secondId());
        snapshot("reclaim");
        vm.prank(operator);
        arena.withdraw(payable(operator));
        snapshot("withdraw_game");
    }

    /// All 32 in range, the costliest: no padding is filled in.
    function test_gas_revealWithoutPadding() public {
        OutputShape[] memory ops = smallProgram();
        ops[0].rowBytes = 16 * 1024;
        useProgram(ops, 2, 3);
        claimIt();
        bytes32 id = open();
        openTrace(id);
        pick(id, 0, 6, 0);
        reveal(id);
        snapshotRepaid("reveal_32_present", 100_000);
        assertLe(vm.lastCallGas().gasTotalUsed, REVEAL_LIMIT);
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
        snapshotRepaid("openPartials_1_chunk", 60_500);
        stepPartial(id, 5, partials);
        snapshot("stepPartial_toy");
    }

    function test_gas_timeouts() public {
        claimIt();
        bytes32 first = open();
        bytes32 second = open(rival, SALT);
        openTrace(first);
        skip(BUDGET + 1);
        arena.timeout(second, req);
        snapshot("timeout_challenger");
    }

    function test_gas_timeoutOperator() public {
        claimIt();
        bytes32 id = open();
        skip(BUDGET + 1);
        arena.timeout(id, req);
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

    function secondId() private view returns (bytes32) {
        return keccak256(abi.encode(claimId, challenger, bytes32("second")));
    }

    function step_(bytes32 id) private {
        step(id, 4, 5);
        snapshot("step_toy");
    }

    function snapshot(string memory name) private {
        vm.snapshotGasLastCall("gas", name);
    }

    /// An answer costs its sender no more than what it is repaid.
    function snapshotRepaid(string memory name, uint256 repaid) private {
        snapshot(name);
        assertLe(vm.lastCallGas().gasTotalUsed, repaid, name);
    }
}
