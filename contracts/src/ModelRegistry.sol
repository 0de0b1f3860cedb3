// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IModelRegistry, ModelCommitment} from "./interfaces/IModelRegistry.sol";

// slither-disable-start uninitialized-local: a local begins at 0, and is meant to

/// @title The list of models.
contract ModelRegistry is IModelRegistry {
    uint32 internal constant ARITHMETIC_VERSION = 1;
    uint32 internal constant MAX_POSITIONS = 32_768;
    uint256 internal constant MAX_EOS_IDS = 8;
    /// Rows of a matrix in a well-formed program, of which SAMPLE's has one per token.
    uint32 internal constant MAX_VOCAB = 16_777_216;
    /// The dispute game names operations by 16 bits and has 65,535 for the tree above them.
    uint32 internal constant MAX_OPS = 65_535;

    /// What requests and claims need of a commitment: two slots.
    struct Limits {
        uint32 vocabSize;
        uint32 maxPositions;
        uint8 eosCount;
        /// id i in bits 32 i to 32 i + 31
        uint256 eosIds;
    }

    mapping(bytes32 modelId => Limits) internal _limits;

    /// @inheritdoc IModelRegistry
    function register(ModelCommitment calldata commitment, bytes32 fileSha256, string calldata uri)
        external
        returns (bytes32 modelId)
    {
        _check(commitment);
        modelId = keccak256(abi.encode(commitment));
        if (_limits[modelId].vocabSize == 0) {
            uint256 packed;
            for (uint256 i; i < commitment.eosIds.length; ++i) {
                packed |= uint256(commitment.eosIds[i]) << (32 * i);
            }
            // Safe cast: _check bounds the length by 8.
            _limits[modelId] = Limits(
                commitment.vocabSize,
                commitment.maxPositions,
                uint8(commitment.eosIds.length),
                packed
            );
        }
        emit ModelRegistered(modelId, msg.sender, commitment, fileSha256, uri);
    }

    /// @inheritdoc IModelRegistry
    function isRegistered(bytes32 modelId) external view returns (bool) {
        return _limits[modelId].vocabSize != 0;
    }

    /// @inheritdoc IModelRegistry
    function limits(bytes32 modelId)
        external
        view
        returns (uint32 vocabSize, uint32 maxPositions, uint32[] memory eosIds)
    {
        Limits storage found = _limits[modelId];
        (vocabSize, maxPositions) = (found.vocabSize, found.maxPositions);
        eosIds = new uint32[](found.eosCount);
        if (eosIds.length != 0) {
            uint256 packed = found.eosIds;
            for (uint256 i; i < eosIds.length; ++i) {
                // Safe cast: the id is the lowest 32 bits.
                eosIds[i] = uint32(packed >> (32 * i));
            }
        }
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
