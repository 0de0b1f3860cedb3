// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {A8} from "../../src/verifier/A8.sol";
import {Attention, AttentionChunk} from "../../src/verifier/Attention.sol";
import {Calldata} from "../../src/verifier/Calldata.sol";
import {Float32} from "../../src/verifier/Float32.sol";
import {Linear} from "../../src/verifier/Linear.sol";
import {Norm} from "../../src/verifier/Norm.sol";
import {Rope} from "../../src/verifier/Rope.sol";
import {Group, WeightRow} from "../../src/verifier/WeightRow.sol";
import {VectorFiles} from "./VectorFiles.sol";

/// Each function runs over the records of a part, where they lie in the call's data.
contract RowHarness {
    error Mismatch(uint256 record, uint256 element, uint256 got, uint256 wanted);

    function offset(bytes calldata part) private pure returns (uint256 at) {
        assembly ("memory-safe") {
            at := part.offset
        }
    }

    function equal(uint256 record, uint256 element, uint256 got, uint256 wanted) private pure {
        if (got != wanted) revert Mismatch(record, element, got, wanted);
    }

    /* A8 */

    function a8(bytes calldata part) external pure returns (uint256 cases) {
        uint256 at = offset(part);
        uint256 end = at + part.length;
        for (; at < end; ++cases) {
            uint256 count = Calldata.u32(at);
            uint256[] memory x = new uint256[](count);
            for (uint256 i; i < count; ++i) {
                x[i] = Float32.canonical(Calldata.u32(at + 4 + 4 * i));
            }
            at = block_(cases, x, at + 4 + 4 * count);
        }
    }

    function normQ(bytes calldata part) external pure returns (uint256 cases) {
        uint256 at = offset(part);
        uint256 end = at + part.length;
        for (; at < end; ++cases) {
            uint256 count = Calldata.u32(at);
            uint256 r = Calldata.u32(at + 4);
            at += 8;
            uint256[] memory x = new uint256[](count);
            for (uint256 i; i < count; ++i) {
                x[i] =
                    Norm.scaled(Calldata.u32(at + 4 * i), r, Calldata.u32(at + 4 * count + 4 * i));
            }
            at = block_(cases, x, at + 8 * count);
        }
    }

    /// The whole block of x is the one at an offset: made anew, and element by element. Returns the
    /// end of the record.
    function block_(uint256 record, uint256[] memory x, uint256 at) private pure returns (uint256) {
        uint256 count = x.length;
        uint256 d = Calldata.u32(at);
        uint256 index = Calldata.u32(at + 4);
        uint256 made;
        uint256 madeIndex;
        for (uint256 j; j < count; ++j) {
            uint256 a = A8.scaleOf(x[j]);
            if (a > made) (made, madeIndex) = (a, j);
        }
        equal(record, count, made, d);
        equal(record, count + 1, madeIndex, index);
        uint256 inverse = A8.inverseOf(d);
        for (uint256 j; j < count; ++j) {
            int256 q = Calldata.i8(at + 8 + j);
            equal(record, j, uint256(A8.valueOf(x[j], inverse)), uint256(q));
            require(!A8.isEntryWrong(x[j], j, count, d, index), "an honest entry");
            require(!A8.isValueWrong(x[j], d, q), "an honest value");
            require(A8.isValueWrong(x[j], d, q ^ 1), "a value with a flipped bit");
            require(A8.isEntryWrong(x[j], j, count, d, count), "an index outside");
        }
        // At least one element shows that an entry is wrong.
        if (count > 1) require(!isEntryRight(x, count, d, (index + 1) % count), "another index");
        require(!isEntryRight(x, count, d ^ 1, index), "another scale");
        require(!isEntryRight(x, count, d ^ Float32.SIGN, index), "a scale with another sign");
        return at + 8 + count;
    }

    /// Whether no element shows the entry wrong.
    function isEntryRight(uint256[] memory x, uint256 count, uint256 d, uint256 index)
        private
        pure
        returns (bool)
    {
        for (uint256 j; j < count; ++j) {
            if (A8.isEntryWrong(x[j], j, count, d, index)) return false;
        }
        return true;
    }

    /* LINEAR, EMBED */

    function linear(bytes calldata part, uint256 kind) external pure returns (uint256 cases) {
        uint256 at = offset(part);
        uint256 end = at + part.length;
        (uint256 elements, uint256 size) = WeightRow.blockOf(kind);
        for (; at < end; ++cases) {
            uint256 columns = Calldata.u32(at);
            at += 4;
            uint256 x = at + columns / elements * size;
            uint256 y = Linear.element(kind, columns, at, x);
            at = x + 8 * ((columns + 63) / 64) + columns;
            equal(cases, columns, y, Calldata.u32(at));
            equal(cases, columns, Float32.add(y, Calldata.u32(at + 8)), Calldata.u32(at + 4));
            at += 12;
        }
    }

    function embed(bytes calldata part, uint256 kind) external pure returns (uint256 cases) {
        uint256 at = offset(part);
        uint256 end = at + part.length;
        (, uint256 size) = WeightRow.blockOf(kind);
        Group memory g = WeightRow.ofType(kind);
        for (; at < end; ++cases) {
            WeightRow.load(g, at + 4, Calldata.u32(at));
            at += 4 + size;
            // a quarter of the elements, another one each time
            for (uint256 j = cases % 4; j < 32; j += 4) {
                equal(cases, j, WeightRow.element(g, j), Calldata.u32(at + 4 * j));
            }
            at += 128;
        }
    }

    /* RMS, ROPE */

    function rms(bytes calldata part) external pure returns (uint256 cases) {
        uint256 at = offset(part);
        uint256 end = at + part.length;
        for (; at < end; ++cases) {
            uint256 width = Calldata.u32(at);
            uint256 epsilon = Calldata.u32(at + 4);
            at += 8;
            uint256 sums = at + 4 * width;
            for (uint256 i; i < width; i += 256) {
                uint256 count = width - i < 256 ? width - i : 256;
                equal(cases, i, Norm.segment(at + 4 * i, count), Calldata.u32(sums + i / 64));
            }
            at = sums + 4 * ((width + 255) / 256);
            equal(cases, width, Norm.inverseRoot(sums, width, epsilon), Calldata.u32(at));
            at += 4;
        }
    }

    function rope(bytes calldata part) external pure returns (uint256 cases) {
        uint256 at = offset(part);
        uint256 end = at + part.length;
        for (; at < end; ++cases) {
            uint256 width = Calldata.u32(at);
            uint256 rotary = Calldata.u32(at + 4);
            uint256 pairing = Calldata.u32(at + 8);
            at += 12;
            for (uint256 i; i < width; ++i) {
                uint256 wanted = Calldata.u32(at + 4 * (width + rotary + i));
                if (i >= rotary) {
                    equal(cases, i, Float32.canonical(Calldata.u32(at + 4 * i)), wanted);
                    continue;
                }
                (uint256 number, uint256 a, uint256 b) = Rope.pairOf(i, rotary, pairing);
                uint256 angle = at + 4 * width + 8 * number;
                uint256 got = Rope.rotate(
                    Calldata.u32(at + 4 * a),
                    Calldata.u32(at + 4 * b),
                    Calldata.u32(angle),
                    Calldata.u32(angle + 4),
                    i == a
                );
                equal(cases, i, got, wanted);
            }
            at += 4 * (width + rotary + width);
        }
    }

    /* ATTN */

    struct Sums {
        uint256 m;
        uint256 z;
        uint256 o;
    }

    function attention(bytes calldata part) external pure returns (uint256 cases) {
        uint256 at = offset(part);
        uint256 end = at + part.length;
        for (; at < end; ++cases) {
            AttentionChunk memory c;
            (c.headWidth, c.scale) = (Calldata.u32(at), Calldata.u32(at + 8));
            c.blockLength = c.headWidth < 128 ? c.headWidth : 128;
            uint256 positions = Calldata.u32(at + 4) + 1;
            uint256 entries = c.headWidth == 256 ? 16 : 8;
            c.entries = at + 16;
            c.query = c.entries + entries;
            c.keys = c.query + c.headWidth;
            c.values = c.keys + positions * (entries + c.headWidth);
            uint256 y = attend(c, positions, Calldata.u32(at + 12));
            at += 16 + (2 * positions + 1) * (entries + c.headWidth);
            equal(cases, positions, y, Calldata.u32(at));
            at += 4;
        }
    }

    function attend(AttentionChunk memory c, uint256 positions, uint256 element)
        private
        pure
        returns (uint256)
    {
        uint256 size = c.query + c.headWidth - c.entries;
        Sums[] memory chunks = new Sums[]((positions + 31) / 32);
        uint256 m;
        for (uint256 i; i < chunks.length; ++i) {
            c.count = positions - 32 * i < 32 ? positions - 32 * i : 32;
            Sums memory s = chunks[i];
            (s.m, s.z, s.o) = Attention.chunk(c, element);
            if (i == 0 || Float32.greater(s.m, m)) m = s.m;
            c.keys += 32 * size;
            c.values += 32 * size;
        }
        uint256 z;
        uint256 o;
        for (uint256 i; i < chunks.length; ++i) {
            (z, o) = Attention.accumulate(m, chunks[i].m, chunks[i].z, chunks[i].o, z, o);
        }
        return Float32.div(o, z);
    }
}

/// Results of the kernels for rows and blocks, bit by bit.
contract RowVectorsTest is VectorFiles {
    RowHarness internal harness = new RowHarness();
    uint256 internal kind;

    function test_a8_isThatOfC() public {
        check(harness.a8, "a8", operationCases());
    }

    function test_normQ_isThatOfC() public {
        check(harness.normQ, "norm_q", operationCases());
    }

    function test_rms_isThatOfC() public {
        check(harness.rms, "rms", operationCases());
    }

    function test_rope_isThatOfC() public {
        check(harness.rope, "rope", operationCases());
    }

    function test_attention_isThatOfC() public {
        check(harness.attention, "attn", operationCases());
    }

    function test_linear_isThatOfC() public {
        (string[8] memory names, uint256[8] memory kinds) = types();
        for (uint256 i; i < 8; ++i) {
            kind = kinds[i];
            check(this.linear, string.concat("linear_", names[i]), operationCases());
        }
    }

    function test_embed_isThatOfC() public {
        (string[8] memory names, uint256[8] memory kinds) = types();
        for (uint256 i; i < 8; ++i) {
            kind = kinds[i];
            check(this.embed, string.concat("embed_", names[i]), operationCases());
        }
    }

    function linear(bytes memory part) external view returns (uint256) {
        return harness.linear(part, kind);
    }

    function embed(bytes memory part) external view returns (uint256) {
        return harness.embed(part, kind);
    }

    function types() private pure returns (string[8] memory, uint256[8] memory) {
        return (
            ["q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "q4_k", "q5_k", "q6_k"],
            [
                WeightRow.Q4_0,
                WeightRow.Q4_1,
                WeightRow.Q5_0,
                WeightRow.Q5_1,
                WeightRow.Q8_0,
                WeightRow.Q4_K,
                WeightRow.Q5_K,
                WeightRow.Q6_K
            ]
        );
    }
}
