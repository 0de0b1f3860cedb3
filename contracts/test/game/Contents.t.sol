// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DisputeGame} from "../../src/DisputeGame.sol";
import {IClaims} from "../../src/interfaces/IClaims.sol";
import {
    ClaimStatus,
    Conviction,
    Dispute,
    DisputeState,
    DisputeView,
    DisputedClaim,
    GameParameters,
    IDisputeGame
} from "../../src/interfaces/IDisputeGame.sol";
import {Request} from "../../src/interfaces/IInferenceOracle.sol";
import {ModelCommitment} from "../../src/interfaces/IModelRegistry.sol";
import {
    ClaimFacts,
    IStepVerifier,
    Opening,
    UnitKind,
    Witness
} from "../../src/interfaces/IStepVerifier.sol";
import {MoveTest} from "./MoveTest.sol";

/// Each move, and the deployment, with the wrong contents.
contract ContentsTest is MoveTest {
    /* PICKS */

    function test_pick_badPositions_revert() public {
        reach(DisputeState.Pick);
        // No operation, padding of the top tree, the top tree's own heights and root.
        badPick(4, 0, 0);
        badPick(TOP - 1, 0, 0);
        badPick(TOP, 0, 0);
        badPick(TOP, 1, 0);
        badPick(TOP, 2, 0);
        // No stage, not in the tree.
        badPick(0, 5, 0);
        badPick(0, 7, 0);
        badPick(0, 6, 1);
        badPick(0, 1, 32);
        // Padding: by its chunk, its row, its head.
        badPick(0, 0, 9);
        badPick(0, 0, 48);
        badPick(0, 1, 5);
        badPick(1, 0, 3);
        badPick(2, 0, 6);
        badPick(3, 0, 2);
        assertState(id, DisputeState.Pick);

        pick(id, 0, 6, 0);
        reveal(id);
        // The same node, one beside the current, another operation's.
        badPick(0, 6, 0);
        pick(id, 0, 1, 8);
        reveal(id);
        badPick(0, 1, 9);
        badPick(0, 0, 18);
        badPick(0, 0, 15);
        badPick(1, 0, 0);
        badPick(TOP, 1, 0);
    }

    function badPick(uint256 op, uint256 height, uint256 index) private {
        bytes32[] memory path;
        expect(IDisputeGame.BadPick.selector);
        pickWith(op, height, index, "node", path);
        // With a path of the right length too.
        DisputeView memory v = view_(id);
        uint256 length = op < 4 && height <= truth.heightOf(op) ? truth.heightOf(op) - height : 0;
        if (op != v.op) path = new bytes32[](length + v.height);
        else path = new bytes32[](v.height > height ? v.height - height : 0);
        expect(IDisputeGame.BadPick.selector);
        pickWith(op, height, index, "node", path);
    }

    /// 0 stands for the trace's root where a dispute's node is kept: no node may have that value,
    /// at any place and in whatever way it is named.
    function test_pick_nodeZero_reverts() public {
        theirs.force(0, 0, 1, bytes32(0));
        reach(DisputeState.Pick);
        uint8[3] memory heights = [6, 1, 0];
        for (uint256 i; i < heights.length; ++i) {
            bytes32[] memory path = theirs.path(0, heights[i], 0, TOP, 2);
            expect(IDisputeGame.BadPick.selector);
            pickWith(0, heights[i], 0, 0, path);
        }
        pick(id, 0, 6, 0);
        reveal(id);
        expect(IDisputeGame.BadPick.selector);
        this.pickFor(0, 1, 0, 0);
        assertState(id, DisputeState.Pick);
    }

    /// A node of elsewhere does not open at another place, whatever its operation.
    function test_pick_openingOfElsewhere_reverts() public {
        reach(DisputeState.Pick);
        bytes32 node = theirs.node(0, 0, 1);
        bytes32[] memory path = theirs.path(0, 0, 1, TOP, 2);
        uint32[3] memory places = [uint32(0), 2, 17];
        for (uint256 i; i < places.length; ++i) {
            expect(IDisputeGame.WrongHash.selector);
            pickWith(0, 0, places[i], node, path);
        }
        // Its path one shorter or longer, as if it lay higher or lower.
        expect(IDisputeGame.BadPick.selector);
        pickWith(0, 1, 0, node, path);
        pickWith(0, 0, 1, node, path);
        assertState(id, DisputeState.Leaf);
    }

    function test_pick_everyHashOfPathCounts() public {
        reach(DisputeState.Pick);
        bytes32 node = theirs.node(0, 0, 5);
        bytes32[] memory path = theirs.path(0, 0, 5, TOP, 2);
        for (uint256 i; i < path.length; ++i) {
            path[i] = bytes32(uint256(path[i]) ^ 1);
            expect(IDisputeGame.WrongHash.selector);
            pickWith(0, 0, 5, node, path);
            path[i] = bytes32(uint256(path[i]) ^ 1);
        }
    }

    function test_pick_unknownShape_reverts() public {
        truth = copyOfTruth();
        toy.setTruth(truth);
        model.programRoot = keccak256("without shapes");
        modelId = registry.register(model, 0, "");
        claimAgain();
        id = open();
        openTrace(id);
        bytes32[] memory path = theirs.path(0, 6, 0, TOP, 2);
        bytes32 node = theirs.node(0, 6, 0);
        expect(IDisputeGame.UnknownShape.selector);
        pickWith(0, 6, 0, node, path);
        assertFalse(arena.shapeRecorded(modelId, 0));
        vm.expectEmit(address(arena));
        emit IDisputeGame.ShapeRecorded(modelId, 0);
        arena.recordShape(model, 0, Opening("", new bytes32[](0)));
        assertTrue(arena.shapeRecorded(modelId, 0));
        arena.recordShape(model, 0, Opening("", new bytes32[](0)));
        pick(id, 0, 6, 0);
    }

    function test_recordShape_noOperation_reverts() public {
        expect(IStepVerifier.BadUnit.selector);
        arena.recordShape(model, 4, Opening("", new bytes32[](0)));
    }

    /// A second claim, of another request of the same model, by another operator.
    function claimAgain() private {
        operators[0] = operators[5];
        operator = operators[0];
        claimIt();
    }

    /* ANSWERS */

    function test_openTrace_badAnswers_revert() public {
        reach(DisputeState.Root);
        Dispute memory d = dispute();
        bytes32 root = theirs.root();
        bytes32[] memory children = theirs.children(TOP, 2, 0);
        vm.startPrank(operator);
        expect(IDisputeGame.WrongHash.selector);
        arena.openTrace(d, 0, children);
        expect(IDisputeGame.WrongHash.selector);
        arena.openTrace(d, "root", children);
        expect(IDisputeGame.WrongChildCount.selector);
        arena.openTrace(d, root, new bytes32[](3));
        expect(IDisputeGame.WrongChildCount.selector);
        arena.openTrace(d, root, new bytes32[](8));
        for (uint256 i; i < 4; ++i) {
            children[i] = bytes32(uint256(children[i]) ^ 1);
            expect(IDisputeGame.WrongHash.selector);
            arena.openTrace(d, root, children);
            children[i] = bytes32(uint256(children[i]) ^ 1);
        }
        arena.openTrace(d, root, children);
        DisputedClaim memory c = arena.claimOf(claimId);
        assertEq(c.root, root);
        assertEq(c.openedAt, block.timestamp);
        vm.stopPrank();
    }

    function test_reveal_badAnswers_revert() public {
        reach(DisputeState.Node);
        Dispute memory d = dispute();
        bytes32[] memory children = theirs.children(0, 6, 0);
        expect(IDisputeGame.WrongChildCount.selector);
        arena.reveal(d, new bytes32[](31));
        expect(IDisputeGame.WrongChildCount.selector);
        arena.reveal(d, new bytes32[](64));
        for (uint256 i; i < 32; ++i) {
            children[i] = bytes32(uint256(children[i]) ^ 1);
            bool present = truth.present(0, 1, i);
            expect(present ? IDisputeGame.WrongHash.selector : IDisputeGame.BadPadding.selector);
            arena.reveal(d, children);
            children[i] = bytes32(uint256(children[i]) ^ 1);
        }
        arena.reveal(d, children);
    }

    /// An answer that went through is worth nothing at the next place, or anywhere else.
    function test_reveal_replayed_reverts() public {
        reach(DisputeState.Node);
        Dispute memory d = dispute();
        bytes32[] memory first = theirs.children(0, 6, 0);
        reveal(id);
        pick(id, 0, 1, 1);
        expect(IDisputeGame.WrongChildCount.selector);
        arena.reveal(d, first);
        bytes32[] memory second = theirs.children(0, 1, 0);
        expect(IDisputeGame.WrongHash.selector);
        arena.reveal(d, second);
        reveal(id);
        pick(id, 0, 0, 3);
        bytes memory leaf = theirs.leaf(0, 2);
        expect(IDisputeGame.WrongHash.selector);
        arena.revealLeaf(d, leaf);
        revealLeaf(id);
    }

    function test_revealLeaf_exactLength() public {
        reach(DisputeState.Leaf);
        Dispute memory d = dispute();
        // Chunk 0 of two: 1,024 bytes.
        bytes memory data = theirs.leaf(2, 2);
        assertEq(data.length, 1024);
        expect(IDisputeGame.WrongLength.selector);
        arena.revealLeaf(d, bytes.concat(data, hex"00"));
        expect(IDisputeGame.WrongLength.selector);
        arena.revealLeaf(d, "");
        data[77] ^= 0x40;
        expect(IDisputeGame.WrongHash.selector);
        arena.revealLeaf(d, data);
        data[77] ^= 0x40;
        arena.revealLeaf(d, data);
    }

    /* PARTIALS */

    function test_partials_wrongOne_isConvicted() public {
        reach(DisputeState.Partials);
        bytes memory partials = truePartials();
        partials[9] = 0x01;
        openPartials(id, partials);
        expectPartial(partialWitness(id, 9), truePartials(), IDisputeGame.WrongHash.selector);
        Witness memory w = partialWitness(id, 9);
        w.kind = UnitKind.Output;
        expectPartial(w, partials, IDisputeGame.WrongKind.selector);
        w.kind = UnitKind.Unlisted;
        expectPartial(w, partials, IDisputeGame.WrongKind.selector);
        for (uint256 i; i < 3; ++i) {
            w = partialWitness(id, 9);
            if (i == 0) w.op = 0;
            if (i == 1) w.leaf = 0;
            if (i == 2) w.unit = 4;
            expectPartial(w, partials, IDisputeGame.BadElement.selector);
        }
        expectPartial(partialWitness(id, 8), partials, IDisputeGame.NothingWrong.selector);
        w = partialWitness(id, 9);
        vm.expectEmit(address(arena));
        emit IDisputeGame.ClaimConvicted(
            claimId, id, challenger, Conviction.PartialStep, w.op, w.leaf, w.unit
        );
        stepPartial(id, 9, partials);
        assertTrue(convicted());
    }

    function expectPartial(Witness memory w, bytes memory partials, bytes4 error_) private {
        vm.prank(challenger);
        expect(error_);
        arena.stepPartial(dispute(), facts, model, w, partials, SALT);
    }

    function test_partials_badFormat_reverts() public {
        reach(DisputeState.Partials);
        bytes memory partials = truePartials();
        partials[0] = 0xff;
        vm.startPrank(operator);
        expect(IDisputeGame.BadPartials.selector);
        arena.openPartials(dispute(), partials);
        expect(IDisputeGame.BadPartials.selector);
        arena.openPartials(dispute(), new bytes(40));
        vm.stopPrank();
    }

    function test_demandPartials_badElements_revert() public {
        reach(DisputeState.Step);
        // The leaf is chunk 0 of row 1: elements 0 to 255 of 272.
        uint32[4] memory elements = [uint32(256), 271, 272, type(uint32).max];
        for (uint256 i; i < elements.length; ++i) {
            vm.prank(challenger);
            expect(IDisputeGame.BadElement.selector);
            arena.demandPartials{value: 1 ether}(disputes[id], elements[i]);
        }
        demand(id, 255);
        assertEq(view_(id).element, 255);
        assertEq(view_(id).index, 2);
    }

    function test_demandPartials_lastChunk() public {
        id = open();
        openTrace(id);
        pick(id, 2, 0, 5);
        revealLeaf(id);
        vm.prank(challenger);
        expect(IDisputeGame.BadElement.selector);
        arena.demandPartials{value: 1 ether}(disputes[id], 272);
        demand(id, 271);
        assertEq(view_(id).element, 271);
        openPartials(id, truePartials());
        assertState(id, DisputeState.PartialStep);
    }

    function test_demandPartials_noAttention_reverts() public {
        id = open();
        openTrace(id);
        pick(id, 0, 0, 0);
        revealLeaf(id);
        vm.prank(challenger);
        expect(IDisputeGame.BadElement.selector);
        arena.demandPartials{value: 1 ether}(disputes[id], 3);
    }

    /* STEPS */

    function test_step_partialKind_reverts() public {
        reach(DisputeState.Step);
        toy.setAlways();
        Witness memory w;
        for (uint256 kind; kind <= uint256(UnitKind.Unlisted); ++kind) {
            w.kind = UnitKind(kind);
            bool partial_ = w.kind >= UnitKind.PartialChunk && w.kind <= UnitKind.PartialFinal;
            uint256 snapshot = vm.snapshotState();
            if (partial_) expect(IDisputeGame.WrongKind.selector);
            stepAtOnce(id, w);
            assertEq(convicted(), !partial_);
            vm.revertToStateAndDelete(snapshot);
        }
    }

    function test_step_anyWrongUnit_convicts() public {
        theirs.changeLeaf(3, 1, flipped(3, 1, 0));
        reach(DisputeState.Node);
        // In the operator's turn, about another operation than the one picked.
        step(id, 3, 1);
        assertTrue(convicted());
    }

    /// The facts and the model are the claim's or the move reverts, whatever the verifier thinks.
    function test_step_otherFactsOrModel_reverts() public {
        reach(DisputeState.Step);
        toy.setAlways();
        Witness memory w = witness(2, 2);
        for (uint256 i; i < 9; ++i) {
            vm.prank(challenger);
            expect(IDisputeGame.WrongFacts.selector);
            arena.step(dispute(), otherFacts(i), model, w, SALT);
        }
        ModelCommitment memory otherModel = model;
        otherModel.vocabSize += 1;
        vm.prank(challenger);
        expect(IDisputeGame.WrongModel.selector);
        arena.step(dispute(), facts, otherModel, w, SALT);
    }

    function test_stepPartial_otherFactsOrModel_reverts() public {
        reach(DisputeState.PartialStep);
        toy.setAlways();
        Witness memory w = partialWitness(id, 9);
        bytes memory partials = truePartials();
        for (uint256 i; i < 9; ++i) {
            vm.prank(challenger);
            expect(IDisputeGame.WrongFacts.selector);
            arena.stepPartial(dispute(), otherFacts(i), model, w, partials, SALT);
        }
        ModelCommitment memory otherModel = model;
        otherModel.opCount += 1;
        vm.prank(challenger);
        expect(IDisputeGame.WrongModel.selector);
        arena.stepPartial(dispute(), facts, otherModel, w, partials, SALT);
        stepPartial(id, 9, partials);
        assertTrue(convicted());
    }

    /// The claim's facts but for one.
    function otherFacts(uint256 which) private view returns (ClaimFacts memory f) {
        f = facts;
        if (which == 0) f.promptCount += 1;
        if (which == 1) f.promptHash = 0;
        if (which == 2) f.tokenCount += 1;
        if (which == 3) f.tokensHash = 0;
        if (which == 4) f.temperature += 1;
        if (which == 5) f.minP += 1;
        if (which == 6) f.seed += 1;
        if (which == 7) f.allowedCount += 1;
        if (which == 8) f.allowedHash = "other";
    }

    /// A witness that does not open reverts and decides nothing.
    function test_step_everyFlippedByteOfWitness_reverts() public {
        theirs.changeLeaf(3, 1, flipped(3, 1, 0));
        reach(DisputeState.Pick);
        Witness memory good = witness(3, 1);
        bytes memory encoded = abi.encode(good);
        uint256 reverted;
        for (uint256 i; i < encoded.length; ++i) {
            encoded[i] ^= 0x01;
            uint256 snapshot = vm.snapshotState();
            bytes memory call = abi.encodePacked(arena.step.selector, encodeStep(encoded));
            vm.prank(challenger);
            (bool ok,) = address(arena).call(call);
            // A liar is convicted by whatever still proves it: places that the toy does not read.
            if (!ok) ++reverted;
            else assertTrue(convicted());
            vm.revertToStateAndDelete(snapshot);
            encoded[i] ^= 0x01;
        }
        assertGt(reverted, encoded.length / 3);
    }

    /// Arguments of `step` with a witness that is encoded already.
    function encodeStep(bytes memory encodedWitness) private view returns (bytes memory) {
        bytes memory encodedModel = abi.encode(model);
        // Dispute and facts of 9 words each, two offsets, the salt.
        uint256 head = 32 * (9 + 9 + 3);
        // abi.encode of a dynamic struct begins with its offset, which is dropped.
        uint256 modelSize = encodedModel.length - 32;
        return bytes.concat(
            abi.encode(dispute(), facts, head, head + modelSize, SALT),
            tail(encodedModel),
            tail(encodedWitness)
        );
    }

    function tail(bytes memory data) private pure returns (bytes memory rest) {
        rest = new bytes(data.length - 32);
        for (uint256 i; i < rest.length; ++i) {
            rest[i] = data[i + 32];
        }
    }

    /* CHALLENGES */

    function challengeWith(bytes32 name, Request memory r, ModelCommitment memory m, uint88 bond)
        private
        returns (bytes32)
    {
        vm.prank(challenger);
        return arena.challenge{value: 1 ether}(address(oracle), name, openingOf(r), m, bond, SALT);
    }

    function test_challenge_wrongModel_reverts() public {
        ModelCommitment memory other = model;
        other.samplerOp = 0;
        expect(IDisputeGame.WrongModel.selector);
        challengeWith(theClaim.name, req, other, uint88(MIN_BOND));
    }

    function test_challenge_afterWindow_reverts() public {
        skip(WINDOW);
        uint256 snapshot = vm.snapshotState();
        challengeWith(theClaim.name, req, model, uint88(MIN_BOND));
        vm.revertToState(snapshot);
        skip(1);
        expect(IClaims.DisputeWindowOver.selector);
        challengeWith(theClaim.name, req, model, uint88(MIN_BOND));
    }

    function test_challenge_noSuchClaim_reverts() public {
        bytes32 name = theClaim.name;
        uint88 bond = uint88(MIN_BOND);
        // Another seat, the next attempt, another request.
        for (uint256 i; i < 3; ++i) {
            uint256 difference = i == 0 ? 1 : i == 1 ? 8 : 256;
            expect(IClaims.NoSuchClaim.selector);
            challengeWith(bytes32(uint256(name) + difference), req, model, bond);
        }
        Request memory other = req;
        other.nonce += 1;
        expect(IClaims.NoSuchClaim.selector);
        challengeWith(name, other, model, bond);
        vm.prank(challenger);
        expect(IClaims.NoSuchClaim.selector);
        arena.challenge{value: 1 ether}(address(oracle), name, "", model, bond, SALT);
    }

    /// A bond is of the challenger's choice, but for the least.
    function test_challenge_bond() public {
        expectTooSmall(MIN_BOND);
        challengeWith(theClaim.name, req, model, uint88(MIN_BOND) - 1);
        setFee(100 gwei);
        expectTooSmall(0.2 ether);
        challengeWith(theClaim.name, req, model, uint88(MIN_BOND));
        expectTooSmall(0.2 ether);
        challengeWith(theClaim.name, req, model, 0);
        bytes32 larger = challengeWith(theClaim.name, req, model, 0.3 ether);
        assertEq(larger, keccak256(abi.encode(claimId, challenger, uint88(0.3 ether), SALT)));
        // With another bond it is another dispute, though the salt is the same.
        bytes32 other = challengeWith(theClaim.name, req, model, 0.2 ether);
        assertTrue(other != larger);
        assertEq(arena.claimOf(claimId).live, 2);
    }

    function expectTooSmall(uint256 needed) private {
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.BondTooSmall.selector, needed));
    }

    function test_challenge_recordsClaim() public {
        id = open();
        DisputedClaim memory c = arena.claimOf(claimId);
        assertTrue(c.status == ClaimStatus.Disputed);
        assertEq(c.live, 1);
        assertEq(c.promptCount, 2);
        assertEq(c.tokenCount, 2);
        assertEq(c.opCount, 4);
        assertEq(c.openedAt, 0);
        assertEq(c.joinedBlock, 0);
        assertEq(c.root, 0);
        assertTrue(isDisputed());
        assertEq(arena.claimIdOf(theClaim), claimId);
        assertEq(arena.disputeIdOf(dispute()), id);
        assertTrue(view_(id).alone);
    }

    /* DEPLOYMENT */

    function test_constructor_badParameters_reverts() public {
        address half = arena_().extension();
        for (uint256 i; i < 7; ++i) {
            GameParameters memory p = gameParameters();
            if (i == 0) p.floor = 0;
            if (i == 1) p.floor = p.budget + 1;
            if (i == 2) p.budget = 1 << 20;
            if (i == 3) p.minBond = 0;
            if (i == 4) p.minBond = 1 << 88;
            // 600 s + 15 s + 2 * 83 s + 24 * 5 s is more than the withdrawal delay.
            if (i == 5) p.budget = 83;
            address verifier = i == 6 ? stranger : address(toy);
            expect(IDisputeGame.BadParameters.selector);
            this.deployHalf(verifier, p);
            expect(IDisputeGame.BadParameters.selector);
            deployAt(verifier, half, p);
        }
        GameParameters memory good = gameParameters();
        good.budget = 82;
        address own = this.deployHalf(address(toy), good);
        deployAt(address(toy), own, good);
    }

    /// Both halves have the same oracle, verifier and parameters.
    function test_constructor_otherHalf_reverts() public {
        address right = arena_().extension();
        GameParameters memory p = gameParameters();
        p.minBond += 1;
        address half = this.deployHalf(address(toy), p);
        expect(IDisputeGame.BadParameters.selector);
        deployAt(address(toy), half, gameParameters());
        half = this.deployHalf(address(registry), gameParameters());
        expect(IDisputeGame.BadParameters.selector);
        deployAt(address(toy), half, gameParameters());
        // Not the game that the oracle names.
        bytes memory arguments = abi.encode(oracle, toy, right, gameParameters());
        bytes memory code = vm.getCode("DisputeGame.sol:DisputeGame");
        expect(IDisputeGame.BadParameters.selector);
        this.create(bytes.concat(code, arguments));
    }

    function arena_() private view returns (DisputeGame) {
        return DisputeGame(address(arena));
    }

    function deployHalf(address verifier, GameParameters memory p) external returns (address) {
        bytes memory code = vm.getCode("DisputeGameExtension.sol:DisputeGameExtension");
        return this.create(bytes.concat(code, abi.encode(oracle, verifier, p)));
    }

    /// Reverts with what the constructor reverts with.
    function create(bytes memory code) external returns (address at) {
        assembly {
            at := create(0, add(code, 32), mload(code))
            if iszero(at) {
                returndatacopy(0, 0, returndatasize())
                revert(0, returndatasize())
            }
        }
    }

    /// A game at the address that the oracle names.
    function deployAt(address verifier, address half, GameParameters memory p) private {
        bytes memory code = vm.getCode("DisputeGame.sol:DisputeGame");
        vm.etch(game, bytes.concat(code, abi.encode(oracle, verifier, half, p)));
        (bool ok, bytes memory out) = game.call("");
        if (!ok) {
            assembly {
                revert(add(out, 32), mload(out))
            }
        }
    }
}
