// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {Opening} from "../../src/interfaces/IStepVerifier.sol";
import {Item, Merkle} from "../../src/verifier/Merkle.sol";

/// Openings bind: what opens at a place under a root is what lies there, whatever the rows and the
/// hashes of the path are (halmos; contracts/tools/analyse runs it). The tree: 3 items of 4 rows of
/// 8 bytes.
contract MerkleSymbolic is Test {
    uint256 internal constant TREE = 2;

    /// count 0: the bytes of a row.
    function open(bytes32 root, uint256 row, uint256 count, Opening calldata o) external pure {
        Item memory i = Item({tree: TREE, root: root, items: 3, index: 1, rowBytes: 8, rowBits: 2});
        if (count == 0) Merkle.openBytes(i, row, 0, 8, o);
        else Merkle.openRows(i, row, count, o);
    }

    function check_openRow1(
        bytes8[4] calldata rows,
        bytes32[3] calldata roots,
        bytes8 data,
        bytes32[4] calldata path
    ) external view {
        vm.assume(_opens(_root(rows, roots), 1, 0, abi.encodePacked(data), _list(path, 4)));
        assert(data == rows[1]);
    }

    function check_openRow2(
        bytes8[4] calldata rows,
        bytes32[3] calldata roots,
        bytes8 data,
        bytes32[4] calldata path
    ) external view {
        vm.assume(_opens(_root(rows, roots), 2, 0, abi.encodePacked(data), _list(path, 4)));
        assert(data == rows[2]);
    }

    /// Under one node.
    function check_openRows2And3(
        bytes8[4] calldata rows,
        bytes32[3] calldata roots,
        bytes16 data,
        bytes32[4] calldata path
    ) external view {
        vm.assume(_opens(_root(rows, roots), 2, 2, abi.encodePacked(data), _list(path, 3)));
        assert(data == bytes16(abi.encodePacked(rows[2], rows[3])));
    }

    /// Not under one node: a hash on either side.
    function check_openRows1And2(
        bytes8[4] calldata rows,
        bytes32[3] calldata roots,
        bytes16 data,
        bytes32[4] calldata path
    ) external view {
        vm.assume(_opens(_root(rows, roots), 1, 2, abi.encodePacked(data), _list(path, 4)));
        assert(data == bytes16(abi.encodePacked(rows[1], rows[2])));
    }

    function check_openFourRows(
        bytes8[4] calldata rows,
        bytes32[3] calldata roots,
        bytes32 data,
        bytes32[4] calldata path
    ) external view {
        vm.assume(_opens(_root(rows, roots), 0, 4, abi.encodePacked(data), _list(path, 2)));
        assert(data == bytes32(abi.encodePacked(rows[0], rows[1], rows[2], rows[3])));
    }

    /// A path that is longer or shorter than the place demands never opens.
    function check_otherLengths(bytes32 root, bytes8 data, bytes32[6] calldata path) external view {
        for (uint256 length; length < 6; ++length) {
            bytes32[] memory p = new bytes32[](length);
            for (uint256 i; i < length; ++i) {
                p[i] = path[i];
            }
            for (uint256 row; row < 4; ++row) {
                assert(length == 4 || !_opens(root, row, 0, abi.encodePacked(data), p));
            }
            assert(length == 4 || !_opens(root, 1, 2, abi.encodePacked(data, data), p));
        }
    }

    /// Neither do other numbers of bytes.
    function check_otherSizes(bytes32 root, bytes32 data, bytes32[4] calldata path) external view {
        for (uint256 size; size < 32; ++size) {
            bytes memory d = abi.encodePacked(data);
            assembly ("memory-safe") {
                mstore(d, size)
            }
            assert(size == 8 || !_opens(root, 2, 0, d, _list(path, 4)));
            assert(size == 16 || !_opens(root, 2, 2, d, _list(path, 3)));
        }
    }

    function _opens(
        bytes32 root,
        uint256 row,
        uint256 count,
        bytes memory data,
        bytes32[] memory path
    ) private view returns (bool ok) {
        (ok,) = address(this)
            .staticcall(abi.encodeCall(this.open, (root, row, count, Opening(data, path))));
    }

    /// The root of the tree, written plainly; roots: of the other items and of the padding beside
    /// the last.
    function _root(bytes8[4] calldata rows, bytes32[3] calldata roots)
        private
        pure
        returns (bytes32)
    {
        bytes32[4] memory l;
        for (uint256 i; i < 4; ++i) {
            l[i] = keccak256(abi.encodePacked(uint8(8 * TREE), rows[i]));
        }
        bytes32 item = _node(1, 2, _node(1, 1, l[0], l[1]), _node(1, 1, l[2], l[3]));
        return _node(2, 2, _node(2, 1, roots[0], item), _node(2, 1, roots[1], roots[2]));
    }

    function _node(uint256 role, uint256 height, bytes32 left, bytes32 right)
        private
        pure
        returns (bytes32)
    {
        return keccak256(abi.encodePacked(uint8(8 * TREE + role), uint8(height), left, right));
    }

    function _list(bytes32[4] calldata path, uint256 length)
        private
        pure
        returns (bytes32[] memory p)
    {
        p = new bytes32[](length);
        for (uint256 i; i < length; ++i) {
            p[i] = path[i];
        }
    }
}
