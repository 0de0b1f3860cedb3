// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {DisputeState} from "../../src/interfaces/IDisputeGame.sol";
import {Layout} from "../../src/game/Positions.sol";
import {PackedTurn, Turn, Turns} from "../../src/game/Turns.sol";

/// The chess clock, for all turns and times (halmos; contracts/tools/analyse runs it).
contract TurnsSymbolic is Test {
    using Turns for Turn;

    /// Every field comes back from storage as it was, within the widths that it has there: no tree
    /// is higher than 31, a layout has 42 bits, the constructor bounds the budget.
    function check_pack(Turn memory t) external pure {
        vm.assume(t.height < 32 && Layout.unwrap(t.layout) < 1 << 42);
        vm.assume(t.operatorLeft < Turns.MAX_BUDGET && t.challengerLeft < Turns.MAX_BUDGET);
        Turn memory n = Turns.unpack(t.pack());
        assert(n.state == t.state && n.height == t.height && n.op == t.op && n.index == t.index);
        assert(Layout.unwrap(n.layout) == Layout.unwrap(t.layout) && n.start == t.start);
        assert(n.prepaid == t.prepaid && n.alone == t.alone);
        assert(n.operatorLeft == t.operatorLeft && n.challengerLeft == t.challengerLeft);
    }

    /// A side has the floor for a move at least, and what is left of its budget.
    function check_deadline(Turn memory t, uint24 floor) external pure {
        uint256 left = Turns.isOperators(t.state) ? t.operatorLeft : t.challengerLeft;
        uint256 last = t.deadline(floor);
        assert(last >= uint256(t.start) + floor && last >= uint256(t.start) + left);
        assert(last == uint256(t.start) + floor || last == uint256(t.start) + left);
    }

    /// A move takes from its side's clock what it used and nothing from the other's.
    function check_end(Turn memory t, uint40 time, bool alone) external pure {
        vm.assume(time >= t.start);
        uint256 used = time - t.start;
        (uint256 operatorLeft, uint256 challengerLeft, bool operators) =
            (t.operatorLeft, t.challengerLeft, Turns.isOperators(t.state));
        t.end(time, alone);
        assert(t.start == time && t.alone == alone);
        assert(t.operatorLeft == (operators ? _less(operatorLeft, used) : operatorLeft));
        assert(t.challengerLeft == (operators ? challengerLeft : _less(challengerLeft, used)));
    }

    /// A move in time and what it leaves take no more than the greater of budget and floor: so m
    /// moves of a side take at most BUDGET + m FLOOR, and less one floor, since a first move that
    /// needs the floor has none of the budget left to waste.
    function check_length(Turn memory t, uint24 floor, uint40 time) external pure {
        bool operators = Turns.isOperators(t.state);
        uint256 left = operators ? t.operatorLeft : t.challengerLeft;
        vm.assume(time >= t.start && time <= t.deadline(floor));
        uint256 used = time - t.start;
        t.end(time, false);
        uint256 rest = operators ? t.operatorLeft : t.challengerLeft;
        assert(used + rest <= (left > floor ? left : floor));
    }

    /// After an answer it is the challenger's turn.
    function check_answered(DisputeState s) external pure {
        vm.assume(Turns.isOperators(s));
        DisputeState next = Turns.answered(s);
        assert(!Turns.isOperators(next));
        assert(next != DisputeState.None && next != DisputeState.Closed);
    }

    function _less(uint256 left, uint256 used) private pure returns (uint256) {
        return left > used ? left - used : 0;
    }
}
