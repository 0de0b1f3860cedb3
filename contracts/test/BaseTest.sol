// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {InferenceOracle} from "../src/InferenceOracle.sol";
import {ModelRegistry} from "../src/ModelRegistry.sol";
import {OperatorBonds} from "../src/OperatorBonds.sol";
import {
    IInferenceOracle,
    OracleParameters,
    Request,
    RequestParams,
    RequestState,
    RequestStatus,
    Seat,
    SeatStatus
} from "../src/interfaces/IInferenceOracle.sol";
import {BondAccount} from "../src/interfaces/IOperatorBonds.sol";
import {ModelCommitment} from "../src/interfaces/IModelRegistry.sol";

/// Actors, a deployment, and the reference versions of hashes and packing: written plainly, shared
/// with nothing of the contracts.
abstract contract BaseTest is Test {
    uint128 internal constant STAKE = 2 ether;
    uint128 internal constant FEE = 0.01 ether;
    uint32 internal constant WINDOW = 60;
    uint64 internal constant WITHDRAWAL_DELAY = 15 minutes;
    uint32 internal constant VOCAB = 1000;
    uint32 internal constant EOS = 2;
    uint32 internal constant OTHER_EOS = 999;
    bytes32 internal constant SALT = keccak256("salt");

    ModelRegistry internal registry;
    OperatorBonds internal bonds;
    InferenceOracle internal oracle;
    bytes32 internal modelId;

    address internal game = makeAddr("dispute game");
    address internal requester = makeAddr("requester");
    address internal challenger = makeAddr("challenger");
    address internal stranger = makeAddr("stranger");
    address[] internal operators;

    function setUp() public virtual {
        vm.warp(1_700_000_000);
        vm.roll(1_000_000);
        registry = ModelRegistry(vm.deployCode("ModelRegistry.sol:ModelRegistry"));
        deploy();
        modelId = registry.register(commitment(), bytes32(uint256(1)), "file:model");
        vm.deal(requester, 1000 ether);
        for (uint256 i; i < 30; ++i) {
            operators.push(makeAddr(string.concat("operator ", vm.toString(i))));
            bonds.deposit{value: 10 ether}(operators[i]);
        }
    }

    /// By artifact: code of a contract that is created with `new` is compiled anew into every test.
    /// Bonds and oracle; `game` is an account that plays the dispute game.
    function deploy() internal virtual {
        address predicted = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1);
        bonds = OperatorBonds(
            vm.deployCode(
                "OperatorBonds.sol:OperatorBonds", abi.encode(predicted, WITHDRAWAL_DELAY)
            )
        );
        bytes memory arguments =
            abi.encode(address(registry), address(bonds), game, oracleParameters());
        oracle = InferenceOracle(
            payable(vm.deployCode("InferenceOracle.sol:InferenceOracle", arguments))
        );
    }

    function oracleParameters() internal pure returns (OracleParameters memory) {
        return OracleParameters({
            minStake: 0.1 ether,
            minWindow: 10,
            maxWindow: 600,
            minAcceptPeriod: 10,
            maxAcceptPeriod: 1 days,
            minClaimPeriod: 10,
            maxClaimPeriod: 6 hours,
            revealPeriod: 15
        });
    }

    function commitment() internal pure returns (ModelCommitment memory c) {
        c.arithmeticVersion = 1;
        c.weightsRoot = keccak256("weights");
        c.programRoot = keccak256("program");
        c.tokenizerHash = keccak256("tokenizer");
        c.ropeRoot = keccak256("rope");
        (c.opCount, c.tensorCount, c.samplerOp) = (40, 20, 39);
        (c.vocabSize, c.contextLength, c.maxPositions) = (VOCAB, 4096, 4096);
        c.eosIds = new uint32[](2);
        (c.eosIds[0], c.eosIds[1]) = (EOS, OTHER_EOS);
    }

    /* REQUESTS */

    /// A valid request: greedy, 32 tokens, one seat, no callback.
    function params() internal view returns (RequestParams memory p) {
        p.modelId = modelId;
        p.prompt = pack(10, 11, 12);
        p.seed = 42;
        p.maxTokens = 32;
        p.stake = STAKE;
        p.window = WINDOW;
        p.acceptPeriod = 1 hours;
        p.claimPeriod = 5 minutes;
        p.replicas = 1;
    }

    function paramsOf(uint8 replicas) internal view returns (RequestParams memory p) {
        p = params();
        p.replicas = replicas;
    }

    /// What the chain should keep of a request.
    function requestOf(RequestParams memory p, uint256 fee)
        internal
        view
        returns (Request memory r)
    {
        r.requester = requester;
        r.nonce = oracle.nonces(requester);
        r.modelId = p.modelId;
        r.promptCount = uint32(p.prompt.length / 4);
        r.promptHash = tokensHash(p.prompt);
        (r.temperature, r.minP, r.seed) = (p.temperature, p.minP, p.seed);
        r.allowedCount = uint32(p.allowed.length / 4);
        r.allowedHash = tokensHash(p.allowed);
        (r.maxTokens, r.stake, r.fee, r.window) = (p.maxTokens, p.stake, uint128(fee), p.window);
        (r.acceptPeriod, r.claimPeriod, r.replicas) = (p.acceptPeriod, p.claimPeriod, p.replicas);
        (r.callback, r.callbackGas) = (p.callback, p.callbackGas);
    }

    function ask(RequestParams memory p, uint256 fee)
        internal
        returns (Request memory r, bytes32 id)
    {
        r = requestOf(p, fee);
        vm.prank(requester);
        id = oracle.request{value: fee}(p);
        assertEq(id, keccak256(abi.encode(block.chainid, address(oracle), r)), "request id");
    }

    function ask(RequestParams memory p) internal returns (Request memory r, bytes32 id) {
        return ask(p, FEE);
    }

    function accept(Request memory r, uint256 operator) internal {
        vm.prank(operators[operator]);
        oracle.accept(r);
    }

    /// A request that operators 0 to replicas - 1 have accepted.
    function askAndFill(RequestParams memory p) internal returns (Request memory r, bytes32 id) {
        (r, id) = ask(p);
        vm.roll(block.number + 2);
        for (uint256 i; i < p.replicas; ++i) {
            accept(r, i);
        }
    }

    function claim(Request memory r, uint256 operator, bytes memory tokens) internal {
        uint64 seed = seedOf(r);
        vm.prank(operators[operator]);
        oracle.claim(r, seed, tokens, "");
    }

    /// A request with one seat, answered by operator 0.
    function askAndClaim(RequestParams memory p) internal returns (Request memory r, bytes32 id) {
        (r, id) = askAndFill(p);
        claim(r, 0, answer());
    }

    function commit(Request memory r, uint256 operator, bytes memory tokens) internal {
        uint64 seed = seedOf(r);
        bytes32 sealed_ = keccak256(abi.encode(claimHashOf(r, operators[operator], tokens), SALT));
        vm.prank(operators[operator]);
        oracle.commitClaim(r, seed, sealed_);
    }

    function reveal(Request memory r, uint256 operator, bytes memory tokens) internal {
        uint64 seed = seedOf(r);
        vm.prank(operators[operator]);
        oracle.revealClaim(r, seed, tokens, "", SALT);
    }

    function convict(Request memory r, uint8 attempt, uint8 seat) internal {
        vm.prank(game);
        oracle.convict(r, attempt, seat, challenger);
    }

    function idOf(Request memory r) internal view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(oracle), r));
    }

    function seedOf(Request memory r) internal view returns (uint64) {
        return oracle.stateOf(idOf(r)).seed;
    }

    function statusOf(bytes32 id) internal view returns (RequestStatus) {
        return oracle.stateOf(id).status;
    }

    function claimHashOf(Request memory r, address operator, bytes memory tokens)
        internal
        view
        returns (bytes32)
    {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                ),
                keccak256("Lockstep"),
                keccak256("1"),
                block.chainid,
                address(oracle)
            )
        );
        bytes32 message = keccak256(
            abi.encode(
                keccak256(
                    "Claim(bytes32 requestId,uint64 seed,address operator,uint32 tokenCount,bytes32 tokensHash)"
                ),
                idOf(r),
                seedOf(r),
                operator,
                uint32(tokens.length / 4),
                tokensHash(tokens)
            )
        );
        return keccak256(abi.encodePacked("\x19\x01", domain, message));
    }

    function claimIdOf(Request memory r, address operator, bytes memory tokens, uint8 attempt)
        internal
        view
        returns (bytes32)
    {
        return keccak256(abi.encode(claimHashOf(r, operator, tokens), uint256(attempt)));
    }

    /* TOKENS */

    /// 32 tokens, none of which ends the sequence.
    function answer() internal pure returns (bytes memory tokens) {
        return answer(100);
    }

    function answer(uint32 first) internal pure returns (bytes memory tokens) {
        for (uint32 i; i < 32; ++i) {
            tokens = bytes.concat(tokens, pack(first + i));
        }
    }

    function pack(uint32 id) internal pure returns (bytes memory) {
        return abi.encodePacked(uint8(id), uint8(id >> 8), uint8(id >> 16), uint8(id >> 24));
    }

    function pack(uint32 a, uint32 b) internal pure returns (bytes memory) {
        return bytes.concat(pack(a), pack(b));
    }

    function pack(uint32 a, uint32 b, uint32 c) internal pure returns (bytes memory) {
        return bytes.concat(pack(a), pack(b), pack(c));
    }

    function pack(uint32[] memory ids) internal pure returns (bytes memory list) {
        list = new bytes(4 * ids.length);
        for (uint256 i; i < list.length; ++i) {
            list[i] = bytes1(uint8(ids[i / 4] >> (8 * (i % 4))));
        }
    }

    function tokensHash(bytes memory list) internal pure returns (bytes32) {
        if (list.length == 0) return 0;
        bytes memory hashes;
        for (uint256 offset; offset < list.length; offset += 1024) {
            uint256 size = list.length - offset < 1024 ? list.length - offset : 1024;
            bytes memory piece = new bytes(size);
            for (uint256 i; i < size; ++i) {
                piece[i] = list[offset + i];
            }
            hashes = bytes.concat(hashes, keccak256(piece));
        }
        return keccak256(hashes);
    }

    /* MONEY */

    function freeOf(uint256 operator) internal view returns (uint256) {
        return bonds.account(operators[operator]).free;
    }

    function lockedOf(uint256 operator) internal view returns (uint256) {
        return bonds.account(operators[operator]).locked;
    }

    function expect(bytes4 selector) internal {
        vm.expectRevert(selector);
    }

    function expectStatus(RequestStatus status) internal {
        vm.expectRevert(abi.encodeWithSelector(IInferenceOracle.WrongStatus.selector, status));
    }
}
