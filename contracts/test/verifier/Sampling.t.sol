// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {StepVerifier} from "../../src/StepVerifier.sol";
import {IStepVerifier, Opening, UnitKind} from "../../src/interfaces/IStepVerifier.sol";
import {Op, Program} from "../../src/verifier/Program.sol";
import {UnitKinds} from "../../src/verifier/UnitKinds.sol";
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

    function scene(UnitKind kind, uint256 unit, uint256 place)
        private
        pure
        returns (Scene memory s)
    {
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
    function sampled(uint256 c, uint256 w, uint32 minP, uint64 seed)
        private
        pure
        returns (Scene memory s)
    {
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

    /// Noise decides between two tokens with one logit: some seeds choose each, none chooses both.
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

    /* A TOKEN OUTSIDE THE LIST */

    /// A list of `count` ids, 10 + 3 i at place i.
    function longList(uint256 count) private pure returns (bytes memory list) {
        list = new bytes(4 * count);
        for (uint256 i; i < count; ++i) {
            Scenes.put32(list, 4 * i, 10 + 3 * i);
        }
    }

    /// The second token of the answer against the elements of the list on both sides of a place.
    function unlisted(bytes memory list, uint256 token, uint256 place)
        private
        pure
        returns (Scene memory s)
    {
        s = Scenes.create(12, 4, 3, 2);
        s.unit(UnitKind.Unlisted, OP, 1, 0, place);
        uint256 count = list.length / 4;
        s.facts.allowedCount = uint32(count);
        s.facts.temperature = ONE;
        s.facts.tokensHash = s.token(bytes.concat(le32(10), le32(token)), 1);
        if (place > 0 && place <= count) s.facts.allowedHash = s.token(list, place - 1);
        if (place < count) s.facts.allowedHash = s.token(list, place);
    }

    function listSizes() private pure returns (uint256[6] memory) {
        return [uint256(1), 2, 255, 256, 257, 16_384];
    }

    function mustNotConvict(Scene memory s, string memory what) private view {
        s.finish();
        mustRevert(s, "", what);
    }

    function test_isWrong_unlisted_everyGap() public view {
        uint256[6] memory sizes = listSizes();
        for (uint256 k; k < 6; ++k) {
            uint256 count = sizes[k];
            bytes memory list = longList(count);
            uint256 free = freeMemory();
            for (
                uint256 place;
                place <= count;
                place += place < 3 || place + 3 > count ? 1 : step(count, place)
            ) {
                // 10 + 3 (place - 1) < token < 10 + 3 place
                assertTrue(verdict(unlisted(list, 8 + 3 * place, place)), vm.toString(place));
                assertTrue(verdict(unlisted(list, 9 + 3 * place, place)), vm.toString(place));
                giveBack(free);
            }
            assertTrue(verdict(unlisted(list, 0, 0)), "the smallest id");
            assertTrue(verdict(unlisted(list, type(uint32).max, count)), "the greatest id");
        }
    }

    /// To the next place: all of short lists, of long ones those around the borders of pieces.
    function step(uint256 count, uint256 place) private pure returns (uint256) {
        return count < 1000 || place % 256 < 2 || place % 256 == 255 ? 1 : 127;
    }

    /// A listed token is convicted at no place, whatever is opened.
    function test_isWrong_unlisted_listedToken_reverts() public view {
        uint256[6] memory sizes = listSizes();
        for (uint256 k; k < 6; ++k) {
            uint256 count = sizes[k];
            bytes memory list = longList(count);
            uint256[6] memory listed =
                [0, count / 2, count - 1, 254 % count, 255 % count, 256 % count];
            uint256 free = freeMemory();
            for (uint256 i; i < 6; ++i) {
                uint256 from = listed[i] < 2 ? 0 : listed[i] - 2;
                for (uint256 place = from; place < listed[i] + 4; ++place) {
                    mustNotConvict(unlisted(list, 10 + 3 * listed[i], place), "a token of the list");
                    giveBack(free);
                }
            }
        }
    }

    function test_isWrong_unlisted_otherPlace_reverts() public view {
        bytes memory list = longList(257);
        uint256[4] memory places = [uint256(0), 1, 256, 257];
        for (uint256 k; k < 4; ++k) {
            for (uint256 place; place <= 300; place += place < 3 || place > 252 ? 1 : 50) {
                if (place == places[k]) continue;
                mustNotConvict(unlisted(list, 8 + 3 * places[k], place), "another place");
            }
        }
        Scene memory s = unlisted(list, 9, 0);
        s.finish();
        s.witness.place = type(uint32).max;
        mustRevert(s, "", "no place");
    }

    /// Only what lies under the hashes is read: of one piece, of two, before and behind the list.
    function test_isWrong_unlisted_spoiltWitness_reverts() public view {
        bytes memory list = longList(257);
        uint256[4] memory places = [uint256(0), 100, 256, 257];
        for (uint256 k; k < 4; ++k) {
            Scene memory s = unlisted(list, 8 + 3 * places[k], places[k]);
            s.finish();
            assertTrue(isWrong(s, ""));
            Opening[] memory all = s.witness.openings;
            for (uint256 i; i < all.length; ++i) {
                spoilData(s, "", all[i]);
                spoilPath(s, "", all[i]);
                (Opening memory mine, Opening memory other) = (all[i], all[(i + 1) % all.length]);
                // Both elements may lie in one piece.
                if (keccak256(mine.data) == keccak256(other.data)) continue;
                all[i] = other;
                mustRevert(s, "", "another opening");
                all[i] = mine;
            }
            spoilCount(s, all);
            s.facts.allowedHash ^= bytes32(uint256(1));
            mustRevert(s, "", "another list");
            s.facts.allowedHash ^= bytes32(uint256(1));
            s.facts.tokensHash ^= bytes32(uint256(1));
            mustRevert(s, "", "another answer");
        }
    }

    function spoilCount(Scene memory s, Opening[] memory all) private view {
        s.witness.openings = new Opening[](all.length - 1);
        for (uint256 i; i < all.length - 1; ++i) {
            s.witness.openings[i] = all[i];
        }
        mustRevert(s, "", "an opening too few");
        s.witness.openings = new Opening[](all.length + 1);
        for (uint256 i; i <= all.length; ++i) {
            s.witness.openings[i] = all[i < all.length ? i : 0];
        }
        mustRevert(s, "", "an opening too many");
        s.witness.openings = all;
    }

    /// The lists' lengths are the claim's; operation, token and unit are fixed.
    function test_isWrong_unlisted_otherUnit_reverts() public view {
        Scene memory s = unlisted(longList(257), 11, 1);
        s.finish();
        assertTrue(isWrong(s, ""));
        for (uint256 bit; bit < 32; ++bit) {
            uint32 flip = uint32(1 << bit);
            s.witness.op ^= flip;
            mustRevert(s, "", "another operation");
            s.witness.op ^= flip;
            s.witness.leaf ^= flip;
            mustRevert(s, "", "another token of the answer");
            s.witness.leaf ^= flip;
            s.witness.unit ^= flip;
            mustRevert(s, "", "a unit");
            s.witness.unit ^= flip;
            // The count is the claim's; a count of as many pieces reads this first piece as well.
            s.facts.allowedCount ^= flip;
            if (bit >= 8) mustRevert(s, "", "another number of pieces");
            s.facts.allowedCount ^= flip;
        }
    }

    function test_isWrong_unlisted_noList_reverts() public view {
        Scene memory s = unlisted("", 11, 0);
        mustNotConvict(s, "no list");
        s.facts.allowedCount = 1;
        mustRevert(s, "", "a list that is not opened");
    }

    /// Too little gas for the extension is an error too, at whatever point it ends.
    function test_isWrong_littleGas_isNoVerdict() public view {
        Scene memory s = unlisted(longList(257), 11, 1);
        s.finish();
        bytes memory call =
            abi.encodeCall(IStepVerifier.isWrong, (s.facts, s.traceRoot, s.model, s.witness, ""));
        bool done;
        for (uint256 gas = 1000; gas < 100_000; gas += 97) {
            (bool ok, bytes memory result) = address(verifier).staticcall{gas: gas}(call);
            if (ok) assertTrue(abi.decode(result, (bool)));
            done = done || ok;
        }
        assertTrue(done, "no gas suffices");
    }

    /// The numbers are the specification's, and what is about partials are 2 to 5.
    function test_unitKinds_isPartial() public pure {
        assertEq(uint256(UnitKind.Unlisted), 6);
        assertEq(uint256(type(UnitKind).max), 6);
        for (uint256 kind; kind <= 6; ++kind) {
            assertEq(UnitKinds.isPartial(UnitKind(kind)), kind >= 2 && kind <= 5, vm.toString(kind));
        }
    }

    function test_extension_withoutCode_reverts() public {
        vm.expectRevert(StepVerifier.NoExtension.selector);
        new StepVerifier(address(1));
    }

    /// Neither trace nor program is read: a claim whose root is never opened is convicted too.
    function test_isWrong_unlisted_anyTraceAndProgram() public view {
        Scene memory s = unlisted(longList(5), 11, 1);
        s.finish();
        (s.traceRoot, s.model.programRoot) = (keccak256("trace"), keccak256("program"));
        assertTrue(isWrong(s, ""));
    }

    /// Greedy or not: the list alone is asked.
    function test_isWrong_unlisted_greedy() public view {
        Scene memory s = unlisted(longList(5), 11, 1);
        s.facts.temperature = 0;
        assertTrue(verdict(s));
    }
}
