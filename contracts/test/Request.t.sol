// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    IInferenceOracle,
    Request,
    RequestParams,
    RequestState,
    RequestStatus
} from "../src/interfaces/IInferenceOracle.sol";
import {ModelCommitment} from "../src/interfaces/IModelRegistry.sol";
import {BaseTest} from "./BaseTest.sol";

contract RequestTest is BaseTest {
    function test_request_recordsAndEmits_succeeds() public {
        RequestParams memory p = params();
        p.allowed = pack(5, 6);
        Request memory r = requestOf(p, FEE);
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Requested(idOf(r), modelId, requester, r, p.prompt, p.allowed);
        (, bytes32 id) = ask(p);

        RequestState memory s = oracle.stateOf(id);
        assertTrue(s.status == RequestStatus.Open);
        assertEq(s.attempt, 1);
        assertEq(s.misses, 0);
        assertFalse(s.cancelled);
        assertEq(s.seatsTaken, 0);
        assertFalse(s.seedFixed);
        // A greedy request needs no block.
        assertEq(s.requestBlock, 0);
        assertEq(s.deadline, 0);
        assertEq(address(oracle).balance, FEE);
        assertEq(oracle.requestIdOf(r), id);
    }

    function test_request_sampled_recordsBlock() public {
        (, bytes32 id) = ask(sampled());
        RequestState memory s = oracle.stateOf(id);
        assertEq(s.requestBlock, block.number);
        assertFalse(s.seedFixed);
    }

    function test_request_sameTwice_differsByNonce() public {
        (Request memory a, bytes32 first) = ask(params());
        (Request memory b, bytes32 second) = ask(params());
        assertNotEq(first, second);
        assertEq(a.nonce + 1, b.nonce);
        assertEq(oracle.nonces(requester), 2);
    }

    function test_request_withoutFee_succeeds() public {
        (, bytes32 id) = ask(params(), 0);
        assertTrue(statusOf(id) == RequestStatus.Open);
    }

    function test_requestIdOf_bindsChain() public {
        (Request memory r, bytes32 id) = ask(params());
        vm.chainId(2);
        assertNotEq(oracle.requestIdOf(r), id);
        expectStatus(RequestStatus.None);
        oracle.accept(r, address(this), "");
    }

    /// Every word of a request is bound: with any bit of it changed there is no such request.
    function testFuzz_requestId_bindsEveryBit(uint256 bit) public {
        (Request memory r, bytes32 id) = ask(params());
        bit = bound(bit, 0, 19 * 256 - 1);
        bytes memory data = abi.encodeCall(oracle.expire, (r));
        uint256 at = 4 + bit / 8;
        data[at] = bytes1(uint8(data[at]) ^ uint8(1 << (bit % 8)));
        skip(ACCEPT_PERIOD + 1);
        (bool ok,) = address(oracle).call(data);
        assertFalse(ok);
        oracle.expire(r);
        assertTrue(statusOf(id) == RequestStatus.Refunded);
    }

    function test_request_unknownModel_reverts() public {
        RequestParams memory p = params();
        p.modelId = keccak256("other");
        vm.expectRevert(abi.encodeWithSelector(IInferenceOracle.UnknownModel.selector, p.modelId));
        oracle.request(p);
    }

    function test_request_noPrompt_reverts() public {
        RequestParams memory p = params();
        p.prompt = "";
        expectRejected(p, IInferenceOracle.EmptyPrompt.selector);
    }

    function testFuzz_request_promptNotWhole_reverts(uint8 extra) public {
        RequestParams memory p = params();
        p.prompt = bytes.concat(p.prompt, new bytes(bound(extra, 1, 3)));
        expectRejected(p, IInferenceOracle.MalformedTokens.selector);
    }

    function testFuzz_request_allowedNotWhole_reverts(uint8 extra) public {
        RequestParams memory p = params();
        p.allowed = new bytes(bound(extra, 1, 3));
        expectRejected(p, IInferenceOracle.MalformedTokens.selector);
    }

    function test_request_promptTooLong_reverts() public {
        RequestParams memory p = params();
        p.prompt = new bytes(4 * 32_769);
        expectRejected(p, IInferenceOracle.PromptTooLong.selector);
    }

    function test_request_promptOutsideVocabulary_reverts() public {
        RequestParams memory p = params();
        p.prompt = pack(1, VOCAB);
        expectRejected(p, IInferenceOracle.TokenOutsideVocabulary.selector);
    }

    function test_request_allowedOutsideVocabulary_reverts() public {
        RequestParams memory p = params();
        p.allowed = pack(1, VOCAB);
        expectRejected(p, IInferenceOracle.TokenOutsideVocabulary.selector);
    }

    function test_request_noTokens_reverts() public {
        RequestParams memory p = params();
        p.maxTokens = 0;
        expectRejected(p, IInferenceOracle.NoTokensAsked.selector);
    }

    /// The last token is not fed back, so a prompt of 3 leaves 4,094 tokens of 4,096 positions.
    function test_request_positions_bound() public {
        RequestParams memory p = params();
        p.maxTokens = 4094;
        ask(p);
        p.maxTokens = 4095;
        expectRejected(p, IInferenceOracle.TooManyPositions.selector);
        p.maxTokens = 29_000;
        expectRejected(p, IInferenceOracle.TooManyPositions.selector);
    }

    function test_request_longestPrompt_succeeds() public {
        ModelCommitment memory c = commitment();
        (c.contextLength, c.maxPositions) = (40_000, 32_768);
        RequestParams memory p = params();
        p.modelId = registry.register(c, 0, "");
        p.prompt = new bytes(4 * 32_768);
        p.maxTokens = 1;
        ask(p);
    }

    function test_request_temperature_edges() public {
        RequestParams memory p = params();
        uint32[4] memory good = [uint32(0), 0x3a800000, 0x3f800000, 0x7f7fffff];
        for (uint256 i; i < good.length; ++i) {
            p.temperature = good[i];
            ask(p);
        }
        // Smallest subnormal, just below 2^-10, infinity, NaN, -0, -1, -infinity, negative NaN.
        uint32[8] memory bad = [
            uint32(1),
            0x3a7fffff,
            0x7f800000,
            0x7fc00000,
            0x80000000,
            0xbf800000,
            0xff800000,
            0xffffffff
        ];
        for (uint256 i; i < bad.length; ++i) {
            p.temperature = bad[i];
            expectRejected(p, IInferenceOracle.BadTemperature.selector);
        }
    }

    function testFuzz_request_temperature(uint32 bits) public {
        RequestParams memory p = params();
        p.temperature = bits;
        (bool negative, uint256 exponent) = (bits >> 31 == 1, (bits >> 23) & 0xff);
        // 2^-10 has the biased exponent 117.
        if (bits == 0 || (!negative && exponent >= 117 && exponent != 255)) ask(p);
        else expectRejected(p, IInferenceOracle.BadTemperature.selector);
    }

    function test_request_minP_edges() public {
        RequestParams memory p = params();
        uint32[4] memory good = [uint32(0), 1, 0x3d4ccccd, 0x3f800000];
        for (uint256 i; i < good.length; ++i) {
            p.minP = good[i];
            ask(p);
        }
        uint32[5] memory bad = [uint32(0x3f800001), 0x7f800000, 0x7fc00000, 0x80000000, 0xbf000000];
        for (uint256 i; i < bad.length; ++i) {
            p.minP = bad[i];
            expectRejected(p, IInferenceOracle.BadMinP.selector);
        }
    }

    function test_request_allowedNotIncreasing_reverts() public {
        RequestParams memory p = params();
        p.allowed = pack(5, 5);
        expectRejected(p, IInferenceOracle.AllowedNotIncreasing.selector);
        p.allowed = pack(6, 5);
        expectRejected(p, IInferenceOracle.AllowedNotIncreasing.selector);
    }

    function test_request_stakeTooSmall_reverts() public {
        RequestParams memory p = params();
        p.stake = 0.1 ether - 1;
        expectRejected(p, IInferenceOracle.StakeTooSmall.selector);
    }

    function test_request_feeTooLarge_reverts() public {
        vm.deal(address(this), 2 ** 129);
        expect(IInferenceOracle.FeeTooLarge.selector);
        oracle.request{value: 2 ** 128}(params());
    }

    function test_request_window_bounds() public {
        RequestParams memory p = params();
        p.window = 9;
        expectRejected(p, IInferenceOracle.WindowOutOfRange.selector);
        p.window = 601;
        expectRejected(p, IInferenceOracle.WindowOutOfRange.selector);
        p.window = 10;
        ask(p);
        p.window = 600;
        ask(p);
    }

    function test_request_acceptDeadline_bounds() public {
        RequestParams memory p = params();
        uint64 now_ = uint64(block.timestamp);
        uint64[4] memory bad = [now_ + 9, now_ + 1 days + 1, 0, type(uint64).max];
        for (uint256 i; i < bad.length; ++i) {
            p.acceptDeadline = bad[i];
            expectRejected(p, IInferenceOracle.AcceptDeadlineOutOfRange.selector);
        }
        p.acceptDeadline = now_ + 10;
        ask(p);
        p.acceptDeadline = now_ + 1 days;
        ask(p);
    }

    function test_request_claimPeriod_bounds() public {
        RequestParams memory p = params();
        p.claimPeriod = 9;
        expectRejected(p, IInferenceOracle.ClaimPeriodOutOfRange.selector);
        p.claimPeriod = 6 hours + 1;
        expectRejected(p, IInferenceOracle.ClaimPeriodOutOfRange.selector);
        p.claimPeriod = 10;
        ask(p);
        p.claimPeriod = 6 hours;
        ask(p);
    }

    /// With replicas another operator starts the clock: the period is longer.
    function test_request_replicaClaimPeriod_bounds() public {
        for (uint8 replicas = 2; replicas <= 5; ++replicas) {
            RequestParams memory p = paramsOf(replicas);
            p.claimPeriod = 19;
            expectRejected(p, IInferenceOracle.ClaimPeriodOutOfRange.selector);
            p.claimPeriod = 20;
            ask(p);
        }
    }

    /* WHAT CANNOT BE CLAIMED */

    function test_request_tooManyTokens_reverts() public {
        ModelCommitment memory c = commitment();
        (c.contextLength, c.maxPositions) = (40_000, 32_768);
        RequestParams memory p = params();
        p.modelId = registry.register(c, 0, "");
        p.maxTokens = 29_000;
        ask(p);
        uint32[4] memory tooMany = [29_001, 32_000, 32_766, type(uint32).max];
        for (uint256 i; i < tooMany.length; ++i) {
            p.maxTokens = tooMany[i];
            expectRejected(p, IInferenceOracle.TooManyTokensAsked.selector);
        }
    }

    function test_request_allowedTooLong_reverts() public {
        ModelCommitment memory c = commitment();
        c.vocabSize = 150_000;
        RequestParams memory p = params();
        p.modelId = registry.register(c, 0, "");
        p.allowed = increasing(16_384);
        ask(p);
        p.allowed = increasing(16_385);
        expectRejected(p, IInferenceOracle.AllowedTooLong.selector);
        p.allowed = increasing(40_000);
        expectRejected(p, IInferenceOracle.AllowedTooLong.selector);
    }

    function test_request_replicas_bounds() public {
        RequestParams memory p = params();
        p.replicas = 0;
        expectRejected(p, IInferenceOracle.ReplicasOutOfRange.selector);
        p.replicas = 6;
        expectRejected(p, IInferenceOracle.ReplicasOutOfRange.selector);
        p.replicas = 5;
        ask(p);
    }

    function test_request_callbackGas_bounds() public {
        RequestParams memory p = params();
        p.callbackGas = 1;
        expectRejected(p, IInferenceOracle.CallbackGasOutOfRange.selector);
        (p.callback, p.callbackGas) = (stranger, 0);
        expectRejected(p, IInferenceOracle.CallbackGasOutOfRange.selector);
        p.callbackGas = 500_001;
        expectRejected(p, IInferenceOracle.CallbackGasOutOfRange.selector);
        p.callbackGas = 500_000;
        ask(p);
    }

    function increasing(uint32 n) private pure returns (bytes memory list) {
        uint32[] memory ids = new uint32[](n);
        for (uint32 i; i < n; ++i) {
            ids[i] = 3 * i + 1;
        }
        return pack(ids);
    }

    function expectRejected(RequestParams memory p, bytes4 selector) private {
        expect(selector);
        oracle.request(p);
    }
}
