// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    ClaimFacts,
    IStepVerifier,
    Opening,
    UnitKind,
    Witness
} from "../interfaces/IStepVerifier.sol";
import {ModelCommitment} from "../interfaces/IModelRegistry.sol";
import {Calldata} from "./Calldata.sol";
import {Item, Merkle} from "./Merkle.sol";
import {Op, Program, Weight} from "./Program.sol";
import {Limits, Rules} from "./Rules.sol";
import {WeightRow} from "./WeightRow.sol";

// slither-disable-start divide-before-multiply: quotients here are whole blocks and places; nothing is lost that a product needs

/// The unread rest of a witness's openings: an array in the call's data.
struct Openings {
    uint256 at;
    uint256 count;
    uint256 next;
}

/// A unit of proof while it is checked.
struct Proof {
    Openings openings;
    Limits limits;
    bytes32 traceRoot;
    bytes32 weightsRoot;
    bytes32 programRoot;
    bytes32 ropeRoot;
    uint256 maxPositions;
    /// P, T and N
    uint256 promptCount;
    uint256 positions;
    uint256 sampled;
    /// the unit
    uint256 index;
    uint256 leaf;
    uint256 unit;
    uint256 place;
    /// the operation and its inputs
    Op op;
    Op[4] inputs;
    /// of the disputed row: its number, position and key-value head
    uint256 row;
    uint256 position;
    uint256 head;
    /// the disputed chunk: bytes [lo, hi) of the row, at an offset of the call's data
    uint256 lo;
    uint256 hi;
    uint256 at;
}

/// @title Reads what a unit reads, in order, each from the next opening (docs/SPEC.md, section 13).
/// Offsets are of the call's data.
library Proofs {
    function begin(
        ClaimFacts calldata facts,
        bytes32 root,
        ModelCommitment calldata model,
        Witness calldata w
    ) internal pure returns (Proof memory p) {
        p.openings = _openings(w.openings);
        p.limits = limitsOf(model);
        (p.traceRoot, p.weightsRoot, p.programRoot) = (root, model.weightsRoot, model.programRoot);
        (p.ropeRoot, p.maxPositions) = (model.ropeRoot, model.maxPositions);
        (p.promptCount, p.sampled) = (facts.promptCount, facts.tokenCount);
        if (p.promptCount == 0 || p.sampled == 0 || p.promptCount + p.sampled - 1 > p.maxPositions)
        {
            revert IStepVerifier.BadUnit();
        }
        p.positions = p.promptCount + p.sampled - 1;
        (p.index, p.leaf, p.unit, p.place) = (w.op, w.leaf, w.unit, w.place);
    }

    function limitsOf(ModelCommitment calldata model) internal pure returns (Limits memory) {
        return Limits(model.opCount, model.tensorCount, model.samplerOp, model.vocabSize);
    }

    /// The last thing a check does: every opening was read.
    function end(Proof memory p) internal pure {
        if (p.openings.next != p.openings.count) revert IStepVerifier.BadOpening();
    }

    /* DESCRIPTORS */

    /// Reads the operation's descriptor and those of its inputs; reverts if they break a rule.
    function readOperation(Proof memory p) internal pure {
        if (p.index >= p.limits.opCount) revert IStepVerifier.BadUnit();
        bool well;
        (p.op, p.inputs, well) = readDescriptors(p.openings, p.limits, p.programRoot, p.index);
        if (!well) revert IStepVerifier.MalformedProgram();
    }

    /// @return op operation number `index`
    /// @return inputs those of its inputs that are operations before it
    /// @return well whether no rule is broken
    function readDescriptors(Openings memory o, Limits memory m, bytes32 programRoot, uint256 index)
        internal
        pure
        returns (Op memory op, Op[4] memory inputs, bool well)
    {
        unchecked {
            (op, well) = Program.decode(_descriptor(o, m, programRoot, index));
            for (uint256 k; k < 4; ++k) {
                uint256 input = op.inputs[k];
                if (input < index) {
                    // slither-disable-next-line unused-return: of an input's words no more is judged
                    (inputs[k],) = Program.decode(_descriptor(o, m, programRoot, input));
                }
            }
            well = well && Rules.isOwnWell(op, index, m) && Rules.areInputsWell(op, inputs);
        }
    }

    /// The operation of one opening, and whether its words alone break no rule.
    function openOwnDescriptor(
        ModelCommitment calldata model,
        uint256 index,
        Opening calldata descriptor
    ) internal pure returns (Op memory op, bool well) {
        Limits memory m = limitsOf(model);
        Item memory program = _program(m, model.programRoot);
        uint256 size = Program.DESCRIPTOR_BYTES;
        (op, well) = Program.decode(Merkle.openBytes(program, index, 0, size, descriptor));
        well = well && Rules.isOwnWell(op, index, m);
    }

    function _descriptor(Openings memory o, Limits memory m, bytes32 programRoot, uint256 index)
        private
        pure
        returns (uint256 at)
    {
        return _read(o, _program(m, programRoot), index, 0, Program.DESCRIPTOR_BYTES);
    }

    function _program(Limits memory m, bytes32 root) private pure returns (Item memory) {
        return Item(Merkle.PROGRAM, root, 1, 0, Program.DESCRIPTOR_BYTES, Merkle.log2(m.opCount));
    }

    /* THE DISPUTED ROW */

    /// Finds row, position and chunk of the leaf, and checks that they are in range.
    function locate(Proof memory p) internal pure {
        unchecked {
            uint256 size = Program.rowBytes(p.op);
            uint256 bits = Merkle.chunkBits(size);
            p.row = p.leaf >> bits;
            p.position = p.row;
            uint256 rows = p.positions;
            if (p.op.kind == Program.KIND_SAMPLED) {
                rows = p.sampled;
                p.position = p.promptCount - 1 + p.row;
            } else if (p.op.kind == Program.KIND_KV) {
                uint256 positionBits = Merkle.log2(p.positions);
                p.head = p.row >> positionBits;
                p.position = p.row & ((1 << positionBits) - 1);
                if (p.head >= p.op.kvHeads) revert IStepVerifier.BadUnit();
            }
            p.lo = (p.leaf & ((1 << bits) - 1)) * Merkle.CHUNK;
            p.hi = p.lo + Merkle.CHUNK < size ? p.lo + Merkle.CHUNK : size;
            uint256 ordinal = p.op.kind == Program.KIND_KV ? p.position : p.row;
            if (ordinal >= rows || p.lo >= size) revert IStepVerifier.BadUnit();
        }
    }

    function readDisputed(Proof memory p) internal pure {
        p.at = readOwn(p, p.lo, p.hi);
    }

    /// Whether bytes [lo, hi) of the disputed row lie in the disputed chunk.
    function isDisputed(Proof memory p, uint256 lo, uint256 hi) internal pure returns (bool) {
        return p.lo <= lo && hi <= p.hi;
    }

    /// Offset of byte `lo` of the disputed row, which lies in the disputed chunk.
    function disputed(Proof memory p, uint256 lo) internal pure returns (uint256) {
        unchecked {
            return p.at + lo - p.lo;
        }
    }

    /// Bytes [lo, hi) of the disputed row.
    function readOwn(Proof memory p, uint256 lo, uint256 hi) internal pure returns (uint256) {
        return _read(p.openings, _output(p, p.op, p.index), p.row, lo, hi);
    }

    /* INPUTS */

    /// Bytes [lo, hi) of the row of input k that belongs to the disputed row.
    function readInput(Proof memory p, uint256 k, uint256 lo, uint256 hi)
        internal
        pure
        returns (uint256)
    {
        Op memory x = p.inputs[k];
        uint256 row = x.kind == Program.KIND_SAMPLED ? p.row : p.position;
        return _read(p.openings, _output(p, x, p.op.inputs[k]), row, lo, hi);
    }

    function readInputRow(Proof memory p, uint256 k) internal pure returns (uint256) {
        return readInput(p, k, 0, Program.rowBytes(p.inputs[k]));
    }

    /// Element e of input k, of float32.
    function readElement(Proof memory p, uint256 k, uint256 e) internal pure returns (uint256) {
        unchecked {
            return Calldata.u32(readInput(p, k, 4 * e, 4 * e + 4));
        }
    }

    /// The rows of one head of input k at positions 32 c to min(32 c + 31, position): their offset
    /// and number.
    function readKeys(Proof memory p, uint256 k, uint256 head, uint256 c)
        internal
        pure
        returns (uint256, uint256)
    {
        unchecked {
            uint256 count = p.position + 1 - 32 * c;
            if (count > 32) count = 32;
            Opening calldata o = _next(p.openings);
            uint256 row = (head << Merkle.log2(p.positions)) + 32 * c;
            return (Merkle.openRows(_output(p, p.inputs[k], p.op.inputs[k]), row, count, o), count);
        }
    }

    /// Bytes [lo, hi) of a row of weight w.
    function readWeight(Proof memory p, Weight memory w, uint256 row, uint256 lo, uint256 hi)
        internal
        pure
        returns (uint256)
    {
        Item memory item = Item(
            Merkle.WEIGHTS,
            p.weightsRoot,
            p.limits.tensorCount,
            w.tensor,
            weightRowBytes(w),
            Merkle.log2(w.rows)
        );
        return _read(p.openings, item, row, lo, hi);
    }

    function weightRowBytes(Weight memory w) internal pure returns (uint256) {
        unchecked {
            if (w.kind == WeightRow.F32) return 4 * w.columns;
            (uint256 elements, uint256 size) = WeightRow.blockOf(w.kind);
            return w.columns / elements * size;
        }
    }

    /// Bytes [lo, hi) of the row of the RoPE table at the position.
    function readRope(Proof memory p, uint256 lo, uint256 hi) internal pure returns (uint256) {
        if (p.position >= p.maxPositions) revert IStepVerifier.BadUnit();
        Item memory table =
            Item(Merkle.ROPE, p.ropeRoot, 1, 0, 4 * p.op.rotary, Merkle.log2(p.maxPositions));
        return _read(p.openings, table, p.position, lo, hi);
    }

    /// Id number i of a list of `count` tokens with the given hash, i < count.
    function readToken(Proof memory p, bytes32 hash, uint256 count, uint256 i)
        internal
        pure
        returns (uint256)
    {
        unchecked {
            if (i >= count) revert IStepVerifier.BadUnit();
            Opening calldata o = _next(p.openings);
            bytes calldata piece = o.data;
            bytes32[] calldata hashes = o.path;
            uint256 from = 4 * i & ~(Merkle.CHUNK - 1);
            uint256 size = 4 * count - from < Merkle.CHUNK ? 4 * count - from : Merkle.CHUNK;
            if (
                piece.length != size
                    || hashes.length != (4 * count + Merkle.CHUNK - 1) / Merkle.CHUNK
            ) {
                revert IStepVerifier.BadOpening();
            }
            if (
                keccak256(abi.encodePacked(hashes)) != hash
                    || keccak256(piece) != hashes[from / Merkle.CHUNK]
            ) {
                revert IStepVerifier.WrongRoot();
            }
            uint256 at;
            assembly ("memory-safe") {
                at := piece.offset
            }
            return Calldata.u32(at + 4 * i - from);
        }
    }

    /* OPENINGS */

    function openingsOf(Opening[] calldata list) internal pure returns (Openings memory) {
        return _openings(list);
    }

    function _openings(Opening[] calldata list) private pure returns (Openings memory o) {
        uint256 at;
        assembly ("memory-safe") {
            at := list.offset
        }
        (o.at, o.count) = (at, list.length);
    }

    function _next(Openings memory o) private pure returns (Opening calldata) {
        if (o.next == o.count) revert IStepVerifier.BadOpening();
        Opening[] calldata list;
        (uint256 at, uint256 count) = (o.at, o.count);
        assembly ("memory-safe") {
            list.offset := at
            list.length := count
        }
        unchecked {
            return list[o.next++];
        }
    }

    function _read(Openings memory o, Item memory item, uint256 row, uint256 lo, uint256 hi)
        private
        pure
        returns (uint256)
    {
        return Merkle.openBytes(item, row, lo, hi, _next(o));
    }

    /// The output of an operation in the trace.
    function _output(Proof memory p, Op memory op, uint256 index)
        private
        pure
        returns (Item memory)
    {
        unchecked {
            uint256 bits = Merkle.log2(op.kind == Program.KIND_SAMPLED ? p.sampled : p.positions);
            if (op.kind == Program.KIND_KV) bits += Merkle.log2(op.kvHeads);
            return
                Item(Merkle.TRACE, p.traceRoot, p.limits.opCount, index, Program.rowBytes(op), bits);
        }
    }
}
// slither-disable-end divide-before-multiply
