// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Calldata} from "../../src/verifier/Calldata.sol";
import {Float32} from "../../src/verifier/Float32.sol";
import {Math32} from "../../src/verifier/Math32.sol";
import {Philox} from "../../src/verifier/Philox.sol";
import {Sample} from "../../src/verifier/Sample.sol";
import {Silu} from "../../src/verifier/Silu.sol";
import {VectorFiles} from "./VectorFiles.sol";

/// Each function runs over the records of a part, where they lie in the call's data.
contract ScalarHarness {
    error Mismatch(uint256 record, uint256 a, uint256 b, uint256 c, uint256 got, uint256 wanted);

    /// Operands and the result, of which the function computes its own.
    function run(
        bytes calldata part,
        uint256 operands,
        function(uint256, uint256, uint256) internal pure returns (uint256) op
    ) private pure returns (uint256 cases) {
        unchecked {
            uint256 size = 4 * operands + 4;
            cases = part.length / size;
            require(part.length == cases * size, "whole records");
            uint256 at = offset(part);
            for (uint256 i; i < cases; ++i) {
                uint256 a = Calldata.u32(at);
                uint256 b = operands > 1 ? Calldata.u32(at + 4) : 0;
                uint256 c = operands > 2 ? Calldata.u32(at + 8) : 0;
                uint256 wanted = Calldata.u32(at + size - 4);
                uint256 got = op(a, b, c);
                if (got != wanted) revert Mismatch(i, a, b, c, got, wanted);
                at += size;
            }
        }
    }

    function offset(bytes calldata part) private pure returns (uint256 at) {
        assembly ("memory-safe") {
            at := part.offset
        }
    }

    function add(bytes calldata part) external pure returns (uint256) {
        return run(part, 2, addOf);
    }

    function sub(bytes calldata part) external pure returns (uint256) {
        return run(part, 2, subOf);
    }

    function mul(bytes calldata part) external pure returns (uint256) {
        return run(part, 2, mulOf);
    }

    function div(bytes calldata part) external pure returns (uint256) {
        return run(part, 2, divOf);
    }

    function fma(bytes calldata part) external pure returns (uint256) {
        return run(part, 3, fmaOf);
    }

    function sqrt(bytes calldata part) external pure returns (uint256) {
        return run(part, 1, sqrtOf);
    }

    function exp32(bytes calldata part) external pure returns (uint256) {
        return run(part, 1, expOf);
    }

    function log32(bytes calldata part) external pure returns (uint256) {
        return run(part, 1, logOf);
    }

    function rint(bytes calldata part) external pure returns (uint256) {
        return run(part, 1, rintOf);
    }

    function order(bytes calldata part) external pure returns (uint256) {
        return run(part, 2, greaterOf);
    }

    function siluMul(bytes calldata part) external pure returns (uint256) {
        return run(part, 2, siluOf);
    }

    function addOf(uint256 a, uint256 b, uint256) private pure returns (uint256) {
        return Float32.add(a, b);
    }

    /// The file is that of the sum: a - (-b).
    function subOf(uint256 a, uint256 b, uint256) private pure returns (uint256) {
        return Float32.sub(a, b ^ Float32.SIGN);
    }

    function mulOf(uint256 a, uint256 b, uint256) private pure returns (uint256) {
        return Float32.mul(a, b);
    }

    function divOf(uint256 a, uint256 b, uint256) private pure returns (uint256) {
        return Float32.div(a, b);
    }

    function fmaOf(uint256 a, uint256 b, uint256 c) private pure returns (uint256) {
        return Float32.fma(a, b, c);
    }

    function sqrtOf(uint256 a, uint256, uint256) private pure returns (uint256) {
        return Float32.sqrt(a);
    }

    function expOf(uint256 a, uint256, uint256) private pure returns (uint256) {
        return Math32.exp32(a);
    }

    function logOf(uint256 a, uint256, uint256) private pure returns (uint256) {
        return Math32.log32(a);
    }

    function rintOf(uint256 a, uint256, uint256) private pure returns (uint256) {
        return Float32.fromInt(Float32.toInt(a));
    }

    function greaterOf(uint256 a, uint256 b, uint256) private pure returns (uint256) {
        return Float32.greater(a, b) ? 1 : 0;
    }

    function siluOf(uint256 gate, uint256 up, uint256) private pure returns (uint256) {
        return Silu.mul(gate, up);
    }

    /// The floats of the binary16 numbers 0 to 65,535.
    function half(bytes calldata part) external pure returns (uint256 cases) {
        uint256 at = offset(part);
        for (cases = 0; 4 * cases < part.length; ++cases) {
            uint256 wanted = Calldata.u32(at + 4 * cases);
            uint256 got = Float32.fromHalf(cases);
            if (got != wanted) revert Mismatch(cases, cases, 0, 0, got, wanted);
        }
    }

    function philox(bytes calldata part) external pure returns (uint256 cases) {
        uint256 at = offset(part);
        for (cases = 0; 32 * cases < part.length; ++cases) {
            uint256 record = at + 32 * cases;
            uint64 key = uint64(Calldata.u32(record + 8) | (Calldata.u32(record + 12) << 32));
            uint256 words = Philox.block4(Calldata.u32(record), Calldata.u32(record + 4), key);
            for (uint256 k; k < 4; ++k) {
                uint256 wanted = Calldata.u32(record + 16 + 4 * k);
                uint256 got = (words >> (32 * k)) & 0xffffffff;
                if (got != wanted) revert Mismatch(cases, key, k, 0, got, wanted);
            }
        }
    }

    /// The maximum, its index and the chosen token of 8 logits, as SAMPLE and the policy define
    /// them over all tokens.
    function sample(bytes calldata part) external pure returns (uint256 cases) {
        uint256 size = 64;
        for (cases = 0; size * cases < part.length; ++cases) {
            uint256 at = offset(part) + size * cases;
            uint256 m = Float32.canonical(Calldata.u32(at));
            uint256 index;
            for (uint256 k = 1; k < 8; ++k) {
                uint256 logit = Float32.canonical(Calldata.u32(at + 4 * k));
                if (Float32.greater(logit, m)) (m, index) = (logit, k);
            }
            if (m != Calldata.u32(at + 52)) {
                revert Mismatch(cases, 0, 0, 0, m, Calldata.u32(at + 52));
            }
            if (index != Calldata.u32(at + 56)) {
                revert Mismatch(cases, 1, 0, 0, index, Calldata.u32(at + 56));
            }
            uint256 token = chosen(at, m, index);
            if (token != Calldata.u32(at + 60)) {
                revert Mismatch(cases, 2, 0, 0, token, Calldata.u32(at + 60));
            }
        }
    }

    function chosen(uint256 at, uint256 m, uint256 index) private pure returns (uint256 token) {
        uint256 inverse = Float32.div(Float32.ONE, Calldata.u32(at + 32));
        uint64 seed = uint64(Calldata.u32(at + 40) | (Calldata.u32(at + 44) << 32));
        bool any;
        uint256 best;
        token = index;
        for (uint256 k; k < 8; ++k) {
            uint256 logit = Float32.canonical(Calldata.u32(at + 4 * k));
            if (!Sample.passes(logit, m, inverse, Calldata.u32(at + 36))) continue;
            uint256 score = Sample.score(logit, inverse, k, Calldata.u32(at + 48), seed);
            if (!any || Float32.greater(score, best)) (any, best, token) = (true, score, k);
        }
    }
}

/// Results of the kernels for single floats, bit by bit.
contract ScalarVectorsTest is VectorFiles {
    ScalarHarness internal harness = new ScalarHarness();

    function test_float32_add_isThatOfC() public {
        check(harness.add, "f32_add", floatCases());
    }

    function test_float32_sub_isThatOfC() public {
        check(harness.sub, "f32_add", floatCases());
    }

    function test_float32_mul_isThatOfC() public {
        check(harness.mul, "f32_mul", floatCases());
    }

    function test_float32_div_isThatOfC() public {
        check(harness.div, "f32_div", floatCases());
    }

    function test_float32_fma_isThatOfC() public {
        check(harness.fma, "f32_fma", floatCases());
    }

    function test_float32_sqrt_isThatOfC() public {
        check(harness.sqrt, "f32_sqrt", floatCases());
    }

    function test_exp32_isThatOfC() public {
        check(harness.exp32, "exp32", 10 * operationCases());
    }

    function test_log32_isThatOfC() public {
        check(harness.log32, "log32", 10 * operationCases());
    }

    function test_float32_rint_isThatOfC() public {
        check(harness.rint, "rint", operationCases());
    }

    function test_float32_fromHalf_isThatOfC() public {
        check(harness.half, "half", 65_536);
    }

    function test_float32_order_isThatOfC() public {
        check(harness.order, "order", operationCases());
    }

    function test_siluMul_isThatOfC() public {
        check(harness.siluMul, "silu_mul", operationCases());
    }

    function test_philox_isThatOfC() public {
        check(harness.philox, "philox", operationCases());
    }

    function test_sample_isThatOfC() public {
        check(harness.sample, "sample", operationCases());
    }
}
