// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IStepVerifier, UnitKind} from "../interfaces/IStepVerifier.sol";
import {Attention, AttentionChunk} from "./Attention.sol";
import {Calldata} from "./Calldata.sol";
import {Float32} from "./Float32.sol";
import {Program} from "./Program.sol";
import {Proof, Proofs} from "./Proof.sol";

// slither-disable-start uninitialized-local: a local begins at 0, and is meant to
// slither-disable-start divide-before-multiply: quotients here are whole blocks and places; nothing is lost that a product needs

/// @title What an operator posted for one attention element, and the units that refute it
/// (docs/SPEC.md, section 13).
/// @dev Of n chunks: n times (m_c, z_c, o_c), then m, c*, then (z, o) after every 32 chunks and
/// after the last; little-endian words.
library Partials {
    using Proofs for Proof;

    uint256 private constant ENTRY = 12;
    uint256 private constant LANES =
        0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff;
    uint256 private constant BYTES =
        0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff;
    uint256 private constant PAIRS =
        0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff;
    uint256 private constant ONES =
        0x0000000100000001000000010000000100000001000000010000000100000001;
    uint256 private constant SIGNS =
        0x8000000080000000800000008000000080000000800000008000000080000000;

    function chunksAt(uint256 position) internal pure returns (uint256) {
        unchecked {
            return position / 32 + 1;
        }
    }

    function lengthAt(uint256 position) internal pure returns (uint256) {
        unchecked {
            uint256 n = chunksAt(position);
            return ENTRY * n + 8 + 8 * ((n + 31) / 32);
        }
    }

    /// Whether length, floats and index are as the format demands.
    function areValid(uint256 position, bytes calldata partials) internal pure returns (bool) {
        if (partials.length != lengthAt(position)) return false;
        unchecked {
            uint256 n = chunksAt(position);
            uint256 index = _offset(partials) + ENTRY * n + 4;
            if (Calldata.u32(index) >= n) return false;
            return _areCanonical(_offset(partials), index)
                && _areCanonical(index + 4, _offset(partials) + partials.length);
        }
    }

    /// Whether the unit, of a kind Partial*, shows the partials wrong. They were valid when they
    /// were posted.
    function isWrong(Proof memory p, UnitKind kind, bytes calldata partials)
        internal
        pure
        returns (bool)
    {
        unchecked {
            if (p.op.code != Program.ATTN) revert IStepVerifier.BadUnit();
            p.locate();
            uint256 e = p.unit;
            if (e >= p.op.width || !p.isDisputed(4 * e, 4 * e + 4)) revert IStepVerifier.BadUnit();
            if (partials.length != lengthAt(p.position)) revert IStepVerifier.BadUnit();
            uint256 n = chunksAt(p.position);
            uint256 at = _offset(partials);
            uint256 summary = at + ENTRY * n;
            if (kind == UnitKind.PartialFinal) return _isFinalWrong(p, at + partials.length - 8);
            if (kind == UnitKind.PartialRunning) return _isRunningWrong(p.place, n, at);
            if (p.place >= n) revert IStepVerifier.BadUnit();
            at += ENTRY * p.place;
            if (kind == UnitKind.PartialChunk) return _isChunkWrong(p, at);
            uint256 mc = Calldata.u32(at);
            uint256 m = Calldata.u32(summary);
            return Float32.greater(mc, m) || (p.place == Calldata.u32(summary + 4) && mc != m);
        }
    }

    function _isChunkWrong(Proof memory p, uint256 at) private pure returns (bool) {
        unchecked {
            uint256 width = p.op.headWidth;
            uint256 head = p.unit / width;
            uint256 key = head / (p.op.heads / p.op.kvHeads);
            uint256 entries = 8 * Program.blocksOfHead(p.inputs[0]);
            uint256 query = p.op.heads * entries + head * width;
            AttentionChunk memory c;
            c.entries = p.readInput(0, head * entries, head * entries + entries);
            c.query = p.readInput(0, query, query + width);
            (c.keys, c.count) = p.readKeys(1, key, p.place);
            // slither-disable-next-line unused-return: values have the keys' blocks
            (c.values,) = p.readKeys(2, key, p.place);
            (c.headWidth, c.blockLength, c.scale) = (width, p.inputs[0].blockLength, p.op.scalar);
            (uint256 m, uint256 z, uint256 o) = Attention.chunk(c, p.unit % width);
            return m != Calldata.u32(at) || z != Calldata.u32(at + 4) || o != Calldata.u32(at + 8);
        }
    }

    /// Running sum number k of an element of n chunks.
    function _isRunningWrong(uint256 k, uint256 n, uint256 partials) private pure returns (bool) {
        unchecked {
            if (k >= (n + 31) / 32) revert IStepVerifier.BadUnit();
            uint256 m = Calldata.u32(partials + ENTRY * n);
            uint256 sums = partials + ENTRY * n + 8 + 8 * k;
            (uint256 z, uint256 o) =
                k == 0 ? (0, 0) : (Calldata.u32(sums - 8), Calldata.u32(sums - 4));
            uint256 end = 32 * k + 32 < n ? 32 * k + 32 : n;
            for (uint256 i = 32 * k; i < end; ++i) {
                uint256 at = partials + ENTRY * i;
                (z, o) = Attention.accumulate(
                    m, Calldata.u32(at), Calldata.u32(at + 4), Calldata.u32(at + 8), z, o
                );
            }
            return z != Calldata.u32(sums) || o != Calldata.u32(sums + 4);
        }
    }

    function _isFinalWrong(Proof memory p, uint256 last) private pure returns (bool) {
        p.readDisputed();
        unchecked {
            return Float32.div(Calldata.u32(last + 4), Calldata.u32(last))
                != Calldata.u32(p.disputed(4 * p.unit));
        }
    }

    /// Whether no float32 in [at, end) is a NaN but the canonical one: eight at a time.
    function _areCanonical(uint256 at, uint256 end) private pure returns (bool) {
        unchecked {
            uint256 bad;
            for (; at < end; at += 32) {
                uint256 w = Calldata.word(at);
                if (end - at < 32) w &= ~(LANES >> (8 * (end - at)));
                w = ((w >> 8) & BYTES) | ((w & BYTES) << 8);
                w = ((w >> 16) & PAIRS) | ((w & PAIRS) << 16);
                // Bit 31 of a lane: its magnitude is above infinity's; it differs from the
                // canonical NaN. No lane carries.
                uint256 isNan = (w & ~SIGNS) + ONES * (Float32.SIGN - Float32.INFINITE - 1);
                uint256 differs = w ^ (ONES * Float32.NAN);
                differs |= (differs & ~SIGNS) + (ONES * Float32.MAGNITUDE);
                bad |= isNan & differs & SIGNS;
            }
            return bad == 0;
        }
    }

    function _offset(bytes calldata data) private pure returns (uint256 at) {
        assembly ("memory-safe") {
            at := data.offset
        }
    }
}
// slither-disable-end uninitialized-local,divide-before-multiply
