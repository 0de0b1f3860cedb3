// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ClaimStatus, DisputeState, DisputeView} from "../../src/interfaces/IDisputeGame.sol";
import {RequestStatus} from "../../src/interfaces/IInferenceOracle.sol";
import {GameTest} from "./GameTest.sol";

/// Whole games against liars and honest operators.
contract DescentTest is GameTest {
    function test_flip_isConvicted() public {
        claimIt();
        theirs.changeLeaf(0, 5, flipped(0, 5, 7));
        bytes32 id = open();
        assertState(id, DisputeState.Root);
        play(id);
        assertState(id, DisputeState.Step);
        DisputeView memory v = view_(id);
        assertEq(v.op, 0);
        assertEq(v.index, 5);
        step(id, 0, 5);
        assertTrue(convicted());
        assertTrue(statusOf(requestId) == RequestStatus.Open);
        assertEq(oracle.credit(challenger), STAKE / 4);
        assertState(id, DisputeState.Closed);
    }

    function test_honest_challengerFindsNothing() public {
        claimIt();
        bytes32 id = open();
        play(id);
        assertState(id, DisputeState.Pick);
        skip(BUDGET + 1);
        uint256 burned = address(0xdEaD).balance;
        arena.timeout(id, req);
        uint256 bond = arena.bondFor(req.stake);
        assertEq(address(0xdEaD).balance - burned, bond - bond * 70 / 100);
        assertEq(oracle.seatOf(requestId, 1, 0).disputes, 0);
        oracle.finalize(req, "");
        assertTrue(statusOf(requestId) == RequestStatus.Final);
    }
}
