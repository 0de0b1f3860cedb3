// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DisputeGame} from "../../src/DisputeGame.sol";
import {
    ClaimStatus,
    DisputeState,
    DisputeView,
    DisputedClaim,
    GameParameters,
    IDisputeGame
} from "../../src/interfaces/IDisputeGame.sol";
import {Request, RequestParams} from "../../src/interfaces/IInferenceOracle.sol";
import {ModelCommitment} from "../../src/interfaces/IModelRegistry.sol";
import {
    ClaimFacts,
    Opening,
    OutputShape,
    UnitKind,
    Witness
} from "../../src/interfaces/IStepVerifier.sol";
import {BaseTest} from "../BaseTest.sol";
import {ToyTrace} from "./ToyTrace.sol";
import {ToyVerifier} from "./ToyVerifier.sol";

/// A deployment with the game over a toy program, and both sides' moves.
abstract contract GameTest is BaseTest {
    uint32 internal constant BUDGET = 60;
    uint32 internal constant FLOOR = 5;
    uint128 internal constant MIN_BOND = 0.05 ether;
    uint256 internal constant BASE_FEE = 10 gwei;
    uint16 internal constant TOP = 65_535;

    DisputeGame internal arena;
    ToyVerifier internal toy;
    /// the true trace, and what the operator committed to
    ToyTrace internal truth;
    ToyTrace internal theirs;

    ModelCommitment internal model;
    Request internal req;
    bytes32 internal requestId;
    bytes32 internal claimId;
    address internal operator;
    address internal rival = makeAddr("rival");

    function setUp() public virtual override {
        vm.fee(BASE_FEE);
        super.setUp();
        operator = operators[0];
        vm.deal(challenger, 1000 ether);
        vm.deal(rival, 1000 ether);
        useProgram(smallProgram(), 2, 2);
    }

    function deploy() internal override {
        toy = ToyVerifier(vm.deployCode("ToyVerifier.sol:ToyVerifier"));
        game = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 2);
        super.deploy();
        bytes memory arguments = abi.encode(address(oracle), address(toy), gameParameters());
        arena = DisputeGame(vm.deployCode("DisputeGame.sol:DisputeGame", arguments));
        assertEq(address(arena), game);
    }

    function gameParameters() internal pure returns (GameParameters memory) {
        return GameParameters({budget: BUDGET, floor: FLOOR, minBond: MIN_BOND});
    }

    /* PROGRAMS */

    /// Every row kind; a tree of two stages with padding in chunks and rows; an attention row of
    /// two chunks; a sampler.
    function smallProgram() internal pure returns (OutputShape[] memory ops) {
        ops = new OutputShape[](4);
        ops[0] = OutputShape(0, 8 * 1024 + 40, 0, 0);
        ops[1] = OutputShape(2, 72, 2, 0);
        ops[2] = OutputShape(0, 1024 + 64, 0, 16);
        ops[3] = OutputShape(1, 8, 0, 0);
    }

    /// Truth and model of a program, for a prompt of P tokens and answers of N.
    function useProgram(OutputShape[] memory ops, uint256 p, uint256 n) internal {
        truth = new ToyTrace(ops, p, n);
        toy.setTruth(truth);
        model = commitment();
        (model.opCount, model.samplerOp) = (uint32(ops.length), uint32(ops.length - 1));
        // A model of its own for each program.
        model.programRoot = keccak256(abi.encode(address(truth)));
        modelId = registry.register(model, 0, "file:toy");
        for (uint16 op; op < ops.length; ++op) {
            arena.recordShape(model, op, Opening("", new bytes32[](0)));
        }
    }

    /// A claim whose operator committed to a trace of its own, true until changed.
    function claimIt() internal {
        RequestParams memory p = params();
        p.prompt = list(truth.promptCount(), 10);
        p.maxTokens = uint32(truth.tokenCount());
        bytes memory tokens = list(truth.tokenCount(), 100);
        (req, requestId) = askAndFill(p);
        claim(req, 0, tokens);
        claimId = claimIdOf(req, operator, tokens, 1);
        theirs = copyOfTruth();
    }

    function copyOfTruth() internal returns (ToyTrace) {
        OutputShape[] memory ops = new OutputShape[](truth.opCount());
        for (uint256 i; i < ops.length; ++i) {
            ops[i] = truth.shape(i);
        }
        return new ToyTrace(ops, truth.promptCount(), truth.tokenCount());
    }

    function list(uint256 count, uint32 first) internal pure returns (bytes memory tokens) {
        for (uint32 i; i < count; ++i) {
            tokens = bytes.concat(tokens, pack(first + i));
        }
    }

    function flipped(uint256 op, uint256 place, uint256 at)
        internal
        view
        returns (bytes memory data)
    {
        data = truth.trueLeaf(op, place);
        data[at] ^= 0x01;
    }

    /* MOVES */

    function open(address who, bytes32 salt) internal returns (bytes32 id) {
        uint256 value = arena.bondFor(req.stake);
        if (arena.claimOf(claimId).root == 0) value += arena.prepayment(140_000);
        return open(who, salt, value);
    }

    function open(address who, bytes32 salt, uint256 value) internal returns (bytes32 id) {
        vm.prank(who);
        id = arena.challenge{value: value}(req, 1, 0, model, salt);
        assertEq(id, keccak256(abi.encode(claimId, who, salt)), "dispute id");
    }

    function open() internal returns (bytes32) {
        return open(challenger, SALT);
    }

    function view_(bytes32 id) internal view returns (DisputeView memory) {
        return arena.disputeOf(id);
    }

    function stateOf(bytes32 id) internal view returns (DisputeState) {
        return arena.disputeOf(id).state;
    }

    function assertState(bytes32 id, DisputeState s) internal view {
        assertEq(uint256(stateOf(id)), uint256(s), "state");
    }

    function openTrace(bytes32 id) internal {
        bytes32 root = theirs.root();
        bytes32[] memory children = theirs.children(TOP, theirs.heightOf(TOP), 0);
        vm.prank(operator);
        arena.openTrace(id, root, children);
    }

    function pick(bytes32 id, uint256 op, uint256 height, uint256 index) internal {
        DisputeView memory v = view_(id);
        bytes32[] memory path = theirs.path(op, height, index, v.op, v.height);
        bytes32 node = theirs.node(op, height, index);
        uint256 value = missing(v, op, height, index);
        vm.prank(v.challenger);
        arena.pick{value: value}(id, uint16(op), uint8(height), uint32(index), node, path);
    }

    /// What a pick must be sent with: nothing for an answer that is there, else what an earlier
    /// prepayment has not left.
    function missing(DisputeView memory v, uint256 op, uint256 height, uint256 index)
        internal
        view
        returns (uint256)
    {
        if (arena.filledAt(claimId, uint16(op), uint8(height), uint32(index)) != 0) return 0;
        uint256 wanted = arena.prepayment(height == 0 ? 90_000 : 100_000);
        return wanted > v.prepaid ? wanted - v.prepaid : 0;
    }

    function reveal(bytes32 id) internal {
        DisputeView memory v = view_(id);
        bytes32[] memory children = theirs.children(v.op, v.height, v.index);
        vm.prank(operator);
        arena.reveal(id, children);
    }

    function revealLeaf(bytes32 id) internal {
        DisputeView memory v = view_(id);
        bytes memory data = theirs.leaf(v.op, v.index);
        vm.prank(operator);
        arena.revealLeaf(id, data);
    }

    function demand(bytes32 id, uint256 element) internal {
        DisputeView memory v = view_(id);
        uint256 wanted = arena.prepayment(60_500);
        uint256 value = wanted > v.prepaid ? wanted - v.prepaid : 0;
        vm.prank(v.challenger);
        arena.demandPartials{value: value}(id, uint32(element));
    }

    function openPartials(bytes32 id, bytes memory partials) internal {
        vm.prank(operator);
        arena.openPartials(id, partials);
    }

    /// Of positions below 32: one chunk.
    function truePartials() internal pure returns (bytes memory partials) {
        partials = new bytes(28);
        partials[0] = 0x01;
    }

    function step(bytes32 id, uint256 op, uint256 place) internal {
        Witness memory w = witness(op, place);
        vm.prank(view_(id).challenger);
        arena.step(id, req, model, w);
    }

    function witness(uint256 op, uint256 place) internal returns (Witness memory w) {
        (w.op, w.leaf) = (uint32(op), uint32(place));
        w.openings = new Opening[](1);
        w.openings[0] =
            Opening(theirs.leaf(op, place), theirs.path(op, 0, place, TOP, theirs.heightOf(TOP)));
    }

    function partialWitness(bytes32 id, uint256 place) internal view returns (Witness memory w) {
        DisputeView memory v = view_(id);
        w.kind = UnitKind.PartialChunk;
        (w.op, w.leaf, w.unit, w.place) = (v.op, v.index, v.element, uint32(place));
    }

    function stepPartial(bytes32 id, uint256 place, bytes memory partials) internal {
        Witness memory w = partialWitness(id, place);
        vm.prank(view_(id).challenger);
        arena.stepPartial(id, req, model, w, partials);
    }

    /// The operator's answer to whatever it is asked; nothing in the challenger's turn.
    function answer(bytes32 id) internal {
        DisputeState s = stateOf(id);
        if (s == DisputeState.Root) openTrace(id);
        else if (s == DisputeState.Node) reveal(id);
        else if (s == DisputeState.Leaf) revealLeaf(id);
        else if (s == DisputeState.Partials) openPartials(id, truePartials());
    }

    /// Every leaf of the program that is in range.
    function leaves() internal view returns (uint256[2][] memory all) {
        uint256 count;
        all = new uint256[2][](4096);
        for (uint256 op; op < truth.opCount(); ++op) {
            uint256 size = 2 ** truth.heightOf(op);
            for (uint256 i; i < size; ++i) {
                if (truth.present(op, 0, i)) all[count++] = [op, i];
            }
        }
        assembly {
            mstore(all, count)
        }
    }

    /// Goes down to the first child that differs from the truth.
    /// @return found false when none does
    function follow(bytes32 id) internal returns (bool found) {
        DisputeView memory v = view_(id);
        uint256 height = theirs.below(v.height);
        if (v.height == 0) {
            pick(id, 0, theirs.heightOf(0), 0);
            return true;
        }
        uint256 count = 2 ** (v.height - height);
        for (uint256 i = v.index * count; i < (v.index + 1) * count; ++i) {
            if (theirs.node(v.op, height, i) == truth.node(v.op, height, i)) continue;
            if (v.op == TOP && height == 0) pick(id, i, theirs.heightOf(i), 0);
            else pick(id, v.op, height, i);
            return true;
        }
        return false;
    }

    /// Plays both sides on until the leaf is there, the challenger finds nothing, or the operator
    /// cannot answer.
    function play(bytes32 id) internal {
        while (true) {
            DisputeState s = stateOf(id);
            if (s == DisputeState.Pick) {
                if (!follow(id)) return;
            } else if (s == DisputeState.Root || s == DisputeState.Node || s == DisputeState.Leaf) {
                if (!tryAnswer(id)) return;
            } else {
                return;
            }
        }
    }

    /// @return whether the game took the operator's answer
    function tryAnswer(bytes32 id) internal returns (bool) {
        try this.answerFor(id) {
            return true;
        } catch {
            return false;
        }
    }

    function answerFor(bytes32 id) external {
        answer(id);
    }

    /// An honest challenger's whole game against a liar: by proof where the leaf is shown, by the
    /// clock where it is not.
    function beat(bytes32 id) internal {
        play(id);
        DisputeView memory v = view_(id);
        if (v.state == DisputeState.Step) {
            step(id, v.op, v.index);
        } else {
            assertTrue(
                v.state == DisputeState.Root || v.state == DisputeState.Node
                    || v.state == DisputeState.Leaf,
                "stuck"
            );
            vm.warp(v.deadline + 1);
            arena.timeout(id, req);
        }
        assertTrue(convicted(), "convicted");
    }

    function convicted() internal view returns (bool) {
        return arena.claimOf(claimId).status == ClaimStatus.Convicted;
    }

    function noOpenings() internal pure returns (Opening[] memory) {
        return new Opening[](0);
    }

    /// Convicts by a dispute of somebody else's, in whatever way is open.
    function convictElsewhere() internal {
        bytes32 other = open(rival, "elsewhere");
        if (stateOf(other) == DisputeState.Root) {
            vm.warp(view_(other).deadline + 1);
            arena.timeout(other, req);
        } else {
            toy.setAlways();
            Witness memory w;
            vm.prank(rival);
            arena.step(other, req, model, w);
        }
        assertTrue(convicted());
    }

    function expectState(DisputeState s) internal {
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.WrongState.selector, s));
    }
}
