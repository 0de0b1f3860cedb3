// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IInferenceOracle, Request} from "../interfaces/IInferenceOracle.sol";
import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {AnswerRules} from "../libraries/AnswerRules.sol";
import {ModelLimits} from "../libraries/ModelLimits.sol";
import {Ends} from "./Ends.sol";

/// @title Checks of an answer that every claim makes.
abstract contract Answers is Ends {
    function _checkAnswer(Request calldata r, bytes calldata tokens, bytes calldata allowed)
        internal
        view
    {
        ModelLimits limits = IModelRegistry(registry).packedLimits(r.modelId);
        AnswerRules.check(r, tokens, allowed, limits.vocabSize(), limits.eosIds());
    }

    function _requireSeed(Request calldata r, bytes32 id, uint64 seed) internal view {
        uint64 used = r.temperature == 0 ? 0 : _draws[id].seed;
        if (seed != used) revert IInferenceOracle.WrongSeed(used);
    }
}
