// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ModelCommitment} from "../../src/interfaces/IModelRegistry.sol";
import {
    ClaimFacts,
    IStepVerifier,
    Opening,
    OutputShape,
    Witness
} from "../../src/interfaces/IStepVerifier.sol";

/// A verifier that finds every unit wrong and all partials valid, for a program in which every
/// operation has the same shape: measures what moves cost without the arithmetic.
contract StubVerifier is IStepVerifier {
    uint32 internal immutable ROW_BYTES;
    uint32 internal immutable HEAD_WIDTH;

    constructor(uint32 rowBytes, uint32 headWidth) {
        (ROW_BYTES, HEAD_WIDTH) = (rowBytes, headWidth);
    }

    function isWrong(
        ClaimFacts calldata,
        bytes32,
        ModelCommitment calldata,
        Witness calldata,
        bytes calldata
    ) external pure returns (bool) {
        return true;
    }

    function checkPartials(uint32, bytes calldata) external pure returns (bool) {
        return true;
    }

    function isMalformed(ModelCommitment calldata, uint32, Opening[] calldata)
        external
        pure
        returns (bool)
    {
        return true;
    }

    function shapeOf(ModelCommitment calldata, uint32, Opening calldata)
        external
        view
        returns (OutputShape memory)
    {
        return OutputShape(0, ROW_BYTES, 0, HEAD_WIDTH);
    }
}
