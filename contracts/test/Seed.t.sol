// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    IInferenceOracle,
    Request,
    RequestParams,
    RequestState,
    RequestStatus
} from "../src/interfaces/IInferenceOracle.sol";
import {SeedBlock} from "../src/libraries/SeedBlock.sol";
import {BaseTest} from "./BaseTest.sol";
import {Headers} from "./mocks/Headers.sol";

/// The library takes calldata, so it is called from outside.
contract SeedBlockHarness {
    function randaoOf(bytes calldata header) external pure returns (bytes32) {
        return SeedBlock.randaoOf(header);
    }
}

/// The seed used of sampled requests: from the header of the eighth block after the request.
contract SeedTest is BaseTest {
    /// Runtime code of EIP-2935's contract, as the EIP gives it.
    bytes internal constant HISTORY_CODE = hex"3373fffffffffffffffffffffffffffffffffffffffe"
        hex"14604657602036036042575f35600143038111604257"
        hex"611fff81430311604257611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500";

    SeedBlockHarness internal reader = new SeedBlockHarness();

    /* ACCEPTANCE */

    function test_accept_sampled_fixesSeed() public {
        (Request memory r, bytes32 id) = ask(sampled());
        uint64 requested = uint64(block.number);
        RequestState memory s = oracle.stateOf(id);
        assertEq(s.requestBlock, requested);
        assertFalse(s.seedFixed);
        assertEq(s.seed, 0);

        bytes memory header = dueHeader(r);
        assertEq(block.number, requested + 9);
        bytes32 mixed = keccak256(abi.encode(uint64(42), Headers.randaoOf(requested + 8)));
        uint64 seed = uint64(uint256(mixed));
        uint64 deadline = uint64(block.timestamp) + CLAIM_PERIOD;
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Accepted(id, operators[0], 1, 0, seed, true, deadline);
        acceptWith(r, 0, header);
        s = oracle.stateOf(id);
        assertTrue(s.seedFixed);
        assertEq(s.seed, seed);
    }

    /// Two requests of one block with one request seed have one seed used; the seed changes it.
    function test_accept_sampled_requestSeedIsMixedIn() public {
        (Request memory r,) = ask(sampled());
        (Request memory same,) = ask(sampled());
        (Request memory other,) = ask(withSeed(43));
        accept(r, 0);
        accept(same, 0);
        accept(other, 0);
        assertEq(seedOf(r), seedOf(same));
        assertNotEq(seedOf(r), seedOf(other));
    }

    function test_accept_sampled_beforeNinthBlock_reverts() public {
        (Request memory r,) = ask(sampled());
        uint256 requested = block.number;
        bytes memory header = Headers.encode(Headers.fieldsOf(requested + 8));
        for (uint256 i; i < 9; ++i) {
            vm.roll(requested + i);
            expect(IInferenceOracle.TooEarly.selector);
            acceptWith(r, 0, header);
        }
        vm.roll(requested + 9);
        vm.setBlockhash(requested + 8, keccak256(header));
        acceptWith(r, 0, header);
    }

    function test_accept_sampled_after8000Blocks_reverts() public {
        vm.etch(SeedBlock.HISTORY, HISTORY_CODE);
        (Request memory r,) = ask(sampled());
        uint256 requested = block.number;
        bytes memory header = Headers.encode(Headers.fieldsOf(requested + 8));
        recordHash(requested + 8, keccak256(header));
        vm.roll(requested + 8001);
        expect(IInferenceOracle.TooLate.selector);
        acceptWith(r, 0, header);
        vm.roll(requested + 8000);
        acceptWith(r, 0, header);
    }

    /// Beyond the opcode's 256 blocks the history contract answers, with the same seed.
    function test_accept_seedFromHistory_equalsOpcode() public {
        vm.etch(SeedBlock.HISTORY, HISTORY_CODE);
        (Request memory r,) = ask(sampled());
        uint256 number = block.number + 8;
        bytes memory header = dueHeader(r);
        recordHash(number, keccak256(header));
        uint256 snapshot = vm.snapshotState();

        vm.etch(SeedBlock.HISTORY, "");
        acceptWith(r, 0, header);
        uint64 fromOpcode = seedOf(r);
        vm.revertToState(snapshot);

        vm.roll(number + 257);
        assertEq(blockhash(number), 0);
        acceptWith(r, 0, header);
        assertEq(seedOf(r), fromOpcode);
    }

    /// No header makes up for a hash that the chain does not know, not even one that hashes to 0.
    function test_accept_hashLost_reverts() public {
        (Request memory r,) = ask(sampled());
        bytes memory header = dueHeader(r);
        vm.roll(block.number + 300);
        expectWrongHeader(r, header);
        // A history that does not keep the block, or that answers with something else.
        vm.etch(SeedBlock.HISTORY, HISTORY_CODE);
        expectWrongHeader(r, header);
        vm.etch(SeedBlock.HISTORY, hex"60016000f3");
        expectWrongHeader(r, header);
        expectWrongHeader(r, "");
    }

    function test_accept_otherBlocksHeader_reverts() public {
        (Request memory r,) = ask(sampled());
        uint256 number = block.number + 8;
        dueHeader(r);
        for (uint256 other = number - 8; other < number; ++other) {
            bytes memory header = Headers.encode(Headers.fieldsOf(other));
            vm.setBlockhash(other, keccak256(header));
            expectWrongHeader(r, header);
        }
    }

    function testFuzz_accept_changedHeader_reverts(uint256 at, uint8 by) public {
        (Request memory r,) = ask(sampled());
        bytes memory header = dueHeader(r);
        at = bound(at, 0, header.length - 1);
        header[at] = bytes1(uint8(header[at]) ^ uint8(bound(by, 1, 255)));
        expectWrongHeader(r, header);
    }

    function test_accept_noHeader_reverts() public {
        (Request memory r,) = ask(sampled());
        dueHeader(r);
        expectWrongHeader(r, "");
    }

    function test_accept_headerForGreedy_reverts() public {
        (Request memory r,) = ask(params());
        uint256 number = block.number + 8;
        bytes memory header = Headers.encode(Headers.fieldsOf(number));
        vm.roll(number + 1);
        vm.setBlockhash(number, keccak256(header));
        expectWrongHeader(r, header);
        expectWrongHeader(r, hex"00");
        acceptWith(r, 0, "");
    }

    /// Once the seed is fixed no header is needed, and none is looked at: of two that accept at once
    /// the second brings one too.
    function test_accept_headerAgain_isNotLookedAt() public {
        (Request memory r,) = ask(sampledReplicas());
        bytes memory header = dueHeader(r);
        acceptWith(r, 0, header);
        uint64 seed = seedOf(r);
        acceptWith(r, 1, header);
        assertTrue(statusOf(idOf(r)) == RequestStatus.Accepted);
        assertEq(seedOf(r), seed);
    }

    /// Later rounds and attempts keep the seed, however old the request's block is.
    function test_accept_laterRounds_keepSeed() public {
        (Request memory r, bytes32 id) = askAndFill(sampled());
        uint64 seed = seedOf(r);
        skip(CLAIM_PERIOD + 1);
        oracle.missed(r, 0);
        vm.roll(block.number + 10_000);
        accept(r, 1);
        claim(r, 1, answer());
        convict(r, 1, 0);
        vm.roll(block.number + 10_000);
        accept(r, 2);
        assertEq(seedOf(r), seed);
        assertEq(oracle.stateOf(id).attempt, 2);
    }

    /// A re-org that changes the header of the seed block changes the seed: the claim for the old
    /// one fails.
    function test_claim_afterReorg_reverts() public {
        (Request memory r,) = ask(sampled());
        uint256 number = block.number + 8;
        vm.roll(number + 1);
        uint256 fork = vm.snapshotState();
        accept(r, 0);
        uint64 old = seedOf(r);
        vm.revertToState(fork);

        bytes[] memory fields = Headers.fieldsOf(number);
        fields[Headers.RANDAO] = abi.encodePacked(keccak256("other chain"));
        bytes memory header = Headers.encode(fields);
        vm.setBlockhash(number, keccak256(header));
        acceptWith(r, 0, header);
        uint64 used = seedOf(r);
        assertEq(used, uint64(uint256(keccak256(abi.encode(r.seed, keccak256("other chain"))))));
        assertNotEq(used, old);
        vm.expectRevert(abi.encodeWithSelector(IInferenceOracle.WrongSeed.selector, used));
        vm.prank(operators[0]);
        oracle.claim(r, old, answer(), "");
    }

    /// The opcode's hash and the history's cannot be played against each other: the header is that
    /// of the block which the chain names.
    function test_accept_headerOfHistoryOnly_reverts() public {
        (Request memory r,) = ask(sampled());
        uint256 number = block.number + 8;
        vm.etch(SeedBlock.HISTORY, HISTORY_CODE);
        bytes[] memory fields = Headers.fieldsOf(number);
        fields[Headers.RANDAO] = abi.encodePacked(keccak256("forged"));
        bytes memory forged = Headers.encode(fields);
        recordHash(number, keccak256(forged));
        bytes memory header = dueHeader(r);
        expectWrongHeader(r, forged);
        acceptWith(r, 0, header);
    }

    /* HEADERS */

    function test_randaoOf_header_succeeds() public view {
        bytes[] memory fields = Headers.fieldsOf(23_000_000);
        assertEq(reader.randaoOf(Headers.encode(fields)), Headers.randaoOf(23_000_000));
    }

    /// Before and after forks that append fields, of any sizes.
    function testFuzz_randaoOf_forks(uint256 number, uint256 count, bytes memory a, bytes memory b)
        public
        view
    {
        number = bound(number, 0, type(uint64).max);
        bytes[] memory fields = Headers.fieldsOf(number);
        count = bound(count, 14, fields.length);
        bytes[] memory early = new bytes[](count);
        for (uint256 i; i < count; ++i) {
            early[i] = fields[i];
        }
        assertEq(reader.randaoOf(Headers.encode(early)), Headers.randaoOf(number));
        fields = Headers.extended(fields, a, b);
        assertEq(reader.randaoOf(Headers.encode(fields)), Headers.randaoOf(number));
    }

    /// Every other field may have any length that RLP can say.
    function testFuzz_randaoOf_fieldSizes(uint16[20] memory sizes, uint8 last) public view {
        bytes[] memory fields = Headers.fieldsOf(1);
        for (uint256 i; i < sizes.length; ++i) {
            // Lengths about 55, 255 and 300, where the prefix changes.
            if (i != Headers.RANDAO) fields[i] = new bytes(sizes[i] % 301);
            if (fields[i].length == 1) fields[i][0] = bytes1(last);
        }
        assertEq(reader.randaoOf(Headers.encode(fields)), Headers.randaoOf(1));
    }

    function test_randaoOf_truncated_reverts() public {
        bytes memory header = Headers.encode(Headers.fieldsOf(1));
        for (uint256 n; n < header.length; ++n) {
            bytes memory part = new bytes(n);
            for (uint256 i; i < n; ++i) {
                part[i] = header[i];
            }
            expect(IInferenceOracle.WrongHeader.selector);
            reader.randaoOf(part);
        }
        expect(IInferenceOracle.WrongHeader.selector);
        reader.randaoOf(bytes.concat(header, hex"00"));
    }

    /// A list that ends before the field, or has another size there.
    function test_randaoOf_malformed_reverts() public {
        bytes[] memory few = new bytes[](13);
        expectMalformed(Headers.encode(few));
        bytes[] memory fields = Headers.fieldsOf(1);
        for (uint256 size; size < 40; ++size) {
            if (size == 32) continue;
            fields[Headers.RANDAO] = new bytes(size);
            expectMalformed(Headers.encode(fields));
        }
        // A byte string in place of a list, and lengths that lie.
        expectMalformed(Headers.item(new bytes(600)));
        expectMalformed(hex"");
        expectMalformed(hex"00");
        expectMalformed(hex"c0");
        expectMalformed(hex"f8");
        expectMalformed(hex"ff0000000000000001c0");
        expectMalformed(bytes.concat(hex"ff", bytes8(type(uint64).max), new bytes(600)));
        expectMalformed(bytes.concat(hex"f90258bf", bytes8(type(uint64).max), new bytes(600)));
    }

    /// Whatever the bytes, there is an answer or `WrongHeader`: no panic, no empty revert. Where
    /// there is an answer, a plain reader of RLP has the same.
    function testFuzz_randaoOf_hostile(bytes memory data, uint256 random) public view {
        checkAgainstPlain(data);
        // The same with lists and lengths in it.
        bytes memory header = Headers.encode(Headers.fieldsOf(random % 1000));
        for (uint256 i; i < 3; ++i) {
            random = uint256(keccak256(abi.encode(random)));
            uint256 at = random % header.length;
            // Half of the changes hit the prefixes at the beginning.
            if (random >> 255 == 1) at %= 128;
            header[at] = bytes1(uint8(random >> 128));
        }
        checkAgainstPlain(header);
    }

    /// Lengths of eight bytes in every place where a length can stand.
    function testFuzz_randaoOf_hostileLengths(uint64 length, uint8 sizeBytes, uint8 field)
        public
        view
    {
        sizeBytes = uint8(bound(sizeBytes, 1, 8));
        bytes memory said = abi.encodePacked(length);
        bytes memory prefix = abi.encodePacked(uint8(0xb7 + sizeBytes));
        for (uint256 i = 8 - sizeBytes; i < 8; ++i) {
            prefix = bytes.concat(prefix, said[i]);
        }
        bytes memory payload;
        for (uint256 i; i < field % 14; ++i) {
            payload = bytes.concat(payload, Headers.item(new bytes(32)));
        }
        payload = bytes.concat(payload, prefix, new bytes(600));
        checkAgainstPlain(bytes.concat(Headers.prefix(payload.length, 0xc0), payload));
        checkAgainstPlain(bytes.concat(prefix, new bytes(600)));
        prefix[0] = bytes1(0xf7 + sizeBytes);
        checkAgainstPlain(bytes.concat(prefix, new bytes(600)));
    }

    /* HELPERS */

    function checkAgainstPlain(bytes memory data) private view {
        (bool well, bytes32 randao) = plainRandao(data);
        (bool ok, bytes memory out) =
            address(reader).staticcall(abi.encodeCall(reader.randaoOf, (data)));
        if (ok) {
            assertTrue(well, "accepted");
            assertEq(abi.decode(out, (bytes32)), randao);
        } else {
            assertFalse(well, "refused");
            assertEq(out, abi.encodeWithSelector(IInferenceOracle.WrongHeader.selector));
        }
    }

    /// Item 13 of a list that fills the data: read in the plainest way, in wide integers.
    function plainRandao(bytes memory data) private pure returns (bool, bytes32 randao) {
        (bool ok, bool isList, uint256 start, uint256 length) = plainItem(data, 0, data.length);
        if (!ok || !isList || start + length != data.length) return (false, 0);
        uint256 at = start;
        for (uint256 i;; ++i) {
            (ok,, start, length) = plainItem(data, at, data.length);
            if (!ok) return (false, 0);
            if (i == 13) break;
            at = start + length;
        }
        if (length != 32) return (false, 0);
        for (uint256 i; i < 32; ++i) {
            randao |= bytes32(data[start + i]) >> (8 * i);
        }
        return (true, randao);
    }

    function plainItem(bytes memory data, uint256 at, uint256 end)
        private
        pure
        returns (bool ok, bool isList, uint256 start, uint256 length)
    {
        if (at >= end) return (false, false, 0, 0);
        uint256 p = uint8(data[at]);
        isList = p >= 0xc0;
        if (p < 0x80) return (true, false, at, 1);
        p -= isList ? 0xc0 : 0x80;
        start = at + 1;
        length = p;
        if (p > 55) {
            length = 0;
            for (uint256 i; i < p - 55; ++i) {
                if (start == end) return (false, false, 0, 0);
                length = length * 256 + uint8(data[start++]);
            }
        }
        ok = start + length <= end;
    }

    function withSeed(uint64 seed) private view returns (RequestParams memory p) {
        p = sampled();
        p.seed = seed;
    }

    function sampledReplicas() private view returns (RequestParams memory p) {
        p = sampled();
        p.replicas = 2;
    }

    function acceptWith(Request memory r, uint256 operator, bytes memory header) private {
        vm.prank(operators[operator]);
        oracle.accept(r, operators[operator], header);
    }

    function expectWrongHeader(Request memory r, bytes memory header) private {
        expect(IInferenceOracle.WrongHeader.selector);
        acceptWith(r, 0, header);
    }

    function expectMalformed(bytes memory header) private {
        expect(IInferenceOracle.WrongHeader.selector);
        reader.randaoOf(header);
    }

    /// As the protocol does at the start of each block.
    function recordHash(uint256 number, bytes32 hash) private {
        vm.store(SeedBlock.HISTORY, bytes32(number % 8191), hash);
    }
}
