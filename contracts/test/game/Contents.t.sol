// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DisputeGame} from "../../src/DisputeGame.sol";
import {
    ClaimStatus,
    DisputeState,
    DisputeView,
    GameParameters,
    IDisputeGame
} from "../../src/interfaces/IDisputeGame.sol";
import {IInferenceOracle, Request} from "../../src/interfaces/IInferenceOracle.sol";
import {ModelCommitment} from "../../src/interfaces/IModelRegistry.sol";
import {IStepVerifier, Opening, UnitKind, Witness} from "../../src/interfaces/IStepVerifier.sol";
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
        vm.prank(challenger);
        expect(IDisputeGame.BadPick.selector);
        arena.pick{value: 1 ether}(id, uint16(op), uint8(height), uint32(index), "node", path);
        // With a path of the right length too.
        DisputeView memory v = view_(id);
        uint256 length = op < 4 && height <= truth.heightOf(op) ? truth.heightOf(op) - height : 0;
        path = new bytes32[](
            op == v.op ? (v.height > height ? v.height - height : 0) : length + v.height
        );
        vm.prank(challenger);
        expect(IDisputeGame.BadPick.selector);
        arena.pick{value: 1 ether}(id, uint16(op), uint8(height), uint32(index), "node", path);
    }

    /// A node of elsewhere does not open at another place, whatever its operation.
    function test_pick_openingOfElsewhere_reverts() public {
        reach(DisputeState.Pick);
        bytes32 node = theirs.node(0, 0, 1);
        bytes32[] memory path = theirs.path(0, 0, 1, TOP, 2);
        uint32[3] memory places = [uint32(0), 2, 17];
        for (uint256 i; i < places.length; ++i) {
            vm.prank(challenger);
            expect(IDisputeGame.WrongHash.selector);
            arena.pick{value: 1 ether}(id, 0, 0, places[i], node, path);
        }
        // Its path one shorter or longer, as if it lay higher or lower.
        vm.prank(challenger);
        expect(IDisputeGame.BadPick.selector);
        arena.pick{value: 1 ether}(id, 0, 1, 0, node, path);
        vm.prank(challenger);
        arena.pick{value: 1 ether}(id, 0, 0, 1, node, path);
        assertState(id, DisputeState.Leaf);
    }

    function test_pick_everyHashOfPathCounts() public {
        reach(DisputeState.Pick);
        bytes32 node = theirs.node(0, 0, 5);
        bytes32[] memory path = theirs.path(0, 0, 5, TOP, 2);
        for (uint256 i; i < path.length; ++i) {
            path[i] = bytes32(uint256(path[i]) ^ 1);
            vm.prank(challenger);
            expect(IDisputeGame.WrongHash.selector);
            arena.pick{value: 1 ether}(id, 0, 0, 5, node, path);
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
        vm.prank(challenger);
        expect(IDisputeGame.UnknownShape.selector);
        arena.pick{value: 1 ether}(id, 0, 6, 0, node, path);
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
        bytes32 root = theirs.root();
        bytes32[] memory children = theirs.children(TOP, 2, 0);
        vm.startPrank(operator);
        expect(IDisputeGame.WrongHash.selector);
        arena.openTrace(id, 0, children);
        expect(IDisputeGame.WrongHash.selector);
        arena.openTrace(id, "root", children);
        expect(IDisputeGame.WrongChildCount.selector);
        arena.openTrace(id, root, new bytes32[](3));
        expect(IDisputeGame.WrongChildCount.selector);
        arena.openTrace(id, root, new bytes32[](8));
        for (uint256 i; i < 4; ++i) {
            children[i] = bytes32(uint256(children[i]) ^ 1);
            expect(IDisputeGame.WrongHash.selector);
            arena.openTrace(id, root, children);
            children[i] = bytes32(uint256(children[i]) ^ 1);
        }
        vm.expectEmit(address(arena));
        emit IDisputeGame.TraceOpened(claimId, root, children);
        arena.openTrace(id, root, children);
        assertEq(arena.claimOf(claimId).root, root);
        assertEq(arena.filledAt(claimId, TOP, 2, 0), block.timestamp);
        vm.stopPrank();
    }

    function test_reveal_badAnswers_revert() public {
        reach(DisputeState.Node);
        bytes32[] memory children = theirs.children(0, 6, 0);
        expect(IDisputeGame.WrongChildCount.selector);
        arena.reveal(id, new bytes32[](31));
        expect(IDisputeGame.WrongChildCount.selector);
        arena.reveal(id, new bytes32[](64));
        for (uint256 i; i < 32; ++i) {
            children[i] = bytes32(uint256(children[i]) ^ 1);
            expect(
                truth.present(0, 1, i)
                    ? IDisputeGame.WrongHash.selector
                    : IDisputeGame.BadPadding.selector
            );
            arena.reveal(id, children);
            children[i] = bytes32(uint256(children[i]) ^ 1);
        }
        vm.expectEmit(address(arena));
        emit IDisputeGame.Revealed(claimId, 0, 6, 0, children);
        arena.reveal(id, children);
    }

    /// An answer that went through is worth nothing at the next place, or anywhere else.
    function test_reveal_replayed_reverts() public {
        reach(DisputeState.Node);
        bytes32[] memory first = theirs.children(0, 6, 0);
        reveal(id);
        pick(id, 0, 1, 1);
        expect(IDisputeGame.WrongChildCount.selector);
        arena.reveal(id, first);
        bytes32[] memory second = theirs.children(0, 1, 0);
        expect(IDisputeGame.WrongHash.selector);
        arena.reveal(id, second);
        reveal(id);
        pick(id, 0, 0, 3);
        bytes memory leaf = theirs.leaf(0, 2);
        expect(IDisputeGame.WrongHash.selector);
        arena.revealLeaf(id, leaf);
        revealLeaf(id);
    }

    function test_revealLeaf_exactLength() public {
        reach(DisputeState.Leaf);
        // Chunk 0 of two: 1,024 bytes.
        bytes memory data = theirs.leaf(2, 2);
        assertEq(data.length, 1024);
        expect(IDisputeGame.WrongLength.selector);
        arena.revealLeaf(id, bytes.concat(data, hex"00"));
        expect(IDisputeGame.WrongLength.selector);
        arena.revealLeaf(id, "");
        data[77] ^= 0x40;
        expect(IDisputeGame.WrongHash.selector);
        arena.revealLeaf(id, data);
        data[77] ^= 0x40;
        vm.expectEmit(address(arena));
        emit IDisputeGame.LeafRevealed(claimId, 2, 2, data);
        arena.revealLeaf(id, data);
    }

    /* PARTIALS */

    function test_partials_wrongOne_isConvicted() public {
        reach(DisputeState.Partials);
        bytes memory partials = truePartials();
        partials[9] = 0x01;
        vm.expectEmit(address(arena));
        emit IDisputeGame.PartialsOpened(claimId, 2, 1, 3, partials);
        openPartials(id, partials);
        assertEq(arena.partialsFilledAt(claimId, 2, 1, 3), block.timestamp);
        Witness memory w = partialWitness(id, 9);
        vm.startPrank(challenger);
        expect(IDisputeGame.WrongHash.selector);
        arena.stepPartial(id, req, model, w, truePartials());
        for (uint256 i; i < 4; ++i) {
            w = partialWitness(id, 9);
            if (i == 0) w.kind = UnitKind.Output;
            if (i == 1) w.op = 0;
            if (i == 2) w.leaf = 0;
            if (i == 3) w.unit = 4;
            expect(IDisputeGame.BadElement.selector);
            arena.stepPartial(id, req, model, w, partials);
        }
        w = partialWitness(id, 8);
        expect(IDisputeGame.NothingWrong.selector);
        arena.stepPartial(id, req, model, w, partials);
        w = partialWitness(id, 9);
        arena.stepPartial(id, req, model, w, partials);
        vm.stopPrank();
        assertTrue(convicted());
    }

    function test_partials_badFormat_reverts() public {
        reach(DisputeState.Partials);
        bytes memory partials = truePartials();
        partials[0] = 0xff;
        vm.startPrank(operator);
        expect(IDisputeGame.BadPartials.selector);
        arena.openPartials(id, partials);
        expect(IDisputeGame.BadPartials.selector);
        arena.openPartials(id, new bytes(40));
        vm.stopPrank();
    }

    function test_demandPartials_badElements_revert() public {
        reach(DisputeState.Step);
        // The leaf is chunk 0 of row 1: elements 0 to 255 of 272.
        uint32[4] memory elements = [uint32(256), 271, 272, type(uint32).max];
        for (uint256 i; i < elements.length; ++i) {
            vm.prank(challenger);
            expect(IDisputeGame.BadElement.selector);
            arena.demandPartials{value: 1 ether}(id, elements[i]);
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
        arena.demandPartials{value: 1 ether}(id, 272);
        demand(id, 271);
        assertEq(view_(id).element, 271);
        openPartials(id, truePartials());
        assertEq(arena.partialsFilledAt(claimId, 2, 2, 271), block.timestamp);
    }

    function test_demandPartials_noAttention_reverts() public {
        id = open();
        openTrace(id);
        pick(id, 0, 0, 0);
        revealLeaf(id);
        vm.prank(challenger);
        expect(IDisputeGame.BadElement.selector);
        arena.demandPartials{value: 1 ether}(id, 3);
    }

    /* STEPS */

    function test_step_partialKind_reverts() public {
        reach(DisputeState.Step);
        toy.setAlways();
        Witness memory w;
        w.kind = UnitKind.PartialChunk;
        vm.prank(challenger);
        expect(IDisputeGame.BadPartials.selector);
        arena.step(id, req, model, w);
    }

    function test_step_anyWrongUnit_convicts() public {
        theirs.changeLeaf(3, 1, flipped(3, 1, 0));
        reach(DisputeState.Node);
        // In the operator's turn, about another operation than the one picked.
        step(id, 3, 1);
        assertTrue(convicted());
    }

    function test_step_otherRequestOrModel_reverts() public {
        reach(DisputeState.Step);
        Witness memory w = witness(2, 2);
        Request memory other = req;
        other.seed ^= 1;
        ModelCommitment memory otherModel = model;
        otherModel.vocabSize += 1;
        vm.startPrank(challenger);
        expect(IDisputeGame.WrongRequest.selector);
        arena.step(id, other, model, w);
        expect(IDisputeGame.WrongModel.selector);
        arena.step(id, req, otherModel, w);
        vm.stopPrank();
        vm.warp(view_(id).deadline + 1);
        expect(IDisputeGame.WrongRequest.selector);
        arena.timeout(id, other);
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
            vm.prank(challenger);
            (bool ok,) =
                address(arena).call(abi.encodePacked(arena.step.selector, encodeStep(encoded)));
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
        uint256 head = 32 + 19 * 32 + 32 + 32;
        // abi.encode of a dynamic struct begins with its offset, which is dropped.
        uint256 modelSize = encodedModel.length - 32;
        return bytes.concat(
            abi.encode(id, req, head, head + modelSize), tail(encodedModel), tail(encodedWitness)
        );
    }

    function tail(bytes memory data) private pure returns (bytes memory rest) {
        rest = new bytes(data.length - 32);
        for (uint256 i; i < rest.length; ++i) {
            rest[i] = data[i + 32];
        }
    }

    /* CHALLENGES */

    function test_challenge_wrongModel_reverts() public {
        ModelCommitment memory other = model;
        other.samplerOp = 0;
        vm.prank(challenger);
        expect(IDisputeGame.WrongModel.selector);
        arena.challenge{value: 1 ether}(req, 1, 0, other, SALT);
    }

    function test_challenge_afterWindow_reverts() public {
        skip(WINDOW + 1);
        vm.prank(challenger);
        expect(IInferenceOracle.TooLate.selector);
        arena.challenge{value: 1 ether}(req, 1, 0, model, SALT);
    }

    function test_challenge_noSuchClaim_reverts() public {
        vm.startPrank(challenger);
        expect(IInferenceOracle.NoSuchClaim.selector);
        arena.challenge{value: 1 ether}(req, 1, 1, model, SALT);
        expect(IInferenceOracle.NoSuchClaim.selector);
        arena.challenge{value: 1 ether}(req, 2, 0, model, SALT);
        Request memory other = req;
        other.nonce += 1;
        expect(IInferenceOracle.NoSuchClaim.selector);
        arena.challenge{value: 1 ether}(other, 1, 0, model, SALT);
        vm.stopPrank();
    }

    function test_challenge_recordsClaim() public {
        uint256 prepaid = arena.prepayment(140_000);
        vm.expectEmit(address(arena));
        emit IDisputeGame.Challenged(
            claimId,
            keccak256(abi.encode(claimId, challenger, SALT)),
            challenger,
            requestId,
            1,
            0,
            MIN_BOND,
            prepaid
        );
        vm.startPrank(challenger);
        id = arena.challenge{value: 1 ether}(req, 1, 0, model, SALT);
        assertEq(arena.claimOf(claimId).requestId, requestId);
        assertEq(arena.claimOf(claimId).modelId, modelId);
        assertEq(arena.claimOf(claimId).operator, operator);
        assertEq(arena.claimOf(claimId).attempt, 1);
        assertEq(arena.claimOf(claimId).promptCount, 2);
        assertEq(arena.claimOf(claimId).tokenCount, 2);
        assertEq(arena.claimOf(claimId).opCount, 4);
        assertTrue(arena.claimOf(claimId).status == ClaimStatus.Disputed);
        assertEq(oracle.seatOf(requestId, 1, 0).disputes, 1);
        vm.stopPrank();
    }

    /* DEPLOYMENT */

    function test_constructor_badParameters_reverts() public {
        for (uint256 i; i < 7; ++i) {
            GameParameters memory p = gameParameters();
            if (i == 0) p.floor = 0;
            if (i == 1) p.floor = p.budget + 1;
            if (i == 2) p.budget = 1 << 24;
            if (i == 3) p.minBond = 0;
            if (i == 4) p.minBond = 1 << 88;
            // 600 s + 2 * 90 s + 24 * 5 s is the withdrawal delay.
            if (i == 5) p.budget = 90;
            address verifier = i == 6 ? stranger : address(toy);
            expect(IDisputeGame.BadParameters.selector);
            deployAt(verifier, p);
        }
        GameParameters memory good = gameParameters();
        good.budget = 89;
        deployAt(address(toy), good);
        // Not the game that the oracle names.
        expect(IDisputeGame.BadParameters.selector);
        new DisputeGame(address(oracle), address(toy), good);
    }

    /// A game at the address that the oracle names.
    function deployAt(address verifier, GameParameters memory p) private {
        bytes memory code =
            abi.encodePacked(type(DisputeGame).creationCode, abi.encode(oracle, verifier, p));
        vm.etch(game, code);
        (bool ok, bytes memory out) = game.call("");
        if (!ok) {
            assembly {
                revert(add(out, 32), mload(out))
            }
        }
    }
}
