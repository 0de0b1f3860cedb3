// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IInferenceOracle, RequestParams} from "../interfaces/IInferenceOracle.sol";
import {TokenList} from "./TokenList.sol";

/// @title Rules that a request must follow in every deployment.
library RequestRules {
    using TokenList for bytes;

    uint256 internal constant MAX_PROMPT = 32_768;
    /// A claim carries the answer, and so do a reveal and the finalizing of a request with a
    /// callback: with so many tokens they stay under 120,000 bytes of calldata and 12,000,000 gas,
    /// in today's gas table and the next fork's, with eight end-of-sequence ids.
    uint256 internal constant MAX_ANSWER = 29_000;
    uint256 internal constant MAX_ALLOWED = 16_384;
    uint256 internal constant MAX_REPLICAS = 5;
    uint256 internal constant MAX_CALLBACK_GAS = 500_000;

    /// float32 bits of 2^-10, of infinity and of 1.
    uint32 internal constant F32_MIN_TEMPERATURE = 0x3a800000;
    uint32 internal constant F32_INFINITY = 0x7f800000;
    uint32 internal constant F32_ONE = 0x3f800000;

    /// Reverts unless prompt, policy and answer fit the model.
    function checkInference(RequestParams calldata p, uint32 vocabSize, uint32 maxPositions)
        internal
        pure
    {
        if (!p.prompt.isWhole() || !p.allowed.isWhole()) revert IInferenceOracle.MalformedTokens();
        uint256 promptCount = p.prompt.count();
        if (promptCount == 0) revert IInferenceOracle.EmptyPrompt();
        if (promptCount > MAX_PROMPT) revert IInferenceOracle.PromptTooLong();
        if (p.maxTokens == 0) revert IInferenceOracle.NoTokensAsked();
        if (p.maxTokens > MAX_ANSWER) revert IInferenceOracle.TooManyTokensAsked();
        if (p.allowed.count() > MAX_ALLOWED) revert IInferenceOracle.AllowedTooLong();
        // The last token of the answer is never fed back.
        if (promptCount + p.maxTokens - 1 > maxPositions) {
            revert IInferenceOracle.TooManyPositions();
        }
        checkPolicy(p.temperature, p.minP);
        if (!p.allowed.isStrictlyIncreasing()) revert IInferenceOracle.AllowedNotIncreasing();
        if (!p.prompt.allBelow(vocabSize) || !p.allowed.allBelow(vocabSize)) {
            revert IInferenceOracle.TokenOutsideVocabulary();
        }
    }

    /// Reverts unless both are float32 bits in range. Positive floats order as their bits do; a set
    /// sign bit and NaN lie above infinity.
    function checkPolicy(uint32 temperature, uint32 minP) internal pure {
        if (temperature != 0 && (temperature < F32_MIN_TEMPERATURE || temperature >= F32_INFINITY))
        {
            revert IInferenceOracle.BadTemperature();
        }
        if (minP > F32_ONE) revert IInferenceOracle.BadMinP();
    }

    /// Reverts unless replicas and callback are in range.
    function checkDelivery(RequestParams calldata p) internal pure {
        if (p.replicas == 0 || p.replicas > MAX_REPLICAS) {
            revert IInferenceOracle.ReplicasOutOfRange();
        }
        if (p.callbackGas > MAX_CALLBACK_GAS || (p.callback == address(0)) != (p.callbackGas == 0))
        {
            revert IInferenceOracle.CallbackGasOutOfRange();
        }
    }
}
