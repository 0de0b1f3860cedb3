// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    IInferenceOracle,
    Request,
    RequestParams,
    RequestState,
    RequestStatus,
    Seat,
    SeatStatus
} from "../src/interfaces/IInferenceOracle.sol";
import {BaseTest} from "./BaseTest.sol";

contract ClaimTest is BaseTest {
    function test_claim_recordsAndEmits_succeeds() public {
        (Request memory r, bytes32 id) = askAndFill(params());
        bytes memory tokens = answer();
        bytes32 claimHash = claimHashOf(r, operators[0], tokens);
        bytes32 claimId = claimIdOf(r, operators[0], tokens, 1);
        uint64 windowEnd = uint64(block.timestamp) + WINDOW;

        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Claimed(id, claimId, operators[0], claimHash, windowEnd, tokens);
        claim(r, 0, tokens);

        RequestState memory s = oracle.stateOf(id);
        assertTrue(s.status == RequestStatus.Claimed);
        assertEq(s.deadline, windowEnd);
        Seat memory seat = oracle.seatOf(id, 1, 0);
        assertTrue(seat.status == SeatStatus.Claimed);
        assertEq(seat.tokenCount, 32);
        assertEq(seat.firstToken, 100);
        assertEq(seat.value, tokensHash(tokens));
        (bytes32 hash, bytes32 claimId_) = oracle.claimOf(id, 1, 0);
        assertEq(hash, claimHash);
        assertEq(claimId_, claimId);
        assertEq(oracle.claimHashOf(id, s.seed, operators[0], 32, tokensHash(tokens)), claimHash);
    }

    function test_result_beforeFinal_tellsNothing() public {
        (, bytes32 id) = askAndClaim(params());
        (RequestStatus status, uint32 count, bytes32 hash, uint32 first) = oracle.result(id);
        assertTrue(status == RequestStatus.Claimed);
        assertEq(count, 0);
        assertEq(hash, 0);
        assertEq(first, 0);
    }

    function test_claimOf_withoutClaim_reverts() public {
        (, bytes32 id) = askAndFill(params());
        expect(IInferenceOracle.NoSuchClaim.selector);
        oracle.claimOf(id, 1, 0);
    }

    /// The same answer in another attempt is another claim for disputes.
    function test_claimId_differsByAttempt() public {
        (Request memory r,) = askAndClaim(params());
        assertNotEq(
            claimIdOf(r, operators[0], answer(), 1), claimIdOf(r, operators[0], answer(), 2)
        );
    }

    function test_claim_lastSecond_succeeds() public {
        (Request memory r,) = askAndFill(params());
        skip(5 minutes);
        claim(r, 0, answer());
    }

    function test_claim_afterDeadline_reverts() public {
        (Request memory r,) = askAndFill(params());
        skip(5 minutes + 1);
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
        expectRejected(r, 1, answer(), "", IInferenceOracle.NotSeated.selector);
    }

    /// The operator of an earlier attempt cannot claim in a later one.
    function test_claim_formerOperator_reverts() public {
        (Request memory r,) = askAndFill(params());
        skip(5 minutes + 1);
        oracle.missed(r, 0);
        accept(r, 1);
        expectRejected(r, 0, answer(), "", IInferenceOracle.NotSeated.selector);
    }

    function testFuzz_claim_otherSeed_reverts(uint64 seed) public {
        (Request memory r,) = askAndFill(params());
        uint64 used = seedOf(r);
        vm.assume(seed != used);
        vm.expectRevert(abi.encodeWithSelector(IInferenceOracle.WrongSeed.selector, used));
        vm.prank(operators[0]);
        oracle.claim(r, seed, answer(), "");
    }

    /// A re-org that changes the hash of the seed block makes the claim for the old seed fail.
    function test_claim_afterReorg_reverts() public {
        (Request memory r,) = ask(params());
        uint256 seedBlock = block.number + 1;
        vm.roll(block.number + 2);
        uint256 fork = vm.snapshotState();
        vm.setBlockhash(seedBlock, keccak256("old chain"));
        accept(r, 0);
        uint64 old = seedOf(r);
        vm.revertToState(fork);

        vm.setBlockhash(seedBlock, keccak256("new chain"));
        accept(r, 0);
        uint64 used = seedOf(r);
        assertNotEq(used, old);
        vm.expectRevert(abi.encodeWithSelector(IInferenceOracle.WrongSeed.selector, used));
        vm.prank(operators[0]);
        oracle.claim(r, old, answer(), "");
    }

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
