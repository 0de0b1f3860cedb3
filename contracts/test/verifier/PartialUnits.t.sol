// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IStepVerifier, UnitKind} from "../../src/interfaces/IStepVerifier.sol";
import {Op, Program} from "../../src/verifier/Program.sol";
import {Scene, Scenes} from "./Scene.sol";
import {SceneTest} from "./SceneTest.sol";

/// Attention that a reader can check by hand: no query, so that every position weighs 1; values of
/// 2, but 1 at position 0 and 3 at position 33, of scale 127. Position 33, two chunks: z is 32 and
/// 2, o is 127 times 63 and 5, the result 127 * 68 / 34.
contract PartialUnitsTest is SceneTest {
    using Scenes for Scene;

    uint256 internal constant OP = 10;
    uint256 internal constant X = 5;
    uint256 internal constant POSITION = 33;
    uint256 internal constant ELEMENT = 40;
    uint256 internal constant WIDTH = 64;

    function scene(UnitKind kind, uint256 place) private pure returns (Scene memory s) {
        s = Scenes.create(12, 4, 39, 2);
        s.unit(kind, OP, POSITION, ELEMENT, place);
        Op memory op = Scenes.plain(Program.ATTN, 0, Program.FORM_F32, WIDTH, 0);
        (op.heads, op.kvHeads, op.headWidth, op.scalar) = (2, 1, 32, 0x3f800000);
        (op.inputs[0], op.inputs[1], op.inputs[2]) = (X, X + 1, X + 2);
        s.descriptor(OP, op);
        for (uint256 k; k < 3; ++k) {
            Op memory x = Scenes.plain(
                Program.LINEAR_Q, k == 0 ? 0 : 2, Program.FORM_A8, k == 0 ? WIDTH : 32, 32
            );
            (x.heads, x.kvHeads, x.headWidth) = (2, 1, 32);
            s.descriptor(X + k, x);
        }
    }

    function partialsOf() private pure returns (bytes memory) {
        bytes memory chunks = bytes.concat(le32(0), le32(f32(32)), le32(f32(127 * 63)));
        chunks = bytes.concat(chunks, le32(0), le32(f32(2)), le32(f32(127 * 5)));
        return bytes.concat(chunks, le32(0), le32(0), le32(f32(34)), le32(f32(127 * 68)));
    }

    function valueAt(uint256 position) private pure returns (int256) {
        return position == 0 ? int256(1) : position == 33 ? int256(3) : int256(2);
    }

    function chunk(uint256 c) private pure returns (Scene memory s) {
        s = scene(UnitKind.PartialChunk, c);
        int256[] memory zeros = new int256[](WIDTH);
        bytes memory q = bytes.concat(le32(f32(1)), le32(0), le32(f32(1)), le32(0), bytesOf(zeros));
        s.bytesOf(Scenes.TRACE, X, 6, POSITION, q, 8, 16);
        s.bytesOf(Scenes.TRACE, X, 6, POSITION, q, 48, 80);
        bytes memory keys;
        bytes memory values;
        for (uint256 t = 32 * c; t <= POSITION && t < 32 * c + 32; ++t) {
            int256[] memory v = new int256[](32);
            v[ELEMENT % 32] = valueAt(t);
            keys = bytes.concat(keys, a8(3, 0, only(int256(t))));
            values = bytes.concat(values, a8(127, 0, v));
        }
        s.rowsOf(X + 1, 6, 32 * c, 40, keys);
        s.rowsOf(X + 2, 6, 32 * c, 40, values);
    }

    function final_(uint256 flip) private pure returns (Scene memory s) {
        s = scene(UnitKind.PartialFinal, 0);
        int256[] memory y = new int256[](WIDTH);
        y[ELEMENT] = 254;
        s.bytesOf(Scenes.TRACE, OP, 6, POSITION, flipped(floats(y), flip), 0, 256);
    }

    function verdict(Scene memory s, bytes memory partials) private view returns (bool) {
        s.finish();
        return isWrong(s, partials);
    }

    /// Each flipped bit of the words [from, to) of partials is shown by the unit that the honest
    /// ones satisfy.
    function checkWords(Scene memory s, uint256 from, uint256 to) private view {
        s.finish();
        assertFalse(isWrong(s, partialsOf()), "honest partials");
        for (uint256 bit = 32 * from; bit < 32 * to; ++bit) {
            assertTrue(
                isWrong(s, flipped(partialsOf(), bit)),
                string.concat("flipped bit ", vm.toString(bit))
            );
        }
        checkSpoiltOpenings(s, partialsOf());
    }

    function test_isWrong_chunk_everyBit() public view {
        checkWords(chunk(0), 0, 3);
        checkWords(chunk(1), 3, 6);
        checkSpoilt(chunk(1), partialsOf());
    }

    function test_isWrong_maximum_everyBit() public view {
        checkWords(scene(UnitKind.PartialMaximum, 0), 6, 7);
        Scene memory s = scene(UnitKind.PartialMaximum, 1);
        s.finish();
        bytes memory partials = partialsOf();
        Scenes.put32(partials, 12, 0x33800000);
        assertTrue(isWrong(s, partials), "a chunk above the maximum");
        Scenes.put32(partials, 12, 0x80000000);
        assertFalse(isWrong(s, partials), "a chunk below it that it is not said to be of");
        Scenes.put32(partials, 28, 1);
        assertTrue(isWrong(s, partials), "another chunk than it is said to be of");
    }

    function test_isWrong_running_everyBit() public view {
        checkWords(scene(UnitKind.PartialRunning, 0), 8, 10);
        Scene memory s = scene(UnitKind.PartialRunning, 1);
        s.finish();
        mustRevert(s, partialsOf(), "a sum too far");
    }

    function test_isWrong_final_everyBit() public view {
        assertFalse(verdict(final_(NONE), partialsOf()));
        for (uint256 bit = 32 * ELEMENT; bit < 32 * ELEMENT + 32; ++bit) {
            assertTrue(verdict(final_(bit), partialsOf()), "a flipped bit");
        }
        checkSpoilt(final_(NONE), partialsOf());
    }

    function test_isWrong_partials_otherFormats_revert() public view {
        Scene memory s = scene(UnitKind.PartialMaximum, 2);
        s.finish();
        mustRevert(s, partialsOf(), "a chunk too far");
        s.witness.place = 0;
        mustRevert(s, "", "no partials");
        mustRevert(s, bytes.concat(partialsOf(), hex"00000000"), "a word too many");
        s.witness.unit = uint32(WIDTH);
        mustRevert(s, partialsOf(), "an element too far");
        s = final_(NONE);
        s.finish();
        s.witness.kind = UnitKind.Output;
        mustRevert(s, "", "an element of attention is proved by its partials");
        s.witness.kind = UnitKind.Token;
        mustRevert(s, "", "a token of another operation than SAMPLE");
    }

    /* checkPartials */

    function test_checkPartials_length() public view {
        uint32[7] memory positions = [uint32(0), 31, 32, 1023, 1024, 32_766, 32_767];
        for (uint256 i; i < positions.length; ++i) {
            uint256 n = positions[i] / 32 + 1;
            uint256 length = 12 * n + 8 + 8 * ((n + 31) / 32);
            assertTrue(verifier.checkPartials(positions[i], new bytes(length)));
            assertFalse(verifier.checkPartials(positions[i], new bytes(length + 4)));
            assertFalse(verifier.checkPartials(positions[i], new bytes(length - 4)));
        }
    }

    /// At every word: NaNs with a payload or a sign are refused; the canonical one, infinities and
    /// others are not.
    function test_checkPartials_floats() public view {
        uint256 n = 44;
        bytes memory partials = new bytes(12 * n + 8 + 16);
        uint32[7] memory wrong =
            [0x7f800001, 0x7fbfffff, 0x7fc00001, 0x7fffffff, 0xff800001, 0xffc00000, 0xffffffff];
        uint32[7] memory right =
            [uint32(0x7fc00000), 0x7f800000, 0xff800000, 1, 0x80000000, 0x7f7fffff, 0xff7fffff];
        for (uint256 at; at < partials.length; at += 4) {
            if (at == 12 * n + 4) continue;
            for (uint256 k; k < 7; ++k) {
                Scenes.put32(partials, at, wrong[k]);
                assertFalse(verifier.checkPartials(1400, partials));
                Scenes.put32(partials, at, right[k]);
                assertTrue(verifier.checkPartials(1400, partials));
            }
        }
    }

    function test_checkPartials_index() public view {
        bytes memory partials = partialsOf();
        uint32[5] memory indices = [uint32(1), 2, 34, 0x7fc00000, 0xffffffff];
        for (uint256 k; k < 5; ++k) {
            Scenes.put32(partials, 28, indices[k]);
            assertEq(verifier.checkPartials(uint32(POSITION), partials), k == 0);
        }
    }
}
