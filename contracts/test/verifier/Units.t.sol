// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {StepVerifierExtension} from "../../src/StepVerifierExtension.sol";
import {IStepVerifier, Opening, UnitKind} from "../../src/interfaces/IStepVerifier.sol";
import {Op, Program} from "../../src/verifier/Program.sol";
import {WeightRow} from "../../src/verifier/WeightRow.sol";
import {Scene, Scenes} from "./Scene.sol";
import {SceneTest} from "./SceneTest.sol";

/// Units of kind Output on rows whose values a reader can check by hand: small integers, scales of
/// 1, cosines of 1.
contract UnitsTest is SceneTest {
    using Scenes for Scene;

    uint256 internal constant OP = 10;
    uint256 internal constant X = 5;
    uint256 internal constant POSITION = 2;

    /// Twelve operations, four tensors, three prompt tokens and two of the answer: four positions.
    function scene(uint256 leaf, uint256 unit) internal pure returns (Scene memory s) {
        s = Scenes.create(12, 4, 3, 2);
        s.model.vocabSize = 4;
        s.unit(UnitKind.Output, OP, leaf, unit, 0);
    }

    function trace(Scene memory s, uint256 op, bytes memory row, uint256 lo, uint256 hi)
        internal
        pure
    {
        s.bytesOf(Scenes.TRACE, op, 2, POSITION, row, lo, hi);
    }

    function whole(Scene memory s, uint256 op, bytes memory row) internal pure {
        trace(s, op, row, 0, row.length);
    }

    function f32Row(uint256 width) internal pure returns (Op memory) {
        return Scenes.plain(Program.LINEAR_ADD, 0, Program.FORM_F32, width, 0);
    }

    function a8Row(uint256 code, uint256 width) internal pure returns (Op memory) {
        return Scenes.plain(code, 0, Program.FORM_A8, width, 64);
    }

    function weight(Op memory op, uint256 k, uint256 kind, uint256 rows, uint256 columns)
        internal
        pure
    {
        op.weights[k].tensor = k;
        (op.weights[k].kind, op.weights[k].rows, op.weights[k].columns) = (kind, rows, columns);
    }

    /* A8 ROWS */

    /// Two blocks, of 64 and 6 elements: scales 1 (element 5) and 2 (element 66).
    function quant(uint256 unit, uint256 flip) internal pure returns (Scene memory s) {
        s = scene(POSITION, unit);
        Op memory op = a8Row(Program.QUANT, 70);
        op.inputs[0] = X;
        int256[] memory x = new int256[](70);
        int256[] memory q = new int256[](70);
        for (uint256 i; i < 70; ++i) {
            x[i] = int256(i % 5) - 2;
            if (i >= 64) x[i] *= 2;
        }
        (x[5], x[66]) = (127, -254);
        for (uint256 i; i < 70; ++i) {
            q[i] = i < 64 ? x[i] : x[i] / 2;
        }
        bytes memory row = bytes.concat(le32(f32(1)), le32(5), le32(f32(2)), le32(2), bytesOf(q));
        s.descriptor(OP, op);
        s.descriptor(X, f32Row(70));
        whole(s, OP, flipped(row, flip));
        trace(s, X, floats(x), 4 * unit, 4 * unit + 4);
    }

    function test_isWrong_quant_everyBit() public view {
        // The scale of the first block by its element 5, the index by the greater of it and what is
        // claimed.
        checkBits(quant, 5, 0, 32);
        for (uint256 bit; bit < 32; ++bit) {
            uint256 claimed = 5 ^ (1 << bit);
            checkBits(quant, claimed < 5 ? claimed : 5, 32 + bit, 33 + bit);
        }
        checkBits(quant, 66, 64, 96);
        for (uint256 bit; bit < 32; ++bit) {
            uint256 claimed = 2 ^ (1 << bit);
            checkBits(quant, claimed < 2 ? 64 + claimed : 66, 96 + bit, 97 + bit);
        }
        for (uint256 e; e < 70; ++e) {
            checkBits(quant, e, 128 + 8 * e, 136 + 8 * e);
        }
    }

    /// The extension judges nothing that is not its own, whoever asks.
    function test_extension_otherOperation_reverts() public {
        Scene memory s = quant(9, NONE);
        assertFalse(verdict(s));
        StepVerifierExtension extension = StepVerifierExtension(verifier.extension());
        vm.expectRevert(IStepVerifier.BadUnit.selector);
        extension.isWrong(s.facts, s.traceRoot, s.model, s.witness, "");
    }

    function test_isWrong_quant_spoiltWitness_reverts() public view {
        checkSpoilt(quant(3, NONE), "");
    }

    function test_isWrong_quant_unitOutside_reverts() public view {
        Scene memory s = quant(69, NONE);
        s.finish();
        s.witness.unit = 70;
        mustRevert(s, "", "an element too far");
    }

    /// x * 0.5 * 2
    function norm(uint256 unit, uint256 flip) internal pure returns (Scene memory s) {
        s = scene(POSITION, unit);
        Op memory op = a8Row(Program.NORM_Q, 32);
        (op.inputs[0], op.inputs[1]) = (X, X + 1);
        weight(op, 0, WeightRow.F32, 1, 32);
        int256[] memory x = new int256[](32);
        for (uint256 i; i < 32; ++i) {
            x[i] = int256(i);
        }
        x[9] = -127;
        int256[] memory gain = new int256[](32);
        for (uint256 i; i < 32; ++i) {
            gain[i] = 2;
        }
        s.descriptor(OP, op);
        s.descriptor(X, f32Row(32));
        s.descriptor(X + 1, Scenes.plain(Program.RMS, 0, Program.FORM_RMS, 2, 0));
        whole(s, OP, flipped(a8(1, 9, x), flip));
        trace(s, X, floats(x), 4 * unit, 4 * unit + 4);
        trace(s, X + 1, bytes.concat(le32(f32(7)), le32(0x3f000000)), 4, 8);
        s.bytesOf(Scenes.WEIGHTS, 0, 0, 0, floats(gain), 4 * unit, 4 * unit + 4);
    }

    function test_isWrong_norm_everyBit() public view {
        checkBits(norm, 9, 0, 32);
        for (uint256 e; e < 32; ++e) {
            checkBits(norm, e, 64 + 8 * e, 72 + 8 * e);
        }
        checkSpoilt(norm(31, NONE), "");
    }

    /// Keys of the second of two heads, rotated by nothing: row r of the matrix has the weight r,
    /// and 127 for element 5.
    function keys(uint256 unit, uint256 flip) internal pure returns (Scene memory s) {
        uint256 row = (1 << 2) + POSITION;
        s = scene(row, unit);
        Op memory op = Scenes.plain(Program.LINEAR_ROPE_Q, 2, Program.FORM_A8, 32, 32);
        (op.heads, op.kvHeads, op.headWidth, op.rotary, op.pairing, op.inputs[0]) =
        (4, 2, 32, 32, 2, X);
        weight(op, 0, WeightRow.Q8_0, 64, 32);
        int256[] memory q = new int256[](32);
        for (uint256 i; i < 32; ++i) {
            q[i] = i == 5 ? int256(127) : int256(i);
        }
        s.descriptor(OP, op);
        s.descriptor(X, a8Row(Program.NORM_Q, 32));
        s.bytesOf(Scenes.TRACE, OP, 3, row, flipped(a8(1, 5, q), flip), 0, 40);
        whole(s, X, a8(1, 0, only(1)));
        uint256 pair = unit % 16;
        for (uint256 k; k < 2; ++k) {
            uint256 e = pair + 16 * k;
            s.bytesOf(Scenes.WEIGHTS, 0, 6, 32 + e, q8(only(q[e])), 0, 34);
        }
        int256[] memory angles = new int256[](32);
        for (uint256 i; i < 32; i += 2) {
            angles[i] = 1;
        }
        s.bytesOf(Scenes.ROPE, 0, 15, POSITION, floats(angles), 8 * pair, 8 * pair + 8);
    }

    function test_isWrong_keys_everyBit() public view {
        checkBits(keys, 5, 0, 32);
        for (uint256 e; e < 32; e += 3) {
            checkBits(keys, e, 64 + 8 * e, 72 + 8 * e);
        }
        checkSpoilt(keys(21, NONE), "");
    }

    /// silu is the identity from 64 on, where exp(-x) is lost beside 1; up is 1.
    function gated(uint256 unit, uint256 flip) internal pure returns (Scene memory s) {
        s = scene(POSITION, unit);
        Op memory op = a8Row(Program.LINEAR_SILU_MUL_Q, 32);
        op.inputs[0] = X;
        weight(op, 0, WeightRow.Q8_0, 32, 32);
        weight(op, 2, WeightRow.Q8_0, 32, 32);
        int256[] memory q = new int256[](32);
        for (uint256 i; i < 32; ++i) {
            q[i] = i == 3 ? int256(127) : 64 + int256(i);
        }
        s.descriptor(OP, op);
        s.descriptor(X, a8Row(Program.NORM_Q, 32));
        whole(s, OP, flipped(a8(1, 3, q), flip));
        whole(s, X, a8(1, 0, only(1)));
        s.bytesOf(Scenes.WEIGHTS, 0, 5, unit, q8(only(q[unit])), 0, 34);
        s.bytesOf(Scenes.WEIGHTS, 2, 5, unit, q8(only(1)), 0, 34);
    }

    function test_isWrong_gated_everyBit() public view {
        checkBits(gated, 3, 0, 32);
        for (uint256 e; e < 32; e += 5) {
            checkBits(gated, e, 64 + 8 * e, 72 + 8 * e);
        }
        checkSpoilt(gated(8, NONE), "");
    }

    /* ROWS OF FLOAT32 */

    /// 10 r + (row r . x + bias), two blocks of activations.
    function linearAdd(uint256 unit, uint256 flip) internal pure returns (Scene memory s) {
        s = scene(POSITION, unit);
        Op memory op = f32Row(3);
        (op.inputs[0], op.inputs[1]) = (X, X + 1);
        weight(op, 0, WeightRow.Q8_0, 3, 96);
        weight(op, 1, WeightRow.F32, 1, 3);
        int256[] memory y = new int256[](3);
        for (uint256 r; r < 3; ++r) {
            y[r] = 10 * int256(r) + int256(r) + 1;
            for (uint256 i; i < 96; ++i) {
                y[r] += activation(i) * matrix(r, i) * (i < 64 ? int256(1) : int256(-2));
            }
        }
        int256[] memory x = new int256[](96);
        int256[] memory w = new int256[](96);
        for (uint256 i; i < 96; ++i) {
            (x[i], w[i]) = (activation(i), matrix(unit, i));
        }
        s.descriptor(OP, op);
        s.descriptor(X, a8Row(Program.QUANT, 96));
        s.descriptor(X + 1, f32Row(3));
        whole(s, OP, flipped(floats(y), flip));
        addends(s, unit);
        whole(s, X, bytes.concat(le32(f32(1)), le32(0), le32(f32(-2)), le32(0), bytesOf(x)));
        s.bytesOf(Scenes.WEIGHTS, 0, 2, unit, q8(w), 0, 102);
        int256[] memory bias = new int256[](3);
        (bias[0], bias[1], bias[2]) = (1, 2, 3);
        s.bytesOf(Scenes.WEIGHTS, 1, 0, 0, floats(bias), 4 * unit, 4 * unit + 4);
    }

    function addends(Scene memory s, uint256 unit) private pure {
        int256[] memory x = new int256[](3);
        (x[1], x[2]) = (10, 20);
        trace(s, X + 1, floats(x), 4 * unit, 4 * unit + 4);
    }

    function activation(uint256 i) private pure returns (int256) {
        return int256(i) - 40;
    }

    function matrix(uint256 r, uint256 i) private pure returns (int256) {
        return int256((i + r) % 7) - 3;
    }

    function test_isWrong_linearAdd_everyBit() public view {
        for (uint256 e; e < 3; ++e) {
            checkBits(linearAdd, e, 32 * e, 32 * e + 32);
        }
        checkSpoilt(linearAdd(1, NONE), "");
    }

    /// The answer's first token, 2, stands at position 3.
    function embed(uint256 unit, uint256 flip) internal pure returns (Scene memory s) {
        s = scene(3, unit);
        Op memory op = Scenes.plain(Program.EMBED, 0, Program.FORM_F32, 32, 0);
        op.vocabulary = 4;
        weight(op, 0, WeightRow.Q8_0, 4, 32);
        int256[] memory q = new int256[](32);
        for (uint256 i; i < 32; ++i) {
            q[i] = int256(i) - 16;
        }
        s.descriptor(OP, op);
        s.bytesOf(Scenes.TRACE, OP, 2, 3, flipped(floats(q), flip), 0, 128);
        s.facts.tokensHash = s.token(bytes.concat(le32(2), le32(1)), 0);
        s.bytesOf(Scenes.WEIGHTS, 0, 2, 2, q8(q), 0, 34);
    }

    function test_isWrong_embed_everyBit() public view {
        for (uint256 e; e < 32; e += 7) {
            checkBits(embed, e, 32 * e, 32 * e + 32);
        }
        checkSpoilt(embed(30, NONE), "");
    }

    function test_isWrong_embed_idOutside_isZero() public view {
        Scene memory s = embed(0, NONE);
        s.count = 2;
        s.facts.tokensHash = s.token(bytes.concat(le32(4), le32(1)), 0);
        assertTrue(verdict(s), "a row that the id does not have");
    }

    /* RMS */

    /// Ones: sums 256 and 44, mean 1.
    function rms(uint256 unit, uint256 flip) internal pure returns (Scene memory s) {
        s = scene(POSITION, unit);
        Op memory op = Scenes.plain(Program.RMS, 0, Program.FORM_RMS, 3, 0);
        op.inputs[0] = X;
        int256[] memory x = new int256[](300);
        for (uint256 i; i < 300; ++i) {
            x[i] = i % 2 == 0 ? int256(1) : int256(-1);
        }
        s.descriptor(OP, op);
        s.descriptor(X, f32Row(300));
        whole(s, OP, flipped(bytes.concat(le32(f32(256)), le32(f32(44)), le32(f32(1))), flip));
        if (unit == 0) trace(s, X, floats(x), 0, 1024);
        if (unit == 1) trace(s, X, floats(x), 1024, 1200);
    }

    function test_isWrong_rms_everyBit() public view {
        for (uint256 e; e < 3; ++e) {
            checkBits(rms, e, 32 * e, 32 * e + 32);
            checkSpoilt(rms(e, NONE), "");
        }
    }

    /* PROGRAMS */

    /// The first n openings of a finished scene: the descriptors.
    function head(Scene memory s, uint256 n) private pure returns (Opening[] memory list) {
        list = new Opening[](n);
        for (uint256 i; i < n; ++i) {
            list[i] = s.witness.openings[i];
        }
    }

    /// The three descriptors of a scene but number k.
    function without(Scene memory s, uint256 k) private pure returns (Opening[] memory list) {
        list = head(s, 2);
        if (k == 1) list[1] = s.witness.openings[2];
    }

    function isMalformed(Scene memory s, uint256 descriptors) private view returns (bool) {
        s.finish();
        return verifier.isMalformed(s.model, s.witness.op, head(s, descriptors));
    }

    function test_isMalformed_honest_isFalse() public view {
        assertFalse(isMalformed(quant(0, NONE), 2));
        assertFalse(isMalformed(norm(0, NONE), 3));
        assertFalse(isMalformed(keys(0, NONE), 2));
        assertFalse(isMalformed(gated(0, NONE), 2));
        assertFalse(isMalformed(linearAdd(0, NONE), 3));
        assertFalse(isMalformed(embed(0, NONE), 1));
        assertFalse(isMalformed(rms(0, NONE), 2));
    }

    /// Every word of an operation's descriptor, one at a time, becomes one that breaks a rule;
    /// words 5 and 6 name inputs, others of which would do.
    function test_isMalformed_everyWord() public {
        for (uint256 word; word < 64; ++word) {
            Scene memory s = linearAdd(0, NONE);
            uint256 value =
                word == 5 || word == 6 ? OP : word == 9 || word == 13 ? 4 : word == 14 ? 8 : 77;
            Scenes.put32(s.reads[0].data, 4 * word, value);
            s.finish();
            // An input that is no operation before this one has no opening.
            if (word == 5 || word == 6) {
                assertTrue(
                    verifier.isMalformed(s.model, uint32(OP), without(s, word == 5 ? 1 : 2)),
                    vm.toString(word)
                );
                continue;
            }
            assertTrue(verifier.isMalformed(s.model, uint32(OP), head(s, 3)), vm.toString(word));
            vm.expectRevert(IStepVerifier.MalformedProgram.selector);
            verifier.isWrong(s.facts, s.traceRoot, s.model, s.witness, "");
        }
    }

    function test_isMalformed_openings_revert() public {
        Scene memory s = linearAdd(0, NONE);
        s.finish();
        vm.expectRevert(IStepVerifier.BadOpening.selector);
        verifier.isMalformed(s.model, uint32(OP), head(s, 2));
        vm.expectRevert(IStepVerifier.BadOpening.selector);
        verifier.isMalformed(s.model, uint32(OP), head(s, 4));
        vm.expectRevert(IStepVerifier.WrongRoot.selector);
        verifier.isMalformed(s.model, uint32(OP - 1), head(s, 3));
        vm.expectRevert(IStepVerifier.BadUnit.selector);
        verifier.isMalformed(s.model, 12, head(s, 3));
    }

    function test_shapeOf() public {
        Scene memory s = keys(0, NONE);
        s.finish();
        assertEq(
            abi.encode(verifier.shapeOf(s.model, uint32(OP), s.witness.openings[0])),
            abi.encode(uint8(2), uint32(40), uint32(2), uint32(0))
        );
        s = rms(2, NONE);
        s.finish();
        assertEq(
            abi.encode(verifier.shapeOf(s.model, uint32(OP), s.witness.openings[0])),
            abi.encode(uint8(0), uint32(12), uint32(0), uint32(0))
        );
        vm.expectRevert(IStepVerifier.WrongRoot.selector);
        verifier.shapeOf(s.model, uint32(OP + 1), s.witness.openings[0]);
        vm.expectRevert(IStepVerifier.BadUnit.selector);
        verifier.shapeOf(s.model, 12, s.witness.openings[0]);
        s = rms(2, NONE);
        Scenes.put32(s.reads[0].data, 0, 14);
        s.finish();
        vm.expectRevert(IStepVerifier.MalformedProgram.selector);
        verifier.shapeOf(s.model, uint32(OP), s.witness.openings[0]);
    }
}
