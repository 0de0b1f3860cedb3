// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IClaims} from "../../src/interfaces/IClaims.sol";
import {ClaimStatus, Conviction, IDisputeGame} from "../../src/interfaces/IDisputeGame.sol";
import {RequestParams, RequestStatus} from "../../src/interfaces/IInferenceOracle.sol";
import {ModelCommitment} from "../../src/interfaces/IModelRegistry.sol";
import {UnitKind, Witness} from "../../src/interfaces/IStepVerifier.sol";
import {GameTest} from "./GameTest.sol";

/// Proofs without a dispute, roots signed twice, void claims, and the facts that the verifier is
/// given.
contract ProofsTest is GameTest {
    uint256 internal constant OPERATOR_KEY = 0xA11CE;

    function setUp() public override {
        super.setUp();
        operators[0] = vm.addr(OPERATOR_KEY);
        bonds.deposit{value: 10 ether}(operators[0]);
        operator = operators[0];
        claimIt();
    }

    /// Makes leaf 1 of the sampler wrong and opens the trace through somebody's dispute.
    function lie() private {
        theirs.changeLeaf(3, 1, flipped(3, 1, 0));
    }

    function sign(bytes32 root) private view returns (bytes memory) {
        return sign(OPERATOR_KEY, claimId, root, block.chainid, address(arena));
    }

    function sign(uint256 key, bytes32 id, bytes32 root, uint256 chainId, address at)
        private
        pure
        returns (bytes memory)
    {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,uint256 chainId,"
                    "address verifyingContract)"
                ),
                keccak256("Lockstep"),
                keccak256("1"),
                chainId,
                at
            )
        );
        bytes32 typeHash = keccak256("TraceRoot(bytes32 claimId,bytes32 root)");
        bytes32 message = keccak256(abi.encode(typeHash, id, root));
        bytes32 digest = keccak256(abi.encodePacked("\x19\x01", domain, message));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function prove(address who, bytes32 root, bytes memory signature, Witness memory w) private {
        vm.prank(who);
        arena.prove(theClaim.source, theClaim.name, opening(), root, signature, model, w, SALT);
    }

    /* PROVE */

    /// While a dispute is live a commitment must be 50 blocks old.
    function test_prove_openedRoot_convicts() public {
        lie();
        bytes32 id = open(rival, SALT);
        openTrace(id);
        Witness memory w = witness(3, 1);
        bytes32 root = theirs.root();
        commitTo(challenger, keccak256(abi.encode(w)));
        for (uint256 blocks = 2; blocks < 50; ++blocks) {
            expect(IDisputeGame.NotCommitted.selector);
            prove(challenger, root, "", w);
            vm.roll(block.number + 1);
        }
        vm.expectEmit(address(arena));
        emit IDisputeGame.ClaimConvicted(
            claimId, 0, challenger, Conviction.Proof, w.op, w.leaf, w.unit
        );
        prove(challenger, root, "", w);
        assertTrue(convicted());
        assertEq(oracle.credit(challenger), STAKE / 4);
        arena.reclaim(disputes[id]);
    }

    /// Two blocks again once the dispute is lost.
    function test_prove_afterLostDispute_needsTwoBlocks() public {
        lie();
        bytes32 id = open(rival, SALT);
        openTrace(id);
        Witness memory w = witness(3, 1);
        bytes32 root = theirs.root();
        commitTo(challenger, keccak256(abi.encode(w)));
        expect(IDisputeGame.NotCommitted.selector);
        prove(challenger, root, "", w);
        vm.warp(view_(id).deadline + 1);
        arena.timeout(disputes[id]);
        prove(challenger, root, "", w);
        assertTrue(convicted());
    }

    /// Without any dispute, by a root that the operator signed.
    function test_prove_signedRoot_convicts() public {
        lie();
        Witness memory w = witness(3, 1);
        commitTo(challenger, keccak256(abi.encode(w)));
        prove(challenger, theirs.root(), sign(theirs.root()), w);
        assertEq(oracle.credit(challenger), STAKE / 4);
        assertTrue(statusOf(requestId) == RequestStatus.Open);
        // The game never knew the claim: the oracle lets nobody dispute it now.
        assertTrue(arena.claimOf(claimId).status == ClaimStatus.None);
        expect(IClaims.NoSuchClaim.selector);
        this.openFor();
        bytes memory signature = sign(theirs.root());
        bytes32 root = theirs.root();
        expect(IClaims.NoSuchClaim.selector);
        prove(challenger, root, signature, w);
    }

    function openFor() external {
        open();
    }

    /// A root of the challenger's own convicts nobody.
    function test_prove_foreignRoot_reverts() public {
        openTrace(open(rival, SALT));
        theirs = copyOfTruth();
        lie();
        Witness memory w = witness(3, 1);
        commitTo(challenger, keccak256(abi.encode(w)));
        vm.roll(block.number + 50);
        bytes32 root = theirs.root();
        bytes[7] memory bad = [
            bytes(""),
            sign(0xBAD, claimId, root, block.chainid, address(arena)),
            sign(OPERATOR_KEY, bytes32(uint256(claimId) ^ 1), root, block.chainid, address(arena)),
            sign(OPERATOR_KEY, claimId, bytes32(uint256(root) ^ 1), block.chainid, address(arena)),
            sign(OPERATOR_KEY, claimId, root, block.chainid + 1, address(arena)),
            sign(OPERATOR_KEY, claimId, root, block.chainid, address(oracle)),
            new bytes(65)
        ];
        for (uint256 i; i < bad.length; ++i) {
            expect(IDisputeGame.UnknownRoot.selector);
            prove(challenger, root, bad[i], w);
        }
        bytes memory good = sign(root);
        bytes memory cut = new bytes(64);
        for (uint256 i; i < 64; ++i) {
            cut[i] = good[i];
        }
        expect(IDisputeGame.UnknownRoot.selector);
        prove(challenger, root, cut, w);
        expect(IDisputeGame.UnknownRoot.selector);
        prove(challenger, root, bytes.concat(good, hex"00"), w);
        assertFalse(convicted());
        // A root of zero is none.
        expect(IDisputeGame.UnknownRoot.selector);
        prove(challenger, 0, "", w);
    }

    function test_prove_unopened_reverts() public {
        Witness memory w = witness(3, 1);
        commitTo(challenger, keccak256(abi.encode(w)));
        expect(IDisputeGame.UnknownRoot.selector);
        prove(challenger, 0, "", w);
    }

    /// The honest operator's signature proves nothing.
    function test_prove_honest_reverts() public {
        uint256[2][] memory all = leaves();
        bytes32 root = theirs.root();
        for (uint256 i; i < all.length; i += 5) {
            Witness memory w = witness(all[i][0], all[i][1]);
            commitTo(challenger, keccak256(abi.encode(w)));
            bytes memory signature = sign(root);
            expect(IDisputeGame.NothingWrong.selector);
            prove(challenger, root, signature, w);
        }
    }

    /// Whoever copies a proof from the pool has no commitment of its own that is old enough.
    function test_prove_copied_reverts() public {
        lie();
        Witness memory w = witness(3, 1);
        bytes32 root = theirs.root();
        bytes memory signature = sign(root);
        bytes32 hash = keccak256(abi.encode(w));
        bytes32 commitment = keccak256(abi.encode(challenger, SALT, hash));
        arena.commitProof(commitment);
        vm.roll(block.number + 1);
        expect(IDisputeGame.NotCommitted.selector);
        prove(challenger, root, signature, w);
        // Seen in the pool: the copier's own commitment is too young, and a repeat of the other's
        // does not make that younger.
        vm.startPrank(rival);
        arena.commitProof(keccak256(abi.encode(rival, SALT, hash)));
        arena.commitProof(commitment);
        vm.stopPrank();
        vm.roll(block.number + 1);
        expect(IDisputeGame.NotCommitted.selector);
        prove(rival, root, signature, w);
        Witness memory other = w;
        other.unit = 1;
        expect(IDisputeGame.NotCommitted.selector);
        prove(challenger, root, signature, other);
        other.unit = 0;
        prove(challenger, root, signature, w);
        assertEq(oracle.credit(challenger), STAKE / 4);
        assertEq(oracle.credit(rival), 0);
    }

    function test_prove_partialKind_reverts() public {
        Witness memory w;
        w.kind = UnitKind.PartialFinal;
        commitTo(challenger, keccak256(abi.encode(w)));
        expect(IDisputeGame.WrongKind.selector);
        prove(challenger, "root", "", w);
    }

    function test_prove_otherModel_reverts() public {
        lie();
        Witness memory w = witness(3, 1);
        commitTo(challenger, keccak256(abi.encode(w)));
        bytes32 root = theirs.root();
        bytes memory signature = sign(root);
        model.tensorCount += 1;
        expect(IDisputeGame.WrongModel.selector);
        prove(challenger, root, signature, w);
    }

    /// Until finality, not after.
    function test_prove_whenFinal_reverts() public {
        lie();
        Witness memory w = witness(3, 1);
        bytes32 root = theirs.root();
        bytes memory signature = sign(root);
        commitTo(challenger, keccak256(abi.encode(w)));
        skip(WINDOW + 1);
        uint256 snapshot = vm.snapshotState();
        prove(challenger, root, signature, w);
        assertEq(oracle.credit(challenger), STAKE / 4);
        vm.revertToState(snapshot);
        oracle.finalize(req, "");
        expect(IClaims.NoSuchClaim.selector);
        prove(challenger, root, signature, w);
    }

    /* EQUIVOCATION */

    function equivocate(bytes32 r1, bytes memory s1, bytes32 r2, bytes memory s2) private {
        commitTo(challenger, keccak256(abi.encode(r1, r2)));
        if (arena.claimOf(claimId).live != 0) vm.roll(block.number + 48);
        equivocateAtOnce(r1, s1, r2, s2);
    }

    function equivocateAtOnce(bytes32 r1, bytes memory s1, bytes32 r2, bytes memory s2) private {
        vm.prank(challenger);
        arena.proveEquivocation(theClaim.source, theClaim.name, opening(), r1, s1, r2, s2, SALT);
    }

    function equivocateFor(bytes32 r1, bytes memory s1, bytes32 r2, bytes memory s2) external {
        equivocate(r1, s1, r2, s2);
    }

    function test_equivocation_openedAndSigned_convicts() public {
        openTrace(open(rival, SALT));
        bytes32 root = theirs.root();
        commitTo(challenger, keccak256(abi.encode(root, bytes32("other"))));
        vm.roll(block.number + 47);
        bytes memory signature = sign("other");
        expect(IDisputeGame.NotCommitted.selector);
        equivocateAtOnce(root, "", "other", signature);
        vm.roll(block.number + 1);
        vm.expectEmit(address(arena));
        emit IDisputeGame.ClaimConvicted(claimId, 0, challenger, Conviction.Equivocation, 0, 0, 0);
        equivocateAtOnce(root, "", "other", signature);
        assertTrue(convicted());
        assertEq(oracle.credit(challenger), STAKE / 4);
    }

    function test_equivocation_twoSigned_convicts() public {
        equivocate("one", sign("one"), "two", sign("two"));
        assertEq(oracle.credit(challenger), STAKE / 4);
    }

    function test_equivocation_same_reverts() public {
        openTrace(open(rival, SALT));
        bytes32 root = theirs.root();
        bytes memory signature = sign(root);
        expect(IDisputeGame.NothingWrong.selector);
        this.equivocateFor(root, "", root, signature);
        // A signature's second form is of the same root.
        expect(IDisputeGame.NothingWrong.selector);
        this.equivocateFor(root, signature, root, otherForm(signature));
    }

    /// (r, n - s, other v) is valid for the same message.
    function otherForm(bytes memory signature) private pure returns (bytes memory) {
        (bytes32 r, uint256 s, uint8 v) = (bytes32(0), 0, uint8(signature[64]));
        assembly {
            r := mload(add(signature, 32))
            s := mload(add(signature, 64))
        }
        uint256 n = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        return abi.encodePacked(r, n - s, v == 27 ? uint8(28) : uint8(27));
    }

    function test_equivocation_unknownRoots_revert() public {
        openTrace(open(rival, SALT));
        bytes32 root = theirs.root();
        bytes memory foreign = sign(0xBAD, claimId, "other", block.chainid, address(arena));
        expect(IDisputeGame.UnknownRoot.selector);
        this.equivocateFor(root, "", "other", foreign);
        expect(IDisputeGame.UnknownRoot.selector);
        this.equivocateFor("other", "", root, "");
        expect(IDisputeGame.UnknownRoot.selector);
        this.equivocateFor(root, "", 0, "");
        expect(IDisputeGame.NotCommitted.selector);
        equivocateAtOnce(root, "", "third", foreign);
    }

    /* VOID */

    function test_void_refundsAndSlashesNobody() public {
        bytes32 id = open();
        toy.setMalformed(2);
        expect(IDisputeGame.WellFormed.selector);
        voidClaim(1);
        ModelCommitment memory other = model;
        other.opCount += 1;
        expect(IDisputeGame.WrongModel.selector);
        arena.voidClaim(theClaim.source, theClaim.name, opening(), other, 2, noOpenings());
        vm.expectEmit(address(arena));
        emit IDisputeGame.ClaimVoided(claimId, 2);
        vm.prank(stranger);
        voidClaim(2);
        assertTrue(arena.claimOf(claimId).status == ClaimStatus.Void);
        oracle.expire(req);
        assertEq(oracle.creditOf(requestId), FEE);
        assertEq(bonds.account(operator).free, 10 ether);
        expect(IClaims.NoSuchClaim.selector);
        voidClaim(2);
        expect(IDisputeGame.ClaimNotLive.selector);
        arena.timeout(disputes[id]);
        arena.reclaim(disputes[id]);
    }

    function test_void_neverDisputed() public {
        toy.setMalformed(2);
        voidClaim(2);
        assertTrue(arena.claimOf(claimId).status == ClaimStatus.None);
        oracle.expire(req);
        assertTrue(statusOf(requestId) == RequestStatus.Refunded);
    }

    /// The request of two claims ends with one of them: the other's challenger was in its own turn,
    /// and does not lose by the clock.
    function test_void_otherSeat_freesChallengers() public {
        RequestParams memory p = paramsOf(2);
        p.prompt = list(2, 10);
        p.maxTokens = 2;
        (req, requestId) = askAndFill(p);
        commit(req, 0, list(2, 100));
        commit(req, 1, list(2, 100));
        reveal(req, 0, list(2, 100));
        reveal(req, 1, list(2, 100));
        useClaim(1, 0, list(2, 100));
        bytes32 id = open();
        openTrace(id);
        toy.setMalformed(0);
        bytes32 other = nameOf(req, 1, 1);
        arena.voidClaim(address(oracle), other, opening(), model, 0, noOpenings());
        assertTrue(arena.claimOf(claimId).status == ClaimStatus.Disputed);
        vm.warp(view_(id).deadline + 1);
        expect(IDisputeGame.ClaimNotLive.selector);
        arena.timeout(disputes[id]);
        uint256 due = heldFor(id);
        arena.reclaim(disputes[id]);
        assertEq(arena.credit(challenger), due);
    }

    /* FACTS */

    /// Prompt, answer, policy and the seed used, as the claim has them.
    function test_step_factsAreTheClaims() public {
        lie();
        bytes32 id = open();
        openTrace(id);
        assertEq(facts.promptCount, 2);
        assertEq(facts.promptHash, tokensHash(list(2, 10)));
        assertEq(facts.tokenCount, 2);
        assertEq(facts.tokensHash, tokensHash(list(2, 100)));
        assertEq(facts.seed, 0, "greedy");
        toy.setFacts(facts);
        step(id, 3, 1);
        assertTrue(convicted());
    }

    /// A sampled answer with an allowed list; `prove` finds the same facts by itself.
    function test_step_factsOfAllowedListAndPolicy() public {
        RequestParams memory p = sampled();
        (p.prompt, p.maxTokens) = (list(2, 10), 2);
        (p.minP, p.allowed) = (0x3d000000, list(40, 90));
        (req, requestId) = askAndFill(p);
        uint64 seed = seedOf(req);
        assertTrue(seed != 0 && seed != p.seed);
        vm.prank(operator);
        oracle.claim(req, seed, list(2, 100), p.allowed);
        useClaim(1, 0, list(2, 100));
        assertEq(facts.seed, seed);
        assertEq(facts.temperature, ONE);
        assertEq(facts.minP, 0x3d000000);
        assertEq(facts.allowedCount, 40);
        assertEq(facts.allowedHash, tokensHash(p.allowed));
        lie();
        toy.setFacts(facts);
        uint256 snapshot = vm.snapshotState();
        bytes32 id = open();
        openTrace(id);
        step(id, 3, 1);
        assertTrue(convicted());
        vm.revertToState(snapshot);
        Witness memory w = witness(3, 1);
        commitTo(challenger, keccak256(abi.encode(w)));
        prove(challenger, theirs.root(), sign(theirs.root()), w);
        assertEq(oracle.credit(challenger), STAKE / 4);
    }
}
