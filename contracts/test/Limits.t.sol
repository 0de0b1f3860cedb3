// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Request, RequestParams, RequestStatus} from "../src/interfaces/IInferenceOracle.sol";
import {ModelCommitment} from "../src/interfaces/IModelRegistry.sol";
import {Listener} from "./mocks/Callbacks.sol";
import {BaseTest} from "./BaseTest.sol";

/// Whatever can be asked can be claimed: the heaviest transactions that a request can force on its
/// operator, each as a transaction of its own.
/// forge-config: default.isolate = true
/// forge-config: slow.isolate = true
contract LimitsTest is BaseTest {
    /// Well under the 16,777,216 gas of a transaction (EIP-7825).
    uint256 internal constant MOST_GAS = 12_000_000;
    /// Nodes relay transactions of up to 131,072 bytes.
    uint256 internal constant MOST_BYTES = 120_000;
    uint32 internal constant LONGEST = 29_000;
    uint32 internal constant BIG_VOCAB = 262_144;

    function setUp() public override {
        super.setUp();
        modelId = registry.register(bigModel(), 0, "");
    }

    /// No list: the longest answer, with eight end-of-sequence ids to look for.
    function test_limit_longestClaim() public {
        (Request memory r,) = askAndFill(paramsFor(LONGEST, ""));
        checkClaim(r, answerOf(LONGEST), "");
    }

    /// The longest list of those that a claim does not bring.
    function test_limit_longestClaimWithLongestList() public {
        (Request memory r,) = askAndFill(paramsFor(LONGEST, increasing(16_384)));
        checkClaim(r, answerOf(LONGEST), "");
    }

    /// Lists and answers about the edges of what is looked up.
    function test_limit_lookedUpClaims() public {
        uint32[2][7] memory cases = [
            [uint32(64), 64],
            [uint32(64), 1],
            [uint32(1), 64],
            [uint32(65), 64],
            [uint32(64), 65],
            [uint32(16_384), 64],
            [uint32(64), LONGEST]
        ];
        for (uint256 i; i < cases.length; ++i) {
            (uint32 ids, uint32 tokens) = (cases[i][0], cases[i][1]);
            bytes memory list = increasing(ids);
            (Request memory r,) = ask(paramsFor(tokens, list));
            accept(r, i);
            bytes memory answer_ = new bytes(4 * tokens);
            for (uint256 k; k < answer_.length; ++k) {
                // The last ids of the list, which a search finds last.
                answer_[k] = list[list.length - 4 + k % 4];
            }
            bool lookedUp = ids <= 64 && tokens <= 64;
            checkClaim(r, i, answer_, lookedUp ? list : bytes(""));
        }
    }

    function test_limit_longestReveal() public {
        RequestParams memory p = paramsFor(LONGEST, "");
        p.replicas = 2;
        (Request memory r, bytes32 id) = askAndFill(p);
        bytes memory tokens = answerOf(LONGEST);
        commit(r, 0, tokens);
        commit(r, 1, tokens);
        bytes memory call = abi.encodeCall(oracle.revealClaim, (r, 0, 0, tokens, "", SALT));
        check(operators[0], call);
        assertEq(oracle.seatOf(id, 1, 0).tokenCount, LONGEST);
    }

    /// Five claims of the longest answer, all missed seats included, and a callback of most gas.
    function test_limit_heaviestFinalize() public {
        RequestParams memory p = paramsFor(LONGEST, "");
        (p.replicas, p.callback, p.callbackGas) = (5, address(new Listener()), 500_000);
        (Request memory r, bytes32 id) = askAndFill(p);
        bytes memory tokens = answerOf(LONGEST);
        for (uint8 i; i < 4; ++i) {
            commit(r, i, tokens);
        }
        skip(CLAIM_PERIOD + 1);
        for (uint8 i; i < 4; ++i) {
            reveal(r, i, tokens);
        }
        skip(REVEAL_PERIOD + WINDOW + 1);
        check(operators[0], abi.encodeCall(oracle.finalize, (r, tokens)));
        assertTrue(statusOf(id) == RequestStatus.Final);
    }

    function test_limit_finalizeOneSeatWithCallback() public {
        RequestParams memory p = paramsFor(LONGEST, "");
        (p.callback, p.callbackGas) = (address(new Listener()), 500_000);
        (Request memory r, bytes32 id) = askAndFill(p);
        bytes memory tokens = answerOf(LONGEST);
        claim(r, 0, tokens);
        skip(WINDOW + 1);
        check(operators[0], abi.encodeCall(oracle.finalize, (r, tokens)));
        assertTrue(statusOf(id) == RequestStatus.Final);
    }

    /// The heaviest acceptance: it frees four seats, and looks at 20 earlier ones.
    function test_limit_heaviestAccept() public {
        RequestParams memory p = paramsOf(5);
        (p.modelId, p.stake) = (modelId, 0.1 ether);
        (Request memory r,) = ask(p);
        for (uint8 attempt = 1; attempt <= 4; ++attempt) {
            fillAndConvict(r, attempt);
        }
        for (uint256 i; i < 4; ++i) {
            accept(r, 20 + i);
        }
        skip(FILL_PERIOD + 1);
        check(operators[25], abi.encodeCall(oracle.accept, (r, operators[25], "")));
    }

    function fillAndConvict(Request memory r, uint8 attempt) private {
        uint256 first = 5 * (uint256(attempt) - 1);
        for (uint8 i; i < 5; ++i) {
            accept(r, operators[first + i]);
        }
        for (uint8 i; i < 5; ++i) {
            commit(r, i, operators[first + i], answer());
        }
        for (uint8 i; i < 5; ++i) {
            reveal(r, i, operators[first + i], answer());
        }
        for (uint8 i; i < 5; ++i) {
            convict(r, attempt, i);
        }
    }

    /* HELPERS */

    function bigModel() private pure returns (ModelCommitment memory c) {
        c = commitment();
        (c.vocabSize, c.contextLength, c.maxPositions) = (BIG_VOCAB, 32_768, 32_768);
        c.eosIds = new uint32[](8);
        for (uint32 i; i < 8; ++i) {
            c.eosIds[i] = i;
        }
    }

    function paramsFor(uint32 maxTokens, bytes memory allowed)
        private
        view
        returns (RequestParams memory p)
    {
        p = params();
        (p.maxTokens, p.allowed) = (maxTokens, allowed);
    }

    /// Ids without a zero byte but the highest, which no vocabulary below 2^24 fills.
    function answerOf(uint32 n) private pure returns (bytes memory tokens) {
        tokens = new bytes(4 * n);
        for (uint256 i; i < n; ++i) {
            tokens[4 * i] = bytes1(uint8(1 + i % 255));
            tokens[4 * i + 1] = bytes1(uint8(1 + i / 255 % 255));
            tokens[4 * i + 2] = 0x03;
        }
    }

    /// Ids from the upper end of the vocabulary.
    function increasing(uint32 n) private pure returns (bytes memory) {
        uint32[] memory ids = new uint32[](n);
        for (uint32 i; i < n; ++i) {
            ids[i] = BIG_VOCAB - 3 * (n - i);
        }
        return pack(ids);
    }

    function checkClaim(Request memory r, bytes memory tokens, bytes memory allowed) private {
        checkClaim(r, 0, tokens, allowed);
    }

    function checkClaim(
        Request memory r,
        uint256 operator,
        bytes memory tokens,
        bytes memory allowed
    ) private {
        check(operators[operator], abi.encodeCall(oracle.claim, (r, 0, tokens, allowed)));
        assertTrue(statusOf(idOf(r)) == RequestStatus.Claimed);
    }

    /// Sends a call as a transaction, which must stay within the limits in today's gas table and
    /// with the calldata floor of 64 gas per byte (EIP-7976).
    function check(address from, bytes memory call) private {
        assertLt(call.length, MOST_BYTES, "bytes");
        vm.prank(from);
        (bool ok,) = address(oracle).call(call);
        assertTrue(ok, "call");
        uint256 gas = vm.lastCallGas().gasTotalUsed;
        emit log_named_uint("bytes", call.length);
        emit log_named_uint("gas  ", gas);
        assertLt(gas, MOST_GAS, "gas");
        assertLt(21_000 + 64 * call.length, MOST_GAS, "floor");
    }
}
