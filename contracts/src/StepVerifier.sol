// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ClaimFacts, IStepVerifier, Opening, OutputShape, UnitKind, Witness} from "./interfaces/IStepVerifier.sol";
import {ModelCommitment} from "./interfaces/IModelRegistry.sol";
import {Outputs} from "./verifier/Outputs.sol";
import {Partials} from "./verifier/Partials.sol";
import {Op, Program} from "./verifier/Program.sol";
import {Openings, Proof, Proofs} from "./verifier/Proof.sol";
import {Rules} from "./verifier/Rules.sol";
import {Limits} from "./verifier/Rules.sol";
import {Tokens} from "./verifier/Tokens.sol";

/// @title StepVerifier
/// @dev No state and no argument: `new StepVerifier()`, before the dispute game that names it. All arithmetic is in src/verifier/, one library a family of
/// operations; it reads witnesses where they lie in the call's data.
contract StepVerifier is IStepVerifier {
    using Proofs for Proof;

    /// @inheritdoc IStepVerifier
    function isWrong(
        ClaimFacts calldata facts,
        bytes32 traceRoot,
        ModelCommitment calldata model,
        Witness calldata witness,
        bytes calldata partials
    ) external pure returns (bool wrong) {
        Proof memory p = Proofs.begin(facts, traceRoot, model, witness);
        p.readOperation();
        if (witness.kind == UnitKind.Output) {
            p.locate();
            p.readDisputed();
            wrong = p.op.code == Program.SAMPLE ? Tokens.isRowWrong(p, facts) : Outputs.isWrong(p, facts);
        } else if (witness.kind == UnitKind.Token) {
            wrong = Tokens.isTokenWrong(p, facts);
        } else {
            wrong = Partials.isWrong(p, witness.kind, partials);
        }
        p.end();
    }

    /// @inheritdoc IStepVerifier
    function checkPartials(uint32 position, bytes calldata partials) external pure returns (bool) {
        return Partials.areValid(position, partials);
    }

    /// @inheritdoc IStepVerifier
    function isMalformed(ModelCommitment calldata model, uint32 op, Opening[] calldata descriptors)
        external
        pure
        returns (bool)
    {
        if (op >= model.opCount) revert BadUnit();
        Openings memory openings = Proofs.openingsOf(descriptors);
        // slither-disable-next-line unused-return: only whether the rules hold is asked
        (,, bool well) = Proofs.readDescriptors(openings, Proofs.limitsOf(model), model.programRoot, op);
        if (openings.next != openings.count) revert BadOpening();
        return !well;
    }

    /// @inheritdoc IStepVerifier
    function shapeOf(ModelCommitment calldata model, uint32 op, Opening calldata descriptor)
        external
        pure
        returns (OutputShape memory)
    {
        if (op >= model.opCount) revert BadUnit();
        (Op memory o, bool well) = Proofs.openOwnDescriptor(model, op, descriptor);
        if (!well) revert MalformedProgram();
        uint256 kvHeads = o.kind == Program.KIND_KV ? o.kvHeads : 0;
        uint256 headWidth = o.code == Program.ATTN ? o.headWidth : 0;
        // Safe casts: the rules bound kinds, widths of at most 2^24, heads and head widths.
        return OutputShape(uint8(o.kind), uint32(Program.rowBytes(o)), uint32(kvHeads), uint32(headWidth));
    }
}
