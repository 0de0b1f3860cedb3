// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {ModelRegistry} from "../src/ModelRegistry.sol";
import {OperatorBonds} from "../src/OperatorBonds.sol";
import {Claim} from "../src/interfaces/IClaims.sol";
import {
    IInferenceOracle,
    OracleParameters,
    Request,
    RequestParams,
    RequestStatus,
    SeatStatus
} from "../src/interfaces/IInferenceOracle.sol";
import {ModelCommitment} from "../src/interfaces/IModelRegistry.sol";
import {ClaimFacts} from "../src/interfaces/IStepVerifier.sol";
import {Headers} from "./mocks/Headers.sol";

/// Actors, a deployment, and reference versions of hashes and packing. They are written plainly and
/// share nothing with the contracts.
abstract contract BaseTest is Test {
    uint128 internal constant STAKE = 2 ether;
    uint128 internal constant FEE = 0.01 ether;
    uint32 internal constant WINDOW = 60;
    uint32 internal constant FILL_PERIOD = 120;
    uint32 internal constant REVEAL_PERIOD = 15;
    uint32 internal constant CLAIM_PERIOD = 5 minutes;
    uint32 internal constant ACCEPT_PERIOD = 1 hours;
    address internal constant BURNED = 0x000000000000000000000000000000000000dEaD;
    /// float32 bits of 1
    uint32 internal constant ONE = 0x3f800000;
    uint64 internal constant WITHDRAWAL_DELAY = 15 minutes;
    uint32 internal constant VOCAB = 1000;
    uint32 internal constant EOS = 2;
    uint32 internal constant OTHER_EOS = 999;
    bytes32 internal constant SALT = keccak256("salt");

    ModelRegistry internal registry;
    OperatorBonds internal bonds;
    IInferenceOracle internal oracle;
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

    /// Bonds and oracle; `game` is an account that plays the dispute game.
    /// @dev By artifact: code of a contract created with `new` is compiled anew into every test.
    function deploy() internal virtual {
        uint256 nonce = vm.getNonce(address(this));
        address predicted = vm.computeCreateAddress(address(this), nonce + 2);
        bytes memory arguments = abi.encode(predicted, WITHDRAWAL_DELAY);
        bonds = OperatorBonds(vm.deployCode("OperatorBonds.sol:OperatorBonds", arguments));
        oracle = deployOracle(address(registry), address(bonds), game, oracleParameters());
        assertEq(address(oracle), predicted, "oracle's address");
    }

    /// The oracle's two halves: the next two contracts of this account.
    function deployOracle(
        address registry_,
        address bonds_,
        address game_,
        OracleParameters memory p
    ) internal returns (IInferenceOracle) {
        address extension = vm.deployCode(
            "InferenceOracleExtension.sol:InferenceOracleExtension",
            abi.encode(registry_, bonds_, game_, p)
        );
        return IInferenceOracle(
            vm.deployCode(
                "InferenceOracle.sol:InferenceOracle",
                abi.encode(registry_, bonds_, game_, extension, p)
            )
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
            minReplicaClaimPeriod: 20,
            maxClaimPeriod: 6 hours,
            fillPeriod: FILL_PERIOD,
            revealPeriod: REVEAL_PERIOD
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
        p.acceptDeadline = uint64(block.timestamp) + ACCEPT_PERIOD;
        p.claimPeriod = CLAIM_PERIOD;
        p.replicas = 1;
    }

    /// The same with temperature 1: the seed used comes from the eighth block after the request.
    function sampled() internal view returns (RequestParams memory p) {
        p = params();
        p.temperature = ONE;
    }

    function paramsOf(uint8 replicas) internal view returns (RequestParams memory p) {
        p = params();
        p.replicas = replicas;
    }

    /// Request that the chain should store.
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
        (r.acceptDeadline, r.claimPeriod) = (p.acceptDeadline, p.claimPeriod);
        r.replicas = p.replicas;
        (r.callback, r.callbackGas) = (p.callback, p.callbackGas);
    }

    function ask(RequestParams memory p, uint256 fee)
        internal
        returns (Request memory r, bytes32 id)
    {
        r = requestOf(p, fee);
        vm.prank(requester);
        id = oracle.request{value: fee}(p);
        assertEq(id, idOf(r), "request id");
    }

    function ask(RequestParams memory p) internal returns (Request memory r, bytes32 id) {
        return ask(p, FEE);
    }

    function accept(Request memory r, uint256 operator) internal {
        accept(r, operators[operator]);
    }

    /// The operator's own acceptance, with the header where one is due.
    function accept(Request memory r, address operator) internal {
        bytes memory header = dueHeader(r);
        vm.prank(operator);
        oracle.accept(r, operator, header);
    }

    /// Header of the seed block of a sampled request whose seed is not fixed, else empty. The chain
    /// is made to have that block, and rolled behind it where it is not.
    function dueHeader(Request memory r) internal returns (bytes memory header) {
        bytes32 id = idOf(r);
        if (r.temperature == 0 || oracle.stateOf(id).seedFixed) return "";
        uint256 number = oracle.stateOf(id).requestBlock + 8;
        header = Headers.encode(Headers.fieldsOf(number));
        if (block.number <= number) vm.roll(number + 1);
        vm.setBlockhash(number, keccak256(header));
    }

    /// The seed used of a sampled request, from the header of `dueHeader`.
    function drawnSeed(uint64 requestSeed, uint256 requestBlock) internal pure returns (uint64) {
        bytes32 randao = Headers.randaoOf(requestBlock + 8);
        return uint64(uint256(keccak256(abi.encode(requestSeed, randao))));
    }

    function cancel(Request memory r) internal {
        vm.prank(r.requester);
        oracle.cancel(r);
    }

    /// A request that operators 0 to replicas - 1 have accepted.
    function askAndFill(RequestParams memory p) internal returns (Request memory r, bytes32 id) {
        (r, id) = ask(p);
        fill(r);
    }

    function fill(Request memory r) internal {
        for (uint256 i; i < r.replicas; ++i) {
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

    /// Operator number `seat` commits in the seat of that number.
    function commit(Request memory r, uint8 seat, bytes memory tokens) internal {
        commit(r, seat, operators[seat], tokens);
    }

    function commit(Request memory r, uint8 seat, address operator, bytes memory tokens) internal {
        uint64 seed = seedOf(r);
        bytes32 commitment_ = commitmentOf(r, seat, operator, tokens);
        vm.prank(operator);
        oracle.commitClaim(r, seat, seed, commitment_);
    }

    function reveal(Request memory r, uint8 seat, bytes memory tokens) internal {
        reveal(r, seat, operators[seat], tokens);
    }

    function reveal(Request memory r, uint8 seat, address operator, bytes memory tokens) internal {
        uint64 seed = seedOf(r);
        vm.prank(operator);
        oracle.revealClaim(r, seat, seed, tokens, "", SALT);
    }

    /// The game convicts a claim of the present attempt, for `challenger`.
    function convict(Request memory r, uint8 attempt, uint8 seat) internal {
        address operator = oracle.seatOf(idOf(r), attempt, seat).operator;
        bytes32 name = nameOf(r, attempt, seat);
        vm.prank(game);
        oracle.convict(name, operator, r.stake, challenger);
    }

    /* NAMES AND HASHES */

    function idOf(Request memory r) internal view returns (bytes32) {
        bytes32 hash = keccak256(abi.encode(block.chainid, address(oracle), r));
        return bytes32(uint256(hash) - uint8(uint256(hash)));
    }

    /// Name of a claim.
    function nameOf(Request memory r, uint8 attempt, uint8 seat) internal view returns (bytes32) {
        return bytes32(uint256(idOf(r)) + 8 * uint256(attempt) + seat);
    }

    function seedOf(Request memory r) internal view returns (uint64) {
        return oracle.stateOf(idOf(r)).seed;
    }

    function statusOf(bytes32 id) internal view returns (RequestStatus) {
        return oracle.stateOf(id).status;
    }

    function seatStatusOf(Request memory r, uint8 attempt, uint8 seat)
        internal
        view
        returns (SeatStatus)
    {
        return oracle.seatOf(idOf(r), attempt, seat).status;
    }

    function commitmentOf(Request memory r, uint8 seat, address operator, bytes memory tokens)
        internal
        view
        returns (bytes32)
    {
        bytes32 name = nameOf(r, oracle.stateOf(idOf(r)).attempt, seat);
        return keccak256(abi.encode(name, operator, seedOf(r), tokensHash(tokens), SALT));
    }

    /// Facts that a claim of these tokens states.
    function factsOf(Request memory r, bytes memory tokens)
        internal
        view
        returns (ClaimFacts memory f)
    {
        (f.promptCount, f.promptHash) = (r.promptCount, r.promptHash);
        (f.tokenCount, f.tokensHash) = (uint32(tokens.length / 4), tokensHash(tokens));
        (f.temperature, f.minP, f.seed) = (r.temperature, r.minP, seedOf(r));
        (f.allowedCount, f.allowedHash) = (r.allowedCount, r.allowedHash);
    }

    /// A claim as the dispute game sees it.
    function claimOf(
        Request memory r,
        address operator,
        uint8 attempt,
        uint8 seat,
        bytes memory tokens
    ) internal view returns (Claim memory c) {
        (c.source, c.name, c.operator) = (address(oracle), nameOf(r, attempt, seat), operator);
        (c.stake, c.modelId) = (r.stake, r.modelId);
        c.factsHash = keccak256(abi.encode(factsOf(r, tokens)));
    }

    /// Key of the claim in the game.
    function claimIdOf(
        Request memory r,
        address operator,
        uint8 attempt,
        uint8 seat,
        bytes memory tokens
    ) internal view returns (bytes32) {
        return keccak256(abi.encode(claimOf(r, operator, attempt, seat, tokens)));
    }

    /// Opening of each claim of a request.
    function openingOf(Request memory r) internal pure returns (bytes memory) {
        return abi.encode(r);
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

    function creditOf(Request memory r) internal view returns (uint256) {
        return oracle.creditOf(idOf(r));
    }

    function expect(bytes4 selector) internal {
        vm.expectRevert(selector);
    }

    function expectStatus(RequestStatus status) internal {
        vm.expectRevert(abi.encodeWithSelector(IInferenceOracle.WrongStatus.selector, status));
    }
}
