// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ModelCommitment} from "./IModelRegistry.sol";

/// Facts of a claim that a unit of proof about it needs, besides the root of its trace.
struct ClaimFacts {
    /// P
    uint32 promptCount;
    bytes32 promptHash;
    /// N
    uint32 tokenCount;
    bytes32 tokensHash;
    /// float32 bits, as in the request
    uint32 temperature;
    uint32 minP;
    /// the seed used
    uint64 seed;
    uint32 allowedCount;
    bytes32 allowedHash;
}

/// Consecutive chunks of one tree, or one piece of a token list, with the hashes that tie them to
/// the tree's root or to the list's hash.
struct Opening {
    /// chunks: all their bytes, joined; a piece of a token list: its bytes
    bytes data;
    /// chunks: the hashes beside the range, level by level from the leaves, left before right; a
    /// piece: the hashes of all pieces
    bytes32[] path;
}

/// Kinds of units that a witness refutes (docs/SPEC.md, units of proof).
enum UnitKind {
    /// an element, segment or index of an operation's committed output
    Output,
    /// a token of the answer, against the committed SAMPLE row it was chosen from
    Token,
    /// m, z and o of one 32-chunk of an attention element's partials
    PartialChunk,
    /// the partials' maximum
    PartialMaximum,
    /// one running sum of the partials
    PartialRunning,
    /// the division that ends an attention element
    PartialFinal,
    /// a token of the answer that is not in the allowed list; last: Partial* keep their numbers
    Unlisted
}

/// One unit of proof and the openings that its recomputation reads, in the order of docs/SPEC.md.
/// Where something lies is never said by a witness: it follows from the unit, the committed
/// descriptors and the claim.
struct Witness {
    UnitKind kind;
    /// operation of the disputed chunk; of a token the SAMPLE operation
    uint32 op;
    /// place of the disputed chunk in the operation's item; of a token its index in the answer
    uint32 leaf;
    /// element, segment or token id, by the kind and the operation; 0 where not used
    uint32 unit;
    /// place in the allowed list, or number of the 32-chunk or running sum; 0 where not used
    uint32 place;
    Opening[] openings;
}

/// Shape of an operation's item in a trace, without what depends on the claim.
struct OutputShape {
    /// 0 a row a position, 1 a row a sampled position, 2 a row a key-value head and position
    uint8 kind;
    uint32 rowBytes;
    /// of kind 2, else 0
    uint32 kvHeads;
    /// head width of ATTN, else 0
    uint32 headWidth;
}

/// @title Recomputes one unit of an inference from committed inputs.
/// @dev Pure functions of their arguments. A witness that does not parse, does not open, or whose
/// program is malformed reverts. Nothing here knows of disputes, clocks or money. Assumes that
/// `model` hashes to the claim's model id, that facts and root are the claim's, and that the
/// allowed list is strictly increasing.
interface IStepVerifier {
    /// The openings are fewer or more than the unit reads, or one has another length than its place
    /// demands.
    error BadOpening();
    /// An opening does not lead to the root or hash that it must lead to.
    error WrongRoot();
    /// Operation, chunk, unit or place is out of range, or the unit does not lie in the disputed
    /// chunk.
    error BadUnit();
    /// The program breaks a rule of docs/SPEC.md at this operation.
    error MalformedProgram();

    /// Whether the unit shows that the trace, or the answer, is not what the model computes.
    /// @param traceRoot root of the operator's trace; a unit of kind Unlisted does not read it
    /// @param partials of the kinds Partial*: what the operator posted for the element (its format
    /// and length checked by `checkPartials`); else empty
    function isWrong(
        ClaimFacts calldata facts,
        bytes32 traceRoot,
        ModelCommitment calldata model,
        Witness calldata witness,
        bytes calldata partials
    ) external view returns (bool);

    /// Whether partials have the length that the position demands, canonical floats and an index of
    /// the maximum in range.
    function checkPartials(uint32 position, bytes calldata partials) external pure returns (bool);

    /// Whether the program breaks a rule at operation `op`.
    /// @param descriptors openings of the operation's descriptor and of those of its inputs, as far
    /// as they are operations before it
    function isMalformed(ModelCommitment calldata model, uint32 op, Opening[] calldata descriptors)
        external
        view
        returns (bool);

    /// Shape of an operation's output, from the opening of its descriptor.
    function shapeOf(ModelCommitment calldata model, uint32 op, Opening calldata descriptor)
        external
        view
        returns (OutputShape memory);
}
