// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {InferenceOracle} from "../../src/InferenceOracle.sol";
import {ModelRegistry} from "../../src/ModelRegistry.sol";
import {OperatorBonds} from "../../src/OperatorBonds.sol";
import {Request, RequestParams, RequestStatus} from "../../src/interfaces/IInferenceOracle.sol";
import {BaseTest} from "../BaseTest.sol";
import {Recorder} from "./Recorder.sol";

/// From the deployment to a final answer, as transactions for `tools/gas-tables`.
contract ClaimPathGas is BaseTest, Recorder {
    address internal deployer = makeAddr("deployer");

    function setUp() public override {
        vm.warp(1_700_000_000);
        vm.roll(1_000_000);
        vm.fee(10 gwei);
        operators.push(makeAddr("operator 0"));
        vm.deal(requester, 1000 ether);
        vm.deal(operators[0], 1000 ether);
    }

    function test_record_claimPath() public {
        record("claim-path");
        deploy();
        string memory uri = "https://example.org/model.gguf";
        bytes memory data = abi.encodeCall(registry.register, (commitment(), SALT, uri));
        modelId = abi.decode(send("register", deployer, address(registry), data), (bytes32));
        data = abi.encodeCall(bonds.deposit, (operators[0]));
        send("deposit", operators[0], address(bonds), 10 ether, data);
        // A first request writes nonces, counters and credits that are slots only changed later.
        cycle("first", 0);
        cycle("second", keccak256("a block of the chain"));
    }

    function deploy() internal override {
        registry = ModelRegistry(create("ModelRegistry", ""));
        address predicted = vm.computeCreateAddress(deployer, vm.getNonce(deployer) + 1);
        bonds = OperatorBonds(create("OperatorBonds", abi.encode(predicted, WITHDRAWAL_DELAY)));
        address[3] memory parts = [address(registry), address(bonds), game];
        bytes memory arguments = abi.encode(parts, oracleParameters());
        oracle = InferenceOracle(payable(create("InferenceOracle", arguments)));
    }

    function create(string memory name, bytes memory arguments) private returns (address) {
        string memory artifact = string.concat(name, ".sol:", name);
        return create_(string.concat("deploy_", name), deployer, artifact, arguments);
    }

    /// @param seedBlock hash of the block after the request; 0: Foundry's
    function cycle(string memory name, bytes32 seedBlock) private {
        RequestParams memory p = params();
        Request memory r = requestOf(p, FEE);
        bytes memory data = abi.encodeCall(oracle.request, (p));
        send(string.concat("request_", name), requester, address(oracle), FEE, data);
        vm.roll(block.number + 2);
        skip(24);
        if (seedBlock != 0) recordBlockhash(block.number - 1, seedBlock);
        act(string.concat("accept_", name), abi.encodeCall(oracle.accept, (r)));
        data = abi.encodeCall(oracle.claim, (r, seedOf(r), answer(), ""));
        act(string.concat("claim_", name), data);
        vm.roll(block.number + 6);
        skip(WINDOW + 1);
        act(string.concat("finalize_", name), abi.encodeCall(oracle.finalize, (r, "")));
        assertTrue(statusOf(idOf(r)) == RequestStatus.Final);
    }

    /// The operator's part.
    function act(string memory name, bytes memory data) private {
        send(name, operators[0], address(oracle), data);
    }
}
