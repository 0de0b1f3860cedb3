// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDisputeGame, Dispute} from "../../src/interfaces/IDisputeGame.sol";
import {IInferenceOracle, Request, RequestParams} from "../../src/interfaces/IInferenceOracle.sol";
import {ModelRegistry} from "../../src/ModelRegistry.sol";
import {OperatorBonds} from "../../src/OperatorBonds.sol";
import {Opening, OutputShape, UnitKind, Witness} from "../../src/interfaces/IStepVerifier.sol";
import {GameTest} from "../game/GameTest.sol";
import {ToyTrace} from "../game/ToyTrace.sol";
import {Recorder} from "./Recorder.sol";

/// The paths that matter, as transactions for `tools/gas-tables`: asking and answering, and a
/// dispute move by move, each for the first time and in steady state, where accounts have been
/// credited before. Every answer must be repaid its cost in both tables.
contract PathsGas is GameTest, Recorder {
    uint32 internal constant ROW_BYTES = 2304;
    uint32 internal constant HEAD_WIDTH = 64;
    uint16 internal constant OPS = 364;
    uint16 internal constant DISPUTED = 200;

    address internal deployer = makeAddr("deployer");

    function setUp() public override {
        vm.warp(1_700_000_000);
        vm.roll(1_000_000);
        setFee(BASE_FEE);
        for (uint256 i; i < 2; ++i) {
            operators.push(makeAddr(string.concat("operator ", vm.toString(i))));
            vm.deal(operators[i], 1000 ether);
        }
        operator = operators[0];
        vm.deal(requester, 1000 ether);
        vm.deal(challenger, 1000 ether);
        vm.deal(rival, 10_000 ether);
    }

    function begin(string memory file) private {
        record(file);
        deploy();
        model = commitment();
        (model.opCount, model.samplerOp) = (OPS, OPS - 1);
        bytes memory data = abi.encodeCall(registry.register, (model, SALT, "file:model"));
        modelId = abi.decode(send("register", deployer, address(registry), data), (bytes32));
        data = abi.encodeCall(bonds.deposit, (operator));
        send("deposit", operator, address(bonds), 10 ether, data);
    }

    function deploy() internal override {
        registry = ModelRegistry(create("ModelRegistry", ""));
        address stub = create("StubVerifier", abi.encode(ROW_BYTES, HEAD_WIDTH));
        uint256 nonce = vm.getNonce(deployer);
        address bond = vm.computeCreateAddress(deployer, nonce);
        address asks = vm.computeCreateAddress(deployer, nonce + 2);
        game = vm.computeCreateAddress(deployer, nonce + 4);
        bonds = OperatorBonds(create("OperatorBonds", abi.encode(asks, WITHDRAWAL_DELAY)));
        bytes memory arguments = abi.encode(address(registry), bond, game, oracleParameters());
        address half = create("InferenceOracleExtension", arguments);
        arguments = abi.encode(address(registry), bond, game, half, oracleParameters());
        oracle = IInferenceOracle(create("InferenceOracle", arguments));
        half = create("DisputeGameExtension", abi.encode(asks, stub, gameParameters()));
        arena = IDisputeGame(create("DisputeGame", abi.encode(asks, stub, half, gameParameters())));
    }

    function create(string memory name, bytes memory arguments) private returns (address) {
        string memory artifact = string.concat(name, ".sol:", name);
        return create_(string.concat("deploy_", name), deployer, artifact, arguments);
    }

    /* ASKING AND ANSWERING */

    function test_record_answers() public {
        begin("answers");
        // A first request writes nonces, counters and credits that are slots only changed later.
        cycle("first", 8);
        cycle("steady", 8);
        cycle("steady_64_tokens", 64);
    }

    function cycle(string memory name, uint32 tokens) private {
        claimed(name, tokens);
        later(6, WINDOW + 1);
        send(
            string.concat("finalize_", name),
            operator,
            address(oracle),
            abi.encodeCall(oracle.finalize, (req, ""))
        );
    }

    /// A request of 64 prompt tokens, accepted and claimed by the operator.
    function claimed(string memory name, uint32 tokens) private {
        RequestParams memory p = params();
        (p.prompt, p.maxTokens) = (list(64, 10), tokens);
        req = requestOf(p, FEE);
        requestId = idOf(req);
        send(
            string.concat("request_", name),
            requester,
            address(oracle),
            FEE,
            abi.encodeCall(oracle.request, (p))
        );
        later(1, 2);
        send(
            string.concat("accept_", name),
            operator,
            address(oracle),
            abi.encodeCall(oracle.accept, (req, operator, ""))
        );
        later(1, 2);
        send(
            string.concat("claim_", name),
            operator,
            address(oracle),
            abi.encodeCall(oracle.claim, (req, 0, list(tokens, 100), ""))
        );
        useClaim(1, 0, list(tokens, 100));
    }

    function later(uint256 blocks, uint256 seconds_) private {
        vm.roll(block.number + blocks);
        skip(seconds_);
    }

    /* A DISPUTE */

    function test_record_dispute() public {
        begin("dispute");
        theirs = new ToyTrace(program(), 64, 8);
        dispute("first");
        dispute("steady");
    }

    /// Down to the third chunk of a row of operation 200, and convicted by its partials.
    function dispute(string memory name) private {
        claimed("", 8);
        bytes32 id = challengeAs(challenger, string.concat("challenge_", name), SALT);
        answerAs(string.concat("openTrace_", name), id);
        pickAs(string.concat("pick_top_", name), id, TOP, 4, 12);
        answerAs(string.concat("reveal_32_", name), id);
        if (!arena.shapeRecorded(modelId, DISPUTED)) {
            bytes memory data =
                abi.encodeCall(arena.recordShape, (model, DISPUTED, Opening("", new bytes32[](0))));
            send("recordShape", challenger, address(arena), data);
        }
        pickAs(string.concat("pick_operation_", name), id, DISPUTED, theirs.heightOf(DISPUTED), 0);
        answerAs(string.concat("reveal_in_operation_", name), id);
        pickAs(string.concat("pick_node_", name), id, DISPUTED, 4, 3);
        answerAs(string.concat("reveal_16_", name), id);
        pickAs(string.concat("pick_leaf_", name), id, DISPUTED, 0, 49);
        answerAs(string.concat("revealLeaf_", name), id);
        later(1, 2);
        send(
            string.concat("demandPartials_", name),
            challenger,
            address(arena),
            1 ether,
            abi.encodeCall(arena.demandPartials, (disputes[id], 256 + 7))
        );
        answerAs(string.concat("openPartials_", name), id);
        Witness memory w = partialWitness(id, 0);
        later(1, 2);
        send(
            string.concat("stepPartial_", name),
            challenger,
            address(arena),
            abi.encodeCall(
                arena.stepPartial, (disputes[id], facts, model, w, truePartials(), bytes32(0))
            )
        );
    }

    /// A thousand disputes about one claim at once, answered ten per transaction.
    function test_record_crowd() public {
        begin("crowd");
        theirs = new ToyTrace(program(), 64, 8);
        claimed("", 8);
        bytes32 first = challengeAs(rival, "", bytes32(0));
        answerAs("", first);
        bytes32[] memory ids = new bytes32[](1000);
        ids[0] = first;
        for (uint256 i = 1; i < ids.length; ++i) {
            ids[i] = challengeAs(rival, "", bytes32(i));
        }
        for (uint256 i; i < ids.length; i += 10) {
            bytes[] memory calls = new bytes[](10);
            for (uint256 j; j < 10; ++j) {
                pickAs("", ids[i + j], TOP, 4, (i + j) % 12);
                calls[j] = answerCall(ids[i + j]);
            }
            sendRepaid(
                "reveal_ten", operator, address(arena), abi.encodeCall(arena.multicall, (calls))
            );
        }
    }

    function program() private pure returns (OutputShape[] memory ops) {
        ops = new OutputShape[](OPS);
        // Small ones but for the operation that the dispute is about.
        for (uint256 i; i < OPS; ++i) {
            ops[i] = OutputShape(1, 8, 0, 0);
        }
        ops[DISPUTED] = OutputShape(0, ROW_BYTES, 0, HEAD_WIDTH);
    }

    /// With so much ether that credit pays nothing, and the exact amount.
    function challengeAs(address who, string memory name, bytes32 salt)
        private
        returns (bytes32 id)
    {
        uint88 bond = bondNow();
        if (bytes(name).length != 0) later(1, 2);
        bytes memory data = abi.encodeCall(
            arena.challenge, (address(oracle), theClaim.name, opening(), model, bond, salt)
        );
        id = abi.decode(send(name, who, address(arena), 1 ether, data), (bytes32));
        disputes[id] = Dispute(theClaim, who, bond, salt);
    }

    function pickAs(string memory name, bytes32 id, uint256 op, uint256 height, uint256 index)
        private
    {
        bytes32[] memory path = theirs.path(op, height, index, view_(id).op, view_(id).height);
        bytes32 node = theirs.node(op, height, index);
        if (bytes(name).length != 0) later(1, 2);
        bytes memory data = abi.encodeCall(
            arena.pick, (disputes[id], uint16(op), uint8(height), uint32(index), node, path)
        );
        send(name, challengerOf(id), address(arena), 1 ether, data);
    }

    function answerAs(string memory name, bytes32 id) private {
        bytes memory data = answerCall(id);
        later(1, 2);
        sendRepaid(name, operator, address(arena), data);
    }
}
