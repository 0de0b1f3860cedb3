// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {InferenceOracle} from "../src/InferenceOracle.sol";
import {InferenceOracleExtension} from "../src/InferenceOracleExtension.sol";
import {IClaims} from "../src/interfaces/IClaims.sol";
import {
    IInferenceOracle,
    OracleParameters,
    Request,
    RequestParams,
    RequestState,
    RequestStatus,
    SeatStatus
} from "../src/interfaces/IInferenceOracle.sol";
import {IOperatorBonds} from "../src/interfaces/IOperatorBonds.sol";
import {BaseTest} from "./BaseTest.sol";

/// The place of the dispute game: what it may do, when, and what that costs whom.
contract DisputesTest is BaseTest {
    function test_disputed_holdsFinality() public {
        (Request memory r, bytes32 id) = askAndClaim(params());
        bytes32 name = nameOf(r, 1, 0);
        skip(WINDOW);
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Disputed(id, name);
        dispute(r, 1, 0);
        assertTrue(oracle.seatOf(id, 1, 0).disputed);
        skip(30 days);
        expect(IInferenceOracle.DisputeLive.selector);
        oracle.finalize(r, "");

        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Settled(id, name);
        settle(name);
        assertFalse(oracle.seatOf(id, 1, 0).disputed);
        oracle.finalize(r, "");
        assertEq(oracle.credit(operators[0]), FEE);
    }

    /// A mark is a mark: the game counts, the oracle does not.
    function test_settled_changesOnlyMark() public {
        (Request memory r, bytes32 id) = askAndClaim(params());
        bytes memory before = abi.encode(oracle.stateOf(id));
        for (uint256 i; i < 10; ++i) {
            dispute(r, 1, 0);
        }
        assertTrue(oracle.seatOf(id, 1, 0).disputed);
        assertEq(abi.encode(oracle.stateOf(id)), before);
        settle(nameOf(r, 1, 0));
        assertFalse(oracle.seatOf(id, 1, 0).disputed);
        assertEq(abi.encode(oracle.stateOf(id)), before);
    }

    function test_disputed_again_emitsNothing() public {
        (Request memory r,) = askAndClaim(params());
        dispute(r, 1, 0);
        vm.recordLogs();
        dispute(r, 1, 0);
        assertEq(vm.getRecordedLogs().length, 0);
    }

    function test_disputed_afterWindow_reverts() public {
        (Request memory r,) = askAndClaim(params());
        skip(WINDOW + 1);
        expectNot(r, 1, 0, IClaims.DisputeWindowOver.selector);
    }

    function test_disputed_noClaim_reverts() public {
        (Request memory r,) = askAndFill(params());
        expectNot(r, 1, 0, IClaims.NoSuchClaim.selector);
    }

    function test_disputed_otherSeatOrAttempt_reverts() public {
        (Request memory r,) = askAndClaim(params());
        expectNot(r, 0, 0, IClaims.NoSuchClaim.selector);
        expectNot(r, 1, 1, IClaims.NoSuchClaim.selector);
        expectNot(r, 2, 0, IClaims.NoSuchClaim.selector);
    }

    function test_disputed_convicted_reverts() public {
        (Request memory r,) = askAndClaim(params());
        convict(r, 1, 0);
        expectNot(r, 1, 0, IClaims.NoSuchClaim.selector);
    }

    function test_disputed_otherOpening_reverts() public {
        (Request memory r,) = askAndClaim(params());
        (Request memory other,) = askAndClaim(params());
        bytes32 name = nameOf(r, 1, 0);
        vm.startPrank(game);
        expect(IClaims.NoSuchClaim.selector);
        oracle.disputed(name, openingOf(other));
        expect(IClaims.NoSuchClaim.selector);
        oracle.disputed(name, "");
    }

    function test_disputed_whileRevealing_succeeds() public {
        (Request memory r,) = askAndFill(paramsOf(2));
        commit(r, 0, answer());
        skip(CLAIM_PERIOD + 1);
        reveal(r, 0, answer());
        dispute(r, 1, 0);
        expectNot(r, 1, 1, IClaims.NoSuchClaim.selector);
        // Once time alone has closed the reveals, the window decides.
        skip(REVEAL_PERIOD + WINDOW);
        expectNot(r, 1, 0, IClaims.DisputeWindowOver.selector);
    }

    /* CONVICTIONS */

    function test_convict_splitsStakeAndReopens() public {
        (Request memory r, bytes32 id) = askAndClaim(params());
        bytes32 name = nameOf(r, 1, 0);
        (uint256 a, uint256 b) = (STAKE / 4, STAKE / 10);
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Convicted(id, name, operators[0], challenger, a, b, STAKE - a - b);
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Reopened(id, 2);
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Credited(challenger, name, a);
        vm.expectEmit(address(bonds));
        emit IOperatorBonds.Released(
            operators[0], name, address(oracle), STAKE, a + b, STAKE - a - b
        );
        convict(r, 1, 0);

        assertEq(oracle.credit(challenger), a);
        assertEq(creditOf(r), b);
        assertEq(BURNED.balance, STAKE - a - b);
        assertEq(lockedOf(0), 0);
        assertEq(freeOf(0), 10 ether - STAKE);
        assertEq(address(oracle).balance, FEE + a + b);
        RequestState memory s = oracle.stateOf(id);
        assertTrue(s.status == RequestStatus.Open);
        assertEq(s.attempt, 2);
        assertEq(s.misses, 0);
        assertTrue(seatStatusOf(r, 1, 0) == SeatStatus.Convicted);
        assertEq(oracle.seatOf(id, 1, 0).operator, operators[0]);
        assertFalse(oracle.standing(name));
    }

    function testFuzz_convict_splitAddsUp(uint128 stake) public {
        RequestParams memory p = params();
        p.stake = uint128(bound(stake, 0.1 ether, 10 ether));
        (Request memory r,) = askAndClaim(p);
        uint256 burned = BURNED.balance;
        convict(r, 1, 0);
        burned = BURNED.balance - burned;
        uint256 paid = oracle.credit(challenger) + creditOf(r);
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
        expectNoConviction(r, 1, 0);
    }

    function test_convict_twice_reverts() public {
        (Request memory r,) = askAndClaim(params());
        convict(r, 1, 0);
        expectNoConviction(r, 1, 0);
    }

    /// A verdict on an attempt's claim does not hold for the next attempt's.
    function test_convict_formerAttempt_reverts() public {
        (Request memory r, bytes32 id) = askAndClaim(params());
        dispute(r, 1, 0);
        convict(r, 1, 0);
        accept(r, 1);
        claim(r, 1, answer());
        expectNoConviction(r, 1, 0);
        assertFalse(oracle.seatOf(id, 2, 0).disputed);
        bytes32 name = nameOf(r, 1, 0);
        expect(IClaims.NoSuchClaim.selector);
        settle(name);
        skip(WINDOW + 1);
        oracle.finalize(r, "");
        assertEq(oracle.credit(operators[1]), FEE);
    }

    /// A claim of a round that a miss ended never stood: its name can stand in a later round.
    function test_names_missedRound_isFreeAgain() public {
        (Request memory r,) = askAndFill(params());
        bytes32 name = nameOf(r, 1, 0);
        skip(CLAIM_PERIOD + 1);
        oracle.missed(r, 0);
        assertFalse(oracle.standing(name));
        accept(r, 1);
        assertFalse(oracle.standing(name));
        claim(r, 1, answer());
        assertTrue(oracle.standing(name));
    }

    function testFuzz_onlyDisputeGame_reverts(address caller) public {
        vm.assume(caller != game);
        (Request memory r,) = askAndClaim(params());
        bytes32 name = nameOf(r, 1, 0);
        bytes memory opening = openingOf(r);
        vm.startPrank(caller);
        expect(IClaims.NotDisputeGame.selector);
        oracle.disputed(name, opening);
        expect(IClaims.NotDisputeGame.selector);
        oracle.settled(name);
        expect(IClaims.NotDisputeGame.selector);
        oracle.convict(name, operators[0], STAKE, caller);
        expect(IClaims.NotDisputeGame.selector);
        oracle.voidClaim(name, STAKE);
    }

    /// Zero in place of the game: nobody convicts, whoever asks.
    function test_noGame_nobodyConvicts() public {
        game = address(0);
        deploy();
        bonds.deposit{value: 2 * STAKE}(operators[0]);
        (Request memory r,) = askAndClaim(params());
        testFuzz_onlyDisputeGame_reverts(address(this));
        skip(WINDOW + 1);
        oracle.finalize(r, "");
        assertEq(oracle.credit(operators[0]), FEE);
    }

    /* DEPLOYMENT */

    function test_constructor_keepsParameters() public view {
        assertEq(oracle.registry(), address(registry));
        assertEq(oracle.bonds(), address(bonds));
        assertEq(oracle.disputeGame(), game);
        assertEq(abi.encode(oracle.parameters()), abi.encode(oracleParameters()));
        assertEq(oracle.maxWindow(), oracleParameters().maxWindow + REVEAL_PERIOD);
    }

    function test_constructor_foreignBonds_reverts() public {
        address half = InferenceOracle(payable(address(oracle))).extension();
        expect(IInferenceOracle.BadParameters.selector);
        new InferenceOracle(address(registry), address(bonds), game, half, oracleParameters());
    }

    /// Both halves must have been made with the same arguments.
    function test_constructor_otherExtension_reverts() public {
        OracleParameters memory p = oracleParameters();
        address own = nextBonds();
        expectBad(own, extension(address(registry), own, stranger, p), p);
        own = nextBonds();
        expectBad(own, extension(address(registry), address(bonds), game, p), p);
        own = nextBonds();
        expectBad(own, extension(address(bonds), own, game, p), p);
        for (uint256 i; i < 10; ++i) {
            OracleParameters memory q = oracleParameters();
            if (i == 0) q.minStake++;
            if (i == 1) q.minWindow++;
            if (i == 2) q.maxWindow++;
            if (i == 3) q.minAcceptPeriod++;
            if (i == 4) q.maxAcceptPeriod++;
            if (i == 5) q.minClaimPeriod++;
            if (i == 6) q.minReplicaClaimPeriod++;
            if (i == 7) q.maxClaimPeriod--;
            if (i == 8) q.fillPeriod++;
            if (i == 9) q.revealPeriod++;
            own = nextBonds();
            expectBad(own, extension(address(registry), own, game, q), p);
        }
        own = nextBonds();
        address half = extension(address(registry), own, game, p);
        new InferenceOracle(address(registry), own, game, half, p);
    }

    function test_constructor_noRegistry_reverts() public {
        expect(IInferenceOracle.BadParameters.selector);
        extension(stranger, address(bonds), game, oracleParameters());
    }

    function test_constructor_badParameters_reverts() public {
        for (uint256 i; i < 12; ++i) {
            OracleParameters memory p = oracleParameters();
            if (i == 0) p.minStake = 0;
            if (i == 1) p.minWindow = 0;
            if (i == 2) p.maxWindow = p.minWindow - 1;
            if (i == 3) p.minAcceptPeriod = 0;
            if (i == 4) p.maxAcceptPeriod = p.minAcceptPeriod - 1;
            if (i == 5) p.minClaimPeriod = 0;
            if (i == 6) p.maxClaimPeriod = p.minReplicaClaimPeriod - 1;
            if (i == 7) p.minReplicaClaimPeriod = p.minClaimPeriod - 1;
            if (i == 8) p.minReplicaClaimPeriod = p.maxClaimPeriod + 1;
            if (i == 9) p.maxClaimPeriod = 6 hours + 1;
            if (i == 10) p.fillPeriod = 0;
            if (i == 11) p.revealPeriod = 0;
            expect(IInferenceOracle.BadParameters.selector);
            extension(address(registry), address(bonds), game, p);
        }
    }

    /// Bonds for the address of an oracle that is made after them and its extension.
    function nextBonds() private returns (address) {
        uint256 nonce = vm.getNonce(address(this));
        address predicted = vm.computeCreateAddress(address(this), nonce + 2);
        return vm.deployCode("OperatorBonds.sol:OperatorBonds", abi.encode(predicted, 1));
    }

    function extension(address registry_, address bonds_, address game_, OracleParameters memory p)
        private
        returns (address)
    {
        return address(new InferenceOracleExtension(registry_, bonds_, game_, p));
    }

    function expectBad(address bonds_, address half, OracleParameters memory p) private {
        expect(IInferenceOracle.BadParameters.selector);
        new InferenceOracle(address(registry), bonds_, game, half, p);
    }

    /* MOVES OF THE GAME */

    function dispute(Request memory r, uint8 attempt, uint8 seat) private {
        bytes32 name = nameOf(r, attempt, seat);
        vm.prank(game);
        oracle.disputed(name, openingOf(r));
    }

    function expectNot(Request memory r, uint8 attempt, uint8 seat, bytes4 selector) private {
        bytes32 name = nameOf(r, attempt, seat);
        expect(selector);
        vm.prank(game);
        oracle.disputed(name, openingOf(r));
    }

    function expectNoConviction(Request memory r, uint8 attempt, uint8 seat) private {
        bytes32 name = nameOf(r, attempt, seat);
        expect(IClaims.NoSuchClaim.selector);
        vm.prank(game);
        oracle.convict(name, operators[0], STAKE, challenger);
    }

    function settle(bytes32 name) private {
        vm.prank(game);
        oracle.settled(name);
    }
}
