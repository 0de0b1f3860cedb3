// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Dispute} from "../../src/interfaces/IDisputeGame.sol";
import {Witness} from "../../src/interfaces/IStepVerifier.sol";
import {GameTest} from "./GameTest.sol";

/// The chain forgets some blocks between two moves; what was sent comes again on the other branch,
/// in whatever order.
contract ReorgTest is GameTest {
    struct Sent {
        address from;
        uint256 value;
        bytes data;
    }

    Sent[] internal sent;

    function setUp() public override {
        super.setUp();
        claimIt();
        theirs.changeLeaf(0, 5, flipped(0, 5, 2));
    }

    /// A whole game, recorded.
    function record() private {
        Dispute memory d = Dispute(theClaim, challenger, bondNow(), SALT);
        disputes[arena.disputeIdOf(d)] = d;
        bytes memory call = abi.encodeCall(
            arena.challenge, (theClaim.source, theClaim.name, opening(), model, d.bond, SALT)
        );
        push(challenger, d.bond + prepayment(TRACE_GAS), call);
        bytes32[] memory children = theirs.children(TOP, 2, 0);
        push(operator, 0, abi.encodeCall(arena.openTrace, (d, theirs.root(), children)));
        push(challenger, 1 ether, pickCall(d, 6, 0, TOP, 2));
        push(operator, 0, abi.encodeCall(arena.reveal, (d, theirs.children(0, 6, 0))));
        push(challenger, 1 ether, pickCall(d, 1, 2, 0, 6));
        push(operator, 0, abi.encodeCall(arena.reveal, (d, theirs.children(0, 1, 2))));
        push(challenger, 1 ether, pickCall(d, 0, 5, 0, 1));
        push(operator, 0, abi.encodeCall(arena.revealLeaf, (d, theirs.leaf(0, 5))));
        Witness memory w = witness(0, 5);
        push(challenger, 0, abi.encodeCall(arena.step, (d, facts, model, w, SALT)));
    }

    /// To a node of operation 0, from its tree or the one above.
    function pickCall(Dispute memory d, uint8 height, uint32 index, uint16 fromOp, uint8 from)
        private
        returns (bytes memory)
    {
        bytes32 node = theirs.node(0, height, index);
        bytes32[] memory path = theirs.path(0, height, index, fromOp, from);
        return abi.encodeCall(arena.pick, (d, 0, height, index, node, path));
    }

    function push(address from, uint256 value, bytes memory data) private {
        sent.push(Sent(from, value, data));
    }

    function send(uint256 i) private returns (bool ok) {
        vm.prank(sent[i].from);
        (ok,) = address(arena).call{value: sent[i].value}(sent[i].data);
    }

    /// Any suffix of the game is forgotten after any move, and sent again: the end is the same.
    function test_everySuffix_sentAgain() public {
        record();
        uint256 start = vm.snapshotState();
        for (uint256 kept; kept < sent.length; ++kept) {
            for (uint256 i; i < kept; ++i) {
                assertTrue(send(i));
            }
            uint256 fork = vm.snapshotState();
            for (uint256 i = kept; i < sent.length; ++i) {
                assertTrue(send(i));
            }
            assertTrue(convicted());
            vm.revertToState(fork);
            // The other branch is a block later.
            skip(12);
            vm.roll(block.number + 1);
            for (uint256 i = kept; i < sent.length; ++i) {
                assertTrue(send(i));
            }
            assertTrue(convicted());
            vm.revertToState(start);
        }
    }

    /// On the other branch any two of the moves change places: whatever comes out of order reverts
    /// or changes nothing, and the game goes on after it.
    function test_everySwap_doesNoHarm() public {
        record();
        uint256 start = vm.snapshotState();
        for (uint256 a; a < sent.length; ++a) {
            for (uint256 b = a + 1; b < sent.length; ++b) {
                for (uint256 i; i < a; ++i) {
                    send(i);
                }
                // b before everything from a on: it names its place, and that is not there yet; but
                // a proof needs only the root.
                bool ok = send(b);
                assertEq(ok, b == sent.length - 1 && a >= 2, "out of order");
                if (ok) assertTrue(convicted());
                for (uint256 i = a; i < sent.length && !ok; ++i) {
                    assertTrue(send(i));
                }
                assertTrue(convicted());
                vm.revertToState(start);
            }
        }
    }

    /// The same moves land in a game that went another way meanwhile: none of them takes effect at
    /// the wrong place.
    function test_movesOfAnotherBranch_doNothing() public {
        record();
        assertTrue(send(0));
        assertTrue(send(1));
        bytes32 id = keccak256(abi.encode(claimId, challenger, bondNow(), SALT));
        // On this branch the challenger went elsewhere.
        pick(id, 2, 3, 0);
        bytes memory before = abi.encode(view_(id));
        for (uint256 i = 2; i < sent.length - 1; ++i) {
            assertFalse(send(i));
            assertEq(abi.encode(view_(id)), before);
        }
        reveal(id);
        before = abi.encode(view_(id));
        for (uint256 i = 2; i < sent.length - 1; ++i) {
            assertFalse(send(i));
            assertEq(abi.encode(view_(id)), before);
        }
    }
}
