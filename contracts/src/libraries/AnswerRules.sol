// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IInferenceOracle, Request} from "../interfaces/IInferenceOracle.sol";
import {TokenList} from "./TokenList.sol";

/// @title Rules that an answer to a request must follow, whatever the model computes.
library AnswerRules {
    using TokenList for bytes;

    /// Lists and answers up to these are compared on chain. Beyond, "not in the list" is a unit of
    /// proof: a claim's gas must not grow with the product of the two.
    uint256 internal constant MAX_LOOKED_UP_IDS = 64;
    uint256 internal constant MAX_LOOKED_UP_TOKENS = 64;

    /// Reverts unless the tokens can be an answer.
    /// @param allowed the request's allowed list where it is looked up, else empty
    function check(
        Request calldata r,
        bytes calldata tokens,
        bytes calldata allowed,
        uint32 vocabSize,
        uint32[] memory eosIds
    ) internal pure {
        if (!tokens.isWhole()) revert IInferenceOracle.MalformedTokens();
        uint256 n = tokens.count();
        if (n == 0 || n > r.maxTokens) revert IInferenceOracle.TokenCountOutOfRange();
        if (!tokens.allBelow(vocabSize)) revert IInferenceOracle.TokenOutsideVocabulary();
        if (tokens.containsAny(n - 1, eosIds)) revert IInferenceOracle.TokensAfterEnd();
        if (n < r.maxTokens && !TokenList.isOneOf(tokens.idAt(n - 1), eosIds)) {
            revert IInferenceOracle.EndsTooSoon();
        }
        _checkAllowed(r, tokens, allowed);
    }

    /// Whether a claim's tokens are looked up in the request's list when it is made.
    function isLookedUp(uint256 allowedCount, uint256 maxTokens) internal pure returns (bool) {
        return
            allowedCount != 0 && allowedCount <= MAX_LOOKED_UP_IDS
                && maxTokens <= MAX_LOOKED_UP_TOKENS;
    }

    function _checkAllowed(Request calldata r, bytes calldata tokens, bytes calldata allowed)
        private
        pure
    {
        if (!isLookedUp(r.allowedCount, r.maxTokens)) {
            if (allowed.length != 0) revert IInferenceOracle.WrongAllowedList();
            return;
        }
        if (allowed.hash() != r.allowedHash) revert IInferenceOracle.WrongAllowedList();
        uint256 n = tokens.count();
        for (uint256 i; i < n; ++i) {
            if (!allowed.sortedContains(tokens.idAt(i))) revert IInferenceOracle.TokenNotAllowed();
        }
    }
}
