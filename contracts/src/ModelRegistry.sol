// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IModelRegistry, ModelCommitment} from "./interfaces/IModelRegistry.sol";
import {ModelLimits, packLimits} from "./libraries/ModelLimits.sol";

// slither-disable-start uninitialized-local: a local begins at 0, and is meant to

/// @title The list of models.
contract ModelRegistry is IModelRegistry {
    uint32 internal constant ARITHMETIC_VERSION = 1;
    uint32 internal constant MAX_POSITIONS = 32_768;
    /// Rows of a weight tensor, of which a token's embedding is one; token ids have 24 bits.
    uint32 internal constant MAX_VOCAB = 1 << 24;
    uint256 internal constant MAX_EOS_IDS = 8;
    /// The dispute game names operations by 16 bits and has 65,535 for the tree above them.
    uint32 internal constant MAX_OPS = 65_535;

    mapping(bytes32 modelId => ModelLimits) internal _limits;

    /// @inheritdoc IModelRegistry
    function register(ModelCommitment calldata commitment, bytes32 fileSha256, string calldata uri)
        external
        returns (bytes32 modelId)
    {
        _check(commitment);
        modelId = keccak256(abi.encode(commitment));
        _limits[modelId] =
            packLimits(commitment.vocabSize, commitment.maxPositions, commitment.eosIds);
        emit ModelRegistered(modelId, msg.sender, commitment, fileSha256, uri);
    }

    /// @inheritdoc IModelRegistry
    function isRegistered(bytes32 modelId) external view returns (bool) {
        return ModelLimits.unwrap(_limits[modelId]) != 0;
    }

    /// @inheritdoc IModelRegistry
    function limits(bytes32 modelId)
        external
        view
        returns (uint32 vocabSize, uint32 maxPositions, uint32[] memory eosIds)
    {
        ModelLimits found = _limits[modelId];
        return (found.vocabSize(), found.maxPositions(), found.eosIds());
    }

    /// @inheritdoc IModelRegistry
    function packedLimits(bytes32 modelId) external view returns (ModelLimits) {
        return _limits[modelId];
    }

    function _check(ModelCommitment calldata c) private pure {
        if (c.arithmeticVersion != ARITHMETIC_VERSION) {
            revert UnknownArithmeticVersion(c.arithmeticVersion);
        }
        uint32 positions = c.contextLength < MAX_POSITIONS ? c.contextLength : MAX_POSITIONS;
        bool ok = c.vocabSize != 0 && c.vocabSize <= MAX_VOCAB && positions != 0
            && c.maxPositions == positions && c.opCount != 0 && c.opCount <= MAX_OPS
            && c.tensorCount != 0 && c.samplerOp < c.opCount && c.eosIds.length <= MAX_EOS_IDS;
        for (uint256 i; ok && i < c.eosIds.length; ++i) {
            ok = c.eosIds[i] < c.vocabSize && (i == 0 || c.eosIds[i - 1] < c.eosIds[i]);
        }
        if (!ok) revert MalformedCommitment();
    }
}
// slither-disable-end uninitialized-local
