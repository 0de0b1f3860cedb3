// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {GameHandler} from "./GameHandler.sol";

contract GameInvariantsTest is Test {
    GameHandler internal handler;

    function setUp() public {
        handler = new GameHandler();
        vm.deal(address(handler), 1_000_000 ether);
        handler.setUp();
        bytes4[] memory moves = new bytes4[](11);
        moves[0] = GameHandler.challenge.selector;
        // Twice as likely.
        (moves[1], moves[2]) = (GameHandler.move.selector, GameHandler.move.selector);
        moves[3] = GameHandler.timeout.selector;
        moves[4] = GameHandler.reclaim.selector;
        moves[5] = GameHandler.withdraw.selector;
        moves[6] = GameHandler.finalize.selector;
        moves[7] = GameHandler.wait_.selector;
        moves[8] = GameHandler.move.selector;
        moves[9] = GameHandler.answerAll.selector;
        moves[10] = GameHandler.copyProof.selector;
        // Not one of the accounts whose money is counted.
        targetSender(makeAddr("button"));
        targetContract(address(handler));
        targetSelector(FuzzSelector(address(handler), moves));
    }

    /// forge-config: default.invariant.runs = 6
    /// forge-config: default.invariant.depth = 60
    /// forge-config: slow.invariant.runs = 200
    /// forge-config: slow.invariant.depth = 256
    function invariant_books() public view {
        // The game holds its credits and what its disputes say, to the wei.
        (uint256 held,) = handler.inDisputes();
        assertEq(handler.arenaBalance(), held + handler.credits(), "game");
        // Ether is somewhere: nobody but the actors was paid.
        assertEq(handler.everything(), handler.paidIn(), "conserved");
        // The honest operator keeps its bond and has never less than it had; the honest challenger
        // loses no dispute, and no more than what answers cost.
        assertTrue(handler.honestStands(), "bond");
        assertGe(handler.gain(2), 0, "honest operator");
        assertEq(handler.lost(handler.honestChallenger()), 0, "honest challenger");
        assertGe(handler.gain(0) + int256(handler.paidToLiar()), 0, "honest challenger's money");
        // An account that only presses buttons is paid nothing.
        assertEq(handler.gain(4), 0, "stranger");
    }

    /// Every dispute ends, and all money can leave.
    function afterInvariant() public {
        handler.settle();
        (uint256 held, uint256 live) = handler.inDisputes();
        assertEq(live, 0, "live");
        assertEq(held, 0, "held");
        assertEq(handler.arenaBalance(), 0, "left");
        invariant_books();
    }

    /// A long random play reaches every kind of move: an invariant over calls that all do nothing
    /// would hold too.
    function test_handler_reachesEveryMove() public {
        uint256 random = 3;
        for (uint256 i; i < 600; ++i) {
            random = uint256(keccak256(abi.encode(random)));
            (uint256 a, uint256 b, uint256 c) = (random >> 16, random >> 80, random >> 144);
            uint256 move = random % 24;
            if (move < 3) handler.challenge(a, b, c);
            else if (move < 15) handler.move(a, b, c);
            else if (move == 15) handler.timeout(a);
            else if (move < 18) handler.reclaim(a);
            else if (move == 18) handler.withdraw(a);
            else if (move == 19) handler.answerAll(a, b);
            else if (move == 20) handler.copyProof(a);
            else handler.wait_(b % 3);
            if (i % 100 == 99) invariant_books();
        }
        afterInvariant();
        bytes32[13] memory names = [
            bytes32("challenge"),
            "answer",
            "honest",
            "puppet",
            "demand",
            "timeout",
            "reclaim",
            "withdraw",
            "wait",
            "finalize",
            "copied",
            "batch",
            "refused"
        ];
        for (uint256 i; i < names.length; ++i) {
            emit log_named_uint(string(abi.encodePacked(names[i])), handler.done(names[i]));
            assertGt(handler.done(names[i]), 0, string(abi.encodePacked(names[i])));
        }
    }
}
