// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Claim, IClaims} from "../../src/interfaces/IClaims.sol";
import {
    ClaimStatus,
    Dispute,
    DisputeState,
    DisputedClaim,
    IDisputeGame
} from "../../src/interfaces/IDisputeGame.sol";
import {RequestStatus} from "../../src/interfaces/IInferenceOracle.sol";
import {IOperatorBonds} from "../../src/interfaces/IOperatorBonds.sol";
import {ClaimFacts, Witness} from "../../src/interfaces/IStepVerifier.sol";
import {GameTest} from "./GameTest.sol";
import {ToySource} from "./ToySource.sol";

/// A source of claims beside the oracle that lies in every way. The oracle's claims, its
/// challengers' money and everybody's bonds stay what they are; only who plays with the source can
/// lose by it.
contract SourcesTest is GameTest {
    bytes32 internal constant NAME = "name";

    ToySource internal source;
    /// the oracle's claim, its facts, a dispute about it
    Claim internal good;
    ClaimFacts internal goodFacts;
    bytes32 internal goodId;
    bytes32 internal goodDispute;
    bytes internal opening_;

    function setUp() public override {
        super.setUp();
        claimIt();
        opening_ = openingOf(req);
        goodDispute = open(rival, "good");
        (good, goodFacts, goodId) = (theClaim, facts, claimId);
        source = new ToySource(address(bonds), address(arena));
        vm.deal(address(source), 100 ether);
        useToy(NAME);
    }

    function opening() internal view override returns (bytes memory) {
        return opening_;
    }

    /// Disputes are about a claim of the toy source from now on, with the same facts.
    function useToy(bytes32 name) private {
        theClaim = source.put(name, operator, STAKE, modelId, facts);
        claimId = keccak256(abi.encode(theClaim));
    }

    function useGood() private {
        (theClaim, facts, claimId) = (good, goodFacts, goodId);
    }

    /// State that must not change: the oracle's claim and its dispute, and money.
    function untouched() private view returns (bytes memory) {
        return abi.encode(
            arena.claimOf(goodId),
            arena.disputeOf(goodDispute),
            arena.credit(rival),
            oracle.stateOf(requestId),
            oracle.seatOf(requestId, 1, 0),
            oracle.credit(rival),
            bonds.account(good.operator),
            address(oracle).balance,
            address(bonds).balance
        );
    }

    function challengeToy() private returns (bytes32 id) {
        id = open(challenger, SALT);
    }

    /* IT WORKS */

    /// An honest source is played with like the oracle: to a conviction, a lost dispute, to void.
    function test_honestSource_works() public {
        bytes memory before = untouched();
        theirs.changeLeaf(0, 5, flipped(0, 5, 3));
        bytes32 id = challengeToy();
        beat(id);
        assertEq(source.convictedFor(NAME), challenger);
        assertEq(source.timesConvicted(NAME), 1);
        assertEq(source.timesDisputed(NAME), 1);
        theirs = copyOfTruth();
        useToy("second");
        id = challengeToy();
        play(id);
        vm.warp(view_(id).deadline + 1);
        arena.timeout(disputes[id]);
        assertEq(source.timesSettled("second"), 1);
        useToy("third");
        toy.setMalformed(1);
        id = challengeToy();
        voidClaim(1);
        assertTrue(arena.claimOf(claimId).status == ClaimStatus.Void);
        arena.reclaim(disputes[id]);
        assertEq(bonds.account(operator).locked, STAKE);
        assertEq(untouched(), before);
    }

    /// The same name in two sources is two claims.
    function test_sameName_isAnotherClaim() public {
        bytes memory before = untouched();
        useToy(good.name);
        assertTrue(claimId != goodId);
        bytes32 id = challengeToy();
        openTrace(id);
        toy.setAlways();
        Witness memory w;
        step(id, w);
        assertTrue(convicted());
        useGood();
        assertFalse(convicted());
        assertEq(untouched(), before);
    }

    /* IT LIES */

    /// Another source's claim, or another name, is none of its own.
    function test_othersClaim_isRefused() public {
        bytes memory before = untouched();
        uint88 bond = bondNow();
        for (uint256 i; i < 3; ++i) {
            if (i == 0) source.say(NAME, good, goodFacts);
            Claim memory other = theClaim;
            if (i == 1) other.source = address(oracle);
            if (i == 2) other.name = "other";
            if (i != 0) source.say(NAME, other, facts);
            vm.prank(challenger);
            expect(IDisputeGame.WrongSource.selector);
            arena.challenge{value: 1 ether}(address(source), NAME, "", model, bond, SALT);
            Witness memory w;
            expect(IDisputeGame.WrongSource.selector);
            arena.prove(address(source), NAME, "", "root", "", model, w, SALT);
            expect(IDisputeGame.WrongSource.selector);
            arena.proveEquivocation(address(source), NAME, "", "root", "", "x", "", SALT);
            expect(IDisputeGame.WrongSource.selector);
            arena.voidClaim(address(source), NAME, "", model, 0, noOpenings());
        }
        assertEq(untouched(), before);
    }

    function test_factsOfAnotherHash_areRefused() public {
        ClaimFacts memory other = facts;
        other.tokenCount += 1;
        source.say(NAME, theClaim, other);
        uint88 bond = bondNow();
        vm.prank(challenger);
        expect(IDisputeGame.WrongFacts.selector);
        arena.challenge{value: 1 ether}(address(source), NAME, "", model, bond, SALT);
        Witness memory w;
        expect(IDisputeGame.WrongFacts.selector);
        arena.prove(address(source), NAME, "", "root", "", model, w, SALT);
    }

    /// Other facts, another operator, stake or model later: to the game that is another claim, and
    /// disputes that run go on about what they began with.
    function test_otherClaimLater_isAnother() public {
        bytes memory before = untouched();
        theirs.changeLeaf(0, 5, flipped(0, 5, 3));
        bytes32 id = challengeToy();
        play(id);
        for (uint256 i; i < 3; ++i) {
            Claim memory other = theClaim;
            ClaimFacts memory f = facts;
            if (i == 0) f.tokensHash = "other";
            if (i == 0) other.factsHash = keccak256(abi.encode(f));
            if (i == 1) other.operator = operators[7];
            if (i == 2) other.stake = 1;
            source.say(NAME, other, f);
            uint88 bond = bondNow();
            vm.prank(challenger);
            bytes32 second =
                arena.challenge{value: 1 ether}(address(source), NAME, "", model, bond, SALT);
            assertTrue(second != id);
            assertTrue(arena.disputeOf(second).state == DisputeState.Root);
        }
        step(id, 0, 5);
        assertTrue(convicted());
        assertEq(source.convictedFor(NAME), challenger);
        assertEq(arena.claimOf(claimId).live, 1);
        assertEq(untouched(), before);
    }

    /// It may name whom it likes as an operator, with any stake: nobody's bond moves, and who is
    /// named can only win the bonds of those that challenge.
    function test_foreignOperator_losesNothing() public {
        bytes memory before = untouched();
        operator = operators[9];
        theClaim = source.put(NAME, operator, type(uint128).max, modelId, facts);
        claimId = keccak256(abi.encode(theClaim));
        setFee(1 gwei);
        bytes memory account = abi.encode(bonds.account(operator));
        vm.deal(challenger, 1 << 100);
        bytes32 id = challengeToy();
        vm.warp(view_(id).deadline + 1);
        arena.timeout(disputes[id]);
        assertTrue(convicted());
        assertEq(abi.encode(bonds.account(operator)), account);
        assertEq(oracle.credit(challenger), 0);
        assertEq(untouched(), before);
    }

    /* IT MISBEHAVES */

    /// Whatever it calls while the game calls it finds nothing to take. All of its calls are tried
    /// in each of the game's three.
    function test_reentrant_takesNothing() public {
        bytes memory before = untouched();
        toy.setAlways();
        uint256 held = address(arena).balance;
        uint256 sourceHad = address(source).balance;
        uint88 bond = bondNow();
        bytes32 id = keccak256(abi.encode(claimId, challenger, bond, SALT));
        disputes[id] = Dispute(theClaim, challenger, bond, SALT);
        arm(id, 9);
        // From within `disputed`: there is nothing yet.
        assertEq(challengeToy(), id);
        assertEq(source.tries(), 9);
        assertEq(source.successes(), 0);
        // From within `convict`.
        openTrace(id);
        Witness memory w;
        stepAtOnce(id, w);
        assertEq(source.tries(), 18);
        // Money back is the challenger's, who has it already.
        assertEq(source.successes(), 0);
        assertEq(address(source).balance, sourceHad);
        assertEq(arena.credit(address(source)), 0);
        uint256 own = arena.credit(challenger) + arena.credit(operator);
        assertEq(address(arena).balance, held + own);
        assertEq(untouched(), before);
    }

    /// From within `settled`, the last call of a dispute that is lost.
    function test_reentrant_settled_takesNothing() public {
        bytes memory before = untouched();
        uint256 held = address(arena).balance;
        bytes32 id = challengeToy();
        openTrace(id);
        vm.warp(view_(id).deadline + 1);
        // Without those about the other dispute, whose time is over too.
        arm(id, 6);
        arena.timeout(disputes[id]);
        assertEq(source.timesSettled(NAME), 1);
        assertEq(source.successes(), 0);
        uint256 own = arena.credit(challenger) + arena.credit(operator);
        assertEq(address(arena).balance, held + own);
        assertState(id, DisputeState.Closed);
        assertEq(untouched(), before);
    }

    function arm(bytes32 id, uint256 count) private {
        Dispute memory d = disputes[id];
        Dispute memory theOther = disputes[goodDispute];
        Witness memory w;
        bytes32[] memory none;
        bytes[] memory calls = new bytes[](9);
        uint88 bond = d.bond;
        calls[0] = abi.encodeCall(arena.challenge, (address(source), NAME, "", model, bond, SALT));
        calls[1] = abi.encodeCall(arena.step, (d, facts, model, w, SALT));
        calls[2] = abi.encodeCall(arena.timeout, (d));
        calls[3] = abi.encodeCall(arena.reclaim, (d));
        calls[4] = abi.encodeCall(arena.withdraw, (payable(address(source))));
        calls[5] = abi.encodeCall(arena.pick, (d, 0, 0, 0, "x", none));
        calls[6] = abi.encodeCall(arena.timeout, (theOther));
        calls[7] = abi.encodeCall(arena.reclaim, (theOther));
        calls[8] = abi.encodeCall(arena.openTrace, (theOther, "root", none));
        assembly {
            mstore(calls, count)
        }
        source.setCalls(address(arena), calls);
    }

    /// As a challenger of its own claim, from within: two disputes, one bond each.
    function test_reentrant_challengesItself_paysTwice() public {
        bytes memory before = untouched();
        uint256 held = address(arena).balance;
        uint88 bond = bondNow();
        bytes memory inner =
            abi.encodeCall(arena.challenge, (address(source), NAME, "", model, bond, "inner"));
        uint256 value = bond + prepayment(TRACE_GAS);
        bytes memory payInner = abi.encodeCall(source.act, (address(arena), value, inner));
        bytes[] memory calls = new bytes[](1);
        calls[0] = payInner;
        source.setCalls(address(source), calls);
        challengeToy();
        assertEq(source.successes(), 1);
        assertEq(arena.claimOf(claimId).live, 2);
        assertEq(address(arena).balance, held + 2 * value);
        assertEq(untouched(), before);
    }

    /// One that does not convict keeps a challenger from winning, and no more: the dispute's money
    /// comes back when the claim stands no longer.
    function test_refuses_keepsTheMoneyWhole() public {
        bytes memory before = untouched();
        theirs.changeLeaf(0, 5, flipped(0, 5, 3));
        bytes32 id = challengeToy();
        play(id);
        source.setRefuses(true);
        vm.expectRevert(bytes("no"));
        this.stepFor(id);
        expect(IDisputeGame.TooEarly.selector);
        arena.reclaim(disputes[id]);
        // While it stands the challenger can only lose: it must know its source.
        source.setStanding(NAME, false);
        uint256 due = heldFor(id);
        arena.reclaim(disputes[id]);
        assertEq(arena.credit(challenger), due);
        assertEq(untouched(), before);
    }

    function stepFor(bytes32 id) external {
        step(id, 0, 5);
    }

    /// A claim that stands for ever, convicted or not, is decided once.
    function test_standsForEver_isConvictedOnce() public {
        bytes memory before = untouched();
        source.setKeepsStanding();
        toy.setAlways();
        bytes32 id = challengeToy();
        bytes32 second = open(rival, "second");
        openTrace(id);
        Witness memory w;
        step(id, w);
        assertTrue(source.standing(NAME));
        expect(IDisputeGame.ClaimNotLive.selector);
        this.openFor();
        expect(IDisputeGame.ClaimNotLive.selector);
        this.stepWith(second, w);
        commitTo(challenger, keccak256(abi.encode(w)));
        bytes32 root = theirs.root();
        vm.roll(block.number + 50);
        vm.prank(challenger);
        expect(IDisputeGame.ClaimNotLive.selector);
        arena.prove(address(source), NAME, "", root, "", model, w, SALT);
        toy.setMalformed(0);
        expect(IDisputeGame.ClaimNotLive.selector);
        voidClaim(0);
        arena.reclaim(disputes[second]);
        assertEq(heldFor(second), 0);
        assertEq(source.timesConvicted(NAME), 1);
        (theClaim, claimId) = (good, goodId);
        // The rival's credit is of the toy's dispute alone.
        assertGt(arena.credit(rival), 0);
        vm.prank(rival);
        arena.withdraw(payable(rival));
        assertEq(untouched(), before);
    }

    function openFor() external {
        open(challenger, "third");
    }

    function stepWith(bytes32 id, Witness memory w) external {
        step(id, w);
    }

    /// Standing off and on: bonds leave once, and the count of disputes never goes below none.
    function test_standingOffAndOn_conservesMoney() public {
        bytes memory before = untouched();
        uint256 held = address(arena).balance;
        bytes32 id = challengeToy();
        bytes32 second = open(challenger, "second");
        openTrace(id);
        source.setStanding(NAME, false);
        arena.reclaim(disputes[id]);
        expectState(DisputeState.Closed);
        arena.reclaim(disputes[id]);
        vm.warp(view_(second).deadline + 1);
        expect(IDisputeGame.ClaimNotLive.selector);
        arena.timeout(disputes[second]);
        source.setStanding(NAME, true);
        arena.timeout(disputes[second]);
        uint256 own = arena.credit(challenger) + arena.credit(operator);
        assertEq(address(arena).balance, held + own);
        assertEq(untouched(), before);
    }

    /// Facts that no oracle would give: a tree of nothing, or larger than any. Picks and answers
    /// may be impossible, but the dispute ends and its money is conserved.
    function testFuzz_absurdFacts_end(uint32 p, uint32 n, uint32 at) public {
        bytes memory before = untouched();
        uint256 held = address(arena).balance;
        (facts.promptCount, facts.tokenCount) = (p, n);
        useToy(NAME);
        bytes32 id = challengeToy();
        openTrace(id);
        bytes32 node = theirs.node(0, 0, 5);
        bytes32[] memory path = theirs.path(0, 0, 5, TOP, 2);
        vm.prank(challenger);
        (bool ok,) = address(arena).call{value: 1 ether}(
            abi.encodeCall(arena.pick, (disputes[id], 0, 0, at, node, path))
        );
        if (ok) assertState(id, DisputeState.Leaf);
        vm.warp(view_(id).deadline + 1);
        arena.timeout(disputes[id]);
        uint256 own = arena.credit(challenger) + arena.credit(operator) + heldFor(id);
        assertEq(address(arena).balance, held + own);
        assertEq(untouched(), before);
    }

    /* BONDS */

    /// A source that an operator allowed has what it locked, and nothing of what the oracle locked,
    /// whatever the game convicts in either.
    function test_allowedSource_cannotTouchTheOraclesLock() public {
        expect(IOperatorBonds.NotSource.selector);
        source.lock(operator, 1 ether, NAME);
        vm.prank(operator);
        bonds.allowSource(address(source), true);
        source.lock(operator, 1 ether, NAME);
        assertEq(bonds.account(operator).locked, STAKE);
        assertEq(bonds.lockedBy(operator, address(source)), 1 ether);
        assertEq(bonds.account(operator).free, 10 ether - STAKE - 1 ether);
        for (uint256 i; i < 3; ++i) {
            uint256 amount = i == 0 ? 1 ether + 1 : i == 1 ? STAKE : 1.5 ether;
            vm.expectRevert(
                abi.encodeWithSelector(
                    IOperatorBonds.InsufficientLockedBond.selector, operator, 1 ether, amount
                )
            );
            release(amount, amount);
        }
        uint256 had = address(source).balance;
        release(1 ether, 1 ether);
        assertEq(address(source).balance - had, 1 ether);
        assertEq(bonds.account(operator).locked, STAKE);
        // The oracle's claim is convicted as if nothing had been.
        vm.warp(view_(goodDispute).deadline + 1);
        arena.timeout(disputes[goodDispute]);
        assertEq(oracle.credit(rival), STAKE / 4);
        assertTrue(statusOf(requestId) == RequestStatus.Open);
        assertEq(bonds.account(operator).locked, 0);
    }

    function release(uint256 amount, uint256 seized) private {
        source.act(
            address(bonds), 0, abi.encodeCall(bonds.release, (operator, amount, seized, 0, NAME))
        );
    }

    /// The oracle hears nobody but the game, and of its own claims alone.
    function test_oracle_hearsTheGameAlone() public {
        bytes memory opening__ = opening();
        bytes[4] memory calls = [
            abi.encodeCall(IClaims.disputed, (good.name, opening__)),
            abi.encodeCall(IClaims.settled, (good.name)),
            abi.encodeCall(IClaims.convict, (good.name, operator, STAKE, challenger)),
            abi.encodeCall(IClaims.voidClaim, (good.name, STAKE))
        ];
        for (uint256 i; i < 4; ++i) {
            expect(IClaims.NotDisputeGame.selector);
            source.act(address(oracle), 0, calls[i]);
        }
    }
}
