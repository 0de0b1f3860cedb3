// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

// slither-disable-start uninitialized-local: a local begins at 0, and is meant to

/// @title Token lists: packed u32 little-endian, 4 bytes per id.
/// @dev A 32-byte word of calldata holds 8 ids. Whole words are checked 8 ids at a time: after the
/// bytes are put in order, the ids are spread over two words of four 64-bit lanes each, so that a
/// sum in one lane carries into its own bit 32 and never into a neighbour. Every function but
/// `isWhole` assumes that `isWhole` holds.
library TokenList {
    uint256 internal constant ONES =
        0x0000000000000001000000000000000100000000000000010000000000000001;
    uint256 internal constant LANES =
        0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff;
    uint256 internal constant CARRIES =
        0x0000000100000000000000010000000000000001000000000000000100000000;
    uint256 internal constant BYTES =
        0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff;
    uint256 internal constant PAIRS =
        0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff;
    uint256 internal constant PIECE_BYTES = 1024;

    function isWhole(bytes calldata list) internal pure returns (bool) {
        return list.length % 4 == 0;
    }

    function count(bytes calldata list) internal pure returns (uint256) {
        return list.length / 4;
    }

    /// Id number i; the caller knows that i < count.
    function idAt(bytes calldata list, uint256 i) internal pure returns (uint32 id) {
        assembly ("memory-safe") {
            let word := shr(224, calldataload(add(list.offset, shl(2, i))))
            word := or(and(shr(8, word), 0x00ff00ff), shl(8, and(word, 0x00ff00ff)))
            id := or(shr(16, word), and(shl(16, word), 0xffff0000))
        }
    }

    /// Token hash: keccak256 of the concatenated keccak256 of every piece of 1,024 bytes, the last
    /// one shorter; 0 for no token.
    function hash(bytes calldata list) internal pure returns (bytes32 digest) {
        if (list.length == 0) return 0;
        assembly ("memory-safe") {
            let hashes := mload(0x40)
            let end := hashes
            let buffer := add(hashes, shl(5, shr(10, add(list.length, sub(PIECE_BYTES, 1)))))
            for { let offset := 0 } lt(offset, list.length) { offset := add(offset, PIECE_BYTES) } {
                let size := sub(list.length, offset)
                if gt(size, PIECE_BYTES) { size := PIECE_BYTES }
                calldatacopy(buffer, add(list.offset, offset), size)
                mstore(end, keccak256(buffer, size))
                end := add(end, 0x20)
            }
            digest := keccak256(hashes, sub(end, hashes))
        }
    }

    /// Whether every id is smaller than the bound.
    function allBelow(bytes calldata list, uint32 bound) internal pure returns (bool) {
        uint256 n = count(list);
        uint256 over;
        unchecked {
            // id + (2^32 - bound) reaches 2^32 exactly when id >= bound.
            uint256 add = (2 ** 32 - uint256(bound)) * ONES;
            for (uint256 i; i < n; i += 8) {
                (uint256 a, uint256 b) = _lanes(list, i, n, 0);
                over |= (a + add) | (b + add);
            }
        }
        return over & CARRIES == 0;
    }

    /// Whether one of the ids, none of which is 2^32 - 1, is among the first n of the list.
    function containsAny(bytes calldata list, uint256 n, uint32[] memory ids)
        internal
        pure
        returns (bool)
    {
        uint256 distinct = CARRIES;
        unchecked {
            for (uint256 i; i < n; i += 8) {
                (uint256 a, uint256 b) = _lanes(list, i, n, type(uint256).max);
                for (uint256 k; k < ids.length; ++k) {
                    uint256 wanted = uint256(ids[k]) * ONES;
                    // x + (2^32 - 1) reaches 2^32 unless x, the difference to the id, is 0.
                    distinct &= ((a ^ wanted) + LANES) & ((b ^ wanted) + LANES);
                }
            }
        }
        return distinct != CARRIES;
    }

    function isOneOf(uint32 id, uint32[] memory ids) internal pure returns (bool) {
        for (uint256 k; k < ids.length; ++k) {
            if (ids[k] == id) return true;
        }
        return false;
    }

    function isStrictlyIncreasing(bytes calldata list) internal pure returns (bool) {
        uint256 n = count(list);
        unchecked {
            for (uint256 i = 1; i < n; ++i) {
                if (idAt(list, i - 1) >= idAt(list, i)) return false;
            }
        }
        return true;
    }

    /// Whether a strictly increasing list has the id.
    function sortedContains(bytes calldata list, uint32 id) internal pure returns (bool) {
        uint256 low;
        uint256 high = count(list);
        unchecked {
            while (low < high) {
                uint256 middle = (low + high) / 2;
                uint32 found = idAt(list, middle);
                if (found == id) return true;
                if (found < id) low = middle + 1;
                else high = middle;
            }
        }
        return false;
    }

    /// The ids i to i + 7, every second one in the lanes of a, the others in those of b; bits of
    /// `fill` stand for ids from n on.
    function _lanes(bytes calldata list, uint256 i, uint256 n, uint256 fill)
        private
        pure
        returns (uint256 a, uint256 b)
    {
        assembly ("memory-safe") {
            let word := calldataload(add(list.offset, shl(2, i)))
            let left := sub(n, i)
            if lt(left, 8) {
                let behind := shr(shl(5, left), not(0))
                word := or(and(word, not(behind)), and(fill, behind))
            }
            word := or(and(shr(8, word), BYTES), shl(8, and(word, BYTES)))
            word := or(and(shr(16, word), PAIRS), shl(16, and(word, PAIRS)))
            a := and(word, LANES)
            b := and(shr(32, word), LANES)
        }
    }
}
// slither-disable-end uninitialized-local
