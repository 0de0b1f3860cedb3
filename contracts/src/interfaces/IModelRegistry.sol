// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ModelLimits} from "../libraries/ModelLimits.sol";

/// Everything that fixes what a model answers. Every root is a Keccak-256 Merkle root of
/// docs/SPEC.md.
struct ModelCommitment {
    /// version of the arithmetic; 1
    uint32 arithmeticVersion;
    /// root over all weight tensors, in the program's order
    bytes32 weightsRoot;
    /// root over the fixed 256-byte operation descriptors
    bytes32 programRoot;
    /// root over the tokenizer's canonical bytes
    bytes32 tokenizerHash;
    /// root over the table of cosines and sines
    bytes32 ropeRoot;
    /// number of operations of the program
    uint32 opCount;
    /// number of weight tensors
    uint32 tensorCount;
    /// index of the SAMPLE operation
    uint32 samplerOp;
    /// number of token ids, 1 to 2^24
    uint32 vocabSize;
    /// context length that the file states
    uint32 contextLength;
    /// min(contextLength, 32,768): rows of the RoPE table
    uint32 maxPositions;
    /// end-of-sequence ids, strictly increasing, at most 8
    uint32[] eosIds;
}

/// @title Permissionless, immutable list of models that requests can name.
/// @dev WARNING: a registered model is well-formed here, not meaningful: nobody checked its roots
/// against a file.
interface IModelRegistry {
    /// Where the file of a model can be had. Not part of the model id: a client re-derives the id
    /// from the file before it relies on it.
    event ModelRegistered(
        bytes32 indexed modelId,
        address indexed by,
        ModelCommitment commitment,
        bytes32 fileSha256,
        string uri
    );

    /// The arithmetic version is not one that this deployment's step verifier computes.
    error UnknownArithmeticVersion(uint32 version);
    /// A count, length or list of the commitment breaks a rule of docs/SPEC.md.
    error MalformedCommitment();

    /// Registers a commitment; a repeat changes nothing and emits the event again, so that anybody
    /// can announce another place of the file.
    /// @return modelId keccak256(abi.encode(commitment))
    function register(ModelCommitment calldata commitment, bytes32 fileSha256, string calldata uri)
        external
        returns (bytes32 modelId);

    function isRegistered(bytes32 modelId) external view returns (bool);

    /// Limits that `request` and `claim` check tokens against.
    /// @return vocabSize 0 when the model is unknown
    function limits(bytes32 modelId)
        external
        view
        returns (uint32 vocabSize, uint32 maxPositions, uint32[] memory eosIds);

    /// The same in one word.
    function packedLimits(bytes32 modelId) external view returns (ModelLimits);
}
