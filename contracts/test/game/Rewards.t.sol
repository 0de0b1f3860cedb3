// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DisputeState, DisputeView, IDisputeGame} from "../../src/interfaces/IDisputeGame.sol";
import {Witness} from "../../src/interfaces/IStepVerifier.sol";
import {GameTest} from "./GameTest.sol";

/// The reward goes to whoever did the work: proofs seen in the pool cannot be copied, and nobody
/// can hold one up.
contract RewardsTest is GameTest {
    bytes32 internal honest;
    bytes32 internal parasite;
    Witness internal proof;

    function setUp() public override {
        super.setUp();
        window = 600;
        claimIt();
        theirs.changeLeaf(0, 5, flipped(0, 5, 7));
        Witness memory w = witness(0, 5);
        (proof.op, proof.leaf) = (w.op, w.leaf);
        proof.openings.push(w.openings[0]);
    }

    function challengeBy(address who, bytes32 salt) private returns (bytes32) {
        return open(who, salt);
    }

    function nextBlock() private {
        vm.roll(block.number + 1);
        skip(1);
    }

    function commitBy(address who) private {
        bytes32 hash = keccak256(abi.encode(proof));
        vm.prank(who);
        arena.commitProof(keccak256(abi.encode(who, SALT, hash)));
    }

    function expectNotCommitted(bytes32 id) private {
        expect(IDisputeGame.NotCommitted.selector);
        stepAtOnce(id, proof);
        assertFalse(convicted());
    }

    function assertReward(address who) private view {
        assertTrue(convicted());
        assertEq(oracle.credit(who), STAKE / 4, "reward");
        assertEq(oracle.credit(who == challenger ? rival : challenger), 0, "the other's");
    }

    /* COPIES */

    /// A parasite without the model opens a dispute when the leaf is public, and sends the witness
    /// that it sees in the pool ahead of the honest challenger.
    function test_copiedStep_reverts() public {
        honest = challengeBy(challenger, "a");
        play(honest);
        assertTrue(view_(honest).alone);
        parasite = challengeBy(rival, "b");
        assertEq(view_(parasite).prepaid, 0, "the trace is open: nothing to prepay");
        expectNotCommitted(parasite);
        stepAtOnce(honest, proof);
        assertReward(challenger);
        // Its bond is all that it has back.
        arena.reclaim(disputes[parasite]);
        assertEq(arena.credit(rival), MIN_BOND);
    }

    /// It joins in the very block of the honest step, or one before: that step goes through.
    function test_join_sameBlock_doesNotStopStep() public {
        honest = challengeBy(challenger, "a");
        play(honest);
        uint256 snapshot = vm.snapshotState();
        for (uint256 blocks; blocks < 2; ++blocks) {
            parasite = challengeBy(rival, "b");
            vm.roll(block.number + blocks);
            expectNotCommitted(parasite);
            stepAtOnce(honest, proof);
            assertReward(challenger);
            vm.revertToState(snapshot);
        }
        // Two blocks on, the honest one needs a commitment too: it has had time to make it.
        parasite = challengeBy(rival, "b");
        commitBy(challenger);
        vm.roll(block.number + 1);
        uint256 grace = vm.snapshotState();
        vm.roll(block.number + 1);
        stepAtOnce(honest, proof);
        assertReward(challenger);
        vm.revertToState(grace);
        vm.roll(block.number + 3);
        expectNotCommitted(parasite);
        stepAtOnce(honest, proof);
        assertReward(challenger);
    }

    /// The same without the commitment.
    function test_joinedTwoBlocksAgo_needsCommitment() public {
        honest = challengeBy(challenger, "a");
        play(honest);
        parasite = challengeBy(rival, "b");
        vm.roll(block.number + 2);
        expectNotCommitted(honest);
        commitBy(challenger);
        vm.roll(block.number + 1);
        expectNotCommitted(honest);
        vm.roll(block.number + 1);
        stepAtOnce(honest, proof);
        assertReward(challenger);
    }

    /// A parasite that was there first, alone, and waits in its turn: from the second block after
    /// an honest challenger joined it must commit too.
    function test_waitingParasite_needsCommitment() public {
        parasite = challengeBy(rival, "b");
        openTrace(parasite);
        assertTrue(view_(parasite).alone);
        nextBlock();
        honest = challengeBy(challenger, "a");
        assertFalse(view_(honest).alone);
        play(honest);
        commitBy(challenger);
        expectNotCommitted(honest);
        nextBlock();
        nextBlock();
        // The honest step is in the pool.
        expectNotCommitted(parasite);
        stepAtOnce(honest, proof);
        assertReward(challenger);
    }

    /// Puppets that join meanwhile, in the block of the honest step too, do not free it of that.
    function test_waitingParasite_puppetsJoin_needsCommitment() public {
        parasite = challengeBy(rival, "b");
        openTrace(parasite);
        nextBlock();
        honest = challengeBy(challenger, "a");
        play(honest);
        commitBy(challenger);
        uint256 joined = arena.claimOf(claimId).joinedBlock;
        for (uint256 i; i < 4; ++i) {
            nextBlock();
            challengeBy(rival, bytes32(i));
        }
        assertEq(arena.claimOf(claimId).joinedBlock, joined);
        expectNotCommitted(parasite);
        stepAtOnce(honest, proof);
        assertReward(challenger);
    }

    /// Nor does it help to let a puppet lose, so that another joins what looks like one dispute.
    function test_waitingParasite_puppetLoses_needsCommitment() public {
        bytes32 puppet = challengeBy(rival, "puppet");
        openTrace(puppet);
        skip(BUDGET / 2);
        parasite = challengeBy(rival, "b");
        // Alone is who was there first: the parasite is not.
        skip(BUDGET / 2 + 1);
        arena.timeout(disputes[puppet]);
        assertEq(arena.claimOf(claimId).live, 1);
        expectNotCommitted(parasite);
        honest = challengeBy(challenger, "a");
        play(honest);
        commitBy(challenger);
        vm.roll(block.number + 2);
        challengeBy(rival, "another");
        expectNotCommitted(parasite);
        stepAtOnce(honest, proof);
        assertReward(challenger);
    }

    /// One that the trace was opened for in another dispute was not alone, whatever came of it.
    function test_traceOpenedElsewhere_isNotAlone() public {
        parasite = challengeBy(rival, "b");
        honest = challengeBy(challenger, "a");
        openTrace(honest);
        assertFalse(arena.disputeOf(honest).alone);
        vm.roll(block.number + 2);
        expectNotCommitted(parasite);
        expectNotCommitted(honest);
    }

    /// Alone again after the other lost: at the next turn no commitment is needed.
    function test_aloneAgain_needsNone() public {
        parasite = challengeBy(rival, "b");
        openTrace(parasite);
        skip(BUDGET / 2);
        honest = challengeBy(challenger, "a");
        pick(honest, 0, 6, 0);
        reveal(honest);
        skip(BUDGET / 2 + 1);
        arena.timeout(disputes[parasite]);
        expectNotCommitted(honest);
        pick(honest, 0, 1, 2);
        assertTrue(view_(honest).alone);
        stepAtOnce(honest, proof);
        assertReward(challenger);
    }

    /* PARTIALS */

    function test_copiedStepPartial_reverts() public {
        honest = challengeBy(challenger, "a");
        openTrace(honest);
        parasite = challengeBy(rival, "b");
        bytes memory partials = truePartials();
        partials[4] = 0x01;
        bytes32[2] memory both = [honest, parasite];
        for (uint256 i; i < 2; ++i) {
            pick(both[i], 2, 0, 2);
            revealLeaf(both[i]);
            demand(both[i], 7);
            openPartials(both[i], partials);
        }
        Witness memory w = partialWitness(honest, 4);
        bytes32 hash = keccak256(abi.encode(w));
        commitTo(challenger, hash);
        // Seen in the pool.
        vm.prank(rival);
        arena.commitProof(keccak256(abi.encode(rival, SALT, hash)));
        vm.roll(block.number + 1);
        vm.prank(rival);
        expect(IDisputeGame.NotCommitted.selector);
        arena.stepPartial(disputes[parasite], facts, model, w, partials, SALT);
        vm.prank(challenger);
        arena.stepPartial(disputes[honest], facts, model, w, partials, SALT);
        assertReward(challenger);
    }

    /* PROOFS WITHOUT A DISPUTE */

    /// The public leaf, a commitment, two blocks: not while a dispute is live. An honest challenger
    /// that is slow has 50 blocks.
    function test_prove_doesNotOvertakeStep() public {
        honest = challengeBy(challenger, "a");
        play(honest);
        assertState(honest, DisputeState.Step);
        commitBy(rival);
        bytes32 root = theirs.root();
        for (uint256 i; i < 49; ++i) {
            vm.roll(block.number + 1);
            vm.prank(rival);
            expect(IDisputeGame.NotCommitted.selector);
            proveNow(root);
        }
        stepAtOnce(honest, proof);
        assertReward(challenger);
    }

    function proveNow(bytes32 root) private {
        arena.prove(theClaim.source, theClaim.name, opening(), root, "", model, proof, SALT);
    }

    /// The commitment is of its sender, its salt and its proof.
    function test_commitment_isOfItsSender() public {
        parasite = challengeBy(rival, "b");
        honest = challengeBy(challenger, "a");
        openTrace(honest);
        commitBy(challenger);
        vm.roll(block.number + 2);
        expectNotCommitted(parasite);
        Witness memory other = proof;
        other.place = 1;
        expect(IDisputeGame.NotCommitted.selector);
        stepAtOnce(honest, other);
        vm.prank(challenger);
        expect(IDisputeGame.NotCommitted.selector);
        arena.step(disputes[honest], facts, model, proof, "other");
        stepAtOnce(honest, proof);
        assertReward(challenger);
    }

    /// Every way to play two parasites against one honest challenger that follows the rule: commit
    /// as soon as the proof is known, step two blocks later and two after the own challenge.
    /// forge-config: default.fuzz.runs = 200
    /// forge-config: slow.fuzz.runs = 5000
    function testFuzz_honestRule_getsTheReward(uint256 random) public {
        uint256 turn;
        bytes32[] memory theirIds = new bytes32[](12);
        uint256 count;
        uint256 committedAt;
        uint256 challengedAt;
        while (!convicted()) {
            random = uint256(keccak256(abi.encode(random)));
            // Parasites first: they see the pool.
            if (random % 3 == 0 && count < 12) {
                theirIds[count] = challengeBy(rival, bytes32(count));
                ++count;
            }
            for (uint256 i; i < count; ++i) {
                DisputeView memory v = view_(theirIds[i]);
                if (v.state == DisputeState.Root && (random >> 8) % 2 == 0) openTrace(theirIds[i]);
                bool inPool = committedAt != 0 && mayStep(committedAt, challengedAt);
                if (!inPool || arena.claimOf(claimId).root == 0) continue;
                if (!isOperators(view_(theirIds[i]).state) || (random >> 16) % 2 == 0) {
                    expectNotCommitted(theirIds[i]);
                }
            }
            if (honest == 0 && (random >> 24) % 3 == 0) {
                honest = challengeBy(challenger, "a");
                challengedAt = block.number;
            } else if (honest != 0 && stateOf(honest) == DisputeState.Root) {
                openTrace(honest);
            } else if (honest != 0 && committedAt == 0) {
                play(honest);
                commitBy(challenger);
                committedAt = block.number;
            } else if (honest != 0 && mayStep(committedAt, challengedAt)) {
                stepAtOnce(honest, proof);
            }
            vm.roll(block.number + 1);
            if (++turn > 60) return;
        }
        assertReward(challenger);
    }

    function mayStep(uint256 committedAt, uint256 challengedAt) private view returns (bool) {
        return block.number >= committedAt + 2 && block.number >= challengedAt + 2;
    }
}
