// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IInferenceOracle, Request} from "../src/interfaces/IInferenceOracle.sol";
import {ModelCommitment} from "../src/interfaces/IModelRegistry.sol";
import {SeedBlock} from "../src/libraries/SeedBlock.sol";
import {BaseTest} from "./BaseTest.sol";
import {TokenListHarness} from "./TokenList.t.sol";

/// The hashes of tests/vectors/contracts/abi.txt, which the C side checks itself with too. The
/// file's make.sh says what they are made of.
contract VectorsTest is BaseTest {
    IInferenceOracle internal constant ORACLE =
        IInferenceOracle(0x5FbDB2315678afecb367f032d93F642f64180aa3);
    address internal constant OPERATOR = 0x70997970C51812dc3A010C7d01b50e0d17dc79C8;
    string internal constant FILE = "../tests/vectors/contracts/abi.txt";

    function setUp() public override {
        super.setUp();
        vm.etch(address(ORACLE), address(oracle).code);
    }

    function test_vectors_tokens_match() public {
        assertEq(new TokenListHarness().hash(list(300, 7919)), vector("hash tokens "));
    }

    function test_vectors_request_match() public {
        assertEq(ORACLE.requestIdOf(vectorRequest()), vector("hash requestId "));
        bytes memory call = abi.encodeCall(IInferenceOracle.accept, (vectorRequest()));
        assertEq(keccak256(call), keccak256(vm.parseBytes(line("call accept "))));
    }

    function test_vectors_claim_match() public {
        bytes32 tokens = tokensHash(list(33, 101));
        bytes32 claimHash = ORACLE.claimHashOf(
            vector("hash requestId "), type(uint64).max - 1, OPERATOR, 33, tokens
        );
        assertEq(claimHash, vector("hash claimHash "));
        assertEq(keccak256(abi.encode(claimHash, uint8(2))), vector("hash claimId "));
        bytes32 salt = 0x5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a;
        assertEq(keccak256(abi.encode(claimHash, salt)), vector("hash commitment "));
    }

    function test_vectors_seed_match() public {
        bytes32 blockHash = 0x3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c;
        assertEq(
            SeedBlock.mix(type(uint64).max, blockHash), uint64(uint256(vector("hash seedUsed ")))
        );
    }

    function test_vectors_model_match() public {
        ModelCommitment memory c;
        c.arithmeticVersion = 1;
        (c.weightsRoot, c.programRoot) = (bytes32(uint256(11)), bytes32(uint256(12)));
        (c.tokenizerHash, c.ropeRoot) = (bytes32(uint256(13)), bytes32(uint256(14)));
        (c.opCount, c.tensorCount, c.samplerOp) = (483, 272, 482);
        (c.vocabSize, c.contextLength, c.maxPositions) = (49_152, 8192, 8192);
        c.eosIds = new uint32[](2);
        c.eosIds[1] = 2;
        assertEq(registry.register(c, 0, ""), vector("hash modelId "));
    }

    function vectorRequest() private pure returns (Request memory r) {
        r.requester = OPERATOR;
        r.nonce = 7;
        r.modelId = 0xa5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5;
        (r.promptCount, r.promptHash) = (300, tokensHash(list(300, 7919)));
        (r.temperature, r.minP, r.seed) = (1065353216, 1028443341, type(uint64).max);
        (r.allowedCount, r.allowedHash) = (2, tokensHash(list(2, 9)));
        (r.maxTokens, r.stake, r.fee) = (64, 0.1 ether, type(uint128).max);
        (r.window, r.acceptPeriod, r.claimPeriod, r.replicas) = (20, 60, 120, 1);
        (r.callback, r.callbackGas) = (address(ORACLE), 200_000);
    }

    function list(uint32 n, uint32 factor) private pure returns (bytes memory) {
        uint32[] memory ids = new uint32[](n);
        for (uint32 i; i < n; ++i) {
            ids[i] = i * factor % 49_152;
        }
        return pack(ids);
    }

    function vector(string memory prefix) private returns (bytes32) {
        return vm.parseBytes32(line(prefix));
    }

    /// What follows the prefix on the line that begins with it.
    function line(string memory prefix) private returns (string memory) {
        vm.closeFile(FILE);
        for (
            string memory text = vm.readLine(FILE);
            bytes(text).length != 0;
            text = vm.readLine(FILE)
        ) {
            if (vm.indexOf(text, prefix) == 0) return vm.replace(text, prefix, "");
        }
        revert(string.concat(FILE, " has no line: ", prefix));
    }
}
