// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ModelCommitment} from "../../src/interfaces/IModelRegistry.sol";
import {
    ClaimFacts,
    IStepVerifier,
    Opening,
    OutputShape,
    UnitKind,
    Witness
} from "../../src/interfaces/IStepVerifier.sol";
import {ToyTrace} from "../game/ToyTrace.sol";

/// A verifier that knows the true trace and the right answer: a chunk that opens to the root and
/// differs from the truth is wrong, and so is a claim with other tokens (unit Token).
contract ToyJudge is IStepVerifier {
    ToyTrace public immutable TRUTH;
    bytes32 public immutable RIGHT;

    constructor(ToyTrace truth, bytes32 right) {
        (TRUTH, RIGHT) = (truth, right);
    }

    function isWrong(
        ClaimFacts calldata facts,
        bytes32 root,
        ModelCommitment calldata,
        Witness calldata w,
        bytes calldata partials
    ) external view returns (bool) {
        if (w.kind == UnitKind.Token) return facts.tokensHash != RIGHT;
        if (w.op >= TRUTH.opCount() || !TRUTH.present(w.op, 0, w.leaf)) revert BadUnit();
        if (w.kind != UnitKind.Output) {
            // True partials are zero but for their first byte, which is 1.
            if (w.place >= partials.length) revert BadUnit();
            return uint8(partials[w.place]) != (w.place == 0 ? 1 : 0);
        }
        if (w.openings.length != 1) revert BadOpening();
        if (w.openings[0].data.length != TRUTH.lengthOf(w.op, w.leaf)) revert BadOpening();
        if (climb(w) != root) revert WrongRoot();
        return keccak256(w.openings[0].data) != keccak256(TRUTH.trueLeaf(w.op, w.leaf));
    }

    function climb(Witness calldata w) private view returns (bytes32 hash) {
        hash = keccak256(abi.encodePacked(uint8(8), w.openings[0].data));
        bytes32[] calldata path = w.openings[0].path;
        uint256 inside = TRUTH.heightOf(w.op);
        if (path.length != inside + TRUTH.heightOf(TRUTH.TOP())) revert BadOpening();
        uint256 index = w.leaf;
        for (uint256 i; i < path.length; ++i) {
            if (i == inside) index = w.op;
            (bytes32 l, bytes32 r) = index % 2 == 0 ? (hash, path[i]) : (path[i], hash);
            uint256 height = i < inside ? i + 1 : i - inside + 1;
            bytes1 tag = i < inside ? bytes1(0x09) : bytes1(0x0a);
            hash = keccak256(abi.encodePacked(tag, uint8(height), l, r));
            index /= 2;
        }
    }

    function checkPartials(uint32 position, bytes calldata partials) external pure returns (bool) {
        uint256 n = position / 32 + 1;
        return partials.length == 12 * n + 8 + 8 * ((n + 31) / 32);
    }

    function isMalformed(ModelCommitment calldata, uint32, Opening[] calldata)
        external
        pure
        returns (bool)
    {
        return false;
    }

    function shapeOf(ModelCommitment calldata, uint32 op, Opening calldata)
        external
        view
        returns (OutputShape memory)
    {
        if (op >= TRUTH.opCount()) revert BadUnit();
        return TRUTH.shape(op);
    }
}
