// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DisputeState} from "../interfaces/IDisputeGame.sol";
import {Layout} from "./Positions.sol";

/// A turn as it is stored: one word, so that a move reads and writes it once.
/// bits 0 state 4, 4 height 5, 9 alone 1, 10 op 16, 26 index 32, 58 layout 42, 100 start 40,
/// 140 operator's seconds left 20, 160 challenger's 20, 180 prepaid 72
type PackedTurn is uint256;

/// Whose turn it is in a dispute, about what, and since when.
struct Turn {
    DisputeState state;
    uint8 height;
    uint16 op;
    uint32 index;
    /// of the operation; kept here so that an answer need not look the shape up
    Layout layout;
    /// second in which the turn began
    uint40 start;
    /// seconds that each side had left then
    uint32 operatorLeft;
    uint32 challengerLeft;
    /// what of the challenger's prepayments is not spent, in wei
    uint72 prepaid;
    /// whether no other dispute about the claim was live when the turn began
    bool alone;
}

/// @title Turns: packing, and the chess clock.
library Turns {
    /// A bit for each state in which the operator moves.
    uint256 private constant OPERATORS_STATES = 1 << uint8(DisputeState.Root) | 1
        << uint8(DisputeState.Node) | 1 << uint8(DisputeState.Leaf) | 1
        << uint8(DisputeState.Partials);
    /// Budgets are below it.
    uint256 internal constant MAX_BUDGET = 1 << 20;

    function unpack(PackedTurn packed) internal pure returns (Turn memory t) {
        uint256 w = PackedTurn.unwrap(packed);
        // Safe casts: each takes the field's own bits.
        t.state = DisputeState(w & 0xf);
        t.height = uint8((w >> 4) & 0x1f);
        t.alone = (w >> 9) & 1 != 0;
        t.op = uint16(w >> 10);
        t.index = uint32(w >> 26);
        t.layout = Layout.wrap(uint64((w >> 58) & 0x3ffffffffff));
        t.start = uint40(w >> 100);
        t.operatorLeft = uint32((w >> 140) & 0xfffff);
        t.challengerLeft = uint32((w >> 160) & 0xfffff);
        t.prepaid = uint72(w >> 180);
    }

    function pack(Turn memory t) internal pure returns (PackedTurn) {
        uint256 w = uint256(uint8(t.state)) | uint256(t.height) << 4 | uint256(t.op) << 10
            | uint256(t.index) << 26;
        if (t.alone) w |= 1 << 9;
        w |= uint256(Layout.unwrap(t.layout)) << 58 | uint256(t.start) << 100
        | uint256(t.operatorLeft) << 140;
        return PackedTurn.wrap(w | uint256(t.challengerLeft) << 160 | uint256(t.prepaid) << 180);
    }

    function isOperators(DisputeState s) internal pure returns (bool) {
        return OPERATORS_STATES >> uint8(s) & 1 != 0;
    }

    /// The last second of the turn.
    function deadline(Turn memory t, uint256 floor) internal pure returns (uint64) {
        uint256 left = isOperators(t.state) ? t.operatorLeft : t.challengerLeft;
        // Safe: 40 bits and 32.
        unchecked {
            return uint64(t.start + (left > floor ? left : floor));
        }
    }

    /// Ends a turn at a time not before its start: takes what it used from its side's clock and
    /// begins the next one then.
    /// @param alone whether no other dispute about the claim is live
    function end(Turn memory t, uint256 time, bool alone) internal pure {
        // Safe: `time` is not before the start; a difference is below its first operand; times do
        // not reach 2^40.
        unchecked {
            uint256 used = time - t.start;
            if (isOperators(t.state)) {
                t.operatorLeft = t.operatorLeft > used ? uint32(t.operatorLeft - used) : 0;
            } else {
                t.challengerLeft = t.challengerLeft > used ? uint32(t.challengerLeft - used) : 0;
            }
            t.start = uint40(time);
        }
        t.alone = alone;
    }

    /// The challenger's state after the operator's has been answered.
    function answered(DisputeState s) internal pure returns (DisputeState) {
        if (s == DisputeState.Leaf) return DisputeState.Step;
        return s == DisputeState.Partials ? DisputeState.PartialStep : DisputeState.Pick;
    }
}
