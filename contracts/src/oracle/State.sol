// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RequestStatus, SeatStatus} from "../interfaces/IInferenceOracle.sol";

/// The changing state of a request, as it is stored: one word.
/// bits 0 status 8, 8 attempt 3, 11 misses 2, 13 cancelled 1, 14 disputed 1, 15 replicated 1,
/// 16 deadline 40, 56 token count 16, 72 first token 24, 96 operator 160. With replicas each seat
/// has a word of its own (`SeatWord`), and the operator's bits hold: 96 seats taken 8, 104 final
/// seat 8, 112 window 32.
type PackedState is uint256;

/// The same, unpacked. See `RequestState` and `Seat` in IInferenceOracle.sol.
struct State {
    RequestStatus status;
    uint8 attempt;
    uint8 misses;
    bool cancelled;
    bool replicated;
    uint40 deadline;
    /// the only seat's claim, without replicas
    bool disputed;
    uint16 tokenCount;
    uint24 firstToken;
    address operator;
    /// with replicas
    uint8 seatsTaken;
    uint8 finalSeat;
    uint32 window;
}

/// A seat as it is stored with replicas: one word.
struct SeatWord {
    address operator;
    SeatStatus status;
    uint16 tokenCount;
    uint24 firstToken;
    bool disputed;
}

/// @title Packing of a request's word.
library States {
    uint256 internal constant MAX_MISSES = 3;

    function unpack(PackedState packed) internal pure returns (State memory s) {
        uint256 w = PackedState.unwrap(packed);
        // Safe casts: each takes the field's own bits.
        s.status = RequestStatus(uint8(w));
        s.attempt = uint8(w >> 8) & 7;
        s.misses = uint8(w >> 11) & 3;
        s.cancelled = (w >> 13) & 1 != 0;
        s.disputed = (w >> 14) & 1 != 0;
        s.replicated = (w >> 15) & 1 != 0;
        s.deadline = uint40(w >> 16);
        if (s.replicated) {
            s.seatsTaken = uint8(w >> 96);
            s.finalSeat = uint8(w >> 104);
            s.window = uint32(w >> 112);
        } else {
            s.tokenCount = uint16(w >> 56);
            s.firstToken = uint24(w >> 72);
            s.operator = address(uint160(w >> 96));
        }
    }

    function pack(State memory s) internal pure returns (PackedState) {
        uint256 w = uint256(uint8(s.status)) | uint256(s.attempt) << 8 | uint256(s.misses) << 11;
        if (s.cancelled) w |= 1 << 13;
        if (s.disputed) w |= 1 << 14;
        w |= uint256(s.deadline) << 16;
        if (s.replicated) {
            w |= 1 << 15 | uint256(s.seatsTaken) << 96 | uint256(s.finalSeat) << 104
                | uint256(s.window) << 112;
        } else {
            w |= uint256(s.tokenCount) << 56 | uint256(s.firstToken) << 72
            | uint256(uint160(s.operator)) << 96;
        }
        return PackedState.wrap(w);
    }
}
