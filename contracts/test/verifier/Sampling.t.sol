// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IStepVerifier, UnitKind} from "../../src/interfaces/IStepVerifier.sol";
import {Op, Program} from "../../src/verifier/Program.sol";
import {WeightRow} from "../../src/verifier/WeightRow.sol";
import {Scene, Scenes} from "./Scene.sol";
import {SceneTest} from "./SceneTest.sol";

/// SAMPLE's row and the tokens chosen from it: four tokens with the logits 3, 9, 9 and -2.
contract SamplingTest is SceneTest {
    using Scenes for Scene;

    uint256 internal constant OP = 11;
    uint256 internal constant X = 5;
    uint256 internal constant ROW = 1;
    uint256 internal constant INDEX = 0xffffffff;
    uint32 internal constant ONE = 0x3f800000;
    uint32 internal constant HALF = 0x3f000000;

    function scene(UnitKind kind, uint256 unit, uint256 place) private pure returns (Scene memory s) {
        s = Scenes.create(12, 4, 3, 2);
        s.model.vocabSize = 4;
        s.unit(kind, OP, ROW, unit, place);
        Op memory op = Scenes.plain(Program.SAMPLE, 1, Program.FORM_SAMPLE, 2, 0);
        (op.inputs[0], op.vocabulary) = (X, 4);
        (op.weights[0].tensor, op.weights[0].kind, op.weights[0].rows, op.weights[0].columns) =
        (1, WeightRow.Q8_0, 4, 32);
        s.descriptor(OP, op);
        s.descriptor(X, Scenes.plain(Program.NORM_Q, 1, Program.FORM_A8, 32, 64));
    }

    function logitOf(uint256 token) private pure returns (int256) {
        return token == 0 ? int256(3) : token == 3 ? int256(-2) : int256(9);
    }

    function row(Scene memory s, uint256 index, uint256 flip) private pure {
        bytes memory data = flipped(bytes.concat(le32(f32(9)), le32(index)), flip);
        s.bytesOf(Scenes.TRACE, OP, 1, ROW, data, 0, 8);
    }

    function input(Scene memory s) private pure {
        s.bytesOf(Scenes.TRACE, X, 1, ROW, a8(1, 0, only(1)), 0, 40);
    }

    function logit(Scene memory s, uint256 token) private pure {
        s.bytesOf(Scenes.WEIGHTS, 1, 2, token, q8(only(logitOf(token))), 0, 34);
    }

    function allow(Scene memory s, uint256 a, uint256 b) private pure returns (bytes memory list) {
        s.facts.allowedCount = 2;
        return bytes.concat(le32(a), le32(b));
    }

    /* THE ROW */

    /// The index itself; the flipped one, where the flip makes it another token.
    function byIndex(uint256 unit, uint256 flip) internal pure returns (Scene memory s) {
        s = scene(UnitKind.Output, unit, 0);
        row(s, 1, flip);
        uint256 index = flip == NONE || flip < 32 ? 1 : 1 ^ (1 << (flip - 32));
        if (index >= 4) return s;
        input(s);
        logit(s, index);
    }

    function test_isWrong_sample_everyBit() public view {
        checkBits(byIndex, INDEX, 0, 64);
        checkSpoilt(byIndex(INDEX, NONE), "");
    }

    function byToken(uint256 token, uint256 index) private pure returns (Scene memory s) {
        s = scene(UnitKind.Output, token, 0);
        row(s, index, NONE);
        input(s);
        logit(s, token);
    }

    function test_isWrong_sample_tokens() public view {
        for (uint256 token; token < 4; ++token) {
            assertFalse(verdict(byToken(token, 1)), "the first of the greatest");
        }
        assertTrue(verdict(byToken(1, 2)), "an equal one before it");
        assertFalse(verdict(byToken(2, 2)));
        checkSpoilt(byToken(2, 1), "");
        Scene memory s = byToken(3, 1);
        s.finish();
        s.witness.unit = 4;
        mustRevert(s, "", "no token");
    }

    function test_isWrong_sample_greaterLogit() public view {
        Scene memory s = scene(UnitKind.Output, 2, 0);
        s.bytesOf(Scenes.TRACE, OP, 1, ROW, bytes.concat(le32(f32(3)), le32(0)), 0, 8);
        input(s);
        logit(s, 2);
        assertTrue(verdict(s));
    }

    /// A maximum that is no number ranks highest, whatever its bits: only the index shows it.
    function test_isWrong_sample_nanMaximum() public view {
        for (uint256 k; k < 2; ++k) {
            Scene memory s = scene(UnitKind.Output, k == 0 ? 2 : INDEX, 0);
            s.bytesOf(Scenes.TRACE, OP, 1, ROW, bytes.concat(le32(0xffc00001), le32(2)), 0, 8);
            input(s);
            logit(s, 2);
            assertEq(verdict(s), k == 1);
        }
    }

    /* THE LIST OF ALLOWED TOKENS */

    /// Shows that a list of two lacks the index 1, from a place in it.
    function notAllowed(uint256 a, uint256 b, uint256 place) private pure returns (Scene memory s) {
        s = scene(UnitKind.Output, INDEX, place);
        row(s, 1, NONE);
        bytes memory list = allow(s, a, b);
        if (place > 0 && place < 3) s.facts.allowedHash = s.token(list, place - 1);
        if (place < 2) s.facts.allowedHash = s.token(list, place);
    }

    function test_isWrong_sample_indexNotAllowed() public view {
        assertTrue(verdict(notAllowed(2, 3, 0)));
        assertTrue(verdict(notAllowed(0, 2, 1)));
        checkSpoilt(notAllowed(0, 2, 1), "");
        for (uint256 place; place < 4; ++place) {
            Scene memory s = notAllowed(1, 3, place);
            s.finish();
            mustRevert(s, "", "an allowed index");
            if (place == 1) continue;
            s = notAllowed(0, 2, place);
            s.finish();
            mustRevert(s, "", "another place");
        }
    }

    function test_isWrong_sample_tokenOfTheList() public view {
        Scene memory s = scene(UnitKind.Output, 2, 1);
        row(s, 1, NONE);
        s.facts.allowedHash = s.token(allow(s, 0, 2), 1);
        input(s);
        logit(s, 2);
        assertFalse(verdict(s));
        s.witness.unit = 0;
        mustRevert(s, "", "another token than the list's");
        (s.witness.unit, s.witness.place) = (2, 0);
        mustRevert(s, "", "another place than the token's");
        s.witness.place = 2;
        mustRevert(s, "", "a place outside the list");
    }

    /// The index can be held against its logit although there is a list.
    function test_isWrong_sample_indexBesideTheList() public view {
        Scene memory s = byIndex(INDEX, 3);
        (s.facts.allowedCount, s.witness.place) = (2, uint32(INDEX));
        assertTrue(verdict(s));
    }

    /* TOKENS */

    function greedy(uint256 token, uint256 flip) private pure returns (Scene memory s) {
        s = scene(UnitKind.Token, 0, 0);
        s.facts.tokensHash = s.token(bytes.concat(le32(3), le32(token)), 1);
        row(s, 1, flip);
    }

    function greedyOne(uint256, uint256 flip) internal pure returns (Scene memory) {
        return greedy(1, flip);
    }

    function test_isWrong_token_greedy() public view {
        checkBits(greedyOne, 0, 32, 64);
        for (uint256 bit; bit < 32; ++bit) {
            assertTrue(verdict(greedy(1 ^ (1 << bit), NONE)), "another token");
        }
        checkSpoilt(greedy(1, NONE), "");
        Scene memory s = greedy(2, NONE);
        s.finish();
        s.witness.unit = 1;
        mustRevert(s, "", "a unit of a greedy token");
    }

    /// The answer's token c against w, under a temperature of 1.
    function sampled(uint256 c, uint256 w, uint32 minP, uint64 seed) private pure returns (Scene memory s) {
        s = scene(UnitKind.Token, w, 0);
        (s.facts.temperature, s.facts.minP, s.facts.seed) = (ONE, minP, seed);
        s.facts.tokensHash = s.token(bytes.concat(le32(3), le32(c)), 1);
        row(s, 1, NONE);
        input(s);
        logit(s, c);
        if (w != c) logit(s, w);
    }

    function test_isWrong_token_minP() public view {
        assertTrue(verdict(sampled(0, 0, HALF, 7)), "6 below the maximum");
        assertFalse(verdict(sampled(1, 1, HALF, 7)));
        assertFalse(verdict(sampled(2, 2, HALF, 7)));
        assertFalse(verdict(sampled(3, 3, 0, 7)), "no min-p");
        checkSpoilt(sampled(2, 2, HALF, 7), "");
        Scene memory s = sampled(1, 0, HALF, 7);
        s.finish();
        mustRevert(s, "", "a token that does not pass proves nothing");
    }

    /// Of two tokens with one logit the noise decides: each is chosen under some seeds, never both.
    function test_isWrong_token_scores() public view {
        uint256 wins;
        for (uint64 seed; seed < 40; ++seed) {
            bool second = verdict(sampled(1, 2, HALF, seed));
            assertEq(verdict(sampled(2, 1, HALF, seed)), !second, "one of them");
            if (second) ++wins;
        }
        assertGt(wins, 5);
        assertLt(wins, 35);
        checkSpoilt(sampled(1, 2, HALF, 3), "");
    }

    function test_isWrong_token_ofTheList() public view {
        Scene memory s = scene(UnitKind.Token, 2, 1);
        (s.facts.temperature, s.facts.minP) = (ONE, HALF);
        s.facts.tokensHash = s.token(bytes.concat(le32(3), le32(1)), 1);
        row(s, 1, NONE);
        s.facts.allowedHash = s.token(allow(s, 1, 2), 1);
        input(s);
        logit(s, 1);
        logit(s, 2);
        checkSpoilt(s, "");
        s.witness.place = 0;
        mustRevert(s, "", "another place than the token's");
    }

    function test_isWrong_token_ofAnotherOperation_reverts() public {
        Scene memory s = greedy(1, NONE);
        s.finish();
        s.witness.op = uint32(OP - 1);
        vm.expectRevert(IStepVerifier.WrongRoot.selector);
        verifier.isWrong(s.facts, s.traceRoot, s.model, s.witness, "");
    }
}
