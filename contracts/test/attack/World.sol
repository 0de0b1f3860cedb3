// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Deploy} from "../../script/Deploy.s.sol";
import {OperatorBonds} from "../../src/OperatorBonds.sol";
import {Claim} from "../../src/interfaces/IClaims.sol";
import {
    ClaimStatus,
    Dispute,
    DisputeState,
    DisputeView,
    GameParameters,
    IDisputeGame
} from "../../src/interfaces/IDisputeGame.sol";
import {
    OracleParameters,
    Request,
    RequestParams,
    RequestState,
    RequestStatus,
    Seat
} from "../../src/interfaces/IInferenceOracle.sol";
import {ModelCommitment} from "../../src/interfaces/IModelRegistry.sol";
import {BondAccount} from "../../src/interfaces/IOperatorBonds.sol";
import {
    ClaimFacts,
    Opening,
    OutputShape,
    UnitKind,
    Witness
} from "../../src/interfaces/IStepVerifier.sol";
import {BaseTest} from "../BaseTest.sol";
import {Headers} from "../mocks/Headers.sol";
import {ToyTrace} from "../game/ToyTrace.sol";
import {ToyJudge} from "./ToyJudge.sol";

/// A deployment with mainnet's parameters over a toy program, its actors, and what the tests know
/// of each request, claim and dispute.
abstract contract World is BaseTest {
    uint256 internal constant BASE_FEE = 10 gwei;
    uint256 internal constant TIP = 1 gwei;
    uint256 internal constant BLOCK_SECONDS = 12;
    uint16 internal constant TOP = 65_535;
    uint256 internal constant HONEST = 3;
    uint256 internal constant ATTACKERS = 4;
    /// Tokens of prompt and answer of every request that can be disputed.
    uint256 internal constant SMALL = 2;
    /// EIP-7825.
    uint256 internal constant TRANSACTION_GAS = 16_777_216;
    uint256 internal constant LARGEST_TRANSACTION = 131_072;

    /// How an operator that lies made its trace.
    uint8 internal constant TRUE_TRACE = 0;
    uint8 internal constant WRONG_CHUNK = 1;
    uint8 internal constant WRONG_ATTENTION = 2;
    uint8 internal constant GARBAGE_NODE = 3;
    uint8 internal constant GARBAGE_OPERATION = 4;
    uint256 internal constant TRACES = 5;

    /// A request, and what is known of it beside.
    struct Asked {
        Request r;
        bytes32 id;
        bytes allowed;
        /// asked by an attacker
        bool hostile;
        /// whether the honest challenger checks its claims
        bool watched;
        /// with an answer of many tokens: its claims are not disputed
        bool huge;
        /// whether an honest operator claimed in it
        bool answered;
        uint8 convictions;
        /// whether it ended and its money left
        bool retired;
    }

    /// Claim that the operator of a seat is about to make, or has made.
    struct Plan {
        bool wrong;
        uint8 trace;
    }

    /// A dispute.
    struct Entry {
        Dispute d;
        bytes32 id;
        bytes32 claimId;
        ClaimFacts facts;
        uint256 asked;
        uint256 openedBlock;
        /// block of the challenger's commitment to its proof; 0: none
        uint256 committedBlock;
        bytes partials;
        bool closed;
    }

    OracleParameters internal terms;
    GameParameters internal clocks;
    IDisputeGame internal arena;
    ToyJudge internal judge;
    ModelCommitment internal model;
    ToyTrace[] internal traces;
    bytes32[] internal roots;

    address[] internal honest;
    /// acts for honest[1]
    address internal agent = makeAddr("agent");
    address[] internal attackers;
    uint256[] internal keys;
    mapping(address account => bool) internal isAttacker;

    Asked[] internal asked;
    uint256[] internal live;
    mapping(bytes32 requestId => uint256) internal askedAt;
    mapping(bytes32 name => Plan) internal plans;
    Entry[] internal entries;
    uint256[] internal liveEntries;
    mapping(bytes32 disputeId => uint256) internal entryAt;

    uint256 internal startTime;
    uint256 internal startBlock;
    /// randomness of the present call
    uint256 internal tape;

    function setUp() public virtual override {
        vm.fee(BASE_FEE);
        vm.txGasPrice(0);
        super.setUp();
        (startTime, startBlock) = (block.timestamp, block.number);
        makeModel();
        makeActors();
    }

    function deploy() internal override {
        Deploy.Parameters memory p =
            Deploy(vm.deployCode("Deploy.s.sol:Deploy")).parameters("mainnet");
        (terms, clocks) = (p.oracle, p.game);
        makeTraces();
        bytes32 right = fastHash(rightAnswer(SMALL));
        judge = ToyJudge(vm.deployCode("ToyJudge.sol:ToyJudge", abi.encode(traces[0], right)));
        uint256 nonce = vm.getNonce(address(this));
        game = vm.computeCreateAddress(address(this), nonce + 4);
        address predicted = vm.computeCreateAddress(address(this), nonce + 2);
        bytes memory arguments = abi.encode(predicted, p.withdrawalDelay);
        bonds = OperatorBonds(vm.deployCode("OperatorBonds.sol:OperatorBonds", arguments));
        oracle = deployOracle(address(registry), address(bonds), game, terms);
        arguments = abi.encode(address(oracle), address(judge), clocks);
        address half = vm.deployCode("DisputeGameExtension.sol:DisputeGameExtension", arguments);
        arguments = abi.encode(address(oracle), address(judge), half, clocks);
        arena = IDisputeGame(vm.deployCode("DisputeGame.sol:DisputeGame", arguments));
        assertEq(address(arena), game, "game's address");
    }

    /* PROGRAM */

    /// Every row kind; a tree of two stages with padding; an attention row of two chunks; a
    /// sampler.
    function program() private pure returns (OutputShape[] memory ops) {
        ops = new OutputShape[](4);
        ops[0] = OutputShape(0, 8 * 1024 + 40, 0, 0);
        ops[1] = OutputShape(2, 72, 2, 0);
        ops[2] = OutputShape(0, 1024 + 64, 0, 16);
        ops[3] = OutputShape(1, 8, 0, 0);
    }

    function makeTraces() private {
        for (uint256 i; i < TRACES; ++i) {
            traces.push(new ToyTrace(program(), SMALL, SMALL));
        }
        bytes memory data = traces[0].trueLeaf(0, 5);
        data[3] ^= 0x01;
        traces[WRONG_CHUNK].changeLeaf(0, 5, data);
        data = traces[0].trueLeaf(2, 2);
        data[9] ^= 0x01;
        traces[WRONG_ATTENTION].changeLeaf(2, 2, data);
        traces[GARBAGE_NODE].force(0, 1, 3, keccak256("garbage"));
        traces[GARBAGE_OPERATION].force(1, traces[0].heightOf(1), 0, keccak256("garbage"));
        for (uint256 i; i < TRACES; ++i) {
            roots.push(traces[i].root());
        }
    }

    function makeModel() private {
        model = commitment();
        (model.opCount, model.samplerOp) = (4, 3);
        (model.contextLength, model.maxPositions) = (32_768, 32_768);
        modelId = registry.register(model, 0, "file:toy");
        for (uint16 i; i < 4; ++i) {
            arena.recordShape(model, i, Opening("", new bytes32[](0)));
        }
    }

    function makeActors() private {
        for (uint256 i; i < HONEST; ++i) {
            honest.push(operators[i]);
            bonds.deposit{value: 20 ether}(honest[i]);
        }
        vm.prank(honest[1]);
        bonds.setAgent(agent, 3);
        for (uint256 i; i < ATTACKERS; ++i) {
            (address a, uint256 key) = makeAddrAndKey(string.concat("attacker ", vm.toString(i)));
            attackers.push(a);
            keys.push(key);
            isAttacker[a] = true;
            vm.deal(a, 1000 ether);
            bonds.deposit{value: 20 ether}(a);
        }
        vm.deal(challenger, 1000 ether);
    }

    /* CHANCE */

    function draw(uint256 n) internal returns (uint256) {
        tape = uint256(keccak256(abi.encode(tape)));
        return tape % n;
    }

    function anAttacker() internal returns (address) {
        return attackers[draw(ATTACKERS)];
    }

    /// A fixed part of a limit, by a key.
    function part(bytes32 key, uint256 limit) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("part", key))) % (limit + 1);
    }

    function isHonest(address operator) internal view returns (bool) {
        for (uint256 i; i < HONEST; ++i) {
            if (honest[i] == operator) return true;
        }
        return false;
    }

    /// Sender of an honest operator's transactions.
    function senderOf(address operator) internal view returns (address) {
        return operator == honest[1] ? agent : operator;
    }

    /* TIME */

    function setTime(uint256 time) internal {
        vm.warp(time);
        vm.roll(startBlock + (time - startTime) / BLOCK_SECONDS);
    }

    /// First second of a block.
    function timeOf(uint256 number) internal view returns (uint256) {
        return startTime + (number - startBlock) * BLOCK_SECONDS;
    }

    /* ANSWERS */

    function rightAnswer(uint256 n) internal pure returns (bytes memory tokens) {
        return repeated(n, 100);
    }

    function answerFor(Asked storage a, bool wrong) internal view returns (bytes memory) {
        return repeated(a.r.maxTokens, wrong ? 101 : 100);
    }

    /// n times one token id below 256.
    function repeated(uint256 n, uint8 id) internal pure returns (bytes memory list) {
        list = new bytes(4 * n);
        uint256 word = uint256(id) << 248;
        for (uint256 i = 1; i < 8; ++i) {
            word |= uint256(id) << (248 - 32 * i);
        }
        assembly ("memory-safe") {
            let at := add(list, 32)
            let end := add(at, mload(list))
            for {} iszero(gt(add(at, 32), end)) { at := add(at, 32) } { mstore(at, word) }
        }
        for (uint256 i = n / 8 * 8; i < n; ++i) {
            list[4 * i] = bytes1(id);
        }
    }

    function allowedList(uint256 n) internal pure returns (bytes memory list) {
        uint32[] memory ids = new uint32[](n);
        for (uint32 i; i < n; ++i) {
            ids[i] = 100 + i;
        }
        return pack(ids);
    }

    /// As `tokensHash`, for long lists.
    function fastHash(bytes memory list) internal pure returns (bytes32) {
        if (list.length == 0) return 0;
        bytes32[] memory hashes = new bytes32[]((list.length + 1023) / 1024);
        for (uint256 i; i < hashes.length; ++i) {
            uint256 size = list.length - 1024 * i;
            if (size > 1024) size = 1024;
            bytes32 hash;
            assembly ("memory-safe") {
                hash := keccak256(add(add(list, 32), mul(i, 1024)), size)
            }
            hashes[i] = hash;
        }
        return keccak256(abi.encodePacked(hashes));
    }

    /* REQUESTS AND CLAIMS */

    /// Whether a request is over.
    function ended(RequestStatus s) internal pure returns (bool) {
        return s >= RequestStatus.Final;
    }

    function stateOf(uint256 i) internal view returns (RequestState memory) {
        return oracle.stateOf(asked[i].id);
    }

    function seatOf(uint256 i, uint8 attempt, uint8 seat) internal view returns (Seat memory) {
        return oracle.seatOf(asked[i].id, attempt, seat);
    }

    function header(uint256 i, RequestState memory s) internal returns (bytes memory data) {
        if (s.requestBlock == 0 || s.seedFixed || block.number < s.requestBlock + 9) return "";
        data = Headers.encode(Headers.fieldsOf(s.requestBlock + 8));
        vm.setBlockhash(s.requestBlock + 8, keccak256(data));
        i;
    }

    /// The list that a claim brings.
    function listFor(Asked storage a) internal view returns (bytes memory) {
        return a.r.allowedCount <= 64 && a.r.maxTokens <= 64 ? a.allowed : bytes("");
    }

    function claimAt(uint256 i, uint8 attempt, uint8 seat)
        internal
        view
        returns (Claim memory c, ClaimFacts memory f)
    {
        Asked storage a = asked[i];
        Seat memory s = seatOf(i, attempt, seat);
        (f.promptCount, f.promptHash) = (a.r.promptCount, a.r.promptHash);
        (f.tokenCount, f.tokensHash) = (s.tokenCount, s.value);
        (f.temperature, f.minP) = (a.r.temperature, a.r.minP);
        f.seed = stateOf(i).seed;
        (f.allowedCount, f.allowedHash) = (a.r.allowedCount, a.r.allowedHash);
        c = Claim(
            address(oracle),
            oracle.nameOf(a.id, attempt, seat),
            s.operator,
            a.r.stake,
            modelId,
            keccak256(abi.encode(f))
        );
    }

    /* DISPUTES */

    /// As the chain sees it now: a trace that was opened in another dispute is open in this one
    /// too.
    function viewOf(uint256 e) internal view returns (DisputeView memory v) {
        v = arena.disputeOf(entries[e].id);
        if (v.state != DisputeState.Root) return v;
        uint256 openedAt = arena.claimOf(entries[e].claimId).openedAt;
        if (openedAt == 0) return v;
        (v.state, v.turnStart, v.alone) = (DisputeState.Pick, uint64(openedAt), false);
        uint256 left = v.challengerLeft > clocks.floor ? v.challengerLeft : clocks.floor;
        v.deadline = uint64(openedAt + left);
    }

    /// Whether the claim of a dispute is over, so that its money can be had back.
    function isOver(uint256 e) internal view returns (bool) {
        if (arena.claimOf(entries[e].claimId).status != ClaimStatus.Disputed) return true;
        return !oracle.standing(entries[e].d.claim.name);
    }

    function isOperators(DisputeState s) internal pure returns (bool) {
        return s == DisputeState.Root || s == DisputeState.Node || s == DisputeState.Leaf
            || s == DisputeState.Partials;
    }

    function traceOf(uint256 e) internal view returns (ToyTrace) {
        return traces[plans[entries[e].d.claim.name].trace];
    }

    /// Bond and prepaid money of a dispute.
    function heldFor(uint256 e) internal view returns (uint256) {
        DisputeView memory v = arena.disputeOf(entries[e].id);
        if (v.state == DisputeState.Closed) return 0;
        return entries[e].d.bond + v.prepaid;
    }

    function chunkWitness(ToyTrace t, uint256 operation, uint256 place)
        internal
        returns (Witness memory w)
    {
        (w.op, w.leaf) = (uint32(operation), uint32(place));
        w.openings = new Opening[](1);
        w.openings[0] = Opening(t.leaf(operation, place), t.path(operation, 0, place, TOP, 2));
    }

    function tokenWitness() internal pure returns (Witness memory w) {
        (w.kind, w.op) = (UnitKind.Token, 3);
    }

    function partials(bool wrong) internal pure returns (bytes memory data) {
        data = new bytes(28);
        (data[0], data[1]) = (0x01, wrong ? bytes1(0x01) : bytes1(0));
    }

    /// More than any question costs: what is too much becomes credit. Not asked of the game, whose
    /// later questions in one transaction, as a test is, cost more.
    function questionPrice() internal view returns (uint256) {
        return 500_000 * 2 * (block.basefee + TIP);
    }

    function removeFrom(uint256[] storage list, uint256 value) internal {
        for (uint256 i; i < list.length; ++i) {
            if (list[i] != value) continue;
            list[i] = list[list.length - 1];
            list.pop();
            return;
        }
    }

    /* BOOKS */

    function wealthOf(address account) internal view returns (uint256) {
        BondAccount memory b = bonds.account(account);
        return account.balance + oracle.credit(account) + arena.credit(account) + b.free + b.locked
            + b.queued;
    }

    function feeHeld(uint256 i) internal view returns (uint256) {
        return ended(stateOf(i).status) ? 0 : asked[i].r.fee;
    }
}
