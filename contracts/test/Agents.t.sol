// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IInferenceOracle, Request, RequestStatus} from "../src/interfaces/IInferenceOracle.sol";
import {AgentRoles, IOperatorBonds} from "../src/interfaces/IOperatorBonds.sol";
import {BaseTest} from "./BaseTest.sol";

/// Rights of an agent for an operator, and their limits.
contract AgentsTest is BaseTest {
    address internal operator;
    address internal agent = makeAddr("agent");

    function setUp() public override {
        super.setUp();
        operator = operators[0];
    }

    function test_agent_claims_playsForOperator() public {
        allow(AgentRoles.CLAIMS);
        (Request memory r, bytes32 id) = ask(params());
        vm.startPrank(agent);
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Accepted(
            id, operator, 1, 0, 0, true, uint64(block.timestamp) + CLAIM_PERIOD
        );
        oracle.accept(r, operator, "");
        oracle.claim(r, 0, answer(), "");
        vm.stopPrank();
        assertEq(oracle.seatOf(id, 1, 0).operator, operator);
        assertEq(lockedOf(0), STAKE);
        skip(WINDOW + 1);
        oracle.finalize(r, "");
        // The fee is the operator's.
        assertEq(oracle.credit(operator), FEE);
        assertEq(oracle.credit(agent), 0);
    }

    function test_agent_claims_commitsAndReveals() public {
        allow(AgentRoles.CLAIMS);
        (Request memory r, bytes32 id) = ask(paramsOf(2));
        bytes32 commitment_ = commitmentOf(r, 0, operator, answer());
        vm.prank(agent);
        oracle.accept(r, operator, "");
        accept(r, 1);
        vm.prank(agent);
        oracle.commitClaim(r, 0, 0, commitment_);
        commit(r, 1, answer());
        vm.prank(agent);
        oracle.revealClaim(r, 0, 0, answer(), "", SALT);
        assertEq(oracle.seatOf(id, 1, 0).value, tokensHash(answer()));
    }

    /// One agent of several operators plays each seat by its number.
    function test_agent_ofTwoOperators_playsBothSeats() public {
        allow(AgentRoles.CLAIMS);
        vm.prank(operators[1]);
        bonds.setAgent(agent, AgentRoles.CLAIMS);
        (Request memory r, bytes32 id) = askAndFill(paramsOf(2));
        bytes32[2] memory sealed_ = [
            commitmentOf(r, 0, operators[0], answer()), commitmentOf(r, 1, operators[1], answer())
        ];
        vm.startPrank(agent);
        for (uint8 i; i < 2; ++i) {
            oracle.commitClaim(r, i, 0, sealed_[i]);
        }
        for (uint8 i; i < 2; ++i) {
            oracle.revealClaim(r, i, 0, answer(), "", SALT);
        }
        vm.stopPrank();
        assertEq(oracle.seatOf(id, 1, 1).operator, operators[1]);
    }

    /// Every set of roles without CLAIMS is refused, in every call.
    function testFuzz_agent_otherRoles_reverts(uint8 roles) public {
        roles = uint8(bound(roles, 0, AgentRoles.ALL)) & ~AgentRoles.CLAIMS;
        allow(roles);
        expectRefused(agent);
    }

    function test_agent_revoked_reverts() public {
        allow(AgentRoles.ALL);
        vm.expectEmit(address(bonds));
        emit IOperatorBonds.AgentSet(operator, agent, 0);
        allow(0);
        assertEq(bonds.agentRoles(operator, agent), 0);
        expectRefused(agent);
    }

    /// An operator may be an agent; it is so for those alone that said so.
    function test_agent_ofAnother_reverts() public {
        vm.prank(operators[1]);
        bonds.setAgent(agent, AgentRoles.ALL);
        expectRefused(agent);
        expectRefused(operators[1]);
        // The operator is no agent of its agent.
        vm.prank(operator);
        bonds.setAgent(operators[1], AgentRoles.ALL);
        (Request memory r,) = ask(params());
        expect(IInferenceOracle.NotOperatorOrAgent.selector);
        vm.prank(operator);
        oracle.accept(r, operators[1], "");
    }

    /// Revoked between acceptance and claim: the operator itself can still claim.
    function test_agent_revokedMidway_operatorClaims() public {
        allow(AgentRoles.CLAIMS);
        (Request memory r,) = ask(params());
        vm.prank(agent);
        oracle.accept(r, operator, "");
        allow(0);
        expect(IInferenceOracle.NotOperatorOrAgent.selector);
        vm.prank(agent);
        oracle.claim(r, 0, answer(), "");
        claim(r, 0, answer());
    }

    /// No role reaches the money: what an agent withdraws is its own, which is nothing.
    function test_agent_withdraws_nothing() public {
        allow(AgentRoles.ALL);
        (Request memory r,) = askAndClaim(params());
        skip(WINDOW + 1);
        oracle.finalize(r, "");
        vm.prank(operator);
        bonds.queueWithdrawal(10 ether);
        skip(WITHDRAWAL_DELAY);
        vm.startPrank(agent);
        expect(IInferenceOracle.NothingToWithdraw.selector);
        oracle.withdraw(payable(agent));
        expect(IOperatorBonds.NothingQueued.selector);
        bonds.withdraw(payable(agent));
        vm.expectRevert(
            abi.encodeWithSelector(IOperatorBonds.InsufficientFreeBond.selector, agent, 0, 1)
        );
        bonds.queueWithdrawal(1);
        vm.stopPrank();
        vm.prank(operator);
        bonds.withdraw(payable(operator));
        assertEq(operator.balance, 10 ether);
    }

    /// An agent of an agent is nobody.
    function test_agent_cannotPassOn_reverts() public {
        allow(AgentRoles.ALL);
        vm.prank(agent);
        bonds.setAgent(stranger, AgentRoles.ALL);
        expectRefused(stranger);
    }

    function test_setAgent_badArguments_reverts() public {
        vm.startPrank(operator);
        expect(IOperatorBonds.ZeroAddress.selector);
        bonds.setAgent(address(0), AgentRoles.CLAIMS);
        expect(IOperatorBonds.BadRoles.selector);
        bonds.setAgent(agent, AgentRoles.ALL + 1);
        vm.expectEmit(address(bonds));
        emit IOperatorBonds.AgentSet(operator, agent, AgentRoles.ALL);
        bonds.setAgent(agent, AgentRoles.ALL);
        assertEq(bonds.agentRoles(operator, agent), AgentRoles.ALL);
        assertEq(bonds.agentRoles(agent, operator), 0);
    }

    function allow(uint8 roles) private {
        vm.prank(operator);
        bonds.setAgent(agent, roles);
    }

    function expectRefused(address who) private {
        (Request memory r,) = ask(params());
        vm.prank(who);
        expect(IInferenceOracle.NotOperatorOrAgent.selector);
        oracle.accept(r, operator, "");
        accept(r, operator);
        vm.prank(who);
        expect(IInferenceOracle.NotOperatorOrAgent.selector);
        oracle.claim(r, 0, answer(), "");

        (r,) = ask(paramsOf(2));
        accept(r, operator);
        accept(r, operators[2]);
        vm.prank(who);
        expect(IInferenceOracle.NotOperatorOrAgent.selector);
        oracle.commitClaim(r, 0, 0, SALT);
        commit(r, 0, operator, answer());
        commit(r, 1, operators[2], answer());
        vm.prank(who);
        expect(IInferenceOracle.NotOperatorOrAgent.selector);
        oracle.revealClaim(r, 0, 0, answer(), "", SALT);
        assertTrue(statusOf(idOf(r)) == RequestStatus.Revealing);
    }
}
