// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {Opening} from "../../src/interfaces/IStepVerifier.sol";
import {Item, Merkle} from "../../src/verifier/Merkle.sol";

contract MerkleHarness {
    function openBytes(Item calldata item, uint256 row, uint256 lo, uint256 hi, Opening calldata o)
        external
        pure
        returns (bytes memory)
    {
        return bytesAt(Merkle.openBytes(item, row, lo, hi, o), hi - lo);
    }

    function openRows(Item calldata item, uint256 row, uint256 count, Opening calldata o)
        external
        pure
        returns (bytes memory)
    {
        return bytesAt(Merkle.openRows(item, row, count, o), count * item.rowBytes);
    }

    function bytesAt(uint256 at, uint256 size) private pure returns (bytes memory out) {
        out = new bytes(size);
        assembly ("memory-safe") {
            calldatacopy(add(out, 0x20), at, size)
        }
    }
}

/// Openings against whole trees, made node by node as docs/SPEC.md words them: every range of small
/// items, and every way to spoil one.
contract OpeningsTest is Test {
    MerkleHarness internal harness = new MerkleHarness();

    /// An item with all its rows, and where it stands among others.
    struct Tree {
        Item item;
        uint256 rows;
        uint256 chunks;
        uint256 height;
        bytes data;
        bytes32[] roots;
    }

    /* THE WHOLE TREE */

    function treeOf(uint256 rowBytes, uint256 rows, uint256 items, uint256 index)
        private
        pure
        returns (Tree memory t)
    {
        t.rows = rows;
        t.chunks = (rowBytes + 1023) / 1024;
        t.item = Item(2, 0, items, index, rowBytes, log2(rows));
        t.height = log2(rows) + log2(t.chunks);
        t.data = new bytes(rowBytes * rows);
        for (uint256 i; i < t.data.length; ++i) {
            t.data[i] =
                bytes1(uint8(uint256(keccak256(abi.encode(i / 32, rowBytes))) >> (8 * (i % 32))));
        }
        t.roots = new bytes32[](items);
        for (uint256 i; i < items; ++i) {
            t.roots[i] = i == index ? node(t, t.height, 0) : keccak256(abi.encode("item", i));
        }
        t.item.root = top(t, log2(items), 0);
    }

    function node(Tree memory t, uint256 height, uint256 place) private pure returns (bytes32) {
        uint256 bits = log2(t.chunks);
        uint256 leaf = place << height;
        uint256 chunk = leaf & ((1 << bits) - 1);
        if (leaf >> bits >= t.rows || chunk >= t.chunks) {
            return keccak256(abi.encodePacked(uint8(19), uint8(height)));
        }
        if (height == 0) return keccak256(bytes.concat(hex"10", chunkOf(t, leaf >> bits, chunk)));
        bytes32 left = node(t, height - 1, 2 * place);
        return keccak256(
            abi.encodePacked(uint8(17), uint8(height), left, node(t, height - 1, 2 * place + 1))
        );
    }

    function top(Tree memory t, uint256 height, uint256 place) private pure returns (bytes32) {
        if (place << height >= t.roots.length) {
            return keccak256(abi.encodePacked(uint8(20), uint8(height)));
        }
        if (height == 0) return t.roots[place];
        bytes32 left = top(t, height - 1, 2 * place);
        return keccak256(
            abi.encodePacked(uint8(18), uint8(height), left, top(t, height - 1, 2 * place + 1))
        );
    }

    function chunkOf(Tree memory t, uint256 row, uint256 chunk)
        private
        pure
        returns (bytes memory)
    {
        uint256 end = 1024 * chunk + 1024 < t.item.rowBytes ? 1024 * chunk + 1024 : t.item.rowBytes;
        return slice(t.data, row * t.item.rowBytes + 1024 * chunk, row * t.item.rowBytes + end);
    }

    /// The opening of places [a, b) with the given bytes.
    function open(Tree memory t, uint256 a, uint256 b, bytes memory data)
        private
        pure
        returns (Opening memory o)
    {
        bytes32[] memory path = new bytes32[](100);
        uint256 n;
        for (uint256 h; h < t.height; ++h) {
            if (a % 2 == 1) path[n++] = node(t, h, a - 1);
            if (b % 2 == 1) path[n++] = node(t, h, b);
            (a, b) = (a / 2, (b + 1) / 2);
        }
        for (uint256 h; h < log2(t.roots.length); ++h) {
            path[n++] = top(t, h, (t.item.index >> h) ^ 1);
        }
        o.data = data;
        o.path = new bytes32[](n);
        for (uint256 i; i < n; ++i) {
            o.path[i] = path[i];
        }
    }

    function log2(uint256 n) private pure returns (uint256 bits) {
        while ((1 << bits) < n) ++bits;
    }

    function slice(bytes memory data, uint256 from, uint256 to)
        private
        pure
        returns (bytes memory out)
    {
        out = new bytes(to - from);
        for (uint256 i; i < out.length; ++i) {
            out[i] = data[from + i];
        }
    }

    /* BYTES OF A ROW */

    function test_openBytes_everyRange() public view {
        uint256[6] memory sizes = [uint256(1), 40, 1024, 1025, 2500, 5000];
        for (uint256 i; i < sizes.length; ++i) {
            for (uint256 rows = 1; rows <= 3; ++rows) {
                uint256 items = 1 + (i + rows) % 5;
                this.checkRanges(sizes[i], rows, items, (i * rows) % items);
            }
        }
    }

    /// All runs of chunks of all rows, each from a byte inside its first chunk to one inside its
    /// last. In a call of its own, which gives its memory back.
    function checkRanges(uint256 rowBytes, uint256 rows, uint256 items, uint256 index)
        external
        view
    {
        Tree memory t = treeOf(rowBytes, rows, items, index);
        for (uint256 row; row < rows; ++row) {
            for (uint256 first; first < t.chunks; ++first) {
                for (uint256 last = first; last < t.chunks; ++last) {
                    uint256 lo = 1024 * first + (rowBytes - 1024 * first) / 3 % 1024;
                    uint256 hi = 1024 * last + 1000 < rowBytes ? 1024 * last + 1000 : rowBytes;
                    if (hi > lo) checkRange(t, row, lo, hi);
                }
            }
        }
    }

    function checkRange(Tree memory t, uint256 row, uint256 lo, uint256 hi) private view {
        bytes memory data;
        for (uint256 c = lo / 1024; c <= (hi - 1) / 1024; ++c) {
            data = bytes.concat(data, chunkOf(t, row, c));
        }
        uint256 place = (row << log2(t.chunks)) + lo / 1024;
        Opening memory o = open(t, place, place + (hi - 1) / 1024 - lo / 1024 + 1, data);
        uint256 start = row * t.item.rowBytes;
        assertEq(harness.openBytes(t.item, row, lo, hi, o), slice(t.data, start + lo, start + hi));
        spoil(t, row, lo, hi, o);
    }

    function spoil(Tree memory t, uint256 row, uint256 lo, uint256 hi, Opening memory o)
        private
        view
    {
        for (uint256 i; i < o.path.length; ++i) {
            o.path[i] ^= bytes32(uint256(1) << (8 * (i % 32)));
            fails(t.item, row, lo, hi, o);
            o.path[i] ^= bytes32(uint256(1) << (8 * (i % 32)));
        }
        for (uint256 i; i < o.data.length; i += 1 + o.data.length / 5) {
            o.data[i] ^= 0x01;
            fails(t.item, row, lo, hi, o);
            o.data[i] ^= 0x01;
        }
        bytes memory data = o.data;
        o.data = slice(data, 0, data.length - 1);
        fails(t.item, row, lo, hi, o);
        o.data = bytes.concat(data, hex"00");
        fails(t.item, row, lo, hi, o);
        o.data = data;
        for (uint256 bit; bit < t.item.rowBits; ++bit) {
            fails(t.item, row ^ (1 << bit), lo, hi, o);
        }
        bytes32[] memory path = o.path;
        o.path = new bytes32[](path.length + 1);
        for (uint256 i; i < path.length; ++i) {
            o.path[i] = path[i];
        }
        fails(t.item, row, lo, hi, o);
        if (path.length > 0) {
            o.path = new bytes32[](path.length - 1);
            for (uint256 i; i < o.path.length; ++i) {
                o.path[i] = path[i];
            }
            fails(t.item, row, lo, hi, o);
        }
        o.path = path;
        Item memory other = copy(t.item);
        other.tree = 1;
        fails(other, row, lo, hi, o);
        if (t.item.items > 1) {
            other = copy(t.item);
            other.index ^= 1;
            fails(other, row, lo, hi, o);
        }
    }

    function copy(Item memory item) private pure returns (Item memory) {
        return Item(item.tree, item.root, item.items, item.index, item.rowBytes, item.rowBits);
    }

    function fails(Item memory item, uint256 row, uint256 lo, uint256 hi, Opening memory o)
        private
        view
    {
        (bool ok,) = address(harness)
            .staticcall(abi.encodeCall(MerkleHarness.openBytes, (item, row, lo, hi, o)));
        assertFalse(ok, "a spoilt opening");
    }

    /* WHOLE ROWS */

    function test_openRows_everyRange() public view {
        for (uint256 rows = 1; rows <= 9; ++rows) {
            this.checkRows(rows);
        }
    }

    function checkRows(uint256 rows) external view {
        Tree memory t = treeOf(24, rows, 3, 1);
        for (uint256 first; first < rows; ++first) {
            for (uint256 count = 1; first + count <= rows; ++count) {
                bytes memory data = slice(t.data, 24 * first, 24 * (first + count));
                Opening memory o = open(t, first, first + count, data);
                assertEq(harness.openRows(t.item, first, count, o), data);
                if (first + count < rows) failsRows(t.item, first + 1, count, o);
                failsRows(t.item, first, count + 1, o);
                failsRows(t.item, first, count - 1, o);
                o.data[24 * count - 1] ^= 0x80;
                failsRows(t.item, first, count, o);
            }
        }
    }

    function failsRows(Item memory item, uint256 row, uint256 count, Opening memory o)
        private
        view
    {
        (bool ok,) = address(harness)
            .staticcall(abi.encodeCall(MerkleHarness.openRows, (item, row, count, o)));
        assertFalse(ok, "a spoilt opening");
    }
}
