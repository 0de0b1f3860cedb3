// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ClaimFacts, IStepVerifier} from "../interfaces/IStepVerifier.sol";
import {A8} from "./A8.sol";
import {Calldata} from "./Calldata.sol";
import {Float32} from "./Float32.sol";
import {Linear} from "./Linear.sol";
import {Norm} from "./Norm.sol";
import {Op, Program, Weight} from "./Program.sol";
import {Proof, Proofs} from "./Proof.sol";
import {Rope} from "./Rope.sol";
import {Silu} from "./Silu.sol";
import {Group, WeightRow} from "./WeightRow.sol";

// slither-disable-start uninitialized-local: a local begins at 0, and is meant to
// slither-disable-start divide-before-multiply: quotients here are whole blocks and places; nothing is lost that a product needs

/// Where an element of an A8 row lies.
struct Place {
    /// bytes of the row: the entry of the element's block, and its value
    uint256 entry;
    uint256 value;
    /// its number in the block, and the block's length
    uint256 j;
    uint256 length;
}

/// @title Units of kind Output of all operations but SAMPLE: one element or segment of a committed
/// row (docs/SPEC.md, section 13).
library Outputs {
    using Proofs for Proof;
    using Program for Op;

    /// The disputed chunk was read.
    function isWrong(Proof memory p, ClaimFacts calldata facts) internal pure returns (bool) {
        if (p.op.form == Program.FORM_A8) return _isA8Wrong(p);
        if (p.op.form == Program.FORM_RMS) return _isRmsWrong(p);
        return _isF32Wrong(p, facts);
    }

    /// LINEAR of row r of a weight against an A8 row at an offset, with the bias behind it if there
    /// is one.
    function linear(Proof memory p, uint256 k, uint256 r, uint256 x)
        internal
        pure
        returns (uint256 y)
    {
        unchecked {
            Weight memory w = p.op.weights[k];
            uint256 row = p.readWeight(w, r, 0, Proofs.weightRowBytes(w));
            y = Linear.element(w.kind, w.columns, row, x);
            // EMBED and SAMPLE have one weight: the next is absent.
            Weight memory bias = p.op.weights[k + 1];
            if (bias.tensor == Program.ABSENT) return y;
            return Float32.add(y, Calldata.u32(p.readWeight(bias, 0, 4 * r, 4 * r + 4)));
        }
    }

    /* A8 ROWS */

    function _isA8Wrong(Proof memory p) private pure returns (bool) {
        unchecked {
            uint256 e = p.unit;
            if (e >= p.op.width) revert IStepVerifier.BadUnit();
            Place memory at = _placeOf(p.op, e);
            bool entryDisputed = p.isDisputed(at.entry, at.entry + 8);
            bool valueDisputed = p.isDisputed(at.value, at.value + 1);
            if (!entryDisputed && !valueDisputed) revert IStepVerifier.BadUnit();
            uint256 entry = entryDisputed ? p.disputed(at.entry) : p.readOwn(at.entry, at.entry + 8);
            uint256 x = Float32.canonical(_quantised(p, e));
            uint256 d = Calldata.u32(entry);
            if (entryDisputed && A8.isEntryWrong(x, at.j, at.length, d, Calldata.u32(entry + 4))) {
                return true;
            }
            return valueDisputed && A8.isValueWrong(x, d, Calldata.i8(p.disputed(at.value)));
        }
    }

    function _placeOf(Op memory op, uint256 e) private pure returns (Place memory at) {
        unchecked {
            at.length = op.blockLength;
            at.value = 8 * op.blocksOf() + e;
            if (op.isOfHeads()) {
                uint256 i = e % op.headWidth;
                at.entry = 8 * (e / op.headWidth * op.blocksOfHead() + i / at.length);
                at.j = i % at.length;
                return at;
            }
            uint256 b = e / at.length;
            (at.entry, at.j) = (8 * b, e % at.length);
            if (op.width - b * at.length < at.length) at.length = op.width - b * at.length;
        }
    }

    /// The float that element e of an A8 row is made of.
    function _quantised(Proof memory p, uint256 e) private pure returns (uint256) {
        unchecked {
            uint256 code = p.op.code;
            if (code == Program.NORM_Q) {
                uint256 x = p.readElement(0, e);
                uint256 r = p.readElement(1, p.inputs[1].width - 1);
                return
                    Norm.scaled(
                        x, r, Calldata.u32(p.readWeight(p.op.weights[0], 0, 4 * e, 4 * e + 4))
                    );
            }
            if (code == Program.QUANT) return p.readElement(0, e);
            if (code == Program.SILU_MUL_Q) {
                uint256 gate = p.readElement(0, e);
                return Silu.mul(gate, p.readElement(1, e));
            }
            if (code == Program.LINEAR_SILU_MUL_Q) {
                uint256 x = p.readInputRow(0);
                uint256 gate = linear(p, 0, e, x);
                return Silu.mul(gate, linear(p, 2, e, x));
            }
            return _projected(p, e);
        }
    }

    /// LINEAR_Q, LINEAR_ROPE_Q and ROPE_Q: an element of a head, rotated where the operation
    /// rotates it.
    function _projected(Proof memory p, uint256 e) private pure returns (uint256) {
        unchecked {
            bool isLinear = p.op.code != Program.ROPE_Q;
            uint256 x = isLinear ? p.readInputRow(0) : 0;
            uint256 r = p.head * p.op.headWidth + e;
            uint256 i = r % p.op.headWidth;
            if (i >= p.op.rotary) return _before(p, isLinear, r, x);
            (uint256 number, uint256 a, uint256 b) = Rope.pairOf(i, p.op.rotary, p.op.pairing);
            bool first = i == a;
            // from here on the elements themselves
            a = _before(p, isLinear, r - i + a, x);
            b = _before(p, isLinear, r - i + b, x);
            uint256 angle = p.readRope(8 * number, 8 * number + 8);
            return Rope.rotate(a, b, Calldata.u32(angle), Calldata.u32(angle + 4), first);
        }
    }

    /// Element r of the projection before it is rotated.
    function _before(Proof memory p, bool isLinear, uint256 r, uint256 x)
        private
        pure
        returns (uint256)
    {
        return isLinear ? linear(p, 0, r, x) : p.readElement(0, r);
    }

    /* ROWS OF FLOAT32 */

    function _isF32Wrong(Proof memory p, ClaimFacts calldata facts) private pure returns (bool) {
        unchecked {
            uint256 e = p.unit;
            if (e >= p.op.width || !p.isDisputed(4 * e, 4 * e + 4)) revert IStepVerifier.BadUnit();
            uint256 y;
            if (p.op.code == Program.EMBED) {
                y = _embedded(p, facts, e);
            } else if (p.op.code == Program.LINEAR) {
                y = linear(p, 0, e, p.readInputRow(0));
            } else if (p.op.code == Program.LINEAR_ADD) {
                uint256 x = p.readElement(1, e);
                y = Float32.add(x, linear(p, 0, e, p.readInputRow(0)));
            } else {
                // An element of ATTN is proved by its partials.
                revert IStepVerifier.BadUnit();
            }
            return Float32.canonical(y) != Calldata.u32(p.disputed(4 * e));
        }
    }

    function _embedded(Proof memory p, ClaimFacts calldata facts, uint256 e)
        private
        pure
        returns (uint256)
    {
        unchecked {
            uint256 t = p.position;
            uint256 id = t < p.promptCount
                ? p.readToken(facts.promptHash, p.promptCount, t)
                : p.readToken(facts.tokensHash, p.sampled, t - p.promptCount);
            return id < p.op.weights[0].rows ? _weight(p, p.op.weights[0], id, e) : 0;
        }
    }

    /// Element e of a row of a matrix.
    function _weight(Proof memory p, Weight memory w, uint256 row, uint256 e)
        private
        pure
        returns (uint256)
    {
        unchecked {
            (uint256 elements, uint256 size) = WeightRow.blockOf(w.kind);
            uint256 lo = e / elements * size;
            uint256 at = p.readWeight(w, row, lo, lo + size);
            Group memory g = WeightRow.ofType(w.kind);
            WeightRow.load(g, at, e % elements / 32);
            return WeightRow.element(g, e % 32);
        }
    }

    /* RMS */

    function _isRmsWrong(Proof memory p) private pure returns (bool) {
        unchecked {
            uint256 s = p.unit;
            if (s >= p.op.width || !p.isDisputed(4 * s, 4 * s + 4)) revert IStepVerifier.BadUnit();
            uint256 width = p.inputs[0].width;
            uint256 y;
            if (s == p.op.width - 1) {
                y = Norm.inverseRoot(p.at, width, p.op.scalar);
            } else {
                uint256 count = width - 256 * s < 256 ? width - 256 * s : 256;
                y = Norm.segment(p.readInput(0, 1024 * s, 1024 * s + 4 * count), count);
            }
            return y != Calldata.u32(p.disputed(4 * s));
        }
    }
}
// slither-disable-end uninitialized-local,divide-before-multiply
