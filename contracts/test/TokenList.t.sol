// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TokenList} from "../src/libraries/TokenList.sol";
import {BaseTest} from "./BaseTest.sol";

/// The library takes calldata, so it is called from outside.
contract TokenListHarness {
    /// Fills free memory, so that nothing passes because memory happens to be zero.
    modifier brutalized() {
        assembly {
            let p := mload(0x40)
            for { let i := 0 } lt(i, 4096) { i := add(i, 0x20) } { mstore(add(p, i), not(i)) }
        }
        _;
    }

    function isWhole(bytes calldata list) external pure returns (bool) {
        return TokenList.isWhole(list);
    }

    function hash(bytes calldata list) external pure brutalized returns (bytes32) {
        return TokenList.hash(list);
    }

    function idAt(bytes calldata list, uint256 i) external pure returns (uint32) {
        return TokenList.idAt(list, i);
    }

    /// Another argument follows in calldata: what lies behind the list must not count.
    function allBelow(bytes calldata list, uint32 limit, bytes calldata)
        external
        pure
        returns (bool)
    {
        return TokenList.allBelow(list, limit);
    }

    function containsAny(bytes calldata list, uint256 n, uint32[] memory ids)
        external
        pure
        returns (bool)
    {
        return TokenList.containsAny(list, n, ids);
    }

    function isStrictlyIncreasing(bytes calldata list) external pure returns (bool) {
        return TokenList.isStrictlyIncreasing(list);
    }

    function sortedContains(bytes calldata list, uint32 id) external pure returns (bool) {
        return TokenList.sortedContains(list, id);
    }
}

contract TokenListTest is BaseTest {
    TokenListHarness internal lists = new TokenListHarness();
    bytes internal junk = hex"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";

    function setUp() public override {}

    function test_hash_vectors_succeeds() public view {
        // Piece lengths around the boundary, against the plain version.
        uint16[9] memory lengths = [0, 4, 1020, 1024, 1028, 2044, 2048, 2052, 5000];
        for (uint256 i; i < lengths.length; ++i) {
            bytes memory list = new bytes(lengths[i]);
            for (uint256 k; k < list.length; ++k) {
                list[k] = bytes1(uint8(k % 251));
            }
            assertEq(lists.hash(list), tokensHash(list), vm.toString(uint256(lengths[i])));
        }
        assertEq(lists.hash(pack(1, 2)), keccak256(abi.encode(keccak256(hex"0100000002000000"))));
    }

    function testDiff_hash(bytes memory list) public view {
        assertEq(lists.hash(list), tokensHash(list));
    }

    function testFuzz_idAt_unpacks(uint32[] memory ids) public view {
        bytes memory list = pack(ids);
        for (uint256 i; i < ids.length; ++i) {
            assertEq(lists.idAt(list, i), ids[i]);
        }
    }

    function testFuzz_isWhole(bytes memory list) public view {
        assertEq(lists.isWhole(list), list.length % 4 == 0);
    }

    function testDiff_allBelow(uint32[] memory ids, uint32 limit) public view {
        bool expected = true;
        for (uint256 i; i < ids.length; ++i) {
            expected = expected && ids[i] < limit;
        }
        assertEq(lists.allBelow(pack(ids), limit, junk), expected);
    }

    /// One id at the limit or next to it, at every place of a list of up to 17.
    function test_allBelow_everyPlace_succeeds() public view {
        uint32[6] memory limits = [uint32(1), 2, 0x10000, 0x12345678, 0x80000000, type(uint32).max];
        for (uint256 n = 1; n <= 17; ++n) {
            for (uint256 place; place < n; ++place) {
                for (uint256 k; k < limits.length; ++k) {
                    uint32 limit = limits[k];
                    uint32[] memory ids = filled(n, limit - 1);
                    assertTrue(lists.allBelow(pack(ids), limit, junk));
                    ids[place] = limit;
                    assertFalse(lists.allBelow(pack(ids), limit, junk));
                    ids[place] = type(uint32).max;
                    assertFalse(lists.allBelow(pack(ids), limit, junk));
                }
            }
        }
    }

    function test_containsAny_everyPlace_succeeds() public view {
        uint32[4] memory wanted = [uint32(0), 7, 0x80000000, type(uint32).max - 1];
        uint32[] memory ids = new uint32[](2);
        ids[0] = 3;
        for (uint256 n = 1; n <= 17; ++n) {
            for (uint256 place; place < n; ++place) {
                for (uint256 k; k < wanted.length; ++k) {
                    ids[1] = wanted[k];
                    uint32[] memory list = filled(n, wanted[k] + 1);
                    assertFalse(lists.containsAny(pack(list), n, ids));
                    list[place] = wanted[k];
                    assertTrue(lists.containsAny(pack(list), n, ids));
                    // Ids behind the first `place` do not count.
                    assertFalse(lists.containsAny(pack(list), place, ids));
                }
            }
        }
    }

    function testDiff_containsAny(uint8[] memory small, uint8[3] memory wanted, uint256 n)
        public
        view
    {
        uint32[] memory list = new uint32[](small.length);
        uint32[] memory ids = new uint32[](3);
        n = bound(n, 0, small.length);
        bool expected;
        for (uint256 k; k < 3; ++k) {
            ids[k] = wanted[k];
        }
        for (uint256 i; i < list.length; ++i) {
            list[i] = small[i];
            for (uint256 k; k < 3; ++k) {
                expected = expected || (i < n && small[i] == wanted[k]);
            }
        }
        assertEq(lists.containsAny(pack(list), n, ids), expected);
    }

    function testDiff_isStrictlyIncreasing(uint32[4] memory steps) public view {
        uint32[] memory list = new uint32[](5);
        bool expected = true;
        for (uint256 i; i < 4; ++i) {
            unchecked {
                list[i + 1] = list[i] + steps[i] % 2 ** 31;
            }
            expected = expected && list[i + 1] > list[i];
        }
        assertEq(lists.isStrictlyIncreasing(pack(list)), expected);
    }

    function test_isStrictlyIncreasing_edges_succeeds() public view {
        assertTrue(lists.isStrictlyIncreasing(""));
        assertTrue(lists.isStrictlyIncreasing(pack(5)));
        assertFalse(lists.isStrictlyIncreasing(pack(5, 5)));
        assertTrue(lists.isStrictlyIncreasing(pack(0x000000ff, 0x00000100)));
        assertFalse(lists.isStrictlyIncreasing(pack(0x00000100, 0x000000ff)));
    }

    function testDiff_sortedContains(uint16[] memory steps, uint32 id) public view {
        uint32[] memory list = new uint32[](steps.length);
        uint32 last;
        bool expected;
        for (uint256 i; i < list.length; ++i) {
            last += uint32(steps[i]) + 1;
            list[i] = last;
            // Every member is found, whatever the random id.
            expected = expected || last == id;
        }
        bytes memory packed = pack(list);
        assertEq(lists.sortedContains(packed, id), expected);
        for (uint256 i; i < list.length; ++i) {
            assertTrue(lists.sortedContains(packed, list[i]));
            if (steps[i] != 0) assertFalse(lists.sortedContains(packed, list[i] - 1));
        }
    }

    function filled(uint256 n, uint32 id) private pure returns (uint32[] memory ids) {
        ids = new uint32[](n);
        for (uint256 i; i < n; ++i) {
            ids[i] = id;
        }
    }
}
