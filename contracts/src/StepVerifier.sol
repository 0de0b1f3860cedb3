// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    ClaimFacts,
    IStepVerifier,
    Opening,
    OutputShape,
    UnitKind,
    Witness
} from "./interfaces/IStepVerifier.sol";
import {ModelCommitment} from "./interfaces/IModelRegistry.sol";
import {Outputs} from "./verifier/Outputs.sol";
import {Partials} from "./verifier/Partials.sol";
import {Op, Program} from "./verifier/Program.sol";
import {Openings, Proof, Proofs} from "./verifier/Proof.sol";
import {Rules} from "./verifier/Rules.sol";
import {Limits} from "./verifier/Rules.sol";

/// @title StepVerifier
/// @dev No state: `new StepVerifier(address(new StepVerifierExtension()))`, before the dispute game
/// that names it. The code of both together is larger than a contract may be; callers know this
/// address alone. All arithmetic is in src/verifier/, one library per family of operations; it
/// reads witnesses where they lie in the call's data.
contract StepVerifier is IStepVerifier {
    using Proofs for Proof;

    /// Judges the units of SAMPLE and the partials of attention.
    address public immutable extension;

    /// The address has no code.
    error NoExtension();

    constructor(address extension_) {
        if (extension_.code.length == 0) revert NoExtension();
        extension = extension_;
    }

    /// @inheritdoc IStepVerifier
    function isWrong(
        ClaimFacts calldata facts,
        bytes32 traceRoot,
        ModelCommitment calldata model,
        Witness calldata witness,
        bytes calldata
    ) external view returns (bool wrong) {
        if (witness.kind != UnitKind.Output || witness.op == model.samplerOp) {
            return _askExtension();
        }
        Proof memory p = Proofs.begin(facts, traceRoot, model, witness);
        p.readOperation();
        p.locate();
        p.readDisputed();
        wrong = Outputs.isWrong(p, facts);
        p.end();
    }

    /// Makes this very call to the extension. What that reverts with, this reverts with.
    function _askExtension() private view returns (bool wrong) {
        address to = extension;
        assembly ("memory-safe") {
            let at := mload(0x40)
            calldatacopy(at, 0, calldatasize())
            let ok := staticcall(gas(), to, at, calldatasize(), 0, 0x20)
            // Running out of gas inside, too, ends here: it is no verdict.
            if iszero(and(ok, eq(returndatasize(), 0x20))) {
                returndatacopy(at, 0, returndatasize())
                revert(at, returndatasize())
            }
            wrong := mload(0)
        }
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
        (,, bool well) =
            Proofs.readDescriptors(openings, Proofs.limitsOf(model), model.programRoot, op);
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
        return
            OutputShape(
                uint8(o.kind), uint32(Program.rowBytes(o)), uint32(kvHeads), uint32(headWidth)
            );
    }
}
