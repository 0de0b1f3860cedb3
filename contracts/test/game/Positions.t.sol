// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {IDisputeGame} from "../../src/interfaces/IDisputeGame.sol";
import {OutputShape} from "../../src/interfaces/IStepVerifier.sol";
import {NodeHash} from "../../src/game/NodeHash.sol";
import {Layout, Positions, Tree} from "../../src/game/Positions.sol";
import {PackedTurn, Turn, Turns} from "../../src/game/Turns.sol";
import {DisputeState} from "../../src/interfaces/IDisputeGame.sol";
import {ToyTrace} from "./ToyTrace.sol";

contract NodeHashHarness {
    function fold(Tree memory t, uint256 height, uint256 index, bytes32[] calldata children)
        external
        pure
        returns (bytes32)
    {
        return NodeHash.fold(t, height, index, children);
    }

    function climb(
        uint256 tag,
        uint256 height,
        uint256 index,
        bytes32 node,
        bytes32[] calldata path
    ) external pure returns (bytes32) {
        return NodeHash.climb(tag, height, index, node, path);
    }
}

/// Places and hashes against the plain versions of ToyTrace.
contract PositionsTest is Test {
    uint16 internal constant TOP = 65_535;
    NodeHashHarness internal hashes = new NodeHashHarness();

    /// forge-config: default.fuzz.runs = 24
    /// forge-config: slow.fuzz.runs = 1000
    function testDiff_everyNode(uint256 kind, uint256 rowBytes, uint256 heads, uint256 p, uint256 n)
        public
    {
        OutputShape memory shape;
        shape.kind = uint8(bound(kind, 0, 2));
        shape.rowBytes = uint32(bound(rowBytes, 1, shape.kind == 2 ? 3000 : 12_000));
        if (shape.kind == 2) shape.kvHeads = uint32(bound(heads, 1, 5));
        checkTree(shape, bound(p, 1, 6), bound(n, 1, 6));
    }

    /// Heads that fill a tree of two stages, with padding in chunks, positions and heads at once.
    function test_everyNode_headsChunksPositions() public {
        for (uint32 heads = 1; heads <= 5; ++heads) {
            checkTree(OutputShape(2, 2 * 1024 + 1, heads, 0), 3, 3);
        }
    }

    function checkTree(OutputShape memory shape, uint256 p, uint256 n) private {
        OutputShape[] memory ops = new OutputShape[](1);
        ops[0] = shape;
        ToyTrace plain = new ToyTrace(ops, p, n);
        Positions.requireKnown(shape);
        Tree memory t = Positions.operation(Positions.layoutOf(shape), p, n);
        uint256 height = plain.heightOf(0);
        assertEq(t.height, height, "height");
        for (uint256 h; h <= height; ++h) {
            for (uint256 i; i < 2 ** (height - h) + 2; ++i) {
                bool inTree = i < 2 ** (height - h);
                assertEq(Positions.isPresent(t, h, i), inTree && plain.present(0, h, i), "present");
                if (inTree && h != 0 && plain.present(0, h, i)) checkMask(t, plain, h, i);
            }
            assertEq(Positions.isStage(t, h), h == 0 || (height - h) % 5 == 0, "stage");
        }
        for (uint256 i; i < 2 ** height; ++i) {
            if (plain.present(0, 0, i)) checkLeaf(shape, plain, i);
        }
        checkFolds(t, plain);
    }

    function checkMask(Tree memory t, ToyTrace plain, uint256 h, uint256 i) private view {
        uint256 below = plain.below(h);
        uint256 count = 2 ** (h - below);
        uint256 mask = Positions.presentMask(t, below, i * count, count);
        for (uint256 j; j < 32; ++j) {
            assertEq(
                mask >> j & 1 == 1, j < count && plain.present(0, below, i * count + j), "mask"
            );
        }
        assertEq(mask >> 32, 0);
    }

    function checkLeaf(OutputShape memory shape, ToyTrace plain, uint256 i) private view {
        Layout layout = Positions.layoutOf(shape);
        uint256 perRow = 2 ** plain.bits(plain.chunks(0));
        assertEq(Positions.chunkOf(layout, i), i % perRow);
        assertEq(Positions.rowOf(layout, i), i / perRow);
        assertEq(Positions.chunksOf(layout), plain.chunks(0));
    }

    /// Stages from the root down: the children fold to their node, and climb to the root.
    function checkFolds(Tree memory t, ToyTrace plain) private {
        bytes32 root = plain.node(0, t.height, 0);
        for (uint256 h = t.height; h != 0; h = plain.below(h)) {
            for (uint256 i; i < 2 ** (t.height - h); ++i) {
                if (!plain.present(0, h, i)) continue;
                bytes32[] memory children = plain.children(0, h, i);
                assertEq(hashes.fold(t, h, i, children), plain.node(0, h, i), "fold");
                bytes32[] memory path = plain.path(0, h, i, 0, t.height);
                assertEq(hashes.climb(9, h, i, plain.node(0, h, i), path), root, "climb");
                uint256 last = children.length - 1;
                children[last] = bytes32(uint256(children[last]) ^ 1);
                if (plain.present(0, plain.below(h), i * children.length + last)) {
                    assertNotEq(
                        hashes.fold(t, h, i, children), plain.node(0, h, i), "folds too easily"
                    );
                } else {
                    vm.expectRevert(IDisputeGame.BadPadding.selector);
                    hashes.fold(t, h, i, children);
                }
            }
        }
    }

    function test_topTree_everyCount() public {
        for (uint256 count = 1; count < 70; count += count < 5 ? 1 : 7) {
            OutputShape[] memory ops = new OutputShape[](count);
            for (uint256 i; i < count; ++i) {
                ops[i] = OutputShape(1, 8, 0, 0);
            }
            ToyTrace plain = new ToyTrace(ops, 1, 1);
            Tree memory t = Positions.top(count);
            assertEq(t.height, plain.heightOf(TOP));
            if (t.height == 0) continue;
            bytes32[] memory children = plain.children(TOP, t.height, 0);
            assertEq(hashes.fold(t, t.height, 0, children), plain.root(), "top");
        }
    }

    function test_requireKnown_reverts() public {
        OutputShape[6] memory bad = [
            OutputShape(3, 8, 0, 0),
            OutputShape(0, 0, 0, 0),
            OutputShape(0, (1 << 26) + 1, 0, 0),
            OutputShape(2, 8, 0, 0),
            OutputShape(2, 8, 4097, 0),
            OutputShape(0, 8, 1, 0)
        ];
        for (uint256 i; i < bad.length; ++i) {
            vm.expectRevert(IDisputeGame.UnknownShape.selector);
            this.requireKnown(bad[i]);
        }
        // The largest keep their counts.
        OutputShape memory large = OutputShape(2, 1 << 26, 4096, 0);
        this.requireKnown(large);
        Tree memory t = Positions.operation(Positions.layoutOf(large), 16_384, 16_385);
        assertEq(t.chunks, 65_536);
        assertEq(t.heads, 4096);
        assertEq(t.positions, 32_768);
    }

    function requireKnown(OutputShape memory shape) external pure {
        Positions.requireKnown(shape);
    }

    function testFuzz_turn_packs(uint256 word) public pure {
        // Every bit of the word, but for states that there are not and the four above 252.
        word = word & ((1 << 252) - 16) | (word & 7);
        PackedTurn packed = PackedTurn.wrap(word);
        assertEq(PackedTurn.unwrap(Turns.pack(Turns.unpack(packed))), word);
    }

    /// Time that a side uses comes off its own clock, never below zero; the other's does not move.
    function testFuzz_turn_clock(
        uint8 state,
        uint40 start,
        uint24 mine,
        uint24 floor,
        uint24 used,
        bool alone
    ) public pure {
        Turn memory t;
        t.state = DisputeState(bound(state, 1, 7));
        t.start = uint40(bound(start, 0, 1 << 39));
        (t.operatorLeft, t.challengerLeft) = (mine, mine);
        uint256 begin = t.start;
        assertEq(Turns.deadline(t, floor), begin + (mine > floor ? mine : floor));
        Turns.end(t, begin + used, alone);
        assertEq(t.alone, alone);
        uint256 left = used > mine ? 0 : mine - used;
        uint8 s = uint8(t.state);
        bool operators = s == 1 || s == 3 || s == 4 || s == 6;
        assertEq(t.operatorLeft, operators ? left : mine);
        assertEq(t.challengerLeft, operators ? mine : left);
        assertEq(t.start, begin + used);
    }
}
