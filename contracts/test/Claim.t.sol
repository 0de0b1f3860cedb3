// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Claim, IClaims} from "../src/interfaces/IClaims.sol";
import {
    IInferenceOracle,
    Request,
    RequestParams,
    RequestState,
    RequestStatus,
    Seat,
    SeatStatus
} from "../src/interfaces/IInferenceOracle.sol";
import {ClaimFacts} from "../src/interfaces/IStepVerifier.sol";
import {BaseTest} from "./BaseTest.sol";

contract ClaimTest is BaseTest {
    function test_claim_recordsAndEmits_succeeds() public {
        (Request memory r, bytes32 id) = askAndFill(sampled());
        bytes memory tokens = answer();
        uint64 windowEnd = uint64(block.timestamp) + WINDOW;
        bytes32 name = nameOf(r, 1, 0);
        uint64 seed = seedOf(r);

        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Claimed(id, name, operators[0], seed, windowEnd, tokens);
        claim(r, 0, tokens);

        RequestState memory s = oracle.stateOf(id);
        assertTrue(s.status == RequestStatus.Claimed);
        assertEq(s.deadline, windowEnd);
        Seat memory seat = oracle.seatOf(id, 1, 0);
        assertEq(seat.operator, operators[0]);
        assertTrue(seat.status == SeatStatus.Claimed);
        assertEq(seat.tokenCount, 32);
        assertEq(seat.firstToken, 100);
        assertEq(seat.value, tokensHash(tokens));
        assertFalse(seat.disputed);
        assertTrue(oracle.standing(name));
    }

    function test_result_beforeFinal_tellsNothing() public {
        (, bytes32 id) = askAndClaim(params());
        (RequestStatus status, uint32 count, bytes32 hash, uint32 first) = oracle.result(id);
        assertTrue(status == RequestStatus.Claimed);
        assertEq(count, 0);
        assertEq(hash, 0);
        assertEq(first, 0);
    }

    /* NAMES AND FACTS */

    function test_nameOf_isIdWithSeatInLastByte() public {
        (Request memory r, bytes32 id) = ask(params());
        assertEq(uint8(uint256(id)), 0);
        for (uint8 attempt = 1; attempt <= 5; ++attempt) {
            for (uint8 seat; seat < 5; ++seat) {
                bytes32 name = oracle.nameOf(id, attempt, seat);
                assertEq(name, nameOf(r, attempt, seat));
                assertEq(uint8(uint256(name)), 8 * attempt + seat);
            }
        }
    }

    function test_claimOf_greedy_statesFacts() public {
        checkClaimOf(params());
    }

    function test_claimOf_sampled_statesFacts() public {
        RequestParams memory p = sampled();
        (p.minP, p.seed) = (0x3d4ccccd, type(uint64).max);
        checkClaimOf(p);
    }

    /// The request's bits, also where a greedy answer does not depend on them.
    function test_claimOf_greedyWithMinP_statesFacts() public {
        RequestParams memory p = params();
        (p.minP, p.allowed) = (0x3f800000, fromTo(64, 980));
        checkClaimOf(p);
    }

    function checkClaimOf(RequestParams memory p) private {
        (Request memory r,) = askAndClaim(p);
        bytes32 name = nameOf(r, 1, 0);
        (Claim memory c, ClaimFacts memory f) = oracle.claimOf(name, openingOf(r));
        assertEq(abi.encode(f), abi.encode(factsOf(r, answer())));
        assertEq(f.seed, p.temperature == 0 ? 0 : seedOf(r));
        assertEq(abi.encode(c), abi.encode(claimOf(r, operators[0], 1, 0, answer())));
        assertEq(c.source, address(oracle));
        assertEq(c.stake, STAKE);
        vm.prank(game);
        (c, f) = oracle.disputed(name, openingOf(r));
        assertEq(abi.encode(f), abi.encode(factsOf(r, answer())));
        assertEq(keccak256(abi.encode(c)), claimIdOf(r, operators[0], 1, 0, answer()));
    }

    function test_claimOf_withoutClaim_reverts() public {
        (Request memory r,) = askAndFill(params());
        bytes32 name = nameOf(r, 1, 0);
        assertFalse(oracle.standing(name));
        expect(IClaims.NoSuchClaim.selector);
        oracle.claimOf(name, openingOf(r));
    }

    /// An opening is the request's own 608 bytes and nothing else.
    function test_claimOf_otherOpening_reverts() public {
        (Request memory r,) = askAndClaim(params());
        (Request memory other,) = askAndClaim(params());
        bytes32 name = nameOf(r, 1, 0);
        bytes memory opening = openingOf(r);
        assertEq(opening.length, 608);
        expectNoClaim(name, openingOf(other));
        expectNoClaim(name, "");
        expectNoClaim(name, bytes.concat(opening, hex"00"));
        expectNoClaim(nameOf(r, 1, 1), opening);
        expectNoClaim(nameOf(r, 2, 0), opening);
        expectNoClaim(idOf(r), opening);
        oracle.claimOf(name, opening);
    }

    function testFuzz_claimOf_changedOpening_reverts(uint256 bit) public {
        (Request memory r,) = askAndClaim(params());
        bytes memory opening = openingOf(r);
        bit = bound(bit, 0, opening.length * 8 - 1);
        opening[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        expectNoClaim(nameOf(r, 1, 0), opening);
    }

    function expectNoClaim(bytes32 name, bytes memory opening) private {
        expect(IClaims.NoSuchClaim.selector);
        oracle.claimOf(name, opening);
    }

    /// The same answer in another attempt is another claim for disputes.
    function test_claimId_differsByAttempt() public {
        (Request memory r,) = askAndClaim(params());
        bytes32 first = claimIdOf(r, operators[0], 1, 0, answer());
        assertNotEq(first, claimIdOf(r, operators[0], 2, 0, answer()));
    }

    /* WHO AND WHEN */

    function test_claim_lastSecond_succeeds() public {
        (Request memory r,) = askAndFill(params());
        skip(CLAIM_PERIOD);
        claim(r, 0, answer());
    }

    function test_claim_afterDeadline_reverts() public {
        (Request memory r,) = askAndFill(params());
        skip(CLAIM_PERIOD + 1);
        expectRejected(r, 0, answer(), "", IInferenceOracle.TooLate.selector);
    }

    function test_claim_open_reverts() public {
        (Request memory r,) = ask(params());
        expectStatus(RequestStatus.Open);
        oracle.claim(r, 0, answer(), "");
    }

    function test_claim_twice_reverts() public {
        (Request memory r,) = askAndClaim(params());
        uint64 seed = seedOf(r);
        expectStatus(RequestStatus.Claimed);
        vm.prank(operators[0]);
        oracle.claim(r, seed, answer(), "");
    }

    function test_claim_replicas_reverts() public {
        (Request memory r,) = askAndFill(paramsOf(2));
        expectRejected(r, 0, answer(), "", IInferenceOracle.CommitRequired.selector);
    }

    function test_claim_stranger_reverts() public {
        (Request memory r,) = askAndFill(params());
        expectRejected(r, 1, answer(), "", IInferenceOracle.NotOperatorOrAgent.selector);
    }

    /// The operator of an earlier round cannot claim in a later one.
    function test_claim_formerOperator_reverts() public {
        (Request memory r,) = askAndFill(params());
        skip(CLAIM_PERIOD + 1);
        oracle.missed(r, 0);
        accept(r, 1);
        expectRejected(r, 0, answer(), "", IInferenceOracle.NotOperatorOrAgent.selector);
    }

    function testFuzz_claim_otherSeed_reverts(uint64 seed, bool greedy) public {
        (Request memory r,) = askAndFill(greedy ? params() : sampled());
        uint64 used = seedOf(r);
        vm.assume(seed != used);
        vm.expectRevert(abi.encodeWithSelector(IInferenceOracle.WrongSeed.selector, used));
        vm.prank(operators[0]);
        oracle.claim(r, seed, answer(), "");
    }

    /* ANSWERS */

    function test_claim_noTokens_reverts() public {
        (Request memory r,) = askAndFill(params());
        expectRejected(r, 0, "", "", IInferenceOracle.TokenCountOutOfRange.selector);
    }

    function test_claim_tooManyTokens_reverts() public {
        (Request memory r,) = askAndFill(params());
        expectRejected(
            r,
            0,
            bytes.concat(answer(), pack(1)),
            "",
            IInferenceOracle.TokenCountOutOfRange.selector
        );
    }

    function test_claim_notWhole_reverts() public {
        (Request memory r,) = askAndFill(params());
        expectRejected(
            r, 0, bytes.concat(answer(), hex"00"), "", IInferenceOracle.MalformedTokens.selector
        );
    }

    function test_claim_outsideVocabulary_reverts() public {
        (Request memory r,) = askAndFill(params());
        expectRejected(
            r, 0, answer(VOCAB - 31), "", IInferenceOracle.TokenOutsideVocabulary.selector
        );
    }

    function test_claim_endsWithEos_succeeds() public {
        (Request memory r, bytes32 id) = askAndFill(params());
        claim(r, 0, pack(5, OTHER_EOS));
        assertEq(oracle.seatOf(id, 1, 0).tokenCount, 2);
    }

    function test_claim_onlyEos_succeeds() public {
        (Request memory r,) = askAndFill(params());
        claim(r, 0, pack(EOS));
    }

    function test_claim_fullWithEosLast_succeeds() public {
        RequestParams memory p = params();
        p.maxTokens = 2;
        (Request memory r,) = askAndFill(p);
        claim(r, 0, pack(5, EOS));
    }

    function test_claim_shortWithoutEos_reverts() public {
        (Request memory r,) = askAndFill(params());
        expectRejected(r, 0, pack(5, 6), "", IInferenceOracle.EndsTooSoon.selector);
    }

    /// An end-of-sequence id anywhere but last, at every place and of each of the ids.
    function test_claim_tokensAfterEos_reverts() public {
        (Request memory r,) = askAndFill(params());
        for (uint256 place; place < 31; ++place) {
            bytes memory tokens = answer();
            uint32 eos = place % 2 == 0 ? EOS : OTHER_EOS;
            (tokens[4 * place], tokens[4 * place + 1]) =
            (bytes1(uint8(eos)), bytes1(uint8(eos >> 8)));
            expectRejected(r, 0, tokens, "", IInferenceOracle.TokensAfterEnd.selector);
        }
    }

    function test_claim_allowed_succeeds() public {
        (Request memory r, bytes memory allowed) = verdict();
        uint64 seed = seedOf(r);
        vm.prank(operators[0]);
        oracle.claim(r, seed, pack(20), allowed);
        assertEq(oracle.seatOf(idOf(r), 1, 0).firstToken, 20);
    }

    function test_claim_notAllowed_reverts() public {
        (Request memory r, bytes memory allowed) = verdict();
        expectRejected(r, 0, pack(21), allowed, IInferenceOracle.TokenNotAllowed.selector);
    }

    function test_claim_withoutAllowedList_reverts() public {
        (Request memory r,) = verdict();
        expectRejected(r, 0, pack(20), "", IInferenceOracle.WrongAllowedList.selector);
    }

    function test_claim_otherAllowedList_reverts() public {
        (Request memory r,) = verdict();
        expectRejected(r, 0, pack(21), pack(10, 21), IInferenceOracle.WrongAllowedList.selector);
    }

    function test_claim_unaskedAllowedList_reverts() public {
        (Request memory r,) = askAndFill(params());
        expectRejected(r, 0, answer(), answer(), IInferenceOracle.WrongAllowedList.selector);
    }

    /// Up to 64 ids and 64 tokens the list is looked up; beyond either it is left to disputes.
    function test_claim_lookedUp_bounds() public {
        RequestParams memory p = params();
        (p.allowed, p.maxTokens) = (fromTo(100, 163), 64);
        (Request memory r,) = askAndFill(p);
        bytes memory tokens = p.allowed;
        expectRejected(r, 0, tokens, "", IInferenceOracle.WrongAllowedList.selector);
        expectRejected(r, 0, fromTo(101, 164), p.allowed, IInferenceOracle.TokenNotAllowed.selector);
        vm.prank(operators[0]);
        oracle.claim(r, 0, tokens, p.allowed);

        p.allowed = fromTo(100, 164);
        (r,) = askAndFill(p);
        expectRejected(r, 0, tokens, p.allowed, IInferenceOracle.WrongAllowedList.selector);
        claim(r, 0, fromTo(500, 563));

        (p.allowed, p.maxTokens) = (fromTo(100, 163), 65);
        (r,) = askAndFill(p);
        expectRejected(
            r, 0, fromTo(100, 164), p.allowed, IInferenceOracle.WrongAllowedList.selector
        );
        claim(r, 0, fromTo(500, 564));
    }

    /// Against a plain version of the rules, over random answers from a small vocabulary.
    function testDiff_claim_rules(uint8[] memory small, uint8 maxTokens) public {
        RequestParams memory p = params();
        p.maxTokens = uint32(bound(maxTokens, 1, 40));
        (Request memory r,) = askAndFill(p);
        uint256 n = small.length > 42 ? 42 : small.length;
        uint32[] memory ids = new uint32[](n);
        bool good = n >= 1 && n <= p.maxTokens;
        for (uint256 i; i < n; ++i) {
            ids[i] = small[i] % 64;
            if (ids[i] == EOS && i + 1 != n) good = false;
        }
        if (good && n < p.maxTokens && ids[n - 1] != EOS) good = false;
        uint64 seed = seedOf(r);
        vm.prank(operators[0]);
        (bool ok,) = address(oracle).call(abi.encodeCall(oracle.claim, (r, seed, pack(ids), "")));
        assertEq(ok, good);
    }

    /// The ids from a to b.
    function fromTo(uint32 a, uint32 b) private pure returns (bytes memory) {
        uint32[] memory ids = new uint32[](b - a + 1);
        for (uint32 i; i < ids.length; ++i) {
            ids[i] = a + i;
        }
        return pack(ids);
    }

    function verdict() private returns (Request memory r, bytes memory allowed) {
        RequestParams memory p = params();
        allowed = pack(10, 20, 30);
        (p.allowed, p.maxTokens) = (allowed, 1);
        (r,) = askAndFill(p);
    }

    function expectRejected(
        Request memory r,
        uint256 operator,
        bytes memory tokens,
        bytes memory allowed,
        bytes4 selector
    ) private {
        uint64 seed = seedOf(r);
        expect(selector);
        vm.prank(operators[operator]);
        oracle.claim(r, seed, tokens, allowed);
    }
}
