// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {console} from "forge-std/console.sol";
import {AttackHandler} from "./AttackHandler.sol";

/// Attackers of every kind against honest parties: no move of theirs makes a coalition richer or an
/// honest party poorer. The handler asserts it after every move.
contract AttacksTest is Test {
    AttackHandler internal handler;

    function setUp() public {
        handler = new AttackHandler();
        vm.deal(address(handler), 1_000_000 ether);
        handler.setUp();
        bytes4[] memory moves = new bytes4[](20);
        for (uint256 i; i < 20; ++i) {
            moves[i] = moveAt(i);
        }
        targetContract(address(handler));
        targetSelector(FuzzSelector(address(handler), moves));
    }

    /// Moves, the common ones more than once.
    function moveAt(uint256 i) private pure returns (bytes4) {
        if (i < 2) return AttackHandler.ask.selector;
        if (i < 4) return AttackHandler.honestAccept.selector;
        if (i < 6) return AttackHandler.attackerAccept.selector;
        if (i < 8) return AttackHandler.attackerSeat.selector;
        if (i == 8) return AttackHandler.attackerChallenge.selector;
        if (i == 9) return AttackHandler.attackerDisagrees.selector;
        if (i == 10) return AttackHandler.attackerPlay.selector;
        if (i == 11) return AttackHandler.attackerLies.selector;
        if (i == 12) return AttackHandler.selfConvict.selector;
        if (i == 13) return AttackHandler.strangerCall.selector;
        if (i == 17) return AttackHandler.attackerBlocks.selector;
        if (i == 14) return AttackHandler.cancel.selector;
        if (i == 15) return AttackHandler.money.selector;
        if (i == 16) return AttackHandler.sleep.selector;
        return AttackHandler.wait_.selector;
    }

    /// forge-config: default.invariant.runs = 4
    /// forge-config: default.invariant.depth = 100
    /// forge-config: slow.invariant.runs = 800
    /// forge-config: slow.invariant.depth = 250
    function invariant_attackers() public view {
        assertLt(handler.longestFreed(), 1 hours);
    }

    /// Every request ends, and all money can leave.
    function afterInvariant() public {
        handler.finish();
    }

    /// A long random play reaches every kind of event: an invariant over moves that do nothing
    /// would hold too.
    function test_attackers_longPlay_reachesEverything() public {
        uint256 start = vm.envOr("ATTACK_SEED", uint256(1));
        uint256 seed = start;
        uint256 length = vm.envOr("ATTACK_MOVES", uint256(3000));
        for (uint256 n; n < length; ++n) {
            seed = uint256(keccak256(abi.encode(seed)));
            (bool ok, bytes memory reason) =
                address(handler).call(abi.encodeWithSelector(moveAt(seed % 20), seed >> 8));
            if (!ok) {
                console.log("moves", n + 1);
                assembly ("memory-safe") {
                    revert(add(reason, 32), mload(reason))
                }
            }
        }
        handler.finish();
        // Other plays may miss what is rare.
        report(start == 1 && length >= 3000);
    }

    function report(bool complete) private view {
        console.log("count attack_moves", handler.calls());
        console.log("count attack_shown", handler.shownCalls());
        console.log("count attack_front_runs", handler.frontRuns());
        uint256 loss = handler.attackersLoss() + handler.attackGas() * 10 gwei;
        uint256 idle = handler.idleStakeSeconds() / loss;
        console.log("count attack_idle_stake_seconds_per_wei", idle);
        // Honest stake, in wei times seconds, locked and not paid for, by each wei that attackers
        // lose: four seats of 4 ether for the fill period cost the gas of a request at least.
        assertLt(idle, 20_000_000, "stake locked too cheaply");
        console.log("count attack_longest_freed_seconds", handler.longestFreed());
        string[38] memory events = eventNames();
        for (uint256 i; i < events.length; ++i) {
            console.log(string.concat("  ", events[i]), times(events[i]));
        }
        for (uint256 i; complete && i < events.length; ++i) {
            assertGt(times(events[i]), 0, events[i]);
        }
    }

    function times(string memory what) private view returns (uint256) {
        return handler.done(bytes32(bytes(what)));
    }

    function eventNames() private pure returns (string[38] memory) {
        return [
            "honest request",
            "hostile request",
            "huge request",
            "honest accepts",
            "attacker accepts",
            "blocked rounds",
            "lies",
            "joins",
            "disagreements",
            "honest claim",
            "right claim",
            "wrong claim",
            "seats freed",
            "attacker cancels",
            "honest cancels",
            "honest sleeps",
            "honest misses",
            "attacker misses",
            "honest dispute",
            "false dispute",
            "puppet dispute",
            "attacker picks",
            "attacker demands",
            "attacker steps",
            "attacker answers",
            "attacker loses a dispute",
            "honest answer",
            "honest batch",
            "honest step alone",
            "honest step",
            "honest timeout",
            "self-conviction",
            "proofs copied in vain",
            "stranger about a request",
            "stranger about a dispute",
            "convicted",
            "final",
            "undecided"
        ];
    }
}
