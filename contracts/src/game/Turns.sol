// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DisputeState} from "../interfaces/IDisputeGame.sol";
import {Layout} from "./Positions.sol";

/// A turn as it is stored: one word, so that a move reads and writes it once.
/// bits 0 state 8, 8 height 8, 16 op 16, 32 index 32, 64 layout 32, 96 start 40, 136 operator's
/// seconds left 24, 160 challenger's 24, 184 prepaid 72
type PackedTurn is uint256;

/// Whose turn it is in a dispute, about what, and since when.
struct Turn {
    DisputeState state;
    uint8 height;
    uint16 op;
    uint32 index;
    /// of the operation; kept here so that a reveal need not look the shape up
    Layout layout;
    /// second in which the turn began
    uint40 start;
    /// seconds that each side had left then
    uint24 operatorLeft;
    uint24 challengerLeft;
    /// what of the challenger's prepayments is not spent, in wei
    uint72 prepaid;
}

/// @title Turns: packing, and the chess clock.
library Turns {
    /// A bit for each state in which the operator moves.
    uint256 private constant OPERATORS_STATES = 1 << uint8(DisputeState.Root) | 1
        << uint8(DisputeState.Node) | 1 << uint8(DisputeState.Leaf) | 1
        << uint8(DisputeState.Partials);

    function unpack(PackedTurn packed) internal pure returns (Turn memory t) {
        uint256 w = PackedTurn.unwrap(packed);
        // Safe casts: each takes the field's own bits.
        t.state = DisputeState(uint8(w));
        t.height = uint8(w >> 8);
        t.op = uint16(w >> 16);
        t.index = uint32(w >> 32);
        t.layout = Layout.wrap(uint32(w >> 64));
        t.start = uint40(w >> 96);
        t.operatorLeft = uint24(w >> 136);
        t.challengerLeft = uint24(w >> 160);
        t.prepaid = uint72(w >> 184);
    }

    function pack(Turn memory t) internal pure returns (PackedTurn) {
        uint256 w = uint256(uint8(t.state)) | uint256(t.height) << 8 | uint256(t.op) << 16
            | uint256(t.index) << 32;
        w |= uint256(Layout.unwrap(t.layout)) << 64 | uint256(t.start) << 96
        | uint256(t.operatorLeft) << 136;
        return PackedTurn.wrap(w | uint256(t.challengerLeft) << 160 | uint256(t.prepaid) << 184);
    }

    function isOperators(DisputeState s) internal pure returns (bool) {
        return OPERATORS_STATES >> uint8(s) & 1 != 0;
    }

    /// The last second of the turn.
    function deadline(Turn memory t, uint256 floor) internal pure returns (uint256) {
        uint256 left = isOperators(t.state) ? t.operatorLeft : t.challengerLeft;
        // Safe: 40 bits and 32.
        unchecked {
            return t.start + (left > floor ? left : floor);
        }
    }

    /// Ends a turn at a time not before its start: takes what it used from its side's clock and
    /// begins the next one then.
    function end(Turn memory t, uint256 time) internal pure {
        // Safe: `time` is not before the start; a difference is below its first operand; times do
        // not reach 2^40.
        unchecked {
            uint256 used = time - t.start;
            if (isOperators(t.state)) {
                t.operatorLeft = t.operatorLeft > used ? uint24(t.operatorLeft - used) : 0;
            } else {
                t.challengerLeft = t.challengerLeft > used ? uint24(t.challengerLeft - used) : 0;
            }
            t.start = uint40(time);
        }
    }

    /// The challenger's state after the operator's has been answered.
    function answered(DisputeState s) internal pure returns (DisputeState) {
        if (s == DisputeState.Leaf) return DisputeState.Step;
        return s == DisputeState.Partials ? DisputeState.PartialStep : DisputeState.Pick;
    }
}
