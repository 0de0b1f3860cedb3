// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ClaimFacts, IStepVerifier, Opening, OutputShape, Witness} from "./interfaces/IStepVerifier.sol";
import {ModelCommitment} from "./interfaces/IModelRegistry.sol";

/// @title StepVerifier
/// @dev Deployed before the dispute game, with no argument: `new StepVerifier()`. Helper contracts, where the size limit demands them, are created by its constructor.
contract StepVerifier is IStepVerifier {
    /// @inheritdoc IStepVerifier
    function isWrong(ClaimFacts calldata, ModelCommitment calldata, Witness calldata, bytes calldata)
        external
        pure
        returns (bool)
    {
        revert BadUnit();
    }

    /// @inheritdoc IStepVerifier
    function checkPartials(uint32, bytes calldata) external pure returns (bool) {
        revert BadUnit();
    }

    /// @inheritdoc IStepVerifier
    function isMalformed(ModelCommitment calldata, uint32, Opening[] calldata) external pure returns (bool) {
        revert BadUnit();
    }

    /// @inheritdoc IStepVerifier
    function shapeOf(ModelCommitment calldata, uint32, Opening calldata) external pure returns (OutputShape memory) {
        revert BadUnit();
    }
}
