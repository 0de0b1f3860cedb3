// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Claim, IClaims} from "../../src/interfaces/IClaims.sol";
import {DisputeState} from "../../src/interfaces/IDisputeGame.sol";
import {
    IInferenceOracle,
    RequestParams,
    RequestStatus,
    SeatStatus
} from "../../src/interfaces/IInferenceOracle.sol";
import {ClaimFacts, Witness} from "../../src/interfaces/IStepVerifier.sol";
import {ToyTrace} from "../game/ToyTrace.sol";
import {Attackers} from "./Attackers.sol";

/// Attacks that an audit found, one by one, with mainnet's parameters.
contract ListedAttacksTest is Attackers {
    address internal liar;
    address internal parasite;

    function setUp() public override {
        super.setUp();
        (liar, parasite) = (attackers[1], attackers[2]);
    }

    /* REQUESTS THAT CANNOT BE CLAIMED */

    /// A list of allowed ids and a long answer: the claim carries no list and fits a transaction.
    function test_longAnswer_manyAllowed_isClaimedInOneTransaction() public {
        uint256[2] memory lengths = [uint256(8_000), 29_000];
        uint256[2] memory lists = [uint256(100), 890];
        for (uint256 k; k < 2; ++k) {
            RequestParams memory p = plainParams(1);
            (p.maxTokens, p.allowed) = (uint32(lengths[k]), allowedList(lists[k]));
            uint256 i = askAs(attackers[0], p, 1 ether);
            seat(i, honest[0]);
            bytes memory data = claimCall(i, 0, honest[0], false, stateOf(i));
            assertLt(data.length, LARGEST_TRANSACTION);
            vm.prank(honest[0]);
            (bool ok,) = address(oracle).call{gas: TRANSACTION_GAS - 21_000 - bytesGas(data)}(data);
            assertTrue(ok, "claimed");
        }
    }

    function test_request_longerThanAClaim_reverts() public {
        RequestParams memory p = plainParams(1);
        p.maxTokens = 29_001;
        vm.expectRevert(IInferenceOracle.TooManyTokensAsked.selector);
        oracle.request(p);
    }

    /* FINES */

    /// A fee as large as the stake, and a puppet in the last seat: a miss costs 2 %, nearly all
    /// burned.
    function test_miss_largeFee_puppetInLastSeat_bringsGasAlone() public {
        RequestParams memory p = plainParams(2);
        p.stake = 10 ether;
        uint256 i = askAs(attackers[0], p, 10 ether);
        seat(i, honest[0]);
        skip(terms.fillPeriod);
        seat(i, parasite);
        assertEq(stateOf(i).deadline, block.timestamp + 1 hours, "an hour from the last seat");
        skip(1 hours + terms.revealPeriod + 1);
        uint256 before = wealthOf(honest[0]);
        oracle.missed(asked[i].r, 0);
        assertEq(wealthOf(honest[0]), before - 0.2 ether, "2 %");
        assertEq(oracle.creditOf(asked[i].id), 300_000 * BASE_FEE / 2, "gas");
    }

    function test_request_claimPeriodOfMinutes_reverts() public {
        RequestParams memory p = plainParams(1);
        p.claimPeriod = 10 minutes - 1;
        vm.expectRevert(IInferenceOracle.ClaimPeriodOutOfRange.selector);
        oracle.request(p);
        p = plainParams(2);
        p.claimPeriod = 1 hours - 1;
        vm.expectRevert(IInferenceOracle.ClaimPeriodOutOfRange.selector);
        oracle.request(p);
    }

    /* BLOCKERS */

    /// Rounds of misses use up no attempt, and cost 2, 4, 8, 16, 16, ... % of the stake.
    function test_blockers_manyRounds_requestIsAnsweredAfterAll() public {
        uint256 i = askAs(requester, plainParams(1), 1 ether);
        uint256 before = wealthOf(liar);
        for (uint256 k; k < 10; ++k) {
            seat(i, liar);
            skip(10 minutes + 1);
            oracle.missed(asked[i].r, 0);
        }
        assertEq(stateOf(i).attempt, 1);
        assertEq(before - wealthOf(liar), 1 ether * (2 + 4 + 8 + 7 * 16) / 100);
        seat(i, honest[0]);
        claimBy(i, 0, false);
        skip(12 hours + 1);
        oracle.finalize(asked[i].r, "");
        assertTrue(stateOf(i).status == RequestStatus.Final);
    }

    /* LOCKERS */

    /// Seats that are never filled hold a bond for the fill period, whoever wants them to.
    function test_lockers_unfilledSeats_freeAfterFillPeriod() public {
        RequestParams memory p = plainParams(5);
        p.stake = 20 ether;
        uint256 i = askAs(attackers[0], p, 1 ether);
        seat(i, honest[0]);
        skip(terms.fillPeriod);
        vm.expectRevert(IInferenceOracle.TooEarly.selector);
        oracle.freeSeats(asked[i].r);
        skip(1);
        // The next acceptance frees them too, and its operator alone is locked anew.
        uint256 snapshot = vm.snapshotState();
        seat(i, parasite);
        assertEq(bonds.account(honest[0]).locked, 0);
        vm.revertToState(snapshot);
        vm.prank(stranger);
        oracle.freeSeats(asked[i].r);
        assertEq(bonds.account(honest[0]).locked, 0);
    }

    /* THIEVES OF REWARDS */

    /// A parasite's dispute and the challenger's witness: the copy needs a commitment two blocks
    /// old.
    function test_step_copiedByParasite_reverts() public {
        (uint256 i, uint256 e) = disputedLie();
        assertTrue(hostileChallenge(i, 0, parasite));
        uint256 copy = entries.length - 1;
        Witness memory w = chunkWitness(traces[WRONG_CHUNK], 0, 5);
        commitAs(parasite, "copy", keccak256(abi.encode(w)));
        setTime(block.timestamp + BLOCK_SECONDS);
        assertFalse(stepAs(parasite, copy, w, "copy"), "one block after the commitment");
        assertFalse(stepAs(parasite, e, w, "copy"), "another's dispute");
        // The challenger, alone when its turn began, needs none as long as no join is two blocks
        // old.
        assertTrue(stepAs(challenger, e, w, ""), "honest step");
        assertEq(oracle.credit(challenger), 0.25 ether);
    }

    /// Whoever waited alone, and has puppets join in each block, copies in vain.
    function test_step_copiedByWaitingDispute_reverts() public {
        uint256 i = lie(WRONG_CHUNK);
        assertTrue(hostileChallenge(i, 0, parasite));
        uint256 waiting = entries.length - 1;
        assertTrue(hostileAnswer(waiting), "trace");
        uint256 e = challengeHonestly(i);
        Witness memory w = chunkWitness(traces[WRONG_CHUNK], 0, 5);
        commitAs(challenger, "honest", keccak256(abi.encode(w)));
        for (uint256 k; k < 3; ++k) {
            setTime(block.timestamp + BLOCK_SECONDS);
            assertTrue(hostileChallenge(i, 0, attackers[3]), "puppet joins");
        }
        commitAs(parasite, "copy", keccak256(abi.encode(w)));
        assertFalse(stepAs(parasite, waiting, w, "copy"), "copy");
        assertTrue(stepAs(challenger, e, w, "honest"), "honest step");
    }

    /// A proof without a dispute, committed to when the leaf became public, waits fifty blocks.
    function test_prove_besideDispute_waitsFiftyBlocks() public {
        (uint256 i, uint256 e) = disputedLie();
        Witness memory w = chunkWitness(traces[WRONG_CHUNK], 0, 5);
        commitAs(parasite, "lurk", keccak256(abi.encode(w)));
        Claim memory c = entries[e].d.claim;
        bytes memory data = abi.encodeCall(
            arena.prove,
            (
                c.source,
                c.name,
                abi.encode(asked[i].r),
                roots[WRONG_CHUNK],
                "",
                model,
                w,
                bytes32("lurk")
            )
        );
        setTime(block.timestamp + 49 * BLOCK_SECONDS);
        assertFalse(hostileGame(parasite, data), "49 blocks");
        assertTrue(stepAs(challenger, e, w, ""), "honest step");
    }

    /// The liar's own puppet may go first: it saves 25 % of the stake, and no more.
    function test_selfConviction_aheadOfChallenge_costsMostOfTheStake() public {
        uint256 i = lie(WRONG_CHUNK);
        uint256 before = wealthOf(liar) + wealthOf(attackers[0]);
        Proof memory p = Proof(i, 1, 0, attackers[0], false, bytes32("self"), 0);
        (Claim memory c,) = claimAt(i, 1, 0);
        commitAs(attackers[0], "self", keccak256(abi.encode(proofOf(plans[c.name]))));
        setTime(block.timestamp + 2 * BLOCK_SECONDS);
        assertTrue(hostileGame(attackers[0], proveCall(p, c)));
        assertEq(wealthOf(liar) + wealthOf(attackers[0]), before - 0.75 ether);
        assertEq(oracle.creditOf(asked[i].id), 0.1 ether, "the honest requester's");
        uint88 bond = uint88(arena.bondFor(1 ether));
        bytes memory opening = abi.encode(asked[i].r);
        vm.expectRevert(IClaims.NoSuchClaim.selector);
        vm.prank(challenger);
        arena.challenge{value: 1 ether}(c.source, c.name, opening, model, bond, SALT);
    }

    /* ANSWERS FOR NOTHING */

    /// A requester with a seat of its own that differs: there is no result, and the fee is burned.
    function test_disagreement_requestersOwnSeat_burnsFee() public {
        uint256 i = askAs(attackers[0], plainParams(2), 1 ether);
        seat(i, honest[0]);
        seat(i, liar);
        claimBy(i, 0, false);
        claimBy(i, 1, true);
        claimBy(i, 0, false);
        claimBy(i, 1, true);
        assertTrue(seatOf(i, 1, 0).status == SeatStatus.Claimed, "the answer is public");
        skip(terms.revealPeriod + 12 hours + 1);
        uint256 burned = BURNED.balance;
        oracle.finalize(asked[i].r, "");
        assertTrue(stateOf(i).status == RequestStatus.Undecided);
        assertEq(oracle.creditOf(asked[i].id), 0);
        assertEq(BURNED.balance, burned + 1 ether);
    }

    /* COPIED ANSWERS */

    /// An honest operator's batch of ten answers, each sent before by a stranger: the batch passes,
    /// and the operator is repaid for all.
    function test_batchOfTenAnswers_eachCopiedBefore_passes() public {
        uint256 i = askAs(requester, plainParams(1), 1 ether);
        seat(i, honest[0]);
        claimBy(i, 0, false);
        for (uint256 k; k < 10; ++k) {
            assertTrue(hostileChallenge(i, 0, parasite));
            ToyTrace t = traces[0];
            if (k == 0) answerAs(honest[0], 0);
            bytes memory pick = pickCall(k, t, 0, k % 2 == 0 ? 6 : 0, 0);
            uint256 price = questionPrice();
            assertTrue(hostile(parasite, address(arena), price, pick), "pick");
        }
        bytes[] memory calls = new bytes[](10);
        vm.txGasPrice(BASE_FEE + TIP);
        uint256 before = arena.credit(honest[0]);
        for (uint256 k; k < 10; ++k) {
            calls[k] = answerCall(k, false);
            assertTrue(hostileGame(attackers[3], calls[k]), "copy");
        }
        vm.prank(honest[0]);
        arena.multicall(calls);
        assertGt(arena.credit(honest[0]) - before, 10 * 15_000 * (BASE_FEE + TIP));
        assertEq(arena.credit(attackers[3]), 0, "the copier");
    }

    /* PARTS */

    function askAs(address who, RequestParams memory p, uint256 fee) private returns (uint256 i) {
        assertTrue(ask(who, p, fee), "request");
        return asked.length - 1;
    }

    function seat(uint256 i, address operator) private {
        vm.prank(operator);
        oracle.accept(asked[i].r, operator, "");
    }

    /// A seat claims, commits or reveals.
    function claimBy(uint256 i, uint8 n, bool wrong) private {
        address operator = seatOf(i, 1, n).operator;
        bytes memory data = claimCall(i, n, operator, wrong, stateOf(i));
        vm.prank(operator);
        (bool ok,) = address(oracle).call(data);
        assertTrue(ok, "claim");
    }

    /// A wrong claim of an honest requester's request.
    function lie(uint8 trace) private returns (uint256 i) {
        i = askAs(requester, plainParams(1), 1 ether);
        seat(i, liar);
        plans[oracle.nameOf(asked[i].id, 1, 0)] = Plan(true, trace);
        claimBy(i, 0, true);
    }

    function challengeHonestly(uint256 i) private returns (uint256 e) {
        (Claim memory c, ClaimFacts memory f) = claimAt(i, 1, 0);
        uint88 bond = uint88(arena.bondFor(c.stake));
        uint256 value = bond + questionPrice();
        bytes memory data = challengeCall(i, c.name, bond, SALT);
        vm.prank(challenger);
        (bool ok,) = address(arena).call{value: value}(data);
        assertTrue(ok, "challenge");
        return note(i, c, f, challenger, bond, SALT);
    }

    /// A wrong claim and an honest dispute that came down to its leaf.
    function disputedLie() private returns (uint256 i, uint256 e) {
        i = lie(WRONG_CHUNK);
        e = challengeHonestly(i);
        answerAs(liar, e);
        bytes memory data = pickCall(e, traces[WRONG_CHUNK], 0, 0, 5);
        uint256 value = questionPrice();
        vm.prank(challenger);
        (bool ok,) = address(arena).call{value: value}(data);
        assertTrue(ok, "pick");
        answerAs(liar, e);
        assertTrue(viewOf(e).state == DisputeState.Step, "leaf");
    }

    function answerAs(address operator, uint256 e) private {
        bytes memory data = answerCall(e, false);
        vm.prank(operator);
        (bool ok,) = address(arena).call(data);
        assertTrue(ok, "answer");
    }

    function stepAs(address who, uint256 e, Witness memory w, bytes32 salt)
        private
        returns (bool ok)
    {
        Entry storage n = entries[e];
        bytes memory data = abi.encodeCall(arena.step, (n.d, n.facts, model, w, salt));
        vm.prank(who);
        (ok,) = address(arena).call(data);
    }
}
