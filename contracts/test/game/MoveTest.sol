// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Dispute, DisputeState} from "../../src/interfaces/IDisputeGame.sol";
import {GameTest} from "./GameTest.sol";

/// A claim, and a dispute of it in any state.
abstract contract MoveTest is GameTest {
    bytes32 internal id;

    function setUp() public virtual override {
        super.setUp();
        claimIt();
    }

    function dispute() internal view returns (Dispute memory) {
        return disputes[id];
    }

    /// Brings a new dispute to a state; an attention leaf where it gets that far.
    function reach(DisputeState s) internal {
        id = open();
        if (s == DisputeState.Root) return;
        openTrace(id);
        if (s == DisputeState.Pick) return;
        if (s == DisputeState.Node) {
            pick(id, 0, 6, 0);
            return;
        }
        pick(id, 2, 0, 2);
        if (s == DisputeState.Leaf) return;
        revealLeaf(id);
        if (s == DisputeState.Step) return;
        demand(id, 3);
        if (s == DisputeState.Partials) return;
        openPartials(id, truePartials());
        assertState(id, s);
    }

    /// Any node, true or not.
    function pickFor(uint256 op, uint256 height, uint256 index, bytes32 node) public {
        bytes32[] memory path = theirs.path(op, height, index, view_(id).op, view_(id).height);
        pickWith(op, height, index, node, path);
    }

    function pickWith(
        uint256 op,
        uint256 height,
        uint256 index,
        bytes32 node,
        bytes32[] memory path
    ) internal {
        vm.prank(challenger);
        arena.pick{value: 1 ether}(
            disputes[id], uint16(op), uint8(height), uint32(index), node, path
        );
    }
}
