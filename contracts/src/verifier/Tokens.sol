// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ClaimFacts, IStepVerifier} from "../interfaces/IStepVerifier.sol";
import {Calldata} from "./Calldata.sol";
import {Float32} from "./Float32.sol";
import {Outputs} from "./Outputs.sol";
import {Program} from "./Program.sol";
import {Proof, Proofs} from "./Proof.sol";
import {Sample} from "./Sample.sol";

/// @title Units of the operation SAMPLE (docs/SPEC.md, section 13): its committed row, a token that
/// was chosen from it, and a token that is not in the allowed list.
library Tokens {
    using Proofs for Proof;

    /// `unit` that disputes the index; as `place`: not by the list of allowed tokens.
    uint256 private constant INDEX = 0xffffffff;

    /// Whether SAMPLE's row is not the one of its logits.
    function isRowWrong(Proof memory p, ClaimFacts calldata facts) internal pure returns (bool) {
        if (p.op.code != Program.SAMPLE) revert IStepVerifier.BadUnit();
        p.locate();
        p.readDisputed();
        uint256 maximum = Calldata.u32(p.at);
        uint256 index;
        unchecked {
            index = Calldata.u32(p.at + 4);
        }
        uint256 w = p.unit;
        if (index >= p.limits.vocabulary) return true;
        if (w == INDEX) {
            if (facts.allowedCount != 0 && p.place != INDEX) return _isNotAllowed(p, facts, index);
            return _logit(p, index, p.readInputRow(0)) != maximum;
        }
        _mustBeAllowed(p, facts, w);
        uint256 logit = _logit(p, w, p.readInputRow(0));
        return Float32.greater(logit, Float32.canonical(maximum)) || (logit == maximum && w < index);
    }

    /// Whether token number `leaf` of the answer is not the one that the policy chooses from
    /// SAMPLE's row.
    function isTokenWrong(Proof memory p, ClaimFacts calldata facts) internal pure returns (bool) {
        if (p.op.code != Program.SAMPLE) revert IStepVerifier.BadUnit();
        uint256 c = p.readToken(facts.tokensHash, p.sampled, p.leaf);
        p.locate();
        p.readDisputed();
        if (facts.temperature == 0) {
            if (p.unit != 0) revert IStepVerifier.BadUnit();
            unchecked {
                return c != Calldata.u32(p.at + 4);
            }
        }
        if (c >= p.limits.vocabulary) revert IStepVerifier.BadUnit();
        uint256 w = p.unit;
        if (w != c) _mustBeAllowed(p, facts, w);
        uint256 x = p.readInputRow(0);
        uint256 logit = _logit(p, c, x);
        uint256 inverse = Float32.div(Float32.ONE, facts.temperature);
        uint256 maximum = Calldata.u32(p.at);
        if (w == c) return !Sample.passes(logit, maximum, inverse, facts.minP);
        uint256 other = _logit(p, w, x);
        if (!Sample.passes(other, maximum, inverse, facts.minP)) revert IStepVerifier.BadUnit();
        uint256 score = Sample.score(logit, inverse, c, p.position + 1, facts.seed);
        uint256 otherScore = Sample.score(other, inverse, w, p.position + 1, facts.seed);
        return Float32.greater(otherScore, score) || (otherScore == score && w < c);
    }

    /// Whether token number `leaf` of the answer is not in the allowed list. Reads only the lists.
    /// Never false: if the token is in the list, every place in it is an error.
    function isUnlisted(Proof memory p, ClaimFacts calldata facts) internal pure returns (bool) {
        bool asked = p.index == p.limits.samplerOp && p.unit == 0 && facts.allowedCount != 0;
        if (!asked) revert IStepVerifier.BadUnit();
        return _isNotAllowed(p, facts, p.readToken(facts.tokensHash, p.sampled, p.leaf));
    }

    function _logit(Proof memory p, uint256 w, uint256 x) private pure returns (uint256) {
        return Float32.canonical(Outputs.linear(p, 0, w, x));
    }

    /// Token w is in the vocabulary and, if the request has a list, stands in it at `place`.
    function _mustBeAllowed(Proof memory p, ClaimFacts calldata facts, uint256 w) private pure {
        if (w >= p.limits.vocabulary) revert IStepVerifier.BadUnit();
        if (facts.allowedCount == 0) return;
        if (p.readToken(facts.allowedHash, facts.allowedCount, p.place) != w) {
            revert IStepVerifier.BadUnit();
        }
    }

    /// True if `place` elements of the list, which is strictly increasing, are smaller than the
    /// token and all others greater; else an error.
    function _isNotAllowed(Proof memory p, ClaimFacts calldata facts, uint256 token)
        private
        pure
        returns (bool)
    {
        unchecked {
            uint256 count = facts.allowedCount;
            uint256 place = p.place;
            if (place > count) revert IStepVerifier.BadUnit();
            if (place > 0 && p.readToken(facts.allowedHash, count, place - 1) >= token) {
                revert IStepVerifier.BadUnit();
            }
            if (place < count && p.readToken(facts.allowedHash, count, place) <= token) {
                revert IStepVerifier.BadUnit();
            }
            return true;
        }
    }
}
