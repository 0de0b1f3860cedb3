// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DisputeState, IDisputeGame} from "../../src/interfaces/IDisputeGame.sol";
import {AgentRoles} from "../../src/interfaces/IOperatorBonds.sol";
import {GameTest} from "./GameTest.sol";

/// An operator's agent for disputes moves for it and is repaid for what it sends.
contract AgentsTest is GameTest {
    address internal agent = makeAddr("agent");

    function setUp() public override {
        super.setUp();
        claimIt();
        setAgent(AgentRoles.DISPUTES);
    }

    function setAgent(uint8 roles) private {
        vm.prank(operator);
        bonds.setAgent(agent, roles);
    }

    /// An answer by somebody; whether the game took it.
    function answerAs(address who, bytes32 id) private returns (bool ok) {
        bytes memory call = answerCall(id);
        vm.prank(who);
        (ok,) = address(arena).call(call);
    }

    function test_agent_playsAndIsRepaid() public {
        bytes32 id = open();
        uint256 paid;
        for (uint256 i; i < 4; ++i) {
            uint256 before = view_(id).prepaid;
            assertTrue(answerAs(agent, id));
            paid += before - view_(id).prepaid;
            assertEq(arena.credit(agent), paid);
            if (i == 0) pick(id, 2, 3, 0);
            if (i == 1) pick(id, 2, 0, 2);
            if (i == 2) demand(id, 3);
        }
        assertState(id, DisputeState.PartialStep);
        assertEq(arena.credit(operator), 0);
        // The bond that a challenger loses is the operator's.
        vm.warp(view_(id).deadline + 1);
        arena.timeout(disputes[id]);
        assertEq(arena.credit(agent), paid);
        assertEq(arena.credit(operator), MIN_BOND * 70 / 100);
    }

    /// The role for disputes, from this operator, as long as it is given.
    function test_otherRoles_areNone() public {
        bytes32 id = open();
        uint8[3] memory roles = [0, AgentRoles.CLAIMS, AgentRoles.CLAIMS | AgentRoles.RECEIPTS];
        for (uint256 i; i < roles.length; ++i) {
            setAgent(roles[i]);
            assertFalse(answerAs(agent, id));
        }
        vm.prank(operators[1]);
        bonds.setAgent(stranger, AgentRoles.ALL);
        assertFalse(answerAs(stranger, id));
        setAgent(AgentRoles.ALL);
        assertTrue(answerAs(agent, id));
    }

    /// One that is an agent no more may still send what anybody may, and is not repaid for it.
    function test_revoked_repaysOperator() public {
        bytes32 id = open();
        openTrace(id);
        pick(id, 0, 6, 0);
        setAgent(0);
        uint256 before = arena.credit(operator);
        assertTrue(answerAs(agent, id));
        assertEq(arena.credit(agent), 0);
        assertGt(arena.credit(operator), before);
    }

    /// An agent moves for the operator alone: it cannot play the challenger, nor take credit.
    function test_agent_isNoChallenger() public {
        bytes32 id = open();
        openTrace(id);
        bytes32 node = theirs.node(0, 6, 0);
        bytes32[] memory path = theirs.path(0, 6, 0, TOP, 2);
        vm.deal(agent, 1 ether);
        vm.prank(agent);
        expect(IDisputeGame.NotChallenger.selector);
        arena.pick{value: 1 ether}(disputes[id], 0, 6, 0, node, path);
        vm.prank(agent);
        expect(IDisputeGame.NothingToWithdraw.selector);
        arena.withdraw(payable(agent));
    }

    /// Answers to operators of two claims, by one agent of both, in one transaction.
    function test_agentOfTwo_batches() public {
        bytes32 first = open();
        bytes memory a = answerCall(first);
        operators[0] = operators[3];
        operator = operators[0];
        claimIt();
        setAgent(AgentRoles.DISPUTES);
        bytes32 second = open();
        bytes[] memory calls = new bytes[](2);
        (calls[0], calls[1]) = (a, answerCall(second));
        vm.prank(agent);
        arena.multicall(calls);
        assertState(first, DisputeState.Pick);
        assertState(second, DisputeState.Pick);
        assertGt(arena.credit(agent), 0);
    }
}
