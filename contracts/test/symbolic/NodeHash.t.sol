// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {NodeHash} from "../../src/game/NodeHash.sol";
import {Positions, Tree} from "../../src/game/Positions.sol";

/// Reveals and picks bind the operator: no two lists of children have one parent, no two nodes one
/// path up, whatever the hashes are (halmos; contracts/tools/analyse runs it). The tree: 2 rows of
/// 3 chunks, 8 places of which 2 are padding.
contract NodeHashSymbolic is Test {
    using NodeHash for Tree;

    uint256 internal constant HEIGHT = 3;

    function fold(bytes32[] calldata children) external pure returns (bytes32) {
        return _tree().fold(HEIGHT, 0, children);
    }

    function climb(uint256 index, bytes32 node, bytes32[] calldata path)
        external
        pure
        returns (bytes32)
    {
        return NodeHash.climb(Positions.TAG_NODE, 0, index, node, path);
    }

    function check_foldBinds(bytes32[8] calldata a, bytes32[8] calldata b) external view {
        (bool ok, bytes32 first) = _fold(a);
        (bool okToo, bytes32 second) = _fold(b);
        if (!ok || !okToo || first != second) return;
        for (uint256 i; i < 8; ++i) {
            assert(a[i] == b[i]);
        }
    }

    /// Padding has its own value or the reveal reverts.
    function check_padding(bytes32[8] calldata a) external view {
        (bool ok,) = _fold(a);
        bytes32 pad = keccak256(abi.encodePacked(uint8(Positions.TAG_PADDING), uint8(0)));
        assert(ok == (a[3] == pad && a[7] == pad));
    }

    /// Fold gives the same hash for children as climb does for each of them.
    function check_climbMeetsFold(bytes32[8] calldata a) external view {
        (bool ok, bytes32 root) = _fold(a);
        if (!ok) return;
        for (uint256 i; i < 8; ++i) {
            assert(this.climb(i, a[i], _pathOf(a, i)) == root);
        }
    }

    /// 2 goes right, left, right on its way up; 5 left, right, left.
    function check_climbBinds2(bytes32 a, bytes32[3] calldata p, bytes32 b, bytes32[3] calldata q)
        external
        view
    {
        _climbBinds(2, a, p, b, q);
    }

    function check_climbBinds5(bytes32 a, bytes32[3] calldata p, bytes32 b, bytes32[3] calldata q)
        external
        view
    {
        _climbBinds(5, a, p, b, q);
    }

    function _climbBinds(
        uint256 i,
        bytes32 a,
        bytes32[3] calldata p,
        bytes32 b,
        bytes32[3] calldata q
    ) private view {
        vm.assume(this.climb(i, a, _list(p)) == this.climb(i, b, _list(q)));
        assert(a == b && p[0] == q[0] && p[1] == q[1] && p[2] == q[2]);
    }

    function _fold(bytes32[8] calldata a) private view returns (bool ok, bytes32 hash) {
        bytes32[] memory children = new bytes32[](8);
        for (uint256 i; i < 8; ++i) {
            children[i] = a[i];
        }
        bytes memory result;
        (ok, result) = address(this).staticcall(abi.encodeCall(this.fold, (children)));
        if (ok) hash = abi.decode(result, (bytes32));
    }

    function _pathOf(bytes32[8] calldata a, uint256 i)
        private
        pure
        returns (bytes32[] memory path)
    {
        bytes32[] memory level = new bytes32[](8);
        for (uint256 k; k < 8; ++k) {
            level[k] = a[k];
        }
        path = new bytes32[](HEIGHT);
        for (uint256 h; h < HEIGHT; ++h) {
            path[h] = level[(i >> h) ^ 1];
            for (uint256 k; k < 4 >> h; ++k) {
                level[k] = keccak256(
                    abi.encodePacked(
                        uint8(Positions.TAG_NODE), uint8(h + 1), level[2 * k], level[2 * k + 1]
                    )
                );
            }
        }
    }

    function _list(bytes32[3] calldata p) private pure returns (bytes32[] memory path) {
        path = new bytes32[](3);
        (path[0], path[1], path[2]) = (p[0], p[1], p[2]);
    }

    function _tree() private pure returns (Tree memory t) {
        (t.chunks, t.positions, t.heads) = (3, 2, 1);
        (t.chunkBits, t.positionBits, t.height) = (2, 1, HEIGHT);
        (t.nodeTag, t.paddingTag) = (Positions.TAG_NODE, Positions.TAG_PADDING);
    }
}
