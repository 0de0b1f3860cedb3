// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ClaimFacts, IStepVerifier, UnitKind, Witness} from "./interfaces/IStepVerifier.sol";
import {ModelCommitment} from "./interfaces/IModelRegistry.sol";
import {Partials} from "./verifier/Partials.sol";
import {Proof, Proofs} from "./verifier/Proof.sol";
import {Tokens} from "./verifier/Tokens.sol";
import {UnitKinds} from "./verifier/UnitKinds.sol";

/// @title The part of StepVerifier that judges the units of SAMPLE and the partials of attention.
/// @dev No state and no argument. StepVerifier passes its own calls on unchanged, so name and
/// arguments of the function are the same.
contract StepVerifierExtension {
    using Proofs for Proof;

    /// `IStepVerifier.isWrong` of every kind but Output, and of Output of the SAMPLE operation.
    function isWrong(
        ClaimFacts calldata facts,
        bytes32 traceRoot,
        ModelCommitment calldata model,
        Witness calldata witness,
        bytes calldata partials
    ) external pure returns (bool wrong) {
        UnitKind kind = witness.kind;
        Proof memory p = Proofs.begin(facts, traceRoot, model, witness);
        if (kind == UnitKind.Unlisted) {
            wrong = Tokens.isUnlisted(p, facts);
        } else {
            p.readOperation();
            if (UnitKinds.isPartial(kind)) wrong = Partials.isWrong(p, kind, partials);
            else if (kind == UnitKind.Token) wrong = Tokens.isTokenWrong(p, facts);
            else wrong = Tokens.isRowWrong(p, facts);
        }
        p.end();
    }
}
