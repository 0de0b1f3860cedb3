// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IInferenceOracle, Request} from "../interfaces/IInferenceOracle.sol";
import {TokenList} from "./TokenList.sol";

/// @title What can be an answer to a request, whatever the model computes.
library AnswerRules {
    using TokenList for bytes;

    /// Reverts unless the tokens can be an answer.
    /// @param allowed the request's allowed list, checked here by its hash
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

    function _checkAllowed(Request calldata r, bytes calldata tokens, bytes calldata allowed)
        private
        pure
    {
        if (allowed.hash() != r.allowedHash) revert IInferenceOracle.WrongAllowedList();
        if (allowed.length == 0) return;
        uint256 n = tokens.count();
        for (uint256 i; i < n; ++i) {
            if (!allowed.sortedContains(tokens.idAt(i))) revert IInferenceOracle.TokenNotAllowed();
        }
    }
}
