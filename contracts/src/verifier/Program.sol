// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Calldata} from "./Calldata.sol";

// slither-disable-start divide-before-multiply: quotients here are whole blocks and places; nothing is lost that a product needs

/// A weight of an operation.
struct Weight {
    uint256 tensor;
    uint256 kind;
    uint256 rows;
    uint256 columns;
}

/// A descriptor, decoded (docs/SPEC.md, the program).
struct Op {
    uint256 code;
    uint256 kind;
    uint256 form;
    uint256 width;
    uint256 blockLength;
    uint256[4] inputs;
    Weight[4] weights;
    uint256 heads;
    uint256 kvHeads;
    uint256 headWidth;
    uint256 rotary;
    uint256 pairing;
    uint256 scalar;
    uint256 vocabulary;
}

/// @title Operations: their descriptors and the rows that they make.
library Program {
    uint256 internal constant DESCRIPTOR_BYTES = 256;
    uint256 internal constant ABSENT = 0xffffffff;

    uint256 internal constant EMBED = 1;
    uint256 internal constant RMS = 2;
    uint256 internal constant NORM_Q = 3;
    uint256 internal constant QUANT = 4;
    uint256 internal constant LINEAR = 5;
    uint256 internal constant LINEAR_Q = 6;
    uint256 internal constant LINEAR_ROPE_Q = 7;
    uint256 internal constant LINEAR_SILU_MUL_Q = 8;
    uint256 internal constant LINEAR_ADD = 9;
    uint256 internal constant ROPE_Q = 10;
    uint256 internal constant SILU_MUL_Q = 11;
    uint256 internal constant ATTN = 12;
    uint256 internal constant SAMPLE = 13;

    uint256 internal constant KIND_ALL = 0;
    uint256 internal constant KIND_SAMPLED = 1;
    uint256 internal constant KIND_KV = 2;

    uint256 internal constant FORM_F32 = 0;
    uint256 internal constant FORM_A8 = 1;
    uint256 internal constant FORM_RMS = 2;
    uint256 internal constant FORM_SAMPLE = 3;

    /// The operation at an offset of the call's data, and whether the words that no operation uses
    /// are 0
    function decode(uint256 at) internal pure returns (Op memory op, bool whole) {
        unchecked {
            op.code = Calldata.u32(at);
            op.kind = Calldata.u32(at + 4);
            op.form = Calldata.u32(at + 8);
            op.width = Calldata.u32(at + 12);
            op.blockLength = Calldata.u32(at + 16);
            for (uint256 k; k < 4; ++k) {
                op.inputs[k] = Calldata.u32(at + 20 + 4 * k);
                uint256 w = at + 36 + 16 * k;
                op.weights[k] = Weight(
                    Calldata.u32(w), Calldata.u32(w + 4), Calldata.u32(w + 8), Calldata.u32(w + 12)
                );
            }
            op.heads = Calldata.u32(at + 100);
            op.kvHeads = Calldata.u32(at + 104);
            op.headWidth = Calldata.u32(at + 108);
            op.rotary = Calldata.u32(at + 112);
            op.pairing = Calldata.u32(at + 116);
            op.scalar = Calldata.u32(at + 120);
            op.vocabulary = Calldata.u32(at + 124);
            whole = Calldata.word(at + 128) | Calldata.word(at + 160) | Calldata.word(at + 192)
                    | Calldata.word(at + 224) == 0;
        }
    }

    /// Whether rows of this operation have their A8 blocks head by head.
    function isOfHeads(Op memory op) internal pure returns (bool) {
        return op.code == LINEAR_Q || op.code == LINEAR_ROPE_Q || op.code == ROPE_Q;
    }

    /// Blocks of an A8 row.
    function blocksOf(Op memory op) internal pure returns (uint256) {
        unchecked {
            if (op.headWidth != 0) return op.width / op.headWidth * blocksOfHead(op);
            return (op.width + op.blockLength - 1) / op.blockLength;
        }
    }

    function blocksOfHead(Op memory op) internal pure returns (uint256) {
        unchecked {
            return (op.headWidth + op.blockLength - 1) / op.blockLength;
        }
    }

    /// Bytes of a row in its committed form, of an operation whose own words break no rule.
    function rowBytes(Op memory op) internal pure returns (uint256) {
        unchecked {
            return op.form == FORM_A8 ? 8 * blocksOf(op) + op.width : 4 * op.width;
        }
    }
}
// slither-disable-end divide-before-multiply
