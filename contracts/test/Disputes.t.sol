// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {InferenceOracle} from "../src/InferenceOracle.sol";
import {OperatorBonds} from "../src/OperatorBonds.sol";
import {
    IInferenceOracle,
    OracleParameters,
    Request,
    RequestParams,
    RequestState,
    RequestStatus,
    SeatStatus
} from "../src/interfaces/IInferenceOracle.sol";
import {BaseTest} from "./BaseTest.sol";

/// The place of the dispute game: what it may do, when, and what that costs whom.
contract DisputesTest is BaseTest {
    function test_disputeOpened_holdsFinality() public {
        (Request memory r, bytes32 id) = askAndClaim(params());
        bytes32 claimId = claimIdOf(r, operators[0], answer(), 1);
        skip(WINDOW);
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.DisputeOpened(id, claimId);
        assertEq(opened(id, 1, 0), claimId);
        assertEq(oracle.seatOf(id, 1, 0).disputes, 1);
        skip(30 days);
        expect(IInferenceOracle.DisputeLive.selector);
        oracle.finalize(r, "");

        vm.expectEmit(address(oracle));
        emit IInferenceOracle.DisputeClosed(id, claimId);
        closed(id, 1, 0);
        oracle.finalize(r, "");
        assertEq(oracle.credit(operators[0]), FEE);
    }

    /// A lost dispute changes only a counter; the others go on.
    function test_disputeClosed_changesOnlyCounter() public {
        (, bytes32 id) = askAndClaim(params());
        bytes memory before = abi.encode(oracle.stateOf(id));
        for (uint256 i; i < 100; ++i) {
            opened(id, 1, 0);
        }
        for (uint256 i; i < 99; ++i) {
            closed(id, 1, 0);
        }
        assertEq(oracle.seatOf(id, 1, 0).disputes, 1);
        assertEq(abi.encode(oracle.stateOf(id)), before);
        closed(id, 1, 0);
        expect(IInferenceOracle.NoSuchClaim.selector);
        closed(id, 1, 0);
    }

    function test_disputeOpened_afterWindow_reverts() public {
        (, bytes32 id) = askAndClaim(params());
        skip(WINDOW + 1);
        expect(IInferenceOracle.TooLate.selector);
        opened(id, 1, 0);
    }

    function test_disputeOpened_noClaim_reverts() public {
        (, bytes32 id) = askAndFill(params());
        expect(IInferenceOracle.NoSuchClaim.selector);
        opened(id, 1, 0);
    }

    function test_disputeOpened_otherSeatOrAttempt_reverts() public {
        (, bytes32 id) = askAndClaim(params());
        expect(IInferenceOracle.NoSuchClaim.selector);
        opened(id, 1, 1);
        expect(IInferenceOracle.NoSuchClaim.selector);
        opened(id, 2, 0);
    }

    function test_disputeOpened_convicted_reverts() public {
        (Request memory r, bytes32 id) = askAndClaim(params());
        convict(r, 1, 0);
        expect(IInferenceOracle.NoSuchClaim.selector);
        opened(id, 1, 0);
    }

    function test_disputeOpened_whileRevealing_succeeds() public {
        (Request memory r, bytes32 id) = askAndFill(paramsOf(2));
        commit(r, 0, answer());
        skip(5 minutes + 1);
        reveal(r, 0, answer());
        opened(id, 1, 0);
        // Once time alone has closed the reveals, the window decides.
        skip(15 + WINDOW);
        expect(IInferenceOracle.TooLate.selector);
        opened(id, 1, 0);
    }

    function test_convict_splitsStakeAndReopens() public {
        (Request memory r, bytes32 id) = askAndClaim(params());
        bytes32 claimId = claimIdOf(r, operators[0], answer(), 1);
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Convicted(id, claimId, operators[0], challenger);
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Reopened(id, 2, uint64(block.timestamp) + 1 hours);
        convict(r, 1, 0);

        assertEq(oracle.credit(challenger), STAKE / 4);
        assertEq(oracle.credit(requester), STAKE / 10);
        assertEq(address(0xdEaD).balance, STAKE - STAKE / 4 - STAKE / 10);
        assertEq(lockedOf(0), 0);
        assertEq(freeOf(0), 10 ether - STAKE);
        assertEq(address(oracle).balance, FEE + STAKE / 4 + STAKE / 10);
        RequestState memory s = oracle.stateOf(id);
        assertTrue(s.status == RequestStatus.Open);
        assertEq(s.attempt, 2);
        assertTrue(oracle.seatOf(id, 1, 0).status == SeatStatus.Convicted);
        (, bytes32 kept) = oracle.claimOf(id, 1, 0);
        assertEq(kept, claimId);
    }

    function testFuzz_convict_splitAddsUp(uint128 stake) public {
        Request memory r;
        {
            (r,) = ask(withStake(uint128(bound(stake, 0.1 ether, 10 ether))));
            vm.roll(block.number + 2);
            accept(r, 0);
            claim(r, 0, answer());
        }
        uint256 burned = address(0xdEaD).balance;
        convict(r, 1, 0);
        burned = address(0xdEaD).balance - burned;
        uint256 paid = oracle.credit(challenger) + oracle.credit(requester);
        assertEq(paid + burned, r.stake);
        assertGe(burned, uint256(r.stake) * 65 / 100);
        assertEq(oracle.credit(challenger), uint256(r.stake) / 4);
    }

    /// A proof still counts after the window, until somebody finalises.
    function test_convict_afterWindow_succeeds() public {
        (Request memory r, bytes32 id) = askAndClaim(params());
        skip(30 days);
        convict(r, 1, 0);
        assertTrue(statusOf(id) == RequestStatus.Open);
        expectStatus(RequestStatus.Open);
        oracle.finalize(r, "");
    }

    function test_convict_final_reverts() public {
        (Request memory r,) = askAndClaim(params());
        skip(WINDOW + 1);
        oracle.finalize(r, "");
        expect(IInferenceOracle.NoSuchClaim.selector);
        convict(r, 1, 0);
    }

    function test_convict_twice_reverts() public {
        (Request memory r,) = askAndClaim(params());
        convict(r, 1, 0);
        expect(IInferenceOracle.NoSuchClaim.selector);
        convict(r, 1, 0);
    }

    /// What was opened against an attempt's claim says nothing about the next attempt's.
    function test_convict_formerAttempt_reverts() public {
        (Request memory r, bytes32 id) = askAndClaim(params());
        opened(id, 1, 0);
        opened(id, 1, 0);
        convict(r, 1, 0);
        accept(r, 1);
        claim(r, 1, answer());
        expect(IInferenceOracle.NoSuchClaim.selector);
        convict(r, 1, 0);
        assertEq(oracle.seatOf(id, 2, 0).disputes, 0);
        closed(id, 1, 0);
        skip(WINDOW + 1);
        oracle.finalize(r, "");
        assertEq(oracle.credit(operators[1]), FEE);
    }

    function test_convict_fifthAttempt_refunds() public {
        (Request memory r, bytes32 id) = askAndClaim(params());
        for (uint8 attempt = 1; attempt <= 5; ++attempt) {
            convict(r, attempt, 0);
            if (attempt < 5) {
                accept(r, attempt);
                claim(r, attempt, answer());
            }
        }
        assertTrue(statusOf(id) == RequestStatus.Refunded);
        assertEq(oracle.credit(requester), FEE + 5 * (STAKE / 10));
    }

    function test_voidClaim_refundsAndSlashesNobody() public {
        (Request memory r, bytes32 id) = askAndClaim(params());
        opened(id, 1, 0);
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Refunded(id);
        vm.prank(game);
        oracle.voidClaim(r, 1, 0);
        assertTrue(statusOf(id) == RequestStatus.Refunded);
        assertEq(oracle.credit(requester), FEE);
        assertEq(freeOf(0), 10 ether);
        closed(id, 1, 0);
        expect(IInferenceOracle.NoSuchClaim.selector);
        vm.prank(game);
        oracle.voidClaim(r, 1, 0);
    }

    function test_voidClaim_final_reverts() public {
        (Request memory r,) = askAndClaim(params());
        skip(WINDOW + 1);
        oracle.finalize(r, "");
        expect(IInferenceOracle.NoSuchClaim.selector);
        vm.prank(game);
        oracle.voidClaim(r, 1, 0);
    }

    function testFuzz_onlyDisputeGame_reverts(address caller) public {
        vm.assume(caller != game);
        (Request memory r, bytes32 id) = askAndClaim(params());
        vm.startPrank(caller);
        expect(IInferenceOracle.NotDisputeGame.selector);
        oracle.disputeOpened(id, 1, 0);
        expect(IInferenceOracle.NotDisputeGame.selector);
        oracle.disputeClosed(id, 1, 0);
        expect(IInferenceOracle.NotDisputeGame.selector);
        oracle.convict(r, 1, 0, caller);
        expect(IInferenceOracle.NotDisputeGame.selector);
        oracle.voidClaim(r, 1, 0);
    }

    /* DEPLOYMENT */

    function test_constructor_keepsParameters() public view {
        assertEq(oracle.registry(), address(registry));
        assertEq(oracle.bonds(), address(bonds));
        assertEq(oracle.disputeGame(), game);
        assertEq(abi.encode(oracle.parameters()), abi.encode(oracleParameters()));
    }

    function test_constructor_foreignBonds_reverts() public {
        expect(IInferenceOracle.BadParameters.selector);
        new InferenceOracle(address(registry), address(bonds), game, oracleParameters());
    }

    function test_constructor_noRegistry_reverts() public {
        expectBadParameters(stranger, oracleParameters());
    }

    function test_constructor_badParameters_reverts() public {
        for (uint256 i; i < 9; ++i) {
            OracleParameters memory p = oracleParameters();
            if (i == 0) p.minStake = 0;
            if (i == 1) p.minWindow = 0;
            if (i == 2) p.maxWindow = p.minWindow - 1;
            if (i == 3) p.minAcceptPeriod = 0;
            if (i == 4) p.maxAcceptPeriod = p.minAcceptPeriod - 1;
            if (i == 5) p.minClaimPeriod = 0;
            if (i == 6) p.maxClaimPeriod = p.minClaimPeriod - 1;
            if (i == 7) p.maxClaimPeriod = 6 hours + 1;
            if (i == 8) p.revealPeriod = 0;
            expectBadParameters(address(registry), p);
        }
    }

    /// Bonds for the address of the next contract, which then must not come to be.
    function expectBadParameters(address registry_, OracleParameters memory p) private {
        OperatorBonds own = new OperatorBonds(
            vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1), 1
        );
        expect(IInferenceOracle.BadParameters.selector);
        new InferenceOracle(registry_, address(own), game, p);
    }

    function withStake(uint128 stake) private view returns (RequestParams memory) {
        RequestParams memory p = params();
        p.stake = stake;
        return p;
    }

    function opened(bytes32 id, uint8 attempt, uint8 seat) private returns (bytes32) {
        vm.prank(game);
        return oracle.disputeOpened(id, attempt, seat);
    }

    function closed(bytes32 id, uint8 attempt, uint8 seat) private {
        vm.prank(game);
        oracle.disputeClosed(id, attempt, seat);
    }
}
