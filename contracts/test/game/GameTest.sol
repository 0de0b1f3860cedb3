// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Claim} from "../../src/interfaces/IClaims.sol";
import {
    ClaimStatus,
    Dispute,
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
    uint256 internal constant TIP = 1 gwei;
    uint16 internal constant TOP = 65_535;

    /// Gas that questions prepay, by today's gas table.
    uint256 internal constant TRACE_GAS = 150_000;
    uint256 internal constant CHILDREN_GAS = 125_000;
    uint256 internal constant LEAF_GAS = 115_000;
    uint256 internal constant PARTIALS_GAS = 110_000;
    uint256 internal constant PARTIALS_CHUNK_GAS = 500;

    IDisputeGame internal arena;
    ToyVerifier internal toy;
    /// the true trace, and what the operator committed to
    ToyTrace internal truth;
    ToyTrace internal theirs;

    ModelCommitment internal model;
    Request internal req;
    bytes32 internal requestId;
    /// the claim that disputes are about, its facts, its key
    Claim internal theClaim;
    ClaimFacts internal facts;
    bytes32 internal claimId;
    uint32 internal window = WINDOW;
    address internal operator;
    address internal rival = makeAddr("rival");

    /// every dispute that `open` began
    mapping(bytes32 disputeId => Dispute) internal disputes;

    function setUp() public virtual override {
        setFee(BASE_FEE);
        super.setUp();
        operator = operators[0];
        vm.deal(challenger, 1000 ether);
        vm.deal(rival, 1000 ether);
        useProgram(smallProgram(), 2, 2);
    }

    function deploy() internal virtual override {
        toy = ToyVerifier(vm.deployCode(verifierName()));
        // Bonds and the oracle's two halves come before the game's two.
        game = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 4);
        super.deploy();
        bytes memory arguments = abi.encode(address(oracle), address(toy), gameParameters());
        address half = vm.deployCode("DisputeGameExtension.sol:DisputeGameExtension", arguments);
        arguments = abi.encode(address(oracle), address(toy), half, gameParameters());
        arena = IDisputeGame(vm.deployCode("DisputeGame.sol:DisputeGame", arguments));
        assertEq(address(arena), game);
    }

    function verifierName() internal pure virtual returns (string memory) {
        return "ToyVerifier.sol:ToyVerifier";
    }

    function gameParameters() internal pure returns (GameParameters memory) {
        return GameParameters({budget: BUDGET, floor: FLOOR, minBond: MIN_BOND});
    }

    /// The base fee, and transactions that pay a tip of 1 gwei.
    function setFee(uint256 fee) internal {
        vm.fee(fee);
        vm.txGasPrice(fee + TIP);
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
        (p.maxTokens, p.window) = (uint32(truth.tokenCount()), window);
        (req, requestId) = askAndFill(p);
        bytes memory tokens = list(truth.tokenCount(), 100);
        claim(req, 0, tokens);
        useClaim(1, 0, tokens);
        theirs = copyOfTruth();
    }

    /// Disputes are about this claim of the request from now on.
    function useClaim(uint8 attempt, uint8 seat, bytes memory tokens) internal {
        address by = oracle.seatOf(requestId, attempt, seat).operator;
        theClaim = claimOf(req, by, attempt, seat, tokens);
        facts = factsOf(req, tokens);
        claimId = keccak256(abi.encode(theClaim));
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

    function opening() internal view virtual returns (bytes memory) {
        return openingOf(req);
    }

    /* VIEWS */

    /// A dispute as the chain sees it now. What `disputeOf` gives is what was recorded last: the
    /// trace that was opened in another dispute is open in this one too.
    function view_(bytes32 id) internal view returns (DisputeView memory v) {
        v = arena.disputeOf(id);
        if (v.state != DisputeState.Root) return v;
        uint256 openedAt = arena.claimOf(arena.claimIdOf(disputes[id].claim)).openedAt;
        if (openedAt == 0) return v;
        uint256 used = openedAt - v.turnStart;
        v.state = DisputeState.Pick;
        v.operatorLeft = v.operatorLeft > used ? uint32(v.operatorLeft - used) : 0;
        v.turnStart = uint64(openedAt);
        v.deadline = uint64(openedAt + (v.challengerLeft > FLOOR ? v.challengerLeft : FLOOR));
        v.alone = false;
    }

    function stateOf(bytes32 id) internal view returns (DisputeState) {
        return view_(id).state;
    }

    function assertState(bytes32 id, DisputeState s) internal view {
        assertEq(uint256(stateOf(id)), uint256(s), "state");
    }

    function challengerOf(bytes32 id) internal view returns (address) {
        return disputes[id].challenger;
    }

    /// Bond and prepaid money of a dispute; 0 once it is closed.
    function heldFor(bytes32 id) internal view returns (uint256) {
        DisputeView memory v = arena.disputeOf(id);
        if (v.state == DisputeState.Closed || v.state == DisputeState.None) return 0;
        return disputes[id].bond + v.prepaid;
    }

    function convicted() internal view returns (bool) {
        return arena.claimOf(claimId).status == ClaimStatus.Convicted;
    }

    function isDisputed() internal view returns (bool) {
        return oracle.seatOf(requestId, 1, 0).disputed;
    }

    /* MONEY */

    /// Prepayment of a question for so much gas.
    function prepayment(uint256 gasAmount) internal view returns (uint256) {
        return gasAmount * 2 * (block.basefee + TIP);
    }

    /// Ether that a question must be sent with: its prepayment less the rest of earlier ones.
    function missing(DisputeView memory v, uint256 gasAmount) internal view returns (uint256) {
        uint256 wanted = prepayment(gasAmount);
        return wanted > v.prepaid ? wanted - v.prepaid : 0;
    }

    function bondNow() internal view returns (uint88) {
        return uint88(arena.bondFor(theClaim.stake));
    }

    /// Ether that a dispute must be opened with.
    function openingCost() internal view returns (uint256) {
        bool isOpen = arena.claimOf(claimId).root != 0;
        return bondNow() + (isOpen ? 0 : prepayment(TRACE_GAS));
    }

    /* CHALLENGER */

    function open(address who, bytes32 salt) internal returns (bytes32 id) {
        return open(who, salt, openingCost());
    }

    function open(address who, bytes32 salt, uint256 value) internal returns (bytes32 id) {
        uint88 bond = bondNow();
        vm.prank(who);
        id = arena.challenge{value: value}(
            theClaim.source, theClaim.name, opening(), model, bond, salt
        );
        assertEq(id, keccak256(abi.encode(claimId, who, bond, salt)), "dispute id");
        disputes[id] = Dispute(theClaim, who, bond, salt);
    }

    function open() internal returns (bytes32) {
        return open(challenger, SALT);
    }

    function pick(bytes32 id, uint256 op, uint256 height, uint256 index) internal {
        DisputeView memory v = view_(id);
        bytes32[] memory path = theirs.path(op, height, index, v.op, v.height);
        bytes32 node = theirs.node(op, height, index);
        uint256 value = missing(v, height == 0 ? LEAF_GAS : CHILDREN_GAS);
        Dispute memory d = disputes[id];
        vm.prank(d.challenger);
        arena.pick{value: value}(d, uint16(op), uint8(height), uint32(index), node, path);
    }

    function demand(bytes32 id, uint256 element) internal {
        DisputeView memory v = view_(id);
        uint256 row = v.index / 2 ** theirs.bits(theirs.chunks(v.op));
        uint256 value = missing(v, PARTIALS_GAS + (row / 32 + 1) * PARTIALS_CHUNK_GAS);
        Dispute memory d = disputes[id];
        vm.prank(d.challenger);
        arena.demandPartials{value: value}(d, uint32(element));
    }

    /// With a commitment made two blocks before where the dispute needs one.
    function step(bytes32 id, uint256 op, uint256 place) internal {
        step(id, witness(op, place));
    }

    function step(bytes32 id, Witness memory w) internal {
        if (needsCommitment(id)) commitTo(challengerOf(id), keccak256(abi.encode(w)));
        stepAtOnce(id, w);
    }

    /// As it is, whether it needs a commitment or not.
    function stepAtOnce(bytes32 id, Witness memory w) internal {
        vm.prank(challengerOf(id));
        arena.step(disputes[id], facts, model, w, SALT);
    }

    function stepPartial(bytes32 id, uint256 place, bytes memory partials) internal {
        Witness memory w = partialWitness(id, place);
        if (needsCommitment(id)) commitTo(challengerOf(id), keccak256(abi.encode(w)));
        vm.prank(challengerOf(id));
        arena.stepPartial(disputes[id], facts, model, w, partials, SALT);
    }

    function needsCommitment(bytes32 id) internal view returns (bool) {
        if (!view_(id).alone) return true;
        DisputedClaim memory c = arena.claimOf(arena.claimIdOf(disputes[id].claim));
        return c.live != 1 && block.number >= c.joinedBlock + 2;
    }

    /// Commits to a proof, by the hash of its witness, and lets two blocks pass.
    function commitTo(address who, bytes32 hash) internal {
        vm.prank(who);
        arena.commitProof(keccak256(abi.encode(who, SALT, hash)));
        vm.roll(block.number + 2);
    }

    function witness(uint256 op, uint256 place) internal returns (Witness memory w) {
        (w.op, w.leaf) = (uint32(op), uint32(place));
        w.openings = new Opening[](1);
        bytes32[] memory path = theirs.path(op, 0, place, TOP, theirs.heightOf(TOP));
        w.openings[0] = Opening(theirs.leaf(op, place), path);
    }

    function partialWitness(bytes32 id, uint256 place) internal view returns (Witness memory w) {
        DisputeView memory v = view_(id);
        w.kind = UnitKind.PartialChunk;
        (w.op, w.leaf, w.unit, w.place) = (v.op, v.index, v.element, uint32(place));
    }

    /* OPERATOR */

    function openTrace(bytes32 id) internal {
        bytes32 root = theirs.root();
        bytes32[] memory children = theirs.children(TOP, theirs.heightOf(TOP), 0);
        vm.prank(operator);
        arena.openTrace(disputes[id], root, children);
    }

    function reveal(bytes32 id) internal {
        revealAs(operator, id);
    }

    function revealAs(address who, bytes32 id) internal {
        DisputeView memory v = view_(id);
        bytes32[] memory children = theirs.children(v.op, v.height, v.index);
        vm.prank(who);
        arena.reveal(disputes[id], children);
    }

    function revealLeaf(bytes32 id) internal {
        DisputeView memory v = view_(id);
        bytes memory data = theirs.leaf(v.op, v.index);
        vm.prank(operator);
        arena.revealLeaf(disputes[id], data);
    }

    function openPartials(bytes32 id, bytes memory partials) internal {
        vm.prank(operator);
        arena.openPartials(disputes[id], partials);
    }

    /// True partials of positions below 32: one chunk.
    function truePartials() internal pure returns (bytes memory partials) {
        partials = new bytes(28);
        partials[0] = 0x01;
    }

    /// The operator's answer to whatever it is asked; nothing in the challenger's turn.
    function answer(bytes32 id) internal {
        DisputeState s = stateOf(id);
        if (s == DisputeState.Root) openTrace(id);
        else if (s == DisputeState.Node) reveal(id);
        else if (s == DisputeState.Leaf) revealLeaf(id);
        else if (s == DisputeState.Partials) openPartials(id, truePartials());
    }

    /// The same as a call, for a multicall; empty in the challenger's turn.
    function answerCall(bytes32 id) internal returns (bytes memory) {
        DisputeView memory v = view_(id);
        Dispute memory d = disputes[id];
        if (v.state == DisputeState.Root) {
            bytes32[] memory first = theirs.children(TOP, theirs.heightOf(TOP), 0);
            return abi.encodeCall(arena.openTrace, (d, theirs.root(), first));
        }
        if (v.state == DisputeState.Node) {
            bytes32[] memory children = theirs.children(v.op, v.height, v.index);
            return abi.encodeCall(arena.reveal, (d, children));
        }
        if (v.state == DisputeState.Leaf) {
            return abi.encodeCall(arena.revealLeaf, (d, theirs.leaf(v.op, v.index)));
        }
        if (v.state == DisputeState.Partials) {
            return abi.encodeCall(arena.openPartials, (d, truePartials()));
        }
        return "";
    }

    /* WHOLE GAMES */

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
            } else if (isOperators(s) && s != DisputeState.Partials) {
                if (!tryAnswer(id)) return;
            } else {
                return;
            }
        }
    }

    function isOperators(DisputeState s) internal pure returns (bool) {
        return s == DisputeState.Root || s == DisputeState.Node || s == DisputeState.Leaf
            || s == DisputeState.Partials;
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
            assertTrue(isOperators(v.state) && v.state != DisputeState.Partials, "stuck");
            vm.warp(v.deadline + 1);
            arena.timeout(disputes[id]);
        }
        assertTrue(convicted(), "convicted");
    }

    function noOpenings() internal pure returns (Opening[] memory) {
        return new Opening[](0);
    }

    /// Convicts by a dispute of somebody else's, in whatever way is open.
    function convictElsewhere() internal {
        bytes32 other = open(rival, "elsewhere");
        if (stateOf(other) == DisputeState.Root) {
            vm.warp(view_(other).deadline + 1);
            arena.timeout(disputes[other]);
        } else {
            toy.setAlways();
            Witness memory w;
            step(other, w);
        }
        assertTrue(convicted());
    }

    function voidClaim(uint32 op) internal {
        arena.voidClaim(theClaim.source, theClaim.name, opening(), model, op, noOpenings());
    }

    function expectState(DisputeState s) internal {
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.WrongState.selector, s));
    }
}
