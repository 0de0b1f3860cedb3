// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Claim} from "../src/interfaces/IClaims.sol";
import {Dispute, IDisputeGame} from "../src/interfaces/IDisputeGame.sol";
import {IInferenceOracle, Request} from "../src/interfaces/IInferenceOracle.sol";
import {ModelCommitment} from "../src/interfaces/IModelRegistry.sol";
import {ClaimFacts} from "../src/interfaces/IStepVerifier.sol";
import {SeedBlock} from "../src/libraries/SeedBlock.sol";
import {BaseTest} from "./BaseTest.sol";
import {TokenListHarness} from "./TokenList.t.sol";

contract HeaderHarness {
    function randaoOf(bytes calldata header) external pure returns (bytes32) {
        return SeedBlock.randaoOf(header);
    }
}

/// The hashes and headers of tests/vectors/contracts, which the C code and tests/spec check
/// themselves with too. The folder's make.sh says what they are made of.
contract VectorsTest is BaseTest {
    IInferenceOracle internal constant ORACLE =
        IInferenceOracle(0x5FbDB2315678afecb367f032d93F642f64180aa3);
    address internal constant OPERATOR = 0x70997970C51812dc3A010C7d01b50e0d17dc79C8;
    bytes32 internal constant VECTOR_SALT =
        0x5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a;
    string internal constant FOLDER = "../tests/vectors/contracts/";
    uint64 internal constant SEED = type(uint64).max - 1;

    function setUp() public override {
        super.setUp();
        vm.etch(address(ORACLE), address(oracle).code);
    }

    function test_vectors_tokens_match() public {
        assertEq(new TokenListHarness().hash(list(300, 7919)), hashLine("tokens"));
    }

    function test_vectors_request_match() public {
        assertEq(ORACLE.requestIdOf(vectorRequest()), hashLine("requestId"));
        bytes memory call =
            abi.encodeCall(IInferenceOracle.accept, (vectorRequest(), OPERATOR, list(33, 101)));
        assertEq(call, vm.parseBytes(line("abi.txt", "call accept ")));
    }

    function test_vectors_claim_match() public {
        bytes32 name = hashLine("name");
        assertEq(ORACLE.nameOf(hashLine("requestId"), 2, 3), name);
        assertEq(keccak256(abi.encode(vectorFacts())), hashLine("facts"));
        assertEq(keccak256(abi.encode(vectorClaim())), hashLine("claimId"));
        bytes32 commitmentHash =
            keccak256(abi.encode(name, OPERATOR, SEED, tokensHash(list(33, 101)), VECTOR_SALT));
        assertEq(commitmentHash, hashLine("commitment"));
    }

    function test_vectors_dispute_match() public {
        Dispute memory d = Dispute(vectorClaim(), OPERATOR, type(uint88).max, VECTOR_SALT);
        bytes32 claimId = keccak256(abi.encode(d.claim));
        bytes32 disputeId = keccak256(abi.encode(claimId, d.challenger, d.bond, d.salt));
        assertEq(disputeId, vm.parseBytes32(line("dispute.txt", "hash disputeId ")));
        bytes memory call = abi.encodeCall(IDisputeGame.timeout, (d));
        assertEq(call, vm.parseBytes(line("dispute.txt", "call timeout ")));
    }

    function test_vectors_seed_match() public {
        bytes32 prevRandao = 0x3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c;
        uint64 seed = uint64(uint256(hashLine("seedUsed")));
        assertEq(SeedBlock.mix(type(uint64).max, prevRandao), seed);
    }

    /// Blocks of geth, of several forks: what the oracle reads from the RLP is their mixHash.
    function test_vectors_headers_match() public {
        HeaderHarness harness = new HeaderHarness();
        string[6] memory names =
            ["osaka-0", "osaka-4", "osaka-6", "amsterdam-0", "amsterdam-4", "amsterdam-6"];
        for (uint256 i; i < names.length; ++i) {
            string memory json = line("headers.txt", string.concat("block ", names[i], " "));
            bytes memory rlp =
                vm.parseBytes(line("headers.txt", string.concat("rlp ", names[i], " ")));
            assertEq(keccak256(rlp), vm.parseJsonBytes32(json, ".hash"));
            assertEq(harness.randaoOf(rlp), vm.parseJsonBytes32(json, ".mixHash"));
        }
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
        assertEq(registry.register(c, 0, ""), hashLine("modelId"));
    }

    function vectorRequest() private pure returns (Request memory r) {
        r.requester = OPERATOR;
        r.nonce = 7;
        r.modelId = 0xa5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5;
        (r.promptCount, r.promptHash) = (300, tokensHash(list(300, 7919)));
        (r.temperature, r.minP, r.seed) = (1065353216, 1028443341, type(uint64).max);
        (r.allowedCount, r.allowedHash) = (2, tokensHash(list(2, 9)));
        (r.maxTokens, r.stake, r.fee) = (64, 0.1 ether, type(uint128).max);
        (r.window, r.acceptDeadline, r.claimPeriod, r.replicas) = (20, 5_000_000_000, 120, 1);
        (r.callback, r.callbackGas) = (address(ORACLE), 200_000);
    }

    function vectorFacts() private pure returns (ClaimFacts memory f) {
        Request memory r = vectorRequest();
        (f.promptCount, f.promptHash) = (r.promptCount, r.promptHash);
        (f.tokenCount, f.tokensHash) = (33, tokensHash(list(33, 101)));
        (f.temperature, f.minP, f.seed) = (r.temperature, r.minP, SEED);
        (f.allowedCount, f.allowedHash) = (r.allowedCount, r.allowedHash);
    }

    function vectorClaim() private returns (Claim memory c) {
        Request memory r = vectorRequest();
        (c.source, c.name, c.operator) = (address(ORACLE), hashLine("name"), OPERATOR);
        (c.stake, c.modelId) = (r.stake, r.modelId);
        c.factsHash = keccak256(abi.encode(vectorFacts()));
    }

    function list(uint32 n, uint32 factor) private pure returns (bytes memory) {
        uint32[] memory ids = new uint32[](n);
        for (uint32 i; i < n; ++i) {
            ids[i] = i * factor % 49_152;
        }
        return pack(ids);
    }

    function hashLine(string memory name) private returns (bytes32) {
        return vm.parseBytes32(line("abi.txt", string.concat("hash ", name, " ")));
    }

    /// Rest of the line of the file that begins with the prefix.
    function line(string memory name, string memory prefix) private returns (string memory) {
        string memory file = string.concat(FOLDER, name);
        vm.closeFile(file);
        string memory text = vm.readLine(file);
        for (; bytes(text).length != 0; text = vm.readLine(file)) {
            if (vm.indexOf(text, prefix) == 0) return vm.replace(text, prefix, "");
        }
        revert(string.concat(file, " has no line: ", prefix));
    }
}
