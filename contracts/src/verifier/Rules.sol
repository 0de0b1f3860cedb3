// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Op, Program, Weight} from "./Program.sol";
import {WeightRow} from "./WeightRow.sol";

/// Facts of the model that the rules need.
struct Limits {
    uint256 opCount;
    uint256 tensorCount;
    uint256 samplerOp;
    uint256 vocabulary;
}

/// @title Well-formed programs (docs/SPEC.md, section 13): one rule a function, true where it
/// holds.
library Rules {
    uint256 private constant MOST = 2 ** 24;
    uint256 private constant MOST_COLUMNS = 52_000;
    uint256 private constant MOST_PAIR_COLUMNS = 32_768;
    uint256 private constant MOST_RMS_WIDTH = 65_280;
    uint256 private constant MOST_HEADS = 4096;
    uint256 private constant BLOCK = 64;
    /// Number of inputs, a nibble an opcode, EMBED in bits 4 to 7.
    uint256 private constant INPUTS = 0x13212111112100;

    /// Whether the words of operation `index` alone break no rule.
    function isOwnWell(Op memory op, uint256 index, Limits memory m) internal pure returns (bool) {
        uint256 code = op.code;
        if (
            code == 0 || code > Program.SAMPLE || (code == Program.SAMPLE) != (index == m.samplerOp)
        ) return false;
        if (op.width == 0 || op.width > MOST) return false;
        return _rowWell(op) && _inputsPresent(op, index) && _headsWell(op) && _weightsWell(op, m)
            && op.vocabulary == (code == Program.EMBED || code == Program.SAMPLE ? m.vocabulary : 0)
            && (op.scalar == 0 || code == Program.RMS || code == Program.ATTN);
    }

    /// Whether the inputs of an operation that is well by itself fit it.
    function areInputsWell(Op memory op, Op[4] memory inputs) internal pure returns (bool) {
        uint256 code = op.code;
        Op memory x = inputs[0];
        if (code == Program.EMBED) return true;
        if (code == Program.RMS) return _isResidual(op, x) && op.width == _segments(x.width) + 1;
        if (code == Program.NORM_Q) {
            Op memory sums = inputs[1];
            return _isResidual(op, x) && x.width == op.width && sums.form == Program.FORM_RMS
                && sums.kind == op.kind && sums.width == _segments(op.width) + 1;
        }
        if (code == Program.QUANT) return _isF32(x, op.width);
        if (code == Program.SILU_MUL_Q) return _isF32(x, op.width) && _isF32(inputs[1], op.width);
        if (code == Program.ROPE_Q) return _isF32(x, _headRows(op));
        if (code == Program.ATTN) return _isAttention(op, inputs);
        // The LINEAR family, and SAMPLE
        uint256 kind = code == Program.SAMPLE ? Program.KIND_SAMPLED : Program.KIND_ALL;
        return _isA8(x, kind, BLOCK, op.weights[0].columns) && x.headWidth == 0
            && !Program.isOfHeads(x) && (code != Program.LINEAR_ADD || _isF32(inputs[1], op.width));
    }

    /// Kind, form, width as far as the operation's own words fix it, and block.
    function _rowWell(Op memory op) private pure returns (bool) {
        uint256 code = op.code;
        if (code == Program.EMBED || code == Program.LINEAR || code == Program.LINEAR_ADD) {
            return _isRow(op, Program.FORM_F32, 0) && op.kind == Program.KIND_ALL;
        }
        if (code == Program.ATTN) {
            return _isRow(op, Program.FORM_F32, 0) && op.kind == Program.KIND_ALL
                && op.width == _headRows(op);
        }
        if (code == Program.RMS) {
            return _isRow(op, Program.FORM_RMS, 0) && op.kind <= Program.KIND_SAMPLED;
        }
        if (code == Program.SAMPLE) {
            return
                _isRow(op, Program.FORM_SAMPLE, 0) && op.kind == Program.KIND_SAMPLED
                    && op.width == 2;
        }
        if (Program.isOfHeads(op)) {
            uint256 width = op.kind == Program.KIND_KV ? op.headWidth : _headRows(op);
            return _isRow(op, Program.FORM_A8, _headBlock(op)) && op.kind != Program.KIND_SAMPLED
                && op.kind <= Program.KIND_KV && op.width == width;
        }
        return _isRow(op, Program.FORM_A8, BLOCK) && op.kind <= (code == Program.NORM_Q ? 1 : 0);
    }

    /// The inputs that the operation has, all before it, and no other.
    function _inputsPresent(Op memory op, uint256 index) private pure returns (bool) {
        unchecked {
            uint256 count = (INPUTS >> (4 * op.code)) & 15;
            for (uint256 k; k < 4; ++k) {
                if (k < count ? op.inputs[k] >= index : op.inputs[k] != Program.ABSENT) {
                    return false;
                }
            }
            return true;
        }
    }

    function _headsWell(Op memory op) private pure returns (bool) {
        bool rotates = op.code == Program.LINEAR_ROPE_Q || op.code == Program.ROPE_Q;
        if (!Program.isOfHeads(op) && op.code != Program.ATTN) {
            return op.heads | op.kvHeads | op.headWidth | op.rotary | op.pairing == 0;
        }
        if (op.kvHeads == 0 || op.heads == 0 || op.heads > MOST_HEADS || op.heads % op.kvHeads != 0)
        {
            return false;
        }
        if (op.headWidth == 0 || (op.headWidth > 128 && op.headWidth != 256)) return false;
        if (!rotates) return op.rotary | op.pairing == 0;
        return op.rotary >= 2 && op.rotary <= op.headWidth && op.rotary % 2 == 0
            && (op.pairing == 1 || op.pairing == 2);
    }

    function _weightsWell(Op memory op, Limits memory m) private pure returns (bool) {
        uint256 code = op.code;
        Weight[4] memory w = op.weights;
        bool two = code == Program.LINEAR_SILU_MUL_Q;
        if (!two && (_isPresent(w[2]) || _isPresent(w[3]))) return false;
        if (code == Program.NORM_Q) return _isVector(w[0], op.width, m) && !_isPresent(w[1]);
        if (code == Program.EMBED) {
            return _isMatrix(w[0], m.vocabulary, MOST_COLUMNS, m) && w[0].columns == op.width
                && !_isPresent(w[1]);
        }
        if (code == Program.SAMPLE) {
            return _isMatrix(w[0], m.vocabulary, MOST_PAIR_COLUMNS, m) && !_isPresent(w[1]);
        }
        if (code < Program.LINEAR || code > Program.LINEAR_ADD) {
            return !_isPresent(w[0]) && !_isPresent(w[1]);
        }
        uint256 rows = Program.isOfHeads(op) ? _headRows(op) : op.width;
        uint256 most = two || code == Program.LINEAR_ROPE_Q ? MOST_PAIR_COLUMNS : MOST_COLUMNS;
        if (!_isMatrix(w[0], rows, most, m) || !_isBias(w[1], rows, m)) return false;
        return !two
            || (_isMatrix(w[2], rows, most, m)
                && w[2].columns == w[0].columns
                && _isBias(w[3], rows, m));
    }

    function _isRow(Op memory op, uint256 form, uint256 blockLength) private pure returns (bool) {
        return op.form == form && op.blockLength == blockLength;
    }

    function _isF32(Op memory x, uint256 width) private pure returns (bool) {
        return x.form == Program.FORM_F32 && x.kind == Program.KIND_ALL && x.width == width;
    }

    function _isA8(Op memory x, uint256 kind, uint256 blockLength, uint256 width)
        private
        pure
        returns (bool)
    {
        return _isRow(x, Program.FORM_A8, blockLength) && x.kind == kind && x.width == width;
    }

    /// Whether `op`, RMS or NORM_Q, can read `x`.
    function _isResidual(Op memory op, Op memory x) private pure returns (bool) {
        return x.form == Program.FORM_F32
            && (x.kind == Program.KIND_ALL || (x.kind == 1 && op.kind == 1)) && x.width != 0
            && x.width <= MOST_RMS_WIDTH;
    }

    function _isAttention(Op memory op, Op[4] memory inputs) private pure returns (bool) {
        unchecked {
            for (uint256 k; k < 3; ++k) {
                Op memory x = inputs[k];
                if (x.heads != op.heads || x.kvHeads != op.kvHeads || x.headWidth != op.headWidth) {
                    return false;
                }
                uint256 kind = k == 0 ? Program.KIND_ALL : Program.KIND_KV;
                if (!_isA8(x, kind, _headBlock(op), k == 0 ? op.width : op.headWidth)) {
                    return false;
                }
            }
            return true;
        }
    }

    /// Elements of a projection to heads: of queries, or of keys or values.
    function _headRows(Op memory op) private pure returns (uint256) {
        unchecked {
            return (op.kind == Program.KIND_KV ? op.kvHeads : op.heads) * op.headWidth;
        }
    }

    function _headBlock(Op memory op) private pure returns (uint256) {
        return op.headWidth < 128 ? op.headWidth : 128;
    }

    function _segments(uint256 width) private pure returns (uint256) {
        unchecked {
            return (width + 255) / 256;
        }
    }

    function _isPresent(Weight memory w) private pure returns (bool) {
        return w.tensor != Program.ABSENT || w.kind | w.rows | w.columns != 0;
    }

    function _isVector(Weight memory w, uint256 columns, Limits memory m)
        private
        pure
        returns (bool)
    {
        return w.tensor < m.tensorCount && w.kind == WeightRow.F32 && w.rows == 1
            && w.columns == columns;
    }

    function _isBias(Weight memory w, uint256 columns, Limits memory m)
        private
        pure
        returns (bool)
    {
        return !_isPresent(w) || _isVector(w, columns, m);
    }

    function _isMatrix(Weight memory w, uint256 rows, uint256 mostColumns, Limits memory m)
        private
        pure
        returns (bool)
    {
        // slither-disable-next-line unused-return: a stored block's bytes are no matter of the rules
        (uint256 elements,) = WeightRow.blockOf(w.kind);
        return elements != 0 && w.tensor < m.tensorCount && w.rows == rows && rows != 0
            && rows <= MOST && w.columns != 0 && w.columns % elements == 0
            && w.columns <= mostColumns;
    }
}
